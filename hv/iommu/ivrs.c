// SPDX-License-Identifier: GPL-2.0-only
/* Reader of the IVRS: its blocks (IVHD, IVMD), and the device entries of an IVHD. */
#include "ivrs.h"
#include "ivrs_table.h"
#include "lib/bytes.h"
#include "lib/printf.h"
#include "lib/string.h"

#define IVHD_INFO_MSI		0x1f
#define REGS_ALIGN		0x4000ull
#define PA_END			BIT(52)

/* I/O Virtualization Memory Definition */
struct ivmd {
	struct ivrs_block b;
	u16 last;		/* type 22h */
	u16 segment;
	u8 reserved[6];
	u64 start;
	u64 length;
} __packed;
static_assert(sizeof(struct ivmd) == 32, "specification");
#define IVMD_ALL		0x20
#define IVMD_SELECT		0x21
#define IVMD_RANGE		0x22
#define IVMD_UNITY		BIT(0)
#define IVMD_READ		BIT(1)
#define IVMD_WRITE		BIT(2)
#define IVMD_EXCLUSION		BIT(3)

/* Device entry of an IVHD. The upper two bits of its type are its length. */
struct entry {
	u8 type;
	u16 id;
	u8 dte;
	u8 handle;		/* from here on: entries of 8 bytes */
	u16 source;
	u8 last;		/* special device: variety; extended: bits 31 to 24 */
} __packed;
static_assert(sizeof(struct entry) == 8, "specification");
#define ENTRY_PAD4		0x00
#define ENTRY_ALL		0x01
#define ENTRY_SELECT		0x02
#define ENTRY_START		0x03
#define ENTRY_END		0x04
#define ENTRY_PAD8		0x40
#define ENTRY_ALIAS		0x42
#define ENTRY_ALIAS_START	0x43
#define ENTRY_EXT		0x46
#define ENTRY_EXT_START		0x47
#define ENTRY_SPECIAL		0x48
#define ENTRY_HID		0xf0
#define ENTRY_VARIABLE		0xf0	/* and above */
#define EXT_NO_ATS		0x80
#define SPECIAL_IOAPIC		1
#define SPECIAL_HPET		2

/* Named device: 22 bytes (the names are of no use here), and a UID as long as byte 21 says */
#define HID_UID_LEN		21
#define HID_MIN			22

struct parser {
	const u8 *table;
	u32 len;
	struct ivrs *out;
	char *err;
	u32 err_len;
};

#define torn(p, ...) (bp_snprintf((p)->err, (p)->err_len, __VA_ARGS__), false)

static bool check_table(struct parser *p)
{
	const struct ivrs_table *t = (const void *)p->table;
	u32 avail = p->len;

	if (avail < sizeof(*t) || memcmp(t->sig, "IVRS", 4))
		return torn(p, "no signature and header at offset 0x0");
	if (t->length < sizeof(*t) || t->length > min(avail, IVRS_MAX_LEN))
		return torn(p, "length %u at offset 0x4 is not from %zu to %u", t->length,
			    sizeof(*t), min(avail, IVRS_MAX_LEN));
	p->len = t->length;
	if (sum_bytes(t, t->length))
		return torn(p, "checksum at offset 0x9 is wrong");
	p->out->info = t->info;
	return true;
}

static struct ivrs_unit *find_unit(struct ivrs *v, struct pci_id id)
{
	u32 i;

	for (i = 0; i < v->nr_units; i++)
		if (v->unit[i].id.segment == id.segment && v->unit[i].id.bdf == id.bdf)
			return &v->unit[i];
	return NULL;
}

static u32 ivhd_size(u8 type)
{
	return type == IVHD_10 ? offsetof(struct ivrs_ivhd, efr) : sizeof(struct ivrs_ivhd);
}

static void read_unit(struct parser *p, const struct ivrs_ivhd *h, u32 off, struct ivrs_unit *u)
{
	*u = (struct ivrs_unit){
		.id = { h->segment, h->b.id },
		.cap = h->cap,
		.type = h->b.type,
		.flags = h->b.flags,
		.msi = h->info & IVHD_INFO_MSI,
		.features = h->features,
		.regs = h->regs,
		.offset = off,
	};
	if (h->b.type == IVHD_10 || !(p->out->info & IVRS_EFR_SUP))
		return;
	u->has_efr = true;
	u->efr = h->efr;
	u->efr2 = h->efr2;
}

static bool parse_ivhd(struct parser *p, u32 off)
{
	const struct ivrs_ivhd *h = (const void *)(p->table + off);
	struct ivrs *v = p->out;
	struct ivrs_unit *u;

	if (h->b.length < ivhd_size(h->b.type))
		return torn(p, "IVHD at offset 0x%x is too short (%u bytes)", off, h->b.length);
	u = find_unit(v, (struct pci_id){ h->segment, h->b.id });
	if (u && u->type == h->b.type)
		return torn(p, "IVHD at offset 0x%x is for the same unit as that at 0x%x", off,
			    u->offset);
	if (u && u->type > h->b.type)
		return true;
	if (!u && v->nr_units == IVRS_MAX_UNITS)
		return torn(p, "IVHD at offset 0x%x is for one unit more than %u", off,
			    IVRS_MAX_UNITS);
	read_unit(p, h, off, u ? u : &v->unit[v->nr_units++]);
	return true;
}

