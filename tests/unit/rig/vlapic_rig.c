// SPDX-License-Identifier: GPL-2.0-only
/* See vlapic_rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/cpu.h"
#include "vlapic_rig.h"

u64 tsc_khz = 2000000;		/* 2 GHz: two ticks for each of the timer */
u64 host_tsc;

static struct cpu cpu;
struct domain dom;
struct vcpu v[N];
u32 kicked[N], notified[N], level_eois, changed, lvt_writes;
static u32 pages[N][1024];
u8 last_eoi;

struct cpu *this_cpu(void) { return &cpu; }
u64 hv_tsc(void) { return host_tsc; }
void vcpu_kick(struct vcpu *w) { kicked[w->index]++; }
void vcpu_notify(struct vcpu *w) { kicked[w->index]++; notified[w->index]++; }
void vcpu_apic_changed(struct vcpu *w __unused) { changed++; }

void dom0_lvt_written(struct vcpu *w, u32 offset, u32 val)
{
	u64 now;

	assert_true(domain_is_dom0(w->dom));
	assert_int_equal(vlapic_read(w, offset, &now), 0);
	assert_int_equal(now, val);
	lvt_writes++;
}

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
	t->node.key = deadline;
}

bool timer_cancel(struct hv_timer *t)
{
	bool armed = t->cpu;

	t->cpu = NULL;
	return armed;
}

void timer_move(struct hv_timer *t)
{
	if (t->cpu)
		t->cpu = &cpu;
}

void host_irq_window(void)
{
	fail_msg("so few get it in one go");
}

void pass(u64 ticks)
{
	struct hv_timer *t = &v[0].apic.timer;
	u64 end = host_tsc + ticks;

	while (t->cpu && t->node.key <= end) {
		host_tsc = max(host_tsc, t->node.key);
		t->cpu = NULL;
		t->fn(t);
	}
	host_tsc = end;
}

void enable(struct vcpu *w)
{
	assert_int_equal(vlapic_write(w, APIC_REG_SVR, 0x1ff), 0);
}

int rig_setup(void **state)
{
	u32 i;

	(void)state;
	memset(&cpu, 0, sizeof(cpu));
	memset(&dom, 0, sizeof(dom));
	memset(v, 0, sizeof(v));
	memset(kicked, 0, sizeof(kicked));
	memset(notified, 0, sizeof(notified));
	memset(pages, 0, sizeof(pages));
	level_eois = changed = 0;
	host_tsc = 1000000;
	dom.id = 1;
	dom.nr_vcpus = N;
	for (i = 0; i < N; i++) {
		v[i].dom = &dom;
		v[i].state = VCPU_RUNNING;
		v[i].index = i;
		dom.few[i] = &v[i];
		v[i].apic.reg = pages[i];
		vlapic_init(&v[i], i, !i);
		enable(&v[i]);
	}
	return 0;
}

u32 reg(struct vcpu *w, u32 offset)
{
	u64 val;

	assert_int_equal(vlapic_read(w, offset, &val), 0);
	return val;
}

bool irr(struct vcpu *w, u8 vector)
{
	return reg(w, APIC_REG_IRR + vector / 32 * 16) & BIT(vector % 32);
}

bool isr(struct vcpu *w, u8 vector)
{
	return reg(w, APIC_REG_ISR + vector / 32 * 16) & BIT(vector % 32);
}

void to_x2apic(struct vcpu *w)
{
	assert_int_equal(vlapic_set_base(w, w->apic.base | APIC_BASE_EXTD), 0);
}

u32 hits(u8 vector)
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
