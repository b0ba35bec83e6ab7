// SPDX-License-Identifier: GPL-2.0-only
/* Physical interrupts: whose they are, and what is in service when. */
// SOURCES: hv/core/apic/irq.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/acpi.h"
#include "hv/core/machine/console.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/apic/irq.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/machine/log.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/machine/panic.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/machine/timer.h"
#include "hv/core/machine/trap.h"
#include "hv/core/apic/vlapic_priv.h"

static struct cpu cpu;
static struct domain service;
struct domain dom0;
static struct vcpu d0;
static u32 page[0x400];
static bool in_service[256], level_now;
static int given, given_level, kicks, self_ipis, ticks, unit_looks;

u64 host_tsc, tsc_khz;
static u64 mcg_status;

int host_rdmsr(u32 msr, u64 *val)
{
	assert_int_equal(msr, MSR_MCG_STATUS);
	*val = mcg_status;
	return 0;
}

const struct hv_ops *ops;

void iommu_interrupt(void) { unit_looks++; }

struct cpu *this_cpu(void) { return &cpu; }

/* ---- the physical local APIC ---- */

static int highest(void)
{
	int i;

	for (i = 255; i >= 0 && !in_service[i]; i--)
		;
	return i;
}

void lapic_eoi(void)
{
	int v = highest();

	assert_true(v >= 0);
	in_service[v] = false;
}

bool lapic_isr_tmr_test(u8 vector)
{
	assert_true(in_service[vector]);
	return level_now;
}

bool lapic_isr_test(u8 vector)
{
	return in_service[vector];
}

void lapic_send_self(u8 vector)
{
	assert_int_equal(vector, VECTOR_KICK);
	self_ipis++;
}

static u32 lvt[0x600 / 4];
static bool lvts_absent;

void lapic_write(u32 reg, u32 val) { lvt[reg / 4] = val; }
u32 lapic_read(u32 reg) { return lvt[reg / 4]; }
bool lapic_has_lvt(u32 reg) { return reg >= LAPIC_LVT_CMCI && !lvts_absent; }

/* Domain 0's virtual APIC has these. */
static u32 virtual_lvt[0x600 / 4];

int vlapic_read(struct vcpu *v, u32 offset, u64 *val)
{
	assert_ptr_equal(v, &d0);
	*val = virtual_lvt[offset / 4];
	return 0;
}
bool lapic_is_x2apic(void) { return true; }
int lapic_enable_x2apic(void) { return 0; }

static void arrive(u8 vector, bool level)
{
	assert_true(highest() < 0 || (highest() & 0xf0) < (vector & 0xf0));
	in_service[vector] = true;
	level_now = level;
	irq_dispatch(vector);
}

/* ---- the rest ---- */

bool vlapic_set_irr(struct vcpu *v, u8 vector, bool level)
{
	assert_ptr_equal(v, &d0);
	given = vector;
	given_level = level;
	return true;
}

void vcpu_kick(struct vcpu *v)
{
	assert_ptr_equal(v, &d0);
	kicks++;
}

void timer_interrupt(void) { ticks++; }

void mmu_bar_apic(struct domain *d, gpa_t gpa)
{
	assert_int_equal(gpa, APIC_BASE_DEFAULT);
	d->apic_bars++;
}

void mmu_unbar_apic(struct domain *d)
{
	assert_true(d->apic_bars);
	d->apic_bars--;
}

void log_printf(int level __unused, const char *fmt __unused, ...) { }
void console_seize(void) { }
void log_ending(enum log_end how) { assert_int_equal(how, LOG_END_DOM0_FAULT); }
void panic_describe_exit(void) { }
void machine_reset(void) { fail(); __builtin_unreachable(); }

static int setup(void **state __unused)
{
	memset(&cpu, 0, sizeof(cpu));
	memset(&d0, 0, sizeof(d0));
	memset(page, 0, sizeof(page));
	memset(lvt, 0, sizeof(lvt));
	memset(virtual_lvt, 0, sizeof(virtual_lvt));
	lvts_absent = false;
	memset(in_service, 0, sizeof(in_service));
	cpu.dom0 = &d0;
	dom0.nr_vcpus = 1;
	d0.dom = &service;
	d0.apic.reg = page;
	d0.apic.base = APIC_BASE_DEFAULT | APIC_BASE_ENABLE;
	page[APIC_REG_SVR / 4] = SVR_ENABLE | 0xff;
	given = -1;
	kicks = self_ipis = ticks = unit_looks = 0;
	return 0;
}

static void our_own(void **state __unused)
{
	arrive(VECTOR_TIMER, false);
	arrive(VECTOR_KICK, false);
	arrive(VECTOR_POSTED, false);
	arrive(VECTOR_IOMMU, false);
	assert_int_equal(unit_looks, 1);
	assert_int_equal(ticks, 1);
	assert_int_equal(given, -1);
	assert_int_equal(highest(), -1);
	/* An error is told and acknowledged; a spurious interrupt is none. */
	arrive(VECTOR_ERROR, false);
	assert_int_equal(highest(), -1);
	irq_dispatch(VECTOR_SPURIOUS);
	/* A device can send its vector, level-triggered too: then it is in service. */
	arrive(VECTOR_SPURIOUS, false);
	arrive(VECTOR_SPURIOUS, true);
	assert_int_equal(highest(), -1);
	assert_int_equal(given, -1);
	assert_int_equal(kicks, 0);
}

