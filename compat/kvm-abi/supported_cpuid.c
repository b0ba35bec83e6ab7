// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM_GET_SUPPORTED_CPUID answers: the machine's CPUID less what guests
 * do not get, plus what Bedplate emulates.  Bits are allowed by name: a
 * feature that nobody has looked at stays hidden.
 */
#include <linux/kvm.h>
#include <asm/kvm_para.h>

#include "hv/core/guest/pv.h"
#include "hv/core/lib/string.h"
#include "hv/core/lib/x86.h"
#include "hv/core/vcpu/run.h"
#include "server.h"

/* SDM vol. 2, CPUID; APM vol. 3, appendix E. */
#define F1_ECX_ALLOWED	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | \
			 BIT(19) | BIT(20) | BIT(22) | BIT(23) | BIT(25) | BIT(26) | \
			 BIT(28) | BIT(29) | BIT(30))
#define F1_ECX_EMULATED	(BIT(21) | BIT(24) | BIT(31))	/* x2APIC, deadline, hypervisor */
#define F1_EDX_ALLOWED	0x078bfbffu
#define F7_EBX_ALLOWED	(BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | \
			 BIT(10) | BIT(16) | BIT(17) | BIT(18) | BIT(19) | BIT(20) | \
			 BIT(21) | BIT(23) | BIT(24) | BIT(28) | BIT(29) | BIT(30) | BIT(31))
#define F7_EBX_EMULATED	BIT(1)				/* TSC_ADJUST */
#define F7_ECX_ALLOWED	(BIT(1) | BIT(2) | BIT(3) | BIT(6) | BIT(8) | BIT(9) | \
			 BIT(10) | BIT(11) | BIT(12) | BIT(14) | BIT(22))
#define F7_EDX_ALLOWED	(BIT(2) | BIT(3) | BIT(4) | BIT(8) | BIT(23))
#define F7_EDX_EMULATED	BIT(29)				/* ARCH_CAPABILITIES */
#define FD1_EAX_ALLOWED	(BIT(0) | BIT(1) | BIT(2))	/* XSAVEOPT, XSAVEC, XGETBV1 */
#define E1_ECX_ALLOWED	(BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | \
			 BIT(8) | BIT(11) | BIT(16) | BIT(21) | BIT(22))
#define E1_EDX_ALLOWED	(0x0183f3ffu | BIT(11) | BIT(20) | BIT(22) | BIT(25) | \
			 BIT(26) | BIT(27) | BIT(29) | BIT(30) | BIT(31))
#define E8_EBX_ALLOWED	(BIT(0) | BIT(2) | BIT(9))	/* CLZERO, XSaveErPtr, WBNOINVD */

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

static void add_xsave(struct list *l)
{
	struct cpuid c = cpuid_count(0xd, 0);
	u32 i;

	c.eax &= (u32)xcr0_supported;
	c.edx &= xcr0_supported >> 32;
	add(l, 0xd, 0, true, c);
	c = cpuid_count(0xd, 1);
	c.eax &= FD1_EAX_ALLOWED;
	c.ecx = c.edx = 0;
	add(l, 0xd, 1, true, c);
	for (i = 2; i < 63; i++)
		if (xcr0_supported & BIT(i))
			add(l, 0xd, i, true, cpuid_count(0xd, i));
}

static void add_cache(struct list *l, u32 leaf)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		struct cpuid c = cpuid_count(leaf, i);

		add(l, leaf, i, true, c);
		if (!(c.eax & 31))
			return;
	}
}

static void add_basic(struct list *l)
{
	u32 leaf, max = cpuid(0).eax;
	struct cpuid c = cpuid(0);

	if (max > 0x1f)
		max = 0x1f;
	c.eax = max < 0xd ? 0xd : max;
	add(l, 0, 0, false, c);
	for (leaf = 1; leaf <= max; leaf++) {
		c = cpuid(leaf);
		switch (leaf) {
		case 1:
			c.ecx = (c.ecx & F1_ECX_ALLOWED) | F1_ECX_EMULATED;
			c.edx &= F1_EDX_ALLOWED;
			add(l, leaf, 0, false, c);
			break;
		case 2:
			add(l, leaf, 0, false, c);
			break;
		case 4:
			add_cache(l, leaf);
			break;
		case 6:
			add(l, leaf, 0, false, (struct cpuid){ .eax = BIT(2) });
			break;
		case 7:
			c.eax = 0;
			c.ebx = (c.ebx & F7_EBX_ALLOWED) | F7_EBX_EMULATED;
			c.ecx &= F7_ECX_ALLOWED;
			c.edx = (c.edx & F7_EDX_ALLOWED) | F7_EDX_EMULATED;
			add(l, leaf, 0, true, c);
			break;
		case 0xb:
		case 0x1f:
			add(l, leaf, 0, true, (struct cpuid){ 0 });
			break;
		case 0xd:
			add_xsave(l);
			break;
		}
	}
}

static void add_extended(struct list *l)
{
	u32 leaf, max = cpuid(0x80000000).eax;
	struct cpuid c = cpuid(0x80000000);

	if (max < 0x80000000)
		return;
	if (max > 0x80000021)
		max = 0x80000021;
	c.eax = max;
	add(l, 0x80000000, 0, false, c);
	for (leaf = 0x80000001; leaf <= max; leaf++) {
		c = cpuid(leaf);
		switch (leaf) {
		case 0x80000001:
			c.ecx &= E1_ECX_ALLOWED;
			c.edx &= E1_EDX_ALLOWED;
			add(l, leaf, 0, false, c);
			break;
		case 0x80000002 ... 0x80000006:
			add(l, leaf, 0, false, c);
			break;
		case 0x80000007:
			add(l, leaf, 0, false, (struct cpuid){ .edx = c.edx & BIT(8) });
			break;
		case 0x80000008:
			c.ebx &= E8_EBX_ALLOWED;
			c.ecx = c.edx = 0;
			add(l, leaf, 0, false, c);
			break;
		case 0x8000001d:
			add_cache(l, leaf);
			break;
		case 0x8000001e:
			add(l, leaf, 0, false, (struct cpuid){ 0 });
			break;
		case 0x80000021:
			/* LFENCE is serialising, null selector clears the base. */
			add(l, leaf, 0, false,
			    (struct cpuid){ .eax = c.eax & (BIT(0) | BIT(2) | BIT(6)) });
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
