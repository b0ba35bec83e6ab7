// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM_GET_SUPPORTED_CPUID answers: the machine's CPUID less what guests
 * do not get, plus what Bedplate emulates.  Bits are allowed by name: a
 * feature that nobody has looked at stays hidden.
 */
#include <linux/kvm.h>
#include <asm/kvm_para.h>

#include "hv/core/guest/cpuid_allow.h"
#include "hv/core/guest/pv.h"
#include "hv/core/lib/string.h"
#include "hv/core/lib/x86.h"
#include "hv/core/vcpu/run.h"
#include "server.h"

/* What Bedplate emulates. */
#define F1_ECX_EMULATED	(BIT(21) | BIT(24) | BIT(31))	/* x2APIC, deadline, hypervisor */
#define F6_EAX_EMULATED	BIT(2)				/* ARAT */
#define F7_EBX_EMULATED	BIT(1)				/* TSC_ADJUST */
#define F7_EDX_EMULATED	BIT(29)				/* ARCH_CAPABILITIES */

struct list {
	struct kvm_cpuid_entry2 *e;
	u32 n, max;
};

static void add(struct list *l, u32 leaf, u32 index, bool indexed, struct cpuid c)
{
	struct kvm_cpuid_entry2 *e;

	if (l->n == l->max)
		return;
	e = &l->e[l->n++];
	memset(e, 0, sizeof(*e));
	e->function = leaf;
	e->index = index;
	e->flags = indexed ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
	e->eax = c.eax;
	e->ebx = c.ebx;
	e->ecx = c.ecx;
	e->edx = c.edx;
}

static struct cpuid offer(u32 leaf, u32 index)
{
	return cpuid_offer(CPUID_GUEST, leaf, index);
}

static void add_xsave(struct list *l)
{
	u32 i;

	for (i = 0; i < 63; i++)
		if (i < 2 || (xcr0_supported & BIT(i)))
			add(l, 0xd, i, true, offer(0xd, i));
}

static void add_cache(struct list *l, u32 leaf)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		struct cpuid c = offer(leaf, i);

		add(l, leaf, i, true, c);
		if (!(c.eax & 31))
			return;
	}
}

static void add_features(struct list *l)
{
	struct cpuid c = offer(7, 0);
	u32 last = c.eax, i;

	c.ebx |= F7_EBX_EMULATED;
	c.edx |= F7_EDX_EMULATED;
	add(l, 7, 0, true, c);
	for (i = 1; i <= last; i++)
		add(l, 7, i, true, offer(7, i));
}

static void add_basic(struct list *l)
{
	struct cpuid c = offer(0, 0);
	u32 leaf, max = c.eax;

	c.eax = max < 0xd ? 0xd : max;
	add(l, 0, 0, false, c);
	for (leaf = 1; leaf <= max; leaf++) {
		c = offer(leaf, 0);
		switch (leaf) {
		case 1:
			c.ecx |= F1_ECX_EMULATED;
			add(l, leaf, 0, false, c);
			break;
		case 2:
			add(l, leaf, 0, false, c);
			break;
		case 4:
			add_cache(l, leaf);
			break;
		case 6:
			c.eax |= F6_EAX_EMULATED;
			add(l, leaf, 0, false, c);
			break;
		case 7:
			add_features(l);
			break;
		case 0xb:
		case 0x1f:
			add(l, leaf, 0, true, c);
			break;
		case 0xd:
			add_xsave(l);
			break;
		}
	}
}

static void add_extended(struct list *l)
{
	struct cpuid c = offer(0x80000000, 0);
	u32 leaf, max = c.eax;

	if (max < 0x80000000)
		return;
	add(l, 0x80000000, 0, false, c);
	for (leaf = 0x80000001; leaf <= max; leaf++) {
		switch (leaf) {
		case 0x80000001 ... 0x80000008:
		case 0x8000001e:
		case 0x80000021:
			add(l, leaf, 0, false, offer(leaf, 0));
			break;
		case 0x8000001d:
			add_cache(l, leaf);
			break;
		}
	}
}

u32 supported_cpuid(struct kvm_cpuid_entry2 *e, u32 max)
{
	struct list l = { e, 0, max };
	struct cpuid kvm = { .eax = KVM_CPUID_FEATURES };

	add_basic(&l);
	memcpy(&kvm.ebx, "KVMK", 4);
	memcpy(&kvm.ecx, "VMKV", 4);
	memcpy(&kvm.edx, "M\0\0\0", 4);
	add(&l, KVM_CPUID_SIGNATURE, 0, false, kvm);
	add(&l, KVM_CPUID_FEATURES, 0, false, (struct cpuid){ .eax = PV_GUEST_FEATURES });
	add_extended(&l);
	return l.n;
}
