// SPDX-License-Identifier: GPL-2.0-only
/* A guest hypervisor's VMCBs: what VMRUN refuses, state from and to them, and what Bedplate is told. */
// SOURCES: dom0-shim/nested/vmcb.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dom0-shim/nested/vmcb.h"

#define PHYS	40
#define PG	BIT_ULL(31)
#define PE	BIT_ULL(0)
#define PAE	BIT_ULL(5)
#define EXC(v)	(SVM_EVT_VALID | SVM_EVT_EXC << SVM_EVT_TYPE_SHIFT | (v))

static struct vmcb b;
static struct nest n;

/* Of a 64-bit L2. */
static int setup(void **state)
{
	(void)state;
	memset(&b, 0, sizeof(b));
	memset(&n, 0, sizeof(n));
	b.c.intercept2 = SVM_I2_VMRUN;
	b.c.asid = 1;
	b.s.efer = NEST_EFER_SVME | NEST_EFER_LME | NEST_EFER_LMA;
	b.s.cr0 = PG | PE;
	b.s.cr4 = PAE;
	b.s.cs.attrib = 0xa9b;
	b.s.dr6 = 0xffff0ff0;
	b.s.dr7 = 0x400;
	n.gif = true;
	n.guest = true;
	return 0;
}

#define REFUSED(change) do { \
	struct vmcb was = b; \
	assert_true(nest_vmcb_ok(&b, PHYS)); \
	change; \
	assert_false(nest_vmcb_ok(&b, PHYS)); \
	b = was; \
} while (0)

static void bad_vmcbs(void **state)
{
	(void)state;
	REFUSED(b.c.intercept2 = ~SVM_I2_VMRUN);
	REFUSED(b.c.asid = 0);
	REFUSED(b.c.nested_ctl = SVM_NP_ENABLE);
	REFUSED(b.c.msrpm = BIT_ULL(PHYS) - 0x1000);
	REFUSED(b.c.iopm = BIT_ULL(PHYS) - 0x2000);
	REFUSED(b.c.iopm = ~0ull);
	REFUSED(b.s.efer &= ~NEST_EFER_SVME);
	REFUSED(b.s.cr0 |= BIT_ULL(32));
	REFUSED(b.s.cr0 |= BIT_ULL(29));
	REFUSED(b.s.dr6 |= BIT_ULL(32));
	REFUSED(b.s.dr7 |= BIT_ULL(63));
	REFUSED(b.s.cr4 = 0);
	REFUSED(b.s.cr0 = PG);
	REFUSED(b.s.cs.attrib |= SVM_SEG_DB);
	REFUSED(b.c.event_inj = SVM_EVT_VALID | 1 << SVM_EVT_TYPE_SHIFT);
	REFUSED(b.c.event_inj = SVM_EVT_VALID | 7 << SVM_EVT_TYPE_SHIFT);
	REFUSED(b.c.event_inj = EXC(2));
	REFUSED(b.c.event_inj = EXC(32));
}

/* Odd, and allowed: bits that count for nothing, real mode with paging, CD and NW. */
static void odd_vmcbs(void **state)
{
	(void)state;
	b.c.msrpm = BIT_ULL(PHYS) - 0x2000 + 0xfff;
	b.c.event_inj = EXC(32) & ~SVM_EVT_VALID;
	b.s.cr0 |= BIT_ULL(29) | BIT_ULL(30);
	assert_true(nest_vmcb_ok(&b, PHYS));
	b.s.efer = NEST_EFER_SVME | NEST_EFER_LMA;
	b.s.cr0 = PG;
	b.s.cr4 = 0;
	assert_true(nest_vmcb_ok(&b, PHYS));
}

static void fill(void *to, size_t len)
{
	u8 *p = to;

	while (len--)
		*p++ = rand();
}

static void sane(struct vmcb_seg *s)
{
	s->attrib = (s->attrib & 0xfff) | 0x80;
}

