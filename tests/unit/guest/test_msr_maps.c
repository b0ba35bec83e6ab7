// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which MSRs and ports a guest and domain 0 reach without an exit: the whole of both back
 * ends' maps, read as hardware reads them.
 */
// SOURCES: hv/svm/perm.c hv/vmx/perm.c hv/core/guest/msr_dom0.c hv/core/guest/io_dom0.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/guest/io_dom0.h"
#include "hv/core/memory/domain.h"
#include "hv/core/lib/errno.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/machine/paging.h"
#include "hv/core/guest/pv.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/speculation.h"
#include "hv/core/lib/x86_regs.h"
#include "hv/svm/svm.h"
#include "hv/vmx/vmx.h"

const struct hv_ops *ops;
struct vmx_caps vmx;
const u32 vmx_sys_msr[NR_SYS] = { MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK };
static bool pass_ctrl, pass_pred;

hpa_t virt_to_phys(const void *va)
{
	return (uintptr_t)va;
}

bool spec_pass_ctrl(void)
{
	return pass_ctrl;
}

bool spec_pass_pred(void)
{
	return pass_pred;
}

/* What msr_dom0.c needs for the part that is not under test. */
int vlapic_rdmsr(struct vcpu *v __unused, u32 msr __unused, u64 *val __unused)
{
	return -ENOENT;
}

int vlapic_wrmsr(struct vcpu *v __unused, u32 msr __unused, u64 val __unused)
{
	return -ENOENT;
}

int pv_rdmsr(struct vcpu *v __unused, u32 msr __unused, u64 *val __unused)
{
	return -ENOENT;
}

int pv_wrmsr(struct vcpu *v __unused, u32 msr __unused, u64 val __unused)
{
	return -ENOENT;
}

void vcpu_load_tsc_aux(struct vcpu *v __unused)
{
}

/* ---- the maps as hardware reads them ---- */

enum { READ, WRITE };

static bool bit(const u8 *map, u32 n)
{
	return map[n / 8] >> n % 8 & 1;
}

/* APM vol. 2, 15.11 */
static bool svm_exits(const u8 *map, u32 msr, int what)
{
	static const u32 base[] = { 0, 0xc0000000, 0xc0010000 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(base); i++)
		if (msr - base[i] < 0x2000)
			return bit(map + i * 0x800, (msr - base[i]) * 2 + what);
	return true;
}

/* SDM vol. 3, 25.6.9 */
static bool vmx_exits(const u8 *map, u32 msr, int what)
{
	if (msr < 0x2000)
		return bit(map + what * 0x800, msr);
	if (msr - 0xc0000000 < 0x2000)
		return bit(map + what * 0x800 + 0x400, msr - 0xc0000000);
	return true;
}

static struct domain service = { .id = 0 }, guest = { .id = 1 };
static struct vcpu rig_v;

static bool exits(bool amd, struct domain *d, u32 msr, int what)
{
	rig_v.dom = d;
	if (amd)
		return svm_exits((const u8 *)svm_msrpm(&rig_v), msr, what);
	return vmx_exits((const u8 *)vmx_msr_bitmap(&rig_v, false), msr, what);
}

/* The next MSR that a map can name. */
static u32 next(u32 msr)
{
	switch (msr) {
	case 0x1fff:
		return 0xc0000000;
	case 0xc0001fff:
		return 0xc0010000;
	case 0xc0011fff:
		return 0;
	}
	return msr + 1;
}

static int setup(void **state __unused)
{
	pass_ctrl = pass_pred = false;
	vmx.ctl.apic = PROC2_APICV;
	svm_perm_init();
	vmx_perm_init();
	return 0;
}

/* ---- what must be ---- */

static bool in(const u32 *set, size_t n, u32 msr)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (set[i] == msr)
			return true;
	return false;
}

/* Moved with the vCPU by both; the system-call ones by SVM, and read on VMX. */
static const u32 moved[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};
static const u32 syscall[] = { MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK };

static bool own(bool amd, u32 msr, int what)
{
	return in(moved, ARRAY_SIZE(moved), msr) ||
	       ((amd || what == READ) && in(syscall, ARRAY_SIZE(syscall), msr));
}

static void guests(void **state __unused)
{
	u32 msr = 0;

	do {
		int amd, what;

		for (amd = 0; amd < 2; amd++)
			for (what = READ; what <= WRITE; what++)
				assert_int_equal(exits(amd, &guest, msr, what),
						 !own(amd, msr, what));
		msr = next(msr);
	} while (msr);
}

/* A VMM filters what the CPU has itself otherwise. */
static void guests_without_own(void **state __unused)
{
	u32 msr = 0;

	rig_v.rules.flags = BP_RULE_MSR_TRAP;
	do {
		int amd;

		for (amd = 0; amd < 2; amd++) {
			assert_true(exits(amd, &guest, msr, READ));
			assert_true(exits(amd, &guest, msr, WRITE));
		}
		msr = next(msr);
	} while (msr);
	rig_v.rules.flags = 0;
}

