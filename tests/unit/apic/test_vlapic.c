// SPDX-License-Identifier: GPL-2.0-only
/* The virtual local APIC: registers, priorities, modes, state. */
// SOURCES: tests/unit/rig/vlapic_rig.c hv/core/apic/vlapic.c hv/core/apic/vlapic_post.c hv/core/apic/vlapic_deliver.c hv/core/apic/vlapic_state.c hv/core/apic/vlapic_timer.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "vlapic_rig.h"

/* ---- power-up ---- */

static void power_up(void **state)
{
	(void)state;
	vlapic_init(&v[1], 5, false);
	assert_int_equal(v[1].apic.base, APIC_BASE_DEFAULT | APIC_BASE_ENABLE);
	assert_int_equal(v[0].apic.base & APIC_BASE_BSP, APIC_BASE_BSP);
	assert_int_equal(reg(&v[1], APIC_REG_ID), 5 << 24);
	assert_int_equal(reg(&v[1], APIC_REG_SVR), 0xff);
	assert_int_equal(reg(&v[1], APIC_REG_DFR), 0xffffffff);
	assert_int_equal(reg(&v[1], APIC_REG_LVT_LINT0), 0x10000);
	assert_int_equal(reg(&v[1], APIC_REG_VERSION) & 0xff, 0x14);
	/* Software-disabled: accepts nothing, and LVTs cannot be unmasked. */
	assert_int_equal(vlapic_deliver(&dom, NULL, 5, false, 0, DM_FIXED, 0x40, false), 0);
	vlapic_write(&v[1], APIC_REG_LVT_LINT0, 0x700);
	assert_int_equal(reg(&v[1], APIC_REG_LVT_LINT0), 0x10700);
}

/* ---- priorities ---- */

static void highest_vector_first(void **state)
{
	(void)state;
	assert_int_equal(vlapic_pending(&v[0]), -1);
	assert_true(vlapic_set_irr(&v[0], 0x31, false));
	assert_true(vlapic_set_irr(&v[0], 0xfe, false));
	assert_true(vlapic_set_irr(&v[0], 0x80, false));
	assert_false(vlapic_set_irr(&v[0], 0x80, false));
	assert_int_equal(vlapic_pending(&v[0]), 0xfe);
	vlapic_ack(&v[0], 0xfe);
	assert_false(irr(&v[0], 0xfe));
	assert_true(isr(&v[0], 0xfe));
	assert_int_equal(vlapic_pending(&v[0]), -1);
	assert_int_equal(reg(&v[0], APIC_REG_PPR), 0xf0);
	vlapic_eoi(&v[0]);
	assert_int_equal(vlapic_pending(&v[0]), 0x80);
	vlapic_ack(&v[0], 0x80);
	/* A higher class goes in between. */
	vlapic_set_irr(&v[0], 0x91, false);
	assert_int_equal(vlapic_pending(&v[0]), 0x91);
	vlapic_ack(&v[0], 0x91);
	vlapic_eoi(&v[0]);
	assert_false(isr(&v[0], 0x91));
	assert_true(isr(&v[0], 0x80));
	vlapic_eoi(&v[0]);
	assert_int_equal(vlapic_pending(&v[0]), 0x31);
	vlapic_ack(&v[0], 0x31);
	vlapic_eoi(&v[0]);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	vlapic_eoi(&v[0]);
	assert_int_equal(v[0].apic.isr_count, 0);
}

static void same_class_waits(void **state)
{
	(void)state;
	vlapic_set_irr(&v[0], 0x41, false);
	vlapic_ack(&v[0], 0x41);
	vlapic_set_irr(&v[0], 0x4f, false);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	assert_int_equal(vlapic_tpr_blocked(&v[0]), 0);
	vlapic_eoi(&v[0]);
	assert_int_equal(vlapic_pending(&v[0]), 0x4f);
}

