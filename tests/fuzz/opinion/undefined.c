// SPDX-License-Identifier: GPL-2.0-only
/* By SDM vol. 2, "Flags Affected" of each; the contract is in undefined.h. */
#include "undefined.h"

#include <stddef.h>

#define CF	0x001ull
#define PF	0x004ull
#define AF	0x010ull
#define ZF	0x040ull
#define SF	0x080ull
#define OF	0x800ull
#define ALL	0xcd5ull

static const struct {
	uint8_t map, first, last;
	uint8_t regs;		/* bit set of ModRM.reg that it is about */
	uint64_t open;
	const char *why;
} table[] = {
	{ 1, 0x08, 0x0d, 0xff, AF, "OR: AF is undefined" },
	{ 1, 0x20, 0x25, 0xff, AF, "AND: AF is undefined" },
	{ 1, 0x30, 0x35, 0xff, AF, "XOR: AF is undefined" },
	{ 1, 0x80, 0x83, 0x52, AF, "OR, AND, XOR with an immediate: AF is undefined" },
	{ 1, 0x84, 0x85, 0xff, AF, "TEST: AF is undefined" },
	{ 1, 0xa8, 0xa9, 0xff, AF, "TEST: AF is undefined" },
	{ 1, 0xf6, 0xf7, 0x03, AF, "TEST: AF is undefined" },
	{ 1, 0x69, 0x69, 0xff, SF | ZF | AF | PF, "IMUL: SF, ZF, AF, PF are undefined" },
	{ 1, 0x6b, 0x6b, 0xff, SF | ZF | AF | PF, "IMUL: SF, ZF, AF, PF are undefined" },
	{ 2, 0xaf, 0xaf, 0xff, SF | ZF | AF | PF, "IMUL: SF, ZF, AF, PF are undefined" },
	{ 1, 0xf6, 0xf7, 0x30, SF | ZF | AF | PF, "MUL, IMUL: SF, ZF, AF, PF are undefined" },
	{ 1, 0xf6, 0xf7, 0xc0, CF | OF | SF | ZF | AF | PF, "DIV, IDIV: all are undefined" },
	{ 2, 0xa3, 0xa3, 0xff, OF | SF | AF | PF, "BT: OF, SF, AF, PF are undefined" },
	{ 2, 0xab, 0xab, 0xff, OF | SF | AF | PF, "BTS: likewise" },
	{ 2, 0xb3, 0xb3, 0xff, OF | SF | AF | PF, "BTR: likewise" },
	{ 2, 0xbb, 0xbb, 0xff, OF | SF | AF | PF, "BTC: likewise" },
	{ 2, 0xba, 0xba, 0xff, OF | SF | AF | PF, "BT and so on with an immediate: likewise" },
	{ 2, 0xbc, 0xbd, 0xff, CF | OF | SF | AF | PF, "BSF, BSR: all but ZF are undefined" },
};

static bool is_shift(const struct shape *s)
{
	return s->map == 1 && (s->op == 0xc0 || s->op == 0xc1 || (s->op >= 0xd0 && s->op <= 0xd3));
}

static bool is_double_shift(const struct shape *s)
{
	return s->map == 2 && (s->op == 0xa4 || s->op == 0xa5 || s->op == 0xac || s->op == 0xad);
}

static uint8_t masked(const struct shape *s)
{
	return s->count & (s->size == 8 ? 63 : 31);
}

/* Without a count they change nothing; rotations have no SF, ZF, AF, PF. */
static uint64_t open_of_shift(const struct shape *s)
{
	uint8_t count = masked(s), bits = (uint8_t)(8 * s->size);
	uint64_t open = 0;

	if (!count)
		return 0;
	if (count > 1)
		open |= OF;	/* "defined only for the 1-bit shifts" */
	if (is_double_shift(s) || s->reg >= 4)
		open |= AF;	/* "undefined for a nonzero count" */
	if (s->reg >= 4 && s->reg != 7 && count >= bits)
		open |= CF;	/* "undefined for SHL and SHR where the count is the size or more" */
	return open;
}

uint64_t defined_flags(const struct shape *s)
{
	uint64_t open = 0;
	size_t i;

	if (is_shift(s) || is_double_shift(s))
		return ALL & ~open_of_shift(s);
	for (i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].map == s->map && s->op >= table[i].first && s->op <= table[i].last &&
		    (table[i].regs >> s->reg & 1))
			open |= table[i].open;
	return ALL & ~open;
}

/* SHLD, SHRD of 16 bits by more than that. */
bool result_undefined(const struct shape *s)
{
	return is_double_shift(s) && masked(s) > 8 * s->size;
}
