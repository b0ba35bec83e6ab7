// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_GET and VCPU_SET: one reader and one writer for each class of state.
 * The frame is copied to private memory before anything in it is checked,
 * but for bulk register contents that any value suits.
 */
#include <linux/kvm.h>

#include "hv/core/apic/vlapic.h"
#include "hv/core/guest/cpuid.h"
#include "hv/core/guest/gwalk.h"
#include "hv/core/guest/insn.h"
#include "hv/core/guest/msr.h"
#include "hv/core/guest/pv.h"
#include "hv/core/lib/atomic.h"
#include "hv/core/lib/errno.h"
#include "hv/core/lib/string.h"
#include "hv/core/lib/x86.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/machine/tsc.h"
#include "hv/core/memory/domain.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/speculation.h"
#include "server.h"

#define CPUID_MAX	100
#define MSRS_MAX	255

struct cls {
	u32 size;		/* least length; 0: checked by the handler */
	s64 (*get)(struct vcpu *v, void *buf, u32 len);
	s64 (*set)(struct vcpu *v, const void *buf, u32 len);
};

static s64 get_regs(struct vcpu *v, void *buf, u32 len)
{
	(void)len;
	vcpu_get_regs(v, buf);
	return sizeof(struct kvm_regs);
}

/*
 * As in KVM, new registers drop an exception that was to be delivered.  An
 * interrupt stays, and waits for IF if that is clear now.
 */
static s64 set_regs(struct vcpu *v, const void *buf, u32 len)
{
	(void)len;
	vcpu_set_regs(v, buf);
	if (v->inject.type == EVENT_EXC)
		v->inject.type = EVENT_NONE;
	else if (v->inject.type == EVENT_INTR)
		accepted_irq_set(v, v->inject.vector);
	return 0;
}

static void read_sregs(struct vcpu *v, struct kvm_sregs *s)
{
	memset(s, 0, sizeof(*s));
	ops->get_sregs(v, s);
	s->cr2 = v->regs.cr2;
	s->cr8 = vlapic_get_cr8(v);
	s->apic_base = v->apic.base;
}

static s64 get_sregs(struct vcpu *v, void *buf, u32 len)
{
	int vector = accepted_irq(v);
	struct kvm_sregs s;

	(void)len;
	read_sregs(v, &s);
	if (vector >= 0)
		s.interrupt_bitmap[vector / 64] |= BIT(vector % 64);
	memcpy(buf, &s, sizeof(s));
	return sizeof(s);
}

/* The VMM may make transitions of IA32_APIC_BASE that a guest cannot. */
static int set_apic_base(struct vcpu *v, u64 base)
{
	u64 bsp = base & APIC_BASE_BSP;

	if (!vlapic_base_valid(base))
		return -EINVAL;
	if (base == v->apic.base || !vlapic_set_base(v, base))
		return 0;
	vlapic_set_base(v, APIC_BASE_DEFAULT | bsp);
	vlapic_set_base(v, APIC_BASE_DEFAULT | APIC_BASE_ENABLE | bsp);
	return vlapic_set_base(v, base);
}

static void set_bitmap(struct vcpu *v, const __u64 *map)
{
	u32 i;

	for (i = 0; i < 4; i++) {
		if (!map[i])
			continue;
		accepted_irq_set(v, i * 64 + __builtin_ctzll(map[i]));
		return;
	}
}

static int write_sregs(struct vcpu *v, const struct kvm_sregs *s)
{
	if (s->cr8 >> 4 || !vlapic_base_valid(s->apic_base) || ops->set_sregs(v, s))
		return -EINVAL;
	set_apic_base(v, s->apic_base);
	v->regs.cr2 = s->cr2;
	if (s->cr8 != vlapic_get_cr8(v))	/* TPR has four bits more */
		vlapic_set_cr8(v, s->cr8);
	ops->flush(v);
	return 0;
}

static s64 set_sregs(struct vcpu *v, const void *buf, u32 len)
{
	struct kvm_sregs s;

	(void)len;
	memcpy(&s, buf, sizeof(s));
	if (write_sregs(v, &s))
		return -EINVAL;
	set_bitmap(v, s.interrupt_bitmap);
	return 0;
}

