/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One instruction that a VMM's kernel emulates, with memory that comes late.
 *
 * arg[0] where that is; arg[1] the instruction, LATE_*; res[0] and res[1]: what registers have after it.
 */
#include "lib.h"

void guest_late(int cpu)
{
	u64 late = P->arg[0], from = GPA_MMIO, to = late, n = LATE_BYTES, val = 0;

	(void)cpu;
	switch (P->arg[1]) {
	case LATE_OUTS:
		from = late + 0x1000 - LATE_BYTES / 2;
		asm volatile("rep outsb" : "+c"(n), "+S"(from) : "d"(PORT_TEST) : "memory");
		break;
	case LATE_INS:
		asm volatile("rep insb" : "+c"(n), "+D"(to) : "d"(PORT_TEST) : "memory");
		break;
	case LATE_MOVS:
		asm volatile("movsq" : "+S"(from), "+D"(to) : : "memory");
		break;
	case LATE_PUSH:
		to = late + 0x1000;
		asm volatile("xchg %%rsp, %0\n\tpush (%1)\n\txchg %%rsp, %0"
			     : "+r"(to) : "r"(from) : "memory");
		break;
	default:	/* LATE_WALK: by a page directory that comes late, at GVA_UNMAPPED */
		MEM(u64, GPA_TABLES + 0x1000 + 8 * (GVA_UNMAPPED >> 30)) = late | 3;
		to = GVA_UNMAPPED;
		asm volatile("movsq" : "+S"(from), "+D"(to) : : "memory");
		val = MEM(u64, to - 8);
	}
	P->res[0] = P->arg[1] == LATE_OUTS || P->arg[1] == LATE_MOVS ? from : to;
	P->res[1] = P->arg[1] == LATE_WALK ? val : n;
}
