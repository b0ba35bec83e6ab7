// SPDX-License-Identifier: GPL-2.0-only
/* The physical local APIC. */
#include "lapic.h"
#include "cpu.h"
#include "lib/muldiv.h"
#include "lib/x86.h"
#include "log.h"
#include "paging.h"
#include "panic.h"
#include "tsc.h"

#define SVR_ENABLE		BIT(8)
#define LVT_TIMER_DEADLINE	BIT(18)
#define TIMER_DIVIDE_BY_1	0xb
#define VERSION_MAX_LVT(v)	((v) >> 16 & 0xff)
#define VERSION_EXTENDED	BIT(31)

#define ICR_FIXED		0x000
#define ICR_NMI			0x400
#define ICR_INIT		0x500
#define ICR_STARTUP		0x600
#define ICR_BUSY		BIT(12)
#define ICR_ASSERT		BIT(14)
#define ICR_SELF		(1u << 18)
#define ICR_ALL_BUT_SELF	0xc0000

#define PIC1_CMD		0x20
#define PIC1_DATA		0x21
#define PIC2_CMD		0xa0
#define PIC2_DATA		0xa1
#define PIC_ICW1		0x11	/* start; a fourth word comes */
#define PIC_ICW4		0x01	/* 8086 mode */
#define PIC_CASCADE		2	/* the pin of the first where the second is */
#define PIC_VECTORS		0x20
#define ICR_SPIN		10000000
#define CALIBRATION_ROUNDS	10

#define CPUID_7_EDX_ARCH_CAPS	BIT(29)
#define ARCH_CAP_XAPIC_DISABLE	BIT(21)

static volatile u8 *mmio;
static bool use_deadline;
static u64 timer_khz;		/* of the APIC's counter, when it is used */

static bool in_x2apic_mode(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD;
}

bool lapic_is_x2apic(void)
{
	return this_cpu()->x2apic;
}

u32 lapic_read(u32 reg)
{
	if (lapic_is_x2apic())
		return (u32)rdmsr(MSR_X2APIC_BASE + reg / 16);
	return *(volatile u32 *)(mmio + reg);
}

void lapic_write(u32 reg, u32 val)
{
	if (lapic_is_x2apic())
		wrmsr(MSR_X2APIC_BASE + reg / 16, val);
	else
		*(volatile u32 *)(mmio + reg) = val;
}

u32 lapic_id(void)
{
	u32 id = lapic_read(LAPIC_ID);

	return lapic_is_x2apic() ? id : id >> 24;
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

/*
 * Masked, and with vectors of their own: firmware's are those of exceptions.  Domain 0
 * programs them anew, and the first word of that takes the mask away before the
 * second gives vectors.  LINT0 is masked as well, which not every machine knows of.
 */
static void quiet_pics(void)
{
	outb(PIC1_CMD, PIC_ICW1);
	outb(PIC1_DATA, PIC_VECTORS);
	outb(PIC1_DATA, BIT(PIC_CASCADE));
	outb(PIC1_DATA, PIC_ICW4);
	outb(PIC1_DATA, 0xff);
	outb(PIC2_CMD, PIC_ICW1);
	outb(PIC2_DATA, PIC_VECTORS + 8);
	outb(PIC2_DATA, PIC_CASCADE);
	outb(PIC2_DATA, PIC_ICW4);
	outb(PIC2_DATA, 0xff);
}

void lapic_init(hpa_t base)
{
	quiet_pics();
	mmio = ioremap(base, PAGE_SIZE);
	if (!mmio)
		fatal("the local APIC at 0x%llx cannot be mapped", base);
}

int lapic_enable_x2apic(void)
{
	if (!(cpuid(1).ecx & BIT(21)))
		return -EOPNOTSUPP;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_EXTD);
	this_cpu()->x2apic = true;
	return 0;
}