/* The second form is the first, with other things in place of the bitmap. */
#define SREGS_COMMON	offsetof(struct kvm_sregs2, flags)
static_assert(SREGS_COMMON == offsetof(struct kvm_sregs, interrupt_bitmap), "linux/kvm.h");

static s64 get_sregs2(struct vcpu *v, void *buf, u32 len)
{
	struct kvm_sregs2 s2;
	struct vcpu_paging p;
	struct kvm_sregs s;

	(void)len;
	read_sregs(v, &s);
	memset(&s2, 0, sizeof(s2));
	memcpy(&s2, &s, SREGS_COMMON);
	ops->get_paging(v, &p);
	if (p.pdptes) {
		s2.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
		memcpy(s2.pdptrs, p.pdpte, sizeof(s2.pdptrs));
	}
	memcpy(buf, &s2, sizeof(s2));
	return sizeof(s2);
}

static s64 set_sregs2(struct vcpu *v, const void *buf, u32 len)
{
	struct kvm_sregs s = { 0 };
	struct kvm_sregs2 s2;

	(void)len;
	memcpy(&s2, buf, sizeof(s2));
	memcpy(&s, &s2, SREGS_COMMON);
	if ((s2.flags & ~(u64)KVM_SREGS2_FLAGS_PDPTRS_VALID) ||
	    (s2.flags && !uses_pae_root(s.cr0, s.cr4, s.efer)))
		return -EINVAL;
	if (write_sregs(v, &s))
		return -EINVAL;
	if (s2.flags)
		ops->set_pdptes(v, s2.pdptrs);
	return 0;
}

static s64 get_fpu(struct vcpu *v, void *buf, u32 len)
{
	(void)len;
	xstate_get_fpu(v, buf);
	return sizeof(struct kvm_fpu);
}

static s64 set_fpu(struct vcpu *v, const void *buf, u32 len)
{
	(void)len;
	xstate_set_fpu(v, buf);
	return 0;
}

static s64 get_xsave(struct vcpu *v, void *buf, u32 len)
{
	(void)len;
	xstate_get(v, buf);
	return sizeof(struct kvm_xsave);
}

static s64 set_xsave(struct vcpu *v, const void *buf, u32 len)
{
	(void)len;
	return xstate_set(v, buf);
}

static s64 get_xcrs(struct vcpu *v, void *buf, u32 len)
{
	struct kvm_xcrs x;

	(void)len;
	memset(&x, 0, sizeof(x));
	x.nr_xcrs = 1;
	x.xcrs[0].value = v->xcr0;
	memcpy(buf, &x, sizeof(x));
	return sizeof(x);
}

/* The first of them that is XCR0 counts, as in KVM. */
static s64 set_xcrs(struct vcpu *v, const void *buf, u32 len)
{
	struct kvm_xcrs x;
	u32 i;

	(void)len;
	memcpy(&x, buf, sizeof(x));
	if (x.nr_xcrs > KVM_MAX_XCRS || x.flags)
		return -EINVAL;
	for (i = 0; i < x.nr_xcrs; i++) {
		if (x.xcrs[i].xcr)
			continue;
		if (!xcr0_valid(x.xcrs[i].value))
			return -EINVAL;
		v->xcr0 = x.xcrs[i].value;
		break;
	}
	return 0;
}

/* Results up to the first MSR that is refused count, as in KVM. */
static s64 get_msrs(struct vcpu *v, void *buf, u32 len)
{
	struct kvm_msrs *m = buf;
	u32 i, n = READ_ONCE(m->nmsrs);

	if (n > MSRS_MAX || len < sizeof(*m) + n * sizeof(m->entries[0]))
		return -EINVAL;
	for (i = 0; i < n; i++) {
		u64 val;

		if (vcpu_host_rdmsr(v, READ_ONCE(m->entries[i].index), &val))
			break;
		m->entries[i].data = val;
	}
	return i;
}