static void tpr_holds_back(void **state)
{
	(void)state;
	vlapic_set_irr(&v[0], 0x52, false);
	vlapic_write(&v[0], APIC_REG_TPR, 0x50);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	assert_false(vlapic_has_interrupt(&v[0]));
	assert_int_equal(vlapic_tpr_blocked(&v[0]), 5);
	assert_int_equal(reg(&v[0], APIC_REG_PPR), 0x50);
	assert_int_equal(vlapic_get_cr8(&v[0]), 5);
	vlapic_set_cr8(&v[0], 4);
	assert_int_equal(reg(&v[0], APIC_REG_TPR), 0x40);
	assert_int_equal(vlapic_pending(&v[0]), 0x52);
	assert_int_equal(vlapic_tpr_blocked(&v[0]), 0);
	/* Held back by what is in service: a lower TPR would not help. */
	vlapic_ack(&v[0], 0x52);
	vlapic_set_irr(&v[0], 0x51, false);
	vlapic_set_cr8(&v[0], 15);
	assert_int_equal(vlapic_tpr_blocked(&v[0]), 0);
}

/* Vectors below 16 do not exist; nor do they come by messages. */
static void illegal_vectors(void **state)
{
	(void)state;
	assert_int_equal(vlapic_deliver(&dom, NULL, 0, false, 0, DM_FIXED, 15, false), 0);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	vlapic_write(&v[0], APIC_REG_ICR, 0x00040005);
	vlapic_write(&v[0], APIC_REG_ESR, 0);
	assert_int_equal(reg(&v[0], APIC_REG_ESR) & BIT(5), BIT(5));
	vlapic_write(&v[0], APIC_REG_ESR, 0);
	assert_int_equal(reg(&v[0], APIC_REG_ESR), 0);
}

static void level_eoi_is_told(void **state)
{
	(void)state;
	vlapic_deliver(&dom, NULL, 0, false, 0, DM_FIXED, 0x61, true);
	assert_true(reg(&v[0], APIC_REG_TMR + 0x30) & BIT(1));
	vlapic_ack(&v[0], 0x61);
	vlapic_write(&v[0], APIC_REG_EOI, 0);
	assert_int_equal(level_eois, 1);
	assert_int_equal(last_eoi, 0x61);
	/* The same vector, edge: no longer told. */
	vlapic_deliver(&dom, NULL, 0, false, 0, DM_FIXED, 0x61, false);
	vlapic_ack(&v[0], 0x61);
	vlapic_write(&v[0], APIC_REG_EOI, 0);
	assert_int_equal(level_eois, 1);
}

/* The PIC's way is open on the bootstrap processor, unless the VMM minds; INIT is a reset, too. */
static void lint0_after_reset(void **state)
{
	(void)state;
	vlapic_reset(&v[0]);
	assert_int_equal(reg(&v[0], APIC_REG_LVT_LINT0), 0x700);
	v[0].rules.flags = BP_RULE_LINT0_MASKED;
	vlapic_reset(&v[0]);
	assert_int_equal(reg(&v[0], APIC_REG_LVT_LINT0), 0x10000);
	v[0].rules.flags = 0;
}

static void extint_through_lint0(void **state)
{
	(void)state;
	v[0].extint = BP_EXTINT_HIGH;
	vlapic_write(&v[0], APIC_REG_LVT_LINT0, 0x10700);
	assert_false(vlapic_has_interrupt(&v[0]));
	v[0].extint |= BP_EXTINT_DIRECT;	/* the other line does not come by LINT0 */
	assert_true(vlapic_has_interrupt(&v[0]));
	v[0].extint = BP_EXTINT_HIGH;
	vlapic_write(&v[0], APIC_REG_LVT_LINT0, 0x700);
	assert_true(vlapic_accepts_extint(&v[0]));
	assert_true(vlapic_has_interrupt(&v[0]));
	vlapic_write(&v[0], APIC_REG_LVT_LINT0, 0x400);
	assert_false(vlapic_accepts_extint(&v[0]));
	vlapic_set_base(&v[0], APIC_BASE_DEFAULT | APIC_BASE_BSP);
	assert_true(vlapic_accepts_extint(&v[0]));
}

