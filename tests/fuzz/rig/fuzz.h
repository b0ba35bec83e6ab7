/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the targets share: libFuzzer's entry point, a reader of the input, and a word for
 * what must hold. Input that has ended gives zeros.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TESTS_UNIT_EMUL_RIG_H		/* the shim has types of its own */
#include "hv/core/lib/types.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* libFuzzer's own mutations, for targets with a mutator of theirs. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

#define REQUIRE(cond) do {							\
	if (!(cond)) {								\
		fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond); \
		abort();							\
	}									\
} while (0)

struct input {
	const u8 *p;
	size_t left;
};

static inline void take_bytes(struct input *in, void *to, size_t n)
{
	size_t have = n < in->left ? n : in->left;

	memset(to, 0, n);
	if (have)
		memcpy(to, in->p, have);
	in->p += have;
	in->left -= have;
}

static inline u64 take(struct input *in, u32 bytes)
{
	u64 v = 0;

	take_bytes(in, &v, bytes);
	return v;
}

static inline u8 take8(struct input *in) { return (u8)take(in, 1); }
static inline u16 take16(struct input *in) { return (u16)take(in, 2); }
static inline u32 take32(struct input *in) { return (u32)take(in, 4); }
static inline u64 take64(struct input *in) { return take(in, 8); }

/* What is left, or @n bytes of it, in memory of just that size; the caller frees. */
static inline u8 *take_copy(struct input *in, size_t n)
{
	u8 *copy = malloc(n ? n : 1);

	REQUIRE(copy);
	take_bytes(in, copy, n);
	return copy;
}

/* Make the bytes of a table sum up to 0, by the one at @at. */
static inline void fix_sum(u8 *t, size_t len, size_t at)
{
	u8 sum = 0;
	size_t i;

	if (at >= len)
		return;
	t[at] = 0;
	for (i = 0; i < len; i++)
		sum += t[i];
	t[at] = (u8)-sum;
}

static inline void put_at(u8 *t, size_t len, size_t at, u64 val, size_t bytes)
{
	if (at <= len && bytes <= len - at)
		memcpy(t + at, &val, bytes);
}

#endif
