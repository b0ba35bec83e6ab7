// SPDX-License-Identifier: GPL-2.0-only
/* ACPI tables, whole and torn. */
// SOURCES: hv/core/machine/acpi.c hv/core/lib/printf.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/core/machine/acpi.h"
#include "hv/core/lib/string.h"

#define PA_XSDT	0x1000
#define PA_MADT	0x2000
#define PA_FADT	0x3000
#define PA_SSDT	0x4000
#define PA_DSDT	0x5000
#define PA_XDSDT	0x6000

/* Each table is its own allocation, so that reading past it is caught. */
static struct {
	hpa_t pa;
	u8 *mem;
	u32 len;
} mem[10];
static u32 nr_mem;
static struct acpi_info info;
static char err[128];
static u8 rsdp[36];

static const void *map(hpa_t pa, u64 len)
{
	u32 i;

	for (i = 0; i < nr_mem; i++)
		if (mem[i].pa == pa && len <= mem[i].len)
			return mem[i].mem;
	return NULL;
}

static void fix_sum(u8 *t, u32 len, u32 at)
{
	u8 s = 0;
	u32 i;

	t[at] = 0;
	for (i = 0; i < len; i++)
		s += t[i];
	t[at] = (u8)-s;
}

static u8 *add_table(hpa_t pa, const char *sig, const void *body, u32 len)
{
	u32 total = 36 + len;
	u8 *t = calloc(1, total);

	memcpy(t, sig, 4);
	memcpy(t + 4, &total, 4);
	if (len)
		memcpy(t + 36, body, len);
	fix_sum(t, total, 9);
	mem[nr_mem].pa = pa;
	mem[nr_mem].mem = t;
	mem[nr_mem++].len = total;
	return t;
}

static const u8 madt_body[] = {
	0, 0, 0xe0, 0xfe, 1, 0, 0, 0,
	0, 8, 0, 0, 1, 0, 0, 0,				/* CPU 0 */
	0, 8, 1, 1, 1, 0, 0, 0,				/* CPU 1 */
	0, 8, 2, 2, 0, 0, 0, 0,				/* disabled */
	9, 16, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,	/* CPU 1 again */
	9, 16, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0,	/* CPU 0x200 */
	1, 12, 3, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,	/* I/O APIC */
	2, 10, 0, 0, 2, 0, 0, 0, 0, 0,			/* IRQ 0 = GSI 2 */
	4, 6, 0xff, 0, 0, 1,				/* NMI: LINT1 of all */
};

static u8 *fadt_body(void)
{
	static u8 f[244 - 36];

	memset(f, 0, sizeof(f));
	memcpy(f + 76 - 36, &(u32){ 0x608 }, 4);
	memcpy(f + 64 - 36, &(u32){ 0x604 }, 4);
	f[91 - 36] = 4;
	memcpy(f + 112 - 36, &(u32){ 1 << 8 | 1 << 10 }, 4);
	f[116 - 36] = 1;
	memcpy(f + 120 - 36, &(u64){ 0xcf9 }, 8);
	f[128 - 36] = 0xf;
	return f;
}

static void make_rsdp(void)
{
	memset(rsdp, 0, sizeof(rsdp));
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = 2;
	rsdp[20] = 36;
	memcpy(rsdp + 24, &(u64){ PA_XSDT }, 8);
	fix_sum(rsdp, 20, 8);
	fix_sum(rsdp, 36, 32);
}

static int make_all(void **state __unused)
{
	const u64 entries[] = { PA_FADT, PA_SSDT, PA_MADT };

	make_rsdp();
	add_table(PA_XSDT, "XSDT", entries, sizeof(entries));
	add_table(PA_MADT, "APIC", madt_body, sizeof(madt_body));
	add_table(PA_FADT, "FACP", fadt_body(), 244 - 36);
	add_table(PA_SSDT, "SSDT", "xyz", 3);
	err[0] = 0;
	return 0;
}

