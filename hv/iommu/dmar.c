// SPDX-License-Identifier: GPL-2.0-only
/* Reader of DMAR. Section numbers are the VT-d specification's. */
#include "dmar.h"
#include "lib/bytes.h"
#include "lib/printf.h"
#include "lib/string.h"

/* The table's head (8.1): ACPI's, and three fields */
struct head {
	char sig[4];
	u32 length;
	u8 revision;
	u8 checksum;
	u8 origin[26];
	u8 width;		/* less one */
	u8 flags;
	u8 reserved[10];
} __packed;
static_assert(sizeof(struct head) == 48, "specification");
#define INTR_REMAP	BIT(0)
#define X2APIC_OPT_OUT	BIT(1)
#define DMA_OPT_IN	BIT(2)
#define WIDTH_MIN	32
#define WIDTH_MAX	52	/* of a physical address (SDM vol. 1, 3.3) */

/* The head of a remapping structure (8.2) */
struct structure {
	u16 type;
	u16 length;
} __packed;

struct scope {			/* 8.3.1 */
	u8 type;
	u8 length;
	u8 flags;
	u8 reserved;
	u8 id;
	u8 bus;
	struct {
		u8 device;
		u8 function;
	} path[];
} __packed;
static_assert(sizeof(struct scope) == 6, "specification");

struct drhd {			/* 8.3 */
	struct structure s;
	u8 flags;
	u8 size;		/* log2 of the register set's pages */
	u16 segment;
	u64 base;
} __packed;
static_assert(sizeof(struct drhd) == 16, "specification");
#define INCLUDE_PCI_ALL	BIT(0)
#define SIZE_MASK	0xf

struct rmrr {			/* 8.4 */
	struct structure s;
	u16 reserved;
	u16 segment;
	u64 base;
	u64 limit;		/* the last byte */
} __packed;
static_assert(sizeof(struct rmrr) == 24, "specification");

struct group {			/* ATSR 8.5, SATC 8.8, SIDP 8.9 */
	struct structure s;
	u8 flags;		/* bit 0: ALL_PORTS, ATC_REQUIRED; SIDP has none */
	u8 reserved;
	u16 segment;
} __packed;
static_assert(sizeof(struct group) == 8, "specification");

#define RHSA_LEN	20	/* 8.6 */
#define ANDD_NAME	8	/* 8.7 */

struct parser {
	const u8 *table;
	struct dmar *out;
	char *err;
	u32 err_len;
	const char *name;	/* of the structure in hand */
	u32 at;			/* its offset */
	u32 end;		/* and its end's */
};

