/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One instruction on the real CPU, in user space: its bytes end where you like before a page that is not
 * mapped, all registers are the caller's, and what it does is told, whatever it is. A signal's
 * frame loads and stores the registers; the trap flag ends it after one instruction; a filter of
 * system calls ends those that it would make.
 */
#ifndef TESTS_FUZZ_NATIVE_H
#define TESTS_FUZZ_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#define CODE		0x20000000ull	/* one page, then nothing */
#define CODE_END	(CODE + 0x1000)
#define DATA		0x20002000ull	/* two pages, nothing around them */
#define DATA_SIZE	0x2000u
#define INSN_BYTES	15

struct native {
	uint64_t gpr[16];	/* in x86's order */
	uint64_t rip, rflags;
	uint8_t xmm[16][16];
	/* Out: */
	bool retired;
	uint8_t vector;		/* of the exception, if not */
	uint32_t error;
	uint64_t cr2;
};

/* Once. False: there is no room, or no filter. */
bool native_init(void);
/* The instruction is at @n->rip; a repeated one is run to its end. False: it made a system call. */
bool native_run(struct native *n);

#endif