static int free_all(void **state __unused)
{
	while (nr_mem)
		free(mem[--nr_mem].mem);
	return 0;
}

static u8 *table(hpa_t pa)
{
	return (u8 *)map(pa, 1);
}

static void refused(const char *why)
{
	assert_false(acpi_parse(rsdp, map, &info, err, sizeof(err)));
	assert_non_null(strstr(err, why));
	assert_null(strchr(err, '\n'));
}

static void reads_whole_tables(void **state __unused)
{
	assert_int_equal(acpi_check_rsdp(rsdp, sizeof(rsdp)), 36);
	assert_true(acpi_parse(rsdp, map, &info, err, sizeof(err)));
	assert_int_equal(info.nr_cpus, 3);
	assert_int_equal(info.nr_cpus_disabled, 1);
	assert_int_equal(info.cpu[1].apic_id, 1);
	assert_int_equal(info.cpu[2].apic_id, 0x200);
	assert_int_equal(info.cpu[2].uid, 7);
	assert_int_equal(info.lapic_addr, 0xfee00000);
	assert_int_equal(info.nr_ioapics, 1);
	assert_int_equal(info.ioapic[0].addr, 0xfec00000);
	assert_int_equal(info.iso[0].gsi, 2);
	assert_int_equal(info.nmi[0].uid, 0xffffffff);
	assert_int_equal(info.nmi[0].lint, 1);
	assert_int_equal(info.pm_timer, 0x608);
	assert_true(info.pm_timer_32bit);
	assert_int_equal(info.reset.space, 1);
	assert_int_equal(info.reset.addr, 0xcf9);
	assert_int_equal(info.reset.value, 0xf);
	assert_int_equal(acpi_find(&info, "SSDT")->len, 39);
	assert_null(acpi_find(&info, "MCFG"));
}

static void checks_the_rsdp(void **state __unused)
{
	u32 len;

	for (len = 0; len < 36; len++)
		assert_int_equal(acpi_check_rsdp(rsdp, len), 0);
	rsdp[30] ^= 1;
	assert_int_equal(acpi_check_rsdp(rsdp, 36), 0);
	make_rsdp();
	rsdp[9] ^= 1;
	assert_int_equal(acpi_check_rsdp(rsdp, 36), 0);
	make_rsdp();
	rsdp[15] = 0;
	fix_sum(rsdp, 20, 8);
	assert_int_equal(acpi_check_rsdp(rsdp, 20), 20);
}

static bool parses(void)
{
	return acpi_parse(rsdp, map, &info, err, sizeof(err));
}

/* As Linux does: used, and said. */
static void takes_wrong_checksums(void **state __unused)
{
	table(PA_MADT)[50] ^= 4;
	assert_true(parses());
	assert_int_equal(info.nr_bad_sums, 1);
	assert_string_equal(info.bad_sum[0], "APIC");
	table(PA_FADT)[200] ^= 4;
	table(PA_XSDT)[9] ^= 4;
	/* A table that nobody reads may be wrong. */
	table(PA_SSDT)[37] ^= 4;
	assert_true(parses());
	assert_int_equal(info.nr_bad_sums, 3);
	assert_string_equal(info.bad_sum[0], "XSDT");
}

static void refuses_wrong_lengths(void **state __unused)
{
	u32 len;

	memcpy(&len, table(PA_MADT) + 4, 4);
	memcpy(table(PA_MADT) + 4, &(u32){ 35 }, 4);
	refused("APIC");
	memcpy(table(PA_MADT) + 4, &(u32){ 0xffffffff }, 4);
	refused("APIC");
	memcpy(table(PA_MADT) + 4, &(u32){ len + 1 }, 4);
	refused("APIC");
	/* The last entry is cut: all others count. */
	memcpy(table(PA_MADT) + 4, &(u32){ len - 3 }, 4);
	assert_true(parses());
	assert_int_equal(info.nr_cpus, 3);
	assert_int_equal(info.nr_nmis, 0);
	assert_int_equal(info.madt_torn, len - 6);
	/* An odd byte at the end is nothing. */
	memcpy(table(PA_MADT) + 4, &(u32){ len - 5 }, 4);
	assert_true(parses());
	assert_int_equal(info.madt_torn, 0);
}

