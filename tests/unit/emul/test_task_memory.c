// SPDX-License-Identifier: GPL-2.0-only
/* Hardware task switches: memory that is not there, page tables, the CPU's own rights. */
// SOURCES: dom0-shim/emul/*.c
#include "task_rig.h"

/* ---- memory ---- */

/* What is only read may be read-only. */
static void read_only(void **state __unused)
{
	u32 i;

	page[NEW_TSS / PAGE_SIZE] = page[(NEW_TSS + 0x67) / PAGE_SIZE] = READ_ONLY;
	expect_new32();
	expect_old32(0x1007, 0x202);
	/* A link is written, and so is the busy bit, and the error code. */
	for (i = 0; i < 3; i++) {
		setup(NULL);
		event(EVENT_EXC, 13, true, 0x1234);
		page[(i == 0 ? NEW_TSS : i == 1 ? GDT : STACK - 4) / PAGE_SIZE] = READ_ONLY;
		assert_false(task_switch());
		assert_false(was_set || exc.any);
	}
}

/* The thread's memory comes page by page, each time that the switch is given up for one. */
static int until_done(void)
{
	int n = 0;

	later = true;
	for (;;) {
		was_wanted = false;
		assert_true(task_switch());
		if (!was_wanted)
			return n;
		assert_false(was_set || exc.any);
		assert_true(page[wanted / PAGE_SIZE] != THERE);
		assert_true(page[wanted / PAGE_SIZE] == NOTHING || wanted_write);
		page[wanted / PAGE_SIZE] = wanted_write ? THERE : READ_ONLY;
		n++;
		assert_true(n < 2 * (int)PAGES);
	}
}

static void demand(void **state __unused)
{
	static u8 before[MEM];

	memset(page, 0, sizeof(page));
	event(EVENT_EXC, 13, true, 0x1234);
	assert_true(until_done() > 5);
	assert_true(was_set);
	expect_old32(0x1000, 0x202);
	assert_int_equal(new32()->link, SEL_OLD);
	assert_int_equal(mem[STACK - 4], 0x34);
	assert_true(busy(SEL_NEW) && busy(SEL_OLD));
	assert_int_equal(v.inject.type, EVENT_NONE);
	/* What is only read needs no more than that. */
	assert_int_equal(page[(NEW_TSS + 0x40) / PAGE_SIZE], THERE);
	setup(NULL);
	memset(page, 0, sizeof(page));
	assert_true(until_done() > 3);
	assert_int_equal(page[NEW_TSS / PAGE_SIZE], READ_ONLY);
	/* Given up for the last of them, it has changed nothing. */
	setup(NULL);
	event(EVENT_EXC, 13, true, 0x1234);
	page[(STACK - 4) / PAGE_SIZE] = NOTHING;
	later = true;
	memcpy(before, mem, MEM);
	assert_true(task_switch());
	assert_true(was_wanted);
	assert_memory_equal(before, mem, MEM);
	assert_int_equal(v.inject.type, EVENT_EXC);
}

/* By one of all sources; TASK_GATE: with an exception and its error code. */
static void by_any(int source)
{
	setup(NULL);
	if (source == TASK_GATE)
		event(EVENT_EXC, 13, true, 0x1234);
	else
		by(source);
	new32()->seg[3].sel = SEL_FRESH;
}

/* A page that was there is gone as it is written: the switch begins anew, and ends as always. */
static void given_up(void **state __unused)
{
	static u8 good[MEM];
	struct kvm_sregs good_set;
	struct regs good_regs;
	int source, n, least = 100;

	for (source = TASK_CALL; source <= TASK_GATE; source++) {
		by_any(source);
		assert_true(task_switch() && was_set && !exc.any);
		memcpy(good, mem, MEM);
		good_set = set;
		good_regs = v.regs;
		for (n = 1;; n++) {
			by_any(source);
			gone_in = n;
			was_wanted = false;
			assert_true(task_switch());
			if (!was_wanted)
				break;
			assert_false(was_set || exc.any);
			was_wanted = false;
			assert_true(task_switch() && was_set && !exc.any);
			assert_memory_equal(good, mem, MEM);
			assert_memory_equal(&good_set, &set, sizeof(set));
			assert_memory_equal(&good_regs, &v.regs, sizeof(v.regs));
			assert_int_equal(v.inject.type, EVENT_NONE);
		}
		gone_in = 0;
		least = n < least ? n : least;
	}
	/* The descriptor's bit, the state in two pages, a busy bit. */
	assert_true(least > 4);
}

