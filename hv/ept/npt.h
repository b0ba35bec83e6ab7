/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Second-level page tables: one walker (npt.c), many formats (format.c).
 *
 * A format is data: which bits of a 64-bit entry mean what.  NPT is AMD's
 * nested paging (APM vol. 2, 15.25: the long-mode format, every access a user
 * access), EPT is Intel's (SDM vol. 3, 29.3); IOMMUs have two of their own: VT-d's
 * second-level tables (D51397, 3.7 and 9.8) and AMD's v1 I/O page tables (48882,
 * 2.2.7).  All have 512 entries in each of 4 levels and leaves of 4 KiB, 2 MiB and 1 GiB.
 *
 * The walker knows nothing of domains, frame owners or TLBs: mmu.c checks
 * frames before it maps them, holds the domain's lock around every call, and
 * flushes before it gives away what a gather holds.
 *
 * Hardware walks the tables all the while.  Every entry is written with one
 * 64-bit store; a table is filled before it is linked; a table that was
 * unlinked stays untouched in the gather until the flush.  A call that fails
 * leaves every translation as it was.
 */
#ifndef HV_EPT_NPT_H
#define HV_EPT_NPT_H

#include "lib/types.h"

#define NPT_LEVELS	4		/* level 0 has the 4 KiB leaves */
#define NPT_BITS	9		/* of a frame number, for each level */
#define NPT_ENTRIES	(1 << NPT_BITS)
#define NPT_GFN_BITS	(NPT_LEVELS * NPT_BITS)	/* 48-bit guest-physical addresses */
#define NPT_ORDER(level) (NPT_BITS * (level))

/*
 * What a leaf allows, in no format's bits.  Reading is always allowed.  The
 * memory type says what the second level contributes: WB leaves the choice to
 * the guest's PAT (and, on AMD, to the host's MTRRs); WB_ONLY overrides the
 * guest's PAT where hardware can; UC is uncached, or write-combining if the
 * guest's PAT asks for it.
 */
#define NPT_WRITE	BIT(0)
#define NPT_EXEC	BIT(1)
#define NPT_DEVICE	BIT(2)		/* no RAM; kept in a bit that hardware ignores */
#define NPT_LOGGED	BIT(3)		/* lost NPT_WRITE, which npt_log_end() gives back; the same */
#define NPT_MT_SHIFT	4
#define NPT_MT(mt)	((u32)(mt) << NPT_MT_SHIFT)
enum npt_memtype { NPT_MT_WB, NPT_MT_WB_ONLY, NPT_MT_UC, NPT_MEMTYPES };
#define NPT_ATTR_MASK	(NPT_WRITE | NPT_EXEC | NPT_DEVICE | NPT_MT(3))

struct npt_format {
	const char *name;
	u64 present;		/* an entry with none of these bits is absent */
	u64 table[NPT_LEVELS];	/* bits of an entry of level n that links a table */
	u64 leaf;		/* bits set in every leaf, accessed and dirty too */
	u64 write, exec;	/* set to allow */
	u64 noexec;		/* set to forbid */
	/* An entry above level 0 is a leaf if (entry & leaf_mask) == leaf_val. */
	u64 leaf_mask, leaf_val;
	u64 addr;		/* the frame's address */
	u64 memtype_mask;
	u64 memtype[NPT_MEMTYPES];
	u64 accessed, dirty;	/* hardware may set these at any moment */
	u64 device, logged;	/* software bits for NPT_DEVICE and NPT_LOGGED */
	u64 mark;		/* a whole absent entry that marks MMIO */
	u32 (*max_order)(void);	/* largest leaf of this machine: 9 or 18; IOMMUs': NULL */
};

extern const struct npt_format npt_format_amd;
extern const struct npt_format npt_format_ept;
/* Of IOMMUs, which read where a leaf is at all and know neither NPT_EXEC nor memory types. */
extern const struct npt_format npt_format_vtd;
extern const struct npt_format npt_format_vtd_snoop;	/* devices' accesses always snoop */
extern const struct npt_format npt_format_amdvi;

/*
 * What was taken out of a table and must not be used for anything else before
 * every TLB that may know it has been flushed.
 */
#define GATHER_LEAVES	256
#define GATHER_TABLES	32

struct npt_gather {
	bool flush;		/* some translation went away */
	u32 nr_leaves;
	u32 nr_tables;
	u64 leaf[GATHER_LEAVES];	/* NPT_GATHER_LEAF() */
	hpa_t table[GATHER_TABLES];
};
#define NPT_GATHER_LEAF(pfn, order)	((pfn) << 8 | (order))
#define NPT_GATHER_PFN(x)		((x) >> 8)
#define NPT_GATHER_ORDER(x)		((u32)(x) & 0xff)

/* The root of a second-level address space. */
struct npt_root {
	hpa_t table;			/* top-level table, 0 = none */
	u64 leaves[NPT_LEVELS - 1];	/* mapped, by level */
	u64 tables;			/* table pages in use */
};

