/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical memory for host tests of page tables and frames.  Include it before
 * anything else (CFLAGS: -include mm_host.h): it stands in for paging.h, with
 * "physical" addresses that are offsets into one big reservation.
 */
#ifndef TESTS_UNIT_MM_HOST_H
#define TESTS_UNIT_MM_HOST_H

#define BP_CORE_PAGING_H
#include "hv/core/lib/types.h"

extern u8 *rig_memory;

static inline void *phys_to_virt(hpa_t pa)
{
	return rig_memory + pa;
}

static inline hpa_t virt_to_phys(const void *va)
{
	return (hpa_t)((const u8 *)va - rig_memory);
}

/*
 * The machine of mm_rig.c: 5 GiB of addresses, RAM but for a VGA hole, the PCI
 * hole [2 GiB, 4 GiB) and an ACPI page; Bedplate has the last 16 MiB of low RAM.
 */
#define RIG_TOP		0x140000000ull
#define RIG_ACPI	0x00700000ull
#define RIG_POOL	0x7f000000ull
#define RIG_POOL_END	0x80000000ull
#define RIG_CPUS	4

struct cpu;
struct domain;

struct npt_format;
extern const struct npt_format *const rig_npt;	/* of the domains here */
extern u32 rig_max_order;	/* what the format says: set before rig_init() */
extern u64 rig_pool_limit;	/* page_alloc() fails below this many free pages */
extern u32 rig_fail_alloc;	/* so many later one allocation fails; 0: none */
extern bool rig_failed;		/* it has, since rig_init() */
extern u32 rig_kicks;		/* IPIs sent */
extern void (*rig_on_kick)(struct cpu *c);
extern u32 rig_vcpu_steps;	/* vcpu_destroy_all() says "again" so often */
extern _Thread_local struct cpu *rig_this_cpu;

/*
 * IOMMUs of that format (NULL: none), from the next rig_init() on. They cache nothing, but
 * say so: each flush counts, and calls rig_on_io_flush.
 */
extern const struct npt_format *rig_io_format;
extern u32 rig_io_flushes;
extern void (*rig_on_io_flush)(u16 tag);
struct npt_leaf;
/* What domain 0's devices find at @pfn (enum npt_kind). */
int rig_io_lookup(u64 pfn, struct npt_leaf *leaf);
/* Functions 0 to RIG_DEVICES - 1 are there; what each has: */
#define RIG_DEVICES	4
struct rig_device {
	hpa_t root;
	u16 tag;
};
extern struct rig_device rig_device[RIG_DEVICES];

/* A fresh machine: pool, frame table, domain 0's table. @ept: format. */
void rig_init(bool ept);
/* A fresh machine without domain 0's table. */
void rig_init_frames(bool ept);

/* xorshift; reproducible */
u32 rig_random(u32 below);

#endif
