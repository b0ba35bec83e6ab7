// SPDX-License-Identifier: GPL-2.0-only
/* Physical interrupts; the contract is in irq.h. */
#include "irq.h"

#include "hv/iommu/iommu.h"
#include "lib/atomic.h"
#include "lib/x86.h"
#include "machine/acpi.h"
#include "machine/console.h"
#include "machine/cpu.h"
#include "machine/debug/debug.h"
#include "machine/lapic.h"
#include "machine/log.h"
#include "machine/panic.h"
#include "machine/timer.h"
#include "machine/trap.h"
#include "memory/domain.h"
#include "memory/mmu.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"
#include "vlapic_priv.h"

static void to_dom0(struct cpu *c, u8 vector)
{
	struct vcpu *v = c->dom0;
	bool level = lapic_isr_tmr_test(vector);

	/* Nobody to take it: a disabled local APIC accepts nothing. */
	if (!v || !vlapic_sw_on(&v->apic)) {
		lapic_eoi();
		return;
	}
	/* Held in our own class, it would hold back the kick and the timer. */
	if (level && vector < VECTOR_OWN_CLASS)
		c->level_isr[vector / 64] |= BIT(vector % 64);
	else
		lapic_eoi();
	vlapic_set_irr(v, vector, level);
	vcpu_kick(v);
}

/*
 * Linux's vectors of these are those that Bedplate has for itself, so the machine's LVTs have
 * others, VECTOR_LVT and on.
 */
static const u16 lvts[] = {
	LAPIC_LVT_THERMAL, LAPIC_LVT_CMCI,
	LAPIC_EILVT0, LAPIC_EILVT0 + 0x10, LAPIC_EILVT0 + 0x20, LAPIC_EILVT0 + 0x30,
};

void dom0_lvt_written(struct vcpu *v, u32 offset, u32 val)
{
	u32 i, mode = val & LAPIC_LVT_MODE, now;

	for (i = 0; i < ARRAY_SIZE(lvts) && lvts[i] != offset; i++)
		;
	if (i == ARRAY_SIZE(lvts) || this_cpu()->dom0 != v || !lapic_has_lvt(offset))
		return;
	now = lapic_read(offset);
	if ((now & LAPIC_LVT_MODE) == LAPIC_LVT_SMI && !(now & LAPIC_LVT_MASKED))
		return;			/* firmware's */
	if (mode != LAPIC_LVT_FIXED && mode != LAPIC_LVT_NMI)
		val = LAPIC_LVT_MASKED;
	lapic_write(offset, (VECTOR_LVT + i) | (val & LAPIC_LVT_MASKED));
}

/* False: the LVT is masked or not there; a device sent a message of its vector. */
static bool lvt_to_dom0(struct cpu *c, u32 i)
{
	struct vcpu *v = c->dom0;
	u64 val;

	if (!lapic_has_lvt(lvts[i]) || (lapic_read(lvts[i]) & LAPIC_LVT_MASKED))
		return false;
	lapic_eoi();
	if (!v || !vlapic_sw_on(&v->apic) || vlapic_read(v, lvts[i], &val) ||
	    (val & LAPIC_LVT_MASKED))
		return true;
	if ((val & LAPIC_LVT_MODE) == LAPIC_LVT_NMI)
		WRITE_ONCE(v->nmi_pending, true);
	else
		vlapic_set_irr(v, val & 0xff, false);
	vcpu_kick(v);
	return true;
}

void irq_dispatch(u8 vector)
{
	struct cpu *c = this_cpu();

	switch (vector) {
	case VECTOR_TIMER:
		lapic_eoi();
		timer_interrupt();
		break;
	case VECTOR_KICK:
	case VECTOR_POSTED:
		lapic_eoi();
		if (unlikely(c->nmi_pending)) {
			c->nmi_pending = false;
			vcpu_kick(c->dom0);
		}
		break;
	case VECTOR_IOMMU:
		lapic_eoi();
		iommu_interrupt();
		break;
	case VECTOR_ERROR:
		lapic_write(LAPIC_ESR, 0);
		log_warn("CPU %u: local APIC error %x", c->index, lapic_read(LAPIC_ESR));
		lapic_eoi();
		break;
	case VECTOR_SPURIOUS:
		/* In service it was sent by a device, and would hold back all others. */
		if (lapic_isr_test(vector))
			lapic_eoi();
		break;
	case VECTOR_LVT ... VECTOR_LVT + ARRAY_SIZE(lvts) - 1:
		if (lvt_to_dom0(c, vector - VECTOR_LVT))
			break;
		/* fall through */
	default:
		to_dom0(c, vector);
	}
}

/*
 * Local APICs accept vectors from 16 on, and domain 0 may give them to its devices.
 * One that is held in service keeps others of its number back.
 */
