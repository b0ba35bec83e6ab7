// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMAR: bytes as they are behind a right header, and structures whose lengths fit, with scopes
 * whose lengths fit.
 */
// SOURCES: hv/iommu/dmar.c hv/core/lib/printf.c
#include "fuzz.h"

#include "hv/iommu/dmar.h"

#define HEAD	48

static struct dmar dmar;
static char err[128];
static u8 buf[32 * 1024];

static void check_devices(const struct dmar_devices *d)
{
	REQUIRE(!d->nr || (u32)d->first + d->nr <= dmar.nr_scopes);
}

static void check_result(void)
{
	u32 i, j;

	REQUIRE(dmar.nr_units <= DMAR_MAX_UNITS && dmar.nr_regions <= DMAR_MAX_REGIONS);
	REQUIRE(dmar.nr_groups <= DMAR_MAX_GROUPS && dmar.nr_scopes <= DMAR_MAX_SCOPES);
	REQUIRE(dmar.nr_sources <= DMAR_MAX_SOURCES && dmar.width >= 32 && dmar.width <= 52);
	for (i = 0; i < dmar.nr_units; i++) {
		const struct dmar_unit *u = &dmar.unit[i];

		check_devices(&u->dev);
		REQUIRE(u->base && IS_ALIGNED(u->base, PAGE_SIZE) && u->size >= PAGE_SIZE);
		for (j = 0; j < i; j++) {
			const struct dmar_unit *o = &dmar.unit[j];

			REQUIRE(u->base + u->size <= o->base || o->base + o->size <= u->base);
			REQUIRE(u->segment != o->segment || !u->rest || !o->rest);
		}
	}
	for (i = 0; i < dmar.nr_regions; i++) {
		const struct iommu_region *m = &dmar.region[i].mem;

		check_devices(&dmar.region[i].dev);
		REQUIRE(m->start < m->end && m->end <= BIT(dmar.width));
		REQUIRE(IS_ALIGNED(m->start | m->end, PAGE_SIZE));
	}
	for (i = 0; i < dmar.nr_groups; i++)
		check_devices(&dmar.group[i].dev);
	for (i = 0; i < dmar.nr_scopes; i++)
		REQUIRE(dmar.scope[i].depth >= 1 && dmar.scope[i].depth <= DMAR_MAX_DEPTH);
	for (i = 0; i < dmar.nr_sources; i++)
		REQUIRE(dmar.source[i].unit < dmar.nr_units);
}

static void parse(u8 *t, size_t len, bool honest)
{
	u8 *copy = malloc(len ? len : 1);

	REQUIRE(copy);
	if (honest) {
		put_at(t, len, 0, 0x52414d44, 4);
		put_at(t, len, 4, len, 4);
		fix_sum(t, len, 9);
	}
	memcpy(copy, t, len);
	memset(err, 0, sizeof(err));
	if (dmar_parse(copy, (u32)len, &dmar, err, sizeof(err)))
		check_result();
	else
		REQUIRE(*err && memchr(err, 0, sizeof(err)));
	free(copy);
}

static u32 room_for(struct input *in, u32 at, u32 n)
{
	take_bytes(in, buf + at, n);
	return at + n;
}

/* Its length, type and path. */
static u32 put_scope(struct input *in, u32 at)
{
	u8 hops = 1 + take8(in) % 3;
	u32 end = room_for(in, at, 6 + 2 * hops);

	buf[at] = 1 + buf[at] % 6;
	buf[at + 1] = (u8)(end - at);
	return end;
}

/* Bytes of a structure of each type before its scopes. */
static u32 put_structure(struct input *in, u32 at)
{
	static const u8 fixed[] = { 16, 24, 8, 20, 8, 8, 8, 16 };
	u8 what = take8(in), type = what & 7, scopes = what >> 3 & 3;
	u32 end = room_for(in, at, fixed[type]);

	put_at(buf, sizeof(buf), at, type, 2);
	if (what & 0x20) {		/* page-aligned addresses, as real ones */
		buf[at + 8] = 0;
		buf[at + 9] &= 0xf0;
		put_at(buf, sizeof(buf), at + 13, 0, 3);
	}
	while (scopes--)
		end = put_scope(in, end);
	put_at(buf, sizeof(buf), at + 2, end - at, 2);
	return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u32 end;
	u8 how;

	if (size > 8192)
		return 0;
	how = take8(&in);
	memset(buf, 0, sizeof(buf));
	take_bytes(&in, buf, HEAD);
	buf[36] = how & 4 ? 38 + how % 4 : buf[36];
	if (how & 1) {
		size_t len = HEAD + in.left;

		take_bytes(&in, buf + HEAD, in.left);
		parse(buf, len, how & 2);
		return 0;
	}
	for (end = HEAD; in.left && end + 128 < sizeof(buf);)
		end = put_structure(&in, end);
	parse(buf, end, true);
	return 0;
}
