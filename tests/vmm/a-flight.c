// SPDX-License-Identifier: GPL-2.0-only
/* An access that the unit has known as allowed, and that is on its way while its frame is donated. */
#include "attack.h"

#define FRAMES	1024
#define ROUNDS	24
#define HITS	3

/*
 * A guest's frames go back to the kernel, which gives some of them to the next guest. The device
 * reads one that is the kernel's, so that the unit caches the way to it; the second access is
 * under way when the next guest is made.
 */
static bool round_hits(int round)
{
	static uint64_t list[FRAMES];
	struct vm *vm = vm_new(G_script, 1, 0);
	int n = donated(list, FRAMES);
	uint64_t frame = list[round * 5 % n];
	bool busy;

	CHECK(n > 0 && n <= FRAMES);
	vm_free(vm);
	edu_load(frame, 8);
	edu_load_start(frame, 8);
	vm = vm_new(G_script, 1, 0);
	busy = edu_busy();
	edu_wait();
	n = donated(list, FRAMES);
	busy = busy && among(list, n, frame);
	run_done(&vm->vcpu[0]);
	vm_free(vm);
	return busy;
}

TEST_LIMIT(flight, donated, 300)
{
	int hits = 0, told = 0, round;

	attack_begin();
	for (round = 0; round < ROUNDS && hits < HITS; round++) {
		int64_t before = attack_faults();

		if (!round_hits(round))
			continue;
		hits++;
		told += attack_faults() > before;
	}
	test_note("%d accesses in %d rounds met their frame donated", hits, round);
	CHECK(hits == HITS);
	if (!attack_open && attack_untold())
		SKIP(UNTOLD);
	if (!attack_open)
		CHECK_EQ(told, hits);
}
