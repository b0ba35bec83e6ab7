// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI from the RSDP on: tables made from the input, with lengths and sums that mostly fit, each
 * in memory of its own; sleeping states in AML; and the reader of CPUs that the tools have.
 */
// SOURCES: hv/core/machine/acpi.c hv/core/machine/aml_sleep.c hv/core/lib/printf.c tools/madt.c
#include "fuzz.h"

#include "hv/core/lib/bytes.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/machine/aml_sleep.h"
#include "tools/madt.h"

#define TABLES	8
#define HEADER	36
#define PA(i)	(0x1000ull * ((i) + 1))

static struct {
	u8 *mem;
	u32 len;
} table[TABLES];
static u32 nr;
static struct acpi_info info;
static char err[128];

static const void *map(hpa_t pa, u64 len)
{
	u64 i = pa / 0x1000 - 1;

	return !(pa % 0x1000) && i < nr && len <= table[i].len ? table[i].mem : NULL;
}

/* Where a table says that another one is: mostly at one of ours. */
static u64 some_address(struct input *in)
{
	u8 at = take8(in);

	return at < 240 ? PA(at % TABLES) : take64(in);
}

static void point_to_tables(u8 *t, u32 len, u32 entry, struct input *in)
{
	u32 off;

	for (off = HEADER; off + entry <= len; off += entry)
		put_at(t, len, off, some_address(in), entry);
}

static void add_table(struct input *in)
{
	static const char *const sig[] = { "XSDT", "RSDT", "APIC", "FACP", "DSDT", "SSDT", "MCFG", "SPCR" };
	u8 kind = take8(in), honest = take8(in);
	u32 len = HEADER + take16(in) % 600;
	u8 *t = take_copy(in, len);

	if (honest & 3)
		memcpy(t, sig[kind % 8], 4);
	if (honest & 4)
		put_at(t, len, 4, len, 4);
	if (kind % 8 < 2 && (honest & 8))
		point_to_tables(t, len, kind % 8 ? 4 : 8, in);
	if (kind % 8 == 3 && (honest & 8)) {
		put_at(t, len, 40, some_address(in), 4);
		put_at(t, len, 140, some_address(in), 8);
	}
	if (honest & 16)
		fix_sum(t, len, 9);
	table[nr].mem = t;
	table[nr++].len = len;
}

static void check_info(void)
{
	u32 i, j;

	REQUIRE(info.nr_cpus && info.nr_cpus <= ACPI_MAX_CPUS);
	REQUIRE(info.nr_ioapics <= ACPI_MAX_IOAPICS && info.nr_isos <= ACPI_MAX_ISOS);
	REQUIRE(info.nr_nmis <= ACPI_MAX_NMIS && info.nr_tables <= ACPI_MAX_TABLES);
	REQUIRE(info.nr_sleep_regs <= ACPI_MAX_SLEEP_REGS && info.nr_bad_sums <= ARRAY_SIZE(info.bad_sum));
	for (i = 0; i < info.nr_cpus; i++)
		for (j = 0; j < i; j++)
			REQUIRE(info.cpu[i].apic_id != info.cpu[j].apic_id);
	for (i = 0; i < info.nr_tables; i++)
		REQUIRE(map(info.table[i].addr, info.table[i].len) && info.table[i].len >= HEADER);
}

static void parse_all(struct input *in)
{
	u8 rsdp[36];
	u8 how = take8(in);

	take_bytes(in, rsdp, sizeof(rsdp));
	memcpy(rsdp, "RSD PTR ", 8);
	put_at(rsdp, 36, 15, how & 1 ? 2 : 0, 1);
	put_at(rsdp, 36, 16, PA(how >> 2 & 3), 4);
	put_at(rsdp, 36, 20, 36, 4);
	put_at(rsdp, 36, 24, how & 2 ? PA(how >> 4 & 3) : 0, 8);
	fix_sum(rsdp, 20, 8);
	fix_sum(rsdp, 36, 32);
	REQUIRE(acpi_check_rsdp(rsdp, sizeof(rsdp)));
	memset(err, 0, sizeof(err));
	if (acpi_parse(rsdp, map, &info, err, sizeof(err)))
		check_info();
	else
		REQUIRE(*err);
}

static void hide_sleep(u8 *t, u32 len)
{
	struct aml_sleep_type s5 = { 0 };
	u8 sum = sum_bytes(t, len);

	(void)aml_hide_sleep(t, len, &s5);
	REQUIRE(sum_bytes(t, len) == sum);
	REQUIRE(!s5.known || (s5.a < 8 && s5.b < 8));
	REQUIRE(!(aml_hide_sleep(t, len, &s5) & 0x1e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u32 n = 1 + take8(&in) % TABLES, i;
	struct madt_cpus cpus;
	u8 *raw;

	if (size > 4096)
		return 0;
	raw = take_copy(&(struct input){ data, size }, size);
	(void)acpi_check_rsdp(raw, (u32)size);
	(void)madt_parse(raw, size, &cpus);
	free(raw);
	nr = 0;
	while (nr < n)
		add_table(&in);
	parse_all(&in);
	for (i = 0; i < nr; i++) {
		if (madt_parse(table[i].mem, table[i].len, &cpus))
			REQUIRE(cpus.enabled <= table[i].len);
		hide_sleep(table[i].mem, table[i].len);
		free(table[i].mem);
	}
	return 0;
}