static s64 set_msrs(struct vcpu *v, const void *buf, u32 len)
{
	const struct kvm_msrs *m = buf;
	u32 i, n = READ_ONCE(m->nmsrs);

	if (n > MSRS_MAX || len < sizeof(*m) + n * sizeof(m->entries[0]))
		return -EINVAL;
	for (i = 0; i < n; i++) {
		u32 index = READ_ONCE(m->entries[i].index);
		u64 val = READ_ONCE(m->entries[i].data);

		if (index == MSR_APIC_BASE ? set_apic_base(v, val) :
					     vcpu_host_wrmsr(v, index, val))
			break;
	}
	return i;
}

static s64 get_lapic(struct vcpu *v, void *buf, u32 len)
{
	(void)len;
	vlapic_get_state(v, buf);
	return sizeof(struct kvm_lapic_state);
}

static s64 set_lapic(struct vcpu *v, const void *buf, u32 len)
{
	struct kvm_lapic_state s;

	(void)len;
	memcpy(&s, buf, sizeof(s));
	vlapic_set_state(v, &s);
	return 0;
}

static s64 get_mp_state(struct vcpu *v, void *buf, u32 len)
{
	struct kvm_mp_state *m = buf;

	(void)len;
	m->mp_state = v->mp_state;
	return sizeof(*m);
}

static s64 set_mp_state(struct vcpu *v, const void *buf, u32 len)
{
	u32 state = READ_ONCE(((const struct kvm_mp_state *)buf)->mp_state);

	(void)len;
	switch (state) {
	case KVM_MP_STATE_RUNNABLE:
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_INIT_RECEIVED:
	case KVM_MP_STATE_HALTED:
		v->mp_state = state;
		return 0;
	case KVM_MP_STATE_SIPI_RECEIVED:
		v->mp_state = KVM_MP_STATE_INIT_RECEIVED;
		fetch_or(&v->requests, VCPU_REQ_SIPI);
		return 0;
	}
	return -EINVAL;
}

static s64 get_events(struct vcpu *v, void *buf, u32 len)
{
	struct kvm_vcpu_events e;

	(void)len;
	events_get(v, &e);
	memcpy(buf, &e, sizeof(e));
	return sizeof(e);
}

static s64 set_events(struct vcpu *v, const void *buf, u32 len)
{
	struct kvm_vcpu_events e;

	(void)len;
	memcpy(&e, buf, sizeof(e));
	return events_set(v, &e);
}

static s64 get_debugregs(struct vcpu *v, void *buf, u32 len)
{
	struct kvm_debugregs d;
	u32 i;

	(void)len;
	memset(&d, 0, sizeof(d));
	for (i = 0; i < 4; i++)
		d.db[i] = v->dr[i];
	d.dr6 = v->dr6;
	if (v->inject.type == EVENT_EXC && !(v->rules.flags & BP_RULE_PAYLOAD))
		d.dr6 |= v->inject.dr6;
	d.dr7 = v->dr7;
	memcpy(buf, &d, sizeof(d));
	return sizeof(d);
}

static s64 set_debugregs(struct vcpu *v, const void *buf, u32 len)
{
	struct kvm_debugregs d;
	u32 i;

	(void)len;
	memcpy(&d, buf, sizeof(d));
	if (d.flags || (d.dr6 >> 32) || (d.dr7 >> 32))
		return -EINVAL;
	for (i = 0; i < 4; i++)
		v->dr[i] = d.db[i];
	v->dr6 = d.dr6;
	v->dr7 = d.dr7;
	ops->sync_controls(v);
	return 0;
}

static s64 get_cpuid(struct vcpu *v, void *buf, u32 len)
{
	struct kvm_cpuid2 *c = buf;
	u32 i, size = sizeof(*c) + v->cpuid_n * sizeof(c->entries[0]);

	if (len < size)
		return -E2BIG;
	c->nent = v->cpuid_n;
	for (i = 0; i < v->cpuid_n; i++) {
		struct kvm_cpuid_entry2 e = v->cpuid[i];

		cpuid_refresh(v, &e);
		c->entries[i] = e;
	}
	return size;
}

