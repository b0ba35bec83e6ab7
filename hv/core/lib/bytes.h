/* SPDX-License-Identifier: GPL-2.0-only */
/* Little-endian numbers at any address, and checksums, as firmware's tables and files have them. */
#ifndef BP_LIB_BYTES_H
#define BP_LIB_BYTES_H

#include "string.h"

static inline u16 get16(const void *p, u64 off)
{
	u16 v;

	memcpy(&v, (const u8 *)p + off, sizeof(v));
	return v;
}

static inline u32 get32(const void *p, u64 off)
{
	u32 v;

	memcpy(&v, (const u8 *)p + off, sizeof(v));
	return v;
}

static inline u64 get64(const void *p, u64 off)
{
	u64 v;

	memcpy(&v, (const u8 *)p + off, sizeof(v));
	return v;
}

/* Of @len bytes: 0 for those of a table that is whole. */
static inline u8 sum_bytes(const void *p, u32 len)
{
	const u8 *b = p;
	u8 s = 0;

	while (len--)
		s += *b++;
	return s;
}

#endif