/* What VMRUN loads, #VMEXIT stores. */
static void there_and_back(void **state)
{
	struct vmcb_save s, back;
	struct nest_state st;
	u32 i;

	(void)state;
	srand(1);
	for (i = 0; i < 1000; i++) {
		fill(&s, sizeof(s));
		memset(&st, 0, sizeof(st));
		memset(&back, 0, sizeof(back));
		sane(&s.es);
		sane(&s.cs);
		sane(&s.ss);
		sane(&s.ds);
		s.cpl = rand() & 3;
		s.ss.attrib = (s.ss.attrib & ~0x60) | s.cpl << 5;
		s.cr0 |= PG;
		s.efer |= NEST_EFER_LME | NEST_EFER_LMA;
		nest_load(&st, &s);
		nest_store(&back, &st);
		assert_memory_equal(&back.es, &s.es, 4 * sizeof(s.es));
		assert_int_equal(back.gdtr.base, s.gdtr.base);
		assert_int_equal(back.gdtr.limit, (u16)s.gdtr.limit);
		assert_int_equal(back.idtr.base, s.idtr.base);
		assert_int_equal(back.idtr.limit, (u16)s.idtr.limit);
		assert_int_equal(back.cpl, s.cpl);
		assert_int_equal(back.cr0, s.cr0);
		assert_int_equal(back.cr3, s.cr3);
		assert_int_equal(back.cr4, s.cr4);
		assert_int_equal(back.efer, s.efer);
		assert_int_equal(back.rax, s.rax);
		assert_int_equal(back.rsp, s.rsp);
		assert_int_equal(back.rip, s.rip);
		assert_int_equal(back.rflags, s.rflags | 2);
	}
}

/* EFER.LMA and CS.L are what they can be only. */
static void modes(void **state)
{
	struct nest_state st;

	(void)state;
	b.s.efer = NEST_EFER_SVME | NEST_EFER_LME;
	nest_load(&st, &b.s);
	assert_int_equal(st.sregs.efer, NEST_EFER_SVME | NEST_EFER_LME | NEST_EFER_LMA);
	assert_int_equal(st.sregs.cs.l, 1);
	b.s.efer = NEST_EFER_SVME | NEST_EFER_LMA;
	nest_load(&st, &b.s);
	assert_int_equal(st.sregs.efer, NEST_EFER_SVME);
	assert_int_equal(st.sregs.cs.l, 0);
	b.s.cpl = 3;
	nest_load(&st, &b.s);
	assert_int_equal(st.sregs.ss.dpl, 3);
	assert_int_equal(st.sregs.ss.unusable, 1);
}

static void moved(void **state)
{
	struct kvm_msr_entry msrs[NEST_MSRS];
	struct kvm_sregs s = { };
	struct vmcb_save back = { };

	(void)state;
	b.s.fs = (struct vmcb_seg){ 0x33, 0xcf3, 0xfffff, 0x0000800000000000 };
	b.s.tr = (struct vmcb_seg){ 0x40, 0x8b, 0x67, 0x1000 };
	b.s.lstar = 0x0000ffffffffffff;
	b.s.star = 0x0000ffffffffffff;
	b.s.sysenter_eip = 0x77;
	nest_vmload(&s, msrs, &b.s, 48);
	assert_int_equal(s.fs.base, 0xffff800000000000);
	assert_int_equal(s.fs.selector, 0x33);
	assert_int_equal(s.tr.type, 11);
	assert_int_equal(msrs[0].index, 0xc0000081);
	assert_int_equal(msrs[0].data, 0x0000ffffffffffff);
	assert_int_equal(msrs[1].index, 0xc0000082);
	assert_int_equal(msrs[1].data, ~0ull);
	assert_int_equal(msrs[7].index, 0x176);
	assert_int_equal(msrs[7].data, 0x77);
	nest_vmsave(&back, &s, msrs);
	assert_int_equal(back.tr.attrib, 0x8b);
	assert_int_equal(back.lstar, ~0ull);
	assert_int_equal(back.sysenter_eip, 0x77);
}

