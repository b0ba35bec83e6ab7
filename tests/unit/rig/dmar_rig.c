// SPDX-License-Identifier: GPL-2.0-only
/* A builder of DMAR tables, real machines' tables made by it, and what holds of any result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "dmar_rig.h"
#include "hv/core/lib/string.h"

u8 buf[1 << 20];
u32 len, last, last_scope;
struct dmar dmar;
char err[160];

void put(u32 bytes, u64 v)
{
	assert_true(len + bytes <= sizeof(buf));
	memcpy(buf + len, &v, bytes);
	len += bytes;
}

void poke(u32 off, u32 bytes, u64 v)
{
	memcpy(buf + off, &v, bytes);
}

void begin(u8 width, u8 flags)
{
	memset(buf, 0, HEAD);
	memcpy(buf, "DMAR", 4);
	buf[8] = 1;
	memcpy(buf + 10, "OEM   TABLE   ", 14);
	buf[36] = width - 1;
	buf[37] = flags;
	len = HEAD;
}

void structure(u16 type)
{
	last = len;
	put(2, type);
	put(2, 0);
}

/* The last structure ends here. */
void end_structure(void)
{
	poke(last + 2, 2, len - last);
}

void drhd(u8 flags, u8 size, u16 segment, u64 base)
{
	structure(0);
	put(1, flags);
	put(1, size);
	put(2, segment);
	put(8, base);
	end_structure();
}

void rmrr(u16 segment, u64 base, u64 limit)
{
	structure(1);
	put(2, 0);
	put(2, segment);
	put(8, base);
	put(8, limit);
	end_structure();
}

/* ATSR 2, SATC 5, SIDP 6 */
void group(u16 type, u8 flags, u16 segment)
{
	structure(type);
	put(2, flags);
	put(2, segment);
	end_structure();
}

void rhsa(u64 base, u32 node)
{
	structure(3);
	put(4, 0);
	put(8, base);
	put(4, node);
	end_structure();
}

/* With zeros up to a length of 28, as firmware does it. */
void andd(u8 number, const char *name)
{
	structure(4);
	put(3, 0);
	put(1, number);
	while (*name)
		put(1, (u8)*name++);
	while (len - last < 28)
		put(1, 0);
	end_structure();
}

/* One more scope of the last structure; hop() makes its path longer. */
void scope(u8 type, u8 id, u8 bus, u8 dev, u8 fn)
{
	last_scope = len;
	put(1, type);
	put(1, 8);
	put(2, 0);
	put(1, id);
	put(1, bus);
	put(1, dev);
	put(1, fn);
	end_structure();
}

void hop(u8 dev, u8 fn)
{
	put(1, dev);
	put(1, fn);
	buf[last_scope + 1] += 2;
	end_structure();
}

void finish(void)
{
	u8 sum = 0;
	u32 i;

	poke(4, 4, len);
	buf[9] = 0;
	for (i = 0; i < len; i++)
		sum += buf[i];
	buf[9] = (u8)-sum;
}

/* From memory of just that size, so that reading past its end is caught. */
bool parse_bytes(u32 bytes)
{
	u8 *t = malloc(bytes ? bytes : 1);
	bool ok;

	memcpy(t, buf, bytes);
	memset(err, 0, sizeof(err));
	ok = dmar_parse(t, bytes, &dmar, err, sizeof(err));
	free(t);
	return ok;
}

static bool is_paged(hpa_t start, hpa_t end)
{
	return !(start & 0xfff) && !(end & 0xfff) && start < end && end <= 1ull << dmar.width;
}

static u32 check_devices(const struct dmar_devices *dev)
{
	assert_true(dev->first + dev->nr <= dmar.nr_scopes);
	return dev->nr;
}

static void check_scopes(void)
{
	const struct dmar_scope *s;

	for (s = dmar.scope; s < dmar.scope + dmar.nr_scopes; s++) {
		assert_in_range(s->type, DMAR_ENDPOINT, DMAR_ACPI);
		assert_in_range(s->depth, 1, DMAR_MAX_DEPTH);
	}
}

static void check_sources(void)
{
	const struct iommu_source *s = dmar.source;
	u32 i;

	for (i = 0; i < dmar.nr_sources; i++, s++) {
		assert_ptr_equal(iommu_source_find(dmar.source, dmar.nr_sources, s->kind, s->id), s);
		assert_true(s->unit < dmar.nr_units);
		assert_int_equal(s->dev.segment, dmar.unit[s->unit].segment);
	}
}

static void check_units(void)
{
	const struct dmar_unit *u, *o;

	for (u = dmar.unit; u < dmar.unit + dmar.nr_units; u++) {
		assert_true(u->base && is_paged(u->base, u->base + u->size));
		for (o = dmar.unit; o < u; o++) {
			assert_true(u->base >= o->base + o->size || o->base >= u->base + u->size);
			assert_false(u->rest && o->rest && u->segment == o->segment);
		}
	}
}