static void edges_end_at_once(void **state __unused)
{
	arrive(0x31, false);
	assert_int_equal(given, 0x31);
	assert_false(given_level);
	assert_int_equal(kicks, 1);
	assert_int_equal(highest(), -1);
	/* A disabled local APIC takes nothing. */
	page[APIC_REG_SVR / 4] = 0xff;
	arrive(0x41, true);
	assert_int_equal(given, 0x31);
	assert_int_equal(highest(), -1);
}

/* The lower one is ended first: it waits for the higher. */
static void levels_end_with_domain_0(void **state __unused)
{
	arrive(0x31, true);
	assert_true(given_level);
	arrive(0x52, true);
	assert_true(in_service[0x31] && in_service[0x52]);
	vcpu_level_eoi(&d0, 0x31);
	assert_true(in_service[0x31] && in_service[0x52]);
	vcpu_level_eoi(&d0, 0x52);
	assert_int_equal(highest(), -1);
	vcpu_level_eoi(&d0, 0x52);
	arrive(0x31, true);
	dom0_drop_level_irqs(&d0);
	assert_int_equal(highest(), -1);
	/* Its APIC is turned off, which forgets what is in service; so must ours. */
	arrive(0x31, true);
	vcpu_apic_changed(&d0);
	assert_int_equal(highest(), 0x31);
	d0.apic.base = APIC_BASE_DEFAULT;
	vcpu_apic_changed(&d0);
	assert_int_equal(highest(), -1);
	d0.apic.base = APIC_BASE_DEFAULT | APIC_BASE_ENABLE;
	vcpu_level_eoi(&d0, 0x31);
}

/* Whatever domain 0 does, a kick and the timer come through. */
static void ours_are_not_held_back(void **state __unused)
{
	u32 vector;

	for (vector = 0x20; vector < 0x100; vector++) {
		if (vector >= VECTOR_TIMER && vector <= VECTOR_IOMMU)
			continue;
		if (vector >= VECTOR_ERROR || (vector >= VECTOR_LVT && vector <= VECTOR_LVT + 5))
			continue;
		arrive(vector, true);
		assert_int_equal(given, vector);
		arrive(VECTOR_KICK, false);
		arrive(VECTOR_TIMER, false);
		vcpu_level_eoi(&d0, vector);
		assert_int_equal(highest(), -1);
	}
}

static void nmi_wakes_domain_0(void **state __unused)
{
	nmi_handler();
	assert_true(d0.nmi_pending);
	assert_int_equal(kicks, 0);
	assert_int_equal(self_ipis, 1);
	arrive(VECTOR_KICK, false);
	assert_int_equal(kicks, 1);
	arrive(VECTOR_KICK, false);
	assert_int_equal(kicks, 1);
}

static void writes_lvt(u32 offset, u32 val)
{
	virtual_lvt[offset / 4] = val;
	dom0_lvt_written(&d0, offset, val);
}

/* Vectors that Linux uses for them are Bedplate's own; the machine's LVTs have others. */
static void own_sources_are_domain_0s(void **state __unused)
{
	static const u16 reg[] = { 0x330, 0x2f0, 0x500, 0x510, 0x520, 0x530 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(reg); i++) {
		lvt[reg[i] / 4] = LAPIC_LVT_MASKED;
		writes_lvt(reg[i], VECTOR_KICK);
		assert_int_equal(lvt[reg[i] / 4], VECTOR_LVT + i);
		given = -1;
		arrive(VECTOR_LVT + i, false);
		assert_int_equal(given, VECTOR_KICK);
		assert_int_equal(given_level, false);
		assert_int_equal(kicks, i + 1);
		assert_int_equal(highest(), -1);
	}
	/* Masked after it was sent; then masked in the machine, too. */
	given = -1;
	virtual_lvt[0x330 / 4] = LAPIC_LVT_MASKED | 0xfa;
	arrive(VECTOR_LVT, false);
	assert_int_equal(given, -1);
	writes_lvt(0x330, LAPIC_LVT_MASKED | 0xfa);
	assert_int_equal(lvt[0x330 / 4], LAPIC_LVT_MASKED | VECTOR_LVT);
	/* It cannot have sent one that comes now: a device did. */
	arrive(VECTOR_LVT, false);
	assert_int_equal(given, VECTOR_LVT);
	given = -1;
	/* NMIs go the way of NMIs, once they are here; SMIs and INITs are not domain 0's. */
	writes_lvt(0x330, LAPIC_LVT_NMI);
	assert_int_equal(lvt[0x330 / 4], VECTOR_LVT);
	arrive(VECTOR_LVT, false);
	assert_true(d0.nmi_pending);
	writes_lvt(0x330, LAPIC_LVT_SMI | 0xfa);
	assert_int_equal(lvt[0x330 / 4], LAPIC_LVT_MASKED | VECTOR_LVT);
	writes_lvt(0x330, 0x500);
	assert_int_equal(lvt[0x330 / 4], LAPIC_LVT_MASKED | VECTOR_LVT);
}

