// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which instructions are emulated: one table per opcode map, by opcode.
 * Everything absent is left to the VMM as not emulated.
 */
#include "emul_priv.h"

#define RM	OP_MODRM
#define BYTE	(OP_MODRM | OP_BYTE)

/* The six encodings of one arithmetic operation; CMP takes no LOCK. */
#define ALU(base, lock) \
	[(base) + 0] = { emul_op_alu, BYTE | (lock) }, \
	[(base) + 1] = { emul_op_alu, RM | (lock) }, \
	[(base) + 2] = { emul_op_alu, BYTE }, \
	[(base) + 3] = { emul_op_alu, RM }, \
	[(base) + 4] = { emul_op_alu_acc, OP_BYTE | OP_IMM8 }, \
	[(base) + 5] = { emul_op_alu_acc, OP_IMMZ }

static const struct emul_op one_byte[256] = {
	ALU(0x00, OP_LOCK),
	ALU(0x08, OP_LOCK),
	ALU(0x10, OP_LOCK),
	ALU(0x18, OP_LOCK),
	ALU(0x20, OP_LOCK),
	ALU(0x28, OP_LOCK),
	ALU(0x30, OP_LOCK),
	ALU(0x38, 0),
	[0x63] = { emul_op_movsxd, RM },
	[0x69] = { emul_op_imul, RM | OP_IMMZ },
	[0x6b] = { emul_op_imul, RM | OP_IMM8 },
	[0x6c] = { emul_op_ins, OP_BYTE },
	[0x6d] = { emul_op_ins, 0 },
	[0x6e] = { emul_op_outs, OP_BYTE },
	[0x6f] = { emul_op_outs, 0 },
	[0x80] = { emul_op_alu_imm, BYTE | OP_IMM8 | OP_LOCK },
	[0x81] = { emul_op_alu_imm, RM | OP_IMMZ | OP_LOCK },
	[0x83] = { emul_op_alu_imm, RM | OP_IMM8 | OP_LOCK },
	[0x84] = { emul_op_test, BYTE },
	[0x85] = { emul_op_test, RM },
	[0x86] = { emul_op_xchg, BYTE | OP_LOCK },
	[0x87] = { emul_op_xchg, RM | OP_LOCK },
	[0x88] = { emul_op_mov_store, BYTE },
	[0x89] = { emul_op_mov_store, RM },
	[0x8a] = { emul_op_mov_load, BYTE },
	[0x8b] = { emul_op_mov_load, RM },
	[0x8c] = { emul_op_mov_sreg, RM },
	[0x8f] = { emul_op_pop, RM | OP_D64 },
	[0xa0] = { emul_op_mov_moffs, OP_BYTE | OP_MOFFS },
	[0xa1] = { emul_op_mov_moffs, OP_MOFFS },
	[0xa2] = { emul_op_mov_moffs, OP_BYTE | OP_MOFFS },
	[0xa3] = { emul_op_mov_moffs, OP_MOFFS },
	[0xa4] = { emul_op_string, OP_BYTE },
	[0xa5] = { emul_op_string, 0 },
	[0xa6] = { emul_op_string, OP_BYTE },
	[0xa7] = { emul_op_string, 0 },
	[0xa8] = { emul_op_alu_acc, OP_BYTE | OP_IMM8 },
	[0xa9] = { emul_op_alu_acc, OP_IMMZ },
	[0xaa] = { emul_op_string, OP_BYTE },
	[0xab] = { emul_op_string, 0 },
	[0xac] = { emul_op_string, OP_BYTE },
	[0xad] = { emul_op_string, 0 },
	[0xae] = { emul_op_string, OP_BYTE },
	[0xaf] = { emul_op_string, 0 },
	[0xc0] = { emul_op_shift, BYTE | OP_IMM8 },
	[0xc1] = { emul_op_shift, RM | OP_IMM8 },
	[0xc6] = { emul_op_mov_imm, BYTE | OP_IMM8 },
	[0xc7] = { emul_op_mov_imm, RM | OP_IMMZ },
	[0xd0] = { emul_op_shift, BYTE },
	[0xd1] = { emul_op_shift, RM },
	[0xd2] = { emul_op_shift, BYTE },
	[0xd3] = { emul_op_shift, RM },
	[0xd7] = { emul_op_xlat, OP_BYTE },
	[0xf6] = { emul_op_grp3, BYTE | OP_IMM8 | OP_GRP3 | OP_LOCK },
	[0xf7] = { emul_op_grp3, RM | OP_IMMZ | OP_GRP3 | OP_LOCK },
	[0xfe] = { emul_op_grp45, BYTE | OP_LOCK },
	[0xff] = { emul_op_grp45, RM | OP_LOCK },
};

