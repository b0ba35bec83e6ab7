// SPDX-License-Identifier: GPL-2.0-only
/*
 * i8254 counters.  A channel's count and output are computed from the time
 * since its count was loaded.  Counting is binary, also if BCD is asked for;
 * the gate of modes 0 and 4 does not stop the count: both as in KVM.
 */
#include "i8254.h"

#define NS_PER_SEC		1000000000ull

#define REG_CONTROL		3
#define CONTROL_READ_BACK	3	/* in the place of a channel number */
#define READ_BACK_NO_COUNT	0x20
#define READ_BACK_NO_STATUS	0x10

#define FULL_COUNT		0x10000u

#define SPEAKER_GATE		0x01
#define SPEAKER_DATA		0x02
#define SPEAKER_REFRESH_SHIFT	4
#define SPEAKER_OUT_SHIFT	5
#define REFRESH_NS_SHIFT	14	/* about 15 us, half a refresh period */

/* read_state, write_state, rw_mode, count_latched: which byte comes next. */
enum { BYTE_NONE, BYTE_LOW, BYTE_HIGH, BYTE_WORD_LOW, BYTE_WORD_HIGH };

static u64 ns_to_clocks(u64 ns)
{
	u64 sec = ns / NS_PER_SEC, rest = ns % NS_PER_SEC;

	return sec * BP_PIT_HZ + rest * BP_PIT_HZ / NS_PER_SEC;
}

/* Rounded up: then that many clocks have passed. */
static u64 clocks_to_ns(u64 clocks)
{
	u64 sec = clocks / BP_PIT_HZ, rest = clocks % BP_PIT_HZ;

	return sec * NS_PER_SEC + (rest * NS_PER_SEC + BP_PIT_HZ - 1) / BP_PIT_HZ;
}

static u64 clocks_since_load(const struct kvm_pit_channel_state *c, s64 now)
{
	return ns_to_clocks(now - c->count_load_time);
}

static u16 current_count(const struct kvm_pit_channel_state *c, s64 now)
{
	u64 clocks = clocks_since_load(c, now);

	switch (c->mode) {
	case 0:
	case 1:
	case 4:
	case 5:		/* past zero the count wraps around */
		return c->count - clocks;
	case 3:		/* counts down by two, twice per period */
		return c->count - 2 * clocks % c->count;
	default:
		return c->count - clocks % c->count;
	}
}

static bool current_out(const struct kvm_pit_channel_state *c, s64 now)
{
	u64 clocks = clocks_since_load(c, now);

	switch (c->mode) {
	case 1:
		return clocks < c->count;
	case 2:
		return clocks && clocks % c->count == 0;
	case 3:
		return clocks % c->count < (c->count + 1) / 2;
	case 4:
	case 5:
		return clocks == c->count;
	default:
		return clocks >= c->count;
	}
}

static void load_count(struct kvm_pit_channel_state *c, u32 count, s64 now)
{
	count &= FULL_COUNT - 1;
	c->count = count ? count : FULL_COUNT;
	c->count_load_time = now;
}

static void set_gate(struct kvm_pit_channel_state *c, bool gate, s64 now)
{
	/* A rising gate triggers or retriggers modes 1, 2, 3 and 5. */
	if (gate && !c->gate && c->mode != 0 && c->mode != 4)
		c->count_load_time = now;
	c->gate = gate;
}

static void latch_count(struct kvm_pit_channel_state *c, s64 now)
{
	if (c->count_latched)
		return;
	c->latched_count = current_count(c, now);
	c->count_latched = c->rw_mode;
}

static void latch_status(struct kvm_pit_channel_state *c, s64 now)
{
	if (c->status_latched)
		return;
	c->status = current_out(c, now) << 7 | c->rw_mode << 4 |
		    (c->mode & 7) << 1 | c->bcd;
	c->status_latched = 1;
}

static void read_back(struct bp_pit *pit, u8 val, s64 now)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		if (!(val & (2 << i)))
			continue;
		if (!(val & READ_BACK_NO_COUNT))
			latch_count(&pit->ch[i], now);
		if (!(val & READ_BACK_NO_STATUS))
			latch_status(&pit->ch[i], now);
	}
}

static void write_control(struct bp_pit *pit, u8 val, s64 now)
{
	struct kvm_pit_channel_state *c;
	u8 rw = (val >> 4) & 3;

	if (val >> 6 == CONTROL_READ_BACK) {
		read_back(pit, val, now);
		return;
	}
	c = &pit->ch[val >> 6];
	if (rw == 0) {
		latch_count(c, now);
		return;
	}
	c->rw_mode = rw;
	c->read_state = rw;
	c->write_state = rw;
	c->mode = (val >> 1) & 7;
	if (c->mode > 5)	/* bit 2 is ignored in modes 2 and 3 */
		c->mode -= 4;
	c->bcd = val & 1;
}