static void events(void **state)
{
	static const u64 words[] = {
		0, SVM_EVT_VALID | 0x40, SVM_EVT_VALID | SVM_EVT_NMI << 8 | 2, EXC(6),
		EXC(13) | SVM_EVT_ERROR | 0x12345678ull << 32, SVM_EVT_VALID | SVM_EVT_SOFT << 8 | 0x80,
	};
	struct kvm_vcpu_events ev;
	u32 i;

	(void)state;
	for (i = 0; i < 6; i++) {
		memset(&ev, 0xff, sizeof(ev));
		nest_event_set(&ev, words[i]);
		assert_int_equal(ev.exception.pending, 0);
		assert_int_equal(nest_event_get(&ev), words[i]);
	}
	memset(&ev, 0, sizeof(ev));
	ev.exception.pending = 1;		/* L1 may be told of it instead */
	assert_int_equal(nest_event_get(&ev), 0);
}

/* LOCK holds itself and SVMDIS, which EFER.SVME excludes whether it is locked or not. */
static void vm_cr(void **state)
{
	u64 cr = 0;

	(void)state;
	assert_false(nest_vm_cr_write(&cr, BIT_ULL(5), false));
	assert_false(nest_vm_cr_write(&cr, NEST_VM_CR_SVMDIS, true));
	assert_int_equal(cr, 0);
	assert_true(nest_vm_cr_write(&cr, 7, true));
	assert_int_equal(cr, 7);
	assert_true(nest_vm_cr_write(&cr, NEST_VM_CR_SVMDIS, false));
	assert_true(nest_vm_cr_write(&cr, 0, false));
	assert_int_equal(cr, 0);
	assert_true(nest_vm_cr_write(&cr, NEST_VM_CR_LOCK, false));
	assert_true(nest_vm_cr_write(&cr, NEST_VM_CR_SVMDIS | 1, false));
	assert_int_equal(cr, NEST_VM_CR_LOCK | 1);
	assert_false(nest_vm_cr_write(&cr, NEST_VM_CR_SVMDIS, true));
	cr |= NEST_VM_CR_SVMDIS;
	assert_true(nest_vm_cr_write(&cr, 2, false));
	assert_int_equal(cr, NEST_VM_CR_LOCK | NEST_VM_CR_SVMDIS | 2);
}

static u32 rules(u32 intercept1, u32 int_ctl, u64 rflags)
{
	struct bp_nested r;

	n.c.intercept1 = intercept1;
	n.c.int_ctl = int_ctl;
	n.l1.rflags = rflags;
	nest_rules(&r, &n);
	return r.flags & ~(BP_NESTED_ON | BP_NESTED_GUEST);
}

static void interrupts(void **state)
{
	u32 own = SVM_V_INTR_MASKING;

	(void)state;
	assert_int_equal(rules(0, 0, 0), 0);
	assert_int_equal(rules(SVM_I1_INTR, 0, 0), BP_NESTED_INTR | BP_NESTED_NO_IRQ);
	assert_int_equal(rules(SVM_I1_INTR, own, NEST_RFLAGS_IF),
			 BP_NESTED_TPR | BP_NESTED_INTR | BP_NESTED_ANY_IF | BP_NESTED_NO_IRQ);
	assert_int_equal(rules(SVM_I1_INTR, own, 0), BP_NESTED_TPR | BP_NESTED_NO_IRQ);
	assert_int_equal(rules(0, own, 0), BP_NESTED_TPR | BP_NESTED_NO_IRQ);
	assert_int_equal(rules(0, own, NEST_RFLAGS_IF), BP_NESTED_TPR);
	assert_int_equal(rules(SVM_I1_NMI | SVM_I1_SMI, 0, 0), BP_NESTED_NMI | BP_NESTED_SMI);
	n.gif = false;
	assert_int_equal(rules(0, 0, 0), BP_NESTED_HOLD);
}

static void disabled(void **state)
{
	struct bp_nested r;

	(void)state;
	n.guest = false;
	n.vm_cr = NEST_VM_CR_LOCK;
	nest_rules(&r, &n);
	assert_int_equal(r.flags, BP_NESTED_ON);
	n.vm_cr |= NEST_VM_CR_SVMDIS;
	nest_rules(&r, &n);
	assert_int_equal(r.flags, 0);
}

