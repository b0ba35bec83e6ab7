/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests whose memory comes late: KVM's asynchronous page faults.
 *
 * arg[0] the first page, arg[1] flags of MSR_KVM_ASYNC_PF_EN (0: not written), arg[2] pages.
 * res[0] #PFs with a token, res[1] interrupts with one, res[2] the last of these, res[3] ticks
 * of the timer, res[8] on: what was read.
 */
#include "lib.h"

#define MSR_ASYNC_PF_EN		0x4b564d02
#define MSR_ASYNC_PF_INT	0x4b564d06
#define MSR_ASYNC_PF_ACK	0x4b564d07

#define VEC_READY	0x61
#define VEC_TICK	0x62
#define TICK		200000
#define WAKE_ALL	0xffffffffu
#define MAX_READY	16

struct shared {
	volatile u32 flags, token;
};
#define SHARED ((struct shared *)(u64)GPA_SCRATCH)

static volatile u32 ready[MAX_READY];

static void on_ready(struct trap *t)
{
	u32 token = SHARED->token;

	(void)t;
	GCHECK(token && P->res[1] < MAX_READY);
	ready[P->res[1]] = token;
	P->res[2] = token;
	P->res[1]++;
	SHARED->token = 0;
	wrmsr(MSR_ASYNC_PF_ACK, 1);
	apic_eoi();
}

/* The first of them came with the MSR's write. */
static bool is_ready(u32 token)
{
	for (u64 i = 1; i < P->res[1]; i++)
		if (ready[i] == token || ready[i] == WAKE_ALL)
			return true;
	return false;
}

static u64 read_page(u64 n)
{
	return MEM(u64, P->arg[0] + n * 0x1000);
}

/* Instead of who wants the page something else runs: it wants the next one. */
static void on_missing(struct trap *t)
{
	u64 token = read_cr2(), nr = ++P->res[0];

	GCHECK(!t->err && SHARED->flags == 1);
	SHARED->flags = 0;
	if (nr == P->arg[2])
		sync_point(1);
	sti();
	if (nr < P->arg[2])
		P->res[8 + nr] = read_page(nr);
	while (!is_ready(token))
		pause();
	cli();
}

static void set_up(void)
{
	apic_enable();
	set_handler(14, on_missing);
	set_handler(VEC_READY, on_ready);
	if (!P->arg[1])
		return;
	wrmsr(MSR_ASYNC_PF_INT, VEC_READY);
	wrmsr(MSR_ASYNC_PF_EN, GPA_SCRATCH | P->arg[1]);
	GCHECK(rdmsr(MSR_ASYNC_PF_INT) == VEC_READY);
	GCHECK(rdmsr(MSR_ASYNC_PF_EN) == (GPA_SCRATCH | P->arg[1]));
	GCHECK(rdmsr(MSR_ASYNC_PF_ACK) == 0);
	sti();
	while (!P->res[1])
		pause();
	cli();
	GCHECK(P->res[2] == WAKE_ALL && P->res[1] == 1);
}

/* Stage 1: all pages are waited for; 2: they have been read. */
void guest_apf_told(int cpu)
{
	(void)cpu;
	set_up();
	sti();
	P->res[8] = read_page(0);
	cli();
	sync_point(2);
}

static void on_tick(struct trap *t)
{
	(void)t;
	apic_eoi();
	if (++P->res[3] == 3)
		sync_point(1);
}

/* Stage 1: it has been interrupted where it wants the page, some times; 2: it has read it. */
void guest_apf_halted(int cpu)
{
	(void)cpu;
	set_up();
	set_handler(VEC_TICK, on_tick);
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, VEC_TICK | LVT_PERIODIC);
	apic_write(APIC_TMICT, TICK);
	sti();
	P->res[8] = read_page(0);
	apic_write(APIC_TMICT, 0);
	cli();
	sync_point(2);
}

/* As often as arg[3] says, whatever it is that answers. */
void guest_apf_reads(int cpu)
{
	(void)cpu;
	set_up();
	sti();
	for (u64 i = 0; i < P->arg[3]; i++)
		P->res[8] = read_page(0);
	cli();
}

/* With interrupts off it can only wait. */
void guest_apf_masked(int cpu)
{
	(void)cpu;
	set_up();
	P->res[8] = read_page(0);
	GCHECK(P->res[0] == 0);
}

/* CPU 1 enables it, and is reset: res[5], and again res[6], is what it finds in the MSR. */
void guest_apf_init(int cpu)
{
	if (cpu) {
		P->res[4 + cpu] = 1 + rdmsr(MSR_ASYNC_PF_EN) + rdmsr(MSR_ASYNC_PF_INT);
		if (cpu == 1) {
			wrmsr(MSR_ASYNC_PF_INT, VEC_READY);
			wrmsr(MSR_ASYNC_PF_EN, GPA_SCRATCH | 9);
			P->res[7] = 1;
		}
		for (;;)
			pause();
	}
	apic_enable();
	start_cpu(1);
	while (!P->res[7])
		pause();
	start_cpu(1);
	while (!P->res[6])
		pause();
}
