/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for machine/memmap.h where a harness wants maps of few ranges
 * (CFLAGS: -include small_map.h): that a map is full is then in reach of CBMC.
 */
#ifndef TESTS_PROVE_SMALL_MAP_H
#define TESTS_PROVE_SMALL_MAP_H

#define BP_CORE_MEMMAP_H
#include "hv/core/lib/types.h"

#define MEM_RAM		1
#define MEM_RESERVED	2
#define MEM_ACPI	3
#define MEM_NVS		4
#define MEM_BAD		5

#define MEM_MAX_RANGES	3

struct mem_range {
	hpa_t start, end;
	u32 type;
};

struct mem_map {
	u32 nr;
	struct mem_range r[MEM_MAX_RANGES];
};

bool memmap_set(struct mem_map *m, hpa_t start, hpa_t end, u32 type);

#endif
