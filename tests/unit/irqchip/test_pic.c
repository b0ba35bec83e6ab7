// SPDX-License-Identifier: GPL-2.0-only
// SOURCES: dom0-shim/irqchip/i8259.c
/*
 * The i8259 pair, as the Intel data sheet and KVM's users have it.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "dom0-shim/irqchip/i8259.h"

#include <cmocka.h>

#define USER	0
#define PIT	2

#define EOI		0x20
#define SPECIFIC_EOI(n)	(0x60 | (n))
#define POLL		0x0c
#define READ_IRR	0x0a
#define READ_ISR	0x0b

static struct bp_pic pic;

static void program_chip(u16 port, u8 base, u8 icw3, u8 icw4)
{
	bp_pic_write(&pic, port, 0x11);
	bp_pic_write(&pic, port + 1, base);
	bp_pic_write(&pic, port + 1, icw3);
	bp_pic_write(&pic, port + 1, icw4);
}

/* As a PC's firmware leaves it, everything unmasked. */
static int program(void **state)
{
	(void)state;
	bp_pic_init(&pic);
	program_chip(0x20, 0x30, 0x04, 0x01);
	program_chip(0xa0, 0x38, 0x02, 0x01);
	return 0;
}

static int pulse(unsigned int pin)
{
	int ret = bp_pic_set(&pic, pin, USER, true);

	bp_pic_set(&pic, pin, USER, false);
	return ret;
}

static u8 read_ocw3(u16 port, u8 what)
{
	bp_pic_write(&pic, port, what);
	return bp_pic_read(&pic, port);
}

static void test_edge_is_latched_and_served_once(void **state)
{
	(void)state;
	assert_false(pic.output);
	assert_int_equal(pulse(3), 1);
	assert_true(pic.output);
	assert_int_equal(pulse(3), 0);
	assert_int_equal(read_ocw3(0x20, READ_IRR), 0x08);
	assert_int_equal(bp_pic_intack(&pic), 0x33);
	assert_false(pic.output);
	assert_int_equal(read_ocw3(0x20, READ_IRR), 0);
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0x08);
	assert_int_equal(pic.acked, 0);
	bp_pic_write(&pic, 0x20, EOI);
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0);
	assert_int_equal(pic.acked, 0x08);
	assert_false(pic.output);
}

static void test_high_line_makes_one_edge(void **state)
{
	(void)state;
	assert_int_equal(bp_pic_set(&pic, 4, USER, true), 1);
	assert_int_equal(bp_pic_intack(&pic), 0x34);
	bp_pic_write(&pic, 0x20, EOI);
	assert_int_equal(bp_pic_set(&pic, 4, USER, true), 1);
	assert_false(pic.output);
}

static void test_first_pin_of_each_chip(void **state)
{
	(void)state;
	pulse(0);
	assert_true(pic.output);
	assert_int_equal(bp_pic_intack(&pic), 0x30);
	bp_pic_write(&pic, 0x20, EOI);
	pulse(8);
	assert_true(pic.output);
	assert_int_equal(bp_pic_intack(&pic), 0x38);
	assert_int_equal(read_ocw3(0xa0, READ_ISR), 0x01);
}

static void test_sources_are_ored(void **state)
{
	(void)state;
	bp_pic_write(&pic, 0x4d0, 0x20);
	assert_int_equal(bp_pic_set(&pic, 5, USER, true), 1);
	assert_int_equal(bp_pic_set(&pic, 5, PIT, true), 0);
	bp_pic_set(&pic, 5, USER, false);
	assert_true(pic.output);
	bp_pic_set(&pic, 5, PIT, false);
	assert_false(pic.output);
}

static void test_level_asks_again_after_eoi(void **state)
{
	(void)state;
	bp_pic_write(&pic, 0x4d0, 0x20);
	bp_pic_set(&pic, 5, USER, true);
	assert_int_equal(bp_pic_intack(&pic), 0x35);
	assert_false(pic.output);
	bp_pic_write(&pic, 0x20, EOI);
	assert_true(pic.output);
	bp_pic_set(&pic, 5, USER, false);
	assert_false(pic.output);
}

