/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instructions test_emul_native.c generates: encodings, what operands they
 * want, and which flags they define.
 */
#ifndef TESTS_UNIT_EMUL_NATIVE_CASES_H
#define TESTS_UNIT_EMUL_NATIVE_CASES_H

#include "emul_native.h"

#define ALU(n, base, defined) \
	{ n " rm8,r8", 0, 1, base, -1, 0, T_BYTE, defined }, \
	{ n " rm,r", 0, 1, base + 1, -1, 0, 0, defined }, \
	{ n " r8,rm8", 0, 1, base + 2, -1, 0, T_BYTE, defined }, \
	{ n " r,rm", 0, 1, base + 3, -1, 0, 0, defined }, \
	{ n " rm8,imm", 0, 1, 0x80, base / 8, 1, T_BYTE, defined }, \
	{ n " rm,imm", 0, 1, 0x81, base / 8, 4, 0, defined }, \
	{ n " rm,imm8", 0, 1, 0x83, base / 8, 1, 0, defined }, \
	{ n " al,imm", 0, 1, base + 4, -1, 1, T_BYTE | T_NOMODRM, defined }, \
	{ n " ax,imm", 0, 1, base + 5, -1, 4, T_NOMODRM, defined }
#define LOCKED(n, base, defined) \
	{ "lock " n " rm8", 0, 1, base, -1, 0, T_BYTE | T_LOCK, defined }, \
	{ "lock " n " rm", 0, 1, base + 1, -1, 0, T_LOCK, defined }, \
	{ "lock " n " imm", 0, 1, 0x81, base / 8, 4, T_LOCK, defined }
#define SHIFT(n, r) \
	{ n " 8,1", 0, 1, 0xd0, r, 0, T_BYTE | T_SHIFT, FL_NO_AF }, \
	{ n " ,1", 0, 1, 0xd1, r, 0, T_SHIFT, FL_NO_AF }, \
	{ n " 8,cl", 0, 1, 0xd2, r, 0, T_BYTE | T_SHIFT_CL, FL_NO_AF }, \
	{ n " ,cl", 0, 1, 0xd3, r, 0, T_SHIFT_CL, FL_NO_AF }, \
	{ n " 8,imm", 0, 1, 0xc0, r, 1, T_BYTE | T_SHIFT_IMM, FL_NO_AF }, \
	{ n " ,imm", 0, 1, 0xc1, r, 1, T_SHIFT_IMM, FL_NO_AF }
#define CC(n, c) \
	{ "cmov" n, 0, 2, 0x40 + c, -1, 0, 0, FL_ALL }, \
	{ "set" n, 0, 2, 0x90 + c, -1, 0, T_BYTE, FL_ALL }
#define STRING(n, o) \
	{ n "b", 0, 1, o, -1, 0, T_STRING | T_BYTE, FL_ALL }, \
	{ n, 0, 1, o + 1, -1, 0, T_STRING, FL_ALL }, \
	{ "repe " n, 0xf3, 1, o + 1, -1, 0, T_STRING, FL_ALL }, \
	{ "repne " n "b", 0xf2, 1, o, -1, 0, T_STRING | T_BYTE, FL_ALL }

