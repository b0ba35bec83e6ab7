// SPDX-License-Identifier: GPL-2.0-only
// SOURCES: dom0-shim/irqchip/routing.c
/*
 * GSI routing tables from user space's entries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "dom0-shim/irqchip/routing.h"

#include <cmocka.h>

static struct bp_routing *table;
static struct kvm_irq_routing_entry entries[BP_ROUTING_DEFAULT];

static int alloc(void **state)
{
	(void)state;
	memset(entries, 0, sizeof(entries));
	/* No byte more than asked for: the sanitizer watches. */
	table = malloc(bp_routing_size(BP_ROUTING_DEFAULT));
	return !table;
}

static int release(void **state)
{
	(void)state;
	free(table);
	return 0;
}

static struct kvm_irq_routing_entry chip(u32 gsi, u32 irqchip, u32 pin)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { irqchip, pin },
	};
}

static struct kvm_irq_routing_entry msi(u32 gsi, u32 lo, u32 hi, u32 data)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = lo, .address_hi = hi, .data = data },
	};
}

static int fill(u32 n)
{
	return bp_routing_fill(table, entries, n, true, false, 1024);
}

static unsigned int count(u32 gsi)
{
	const struct bp_route *r = bp_routing_first(table, gsi);
	unsigned int n = 0;

	for (; r; r = bp_routing_next(table, r))
		n++;
	return n;
}

static void test_default_table(void **state)
{
	const struct bp_route *r;
	u32 gsi;

	(void)state;
	bp_routing_default(entries);
	assert_int_equal(fill(BP_ROUTING_DEFAULT), 0);
	for (gsi = 0; gsi < 24; gsi++) {
		assert_int_equal(count(gsi), gsi < 16 ? 2 : 1);
		assert_int_equal(table->ioapic_gsi[gsi], gsi);
		for (r = bp_routing_first(table, gsi); r;
		     r = bp_routing_next(table, r))
			assert_int_equal(r->pin, gsi);
	}
	for (gsi = 0; gsi < 16; gsi++)
		assert_int_equal(table->pic_gsi[gsi], gsi);
	assert_int_equal(count(24), 0);
	assert_int_equal(count(4095), 0);
}

static void test_empty_table(void **state)
{
	(void)state;
	assert_int_equal(bp_routing_fill(table, NULL, 0, true, false, 1024), 0);
	assert_int_equal(count(0), 0);
	assert_int_equal(count(4096), 0);
	assert_int_equal(count(0xffffffff), 0);
	assert_int_equal(table->pic_gsi[0], BP_ROUTING_NONE);
}

static void test_override_of_irq0(void **state)
{
	const struct bp_route *r;

	(void)state;
	entries[0] = chip(0, KVM_IRQCHIP_PIC_MASTER, 0);
	entries[1] = chip(0, KVM_IRQCHIP_IOAPIC, 2);
	entries[2] = chip(9, KVM_IRQCHIP_PIC_SLAVE, 1);
	assert_int_equal(fill(3), 0);
	assert_int_equal(count(0), 2);
	assert_int_equal(table->ioapic_gsi[2], 0);
	assert_int_equal(table->ioapic_gsi[0], BP_ROUTING_NONE);
	r = bp_routing_first(table, 9);
	assert_int_equal(r->chip, KVM_IRQCHIP_PIC_SLAVE);
	assert_int_equal(r->pin, 9);
}

static void test_message(void **state)
{
	const struct bp_route *r;

	(void)state;
	entries[0] = msi(4095, 0xfee01004, 0x12345678, 0x4041);
	entries[0].flags = KVM_MSI_VALID_DEVID;
	assert_int_equal(fill(1), 0);
	r = bp_routing_first(table, 4095);
	assert_int_equal(r->type, KVM_IRQ_ROUTING_MSI);
	assert_int_equal(r->address, 0xfee01004);
	assert_int_equal(r->data, 0x4041);
	assert_null(bp_routing_next(table, r));
}

static void test_message_with_wide_ids(void **state)
{
	(void)state;
	entries[0] = msi(30, 0xfee01004, 0x00000100, 0x4041);
	assert_int_equal(bp_routing_fill(table, entries, 1, true, true, 1024), 0);
	assert_int_equal(bp_routing_first(table, 30)->address,
			 0x100fee01004ull);
	entries[0] = msi(30, 0xfee01004, 0x00000101, 0x4041);
	assert_int_equal(bp_routing_fill(table, entries, 1, true, true, 1024),
			 -EINVAL);
}

static void test_one_pin_per_chip(void **state)
{
	(void)state;
	entries[0] = chip(5, KVM_IRQCHIP_IOAPIC, 5);
	entries[1] = chip(5, KVM_IRQCHIP_IOAPIC, 6);
	assert_int_equal(fill(2), -EINVAL);
	entries[1] = chip(5, KVM_IRQCHIP_PIC_MASTER, 5);
	assert_int_equal(fill(2), 0);
	entries[2] = chip(5, KVM_IRQCHIP_PIC_MASTER, 6);
	assert_int_equal(fill(3), -EINVAL);
}

static void test_message_stands_alone(void **state)
{
	(void)state;
	entries[0] = msi(5, 0xfee00000, 0, 0x41);
	entries[1] = msi(5, 0xfee00000, 0, 0x42);
	assert_int_equal(fill(2), -EINVAL);
	entries[1] = chip(5, KVM_IRQCHIP_IOAPIC, 6);
	assert_int_equal(fill(2), -EINVAL);
	entries[0] = chip(5, KVM_IRQCHIP_IOAPIC, 6);
	entries[1] = msi(5, 0xfee00000, 0, 0x42);
	assert_int_equal(fill(2), -EINVAL);
}

