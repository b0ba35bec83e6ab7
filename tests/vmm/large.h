/* SPDX-License-Identifier: GPL-2.0-only */
/* For cases about large pages in a guest, and about what kvm.ko's parameters say of them. */
#ifndef LARGE_H
#define LARGE_H

#include "test.h"

#define PAGE		4096ull
#define LARGE		0x200000ull
#define HIGH		0x1000000ull		/* where the cases put their slots */
#define RET		0xc3			/* what the pages are full of: code that returns */

/* Two of them, as far as Linux has them. */
uint8_t *large_pages(void);

/* Mappings of the guest. */
struct counts {
	int64_t small, large;
};

struct counts counts(struct vm *vm);

/*
 * A slot of two large pages, both written to, with the guest at stage 1; *before: without them.
 * Where Linux has none the case is skipped.
 */
struct vm *large_slot(uint8_t **m, struct counts *before);

/* Parameters of kvm.ko: 0 or -errno; without a line's end. */
int set_param(const char *name, const char *val);
const char *get_param(const char *name);

#endif