static void lvts_that_stay(void **state __unused)
{
	static struct vcpu guest;

	lvt[0x330 / 4] = LAPIC_LVT_SMI;			/* firmware's own handler */
	writes_lvt(0x330, 0xfa);
	assert_int_equal(lvt[0x330 / 4], LAPIC_LVT_SMI);
	lvt[0x340 / 4] = lvt[0x2f0 / 4] = LAPIC_LVT_MASKED;
	writes_lvt(0x340, 0xfa);			/* counters */
	assert_int_equal(lvt[0x340 / 4], LAPIC_LVT_MASKED);
	dom0_lvt_written(&guest, 0x2f0, 0xf9);
	lvts_absent = true;
	writes_lvt(0x2f0, 0xf9);
	assert_int_equal(lvt[0x2f0 / 4], LAPIC_LVT_MASKED);
	page[APIC_REG_SVR / 4] = 0;			/* nobody to take it */
	arrive(VECTOR_LVT + 1, false);
	assert_int_equal(given, -1);
}

/* A machine check in root mode: one that it has no part in, and can go on from. */
static void machine_check_is_domain_0s(void **state __unused)
{
	mcg_status = MCG_STATUS_RIPV | BIT(2);
	mce_handler();
	assert_true(d0.mce_pending);
	assert_false(d0.nmi_pending);
	assert_int_equal(self_ipis, 1);
	arrive(VECTOR_KICK, false);
	assert_int_equal(kicks, 1);
}

/* Vectors 16 to 31 are interrupts where the APIC says so, and does not say it all the time. */
static void interrupts_among_exceptions(void **state __unused)
{
	assert_false(irq_not_exception(17));
	in_service[17] = true;
	assert_true(irq_not_exception(17));
	assert_false(irq_not_exception(X86_TRAP_MC));
	level_now = true;
	irq_dispatch(17);
	assert_int_equal(given, 17);
	assert_true(in_service[17]);
	assert_false(irq_not_exception(17));
	vcpu_level_eoi(&d0, 17);
	assert_false(in_service[17]);
	in_service[14] = true;
	assert_false(irq_not_exception(14));
	/* Before domain 0 there is no APIC to ask. */
	in_service[20] = true;
	dom0.nr_vcpus = 0;
	assert_false(irq_not_exception(20));
}

static void eoi_of_a_guest(void **state __unused)
{
	static struct domain guest = { .id = 1 };
	static struct vcpu v;

	v.dom = &guest;
	vcpu_level_eoi(&v, 0x61);
	assert_int_equal(v.eoi_exit, 0x161);
}

/* The xAPIC page is barred as long as one vCPU is in another mode, with each counted once. */
static void guests_xapic_page(void **state __unused)
{
	static struct domain guest = { .id = 1 };
	static struct vcpu v[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		v[i].dom = &guest;
		v[i].apic.mode = VLAPIC_XAPIC;
		v[i].apic.base = APIC_BASE_DEFAULT;
		v[i].apic.access_page = 0x1000;
		vcpu_apic_changed(&v[i]);	/* such as KVM_SET_LAPIC */
	}
	assert_int_equal(guest.apic_bars, 0);
	v[0].apic.mode = VLAPIC_OFF;
	vcpu_apic_changed(&v[0]);
	v[0].apic.mode = VLAPIC_X2APIC;
	vcpu_apic_changed(&v[0]);
	assert_int_equal(guest.apic_bars, 1);
	v[1].apic.mode = VLAPIC_X2APIC;
	vcpu_apic_changed(&v[1]);
	v[0].apic.mode = VLAPIC_XAPIC;
	vcpu_apic_changed(&v[0]);
	vcpu_apic_changed(&v[0]);
	assert_int_equal(guest.apic_bars, 1);
	v[1].apic.mode = VLAPIC_XAPIC;
	vcpu_apic_changed(&v[1]);
	assert_int_equal(guest.apic_bars, 0);
	/* Its APIC is elsewhere. */
	v[1].apic.base = 0xfed00000;
	vcpu_apic_changed(&v[1]);
	assert_int_equal(guest.apic_bars, 1);
	v[1].apic.base = APIC_BASE_DEFAULT;
	vcpu_apic_changed(&v[1]);
	assert_int_equal(guest.apic_bars, 0);
	/* No such page. */
	v[0].apic.access_page = 0;
	v[0].apic.mode = VLAPIC_X2APIC;
	vcpu_apic_changed(&v[0]);
	assert_int_equal(guest.apic_bars, 0);
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(our_own), T(edges_end_at_once), T(levels_end_with_domain_0),
		T(interrupts_among_exceptions), T(ours_are_not_held_back), T(nmi_wakes_domain_0),
		T(machine_check_is_domain_0s), T(own_sources_are_domain_0s), T(lvts_that_stay),
		T(eoi_of_a_guest), T(guests_xapic_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