static void words(void **state)
{
	struct bp_nested r;

	(void)state;
	n.c = (struct vmcb_control){
		.intercept_cr = 1, .intercept_dr = 2, .intercept_exc = BIT(14), .intercept1 = 4,
		.intercept2 = 8, .intercept3 = SVM_I3_INVPCID, .tsc_offset = 99,
		.int_ctl = SVM_V_INTR_MASKING | SVM_V_IRQ | 3 << 16 | 5,
	};
	nest_rules(&r, &n);
	assert_int_equal(r.intercept[0], 1);
	assert_int_equal(r.intercept[1], 2);
	assert_int_equal(r.intercept[2], BIT(14));
	assert_int_equal(r.intercept[3], 4);
	assert_int_equal(r.intercept[4], 8);
	assert_int_equal(r.intercept[5], SVM_I3_INVPCID);
	assert_int_equal(r.exceptions, BIT(14));
	assert_int_equal(r.tsc_offset, 99);
	assert_int_equal(r.tpr, 5);
	assert_int_equal(r.virq, 3);
	assert_true(nest_wants(&n.c, 0));
	assert_true(nest_wants(&n.c, SVM_EXIT_EXC(14)));
	assert_true(nest_wants(&n.c, SVM_EXIT_SMI));
	assert_true(nest_wants(&n.c, SVM_EXIT_VMSAVE));
	assert_false(nest_wants(&n.c, SVM_EXIT_CPUID));
	assert_true(nest_wants(&n.c, SVM_EXIT_INVPCID));
	assert_false(nest_wants(&n.c, SVM_EXIT_INVPCID - 1));
	assert_false(nest_wants(&n.c, 6 * 32));
	assert_false(nest_wants(&n.c, ~0ull));

	/* Of a double fault Bedplate has to see both parts; L1 hears of the whole alone. */
	n.c.intercept_exc = BIT(8);
	n.c.int_ctl |= SVM_V_IGN_TPR;
	nest_rules(&r, &n);
	assert_int_equal(r.intercept[2], BIT(8) | 0x7c01);
	assert_int_equal(r.exceptions, BIT(8));
	assert_int_equal(r.virq, 16);

	n.guest = false;
	nest_rules(&r, &n);
	assert_int_equal(r.flags, BP_NESTED_ON);
	assert_int_equal(r.intercept[2] | r.exceptions | r.virq | r.tsc_offset, 0);
}

static void ends(void **state)
{
	struct nest_state l2 = { .dr6 = 6, .dr7 = 7, .sregs.cr2 = 22, .regs.rip = 0x99 };
	struct nest_exit why = {
		.code = SVM_EXIT_INTR, .info = { 1, 2 }, .event = EXC(13), .tpr = 9, .shadow = true,
	};
	struct nest_state l1 = l2;

	(void)state;
	n.c.int_ctl = SVM_V_INTR_MASKING | SVM_V_IRQ | 3;
	b.c.event_inj = EXC(1);
	b.c.tsc_offset = 44;
	nest_end(&b, &n, &l2, &why);
	assert_int_equal(b.c.exit_code, SVM_EXIT_INTR);
	assert_int_equal(b.c.info1, 1);
	assert_int_equal(b.c.info2, 2);
	assert_int_equal(b.c.exit_int_info, EXC(13));
	assert_int_equal(b.c.event_inj, 0);
	assert_int_equal(b.c.int_ctl, SVM_V_INTR_MASKING | SVM_V_IRQ | 9);
	assert_int_equal(b.c.int_state, SVM_INT_SHADOW);
	assert_int_equal(b.c.tsc_offset, 44);
	assert_int_equal(b.s.cr2, 22);
	assert_int_equal(b.s.dr7, 7);
	assert_int_equal(b.s.rip, 0x99);

	n.l1.cpl = 3;
	n.l1.cr0 = PG;
	n.l1.rip = 0x55;
	nest_resume(&l1, &n.l1);
	assert_int_equal(l1.regs.rip, 0x55);
	assert_int_equal(l1.sregs.cr0, PG | PE);
	assert_int_equal(l1.sregs.ss.dpl, 0);
	assert_int_equal(l1.dr6, 6);
	assert_int_equal(l1.dr7, 0x400);

	nest_refuse(&b);
	assert_int_equal(b.c.exit_code, ~0ull);
}

