// SPDX-License-Identifier: GPL-2.0-only
// SOURCES: dom0-shim/irqchip/ioapic.c
/*
 * The I/O APIC against a fake bus that records messages.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "dom0-shim/irqchip/ioapic.h"

#include <cmocka.h>

#define USER	0
#define PIT	2

#define MASKED	(1u << 16)
#define LEVEL	(1u << 15)
#define LOGICAL	(1u << 11)

static struct bp_ioapic ioapic;

static struct {
	int sent;
	u64 address;
	u32 data;
	int accept;		/* what the bus answers */
	int deferred;
} bus;

static int deliver(struct bp_ioapic *from, u64 address, u32 data)
{
	assert_ptr_equal(from, &ioapic);
	bus.sent++;
	bus.address = address;
	bus.data = data;
	return bus.accept;
}

static void defer(struct bp_ioapic *from)
{
	assert_ptr_equal(from, &ioapic);
	bus.deferred++;
}

static const struct bp_ioapic_ops ops = { deliver, defer };

static int reset(void **state)
{
	(void)state;
	memset(&bus, 0, sizeof(bus));
	bus.accept = 1;
	bp_ioapic_init(&ioapic, &ops);
	return 0;
}

static void write_reg(u32 reg, u32 val)
{
	bp_ioapic_write(&ioapic, 0x00, reg);
	bp_ioapic_write(&ioapic, 0x10, val);
}

static u32 read_reg(u32 reg)
{
	bp_ioapic_write(&ioapic, 0x00, reg);
	return bp_ioapic_read(&ioapic, 0x10);
}

static void program(unsigned int pin, u8 dest, u32 low)
{
	write_reg(0x11 + 2 * pin, (u32)dest << 24);
	write_reg(0x10 + 2 * pin, low);
}

static int set(unsigned int pin, bool level)
{
	return bp_ioapic_set(&ioapic, pin, USER, level);
}

static bool remote_irr(unsigned int pin)
{
	return read_reg(0x10 + 2 * pin) & (1u << 14);
}

static void eoi(u8 vector)
{
	u32 pins = bp_ioapic_pins_of(&ioapic, vector);
	unsigned int pin;

	for (pin = 0; pin < BP_IOAPIC_PINS; pin++)
		if (pins & BIT(pin))
			bp_ioapic_eoi(&ioapic, pin);
}

static void test_registers(void **state)
{
	unsigned int pin;

	(void)state;
	assert_int_equal(read_reg(1), 0x00170011);
	write_reg(1, 0xffffffff);
	assert_int_equal(read_reg(1), 0x00170011);
	write_reg(0, 0xffffffff);
	assert_int_equal(read_reg(0), 0x0f000000);
	assert_int_equal(read_reg(2), 0x0f000000);
	assert_int_equal(bp_ioapic_read(&ioapic, 0x00), 2);
	bp_ioapic_write(&ioapic, 0x00, 0x123);
	assert_int_equal(bp_ioapic_read(&ioapic, 0x00), 0x23);
	for (pin = 0; pin < BP_IOAPIC_PINS; pin++) {
		assert_int_equal(read_reg(0x10 + 2 * pin), MASKED);
		assert_int_equal(read_reg(0x11 + 2 * pin), 0);
	}
	assert_int_equal(read_reg(0x40), 0xffffffff);
	assert_int_equal(read_reg(0x03), 0);
	write_reg(0x40, 0);
	write_reg(0xff, 0);
	assert_int_equal(bp_ioapic_read(&ioapic, 0x20), 0);
	bp_ioapic_write(&ioapic, 0x40, 0x30);	/* no EOI register */
	assert_int_equal(bus.sent, 0);
}

static void test_read_only_and_reserved_bits(void **state)
{
	(void)state;
	program(7, 0xab, 0xffffffff);
	assert_int_equal(read_reg(0x1e), 0x1afff);
	write_reg(0x1f, 0xffffffff);
	assert_int_equal(read_reg(0x1f), 0xff000000);
	assert_int_equal(bus.sent, 0);
}

static void test_edge_message(void **state)
{
	(void)state;
	program(4, 0x21, 0x31);
	assert_int_equal(set(4, true), 1);
	assert_int_equal(bus.sent, 1);
	assert_int_equal(bus.address, 0xfee21000);
	assert_int_equal(bus.data, 0x4031);
	assert_int_equal(set(4, true), 0);
	assert_int_equal(bus.sent, 1);
	assert_int_equal(set(4, false), 1);
	assert_false(remote_irr(4));
	assert_int_equal(set(4, true), 1);
	assert_int_equal(bus.sent, 2);
}

