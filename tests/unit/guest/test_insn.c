// SPDX-License-Identifier: GPL-2.0-only
/* The instruction decoder, and walks of a guest's page tables. */
// SOURCES: hv/core/guest/insn.c hv/core/guest/gwalk.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/guest/insn.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/vcpu/vcpu.h"

/* ---- memory of the guest: 64 KiB at 0, and 64 KiB at 4 GiB ---- */

#define MEM	0x10000u
#define HIGH	0x100000000ull

static u8 low_mem[MEM], high_mem[MEM];
static struct vcpu vcpu;

static struct domain dom;
static u32 reads;

void guest_view_begin(struct guest_view *w, struct domain *d, u64 space __unused)
{
	assert_ptr_equal(d, &dom);
	w->size = 0;
}

void guest_view_end(struct guest_view *w __unused) { }

int guest_view_read(struct guest_view *w, gpa_t gpa, void *buf, u32 len)
{
	reads++;
	if (gpa < MEM && gpa + len <= MEM)
		w->first = 0;
	else if (gpa >= HIGH && gpa - HIGH + len <= MEM)
		w->first = HIGH;
	else
		return -EFAULT;
	w->size = MEM;
	w->base = w->first ? high_mem : low_mem;
	memcpy(buf, w->base + (gpa - w->first), len);
	return 0;
}

u64 mmu_phys_end(void)
{
	return BIT(40);
}

static int setup(void **state)
{
	(void)state;
	memset(low_mem, 0, sizeof(low_mem));
	memset(high_mem, 0, sizeof(high_mem));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.dom = &dom;
	dom.tlb_gen = 1;
	reads = 0;
	return 0;
}

/* ---- decoding ---- */

static const struct {
	int bits;
	const char *text, *code;
	struct insn_mov want;
} cases[] = {
#include "insn_cases.h"
};

static u32 unhex(const char *s, u8 *b)
{
	u32 n;

	for (n = 0; s[2 * n]; n++) {
		char two[3] = { s[2 * n], s[2 * n + 1], 0 };

		b[n] = strtoul(two, NULL, 16);
	}
	return n;
}

static bool same(const struct insn_mov *m, const struct insn_mov *w)
{
	if (m->len != w->len || m->size != w->size || m->write != w->write ||
	    m->imm != w->imm || m->high_byte != w->high_byte ||
	    m->sign_extend != w->sign_extend || m->flat != w->flat)
		return false;
	if (w->imm ? m->imm_val != w->imm_val : m->reg != w->reg)
		return false;
	if (!w->write && m->reg_size != w->reg_size)
		return false;
	return !w->flat || (m->base == w->base && m->index == w->index &&
			    m->scale == w->scale && m->disp == w->disp);
}

/* What it was given in memory of just that size, so that ASan sees a read beyond. */
static int decode(const u8 *code, u32 n, int bits, struct insn_mov *m)
{
	u8 *copy = malloc(n ? n : 1);
	int ret;

	memcpy(copy, code, n);
	ret = insn_decode_mov(n ? copy : copy + 1, n, bits == 64, bits == 32, m);
	free(copy);
	return ret;
}

static void assembled_forms(void **state)
{
	u32 i, n, cut;
	struct insn_mov m;
	u8 b[16];

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		n = unhex(cases[i].code, b);
		if (decode(b, n, cases[i].bits, &m))
			fail_msg("'%s' is not decoded", cases[i].text);
		if (!same(&m, &cases[i].want))
			fail_msg("'%s' is decoded wrongly", cases[i].text);
		for (cut = 0; cut < n; cut++)
			if (!decode(b, cut, cases[i].bits, &m))
				fail_msg("'%s' cut to %u bytes is decoded", cases[i].text, cut);
	}
}

