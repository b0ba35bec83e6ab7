/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the emulator's own files; nobody else includes it.
 *
 * Every int-returning function here returns 0, an enum emul_result other than
 * EMUL_DONE, or a negative errno; anything but 0 ends the instruction without
 * retiring it. Hence the handlers' rule: all memory and port accesses first,
 * register and flag changes last.
 */
#ifndef BEDPLATE_EMUL_PRIV_H
#define BEDPLATE_EMUL_PRIV_H

#include "emul.h"

#define FL_CF		(1u << 0)
#define FL_FIXED	(1u << 1)
#define FL_PF		(1u << 2)
#define FL_AF		(1u << 4)
#define FL_ZF		(1u << 6)
#define FL_SF		(1u << 7)
#define FL_DF		(1u << 10)
#define FL_OF		(1u << 11)
#define FL_IOPL_SHIFT	12
#define FL_RF		(1u << 16)
#define FL_VM		(1u << 17)
#define FL_AC		(1u << 18)
#define FL_SZP		(FL_SF | FL_ZF | FL_PF)
#define FL_ARITH	(FL_OF | FL_SZP | FL_AF | FL_CF)

#define CR0_PE		(1ull << 0)
#define CR0_EM		(1ull << 2)
#define CR0_TS		(1ull << 3)
#define CR0_WP		(1ull << 16)
#define CR0_PG		(1ull << 31)
#define CR4_DE		(1ull << 3)
#define CR4_PSE		(1ull << 4)
#define CR4_PAE		(1ull << 5)
#define CR4_OSFXSR	(1ull << 9)
#define CR4_LA57	(1ull << 12)
#define CR4_OSXSAVE	(1ull << 18)
#define CR4_SMEP	(1ull << 20)
#define CR4_SMAP	(1ull << 21)
#define CR4_PKE		(1ull << 22)
#define CR4_PKS		(1ull << 24)
#define X86_EFER_LMA	(1ull << 10)
#define X86_EFER_NXE	(1ull << 11)
#define XCR0_SSE_AVX	6ull

#define VEC_DE		0
#define VEC_DB		1
#define VEC_UD		6
#define VEC_NM		7
#define VEC_SS		12
#define VEC_GP		13
#define VEC_PF		14

#define NO_REG		0xff

/* A run of linear memory (at most one page long) after translation. */
struct emul_span {
	u64 lin;
	u32 pieces;
	struct {
		u64 gpa;
		u32 len;
	} piece[2];
};

struct emul_state;
typedef int (*emul_fn)(struct emul_state *st);

/* Opcode table entry; fn NULL: not emulated. */
struct emul_op {
	emul_fn fn;
	u16 flags;
};

#define OP_MODRM	(1u << 0)	/* has a ModRM byte */
#define OP_BYTE		(1u << 1)	/* operands are bytes */
#define OP_IMM8		(1u << 2)	/* imm8, sign-extended */
#define OP_IMMZ		(1u << 3)	/* imm16/32 by operand size, sign-extended */
#define OP_MOFFS	(1u << 4)	/* address-sized absolute offset */
#define OP_LOCK		(1u << 5)	/* LOCK allowed with a memory destination */
#define OP_D64		(1u << 6)	/* operand size 64 by default in 64-bit code */
#define OP_GRP3		(1u << 7)	/* immediate only with ModRM.reg 0 or 1 */
#define OP_MEM		(1u << 8)	/* register form of ModRM is #UD */
#define OP_VEX		(1u << 9)	/* a VEX-coded form is emulated */
#define OP_REG		(1u << 10)	/* ModRM names a register, whatever its mod */

/* One decoded instruction, and the context it works on. */
struct emul_state {
	struct emul_ctx *ctx;	/* NULL when only decoding */
	const u8 *buf;		/* bytes of the instruction */
	u32 avail;		/* bytes valid in buf */
	u32 pos;		/* bytes consumed; at the end: length */
	const struct emul_op *op;

	u8 bits;		/* code width: 16, 32 or 64 */
	u8 op_size;		/* operand size without OP_BYTE: 2, 4, 8 */
	u8 ad_size;		/* 2, 4, 8 */
	u8 size;		/* operand size: op_size, or 1 for OP_BYTE */
	u8 rex;			/* the REX byte or its VEX equivalent, 0: none */
	u8 rep;			/* 0, 0xf2 or 0xf3, the last one seen */
	u8 seg_override;	/* enum emul_seg or NO_REG */
	bool opsize_prefix;
	bool adsize_prefix;
	bool lock;
	bool vex;
	u8 vex_l;		/* 0: 128 bits, 1: 256 */
	u8 vex_vvvv;		/* as coded, so 15 means unused */
	u8 map;			/* 1: one byte, 2: 0F, 3: 0F 38 */
	u8 opcode;
	u64 imm;		/* sign-extended; or the moffs address */

