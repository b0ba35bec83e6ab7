/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds an IVRS piece by piece, as a test needs it: begin(), then for each unit ivhd()
 * and its device entries, and ivmd(). read_table() makes length and checksum right first.
 */
#ifndef BP_TEST_IVRS_RIG_H
#define BP_TEST_IVRS_RIG_H

#include "hv/iommu/ivrs.h"
#include "hv/core/lib/string.h"

static u8 tab[IVRS_MAX_LEN + 64];
static u32 tab_len;
static u32 block;		/* offset of the last IVHD */
static struct ivrs ivrs;
static char err[128];

/* Little endian, and zeros beyond eight bytes. */
static inline void put(u64 value, u32 bytes)
{
	memset(tab + tab_len, 0, bytes);
	memcpy(tab + tab_len, &value, min(bytes, 8u));
	tab_len += bytes;
}

static inline void begin(u32 info)
{
	memset(tab, 0, sizeof(tab));
	memcpy(tab, "IVRS", 4);
	tab[8] = 2;
	memcpy(tab + 10, "TEST  TABLE   ", 14);
	memcpy(tab + 36, &info, 4);
	tab_len = 48;
	block = 0;
}

/* The device entries that follow grow the last IVHD. */
static inline void put_entry(u64 value, u32 bytes)
{
	u16 len;

	put(value, bytes);
	len = (u16)(tab_len - block);
	memcpy(tab + block + 2, &len, 2);
}

struct unit_facts {
	u8 type, flags;
	u16 id, segment;
	u64 regs;
	u16 cap;		/* 0: 40h */
	u16 info;
	u32 features;
	u64 efr, efr2;
};

static inline void ivhd_of(const struct unit_facts *f)
{
	block = tab_len;
	put(f->type, 1);
	put(f->flags, 1);
	put(f->type == 0x10 ? 24 : 40, 2);
	put(f->id, 2);
	put(f->cap ? f->cap : 0x40, 2);
	put(f->regs, 8);
	put(f->segment, 2);
	put(f->info, 2);
	put(f->features, 4);
	if (f->type == 0x10)
		return;
	put(f->efr, 8);
	put(f->efr2, 8);
}

#define ivhd(...)	ivhd_of(&(const struct unit_facts){ __VA_ARGS__ })

/* Entries of four bytes: 1 all, 2 select, 3 start of a range, 4 its end. */
static inline void entry4(u8 type, u16 id, u8 dte)
{
	put_entry(type | (u32)id << 8 | (u32)dte << 24, 4);
}

static inline void entry8(u8 type, u16 id, u8 dte, u32 more)
{
	put_entry(type | (u64)id << 8 | (u64)dte << 24 | (u64)more << 32, 8);
}

static inline void all(u8 dte)
{
	entry4(1, 0, dte);
}

static inline void sel(u16 id, u8 dte)
{
	entry4(2, id, dte);
}

static inline void range(u16 first, u16 last, u8 dte)
{
	entry4(3, first, dte);
	entry4(4, last, 0);
}

static inline void alias(u16 id, u8 dte, u16 to)
{
	entry8(0x42, id, dte, (u32)to << 8);
}

static inline void alias_range(u16 first, u16 last, u16 to)
{
	entry8(0x43, first, 0, (u32)to << 8);
	entry4(4, last, 0);
}

enum { SPECIAL_IOAPIC = 1, SPECIAL_HPET };

static inline void special(u8 variety, u8 handle, u16 source, u8 dte)
{
	entry8(0x48, 0, dte, handle | (u32)source << 8 | (u32)variety << 24);
}

static inline void hid(u16 id, u8 dte, const char *name, u8 uid_kind, const char *uid)
{
	u32 uid_len = (u32)strlen(uid), at = tab_len;

	put_entry(0xf0 | (u32)id << 8 | (u32)dte << 24, 22 + uid_len);
	memcpy(tab + at + 4, name, strlen(name));	/* and no _CID */
	tab[at + 20] = uid_kind;
	tab[at + 21] = (u8)uid_len;
	memcpy(tab + at + 22, uid, uid_len);
}

static inline void ivmd(u8 type, u8 flags, u16 id, u16 last, u64 start, u64 length)
{
	put(type, 1);
	put(flags, 1);
	put(32, 2);
	put(id, 2);
	put(last, 2);
	put(0, 8);
	put(start, 8);
	put(length, 8);
}

static inline void fix_sum(void)
{
	u8 sum = 0;
	u32 i;

	tab[9] = 0;
	for (i = 0; i < tab_len; i++)
		sum += tab[i];
	tab[9] = (u8)-sum;
}

/* As it is, in memory of its own of @len bytes, so that reading past it is caught. */
static inline bool read_bytes(u32 len)
{
	u8 *copy = malloc(len ? len : 1);
	bool ok;

	memcpy(copy, tab, len);
	memset(err, 0, sizeof(err));
	ok = ivrs_parse(copy, len, &ivrs, err, sizeof(err));
	free(copy);
	return ok;
}

static inline bool read_table(void)
{
	memcpy(tab + 4, &tab_len, 4);
	fix_sum();
	return read_bytes(tab_len);
}

#endif
