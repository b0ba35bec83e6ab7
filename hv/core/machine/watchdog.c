// SPDX-License-Identifier: GPL-2.0-only
/* Each CPU watches the next one; the contract is in watchdog.h. */
#include "watchdog.h"
#include "cmdline.h"
#include "cpu.h"
#include "lapic.h"
#include "panic.h"
#include "timer.h"
#include "trap.h"
#include "tsc.h"

/*
 * Looks in the option's time. They are counted, not timed, as the whole machine may stand still
 * for a while: in SMM, or where it is emulated.
 */
#define LOOKS	4

/* Missed @looks in a row, so that the CPU is to get an NMI? Panics if that was in vain. */
static bool suspicious(u32 looks, const struct cpu *other)
{
	if (looks > 2 * (LOOKS + 1))
		panic("watchdog: CPU %u does not answer, not even to an NMI", other->index);
	return looks == LOOKS + 1;
}

static void look(struct watch *w, struct cpu *other)
{
	u32 beats = READ_ONCE(other->watch.beats);

	if (beats != w->seen) {
		w->seen = beats;
		w->missed = 0;
		return;
	}
	if (!suspicious(++w->missed, other))
		return;
	WRITE_ONCE(other->watch.suspect_beats, beats);
	smp_store_release(&other->watch.suspect, true);
	lapic_send_nmi(other->apic_id);
}

static void tick(struct hv_timer *t)
{
	struct cpu *c = this_cpu();

	WRITE_ONCE(c->watch.beats, c->watch.beats + 1);
	look(&c->watch, cpus[(c->index + 1) % nr_cpus]);
	timer_arm(t, hv_tsc() + tsc_from_us(hv_options.watchdog * (1000000ull / LOOKS)));
}

void watchdog_start(void)
{
	struct watch *w = &this_cpu()->watch;

	if (!hv_options.watchdog || nr_cpus < 2)
		return;
	timer_init(&w->timer, tick);
	tick(&w->timer);
}

bool watchdog_nmi(const struct trap_frame *f)
{
	struct watch *w = &this_cpu()->watch;

	if (!smp_load_acquire(&w->suspect))
		return false;
	WRITE_ONCE(w->suspect, false);
	if (w->beats != w->suspect_beats)
		return true;
	panic_frame(f, "watchdog: CPU %u has been in root mode for %u s",
		    this_cpu()->index, hv_options.watchdog);
}
