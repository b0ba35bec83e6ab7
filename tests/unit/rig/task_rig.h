/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest with two tasks in memory of the test's own, for the unit tests of task switches. */
#ifndef TESTS_UNIT_TASK_RIG_H
#define TESTS_UNIT_TASK_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dom0-shim/emul/emul.h"
#include "dom0-shim/emul/tss.h"

#define PAGE_SIZE	4096u
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __unused	__attribute__((unused))

#define X86_EFLAGS_NT	(1u << 14)
#define X86_CR0_PE	(1ull << 0)
#define X86_CR0_TS	(1ull << 3)
#define X86_CR0_ET	(1ull << 4)
#define X86_CR0_WP	(1ull << 16)
#define X86_CR0_PG	(1ull << 31)
#define X86_CR4_PAE	(1ull << 5)
#define X86_CR4_SMAP	(1ull << 21)
#define X86_TRAP_DB	1
#define X86_TRAP_TS	10
#define X86_TRAP_NP	11
#define X86_TRAP_SS	12
#define X86_TRAP_GP	13
#define X86_TRAP_PF	14
#define PF_ERR_P	1u
#define PF_ERR_W	2u
#define PF_ERR_U	4u
#define GPTE_A		0x20u

#define RSP		EMUL_RSP
#define RBP		EMUL_RBP
#define RDI		EMUL_RDI
#define TASK_CALL	EMUL_TASK_CALL
#define TASK_IRET	EMUL_TASK_IRET
#define TASK_JMP	EMUL_TASK_JMP
#define TASK_GATE	EMUL_TASK_GATE
#define EVENT_NONE	EMUL_TASK_NO_EVENT
#define EVENT_INTR	EMUL_TASK_INTERRUPT
#define EVENT_NMI	EMUL_TASK_NMI
#define EVENT_EXC	EMUL_TASK_EXCEPTION

/* Guest-physical memory */
#define MEM		0x20000u
#define PAGES		(MEM / PAGE_SIZE)
#define GDT		0x1000
#define LDT		0x1800
#define OLD_TSS		0x2fc0		/* the part that is saved is in two pages */
#define NEW_TSS		0x4fe0		/* in two pages */
#define STACK		0x6ffe		/* a dword below it is in one, a word as well */
#define DIR		0x8000
#define TABLE		0x9000
#define DIR2		0xa000
#define TABLE2		0xb000
#define PAE_TOP		0xc020
#define PAE_DIR		0xd000
#define PAE_TABLE	0xe000

#define SEL_CODE	0x08
#define SEL_DATA	0x10
#define SEL_OLD		0x18
#define SEL_NEW		0x20
#define SEL_CODE3	0x28
#define SEL_DATA3	0x30
#define SEL_CONFORMING	0x38
#define SEL_LDT		0x40
#define SEL_ABSENT	0x48		/* data */
#define SEL_ABSENT_CODE	0x50
#define SEL_ABSENT_LDT	0x58
#define SEL_CODE_ONLY	0x60		/* not readable */
#define SEL_READ_ONLY	0x68
#define SEL_SMALL_CODE	0x70		/* limit 0xfff */
#define SEL_SMALL_STACK	0x78
#define SEL_DOWN	0x80		/* expands down, limit 0xffff */
#define SEL_STACK16	0x88
#define SEL_FRESH	0x90		/* data that was never accessed */
#define GDT_LIMIT	0x97

/* The vCPU, as its thread has it. */
struct regs {
	u64 gpr[16], rip, rflags, cr2;
};

static struct {
	struct regs regs;
	struct {
		struct {
			u16 selector;
			u8 source;
		} task;
		u8 insn_len;
	} exit;
	struct {
		u8 type, vector;
		bool has_error;
		u32 error;
	} inject;
	u64 dr6, dr7;
} v;

static u8 mem[MEM];
static enum { NOTHING, READ_ONLY, THERE } page[PAGES];
static struct kvm_sregs sregs, set;
static bool was_set;
/* What is missing comes with ->later, once the switch was given up for it. */
static bool later, was_wanted, wanted_write;
static u64 wanted;
static int gone_in;			/* that write finds its page gone, once; 1: the next */
static const u64 *pdptes;		/* the CPU's own, or NULL */
static u8 shadow, masked, nmi_pending;
static u32 events_set;			/* KVM_VCPUEVENT_VALID_* */

