// SPDX-License-Identifier: GPL-2.0-only
/* Hardware task switches: each fault of the old task and of the new one. */
// SOURCES: dom0-shim/emul/*.c
#include "task_rig.h"

/* ---- faults of the old task ---- */

/* The switch is refused, and memory and registers are as they were. */
static void expect_refused(u8 vector, u32 error)
{
	static u8 before[MEM];
	struct regs regs = v.regs;

	memcpy(before, mem, MEM);
	exc.any = false;
	assert_true(task_switch());
	expect_fault(vector, error);
	assert_false(was_set);
	assert_memory_equal(before, mem, MEM);
	assert_int_equal(regs.rip, v.regs.rip);
	assert_memory_equal(regs.gpr, v.regs.gpr, sizeof(regs.gpr));
	assert_int_equal(v.dr7, 0x7ff);
}

static void bad_selectors(void **state __unused)
{
	static const u16 bad[] = { 0, 3, SEL_NEW | 4, GDT_LIMIT + 1, 0xfff8, SEL_DATA, SEL_LDT };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		setup(NULL);
		v.exit.task.selector = bad[i];
		expect_refused(X86_TRAP_GP, bad[i] & ~3u);
		by(TASK_IRET);
		expect_refused(X86_TRAP_TS, bad[i] & ~3u);
	}
}

static void bad_descriptors(void **state __unused)
{
	*access_byte(SEL_NEW) |= 2;
	expect_refused(X86_TRAP_GP, SEL_NEW);
	by(TASK_CALL);
	expect_refused(X86_TRAP_GP, SEL_NEW);
	setup(NULL);
	by(TASK_IRET);
	*access_byte(SEL_NEW) &= ~2;
	expect_refused(X86_TRAP_TS, SEL_NEW);
	setup(NULL);
	*access_byte(SEL_NEW) &= ~0x80;
	expect_refused(X86_TRAP_NP, SEL_NEW);
	setup(NULL);
	descriptor(SEL_NEW, NEW_TSS, 0x66, 0x89);
	expect_refused(X86_TRAP_TS, SEL_NEW);
	descriptor(SEL_NEW, NEW_TSS, 0x2a, 0x81);
	expect_refused(X86_TRAP_TS, SEL_NEW);
	setup(NULL);
	sregs.tr.limit = 0x5e;
	expect_refused(X86_TRAP_TS, SEL_OLD);
}

/* EXT tells that an event was being delivered; INT n is none. */
static void external(void **state __unused)
{
	descriptor(SEL_NEW, NEW_TSS, 0x66, 0x89);
	event(EVENT_INTR, 0x41, false, 0);
	expect_refused(X86_TRAP_TS, SEL_NEW | 1);
	assert_int_equal(exc.during, EVENT_INTR);
	event(EVENT_EXC, 13, true, 0);
	expect_refused(X86_TRAP_TS, SEL_NEW | 1);
	assert_int_equal(exc.during, EVENT_EXC);
	v.inject.type = EVENT_NONE;
	expect_refused(X86_TRAP_TS, SEL_NEW);
}

/* The fault comes first, and the NMI after it. */
static void refused_nmi(void **state __unused)
{
	descriptor(SEL_NEW, NEW_TSS, 0x66, 0x89);
	event(EVENT_NMI, 2, false, 0);
	expect_refused(X86_TRAP_TS, SEL_NEW | 1);
	assert_int_equal(exc.during, EVENT_NONE);
	assert_int_equal(nmi_pending, 1);
	assert_true(events_set & KVM_VCPUEVENT_VALID_NMI_PENDING);
	assert_int_equal(masked, 0);
}

/* An IRET ends the blocking of NMIs even if it faults; a shadow stays. */
static void refused_iret(void **state __unused)
{
	by(TASK_IRET);
	masked = 1;
	shadow = 1;
	*access_byte(SEL_NEW) &= ~0x80;
	expect_refused(X86_TRAP_NP, SEL_NEW);
	assert_int_equal(masked, 0);
	assert_int_equal(shadow, 1);
}

/* ---- faults of the new task ---- */

static void bad_new(u32 seg, u16 sel, u8 vector)
{
	setup(NULL);
	new32()->seg[seg].sel = sel;
	expect_late(vector, sel & ~3u);
}

static void bad_code(void **state __unused)
{
	static const u16 bad[] = { 0, 2, GDT_LIMIT + 1, 0xc, SEL_DATA, SEL_NEW, SEL_CODE | 3,
				   SEL_CODE3 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		bad_new(1, bad[i], X86_TRAP_TS);
		assert_int_equal(set.cs.selector, bad[i]);
		/* A handler gets its stack from the TSS. */
		assert_int_equal(set.cs.dpl, 3);
		assert_int_equal(set.ss.dpl, 3);
		assert_int_equal(set.ss.unusable, 1);
		assert_int_equal(set.ss.selector, SEL_DATA);
	}
	bad_new(1, SEL_ABSENT_CODE, X86_TRAP_NP);
}