/* An event that was taken back: the next entry injects it, whatever LINT0 says. */
static void queued_vector(void **state)
{
	(void)state;
	vlapic_write(&v[0], APIC_REG_LVT_LINT0, 0x10700);
	assert_false(vlapic_accepts_extint(&v[0]));
	v[0].extint_queued = true;
	assert_true(vlapic_has_interrupt(&v[0]));
	v[0].extint_queued = false;
	assert_false(vlapic_has_interrupt(&v[0]));
}

/* ---- modes ---- */

static void base_transitions(void **state)
{
	const u64 en = APIC_BASE_ENABLE, x2 = APIC_BASE_EXTD, d = APIC_BASE_DEFAULT;

	(void)state;
	assert_true(vlapic_base_valid(d) && vlapic_base_valid(d | en | x2));
	assert_false(vlapic_base_valid(d | x2) || vlapic_base_valid(d | en | 1));
	assert_int_equal(vlapic_set_base(&v[1], d | x2), -EINVAL);
	assert_int_equal(vlapic_set_base(&v[1], d | en | 1), -EINVAL);
	assert_int_equal(vlapic_set_base(&v[1], d | en | BIT(60)), -EINVAL);
	assert_int_equal(vlapic_set_base(&v[1], d | en | x2), 0);
	assert_int_equal(vlapic_set_base(&v[1], d | en), -EINVAL);
	assert_int_equal(vlapic_set_base(&v[1], d), 0);
	assert_int_equal(vlapic_set_base(&v[1], d | en | x2), -EINVAL);
	assert_int_equal(vlapic_set_base(&v[1], d | en), 0);
	assert_int_equal(reg(&v[1], APIC_REG_ID), 1 << 24);
	/* Off and on again: as after power-up. */
	assert_int_equal(reg(&v[1], APIC_REG_SVR), 0xff);
}

static void off_takes_nothing(void **state)
{
	(void)state;
	vlapic_set_irr(&v[1], 0x40, false);
	assert_int_equal(vlapic_set_base(&v[1], APIC_BASE_DEFAULT), 0);
	assert_int_equal(vlapic_pending(&v[1]), -1);
	assert_false(vlapic_mmio_hit(&v[1], 0xfee00300));
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, false, 0, DM_FIXED, 0x40, false), N - 1);
	assert_int_equal(vlapic_deliver(&dom, NULL, 1, false, 0, DM_NMI, 0, false), 0);
}

static void mmio_only_in_xapic_mode(void **state)
{
	(void)state;
	assert_true(vlapic_mmio_hit(&v[0], 0xfee00300));
	assert_true(vlapic_mmio_hit(&v[0], 0xfee00fff));
	assert_false(vlapic_mmio_hit(&v[0], 0xfee01000));
	to_x2apic(&v[0]);
	assert_false(vlapic_mmio_hit(&v[0], 0xfee00300));
}

static void msr_access(void **state)
{
	u64 val;

	(void)state;
	assert_int_equal(vlapic_rdmsr(&v[0], 0x10, &val), -ENOENT);
	assert_int_equal(vlapic_rdmsr(&v[0], 0x802, &val), -EINVAL);
	to_x2apic(&v[0]);
	to_x2apic(&v[1]);
	assert_int_equal(vlapic_rdmsr(&v[0], 0x802, &val), 0);
	assert_int_equal(val, 0);
	assert_int_equal(vlapic_wrmsr(&v[0], 0x802, 1), -EINVAL);
	assert_int_equal(vlapic_rdmsr(&v[0], 0x80e, &val), -EINVAL);	/* DFR */
	assert_int_equal(vlapic_rdmsr(&v[0], 0x831, &val), -EINVAL);	/* ICR2 */
	assert_int_equal(vlapic_rdmsr(&v[0], 0x8ff, &val), -EINVAL);
	assert_int_equal(vlapic_wrmsr(&v[0], 0x80b, 1), -EINVAL);	/* EOI */
	assert_int_equal(vlapic_wrmsr(&v[0], 0x808, 1ull << 32), -EINVAL);
	assert_int_equal(vlapic_wrmsr(&v[0], 0x808, 0x100), -EINVAL);
	assert_int_equal(vlapic_wrmsr(&v[0], 0x830, 1ull << 32 | 0x40), 0);
	assert_int_equal(hits(0x40), 2);
	assert_int_equal(vlapic_rdmsr(&v[0], 0x830, &val), 0);
	assert_int_equal(val, 1ull << 32 | 0x40);
}

