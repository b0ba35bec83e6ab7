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

/* Behind NameOp: the digit of _Sn_ with a package, and where its name begins; 0: something else. */
static u8 state_at(const u8 *p, u32 left, u32 *name)
{
	*name = left && *p == AML_ROOT;
	p += *name;
	if (left < *name + 5 || p[0] != '_' || p[1] != 'S' || p[2] < '1' || p[2] > '5' ||
	    p[3] != '_' || p[4] != AML_PACKAGE)
		return 0;
	return p[2] - '0';
}

u32 aml_hide_sleep(u8 *table, u32 len, struct aml_sleep_type *s5)
{
	u32 i, name, found = 0;
	u8 state;

	for (i = HEADER_LEN + 1; i < len; i++) {
		if (table[i - 1] != AML_NAME)
			continue;
		state = state_at(table + i, len - i, &name);
		name += i;
		if (state == 5 && !s5->known)
			package((struct cursor){ table + name + 5, len - name - 5 }, s5);
		if (!state || state == 5)
			continue;
		table[name] = 'X';
		table[HEADER_CHECKSUM] -= 'X' - '_';
		found |= 1u << state;
	}
	return found;
}
