// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of firmware's tables (acpi.c), which may be torn.
 *
 * Proved: no byte outside a table is read, nothing outside struct acpi_info is written,
 * lists do not grow beyond what fits, and each walk ends.
 *
 * Bounds: an RSDP of up to 40 bytes. Each entry of a MADT by itself, of up to 24 bytes (what is read of one are
 * 16), into lists that any number of entries have filled; a walk through a MADT with 6
 * bytes of entries. A FADT of up to 276 bytes. Lists of two instead of 1024 CPUs, 128 I/O APICs and so on.
 * An XSDT or RSDT of up to 64 bytes, for the walk from entry to entry.
 * Assumed: map() gives as many bytes as it was asked for, or NULL; the length in a table is
 * the same at its second look: it is firmware's memory, which nobody writes then.
 * Not seen: the text of errors (bp_snprintf()), and which tables of an XSDT are looked into (parse_table()).
 */
#include "stand_in.h"

#include "acpi.h"
#undef ACPI_MAX_CPUS
#undef ACPI_MAX_IOAPICS
#undef ACPI_MAX_ISOS
#undef ACPI_MAX_NMIS
#undef ACPI_MAX_TABLES
#define ACPI_MAX_CPUS		2
#define ACPI_MAX_IOAPICS	2
#define ACPI_MAX_ISOS		2
#define ACPI_MAX_NMIS		2
#define ACPI_MAX_TABLES		2

#include "acpi.c"

// CFLAGS: -include plain_string.h

static struct acpi_info info;
struct acpi_info nondet_acpi_info(void);

static bool is_sane(void)
{
	return info.nr_cpus <= ACPI_MAX_CPUS && info.nr_ioapics <= ACPI_MAX_IOAPICS &&
	       info.nr_isos <= ACPI_MAX_ISOS && info.nr_nmis <= ACPI_MAX_NMIS &&
	       info.nr_tables <= ACPI_MAX_TABLES && info.nr_bad_sums <= ARRAY_SIZE(info.bad_sum) &&
	       info.nr_sleep_regs <= ACPI_MAX_SLEEP_REGS;
}

/* What is mapped: a DSDT or another table, of which only the header is looked at. */
static struct header other;

static const void *map(hpa_t pa __unused, u64 len)
{
	return len <= sizeof(other) && nondet_bool() ? &other : NULL;
}

static struct parser p = { .map = map, .info = &info };

// PROVE: acpi.rsdp prove_rsdp --unwind 41
// MUTANT: hv/core/machine/acpi.c
// - 	if (len < RSDP_V1_LEN ||
// + 	if (len < 8 ||
// MUTANT: hv/core/machine/acpi.c
// - 	if (len < sizeof(r) || r.length < sizeof(r) ||
// + 	if (r.length < sizeof(r) ||
void prove_rsdp(void)
{
	u8 room[40];
	u32 len = (u32)any_of(0, sizeof(room)), is;

	is = acpi_check_rsdp(tail_of(room, len), len);
	prove(is <= len && (is == 0 || is == 20 || is == 36));
}

// PROVE: acpi.madt_entry prove_madt_entry --max-field-sensitivity-array-size 2 --unwind 4
// MUTANT: hv/core/machine/acpi.c
// - [MADT_X2APIC] = 16,
// + [MADT_X2APIC] = 12,
// MUTANT: hv/core/machine/acpi.c
// - [MADT_LAPIC_NMI] = 6,
// + [MADT_LAPIC_NMI] = 5,
// MUTANT: hv/core/machine/acpi.c
// - 	if (info->nr_cpus == ACPI_MAX_CPUS)
// + 	if (info->nr_cpus > ACPI_MAX_CPUS)
// MUTANT: hv/core/machine/acpi.c
// - 		if (info->nr_ioapics == ACPI_MAX_IOAPICS)
// + 		if (info->nr_ioapics == ACPI_MAX_IOAPICS + 1)
// MUTANT: hv/core/machine/acpi.c
// - 		if (info->nr_isos < ACPI_MAX_ISOS)
// + 		if (info->nr_isos <= ACPI_MAX_ISOS)
void prove_madt_entry(void)
{
	u8 room[24], *e = tail_of(room, any_of(2, sizeof(room)));

	info = nondet_acpi_info();
	assume(is_sane());
	assume(e[1] == room + sizeof(room) - e && e[1] >= madt_entry_min(e[0]));
	madt_entry(&p, e);
	prove(is_sane());
}

