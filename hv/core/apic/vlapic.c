// SPDX-License-Identifier: GPL-2.0-only
/* Registers, priorities and acknowledgement of the virtual local APIC. */
#include "irq.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/domain.h"
#include "vlapic_priv.h"

#define VERSION_VALUE	0x00050014u	/* 6 LVT entries, integrated */
#define LVT_RESET	((u32)LVT_MASKED)

static const u16 lvt_offsets[] = {
	APIC_REG_LVT_TIMER, APIC_REG_LVT_THERMAL, APIC_REG_LVT_PERF,
	APIC_REG_LVT_LINT0, APIC_REG_LVT_LINT1, APIC_REG_LVT_ERROR, APIC_REG_LVT_CMCI,
};

static u32 nr_lvts(const struct vlapic *a)
{
	return ARRAY_SIZE(lvt_offsets) - !a->cmci;
}

static void set_version(struct vlapic *a)
{
	areg_set(a, APIC_REG_VERSION, VERSION_VALUE + (a->cmci << 16));
}

static void reset_registers(struct vcpu *v)
{
	struct vlapic *a = &v->apic;
	u32 i;

	memset(a->state, 0, sizeof(*a->state));
	areg_set(a, APIC_REG_ID, vlapic_x2(a) ? a->id : a->id << 24);
	set_version(a);
	areg_set(a, APIC_REG_DFR, 0xffffffff);
	if (vlapic_x2(a))
		areg_set(a, APIC_REG_LDR, x2apic_ldr(a->id));
	areg_set(a, APIC_REG_SVR, 0xff);
	for (i = 0; i < nr_lvts(a); i++)
		areg_set(a, lvt_offsets[i], LVT_RESET);
	/* The PIC's interrupts find their way before firmware looks (as with KVM). */
	if ((a->base & APIC_BASE_BSP) && !domain_is_dom0(v->dom) &&
	    !(v->rules.flags & BP_RULE_LINT0_MASKED))
		areg_set(a, APIC_REG_LVT_LINT0, LVT_EXTINT);
	for (i = 0; i < APIC_EILVTS; i++)
		a->eilvt[i] = LVT_RESET;
	a->lvt_timer = LVT_RESET;
	if (a->post)
		vlapic_post_restart(a);
	a->irr_hint = false;
	a->isr_count = 0;
	a->pending_esr = 0;
	a->tsc_deadline = 0;
	a->timer_period = 0;
	vlapic_new_mode(a);
}

void vlapic_init(struct vcpu *v, u32 apic_id, bool bsp)
{
	struct vlapic *a = &v->apic;

	a->id = apic_id;
	a->bus_ns = v->dom->apic_bus_ns ? v->dom->apic_bus_ns : 1;
	a->base = APIC_BASE_DEFAULT | APIC_BASE_ENABLE | (bsp ? APIC_BASE_BSP : 0);
	timer_init(&a->timer, vlapic_timer_fire);
	reset_registers(v);
}

void vlapic_reset(struct vcpu *v)
{
	vlapic_timer_stop(v);
	reset_registers(v);
}

void vlapic_set_cmci(struct vcpu *v, bool cmci)
{
	struct vlapic *a = &v->apic;

	if (cmci && !a->cmci)
		areg_set(a, APIC_REG_LVT_CMCI, LVT_RESET);
	a->cmci = cmci;
	set_version(a);
}

bool vlapic_mmio_hit(const struct vcpu *v, gpa_t gpa)
{
	const struct vlapic *a = &v->apic;

	return vlapic_hw_on(a) && !vlapic_x2(a) && !vlapic_moved(a) &&
	       (gpa & PAGE_MASK) == APIC_BASE_DEFAULT;
}

/* ---- priorities ---- */

static int in_service(const struct vlapic *a)
{
	return a->post || a->isr_count ? vec_highest(a, APIC_REG_ISR) : -1;
}

static u8 current_ppr(struct vlapic *a)
{
	u8 tpr = areg(a, APIC_REG_TPR);
	int isr = in_service(a);

	if (isr >= 0 && (isr & 0xf0) > (tpr & 0xf0))
		return isr & 0xf0;
	return tpr;
}

int vlapic_pending(struct vcpu *v)
{
	struct vlapic *a = &v->apic;
	int irr;

	if (a->post)
		vlapic_collect(a);
	else if (!READ_ONCE(a->irr_hint))
		return -1;
	if (!vlapic_sw_on(a))
		return -1;
	irr = vec_highest(a, APIC_REG_IRR);
	if (irr < 0) {
		WRITE_ONCE(a->irr_hint, false);
		smp_mb();
		if (vec_highest(a, APIC_REG_IRR) >= 0)
			WRITE_ONCE(a->irr_hint, true);
		return -1;
	}
	return (irr & 0xf0) > (current_ppr(a) & 0xf0) ? irr : -1;
}