bool bp_pit_write(struct bp_pit *pit, unsigned int reg, u8 val, s64 now)
{
	struct kvm_pit_channel_state *c;

	if (reg == REG_CONTROL) {
		write_control(pit, val, now);
		return false;
	}
	c = &pit->ch[reg];
	switch (c->write_state) {
	case BYTE_WORD_LOW:
		c->write_latch = val;
		c->write_state = BYTE_WORD_HIGH;
		return false;
	case BYTE_WORD_HIGH:
		load_count(c, c->write_latch | val << 8, now);
		c->write_state = BYTE_WORD_LOW;
		break;
	case BYTE_HIGH:
		load_count(c, val << 8, now);
		break;
	default:
		load_count(c, val, now);
		break;
	}
	return reg == 0;
}

static u8 read_latched(struct kvm_pit_channel_state *c)
{
	u8 which = c->count_latched;

	c->count_latched = which == BYTE_WORD_LOW ? BYTE_HIGH : BYTE_NONE;
	return which == BYTE_HIGH ? c->latched_count >> 8 : c->latched_count;
}

static u8 read_live(struct kvm_pit_channel_state *c, s64 now)
{
	u16 count = current_count(c, now);

	switch (c->read_state) {
	case BYTE_WORD_LOW:
		c->read_state = BYTE_WORD_HIGH;
		return count;
	case BYTE_WORD_HIGH:
		c->read_state = BYTE_WORD_LOW;
		return count >> 8;
	case BYTE_HIGH:
		return count >> 8;
	default:
		return count;
	}
}

u8 bp_pit_read(struct bp_pit *pit, unsigned int reg, s64 now)
{
	struct kvm_pit_channel_state *c;

	if (reg == REG_CONTROL)		/* write-only */
		return 0;
	c = &pit->ch[reg];
	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	return c->count_latched ? read_latched(c) : read_live(c, now);
}

void bp_pit_speaker_write(struct bp_pit *pit, u8 val, s64 now)
{
	if (val & SPEAKER_DATA)
		pit->flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	else
		pit->flags &= ~KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	set_gate(&pit->ch[2], val & SPEAKER_GATE, now);
}

u8 bp_pit_speaker_read(const struct bp_pit *pit, s64 now)
{
	u8 val = ((u64)now >> REFRESH_NS_SHIFT & 1) << SPEAKER_REFRESH_SHIFT;

	if (pit->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON)
		val |= SPEAKER_DATA;
	if (pit->ch[2].gate)
		val |= SPEAKER_GATE;
	return val | current_out(&pit->ch[2], now) << SPEAKER_OUT_SHIFT;
}

void bp_pit_init(struct bp_pit *pit, s64 now)
{
	unsigned int i;

	memset(pit, 0, sizeof(*pit));
	for (i = 0; i < 3; i++) {
		pit->ch[i].mode = BP_PIT_MODE_NONE;
		pit->ch[i].gate = i != 2;
		load_count(&pit->ch[i], 0, now);
	}
}

void bp_pit_get_state(const struct bp_pit *pit, struct kvm_pit_state2 *state)
{
	memset(state, 0, sizeof(*state));
	memcpy(state->channels, pit->ch, sizeof(pit->ch));
	state->flags = pit->flags;
}

void bp_pit_set_state(struct bp_pit *pit, const struct kvm_pit_state2 *state,
		      s64 now)
{
	unsigned int i;

	memcpy(pit->ch, state->channels, sizeof(pit->ch));
	pit->flags = state->flags & (KVM_PIT_FLAGS_HPET_LEGACY |
				     KVM_PIT_FLAGS_SPEAKER_DATA_ON);
	for (i = 0; i < 3; i++)
		load_count(&pit->ch[i], pit->ch[i].count, now);
}

static s64 due(const struct bp_pit_timer *timer, u64 n)
{
	return timer->start + clocks_to_ns(n * timer->count);
}

bool bp_pit_timer_load(struct bp_pit_timer *timer, const struct bp_pit *pit,
		       s64 *deadline)
{
	const struct kvm_pit_channel_state *c = &pit->ch[0];

	memset(timer, 0, sizeof(*timer));
	timer->periodic = c->mode == 2 || c->mode == 3;
	timer->count = c->count;
	if (timer->count < BP_PIT_MIN_COUNT)
		timer->count = BP_PIT_MIN_COUNT;
	timer->start = c->count_load_time;
	/* With an HPET in legacy mode it is the HPET that drives IRQ 0. */
	timer->armed = (timer->periodic || c->mode == 0 || c->mode == 1 ||
			c->mode == 4) &&
		       !(pit->flags & KVM_PIT_FLAGS_HPET_LEGACY);
	*deadline = due(timer, 1);
	return timer->armed;
}

bool bp_pit_timer_next(struct bp_pit_timer *timer, s64 now, s64 *deadline)
{
	u64 passed;

	timer->armed = timer->periodic;
	if (!timer->periodic)
		return false;
	passed = ns_to_clocks(now - timer->start) / timer->count;
	timer->done++;
	if (passed > timer->done + BP_PIT_MAX_BACKLOG)
		timer->done = passed;
	*deadline = due(timer, timer->done + 1);
	if (*deadline < now + BP_PIT_MIN_NS)
		*deadline = now + BP_PIT_MIN_NS;
	return true;
}
