/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domain 0 and guests as an adversary's input drives them: hypercalls with arguments that go
 * deep, or that are anything; and at the end, the calls that undo all of it. One for each CPU.
 */
#ifndef TESTS_FUZZ_CALLS_H
#define TESTS_FUZZ_CALLS_H

#include "fuzz.h"
#include "machine.h"

struct caller {
	struct input in;
	u32 cpu;
	u32 list;		/* the frame that its lists are in */
	u32 calls;
	bool begins;		/* with a guest that is there, */
	u32 begun;		/* after so many calls, */
	u64 guest;		/* of this number */
	/* Cleaning up: which domain, and what of it was done. */
	bool ending;
	u32 dom, device, last;
	s64 tries;
	bool done;		/* nothing is left to do */
	bool finished;		/* its input has ended; others read */
};

/* @apart: each frame for one use only, so that no two CPUs write one at once. */
void calls_begin(bool apart);

/* Domain 0's next exit. */
void calls_dom0(struct caller *c, struct vcpu *v);
/* Its CPU has no ring any more. */
void calls_drop_ring(struct vcpu *v);
/* A guest's: anything that a back end could tell. */
void calls_guest(struct caller *c, struct vcpu *v);

#endif
