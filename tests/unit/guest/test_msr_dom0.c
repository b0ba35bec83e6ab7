// SPDX-License-Identifier: GPL-2.0-only
/* MSRs of domain 0: what is virtual, what reaches the machine, what is refused. */
// SOURCES: hv/core/guest/msr_dom0.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/guest/msr.h"
#include "hv/core/guest/pv.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"

#define MSR_MADE	0xc0012345u	/* one that the machine has, and nobody knows */

u64 host_tsc = 1000;

static struct vcpu v;
static u64 machine[7];		/* MISC_ENABLE, MTRR def type, PHYSBASE0, MADE, FEATURE_CONTROL, HWCR, NB_CFG */
static const u32 machine_msr[] = { MSR_MISC_ENABLE, MSR_MTRR_DEF_TYPE, MSR_MTRR_PHYSBASE0, MSR_MADE,
				   MSR_FEATURE_CONTROL, MSR_AMD_HWCR, MSR_AMD_NB_CFG };
static u32 written;
static int syncs, aux;

/* ---- the machine ---- */

int host_rdmsr(u32 msr, u64 *val)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(machine); i++) {
		if (machine_msr[i] != msr)
			continue;
		*val = machine[i];
		return 0;
	}
	return -EFAULT;
}

int host_wrmsr(u32 msr, u64 val)
{
	u32 i;

	written = msr;
	for (i = 0; i < ARRAY_SIZE(machine); i++)
		if (machine_msr[i] == msr)
			machine[i] = val;
	return msr == MSR_FLUSH_CMD ? -EFAULT : 0;
}

/* ---- those that come first ---- */

int vlapic_rdmsr(struct vcpu *w __unused, u32 msr, u64 *val)
{
	*val = 7;
	return msr == MSR_APIC_BASE ? 0 : msr == MSR_X2APIC_BASE ? -EINVAL : -ENOENT;
}

int vlapic_wrmsr(struct vcpu *w __unused, u32 msr, u64 val __unused)
{
	return msr == MSR_APIC_BASE ? 0 : msr == MSR_X2APIC_BASE ? -EINVAL : -ENOENT;
}

static int get_msr(struct vcpu *w __unused, u32 msr, u64 *val)
{
	*val = 8;
	return msr == MSR_EFER ? 0 : -ENOENT;
}

static int set_msr(struct vcpu *w __unused, u32 msr, u64 val)
{
	return msr != MSR_EFER ? -ENOENT : val & EFER_SVME ? -EINVAL : 0;
}

int pv_rdmsr(struct vcpu *w __unused, u32 msr __unused, u64 *val __unused) { return -ENOENT; }
int pv_wrmsr(struct vcpu *w __unused, u32 msr __unused, u64 val __unused) { return -ENOENT; }
void vcpu_load_tsc_aux(struct vcpu *w __unused) { aux++; }
static void sync_controls(struct vcpu *w __unused) { syncs++; }

static const struct hv_ops test_ops = {
	.get_msr = get_msr, .set_msr = set_msr, .sync_controls = sync_controls,
};
const struct hv_ops *ops = &test_ops;

/* ---- the tests ---- */

static int setup(void **state __unused)
{
	memset(&v, 0, sizeof(v));
	machine[0] = 0x850089;
	machine[1] = 0xc06;
	machine[2] = 0x80000006;
	machine[3] = 0x77;
	machine[4] = 5;
	machine[5] = BIT(30) | BIT(4);
	machine[6] = BIT(9);
	written = 0;
	syncs = aux = 0;
	return 0;
}

static u64 reads(u32 msr)
{
	u64 val = ~0ull;

	assert_int_equal(dom0_rdmsr(&v, msr, &val), 0);
	return val;
}

