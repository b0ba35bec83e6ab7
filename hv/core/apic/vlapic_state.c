// SPDX-License-Identifier: GPL-2.0-only
/* The virtual local APIC as KVM_GET_LAPIC and KVM_SET_LAPIC see it. */
#include "lib/muldiv.h"
#include "lib/string.h"
#include "vlapic_priv.h"

static_assert(sizeof(struct kvm_lapic_state) == 0x400, "register page of KVM");

void vlapic_get_state(struct vcpu *v, struct kvm_lapic_state *s)
{
	struct vlapic *a = &v->apic;
	u32 *reg = (u32 *)s->regs;
	u64 ppr;

	if (a->post)
		vlapic_collect(a);
	memcpy(s, a->state, sizeof(*s));
	if (!vlapic_read(v, APIC_REG_PPR, &ppr))
		reg[APIC_REG_PPR / 4] = ppr;
	reg[APIC_REG_TIMER_CUR / 4] = vlapic_timer_current(v);
	/* 0 would say that it has fired. */
	if (a->timer.cpu && !a->tsc_deadline && !reg[APIC_REG_TIMER_CUR / 4])
		reg[APIC_REG_TIMER_CUR / 4] = 1;
	/* The ID stands in bits 31:24 always: KVM_CAP_X2APIC_API is the shim's. */
	if (vlapic_x2(a))
		reg[APIC_REG_ID / 4] = a->id << 24;
}

static u32 count_bits(const struct vlapic *a, u32 base)
{
	u32 i, n = 0, word;

	for (i = 0; i < 8; i++)
		for (word = areg(a, base + i * 0x10); word; word &= word - 1)
			n++;
	return n;
}

/* A count under way goes on from where it was; a one-shot that is over stays so. */
static void restore_timer(struct vcpu *v, u32 current)
{
	struct vlapic *a = &v->apic;
	u32 init = areg(a, APIC_REG_TIMER_INIT);
	u32 mode = areg(a, APIC_REG_LVT_TIMER) & LVT_TIMER_MODE;

	if (!init || mode == LVT_DEADLINE || (!current && mode != LVT_PERIODIC))
		return;
	vlapic_timer_start(v, init);
	if (current && current < init) {
		a->timer_start -= a->timer_period - muldiv(a->timer_period, current, init);
		timer_arm(&a->timer, a->timer_start + a->timer_period);
	}
}

void vlapic_set_state(struct vcpu *v, const struct kvm_lapic_state *s)
{
	struct vlapic *a = &v->apic;
	const u32 *reg = (const u32 *)s->regs;
	u32 timer_cur = reg[APIC_REG_TIMER_CUR / 4];
	u32 version = areg(a, APIC_REG_VERSION);

	vlapic_timer_stop(v);
	memcpy(a->state, s, sizeof(*s));
	areg_set(a, APIC_REG_VERSION, version);
	areg_set(a, APIC_REG_SVR, areg(a, APIC_REG_SVR) & 0x1ff);
	if (vlapic_x2(a)) {
		areg_set(a, APIC_REG_ID, a->id);
		areg_set(a, APIC_REG_LDR, x2apic_ldr(a->id));
	}
	a->lvt_timer = areg(a, APIC_REG_LVT_TIMER);
	if (a->post)
		vlapic_post_restart(a);
	a->isr_count = count_bits(a, APIC_REG_ISR);
	a->irr_hint = true;
	vlapic_new_mode(a);
	a->pending_esr = 0;
	restore_timer(v, timer_cur);
	vcpu_apic_changed(v);
}
