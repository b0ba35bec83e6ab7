// SPDX-License-Identifier: GPL-2.0-only
/* The contract is in calls.h. */
#include "calls.h"

#include "hv/core/guest/msr.h"
#include "hv/core/lib/errno.h"
#include "hv/core/machine/paging.h"
#include "hv/core/memory/frames.h"

#define DOMS		5	/* more are not told apart */
#define CLEANUP_MAX	20000

static bool calls_apart;

static u32 next_page;

void calls_begin(bool apart)
{
	calls_apart = apart;
	next_page = 0;
}

/* To write: as long as it is domain 0's, and else where nobody looks. */
static void *frame(u32 pfn)
{
	static _Thread_local u8 nowhere[PAGE_SIZE];

	return frame_owner(pfn) == BP_OWNER_DOM0 ? phys_to_virt((u64)pfn << PAGE_SHIFT) : nowhere;
}

/* A frame number: mostly one that domain 0 has, now and then anything. */
static u64 hostile_pfn(struct input *in)
{
	u8 kind = take8(in);

	switch (kind & 7) {
	case 0: return M_POOL >> PAGE_SHIFT | take16(in);
	case 1: return (M_ACPI >> PAGE_SHIFT) + (kind >> 3) % 2;
	case 2: return take64(in);
	case 3: return (M_TOP >> PAGE_SHIFT) - 16 + (kind >> 3);
	case 4: return 0xfee00 + (kind >> 3) % 2;
	case 5: return M_DONATE + take16(in) % M_DONATE_NR;
	case 6: return calls_apart ? 0 : M_NAMED + take8(in) % M_NAMED_NR;
	default: return M_GUEST + take16(in) % M_GUEST_NR;
	}
}

static u64 dom(struct input *in)
{
	u8 b = take8(in);

	return b < 160 ? 1 : b < 250 ? 1ull + b % DOMS : b < 252 ? take64(in) : b < 254 ? MAX_DOMAINS - 1ull : 0;
}

static u64 index_of(struct input *in)
{
	u8 b = take8(in);

	return b < 250 ? b % 3 : take32(in);
}

static u64 named(struct caller *c, struct input *in)
{
	if (calls_apart)
		return c->list;
	return take8(in) < 240 ? c->list : hostile_pfn(in);
}

static u32 list_frames(struct caller *c, struct input *in)
{
	u64 *list = frame(c->list);
	u8 at = take8(in), how = take8(in);
	u32 n = 16 + take8(in) % 96, i;

	for (i = 0; i < n; i++)
		list[i] = M_DONATE + (c->cpu ? M_DONATE_NR / 2 : 0) + (at * 16u + i) % (M_DONATE_NR / 2);
	if (how < 24)
		list[how % n] = hostile_pfn(in);
	return how > 250 ? take16(in) : n;
}

static u32 list_maps(struct caller *c, struct input *in)
{
	struct bp_map *m = frame(c->list);
	u32 n = 1 + take8(in) % 8, i;

	for (i = 0; i < n; i++) {
		u8 how = take8(in), where = take8(in);

		m[i] = (struct bp_map){ .gfn = where, .pfn = M_GUEST + where, .flags = how & 15 };
		if (how >> 4 < 4) {
			m[i].order = 9;
			m[i].gfn = (u64)(where & 7) << 9;
			m[i].pfn = M_GUEST + ((u64)(where >> 3 & 7) << 9);
		} else if (how >> 4 == 4) {
			m[i].gfn |= BP_GFN_SMM;
		} else if (how >> 4 == 5) {
			m[i].pfn = hostile_pfn(in);
		} else if (how >> 4 == 6) {
			take_bytes(in, &m[i], sizeof(m[i]));
		} else if (how >> 4 == 7) {
			m[i].gfn = APIC_BASE_DEFAULT >> PAGE_SHIFT;
		}
	}
	return n;
}

/* Some bytes of a frame that is shared with Bedplate. */
static void poke(struct input *in, u32 pfn)
{
	u8 *p = frame(pfn);
	u32 at = take16(in) & 0xfff, n = 1 + take8(in) % 24;

	n = min(n, (u32)PAGE_SIZE - at);
	take_bytes(in, p + at, n);
}

