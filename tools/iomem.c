// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "iomem.h"

/* Bytes below @limit of the RAM that the line names at its outermost level; 0: none. */
static u64 ram_line(const char *line, u64 limit)
{
	u64 start, end;
	char rest[32];

	if (*line == ' ' || sscanf(line, "%llx-%llx : %31[^\n]", &start, &end, rest) != 3)
		return 0;
	if (strcmp(rest, "System RAM") || end < start || !end || start >= limit)
		return 0;
	return (end < limit ? end + 1 : limit) - start;
}

static u64 walk(const char *iomem, u64 limit, bool largest)
{
	u64 sum = 0, n;

	while (*iomem) {
		n = ram_line(iomem, limit);
		sum = !largest ? sum + n : n > sum ? n : sum;
		iomem += strcspn(iomem, "\n");
		iomem += *iomem == '\n';
	}
	return sum;
}

u64 iomem_ram(const char *iomem, u64 limit)
{
	return walk(iomem, limit, false);
}

u64 iomem_largest(const char *iomem, u64 limit)
{
	return walk(iomem, limit, true);
}