/* The x2APIC's MSRs that the CPU virtualises (SDM vol. 3, 31.5), by what it has of that. */
static bool x2apic_virtual(u32 apic, u32 reg, int what)
{
	bool regs = apic & PROC2_APIC_REGS, deliver = apic & PROC2_DELIVERY;

	switch (reg) {
	case 0x08:			/* TPR */
		return true;
	case 0x0a:			/* PPR: the CPU keeps it if it delivers */
		return what == READ && regs && deliver;
	case 0x0b: case 0x3f:		/* EOI, self-IPI: cannot be read */
		return what == WRITE && deliver;
	case 0x02: case 0x03: case 0x0d: case 0x0f: case 0x10 ... 0x28:
	case 0x32 ... 0x38: case 0x3e:
		return what == READ && regs;
	}
	return false;			/* ICR, the timer's count, and no registers */
}

static void guests_in_x2apic_mode(void **state __unused)
{
	static const u32 has[] = {
		0, PROC2_X2APIC, PROC2_X2APIC | PROC2_APIC_REGS,
		PROC2_X2APIC | PROC2_DELIVERY, PROC2_APICV,
	};
	u32 i, msr;
	int what;

	rig_v.dom = &guest;
	for (i = 0; i < ARRAY_SIZE(has); i++) {
		const u8 *map;

		vmx.ctl.apic = has[i];
		vmx_perm_init();
		map = (const u8 *)vmx_msr_bitmap(&rig_v, true);
		msr = 0;
		do {
			bool x2 = msr >= 0x800 && msr <= 0x8ff;

			for (what = READ; what <= WRITE; what++)
				assert_int_equal(vmx_exits(map, msr, what), x2 ?
						 !x2apic_virtual(has[i], msr & 0xff, what) :
						 !own(false, msr, what));
			msr = next(msr);
		} while (msr);
	}
}

static void service_writes(void **state __unused)
{
	u32 msr = 0;

	do {
		int amd;

		for (amd = 0; amd < 2; amd++)
			assert_int_equal(exits(amd, &service, msr, WRITE),
					 !own(amd, msr, WRITE));
		msr = next(msr);
	} while (msr);
}

static bool virtual(u32 msr)
{
	static const u32 set[] = {
		0x11, 0x12, MSR_APIC_BASE, MSR_FEATURE_CONTROL, MSR_TSC_ADJUST,
		MSR_DEBUGCTL, MSR_PAT, MSR_TSC_DEADLINE, MSR_XSS, MSR_EFER,
	};

	return in(set, ARRAY_SIZE(set), msr) || (msr >= 0x800 && msr <= 0x8ff);
}

static void service_reads(void **state __unused)
{
	u32 msr = 0;

	do {
		bool svm_own = msr >= MSR_AMD_VM_CR && msr <= MSR_AMD_SVM_KEY;
		bool vmx_own = (msr >= 0x480 && msr <= 0x49f) || msr >= 0xc0010000;

		assert_int_equal(exits(true, &service, msr, READ), virtual(msr) || svm_own);
		assert_int_equal(exits(false, &service, msr, READ), virtual(msr) || vmx_own);
		msr = next(msr);
	} while (msr);
}

static void speculation(void **state __unused)
{
	int amd;

	pass_ctrl = pass_pred = true;
	svm_perm_init();
	vmx_perm_init();
	for (amd = 0; amd < 2; amd++) {
		assert_false(exits(amd, &service, MSR_SPEC_CTRL, WRITE));
		assert_false(exits(amd, &service, MSR_PRED_CMD, WRITE));
		assert_true(exits(amd, &service, MSR_FLUSH_CMD, WRITE));
		assert_true(exits(amd, &guest, MSR_SPEC_CTRL, WRITE));
		assert_true(exits(amd, &guest, MSR_SPEC_CTRL, READ));
	}
}

static bool no_access(const struct exit_io *io __unused, u32 *val __unused)
{
	return false;
}

/* Of domain 0's ports those that Bedplate shares exit, of a guest's all (APM vol. 2, 15.10.1). */
static void ports(void **state __unused)
{
	const u8 *map, *half[2];
	u32 i;
	bool shared;

	dom0_ports_len = 0;
	dom0_ports_add(0xcf8, 0xcff, no_access);
	dom0_ports_add(0xb005, 0xb005, no_access);
	dom0_ports_add(0xffff, 0xffff, no_access);
	svm_perm_init();
	vmx_perm_init();
	rig_v.dom = &service;
	map = (const u8 *)svm_iopm(&rig_v);
	half[0] = (const u8 *)vmx_io_bitmap(0);
	half[1] = (const u8 *)vmx_io_bitmap(1);
	for (i = 0; i < 0x3000 * 8; i++) {
		shared = (i >= 0xcf8 && i <= 0xcff) || i == 0xb005 || i == 0xffff;
		assert_int_equal(bit(map, i), shared);
		if (i < 0x10000)
			assert_int_equal(bit(half[i / 0x8000], i % 0x8000), shared);
	}
	rig_v.dom = &guest;
	map = (const u8 *)svm_iopm(&rig_v);
	for (i = 0; i < 0x3000; i++)
		assert_int_equal(map[i], 0xff);
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(guests), T(guests_without_own), T(guests_in_x2apic_mode),
		T(service_writes), T(service_reads), T(speculation), T(ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
