// SPDX-License-Identifier: GPL-2.0-only
/* Pure decoding; the contract is in insn.h. */
#include "insn.h"

#include "lib/errno.h"
#include "lib/string.h"

struct prefixes {
	u8 rex;
	bool opsize, adsize, lock, seg, rep;
	u8 len;
};

static int scan_prefixes(const u8 *b, u32 n, bool cs_long, struct prefixes *p)
{
	u32 i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < n && i < INSN_MAX; i++) {
		switch (b[i]) {
		case 0x66:
			p->opsize = true;
			break;
		case 0x67:
			p->adsize = true;
			break;
		case 0xf0:
			p->lock = true;
			break;
		case 0xf2: case 0xf3:
			p->rep = true;
			break;
		case 0x26: case 0x2e: case 0x36: case 0x3e:
			break;
		case 0x64: case 0x65:
			p->seg = true;
			break;
		case 0x40 ... 0x4f:
			if (cs_long) {
				p->rex = b[i];
				/* REX counts only right before the opcode. */
				if (i + 1 < n && (b[i + 1] & 0xf0) != 0x40) {
					switch (b[i + 1]) {
					case 0x66: case 0x67: case 0xf0: case 0xf2:
					case 0xf3: case 0x26: case 0x2e: case 0x36:
					case 0x3e: case 0x64: case 0x65:
						p->rex = 0;
					}
				}
				break;
			}
			/* fall through */
		default:
			p->len = i;
			return 0;
		}
	}
	return -EINVAL;
}

int insn_prefix_len(const u8 *b, u32 n, bool cs_long)
{
	struct prefixes p;

	return scan_prefixes(b, n, cs_long, &p) ? -EINVAL : p.len;
}