static void test_mask(void **state)
{
	(void)state;
	bp_pic_write(&pic, 0x21, 0x02);
	assert_int_equal(bp_pic_read(&pic, 0x21), 0x02);
	assert_int_equal(pulse(1), -1);
	assert_false(pic.output);
	bp_pic_write(&pic, 0x21, 0);
	assert_true(pic.output);	/* the edge had been latched */
	assert_int_equal(bp_pic_intack(&pic), 0x31);
}

static void test_priorities_nest(void **state)
{
	(void)state;
	pulse(5);
	assert_int_equal(bp_pic_intack(&pic), 0x35);
	pulse(6);
	assert_false(pic.output);
	pulse(1);
	assert_true(pic.output);
	assert_int_equal(bp_pic_intack(&pic), 0x31);
	bp_pic_write(&pic, 0x20, EOI);	/* ends 1, the more urgent */
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0x20);
	assert_false(pic.output);
	bp_pic_write(&pic, 0x20, EOI);
	assert_int_equal(bp_pic_intack(&pic), 0x36);
}

static void test_slave_through_cascade(void **state)
{
	(void)state;
	assert_int_equal(pulse(12), 1);
	assert_int_equal(bp_pic_intack(&pic), 0x3c);
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0x04);
	assert_int_equal(read_ocw3(0xa0, READ_ISR), 0x10);
	bp_pic_write(&pic, 0xa0, EOI);
	bp_pic_write(&pic, 0x20, EOI);
	assert_int_equal(pic.acked, BIT(12) | BIT(2));
	assert_false(pic.output);
}

static void test_two_slave_requests_in_a_row(void **state)
{
	(void)state;
	pulse(12);
	pulse(14);
	assert_int_equal(bp_pic_intack(&pic), 0x3c);
	bp_pic_write(&pic, 0xa0, EOI);
	assert_false(pic.output);
	bp_pic_write(&pic, 0x20, EOI);
	assert_true(pic.output);
	assert_int_equal(bp_pic_intack(&pic), 0x3e);
}

static void test_withdrawn_slave_request_leaves_nothing(void **state)
{
	(void)state;
	bp_pic_write(&pic, 0x4d1, 0x10);
	bp_pic_set(&pic, 12, USER, true);
	assert_true(pic.output);
	bp_pic_set(&pic, 12, USER, false);
	assert_false(pic.output);
}

static void test_special_fully_nested(void **state)
{
	(void)state;
	pulse(12);
	bp_pic_intack(&pic);
	pulse(9);
	assert_false(pic.output);	/* the master is busy with its pin 2 */

	program_chip(0x20, 0x30, 0x04, 0x11);
	program_chip(0xa0, 0x38, 0x02, 0x01);
	pulse(12);
	bp_pic_intack(&pic);
	pulse(9);
	assert_true(pic.output);
	assert_int_equal(bp_pic_intack(&pic), 0x39);
}

static void test_spurious(void **state)
{
	(void)state;
	assert_int_equal(bp_pic_intack(&pic), 0x37);
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0);

	/* Master chose pin 2, and the slave's request is gone: IRQ 15. */
	pulse(12);
	pic.chip[1].irr = 0;
	assert_int_equal(bp_pic_intack(&pic), 0x3f);
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0x04);
	assert_int_equal(read_ocw3(0xa0, READ_ISR), 0);
}

static void test_auto_eoi(void **state)
{
	(void)state;
	program_chip(0x20, 0x30, 0x04, 0x03);
	pulse(4);
	assert_int_equal(bp_pic_intack(&pic), 0x34);
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0);
	assert_int_equal(pic.acked, 0x10);
	pulse(4);
	assert_true(pic.output);
}

