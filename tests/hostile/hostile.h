/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp_hostile.ko: a service VM that means Bedplate harm.  A thread on each CPU makes random
 * hypercalls, most of them with arguments that look right, and another one there writes into
 * the frames that they share with Bedplate.  All that is at stake is the module's own: Linux
 * itself goes on, and says at the end whether all came back.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "../../dom0-shim/channel/hypercall.h"

/*
 * Frames of the module, by what they are for as a rule: to be donated, to be a guest's memory, to
 * be shared with Bedplate. Any of them may be used as any, but for those of lists: what stands
 * there names frames, and must not name Linux's. So nobody but the module writes there.
 */
enum hostile_zone { ZONE_GIVE, ZONE_MAP, ZONE_SHARE, ZONE_LIST, ZONES };

struct thread {
	u64 state;		/* of the generator */
	u64 list;		/* the frame that it passes lists in */
	u64 calls[64], good[64];	/* by number of the call: made, result >= 0 */
};

/* pick.c: all from the seed, but for what other threads do meanwhile. */
u64 rnd(struct thread *t);
static inline u64 below(struct thread *t, u64 n) { return (rnd(t) >> 11) % n; }
static inline bool once_in(struct thread *t, u64 n) { return !below(t, n); }
u64 rnd_value(struct thread *t);
u64 rnd_word(struct thread *t);		/* as may stand in a list: harmless() */
u64 pick_domain(struct thread *t);
u64 pick_vcpu(struct thread *t);
void domain_known(u64 dom);		/* it is there, as far as we know */
void domain_gone(u64 dom);
/* The frames that a vCPU shares with us, if we know them; else any. */
void vcpu_known(u64 dom, u64 vcpu, u64 page, u64 state);
u64 page_of(struct thread *t, u64 dom, u64 vcpu);
u64 state_of(struct thread *t, u64 dom, u64 vcpu);

/* frames.c */
int frames_take(void);
/* Back to Linux, if Bedplate has none of them; else they are kept, and their number is the result. */
unsigned int frames_release(void);
u64 frame_of(struct thread *t, enum hostile_zone zone);	/* the module's */
u64 frame_odd(struct thread *t);	/* Bedplate's, or no memory at all */
/* @n frames in a row, fewer than a block has: the first. */
u64 frame_row(struct thread *t, enum hostile_zone zone, unsigned int n);
/* As a frame's number it is neither Linux's nor a device's. */
bool harmless(u64 word);
/* A word of a frame, which may be donated: then it reads as 0, or is not written. */
u64 frame_read(u64 pfn, unsigned int word);
void frame_write(u64 pfn, unsigned int word, u64 val);
void frame_scribble(struct thread *t, u64 pfn);	/* some words of it */
void frame_code(struct thread *t, u64 pfn);	/* instructions that exit, mostly */

/* calls.c: a device that nobody uses, as IO_ATTACH names it; 0: none. */
extern unsigned int device_ours;
/* A bus gets a table of its own when the first of its devices is given away, and keeps it. */
void devices_begin(void);
/* One call, or a few that belong together. */
void call_one(struct thread *t);
/* All that is left of what was made; false: something does not end. */
bool calls_undo(struct thread *t);

#endif
