// SPDX-License-Identifier: GPL-2.0-only
/* Reader of RSDP, XSDT, MADT and FADT. Pure: sees memory through a callback. */
#include "acpi.h"
#include "lib/printf.h"
#include "lib/bytes.h"
#include "lib/string.h"

/* RSDP (ACPI 6.5, 5.2.5.3) */
struct rsdp {
	char sig[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 checksum_all;
	u8 reserved[3];
} __packed;
static_assert(sizeof(struct rsdp) == 36, "specification");
#define RSDP_V1_LEN	20

/* Header of every table (5.2.6) */
struct header {
	char sig[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem[6];
	char oem_table[8];
	u32 oem_revision;
	u32 creator;
	u32 creator_revision;
} __packed;
static_assert(sizeof(struct header) == 36, "specification");

#define TABLE_MAX	(16u << 20)

/* MADT (5.2.12): header, local APIC address, flags, then entries */
#define MADT_LAPIC_ADDR	36
#define MADT_ENTRIES	44
#define MADT_LAPIC	0
#define MADT_IOAPIC	1
#define MADT_ISO	2
#define MADT_LAPIC_NMI	4
#define MADT_ADDR64	5
#define MADT_X2APIC	9
#define MADT_X2_NMI	10
#define MADT_WAKEUP	16
#define MADT_ENABLED	1u

/* FADT (5.2.9) */
#define FADT_DSDT	40
#define FADT_PM1A_CNT	64
#define FADT_PM1B_CNT	68
#define FADT_PM_TMR	76
#define FADT_PM_TMR_LEN	91
#define FADT_FLAGS	112
#define FADT_RESET_REG	116
#define FADT_RESET_VAL	128
#define FADT_X_DSDT	140
#define FADT_X_PM1A_CNT	172
#define FADT_X_PM1B_CNT	184
#define FADT_X_PM_TMR	208
#define FADT_SLEEP_CONTROL	244
#define FADT_TMR_VAL_EXT	BIT(8)
#define FADT_RESET_SUP		BIT(10)
#define FADT_REDUCED		BIT(20)
/* Generic address (5.2.3.2): space, width, offset, access size, address */
#define GAS_ADDR	4
#define GAS_LEN		12
#define SPACE_IO	1

struct parser {
	acpi_map_fn map;
	struct acpi_info *info;
	char *err;
	u32 err_len;
	bool madt, fadt;	/* it was there */
};

#define torn(p, ...) (bp_snprintf((p)->err, (p)->err_len, __VA_ARGS__), false)

u32 acpi_check_rsdp(const void *p, u32 len)
{
	struct rsdp r;

	if (len < RSDP_V1_LEN || memcmp(p, "RSD PTR ", 8) || sum_bytes(p, RSDP_V1_LEN))
		return 0;
	memset(&r, 0, sizeof(r));
	memcpy(&r, p, min(len, (u32)sizeof(r)));
	if (r.revision < 2)
		return RSDP_V1_LEN;
	if (len < sizeof(r) || r.length < sizeof(r) || sum_bytes(p, sizeof(r)))
		return 0;
	return sizeof(r);
}

/* The whole table at @pa, its length checked but not its sum; NULL: torn. */
static const struct header *map_table(struct parser *p, hpa_t pa)
{
	const struct header *h = pa ? p->map(pa, sizeof(*h)) : NULL;
	u32 len = h ? h->length : 0;

	if (len < sizeof(*h) || len > TABLE_MAX)
		return NULL;
	return p->map(pa, len);
}

static bool checked(struct parser *p, const struct header *h, hpa_t pa, const char *name)
{
	if (!h)
		return torn(p, "%s at 0x%llx cannot be read or has no sane length", name, pa);
	if (memcmp(h->sig, name, 4))
		return torn(p, "no %s at 0x%llx", name, pa);
	if (sum_bytes(h, h->length) && p->info->nr_bad_sums < ARRAY_SIZE(p->info->bad_sum))
		p->info->bad_sum[p->info->nr_bad_sums++] = name;
	return true;
}

static void add_cpu(struct acpi_info *info, u32 apic_id, u32 uid, u32 flags)
{
	u32 i;

	if (!(flags & MADT_ENABLED)) {
		info->nr_cpus_disabled++;
		return;
	}
	for (i = 0; i < info->nr_cpus; i++)
		if (info->cpu[i].apic_id == apic_id)
			return;		/* listed as type 0 and as type 9 */
	if (info->nr_cpus == ACPI_MAX_CPUS)
		info->nr_cpus_dropped++;
	else
		info->cpu[info->nr_cpus++] = (struct acpi_cpu){ apic_id, uid };
}

static void add_nmi(struct acpi_info *info, u32 uid, u16 flags, u8 lint)
{
	if (info->nr_nmis < ACPI_MAX_NMIS)
		info->nmi[info->nr_nmis++] = (struct acpi_nmi){ uid, flags, lint };
}

/* Smallest length of each MADT entry that is read. */
static u8 madt_entry_min(u8 type)
{
	static const u8 len[] = {
		[MADT_LAPIC] = 8, [MADT_IOAPIC] = 12, [MADT_ISO] = 10,
		[MADT_LAPIC_NMI] = 6, [MADT_ADDR64] = 12, [MADT_X2APIC] = 16,
		[MADT_X2_NMI] = 12,
	};

	return type < ARRAY_SIZE(len) && len[type] ? len[type] : 2;
}

static bool madt_entry(struct parser *p, const u8 *e)
{
	struct acpi_info *info = p->info;

	switch (e[0]) {
	case MADT_LAPIC:
		if (e[3] != 0xff)	/* the broadcast ID: no CPU */
			add_cpu(info, e[3], e[2], get32(e, 4));
		break;
	case MADT_X2APIC:
		if (get32(e, 4) != 0xffffffff)
			add_cpu(info, get32(e, 4), get32(e, 12), get32(e, 8));
		break;
	case MADT_IOAPIC:
		if (info->nr_ioapics == ACPI_MAX_IOAPICS)
			return torn(p, "MADT has more than %u I/O APICs", ACPI_MAX_IOAPICS);
		info->ioapic[info->nr_ioapics++] =
			(struct acpi_ioapic){ e[2], get32(e, 8), get32(e, 4) };
		break;
	case MADT_ISO:
		if (info->nr_isos < ACPI_MAX_ISOS)
			info->iso[info->nr_isos++] =
				(struct acpi_iso){ e[3], get16(e, 8), get32(e, 4) };
		break;
	case MADT_LAPIC_NMI:
		add_nmi(info, e[2] == 0xff ? 0xffffffff : e[2], get16(e, 3), e[5]);
		break;
	case MADT_X2_NMI:
		add_nmi(info, get32(e, 4), get16(e, 2), e[8]);
		break;
	case MADT_ADDR64:
		info->lapic_addr = get64(e, 4);
		break;
	case MADT_WAKEUP:
		info->wakeup_mailbox = true;
		break;
	}
	return true;
}

static bool parse_madt(struct parser *p, const struct header *h)
{
	const u8 *m = (const u8 *)h;
	u32 off, left;

	if (h->length < MADT_ENTRIES)
		return torn(p, "MADT is too short (%u bytes)", h->length);
	p->info->lapic_addr = get32(m, MADT_LAPIC_ADDR);
	for (off = MADT_ENTRIES; off + 2 <= h->length; off += m[off + 1]) {
		left = h->length - off;
		if (m[off + 1] < madt_entry_min(m[off]) || m[off + 1] > left)
			p->info->madt_torn = off;
		else if (!madt_entry(p, m + off))
			return false;
		if (m[off + 1] < 2)
			break;
	}
	if (!p->info->nr_cpus)
		return torn(p, "MADT lists no enabled CPU");
	return true;
}

static void list_table(struct acpi_info *info, const struct header *h, hpa_t pa)
{
	struct acpi_table *t;

	if (info->nr_tables == ACPI_MAX_TABLES) {
		info->nr_tables_dropped++;
		return;
	}
	t = &info->table[info->nr_tables++];
	memcpy(t->sig, h->sig, 4);
	t->sig[4] = 0;
	t->addr = pa;
	t->len = h->length;
}

static void add_sleep_reg(struct acpi_info *info, u8 space, u64 addr, bool b)
{
	struct acpi_sleep_reg *r;

	for (r = info->sleep_reg; r < info->sleep_reg + info->nr_sleep_regs; r++)
		if (r->space == space && r->addr == addr)
			return;
	info->sleep_reg[info->nr_sleep_regs++] = (struct acpi_sleep_reg){ space, b, addr };
}

/* PM1 control is two bytes. Both forms of it count, even if they are not the same. */
static void find_sleep_regs(struct acpi_info *info, const struct header *h)
{
	static const struct {
		u16 at;
		bool gas, pm1, b;
	} where[ACPI_MAX_SLEEP_REGS] = {
		{ FADT_PM1A_CNT, .pm1 = true },
		{ FADT_PM1B_CNT, .pm1 = true, .b = true },
		{ FADT_X_PM1A_CNT, .gas = true, .pm1 = true },
		{ FADT_X_PM1B_CNT, .gas = true, .pm1 = true, .b = true },
		{ FADT_SLEEP_CONTROL, .gas = true },
	};
	const u8 *field;
	u64 addr;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(where) && where[i].at + (u32)GAS_LEN <= h->length; i++) {
		if (info->reduced && where[i].pm1)
			continue;
		field = (const u8 *)h + where[i].at;
		addr = where[i].gas ? get64(field, GAS_ADDR) : get32(field, 0);
		if (addr)
			add_sleep_reg(info, where[i].gas ? *field : SPACE_IO,
				      addr + where[i].pm1, where[i].b);
	}
}

static void find_dsdt(struct parser *p, hpa_t pa)
{
	const struct acpi_table *known = acpi_find(p->info, "DSDT");
	const struct header *h = map_table(p, pa);

	if (h && !memcmp(h->sig, "DSDT", 4) && !(known && known->addr == pa))
		list_table(p->info, h, pa);
}

/* A port; the long form counts where the short one is empty. */
static u16 find_pm_timer(const struct header *h)
{
	const u8 *gas = (const u8 *)h + FADT_X_PM_TMR;

	if (((const u8 *)h)[FADT_PM_TMR_LEN] == 4 && get32(h, FADT_PM_TMR))
		return (u16)get32(h, FADT_PM_TMR);
	if (h->length < FADT_X_PM_TMR + GAS_LEN || *gas != SPACE_IO)
		return 0;
	return (u16)get64(gas, GAS_ADDR);
}

static bool parse_fadt(struct parser *p, const struct header *h)
{
	struct acpi_info *info = p->info;
	u32 flags;

	if (h->length < FADT_FLAGS + 4)
		return torn(p, "FACP is too short (%u bytes)", h->length);
	flags = get32(h, FADT_FLAGS);
	info->reduced = flags & FADT_REDUCED;
	info->pm_timer = info->reduced ? 0 : find_pm_timer(h);
	info->pm_timer_32bit = flags & FADT_TMR_VAL_EXT;
	find_sleep_regs(info, h);
	find_dsdt(p, get32(h, FADT_DSDT));
	if (h->length >= FADT_X_DSDT + 8)
		find_dsdt(p, get64(h, FADT_X_DSDT));
	if ((flags & FADT_RESET_SUP) && h->length > FADT_RESET_VAL) {
		info->reset.space = ((const u8 *)h)[FADT_RESET_REG];
		info->reset.addr = get64(h, FADT_RESET_REG + GAS_ADDR);
		info->reset.value = ((const u8 *)h)[FADT_RESET_VAL];
	}
	return true;
}

/*
 * One entry of the XSDT. Tables that we do not use may be what they like; of MADTs and FADTs
 * the first counts.
 */
static bool parse_table(struct parser *p, hpa_t pa)
{
	const struct header *h = map_table(p, pa);
	const struct header *head = pa ? p->map(pa, sizeof(*head)) : NULL;
	bool madt, fadt;

	if (!head)
		return true;
	madt = !memcmp(head->sig, "APIC", 4);
	fadt = !memcmp(head->sig, "FACP", 4);
	if ((madt && p->madt) || (fadt && p->fadt))
		return true;
	p->madt |= madt;
	p->fadt |= fadt;
	if (h)
		list_table(p->info, h, pa);
	if (madt)
		return checked(p, h, pa, "APIC") && parse_madt(p, h);
	if (fadt)
		return checked(p, h, pa, "FACP") && parse_fadt(p, h);
	return true;
}

static bool parse_root(struct parser *p, hpa_t pa, const char *name, u32 entry)
{
	const struct header *h = map_table(p, pa);
	u32 off;
	hpa_t table;

	if (!checked(p, h, pa, name))
		return false;
	for (off = sizeof(*h); off + entry <= h->length; off += entry) {
		table = entry == 8 ? get64(h, off) : get32(h, off);
		if (!parse_table(p, table))
			return false;
	}
	if (!p->madt)
		return torn(p, "there is no MADT in %s", name);
	return true;
}

bool acpi_parse(const void *rsdp, acpi_map_fn map, struct acpi_info *info,
		char *err, u32 err_len)
{
	struct parser p = { .map = map, .info = info, .err = err, .err_len = err_len };
	struct rsdp r;

	memset(info, 0, sizeof(*info));
	info->reset.space = 0xff;
	memset(&r, 0, sizeof(r));
	memcpy(&r, rsdp, RSDP_V1_LEN);
	if (r.revision >= 2)
		memcpy(&r, rsdp, sizeof(r));
	if (r.xsdt)
		return parse_root(&p, r.xsdt, "XSDT", 8);
	return parse_root(&p, r.rsdt, "RSDT", 4);
}

const struct acpi_table *acpi_find(const struct acpi_info *info, const char *sig)
{
	u32 i;

	for (i = 0; i < info->nr_tables; i++)
		if (!strncmp(info->table[i].sig, sig, 4))
			return &info->table[i];
	return NULL;
}