/* Locked for good (SDM vol. 4, IA32_XAPIC_DISABLE_STATUS)? Then leaving the mode is #GP. */
static bool is_locked(void)
{
	u64 caps, status;

	return cpuid(0).eax >= 7 && (cpuid(7).edx & CPUID_7_EDX_ARCH_CAPS) &&
	       !rdmsr_safe(MSR_ARCH_CAPABILITIES, &caps) && (caps & ARCH_CAP_XAPIC_DISABLE) &&
	       !rdmsr_safe(MSR_XAPIC_DISABLE_STATUS, &status) && (status & 1);
}

void lapic_leave_x2apic(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_EXTD) || is_locked())
		return;
	wrmsr(MSR_APIC_BASE, base & ~(APIC_BASE_ENABLE | APIC_BASE_EXTD));
	wrmsr(MSR_APIC_BASE, (base & ~APIC_BASE_EXTD) | APIC_BASE_ENABLE);
}

/* Masked, unless firmware wired an NMI or its own handler to it. */
static void quiet_lvt(u32 reg)
{
	u32 v = lapic_read(reg), mode = v & LAPIC_LVT_MODE;

	if ((mode != LAPIC_LVT_NMI && mode != LAPIC_LVT_SMI) || (v & LAPIC_LVT_MASKED))
		lapic_write(reg, v | LAPIC_LVT_MASKED);
}

bool lapic_has_lvt(u32 reg)
{
	u32 version = lapic_read(LAPIC_VERSION);

	if (reg >= LAPIC_EILVT0)
		return version & VERSION_EXTENDED;
	return VERSION_MAX_LVT(version) >= (reg == LAPIC_LVT_CMCI ? 6 : 5);
}

/* End whatever firmware left in service: one EOI each. */
static void clear_isr(void)
{
	u32 i, bits;

	for (i = 0; i < 8; i++)
		for (bits = lapic_read(LAPIC_ISR + i * 16); bits; bits &= bits - 1)
			lapic_eoi();
}

static void set_deadline_mode(void)
{
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | LVT_TIMER_DEADLINE);
	mb();	/* the mode is set before the MSR counts (SDM vol. 3, 11.5.4.1) */
}

void lapic_init_cpu(void)
{
	u32 max_lvt;

	if (!(rdmsr(MSR_APIC_BASE) & APIC_BASE_ENABLE))
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE);
	this_cpu()->x2apic = in_x2apic_mode();
	max_lvt = VERSION_MAX_LVT(lapic_read(LAPIC_VERSION));
	lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED | VECTOR_TIMER);
	lapic_write(LAPIC_LVT_ERROR, LAPIC_LVT_MASKED | VECTOR_ERROR);
	if (max_lvt >= 4)
		quiet_lvt(LAPIC_LVT_PERF);
	if (max_lvt >= 5)
		quiet_lvt(LAPIC_LVT_THERMAL);
	if (max_lvt >= 6)
		quiet_lvt(LAPIC_LVT_CMCI);
	quiet_lvt(LAPIC_LVT_LINT0);
	quiet_lvt(LAPIC_LVT_LINT1);
	if (!lapic_is_x2apic()) {
		lapic_write(LAPIC_DFR, 0xffffffff);	/* flat */
		lapic_write(LAPIC_LDR, 0);
	}
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	clear_isr();
	lapic_write(LAPIC_ESR, 0);
	lapic_write(LAPIC_ESR, 0);
	if (use_deadline)
		set_deadline_mode();
	lapic_timer_program(0);
}

/* One write of the ICR, when the last IPI has left (xAPIC). */
static void send(u32 apic_id, u32 low)
{
	u32 spin;

	if (lapic_is_x2apic()) {
		/* WRMSR to x2APIC registers does not order earlier stores. */
		mb();
		wrmsr(MSR_X2APIC_BASE + LAPIC_ICR / 16, (u64)apic_id << 32 | low);
		return;
	}
	for (spin = 0; spin < ICR_SPIN && (lapic_read(LAPIC_ICR) & ICR_BUSY); spin++)
		pause();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR, low);
}

