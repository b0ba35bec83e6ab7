// SPDX-License-Identifier: GPL-2.0-only
/* Random numbers, and what looks like an argument; see hostile.h. */
#include "hostile.h"

#define KNOWN	24

/* Domains that were made; threads change it without a lock, and it is only mostly right. */
static u64 known[KNOWN];

#define DOMS	1024
#define VCPUS	4

static struct { u64 page, state; } frames[DOMS][VCPUS];

u64 rnd(struct thread *t)
{
	u64 x = t->state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

u64 rnd_value(struct thread *t)
{
	static const u64 borders[] = {
		0, 1, 2, 8, 15, 16, 63, 64, 255, 256, 511, 512, 513, 1023, 1024, 4095, 4096, 0xfee00000,
		0xffffffff, 0x100000000, 1ull << 35, 1ull << 36, 1ull << 40, 1ull << 51, 1ull << 52, 1ull << 63,
		~0ull, ~0ull - 1, ~0ull >> 12, 0x800000000000, 0xffff800000000000,
	};

	switch (below(t, 4)) {
	case 0: return borders[below(t, ARRAY_SIZE(borders))];
	case 1: return below(t, 300);
	case 2: return 1ull << below(t, 64);
	default: return rnd(t);
	}
}

u64 rnd_word(struct thread *t)
{
	u64 word;

	switch (below(t, 4)) {
	case 0:
		return frame_of(t, below(t, ZONE_LIST));
	case 1:
		return 1 + below(t, 0x5f);
	case 2:
		return (1 + below(t, 63)) << 32 | below(t, 64);
	default:
		word = once_in(t, 2) ? frame_odd(t) : rnd_value(t);
		return harmless(word) ? word : ~0ull;
	}
}

void domain_known(u64 dom)
{
	unsigned int i;

	for (i = 0; i < KNOWN; i++)
		if (!READ_ONCE(known[i])) {
			WRITE_ONCE(known[i], dom);
			return;
		}
}

void domain_gone(u64 dom)
{
	unsigned int i;

	for (i = 0; i < KNOWN; i++)
		if (READ_ONCE(known[i]) == dom)
			WRITE_ONCE(known[i], 0);
}

u64 pick_domain(struct thread *t)
{
	unsigned int tries;
	u64 dom;

	if (once_in(t, 24))
		return once_in(t, 2) ? rnd_value(t) : below(t, 1026);
	for (tries = 0; tries < 8; tries++) {
		dom = READ_ONCE(known[below(t, KNOWN)]);
		if (dom)
			return dom;
	}
	return 1 + below(t, KNOWN);
}

u64 pick_vcpu(struct thread *t)
{
	return once_in(t, 24) ? rnd_value(t) : once_in(t, 3) ? below(t, 3) : 0;
}

void vcpu_known(u64 dom, u64 vcpu, u64 page, u64 state)
{
	if (dom >= DOMS || vcpu >= VCPUS)
		return;
	WRITE_ONCE(frames[dom][vcpu].page, page);
	WRITE_ONCE(frames[dom][vcpu].state, state);
}

u64 page_of(struct thread *t, u64 dom, u64 vcpu)
{
	u64 pfn = dom < DOMS && vcpu < VCPUS ? READ_ONCE(frames[dom][vcpu].page) : 0;

	return pfn ?: frame_of(t, ZONE_SHARE);
}

u64 state_of(struct thread *t, u64 dom, u64 vcpu)
{
	u64 pfn = dom < DOMS && vcpu < VCPUS ? READ_ONCE(frames[dom][vcpu].state) : 0;

	return pfn ?: frame_of(t, ZONE_SHARE);
}