static bool check_unit(struct parser *p, const struct ivrs_unit *u)
{
	const struct ivrs_unit *o;

	if (!u->regs || !IS_ALIGNED(u->regs, REGS_ALIGN) || u->regs >= PA_END)
		return torn(p, "IVHD at offset 0x%x has registers at 0x%llx", u->offset, u->regs);
	if (u->cap < 0x40 || u->cap > 0xfc || !IS_ALIGNED(u->cap, 4))
		return torn(p, "IVHD at offset 0x%x has its capability at 0x%x", u->offset, u->cap);
	for (o = p->out->unit; o < u; o++)
		if (o->regs == u->regs)
			return torn(p, "IVHD at offset 0x%x has the registers of that at 0x%x",
				    u->offset, o->offset);
	return true;
}

/* Which devices an IVMD is for. */
static void read_ivmd_devs(const struct ivmd *m, struct ivrs_region *r)
{
	r->segment = m->segment;
	r->first = m->b.type == IVMD_ALL ? 0 : m->b.id;
	r->last = m->b.type == IVMD_ALL ? 0xffff : m->b.type == IVMD_RANGE ? m->last : m->b.id;
}

static void read_ivmd_mem(const struct ivmd *m, struct ivrs_region *r)
{
	r->mem.start = m->start;
	r->mem.end = ALIGN_UP(m->start + m->length, PAGE_SIZE);
	r->exclusion = m->b.flags & IVMD_EXCLUSION;
	if (r->exclusion || (m->b.flags & IVMD_READ))
		r->mem.access |= IOMMU_READ;
	if (r->exclusion || (m->b.flags & IVMD_WRITE))
		r->mem.access |= IOMMU_WRITE;
}

static bool parse_ivmd(struct parser *p, u32 off)
{
	const struct ivmd *m = (const void *)(p->table + off);
	struct ivrs_region r = { 0 };

	if (m->b.length < sizeof(*m))
		return torn(p, "IVMD at offset 0x%x is too short (%u bytes)", off, m->b.length);
	if (!(m->b.flags & (IVMD_UNITY | IVMD_EXCLUSION)))
		return true;		/* asks for nothing */
	read_ivmd_devs(m, &r);
	if (r.first > r.last)
		return torn(p, "IVMD at offset 0x%x is for devices %04x to %04x", off, r.first,
			    r.last);
	if (!IS_ALIGNED(m->start, PAGE_SIZE) || m->start >= PA_END || !m->length ||
	    m->length > PA_END - m->start)
		return torn(p, "IVMD at offset 0x%x has 0x%llx bytes at 0x%llx", off, m->length,
			    m->start);
	if (p->out->nr_regions == IVRS_MAX_REGIONS)
		return torn(p, "IVMD at offset 0x%x is one more than %u", off, IVRS_MAX_REGIONS);
	read_ivmd_mem(m, &r);
	p->out->region[p->out->nr_regions++] = r;
	return true;
}

/* Units and memory. The devices come when it is known which IVHDs count. */
static bool parse_blocks(struct parser *p)
{
	const struct ivrs_block *b;
	u32 off, left;

	for (off = sizeof(struct ivrs_table); off < p->len; off += b->length) {
		b = (const void *)(p->table + off);
		left = p->len - off;
		if (left < sizeof(*b) || b->length < sizeof(*b) || b->length > left)
			return torn(p, "block at offset 0x%x is torn", off);
		switch (b->type) {
		case IVHD_10:
		case IVHD_11:
		case IVHD_40:
			if (!parse_ivhd(p, off))
				return false;
			break;
		case IVMD_ALL:
		case IVMD_SELECT:
		case IVMD_RANGE:
			if (!parse_ivmd(p, off))
				return false;
			break;
		default:
			p->out->nr_unknown++;
		}
	}
	return true;
}

/* The device entries of one unit. */
struct entries {
	struct parser *p;
	const struct ivrs_unit *u;
	u32 start;		/* offset of a range's start that waits for its end; 0: none */
	struct ivrs_devs range;	/* what it said */
};

static bool add_range(struct parser *p, u32 off, const struct ivrs_devs *d)
{
	if (!ivrs_add_devs(p->out, d))
		return torn(p, "device entry at offset 0x%x makes more than %u ranges", off,
			    IVRS_MAX_DEVS);
	return true;
}

/* A device that others' requests bear the ID of is behind the unit too. */
static bool add_devs(struct parser *p, u32 off, const struct ivrs_devs *d)
{
	struct ivrs_devs target = *d;

	if (!add_range(p, off, d))
		return false;
	if (!d->aliased)
		return true;
	target.first = target.last = d->alias;
	target.aliased = false;
	target.alias = 0;
	return add_range(p, off, &target);
}