bool vlapic_others_pending(const struct vlapic *a, u8 vector)
{
	u32 i, any = 0;

	for (i = 0; i < 8; i++)
		any |= areg(a, APIC_REG_IRR + i * 0x10) & ~(i == vector / 32 ? BIT(vector % 32) : 0);
	return any;
}

u8 vlapic_tpr_blocked(struct vcpu *v)
{
	struct vlapic *a = &v->apic;
	int irr = vlapic_sw_on(a) ? vec_highest(a, APIC_REG_IRR) : -1;
	int isr = in_service(a);

	if (irr < 0 || (irr & 0xf0) <= (isr < 0 ? 0 : isr & 0xf0))
		return 0;
	return (irr & 0xf0) <= (areg(a, APIC_REG_TPR) & 0xf0) ? irr >> 4 : 0;
}

bool vlapic_accepts_extint(const struct vcpu *v)
{
	const struct vlapic *a = &v->apic;
	u32 lvt = areg(a, APIC_REG_LVT_LINT0);

	if (!vlapic_hw_on(a) || READ_ONCE(v->extint) & BP_EXTINT_DIRECT)
		return true;
	return !(lvt & LVT_MASKED) && ((lvt >> 8) & 7) == DM_EXTINT;
}

bool vlapic_waits(struct vcpu *v)
{
	return vlapic_pending(v) >= 0 || (READ_ONCE(v->extint) && vlapic_accepts_extint(v));
}

bool vlapic_has_interrupt(struct vcpu *v)
{
	return vcpu_intr_queued(v) || vlapic_waits(v);
}

bool vlapic_set_irr(struct vcpu *v, u8 vector, bool level)
{
	struct vlapic *a = &v->apic;
	u32 bit = BIT(vector % 32), old;

	if (level)
		fetch_or(vec_word(a, APIC_REG_TMR, vector), bit);
	else if (vec_test(a, APIC_REG_TMR, vector))
		fetch_and(vec_word(a, APIC_REG_TMR, vector), ~bit);
	if (a->post)
		return vlapic_post(a, vector, level);
	old = fetch_or(vec_word(a, APIC_REG_IRR, vector), bit);
	WRITE_ONCE(a->irr_hint, true);
	return !(old & bit);
}

bool vlapic_auto_eoi(const struct vcpu *v, u8 vector)
{
	return unlikely(v->rules.flags & BP_RULE_AUTO_EOI) &&
	       v->rules.auto_eoi[vector / 64] & BIT(vector % 64);
}

void vlapic_ack(struct vcpu *v, u8 vector)
{
	struct vlapic *a = &v->apic;
	u32 bit = BIT(vector % 32);

	fetch_and(vec_word(a, APIC_REG_IRR, vector), ~bit);
	if (vlapic_auto_eoi(v, vector))
		return;
	if (!vec_test(a, APIC_REG_ISR, vector)) {
		*vec_word(a, APIC_REG_ISR, vector) |= bit;
		a->isr_count++;
	}
}

void vlapic_eoi(struct vcpu *v)
{
	struct vlapic *a = &v->apic;
	int vector = in_service(a);

	if (vector < 0)
		return;
	*vec_word(a, APIC_REG_ISR, vector) &= ~BIT(vector % 32);
	if (a->isr_count)
		a->isr_count--;
	vlapic_touched(a);
	if (vec_test(a, APIC_REG_TMR, vector))
		vcpu_level_eoi(v, vector);
}

void vlapic_set_cr8(struct vcpu *v, u8 cr8)
{
	areg_set(&v->apic, APIC_REG_TPR, (cr8 & 15) << 4);
}

/* ---- register access ---- */

static bool is_lvt(const struct vlapic *a, u32 offset)
{
	u32 i;

	for (i = 0; i < nr_lvts(a); i++)
		if (lvt_offsets[i] == offset)
			return true;
	return false;
}

static bool readable(const struct vlapic *a, u32 offset)
{
	switch (offset) {
	case APIC_REG_ID: case APIC_REG_VERSION: case APIC_REG_TPR:
	case APIC_REG_PPR: case APIC_REG_LDR: case APIC_REG_SVR:
	case APIC_REG_ISR ... APIC_REG_IRR + 0x70:
	case APIC_REG_ESR: case APIC_REG_ICR:
	case APIC_REG_TIMER_INIT: case APIC_REG_TIMER_CUR: case APIC_REG_TIMER_DIV:
		return true;
	case APIC_REG_DFR: case APIC_REG_ICR2: case 0x090: case 0x0c0:
		return !vlapic_x2(a);
	default:
		return is_lvt(a, offset);
	}
}