/* Length of ModRM, SIB and displacement at b; -EINVAL for a register operand. */
static int modrm_len(const u8 *b, u32 n, bool addr16)
{
	u8 mod, rm, len = 1;

	if (!n)
		return -EINVAL;
	mod = b[0] >> 6;
	rm = b[0] & 7;
	if (mod == 3)
		return -EINVAL;
	if (addr16) {
		if (mod == 1)
			return 2;
		return mod == 2 || rm == 6 ? 3 : 1;
	}
	if (rm == 4) {
		if (n < 2)
			return -EINVAL;
		len = 2;
		if (mod == 0 && (b[1] & 7) == 5)
			return 6;
	} else if (mod == 0 && rm == 5) {
		return 5;
	}
	return len + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* The address that ModRM names, in 64-bit addressing; b is complete. */
static void decode_address(const u8 *b, int len, u8 rex, struct insn_mov *m)
{
	u8 mod = b[0] >> 6, rm = b[0] & 7, at = 1;
	s32 d32;

	m->base = rm | (rex & 1) << 3;
	if (rm == 4) {
		u8 sib = b[at++];

		m->base = (sib & 7) | (rex & 1) << 3;
		m->index = ((sib >> 3) & 7) | (rex & 2) << 2;
		m->scale = sib >> 6;
		if (m->index == 4)
			m->index = INSN_NONE;
		if (!mod && (sib & 7) == 5)
			m->base = INSN_NONE;
	} else if (!mod && rm == 5) {
		m->base = INSN_RIP;
	}
	if (mod == 1) {
		m->disp = (s8)b[at];
	} else if (len - at == 4) {
		memcpy(&d32, b + at, 4);
		m->disp = d32;
	}
}

static u64 read_imm(const u8 *b, u8 bytes, u8 size)
{
	s64 val = 0;

	memcpy(&val, b, bytes);
	val = (s64)((u64)val << (64 - 8 * bytes)) >> (64 - 8 * bytes);
	return size == 8 ? (u64)val : (u64)val & (BIT(8 * size) - 1);
}

/* A byte register without REX: encodings 4 to 7 are AH, CH, DH, BH. */
static void set_reg(struct insn_mov *m, u8 reg, const struct prefixes *p, bool byte)
{
	m->reg = reg;
	if (byte && !p->rex && reg >= 4) {
		m->reg = reg - 4;
		m->high_byte = true;
	}
}

static int decode_moffs(const u8 *b, u32 n, u32 pos, u8 op, u8 addr, struct insn_mov *m)
{
	if (pos + addr > n)
		return -EINVAL;
	memcpy(&m->disp, b + pos, addr);
	m->write = op >= 0xa2;
	m->reg = 0;
	m->len = pos + addr;
	return 0;
}

int insn_decode_mov(const u8 *b, u32 n, bool cs_long, bool cs_big, struct insn_mov *m)
{
	struct prefixes p;
	bool addr16, two = false, byte;
	u32 pos;
	u8 op, opsize, addr;
	int ml;

	memset(m, 0, sizeof(*m));
	if (n > INSN_MAX)
		n = INSN_MAX;
	if (scan_prefixes(b, n, cs_long, &p) || p.lock)
		return -EINVAL;
	pos = p.len;
	op = b[pos++];
	if (op == 0x0f) {
		if (pos >= n)
			return -EINVAL;
		two = true;
		op = b[pos++];
	}
	if (cs_long)
		opsize = (p.rex & 8) ? 8 : p.opsize ? 2 : 4;
	else
		opsize = cs_big != p.opsize ? 4 : 2;
	addr16 = !cs_long && cs_big == p.adsize;
	addr = cs_long ? (p.adsize ? 4 : 8) : addr16 ? 2 : 4;
	byte = !(op & 1);
	m->size = byte ? 1 : opsize;
	m->reg_size = m->size;
	m->flat = cs_long && !p.adsize && !p.seg;
	m->base = m->index = INSN_NONE;

	if (!two && op >= 0xa0 && op <= 0xa3)
		return decode_moffs(b, n, pos, op, addr, m);
	ml = modrm_len(b + pos, n - pos, addr16);
	if (ml < 0 || pos + ml > n)
		return -EINVAL;
	if (m->flat)
		decode_address(b + pos, ml, p.rex, m);
	set_reg(m, ((b[pos] >> 3) & 7) | ((p.rex & 4) << 1), &p, !two && byte);
	if (two) {
		if (op != 0xb6 && op != 0xb7 && op != 0xbe && op != 0xbf)
			return -EINVAL;
		m->size = byte ? 1 : 2;
		m->reg_size = opsize;
		m->sign_extend = op >= 0xbe;
		m->len = pos + ml;
		return 0;
	}
	switch (op) {
	case 0x88: case 0x89:
		m->write = true;
		/* fall through */
	case 0x8a: case 0x8b:
		m->len = pos + ml;
		return 0;
	case 0xc6: case 0xc7:
		if (b[pos] & 0x38)
			return -EINVAL;
		addr = byte ? 1 : opsize == 2 ? 2 : 4;	/* immediate bytes */
		if (pos + ml + addr > n)
			return -EINVAL;
		m->write = m->imm = true;
		m->imm_val = read_imm(b + pos + ml, addr, m->size);
		m->len = pos + ml + addr;
		return 0;
	}
	return -EINVAL;
}

int insn_decode_movs(const u8 *b, u32 n, struct insn_movs *m)
{
	struct prefixes p;

	if (n > INSN_MAX)
		n = INSN_MAX;
	if (scan_prefixes(b, n, true, &p) || p.lock || p.adsize || p.seg ||
	    (b[p.len] != 0xa4 && b[p.len] != 0xa5))
		return -EINVAL;
	m->len = p.len + 1;
	m->rep = p.rep;
	m->size = b[p.len] == 0xa4 ? 1 : (p.rex & 8) ? 8 : p.opsize ? 2 : 4;
	return 0;
}

int insn_decode_mov_cr(const u8 *b, u32 n, bool cs_long, u8 *cr, u8 *reg, u8 *len)
{
	struct prefixes p;

	if (scan_prefixes(b, n, cs_long, &p) || p.len + 3u > n)
		return -EINVAL;
	if (b[p.len] != 0x0f || b[p.len + 1] != 0x22)
		return -EINVAL;
	*cr = ((b[p.len + 2] >> 3) & 7) | ((p.rex & 4) << 1) | (p.lock ? 8 : 0);
	*reg = (b[p.len + 2] & 7) | ((p.rex & 1) << 3);
	*len = p.len + 3;
	return 0;
}