	u8 mod, reg, rm;	/* reg and rm with their REX bits */
	bool mem;		/* ModRM names memory: */
	u8 seg;			/* segment after override */
	u8 base, index;		/* registers or NO_REG */
	u8 scale;		/* shift 0..3 */
	bool rip_rel;
	s64 disp;

	struct emul_span span;	/* of the memory operand once mapped */
};

static inline u64 emul_mask(u32 size)
{
	return size >= 8 ? ~0ull : (1ull << (8 * size)) - 1;
}

static inline u64 emul_sext(u64 val, u32 size)
{
	u32 shift = 64 - 8 * size;

	return (u64)((s64)(val << shift) >> shift);
}

static inline bool emul_real_or_v86(const struct emul_ctx *ctx)
{
	return !(ctx->cr0 & CR0_PE) || (ctx->rflags & FL_VM);
}

/* regs.c */
u64 emul_reg_read(const struct emul_state *st, u32 reg, u32 size);
void emul_reg_write(struct emul_state *st, u32 reg, u32 size, u64 val);
/* Address-sized: 2 and 4 bytes wide parts as emul_reg_write() does. */
void emul_reg_add(struct emul_state *st, u32 reg, u32 size, s64 delta);
void emul_set_flags(struct emul_ctx *ctx, u64 mask, u64 flags);
bool emul_cond(u64 rflags, u32 cc);
u32 emul_code_bits(const struct emul_ctx *ctx);
int emul_raise(struct emul_ctx *ctx, u8 vector);		/* no error code */
int emul_raise_code(struct emul_ctx *ctx, u8 vector, u32 code);

/* segment.c: offset in a segment to linear address, with all checks. */
int emul_linear(struct emul_state *st, u32 seg, u64 off, u32 size, u32 access,
		u64 *lin);

/*
 * mem.c: translate a run of len (1..4096) bytes; then read or write it, RAM or
 * MMIO by piece, with the replay log.
 */
int emul_map(struct emul_ctx *ctx, u64 lin, u32 len, u32 access,
	     struct emul_span *span);
int emul_span_read(struct emul_ctx *ctx, const struct emul_span *span, void *buf);
int emul_span_write(struct emul_ctx *ctx, const struct emul_span *span,
		    const void *buf);
/* Whether a span of one piece is RAM for this kind of access: 0 or 1, or errno. */
int emul_span_is_ram(struct emul_ctx *ctx, const struct emul_span *span, bool write);
/*
 * Write back val where old was read; atomically when atomic is set and the span
 * is naturally aligned RAM. EMUL_AGAIN when memory changed meanwhile.
 */
int emul_span_update(struct emul_ctx *ctx, const struct emul_span *span,
		     const void *old, const void *val, bool atomic);
/*
 * String port I/O through ctx->pio_data, with the replay log. *count becomes
 * less when it was less that was answered (registers changed meanwhile).
 */
int emul_pio(struct emul_ctx *ctx, u8 kind, u16 port, u32 size, u32 *count);
/* RAM by linear address with system privilege (TSS). */
int emul_read_system(struct emul_ctx *ctx, u64 lin, void *buf, u32 len);
/*
 * A run that is RAM in each piece, and writable where the access (EMUL_WALK_...)
 * asks for it: EMUL_UNHANDLED otherwise.  emul_map_system(): with system privilege,
 * at 32 bits of the address.
 */
int emul_map_ram(struct emul_ctx *ctx, u64 lin, u32 len, u32 access, struct emul_span *span);
int emul_map_system(struct emul_ctx *ctx, u64 lin, u32 len, bool write, struct emul_span *span);
/* Bytes of it, from offset on. */
int emul_ram_read(struct emul_ctx *ctx, const struct emul_span *span, u32 offset, void *buf,
		  u32 len);
int emul_ram_write(struct emul_ctx *ctx, const struct emul_span *span, u32 offset,
		   const void *buf, u32 len);
/* Its only byte: set and clear bits, atomically. */
int emul_ram_set_bits(struct emul_ctx *ctx, const struct emul_span *span, u8 set, u8 clear);

/* walk.c: the top entries that ctx->cr3 points to, as MOV to CR3 checks them: #GP(@error). */
int emul_check_pdptes(struct emul_ctx *ctx, u32 error);

