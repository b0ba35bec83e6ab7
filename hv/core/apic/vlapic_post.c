// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a vCPU whose CPU delivers them by itself (SDM vol. 3, ch. 31).
 *
 * While such a vCPU runs, IRR and ISR in its register page are the CPU's: others
 * only post.  The CPU takes posted vectors into IRR when VECTOR_POSTED comes, and
 * vlapic_collect() does before each entry and whenever somebody asks what is
 * pending.  A level-triggered vector's EOI must exit, and the CPU knows that only
 * from an entry on: until then such a vector stays where the CPU does not look.
 */
#include "lib/string.h"
#include "vcpu/vcpu.h"
#include "vlapic_priv.h"

static_assert(offsetof(struct vlapic_post, control) == 32, "hardware layout");
static_assert(offsetof(struct vlapic_post, late) == 64, "hardware layout");

bool vlapic_post(struct vlapic *a, u8 vector, bool level)
{
	struct vlapic_post *p = a->post;
	u64 bit = BIT(vector % 64), old;
	u32 i = vector / 64;

	if (level && !(READ_ONCE(p->eoi_exits[i]) & bit)) {
		old = fetch_or(&p->late[i], bit);
		WRITE_ONCE(p->late_any, true);
	} else {
		old = fetch_or(&p->vectors[i], bit);
		fetch_or(&p->control, POST_OUTSTANDING);
	}
	return !(old & bit) && !vec_test(a, APIC_REG_IRR, vector);
}

/* 64 vectors from 64 * i on become pending. */
static void accept(struct vlapic *a, u32 i, u64 vectors)
{
	u8 first = i * 64;

	if (!vectors)
		return;
	fetch_or(vec_word(a, APIC_REG_IRR, first), (u32)vectors);
	fetch_or(vec_word(a, APIC_REG_IRR, first + 32), (u32)(vectors >> 32));
	a->post->status_changed = true;
}

static void want_eois(struct vlapic_post *p, u32 i, u64 vectors)
{
	if (!(vectors & ~p->eoi_exits[i]))
		return;
	WRITE_ONCE(p->eoi_exits[i], p->eoi_exits[i] | vectors);
	p->eoi_changed = true;
}

/* The mark is cleared first: who posts behind it sets it again. */
void vlapic_collect(struct vlapic *a)
{
	struct vlapic_post *p = a->post;
	u64 late;
	u32 i;

	if (unlikely(READ_ONCE(p->control) & POST_OUTSTANDING)) {
		fetch_and(&p->control, ~POST_OUTSTANDING);
		for (i = 0; i < 4; i++)
			accept(a, i, xchg(&p->vectors[i], 0));
	}
	if (unlikely(READ_ONCE(p->late_any))) {
		WRITE_ONCE(p->late_any, false);
		for (i = 0; i < 4; i++) {
			late = xchg(&p->late[i], 0);
			want_eois(p, i, late);
			accept(a, i, late);
		}
	}
}

void vlapic_post_restart(struct vlapic *a)
{
	struct vlapic_post *p = a->post;
	u32 i;

	fetch_and(&p->control, ~POST_OUTSTANDING);
	WRITE_ONCE(p->late_any, false);
	for (i = 0; i < 4; i++) {
		u32 tmr = APIC_REG_TMR + i * 0x20;

		xchg(&p->vectors[i], 0);
		xchg(&p->late[i], 0);
		want_eois(p, i, areg(a, tmr) | (u64)areg(a, tmr + 0x10) << 32);
	}
	p->status_changed = true;
}

u16 vlapic_status(const struct vcpu *v)
{
	const struct vlapic *a = &v->apic;
	int irr = vlapic_sw_on(a) ? vec_highest(a, APIC_REG_IRR) : -1;
	int isr = vec_highest(a, APIC_REG_ISR);

	return (isr < 0 ? 0 : isr << 8) | (irr < 0 ? 0 : irr);
}

void vlapic_ended(struct vcpu *v, u8 vector)
{
	if (vec_test(&v->apic, APIC_REG_TMR, vector))
		vcpu_level_eoi(v, vector);
}

/*
 * What a write must not change, or what acting on it compares with, was kept.
 * EOI and self-IPI read 0.
 */
void vlapic_written(struct vcpu *v, u32 offset)
{
	struct vlapic *a = &v->apic;
	u32 val;

	offset &= 0xff0;
	if (offset >= sizeof(*a->state))
		return;
	val = areg(a, offset);
	switch (offset) {
	case APIC_REG_ID:
		areg_set(a, offset, vlapic_x2(a) ? a->id : a->id << 24);
		break;
	case APIC_REG_LVT_TIMER:
		areg_set(a, offset, a->lvt_timer);
		break;
	case APIC_REG_EOI:
	case APIC_REG_SELF_IPI:
		areg_set(a, offset, 0);
		break;
	}
	vlapic_write(v, offset, val);
}
