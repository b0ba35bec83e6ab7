// SPDX-License-Identifier: GPL-2.0-only
/* The hypercalls, each with its own idea of arguments that look right; see hostile.h. */
#include <linux/irqflags.h>
#include <linux/sched.h>

#include "hostile.h"

#define CODE_FRAMES	8	/* of a guest, from 0 on */
#define ABSENT		0xff00	/* a bus that has no devices */

unsigned int device_ours;

static long call(struct thread *t, enum bp_hypercall nr, u64 a, u64 b, u64 c, u64 d)
{
	u64 *which[] = { &a, &b, &c, &d }, other = rnd_value(t);
	long ret;

	/* Now and then one argument is none at all; small numbers are frames of Linux's, too. */
	if (once_in(t, 40) && other >= 0x60 && harmless(other))
		*which[below(t, 4)] = other;
	t->calls[nr]++;
	ret = bp_hc(nr, a, b, c, d);
	t->good[nr] += ret >= 0;
	return ret;
}

/* A frame of lists: the thread's own, or one that others use too. */
static u64 list_of(struct thread *t)
{
	if (once_in(t, 30))
		return frame_odd(t);
	return once_in(t, 8) ? frame_of(t, ZONE_LIST) : t->list;
}

/* One that Bedplate writes into. */
static u64 buffer_of(struct thread *t)
{
	return once_in(t, 30) ? frame_odd(t) : frame_of(t, ZONE_SHARE);
}

/* ---- domains ---- */

static u64 list_frames(struct thread *t, u64 pfn)
{
	u64 n = once_in(t, 12) ? below(t, 510) : 16 + below(t, 48), first = frame_row(t, ZONE_GIVE, n), i;
	bool row = !once_in(t, 4);

	for (i = 0; i < n; i++)
		frame_write(pfn, i, row ? first + i : frame_of(t, ZONE_GIVE));
	if (once_in(t, 10))
		frame_write(pfn, below(t, n + 1), frame_odd(t));
	return n;
}

static void hostile_create(struct thread *t)
{
	u64 list = list_of(t), n = list_frames(t, t->list);
	long ret = call(t, BP_HC_DOMAIN_CREATE, list, n, rnd(t), once_in(t, 10) ? below(t, 3) : 0);

	if (ret > 0)
		domain_known(ret);
}

static void hostile_donate(struct thread *t)
{
	u64 list = list_of(t), n = min_t(u64, list_frames(t, t->list), 1 + below(t, 64));

	call(t, BP_HC_DONATE, pick_domain(t), list, n, 0);
}

static void hostile_destroy(struct thread *t)
{
	u64 dom = pick_domain(t);
	int n;

	for (n = below(t, 40); n && call(t, BP_HC_DOMAIN_DESTROY, dom, 0, 0, 0) > 0; n--)
		;
	for (n = below(t, 4); n; n--)
		if (!call(t, BP_HC_RECLAIM, dom, list_of(t), once_in(t, 4) ? rnd_value(t) : BP_LIST_MAX, 0))
			domain_gone(dom);
}

static void hostile_domain_state(struct thread *t)
{
	static const u8 classes[] = { BP_DOM_CLOCK, BP_DOM_STATS, BP_DOM_BOOT_CPU, BP_DOM_APIC_BUS, BP_HV_CPUID,
				      BP_HV_MSR_LIST, BP_HV_STATS, BP_HV_TSC_KHZ, BP_HV_MSR_FEATURES,
				      BP_HV_EXIT_NAMES, BP_HV_LOGLEVEL };
	u64 dom = once_in(t, 3) ? 0 : pick_domain(t), class = classes[below(t, ARRAY_SIZE(classes))];

	call(t, once_in(t, 2) ? BP_HC_DOMAIN_GET : BP_HC_DOMAIN_SET, dom, class, buffer_of(t), 0);
}

/* ---- vCPUs ---- */

static void hostile_vcpu_create(struct thread *t)
{
	u64 dom = pick_domain(t), page = frame_of(t, ZONE_SHARE);
	u64 state = once_in(t, 8) ? page : frame_of(t, ZONE_SHARE);
	bool odd = once_in(t, 10);
	long ret = call(t, BP_HC_VCPU_CREATE, dom, once_in(t, 8) ? rnd_value(t) : below(t, 3),
			odd ? frame_odd(t) : page, once_in(t, 20) ? frame_odd(t) : state);

	if (ret >= 0 && !odd)
		vcpu_known(dom, ret, page, state);
}

/* What RUN reads first: flags, a vector, an exception. */
static void write_flags(struct thread *t, u64 page)
{
	u64 flags = once_in(t, 8) ? rnd_value(t) : below(t, 64) | (once_in(t, 4) ? BP_RUN_MSR : 0);

	if (once_in(t, 2))
		frame_write(page, 0, (u32)flags | rnd(t) << 32);
	if (once_in(t, 4))
		frame_write(page, offsetof(struct bp_vcpu_page, regs) / 8 + below(t, 18),
			    once_in(t, 2) ? rnd_value(t) : below(t, CODE_FRAMES * PAGE_SIZE));
}

