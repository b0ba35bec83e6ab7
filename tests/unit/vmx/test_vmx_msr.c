// SPDX-License-Identifier: GPL-2.0-only
/* VMX: what the MSRs of the VMCS and of load and put may hold. */
// SOURCES: hv/vmx/msr.c hv/core/vcpu/sregs.c
#include "vmx_rig.h"
#include "msr_rig.h"

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

static void values(void **state __unused)
{
	static const struct msr_value ours[] = {
		{ MSR_SFMASK, 0xffffffff, 0xffffffff, 0 },
		{ MSR_SFMASK, BIT(32), 0, -EINVAL },
		{ MSR_SYSENTER_CS, 0x100000010, 0x10, 0 },
		{ MSR_SYSENTER_ESP, 0x0000800000000000, 0, -EINVAL },
		{ MSR_DEBUGCTL, 3, 2, 0 },	/* no last-branch records */
		{ MSR_DEBUGCTL, 4, 0, -EINVAL },
		{ MSR_VMX_BASIC, 1, 0, -ENOENT },
	};

	expect_msrs(&rig_v, vmx_set_msr, vmx_get_msr, msr_values, ARRAY_SIZE(msr_values));
	expect_msrs(&rig_v, vmx_set_msr, vmx_get_msr, ours, ARRAY_SIZE(ours));
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
