// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts of a vCPU whose CPU delivers them: what is posted, pending, in service, ended. */
// SOURCES: hv/core/apic/vlapic.c hv/core/apic/vlapic_post.c hv/core/apic/vlapic_deliver.c hv/core/apic/vlapic_state.c hv/core/apic/vlapic_timer.c tests/unit/rig/vlapic_rig.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "vlapic_rig.h"

static struct vlapic_post post;

static int setup(void **state)
{
	int ret = rig_setup(state);

	memset(&post, 0, sizeof(post));
	v[0].apic.post = &post;
	return ret;
}

static struct vlapic *a(void)
{
	return &v[0].apic;
}

static bool posted(u8 vector)
{
	return post.vectors[vector / 64] & BIT(vector % 64);
}

static bool late(u8 vector)
{
	return post.late[vector / 64] & BIT(vector % 64);
}

static bool eoi_wanted(u8 vector)
{
	return post.eoi_exits[vector / 64] & BIT(vector % 64);
}

/* What the CPU does when it delivers the highest pending vector. */
static void cpu_delivers(u8 vector)
{
	assert_int_equal(vlapic_status(&v[0]) & 0xff, vector);
	*vec_word(a(), APIC_REG_IRR, vector) &= ~BIT(vector % 32);
	*vec_word(a(), APIC_REG_ISR, vector) |= BIT(vector % 32);
}

static void cpu_ends(u8 vector)
{
	assert_int_equal(vlapic_status(&v[0]) >> 8, vector);
	*vec_word(a(), APIC_REG_ISR, vector) &= ~BIT(vector % 32);
}

static void posting(void **state __unused)
{
	u32 vec;

	for (vec = 16; vec < 256; vec++) {
		assert_true(vlapic_set_irr(&v[0], vec, false));
		assert_false(vlapic_set_irr(&v[0], vec, false));
		assert_true(posted(vec));
		assert_false(irr(&v[0], vec));
		assert_int_equal(post.control, POST_OUTSTANDING);
		vlapic_collect(a());
		assert_false(posted(vec));
		assert_int_equal(post.control, 0);
		assert_true(irr(&v[0], vec));
		assert_false(vlapic_set_irr(&v[0], vec, false));
		assert_int_equal(vlapic_status(&v[0]), vec);
		assert_false(post.late_any || post.eoi_changed);
	}
	assert_int_equal(level_eois, 0);
}

static void collecting_says_so(void **state __unused)
{
	post.status_changed = false;
	vlapic_collect(a());
	assert_false(post.status_changed);
	/* Noticed by the CPU already, and nothing else. */
	post.control = POST_OUTSTANDING;
	vlapic_collect(a());
	assert_false(post.status_changed);
	vlapic_set_irr(&v[0], 0x31, false);
	assert_false(post.status_changed);
	vlapic_collect(a());
	assert_true(post.status_changed);
}

/* A level-triggered vector waits until its EOI exits, and then is posted like any. */
static void level_triggered(void **state __unused)
{
	assert_true(vlapic_set_irr(&v[0], 0x51, true));
	assert_true(late(0x51) && post.late_any);
	assert_false(posted(0x51) || post.control);
	assert_false(vlapic_set_irr(&v[0], 0x51, true));
	vlapic_collect(a());
	assert_true(irr(&v[0], 0x51) && eoi_wanted(0x51) && post.eoi_changed);
	assert_false(late(0x51) || post.late_any);
	cpu_delivers(0x51);
	cpu_ends(0x51);
	vlapic_ended(&v[0], 0x51);
	assert_int_equal(level_eois, 1);
	assert_int_equal(last_eoi, 0x51);
	post.eoi_changed = false;
	vlapic_set_irr(&v[0], 0x51, true);
	assert_true(posted(0x51));
	assert_false(late(0x51));
	vlapic_collect(a());
	assert_false(post.eoi_changed);
	/* The same vector, edge-triggered: the exit is for nothing, and nobody hears. */
	cpu_delivers(0x51);
	vlapic_set_irr(&v[0], 0x51, false);
	vlapic_ended(&v[0], 0x51);
	assert_int_equal(level_eois, 1);
	assert_true(eoi_wanted(0x51));
}