/*
 * Linux sets up the machine-check interrupts that AMD's CPUID offers domain 0,
 * and takes their extended LVTs for granted.  Where the CPU has none they are kept
 * and raise nothing: errors are found by polling.
 */
static u32 *eilvt(struct vcpu *v, u32 offset)
{
	u32 i = (offset - APIC_REG_EILVT0) / 16;

	if (offset & 15 || i >= APIC_EILVTS || !domain_is_dom0(v->dom))
		return NULL;
	return &v->apic.eilvt[i];
}

int vlapic_read(struct vcpu *v, u32 offset, u64 *val)
{
	struct vlapic *a = &v->apic;
	u32 *ext = eilvt(v, offset);

	*val = ext ? *ext : 0;
	if (ext)
		return 0;
	if ((offset & 15) || !readable(a, offset)) {
		a->pending_esr |= ESR_ILLEGAL_REG;
		return -EINVAL;
	}
	switch (offset) {
	case APIC_REG_PPR:
		*val = current_ppr(a);
		break;
	case APIC_REG_TIMER_CUR:
		*val = vlapic_timer_current(v);
		break;
	case APIC_REG_ICR:
		*val = areg(a, APIC_REG_ICR);
		if (vlapic_x2(a))
			*val |= (u64)areg(a, APIC_REG_ICR2) << 32;
		break;
	default:
		*val = areg(a, offset);
	}
	return 0;
}

static u32 lvt_mask(u32 offset)
{
	switch (offset) {
	case APIC_REG_LVT_TIMER:
		return 0x000700ff;	/* vector, mask, mode */
	case APIC_REG_LVT_LINT0:
	case APIC_REG_LVT_LINT1:
		return 0x0001a7ff;	/* + delivery mode, polarity, trigger */
	case APIC_REG_LVT_ERROR:
		return 0x000100ff;
	default:
		return 0x000107ff;
	}
}

static void write_lvt(struct vcpu *v, u32 offset, u32 val)
{
	struct vlapic *a = &v->apic;

	val &= lvt_mask(offset);
	if (!(areg(a, APIC_REG_SVR) & SVR_ENABLE))
		val |= LVT_MASKED;
	if (offset == APIC_REG_LVT_TIMER)
		vlapic_lvt_timer_write(v, val);
	else
		areg_set(a, offset, val);
	if (domain_is_dom0(v->dom))
		dom0_lvt_written(v, offset, val);
}

static void write_svr(struct vlapic *a, u32 val)
{
	u32 i;

	areg_set(a, APIC_REG_SVR, val & 0x1ff);
	vlapic_new_mode(a);
	if (!(val & SVR_ENABLE))
		for (i = 0; i < nr_lvts(a); i++)
			areg_set(a, lvt_offsets[i], areg(a, lvt_offsets[i]) | LVT_MASKED);
}

static int write_x2_only(struct vcpu *v, u32 offset, u64 val)
{
	if (offset != APIC_REG_SELF_IPI || !vlapic_x2(&v->apic) || (val >> 8))
		return -EINVAL;
	vlapic_deliver(v->dom, v, 0, false, SHORT_SELF, DM_FIXED, val, false);
	return 0;
}

static int write_xapic_only(struct vcpu *v, u32 offset, u32 val)
{
	struct vlapic *a = &v->apic;

	if (vlapic_x2(a))
		return -EINVAL;
	switch (offset) {
	case APIC_REG_ID:
		return 0;	/* fixed, as on current processors */
	case APIC_REG_LDR:
		areg_set(a, offset, val & 0xff000000);
		break;
	case APIC_REG_DFR:
		areg_set(a, offset, val | 0x0fffffff);
		break;
	case APIC_REG_ICR2:
		areg_set(a, offset, val & 0xff000000);
		return 0;
	}
	vcpu_apic_changed(v);
	return 0;
}