static void debug(void **state)
{
	struct nest_state s = { .dr6 = 0xffff0ff3, .dr7 = 0x2401 };

	(void)state;
	nest_debug(&s, 0);
	assert_int_equal(s.dr6, 0xffff0ff3);
	assert_int_equal(s.dr7, 0x401);
	nest_debug(&s, 0x14004);
	assert_int_equal(s.dr6, 0xffff4ff4);
}

/* Of @from to @to, as it goes to L1's. */
static void write_parts(struct vmcb *to, const struct vmcb *from, const struct nest_part *p)
{
	for (; p->len; p++)
		memcpy((u8 *)to + p->at, (const u8 *)from + p->at, p->len);
}

/* All that changes is written, and nothing else: other CPUs may write there. */
static void written(void **state)
{
	struct kvm_msr_entry msrs[NEST_MSRS];
	static struct vmcb whole, parts, zero;
	static struct nest_state st;
	struct nest_exit why;
	u32 i;

	(void)state;
	srand(2);
	for (i = 0; i < 100; i++) {
		fill(&b, sizeof(b));
		fill(&st, sizeof(st));
		fill(&n, sizeof(n));
		fill(&why, sizeof(why));
		fill(msrs, sizeof(msrs));
		why.shadow = n.gif = n.guest = true;
		whole = parts = b;
		nest_end(&whole, &n, &st, &why);
		write_parts(&parts, &whole, nest_end_parts);
		assert_memory_equal(&parts, &whole, sizeof(whole));
		whole = parts = b;
		nest_vmsave(&whole.s, &st.sregs, msrs);
		write_parts(&parts, &whole, nest_vmsave_parts);
		assert_memory_equal(&parts, &whole, sizeof(whole));
		whole = parts = b;
		nest_refuse(&whole);
		write_parts(&parts, &whole, nest_refuse_parts);
		assert_memory_equal(&parts, &whole, sizeof(whole));
	}
	memset(&whole, 0xff, sizeof(whole));
	write_parts(&zero, &whole, nest_end_parts);
	write_parts(&zero, &whole, nest_vmsave_parts);
	write_parts(&zero, &whole, nest_refuse_parts);
	for (i = 0; i < 0x60; i++)
		assert_int_equal(((u8 *)&zero)[i], 0);
	assert_int_equal(zero.c.int_vector | zero.c.nested_ctl | zero.c.n_cr3 | zero.c.clean, 0);
	assert_int_equal(zero.s.gdtr.selector | zero.s.idtr.attrib | zero.s.g_pat | zero.s.dbgctl, 0);
}

/* APM vol. 2, 15.11 and 15.10.1. */
static void maps(void **state)
{
	u32 at = 0;

	(void)state;
	assert_int_equal(nest_msr_bit(0, false, &at), 1);
	assert_int_equal(at, 0);
	assert_int_equal(nest_msr_bit(0x1fff, true, &at), 0x80);
	assert_int_equal(at, 0x7ff);
	assert_int_equal(nest_msr_bit(0xc0000080, true, &at), 2);
	assert_int_equal(at, 0x820);
	assert_int_equal(nest_msr_bit(0xc0011fff, false, &at), 0x40);
	assert_int_equal(at, 0x17ff);
	assert_int_equal(nest_msr_bit(0x2000, false, &at), 0);
	assert_int_equal(nest_msr_bit(0xc0002000, true, &at), 0);
	assert_int_equal(nest_msr_bit(0xffffffff, true, &at), 0);

	assert_int_equal(nest_io_bits(0x3f8ull << 16 | 1 << 4, &at), 1);
	assert_int_equal(at, 0x7f);
	assert_int_equal(nest_io_bits(0xffffull << 16 | 4 << 4, &at), 0x780);
	assert_int_equal(at, 0x1fff);
	assert_int_equal(nest_io_bits(0x86ull << 16 | 2 << 4, &at), 0xc0);
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bad_vmcbs), T(odd_vmcbs), T(there_and_back), T(modes), T(moved), T(events),
		T(vm_cr), T(interrupts), T(disabled), T(words), T(ends), T(debug), T(written), T(maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
