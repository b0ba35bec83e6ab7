// SPDX-License-Identifier: GPL-2.0-only
/* Archives as `cpio -H newc` makes them; the contract is in microcode.h. */
#include "lib/string.h"
#include "microcode.h"

/* Fields but the magic are eight hexadecimal digits; name and contents follow, each to 4 bytes. */
#define HEADER		110u
#define AT_SIZE		54u
#define AT_NAME_SIZE	94u

static bool hex(const u8 *p, u32 *val)
{
	u32 i;

	*val = 0;
	for (i = 0; i < 8; i++) {
		u32 c = p[i] | 0x20u;

		if (c >= '0' && c <= '9')
			*val = *val << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			*val = *val << 4 | (c - 'a' + 10);
		else
			return false;
	}
	return true;
}

static u64 align4(u64 n)
{
	return (n + 3) & ~3ull;
}

const u8 *cpio_find(const u8 *p, u64 len, const char *name, u64 *size)
{
	u64 at = 0, want = strlen(name) + 1;

	while (at + HEADER <= len) {
		const u8 *h = p + at;
		u32 bytes, name_bytes;
		u64 body;

		/* Between archives there are zeros. */
		if (!*h) {
			at += 4;
			continue;
		}
		if (memcmp(h, "070701", 6) || !hex(h + AT_SIZE, &bytes) ||
		    !hex(h + AT_NAME_SIZE, &name_bytes))
			return NULL;
		body = align4(at + HEADER + name_bytes);
		if (body > len || bytes > len - body)
			return NULL;
		if (name_bytes == want && !memcmp(h + HEADER, name, want)) {
			*size = bytes;
			return p + body;
		}
		at = align4(body + bytes);
	}
	return NULL;
}
