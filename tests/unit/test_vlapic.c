// SPDX-License-Identifier: GPL-2.0-only
/* The virtual local APIC: registers, priorities, messages, state, timer. */
// SOURCES: hv/core/vlapic.c hv/core/vlapic_deliver.c hv/core/vlapic_state.c hv/core/vlapic_timer.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/cpu.h"
#include "hv/core/domain.h"
#include "hv/core/errno.h"
#include "hv/core/vlapic_priv.h"

#define N	4

u64 tsc_khz = 2000000;		/* 2 GHz: two ticks for each of the timer */
u64 host_tsc;

static struct cpu cpu;
static struct domain dom;
static struct vcpu v[N];
static u32 kicked[N], level_eois, changed;
static u8 last_eoi;

struct cpu *this_cpu(void) { return &cpu; }
u64 hv_tsc(void) { return host_tsc; }
void vcpu_kick(struct vcpu *w) { kicked[w->index]++; }
void vcpu_apic_changed(struct vcpu *w __unused) { changed++; }

void vcpu_level_eoi(struct vcpu *w __unused, u8 vector)
{
	level_eois++;
	last_eoi = vector;
}

void timer_init(struct hv_timer *t, void (*fn)(struct hv_timer *t))
{
	t->fn = fn;
	t->cpu = NULL;
}

void timer_arm(struct hv_timer *t, u64 deadline)
{
	t->cpu = &cpu;
	t->deadline = deadline;
}

void timer_cancel(struct hv_timer *t)
{
	t->cpu = NULL;
}

/* Time passes; whatever timer of vCPU 0 is due fires, at its deadline. */
static void pass(u64 ticks)
{
	struct hv_timer *t = &v[0].apic.timer;
	u64 end = host_tsc + ticks;

	while (t->cpu && t->deadline <= end) {
		host_tsc = max(host_tsc, t->deadline);
		t->cpu = NULL;
		t->fn(t);
	}
	host_tsc = end;
}

static void enable(struct vcpu *w)
{
	assert_int_equal(vlapic_write(w, APIC_REG_SVR, 0x1ff), 0);
}

static int setup(void **state)
{
	u32 i;

	(void)state;
	memset(&cpu, 0, sizeof(cpu));
	memset(&dom, 0, sizeof(dom));
	memset(v, 0, sizeof(v));
	memset(kicked, 0, sizeof(kicked));
	level_eois = changed = 0;
	host_tsc = 1000000;
	dom.id = 1;
	dom.nr_vcpus = N;
	for (i = 0; i < N; i++) {
		v[i].dom = &dom;
		v[i].index = i;
		dom.vcpus[i] = &v[i];
		vlapic_init(&v[i], i, !i);
		enable(&v[i]);
	}
	return 0;
}

static u32 reg(struct vcpu *w, u32 offset)
{
	u64 val;

	assert_int_equal(vlapic_read(w, offset, &val), 0);
	return val;
}

static bool irr(struct vcpu *w, u8 vector)
{
	return reg(w, APIC_REG_IRR + vector / 32 * 16) & BIT(vector % 32);
}

static bool isr(struct vcpu *w, u8 vector)
{
	return reg(w, APIC_REG_ISR + vector / 32 * 16) & BIT(vector % 32);
}

static void to_x2apic(struct vcpu *w)
{
	assert_int_equal(vlapic_set_base(w, w->apic.base | APIC_BASE_EXTD), 0);
}

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

static void extint_through_lint0(void **state)
{
	(void)state;
	v[0].extint = true;
	assert_false(vlapic_has_interrupt(&v[0]));
	vlapic_write(&v[0], APIC_REG_LVT_LINT0, 0x700);
	assert_true(vlapic_accepts_extint(&v[0]));
	assert_true(vlapic_has_interrupt(&v[0]));
	vlapic_write(&v[0], APIC_REG_LVT_LINT0, 0x400);
	assert_false(vlapic_accepts_extint(&v[0]));
	vlapic_set_base(&v[0], APIC_BASE_DEFAULT | APIC_BASE_BSP);
	assert_true(vlapic_accepts_extint(&v[0]));
}

/* ---- messages ---- */

static u32 hits(u8 vector)
{
	u32 i, mask = 0;

	for (i = 0; i < N; i++)
		if (irr(&v[i], vector)) {
			mask |= BIT(i);
			vlapic_ack(&v[i], vector);
			vlapic_eoi(&v[i]);
		}
	return mask;
}

