// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long each CPU had interrupts off, by what switched them off: an exit, by its reason
 * and for hypercalls their number, an interrupt, the end of a window or of idling.
 */
#include "debug.h"
#include "lib/x86.h"
#include "lib/x86_regs.h"
#include "machine/cpu.h"
#include "machine/log.h"
#include "machine/tsc.h"

/* More than a guest's slice is worth a warning. */
#define BOUND_US	4000

static u64 us(u64 ticks)
{
	return ticks * 1000 / tsc_khz;
}

/* NULL: no room for one more. */
static struct off_place *place_of(struct debug_cpu *d, const char *what, u64 detail)
{
	struct off_place *p;

	for (p = d->off; p < d->off + OFF_PLACES; p++) {
		if (!p->what)
			*p = (struct off_place){ .what = what, .detail = detail };
		if (p->what == what && p->detail == detail)
			return p;
	}
	return NULL;
}

void debug_irqs_off(const char *what, u64 detail)
{
	struct debug_cpu *d = &this_cpu()->debug;

	d->off_what = what;
	d->off_detail = detail;
	d->off_since = rdtsc();
}

void debug_hypercall(u64 number)
{
	this_cpu()->debug.off_detail = number;
}

void debug_irqs_on(void)
{
	struct debug_cpu *d = &this_cpu()->debug;
	u64 ticks = rdtsc() - d->off_since;
	struct off_place *p;

	debug_no_locks("interrupts come on");
	if (!d->off_since)
		return;
	d->off_since = 0;
	p = place_of(d, d->off_what, d->off_detail);
	if (!p) {
		d->off_lost++;
		return;
	}
	p->count++;
	p->max = max(p->max, ticks);
	/* Again only when it has become twice as bad. */
	if (ticks < tsc_from_us(BOUND_US) || ticks < 2 * p->warned)
		return;
	p->warned = ticks;
	log_warn("CPU %u: interrupts were off for %llu us after %s %llx: more than %u",
		 this_cpu()->index, us(ticks), p->what, p->detail, BOUND_US);
}

void debug_trap_begin(u64 vector)
{
	if (vector == X86_TRAP_NMI || vector == X86_TRAP_MC)
		this_cpu()->debug.nmis++;
}

void debug_trap_end(u64 vector)
{
	if (vector == X86_TRAP_NMI || vector == X86_TRAP_MC)
		this_cpu()->debug.nmis--;
}

void debug_report(bool all)
{
	int level = all ? LOG_INFO : LOG_DEBUG;
	const struct off_place *p, *worst;
	const struct debug_cpu *d;
	u32 i;

	for (i = 0; i < nr_cpus; i++) {
		d = &cpus[i]->debug;
		worst = d->off;
		for (p = d->off; p < d->off + OFF_PLACES && p->what; p++) {
			log_at(level, "CPU %u: interrupts off for %llu us at most after %s %llx, %u times",
			       i, us(p->max), p->what, p->detail, p->count);
			if (p->max > worst->max)
				worst = p;
		}
		if (worst->what)
			log_info("CPU %u: interrupts were off for %llu us at most, after %s %llx", i,
				 us(worst->max), worst->what, worst->detail);
		if (d->off_lost)
			log_warn("CPU %u: %u times with interrupts off are not measured", i,
				 d->off_lost);
	}
}