static void nowhere(void **state __unused)
{
	static const u32 needed[] = { GDT, OLD_TSS, OLD_TSS + 0x5f, NEW_TSS, NEW_TSS + 0x67, STACK - 4 };
	static u8 before[MEM];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		setup(NULL);
		event(EVENT_EXC, 13, true, 0x1234);
		page[needed[i] / PAGE_SIZE] = NOTHING;
		if (needed[i] == OLD_TSS)		/* its saved part only */
			page[(OLD_TSS + 0x20) / PAGE_SIZE] = NOTHING;
		memcpy(before, mem, MEM);
		assert_false(task_switch());
		assert_false(was_set || exc.any);
		assert_memory_equal(before, mem, MEM);
	}
	setup(NULL);
	descriptor(SEL_NEW, 0xfee00000, 0x67, 0x89);
	assert_false(task_switch());
}

/* ---- paging ---- */

static u32 *entry(u32 table, u32 addr)
{
	return (u32 *)(mem + table) + (addr >> 12 & 1023);
}

static void map_all(u32 dir, u32 table)
{
	u32 i;

	*(u32 *)(mem + dir) = table | 7;
	for (i = 0; i < PAGES; i++)
		*entry(table, i << 12) = i << 12 | 3;
}

static void paging_on(void)
{
	map_all(DIR, TABLE);
	map_all(DIR2, TABLE2);
	sregs.cr0 |= X86_CR0_PG | X86_CR0_WP;
	new32()->cr3 = DIR2;
}

static void cr3(void **state __unused)
{
	paging_on();
	/* The new task has a GDT of its own, where its data segment is another. */
	*entry(TABLE2, GDT) = 0x10000 | 3;
	memcpy(mem + 0x10000, mem + GDT, GDT_LIMIT + 1);
	mem[0x10000 + SEL_DATA + 2] = 0x77;		/* base */
	event(EVENT_EXC, 13, true, 1);
	expect_new32();
	assert_int_equal(set.cr3, DIR2);
	assert_int_equal(set.ds.base, 0x77);
	/* Accessed and dirty where it was. */
	assert_int_equal(*entry(TABLE, GDT) & 0x60, 0x60);
	assert_int_equal(*entry(TABLE, OLD_TSS + 0x20) & 0x60, 0x60);
	assert_int_equal(*entry(TABLE2, 0x10000) & 0x60, 0);
	assert_int_equal(*entry(TABLE2, GDT) & 0x60, 0x20);
	assert_int_equal(*entry(TABLE2, STACK + 0x77) & 0x60, 0x60);
	assert_int_equal(*(u32 *)(mem + DIR) & 0x60, 0x20);
	assert_false(exc.any);
}

static void demand_paged(void **state __unused)
{
	paging_on();
	memset(page, 0, sizeof(page));
	event(EVENT_EXC, 13, true, 0x1234);
	assert_true(until_done() > 9);
	assert_int_equal(set.cr3, DIR2);
	assert_int_equal(mem[STACK - 4], 0x34);
	assert_true(was_set && !exc.any);
}

/* #PF of the old task: nothing changes but accessed and dirty flags. */
static void old_page_fault(u32 addr, u32 pte, u32 error)
{
	setup(NULL);
	paging_on();
	*entry(TABLE, addr) = pte;
	assert_true(task_switch());
	expect_fault(X86_TRAP_PF, error);
	assert_int_equal(v.regs.cr2 & ~0xfffull, addr & ~0xfffu);
	assert_false(was_set);
	assert_int_equal(old32()->eip, 0xeeeeeeee);
	assert_false(busy(SEL_NEW));
}

static void page_faults(void **state __unused)
{
	old_page_fault(GDT, 0, 0);
	old_page_fault(OLD_TSS + 0x20, 0, PF_ERR_W);
	old_page_fault(OLD_TSS + 0x5f, 0x3001, PF_ERR_P | PF_ERR_W);
	old_page_fault(NEW_TSS, 0, 0);
	old_page_fault(NEW_TSS + 0x67, 0, 0);
	/* Without CR0.WP the CPU may write where nobody may. */
	setup(NULL);
	paging_on();
	sregs.cr0 &= ~X86_CR0_WP;
	*entry(TABLE, OLD_TSS + 0x5f) = 0x3001;
	expect_new32();
	/* A user's page is not for the CPU under SMAP. */
	setup(NULL);
	paging_on();
	sregs.cr4 = X86_CR4_SMAP;
	*entry(TABLE, GDT) |= 4;
	assert_true(task_switch());
	expect_fault(X86_TRAP_PF, PF_ERR_P);
	assert_false(was_set);
}

