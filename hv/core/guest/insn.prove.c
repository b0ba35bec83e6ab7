// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoders of instructions (insn.c): they see bytes that a guest chose.
 *
 * Proved, for every content of 0 to 16 bytes in each mode (16, 32 and 64 bits): no byte
 * beyond those given is read, no shift is by too much, it ends, and what is said can be
 * used as it is: there are such registers, sizes and scales, and the instruction's length
 * lies within the bytes.
 *
 * Bound: 16 bytes, one more than an instruction can have: decoders look at no more.
 * Assumed: nothing.
 */
#include "insn.h"
#include "prove.h"

// SOURCES: hv/core/guest/insn.c

static u32 n;

#define any_bytes(room)	(n = (u32)any_of(0, sizeof(room)), tail_of(room, n))

static bool is_size(u8 size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static bool is_base(u8 base)
{
	return base < 16 || base == INSN_NONE || base == INSN_RIP;
}

// PROVE: insn.mov prove_mov --unwind 17
// MUTANT: hv/core/guest/insn.c
// - 	if (pos + addr > n)
// + 	if (pos + addr > n + 1)
// MUTANT: hv/core/guest/insn.c
// - 		if (n < 2)
// + 		if (n < 1)
// MUTANT: hv/core/guest/insn.c
// - 		if (pos + ml + addr > n)
// + 		if (pos + ml > n)
// MUTANT: hv/core/guest/insn.c
// - 		if (pos >= n)
// + 		if (pos > n)
// MUTANT: hv/core/guest/insn.c
// - 	m->base = rm | (rex & 1) << 3;
// + 	m->base = rm | (rex & 3) << 3;
// MUTANT: hv/core/guest/insn.c
// - 			p->len = i;
// + 			p->len = i + 1;
void prove_mov(void)
{
	u8 room[INSN_MAX + 1];
	const u8 *b = any_bytes(room);
	struct insn_mov m;

	if (insn_decode_mov(b, n, nondet_bool(), nondet_bool(), &m))
		return;
	prove(m.len >= 2 && m.len <= n && m.len <= INSN_MAX);
	prove(is_size(m.size) && is_size(m.reg_size));
	prove(m.reg < 16 && (!m.high_byte || (m.reg < 4 && m.size == 1)));
	prove(is_base(m.base) && (m.index < 16 || m.index == INSN_NONE) && m.scale < 4);
	prove(!m.imm || m.size == 8 || m.imm_val < BIT(8 * m.size));
	/* A load whose register is narrower than the access would leave bits out. */
	prove(m.write || m.reg_size >= m.size);
}

// PROVE: insn.movs prove_movs --unwind 17
// MUTANT: hv/core/guest/insn.c
// - 	for (i = 0; i < n && i < INSN_MAX; i++) {
// + 	for (i = 0; i <= n && i < INSN_MAX; i++) {
// MUTANT: hv/core/guest/insn.c
// - 	m->len = p.len + 1;
// + 	m->len = p.len + 2;
void prove_movs(void)
{
	u8 room[INSN_MAX + 1];
	const u8 *b = any_bytes(room);
	struct insn_movs m;

	if (insn_decode_movs(b, n, &m))
		return;
	prove(m.len >= 1 && m.len <= n && m.len <= INSN_MAX);
	prove(is_size(m.size));
}

// PROVE: insn.mov_cr prove_mov_cr --unwind 17
// MUTANT: hv/core/guest/insn.c
// - 	if (scan_prefixes(b, n, cs_long, &p) || p.len + 3u > n)
// + 	if (scan_prefixes(b, n, cs_long, &p) || p.len + 2u > n)
// MUTANT: hv/core/guest/insn.c
// - ((p.rex & 4) << 1) | (p.lock ? 8 : 0);
// + ((p.rex & 4) << 1) + (p.lock ? 8 : 0);
void prove_mov_cr(void)
{
	u8 room[INSN_MAX + 1];
	const u8 *b = any_bytes(room);
	u8 cr, reg, len;

	if (insn_decode_mov_cr(b, n, nondet_bool(), &cr, &reg, &len))
		return;
	prove(cr < 16 && reg < 16);
	prove(len >= 3 && len <= n);
}

// PROVE: insn.prefixes prove_prefixes --unwind 17
// MUTANT: hv/core/guest/insn.c
// - 				if (i + 1 < n && (b[i + 1] & 0xf0) != 0x40) {
// + 				if ((b[i + 1] & 0xf0) != 0x40) {
void prove_prefixes(void)
{
	u8 room[INSN_MAX + 1];
	const u8 *b = any_bytes(room);
	int len = insn_prefix_len(b, n, nondet_bool());

	/* What says how many there are leaves a byte for the opcode. */
	prove(len < 0 || ((u32)len < n && len < INSN_MAX));
}