static void status(void **state __unused)
{
	assert_int_equal(vlapic_status(&v[0]), 0);
	vlapic_set_irr(&v[0], 0x31, false);
	vlapic_set_irr(&v[0], 0xef, false);
	vlapic_set_irr(&v[0], 0x80, true);
	assert_int_equal(vlapic_pending(&v[0]), 0xef);
	assert_int_equal(vlapic_status(&v[0]), 0xef);
	cpu_delivers(0xef);
	assert_int_equal(vlapic_status(&v[0]), 0xef80);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	assert_int_equal(reg(&v[0], APIC_REG_PPR), 0xe0);
	/* EOI by software, as in xAPIC mode. */
	post.status_changed = false;
	vlapic_write(&v[0], APIC_REG_EOI, 0);
	assert_true(post.status_changed);
	assert_int_equal(vlapic_status(&v[0]), 0x80);
	assert_int_equal(vlapic_pending(&v[0]), 0x80);
	cpu_delivers(0x80);
	vlapic_write(&v[0], APIC_REG_EOI, 0);
	assert_int_equal(last_eoi, 0x80);
	vlapic_write(&v[0], APIC_REG_EOI, 0);		/* nothing in service */
	assert_int_equal(level_eois, 1);
	/* Disabled by software: nothing is delivered, what waits stays. */
	post.status_changed = false;
	vlapic_write(&v[0], APIC_REG_SVR, 0xff);
	assert_true(post.status_changed);
	assert_int_equal(vlapic_status(&v[0]), 0);
	enable(&v[0]);
	assert_int_equal(vlapic_status(&v[0]), 0x31);
}

/* HLT ends for what the priorities let through, posted or pending. */
static void wakes(void **state __unused)
{
	assert_false(vlapic_has_interrupt(&v[0]));
	vlapic_write(&v[0], APIC_REG_TPR, 0x50);
	vlapic_set_irr(&v[0], 0x51, false);
	assert_false(vlapic_has_interrupt(&v[0]));
	vlapic_set_irr(&v[0], 0x61, false);
	assert_true(vlapic_has_interrupt(&v[0]));
	cpu_delivers(0x61);
	vlapic_write(&v[0], APIC_REG_TPR, 0);
	assert_false(vlapic_has_interrupt(&v[0]));
	/* The CPU itself made one pending. */
	*vec_word(a(), APIC_REG_IRR, 0x71) |= BIT(0x71 % 32);
	assert_true(vlapic_has_interrupt(&v[0]));
	/* Level-triggered ones that the CPU has not seen. */
	cpu_delivers(0x71);
	assert_false(vlapic_has_interrupt(&v[0]));
	vlapic_set_irr(&v[0], 0x91, true);
	assert_true(vlapic_has_interrupt(&v[0]));
}

static void notifying(void **state __unused)
{
	vlapic_icr_write(&v[1], 0ull << 32 | 0x4051);
	assert_int_equal(notified[0], 1);
	assert_true(posted(0x51));
	vlapic_icr_write(&v[1], 0x4400);			/* an NMI is for the run loop */
	assert_int_equal(notified[0], 1);
	assert_int_equal(kicked[0], 2);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0x61);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000);
	pass(1000000);
	assert_int_equal(notified[0], 2);
	assert_true(posted(0x61));
}

static void reset_forgets(void **state __unused)
{
	vlapic_set_irr(&v[0], 0x51, false);
	vlapic_set_irr(&v[0], 0x61, true);
	vlapic_collect(a());
	cpu_delivers(0x61);
	vlapic_set_irr(&v[0], 0x71, false);
	vlapic_set_irr(&v[0], 0x81, true);
	post.status_changed = false;
	vlapic_reset(&v[0]);
	enable(&v[0]);
	assert_false(posted(0x71) || late(0x81) || post.late_any || post.control);
	assert_true(post.status_changed);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	assert_int_equal(vlapic_status(&v[0]), 0);
	assert_true(eoi_wanted(0x61));			/* the CPU may know it: it stays */
}

static void state_round_trip(void **state __unused)
{
	struct kvm_lapic_state s, b;
	u32 *r = (u32 *)s.regs;

	vlapic_set_irr(&v[0], 0x61, true);
	vlapic_collect(a());
	cpu_delivers(0x61);
	vlapic_set_irr(&v[0], 0x71, false);
	vlapic_set_irr(&v[0], 0x82, true);
	vlapic_get_state(&v[0], &s);
	assert_true(r[(APIC_REG_IRR + 0x30) / 4] & BIT(0x11));
	assert_true(r[(APIC_REG_IRR + 0x40) / 4] & BIT(2));
	assert_int_equal(r[APIC_REG_PPR / 4], 0x60);

	/* In another vCPU, which learns whose EOIs to report. */
	setup(NULL);
	vlapic_set_irr(&v[0], 0x99, false);
	vlapic_set_state(&v[0], &s);
	assert_false(posted(0x99));
	assert_true(post.status_changed && post.eoi_changed);
	assert_true(eoi_wanted(0x61) && eoi_wanted(0x82));
	assert_false(eoi_wanted(0x71));
	assert_int_equal(vlapic_status(&v[0]), 0x6182);
	vlapic_get_state(&v[0], &b);
	assert_memory_equal(&s, &b, sizeof(s));
	vlapic_eoi(&v[0]);
	assert_int_equal(last_eoi, 0x61);
	assert_int_equal(vlapic_status(&v[0]), 0x0082);
}