int vlapic_write(struct vcpu *v, u32 offset, u64 val)
{
	struct vlapic *a = &v->apic;
	u32 *ext = eilvt(v, offset);

	if (ext) {
		*ext = val & lvt_mask(offset);
		dom0_lvt_written(v, offset, *ext);
		return 0;
	}
	switch (offset) {
	case APIC_REG_EOI:
		if (vlapic_x2(a) && val)
			return -EINVAL;
		vlapic_eoi(v);
		return 0;
	case APIC_REG_TPR:
		if (vlapic_x2(a) && (val >> 8))
			return -EINVAL;
		areg_set(a, APIC_REG_TPR, val & 0xff);
		return 0;
	case APIC_REG_ICR:
		if (vlapic_x2(a) && (val & ICR_X2_RESERVED))
			return -EINVAL;
		if (!vlapic_x2(a))
			val = (u32)val | (u64)(areg(a, APIC_REG_ICR2) >> 24) << 32;
		vlapic_icr_write(v, val);
		return 0;
	case APIC_REG_SELF_IPI:
		return write_x2_only(v, offset, val);
	case APIC_REG_ID: case APIC_REG_LDR: case APIC_REG_DFR: case APIC_REG_ICR2:
		return write_xapic_only(v, offset, val);
	case APIC_REG_SVR:
		write_svr(a, val);
		return 0;
	case APIC_REG_ESR:
		if (vlapic_x2(a) && val)
			return -EINVAL;
		areg_set(a, APIC_REG_ESR, a->pending_esr);
		a->pending_esr = 0;
		return 0;
	case APIC_REG_TIMER_INIT:
		if ((areg(a, APIC_REG_LVT_TIMER) & LVT_TIMER_MODE) != LVT_DEADLINE)
			vlapic_timer_start(v, val);
		return 0;
	case APIC_REG_TIMER_DIV:
		areg_set(a, offset, val & 0xb);
		return 0;
	}
	if (is_lvt(a, offset)) {
		write_lvt(v, offset, val);
		return 0;
	}
	a->pending_esr |= ESR_ILLEGAL_REG;
	return -EINVAL;
}

/* ---- MSRs ---- */

int vlapic_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	if (msr == MSR_TSC_DEADLINE) {
		*val = vlapic_deadline_read(v);
		return 0;
	}
	if (msr == MSR_APIC_BASE) {
		*val = v->apic.base;
		return 0;
	}
	if (msr < MSR_X2APIC_BASE || msr > MSR_X2APIC_LAST)
		return -ENOENT;
	if (!vlapic_x2(&v->apic))
		return -EINVAL;
	return vlapic_read(v, (msr - MSR_X2APIC_BASE) << 4, val);
}

int vlapic_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	u32 offset;

	if (msr == MSR_TSC_DEADLINE) {
		vlapic_deadline_write(v, val);
		return 0;
	}
	if (msr == MSR_APIC_BASE)
		return vlapic_set_base(v, val);
	if (msr < MSR_X2APIC_BASE || msr > MSR_X2APIC_LAST)
		return -ENOENT;
	offset = (msr - MSR_X2APIC_BASE) << 4;
	if (!vlapic_x2(&v->apic))
		return -EINVAL;
	if (offset != APIC_REG_ICR && (val >> 32))
		return -EINVAL;
	return vlapic_write(v, offset, val);
}

static void change_mode(struct vcpu *v, u64 now)
{
	struct vlapic *a = &v->apic;

	if (now & APIC_BASE_EXTD) {
		areg_set(a, APIC_REG_ID, a->id);
		areg_set(a, APIC_REG_LDR, x2apic_ldr(a->id));
	} else if (!now) {
		vlapic_reset(v);
	} else {
		areg_set(a, APIC_REG_ID, a->id << 24);
	}
	vlapic_new_mode(a);
}

bool vlapic_base_valid(u64 base)
{
	return !(base & ~(APIC_BASE_ADDR | APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_ENABLE)) &&
	       (base & (APIC_BASE_ENABLE | APIC_BASE_EXTD)) != APIC_BASE_EXTD;
}

int vlapic_set_base(struct vcpu *v, u64 base)
{
	struct vlapic *a = &v->apic;
	u64 was = a->base & (APIC_BASE_ENABLE | APIC_BASE_EXTD);
	u64 now = base & (APIC_BASE_ENABLE | APIC_BASE_EXTD);

	if (!vlapic_base_valid(base))
		return -EINVAL;
	/* What devices say reaches domain 0 where it always is. */
	if (domain_is_dom0(v->dom) && (base & APIC_BASE_ADDR) != APIC_BASE_DEFAULT)
		return -EINVAL;
	/* SDM vol. 3, 11.12.5: x2APIC -> xAPIC and off -> x2APIC are illegal. */
	if (was == (APIC_BASE_ENABLE | APIC_BASE_EXTD) && now == APIC_BASE_ENABLE)
		return -EINVAL;
	if (!was && (now & APIC_BASE_EXTD))
		return -EINVAL;
	a->base = base;
	if (was != now)
		change_mode(v, now);
	vcpu_apic_changed(v);
	return 0;
}