static void refused_forms(void **state)
{
	static const char *const code[] = {
		"F08900",	/* LOCK MOV */
		"89C0",		/* register operand */
		"C7C001000000",
		"C74801000000",	/* group 11, not /0 */
		"0103",		/* ADD */
		"8703",		/* XCHG */
		"0FB003",	/* CMPXCHG */
		"0FAF03",	/* IMUL */
		"F3A4",		/* MOVS */
		"AB",		/* STOS */
		"0F1103",	/* MOVUPS */
		"8C03",		/* MOV from segment register */
		"90", "0F", "C4", "66",
	};
	struct insn_mov m;
	u8 b[16];
	u32 i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(code); i++) {
		n = unhex(code[i], b);
		if (!decode(b, n, 64, &m))
			fail_msg("%s is decoded", code[i]);
	}
}

static void random_bytes(void **state)
{
	static const int bits[] = { 16, 32, 64 };
	struct insn_mov m;
	u32 seed = 99, i, k, n;
	u8 b[20];

	(void)state;
	for (i = 0; i < 300000; i++) {
		for (k = 0; k < sizeof(b); k++) {
			seed = seed * 1664525 + 1013904223;
			b[k] = seed >> 24;
		}
		/* Every other one with an opcode that is known. */
		if (i & 1)
			b[i % 3] = "\x88\x89\x8a\x8b\xc6\xc7\xa0\xa3"[(i >> 2) & 7];
		n = (seed >> 8) % 18;
		if (decode(b, n, bits[i % 3], &m))
			continue;
		assert_in_range(m.len, 2, min(n, (u32)INSN_MAX));
		assert_true(m.size == 1 || m.size == 2 || m.size == 4 || m.size == 8);
		assert_true(m.reg < 16);
		assert_true(!m.flat || m.base < 16 || m.base >= INSN_RIP);
		assert_true(m.index < 16 || m.index == INSN_NONE);
	}
}

static void string_moves(void **state)
{
	static const struct {
		const char *code;
		struct insn_movs want;
	} good[] = {
		{ "A4", { 1, 1, false } },
		{ "A5", { 1, 4, false } },
		{ "F3A5", { 2, 4, true } },	/* as Linux's memcpy_toio() */
		{ "F3A4", { 2, 1, true } },
		{ "66A5", { 2, 2, false } },
		{ "F348A5", { 3, 8, true } },
		{ "66F348A5", { 4, 8, true } },
		{ "48F3A5", { 3, 4, true } },	/* REX does not count there */
		{ "3EA5", { 2, 4, false } },
	};
	static const char *const refused[] = {
		"67A5", "64A5", "65A5", "F0A5", "A6", "A7", "AB", "8B03", "0FA5", "F3",
	};
	struct insn_movs m;
	u8 b[16];
	u32 i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		n = unhex(good[i].code, b);
		assert_int_equal(insn_decode_movs(b, n, &m), 0);
		assert_int_equal(m.len, good[i].want.len);
		assert_int_equal(m.size, good[i].want.size);
		assert_int_equal(m.rep, good[i].want.rep);
		while (n--)
			assert_int_equal(insn_decode_movs(b, n, &m), -EINVAL);
	}
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(insn_decode_movs(b, unhex(refused[i], b), &m), -EINVAL);
}

static void prefix_lengths(void **state)
{
	u8 all[INSN_MAX];

	(void)state;
	assert_int_equal(insn_prefix_len((const u8 *)"\x0f\xa2", 2, true), 0);
	assert_int_equal(insn_prefix_len((const u8 *)"\x66\x0f\xa2", 3, true), 1);
	assert_int_equal(insn_prefix_len((const u8 *)"\xf3\x48\x0f\xa2", 4, true), 2);
	assert_int_equal(insn_prefix_len((const u8 *)"\x48\x0f\xa2", 3, false), 0);
	assert_int_equal(insn_prefix_len((const u8 *)"\x2e\x65\x67\xf4", 4, false), 3);
	memset(all, 0x66, sizeof(all));
	assert_int_equal(insn_prefix_len(all, sizeof(all), true), -EINVAL);
	assert_int_equal(insn_prefix_len(all, 0, true), -EINVAL);
}