static void test_logical_lowest_priority_level_message(void **state)
{
	(void)state;
	program(10, 0x0f, LEVEL | LOGICAL | 1 << 8 | 0x59);
	bus.accept = 2;
	assert_int_equal(set(10, true), 2);
	assert_int_equal(bus.address, 0xfee0f004);
	assert_int_equal(bus.data, 0xc159);
	assert_true(remote_irr(10));
}

static void test_level_in_service(void **state)
{
	(void)state;
	program(10, 0, LEVEL | 0x59);
	set(10, true);
	assert_int_equal(set(10, true), -1);
	assert_int_equal(bus.sent, 1);
	eoi(0x58);
	assert_true(remote_irr(10));
	eoi(0x59);
	assert_int_equal(bus.sent, 2);	/* still high: again */
	assert_true(remote_irr(10));
	set(10, false);
	eoi(0x59);
	assert_int_equal(bus.sent, 2);
	assert_false(remote_irr(10));
}

static void test_level_while_masked(void **state)
{
	(void)state;
	program(10, 0, MASKED | LEVEL | 0x59);
	assert_int_equal(set(10, true), -1);
	program(10, 0, LEVEL | 0x59);
	assert_int_equal(bus.sent, 1);
	program(10, 0, MASKED | LEVEL | 0x59);
	assert_true(remote_irr(10));	/* masking does not end service */
	eoi(0x59);
	assert_false(remote_irr(10));
	assert_int_equal(bus.sent, 1);
	program(10, 0, LEVEL | 0x59);
	assert_int_equal(bus.sent, 2);
}

static void test_edge_while_masked_is_lost(void **state)
{
	(void)state;
	program(0, 0, MASKED | 0x30);
	assert_int_equal(set(0, true), -1);
	set(0, false);
	program(0, 0, 0x30);
	assert_int_equal(bus.sent, 0);
}

static void test_switch_to_edge_clears_remote_irr(void **state)
{
	(void)state;
	program(10, 0, LEVEL | 0x59);
	set(10, true);
	set(10, false);
	program(10, 0, MASKED | 0x59);
	program(10, 0, LEVEL | 0x59);
	assert_false(remote_irr(10));
	set(10, true);
	assert_int_equal(bus.sent, 2);
}

static void test_nobody_accepts(void **state)
{
	(void)state;
	program(10, 0x77, LEVEL | 0x59);
	bus.accept = 0;
	assert_int_equal(set(10, true), 0);
	assert_false(remote_irr(10));
	bus.accept = 1;
	assert_int_equal(set(10, true), 1);	/* no longer lost */
	assert_true(remote_irr(10));
}

static void test_delivery_modes(void **state)
{
	(void)state;
	program(1, 0, LEVEL | 4 << 8);		/* NMI is an edge */
	assert_int_equal(set(1, true), 1);
	assert_int_equal(bus.data, 0x4400);
	assert_false(remote_irr(1));
	assert_int_equal(bp_ioapic_pins_of(&ioapic, 0), 0);
	bus.sent = 0;
	program(0, 0, 7 << 8);			/* ExtINT: LINT0's business */
	assert_int_equal(set(0, true), 0);
	assert_int_equal(bus.sent, 0);
}

static void test_sources_are_ored(void **state)
{
	(void)state;
	program(2, 0, LEVEL | 0x40);
	bp_ioapic_set(&ioapic, 2, USER, true);
	bp_ioapic_set(&ioapic, 2, PIT, true);
	bp_ioapic_set(&ioapic, 2, USER, false);
	eoi(0x40);
	assert_int_equal(bus.sent, 2);
	bp_ioapic_set(&ioapic, 2, PIT, false);
	eoi(0x40);
	assert_int_equal(bus.sent, 2);
}

static void test_shared_vector(void **state)
{
	(void)state;
	program(3, 0, LEVEL | 0x60);
	program(5, 0, LEVEL | 0x60);
	program(6, 0, 0x60);
	assert_int_equal(bp_ioapic_pins_of(&ioapic, 0x60), BIT(3) | BIT(5));
	set(3, true);
	set(5, true);
	set(3, false);
	eoi(0x60);
	assert_false(remote_irr(3));
	assert_true(remote_irr(5));
}

static void test_eoi_of_a_pin_turned_edge(void **state)
{
	u32 pins;

	(void)state;
	program(3, 0, LEVEL | 0x60);
	set(3, true);
	pins = bp_ioapic_pins_of(&ioapic, 0x60);
	program(3, 0, 0x60);
	bus.sent = 0;
	assert_int_equal(pins, BIT(3));
	bp_ioapic_eoi(&ioapic, 3);
	assert_int_equal(bus.sent, 0);
}