static s64 set_cpuid(struct vcpu *v, const void *buf, u32 len)
{
	const struct kvm_cpuid2 *c = buf;
	u32 n = READ_ONCE(c->nent);

	if (n > CPUID_MAX || len < sizeof(*c) + n * sizeof(c->entries[0]))
		return -E2BIG;
	if (!v->cpuid) {
		v->cpuid = domain_page_alloc(v->dom);
		if (!v->cpuid)
			return -ENOMEM;
	}
	memcpy(v->cpuid, c->entries, n * sizeof(c->entries[0]));
	v->cpuid_n = n;
	cpuid_index(v);
	return 0;
}

static s64 get_tsc_khz(struct vcpu *v, void *buf, u32 len)
{
	(void)v;
	(void)len;
	*(u32 *)buf = tsc_khz;
	return sizeof(u32);
}

/* Within 250 ppm of the machine's own, as KVM tolerates without scaling. */
static s64 set_tsc_khz(struct vcpu *v, const void *buf, u32 len)
{
	u32 want = READ_ONCE(*(const u32 *)buf);
	u64 slack = tsc_khz * 250 / 1000000;

	(void)v;
	(void)len;
	return want + slack < tsc_khz || want > tsc_khz + slack ? -EINVAL : 0;
}

static s64 get_translate(struct vcpu *v, void *buf, u32 len)
{
	struct kvm_translation t;
	struct vcpu_paging p;
	gpa_t gpa;

	(void)len;
	memset(&t, 0, sizeof(t));
	t.linear_address = READ_ONCE(((struct kvm_translation *)buf)->linear_address);
	ops->get_paging(v, &p);
	t.physical_address = ~0ull;
	if (!gva_to_gpa(v, &p, t.linear_address, &gpa)) {
		t.physical_address = gpa;
		t.valid = 1;
		t.writeable = 1;
	}
	memcpy(buf, &t, sizeof(t));
	return sizeof(t);
}

static s64 get_mce(struct vcpu *v, void *buf, u32 len)
{
	(void)len;
	*(u64 *)buf = v->msr.mcg_cap;
	return sizeof(u64);
}

#define MCG_CTL_P	BIT(8)
#define MCG_SER_P	BIT(24)
#define MCG_EXT_CNT	0xff0000ull

static s64 set_mce(struct vcpu *v, const void *buf, u32 len)
{
	u64 cap = READ_ONCE(*(const u64 *)buf);
	u32 i;

	(void)len;
	if ((cap & 0xff) > 32 || !(cap & 0xff) ||
	    (cap & ~(0xffull | MCG_EXT_CNT | MCG_CTL_P | MCG_CMCI_P | MCG_SER_P)))
		return -EINVAL;
	v->msr.mcg_cap = cap;
	vlapic_set_cmci(v, cap & MCG_CMCI_P);
	if (cap & MCG_CMCI_P)
		memset(v->msr.mce_ctl2, 0, sizeof(v->msr.mce_ctl2));
	if (cap & MCG_CTL_P)
		v->msr.mcg_ctl = ~0ull;
	for (i = 0; i < (cap & 0xff); i++)
		v->msr.mce[i * 4] = ~0ull;
	return 0;
}

static s64 get_tsc_offset(struct vcpu *v, void *buf, u32 len)
{
	(void)len;
	*(u64 *)buf = v->tsc_offset;
	return sizeof(u64);
}

static s64 set_tsc_offset(struct vcpu *v, const void *buf, u32 len)
{
	(void)len;
	vcpu_set_tsc_offset(v, READ_ONCE(*(const u64 *)buf));
	v->dom->tsc_set = true;
	return 0;
}

static s64 set_clock_stopped(struct vcpu *v, const void *buf, u32 len)
{
	(void)buf;
	(void)len;
	if (!(v->msr.kvmclock & KVM_MSR_ENABLED))
		return -EINVAL;
	v->pv_stopped = true;
	v->pv_dirty = true;
	return 0;
}

static s64 set_rules(struct vcpu *v, const void *buf, u32 len)
{
	u32 was = v->rules.flags;
	struct bp_rules r;

	(void)len;
	memcpy(&r, buf, sizeof(r));
	if ((r.flags & ~BP_RULES) || r.nranges > ARRAY_SIZE(r.msr))
		return -EINVAL;
	v->rules = r;
	/* The debugger looks for something else now. */
	if (v->exit_pending == BP_EXIT_DEBUG &&
	    ((was ^ r.flags) & (BP_RULE_DEBUG | BP_RULE_BREAK)))
		v->exit_pending = 0;
	ops->sync_controls(v);
	return 0;
}