/* #PF in the new address space is the new task's. */
static void late_page_faults(void **state __unused)
{
	paging_on();
	*entry(TABLE2, GDT) = 0;
	expect_late(X86_TRAP_PF, 0);
	assert_int_equal(v.regs.cr2, GDT + SEL_CODE);
	assert_int_equal(set.cs.dpl, 3);
	setup(NULL);
	paging_on();
	event(EVENT_EXC, 13, true, 0);
	*entry(TABLE2, STACK) &= ~2u;
	expect_late(X86_TRAP_PF, PF_ERR_P | PF_ERR_W);
	assert_int_equal(v.regs.cr2, STACK - 4);
	assert_int_equal(v.regs.gpr[RSP], STACK);
	/* The stack of a task at CPL 3 is a user's. */
	setup(NULL);
	paging_on();
	event(EVENT_EXC, 13, true, 0);
	new32()->seg[1].sel = SEL_CODE3 | 3;
	new32()->seg[2].sel = SEL_DATA3 | 3;
	new32()->seg[0].sel = new32()->seg[3].sel = new32()->seg[5].sel = 0;
	expect_late(X86_TRAP_PF, PF_ERR_P | PF_ERR_W | PF_ERR_U);
	*entry(TABLE2, STACK) |= 4;
	*access_byte(SEL_NEW) &= ~2;
	v.inject.type = EVENT_EXC;
	exc.any = false;
	v.dr7 = 0x7ff;
	assert_true(task_switch());
	assert_false(exc.any);
	assert_int_equal(v.regs.gpr[RSP], STACK - 4);
}

static u64 *pae_entry(u32 table, u32 i)
{
	return (u64 *)(mem + table) + i;
}

static void pae(void **state __unused)
{
	u32 i;

	*pae_entry(PAE_TOP, 0) = PAE_DIR | 1;
	*pae_entry(PAE_DIR, 0) = PAE_TABLE | 3;
	for (i = 0; i < PAGES; i++)
		*pae_entry(PAE_TABLE, i) = i << 12 | 3;
	sregs.cr0 |= X86_CR0_PG | X86_CR0_WP;
	sregs.cr4 = X86_CR4_PAE;
	sregs.cr3 = 0xf000;
	*pae_entry(0xf000, 0) = PAE_DIR | 1;
	new32()->cr3 = PAE_TOP;
	/* Reserved bits, where present: #GP(0) of the old task. */
	*pae_entry(PAE_TOP, 3) = (1ull << 5) | 1;
	assert_true(task_switch());
	expect_fault(X86_TRAP_GP, 0);
	assert_false(was_set);
	*pae_entry(PAE_TOP, 3) = (1ull << 40) | 1;
	exc.any = false;
	assert_true(task_switch());
	expect_fault(X86_TRAP_GP, 0);
	*pae_entry(PAE_TOP, 3) = (1ull << 40) | (1ull << 5);
	exc.any = false;
	page[PAE_TOP / PAGE_SIZE] = NOTHING;
	assert_false(task_switch());
	assert_int_equal(until_done(), 1);
	assert_int_equal(page[PAE_TOP / PAGE_SIZE], READ_ONLY);
	assert_int_equal(set.cr3, PAE_TOP);
	/* A top entry has no accessed bit. */
	assert_int_equal(*pae_entry(PAE_TOP, 0), PAE_DIR | 1);
	assert_true(*pae_entry(PAE_DIR, 0) & GPTE_A);
	/* The same CR3: its top entries are in the CPU. */
	setup(NULL);
	*pae_entry(PAE_TOP, 0) = PAE_DIR | 1;
	*pae_entry(PAE_TOP, 3) = (1ull << 5) | 1;
	*pae_entry(PAE_DIR, 0) = PAE_TABLE | 3;
	for (i = 0; i < PAGES; i++)
		*pae_entry(PAE_TABLE, i) = i << 12 | 3;
	sregs.cr0 |= X86_CR0_PG;
	sregs.cr4 = X86_CR4_PAE;
	new32()->cr3 = sregs.cr3 = PAE_TOP;
	expect_new32();
}