bool irq_not_exception(u8 vector)
{
	if (vector < 16 || !READ_ONCE(dom0.nr_vcpus))
		return false;
	return lapic_isr_test(vector) && !(this_cpu()->level_isr[0] & BIT(vector));
}

/*
 * No lock may be taken here.  Domain 0's vCPU may sleep: an interrupt passes
 * the kick on, which also ends a HLT that the NMI came just before.
 */
void nmi_handler(void)
{
	struct cpu *c = this_cpu();

	if (!c->dom0)
		return;
	WRITE_ONCE(c->dom0->nmi_pending, true);
	WRITE_ONCE(c->nmi_pending, true);
	lapic_send_self(VECTOR_KICK);
}

/*
 * No lock here either.  Where the CPU can go on and had no part in the error, as when all
 * are told of one, it is domain 0's; else what root mode computes is not to be trusted.
 */
void mce_handler(void)
{
	struct cpu *c = this_cpu();
	u64 status = 0;

	if (!c->dom0 || rdmsr_safe(MSR_MCG_STATUS, &status) ||
	    (status & (MCG_STATUS_RIPV | MCG_STATUS_EIPV)) != MCG_STATUS_RIPV)
		panic("machine check in root mode, MCG_STATUS %llx", status);
	WRITE_ONCE(c->dom0->mce_pending, true);
	WRITE_ONCE(c->nmi_pending, true);
	lapic_send_self(VECTOR_KICK);
}

static int highest_bit(const u64 *map)
{
	int i;

	for (i = 3; i >= 0; i--)
		if (map[i])
			return i * 64 + 63 - __builtin_clzll(map[i]);
	return -1;
}

/*
 * A physical EOI ends the highest vector in service.  That need not be the one
 * that domain 0 ended: a higher one may have come while it handled the
 * lower with interrupts off.  So each waits until those above it are done.
 */
static void end_level_irqs(struct cpu *c)
{
	int top;

	while ((top = highest_bit(c->level_isr)) >= 0 &&
	       (c->level_done[top / 64] & BIT(top % 64))) {
		c->level_isr[top / 64] &= ~BIT(top % 64);
		c->level_done[top / 64] &= ~BIT(top % 64);
		lapic_eoi();
	}
}

void vcpu_level_eoi(struct vcpu *v, u8 vector)
{
	struct cpu *c = this_cpu();

	if (!domain_is_dom0(v->dom)) {
		v->eoi_exit = 0x100 | vector;
		return;
	}
	if (c->dom0 != v || !(c->level_isr[vector / 64] & BIT(vector % 64)))
		return;
	c->level_done[vector / 64] |= BIT(vector % 64);
	end_level_irqs(c);
}

void dom0_drop_level_irqs(struct vcpu *v)
{
	struct cpu *c = this_cpu();
	u32 i;

	if (c->dom0 != v)
		return;
	for (i = 0; i < 4; i++) {
		c->level_done[i] = 0;
		while (c->level_isr[i]) {
			c->level_isr[i] &= c->level_isr[i] - 1;
			lapic_eoi();
		}
	}
}

/* Where the CPU takes accesses to the xAPIC page on itself: only in that mode. */
static void mode_of_page(struct vcpu *v)
{
	bool bars = v->apic.mode != VLAPIC_XAPIC || vlapic_moved(&v->apic);

	if (!v->apic.access_page || bars == v->apic.bars_page)
		return;
	v->apic.bars_page = bars;
	if (bars)
		mmu_bar_apic(v->dom, APIC_BASE_DEFAULT);
	else
		mmu_unbar_apic(v->dom);
}

/*
 * Devices address CPUs in the mode that domain 0 chose, so the physical APIC
 * follows: into x2APIC mode, and with the logical IDs of xAPIC mode.
 */
void vcpu_apic_changed(struct vcpu *v)
{
	struct cpu *c = this_cpu();

	mode_of_page(v);
	if (c->dom0 != v)
		return;
	if (!vlapic_hw_on(&v->apic))
		dom0_drop_level_irqs(v);	/* they are in service nowhere else now */
	if (vlapic_x2(&v->apic)) {
		if (!lapic_is_x2apic() && lapic_enable_x2apic())
			return;		/* emulated only: IDs are below 255 */
		c->x2apic = true;
	} else if (!lapic_is_x2apic()) {
		lapic_write(LAPIC_DFR, areg(&v->apic, APIC_REG_DFR));
		lapic_write(LAPIC_LDR, areg(&v->apic, APIC_REG_LDR));
	}
}

noreturn void dom0_shutdown(void)
{
	console_seize();
	debug_report(false);
	log_ending(LOG_END_DOM0_FAULT);
	log_err("domain 0 has ended: resetting the machine");
	panic_describe_exit();
	ops->emergency_off();
	machine_reset();
}
