// SPDX-License-Identifier: GPL-2.0-only
/* Finding and renaming of sleeping states; the contract is in aml_sleep.h. */
#include "aml_sleep.h"

#define HEADER_LEN	36
#define HEADER_CHECKSUM	9

#define AML_ZERO	0x00
#define AML_ONE		0x01
#define AML_NAME	0x08
#define AML_BYTE	0x0a
#define AML_WORD	0x0b
#define AML_PACKAGE	0x12
#define AML_ROOT	0x5c		/* a backslash before a name */

/* Where the bytes are, and how many are left. */
struct cursor {
	const u8 *p;
	u32 left;
};

static bool next(struct cursor *c, u8 *byte)
{
	if (!c->left)
		return false;
	*byte = *c->p++;
	c->left--;
	return true;
}

/* An integer below 64 KiB; larger ones are no SLP_TYP. */
static bool integer(struct cursor *c, u16 *val)
{
	u8 op, low, high = 0;

	if (!next(c, &op))
		return false;
	*val = op;
	if (op == AML_ZERO || op == AML_ONE)
		return true;
	if ((op != AML_BYTE && op != AML_WORD) || !next(c, &low) ||
	    (op == AML_WORD && !next(c, &high)))
		return false;
	*val = (u16)(high << 8 | low);
	return true;
}

/*
 * The package behind PackageOp: its length, of 1 to 4 bytes, number of elements, elements. A
 * single one has both values, in a byte each.
 */
static bool package(struct cursor c, struct aml_sleep_type *type)
{
	u8 lead, skip, n;
	u16 a, b;

	if (!next(&c, &lead))
		return false;
	for (lead >>= 6; lead; lead--)
		if (!next(&c, &skip))
			return false;
	if (!next(&c, &n) || !n || !integer(&c, &a))
		return false;
	b = a >> 8;
	if (n > 1 && (a > 7 || !integer(&c, &b)))
		return false;
	if ((a & 0xff) > 7 || b > 7)
		return false;
	*type = (struct aml_sleep_type){ true, (u8)(a & 7), (u8)b };
	return true;
}

/* The digit of the name _Sn_ at @p, of four bytes: 1 to 5. 0: another name. */
static u8 state_at(const u8 *p)
{
	if (p[0] != '_' || p[1] != 'S' || p[2] < '1' || p[2] > '5' || p[3] != '_')
		return 0;
	return p[2] - '0';
}

/* Is what follows @at, of @from on, the name in Name(_S5_, Package...), with or without a root? */
static bool is_named(const u8 *from, const u8 *at)
{
	if (at > from && at[-1] == AML_ROOT)
		at--;
	return at > from && at[-1] == AML_NAME;
}

u32 aml_hide_sleep(u8 *table, u32 len, struct aml_sleep_type *s5)
{
	u32 i, found = 0;
	u8 state;

	for (i = HEADER_LEN; i + 4 <= len; i++) {
		state = state_at(table + i);
		if (state == 5 && !s5->known && i + 4 < len && table[i + 4] == AML_PACKAGE &&
		    is_named(table + HEADER_LEN, table + i))
			package((struct cursor){ table + i + 5, len - i - 5 }, s5);
		if (!state || state == 5)
			continue;
		table[i] = 'X';
		table[HEADER_CHECKSUM] -= 'X' - '_';
		found |= 1u << state;
	}
	return found;
}
