/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guests that are hypervisors (svm*.c) share: an L1 of a few instructions and its L2, which is as L1 is, in
 * L1's own tables.  One CPU of L1's at a time, but where a case says otherwise.
 */
#ifndef TESTS_GUESTS_SVM_H
#define TESTS_GUESTS_SVM_H

#include "lib.h"

#include "../../hv/svm/vmcb.h"

#define VMCB	((struct vmcb *)(u64)GPA_SCRATCH)
#define HSAVE	(GPA_SCRATCH + 0x1000)
#define MSRPM	(GPA_SCRATCH + 0x2000)
#define IOPM	(GPA_SCRATCH + 0x4000)
#define STACK	(GPA_SCRATCH + 0x10000)		/* L2's */

#define CODE64	0xa9b				/* as ->attrib has them */
#define DATA	0xc93
#define IF	0x200ull

/* L2's code, whose places have names. */
#define L2(name, code) \
	extern u8 name[], name##_end[]; \
	asm(".pushsection .text\n" #name ":\n" code "\n" #name "_end:\n vmmcall\n.popsection")

/* One of no more than the VMMCALL behind a NOP. */
extern u8 l2_nothing[], l2_nothing_end[];
/* L2's RCX and RDX; of those that are not in the VMCB it keeps no others. */
extern u64 l2_rcx, l2_rdx;
/* Of a case that has many: what is told when one fails. */
extern u32 step;

void fill(u64 at, u8 byte, u64 len);
/* All bytes of both permission maps. */
void set_maps(u8 byte);
/* L2 goes on at @code, with its stack and RFLAGS as at first. */
void begin_at(u64 code);
/* An L2 that is as L1 is, and exits for VMMCALL. */
void setup(const u8 *code);
/* To L2 and back; @sti: with interrupts on, in L1's eyes.  GIF is 0 until STGI. */
void run_l2_gif(bool sti);
/* The same, and STGI. */
void run_l2(void);
/* run_l2(), which must end so; else "error" is what it should have been, and "cr2" the step. */
void expect(u64 code);

#endif
