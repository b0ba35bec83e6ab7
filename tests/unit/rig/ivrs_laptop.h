/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An IVRS as a laptop has it, and what a test says of a table that it has made with ivrs_rig.h.
 */
#ifndef BP_TEST_IVRS_LAPTOP_H
#define BP_TEST_IVRS_LAPTOP_H

#include "ivrs_rig.h"

#define REGS	0xfd200000ull

static inline void taken(void)
{
	if (!read_table())
		fail_msg("refused: %s", err);
}

/* Refused in one line that says @why and names offset @off. */
static inline void refused_at(u32 off, const char *why)
{
	char name[32];

	assert_false(read_table());
	snprintf(name, sizeof(name), "offset 0x%x", off);
	if (!strstr(err, why) || !strstr(err, name) || strchr(err, '\n') ||
	    strlen(err) >= sizeof(err) - 1)
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err, why, name);
}

static inline void laptop_devices(void)
{
	range(0x0003, 0xfffe, 0);
	alias_range(0xff00, 0xffff, 0x00a5);
	special(SPECIAL_HPET, 0, 0x00a0, 0);
	special(SPECIAL_IOAPIC, 0x21, 0x00a0, 0xd7);
	special(SPECIAL_IOAPIC, 0x22, 0x0001, 0);
}

/* A laptop of 2022: the unit in all three types, the memory between them. */
static inline void make_laptop(void)
{
	begin(0x00203043);
	ivhd(.type = 0x10, .flags = 0xb0, .id = 2, .regs = REGS, .features = 0x80048f6e);
	laptop_devices();
	ivhd(.type = 0x11, .flags = 0x30, .id = 2, .regs = REGS, .features = 0x48000,
	     .efr = 0x246577efa2054adaull);
	laptop_devices();
	ivmd(0x22, 8, 0, 0x0fff, 0x9a432000, 1);
	ivmd(0x22, 8, 0, 0x0fff, 0x9a431000, 1);
	ivhd(.type = 0x40, .flags = 0x30, .id = 2, .regs = REGS, .features = 0x48000,
	     .efr = 0x246577efa2054adaull);
	laptop_devices();
	hid(0x00a5, 0x40, "AMDI0020", 2, "\\_SB.FUR0");
	hid(0x00a5, 0x40, "AMDI0020", 2, "\\_SB.FUR1");
	hid(0x0099, 0x40, "AMDI0040", 0, "");
}

static inline void unknown_block(u32 len)
{
	put(0x30 | len << 16, len);
}

#endif