static void test_rotation(void **state)
{
	(void)state;
	pulse(3);
	bp_pic_intack(&pic);
	bp_pic_write(&pic, 0x20, 0xa0);	/* rotate on non-specific EOI */
	pulse(3);
	pulse(4);
	assert_int_equal(bp_pic_intack(&pic), 0x34);	/* 3 is last now */
	bp_pic_write(&pic, 0x20, 0xe0 | 4);	/* rotate on specific EOI */
	pulse(5);
	assert_int_equal(bp_pic_intack(&pic), 0x35);
	bp_pic_write(&pic, 0x20, SPECIFIC_EOI(5));
	bp_pic_write(&pic, 0x20, 0xc0 | 7);	/* set priority: 0 first */
	pulse(0);
	assert_int_equal(bp_pic_intack(&pic), 0x30);
}

static void test_rotation_in_auto_eoi(void **state)
{
	(void)state;
	program_chip(0x20, 0x30, 0x04, 0x03);
	bp_pic_write(&pic, 0x20, 0x80);
	pulse(1);
	assert_int_equal(bp_pic_intack(&pic), 0x31);
	pulse(1);
	pulse(6);
	assert_int_equal(bp_pic_intack(&pic), 0x36);
	bp_pic_write(&pic, 0x20, 0x00);		/* rotation off */
	assert_int_equal(bp_pic_intack(&pic), 0x31);
}

static void test_special_mask(void **state)
{
	(void)state;
	pulse(3);
	bp_pic_intack(&pic);
	pulse(5);
	assert_false(pic.output);
	bp_pic_write(&pic, 0x21, 0x08);
	bp_pic_write(&pic, 0x20, 0x68);	/* special mask on */
	assert_true(pic.output);	/* 5 no longer waits for 3 */
	assert_int_equal(bp_pic_intack(&pic), 0x35);
	bp_pic_write(&pic, 0x20, EOI);	/* means 5, not the masked 3 */
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0x08);
	pulse(6);
	assert_true(pic.output);
	bp_pic_write(&pic, 0x20, 0x48);	/* and off */
	assert_false(pic.output);
}

static void test_poll(void **state)
{
	(void)state;
	bp_pic_write(&pic, 0x20, POLL);
	assert_int_equal(bp_pic_read(&pic, 0x20), 0);
	pulse(6);
	bp_pic_write(&pic, 0x20, POLL);
	assert_int_equal(bp_pic_read(&pic, 0x20), 0x86);
	assert_false(pic.output);
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0x40);
	pulse(10);
	bp_pic_write(&pic, 0xa0, POLL);
	assert_int_equal(bp_pic_read(&pic, 0xa1), 0x82);
	assert_false(pic.output);
}

static void test_elcr_masks(void **state)
{
	(void)state;
	bp_pic_write(&pic, 0x4d0, 0xff);
	bp_pic_write(&pic, 0x4d1, 0xff);
	assert_int_equal(bp_pic_read(&pic, 0x4d0), 0xf8);
	assert_int_equal(bp_pic_read(&pic, 0x4d1), 0xde);
}

static void test_init_forgets_edges_and_keeps_levels(void **state)
{
	(void)state;
	bp_pic_write(&pic, 0x4d0, 0x20);
	bp_pic_set(&pic, 5, USER, true);
	pulse(3);
	pulse(0);
	bp_pic_intack(&pic);
	bp_pic_write(&pic, 0x21, 0xff);
	program_chip(0x20, 0x50, 0x04, 0x01);
	assert_int_equal(pic.acked, 0x01);
	assert_int_equal(bp_pic_read(&pic, 0x21), 0);
	assert_int_equal(read_ocw3(0x20, READ_IRR), 0x20);
	assert_int_equal(bp_pic_intack(&pic), 0x55);
}