// PROVE: acpi.madt prove_madt --max-field-sensitivity-array-size 2 --unwind 5
// MUTANT: hv/core/machine/acpi.c
// - off + 2 <= h->length; off
// + off + 1 <= h->length; off
// MUTANT: hv/core/machine/acpi.c
// - 		if (m[off + 1] < madt_entry_min(m[off]) || m[off + 1] > left)
// + 		if (m[off + 1] < madt_entry_min(m[off]))
// MUTANT: hv/core/machine/acpi.c
// - 		if (m[off + 1] < 2)
// + 		if (m[off + 1] > left)
// MUTANT: hv/core/machine/acpi.c
// - 	if (h->length < MADT_ENTRIES)
// + 	if (h->length < MADT_LAPIC_ADDR)
void prove_madt(void)
{
	u8 room[MADT_ENTRIES + 6];
	u32 len = (u32)any_of(sizeof(struct header), sizeof(room));
	const struct header *h = (const void *)tail_of(room, len);

	info.nr_cpus = info.nr_ioapics = info.nr_isos = info.nr_nmis = 0;
	assume(h->length == len);
	parse_madt(&p, h);
	prove(is_sane());
}

// PROVE: acpi.fadt prove_fadt --unwind 7
// MUTANT: hv/core/machine/acpi.c
// - 	if (h->length < FADT_FLAGS + 4)
// + 	if (h->length < FADT_FLAGS)
// MUTANT: hv/core/machine/acpi.c
// - 	if (h->length >= FADT_X_DSDT + 8)
// + 	if (h->length >= FADT_X_DSDT)
// MUTANT: hv/core/machine/acpi.c
// - 	if ((flags & FADT_RESET_SUP) && h->length > FADT_RESET_VAL) {
// + 	if (flags & FADT_RESET_SUP) {
// MUTANT: hv/core/machine/acpi.c
// - 	if (h->length < FADT_X_PM_TMR + GAS_LEN || *gas != SPACE_IO)
// + 	if (h->length < FADT_X_PM_TMR || *gas != SPACE_IO)
// MUTANT: hv/core/machine/acpi.c
// -  && where[i].at + (u32)GAS_LEN <= h->length; i++) {
// +  && where[i].at <= h->length; i++) {
// MUTANT: hv/core/machine/acpi.c
// - 	if (info->nr_tables == ACPI_MAX_TABLES) {
// + 	if (info->nr_tables > ACPI_MAX_TABLES) {
void prove_fadt(void)
{
	u8 room[276];
	u32 len = (u32)any_of(sizeof(struct header), sizeof(room));
	const struct header *h = (const void *)tail_of(room, len);

	if (nondet_bool())
		memcpy(other.sig, "DSDT", 4);
	other.length = nondet_u32();
	info.nr_tables = nondet_bool() ? ACPI_MAX_TABLES : 0;
	info.nr_sleep_regs = 0;
	assume(h->length == len);
	parse_fadt(&p, h);
	prove(is_sane());
}

/* ---- from table to table ---- */

#define LONGEST		64
static u8 room[LONGEST];	/* the one table that there is, at its end */
static u32 size, entries;
static bool madt_seen;

static const void *map_any(hpa_t pa __unused, u64 len)
{
	return len <= size && nondet_bool() ? tail_of(room, size) : NULL;
}

/* In place of sum_bytes(). */
u8 any_sum(const void *b, u32 len)
{
	prove(can_read(b, len));
	return nondet_u8();
}

/* In place of parse_table(). */
bool any_table(struct parser *q, hpa_t pa __unused)
{
	entries++;
	q->madt |= nondet_bool();
	madt_seen = q->madt;
	return nondet_bool();
}

/* From the RSDP through the XSDT or, where there is none, the RSDT. */
// PROVE: acpi.root prove_root --max-field-sensitivity-array-size 2 --unwind 9
// REPLACE: sum_bytes any_sum
// REPLACE: parse_table any_table
// MUTANT: hv/core/machine/acpi.c
// - off + entry <= h->length; off += entry) {
// + off + 4 <= h->length; off += entry) {
// MUTANT: hv/core/machine/acpi.c
// - 	for (off = sizeof(*h); off + entry
// + 	for (off = sizeof(*h) - entry; off + entry
// MUTANT: hv/core/machine/acpi.c
// - 	if (!checked(p, h, pa, name))
// - 		return false;
// + 	checked(p, h, pa, name);
// MUTANT: hv/core/machine/acpi.c
// - 	if (!p->madt)
// + 	if (p->fadt)
// MUTANT: hv/core/machine/acpi.c
// - 	if (r.revision >= 2)
// - 		memcpy
// + 	if (r.revision)
// + 		memcpy
void prove_root(void)
{
	u8 rsdp[36], *r = tail_of(rsdp, nondet_bool() ? sizeof(rsdp) : RSDP_V1_LEN);
	const struct header *h;
	u32 entry;

	assume((r == rsdp) == (r[15] >= 2));
	size = (u32)any_of(sizeof(*h), sizeof(room));
	h = (const void *)tail_of(room, size);
	__CPROVER_havoc_object(room);
	entry = r == rsdp && get64(r, 24) ? 8 : 4;
	if (!acpi_parse(r, map_any, &info, NULL, 0))
		return;
	prove(madt_seen && !memcmp(h->sig, entry == 8 ? "XSDT" : "RSDT", 4));
	prove(entries == (h->length - sizeof(*h)) / entry);
}
