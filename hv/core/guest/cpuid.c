// SPDX-License-Identifier: GPL-2.0-only
/* CPUID of domain 0 and of guests; the contract is in cpuid.h. */
#include "cpuid.h"

#include <asm/kvm_para.h>

#include "cpuid_allow.h"
#include "lib/string.h"
#include "machine/cmdline.h"
#include "machine/cpu.h"
#include "machine/tsc.h"
#include "memory/domain.h"
#include "pv.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"
#include "vcpu/vcpu.h"

static struct cpuid signature(u32 max, const char *text)
{
	struct cpuid c = { .eax = max };

	memcpy(&c.ebx, text, 4);
	memcpy(&c.ecx, text + 4, 4);
	memcpy(&c.edx, text + 8, 4);
	return c;
}

/* 0x40000000 to 0x400001ff for domain 0: KVM's range, then our own. */
static struct cpuid hypervisor_leaf(u32 leaf)
{
	struct cpuid c = { 0 };

	switch (leaf) {
	case KVM_CPUID_SIGNATURE:
		return signature(KVM_CPUID_FEATURES, "KVMKVMKVM\0\0\0");
	case KVM_CPUID_FEATURES:
		c.eax = PV_FEATURES;
		return c;
	case BP_CPUID_BASE:
		return signature(BP_CPUID_VERSION, BP_SIGNATURE);
	case BP_CPUID_VERSION:
		c.eax = BP_CHANNEL_VERSION;
		c.ebx = nr_cpus;
		return c;
	}
	return c;
}

#define F1_ECX_MONITOR		BIT(3)
#define F1_ECX_VMX		BIT(5)
#define F1_ECX_X2APIC		BIT(21)
#define F1_ECX_DEADLINE		BIT(24)
#define F1_ECX_OSXSAVE		BIT(27)
#define F1_ECX_HYPERVISOR	BIT(31)
#define F7_ECX_OSPKE		BIT(4)
#define E1_ECX_SVM		BIT(2)
#define F6_EAX_ARAT		BIT(2)

/*
 * Programs look for the bit before they open /dev/kvm, so user space sees what the
 * CPU has.  The kernel does not: it would try to use it.
 */
static void show_to_user(struct vcpu *v, u32 leaf, struct cpuid *c)
{
	u32 bit = leaf == 1 ? F1_ECX_VMX : leaf == 0x80000001 ? E1_ECX_SVM : 0;
	struct vcpu_paging p;

	if (!bit || !(cpuid(leaf).ecx & bit))
		return;
	ops->get_paging(v, &p);
	if (p.cpl == 3)
		c->ecx |= bit;
}

/* Bits that follow from the vCPU's own control registers: of leaves 1, 7 and D. */
#define DYNAMIC		(1u << 1 | 1u << 7 | 1u << 0xd)

static void dynamic(struct vcpu *v, u32 leaf, u32 sub, struct cpuid *c)
{
	struct vcpu_paging p;

	if (leaf == 1) {
		ops->get_paging(v, &p);
		c->ecx &= ~F1_ECX_OSXSAVE;
		if (p.cr4 & X86_CR4_OSXSAVE)
			c->ecx |= F1_ECX_OSXSAVE;
		if (!(v->apic.base & APIC_BASE_ENABLE))
			c->edx &= ~BIT(9);
		if (v->rules.flags & BP_RULE_MWAIT_CPUID) {
			c->ecx &= ~F1_ECX_MONITOR;
			if (v->msr.misc_enable & BIT(18))
				c->ecx |= F1_ECX_MONITOR;
		}
	} else if (leaf == 7 && !sub) {
		ops->get_paging(v, &p);
		c->ecx &= ~F7_ECX_OSPKE;
		if (p.cr4 & X86_CR4_PKE)
			c->ecx |= F7_ECX_OSPKE;
	} else if (leaf == 0xd && sub <= 1) {
		c->ebx = 0;
		if (!sub || (c->eax & BIT(1)))
			c->ebx = xsave_bytes(v->xcr0, sub);
	}
}

/* What Bedplate makes, whether the hardware has it or not. */
static void emulated(u32 leaf, struct cpuid *c)
{
	if (leaf == 1)
		c->ecx |= F1_ECX_X2APIC | F1_ECX_DEADLINE |
			  (hv_options.hide_hypervisor ? 0 : F1_ECX_HYPERVISOR);
	else if (leaf == 6)
		c->eax |= F6_EAX_ARAT;
}

static struct cpuid dom0_cpuid(struct vcpu *v, u32 leaf, u32 sub)
{
	struct cpuid c;