static void physical_destinations(void **state)
{
	(void)state;
	assert_int_equal(vlapic_deliver(&dom, NULL, 2, false, 0, DM_FIXED, 0x40, false), 1);
	assert_int_equal(hits(0x40), BIT(2));
	assert_int_equal(kicked[2], 1);
	assert_int_equal(vlapic_deliver(&dom, NULL, 9, false, 0, DM_FIXED, 0x40, false), 0);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, false, 0, DM_FIXED, 0x41, false), N);
	assert_int_equal(hits(0x41), 0xf);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0, false, 0, DM_RESERVED, 0x41, false),
			 -EINVAL);
	/* A disabled APIC takes nothing. */
	vlapic_write(&v[2], APIC_REG_SVR, 0xff);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, false, 0, DM_FIXED, 0x41, false), N - 1);
	assert_int_equal(hits(0x41), 0xb);
}

static void logical_flat_and_cluster(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < N; i++)
		vlapic_write(&v[i], APIC_REG_LDR, BIT(i) << 24);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x5, true, 0, DM_FIXED, 0x40, false), 2);
	assert_int_equal(hits(0x40), 0x5);
	for (i = 0; i < N; i++) {
		vlapic_write(&v[i], APIC_REG_DFR, 0x0fffffff);
		vlapic_write(&v[i], APIC_REG_LDR, (i / 2) << 28 | BIT(i % 2) << 24);
	}
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x13, true, 0, DM_FIXED, 0x40, false), 2);
	assert_int_equal(hits(0x40), 0xc);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x02, true, 0, DM_FIXED, 0x40, false), 1);
	assert_int_equal(hits(0x40), 0x2);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, true, 0, DM_FIXED, 0x40, false), 4);
	assert_int_equal(hits(0x40), 0xf);
}

static void x2apic_destinations(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < N; i++)
		to_x2apic(&v[i]);
	assert_int_equal(reg(&v[3], APIC_REG_ID), 3);
	assert_int_equal(reg(&v[3], APIC_REG_LDR), 8);
	assert_int_equal(vlapic_deliver(&dom, &v[0], 3, false, 0, DM_FIXED, 0x40, false), 1);
	assert_int_equal(hits(0x40), 8);
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0x0000000a, true, 0, DM_FIXED, 0x40, false), 2);
	assert_int_equal(hits(0x40), 0xa);
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0x0001000f, true, 0, DM_FIXED, 0x40, false), 0);
	/* An IPI to 0xff is none to all in x2APIC mode; 0xffffffff is. */
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0xff, false, 0, DM_FIXED, 0x40, false), 0);
	assert_int_equal(vlapic_deliver(&dom, &v[0], ~0u, false, 0, DM_FIXED, 0x40, false), N);
	assert_int_equal(hits(0x40), 0xf);
	/* A device's 8-bit broadcast reaches all the same. */
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, false, 0, DM_FIXED, 0x40, false), N);
	assert_int_equal(hits(0x40), 0xf);
}

static void lowest_priority_goes_to_one(void **state)
{
	u32 i, mask = 0;

	(void)state;
	for (i = 0; i < N; i++)
		vlapic_write(&v[i], APIC_REG_LDR, BIT(i) << 24);
	vlapic_write(&v[0], APIC_REG_TPR, 0x20);
	vlapic_write(&v[1], APIC_REG_TPR, 0x10);
	vlapic_write(&v[2], APIC_REG_TPR, 0x20);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x7, true, 0, DM_LOWEST, 0x40, false), 1);
	assert_int_equal(hits(0x40), 2);
	vlapic_write(&v[1], APIC_REG_SVR, 0xff);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x2, true, 0, DM_LOWEST, 0x40, false), 0);
	/* Ties take turns with the vector. */
	for (i = 0; i < 8; i++) {
		u32 h;

		assert_int_equal(vlapic_deliver(&dom, NULL, 0x5, true, 0, DM_LOWEST, 0x40 + i, false), 1);
		h = hits(0x40 + i);
		assert_true(h == 1 || h == 4);
		mask |= h;
	}
	assert_int_equal(mask, 5);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x5, true, 0, DM_LOWEST, 5, false), 0);
}

