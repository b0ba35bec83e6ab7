// SPDX-License-Identifier: GPL-2.0-only
/*
 * Integer arithmetic and its flags. Pure functions. Where the architecture
 * leaves a flag undefined, AF is cleared and OF is that of the last step.
 */
#include "emul_priv.h"

static u64 sign_bit(u32 size)
{
	return 1ull << (8 * size - 1);
}

u64 emul_szp_flags(u32 size, u64 val)
{
	u64 flags = 0;
	u32 low = val & 0xff;

	low ^= low >> 4;
	low ^= low >> 2;
	low ^= low >> 1;
	if (!(low & 1))
		flags |= FL_PF;
	if (!(val & emul_mask(size)))
		flags |= FL_ZF;
	if (val & sign_bit(size))
		flags |= FL_SF;
	return flags;
}

static void set_arith(u64 *flags, u64 mask, u64 val)
{
	*flags = (*flags & ~mask) | (val & mask);
}

static u64 add(u32 size, u64 a, u64 b, u64 carry, u64 *flags)
{
	u64 r = (a + b + carry) & emul_mask(size);
	u64 sign = sign_bit(size);
	u64 f = emul_szp_flags(size, r) | ((a ^ b ^ r) & FL_AF);

	if (((a & b) | ((a | b) & ~r)) & sign)
		f |= FL_CF;
	if ((a ^ r) & (b ^ r) & sign)
		f |= FL_OF;
	set_arith(flags, FL_ARITH, f);
	return r;
}

static u64 sub(u32 size, u64 a, u64 b, u64 borrow, u64 *flags)
{
	u64 r = (a - b - borrow) & emul_mask(size);
	u64 sign = sign_bit(size);
	u64 f = emul_szp_flags(size, r) | ((a ^ b ^ r) & FL_AF);

	if (((~a & b) | ((~a | b) & r)) & sign)
		f |= FL_CF;
	if ((a ^ b) & (a ^ r) & sign)
		f |= FL_OF;
	set_arith(flags, FL_ARITH, f);
	return r;
}

static u64 logic(u32 size, u64 r, u64 *flags)
{
	set_arith(flags, FL_ARITH, emul_szp_flags(size, r));
	return r;
}

u64 emul_alu(u32 op, u32 size, u64 a, u64 b, u64 *flags)
{
	a &= emul_mask(size);
	b &= emul_mask(size);
	switch (op) {
	case ALU_ADD:
		return add(size, a, b, 0, flags);
	case ALU_OR:
		return logic(size, a | b, flags);
	case ALU_ADC:
		return add(size, a, b, *flags & FL_CF, flags);
	case ALU_SBB:
		return sub(size, a, b, *flags & FL_CF, flags);
	case ALU_AND:
		return logic(size, a & b, flags);
	case ALU_XOR:
		return logic(size, a ^ b, flags);
	default:	/* ALU_SUB, ALU_CMP */
		return sub(size, a, b, 0, flags);
	}
}

u64 emul_alu_inc(u32 size, u64 a, u64 *flags)
{
	u64 f = 0, r = add(size, a & emul_mask(size), 1, 0, &f);

	set_arith(flags, FL_ARITH & ~FL_CF, f);
	return r;
}

u64 emul_alu_dec(u32 size, u64 a, u64 *flags)
{
	u64 f = 0, r = sub(size, a & emul_mask(size), 1, 0, &f);

	set_arith(flags, FL_ARITH & ~FL_CF, f);
	return r;
}

/* Values of one step of the shift group, and its CF and OF. */
struct step {
	u64 val;
	bool cf;
	bool of;
};

static void step_left(struct step *s, u64 sign, u64 in)
{
	s->cf = s->val & sign;
	s->val = (s->val << 1 | in) & (sign | (sign - 1));
	s->of = !!(s->val & sign) != s->cf;
}

static void step_right(struct step *s, u64 sign, u64 in)
{
	bool top = s->val & sign;

	s->cf = s->val & 1;
	s->val = s->val >> 1 | (in ? sign : 0);
	s->of = top != !!in;
}

static void shift_step(u32 op, struct step *s, u64 sign)
{
	switch (op) {
	case 0:		/* ROL */
		step_left(s, sign, !!(s->val & sign));
		break;
	case 1:		/* ROR */
		step_right(s, sign, s->val & 1);
		break;
	case 2:		/* RCL */
		step_left(s, sign, s->cf);
		break;
	case 3:		/* RCR */
		step_right(s, sign, s->cf);
		break;
	case 5:		/* SHR */
		step_right(s, sign, 0);
		break;
	case 7:		/* SAR */
		step_right(s, sign, s->val & sign);
		break;
	default:	/* SHL and its alias SAL */
		step_left(s, sign, 0);
		break;
	}
}

u64 emul_alu_shift(u32 op, u32 size, u64 a, u32 count, u64 *flags)
{
	struct step s = { .val = a & emul_mask(size), .cf = *flags & FL_CF };
	u64 f = 0, mask = FL_CF | FL_OF;
	u32 i;

	count &= size == 8 ? 63 : 31;
	if (!count)
		return s.val;
	for (i = 0; i < count; i++)
		shift_step(op, &s, sign_bit(size));
	if (s.cf)
		f |= FL_CF;
	if (s.of)
		f |= FL_OF;
	if (op >= 4) {
		mask = FL_ARITH;
		f |= emul_szp_flags(size, s.val);
	}
	set_arith(flags, mask, f);
	return s.val;
}