/* Of the pages of vCPU @i of any domain; with calls_apart each is its own. */
static u32 page_of(struct caller *c, u32 i)
{
	u32 n = calls_apart ? __atomic_fetch_add(&next_page, 1, __ATOMIC_RELAXED) : 2 * i + c->cpu;

	return n < M_NAMED_NR - 4 ? M_NAMED + 4 + n : 0;
}

/* Of the guest that most sequences begin with: vCPU @i's page, and behind it its state frame. */
static u32 first_page(struct caller *c, u32 i)
{
	return calls_apart ? page_of(c, 0) : M_NAMED + 100 + 2 * i;
}

/* One that is a vCPU's, of both kinds. */
static u32 some_page(struct input *in)
{
	u8 b = take8(in);

	return b < 192 ? M_NAMED + 100 + b % 4 : M_NAMED + 4 + b % 24;
}

/* What the state frame has is a plausible state: a little of it changes. */
static void poke_state(struct input *in, u32 page, u8 cls)
{
	u8 *p = frame(page);

	if (cls == BP_STATE_MSRS) {
		put_at(p, PAGE_SIZE, 0, 1 + take8(in) % 4, 4);
		take_bytes(in, p + 8, 64);
	} else if (cls == BP_STATE_CPUID) {
		put_at(p, PAGE_SIZE, 0, take8(in) % 110, 4);
		take_bytes(in, p + 8, 40);
	} else if (cls == BP_STATE_RULES || cls == BP_STATE_SMM || cls == BP_STATE_MP_STATE) {
		put_at(p, PAGE_SIZE, 0, take32(in) & (cls == BP_STATE_RULES ? BP_RULES : 15), 4);
		put_at(p, PAGE_SIZE, 4, take8(in) % 18, 4);
	} else if (cls == BP_STATE_NESTED) {
		put_at(p, PAGE_SIZE, 0, take32(in) & BP_NESTED, 4);
		put_at(p, PAGE_SIZE, 24, take32(in), 4);	/* exceptions */
		put_at(p, PAGE_SIZE, 28, take32(in) & 0x170f, 4);	/* tpr, virq */
	}
	if (cls == BP_STATE_XSAVE)
		p[(take8(in) & 1 ? 512 : 24) + take8(in) % 64] ^= take8(in);
	else
		poke(in, page);
}

struct call {
	u64 nr, a, b, c, d;
};

static void lapic(struct input *in, struct call *k)
{
	k->c = (take8(in) << 4) | (take8(in) & 1 ? BP_LAPIC_WRITE : 0);
	k->d = take32(in);
}

static void domain_state(struct caller *c, struct input *in, struct call *k)
{
	k->a = take8(in) & 3 ? k->a : 0;
	k->b = take8(in) % 48;
	k->c = named(c, in);
	if (k->nr == BP_HC_DOMAIN_SET)
		poke(in, c->list);
}

static void vcpu_state(struct caller *c, struct input *in, struct call *k)
{
	u8 how = take8(in);

	k->b = index_of(in);
	k->c = take8(in) % 32;
	k->d = how < 250 ? PAGE_SIZE : take64(in);
	if (k->nr == BP_HC_VCPU_SET && !calls_apart)
		poke_state(in, k->b < 2 && take8(in) < 192 ? M_NAMED + 101 + 2 * (u32)k->b : some_page(in), (u8)k->c);
	(void)c;
}

static void event_fd(struct caller *c, struct input *in, struct call *k)
{
	struct bp_ioeventfd *e = frame(c->list);
	u8 how = take8(in);

	*e = (struct bp_ioeventfd){ .addr = how & 1 ? 0x60 : 0x3000, .datamatch = how >> 6, .len = 1u << (how >> 1 & 3),
				    .flags = how >> 3 & 7, .id = take8(in) % 8 };
	k->b = named(c, in);
}