static void shorthands(void **state)
{
	(void)state;
	vlapic_write(&v[1], APIC_REG_ICR, SHORT_SELF << 18 | 0x40);
	assert_int_equal(hits(0x40), 2);
	vlapic_write(&v[1], APIC_REG_ICR, SHORT_ALL << 18 | 0x40);
	assert_int_equal(hits(0x40), 0xf);
	vlapic_write(&v[1], APIC_REG_ICR, SHORT_OTHERS << 18 | 0x40);
	assert_int_equal(hits(0x40), 0xd);
	vlapic_write(&v[1], APIC_REG_ICR2, 3 << 24);
	vlapic_write(&v[1], APIC_REG_ICR, 0x41);
	assert_int_equal(hits(0x41), 8);
	assert_int_equal(reg(&v[1], APIC_REG_ICR2), 3 << 24);
	/* NMI to all others. */
	vlapic_write(&v[1], APIC_REG_ICR, SHORT_OTHERS << 18 | DM_NMI << 8);
	assert_true(v[0].nmi_pending && !v[1].nmi_pending && v[2].nmi_pending);
}

static void self_ipi_register(void **state)
{
	(void)state;
	assert_int_equal(vlapic_write(&v[0], APIC_REG_SELF_IPI, 0x40), -EINVAL);
	to_x2apic(&v[0]);
	assert_int_equal(vlapic_write(&v[0], APIC_REG_SELF_IPI, 0x140), -EINVAL);
	assert_int_equal(vlapic_write(&v[0], APIC_REG_SELF_IPI, 0x40), 0);
	assert_int_equal(hits(0x40), 1);
}

static void init_and_sipi(void **state)
{
	(void)state;
	vlapic_write(&v[0], APIC_REG_ICR2, 1 << 24);
	vlapic_write(&v[0], APIC_REG_ICR, 0xc500);	/* INIT, assert */
	assert_int_equal(v[1].init_sipi, VCPU_REQ_INIT);
	v[1].init_sipi = 0;
	vlapic_write(&v[0], APIC_REG_ICR, 0x8500);	/* de-assert */
	assert_int_equal(v[1].init_sipi, 0);
	vlapic_write(&v[0], APIC_REG_ICR, 0x0600 | 0x9f);
	assert_int_equal(v[1].init_sipi, VCPU_REQ_SIPI);
	assert_int_equal(v[1].sipi_vector, 0x9f);
	assert_int_equal(kicked[1], 2);
	/* They reach an APIC that software disabled, too. */
	v[1].init_sipi = 0;
	vlapic_write(&v[1], APIC_REG_SVR, 0xff);
	vlapic_write(&v[0], APIC_REG_ICR, 0x4500);
	assert_int_equal(v[1].init_sipi, VCPU_REQ_INIT);
}

static void msi_formats(void **state)
{
	(void)state;
	assert_int_equal(vlapic_msi(&dom, 0xfee02000, 0x4055), 1);
	assert_int_equal(hits(0x55), 4);
	assert_int_equal(vlapic_msi(&dom, 0xfeeff000, 0x4055), N);
	assert_int_equal(hits(0x55), 0xf);
	/* Bits 63:40 extend the destination: 0x102 is nobody. */
	assert_int_equal(vlapic_msi(&dom, 0xfee02000 | 1ull << 40, 0x4055), 0);
	assert_int_equal(vlapic_msi(&dom, 0xfee02000, 0xc055), 1);
	assert_true(vec_test(&v[2].apic, APIC_REG_TMR, 0x55));
	assert_int_equal(vlapic_msi(&dom, 0xfee02000, 0x300), -EINVAL);
}

/* ---- modes ---- */

static void base_transitions(void **state)
{
	const u64 en = APIC_BASE_ENABLE, x2 = APIC_BASE_EXTD, d = APIC_BASE_DEFAULT;

	(void)state;
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
	assert_int_equal(vlapic_set_state(&v[0], &a), 0);
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
	assert_int_equal(vlapic_set_state(&v[2], &s), 0);
	assert_int_equal(reg(&v[2], APIC_REG_ID), 2);
	((u32 *)s.regs)[APIC_REG_ID / 4] = 3 << 24;
	assert_int_equal(vlapic_set_state(&v[2], &s), -EINVAL);
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
		assert_int_equal(vlapic_set_state(&v[0], &s), 0);
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

/* ---- timer ---- */

static void one_shot(void **state)
{
	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 100000);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 100000);
	pass(100000);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 50000);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	pass(100000);
	assert_int_equal(vlapic_pending(&v[0]), 0xec);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 0);
	assert_null(v[0].apic.timer.cpu);
	assert_int_equal(kicked[0], 1);
	/* INIT = 0 stops it. */
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 100000);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 0);
	assert_null(v[0].apic.timer.cpu);
}

static void dividers(void **state)
{
	static const u8 code[] = { 0xb, 0, 1, 2, 3, 8, 9, 0xa };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(code); i++) {
		vlapic_write(&v[0], APIC_REG_TIMER_DIV, code[i]);
		vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000000);
		assert_int_equal(v[0].apic.timer.deadline - host_tsc, 2000000ull << i);
	}
}

