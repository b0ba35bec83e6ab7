/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-fuzz: a virtual CPU gets random state through the KVM ioctls and runs random code, round by round.
 * All that a round draws from rnd() depends on the seed and on the round's number.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "rnd.h"
#include "vmm.h"

/* Guest-physical addresses; page tables are at GPA_TABLES and GPA_TABLES32. */
#define FUZZ_CODE	0x20000		/* of the protected modes; real mode's is 64 KiB below */
#define FUZZ_CODE_SIZE	0x8000
#define FUZZ_SMI	0x38000		/* where the handler of SMIs begins after reset */
#define GPA_TSS		0x4000
#define GPA_LDT		0x4700
#define GPA_GDT		0x5000
#define GPA_IDT		0x6000
#define GPA_PAE		(GPA_TABLES + 0x8000)	/* four entries, for the directories of the 64-bit tables */

#define SEL_CODE32	0x08
#define SEL_DATA	0x10
#define SEL_CODE64	0x18
#define SEL_TSS		0x38
#define SEL_LDT		0x50

/* PROT: 32-bit without paging; PAGED: with 4 MiB pages. */
enum mode { REAL, PROT, PAGED, PAE, LONG, MODES };

/* fuzz-mem.c: fill @size bytes at @at, and up to one instruction more, with random code. */
void code_fill(uint8_t *at, size_t size);
/* Descriptor tables, task and page tables of all modes, in guest memory. */
void tables_fill(struct vm *vm);
/* fuzz-state.c: runnable, and half of the times with no event or breakpoint left over from the last round. */
void state_rest(struct vcpu *v);
struct setting {
	enum mode mode;
	bool mutated;			/* so that neither KVM nor the CPU need take it */
	int error;			/* of KVM_SET_SREGS: 0 or -errno */
};
/*
 * Set segments, control and general registers: legal ones of a random mode, then half of the times
 * with mutations.  @fresh: those of a new virtual CPU.
 */
struct setting state_set(struct vcpu *v, const struct kvm_sregs *fresh);
/* Some of the other ioctls, with random values; they may refuse them. */
void ioctls_call(struct vcpu *v);

#endif
