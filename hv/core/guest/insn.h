/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The little that Bedplate itself decodes: how long an intercepted
 * instruction is where hardware does not tell, and plain MOVs to and from
 * the local APIC page, ioeventfds and IOMMUs.  Everything else is the shim's work.
 *
 * insn.c is pure and host-tested; gwalk.c reads the guest's memory.
 */
#ifndef HV_CORE_INSN_H
#define HV_CORE_INSN_H

#include "lib/types.h"

struct vcpu;
struct vcpu_paging;

#define INSN_MAX	15
#define INSN_BUF	16		/* what insn_fetch() may fill */

/* A decoded MOV between memory and a register or immediate. */
struct insn_mov {
	u8 len;			/* of the instruction */
	u8 size;		/* of the memory access: 1, 2, 4, 8 */
	bool write;
	bool imm;		/* write of ->imm_val, else of/to register ->reg */
	u8 reg;			/* x86 encoding */
	u8 reg_size;		/* of the destination register of a read */
	bool high_byte;		/* AH, CH, DH, BH */
	bool sign_extend;
	u64 imm_val;		/* sign-extended to ->size */
	/* The address, where segment bases are 0: base + (index << scale) + disp. */
	bool flat;		/* no FS or GS override, 64-bit addressing */
	u8 base, index;		/* register, INSN_NONE, base also INSN_RIP */
	u8 scale;
	s64 disp;
};

/* A decoded MOVS. */
struct insn_movs {
	u8 len;			/* of the instruction */
	u8 size;		/* of an element: 1, 2, 4, 8 */
	bool rep;
};

#define INSN_NONE	0xff
#define INSN_RIP	0xfe

/* Bytes of legacy and (long) REX prefixes in front; -EINVAL if all of it is. */
int insn_prefix_len(const u8 *b, u32 n, bool cs_long);
/* 0, or -EINVAL: not one of the simple forms, or cut short. */
int insn_decode_mov(const u8 *b, u32 n, bool cs_long, bool cs_big, struct insn_mov *m);
/* The same for a MOVS of 64-bit code, with 64-bit addresses, not by FS or GS. */
int insn_decode_movs(const u8 *b, u32 n, struct insn_movs *m);
/*
 * MOV to a control register (0F 22 /r; AMD's LOCK MOV CR0 is CR8): which, from
 * which GPR.  -EINVAL: another instruction.
 */
int insn_decode_mov_cr(const u8 *b, u32 n, bool cs_long, u8 *cr, u8 *reg, u8 *len);

/*
 * Guest-virtual to guest-physical, without permission checks (the guest's CPU
 * made them already).  -EFAULT: not mapped, or tables unreadable.  Any
 * context where the vCPU's registers may be read.
 */
int gva_to_gpa(struct vcpu *v, const struct vcpu_paging *p, gva_t gva, gpa_t *gpa);
/* RIP past the exiting instruction, which is done (skip.c). v is current. */
void vcpu_skip(struct vcpu *v);
/* Length of the exiting instruction; 0: its page vanished meanwhile. */
u8 vcpu_insn_len(struct vcpu *v);
/* Up to INSN_MAX bytes at CS:RIP into @buf of INSN_BUF; result: how many, or -EFAULT. */
int insn_fetch(struct vcpu *v, const struct vcpu_paging *p, u8 *buf);

#endif
