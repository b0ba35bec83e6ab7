// SPDX-License-Identifier: GPL-2.0-only
// SOURCES: dom0-shim/irqchip/i8254.c
/*
 * The i8254 with a clock that the test owns.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "dom0-shim/irqchip/i8254.h"

#include <cmocka.h>

#define START		1000000007ll

static struct bp_pit pit;
static s64 now;

/* A moment in the middle of the n-th input clock after START. */
static void at_clock(u64 n)
{
	now = START + (s64)((n * 1000000000ull + 500000000ull) / BP_PIT_HZ);
}

static int reset(void **state)
{
	(void)state;
	now = START;
	bp_pit_init(&pit, now);
	return 0;
}

static bool out(unsigned int reg, u8 val)
{
	return bp_pit_write(&pit, reg, val, now);
}

static u8 in(unsigned int reg)
{
	return bp_pit_read(&pit, reg, now);
}

/* Control word for 16-bit access, then both bytes of the count. */
static void program(unsigned int channel, unsigned int mode, u16 count)
{
	assert_false(out(3, channel << 6 | 0x30 | mode << 1));
	assert_false(out(channel, count));
	assert_int_equal(out(channel, count >> 8), channel == 0);
}

static u16 read_count(unsigned int channel)
{
	u16 low = in(channel);

	return low | in(channel) << 8;
}

/* Output pin of a channel, through the read-back command. */
static bool output(unsigned int channel)
{
	out(3, 0xc0 | 0x20 | 2 << channel);
	return in(channel) & 0x80;
}

static void test_mode2_counts_down_and_reloads(void **state)
{
	(void)state;
	program(0, 2, 1000);
	assert_int_equal(read_count(0), 1000);
	at_clock(1);
	assert_int_equal(read_count(0), 999);
	at_clock(999);
	assert_int_equal(read_count(0), 1);
	at_clock(1000);
	assert_int_equal(read_count(0), 1000);
	at_clock(5000250);
	assert_int_equal(read_count(0), 750);
}

static void test_mode3_counts_by_two(void **state)
{
	(void)state;
	program(2, 3, 1000);
	at_clock(1);
	assert_int_equal(read_count(2), 998);
	assert_true(output(2));
	at_clock(500);
	assert_int_equal(read_count(2), 1000);
	assert_false(output(2));
	at_clock(1000);
	assert_true(output(2));
}

static void test_mode0_ends_high_and_wraps(void **state)
{
	(void)state;
	program(2, 0, 100);
	at_clock(99);
	assert_false(output(2));
	assert_int_equal(read_count(2), 1);
	at_clock(100);
	assert_true(output(2));
	assert_int_equal(read_count(2), 0);
	at_clock(101);
	assert_int_equal(read_count(2), 0xffff);
	at_clock(100000);
	assert_true(output(2));
}

static void test_mode1_and_strobes(void **state)
{
	(void)state;
	program(0, 1, 50);
	at_clock(49);
	assert_true(output(0));
	at_clock(50);
	assert_false(output(0));
	now = START;
	program(0, 4, 50);
	at_clock(49);
	assert_false(output(0));
	at_clock(50);
	assert_true(output(0));
	at_clock(51);
	assert_false(output(0));
}

static void test_zero_means_65536(void **state)
{
	struct kvm_pit_state2 saved;

	(void)state;
	program(0, 2, 0);
	bp_pit_get_state(&pit, &saved);
	assert_int_equal(saved.channels[0].count, 0x10000);
	at_clock(1);
	assert_int_equal(read_count(0), 0xffff);
	at_clock(65536);
	assert_int_equal(read_count(0), 0);
}

static void test_byte_access(void **state)
{
	(void)state;
	out(3, 0x14);			/* channel 0, low byte, mode 2 */
	assert_true(out(0, 0x55));
	assert_int_equal(in(0), 0x55);
	assert_int_equal(in(0), 0x55);
	out(3, 0x24);			/* high byte */
	assert_true(out(0, 0x12));
	assert_int_equal(in(0), 0x12);
	at_clock(1);
	assert_int_equal(in(0), 0x11);
	assert_int_equal(in(3), 0);	/* the control port is write-only */
}

static void test_modes_6_and_7_are_2_and_3(void **state)
{
	(void)state;
	out(3, 0x3c);
	assert_int_equal(pit.ch[0].mode, 2);
	out(3, 0x3e);
	assert_int_equal(pit.ch[0].mode, 3);
}