static void check_cr(const char *hex, bool cs_long, int want_cr, u8 want_reg)
{
	u8 b[16], cr = 0xee, reg = 0xee, len = 0xee;
	u32 n = unhex(hex, b), cut;
	int ret = insn_decode_mov_cr(b, n, cs_long, &cr, &reg, &len);

	if (want_cr < 0) {
		assert_int_equal(ret, -EINVAL);
		return;
	}
	assert_int_equal(ret, 0);
	assert_int_equal(cr, want_cr);
	assert_int_equal(reg, want_reg);
	assert_int_equal(len, n);
	for (cut = 0; cut < n; cut++)
		assert_int_equal(insn_decode_mov_cr(b, cut, cs_long, &cr, &reg, &len), -EINVAL);
}

static void control_register_writes(void **state)
{
	(void)state;
	check_cr("440F22C0", true, 8, RAX);
	check_cr("450F22C7", true, 8, R15);
	check_cr("F00F22C3", false, 8, RBX);	/* AMD's form for 32-bit code */
	check_cr("0F22E2", true, 4, RDX);
	check_cr("410F22E4", true, 4, R12);
	check_cr("0F22C0", false, 0, RAX);
	check_cr("440F20C0", true, -1, 0);	/* a read */
	check_cr("0F23C0", true, -1, 0);	/* a debug register */
}

/* ---- page walks ---- */

#define P	1ull
#define PS	0x80ull

static void put64(gpa_t at, u64 val)
{
	memcpy(low_mem + at, &val, 8);
}

static void put32(gpa_t at, u32 val)
{
	memcpy(low_mem + at, &val, 4);
}

static u64 walk(const struct vcpu_paging *p, gva_t gva)
{
	gpa_t gpa;

	return gva_to_gpa(&vcpu, p, gva, &gpa) ? ~0ull : gpa;
}

static void long_mode(void **state)
{
	struct vcpu_paging p = {
		.cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = 0x1000 | 0x18 | BIT(63),
		.cr4 = X86_CR4_PAE, .efer = EFER_LME | EFER_LMA,
	};

	(void)state;
	put64(0x1000, 0x2000 | P);
	put64(0x1000 + 8 * 511, 0x2000 | P | BIT(63));
	put64(0x2000, 0x3000 | P);
	put64(0x2000 + 8, 0x1c0000000 | P | PS | 0x1000);	/* 1 GiB, with its PAT bit */
	put64(0x3000, 0x4000 | P);
	put64(0x3000 + 8, 0x600000 | P | PS);
	put64(0x4000 + 8, 0x5000 | P | BIT(63) | BIT(52));
	assert_int_equal(walk(&p, 0x1234), 0x5234);
	assert_int_equal(walk(&p, 0x0234), ~0ull);
	assert_int_equal(walk(&p, 0x212345), 0x612345);
	assert_int_equal(walk(&p, 0x40000000 + 0x1234567), 0x1c0000000 + 0x1234567);
	assert_int_equal(walk(&p, 0xffffff8000001010), 0x5010);
	assert_int_equal(walk(&p, 0x8000000000), ~0ull);
	/* A table outside of memory. */
	put64(0x2000 + 16, 0x7fff0000 | P);
	assert_int_equal(walk(&p, 0x80000000), ~0ull);
	/* PS in the top table is no page. */
	put64(0x1000 + 16, 0x2000 | P | PS);
	assert_int_equal(walk(&p, 0x10000001234), 0x5234);
}

static void five_levels(void **state)
{
	struct vcpu_paging p = {
		.cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = 0x6000,
		.cr4 = X86_CR4_PAE | X86_CR4_LA57, .efer = EFER_LMA,
	};

	(void)state;
	put64(0x6000 + 8, 0x1000 | P);
	put64(0x1000, 0x2000 | P);
	put64(0x2000, 0x3000 | P);
	put64(0x3000, 0x4000 | P);
	put64(0x4000, 0x5000 | P);
	assert_int_equal(walk(&p, BIT(48) + 0x321), 0x5321);
	assert_int_equal(walk(&p, 0x321), ~0ull);
}

