// SPDX-License-Identifier: GPL-2.0-only
/* See emul_native.h. */
#include <string.h>

#include "emul_native.h"
#include "emul_rig.h"

static uint32_t pick(uint32_t n)
{
	return rig_random() % n;
}

static void emit(struct tcase *c, uint64_t val, int size)
{
	memcpy(c->code + c->len, &val, size);
	c->len += size;
}

/* A register that may be an address or operand: not the stack pointer. */
static int pick_reg(void)
{
	int r;

	do
		r = pick(16);
	while (r == 4);
	return r;
}

static uint64_t pick_value(void)
{
	static const uint64_t special[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x7fffffffffffffff, 1ull << 63, ~0ull,
	};

	if (pick(3))
		return rig_random();
	return special[pick(sizeof(special) / sizeof(special[0]))];
}

static uint64_t pick_target(const struct tcase *c)
{
	uint64_t margin = c->t->kind & T_BITS ? 0x400 : 0x200;
	uint64_t at = DATA + margin + pick(DATA_SIZE - 2 * margin);

	if (pick(3) == 0 && !(c->t->kind & T_ALIGN))
		at = DATA + 0x1000 * (1 + pick(2)) - pick(16);
	if (c->t->kind & T_ALIGN)
		at &= ~15ull;
	return at;
}

static void set_address_reg(struct tcase *c, int reg, uint64_t val)
{
	if (c->addr32)
		val = (uint32_t)val | rig_random() << 32;
	c->cpu.gpr[reg] = val;
}

/* The VEX prefix in place of mandatory prefix, REX and opcode escape. */
static void emit_vex(struct tcase *c, int rxb)
{
	const struct tmpl *t = c->t;
	int pp = t->prefix == 0x66 ? 1 : t->prefix == 0xf3 ? 2 : t->prefix ? 3 : 0;
	int w = c->size == 8;

	if (!(rxb & 3) && !w && t->map == 2 && pick(2)) {
		emit(c, 0xc5, 1);
		emit(c, (rxb & 4 ? 0 : 0x80) | 0x78 | pp, 1);
	} else {
		emit(c, 0xc4, 1);
		emit(c, (~rxb & 7) << 5 | (t->map - 1), 1);
		emit(c, w << 7 | 0x78 | pp, 1);
	}
	emit(c, t->op, 1);
}

/* Prefixes and opcode; the R, X and B bits of REX come in. */
static void emit_prefixes(struct tcase *c, int rxb)
{
	const struct tmpl *t = c->t;
	uint8_t rex;

	if (pick(4) == 0)
		emit(c, 0x3e, 1);
	if (t->kind & T_LOCK)
		emit(c, 0xf0, 1);
	if (c->addr32)
		emit(c, 0x67, 1);
	if (t->kind & T_VEX) {
		emit_vex(c, rxb);
		return;
	}
	if (t->prefix)
		emit(c, t->prefix, 1);
	if (c->size == 2)
		emit(c, 0x66, 1);
	rex = 0x40 | rxb | (c->size == 8 ? 8 : 0);
	if (rex != 0x40 || c->rex)
		emit(c, rex, 1);
	if (t->map >= 2)
		emit(c, 0x0f, 1);
	if (t->map == 3)
		emit(c, 0x38, 1);
	emit(c, t->op, 1);
}

static void put_data(struct tcase *c, uint64_t at, const void *val, int size)
{
	memcpy(c->data + (at - DATA), val, size);
}

/* A divisor in memory and a dividend whose quotient fits. */
static void prepare_division(struct tcase *c, uint64_t at)
{
	int size = c->t->kind & T_BYTE ? 1 : c->size, bits = 8 * size;
	uint64_t mask = size == 8 ? ~0ull : (1ull << bits) - 1;
	bool is_signed = c->t->reg == 7;
	uint64_t by = (rig_random() >> pick(bits)) & mask, quot = rig_random() & mask;
	unsigned __int128 whole;

	if (!by)
		by = 3;
	if (is_signed) {
		by = (by & mask >> 1) ? by & mask >> 1 : 1;
		quot >>= 1;
		quot &= mask >> 1;
	}
	whole = (unsigned __int128)by * quot + rig_random() % by;
	if (is_signed && pick(2))
		whole = -whole;
	put_data(c, at, &by, size);
	if (is_signed && pick(2)) {
		by = -by;
		put_data(c, at, &by, size);
	}
	if (size == 1) {
		c->cpu.gpr[0] = (c->cpu.gpr[0] & ~0xffffull) | (uint16_t)whole;
		return;
	}
	c->cpu.gpr[0] = (c->cpu.gpr[0] & ~mask) | ((uint64_t)whole & mask);
	c->cpu.gpr[2] = (c->cpu.gpr[2] & ~mask) | ((uint64_t)(whole >> bits) & mask);
}