/* What can be passed over is; behind an entry without length nothing can be read. */
static void passes_over_torn_entries(void **state __unused)
{
	u8 *m = table(PA_MADT);

	m[45 + 8] = 7;		/* too short for what it is: the next begins within it */
	assert_true(parses());
	assert_int_equal(info.madt_torn, 59);
	assert_int_equal(info.cpu[0].apic_id, 0);
	m[45 + 8] = 0;
	assert_true(parses());
	assert_int_equal(info.nr_cpus, 1);
	assert_int_equal(info.madt_torn, 52);
	m[45 + 8] = 255;
	assert_true(parses());
	assert_int_equal(info.nr_cpus, 1);
	m[45] = 0;
	refused("no enabled CPU");
}

/* A new MADT of @len bytes behind the header. */
static u8 *new_madt(const void *body, u32 len)
{
	free(mem[1].mem);
	mem[1].mem = NULL;
	nr_mem--;
	mem[1] = mem[nr_mem];		/* the SSDT; its place is free now */
	return add_table(PA_MADT, "APIC", body, len);
}

/*
 * Two sockets of 192 threads, as real firmware lists them: x2APIC entries from 255 on, IDs of
 * the second socket far from the first's, hundreds of empty places with the broadcast ID.
 */
static void hundreds_of_cpus(void **state __unused)
{
	static u8 body[8 + 3000 * 16] = { 0, 0, 0xe0, 0xfe, 1 };
	u8 *e = body + 8;
	u32 i, id;

	for (i = 0; i < 384; i++, e += 16) {
		id = i < 192 ? i : 0x200 + i - 192;
		memcpy(e, (u32[]){ 0x1009, id, 1, i }, 16);
	}
	for (i = 0; i < 640; i++, e += 16)
		memcpy(e, (u32[]){ 0x1009, 0xffffffff, 0, i }, 16);
	for (i = 0; i < 192; i++, e += 8)	/* the first socket's again, as type 0 */
		memcpy(e, (u8[]){ 0, 8, (u8)i, (u8)i, 1, 0, 0, 0 }, 8);
	/* Online capable: may be plugged in, is not there. */
	memcpy(e, (u32[]){ 0x1009, 0x300, 2, 7 }, 16);
	e += 16;
	memcpy(e, (u8[]){ 16, 16, 1, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0 }, 16);
	e += 16;
	new_madt(body, (u32)(e - body));
	assert_true(parses());
	assert_int_equal(info.nr_cpus, 384);
	assert_int_equal(info.cpu[383].apic_id, 0x2bf);
	assert_int_equal(info.cpu[383].uid, 383);
	assert_int_equal(info.nr_cpus_disabled, 1);
	assert_int_equal(info.nr_cpus_dropped, 0);
	assert_true(info.wakeup_mailbox);
	assert_int_equal(info.madt_torn, 0);
	free(mem[--nr_mem].mem);
	for (i = 0; i < 1100; i++)
		memcpy(body + 8 + i * 16, (u32[]){ 0x1009, i, 1, i }, 16);
	add_table(PA_MADT, "APIC", body, 8 + 1100 * 16);
	assert_true(parses());
	assert_int_equal(info.nr_cpus, ACPI_MAX_CPUS);
	assert_int_equal(info.nr_cpus_dropped, 1100 - ACPI_MAX_CPUS);
}

/* ACPI 1.0: an RSDP of 20 bytes, an RSDT, a FADT of 116 bytes. */
static void old_tables(void **state __unused)
{
	const u32 entries[] = { PA_FADT, 0, 0xfffff000, PA_MADT };

	rsdp[15] = 0;
	memcpy(rsdp + 16, &(u32){ 0x7000 }, 4);
	memset(rsdp + 20, 0xff, 16);
	add_table(0x7000, "RSDT", entries, sizeof(entries));
	memcpy(table(PA_FADT) + 4, &(u32){ 116 }, 4);
	assert_true(parses());
	assert_int_equal(info.nr_cpus, 3);
	assert_int_equal(info.pm_timer, 0x608);
	assert_int_equal(info.nr_sleep_regs, 1);
	assert_int_equal(info.reset.space, 0xff);
}