static bool end_range(struct entries *s, u32 off, u16 last)
{
	struct ivrs_devs *d = &s->range;

	if (!s->start)
		return torn(s->p, "device entry at offset 0x%x ends a range without a start", off);
	if (last < d->first)
		return torn(s->p, "device range at offset 0x%x is from %04x to %04x", s->start,
			    d->first, last);
	s->start = 0;
	d->last = last;
	return add_devs(s->p, off, d);
}

static bool add_source(struct parser *p, u32 off, const struct iommu_source *new)
{
	const struct iommu_source *old = iommu_source_find(p->out->source,
							 p->out->nr_sources, new->kind, new->id);

	if (old && old->dev.segment == new->dev.segment && old->dev.bdf == new->dev.bdf)
		return true;
	if (old)
		return torn(p, "device entry at offset 0x%x says that %s %u is " PCI_FMT
			    ", not " PCI_FMT, off, new->kind == IOMMU_HPET ? "HPET" : "I/O APIC",
			    new->id, PCI_ARGS(new->dev), PCI_ARGS(old->dev));
	if (p->out->nr_sources == IVRS_MAX_SOURCES)
		return torn(p, "device entry at offset 0x%x is for one source more than %u", off,
			    IVRS_MAX_SOURCES);
	p->out->source[p->out->nr_sources++] = *new;
	return true;
}

static bool parse_special(struct entries *s, u32 off, const struct entry *e)
{
	const struct iommu_source source = {
		.kind = e->last == SPECIAL_HPET ? IOMMU_HPET : IOMMU_IOAPIC,
		.id = e->handle,
		.unit = (u16)(s->u - s->p->out->unit),
		.dev = { s->u->id.segment, e->source },
	};

	if (e->last != SPECIAL_IOAPIC && e->last != SPECIAL_HPET) {
		s->p->out->nr_unknown++;
		return true;
	}
	return add_source(s->p, off, &source);
}

static bool parse_entry(struct entries *s, u32 off)
{
	const struct entry *e = (const void *)(s->p->table + off);
	struct ivrs_devs d = {
		.segment = s->u->id.segment,
		.first = e->id,
		.last = e->id,
		.dte = e->dte,
		.units = BIT(s->u - s->p->out->unit),
	};

	if (s->start && e->type != ENTRY_END)
		return torn(s->p, "device range at offset 0x%x has no end", s->start);
	switch (e->type) {
	case ENTRY_PAD4:
	case ENTRY_PAD8:
		return true;
	case ENTRY_END:
		return end_range(s, off, e->id);
	case ENTRY_ALL:
		d.first = 0;
		d.last = 0xffff;
		break;
	case ENTRY_SELECT:
	case ENTRY_START:
	case ENTRY_HID:
		break;
	case ENTRY_ALIAS:
	case ENTRY_ALIAS_START:
		d.aliased = true;
		d.alias = e->source;
		break;
	case ENTRY_EXT:
	case ENTRY_EXT_START:
		d.no_ats = e->last & EXT_NO_ATS;
		break;
	case ENTRY_SPECIAL:
		d.first = d.last = e->source;
		if (!parse_special(s, off, e))
			return false;
		break;
	default:
		s->p->out->nr_unknown++;
		return true;
	}
	if (e->type != ENTRY_START && e->type != ENTRY_ALIAS_START && e->type != ENTRY_EXT_START)
		return add_devs(s->p, off, &d);
	s->range = d;
	s->start = off;
	return true;
}

/* Length of the entry at @e, of which @left bytes can be read; 0: it has none. */
static u32 entry_len(const u8 *e, u32 left, u8 ivhd_type)
{
	if (e[0] < ENTRY_VARIABLE)
		return 4u << (e[0] >> 6);
	if (e[0] == ENTRY_HID && ivhd_type == IVHD_40 && left >= HID_MIN)
		return HID_MIN + e[HID_UID_LEN];
	return 0;
}

static bool parse_devices(struct parser *p, const struct ivrs_unit *u)
{
	const struct ivrs_block *b = (const void *)(p->table + u->offset);
	struct entries s = { .p = p, .u = u };
	u32 off, len, end = u->offset + b->length;

	for (off = u->offset + ivhd_size(u->type); off < end; off += len) {
		len = entry_len(p->table + off, end - off, u->type);
		if (!len || len > end - off)
			return torn(p, "device entry at offset 0x%x is torn", off);
		if (!parse_entry(&s, off))
			return false;
	}
	if (s.start)
		return torn(p, "device range at offset 0x%x has no end", s.start);
	return true;
}

bool ivrs_parse(const void *table, u32 len, struct ivrs *out, char *err, u32 err_len)
{
	struct parser p = { table, len, out, err, err_len };
	u32 i;

	memset(out, 0, sizeof(*out));
	if (!check_table(&p) || !parse_blocks(&p))
		return false;
	if (!out->nr_units)
		return torn(&p, "no IVHD from offset 0x%zx on", sizeof(struct ivrs_table));
	for (i = 0; i < out->nr_units; i++)
		if (!check_unit(&p, &out->unit[i]) || !parse_devices(&p, &out->unit[i]))
			return false;
	return true;
}