/* Make memory fit what the template wants of it. */
static void prepare_memory(struct tcase *c, uint64_t at)
{
	const struct tmpl *t = c->t;
	uint64_t bits = 1ull << pick(16) | 1ull << pick(16);
	int half = c->size == 8 ? 8 : 4;

	if (t->kind & T_DIV)
		prepare_division(c, at);
	if (t->kind & T_NONZERO)
		put_data(c, at, &bits, 8);
	if (!(t->kind & T_ACC) || pick(2))
		return;
	if (t->op == 0xc7) {
		put_data(c, at, &c->cpu.gpr[0], half);
		put_data(c, at + half, &c->cpu.gpr[2], half);
	} else {
		put_data(c, at, &c->cpu.gpr[0], t->kind & T_BYTE ? 1 : c->size);
	}
}

static int pick_operand(struct tcase *c)
{
	const struct tmpl *t = c->t;
	int reg;

	if (t->reg >= 0)
		return t->reg;
	if (t->kind & T_XMM)
		return pick(16);
	reg = pick_reg();
	/* With REX, byte register 4 is SPL; without, 5..7 are CH, DH, BH. */
	if ((t->kind & T_BYTE) && !c->rex && pick(2))
		reg = 4 + pick(4);
	return reg;
}

/* A bit offset of -4096..4095 in the operand-sized part of the register. */
static void set_bit_offset(struct tcase *c, int reg)
{
	uint64_t mask = c->size == 8 ? ~0ull : (1ull << 8 * c->size) - 1;
	uint64_t off = (uint64_t)pick(0x2000) - 0x1000;

	c->cpu.gpr[reg] = (c->cpu.gpr[reg] & ~mask) | (off & mask);
}

/* The count is the immediate or CL; large ones leave OF and CF undefined. */
static void drop_undefined_flags(struct tcase *c, uint64_t immval)
{
	const struct tmpl *t = c->t;
	int bits = 8 * (t->kind & T_BYTE ? 1 : c->size);
	int count = (uint8_t)(t->kind & T_SHIFT_IMM ? immval : c->cpu.gpr[1]);

	if (!(t->kind & (T_SHIFT_IMM | T_SHIFT_CL)))
		return;
	count &= bits == 64 ? 63 : 31;
	if (count > 1)
		c->flags &= ~0x800ull;
	if (count >= bits && t->reg >= 4)
		c->flags &= ~1ull;
	c->undefined = (t->kind & T_DSHIFT) && count > bits;
}

static int imm_size(const struct tcase *c)
{
	if (c->t->imm != 4)
		return c->t->imm;
	return c->size == 2 ? 2 : 4;
}

/* The register form of ModRM, high byte registers included. */
static void generate_registers(struct tcase *c)
{
	uint64_t immval = pick_value();
	int reg, rm = pick_reg();

	c->rex = pick(2);
	reg = pick_operand(c);
	if ((c->t->kind & T_BYTE) && !c->rex && reg < 8 && pick(2))
		rm = 4 + pick(4);
	if ((c->t->kind & T_BYTE) && reg == 4 && c->t->reg < 0)
		rm &= 7;	/* no REX: reg is AH */
	if (c->t->op == 0xb6 || c->t->op == 0xbe)
		rm &= 3;	/* byte source, but not of a byte instruction */
	emit_prefixes(c, (reg & 8 ? 4 : 0) | (rm & 8 ? 1 : 0));
	emit(c, 0xc0 | (reg & 7) << 3 | (rm & 7), 1);
	emit(c, immval, imm_size(c));
	drop_undefined_flags(c, immval);
}