/* Every register that x2APIC mode has, at every offset: no other answer than 0 or -EINVAL. */
static void all_offsets(void **state)
{
	u32 offset, bit;
	u64 val;

	(void)state;
	for (offset = 0; offset < 0x1000; offset++) {
		int r = vlapic_read(&v[3], offset, &val);

		assert_true(r == 0 || r == -EINVAL);
		if (offset & 15)
			assert_int_equal(r, -EINVAL);
	}
	for (offset = 0; offset < 0x1000; offset += 16)
		for (bit = 0; bit < 32; bit++) {
			int r = vlapic_write(&v[3], offset, BIT(bit));

			assert_true(r == 0 || r == -EINVAL);
		}
	assert_int_equal(reg(&v[3], APIC_REG_VERSION) & 0xff, 0x14);
}

/* Domain 0 may set up AMD's extended LVTs; guests have none. */
static void extended_lvts(void **state)
{
	u64 val;
	u32 i;

	(void)state;
	to_x2apic(&v[0]);
	assert_int_equal(vlapic_rdmsr(&v[0], 0x852, &val), -EINVAL);
	assert_int_equal(vlapic_wrmsr(&v[0], 0x852, 0xf4), -EINVAL);
	dom.id = 0;
	lvt_writes = 0;
	for (i = 0; i < 4; i++) {
		assert_int_equal(vlapic_rdmsr(&v[0], 0x850 + i, &val), 0);
		assert_int_equal(val, 0x10000);
		assert_int_equal(vlapic_wrmsr(&v[0], 0x850 + i, 0xfffff0f4 + i), 0);
		assert_int_equal(reg(&v[0], 0x500 + 16 * i), 0x100f4 + i);
	}
	assert_int_equal(lvt_writes, 4);
	assert_int_equal(vlapic_wrmsr(&v[0], 0x833, 0xfa), 0);
	assert_int_equal(lvt_writes, 5);
	assert_int_equal(vlapic_rdmsr(&v[0], 0x854, &val), -EINVAL);
	assert_int_equal(vlapic_rdmsr(&v[0], 0x84f, &val), -EINVAL);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	vlapic_reset(&v[0]);
	assert_int_equal(reg(&v[0], 0x520), 0x10000);
}

/* ---- state ---- */