static void others_first(void **state __unused)
{
	u64 val;

	assert_int_equal(reads(MSR_APIC_BASE), 7);
	assert_int_equal(dom0_rdmsr(&v, MSR_X2APIC_BASE, &val), -EINVAL);
	assert_int_equal(reads(MSR_EFER), 8);
	assert_int_equal(dom0_wrmsr(&v, MSR_APIC_BASE, 1), 0);
	assert_int_equal(dom0_wrmsr(&v, MSR_X2APIC_BASE, 1), -EINVAL);
	/* Virtualisation cannot be switched on. */
	assert_int_equal(dom0_wrmsr(&v, MSR_EFER, EFER_SVME), -EINVAL);
	assert_int_equal(written, 0);
}

static void tsc(void **state __unused)
{
	v.tsc_offset = 5;
	assert_int_equal(reads(MSR_TSC), 1005);
	assert_int_equal(dom0_wrmsr(&v, MSR_TSC, 1), 0);
	assert_int_equal(reads(MSR_TSC), 1);
	assert_int_equal(reads(MSR_TSC_ADJUST), (u64)-1004);
	assert_int_equal(syncs, 1);
	assert_true(v.pv_dirty);
	assert_int_equal(dom0_wrmsr(&v, MSR_TSC_ADJUST, 0), 0);
	assert_int_equal(reads(MSR_TSC), 1005);
	assert_int_equal(syncs, 2);
	assert_int_equal(dom0_wrmsr(&v, MSR_TSC_AUX, 0x100000003), 0);
	assert_int_equal(v.msr.tsc_aux, 3);
	assert_int_equal(aux, 1);
	assert_int_equal(written, 0);
}

/* Neither kind of virtualisation is to be had. */
static void no_virtualisation(void **state __unused)
{
	u64 val;
	u32 msr;

	assert_int_equal(reads(MSR_AMD_VM_CR), VM_CR_SVMDIS | VM_CR_LOCK);
	assert_int_equal(reads(MSR_AMD_VM_HSAVE_PA), 0);
	assert_int_equal(reads(MSR_FEATURE_CONTROL), 1);
	machine[4] |= BIT(20);				/* local machine checks */
	assert_int_equal(reads(MSR_FEATURE_CONTROL), 1 | BIT(20));
	for (msr = MSR_VMX_BASIC; msr <= MSR_VMX_VMFUNC; msr++)
		assert_int_equal(dom0_rdmsr(&v, msr, &val), -EINVAL);
	assert_int_equal(dom0_wrmsr(&v, MSR_AMD_VM_HSAVE_PA, 0x1000), -EINVAL);
	assert_int_equal(dom0_wrmsr(&v, MSR_FEATURE_CONTROL, 5), -EINVAL);
	assert_int_equal(written, 0);
}

static void kept(void **state __unused)
{
	assert_int_equal(reads(MSR_XSS), 0);
	assert_int_equal(dom0_wrmsr(&v, MSR_XSS, 0), 0);
	assert_int_equal(dom0_wrmsr(&v, MSR_XSS, 1), -EINVAL);
	assert_int_equal(written, 0);
}

/* Bits that say what CPUID does stay; those of drivers change. */
static void misc_enable(void **state __unused)
{
	assert_int_equal(dom0_wrmsr(&v, MSR_MISC_ENABLE, machine[0] ^ BIT(22)), -EINVAL);
	assert_int_equal(written, 0);
	assert_int_equal(dom0_wrmsr(&v, MSR_MISC_ENABLE, machine[0] ^ BIT(38)), 0);
	assert_int_equal(written, MSR_MISC_ENABLE);
	/* AMD's boost, and nothing else of that MSR. */
	assert_int_equal(dom0_wrmsr(&v, MSR_AMD_HWCR, machine[5] ^ BIT(18)), -EINVAL);
	assert_int_equal(dom0_wrmsr(&v, MSR_AMD_HWCR, machine[5] | BIT(25)), 0);
	assert_int_equal(machine[5], BIT(30) | BIT(4) | BIT(25));
	/* The way into extended configuration space, and nothing else of the north bridge. */
	assert_int_equal(dom0_wrmsr(&v, MSR_AMD_NB_CFG, BIT(9) | BIT(46)), 0);
	assert_int_equal(machine[6], BIT(9) | BIT(46));
	assert_int_equal(dom0_wrmsr(&v, MSR_AMD_NB_CFG, BIT(46)), -EINVAL);
	assert_int_equal(dom0_wrmsr(&v, MSR_AMD_NB_CFG, BIT(9) | BIT(45) | BIT(46)), -EINVAL);
	assert_int_equal(machine[6], BIT(9) | BIT(46));
	/* The revision of microcode is asked for by writing 0; updates are not domain 0's. */
	assert_int_equal(dom0_wrmsr(&v, MSR_UCODE_REV, 0), 0);
	assert_int_equal(written, MSR_UCODE_REV);
	assert_int_equal(dom0_wrmsr(&v, MSR_UCODE_WRITE, 0xffff888000100030), -EINVAL);
	assert_int_equal(dom0_wrmsr(&v, 0xc0010020, 0xffff888000100030), -EINVAL);
	assert_int_equal(written, MSR_UCODE_REV);
}