/* The arguments of a call of that number. */
static void arguments(struct caller *c, struct input *in, struct call *k)
{
	k->a = dom(in);
	switch (k->nr) {
	case BP_HC_RING:
		k->a = take8(in) & 7 ? (calls_apart ? M_NAMED + c->cpu : M_NAMED + take8(in) % 3) : hostile_pfn(in);
		k->a = calls_apart || take8(in) & 7 ? k->a : 0;
		k->b = take8(in);
		break;
	case BP_HC_DOMAIN_CREATE:
		k->b = list_frames(c, in);
		k->a = named(c, in);
		k->d = take8(in) % 5 == 4;
		break;
	case BP_HC_DONATE:
		k->c = list_frames(c, in);
		k->b = named(c, in);
		break;
	case BP_HC_RECLAIM:
		k->b = named(c, in);
		k->c = take8(in) % 64;
		break;
	case BP_HC_VCPU_CREATE: {
		u8 which = take8(in);

		k->b = which % 5;
		k->c = calls_apart || which < 230 ? page_of(c, which % 24) : hostile_pfn(in);
		k->d = calls_apart || which < 230 ? page_of(c, (which + 1) % 24) : k->c;
		break;
	}
	case BP_HC_VCPU_GET:
	case BP_HC_VCPU_SET:
		vcpu_state(c, in, k);
		break;
	case BP_HC_MAP:
		k->c = list_maps(c, in);
		k->b = named(c, in);
		break;
	case BP_HC_UNMAP:
	case BP_HC_PROTECT:
		k->b = take8(in) | (take8(in) > 240 ? BP_GFN_SMM : 0);
		k->c = take8(in) & 1 ? take8(in) : take16(in);
		k->d = take8(in) & 1;
		break;
	case BP_HC_MSI:
		k->b = 0xfee00000 | (take16(in) << 12 & 0xff000) | (take8(in) & 0xc) | (u64)(take8(in) & 1) << 32;
		k->c = take16(in);
		break;
	case BP_HC_IOEVENTFD:
		event_fd(c, in, k);
		break;
	case BP_HC_LAPIC_ACCESS:
		k->b = index_of(in);
		lapic(in, k);
		break;
	case BP_HC_DOMAIN_GET:
	case BP_HC_DOMAIN_SET:
		domain_state(c, in, k);
		break;
	case BP_HC_LOG_READ:
		k->a = take16(in);
		k->b = named(c, in);
		k->c = take8(in) & 1;
		break;
	case BP_HC_IO_ATTACH:
		k->a = take8(in) & 7 ? k->a : BP_IO_BLOCKED;
		k->b = take8(in) % (M_DEVICES + 1);
		break;
	case BP_HC_ENDING:
		k->a = take8(in) % 5;
		break;
	case BP_HC_VCPU_COUNTERS:
		k->a = take8(in) & 1 ? k->a : 0;
		k->b = index_of(in);
		k->c = named(c, in);
		break;
	default:
		k->b = index_of(in);
		k->c = take16(in);
	}
}

static void make_call(struct vcpu *v, const struct call *k)
{
	v->exit.reason = VM_EXIT_HYPERCALL;
	v->exit.cpl = 0;
	v->regs.gpr[RAX] = BP_HC_BASE | k->nr;
	v->regs.gpr[RBX] = k->a;
	v->regs.gpr[RCX] = k->b;
	v->regs.gpr[RDX] = k->c;
	v->regs.gpr[RSI] = k->d;
}

/* Run flags and registers for the next RUN of a vCPU, which it reads from the shared page. */
static void poke_run(struct input *in)
{
	struct bp_vcpu_page *p;

	if (calls_apart)
		return;
	p = frame(some_page(in));
	p->run_flags = take16(in);
	p->inject_vector = take8(in);
	p->exc_vector = take8(in);
	p->exc_has_error = take8(in) & 1;
	p->stolen_ns = take32(in);
	p->regs.rflags = take32(in);
	p->regs.rip = take16(in);
}

/* Domain 0's own exits, of those that leave it alive. */
static void own_exit(struct input *in, struct vcpu *v)
{
	static const u32 msrs[] = { 0x10, 0x1b, 0x3a, 0x3b, 0x48, 0x80b, 0x808, 0x830, 0x838, 0x832, 0x6e0, 0xc0000080,
				    0xc0000103, 0x277, 0x2ff, 0x4b564d00, 0x4b564d01, 0x4b564d04 };
	u8 what = take8(in);

	machine_tick(take16(in) * 64ull);
	switch (what % 5) {
	case 0:
		v->exit.reason = VM_EXIT_CPUID;
		v->regs.gpr[RAX] = take32(in) & 0xc000003f;
		v->regs.gpr[RCX] = take8(in) % 4;
		break;
	case 1:
		v->exit.reason = VM_EXIT_HLT;
		break;
	case 2:
		v->exit.reason = VM_EXIT_INTR;
		v->exit.taken = 0x120 + take8(in) % 0xd0;
		break;
	default:
		v->exit.reason = what & 8 ? VM_EXIT_RDMSR : VM_EXIT_WRMSR;
		v->regs.gpr[RCX] = msrs[take8(in) % ARRAY_SIZE(msrs)];
		v->regs.gpr[RAX] = take32(in);
		v->regs.gpr[RDX] = take8(in);
		/* No INIT of CPUs, and its APIC stays on: nothing would come after that. */
		if (v->regs.gpr[RCX] == 0x1b || (v->regs.gpr[RCX] == 0x830 && (v->regs.gpr[RAX] & 0x400)))
			v->exit.reason = VM_EXIT_RDMSR;
	}
	v->exit.insn_len = 2;
	v->regs.rflags |= X86_EFLAGS_IF;
}