static const struct tmpl tmpls[] = {
	ALU("add", 0x00, FL_ALL), ALU("or", 0x08, FL_NO_AF),
	ALU("adc", 0x10, FL_ALL), ALU("sbb", 0x18, FL_ALL),
	ALU("and", 0x20, FL_NO_AF), ALU("sub", 0x28, FL_ALL),
	ALU("xor", 0x30, FL_NO_AF), ALU("cmp", 0x38, FL_ALL),
	LOCKED("add", 0x00, FL_ALL), LOCKED("or", 0x08, FL_NO_AF),
	LOCKED("adc", 0x10, FL_ALL), LOCKED("sbb", 0x18, FL_ALL),
	LOCKED("and", 0x20, FL_NO_AF), LOCKED("sub", 0x28, FL_ALL),
	LOCKED("xor", 0x30, FL_NO_AF),
	{ "test rm8,r8", 0, 1, 0x84, -1, 0, T_BYTE, FL_NO_AF },
	{ "test rm,r", 0, 1, 0x85, -1, 0, 0, FL_NO_AF },
	{ "test al,imm", 0, 1, 0xa8, -1, 1, T_BYTE | T_NOMODRM, FL_NO_AF },
	{ "test ax,imm", 0, 1, 0xa9, -1, 4, T_NOMODRM, FL_NO_AF },
	{ "test rm8,imm", 0, 1, 0xf6, 0, 1, T_BYTE, FL_NO_AF },
	{ "test rm,imm", 0, 1, 0xf7, 0, 4, 0, FL_NO_AF },
	{ "not rm8", 0, 1, 0xf6, 2, 0, T_BYTE, FL_ALL },
	{ "not rm", 0, 1, 0xf7, 2, 0, 0, FL_ALL },
	{ "lock not rm", 0, 1, 0xf7, 2, 0, T_LOCK, FL_ALL },
	{ "neg rm8", 0, 1, 0xf6, 3, 0, T_BYTE, FL_ALL },
	{ "neg rm", 0, 1, 0xf7, 3, 0, T_LOCK, FL_ALL },
	{ "mul rm8", 0, 1, 0xf6, 4, 0, T_BYTE, FL_CF_OF },
	{ "mul rm", 0, 1, 0xf7, 4, 0, 0, FL_CF_OF },
	{ "imul rm8", 0, 1, 0xf6, 5, 0, T_BYTE, FL_CF_OF },
	{ "imul rm", 0, 1, 0xf7, 5, 0, 0, FL_CF_OF },
	{ "div rm8", 0, 1, 0xf6, 6, 0, T_BYTE | T_DIV, 0 },
	{ "div rm", 0, 1, 0xf7, 6, 0, T_DIV, 0 },
	{ "idiv rm8", 0, 1, 0xf6, 7, 0, T_BYTE | T_DIV, 0 },
	{ "idiv rm", 0, 1, 0xf7, 7, 0, T_DIV, 0 },
	{ "shld imm", 0, 2, 0xa4, -1, 1, T_SHIFT_IMM | T_DSHIFT, FL_NO_AF },
	{ "shld cl", 0, 2, 0xa5, -1, 0, T_SHIFT_CL | T_DSHIFT, FL_NO_AF },
	{ "shrd imm", 0, 2, 0xac, -1, 1, T_SHIFT_IMM | T_DSHIFT, FL_NO_AF },
	{ "shrd cl", 0, 2, 0xad, -1, 0, T_SHIFT_CL | T_DSHIFT, FL_NO_AF },
	{ "imul r,rm", 0, 2, 0xaf, -1, 0, 0, FL_CF_OF },
	{ "imul r,rm,imm", 0, 1, 0x69, -1, 4, 0, FL_CF_OF },
	{ "imul r,rm,imm8", 0, 1, 0x6b, -1, 1, 0, FL_CF_OF },
	{ "inc rm8", 0, 1, 0xfe, 0, 0, T_BYTE, FL_ALL },
	{ "inc rm", 0, 1, 0xff, 0, 0, T_LOCK, FL_ALL },
	{ "dec rm8", 0, 1, 0xfe, 1, 0, T_BYTE, FL_ALL },
	{ "dec rm", 0, 1, 0xff, 1, 0, 0, FL_ALL },
	SHIFT("rol", 0), SHIFT("ror", 1), SHIFT("rcl", 2), SHIFT("rcr", 3),
	SHIFT("shl", 4), SHIFT("shr", 5), SHIFT("sal", 6), SHIFT("sar", 7),
	{ "mov rm8,r8", 0, 1, 0x88, -1, 0, T_BYTE, FL_ALL },
	{ "mov rm,r", 0, 1, 0x89, -1, 0, 0, FL_ALL },
	{ "mov r8,rm8", 0, 1, 0x8a, -1, 0, T_BYTE, FL_ALL },
	{ "mov r,rm", 0, 1, 0x8b, -1, 0, 0, FL_ALL },
	{ "mov rm8,imm", 0, 1, 0xc6, 0, 1, T_BYTE, FL_ALL },
	{ "mov rm,imm", 0, 1, 0xc7, 0, 4, 0, FL_ALL },
	{ "mov al,moffs", 0, 1, 0xa0, -1, 0, T_MOFFS | T_BYTE, FL_ALL },
	{ "mov ax,moffs", 0, 1, 0xa1, -1, 0, T_MOFFS, FL_ALL },
	{ "mov moffs,al", 0, 1, 0xa2, -1, 0, T_MOFFS | T_BYTE, FL_ALL },
	{ "mov moffs,ax", 0, 1, 0xa3, -1, 0, T_MOFFS, FL_ALL },
	{ "movzx r,rm8", 0, 2, 0xb6, -1, 0, 0, FL_ALL },
	{ "movzx r,rm16", 0, 2, 0xb7, -1, 0, 0, FL_ALL },
	{ "movsx r,rm8", 0, 2, 0xbe, -1, 0, 0, FL_ALL },
	{ "movsx r,rm16", 0, 2, 0xbf, -1, 0, 0, FL_ALL },
	{ "movsxd", 0, 1, 0x63, -1, 0, 0, FL_ALL },
	{ "movnti", 0, 2, 0xc3, -1, 0, T_NOSIZE, FL_ALL },
	{ "movbe load", 0, 3, 0xf0, -1, 0, 0, FL_ALL },
	{ "movbe store", 0, 3, 0xf1, -1, 0, 0, FL_ALL },
	{ "xlat", 0, 1, 0xd7, -1, 0, T_XLAT | T_BYTE, FL_ALL },
	CC("o", 0), CC("no", 1), CC("b", 2), CC("nb", 3), CC("z", 4),
	CC("nz", 5), CC("be", 6), CC("nbe", 7), CC("s", 8), CC("ns", 9),
	CC("p", 10), CC("np", 11), CC("l", 12), CC("nl", 13), CC("le", 14),
	CC("nle", 15),
	{ "xchg8", 0, 1, 0x86, -1, 0, T_BYTE, FL_ALL },
	{ "xchg", 0, 1, 0x87, -1, 0, T_LOCK, FL_ALL },
	{ "xadd8", 0, 2, 0xc0, -1, 0, T_BYTE, FL_ALL },
	{ "xadd", 0, 2, 0xc1, -1, 0, T_LOCK, FL_ALL },
	{ "cmpxchg8", 0, 2, 0xb0, -1, 0, T_BYTE | T_ACC, FL_ALL },
	{ "cmpxchg", 0, 2, 0xb1, -1, 0, T_ACC | T_LOCK, FL_ALL },
	{ "cmpxchg8b", 0, 2, 0xc7, 1, 0, T_ACC | T_ALIGN | T_NOSIZE, FL_ALL },
	{ "lock cmpxchg8b", 0, 2, 0xc7, 1, 0, T_ACC | T_ALIGN | T_LOCK | T_NOSIZE,
	  FL_ALL },
	{ "bt", 0, 2, 0xa3, -1, 0, T_BITS, FL_CF_ZF },
	{ "bts", 0, 2, 0xab, -1, 0, T_BITS, FL_CF_ZF },
	{ "btr", 0, 2, 0xb3, -1, 0, T_BITS | T_LOCK, FL_CF_ZF },
	{ "btc", 0, 2, 0xbb, -1, 0, T_BITS, FL_CF_ZF },
	{ "bt imm", 0, 2, 0xba, 4, 1, 0, FL_CF_ZF },
	{ "bts imm", 0, 2, 0xba, 5, 1, T_LOCK, FL_CF_ZF },
	{ "btr imm", 0, 2, 0xba, 6, 1, 0, FL_CF_ZF },
	{ "btc imm", 0, 2, 0xba, 7, 1, 0, FL_CF_ZF },
	{ "bsf", 0, 2, 0xbc, -1, 0, T_NONZERO, 0x40 },
	{ "bsr", 0, 2, 0xbd, -1, 0, T_NONZERO, 0x40 },
	{ "prefetch", 0, 2, 0x18, 1, 0, 0, FL_ALL },
	{ "nop", 0, 2, 0x1f, 0, 0, 0, FL_ALL },
	{ "clflush", 0, 2, 0xae, 7, 0, T_NOSIZE, FL_ALL },
	STRING("movs", 0xa4), STRING("cmps", 0xa6), STRING("stos", 0xaa),
	STRING("lods", 0xac), STRING("scas", 0xae),
	{ "movups load", 0, 2, 0x10, -1, 0, T_XMM, FL_ALL },
	{ "movupd load", 0x66, 2, 0x10, -1, 0, T_XMM, FL_ALL },
	{ "movss load", 0xf3, 2, 0x10, -1, 0, T_XMM, FL_ALL },
	{ "movsd load", 0xf2, 2, 0x10, -1, 0, T_XMM, FL_ALL },
	{ "movups store", 0, 2, 0x11, -1, 0, T_XMM, FL_ALL },
	{ "movupd store", 0x66, 2, 0x11, -1, 0, T_XMM, FL_ALL },
	{ "movss store", 0xf3, 2, 0x11, -1, 0, T_XMM, FL_ALL },
	{ "movsd store", 0xf2, 2, 0x11, -1, 0, T_XMM, FL_ALL },
	{ "movlps load", 0, 2, 0x12, -1, 0, T_XMM, FL_ALL },
	{ "movlps store", 0, 2, 0x13, -1, 0, T_XMM, FL_ALL },
	{ "movhps load", 0, 2, 0x16, -1, 0, T_XMM, FL_ALL },
	{ "movhpd store", 0x66, 2, 0x17, -1, 0, T_XMM, FL_ALL },
	{ "movaps load", 0, 2, 0x28, -1, 0, T_XMM | T_ALIGN, FL_ALL },
	{ "movaps store", 0, 2, 0x29, -1, 0, T_XMM | T_ALIGN, FL_ALL },
	{ "movntps", 0, 2, 0x2b, -1, 0, T_XMM | T_ALIGN, FL_ALL },
	{ "movd load", 0x66, 2, 0x6e, -1, 0, T_XMM, FL_ALL },
	{ "movdqa load", 0x66, 2, 0x6f, -1, 0, T_XMM | T_ALIGN, FL_ALL },
	{ "movdqu load", 0xf3, 2, 0x6f, -1, 0, T_XMM, FL_ALL },
	{ "movd store", 0x66, 2, 0x7e, -1, 0, T_XMM, FL_ALL },
	{ "movq load", 0xf3, 2, 0x7e, -1, 0, T_XMM, FL_ALL },
	{ "movdqa store", 0x66, 2, 0x7f, -1, 0, T_XMM | T_ALIGN, FL_ALL },
	{ "movdqu store", 0xf3, 2, 0x7f, -1, 0, T_XMM, FL_ALL },
	{ "movq store", 0x66, 2, 0xd6, -1, 0, T_XMM, FL_ALL },
	{ "movntdq", 0x66, 2, 0xe7, -1, 0, T_XMM | T_ALIGN, FL_ALL },
	{ "lddqu", 0xf2, 2, 0xf0, -1, 0, T_XMM, FL_ALL },
	{ "movntdqa", 0x66, 3, 0x2a, -1, 0, T_XMM | T_ALIGN, FL_ALL },
	{ "vmovups load", 0, 2, 0x10, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovupd store", 0x66, 2, 0x11, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovss load", 0xf3, 2, 0x10, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovsd store", 0xf2, 2, 0x11, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovhps store", 0, 2, 0x17, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovaps load", 0, 2, 0x28, -1, 0, T_XMM | T_ALIGN | T_VEX, FL_ALL },
	{ "vmovd load", 0x66, 2, 0x6e, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovd store", 0x66, 2, 0x7e, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovq load", 0xf3, 2, 0x7e, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovdqa load", 0x66, 2, 0x6f, -1, 0, T_XMM | T_ALIGN | T_VEX, FL_ALL },
	{ "vmovdqu load", 0xf3, 2, 0x6f, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovdqa store", 0x66, 2, 0x7f, -1, 0, T_XMM | T_ALIGN | T_VEX, FL_ALL },
	{ "vmovdqu store", 0xf3, 2, 0x7f, -1, 0, T_XMM | T_VEX, FL_ALL },
	{ "vmovntdq", 0x66, 2, 0xe7, -1, 0, T_XMM | T_ALIGN | T_VEX, FL_ALL },
	{ "vmovntdqa", 0x66, 3, 0x2a, -1, 0, T_XMM | T_ALIGN | T_VEX, FL_ALL },
};

#endif