/* An address space to work on: made on the stack for one piece of work. */
struct npt {
	const struct npt_format *fmt;
	struct npt_root *root;
	struct npt_gather *gather;	/* needed by all but npt_lookup() */
	void *(*page_alloc)(void *ctx);	/* zeroed page by direct map, or NULL */
	void *ctx;
	/*
	 * A leaf is to become 512 smaller ones: let each of them have a reference
	 * instead of it.  An error leaves it as it is.  NULL: leaves have none, as those
	 * with NPT_DEVICE.
	 */
	int (*part)(u64 pfn, u32 order);
	u32 max_order;
	bool log;		/* npt_protect() leaves NPT_LOGGED where NPT_WRITE was, on level 0 */
	bool noncoherent;	/* hardware reads the tables past the CPUs' caches */
	/*
	 * identity: domain 0's kind of table.  Large leaves are split when a
	 * part of them goes, tables stay when they become empty (so that what
	 * went can come back without memory), and removed leaves are not
	 * gathered.  Otherwise large leaves go as a whole, empty tables are
	 * freed and removed leaves are gathered, but those with NPT_DEVICE.
	 */
	bool identity;
};

enum npt_kind { NPT_ABSENT, NPT_MARKED, NPT_MAPPED };

struct npt_leaf {
	u64 pfn;		/* of the page asked for */
	u32 order;
	u32 attr;
};

/* In 4 KiB pages. */
static inline u64 npt_mapped(const struct npt_root *root)
{
	return root->leaves[0] + (root->leaves[1] << NPT_ORDER(1)) +
	       (root->leaves[2] << NPT_ORDER(2));
}

static inline void npt_gather_init(struct npt_gather *g)
{
	g->flush = false;
	g->nr_leaves = 0;
	g->nr_tables = 0;
}

/* Room for whatever one npt_map() or npt_collapse() may put into it? */
static inline bool npt_gather_room(const struct npt_gather *g)
{
	return g->nr_tables + NPT_LEVELS <= GATHER_TABLES &&
	       g->nr_leaves < GATHER_LEAVES;
}

/* Make the empty top-level table. -ENOMEM. */
int npt_init(struct npt *t);

/*
 * Put the (empty) top-level table into the gather; the address space has no
 * table afterwards.
 */
void npt_fini(struct npt *t);

/*
 * Map 2^order pages (order 0, 9 or 18).  0 too if the same is mapped already,
 * by whatever size; rights are then added if the size is the same as well.
 * *added (may be NULL) tells whether a leaf is new: then, and only then, the
 * table holds one more reference to the frames.  Needs npt_gather_room().
 * -EINVAL misaligned, too high, or an order that the machine lacks,
 * -EEXIST something else is mapped or marked there, -ENOMEM.
 */
int npt_map(struct npt *t, u64 gfn, u64 pfn, u32 order, u32 attr, bool *added);

/*
 * Map @n pages from @gfn to @pfn in the largest leaves that fit.  Boot only:
 * not bounded, and what was mapped before an error stays mapped.
 */
int npt_map_range(struct npt *t, u64 gfn, u64 pfn, u64 n, u32 attr);

/*
 * Mark a page as MMIO: an absent entry that npt_lookup() tells from others.
 * 0 if it is marked already, -EEXIST if something is mapped, -ENOMEM, -EINVAL.
 */
int npt_mark(struct npt *t, u64 gfn);

/*
 * Remove leaves and marks from [gfn, gfn + n).  Ends early when the gather is
 * full or after a bounded number of steps.  *done = pages dealt with from gfn
 * on, > 0 with an empty gather and n > 0 unless it fails.
 * -ENOMEM no page to split a large leaf with (identity tables only), -EINVAL.
 */
int npt_unmap(struct npt *t, u64 gfn, u64 n, u64 *done);

/*
 * Take the right to write from the leaves in [gfn, gfn + n).  A large leaf loses it as a
 * whole, also if only a part of it is in there; with @small, those are made into 4 KiB
 * ones first.  TLBs are the caller's affair: the gather asks for no flush.  Ends early
 * after a bounded number of steps; *done as with npt_unmap().
 * -ENOMEM no page to split a large leaf with, t->part()'s error, -EINVAL.
 */
int npt_protect(struct npt *t, u64 gfn, u64 n, bool small, u64 *done);

/*
 * The leaf at @gfn, of level 0 with NPT_LOGGED, may be written to again: true.  False: there
 * is no such leaf (any more).  Needs no flush.
 */
bool npt_log_end(struct npt *t, u64 gfn);

/* What is at @gfn? *leaf is filled for NPT_MAPPED. */
enum npt_kind npt_lookup(const struct npt *t, u64 gfn, struct npt_leaf *leaf);

/*
 * If the table around @gfn is full of leaves that make one larger leaf, put
 * that in its place, and so on upwards.  Stops when the gather has no room.
 */
void npt_collapse(struct npt *t, u64 gfn);

#endif