static struct {
	bool any, has_error;
	u8 vector, during;		/* type of the event in v.inject */
	u32 error;
} exc;

/* ---- guest memory ---- */

static int at(u64 gpa, u32 len, bool write, u8 **p)
{
	assert_true(len <= PAGE_SIZE - gpa % PAGE_SIZE);
	if (write && len && gone_in && !--gone_in) {
		was_wanted = true;
		return -EINTR;
	}
	if (gpa < MEM && page[gpa / PAGE_SIZE] >= (write ? THERE : READ_ONLY)) {
		*p = mem + gpa;
		return 0;
	}
	if (!later || gpa >= MEM)
		return -EFAULT;
	assert_false(was_wanted);
	was_wanted = true;
	wanted = gpa;
	wanted_write = write;
	return -EINTR;
}

static int read_gpa(struct emul_ctx *ctx __unused, u64 gpa, void *buf, u32 len)
{
	u8 *p;
	int r = at(gpa, len, false, &p);

	if (!r)
		memcpy(buf, p, len);
	return r;
}

static int write_gpa(struct emul_ctx *ctx __unused, u64 gpa, const void *buf, u32 len)
{
	u8 *p;
	int r = at(gpa, len, true, &p);

	if (!r)
		memcpy(p, buf, len);
	return r;
}

static int cmpxchg_gpa(struct emul_ctx *ctx __unused, u64 gpa, const void *old, const void *val,
		       u32 len)
{
	u8 *p;
	int r = at(gpa, len, true, &p);

	if (r)
		return r;
	if (memcmp(p, old, len))
		return 1;
	memcpy(p, val, len);
	return 0;
}

static const struct emul_ops test_ops = {
	.read_gpa = read_gpa,
	.write_gpa = write_gpa,
	.cmpxchg_gpa = cmpxchg_gpa,
};

/* ---- the thread's part of a switch ---- */

static struct emul_ctx ctx;

static void load(struct emul_task *t)
{
	struct kvm_regs none = { 0 };

	memset(&ctx, 0, sizeof(ctx));
	ctx.ops = &test_ops;
	ctx.phys_bits = 40;
	emul_load_regs(&ctx, &none);
	memcpy(ctx.gpr, v.regs.gpr, sizeof(ctx.gpr));
	ctx.rip = v.regs.rip;
	ctx.rflags = v.regs.rflags;
	emul_load_sregs(&ctx, &sregs);
	if (pdptes) {
		ctx.pdptes_known = true;
		memcpy(ctx.pdpte, pdptes, sizeof(ctx.pdpte));
	}
	*t = (struct emul_task){
		.selector = v.exit.task.selector, .source = v.exit.task.source,
		.event = v.inject.type, .insn_len = v.exit.insn_len,
		.sregs = sregs, .dr6 = v.dr6, .dr7 = v.dr7,
	};
	t->events.flags = KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_NMI_PENDING;
	t->events.interrupt.injected = v.inject.type == EVENT_INTR;
	t->events.interrupt.shadow = shadow;
	t->events.nmi.injected = v.inject.type == EVENT_NMI;
	t->events.nmi.masked = masked;
	t->events.exception.injected = v.inject.type == EVENT_EXC;
	t->events.exception.nr = v.inject.vector;
	t->events.exception.has_error_code = v.inject.has_error;
	t->events.exception.error_code = v.inject.error;
}

static void raised(void)
{
	assert_false(exc.any);
	exc.any = true;
	exc.vector = ctx.fault.vector;
	exc.has_error = ctx.fault.has_error;
	exc.error = ctx.fault.error_code;
	exc.during = v.inject.type;
	if (ctx.fault.vector == X86_TRAP_PF)
		v.regs.cr2 = ctx.fault.cr2;
}

static void made(const struct emul_task *t)
{
	memcpy(v.regs.gpr, ctx.gpr, sizeof(ctx.gpr));
	v.regs.rip = ctx.rip;
	v.regs.rflags = ctx.rflags;
	v.dr6 = t->dr6;
	v.dr7 = t->dr7;
	set = t->sregs;
	was_set = true;
	shadow = t->events.interrupt.shadow;
	if (!t->events.interrupt.injected && !t->events.nmi.injected &&
	    !t->events.exception.injected)
		v.inject.type = EVENT_NONE;
}

