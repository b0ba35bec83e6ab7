/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The i8254 interval timer and the speaker port's view of it, in KVM's state
 * layout.  Pure state: times are nanoseconds of one monotonic clock that the
 * caller reads; the caller locks and owns the timer behind channel 0.
 */
#ifndef BEDPLATE_I8254_H
#define BEDPLATE_I8254_H

#include "../os.h"

#define BP_PIT_HZ		1193182u
#define BP_PIT_PORT		0x40	/* four ports */
#define BP_PIT_PORT_SPEAKER	0x61

/* mode of a channel that has not been programmed yet, as KVM has it */
#define BP_PIT_MODE_NONE	0xff

struct bp_pit {
	struct kvm_pit_channel_state ch[3];
	u32 flags;		/* KVM_PIT_FLAGS_* */
};

/* Channel 0's interrupts: the n-th is due after n * count input clocks. */
struct bp_pit_timer {
	bool armed;
	bool periodic;
	u32 count;		/* not below BP_PIT_MIN_COUNT */
	s64 start;
	u64 done;		/* interrupts given since start */
};

/*
 * The shortest time between two interrupts, 200 us, as KVM's default: a guest
 * must not keep the service VM busy with its timer.  Interrupts that are late
 * are made up for at this distance, BP_PIT_MAX_BACKLOG of them at most.
 */
#define BP_PIT_MIN_NS		200000
#define BP_PIT_MIN_COUNT	239u
#define BP_PIT_MAX_BACKLOG	1000u

void bp_pit_init(struct bp_pit *pit, s64 now);

/*
 * Ports 0x40..0x43, @reg = 0..3.  The write returns true when channel 0 has a
 * new count: then bp_pit_timer_load() and program the timer.
 */
bool bp_pit_write(struct bp_pit *pit, unsigned int reg, u8 val, s64 now);
u8 bp_pit_read(struct bp_pit *pit, unsigned int reg, s64 now);

/* Port 0x61: gate and output of channel 2, speaker bit, refresh clock. */
void bp_pit_speaker_write(struct bp_pit *pit, u8 val, s64 now);
u8 bp_pit_speaker_read(const struct bp_pit *pit, s64 now);

/*
 * bp_pit_set_state() starts the counts anew at @now (count_load_time is
 * ignored, as KVM does); the caller then loads the timer.
 */
void bp_pit_get_state(const struct bp_pit *pit, struct kvm_pit_state2 *state);
void bp_pit_set_state(struct bp_pit *pit, const struct kvm_pit_state2 *state,
		      s64 now);

/*
 * Start the timer for the mode and count that channel 0 has.  Returns whether
 * it runs; if so *deadline is when it expires first.
 */
bool bp_pit_timer_load(struct bp_pit_timer *timer, const struct bp_pit *pit,
		       s64 *deadline);

/*
 * The timer has expired and one interrupt is given.  Returns whether there is
 * a next one, and when.
 */
bool bp_pit_timer_next(struct bp_pit_timer *timer, s64 now, s64 *deadline);

#endif
