// SPDX-License-Identifier: GPL-2.0-only
/* VMX: what the MSRs of the VMCS and of load and put may hold. */
// SOURCES: hv/vmx/msr.c hv/core/sregs.c
#include "vmx_rig.h"

static int flushes;

hpa_t vmcs_open(struct vcpu *v __unused)
{
	return 0;
}

void vmcs_close(struct vcpu *v __unused, hpa_t before __unused)
{
}

void vmx_flush(struct vcpu *v __unused)
{
	flushes++;
}

void vmx_write_efer(u64 efer)
{
	rig_vmcs[VMCS_GUEST_EFER] = efer;
}

void vmx_load_sys(const struct vmx_vcpu *x __unused)
{
	fail();
}

/* The system-call MSRs go into the CPU as they are: none may raise #GP there. */
static void values(void **state __unused)
{
	static const struct {
		u32 msr;
		u64 in, out;
		int err;
	} t[] = {
		{ MSR_STAR, 0x0023001000000000, 0x0023001000000000, 0 },
		{ MSR_LSTAR, 0xffffffff81000000, 0xffffffff81000000, 0 },
		{ MSR_LSTAR, 0x0000800000000000, 0, -EINVAL },
		{ MSR_CSTAR, 0x7fffffffffff, 0x7fffffffffff, 0 },
		{ MSR_CSTAR, BIT(63), 0, -EINVAL },
		{ MSR_SFMASK, 0xffffffff, 0xffffffff, 0 },
		{ MSR_SFMASK, BIT(32), 0, -EINVAL },
		{ MSR_FS_BASE, 0xffff800000000000, 0xffff800000000000, 0 },
		{ MSR_GS_BASE, 0xffff000000000000, 0, -EINVAL },
		{ MSR_KERNEL_GS_BASE, 0x1000, 0x1000, 0 },
		{ MSR_KERNEL_GS_BASE, BIT(47), 0, -EINVAL },
		{ MSR_SYSENTER_CS, 0x100000010, 0x10, 0 },
		{ MSR_SYSENTER_ESP, 0x0000800000000000, 0, -EINVAL },
		{ MSR_SYSENTER_EIP, 0x1234, 0x1234, 0 },
		{ MSR_PAT, 0x0007010600070106, 0x0007010600070106, 0 },
		{ MSR_PAT, 0x0007020600070106, 0, -EINVAL },
		{ MSR_DEBUGCTL, 3, 2, 0 },	/* no last-branch records */
		{ MSR_DEBUGCTL, 4, 0, -EINVAL },
		{ MSR_TSC_AUX, 1, 0, -ENOENT },
		{ MSR_VMX_BASIC, 1, 0, -ENOENT },
	};
	size_t i;
	u64 val;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(vmx_set_msr(&rig_v, t[i].msr, t[i].in), t[i].err);
		if (t[i].err == -ENOENT) {
			assert_int_equal(vmx_get_msr(&rig_v, t[i].msr, &val), -ENOENT);
		} else if (!t[i].err) {
			assert_int_equal(vmx_get_msr(&rig_v, t[i].msr, &val), 0);
			assert_int_equal(val, t[i].out);
		}
	}
}

static void efer(void **state __unused)
{
	flushes = 0;
	assert_int_equal(vmx_set_msr(&rig_v, MSR_EFER, EFER_LME | EFER_NX), 0);
	assert_int_equal(rig_vmcs[VMCS_GUEST_EFER], EFER_LME | EFER_LMA | EFER_NX);
	assert_int_equal(flushes, 1);
	assert_int_equal(vmx_set_msr(&rig_v, MSR_EFER, EFER_LME | EFER_NX | EFER_SCE), 0);
	assert_int_equal(flushes, 1);
	assert_int_equal(vmx_set_msr(&rig_v, MSR_EFER, 0), -EINVAL);
	assert_int_equal(vmx_set_msr(&rig_v, MSR_EFER, EFER_LME | EFER_SVME), -EINVAL);
	assert_int_equal(rig_vmcs[VMCS_GUEST_EFER],
			 EFER_LME | EFER_LMA | EFER_NX | EFER_SCE);
}

#define T(f) cmocka_unit_test_setup(f, rig_setup)
int main(void)
{
	const struct CMUnitTest tests[] = { T(values), T(efer) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