static void test_latched_count_stands_still(void **state)
{
	(void)state;
	program(0, 2, 0x1234);
	at_clock(0x34);
	out(3, 0x00);
	at_clock(0x100);
	out(3, 0x00);			/* a second latch is ignored */
	assert_int_equal(in(0), 0x00);
	at_clock(0x200);
	assert_int_equal(in(0), 0x12);
	assert_int_equal(read_count(0), 0x1034);
}

static void test_read_back_status_then_count(void **state)
{
	(void)state;
	program(2, 3, 0x4321);
	program(0, 2, 0x1000);
	at_clock(0x10);
	out(3, 0xc0 | 0x0a);		/* count and status of 0 and 2 */
	at_clock(0x800);
	out(3, 0xc0 | 0x02);		/* latched already */
	assert_int_equal(in(0), 0x34);
	assert_int_equal(in(0), 0xf0);
	assert_int_equal(in(0), 0x0f);
	assert_int_equal(in(2), 0xb6);
	assert_int_equal(in(2), 0x01);
	assert_int_equal(in(2), 0x43);
}

static void test_speaker_gate_and_output(void **state)
{
	(void)state;
	/* What Linux and GRUB do to calibrate against channel 2. */
	bp_pit_speaker_write(&pit, 0x01, now);
	program(2, 0, 59659);
	assert_int_equal(bp_pit_speaker_read(&pit, now) & 0x23, 0x01);
	at_clock(59658);
	assert_int_equal(bp_pit_speaker_read(&pit, now) & 0x20, 0);
	at_clock(59659);
	assert_int_equal(bp_pit_speaker_read(&pit, now) & 0x20, 0x20);
	bp_pit_speaker_write(&pit, 0x02, now);
	assert_int_equal(bp_pit_speaker_read(&pit, now) & 0x03, 0x02);
	assert_int_equal(pit.flags, KVM_PIT_FLAGS_SPEAKER_DATA_ON);
	bp_pit_speaker_write(&pit, 0x00, now);
	assert_int_equal(pit.flags, 0);
}

static void test_rising_gate_restarts(void **state)
{
	(void)state;
	program(2, 2, 1000);
	at_clock(300);
	bp_pit_speaker_write(&pit, 0x01, now);
	assert_int_equal(read_count(2), 1000);
	now += 100000000;
	bp_pit_speaker_write(&pit, 0x01, now);	/* no edge */
	assert_int_not_equal(read_count(2), 1000);
}

static void test_refresh_clock_toggles(void **state)
{
	u8 first;

	(void)state;
	first = bp_pit_speaker_read(&pit, now) & 0x10;
	assert_int_equal(bp_pit_speaker_read(&pit, now + 16384) & 0x10,
			 first ^ 0x10);
}

static void test_timer_period_does_not_drift(void **state)
{
	struct bp_pit_timer timer;
	s64 deadline;
	int i;

	(void)state;
	program(0, 2, 11932);		/* 100 Hz, nearly */
	assert_true(bp_pit_timer_load(&timer, &pit, &deadline));
	for (i = 1; i < 100000; i++) {
		/* At the deadline exactly that many periods are over. */
		now = deadline;
		assert_int_equal((u64)(now - START) * BP_PIT_HZ /
				 1000000000ull / 11932, i);
		assert_true(bp_pit_timer_next(&timer, now + 3000, &deadline));
	}
	assert_int_equal(deadline, START +
		(s64)((100000ull * 11932 * 1000000000ull + BP_PIT_HZ - 1) /
		      BP_PIT_HZ));
}

static void test_timer_one_shot(void **state)
{
	struct bp_pit_timer timer;
	s64 deadline;

	(void)state;
	program(0, 0, 1193);
	assert_true(bp_pit_timer_load(&timer, &pit, &deadline));
	assert_in_range(deadline - START, 999840, 999860);
	assert_false(bp_pit_timer_next(&timer, deadline, &deadline));
	assert_false(timer.armed);
}

static void test_timer_of_a_fresh_channel_rests(void **state)
{
	struct bp_pit_timer timer;
	s64 deadline;

	(void)state;
	assert_false(bp_pit_timer_load(&timer, &pit, &deadline));
	program(0, 5, 1000);
	assert_false(bp_pit_timer_load(&timer, &pit, &deadline));
}

static void test_timer_rate_is_bounded(void **state)
{
	struct bp_pit_timer timer;
	s64 deadline;

	(void)state;
	program(0, 2, 1);
	assert_true(bp_pit_timer_load(&timer, &pit, &deadline));
	assert_true(deadline - START >= BP_PIT_MIN_NS);
	assert_true(bp_pit_timer_next(&timer, deadline, &deadline));
	assert_true(deadline - START >= 2 * BP_PIT_MIN_NS);
}