static void bad_stack(void **state __unused)
{
	static const u16 bad[] = { 0, 3, GDT_LIMIT + 1, 0xc, SEL_CODE, SEL_OLD, SEL_READ_ONLY,
				   SEL_DATA | 1, SEL_DATA3 | 3, SEL_DATA3 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		bad_new(2, bad[i], X86_TRAP_TS);
		assert_int_equal(set.cs.dpl, 3);
		assert_int_equal(set.ss.unusable, 1);
		assert_int_equal(set.ds.unusable, 1);
	}
	bad_new(2, SEL_ABSENT, X86_TRAP_SS);
}

static void bad_data(void **state __unused)
{
	static const u16 bad[] = { GDT_LIMIT + 1, 0xc, SEL_LDT, SEL_CODE_ONLY, SEL_DATA | 3 };
	static const u32 segs[] = { 0, 3, 4, 5 };
	u32 i, k;

	for (k = 0; k < ARRAY_SIZE(segs); k++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			bad_new(segs[k], bad[i], X86_TRAP_TS);
			assert_int_equal(set.cs.dpl, 0);
			assert_int_equal(set.ss.unusable, 0);
		}
		bad_new(segs[k], SEL_ABSENT, X86_TRAP_NP);
	}
	/* Conforming code may be read by all. */
	setup(NULL);
	new32()->seg[3].sel = SEL_CONFORMING | 3;
	expect_new32();
	assert_false(exc.any);
}

static void ldt(void **state __unused)
{
	static const u16 bad[] = { SEL_LDT | 4, GDT_LIMIT + 1, SEL_DATA, SEL_NEW, SEL_ABSENT_LDT };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		setup(NULL);
		new32()->ldt = bad[i];
		expect_late(X86_TRAP_TS, bad[i] & ~3u);
		assert_int_equal(set.ldt.unusable, 1);
		assert_int_equal(set.ldt.selector, bad[i]);
	}
	setup(NULL);
	new32()->ldt = SEL_LDT;
	new32()->seg[5].sel = 0xc;
	expect_new32();
	assert_false(exc.any);
	assert_int_equal(set.ldt.base, LDT);
	assert_int_equal(set.gs.selector, 0xc);
	assert_int_equal(set.gs.limit, 0xffffffff);
	setup(NULL);
	new32()->ldt = SEL_LDT;
	new32()->seg[5].sel = 0x14;			/* beyond it */
	expect_late(X86_TRAP_TS, 0x14);
}

static void late_faults(void **state __unused)
{
	new32()->seg[1].sel = SEL_SMALL_CODE;
	expect_late(X86_TRAP_GP, 0);
	/* During an exception, so that both make a double fault. */
	setup(NULL);
	event(EVENT_EXC, 13, true, 0);
	new32()->seg[3].sel = SEL_ABSENT;
	expect_late(X86_TRAP_NP, SEL_ABSENT | 1);
	assert_int_equal(exc.during, EVENT_EXC);
	/* An interrupt has been delivered by then. */
	setup(NULL);
	event(EVENT_INTR, 0x41, false, 0);
	new32()->seg[3].sel = SEL_ABSENT;
	expect_late(X86_TRAP_NP, SEL_ABSENT | 1);
	assert_int_equal(exc.during, EVENT_NONE);
}

static void no_room(u16 ss, u32 esp, bool fits, u32 after)
{
	setup(NULL);
	event(EVENT_EXC, 13, true, 7);
	new32()->seg[2].sel = ss;
	new32()->gpr[RSP] = esp;
	if (!fits) {
		expect_late(X86_TRAP_SS, 1);
		return;
	}
	expect_new32();
	assert_false(exc.any);
	assert_int_equal(v.regs.gpr[RSP], after);
	assert_int_equal(mem[after & (ss == SEL_STACK16 ? 0xffff : MEM - 1)], 7);
}

static void push(void **state __unused)
{
	no_room(SEL_SMALL_STACK, STACK, false, 0);
	no_room(SEL_SMALL_STACK, STACK - 1, true, STACK - 5);
	no_room(SEL_SMALL_STACK, 3, false, 0);
	no_room(SEL_DATA, 2, false, 0);
	no_room(SEL_DOWN, 0xffff, false, 0);
	no_room(SEL_DOWN, 0x10004, true, 0x10000);
	no_room(SEL_STACK16, 0xabcd7000, true, 0xabcd6ffc);
	no_room(SEL_STACK16, 0xabcd0002, false, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bad_selectors), T(bad_descriptors), T(external), T(refused_nmi), T(refused_iret),
		T(bad_code), T(bad_stack), T(bad_data), T(ldt), T(late_faults), T(push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