#define wrong(p, fmt, ...)								\
	(bp_snprintf((p)->err, (p)->err_len, "%s at offset 0x%x " fmt, (p)->name,	\
		     (p)->at, ##__VA_ARGS__), false)

static bool is_below_width(const struct dmar *d, u64 first, u64 last)
{
	return first <= last && !(last >> d->width);
}

static bool add_scope(struct parser *p, const struct scope *s, u32 off)
{
	struct dmar *d = p->out;
	u32 i, depth = (s->length - sizeof(*s)) / sizeof(s->path[0]);
	struct dmar_scope *to = &d->scope[d->nr_scopes];

	if (s->length != sizeof(*s) + depth * sizeof(s->path[0]) || !depth)
		return wrong(p, "has a device scope at 0x%x without a whole path", off);
	if (depth > DMAR_MAX_DEPTH)
		return wrong(p, "has a device scope at 0x%x with a path of %u, not %u at most",
			     off, depth, DMAR_MAX_DEPTH);
	if (d->nr_scopes == DMAR_MAX_SCOPES)
		return wrong(p, "has the table's device scope %u at 0x%x: %u fit",
			     DMAR_MAX_SCOPES + 1, off, DMAR_MAX_SCOPES);
	*to = (struct dmar_scope){ s->type, s->id, s->bus, (u8)depth, { 0 } };
	for (i = 0; i < depth; i++) {
		if (s->path[i].device > 31 || s->path[i].function > 7)
			return wrong(p, "has a device scope at 0x%x with %x.%x in its path",
				     off, s->path[i].device, s->path[i].function);
		to->path[i] = PCI_DEVFN(s->path[i].device, s->path[i].function);
	}
	d->nr_scopes++;
	return true;
}

/* The device scopes that fill the structure in hand from @off on. */
static bool read_scopes(struct parser *p, u32 off, struct dmar_devices *dev)
{
	u32 first = p->out->nr_scopes;
	const struct scope *s;

	for (; off < p->end; off += s->length) {
		s = (const void *)(p->table + off);
		if (p->end - off < sizeof(*s) || s->length < sizeof(*s) ||
		    s->length > p->end - off)
			return wrong(p, "has a torn device scope at 0x%x", off);
		if (s->type >= DMAR_ENDPOINT && s->type <= DMAR_ACPI && !add_scope(p, s, off))
			return false;
	}
	*dev = (struct dmar_devices){ (u16)first, (u16)(p->out->nr_scopes - first) };
	return true;
}

static bool add_source(struct parser *p, const struct dmar_scope *s, u16 unit)
{
	struct dmar *d = p->out;
	struct iommu_source new = {
		s->type == DMAR_HPET ? IOMMU_HPET : IOMMU_IOAPIC, s->id, unit,
		{ d->unit[unit].segment, PCI_BDF(s->bus, s->path[0]) },
	};
	const struct iommu_source *old = iommu_source_find(d->source, d->nr_sources, new.kind,
							 new.id);
	const char *what = new.kind == IOMMU_HPET ? "HPET" : "I/O APIC";

	if (old && old->unit == unit && old->dev.bdf == new.dev.bdf)
		return true;
	if (old)
		return wrong(p, "has %s %u a second time, and elsewhere", what, new.id);
	if (d->nr_sources == DMAR_MAX_SOURCES)
		return wrong(p, "has more than the %u I/O APICs and HPETs that fit",
			     DMAR_MAX_SOURCES);
	d->source[d->nr_sources++] = new;
	return true;
}

static bool add_sources(struct parser *p, u16 unit)
{
	const struct dmar_devices *dev = &p->out->unit[unit].dev;
	const struct dmar_scope *s = &p->out->scope[dev->first];
	u32 i;

	for (i = 0; i < dev->nr; i++, s++)
		if ((s->type == DMAR_IOAPIC || s->type == DMAR_HPET) && s->depth == 1 &&
		    !add_source(p, s, unit))
			return false;
	return true;
}

/* The same, to the last scope: there is firmware that lists every unit twice. */
static bool is_repeated(const struct dmar *d, const struct dmar_unit *a,
			const struct dmar_unit *b)
{
	return a->base == b->base && a->size == b->size && a->segment == b->segment &&
	       a->rest == b->rest && a->dev.nr == b->dev.nr &&
	       !memcmp(&d->scope[a->dev.first], &d->scope[b->dev.first],
		       a->dev.nr * sizeof(d->scope[0]));
}

/* Can the unit stand beside @old? */
static bool check_pair(struct parser *p, const struct dmar_unit *u,
		       const struct dmar_unit *old)
{
	if (u->base < old->base + old->size && old->base < u->base + u->size)
		return wrong(p, "has its registers at 0x%llx, where another unit's are", u->base);
	if (u->rest && old->rest && u->segment == old->segment)
		return wrong(p, "is a second one for all of segment %u", u->segment);
	return true;
}

static bool add_unit(struct parser *p, const struct dmar_unit *u)
{
	struct dmar *d = p->out;
	u32 i;

	for (i = 0; i < d->nr_units; i++) {
		if (is_repeated(d, u, &d->unit[i])) {
			d->nr_scopes = u->dev.first;
			return true;
		}
		if (!check_pair(p, u, &d->unit[i]))
			return false;
	}
	if (d->nr_units == DMAR_MAX_UNITS)
		return wrong(p, "is one more than the %u units that fit", DMAR_MAX_UNITS);
	d->unit[d->nr_units++] = *u;
	return add_sources(p, (u16)i);
}

static bool read_unit(struct parser *p, const void *s)
{
	const struct drhd *r = s;
	struct dmar_unit u = {
		.base = r->base,
		.size = (u32)SZ_4K << (r->size & SIZE_MASK),
		.segment = r->segment,
		.rest = r->flags & INCLUDE_PCI_ALL,
	};

	if (!u.base || !IS_ALIGNED(u.base, PAGE_SIZE))
		return wrong(p, "has its registers at 0x%llx, which is no page", u.base);
	if (!is_below_width(p->out, u.base, u.base + u.size - 1))
		return wrong(p, "has its registers at 0x%llx, above the address width of %u bits",
			     u.base, p->out->width);
	return read_scopes(p, p->at + sizeof(*r), &u.dev) && add_unit(p, &u);
}

static bool read_region(struct parser *p, const void *s)
{
	const struct rmrr *r = s;
	struct dmar *d = p->out;
	struct dmar_region *to = &d->region[d->nr_regions];

	if (d->nr_regions == DMAR_MAX_REGIONS)
		return wrong(p, "is one more than the %u regions that fit", DMAR_MAX_REGIONS);
	if (r->limit < r->base)
		return wrong(p, "ends at 0x%llx, before its start at 0x%llx", r->limit, r->base);
	if (!is_below_width(d, r->base, r->limit))
		return wrong(p, "ends at 0x%llx, above the address width of %u bits", r->limit,
			     d->width);
	if (!IS_ALIGNED(r->base, PAGE_SIZE) || !IS_ALIGNED(r->limit + 1, PAGE_SIZE))
		return wrong(p, "is 0x%llx to 0x%llx, which are no whole pages", r->base,
			     r->limit);
	to->mem = (struct iommu_region){ r->base, r->limit + 1, IOMMU_READ | IOMMU_WRITE };
	to->segment = r->segment;
	d->nr_regions++;
	return read_scopes(p, p->at + sizeof(*r), &to->dev);
}

static bool read_group(struct parser *p, const void *s)
{
	const struct group *r = s;
	struct dmar *d = p->out;
	struct dmar_group *to = &d->group[d->nr_groups];

	if (d->nr_groups == DMAR_MAX_GROUPS)
		return wrong(p, "is one more than the %u of ATSR, SATC and SIDP that fit",
			     DMAR_MAX_GROUPS);
	to->kind = (enum dmar_group_kind)r->s.type;
	to->flag = to->kind != DMAR_SIDP && (r->flags & 1);
	to->segment = r->segment;
	d->nr_groups++;
	return read_scopes(p, p->at + sizeof(*r), &to->dev);
}

static bool check_name(struct parser *p, const void *s)
{
	if (!memchr((const u8 *)s + ANDD_NAME, 0, p->end - p->at - ANDD_NAME))
		return wrong(p, "has a name without an end");
	return true;
}

/* By type: the shortest that can be read, and by whom. */
static const struct {
	const char *name;
	u32 min;
	bool (*read)(struct parser *p, const void *s);
} kinds[] = {
	{ "DRHD", sizeof(struct drhd), read_unit },
	{ "RMRR", sizeof(struct rmrr), read_region },
	{ "ATSR", sizeof(struct group), read_group },
	{ "RHSA", RHSA_LEN, NULL },
	{ "ANDD", ANDD_NAME + 1, check_name },
	{ "SATC", sizeof(struct group), read_group },
	{ "SIDP", sizeof(struct group), read_group },
};

/* The structure at p->at, in a table of @len bytes. Sets p->end. */
static bool read_structure(struct parser *p, u32 len)
{
	const struct structure *s = (const void *)(p->table + p->at);
	u32 room = len - p->at;

	p->name = "structure";
	if (room < sizeof(*s))
		return wrong(p, "is cut short after %u bytes", room);
	if (s->type < ARRAY_SIZE(kinds))
		p->name = kinds[s->type].name;
	if (s->length < sizeof(*s) || s->length > room)
		return wrong(p, "is %u bytes long in the last %u of the table", s->length, room);
	p->end = p->at + s->length;
	if (s->type >= ARRAY_SIZE(kinds)) {
		p->out->nr_unknown++;
		return true;
	}
	if (s->length < kinds[s->type].min)
		return wrong(p, "is %u bytes long, not %u at least", s->length,
			     kinds[s->type].min);
	return !kinds[s->type].read || kinds[s->type].read(p, s);
}

static bool read_head(struct parser *p, u32 len)
{
	const struct head *h = (const void *)p->table;
	struct dmar *d = p->out;

	if (len < sizeof(*h))
		return wrong(p, "is cut short after %u bytes", len);
	if (memcmp(h->sig, "DMAR", 4))
		return wrong(p, "is no DMAR's");
	if (h->length < sizeof(*h) || h->length > len)
		return wrong(p, "says %u bytes, and there are %u", h->length, len);
	if (sum_bytes(h, h->length))
		return wrong(p, "has a wrong checksum");
	if (h->width + 1 < WIDTH_MIN || h->width + 1 > WIDTH_MAX)
		return wrong(p, "has an address width of %u bits", h->width + 1);
	d->width = h->width + 1;
	d->intr_remap = h->flags & INTR_REMAP;
	d->x2apic_opt_out = h->flags & X2APIC_OPT_OUT;
	d->dma_opt_in = h->flags & DMA_OPT_IN;
	p->end = sizeof(*h);
	return true;
}

bool dmar_parse(const void *table, u32 len, struct dmar *out, char *err, u32 err_len)
{
	struct parser p = { table, out, err, err_len, "head", 0, 0 };

	memset(out, 0, sizeof(*out));
	if (!read_head(&p, len))
		return false;
	len = ((const struct head *)table)->length;
	while (p.end < len) {
		p.at = p.end;
		if (!read_structure(&p, len))
			return false;
	}
	return true;
}
