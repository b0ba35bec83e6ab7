/* SPDX-License-Identifier: GPL-2.0-only */
#include "rnd.h"

#include "params.h"

static __thread uint64_t generator;

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

void rnd_begin(uint64_t seed, uint64_t stream, uint64_t n)
{
	generator = mix(mix(mix(seed) + stream) + n);
}

uint64_t rnd(void)
{
	generator += 0x9e3779b97f4a7c15;
	return mix(generator);
}

uint64_t below(uint64_t n) { return (rnd() >> 11) % n; }
bool once_in(uint64_t n) { return !below(n); }

uint64_t rnd_value(void)
{
	static const uint64_t borders[] = {
		0, 1, 2, 0x10, 0x400, 0x7ff, 0x1000, 0x100000, GPA_MMIO, 0xfee00000, 0xfee00fff, 0xffffffff,
		0x100000000, 0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xffffffffffffe,
		0x8000000000000000, ~0ull,
	};

	switch (below(4)) {
	case 0: return borders[below(sizeof(borders) / 8)];
	case 1: return below(RAM_SIZE);
	case 2: return 1ull << below(64);
	default: return rnd();
	}
}
