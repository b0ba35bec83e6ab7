/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest of Xen's interface: hypercalls, events, timer and polling, as its public headers have them. */
#include "lib.h"
#include "xen.h"

struct vcpu_info {
	volatile u8 pending, mask;
	volatile u64 sel;
	u64 arch[2];
	volatile u32 version, pad;
	volatile u64 tsc, ns;
	volatile u32 mul;
	volatile int8_t shift;
	volatile u8 flags, pad2[2];
};

#define INFO	((struct vcpu_info *)(u64)XEN_INFO)
#define PENDING	((volatile u64 *)(u64)(XEN_SHARED + 0x800))
#define MASK	((volatile u64 *)(u64)(XEN_SHARED + 0xa00))

static volatile u32 upcalls;
static volatile u64 seen;		/* events of the first word */

static void upcall(struct trap *t)
{
	(void)t;
	upcalls++;
	INFO->pending = 0;
	if (P->arg[0] & XEN_BY_APIC)
		apic_eoi();
	if (P->arg[0] & XEN_LATE)
		return;
	INFO->sel = 0;
	seen |= PENDING[0] & ~MASK[0];
	PENDING[0] &= MASK[0];
}

static u64 hypercall(u64 nr, u64 a, u64 b)
{
	u64 result;

	asm volatile("call *%[stub]"
		     : "=a"(result), "+D"(a), "+S"(b) : [stub] "r"(XEN_CALLS + nr * 32)
		     : "rdx", "rcx", "r8", "r9", "r10", "r11", "memory");
	return result;
}

static u64 send(u32 port)
{
	volatile u32 arg = port;

	return hypercall(32, 4, (u64)&arg);
}

static u64 poll(u32 port, u64 ns)
{
	struct { u64 ports; u32 n, pad; u64 ns; } arg = { (u64)&port, 1, 0, ns };

	return hypercall(29, 3, (u64)&arg);
}

static u64 now(void)
{
	struct vcpu_info *i = INFO;
	u64 delta = rdtsc() - i->tsc;

	GCHECK(i->version && !(i->version & 1));
	delta = i->shift >= 0 ? delta << i->shift : delta >> -i->shift;
	return i->ns + (u64)((unsigned __int128)delta * i->mul >> 32);
}

/* The @n-th upcall comes, if it has not yet, and is for @port. */
static void expect(u32 n, u32 port)
{
	while (upcalls < n)
		sti_hlt_cli();
	GCHECK(upcalls == n);
	GCHECK(seen == 1ull << port);
	seen = 0;
}

static void events(void)
{
	P->res[1] = 1;			/* the VMM's thread signals from here on */
	expect(1, XEN_PORT_GSI);
	GCHECK(!send(XEN_SEND_SELF));
	expect(2, XEN_PORT_SELF);
	GCHECK(!send(XEN_SEND_FD));	/* which leads back here */
	expect(3, XEN_PORT_GSI);
	P->res[2] = send(XEN_SEND_USER);
}

static void timer(void)
{
	u64 at = now() + 5000000;

	GCHECK(!hypercall(15, at, 0));
	expect(4, XEN_PORT_TIMER);
	GCHECK(now() >= at);
	GCHECK(!hypercall(15, 1, 0));	/* in the past */
	expect(5, XEN_PORT_TIMER);
}

/* Masked events end the halt, and nothing else comes of them. */
static void polls(void)
{
	GCHECK(!poll(XEN_PORT_POLL, 1000000));
	MASK[0] = 1ull << XEN_PORT_POLL;
	P->res[3] = 1;			/* the VMM's thread sends it from here on */
	GCHECK(!poll(XEN_PORT_POLL, 0));
	GCHECK(PENDING[0] == 1ull << XEN_PORT_POLL && upcalls == 5);
	GCHECK(!poll(XEN_PORT_POLL, 0));	/* it is there already */
	GCHECK(poll(4096, 0) == (u64)-22);
	MASK[0] = PENDING[0] = 0;
}

void guest_xen(int cpu)
{
	volatile u64 *runstate = (u64 *)(u64)XEN_RUNSTATE;

	(void)cpu;
	if (P->arg[0] & XEN_BY_APIC)
		apic_enable();
	else
		MEM(u32, 0xfee00000 + APIC_LVT0) = LVT_MASKED;
	set_handler(XEN_VECTOR, upcall);
	if (P->arg[0] & XEN_LATE) {
		sync_point(1);
		while (!upcalls)
			sti_hlt_cli();
		return;
	}
	wrmsr(XEN_MSR, XEN_CALLS);
	GCHECK(hypercall(17, 0, 0) == XEN_VERSION);
	P->res[0] = hypercall(17, 6, 0x1234);
	events();
	timer();
	polls();
	GCHECK((u32)runstate[0] == 0);
	GCHECK(runstate[1] == runstate[2] + runstate[3] + runstate[4] + runstate[5]);
	sync_point(1);			/* the VMM says in memory that something is pending */
	if (!(P->arg[0] & XEN_BY_APIC)) {
		asm volatile("sti; nop; nop; cli");
		GCHECK(upcalls == 6);
	}
}