void lapic_send_ipi(u32 apic_id, u8 vector)
{
	send(apic_id, ICR_FIXED | ICR_ASSERT | vector);
}

/* Not send(): it may be what the NMI has interrupted. */
void lapic_send_self(u8 vector)
{
	u32 low = ICR_SELF | ICR_FIXED | ICR_ASSERT | vector;

	if (lapic_is_x2apic())
		wrmsr(MSR_X2APIC_BASE + LAPIC_ICR / 16, low);
	else
		lapic_write(LAPIC_ICR, low);
}

void lapic_send_init(u32 apic_id)
{
	send(apic_id, ICR_INIT | ICR_ASSERT);
}

void lapic_send_sipi(u32 apic_id, u8 page)
{
	send(apic_id, ICR_STARTUP | ICR_ASSERT | page);
}

void lapic_send_nmi(u32 apic_id)
{
	send(apic_id, ICR_NMI | ICR_ASSERT);
}

void lapic_send_nmi_others(void)
{
	send(0, ICR_NMI | ICR_ASSERT | ICR_ALL_BUT_SELF);
}

bool lapic_isr_test(u8 vector)
{
	return lapic_read(LAPIC_ISR + vector / 32 * 16) & BIT(vector % 32);
}

bool lapic_isr_tmr_test(u8 vector)
{
	return lapic_read(LAPIC_TMR + vector / 32 * 16) & BIT(vector % 32);
}

/*
 * kHz of the counter by one round of 20 ms; within *slack cycles it is known
 * when the counter started and when it was read.
 */
static u64 calibration_round(u64 *slack)
{
	u64 before, start, end, after;
	u32 left;

	before = rdtsc_ordered();
	lapic_write(LAPIC_TIMER_INIT, 0xffffffff);
	start = rdtsc_ordered();
	tsc_delay_us(20000);
	end = rdtsc_ordered();
	left = lapic_read(LAPIC_TIMER_CURRENT);
	after = rdtsc_ordered();
	lapic_write(LAPIC_TIMER_INIT, 0);
	*slack = (start - before) + (after - end);
	return muldiv(0xffffffff - left, tsc_khz, (end + after) / 2 - (before + start) / 2);
}

/* An emulator or SMI may stop us in a round: the one with the least slack counts. */
static void calibrate(void)
{
	u64 slack, best = ~0ull, khz;
	int i;

	lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED | VECTOR_TIMER);
	lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	for (i = 0; i < CALIBRATION_ROUNDS && best > tsc_from_us(4); i++) {
		khz = calibration_round(&slack);
		if (slack < best) {
			best = slack;
			timer_khz = khz;
		}
	}
	if (!timer_khz)
		fatal("the local APIC's timer does not count");
}

void lapic_timer_init(bool allow_deadline)
{
	if (allow_deadline && (cpuid(1).ecx & BIT(24))) {
		use_deadline = true;
		set_deadline_mode();
		log_info("timer: TSC deadline");
		return;
	}
	calibrate();
	log_info("timer: local APIC, %llu.%03llu MHz", timer_khz / 1000,
		 timer_khz % 1000);
}

/* Counter ticks from now to @deadline: at least 1, at most what fits. */
static u32 ticks_until(u64 deadline)
{
	u64 now = rdtsc(), left;

	if (deadline <= now)
		return 1;
	left = deadline - now;
	if (left / tsc_khz >= 0xffffffffull / timer_khz)
		return 0xffffffff;
	return (u32)muldiv(left, timer_khz, tsc_khz) + 1;
}

void lapic_timer_program(u64 deadline)
{
	if (use_deadline) {
		wrmsr(MSR_TSC_DEADLINE, deadline);
	} else if (deadline) {
		lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
		lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
		lapic_write(LAPIC_TIMER_INIT, ticks_until(deadline));
	} else {
		lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED | VECTOR_TIMER);
		lapic_write(LAPIC_TIMER_INIT, 0);
	}
}