/* False: the emulator cannot. */
static bool task_switch(void)
{
	struct emul_task t;
	int r;

	load(&t);
	r = emul_task_switch(&ctx, &t);
	assert_int_equal(was_wanted, r == -EINTR);
	if (r == EMUL_UNHANDLED || r == -EINTR)
		return r == -EINTR;
	masked = t.events.nmi.masked;
	nmi_pending = t.events.nmi.pending;
	events_set = t.events.flags;
	if (r == EMUL_DONE) {
		made(&t);
		if (t.raise)
			raised();
		return true;
	}
	assert_int_equal(r, EMUL_FAULT);
	if (v.inject.type == EVENT_NMI && !t.events.nmi.injected)
		v.inject.type = EVENT_NONE;
	raised();
	return true;
}

/* ---- the guest ---- */

static inline void descriptor(u32 sel, u32 base, u32 limit, u32 ar)
{
	u32 d[2] = {
		(limit & 0xffff) | base << 16,
		(base >> 16 & 0xff) | (ar & 0xf0ff) << 8 | (limit & 0xf0000) | (base & 0xff000000),
	};

	memcpy(mem + GDT + sel, d, sizeof(d));
}

static inline u8 *access_byte(u32 sel)
{
	return mem + GDT + sel + 5;
}

static inline bool busy(u32 sel)
{
	return *access_byte(sel) & 2;
}

static inline struct tss32 *old32(void)
{
	return (struct tss32 *)(mem + OLD_TSS);
}

static inline struct tss32 *new32(void)
{
	return (struct tss32 *)(mem + NEW_TSS);
}

static void fill_gdt(void)
{
	descriptor(SEL_CODE, 0, 0xfffff, 0xc09b);
	descriptor(SEL_DATA, 0, 0xfffff, 0xc093);
	descriptor(SEL_OLD, OLD_TSS, 0x67, 0x8b);
	descriptor(SEL_NEW, NEW_TSS, 0x67, 0x89);
	descriptor(SEL_CODE3, 0, 0xfffff, 0xc0fb);
	descriptor(SEL_DATA3, 0, 0xfffff, 0xc0f3);
	descriptor(SEL_CONFORMING, 0, 0xfffff, 0xc09f);
	descriptor(SEL_LDT, LDT, 0xf, 0x82);
	descriptor(SEL_ABSENT, 0, 0xfffff, 0xc013);
	descriptor(SEL_ABSENT_CODE, 0, 0xfffff, 0xc01b);
	descriptor(SEL_ABSENT_LDT, LDT, 0xf, 0x02);
	descriptor(SEL_CODE_ONLY, 0, 0xfffff, 0xc099);
	descriptor(SEL_READ_ONLY, 0, 0xfffff, 0xc091);
	descriptor(SEL_SMALL_CODE, 0, 0xfff, 0x409b);
	descriptor(SEL_SMALL_STACK, 0, STACK - 2, 0x4093);
	descriptor(SEL_DOWN, 0, 0xffff, 0x4097);
	descriptor(SEL_STACK16, 0, 0xffff, 0x0093);
	descriptor(SEL_FRESH, 0x12345678, 0x9a, 0x4092);
	memcpy(mem + LDT + 8, mem + GDT + SEL_DATA, 8);
}

static struct kvm_segment flat(u16 sel, u8 type)
{
	return (struct kvm_segment){
		.selector = sel, .limit = 0xffffffff, .type = type, .s = 1, .present = 1,
		.db = 1, .g = 1,
	};
}

static void fill_new_tss(void)
{
	static const u16 segs[] = { SEL_DATA, SEL_CODE, SEL_DATA, SEL_DATA, 0, SEL_DATA };
	struct tss32 *t = new32();
	u32 i;

	t->link = 0xdead;
	t->eip = 0x4321;
	t->eflags = 0x402;
	for (i = 0; i < 8; i++)
		t->gpr[i] = 0xf0000000 | i;
	t->gpr[RSP] = STACK;
	for (i = 0; i < 6; i++)
		t->seg[i].sel = segs[i];
}