static void periodic(void **state)
{
	u64 last;
	u32 i;

	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_PERIODIC | 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000000);
	last = host_tsc;
	for (i = 1; i <= 10; i++) {
		pass(2000000);
		assert_int_equal(kicked[0], i);
		assert_int_equal(v[0].apic.timer.deadline - last, (i + 1) * 2000000ull);
	}
	/* Late by many periods: one tick, not a burst. */
	host_tsc += 100 * 2000000ull;
	v[0].apic.timer.cpu = NULL;
	v[0].apic.timer.fn(&v[0].apic.timer);
	assert_int_equal(kicked[0], 11);
	assert_true(v[0].apic.timer.deadline > host_tsc);
	/* Masked: it counts, and raises nothing. */
	vlapic_ack(&v[0], 0xec);
	vlapic_eoi(&v[0]);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_MASKED | LVT_PERIODIC | 0xec);
	pass(4000000);
	assert_int_equal(vlapic_pending(&v[0]), -1);
}

/* However a guest gets there, it cannot have ticks in a row without end. */
static void no_tick_storm(void **state)
{
	u64 start;

	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_PERIODIC | 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1);
	start = kicked[0];
	pass(tsc_khz);
	assert_true(kicked[0] - start <= 5);
	/* One-shot first, then made periodic while it counts. */
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 100);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_PERIODIC | 0xec);
	start = kicked[0];
	pass(tsc_khz);
	assert_true(kicked[0] - start <= 6);
}

static void deadline_mode(void **state)
{
	u64 val;

	(void)state;
	v[0].tsc_offset = -500000ull;
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, host_tsc);
	assert_null(v[0].apic.timer.cpu);		/* not in that mode: ignored */
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_DEADLINE | 0xec);
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, host_tsc - 500000 + 1000);
	assert_int_equal(v[0].apic.timer.deadline, host_tsc + 1000);
	vlapic_rdmsr(&v[0], MSR_TSC_DEADLINE, &val);
	assert_int_equal(val, host_tsc - 500000 + 1000);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 0);
	pass(1000);
	assert_int_equal(vlapic_pending(&v[0]), 0xec);
	vlapic_rdmsr(&v[0], MSR_TSC_DEADLINE, &val);
	assert_int_equal(val, 0);
	vlapic_ack(&v[0], 0xec);
	vlapic_eoi(&v[0]);
	/* In the past: at once. */
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, 5);
	assert_int_equal(vlapic_pending(&v[0]), 0xec);
	/* 0 disarms, and so does leaving the mode. */
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, host_tsc + 1000000);
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, 0);
	assert_null(v[0].apic.timer.cpu);
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, host_tsc + 1000000);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	assert_null(v[0].apic.timer.cpu);
}

static void state_keeps_count(void **state)
{
	struct kvm_lapic_state s;

	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000000);
	pass(500000);
	vlapic_get_state(&v[0], &s);
	pass(100 * 1000000);
	vlapic_ack(&v[0], 0xec);
	vlapic_eoi(&v[0]);
	assert_int_equal(vlapic_set_state(&v[0], &s), 0);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 750000);
	pass(1500000 - 2);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	pass(2);
	assert_int_equal(vlapic_pending(&v[0]), 0xec);
}

/* A one-shot count that is over does not begin again by a save and restore. */
static void state_of_expired_timer(void **state)
{
	struct kvm_lapic_state s;

	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000);
	pass(10000);
	vlapic_ack(&v[0], 0xec);
	vlapic_eoi(&v[0]);
	vlapic_get_state(&v[0], &s);
	assert_int_equal(vlapic_set_state(&v[0], &s), 0);
	pass(1000000);
	assert_int_equal(vlapic_pending(&v[0]), -1);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(power_up), T(highest_vector_first), T(same_class_waits),
		T(tpr_holds_back), T(illegal_vectors), T(level_eoi_is_told),
		T(extint_through_lint0), T(physical_destinations),
		T(logical_flat_and_cluster), T(x2apic_destinations),
		T(lowest_priority_goes_to_one), T(shorthands), T(self_ipi_register),
		T(init_and_sipi), T(msi_formats), T(base_transitions),
		T(off_takes_nothing), T(mmio_only_in_xapic_mode), T(msr_access),
		T(all_offsets), T(state_round_trip), T(state_of_x2apic),
		T(state_of_noise), T(one_shot), T(dividers), T(periodic),
		T(no_tick_storm), T(deadline_mode), T(state_keeps_count),
		T(state_of_expired_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
