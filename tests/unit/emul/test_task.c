// SPDX-License-Identifier: GPL-2.0-only
/* Hardware task switches: each source, both sizes of TSS, what goes with them. */
// SOURCES: dom0-shim/emul/*.c
#include "task_rig.h"

/* ---- sources ---- */

static void jmp(void **state __unused)
{
	shadow = KVM_X86_SHADOW_INT_STI;
	masked = 1;
	expect_new32();
	expect_old32(0x1007, 0x202);
	assert_false(busy(SEL_OLD));
	assert_int_equal(new32()->link, 0xdead);
	assert_int_equal(v.regs.rflags, 0x402);
	assert_int_equal(v.regs.gpr[RSP], STACK);
	assert_int_equal(set.cs.selector, SEL_CODE);
	assert_int_equal(set.cs.limit, 0xffffffff);
	assert_int_equal(set.cs.db, 1);
	assert_int_equal(set.fs.unusable, 1);
	assert_int_equal(set.gs.unusable, 0);
	assert_int_equal(set.ldt.unusable, 1);
	assert_int_equal(set.cr3, DIR);
	assert_int_equal(set.cr2, 0xc2);
	assert_int_equal(masked, 1);
	assert_false(exc.any);
}

static void call(void **state __unused)
{
	by(TASK_CALL);
	expect_new32();
	expect_old32(0x1007, 0x202);
	assert_true(busy(SEL_OLD));
	assert_int_equal(new32()->link, SEL_OLD);
	assert_int_equal(v.regs.rflags, 0x402 | X86_EFLAGS_NT);
}

static void iret(void **state __unused)
{
	by(TASK_IRET);
	masked = 1;
	expect_new32();
	expect_old32(0x1007, 0x202);
	assert_false(busy(SEL_OLD));
	assert_int_equal(new32()->link, 0xdead);
	assert_int_equal(v.regs.rflags, 0x402);
	assert_int_equal(masked, 0);
}

static void soft_interrupt(void **state __unused)
{
	by(TASK_GATE);
	expect_new32();
	expect_old32(0x1007, 0x202);
	assert_int_equal(new32()->link, SEL_OLD);
	assert_int_equal(v.regs.gpr[RSP], STACK);
}

static void interrupt(void **state __unused)
{
	event(EVENT_INTR, 0x41, false, 0);
	expect_new32();
	expect_old32(0x1000, 0x202);
	assert_int_equal(v.inject.type, EVENT_NONE);
	assert_int_equal(masked, 0);
	assert_true(v.regs.rflags & X86_EFLAGS_NT);
	/* An NMI that comes meanwhile is not set back. */
	assert_int_equal(events_set, KVM_VCPUEVENT_VALID_SHADOW);
}

static void nmi(void **state __unused)
{
	event(EVENT_NMI, 2, false, 0);
	expect_new32();
	assert_int_equal(masked, 1);
	assert_int_equal(v.inject.type, EVENT_NONE);
}

static void exception(void **state __unused)
{
	u32 pushed;

	event(EVENT_EXC, 13, true, 0x5678abcd);
	expect_new32();
	expect_old32(0x1000, 0x202);
	assert_int_equal(v.regs.gpr[RSP], STACK - 4);
	memcpy(&pushed, mem + STACK - 4, 4);
	assert_int_equal(pushed, 0x5678abcd);
	assert_int_equal(v.inject.type, EVENT_NONE);
	assert_false(exc.any);
	setup(NULL);
	event(EVENT_EXC, 6, false, 0);
	expect_new32();
	assert_int_equal(v.regs.gpr[RSP], STACK);
}

/* ---- 16 bits ---- */

static void to_small(void)
{
	struct tss16 *t = (struct tss16 *)(mem + NEW_TSS);
	u32 i;

	memset(new32(), 0, sizeof(struct tss32));
	descriptor(SEL_NEW, NEW_TSS, 0x2b, 0x81);
	t->ip = 0x4321;
	t->flags = 2;
	for (i = 0; i < 8; i++)
		t->gpr[i] = 0xf000 | i;
	t->gpr[RSP] = STACK;
	t->seg[0] = t->seg[2] = t->seg[3] = SEL_DATA;
	t->seg[1] = SEL_CODE;
}