static void pae(void **state)
{
	struct vcpu_paging p = {
		.cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = 0x1020, .cr4 = X86_CR4_PAE,
	};

	(void)state;
	put64(0x1020 + 3 * 8, 0x2000 | P);
	put64(0x2000, 0x3000 | P);
	put64(0x2000 + 8, HIGH | P | PS);
	put64(0x3000 + 8, 0x100005000 | P);
	assert_int_equal(walk(&p, 0xc0001abc), 0x100005abc);
	assert_int_equal(walk(&p, 0xc0200010), HIGH + 0x10);
	assert_int_equal(walk(&p, 0x00001abc), ~0ull);
	/* Bits beyond 31 of a linear address do not count. */
	assert_int_equal(walk(&p, 0xffffffffc0001abc), 0x100005abc);
	/* What the CPU has in registers counts, whatever has become of memory. */
	p.pdptes = true;
	p.pdpte[0] = 0x2000 | P;
	assert_int_equal(walk(&p, 0x00001abc), 0x100005abc);
	assert_int_equal(walk(&p, 0xc0001abc), ~0ull);
	p.cr3 = 0x7fff0000;
	assert_int_equal(walk(&p, 0x00200010), HIGH + 0x10);
}

static void legacy(void **state)
{
	struct vcpu_paging p = {
		.cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = 0x1fff, .cr4 = X86_CR4_PSE,
	};

	(void)state;
	put32(0x1000 + 4, 0x2000 | P);
	put32(0x1000 + 8, 0x00c00000 | 1u << 13 | P | PS);	/* 4 MiB at 4 GiB + 12 MiB */
	put32(0x2000 + 4, 0x5000 | P);
	assert_int_equal(walk(&p, 0x401fed), 0x5fed);
	assert_int_equal(walk(&p, 0x8abcde), HIGH + 0xcabcde);
	assert_int_equal(walk(&p, 0), ~0ull);
	/* Without PSE the same entry is a table, which is not there. */
	p.cr4 = 0;
	assert_int_equal(walk(&p, 0x8abcde), ~0ull);
	p.cr0 = X86_CR0_PE;
	assert_int_equal(walk(&p, 0x8abcde), 0x8abcde);
}

/* A table that names itself at every level. */
static void self_map(void **state)
{
	struct vcpu_paging p = {
		.cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = 0x1000, .cr4 = X86_CR4_PAE,
		.efer = EFER_LMA,
	};

	(void)state;
	put64(0x1000, 0x1000 | P);
	assert_int_equal(walk(&p, 0x18), 0x1018);
}

/* ---- fetching ---- */

static void fetch(void **state)
{
	struct vcpu_paging p = {
		.cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = 0x1000, .cr4 = X86_CR4_PAE,
		.efer = EFER_LMA, .cs_long = true, .cs_base = 0x5555,
	};
	u8 buf[INSN_BUF];
	u32 i;

	(void)state;
	put64(0x1000, 0x2000 | P);
	put64(0x2000, 0x3000 | P);
	put64(0x3000, 0x4000 | P);
	put64(0x4000, 0x8000 | P);
	put64(0x4000 + 8, 0x6000 | P);
	for (i = 0; i < 16; i++) {
		low_mem[0x8ff8 + i] = i < 8 ? i + 1 : 0xee;
		low_mem[0x6000 + i] = 9 + i;
	}
	vcpu.regs.rip = 0xff8;
	assert_int_equal(insn_fetch(&vcpu, &p, buf), INSN_MAX);
	for (i = 0; i < INSN_MAX; i++)
		assert_int_equal(buf[i], i + 1);
	/* The second page is not there: what there is of the first. */
	put64(0x4000 + 8, 0);
	assert_int_equal(insn_fetch(&vcpu, &p, buf), 8);
	vcpu.regs.rip = 0x2000;
	assert_int_equal(insn_fetch(&vcpu, &p, buf), -EFAULT);
	/* Segment base and 4 GiB wrap outside of 64-bit code. */
	p = (struct vcpu_paging){ .cs_base = 0xfffff000 };
	vcpu.regs.rip = 0x9ff8;
	assert_int_equal(insn_fetch(&vcpu, &p, buf), INSN_MAX);
	assert_int_equal(buf[0], 1);
}