/* Who goes on by itself is mostly stopped then, or all of the time would be guests'. */
static void run(struct thread *t, u64 dom, u64 vcpu, int n)
{
	unsigned long flags;
	long ret = 0;

	while (n-- && ret != -ENOENT) {
		local_irq_save(flags);
		ret = call(t, BP_HC_RUN, dom, vcpu, 0, 0);
		local_irq_restore(flags);
		if (ret == BP_EXIT_INTR)
			break;
		write_flags(t, page_of(t, dom, vcpu));
	}
	if (!once_in(t, 8))
		call(t, BP_HC_PAUSE, dom, vcpu, 0, 0);
}

static void hostile_run(struct thread *t)
{
	u64 dom = pick_domain(t), vcpu = pick_vcpu(t);

	write_flags(t, page_of(t, dom, vcpu));
	run(t, dom, vcpu, 1 + below(t, 3));
}

static void hostile_pause(struct thread *t)
{
	call(t, BP_HC_PAUSE, pick_domain(t), pick_vcpu(t), 0, 0);
}

static u64 length_of(struct thread *t, u64 class)
{
	static const u16 lens[] = {
		[BP_STATE_REGS] = sizeof(struct kvm_regs), [BP_STATE_SREGS] = sizeof(struct kvm_sregs),
		[BP_STATE_FPU] = sizeof(struct kvm_fpu), [BP_STATE_XSAVE] = 4096,
		[BP_STATE_XCRS] = sizeof(struct kvm_xcrs), [BP_STATE_MSRS] = 4096,
		[BP_STATE_LAPIC] = sizeof(struct kvm_lapic_state), [BP_STATE_MP_STATE] = sizeof(struct kvm_mp_state),
		[BP_STATE_EVENTS] = sizeof(struct kvm_vcpu_events),
		[BP_STATE_DEBUGREGS] = sizeof(struct kvm_debugregs), [BP_STATE_CPUID] = 4096, [BP_STATE_TSC_KHZ] = 4,
		[BP_STATE_TRANSLATE] = sizeof(struct kvm_translation), [BP_STATE_MCE] = 8,
		[BP_STATE_RULES] = sizeof(struct bp_rules), [BP_STATE_SREGS2] = sizeof(struct kvm_sregs2),
		[BP_STATE_TSC_OFFSET] = 8, [BP_STATE_CLOCK_STOPPED] = 0, [BP_STATE_SMM] = 4,
		[BP_STATE_NESTED] = sizeof(struct bp_nested),
	};

	return class >= ARRAY_SIZE(lens) || once_in(t, 8) ? rnd_value(t) : lens[class];
}

static void hostile_vcpu_state(struct thread *t)
{
	static const u8 classes[] = { BP_STATE_REGS, BP_STATE_SREGS, BP_STATE_FPU, BP_STATE_XSAVE, BP_STATE_XCRS,
				      BP_STATE_MSRS, BP_STATE_LAPIC, BP_STATE_MP_STATE, BP_STATE_EVENTS,
				      BP_STATE_DEBUGREGS, BP_STATE_CPUID, BP_STATE_TSC_KHZ, BP_STATE_TRANSLATE,
				      BP_STATE_MCE, BP_STATE_RULES, BP_STATE_SREGS2, BP_STATE_TSC_OFFSET,
				      BP_STATE_CLOCK_STOPPED, BP_STATE_SMM, BP_STATE_NESTED };
	u64 dom = pick_domain(t), vcpu = pick_vcpu(t), class = classes[below(t, ARRAY_SIZE(classes))];
	u64 len = length_of(t, class);

	if (!once_in(t, 4))
		call(t, BP_HC_VCPU_GET, dom, vcpu, class, len);
	if (once_in(t, 2))
		frame_scribble(t, state_of(t, dom, vcpu));
	if (!once_in(t, 3))
		call(t, BP_HC_VCPU_SET, dom, vcpu, class, len);
}