/* MTRRs take a write and stay as they are. */
static void mtrrs(void **state __unused)
{
	assert_int_equal(dom0_wrmsr(&v, MSR_MTRR_DEF_TYPE, 0), 0);
	assert_int_equal(dom0_wrmsr(&v, MSR_MTRR_PHYSBASE0, 0), 0);
	assert_int_equal(machine[1], 0xc06);
	assert_int_equal(machine[2], 0x80000006);
	assert_int_equal(written, 0);
	/* One that the machine has not. */
	assert_int_equal(dom0_wrmsr(&v, MSR_MTRR_PHYSBASE0 + 2, 0), -EINVAL);
}

/* Of AMD's: what moves RAM, SMM's memory, or PCI's configuration space (MMIO_CFG_BASE). */
static void memory_map(void **state __unused)
{
	static const u32 msr[] = {
		0xc0010010, 0xc0010016, 0xc0010017, 0xc0010018, 0xc0010019, 0xc001001a,
		0xc001001d, 0xc0010058, 0xc0010111, 0xc0010112, 0xc0010113,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(msr); i++)
		assert_int_equal(dom0_wrmsr(&v, msr[i], 0xe0000001), -EINVAL);
	assert_int_equal(written, 0);
}

/* A voltage that is too low makes all compute wrong: Bedplate, and guests. */
static void no_voltages(void **state __unused)
{
	u32 msr;

	assert_int_equal(dom0_wrmsr(&v, 0xc0010062, 1), 0);
	assert_int_equal(written, 0xc0010062);
	written = 0;
	for (msr = 0xc0010063; msr <= 0xc0010071; msr++)	/* P-states, COFVID */
		assert_int_equal(dom0_wrmsr(&v, msr, 1), -EINVAL);
	assert_int_equal(dom0_wrmsr(&v, 0x150, BIT(63)), -EINVAL);	/* Intel's mailbox */
	assert_int_equal(written, 0);
}

static void the_machines(void **state __unused)
{
	u64 val;

	assert_int_equal(reads(MSR_MADE), 0x77);
	assert_int_equal(dom0_rdmsr(&v, MSR_MADE + 1, &val), -EINVAL);
	/* Not on the list: only what is there already. */
	assert_int_equal(dom0_wrmsr(&v, MSR_MADE, 0x77), 0);
	assert_int_equal(dom0_wrmsr(&v, MSR_MADE, 0x78), -EINVAL);
	assert_int_equal(written, 0);
	/* On the list, and refused by the machine. */
	assert_int_equal(dom0_wrmsr(&v, MSR_PRED_CMD, 1), 0);
	assert_int_equal(written, MSR_PRED_CMD);
	assert_int_equal(dom0_wrmsr(&v, MSR_FLUSH_CMD, 1), -EINVAL);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(others_first), T(tsc), T(no_virtualisation), T(kept), T(misc_enable), T(mtrrs),
		T(memory_map), T(no_voltages), T(the_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
