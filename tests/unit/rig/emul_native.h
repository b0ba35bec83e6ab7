/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random instructions for test_emul_native.c: how a kind of instruction is
 * described, and what one generated case is.
 */
#ifndef TESTS_UNIT_EMUL_NATIVE_H
#define TESTS_UNIT_EMUL_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#define CODE		0x20000000ull
#define DATA		(CODE + 0x1000)
#define DATA_PAGES	3
#define DATA_SIZE	(DATA_PAGES * 0x1000)

#define FL_ALL		0x8d5u
#define FL_NO_AF	0x8c5u
#define FL_CF_OF	0x801u
#define FL_CF_ZF	0x041u

#define T_BYTE		(1u << 0)
#define T_LOCK		(1u << 1)	/* may carry LOCK */
#define T_ACC		(1u << 2)	/* memory equals rDX:rAX half the time */
#define T_BITS		(1u << 3)	/* register is a signed bit offset */
#define T_STRING	(1u << 4)
#define T_XMM		(1u << 5)
#define T_ALIGN		(1u << 6)	/* 16-byte aligned memory */
#define T_MOFFS		(1u << 7)
#define T_NONZERO	(1u << 8)	/* memory operand is not 0 */
#define T_SHIFT		(1u << 9)	/* by 1 */
#define T_SHIFT_IMM	(1u << 10)
#define T_SHIFT_CL	(1u << 11)
#define T_XLAT		(1u << 12)
#define T_NOSIZE	(1u << 13)	/* no operand size prefix */
#define T_DIV		(1u << 14)	/* rDX:rAX is divisible without overflow */
#define T_DSHIFT	(1u << 15)	/* with T_SHIFT_*: two operands */
#define T_VEX		(1u << 16)	/* VEX-coded, 128 bits */
#define T_NOMODRM	(1u << 17)	/* accumulator and immediate */
/* Kinds whose register form is undefined, not emulated or not prepared for. */
#define T_MEMORY	(T_LOCK | T_ACC | T_XMM | T_ALIGN | T_NONZERO | T_NOSIZE | T_DIV)

struct tmpl {
	const char *name;
	uint8_t prefix, map, op;
	int8_t reg;		/* ModRM.reg, -1: any */
	uint8_t imm;		/* 0; 1: imm8; 4: by operand size */
	uint32_t kind;
	uint16_t flags;		/* flags that are defined */
};

struct cpu {
	uint64_t gpr[16];	/* x86 order; gpr[4] is not used */
	uint64_t rflags;
	uint8_t xmm[16][16];
};

/* One generated case. */
struct tcase {
	const struct tmpl *t;
	struct cpu cpu;
	uint8_t code[16];
	int len;
	int size;		/* operand size */
	uint8_t rex;
	bool addr32;
	uint8_t data[DATA_SIZE];
	uint64_t flags;		/* flags to compare */
	bool undefined;		/* the result is: not to be run */
};

/* Make up registers, memory and code for one instruction of this kind. */
void emul_generate(struct tcase *c, const struct tmpl *t);

#endif
