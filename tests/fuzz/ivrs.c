// SPDX-License-Identifier: GPL-2.0-only
/* IVRS: bytes as they are, and blocks with entries whose lengths fit; and what is made of it for domain 0. */
// SOURCES: hv/iommu/ivrs.c hv/iommu/ivrs_devs.c hv/iommu/virt/virt_ivrs.c hv/core/lib/printf.c
#include "fuzz.h"

#include "hv/iommu/ivrs.h"
#include "hv/iommu/virt/virt_amdvi.h"

#define HEAD	48

static struct ivrs ivrs, shown;
static char err[128];
static u8 buf[32 * 1024];

static bool ordered(const struct ivrs_devs *a, const struct ivrs_devs *b)
{
	return a->segment < b->segment || (a->segment == b->segment && a->last < b->first);
}

static void check_result(void)
{
	u32 i;

	REQUIRE(ivrs.nr_units <= IVRS_MAX_UNITS && ivrs.nr_devs <= IVRS_MAX_DEVS);
	REQUIRE(ivrs.nr_sources <= IVRS_MAX_SOURCES && ivrs.nr_regions <= IVRS_MAX_REGIONS);
	for (i = 0; i < ivrs.nr_units; i++)
		REQUIRE(ivrs.unit[i].regs && IS_ALIGNED(ivrs.unit[i].regs, IVRS_REGS_SIZE));
	for (i = 0; i < ivrs.nr_devs; i++) {
		const struct ivrs_devs *d = &ivrs.devs[i];

		REQUIRE(d->first <= d->last && d->units);
		REQUIRE(ivrs.nr_units == 64 || !(d->units >> ivrs.nr_units));
		REQUIRE(!i || ordered(d - 1, d));
	}
	for (i = 0; i < ivrs.nr_regions; i++) {
		REQUIRE(ivrs.region[i].mem.start < ivrs.region[i].mem.end);
		REQUIRE(ivrs.region[i].first <= ivrs.region[i].last);
	}
	for (i = 0; i < ivrs.nr_sources; i++)
		REQUIRE(ivrs.source[i].unit < ivrs.nr_units);
}

/* Domain 0's copy of a table that was accepted has the same units and devices. */
static void show(u8 *copy, u32 len, u64 efr)
{
	ivrs_show_features(copy, efr);
	REQUIRE(ivrs_parse(copy, len, &shown, err, sizeof(err)));
	REQUIRE(shown.nr_units == ivrs.nr_units && shown.nr_devs == ivrs.nr_devs);
	REQUIRE(shown.nr_regions == ivrs.nr_regions);
}

static void parse(u8 *t, size_t len, bool honest, u64 efr)
{
	u8 *copy = malloc(len ? len : 1);

	REQUIRE(copy);
	if (honest) {
		put_at(t, len, 0, 0x53525649, 4);
		put_at(t, len, 4, len, 4);
		fix_sum(t, len, 9);
	}
	memcpy(copy, t, len);
	memset(err, 0, sizeof(err));
	if (ivrs_parse(copy, (u32)len, &ivrs, err, sizeof(err))) {
		check_result();
		show(copy, (u32)len, efr);
	} else {
		REQUIRE(*err && memchr(err, 0, sizeof(err)));
	}
	free(copy);
}

static u32 room_for(struct input *in, u32 at, u32 n)
{
	take_bytes(in, buf + at, n);
	return at + n;
}

static u32 put_entry(struct input *in, u32 at)
{
	static const u8 types[] = { 1, 2, 3, 4, 66, 67, 70, 71, 72, 240, 0, 2, 4, 3, 72, 72 };
	u8 type = types[take8(in) % 16];
	u32 end = room_for(in, at, type == 240 ? 22 : type < 64 ? 4 : 8);

	buf[at] = type;
	if (type == 240) {		/* no ACPI names of their own length */
		buf[at + 20] = 0;
		buf[at + 21] = 0;
	}
	return end;
}

static u32 put_ivhd(struct input *in, u32 at, u8 what)
{
	static const u8 types[] = { 0x10, 0x11, 0x40, 0x10 };
	u8 type = types[what & 3], n = what >> 4;
	u32 end = room_for(in, at, type == 0x10 ? 24 : 40);

	put_at(buf, sizeof(buf), at, type, 1);
	put_at(buf, sizeof(buf), at + 8, 0, 1);		/* registers: aligned */
	buf[at + 9] &= 0xc0;
	while (n--)
		end = put_entry(in, end);
	put_at(buf, sizeof(buf), at + 2, end - at, 2);
	return end;
}

static u32 put_ivmd(struct input *in, u32 at, u8 what)
{
	u32 end = room_for(in, at, 32);

	buf[at] = 0x20 + (what >> 3) % 3;
	put_at(buf, sizeof(buf), at + 2, 32, 2);
	put_at(buf, sizeof(buf), at + 22, 0, 2);
	if (what & 0x80)
		put_at(buf, sizeof(buf), at + 28, 0, 4);
	return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u32 end;
	u64 efr;
	u8 how;

	if (size > 8192)
		return 0;
	how = take8(&in);
	efr = take64(&in);
	memset(buf, 0, sizeof(buf));
	take_bytes(&in, buf, HEAD);
	if (how & 1) {
		size_t len = HEAD + in.left;

		take_bytes(&in, buf + HEAD, in.left);
		parse(buf, len, how & 2, efr);
		return 0;
	}
	for (end = HEAD; in.left && end + 512 < sizeof(buf);) {
		u8 what = take8(&in);

		end = (what & 0xc) == 0xc ? put_ivmd(&in, end, what) : put_ivhd(&in, end, what);
	}
	parse(buf, end, true, efr);
	return 0;
}
