// SPDX-License-Identifier: GPL-2.0-only
/* SVM: segment formats, consistency of special registers, MSRs in the VMCB. */
// SOURCES: hv/svm/sregs.c hv/svm/msr.c hv/svm/check.c hv/core/vcpu/sregs.c
#include "svm_rig.h"
#include "msr_rig.h"
#include "hv/core/lib/segment.h"
#include "hv/core/vcpu/sregs.h"

static int flushes;

void svm_flush(struct vcpu *v __unused)
{
	flushes++;
}

/* ---- segments ---- */

static void pack_bits(void **state __unused)
{
	struct kvm_segment k = {
		.base = 0xfedcba9876543210ull, .limit = 0xffffffff, .selector = 0xabcd,
		.type = 0xb, .present = 1, .dpl = 3, .s = 1, .l = 1, .g = 1,
	};
	struct vmcb_seg s;

	svm_seg_pack(&s, &k);
	assert_int_equal(s.attrib, 0xafb);
	assert_int_equal(s.base, k.base);
	assert_int_equal(s.limit, 0xffffffff);
	assert_int_equal(s.selector, 0xabcd);
	k = (struct kvm_segment){ .type = 2, .present = 1, .db = 1, .avl = 1 };
	svm_seg_pack(&s, &k);
	assert_int_equal(s.attrib, 0x582);
	/* Unusable is not present, whatever else is said. */
	k.unusable = 1;
	svm_seg_pack(&s, &k);
	assert_int_equal(s.attrib, 0x502);
	/* Bits that do not fit do not leak into their neighbours. */
	k = (struct kvm_segment){ .type = 0xff, .dpl = 0xff };
	svm_seg_pack(&s, &k);
	assert_int_equal(s.attrib, 0x06f);
}

static void there_and_back(void **state __unused)
{
	u32 a;

	for (a = 0; a < 0x1000; a++) {
		struct vmcb_seg s = {
			.selector = a, .attrib = a, .base = a * 0x10001ull,
			.limit = a & (AR_G >> 4) ? 0xfffff000 | a : a,
		}, t;
		struct kvm_segment k;

		svm_seg_unpack(&k, &s);
		assert_int_equal(k.unusable, !(a & AR_P));
		svm_seg_pack(&t, &k);
		assert_memory_equal(&s, &t, sizeof(s));
	}
}

static void g_follows_the_limit(void **state __unused)
{
	struct vmcb_seg s = { .attrib = 0x29b, .limit = 0xffffffff };
	struct kvm_segment k;

	svm_seg_unpack(&k, &s);
	assert_int_equal(k.g, 1);
	s.limit = 0xfffff;
	s.attrib |= (AR_G >> 4);
	svm_seg_unpack(&k, &s);
	assert_int_equal(k.g, 0);
}

/* ---- special registers ---- */

static struct kvm_sregs long_mode(void)
{
	struct kvm_sregs s = {
		.cr0 = 0x80000011, .cr3 = 0x1000, .cr4 = X86_CR4_PAE,
		.efer = EFER_LME | EFER_LMA,
	};

	s.cs = (struct kvm_segment){
		.type = 0xb, .present = 1, .s = 1, .l = 1, .limit = ~0u, .g = 1,
	};
	s.ss = (struct kvm_segment){
		.type = 3, .present = 1, .s = 1, .db = 1, .limit = ~0u, .g = 1, .dpl = 3,
	};
	return s;
}

/* After INIT: what VMRUN accepts, and what the architecture's tables say. */
static void after_init(void **state __unused)
{
	struct kvm_sregs s;

	sregs_init(&s);
	rig_vmcb.c.intercept2 = SVM_I2_VMRUN;
	rig_vmcb.c.asid = 1;
	assert_int_equal(svm_set_sregs(&rig_v, &s), 0);
	assert_null(svm_vmcb_fault(&svm, &rig_vmcb));
	assert_int_equal(rig_vmcb.s.cs.attrib, 0x09b);
	assert_int_equal(rig_vmcb.s.cs.base, 0xffff0000);
	assert_int_equal(rig_vmcb.s.ss.attrib, 0x093);
	assert_int_equal(rig_vmcb.s.ldtr.attrib, 0x082);
	assert_int_equal(rig_vmcb.s.tr.attrib, 0x08b);
	assert_int_equal(rig_vmcb.s.efer, EFER_SVME);
	assert_int_equal(rig_vmcb.s.cpl, 0);
}