/* A guest of its own with frames that this thread knows: it runs code in real mode. */
static void hostile_guest(struct thread *t)
{
	u64 page = frame_of(t, ZONE_SHARE), state = frame_of(t, ZONE_SHARE);
	u64 i, n = list_frames(t, t->list);
	struct kvm_sregs *s = __va(state << PAGE_SHIFT);
	u64 cs = offsetof(struct kvm_sregs, cs) / 8, pfn;
	long dom, vcpu;

	dom = call(t, BP_HC_DOMAIN_CREATE, t->list, n, 0, 0);
	if (dom <= 0)
		return;
	domain_known(dom);
	vcpu = call(t, BP_HC_VCPU_CREATE, dom, 0, page, state);
	if (vcpu < 0)
		return;
	vcpu_known(dom, vcpu, page, state);
	if (call(t, BP_HC_VCPU_GET, dom, vcpu, BP_STATE_SREGS, sizeof(*s)) < 0)
		return;
	frame_write(state, cs, 0);			/* the base */
	/* Limit, selector, and the type as it is. */
	frame_write(state, cs + 1, 0xffff | frame_read(state, cs + 1) >> 48 << 48);
	call(t, BP_HC_VCPU_SET, dom, vcpu, BP_STATE_SREGS, sizeof(*s));
	for (i = 0; i < 18; i++)
		frame_write(state, i, below(t, CODE_FRAMES * PAGE_SIZE));
	/* RFLAGS */
	frame_write(state, 17, 2 | (once_in(t, 2) ? 0x200 : 0) | (once_in(t, 8) ? 0x100 : 0));
	call(t, BP_HC_VCPU_SET, dom, vcpu, BP_STATE_REGS, sizeof(struct kvm_regs));
	for (i = 0; i < CODE_FRAMES; i++) {
		pfn = frame_of(t, ZONE_MAP);
		frame_code(t, pfn);
		frame_write(t->list, i * 3, i);
		frame_write(t->list, i * 3 + 1, pfn);
		frame_write(t->list, i * 3 + 2, (u64)(BP_MAP_WRITE | BP_MAP_EXEC) << 32);
	}
	call(t, BP_HC_MAP, dom, t->list, CODE_FRAMES, 0);
	call(t, BP_HC_VCPU_SCHED, dom, vcpu, 1, 0);
	run(t, dom, vcpu, below(t, 8));
}

static void hostile_events(struct thread *t)
{
	u64 dom = pick_domain(t), vcpu = pick_vcpu(t);

	switch (below(t, 6)) {
	case 0: call(t, BP_HC_EXTINT, dom, vcpu, below(t, 4), 0); break;
	case 1: call(t, BP_HC_NMI, dom, vcpu, 0, 0); break;
	case 2: call(t, BP_HC_VCPU_SCHED, dom, vcpu, once_in(t, 4) ? rnd_value(t) : 1 + below(t, 200), 0);
		break;
	case 3: call(t, BP_HC_VCPU_COUNTERS, once_in(t, 4) ? 0 : dom, vcpu, buffer_of(t), 0); break;
	case 4: call(t, BP_HC_MSI, dom,
		     once_in(t, 4) ? rnd_value(t) : 0xfee00000 | below(t, 4) << 12 | below(t, 4) << 2,
		     once_in(t, 4) ? rnd_value(t) : below(t, 0x800), 0); break;
	case 5: call(t, BP_HC_LAPIC_ACCESS, dom, vcpu, below(t, 0x100) << 4 | (once_in(t, 2) ? BP_LAPIC_WRITE : 0),
		     rnd_value(t)); break;
	}
}

/* ---- memory ---- */

static u64 pick_gfn(struct thread *t)
{
	u64 gfn = once_in(t, 8) ? rnd_value(t) : once_in(t, 4) ? 1ull << 35 | below(t, 4) << 9 : below(t, 64);

	return gfn | (once_in(t, 8) ? BP_GFN_SMM : 0);
}

static void hostile_map(struct thread *t)
{
	u64 n = 1 + below(t, once_in(t, 8) ? 130 : 8), i;
	bool large = once_in(t, 6);

	for (i = 0; i < n; i++) {
		u64 pfn = frame_of(t, ZONE_MAP), gfn = pick_gfn(t), flags = below(t, 4), odd = frame_odd(t);

		if (once_in(t, 8))
			flags = once_in(t, 4) ? rnd_value(t) & 0xffff : BP_MAP_MMIO;
		if (large)
			pfn &= ~511ull;
		if (once_in(t, 12) && harmless(odd))
			pfn = odd;
		frame_write(t->list, i * 3, harmless(gfn) ? gfn : 1 + below(t, 0x5f));
		frame_write(t->list, i * 3 + 1, pfn);
		frame_write(t->list, i * 3 + 2, flags << 32 | (large ? 9 : once_in(t, 16) ? below(t, 20) : 0));
	}
	call(t, BP_HC_MAP, pick_domain(t), list_of(t), n, 0);
}

static void hostile_unmap(struct thread *t)
{
	call(t, BP_HC_UNMAP, pick_domain(t), pick_gfn(t), once_in(t, 4) ? rnd_value(t) : 1 + below(t, 64), 0);
}

static void hostile_protect(struct thread *t)
{
	call(t, BP_HC_PROTECT, pick_domain(t), pick_gfn(t), once_in(t, 4) ? rnd_value(t) : 1 + below(t, 512),
	     below(t, 2));
}