/* 0x5010 of linear 0x8010 holds `byte`; the walk there is made, or made again. */
static u32 fetch_reads(const struct vcpu_paging *p, u8 byte)
{
	u8 buf[INSN_BUF];

	reads = 0;
	assert_int_equal(insn_fetch(&vcpu, p, buf), INSN_MAX);
	assert_int_equal(buf[0], byte);
	return reads;
}

/* A walk is used again as long as it would be the same. */
static void fetch_again(void **state)
{
	struct vcpu_paging p = {
		.cr0 = X86_CR0_PG | X86_CR0_PE, .cr3 = 0x1000, .cr4 = X86_CR4_PAE,
		.efer = EFER_LMA, .cs_long = true,
	};
	/* An entry of each level, what it is and what else it may be. */
	static const struct { u64 at, is, other; } e[] = {
		{ 0x1000, 0x2000 | P, 0x9000 | P }, { 0x2000, 0x3000 | P, 0xa000 | P },
		{ 0x3000, 0x4000 | P, 0xb000 | P }, { 0x4000 + 8 * 8, 0x5000 | P, 0x6000 | P },
	};
	u8 buf[INSN_BUF];
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(e); i++)
		put64(e[i].at, e[i].is);
	/* Behind each other entry, another way to the page at 0x6000. */
	put64(0x9000, 0xa000 | P);
	put64(0xa000, 0xb000 | P);
	put64(0xb000 + 8 * 8, 0x6000 | P);
	low_mem[0x5010] = 0x55;
	low_mem[0x6010] = 0x66;
	vcpu.regs.rip = 0x8010;
	for (i = 0; i < ARRAY_SIZE(e); i++) {
		assert_int_equal(fetch_reads(&p, 0x55), 5);
		assert_int_equal(fetch_reads(&p, 0x55), 0);
		put64(e[i].at, e[i].other);
		assert_int_equal(fetch_reads(&p, 0x66), 5);
		put64(e[i].at, e[i].is);
	}
	assert_int_equal(fetch_reads(&p, 0x55), 5);
	/* The code itself is read each time. */
	low_mem[0x5010] = 0x77;
	assert_int_equal(fetch_reads(&p, 0x77), 0);
	/* A translation of the domain was taken away. */
	dom.tlb_gen++;
	assert_int_equal(fetch_reads(&p, 0x77), 5);
	/* Another page in the same slot, other tables, and back. */
	put64(0x4000 + 16 * 8, 0x6000 | P);
	vcpu.regs.rip = 0x10010;
	assert_int_equal(fetch_reads(&p, 0x66), 5);
	vcpu.regs.rip = 0x8010;
	p.cr3 = 0xc000;
	put64(0xc000, 0x9000 | P);
	put64(0x9000, 0xa000 | P);
	put64(0xa000, 0xb000 | P);
	assert_int_equal(fetch_reads(&p, 0x66), 5);
	p.cr3 = 0x1000;
	assert_int_equal(fetch_reads(&p, 0x77), 5);
	/* One that fails leaves nothing behind. */
	put64(0x4000 + 8 * 8, 0);
	assert_int_equal(insn_fetch(&vcpu, &p, buf), -EFAULT);
	assert_int_equal(insn_fetch(&vcpu, &p, buf), -EFAULT);
	put64(0x4000 + 8 * 8, 0x5000 | P);
	assert_int_equal(fetch_reads(&p, 0x77), 5);
	/* In SMM and without paging none is kept. */
	vcpu.space = GPA_SMM;
	assert_int_equal(fetch_reads(&p, 0x77), 5);
	vcpu.space = 0;
	p = (struct vcpu_paging){ .cr3 = 0x1000 };
	assert_int_equal(fetch_reads(&p, low_mem[0x8010]), 1);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(assembled_forms), T(refused_forms), T(random_bytes), T(string_moves),
		T(prefix_lengths),
		T(control_register_writes), T(long_mode), T(five_levels), T(pae), T(legacy),
		T(self_map), T(fetch), T(fetch_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