static void wants_a_madt_with_cpus(void **state __unused)
{
	u8 *m = table(PA_MADT), *x = table(PA_XSDT);

	memcpy(m, "CIPA", 4);
	refused("no MADT");
	memcpy(m, "APIC", 4);
	memcpy(m + 4, &(u32){ 44 }, 4);
	fix_sum(m, 44, 9);
	refused("no enabled CPU");
	memcpy(x, "RSDT", 4);
	refused("no XSDT at 0x1000");
}

static void set32(u32 at, u32 val)
{
	memcpy(table(PA_FADT) + at, &val, 4);
}

static void set_gas(u32 at, u8 space, u64 addr)
{
	table(PA_FADT)[at] = space;
	memcpy(table(PA_FADT) + at + 4, &addr, 8);
}

static void parse_fadt_of(u32 len)
{
	set32(4, len);
	fix_sum(table(PA_FADT), len, 9);
	assert_true(acpi_parse(rsdp, map, &info, err, sizeof(err)));
}

/* Both forms of PM1 control, as far as the table goes. */
static void finds_sleep_registers(void **state __unused)
{
	parse_fadt_of(244);
	assert_int_equal(info.nr_sleep_regs, 1);
	assert_int_equal(info.sleep_reg[0].space, 1);
	assert_int_equal(info.sleep_reg[0].addr, 0x605);
	assert_false(info.sleep_reg[0].b);
	set32(68, 0xb104);
	set_gas(172, 1, 0x604);		/* as the short form says */
	set_gas(184, 1, 0xc104);
	parse_fadt_of(244);
	assert_int_equal(info.nr_sleep_regs, 3);
	assert_int_equal(info.sleep_reg[1].addr, 0xb105);
	assert_true(info.sleep_reg[1].b);
	assert_int_equal(info.sleep_reg[2].addr, 0xc105);
	assert_true(info.sleep_reg[2].b);
	parse_fadt_of(195);
	assert_int_equal(info.nr_sleep_regs, 2);
}

/* A machine with reduced hardware has nothing else. */
static void finds_sleep_control(void **state __unused)
{
	u8 body[268 - 36] = { 0 };

	nr_mem--;			/* the SSDT */
	free(mem[nr_mem].mem);
	nr_mem--;			/* the FADT */
	free(mem[nr_mem].mem);
	add_table(PA_FADT, "FACP", body, sizeof(body));
	set_gas(244, 0, 0xfed80e00);
	parse_fadt_of(268);
	assert_int_equal(info.nr_sleep_regs, 1);
	assert_int_equal(info.sleep_reg[0].space, 0);
	assert_int_equal(info.sleep_reg[0].addr, 0xfed80e00);
	parse_fadt_of(255);
	assert_int_equal(info.nr_sleep_regs, 0);
	/* What such a machine says of PM1 and the PM timer is nothing. */
	set32(64, 0x604);
	set32(76, 0x608);
	table(PA_FADT)[91] = 4;
	parse_fadt_of(268);
	assert_int_equal(info.nr_sleep_regs, 2);
	assert_int_equal(info.pm_timer, 0x608);
	set32(112, BIT(20));
	parse_fadt_of(268);
	assert_int_equal(info.nr_sleep_regs, 1);
	assert_int_equal(info.sleep_reg[0].addr, 0xfed80e00);
	assert_int_equal(info.pm_timer, 0);
}