static void hostile_flush(struct thread *t)
{
	call(t, BP_HC_FLUSH_TLB, pick_domain(t), 0, 0, 0);
}

/* ---- the rest ---- */

/* No other vector than Linux has a handler for; those that are none must be refused. */
static void hostile_ring(struct thread *t)
{
	u64 vector = once_in(t, 4) ? below(t, 32) : once_in(t, 2) ? BP_UPCALL_VECTOR : 0;

	t->calls[BP_HC_RING]++;
	t->good[BP_HC_RING] += bp_hc(BP_HC_RING, once_in(t, 6) ? 0 : once_in(t, 6) ? frame_odd(t) :
				     frame_of(t, ZONE_SHARE), vector, 0, 0) >= 0;
}

static void hostile_ioeventfd(struct thread *t)
{
	frame_write(t->list, 0, once_in(t, 4) ? rnd_word(t) : 1 + below(t, 0x5f));
	frame_write(t->list, 1, below(t, 4));
	frame_write(t->list, 2, below(t, 9) | (1 + below(t, 7)) << 32);
	frame_write(t->list, 3, below(t, 200));
	call(t, BP_HC_IOEVENTFD, pick_domain(t), list_of(t), 0, 0);
}

/* Of devices only ours, and those that are not there: the others are Linux's. */
static void hostile_io(struct thread *t)
{
	u64 dom = once_in(t, 3) ? below(t, 2) * BP_IO_BLOCKED : pick_domain(t);
	u64 device = device_ours && !once_in(t, 4) ? device_ours : ABSENT | below(t, 0x100) | below(t, 3) << 16;

	if (once_in(t, 8))
		call(t, BP_HC_IO_INFO, 0, 0, 0, 0);
	t->calls[BP_HC_IO_ATTACH]++;
	t->good[BP_HC_IO_ATTACH] += bp_hc(BP_HC_IO_ATTACH, dom, device, 0, 0) >= 0;
}

static void hostile_other(struct thread *t)
{
	if (once_in(t, 3))
		call(t, BP_HC_LOG_READ, rnd_value(t), buffer_of(t), below(t, 3), 0);
	else if (once_in(t, 2))
		call(t, BP_HC_ENDING, below(t, 6), 0, 0, 0);
	else	/* there is no such call */
		call(t, 28 + below(t, 30), rnd_value(t), rnd_value(t), rnd_value(t), rnd_value(t));
}

static const struct {
	void (*make)(struct thread *t);
	unsigned int weight;
} kinds[] = {
	{ hostile_create, 2 }, { hostile_donate, 4 }, { hostile_destroy, 4 }, { hostile_domain_state, 4 },
	{ hostile_vcpu_create, 10 }, { hostile_run, 10 }, { hostile_pause, 6 }, { hostile_vcpu_state, 16 },
	{ hostile_guest, 4 }, { hostile_events, 12 }, { hostile_map, 10 }, { hostile_unmap, 5 },
	{ hostile_protect, 5 }, { hostile_flush, 2 }, { hostile_ring, 2 }, { hostile_ioeventfd, 4 },
	{ hostile_io, 2 }, { hostile_other, 2 },
};

void call_one(struct thread *t)
{
	unsigned int all = 0, i;
	u64 at;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		all += kinds[i].weight;
	at = below(t, all);
	for (i = 0; at >= kinds[i].weight; i++)
		at -= kinds[i].weight;
	kinds[i].make(t);
}

static void devices_home(void)
{
	unsigned int devfn;

	for (devfn = 0; devfn < 0x100; devfn++)
		bp_hc_io_attach(0, ABSENT | devfn);
	if (device_ours)
		bp_hc_io_attach(0, device_ours);
}

void devices_begin(void)
{
	bp_hc_io_attach(BP_IO_BLOCKED, ABSENT);
	if (device_ours)
		bp_hc_io_attach(BP_IO_BLOCKED, device_ours);
	devices_home();
}

static bool domain_end(struct thread *t, u64 dom)
{
	unsigned int tries;
	long ret = 1;

	for (tries = 0; tries < 100000 && ret > 0; tries++) {
		ret = bp_hc_domain_destroy(dom);
		cond_resched();
	}
	if (ret)
		return ret == -ENOENT;
	while ((ret = bp_hc_reclaim(dom, t->list, BP_LIST_MAX)) > 0)
		cond_resched();
	return !ret;
}

bool calls_undo(struct thread *t)
{
	bool all = true;
	u64 dom;

	devices_home();
	for (dom = 1; dom < 1024; dom++)
		if (!domain_end(t, dom)) {
			pr_err("hostile: domain %llu does not end\n", dom);
			all = false;
		}
	bp_hc_ending(BP_ENDING_NOT);
	return all;
}