/* ---- the end ---- */

void calls_drop_ring(struct vcpu *v)
{
	make_call(v, &(struct call){ BP_HC_RING, 0, 0, 0, 0 });
}

/* Devices go back, then each domain: destroy until it is, reclaim until nothing is left; then the ring. */
static void clean(struct caller *c, struct vcpu *v)
{
	s64 ret = (s64)v->regs.gpr[RAX];
	struct call k = { 0 };

	REQUIRE(++c->tries < CLEANUP_MAX);
	if (c->last == BP_HC_DOMAIN_DESTROY && ret == 0)
		c->last = BP_HC_RECLAIM;
	else if (c->last == BP_HC_DOMAIN_DESTROY && ret != 1 && ret != -EBUSY)
		c->last = 0;
	else if (c->last == BP_HC_RECLAIM && ret <= 0 && ret != -EBUSY)
		c->last = 0;
	if (c->device < M_DEVICES) {
		k = (struct call){ BP_HC_IO_ATTACH, 0, c->device++, 0, 0 };
	} else {
		if (!c->last) {
			do
				c->dom++;
			while (c->dom < MAX_DOMAINS && !domains[c->dom]);
			c->last = BP_HC_DOMAIN_DESTROY;
		}
		k = (struct call){ c->last, c->dom, c->list, 64, 0 };
		if (c->dom == MAX_DOMAINS) {
			c->done = true;
			calls_drop_ring(v);
			return;
		}
	}
	make_call(v, &k);
}

/*
 * What most sequences begin with, for few random ones get there: a guest with two vCPUs and some memory, a ring. False:
 * it is all there.
 */
static bool begin_guest(struct caller *c, struct vcpu *v)
{
	struct call k = { 0 };
	u64 *list = frame(c->list);
	struct bp_map *m = frame(c->list);
	u32 i;

	switch (c->begun++) {
	case 0:
		k = (struct call){ BP_HC_RING, M_NAMED + c->cpu, 0, 0, 0 };
		break;
	case 1:
		for (i = 0; i < 96; i++)
			list[i] = M_DONATE + (c->cpu ? M_DONATE_NR / 2 : 0) + i;
		k = (struct call){ BP_HC_DOMAIN_CREATE, c->list, 96, 0, 0 };
		break;
	case 2:
	case 3:
		if (c->begun == 3 && (s64)v->regs.gpr[RAX] > 0)
			c->guest = v->regs.gpr[RAX];
		k = (struct call){ BP_HC_VCPU_CREATE, c->guest, c->begun - 3, first_page(c, c->begun - 3),
				   calls_apart ? page_of(c, 0) : first_page(c, c->begun - 3) + 1 };
		break;
	case 4:
		for (i = 0; i < 16; i++)
			m[i] = (struct bp_map){ .gfn = i, .pfn = M_GUEST + i, .flags = BP_MAP_WRITE | BP_MAP_EXEC };
		k = (struct call){ BP_HC_MAP, c->guest, c->list, 16, 0 };
		break;
	default:
		return false;
	}
	make_call(v, &k);
	return true;
}