/* A switch walks by the old task's registers, and then by the new task's table in memory. */
static void pae_in_registers(void **state __unused)
{
	static const u64 in_cpu[4] = { PAE_DIR | 1 };
	u32 i;

	*pae_entry(PAE_DIR, 0) = PAE_TABLE | 3;
	for (i = 0; i < PAGES; i++)
		*pae_entry(PAE_TABLE, i) = i << 12 | 3;
	sregs.cr0 |= X86_CR0_PG | X86_CR0_WP;
	sregs.cr4 = X86_CR4_PAE;
	sregs.cr3 = 0xf000;			/* nothing there any more */
	pdptes = in_cpu;
	*pae_entry(PAE_TOP, 0) = PAE_DIR | 1;
	new32()->cr3 = PAE_TOP;
	expect_new32();
	assert_false(exc.any);
	/* The new one's is empty: its code is not to be had. */
	setup(NULL);
	*pae_entry(PAE_DIR, 0) = PAE_TABLE | 3;
	for (i = 0; i < PAGES; i++)
		*pae_entry(PAE_TABLE, i) = i << 12 | 3;
	sregs.cr0 |= X86_CR0_PG | X86_CR0_WP;
	sregs.cr4 = X86_CR4_PAE;
	sregs.cr3 = 0xf000;
	pdptes = in_cpu;
	new32()->cr3 = PAE_TOP;
	expect_late(X86_TRAP_PF, 0);
}

/* ---- anything at all ---- */

static u32 random_state;

static u32 rnd(u32 below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

/* The rig's guest with a few bytes, registers and pages other than they should be. */
static void spoil(void)
{
	static const u32 where[] = { GDT, GDT, LDT, OLD_TSS, NEW_TSS, NEW_TSS, DIR, TABLE, DIR2, TABLE2 };
	u32 i, n = rnd(6);

	if (rnd(2))
		paging_on();
	if (rnd(3) == 0)
		event(EVENT_INTR + rnd(3), 13, rnd(2), rnd(0x10000));
	else
		by(rnd(4));
	for (i = 0; i < n; i++)
		mem[where[rnd(ARRAY_SIZE(where))] + rnd(0x98)] = rnd(256);
	for (i = 0; i < rnd(3); i++)
		page[rnd(PAGES)] = rnd(3);
	if (rnd(8) == 0)
		sregs.gdt.base = rnd(2) ? rnd(MEM) : 0xfffffff0u + rnd(32);
	if (rnd(8) == 0)
		sregs.tr.base = rnd(2) ? rnd(MEM) : 0xffffffa0u + rnd(96);
	if (rnd(8) == 0)
		sregs.tr.type = rnd(16);
	if (rnd(4) == 0)
		new32()->ldt = SEL_LDT;
	if (rnd(16) == 0)
		sregs.cr4 |= X86_CR4_PAE;
}

/* Whatever a guest makes up: done, refused, waiting or given up, and never more than one. */
static void hostile(void **state __unused)
{
	u32 i, done = 0, faults = 0, gone = 0, waits = 0;
	bool ok;

	random_state = 2463534242u;
	for (i = 0; i < 100000; i++) {
		setup(NULL);
		spoil();
		later = rnd(2);
		ok = task_switch();
		assert_false(was_wanted && (was_set || exc.any || !ok));
		assert_true(ok || !(was_set || exc.any));
		assert_true(!ok || was_set || exc.any || was_wanted);
		if (was_set) {
			assert_int_equal(v.regs.rflags & ~0x3f7fd7ull, 0);
			assert_true(v.regs.rip <= 0xffffffff);
			assert_true(set.cs.present && !set.cs.unusable && (set.tr.type & 2));
		}
		done += was_set;
		faults += exc.any;
		gone += !ok;
		waits += was_wanted;
	}
	/* All of it happens. */
	assert_true(done > 10000 && faults > 10000 && gone > 1000 && waits > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(demand), T(given_up), T(read_only), T(nowhere), T(cr3), T(demand_paged), T(page_faults),
		T(late_page_faults), T(pae), T(pae_in_registers),
		T(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
