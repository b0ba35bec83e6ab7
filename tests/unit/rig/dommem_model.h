/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the memory of domains should look like: a playground of frames, some
 * guests with a window of pages each, and who holds what of it.
 */
#ifndef TESTS_UNIT_DOMMEM_MODEL_H
#define TESTS_UNIT_DOMMEM_MODEL_H

#include "hv/core/memory/dommem.h"
#include "hv/core/lib/errno.h"
#include "hv/core/memory/frames.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/memory/mmu.h"

#define BASE	0x100000ull	/* first frame of the playground */
#define AREA	1536u		/* frames in it */
#define DEVICE	0x80000ull	/* first of 512 frames of a device */
#define GFN	0x7fe00ull	/* first guest page: astride 1 GiB */
#define GFNS	1024u
#define GUESTS	4

struct page {
	enum npt_kind kind;
	u64 pfn;
	u32 order;
	u32 rights;
};

struct guest {
	u32 id;			/* 0 = none */
	bool dead;
	struct page page[GFNS];
};

extern struct guest guests[GUESTS];
extern u32 owner[AREA], shared[AREA];
extern u32 refs[AREA], block_refs[AREA / 512];	/* by guests' leaves */

bool can_donate(u64 pfn);
/* What MAP should say, and do, to the model. */
int model_map(struct guest *g, const struct bp_map *m);
void model_drop(struct guest *g, u32 i);
/* What PROTECT does to one page; @small: and what of a large one it makes. */
void model_protect(struct guest *g, u32 i, bool small);
/* Compare frame table, guests' tables, domain 0's table and statistics. */
void check_all(void);

#endif