/* The short form, if it is there; the long one, if it is a port. */
static void finds_the_pm_timer(void **state __unused)
{
	set_gas(208, 1, 0x1808);
	parse_fadt_of(244);
	assert_int_equal(info.pm_timer, 0x608);
	set32(76, 0);
	parse_fadt_of(244);
	assert_int_equal(info.pm_timer, 0x1808);
	parse_fadt_of(219);
	assert_int_equal(info.pm_timer, 0);
	set_gas(208, 0, 0xfed80808);
	parse_fadt_of(244);
	assert_int_equal(info.pm_timer, 0);
}

/* Of MADTs and FADTs the first counts, whatever the others are. */
static void takes_the_first(void **state __unused)
{
	const u64 entries[] = { PA_FADT, PA_MADT, 0x7000, 0x8000, 0x9000, 0xa000 };
	u64 addr = 0x1000;
	u8 *f;
	u32 i;

	free(mem[0].mem);
	mem[0] = mem[--nr_mem];
	add_table(PA_XSDT, "XSDT", entries, sizeof(entries));
	for (i = 0; i < 3; i++) {	/* registers of their own in each */
		f = add_table(0x7000 + i * 0x1000, "FACP", fadt_body(), 244 - 36);
		for (u32 at = 172; at < 196; at += 12, addr += 0x10) {
			f[at] = 1;
			memcpy(f + at + 4, &addr, 8);
		}
		memcpy(f + 64, &addr, 4);
		memcpy(f + 68, &(u64){ addr + 8 }, 4);
		memcpy(f + 120, &(u64){ 0x64 }, 8);
	}
	memcpy(add_table(0xa000, "APIC", NULL, 0) + 4, &(u32){ 1 }, 4);
	assert_true(parses());
	assert_int_equal(info.nr_sleep_regs, 1);
	assert_int_equal(info.sleep_reg[0].addr, 0x605);
	assert_int_equal(info.reset.addr, 0xcf9);
	assert_int_equal(info.nr_cpus, 3);
}

static void finds_the_dsdt(void **state __unused)
{
	u64 pa = PA_DSDT;

	add_table(PA_DSDT, "DSDT", "abc", 3);
	add_table(PA_XDSDT, "DSDT", "abcd", 4);
	set32(40, PA_DSDT);
	memcpy(table(PA_FADT) + 140, &pa, 8);
	parse_fadt_of(244);
	assert_int_equal(info.nr_tables, 4);
	assert_int_equal(acpi_find(&info, "DSDT")->addr, PA_DSDT);
	assert_int_equal(acpi_find(&info, "DSDT")->len, 39);
	pa = PA_XDSDT;
	memcpy(table(PA_FADT) + 140, &pa, 8);
	parse_fadt_of(244);
	assert_int_equal(info.nr_tables, 5);
	set32(40, PA_SSDT);		/* another table */
	parse_fadt_of(147);
	assert_null(acpi_find(&info, "DSDT"));
}

/* Whatever bits flip, with checksums made right: an answer, and no stray read. */
static void survives_any_contents(void **state __unused)
{
	u32 n, i, len, at;
	u8 *t, old;

	srand(1);
	for (n = 0; n < 20000; n++) {
		i = (u32)rand() % 3;
		t = mem[i].mem;
		len = mem[i].len;
		at = (u32)rand() % len;
		old = t[at];
		t[at] = (u8)rand();
		fix_sum(t, len, 9);
		if (!acpi_parse(rsdp, map, &info, err, sizeof(err)))
			assert_true(strlen(err) > 5);
		t[at] = old;
		fix_sum(t, len, 9);
	}
	assert_true(acpi_parse(rsdp, map, &info, err, sizeof(err)));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_all, free_all)
	const struct CMUnitTest tests[] = {
		T(reads_whole_tables), T(checks_the_rsdp), T(takes_wrong_checksums),
		T(refuses_wrong_lengths), T(passes_over_torn_entries),
		T(hundreds_of_cpus), T(old_tables), T(finds_the_pm_timer),
		T(wants_a_madt_with_cpus), T(finds_sleep_registers), T(finds_sleep_control),
		T(takes_the_first), T(finds_the_dsdt), T(survives_any_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
