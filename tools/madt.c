// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "madt.h"

#define HEAD		44		/* before the first entry */
#define ENTRY_LAPIC	0
#define ENTRY_X2APIC	9
#define CPU_ENABLED	BIT(0)
#define CPU_CAPABLE	BIT(1)		/* of being plugged in */

static u32 get32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void count(struct madt_cpus *out, u32 id, u32 flags)
{
	if (flags & CPU_ENABLED) {
		out->enabled++;
		if (id > out->highest)
			out->highest = id;
	} else if (flags & CPU_CAPABLE) {
		out->later++;
	}
}

bool madt_parse(const u8 *table, size_t len, struct madt_cpus *out)
{
	size_t at;

	memset(out, 0, sizeof(*out));
	if (len < HEAD || memcmp(table, "APIC", 4) || get32(table + 4) != len)
		return false;
	for (at = HEAD; at < len; at += table[at + 1]) {
		const u8 *e = table + at;

		if (len - at < 2 || e[1] < 2 || e[1] > len - at)
			return false;
		if (e[0] == ENTRY_LAPIC && e[1] >= 8)
			count(out, e[3], get32(e + 4));
		else if (e[0] == ENTRY_X2APIC && e[1] >= 16)
			count(out, get32(e + 4), get32(e + 8));
	}
	return true;
}