static void state_round_trip(void **state)
{
	struct kvm_lapic_state a, b;

	(void)state;
	vlapic_set_irr(&v[0], 0x40, false);
	vlapic_set_irr(&v[0], 0x90, true);
	vlapic_ack(&v[0], 0x90);
	vlapic_write(&v[0], APIC_REG_TPR, 0x20);
	vlapic_write(&v[0], APIC_REG_LDR, 0x01000000);
	vlapic_get_state(&v[0], &a);
	vlapic_reset(&v[0]);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	vlapic_set_state(&v[0], &a);
	vlapic_get_state(&v[0], &b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(v[0].apic.isr_count, 1);
	vlapic_eoi(&v[0]);
	assert_int_equal(last_eoi, 0x90);
	assert_int_equal(vlapic_pending(&v[0]), 0x40);
}

static void state_of_x2apic(void **state)
{
	struct kvm_lapic_state s;

	(void)state;
	to_x2apic(&v[2]);
	vlapic_get_state(&v[2], &s);
	assert_int_equal(((u32 *)s.regs)[APIC_REG_ID / 4], 2 << 24);
	vlapic_set_state(&v[2], &s);
	assert_int_equal(reg(&v[2], APIC_REG_ID), 2);
	((u32 *)s.regs)[APIC_REG_ID / 4] = 3 << 24;
	vlapic_set_state(&v[2], &s);
	assert_int_equal(reg(&v[2], APIC_REG_ID), 2);
	assert_int_equal(reg(&v[2], APIC_REG_LDR), 4);
}

/* Arbitrary bytes from the service VM: no crash, and the invariants hold. */
static void state_of_noise(void **state)
{
	struct kvm_lapic_state s;
	u32 seed = 7, i, k;

	(void)state;
	for (i = 0; i < 2000; i++) {
		for (k = 0; k < sizeof(s.regs); k++) {
			seed = seed * 1103515245 + 12345;
			s.regs[k] = seed >> 16;
		}
		vlapic_set_state(&v[0], &s);
		enable(&v[0]);
		vlapic_pending(&v[0]);
		vlapic_timer_current(&v[0]);
		for (k = 0; k < 300; k++)
			vlapic_eoi(&v[0]);
		assert_int_equal(v[0].apic.isr_count, 0);
		pass(1000);
		vlapic_get_state(&v[0], &s);
	}
}

/* LVT CMCI comes and goes with MCG_CAP, and stays over an INIT. */
static void corrected_machine_checks(void **state)
{
	u64 val;

	(void)state;
	assert_int_equal(vlapic_read(&v[0], APIC_REG_LVT_CMCI, &val), -EINVAL);
	assert_int_equal(vlapic_write(&v[0], APIC_REG_LVT_CMCI, 0x40), -EINVAL);
	assert_int_equal(reg(&v[0], APIC_REG_VERSION) >> 16, 5);
	vlapic_set_cmci(&v[0], true);
	assert_int_equal(reg(&v[0], APIC_REG_VERSION) >> 16, 6);
	assert_int_equal(reg(&v[0], APIC_REG_LVT_CMCI), LVT_MASKED);
	assert_int_equal(vlapic_write(&v[0], APIC_REG_LVT_CMCI, ~0u), 0);
	assert_int_equal(reg(&v[0], APIC_REG_LVT_CMCI), 0x107ff);
	assert_int_equal(vlapic_write(&v[0], APIC_REG_LVT_CMCI, 0x40), 0);
	assert_int_equal(vlapic_write(&v[0], APIC_REG_SVR, 0xff), 0);
	assert_int_equal(reg(&v[0], APIC_REG_LVT_CMCI), LVT_MASKED | 0x40);
	vlapic_reset(&v[0]);
	assert_int_equal(reg(&v[0], APIC_REG_VERSION) >> 16, 6);
	assert_int_equal(reg(&v[0], APIC_REG_LVT_CMCI), LVT_MASKED);
	vlapic_set_cmci(&v[0], false);
	assert_int_equal(vlapic_read(&v[0], APIC_REG_LVT_CMCI, &val), -EINVAL);
}

/* All 256 in service, as only a VMM can say: they are counted, and end one by one. */
static void all_in_service(void **state __unused)
{
	struct kvm_lapic_state s;
	u32 i;

	vlapic_get_state(&v[0], &s);
	for (i = 0; i < 8; i++)
		memset(s.regs + APIC_REG_ISR + i * 16, 0xff, 4);
	vlapic_set_state(&v[0], &s);
	assert_int_equal(reg(&v[0], APIC_REG_PPR), 0xf0);
	for (i = 0; i < 256; i++)
		vlapic_eoi(&v[0]);
	assert_int_equal(reg(&v[0], APIC_REG_PPR), 0);
	assert_int_equal(v[0].apic.isr_count, 0);
}

#define T(name) cmocka_unit_test_setup(name, rig_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(power_up), T(highest_vector_first), T(same_class_waits),
		T(tpr_holds_back), T(illegal_vectors), T(level_eoi_is_told),
		T(lint0_after_reset), T(extint_through_lint0), T(queued_vector), T(base_transitions),
		T(off_takes_nothing),
		T(mmio_only_in_xapic_mode), T(msr_access), T(all_offsets),
		T(extended_lvts), T(state_round_trip), T(state_of_x2apic),
		T(state_of_noise), T(all_in_service), T(corrected_machine_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