/* operand.c: the ModRM operand, register or memory. */
u64 emul_ea(const struct emul_state *st);
int emul_mem_map(struct emul_state *st, u64 ea, u32 size, u32 access);
/* The same; #GP if it is not aligned to its size, whatever paging would say. */
int emul_mem_map_aligned(struct emul_state *st, u64 ea, u32 size, u32 access);
int emul_rm_read(struct emul_state *st, u32 size, u64 *val);
/* For read-modify-write: checks write access before reading. */
int emul_rm_load(struct emul_state *st, u32 size, u64 *val);
/* After emul_rm_load(): put val where old was; LOCK honoured. */
int emul_rm_update(struct emul_state *st, u32 size, u64 old, u64 val);
int emul_rm_write(struct emul_state *st, u32 size, u64 val);

/* decode.c, optable.c */
int emul_decode(struct emul_state *st);
const struct emul_op *emul_lookup(u32 map, u32 opcode);

/* undefined.c: instead of the table's handler, for emul_run_lacking(). */
int emul_lacking(struct emul_state *st);
int emul_op_rsm(struct emul_state *st);

/* alu.c: pure arithmetic; flags in and out, only arithmetic bits change. */
enum emul_alu_op {
	ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP,
};
u64 emul_alu(u32 op, u32 size, u64 a, u64 b, u64 *flags);
u64 emul_alu_inc(u32 size, u64 a, u64 *flags);
u64 emul_alu_dec(u32 size, u64 a, u64 *flags);
/* op is ModRM.reg of the shift group. */
u64 emul_alu_shift(u32 op, u32 size, u64 a, u32 count, u64 *flags);
u64 emul_szp_flags(u32 size, u64 val);

/* muldiv.c: the same for operands of twice the width. */
u64 emul_alu_mul_low(u32 size, u64 a, u64 b, u64 *flags);
void emul_alu_mul(u32 size, bool is_signed, u64 a, u64 b, u64 *lo, u64 *hi,
		  u64 *flags);
/* hi:lo divided by @by; false: divide error. */
bool emul_alu_div(u32 size, bool is_signed, u64 lo, u64 hi, u64 by, u64 *quot,
		  u64 *rem);
u64 emul_alu_dshift(bool right, u32 size, u64 a, u64 fill, u32 count, u64 *flags);

/* Handlers, by file. */
int emul_op_alu(struct emul_state *st);			/* ex_alu.c */
int emul_op_alu_acc(struct emul_state *st);
int emul_op_alu_imm(struct emul_state *st);
int emul_op_test(struct emul_state *st);
int emul_op_grp3(struct emul_state *st);
int emul_op_grp45(struct emul_state *st);
int emul_op_shift(struct emul_state *st);
int emul_op_imul(struct emul_state *st);
int emul_op_dshift(struct emul_state *st);
int emul_op_mov_store(struct emul_state *st);
int emul_op_movnti(struct emul_state *st);		/* ex_mov.c */
int emul_op_mov_load(struct emul_state *st);
int emul_op_mov_imm(struct emul_state *st);
int emul_op_mov_sreg(struct emul_state *st);
int emul_op_mov_moffs(struct emul_state *st);
int emul_op_movx(struct emul_state *st);
int emul_op_movsxd(struct emul_state *st);
int emul_op_movbe(struct emul_state *st);
int emul_op_setcc(struct emul_state *st);
int emul_op_cmov(struct emul_state *st);
int emul_op_pop(struct emul_state *st);
int emul_op_push(struct emul_state *st);
int emul_op_xlat(struct emul_state *st);
int emul_op_nop(struct emul_state *st);
int emul_op_clflush(struct emul_state *st);
int emul_op_xchg(struct emul_state *st);		/* ex_atomic.c */
int emul_op_xadd(struct emul_state *st);
int emul_op_cmpxchg(struct emul_state *st);
int emul_op_cmpxchg8b(struct emul_state *st);
int emul_op_bt_reg(struct emul_state *st);
int emul_op_bt_imm(struct emul_state *st);
int emul_op_bsx(struct emul_state *st);
int emul_op_string(struct emul_state *st);		/* ex_string.c */
int emul_op_mov_from_dr(struct emul_state *st);		/* ex_dr.c */
int emul_op_mov_to_dr(struct emul_state *st);
int emul_op_ins(struct emul_state *st);			/* ex_pio.c */
int emul_op_outs(struct emul_state *st);
int emul_op_vec(struct emul_state *st);			/* ex_vec.c */

/*
 * ex_string.c: run iter under the REP prefix. iter does one step, moves the
 * index registers, and stores in *n how many elements it did (at most *n, the
 * count left, on entry).
 */
int emul_rep(struct emul_state *st, int (*iter)(struct emul_state *st, u64 *n));

#endif