static void set_and_get(void **state __unused)
{
	struct kvm_sregs s = long_mode(), t = { 0 };
	struct vcpu_paging p;

	s.cr2 = 0xdead;
	s.gdt.base = 0x5000;
	s.gdt.limit = 0x7f;
	s.tr = (struct kvm_segment){ .type = 9, .present = 1, .limit = 0x67 };
	s.apic_base = 0x1234;
	rig_vmcb.c.clean = SVM_CLEAN_ALL;
	flushes = 0;
	assert_int_equal(svm_set_sregs(&rig_v, &s), 0);
	assert_int_equal(flushes, 1);
	assert_int_equal(rig_vmcb.s.efer, EFER_LME | EFER_LMA | EFER_SVME);
	assert_int_equal(rig_vmcb.s.cpl, 3);
	assert_int_equal(rig_v.regs.cr2, 0xdead);
	assert_int_equal(rig_vmcb.c.clean & (SVM_CLEAN_CR | SVM_CLEAN_SEG | SVM_CLEAN_DT), 0);

	t.apic_base = 0x77;
	svm_get_sregs(&rig_v, &t);
	assert_int_equal(t.apic_base, 0x77);
	assert_int_equal(t.efer, s.efer);
	assert_int_equal(t.cr0, s.cr0);
	assert_int_equal(t.cr2, 0xdead);
	assert_int_equal(t.cr3, s.cr3);
	assert_int_equal(t.cr4, s.cr4);
	assert_memory_equal(&t.cs, &s.cs, sizeof(s.cs));
	assert_memory_equal(&t.ss, &s.ss, sizeof(s.ss));
	assert_int_equal(t.ds.unusable, 1);
	assert_int_equal(t.tr.type, 0xb);
	assert_int_equal(t.gdt.base, 0x5000);
	assert_int_equal(t.gdt.limit, 0x7f);

	svm_get_paging(&rig_v, &p);
	assert_int_equal(p.efer, s.efer);
	assert_true(p.cs_long && !p.cs_big);
	assert_int_equal(p.cpl, 3);
}

/* TCG's TSS is not busy, and has to stay so where another register is what changes. */
static void tss_as_it_came(void **state __unused)
{
	struct kvm_sregs s = long_mode();

	s.tr = (struct kvm_segment){ .type = 9, .present = 1, .limit = 0x67 };
	assert_int_equal(svm_set_sregs(&rig_v, &s), 0);
	svm_get_sregs(&rig_v, &s);
	assert_int_equal(s.tr.type, 0xb);
	s.cr4 ^= X86_CR4_PGE;
	assert_int_equal(svm_set_sregs(&rig_v, &s), 0);
	assert_int_equal(rig_vmcb.s.tr.attrib, 0x089);
	s.tr.limit = 0x167;
	assert_int_equal(svm_set_sregs(&rig_v, &s), 0);
	assert_int_equal(rig_vmcb.s.tr.attrib, 0x08b);
	assert_int_equal(rig_vmcb.s.tr.limit, 0x167);
}

static void refusal_changes_nothing(void **state __unused)
{
	struct kvm_sregs s = long_mode();
	struct vmcb before = rig_vmcb;

	s.cr4 = 0;
	assert_int_equal(svm_set_sregs(&rig_v, &s), -EINVAL);
	assert_memory_equal(&before, &rig_vmcb, sizeof(before));
}

/* ---- MSRs ---- */

static void values(void **state __unused)
{
	static const struct msr_value ours[] = {
		{ MSR_SYSENTER_ESP, 0x0000800000000000, 0xffff800000000000, 0 },
		{ MSR_DEBUGCTL, 1, 1, 0 },
		{ MSR_DEBUGCTL, 0x40, 0, -EINVAL },
		{ MSR_AMD_VM_HSAVE_PA, 0x1000, 0, -ENOENT },
	};

	expect_msrs(&rig_v, svm_set_msr, svm_get_msr, msr_values, ARRAY_SIZE(msr_values));
	expect_msrs(&rig_v, svm_set_msr, svm_get_msr, ours, ARRAY_SIZE(ours));
}

static void efer_rules(void **state __unused)
{
	u64 val;

	rig_vmcb.s.efer = EFER_SVME;
	/* LMA is the CPU's; SVME is never the guest's. */
	assert_int_equal(svm_set_msr(&rig_v, MSR_EFER, EFER_LME | EFER_LMA), 0);
	assert_int_equal(rig_vmcb.s.efer, EFER_LME | EFER_SVME);
	assert_int_equal(svm_get_msr(&rig_v, MSR_EFER, &val), 0);
	assert_int_equal(val, EFER_LME);
	assert_int_equal(svm_set_msr(&rig_v, MSR_EFER, EFER_LME | EFER_SVME), -EINVAL);
	assert_int_equal(svm_set_msr(&rig_v, MSR_EFER, BIT(1)), -EINVAL);

	rig_vmcb.s.cr0 = X86_CR0_PG | X86_CR0_PE;
	rig_vmcb.s.efer |= EFER_LMA;
	assert_int_equal(svm_set_msr(&rig_v, MSR_EFER, 0), -EINVAL);
	flushes = 0;
	assert_int_equal(svm_set_msr(&rig_v, MSR_EFER, EFER_LME | EFER_NX), 0);
	assert_int_equal(rig_vmcb.s.efer, EFER_LME | EFER_LMA | EFER_NX | EFER_SVME);
	assert_int_equal(flushes, 1);
}

#define T(f) cmocka_unit_test_setup(f, rig_setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pack_bits), T(there_and_back), T(g_follows_the_limit), T(after_init),
		T(set_and_get), T(tss_as_it_came), T(refusal_changes_nothing), T(values), T(efer_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
