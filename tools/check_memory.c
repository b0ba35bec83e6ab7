// SPDX-License-Identifier: GPL-2.0-only
/* Room for Bedplate: hv/core/machine/memplan.c takes it from the largest piece below 4 GiB. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "iomem.h"
#include "out.h"

#define LEAST		(120ull << 20)	/* docs/boot.md */
#define POOL		(24ull << 20)
#define POOL_SHARE	512
#define POOL_SHARE_MAX	(512ull << 20)
#define FRAMES_LOW_MAX	(256ull << 20)	/* a larger frame table goes above 4 GiB */
#define FRAME_ENTRY	8

/* What is taken below 4 GiB of a machine with @ram bytes. */
static u64 wanted(u64 ram)
{
	u64 frames = ram / PAGE_SIZE * FRAME_ENTRY;

	return POOL + min(ram / POOL_SHARE, POOL_SHARE_MAX) + (frames <= FRAMES_LOW_MAX ? frames : 0);
}

void check_memory(struct check *c)
{
	char *iomem = file_read("/proc/iomem", NULL), have[16], need[16];
	u64 ram = iomem ? iomem_ram(iomem, UINT64_MAX) : 0;
	u64 low = iomem ? iomem_largest(iomem, SZ_4G) : 0;
	bool below_640k = iomem && iomem_ram(iomem, 0xa0000) >= 2 * PAGE_SIZE;

	free(iomem);
	if (!ram) {
		check_row(c, CHECK_WARNING, "memory", "/proc/iomem does not say how much there is: only root may know");
		return;
	}
	human_bytes(have, sizeof(have), low);
	human_bytes(need, sizeof(need), wanted(ram));
	if (ram < LEAST)
		check_row(c, CHECK_NO, "memory", "%s are too little: 120 MiB are the least", have);
	else if (low < wanted(ram))
		check_row(c, CHECK_NO, "memory", "%s in one piece below 4 GiB, and %s are wanted there", have, need);
	else
		check_row(c, CHECK_OK, "memory", "%s in one piece below 4 GiB, of which Bedplate takes %s", have, need);
	if (!below_640k)
		check_row(c, CHECK_NO, "low memory", "none below 640 KiB, where other CPUs start");
}