static void test_storm_is_deferred(void **state)
{
	int i;

	(void)state;
	program(10, 0, LEVEL | 0x59);
	set(10, true);
	for (i = 0; i < BP_IOAPIC_STORM - 1; i++)
		eoi(0x59);
	assert_int_equal(bus.sent, BP_IOAPIC_STORM);
	assert_int_equal(bus.deferred, 0);
	eoi(0x59);
	assert_int_equal(bus.sent, BP_IOAPIC_STORM);
	assert_int_equal(bus.deferred, 1);
	bp_ioapic_retry(&ioapic);
	assert_int_equal(bus.sent, BP_IOAPIC_STORM + 1);
	bp_ioapic_retry(&ioapic);
	assert_int_equal(bus.sent, BP_IOAPIC_STORM + 1);
	eoi(0x59);
	set(10, false);
	eoi(0x59);
	assert_int_equal(bus.deferred, 1);
}

static void test_state_round_trip(void **state)
{
	struct kvm_ioapic_state saved, again;

	(void)state;
	program(10, 3, LEVEL | 0x59);
	program(11, 4, MASKED | LEVEL | 0x5a);
	program(4, 5, 0x31);
	write_reg(0, 0x02000000);
	set(10, true);
	set(11, true);
	set(4, true);
	bp_ioapic_get_state(&ioapic, &saved);
	assert_int_equal(saved.base_address, 0xfec00000);
	assert_int_equal(saved.id, 2);
	assert_int_equal(saved.irr, BIT(10) | BIT(11));	/* 4 was sent */
	assert_int_equal(saved.redirtbl[10].fields.remote_irr, 1);
	assert_int_equal(saved.redirtbl[10].fields.dest_id, 3);
	assert_int_equal(saved.redirtbl[4].fields.vector, 0x31);

	reset(NULL);
	bp_ioapic_set_state(&ioapic, &saved);
	assert_int_equal(bus.sent, 0);	/* 10 in service, 11 masked */
	bp_ioapic_get_state(&ioapic, &again);
	assert_memory_equal(&saved, &again, sizeof(saved));
	eoi(0x59);
	assert_int_equal(bus.sent, 1);
}

static void test_unsent_edge_stays_a_request(void **state)
{
	struct kvm_ioapic_state saved;

	(void)state;
	program(4, 5, 0x31);
	set(4, true);
	set(4, false);
	program(4, 5, MASKED | 0x31);
	set(4, true);
	bp_ioapic_get_state(&ioapic, &saved);
	assert_int_equal(saved.irr, BIT(4));
	program(4, 5, 0x31);
	set(4, false);
	set(4, true);
	program(4, 5, MASKED | LEVEL | 0x31);	/* now the level counts */
	bp_ioapic_get_state(&ioapic, &saved);
	assert_int_equal(saved.irr, BIT(4));
}

static void test_set_state_replays_requests(void **state)
{
	struct kvm_ioapic_state saved;

	(void)state;
	program(10, 3, LEVEL | 0x59);
	program(4, 5, 0x31);
	bp_ioapic_get_state(&ioapic, &saved);
	saved.irr = BIT(10) | BIT(4) | 0xff000000;
	bp_ioapic_set_state(&ioapic, &saved);
	assert_int_equal(bus.sent, 2);
	assert_true(remote_irr(10));
}

static void test_hostile_state(void **state)
{
	struct kvm_ioapic_state bad;

	(void)state;
	memset(&bad, 0xff, sizeof(bad));
	bp_ioapic_set_state(&ioapic, &bad);
	assert_int_equal(bus.sent, 0);
	assert_int_equal(read_reg(0), 0x0f000000);
	assert_int_equal(read_reg(0x10), 0x1ffff);
	assert_int_equal(read_reg(0x11), 0xff000000);
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_registers),
		T(test_read_only_and_reserved_bits),
		T(test_edge_message),
		T(test_logical_lowest_priority_level_message),
		T(test_level_in_service),
		T(test_level_while_masked),
		T(test_edge_while_masked_is_lost),
		T(test_switch_to_edge_clears_remote_irr),
		T(test_nobody_accepts),
		T(test_delivery_modes),
		T(test_sources_are_ored),
		T(test_shared_vector),
		T(test_eoi_of_a_pin_turned_edge),
		T(test_storm_is_deferred),
		T(test_state_round_trip),
		T(test_unsent_edge_stays_a_request),
		T(test_set_state_replays_requests),
		T(test_hostile_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