/* Arbitrary state from the service VM: what is told to the CPU is what the page says. */
static void state_of_noise(void **state __unused)
{
	struct kvm_lapic_state s;
	u32 seed = 7, i, k;

	for (i = 0; i < 1000; i++) {
		for (k = 0; k < sizeof(s.regs); k++) {
			seed = seed * 1103515245 + 12345;
			s.regs[k] = i & 1 ? seed >> 16 : 0;
		}
		vlapic_set_state(&v[0], &s);
		enable(&v[0]);
		assert_int_equal(vlapic_status(&v[0]) >> 8, max(vec_highest(a(), APIC_REG_ISR), 0));
		assert_int_equal(vlapic_status(&v[0]) & 0xff,
				 max(vec_highest(a(), APIC_REG_IRR), 0));
		for (k = 0; k < 300; k++)
			vlapic_eoi(&v[0]);
		assert_int_equal(vlapic_status(&v[0]) >> 8, 0);
	}
}

static void modes(void **state __unused)
{
	assert_int_equal(a()->mode, VLAPIC_XAPIC);
	vlapic_write(&v[0], APIC_REG_SVR, 0xff);
	assert_int_equal(a()->mode, VLAPIC_XAPIC);
	to_x2apic(&v[0]);
	assert_int_equal(a()->mode, VLAPIC_OFF);
	enable(&v[0]);
	assert_int_equal(a()->mode, VLAPIC_X2APIC);
	assert_int_equal(vlapic_set_base(&v[0], APIC_BASE_DEFAULT), 0);
	assert_int_equal(a()->mode, VLAPIC_OFF);
	assert_int_equal(vlapic_set_base(&v[0], APIC_BASE_DEFAULT | APIC_BASE_ENABLE), 0);
	assert_int_equal(a()->mode, VLAPIC_XAPIC);
}

/* The CPU stores first and tells afterwards. */
static void stored(u32 offset, u32 val)
{
	a()->reg[offset / 4] = val;
	vlapic_written(&v[0], offset);
}

static void written_registers(void **state __unused)
{
	stored(APIC_REG_ID, 0x55000000);
	assert_int_equal(reg(&v[0], APIC_REG_ID), 0);
	stored(APIC_REG_LDR, 0x02ffffff);
	assert_int_equal(reg(&v[0], APIC_REG_LDR), 0x02000000);
	stored(APIC_REG_DFR, 0);
	assert_int_equal(reg(&v[0], APIC_REG_DFR), 0x0fffffff);
	stored(APIC_REG_LVT_LINT0, 0xffffffff);
	assert_int_equal(reg(&v[0], APIC_REG_LVT_LINT0), 0x0001a7ff);
	stored(APIC_REG_TIMER_DIV, 0xff);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_DIV), 0xb);
	vlapic_set_irr(&v[0], 0x61, true);
	vlapic_collect(a());
	cpu_delivers(0x61);
	stored(APIC_REG_EOI, 7);
	assert_int_equal(last_eoi, 0x61);
	assert_int_equal(a()->reg[APIC_REG_EOI / 4], 0);
	/* An IPI: the upper half was stored before. */
	a()->reg[0x310 / 4] = 2u << 24;
	stored(APIC_REG_ICR, 0x4052);
	assert_int_equal(hits(0x52), BIT(2));
	stored(APIC_REG_ESR, 0x77);
	assert_int_equal(reg(&v[0], APIC_REG_ESR), 0);
	stored(APIC_REG_SVR, 0xfffff0ff);
	assert_int_equal(reg(&v[0], APIC_REG_SVR), 0xff);
	assert_int_equal(reg(&v[0], APIC_REG_LVT_LINT0), 0x0001a7ff);
	/* Beyond the registers, or between them. */
	vlapic_written(&v[0], 0xff0);
	vlapic_written(&v[0], 0x00c);
	to_x2apic(&v[0]);
	stored(APIC_REG_SELF_IPI, 5);
	assert_int_equal(a()->reg[APIC_REG_SELF_IPI / 4], 0);
}

/* The mode that the timer leaves is known, though the register holds the new one already. */
static void written_timer_mode(void **state __unused)
{
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 2u << 17 | 0x61);
	vlapic_deadline_write(&v[0], hv_tsc() + 5000);
	assert_int_equal(vlapic_deadline_read(&v[0]), hv_tsc() + 5000);
	stored(APIC_REG_LVT_TIMER, 0x61);
	assert_null(a()->timer.cpu);
	stored(APIC_REG_TIMER_INIT, 1000);
	assert_non_null(a()->timer.cpu);
	stored(APIC_REG_LVT_TIMER, 1u << 17 | 0x62);	/* between counting modes it goes on */
	assert_non_null(a()->timer.cpu);
	stored(APIC_REG_LVT_TIMER, 2u << 17 | 0x62);
	assert_null(a()->timer.cpu);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_INIT), 0);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(posting), T(collecting_says_so), T(level_triggered), T(status), T(wakes),
		T(notifying), T(reset_forgets), T(state_round_trip), T(state_of_noise),
		T(modes), T(written_registers), T(written_timer_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
