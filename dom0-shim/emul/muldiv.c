// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multiplication, division and double shifts: the arithmetic on operands of
 * twice the width. Pure functions.
 */
#include "emul_priv.h"

typedef unsigned __int128 u128;

static u64 sign_bit(u32 size)
{
	return 1ull << (8 * size - 1);
}

/* CF and OF say that the high half matters; the rest is undefined, so kept. */
static void set_mul_flags(u64 *flags, bool overflow)
{
	*flags &= ~(u64)(FL_CF | FL_OF);
	if (overflow)
		*flags |= FL_CF | FL_OF;
}

void emul_alu_mul(u32 size, bool is_signed, u64 a, u64 b, u64 *lo, u64 *hi,
		  u64 *flags)
{
	u64 mask = emul_mask(size);
	u128 p;

	if (is_signed)
		p = (u128)((__int128)(s64)emul_sext(a, size) *
			   (s64)emul_sext(b, size));
	else
		p = (u128)(a & mask) * (b & mask);
	*lo = (u64)p & mask;
	*hi = (u64)(p >> (8 * size)) & mask;
	set_mul_flags(flags, is_signed ?
		      *hi != ((*lo & sign_bit(size)) ? mask : 0) : *hi != 0);
}

u64 emul_alu_mul_low(u32 size, u64 a, u64 b, u64 *flags)
{
	u64 lo, hi;

	emul_alu_mul(size, true, a, b, &lo, &hi, flags);
	return lo;
}

/* Both halves of the dividend and the divisor are zero-extended. */
static bool div_unsigned(u32 size, u64 lo, u64 hi, u64 by, u64 *quot, u64 *rem)
{
	u64 whole;

	if (hi >= by)	/* includes division by zero */
		return false;
	if (size == 8) {
		asm("divq %4" : "=a"(*quot), "=d"(*rem)
		    : "a"(lo), "d"(hi), "r"(by) : "cc");
		return true;
	}
	whole = hi << (8 * size) | lo;
	*quot = whole / by;
	*rem = whole % by;
	return true;
}

static bool div_signed(u32 size, u64 lo, u64 hi, u64 by, u64 *quot, u64 *rem)
{
	u64 mask = emul_mask(size), sign = sign_bit(size);
	bool negative = hi & sign, by_negative = by & sign;
	u128 whole = (u128)hi << (8 * size) | lo;

	if (negative)
		whole = -whole;
	if (by_negative)
		by = -by & mask;
	lo = (u64)whole & mask;
	hi = (u64)(whole >> (8 * size)) & mask;
	if (!div_unsigned(size, lo, hi, by, quot, rem))
		return false;
	if (*quot > sign - (negative == by_negative))
		return false;
	if (negative != by_negative)
		*quot = -*quot;
	if (negative)
		*rem = -*rem;
	return true;
}

bool emul_alu_div(u32 size, bool is_signed, u64 lo, u64 hi, u64 by, u64 *quot,
		  u64 *rem)
{
	u64 mask = emul_mask(size);

	lo &= mask;
	hi &= mask;
	by &= mask;
	return is_signed ? div_signed(size, lo, hi, by, quot, rem) :
			   div_unsigned(size, lo, hi, by, quot, rem);
}

/* Counts beyond a 16-bit operand are undefined: the operand is left alone. */
u64 emul_alu_dshift(bool right, u32 size, u64 a, u64 fill, u32 count, u64 *flags)
{
	u64 mask = emul_mask(size), res, f;
	u32 bits = 8 * size;
	bool carry;

	count &= size == 8 ? 63 : 31;
	a &= mask;
	fill &= mask;
	if (!count || count > bits)
		return a;
	if (right) {
		carry = (a >> (count - 1)) & 1;
		res = (count < bits ? a >> count : 0) | fill << (bits - count);
	} else {
		carry = (a >> (bits - count)) & 1;
		res = (count < bits ? a << count : 0) | fill >> (bits - count);
	}
	res &= mask;
	f = emul_szp_flags(size, res) | (carry ? FL_CF : 0);
	if ((a ^ res) & sign_bit(size))
		f |= FL_OF;
	*flags = (*flags & ~(u64)FL_ARITH) | f;
	return res;
}