static int setup(void **state __unused)
{
	u32 i;

	memset(mem, 0, sizeof(mem));
	memset(&exc, 0, sizeof(exc));
	memset(&v, 0, sizeof(v));
	memset(&sregs, 0, sizeof(sregs));
	for (i = 0; i < PAGES; i++)
		page[i] = THERE;
	was_set = later = was_wanted = false;
	pdptes = NULL;
	shadow = masked = nmi_pending = 0;
	fill_gdt();
	fill_new_tss();
	memset(old32(), 0xee, sizeof(struct tss32));
	sregs.cs = flat(SEL_CODE, 11);
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = flat(SEL_DATA, 3);
	sregs.fs.selector = 0x13;
	sregs.tr = (struct kvm_segment){
		.selector = SEL_OLD, .base = OLD_TSS, .limit = 0x67, .type = 11, .present = 1,
	};
	sregs.ldt.unusable = 1;
	sregs.gdt = (struct kvm_dtable){ .base = GDT, .limit = GDT_LIMIT };
	sregs.cr0 = X86_CR0_PE | X86_CR0_ET;
	sregs.cr3 = DIR;
	for (i = 0; i < 16; i++)
		v.regs.gpr[i] = 0x11110000 * (i & 7) + i;
	v.regs.rip = 0x1000;
	v.regs.rflags = 0x202;
	v.regs.cr2 = 0xc2;
	sregs.cr2 = 0xc2;
	v.dr7 = 0x7ff;
	v.dr6 = 0xffff0ff0;
	v.exit.task.selector = SEL_NEW;
	v.exit.task.source = TASK_JMP;
	v.exit.insn_len = 7;
	return 0;
}

static inline void by(u8 source)
{
	v.exit.task.source = source;
	if (source == TASK_IRET) {
		v.regs.rflags |= X86_EFLAGS_NT;
		*access_byte(SEL_NEW) |= 2;
	}
}

static inline void event(u8 type, u8 vector, bool has_error, u32 error)
{
	by(TASK_GATE);
	v.exit.insn_len = 0;
	v.inject.type = type;
	v.inject.vector = vector;
	v.inject.has_error = has_error;
	v.inject.error = error;
}

/* Guest memory is not as it was: the switch has been made. */
static inline void expect_switched(void)
{
	u32 i;

	assert_true(task_switch());
	assert_false(was_wanted);
	assert_true(was_set);
	assert_int_equal(set.tr.selector, v.exit.task.selector);
	assert_int_equal(set.cr0, sregs.cr0 | X86_CR0_TS);
	assert_int_equal(v.regs.rip, 0x4321);
	assert_int_equal(v.dr7, 0x7ff & ~0x155);
	assert_int_equal(shadow, 0);
	for (i = 8; i < 16; i++)
		assert_int_equal(v.regs.gpr[i], 0x11110000 * (i & 7) + i);
}

static inline void expect_new32(void)
{
	u32 i;

	expect_switched();
	assert_int_equal(set.tr.base, NEW_TSS);
	assert_int_equal(set.tr.limit, 0x67);
	assert_int_equal(set.tr.type, 11);
	for (i = 0; i < 8; i++)
		if (i != RSP)
			assert_int_equal(v.regs.gpr[i], 0xf0000000 | i);
	assert_true(busy(SEL_NEW));
}

static inline void expect_old32(u32 eip, u32 eflags)
{
	const struct tss32 *t = old32();
	u32 i;

	assert_int_equal(t->eip, eip);
	assert_int_equal(t->eflags, eflags);
	for (i = 0; i < 8; i++)
		assert_int_equal(t->gpr[i], (u32)(0x11110000 * i + i));
	assert_int_equal(t->seg[0].sel, SEL_DATA);
	assert_int_equal(t->seg[1].sel, SEL_CODE);
	assert_int_equal(t->seg[4].sel, 0x13);
	/* Nothing else is written. */
	assert_int_equal(t->seg[4].pad, 0xeeee);
	assert_int_equal(t->cr3, 0xeeeeeeee);
	assert_int_equal(t->ldt, 0xeeee);
	assert_int_equal(t->link, 0xeeee);
}

static inline void expect_fault(u8 vector, u32 error)
{
	assert_true(exc.any);
	assert_int_equal(exc.vector, vector);
	assert_true(exc.has_error);
	assert_int_equal(exc.error, error);
}

static inline void expect_late(u8 vector, u32 error)
{
	exc.any = false;
	was_set = false;
	expect_new32();
	expect_fault(vector, error);
}

/* A test of its own state. */
#define T(f) cmocka_unit_test_setup(f, setup)

#endif