static void test_timer_makes_up_for_late_ticks(void **state)
{
	struct bp_pit_timer timer;
	s64 deadline;
	int i;

	(void)state;
	program(0, 2, 1193);		/* 1 ms */
	bp_pit_timer_load(&timer, &pit, &deadline);
	now = START + 10500000;		/* ten are due */
	for (i = 1; i < 10; i++) {
		assert_true(bp_pit_timer_next(&timer, now, &deadline));
		assert_int_equal(deadline, now + BP_PIT_MIN_NS);
	}
	assert_true(bp_pit_timer_next(&timer, now, &deadline));
	assert_in_range(deadline - START, 10990000, 11000000);

	now = START + 3600ll * 1000000000;	/* an hour late: not all of it */
	bp_pit_timer_next(&timer, now, &deadline);
	bp_pit_timer_next(&timer, now, &deadline);
	assert_true(timer.done > 3599000);
}

static void test_hpet_legacy_stops_the_timer(void **state)
{
	struct bp_pit_timer timer;
	struct kvm_pit_state2 s;
	s64 deadline;

	(void)state;
	program(0, 2, 1000);
	bp_pit_get_state(&pit, &s);
	s.flags = KVM_PIT_FLAGS_HPET_LEGACY;
	bp_pit_set_state(&pit, &s, now);
	assert_false(bp_pit_timer_load(&timer, &pit, &deadline));
	bp_pit_get_state(&pit, &s);
	assert_int_equal(s.flags, KVM_PIT_FLAGS_HPET_LEGACY);
	assert_int_equal(s.channels[0].mode, 2);
	s.flags = 0;
	bp_pit_set_state(&pit, &s, now);
	assert_true(bp_pit_timer_load(&timer, &pit, &deadline));
}

static void test_state_round_trip(void **state)
{
	struct kvm_pit_state2 s, again;

	(void)state;
	program(0, 2, 4772);
	program(2, 3, 777);
	out(3, 0x80);
	bp_pit_get_state(&pit, &s);
	assert_int_equal(s.channels[0].count_load_time, START);
	assert_int_equal(s.channels[0].gate, 1);
	assert_int_equal(s.channels[2].gate, 0);
	assert_int_equal(s.channels[2].count_latched, 3);
	bp_pit_init(&pit, now);
	s.channels[0].count_load_time = 5;
	bp_pit_set_state(&pit, &s, now);
	bp_pit_get_state(&pit, &again);
	s.channels[0].count_load_time = START;	/* counts start anew */
	assert_memory_equal(&s, &again, sizeof(s));
}

static void test_hostile_state(void **state)
{
	struct bp_pit_timer timer;
	struct kvm_pit_state2 bad;
	s64 deadline;
	int i;

	(void)state;
	memset(&bad, 0xff, sizeof(bad));
	bp_pit_set_state(&pit, &bad, now);
	assert_int_equal(pit.flags, 3);
	at_clock(12345);
	for (i = 0; i < 16; i++)
		in(i & 3);
	for (i = 0; i < 3; i++)
		output(i);
	bp_pit_timer_load(&timer, &pit, &deadline);
	memset(&bad, 0, sizeof(bad));
	bad.channels[0].count = 0x40000;
	bp_pit_set_state(&pit, &bad, now);
	assert_int_equal(pit.ch[0].count, 0x10000);
	assert_int_equal(pit.ch[1].count, 0x10000);
	in(0);
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_mode2_counts_down_and_reloads),
		T(test_mode3_counts_by_two),
		T(test_mode0_ends_high_and_wraps),
		T(test_mode1_and_strobes),
		T(test_zero_means_65536),
		T(test_byte_access),
		T(test_modes_6_and_7_are_2_and_3),
		T(test_latched_count_stands_still),
		T(test_read_back_status_then_count),
		T(test_speaker_gate_and_output),
		T(test_rising_gate_restarts),
		T(test_refresh_clock_toggles),
		T(test_timer_period_does_not_drift),
		T(test_timer_one_shot),
		T(test_timer_of_a_fresh_channel_rests),
		T(test_timer_rate_is_bounded),
		T(test_timer_makes_up_for_late_ticks),
		T(test_hpet_legacy_stops_the_timer),
		T(test_state_round_trip),
		T(test_hostile_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
