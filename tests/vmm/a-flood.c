// SPDX-License-Identifier: GPL-2.0-only
/* A device that does not stop when it is refused: the machine works on, all is counted, little is said. */
#include "attack.h"

#define MESSAGES	10000
#define PAGES		20	/* each of hundreds of accesses */
#define LINES_A_SECOND	11	/* hv/iommu/faults.c, with the one that counts the rest */

static void guest_runs(void)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct gop *op = op_add(vm, OP_CPUID, 0, 0, 0);

	run_done(&vm->vcpu[0]);
	CHECK(op->val & 0xffffffff);
	vm_free(vm);
}

/*
 * @least were counted since @start, and the log tells of it in so many lines. A unit has room for few that are
 * not read yet, and says of others only that there were some.
 */
static void judge_flood(uint64_t start, int64_t least)
{
	guest_runs();
	if (attack_untold())
		SKIP("the machine goes on, but " UNTOLD);
	for (int ms = 0; ms < 5000 && attack_faults() < least; ms += 50)
		sleep_ms(50);
	test_note("%lld faults, %d lines", (long long)attack_faults(), attack_lines());
	CHECK(attack_faults() >= least);
	CHECK(attack_lines() > 0);
	CHECK(attack_lines() <= LINES_A_SECOND * (int)((now_ns() - start) / 1000000000 + 2));
}

/* The next one is told as ever. */
TEST_LIMIT(flood, messages, 300)
{
	uint64_t start;

	attack_begin();
	if (attack_open)
		SKIP("nothing is refused");
	start = now_ns();
	edu_message(FORGED_ADDR, FORGED_DATA);
	for (int i = 0; i < MESSAGES; i++)
		edu_send();
	judge_flood(start, 1);
	attack_begin();
	edu_send();
	attack_message(false);
}

TEST_LIMIT(flood, dma, 300)
{
	uint64_t start, at = pool_base();

	attack_begin();
	if (attack_open)
		SKIP("nothing is refused");
	start = now_ns();
	for (int i = 0; i < PAGES; i++)
		edu_load(at + i * EDU_PAGE, EDU_PAGE);
	judge_flood(start, PAGES);
	attack_begin();
	edu_load(at, 8);
	attack_read(false, at);
}
