// SPDX-License-Identifier: GPL-2.0-only
/* The contract is in trusted.h. */
#include "hv/core/guest/insn.h"

#include <string.h>

#include "trusted.h"

static u64 low(u64 val, u32 size)
{
	return size == 8 ? val : val & (BIT(8 * size) - 1);
}

static u64 address(const struct native *n, const struct insn_mov *m)
{
	u64 at = (u64)m->disp;

	if (m->base == INSN_RIP)
		at += n->rip + m->len;
	else if (m->base != INSN_NONE)
		at += n->gpr[m->base];
	if (m->index != INSN_NONE)
		at += n->gpr[m->index] << m->scale;
	return at;
}

static bool in_data(u64 at, u32 size)
{
	return at >= DATA && at + size <= DATA + DATA_SIZE;
}

/* As the exit's handler stores what it has read (hv/core/run/npf.c). */
static u64 loaded(u64 was, u64 val, const struct insn_mov *m)
{
	if (m->sign_extend)
		val = (u64)((s64)(val << (64 - 8 * m->size)) >> (64 - 8 * m->size));
	if (m->high_byte)
		return (was & ~0xff00ull) | (val & 0xff) << 8;
	if (m->reg_size >= 4)
		return low(val, m->reg_size);
	return (was & ~(BIT(8 * m->reg_size) - 1)) | low(val, m->reg_size);
}

static int compare_mov(const struct native *before, const struct native *after, const struct insn_mov *m,
		       trusted_tell tell)
{
	u64 at, val = 0;

	if (after->rip != before->rip + m->len)
		tell("the trusted decoder's length", after->rip - before->rip, m->len);
	if (!m->flat)
		return 1;
	at = address(before, m);
	if (!in_data(at, m->size))
		return 1;
	memcpy(&val, (const void *)at, m->size);	/* as the CPU left it */
	if (m->write) {
		u64 want = m->imm ? m->imm_val : before->gpr[m->reg] >> (m->high_byte ? 8 : 0);

		if (low(want, m->size) != val)
			tell("what the trusted decoder writes", val, low(want, m->size));
	} else {
		u64 want = loaded(before->gpr[m->reg], val, m);

		if (after->gpr[m->reg] != want)
			tell("what the trusted decoder reads", after->gpr[m->reg], want);
	}
	return 1;
}

int trusted_compare(const struct native *before, const struct native *after, const uint8_t *code, trusted_tell tell)
{
	struct insn_movs s;
	struct insn_mov m;

	/* Faults are the CPU's: it exits for one that decodes and translates. */
	if (!after->retired)
		return 0;
	memset(&m, 0, sizeof(m));
	if (!insn_decode_mov(code, INSN_BYTES, true, false, &m))
		return compare_mov(before, after, &m, tell);
	if (!insn_decode_movs(code, INSN_BYTES, &s)) {
		if (after->rip != before->rip + s.len)
			tell("the length of MOVS", after->rip - before->rip, s.len);
		return 1;
	}
	return 0;
}
