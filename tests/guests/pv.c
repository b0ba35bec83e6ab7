/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that use KVM's paravirtual interfaces: clock, steal time, EOI, IPI hypercall. */
#include "lib.h"

#define MSR_KVM_SYSTEM_TIME	0x4b564d01
#define MSR_KVM_STEAL_TIME	0x4b564d03
#define MSR_KVM_PV_EOI		0x4b564d04

#define KVM_HC_KICK_CPU		5
#define KVM_HC_SEND_IPI		10

struct pvclock {
	volatile u32 version;
	u32 pad;
	volatile u64 tsc;
	volatile u64 ns;
	volatile u32 mul;
	volatile int8_t shift;
	volatile u8 flags;
	u8 pad2[2];
};

static u64 pvclock_read(struct pvclock *c)
{
	u64 delta, ns;
	u32 v;

	do {
		v = c->version & ~1u;
		delta = rdtsc() - c->tsc;
		delta = c->shift >= 0 ? delta << c->shift : delta >> -c->shift;
		ns = c->ns + (u64)((unsigned __int128)delta * c->mul >> 32);
	} while (c->version != v);
	return ns;
}

/* Stage 1 and 2: the time now is in res[0]; in between it is read 10,000 times and never goes back. */
void guest_pvclock(int cpu)
{
	struct pvclock *c = (struct pvclock *)(u64)GPA_SCRATCH;
	u64 last, now;

	(void)cpu;
	wrmsr(MSR_KVM_SYSTEM_TIME, GPA_SCRATCH | 1);
	GCHECK(rdmsr(MSR_KVM_SYSTEM_TIME) == (GPA_SCRATCH | 1));
	GCHECK(c->version && c->mul);
	P->res[0] = pvclock_read(c);
	sync_point(1);
	last = pvclock_read(c);
	GCHECK(last > P->res[0]);
	for (int i = 0; i < 10000; i++) {
		now = pvclock_read(c);
		GCHECK(now >= last);
		last = now;
	}
	P->res[0] = pvclock_read(c);
	sync_point(2);
}

static void pveoi_handler(struct trap *t)
{
	u8 was;

	asm volatile("lock btrl $0, %1; setc %0" : "=q"(was), "+m"(MEM(u32, GPA_SCRATCH)) :: "memory");
	irqs[t->vec]++;
	if (was)
		P->res[1]++;
	else
		apic_eoi();
}

/* arg[0] self-IPIs; res[0] came, res[1] of them without an EOI write. */
void guest_pveoi(int cpu)
{
	(void)cpu;
	apic_enable();
	set_handler(0x51, pveoi_handler);
	wrmsr(MSR_KVM_PV_EOI, GPA_SCRATCH | 1);
	sti();
	for (u32 i = 1; i <= P->arg[0]; i++) {
		apic_icr(0, ICR_FIXED | ICR_SELF | 0x51);
		while (irqs[0x51] < i)
			pause();
	}
	cli();
	P->res[0] = irqs[0x51];
}

static long hypercall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	long ret;

	if (cpuid(0).ebx == 0x68747541)		/* "Auth": AMD */
		asm volatile("vmmcall" : "=a"(ret) : "a"(nr), "b"(a0), "c"(a1), "d"(a2), "S"(a3) : "memory");
	else
		asm volatile("vmcall" : "=a"(ret) : "a"(nr), "b"(a0), "c"(a1), "d"(a2), "S"(a3) : "memory");
	return ret;
}

void guest_hypercall(int cpu)
{
	(void)cpu;
	GCHECK(hypercall(9999, 0, 0, 0, 0) == -1000);
	GCHECK(hypercall(KVM_HC_KICK_CPU, 0, 0, 0, 0) == 0);
}

/* Hypercall arg[0] with arg[1] to arg[3], until that is 0; a stage after each, and res[0] for RAX. */
void guest_calls(int cpu)
{
	(void)cpu;
	for (u32 n = 1; P->arg[0]; n++) {
		P->res[0] = hypercall(P->arg[0], P->arg[1], P->arg[2], P->arg[3], 0);
		sync_point(n);
	}
}

static void pvipi_handler(struct trap *t)
{
	irqs[t->vec]++;
	P->res[1]++;
	apic_eoi();
}

/* arg[0] IPIs by hypercall from CPU 0 to CPU 1. */
void guest_pvipi(int cpu)
{
	apic_enable();
	if (cpu) {
		set_handler(0x51, pvipi_handler);
		P->res[2] = 1;
		while (P->res[1] < P->arg[0])
			sti_hlt_cli();
		return;
	}
	start_cpu(1);
	while (!P->res[2])
		pause();
	for (u64 i = 1; i <= P->arg[0]; i++) {
		GCHECK(hypercall(KVM_HC_SEND_IPI, 2, 0, 0, 0x51) == 1);
		while (P->res[1] < i)
			pause();
	}
}

/* Spin until arg[0] is set; res[0]: stolen nanoseconds before (res[3] says that it is there), res[1]: after. */
void guest_steal(int cpu)
{
	(void)cpu;
	wrmsr(MSR_KVM_STEAL_TIME, GPA_SCRATCH | 1);
	sync_point(1);
	P->res[0] = MEM(u64, GPA_SCRATCH);
	MEM(u64, &P->res[3]) = 1;
	while (!P->arg[0])
		pause();
	sync_point(2);
	P->res[1] = MEM(u64, GPA_SCRATCH);
	P->res[2] = MEM(u32, GPA_SCRATCH + 8);
}

/* Spin until arg[0] is set; res[0]: TSC ticks in steps below arg[1], which is when we really ran. */
void guest_share(int cpu)
{
	u64 last = rdtsc(), now, limit = P->arg[1], ran = 0;

	(void)cpu;
	while (!P->arg[0]) {
		now = rdtsc();
		if (now - last < limit)
			ran += now - last;
		last = now;
		P->res[0] = ran;
	}
}