/* [base + index * scale + disp], any part missing, or [rip + disp]. */
static void generate_modrm(struct tcase *c)
{
	const struct tmpl *t = c->t;
	uint64_t at = pick_target(c), disp;
	int base = pick_reg(), index = pick_reg(), scale = pick(4);
	int mod = pick(3), form = pick(4), reg, rxb, imm;
	uint64_t immval = pick_value();

	c->rex = pick(2);
	reg = pick_operand(c);
	if (t->kind & T_BYTE && reg == 4 && t->reg < 0 && (base >= 8 || index >= 8))
		base = index = 3;
	if (t->kind & T_BITS) {
		if (base == reg || index == reg)
			base = index = (reg + 1) % 8 == 4 ? 5 : (reg + 1) % 8;
		set_bit_offset(c, reg);
	}
	if (t->kind & T_DIV) {
		base |= 3;
		index |= 3;
	}
	if (index == base)
		form = form == 2 ? 1 : form;
	if ((base & 7) == 5 && mod == 0)
		mod = 1;
	disp = mod == 1 ? (uint64_t)(int8_t)rig_random() :
	       mod == 2 ? (uint64_t)(int16_t)rig_random() : 0;
	imm = imm_size(c);

	rxb = (reg & 8 ? 4 : 0);
	switch (form) {
	case 0:		/* [rip + disp32] or [disp32] */
		emit_prefixes(c, rxb);
		if (pick(2)) {
			emit(c, 5 | (reg & 7) << 3, 1);
			emit(c, at - (CODE + c->len + 4 + imm), 4);
		} else {
			emit(c, 4 | (reg & 7) << 3, 1);
			emit(c, 0x25, 1);
			emit(c, at, 4);
		}
		break;
	case 1:		/* [base + disp] */
		emit_prefixes(c, rxb | (base & 8 ? 1 : 0));
		emit(c, mod << 6 | (reg & 7) << 3 | (base & 7), 1);
		if ((base & 7) == 4)
			emit(c, 0x24, 1);
		emit(c, disp, mod == 2 ? 4 : mod);
		set_address_reg(c, base, at - disp);
		break;
	case 2:		/* [base + index * scale + disp] */
		emit_prefixes(c, rxb | (base & 8 ? 1 : 0) | (index & 8 ? 2 : 0));
		emit(c, mod << 6 | (reg & 7) << 3 | 4, 1);
		emit(c, scale << 6 | (index & 7) << 3 | (base & 7), 1);
		emit(c, disp, mod == 2 ? 4 : mod);
		set_address_reg(c, base, at - disp - (c->cpu.gpr[index] << scale));
		break;
	default:	/* [index * scale + disp32] */
		emit_prefixes(c, rxb | (index & 8 ? 2 : 0));
		emit(c, (reg & 7) << 3 | 4, 1);
		emit(c, scale << 6 | (index & 7) << 3 | 5, 1);
		set_address_reg(c, index, pick(0x10000));
		emit(c, at - ((uint32_t)c->cpu.gpr[index] << scale), 4);
		break;
	}
	emit(c, immval, imm);
	prepare_memory(c, at);

	drop_undefined_flags(c, immval);
}

static void generate_string(struct tcase *c)
{
	emit_prefixes(c, 0);
	set_address_reg(c, 6, pick_target(c));
	set_address_reg(c, 7, pick_target(c));
	set_address_reg(c, 1, pick(24));
	if (c->addr32 && c->cpu.gpr[1] << 32 == 0)
		set_address_reg(c, 1, 1);
	if (pick(2))
		memset(c->data, rig_random(), sizeof(c->data));
	if (pick(2))
		c->cpu.gpr[0] = c->data[0] * 0x0101010101010101ull;
	if (pick(2))
		c->cpu.rflags |= 0x400;
}

static void generate_other(struct tcase *c)
{
	uint64_t at = pick_target(c);

	emit_prefixes(c, 0);
	if (c->t->kind & T_NOMODRM)
		emit(c, pick_value(), imm_size(c));
	else if (c->t->kind & T_XLAT)
		set_address_reg(c, 3, at - (c->cpu.gpr[0] & 0xff));
	else
		emit(c, at, c->addr32 ? 4 : 8);
}

void emul_generate(struct tcase *c, const struct tmpl *t)
{
	static const uint8_t sizes[] = { 2, 4, 8 };
	size_t i;

	memset(c, 0, sizeof(*c));
	c->t = t;
	c->flags = t->flags;
	for (i = 0; i < 16; i++)
		c->cpu.gpr[i] = pick_value();
	for (i = 0; i < 16 * 16; i++)
		c->cpu.xmm[i / 16][i % 16] = rig_random();
	for (i = 0; i < sizeof(c->data); i += 8) {
		uint64_t word = rig_random();

		memcpy(c->data + i, &word, 8);
	}
	c->cpu.rflags = 0x202 | (rig_random() & FL_ALL);
	c->size = t->kind & T_BYTE ? 4 : sizes[pick(3)];
	if ((t->kind & (T_XMM | T_NOSIZE)) && c->size == 2)
		c->size = 4;
	c->addr32 = pick(4) == 0;
	if (t->kind & T_STRING)
		generate_string(c);
	else if (t->kind & (T_MOFFS | T_XLAT | T_NOMODRM))
		generate_other(c);
	else if (!(t->kind & T_MEMORY) && t->map < 3 && pick(5) == 0)
		generate_registers(c);
	else
		generate_modrm(c);
}
