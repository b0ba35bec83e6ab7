/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest of Hyper-V's interface (TLFS 11, 12.3): SynIC and synthetic timers. */
#include "lib.h"

#define MSR_OS_ID	0x40000000
#define MSR_HYPERCALL	0x40000001
#define MSR_TIME	0x40000020
#define MSR_SCONTROL	0x40000080
#define MSR_SIMP	0x40000083
#define MSR_EOM		0x40000084
#define MSR_SINT(n)	(0x40000090 + (n))
#define MSR_TIMER	0x400000b0
#define MSR_COUNT	0x400000b1

#define AUTO_EOI	(1u << 17)
#define PERIODIC	(1u << 1)
#define AUTO_ENABLE	(1u << 3)
#define DIRECT(vector)	((vector) << 4 | 1u << 12)
#define TO_SINT(n)	((u64)(n) << 16)

#define CALL_PAGE	GPA_SCRATCH
#define MESSAGES	(GPA_SCRATCH + 0x2000)
#define EXPIRED		0x80000010u
#define SIGNAL_EVENT	0x1005du		/* input in registers */

enum { VEC_DIRECT = 0x41, VEC_MESSAGE = 0x51, VEC_AUTO = 0x61 };

struct message {
	volatile u32 type;
	volatile u8 size, flags;
	volatile u16 unused;
	volatile u64 origin;
	volatile u32 timer, unused2;
	volatile u64 expired, delivered;
	u64 rest[27];
};
_Static_assert(sizeof(struct message) == 256, "TLFS 11.8");

static u32 autos;

/* Without an EOI: there is none to be given. */
static void auto_irq(struct trap *t)
{
	(void)t;
	autos++;
}

static void timers(struct message *m)
{
	u64 now = rdmsr(MSR_TIME);

	wrmsr(MSR_TIMER, TO_SINT(2) | AUTO_ENABLE);
	wrmsr(MSR_COUNT, now + 20000);
	while (!irqs[VEC_MESSAGE])
		sti_hlt_cli();
	GCHECK(m->type == EXPIRED && m->size == 24 && !m->timer);
	GCHECK(m->expired == now + 20000 && m->delivered >= m->expired);
	GCHECK(!(rdmsr(MSR_TIMER) & 1));
	/* The next ones come when this one has been taken. */
	wrmsr(MSR_TIMER, TO_SINT(2) | AUTO_ENABLE | PERIODIC);
	wrmsr(MSR_COUNT, 10000);
	while (irqs[VEC_MESSAGE] < 4) {
		m->type = 0;
		wrmsr(MSR_EOM, 0);
		sti_hlt_cli();
	}
	GCHECK(rdmsr(MSR_TIMER) & 1);
	wrmsr(MSR_COUNT, 0);
	GCHECK(!(rdmsr(MSR_TIMER) & 1));
	wrmsr(MSR_TIMER, DIRECT(VEC_DIRECT) | AUTO_ENABLE);
	wrmsr(MSR_COUNT, rdmsr(MSR_TIME) + 1);
	while (!irqs[VEC_DIRECT])
		sti_hlt_cli();
}

static u64 signal_event(u64 connection)
{
	u64 status;

	asm volatile("call *%[page]"
		     : "=a"(status) : [page] "r"((u64)CALL_PAGE), "c"((u64)SIGNAL_EVENT), "d"(connection)
		     : "r8", "r9", "r10", "r11", "memory");
	return status;
}

/* The VMM raises source 3 at stages 1 and 2, whose vector is never in service. */
void guest_synic(int cpu)
{
	struct message *m = (struct message *)MESSAGES + 2;

	(void)cpu;
	apic_enable();
	count_irq(VEC_MESSAGE);
	count_irq(VEC_DIRECT);
	set_handler(VEC_AUTO, auto_irq);
	wrmsr(MSR_OS_ID, 0x8100000000000000);
	wrmsr(MSR_HYPERCALL, CALL_PAGE | 1);
	wrmsr(MSR_SCONTROL, 1);
	wrmsr(MSR_SIMP, MESSAGES | 1);
	GCHECK(!m->type && !m->origin);
	wrmsr(MSR_SINT(2), VEC_MESSAGE);
	wrmsr(MSR_SINT(3), VEC_AUTO | AUTO_EOI);
	timers(m);
	for (u32 i = 1; i <= 2; i++) {
		sync_point(i);
		asm volatile("sti; nop; nop; cli");
		GCHECK(autos == i);
	}
	apic_icr(0, ICR_FIXED | ICR_SELF | VEC_DIRECT);
	asm volatile("sti; nop; nop; cli");
	GCHECK(irqs[VEC_DIRECT] == 2);
	P->res[0] = signal_event(7);
	P->res[1] = signal_event(8);
	P->res[2] = signal_event(1 << 24);
}
