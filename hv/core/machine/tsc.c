// SPDX-License-Identifier: GPL-2.0-only
/* Frequency of the time stamp counter. */
#include "tsc.h"
#include "lib/muldiv.h"
#include "lib/x86.h"
#include "log.h"
#include "panic.h"

u64 tsc_khz;
static u64 tsc_boot;

/* PIT (8254) channel 2, gated by port 0x61 */
#define PIT_HZ		1193182
#define PIT_CH2		0x42
#define PIT_CMD		0x43
#define PIT_CH2_MODE0	0xb0	/* channel 2, low then high byte, mode 0 */
#define PORT_61		0x61
#define P61_GATE2	0x01
#define P61_SPEAKER	0x02
#define P61_OUT2	0x20

#define PM_TIMER_HZ	3579545
#define PM_TIMER_MASK	0xffffff

#define ROUND_MS	20
#define ROUNDS		10		/* at most */
#define GOOD_ENOUGH	2000		/* slack below 1 in 2000 */
#define READS_MAX	4000000	/* of a port: far longer than a round */

void tsc_mark_boot(void)
{
	tsc_boot = rdtsc();
}

u64 tsc_uptime_us(void)
{
	return tsc_khz ? muldiv(rdtsc() - tsc_boot, 1000, tsc_khz) : 0;
}

void tsc_delay_us(u64 us)
{
	u64 end = rdtsc() + tsc_from_us(us);

	while (rdtsc() < end)
		pause();
}

/* CPUID 0x15: TSC/crystal ratio, and the crystal's frequency (SDM vol. 2, CPUID). */
static u64 khz_from_cpuid(void)
{
	struct cpuid r;

	if (cpuid(0).eax < 0x15)
		return 0;
	r = cpuid(0x15);
	return r.eax ? (u64)r.ecx * r.ebx / r.eax / 1000 : 0;
}

/*
 * Where CPUID 0x15 leaves the crystal out, 0x16 has the base frequency, in MHz of the label:
 * a Skylake's 3500 are 3504. So it is for machines without a clock to measure by.
 */
static u64 khz_from_label(void)
{
	return cpuid(0).eax >= 0x16 ? (u64)(cpuid(0x16).eax & 0xffff) * 1000 : 0;
}

/* A hypervisor below us may tell: leaf 0x40000010, EAX = kHz. */
static u64 khz_from_hypervisor(void)
{
	if (!(cpuid(1).ecx & BIT(31)) || cpuid(0x40000000).eax < 0x40000010)
		return 0;
	return cpuid(0x40000010).eax;
}

/*
 * One measurement: cycles from an event to another, and within how many cycles
 * both are known. An emulator or SMI may stop us at any point; then slack is big.
 */
struct round {
	u64 cycles;
	u64 slack;
	u64 khz;
};

/* Let @best be the round with the least slack. False: good enough, go no further. */
static bool go_on(struct round *best, const struct round *r)
{
	if (!best->cycles || r->slack < best->slack)
		*best = *r;
	return best->slack > best->cycles / GOOD_ENOUGH;
}

/* The PIT counts ROUND_MS down. False: it does not count. */
static bool pit_round(struct round *r)
{
	u32 count = PIT_HZ * ROUND_MS / 1000, reads;
	u8 p61 = inb(PORT_61);
	u64 before, start, prev, now;

	outb(PORT_61, (p61 & ~P61_SPEAKER) | P61_GATE2);
	outb(PIT_CMD, PIT_CH2_MODE0);
	outb(PIT_CH2, count & 0xff);
	before = rdtsc_ordered();
	outb(PIT_CH2, count >> 8);
	start = now = prev = rdtsc_ordered();
	for (reads = 0; reads < READS_MAX; reads++) {
		if (inb(PORT_61) & P61_OUT2)
			break;
		prev = now;
		now = rdtsc_ordered();
	}
	now = rdtsc_ordered();
	outb(PORT_61, p61);
	r->cycles = (prev + now) / 2 - (before + start) / 2;
	r->slack = (now - prev) + (start - before);
	r->khz = r->cycles / ROUND_MS;
	/* OUT set at once: no timer there, but a port that reads ones. */
	return reads < READS_MAX && reads >= 10;
}

static u64 khz_from_pit(void)
{
	struct round best = { 0 }, r;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (!pit_round(&r))
			return 0;
		if (!go_on(&best, &r))
			break;
	}
	return best.khz;
}

/* Value of the PM timer, and when; its slack is added to r->slack. */
static u32 read_pm_timer(u16 port, u64 *when, struct round *r)
{
	u64 before = rdtsc_ordered();
	u32 v = inl(port);
	u64 after = rdtsc_ordered();

	*when = (before + after) / 2;
	r->slack += after - before;
	return v;
}

static bool pm_timer_round(u16 port, struct round *r)
{
	const u32 want = PM_TIMER_HZ / 1000 * ROUND_MS;
	u32 first, reads, ticks = 0;
	u64 start, end = 0, slack;

	r->slack = 0;
	first = read_pm_timer(port, &start, r);
	slack = r->slack;
	for (reads = 0; reads < READS_MAX && ticks < want; reads++) {
		r->slack = slack;
		ticks = (read_pm_timer(port, &end, r) - first) & PM_TIMER_MASK;
	}
	r->cycles = end - start;
	if (ticks >= want)
		r->khz = muldiv(r->cycles, PM_TIMER_HZ, (u64)ticks * 1000);
	return ticks >= want;
}

static u64 khz_from_pm_timer(u16 port)
{
	struct round best = { 0 }, r;
	int i;

	for (i = 0; port && i < ROUNDS; i++) {
		if (!pm_timer_round(port, &r))
			return 0;
		if (!go_on(&best, &r))
			break;
	}
	return best.khz;
}

/* Does it count alike in all P- and C-states? */
static bool is_invariant(void)
{
	return cpuid(0x80000000).eax >= 0x80000007 && (cpuid(0x80000007).edx & BIT(8));
}

void tsc_init(u16 pm_timer)
{
	const char *how = "CPUID";

	tsc_khz = khz_from_cpuid();
	if (!tsc_khz) {
		how = "hypervisor leaf";
		tsc_khz = khz_from_hypervisor();
	}
	if (!tsc_khz) {
		how = "PIT";
		tsc_khz = khz_from_pit();
	}
	if (!tsc_khz) {
		how = "PM timer";
		tsc_khz = khz_from_pm_timer(pm_timer);
	}
	if (!tsc_khz) {
		how = "base frequency: time may be off by some 0.1 %";
		tsc_khz = khz_from_label();
	}
	if (!tsc_khz)
		fatal("no clock tells the frequency of the TSC");
	log_info("TSC: %llu.%03llu MHz (%s)%s", tsc_khz / 1000, tsc_khz % 1000, how,
		 is_invariant() ? "" : ", not invariant");
	tsc_adjust_init();
}

u64 hv_tsc(void)
{
	return rdtsc();
}