	if ((leaf >> 8) == 0x400000 || (leaf >> 8) == 0x400001) {
		if (hv_options.hide_hypervisor && leaf < BP_CPUID_BASE)
			return (struct cpuid){ 0 };
		return hypervisor_leaf(leaf);
	}
	c = cpuid_offer(CPUID_DOM0, leaf, sub);
	emulated(leaf, &c);
	show_to_user(v, leaf, &c);
	dynamic(v, leaf, sub, &c);
	return c;
}

/* ---- guests ---- */

void cpuid_index(struct vcpu *v)
{
	u32 i;

	memset(v->cpuid_first, 0xff, sizeof(v->cpuid_first));
	for (i = v->cpuid_n; i-- > 0;) {
		u32 leaf = v->cpuid[i].function;
		u32 range = leaf >> 30;

		if ((leaf & 0x3fffffff) < 32 && range < 3)
			v->cpuid_first[range][leaf & 31] = i;
	}
}

static inline bool answers(const struct kvm_cpuid_entry2 *e, u32 leaf, u32 sub)
{
	return e->function == leaf &&
	       (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == sub);
}

/* Where to look for the leaf's first entry; beyond the last one: there is none. */
static inline u32 first_of(const struct vcpu *v, u32 leaf)
{
	if (likely(!(leaf & 0x3fffffe0) && leaf >> 30 < 3))
		return v->cpuid_first[leaf >> 30][leaf & 31];
	return 0;
}

static const struct kvm_cpuid_entry2 *find(struct vcpu *v, u32 leaf, u32 sub)
{
	u32 i;

	if (!v->cpuid)
		return NULL;
	for (i = first_of(v, leaf); i < v->cpuid_n; i++)
		if (answers(&v->cpuid[i], leaf, sub))
			return &v->cpuid[i];
	return NULL;
}

void cpuid_refresh(struct vcpu *v, struct kvm_cpuid_entry2 *e)
{
	struct cpuid c = { e->eax, e->ebx, e->ecx, e->edx };

	dynamic(v, e->function, e->index, &c);
	e->ebx = c.ebx;
	e->ecx = c.ecx;
	e->edx = c.edx;
}

static bool is_intel(struct vcpu *v)
{
	const struct kvm_cpuid_entry2 *e = find(v, 0, 0);

	return e && e->ebx == 0x756e6547;	/* "Genu" */
}

/* Intel answers leaves beyond the highest basic one as the highest one. */
static const struct kvm_cpuid_entry2 *out_of_range(struct vcpu *v, u32 *leaf, u32 sub)
{
	const struct kvm_cpuid_entry2 *e;

	if ((*leaf >> 30) == 1 || !is_intel(v))
		return NULL;
	e = find(v, *leaf & 0x80000000, 0);
	if (!e || *leaf <= e->eax)
		return NULL;
	e = find(v, 0, 0);
	*leaf = e ? e->eax : 0;
	return find(v, *leaf, sub);
}

struct cpuid vcpu_cpuid(struct vcpu *v, u32 leaf, u32 sub)
{
	const struct kvm_cpuid_entry2 *e;
	struct cpuid c = { 0 };

	if (domain_is_dom0(v->dom))
		return dom0_cpuid(v, leaf, sub);
	e = find(v, leaf, sub);
	if (!e)
		e = out_of_range(v, &leaf, sub);
	if (e) {
		c = (struct cpuid){ e->eax, e->ebx, e->ecx, e->edx };
		dynamic(v, leaf, sub, &c);
	} else if (leaf == 0xb || leaf == 0x1f) {
		/* Beyond the last level: the level number and the APIC ID. */
		e = find(v, leaf, 0);
		if (e) {
			c.ecx = sub & 0xff;
			c.edx = e->edx;
		}
	}
	return c;
}

static inline void put(u64 *gpr, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	gpr[RAX] = eax;
	gpr[RBX] = ebx;
	gpr[RCX] = ecx;
	gpr[RDX] = edx;
}

static noinline void put_any(struct vcpu *v, u32 leaf, u32 sub)
{
	struct cpuid c = vcpu_cpuid(v, leaf, sub);

	put(v->regs.gpr, c.eax, c.ebx, c.ecx, c.edx);
}

void cpuid_execute(struct vcpu *v)
{
	u64 *gpr = v->regs.gpr;
	u32 leaf = gpr[RAX], sub = gpr[RCX], i = first_of(v, leaf);
	bool changes = leaf < 32 && DYNAMIC & 1u << leaf;

	/* As a rule it is the leaf's first entry, as it stands there. */
	if (likely(!changes && i < v->cpuid_n)) {
		const struct kvm_cpuid_entry2 *e = &v->cpuid[i];

		if (likely(answers(e, leaf, sub))) {
			put(gpr, e->eax, e->ebx, e->ecx, e->edx);
			return;
		}
	}
	put_any(v, leaf, sub);
}
