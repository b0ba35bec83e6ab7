/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All of Bedplate's core above the back end, on a made-up machine: the hypercalls, the run
 * loop, exits, scheduler, memory. In place of SVM or VMX is a back end whose ops->run() asks the target
 * what the vCPU does. The CPU's own refusals are here: what a real one would not load ends the run.
 *
 * 64 MiB of RAM: domain 0 has the first 48, but for two ACPI pages; the rest is Bedplate's. Above is MMIO.
 */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/vcpu/vcpu.h"

#define M_TOP		(64ull << 20)
#define M_ACPI		0x700000ull
#define M_POOL		(48ull << 20)
#define M_CPUS		2
#define M_DEVICES	4

/* Frames by what the targets use them for. */
#define M_NAMED		16u		/* lists, rings, pages of vCPUs */
#define M_NAMED_NR	128u
#define M_GUEST		0x800u		/* mapped into guests; aligned to 2 MiB */
#define M_GUEST_NR	0x1800u
#define M_DONATE	0x2000u
#define M_DONATE_NR	0x1000u

/* Once: memory, frame table, domain 0's tables and vCPUs on @cpus CPUs. */
void machine_boot(u32 cpus);
/* As it was after boot: what domain 0 has in its own registers and memory. All guests are gone. */
void machine_rewind(void);

/* Make this thread CPU @i, and run its loop until machine_leave(), by which ops->run() ends it. */
void machine_run(u32 i);
noreturn void machine_leave(void);

/* Supplied by the target: the current vCPU is in guest mode; fill v->exit. */
void step_dom0(struct vcpu *v);
void step_guest(struct vcpu *v);
/* Nothing can run on this CPU: make it so that something can. */
void step_idle(struct cpu *c);
/* A CPU waits for another one. */
void step_wait(void);

/*
 * What holds at any time when no other CPU is in Bedplate: no table names a frame of Bedplate's or of another domain's, each
 * reference is counted, each frame has one owner. @empty: also that no guest is left, and nothing is missing.
 */
void machine_check(bool empty);

/* What a CPU could have cached for this guest-physical page right now; false: nothing. */
bool machine_translate(struct domain *d, u64 gfn, u64 *pfn);

/* Time goes on. */
void machine_tick(u64 ticks);

/* The physical timer or a kick of another CPU waits for this CPU: the vector; 0: none. */
u8 machine_irq(struct cpu *c);

extern _Thread_local bool in_hypervisor;		/* this moment is between an exit and the next entry */
extern _Thread_local struct cpu *machine_cpu;

#endif