/* What holds of whatever is accepted. */
void check_result(void)
{
	u32 i, scopes = 0;

	assert_in_range(dmar.width, 32, 52);
	assert_true(dmar.nr_units <= DMAR_MAX_UNITS);
	assert_true(dmar.nr_regions <= DMAR_MAX_REGIONS);
	assert_true(dmar.nr_groups <= DMAR_MAX_GROUPS);
	assert_true(dmar.nr_sources <= DMAR_MAX_SOURCES);
	assert_true(dmar.nr_scopes <= DMAR_MAX_SCOPES);
	for (i = 0; i < dmar.nr_units; i++)
		scopes += check_devices(&dmar.unit[i].dev);
	for (i = 0; i < dmar.nr_regions; i++) {
		scopes += check_devices(&dmar.region[i].dev);
		assert_true(is_paged(dmar.region[i].mem.start, dmar.region[i].mem.end));
	}
	for (i = 0; i < dmar.nr_groups; i++)
		scopes += check_devices(&dmar.group[i].dev);
	assert_int_equal(scopes, dmar.nr_scopes);
	check_scopes();
	check_sources();
	check_units();
}

/* A refusal says where, in a short line. */
void check_refusal(u32 bytes)
{
	const char *at = strstr(err, " at offset 0x");

	assert_non_null(at);
	assert_true(strtoul(at + 11, NULL, 16) <= bytes);
	assert_null(strchr(err, '\n'));
	assert_true(strlen(err) < 128);
}

void accepted(void)
{
	finish();
	if (!parse_bytes(len))
		fail_msg("%s", err);
	check_result();
}

void refused(const char *why)
{
	finish();
	assert_false(parse_bytes(len));
	check_refusal(len);
	if (!strstr(err, why))
		fail_msg("\"%s\" is not in \"%s\"", why, err);
}

/* QEMU's q35 with intel-iommu, interrupt remapping and device IOTLBs */
void build_qemu(void)
{
	begin(48, 1);
	drhd(1, 0, 0, 0xfed90000);
	scope(3, 0, 0xff, 0, 0);
	group(2, 1, 0);
}

/* A notebook of Tiger Lake: graphics, two Thunderbolt ports, and the rest */
void build_notebook(void)
{
	begin(39, 5);
	drhd(0, 0, 0, 0xfed90000);
	scope(1, 0, 0, 2, 0);
	drhd(0, 0, 0, 0xfed84000);
	scope(2, 0, 0, 7, 0);
	drhd(0, 0, 0, 0xfed85000);
	scope(2, 0, 0, 7, 1);
	drhd(1, 0, 0, 0xfed91000);
	scope(3, 2, 0, 0x1e, 7);
	scope(4, 0, 0, 0x1e, 6);
	rmrr(0, 0x83800000, 0x87bfffff);
	scope(1, 0, 0, 2, 0);
}

/* A small PC of Broadwell, with a device of ACPI's and firmware against x2APIC */
void build_small_pc(void)
{
	begin(39, 3);
	drhd(0, 0, 0, 0xfed90000);
	scope(1, 0, 0, 2, 0);
	drhd(1, 0, 0, 0xfed91000);
	scope(3, 2, 0xf0, 0x1f, 0);
	scope(4, 0, 0xf0, 0x0f, 0);
	scope(5, 2, 0, 0x17, 0);
	rmrr(0, 0xa2ef2000, 0xa2f10fff);
	scope(1, 0, 0, 0x1d, 0);
	scope(1, 0, 0, 0x14, 0);
	rmrr(0, 0xa3800000, 0xa7ffffff);
	scope(1, 0, 0, 2, 0);
	andd(2, "\\_SB.PCI0.SDHC");
}

/* A server with two sockets of Cascade Lake: four units and I/O APICs in each, one more APIC */
const struct socket_unit socket_units[8] = {
	{ 0xd37fc000, 15, 0x80 }, { 0xe0ffc000, 16, 0x85 }, { 0xee7fc000, 17, 0xae },
	{ 0xfbffc000, 18, 0xd7 }, { 0xaaffc000, 10, 0x17 }, { 0xb87fc000, 11, 0x3a },
	{ 0xc5ffc000, 12, 0x5d }, { 0x9d7fc000, 9, 0x00 },
};

void build_server(void)
{
	u32 i;

	begin(46, 1);
	for (i = 0; i < 8; i++) {
		drhd(i == 7, 0, 0, socket_units[i].base);
		scope(3, socket_units[i].ioapic, socket_units[i].bus, 5, 4);
		if (i != 7)
			scope(2, 0, socket_units[i].bus, 0, 0);
	}
	scope(3, 8, 0xf0, 0x1f, 0);
	scope(4, 0, 0, 0x1f, 0);
	rmrr(0, 0x6f605000, 0x6f615fff);
	scope(1, 0, 0, 0x14, 0);
	scope(1, 0, 0, 0x1c, 4);	/* the management controller, behind a root port */
	hop(0, 0);
	hop(0, 1);
	group(2, 0, 0);
	scope(2, 0, 0x17, 0, 0);
	scope(2, 0, 0x3a, 0, 0);
	group(2, 0, 0);
	scope(2, 0, 0x85, 0, 0);
	for (i = 0; i < 8; i++)
		rhsa(socket_units[i].base, i < 4);
	group(5, 1, 0);
	scope(1, 0, 0x6a, 1, 0);
	group(6, 1, 0);
	scope(1, 0, 0x6a, 2, 0);
}