static void small(void **state __unused)
{
	struct tss16 *t = (struct tss16 *)(mem + OLD_TSS);

	to_small();
	sregs.tr.type = 3;
	sregs.tr.limit = 0x2b;
	expect_switched();
	assert_int_equal(set.tr.type, 3);
	assert_int_equal(set.fs.unusable, 1);
	assert_int_equal(set.gs.unusable, 1);
	assert_int_equal(v.regs.gpr[RBP], 0xf005);
	assert_int_equal(t->ip, 0x1007);
	assert_int_equal(t->flags, 0x202);
	assert_int_equal(t->gpr[RDI], 7);
	assert_int_equal(t->seg[1], SEL_CODE);
	assert_int_equal(t->ldt, 0xeeee);
	assert_int_equal(t->link, 0xeeee);
	assert_int_equal(*access_byte(SEL_NEW), 0x83);
}

static void small_exception(void **state __unused)
{
	u16 pushed[2];

	to_small();
	event(EVENT_EXC, 13, true, 0xabcd);
	expect_switched();
	assert_int_equal(v.regs.gpr[RSP], STACK - 2);
	memcpy(pushed, mem + STACK - 4, 4);
	assert_int_equal(pushed[0], 0);
	assert_int_equal(pushed[1], 0xabcd);
}

/* ---- what else comes with it ---- */

static void accessed(void **state __unused)
{
	new32()->seg[3].sel = SEL_FRESH;
	expect_new32();
	assert_int_equal(*access_byte(SEL_FRESH), 0x93);
	assert_int_equal(set.ds.type, 3);
	assert_int_equal(set.ds.base, 0x12345678);
	assert_int_equal(set.ds.limit, 0x9a);
	assert_int_equal(set.ds.g, 0);
}

static void trap_flag(void **state __unused)
{
	event(EVENT_INTR, 0x41, false, 0);
	new32()->flags = TSS32_TRAP;
	expect_new32();
	assert_true(exc.any);
	assert_int_equal(exc.vector, X86_TRAP_DB);
	assert_false(exc.has_error);
	assert_int_equal(exc.during, EVENT_NONE);
	assert_int_equal(v.dr6, 0xffff8ff0);
	/* The fault of a segment comes instead. */
	setup(NULL);
	new32()->flags = TSS32_TRAP;
	new32()->seg[3].sel = SEL_ABSENT;
	expect_late(X86_TRAP_NP, SEL_ABSENT);
	assert_int_equal(v.dr6, 0xffff0ff0);
}

static void v8086(void **state __unused)
{
	new32()->eflags = 0xffffffff & ~X86_EFLAGS_NT;
	new32()->seg[1].sel = 0xf000;
	new32()->seg[2].sel = 0;
	new32()->seg[4].sel = 0xffff;
	expect_new32();
	assert_false(exc.any);
	assert_int_equal(v.regs.rflags, 0x3f7fd7 & ~X86_EFLAGS_NT);
	assert_int_equal(set.cs.base, 0xf0000);
	assert_int_equal(set.cs.dpl, 3);
	assert_int_equal(set.ss.limit, 0xffff);
	assert_int_equal(set.fs.base, 0xffff0);
	assert_int_equal(set.ss.unusable, 0);
}

/* A TR that no LTR has filled names no descriptor. */
static void no_old_descriptor(void **state __unused)
{
	static u8 before[8];

	sregs.tr.selector = 0;
	memcpy(before, mem + GDT, 8);
	expect_new32();
	assert_memory_equal(before, mem + GDT, 8);
	setup(NULL);
	sregs.tr.selector = 0xfff8;
	expect_new32();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(jmp), T(call), T(iret), T(soft_interrupt), T(interrupt), T(nmi),
		T(exception), T(small), T(small_exception), T(accessed), T(trap_flag),
		T(v8086), T(no_old_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