void calls_dom0(struct caller *c, struct vcpu *v)
{
	static const u8 often[] = {
		BP_HC_DOMAIN_CREATE, BP_HC_VCPU_CREATE, BP_HC_MAP, BP_HC_RUN, BP_HC_RUN, BP_HC_VCPU_SET, BP_HC_VCPU_GET, BP_HC_UNMAP,
	};
	struct input *in = &c->in;
	struct call k = { 0 };
	u8 what;

	machine_tick(100);
	v->regs.rflags |= X86_EFLAGS_IF;
	if (c->ending || !in->left) {
		c->ending = true;
		clean(c, v);
		return;
	}
	if (c->begins && begin_guest(c, v))
		return;
	c->calls++;
	what = take8(in);
	if (what >= 240) {
		own_exit(in, v);
		return;
	}
	if (what >= 224)
		poke_run(in);
	k.nr = what < 128 ? often[what % 8] : what % 32;
	if (what == 223) {		/* anything at all */
		k.nr = take8(in);
		k.a = take64(in);
		k.b = take64(in);
		k.c = take64(in);
		k.d = take64(in);
	} else {
		arguments(c, in, &k);
	}
	make_call(v, &k);
}

/* ---- guests ---- */

static void guest_npf(struct input *in, struct vcpu *v)
{
	u8 how = take8(in);

	v->exit.npf.gpa = (u64)take8(in) << PAGE_SHIFT | (take16(in) & 0xfff);
	if (how >> 6 == 3)
		v->exit.npf.gpa = APIC_BASE_DEFAULT + (take16(in) & 0xfff);
	v->exit.npf.gpa |= v->space;
	v->exit.npf.flags = how & 15;
}

static void guest_exit(struct input *in, struct vcpu *v)
{
	u64 *r = v->regs.gpr;

	switch (v->exit.reason) {
	case VM_EXIT_IO:
		v->exit.io = (struct exit_io){ .port = take8(in) & 1 ? 0x60 : take16(in), .size = (u8)(1 << take8(in) % 3),
					       .in = take8(in) & 1, .string = !(take8(in) & 7) };
		break;
	case VM_EXIT_NPF:
	case VM_EXIT_NEED_PAGE:
		guest_npf(in, v);
		break;
	case VM_EXIT_APIC_WRITE:
		v->exit.apic_reg = (take8(in) << 4) & 0xff0;
		break;
	case VM_EXIT_EOI:
		v->exit.vector = take8(in);
		break;
	case VM_EXIT_HYPERCALL:
		v->exit.cpl = take8(in) & 1 ? 0 : 3;
		r[RAX] = take8(in) & 1 ? take8(in) % 16 : BP_HC_BASE | take8(in);
		r[RBX] = take16(in);
		break;
	case VM_EXIT_EXCEPTION:
		v->exit.exc = (struct exit_exc){ .vector = take8(in) % 32, .has_error = take8(in) & 1, .cr2_or_dr6 = take16(in) };
		if (v->exit.exc.vector == 2)
			v->exit.exc.vector = 1;
		break;
	case VM_EXIT_TASK_SWITCH:
		v->exit.task = (struct exit_task){ take16(in), take8(in) % 3 };
		break;
	case VM_EXIT_MCE:
		v->exit.reason = take8(in) < 8 ? VM_EXIT_MCE : VM_EXIT_NONE;
		break;
	case VM_EXIT_RDMSR:
	case VM_EXIT_WRMSR: {
		u8 how = take8(in);

		r[RCX] = how < 64 ? 0x800u + how : how < 96 ? 0x4b564d00u + how % 8 : how < 128 ? 0xc0000080u + how % 16 :
			 how < 140 ? 0x1b : msr_list[how % msr_list_len];
		r[RAX] = take32(in);
		r[RDX] = take16(in);
		break;
	}
	default:
		r[RAX] = take32(in);
		r[RCX] = take8(in) % 16;
		r[RDX] = take8(in);
	}
}

void calls_guest(struct caller *c, struct vcpu *v)
{
	struct input *in = &c->in;

	machine_tick(100);
	if (!in->left || c->ending) {	/* back to domain 0, whatever RUN waits for */
		__atomic_store_n(&machine_cpu->dom0->nmi_pending, true, __ATOMIC_SEQ_CST);
		machine_cpu->nmi_pending = true;
		v->exit.reason = VM_EXIT_INTR;
		v->exit.taken = 0x100 | 0xf9;
		return;
	}
	v->exit.reason = take8(in) % VM_EXIT_REASONS;
	v->exit.insn_len = take8(in) % 16;
	if (v->exit.insn_len & 8)
		v->regs.rip = take16(in);
	if (v->exit.insn_len & 4)
		v->regs.rflags ^= X86_EFLAGS_IF;
	guest_exit(in, v);
}