static void expect_refused(struct kvm_irq_routing_entry e)
{
	entries[0] = e;
	assert_int_equal(fill(1), -EINVAL);
}

static void test_what_does_not_exist(void **state)
{
	struct kvm_irq_routing_entry e;

	(void)state;
	expect_refused(chip(4096, KVM_IRQCHIP_IOAPIC, 0));
	expect_refused(chip(0xffffffff, KVM_IRQCHIP_IOAPIC, 0));
	expect_refused(chip(0, KVM_IRQCHIP_IOAPIC, 24));
	expect_refused(chip(0, KVM_IRQCHIP_PIC_MASTER, 8));
	expect_refused(chip(0, KVM_IRQCHIP_PIC_SLAVE, 8));
	expect_refused(chip(0, KVM_IRQCHIP_PIC_SLAVE, 0xffffffff));
	expect_refused(chip(0, 3, 0));
	e = chip(0, KVM_IRQCHIP_IOAPIC, 0);
	e.flags = 1;
	expect_refused(e);
	e = msi(0, 0, 0, 0);
	e.flags = 2;
	expect_refused(e);
	e.flags = 0;
	e.type = 0;
	expect_refused(e);
	e.type = KVM_IRQ_ROUTING_HV_SINT;
	e.flags = 1;
	expect_refused(e);
}

static void test_sources_of_a_synic(void **state)
{
	(void)state;
	entries[0] = (struct kvm_irq_routing_entry){
		.gsi = 5, .type = KVM_IRQ_ROUTING_HV_SINT, .u.hv_sint = { .vcpu = 3, .sint = 2 },
	};
	assert_int_equal(fill(1), 0);
	assert_int_equal(table->n, 1);
	assert_int_equal(table->route[0].gsi, 5);
	assert_true(bp_routing_is_sint(bp_routing_first(table, 5), 3, 2));
	assert_false(bp_routing_is_sint(bp_routing_first(table, 5), 3, 1));
	assert_false(bp_routing_is_sint(bp_routing_first(table, 5), 2, 2));
	assert_null(bp_routing_first(table, 6));
	assert_false(bp_routing_level_vector(table, 6, 2));
	/* Nor anything besides. */
	entries[1] = chip(5, KVM_IRQCHIP_IOAPIC, 6);
	assert_int_equal(fill(2), -EINVAL);
}

static void test_events(void **state)
{
	const struct bp_route *r;

	(void)state;
	entries[0] = (struct kvm_irq_routing_entry){
		.gsi = 32, .type = KVM_IRQ_ROUTING_XEN_EVTCHN,
		.u.xen_evtchn = { .port = 1023, .vcpu = 7,
				  .priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL },
	};
	assert_int_equal(fill(1), 0);
	r = bp_routing_first(table, 32);
	assert_true(r->address == 7 && r->data == 1023);
	assert_false(bp_routing_is_sint(r, 7, 1023));
	entries[1] = entries[0];
	assert_int_equal(fill(2), -EINVAL);
	entries[0].u.xen_evtchn.port = 1024;	/* there are as many as the guest's layout has */
	assert_int_equal(fill(1), -EINVAL);
	assert_int_equal(bp_routing_fill(table, entries, 1, true, false, 4096), 0);
	entries[0].flags = 1;
	assert_int_equal(bp_routing_fill(table, entries, 1, true, false, 4096), -EINVAL);
	entries[0].flags = 0;
	entries[0].u.xen_evtchn.priority = 0;
	assert_int_equal(bp_routing_fill(table, entries, 1, true, false, 4096), -EINVAL);
}

static void test_split_has_no_chips(void **state)
{
	(void)state;
	entries[0] = chip(0, KVM_IRQCHIP_IOAPIC, 0);
	assert_int_equal(bp_routing_fill(table, entries, 1, false, false, 1024),
			 -EINVAL);
	entries[0] = msi(0, 0xfee00000, 0, 0x41);
	assert_int_equal(bp_routing_fill(table, entries, 1, false, false, 1024), 0);
}

static void test_full_table(void **state)
{
	struct kvm_irq_routing_entry *all;
	u32 i;

	(void)state;
	all = calloc(BP_ROUTING_MAX, sizeof(*all));
	assert_non_null(all);
	for (i = 0; i < BP_ROUTING_MAX; i++)
		all[i] = msi(BP_ROUTING_MAX - 1 - i, 0xfee00000, 0, i);
	free(table);
	table = malloc(bp_routing_size(BP_ROUTING_MAX));
	assert_non_null(table);
	assert_int_equal(bp_routing_fill(table, all, BP_ROUTING_MAX, true,
					 false, 1024), 0);
	for (i = 0; i < BP_ROUTING_MAX; i++)
		assert_int_equal(bp_routing_first(table, i)->data,
				 BP_ROUTING_MAX - 1 - i);
	free(all);
}

#define T(name) cmocka_unit_test_setup_teardown(name, alloc, release)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_default_table),
		T(test_empty_table),
		T(test_override_of_irq0),
		T(test_message),
		T(test_message_with_wide_ids),
		T(test_one_pin_per_chip),
		T(test_message_stands_alone),
		T(test_what_does_not_exist),
		T(test_sources_of_a_synic),
		T(test_events),
		T(test_split_has_no_chips),
		T(test_full_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