static s64 get_nested(struct vcpu *v, void *buf, u32 len)
{
	(void)len;
	memcpy(buf, &v->nested, sizeof(v->nested));
	return sizeof(v->nested);
}

static s64 set_nested(struct vcpu *v, const void *buf, u32 len)
{
	struct bp_nested n;

	(void)len;
	memcpy(&n, buf, sizeof(n));
	if (!ops_chosen()->nested || (n.flags & ~BP_NESTED) || n.tpr > 15 || n.virq > 16)
		return -EINVAL;
	if ((n.flags ^ v->nested.flags) & BP_NESTED_GUEST)
		spec_init_vcpu(v);	/* L1 and L2 count as two */
	if (!(n.flags & BP_NESTED_GUEST))
		n = (struct bp_nested){ .flags = n.flags & (BP_NESTED_ON | BP_NESTED_HOLD) };
	v->nested = n;
	ops->sync_controls(v);
	return 0;
}

static s64 set_smm(struct vcpu *v, const void *buf, u32 len)
{
	(void)len;
	return smm_set(v, READ_ONCE(*(const u32 *)buf));
}

static const struct cls classes[] = {
	[BP_STATE_REGS] = { sizeof(struct kvm_regs), get_regs, set_regs },
	[BP_STATE_SREGS] = { sizeof(struct kvm_sregs), get_sregs, set_sregs },
	[BP_STATE_FPU] = { sizeof(struct kvm_fpu), get_fpu, set_fpu },
	[BP_STATE_XSAVE] = { sizeof(struct kvm_xsave), get_xsave, set_xsave },
	[BP_STATE_XCRS] = { sizeof(struct kvm_xcrs), get_xcrs, set_xcrs },
	[BP_STATE_MSRS] = { sizeof(struct kvm_msrs), get_msrs, set_msrs },
	[BP_STATE_LAPIC] = { sizeof(struct kvm_lapic_state), get_lapic, set_lapic },
	[BP_STATE_MP_STATE] = { sizeof(struct kvm_mp_state), get_mp_state, set_mp_state },
	[BP_STATE_EVENTS] = { sizeof(struct kvm_vcpu_events), get_events, set_events },
	[BP_STATE_DEBUGREGS] = { sizeof(struct kvm_debugregs), get_debugregs, set_debugregs },
	[BP_STATE_CPUID] = { sizeof(struct kvm_cpuid2), get_cpuid, set_cpuid },
	[BP_STATE_TSC_KHZ] = { sizeof(u32), get_tsc_khz, set_tsc_khz },
	[BP_STATE_TRANSLATE] = { sizeof(struct kvm_translation), get_translate, NULL },
	[BP_STATE_MCE] = { sizeof(u64), get_mce, set_mce },
	[BP_STATE_SREGS2] = { sizeof(struct kvm_sregs2), get_sregs2, set_sregs2 },
	[BP_STATE_TSC_OFFSET] = { sizeof(u64), get_tsc_offset, set_tsc_offset },
	[BP_STATE_CLOCK_STOPPED] = { 0, NULL, set_clock_stopped },
	[BP_STATE_NESTED] = { sizeof(struct bp_nested), get_nested, set_nested },
	[BP_STATE_SMM] = { sizeof(u32), NULL, set_smm },
	[BP_STATE_RULES] = { sizeof(struct bp_rules), NULL, set_rules },
};

s64 state_get(struct vcpu *v, u32 cls, u32 len)
{
	if (cls >= ARRAY_SIZE(classes) || !classes[cls].get || len < classes[cls].size)
		return -EINVAL;
	return classes[cls].get(v, v->state_page, len);
}

s64 state_set(struct vcpu *v, u32 cls, u32 len)
{
	if (cls >= ARRAY_SIZE(classes) || !classes[cls].set || len < classes[cls].size)
		return -EINVAL;
	return classes[cls].set(v, v->state_page, len);
}