static const struct emul_op two_byte[256] = {
	[0x0d] = { emul_op_nop, RM },
	[0x10] = { emul_op_vec, RM | OP_VEX },
	[0x11] = { emul_op_vec, RM | OP_VEX },
	[0x12] = { emul_op_vec, RM | OP_VEX },
	[0x13] = { emul_op_vec, RM | OP_VEX },
	[0x16] = { emul_op_vec, RM | OP_VEX },
	[0x17] = { emul_op_vec, RM | OP_VEX },
	[0x18] = { emul_op_nop, RM },
	[0x1f] = { emul_op_nop, RM },
	[0x21] = { emul_op_mov_from_dr, RM | OP_REG },
	[0x23] = { emul_op_mov_to_dr, RM | OP_REG },
	[0x28] = { emul_op_vec, RM | OP_VEX },
	[0x29] = { emul_op_vec, RM | OP_VEX },
	[0x2b] = { emul_op_vec, RM | OP_VEX },
	[0x40 ... 0x4f] = { emul_op_cmov, RM },
	[0x6e] = { emul_op_vec, RM | OP_VEX },
	[0x6f] = { emul_op_vec, RM | OP_VEX },
	[0x7e] = { emul_op_vec, RM | OP_VEX },
	[0x7f] = { emul_op_vec, RM | OP_VEX },
	[0x90 ... 0x9f] = { emul_op_setcc, BYTE },
	[0xa3] = { emul_op_bt_reg, RM },
	[0xa4] = { emul_op_dshift, RM | OP_IMM8 },
	[0xa5] = { emul_op_dshift, RM },
	[0xaa] = { emul_op_rsm, 0 },
	[0xab] = { emul_op_bt_reg, RM | OP_LOCK },
	[0xac] = { emul_op_dshift, RM | OP_IMM8 },
	[0xad] = { emul_op_dshift, RM },
	[0xae] = { emul_op_clflush, RM },
	[0xaf] = { emul_op_imul, RM },
	[0xb0] = { emul_op_cmpxchg, BYTE | OP_LOCK },
	[0xb1] = { emul_op_cmpxchg, RM | OP_LOCK },
	[0xb3] = { emul_op_bt_reg, RM | OP_LOCK },
	[0xb6] = { emul_op_movx, RM },
	[0xb7] = { emul_op_movx, RM },
	[0xba] = { emul_op_bt_imm, RM | OP_IMM8 | OP_LOCK },
	[0xbb] = { emul_op_bt_reg, RM | OP_LOCK },
	[0xbc] = { emul_op_bsx, RM },
	[0xbd] = { emul_op_bsx, RM },
	[0xbe] = { emul_op_movx, RM },
	[0xbf] = { emul_op_movx, RM },
	[0xc0] = { emul_op_xadd, BYTE | OP_LOCK },
	[0xc1] = { emul_op_xadd, RM | OP_LOCK },
	[0xc3] = { emul_op_movnti, RM | OP_MEM },
	[0xc7] = { emul_op_cmpxchg8b, RM | OP_LOCK },
	[0xd6] = { emul_op_vec, RM | OP_VEX },
	[0xe7] = { emul_op_vec, RM | OP_VEX },
	[0xf0] = { emul_op_vec, RM | OP_VEX },
};

static const struct emul_op vec_38 = { emul_op_vec, RM | OP_VEX };
static const struct emul_op movbe = { emul_op_movbe, RM | OP_MEM };

const struct emul_op *emul_lookup(u32 map, u32 opcode)
{
	switch (map) {
	case 1:
		return &one_byte[opcode];
	case 2:
		return &two_byte[opcode];
	case 3:
		if (opcode == 0x2a)
			return &vec_38;
		if (opcode == 0xf0 || opcode == 0xf1)
			return &movbe;
	}
	return NULL;
}