static void test_icw4_is_optional(void **state)
{
	(void)state;
	program_chip(0x20, 0x30, 0x04, 0x03);
	bp_pic_write(&pic, 0x20, 0x10);	/* no ICW4: AEOI ends */
	bp_pic_write(&pic, 0x21, 0x40);
	bp_pic_write(&pic, 0x21, 0x04);
	bp_pic_write(&pic, 0x21, 0xfe);	/* an OCW1 already */
	assert_int_equal(bp_pic_read(&pic, 0x21), 0xfe);
	pulse(0);
	assert_int_equal(bp_pic_intack(&pic), 0x40);
	assert_int_equal(read_ocw3(0x20, READ_ISR), 0x01);
}

static void test_state_round_trip(void **state)
{
	struct kvm_pic_state saved[2];
	struct bp_pic copy;

	(void)state;
	pulse(12);
	pulse(3);
	bp_pic_intack(&pic);
	bp_pic_write(&pic, 0xa1, 0x80);
	bp_pic_get_state(&pic, 0, &saved[0]);
	bp_pic_get_state(&pic, 1, &saved[1]);
	copy = pic;
	bp_pic_init(&pic);
	bp_pic_set_state(&pic, 0, &saved[0]);
	bp_pic_set_state(&pic, 1, &saved[1]);
	assert_memory_equal(pic.chip, copy.chip, sizeof(pic.chip));
	assert_int_equal(pic.output, copy.output);
}

static void test_hostile_state(void **state)
{
	struct kvm_pic_state bad;
	unsigned int pin;

	(void)state;
	memset(&bad, 0xff, sizeof(bad));
	bp_pic_set_state(&pic, 0, &bad);
	bp_pic_set_state(&pic, 1, &bad);
	assert_int_equal(pic.chip[0].elcr, 0xf8);
	assert_int_equal(pic.chip[1].elcr_mask, 0xde);
	for (pin = 0; pin < BP_PIC_PINS; pin++)
		pulse(pin);
	bp_pic_intack(&pic);
	bp_pic_write(&pic, 0x20, EOI);
	assert_true(pic.chip[0].priority_add < 8);
}

static void test_reset_by_state_leaves_no_request(void **state)
{
	struct kvm_pic_state zero;

	(void)state;
	pulse(12);
	memset(&zero, 0, sizeof(zero));
	bp_pic_set_state(&pic, 0, &zero);
	bp_pic_set_state(&pic, 1, &zero);
	assert_false(pic.output);
}

static void test_ports(void **state)
{
	(void)state;
	assert_true(bp_pic_owns(0x20) && bp_pic_owns(0x21));
	assert_true(bp_pic_owns(0xa0) && bp_pic_owns(0xa1));
	assert_true(bp_pic_owns(0x4d0) && bp_pic_owns(0x4d1));
	assert_false(bp_pic_owns(0x1f) || bp_pic_owns(0x22) ||
		     bp_pic_owns(0xa2) || bp_pic_owns(0x4d2) || bp_pic_owns(0));
}

#define T(name) cmocka_unit_test_setup(name, program)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_edge_is_latched_and_served_once),
		T(test_high_line_makes_one_edge),
		T(test_first_pin_of_each_chip),
		T(test_sources_are_ored),
		T(test_level_asks_again_after_eoi),
		T(test_mask),
		T(test_priorities_nest),
		T(test_slave_through_cascade),
		T(test_two_slave_requests_in_a_row),
		T(test_withdrawn_slave_request_leaves_nothing),
		T(test_special_fully_nested),
		T(test_spurious),
		T(test_auto_eoi),
		T(test_rotation),
		T(test_rotation_in_auto_eoi),
		T(test_special_mask),
		T(test_poll),
		T(test_elcr_masks),
		T(test_init_forgets_edges_and_keeps_levels),
		T(test_icw4_is_optional),
		T(test_state_round_trip),
		T(test_hostile_state),
		T(test_reset_by_state_leaves_no_request),
		T(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
