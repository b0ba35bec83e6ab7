/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tiny VMM and its bare-metal guests agree on: the map of guest memory, the ports that a
 * guest talks to the VMM with, and the parameter page.  Included by C on both sides and by assembly.
 *
 *	0x00000		real-mode interrupt vectors
 *	0x07000		struct gparams, written by the VMM, results written by the guest
 *	0x08000		struct gop[GOPS_MAX], the list that guest "script" works through
 *	0x10000		the guest image; also where a start-up IPI with vector 0x10 begins
 *	0x80000		stacks, 8 KiB for each CPU
 *	0xa0000		hole without memory: accesses are MMIO exits
 *	0x100000	page tables and scratch memory up to 4 MiB
 */
#ifndef GUESTS_PARAMS_H
#define GUESTS_PARAMS_H

#define GPA_PARAMS	0x7000
#define GPA_OPS		0x8000
#define GPA_IMAGE	0x10000
#define GPA_STACKS	0x80000
#define STACK_SIZE	0x2000
#define STACKS_MAX	16
#define GPA_HOLE	0xa0000
#define GPA_HOLE_END	0x100000
#define GPA_TABLES	0x100000	/* 64-bit: PML4, PDPT, 4 page directories */
#define GPA_TABLES32	0x110000	/* 32-bit: one page directory of 4 MiB pages */
#define GPA_SCRATCH	0x200000	/* free for the guests, 1 MiB */
#define GPA_SCRATCH2	0x300000	/* free for the guests, 1 MiB */
#define RAM_SIZE	0x400000
#define GPA_MMIO	0xd0000000	/* nothing is ever mapped here */
#define GVA_UNMAPPED	0x200000000	/* above the guest's 4 GiB identity map */

/* Ports that the guest reports on, all 32-bit writes. */
#define PORT_SYNC	0x5f0		/* a stage is reached; the value is its number */
#define PORT_DONE	0x5f4		/* the guest has finished */
#define PORT_FAIL	0x5f8		/* an assertion failed or an unexpected trap came */
#define PORT_TEST	0x600		/* the tests' own device */

#define MODE_64		0
#define MODE_16		16
#define MODE_32		32

/* Offsets used by the start-up code; proven against struct gparams in both compilers. */
#define P_MODE		0
#define P_GUEST		4
#define P_CPUS		8
#define P_RES(n)	(GPA_PARAMS + 0x50 + (n) * 8)

#define TRAP_NONE	0xff

/* The operations of guest "script". */
#define OP_END		0
#define OP_OUT		1	/* size 1, 2, 4; addr port; val */
#define OP_IN		2	/* size 1, 2, 4; addr port; val receives */
#define OP_WRITE	3	/* size 1, 2, 4, 8; addr; val */
#define OP_READ		4	/* size 1, 2, 4, 8; addr; val receives */
#define OP_RDMSR	5	/* addr MSR; val receives */
#define OP_WRMSR	6	/* addr MSR; val */
#define OP_SYNC		7	/* addr stage */
#define OP_CPUID	8	/* addr leaf | subleaf << 32; val gets eax | ebx << 32, err ecx | edx << 32 */
#define OP_HLT		9	/* STI; HLT; CLI */
#define OP_CALL		10	/* addr, of a function without arguments */

/* The instructions of guest "late", which are about as many bytes. */
#define LATE_BYTES	8
#define LATE_OUTS	0	/* half of them in the first page, from its end on */
#define LATE_INS	1
#define LATE_MOVS	2	/* from GPA_MMIO */
#define LATE_PUSH	3	/* likewise, at the page's end */
#define LATE_WALK	4	/* likewise, to GVA_UNMAPPED: the page is the page directory */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct gparams {
	uint32_t mode;		/* MODE_* */
	uint32_t guest;		/* G_* */
	uint32_t cpus;		/* CPUs that went through the start-up code */
	uint32_t x2apic;	/* guests with an APIC switch to x2APIC mode */
	volatile uint64_t arg[8];
	volatile uint64_t res[48];
	/* How the guest failed, when PORT_FAIL was written. */
	uint64_t fail_expr;	/* address of a string, 0 for a trap */
	uint64_t fail_file;
	uint64_t fail_line;
	uint64_t fail_vec;
	uint64_t fail_err;
	uint64_t fail_rip;
	uint64_t fail_cr2;
};

struct gop {
	uint16_t op;
	uint16_t size;
	uint32_t vec;		/* receives the vector of the trap it raised, or TRAP_NONE */
	uint64_t addr;
	uint64_t val;
	uint64_t err;		/* receives the trap's error code */
};

#define GOPS_MAX	128

_Static_assert(__builtin_offsetof(struct gparams, mode) == P_MODE, "start.S");
_Static_assert(__builtin_offsetof(struct gparams, guest) == P_GUEST, "start.S");
_Static_assert(__builtin_offsetof(struct gparams, cpus) == P_CPUS, "start.S");
_Static_assert(GPA_PARAMS + __builtin_offsetof(struct gparams, res) == P_RES(0), "real.S, state.c");
_Static_assert(sizeof(struct gparams) <= 0x1000, "one page");
_Static_assert(sizeof(struct gop) == 32, "both sides");

/* Every 64-bit guest: an entry here, and a function void guest_NAME(int cpu). */
#define GUESTS(X) \
	X(script) X(string) X(mmio_insn) X(exceptions) X(forbidden) X(hidden_cr4) X(triple) \
	X(stack_in_mmio) X(spin) X(hlt) \
	X(step_exits) X(step_branch) X(int1) X(resume_flag) \
	X(pic) X(ioapic) X(irqcount) X(timer) X(deadline) X(selfipi) X(nmi) \
	X(stishadow) X(movss) X(tpr) X(pit) X(pitlate) X(port61) X(extint) \
	X(ipi_running) X(halt_priority) X(in_service) X(apic_mode) X(apic_reads) X(level_eoi) \
	X(ap_start) X(pingpong) X(ap_init) X(broadcast) \
	X(touch) X(counter) X(waitzero) X(other_tables) X(writers) \
	X(hostile) X(regs) X(fpregs) X(fpspin) X(breakpoint) X(setdr) X(debugged) X(msrloop) \
	X(pvclock) X(pveoi) X(pvipi) X(hypercall) X(calls) X(steal) X(share) X(ins_pages) X(blocked_irq) X(synic) X(xen) \
	X(numbers) X(apf_told) X(apf_halted) X(apf_reads) X(apf_masked) X(apf_init) X(late) \
	X(svm_off) X(svm_vm_cr) X(svm_moves) X(svm_exits) X(svm_invpcid) X(svm_registers) \
	X(svm_faults) X(svm_inject) X(svm_triple) X(svm_invalid) X(svm_gif) X(svm_intr) \
	X(svm_virq) X(svm_vtpr) X(svm_nmi) X(svm_halt) X(svm_state) X(svm_step) X(svm_shared) X(svm_hyperv) \
	X(bench_cpuid) X(bench_rdmsr) X(bench_in) X(bench_mmio) X(bench_ioeventfd) \
	X(bench_selfipi) X(bench_ipi) X(bench_timer) X(bench_deadline) X(bench_irqfd) \
	X(bench_dirty) X(bench_idle)

#define GUEST_ENUM(name) G_##name,
enum guest_id { GUESTS(GUEST_ENUM) G_COUNT };

#endif
#endif
