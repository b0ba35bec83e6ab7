// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions for a vCPU, and stepping over an instruction. */
#include "guest/insn.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "memory/frames.h"
#include "memory/mmu.h"
#include "ops.h"
#include "run.h"

static bool contributory(u8 vector)
{
	return vector == X86_TRAP_DE || (vector >= X86_TRAP_TS && vector <= X86_TRAP_GP);
}

/* SDM vol. 3, table 6-5: what a second exception during delivery becomes. */
void vcpu_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
	struct vcpu_event *e = &v->inject;

	if (e->type == EVENT_EXC) {
		log_debug("domain %u vCPU %u: exception %u (%x) while delivering %u (%x), RIP %llx CR2 %llx",
			  v->dom->id, v->index, vector, error, e->vector, e->error,
			  v->regs.rip, v->regs.cr2);
		if (e->vector == X86_TRAP_DF) {
			v->shutdown_sticky = true;
			return;
		}
		if ((contributory(e->vector) && contributory(vector)) ||
		    (e->vector == X86_TRAP_PF && (contributory(vector) ||
						  vector == X86_TRAP_PF))) {
			vector = X86_TRAP_DF;
			has_error = true;
			error = 0;
		}
	}
	/*
	 * Benign first events: both are handled, one after the other.  The exception
	 * first, for the other one's delivery has met it.
	 */
	if (e->type == EVENT_INTR) {
		v->intr_again = true;
		v->again_vector = e->vector;
	} else if (e->type == EVENT_NMI) {
		v->nmi_pending = true;
	}
	e->type = EVENT_EXC;
	e->vector = vector;
	e->has_error = has_error;
	e->error = error;
	e->dr6 = 0;
}

/* Bytes after the prefixes of the instructions that exit and are skipped. */
static u8 opcode_len(enum vm_exit_reason reason)
{
	switch (reason) {
	case VM_EXIT_HLT:
	case VM_EXIT_PAUSE:
		return 1;
	case VM_EXIT_HYPERCALL:
	case VM_EXIT_XSETBV:
		return 3;
	default:
		return 2;	/* CPUID, RDMSR, WRMSR, WBINVD, INVD */
	}
}

static u8 measure_by_walk(struct vcpu *v, const struct vcpu_paging *p)
{
	u8 buf[INSN_MAX];
	int n = insn_fetch(v, p, buf), prefix;

	if (n < 0)
		return 0;
	prefix = insn_prefix_len(buf, n, p->cs_long);
	if (prefix < 0)
		return 0;
	return prefix + opcode_len(v->exit.reason);
}

/* Do these bytes, behind the prefixes, name the instruction that exited? */
static bool names_exit(enum vm_exit_reason reason, const u8 *b)
{
	switch (reason) {
	case VM_EXIT_CPUID:
		return b[0] == 0x0f && b[1] == 0xa2;
	case VM_EXIT_RDMSR:
		return b[0] == 0x0f && b[1] == 0x32;
	case VM_EXIT_WRMSR:
		return b[0] == 0x0f && b[1] == 0x30;
	case VM_EXIT_HLT:
		return b[0] == 0xf4;
	default:
		return false;
	}
}

static struct code_hint *code_hint(struct vcpu *v, gva_t gva)
{
	return &v->code[(gva >> PAGE_SHIFT) % CODE_HINTS];
}

/*
 * The instruction's bytes by the hint, without walking the guest's tables: the
 * page is still mapped, as the domain's generation tells.  If the guest gave the
 * linear address another page meanwhile, other bytes are found (or the same).
 */
static u8 measure_by_hint(struct vcpu *v, const struct vcpu_paging *p, gva_t gva)
{
	struct code_hint *h = code_hint(v, gva);
	bool valid;
	u64 b[2];
	int prefix;

	if (h->page != ((gva & PAGE_MASK) | 1) || h->cr3 != p->cr3 ||
	    (gva & ~PAGE_MASK) > PAGE_SIZE - sizeof(b))
		return 0;
	spin_lock(&v->dom->lock);
	valid = h->gen == v->dom->tlb_gen;
	if (valid) {
		const u64 *from = phys_to_virt(h->hpa + (gva & ~PAGE_MASK));

		b[0] = from[0];
		b[1] = from[1];
	}
	spin_unlock(&v->dom->lock);
	if (!valid)
		return 0;
	prefix = insn_prefix_len((u8 *)b, INSN_MAX, p->cs_long);
	if (prefix < 0 || prefix > 12 || !names_exit(v->exit.reason, (u8 *)b + prefix))
		return 0;
	return prefix + opcode_len(v->exit.reason);
}

static void remember_code(struct vcpu *v, const struct vcpu_paging *p, gva_t gva)
{
	struct code_hint *h = code_hint(v, gva);
	u64 gen = READ_ONCE(v->dom->tlb_gen);
	struct npt_leaf leaf;
	gpa_t gpa;

	h->page = 0;
	if (gva_to_gpa(v, p, gva, &gpa) || mmu_lookup(v->dom, gpa, &leaf) != NPT_MAPPED ||
	    frame_owner(leaf.pfn) != BP_OWNER_DOM0)
		return;		/* domain 0 could run from device memory */
	h->hpa = leaf.pfn << PAGE_SHIFT;
	h->cr3 = p->cr3;
	h->gen = gen;
	h->page = (gva & PAGE_MASK) | 1;
}

static u8 measure(struct vcpu *v, const struct vcpu_paging *p)
{
	gva_t gva = p->cs_long ? v->regs.rip : (u32)(p->cs_base + v->regs.rip);
	u8 len = measure_by_hint(v, p, gva);

	if (len)
		return len;
	remember_code(v, p, gva);
	return measure_by_walk(v, p);
}

/* Length 0: its page vanished meanwhile; the guest's own fetch faults. */
static noinline u64 rip_behind(struct vcpu *v, u8 len)
{
	struct vcpu_paging p;
	u64 rip;

	ops->get_paging(v, &p);
	rip = v->regs.rip + (len ? len : measure(v, &p));
	return p.cs_long ? rip : (u32)rip;
}

/*
 * The trap of a single step, which comes before interrupts.  Steps from branch to
 * branch (BTF) do not stop here: no branch is ever done for a guest.
 */
static noinline void single_step(struct vcpu *v)
{
	u64 ctl;

	if (v->inject.type != EVENT_NONE || ops->get_msr(v, MSR_DEBUGCTL, &ctl) ||
	    (ctl & DEBUGCTL_BTF))
		return;
	v->inject = (struct vcpu_event){
		.type = EVENT_EXC, .vector = X86_TRAP_DB, .dr6 = X86_DR6_BS,
	};
}

void vcpu_insn_done(struct vcpu *v)
{
	u8 shadow, masked;

	v->regs.rflags &= ~(u64)X86_EFLAGS_RF;
	ops->get_block(v, &shadow, &masked);
	if (shadow)
		ops->set_block(v, 0, masked);
	if (unlikely(v->regs.rflags & X86_EFLAGS_TF))
		single_step(v);
}

void vcpu_skip(struct vcpu *v)
{
	u64 rip = v->regs.rip, next = rip + v->exit.insn_len;

	/* Within 4 GiB the mode, which takes time to read, makes no difference. */
	if (unlikely(next == rip || (next ^ rip) >> 32))
		next = rip_behind(v, v->exit.insn_len);
	if (unlikely(next == rip))
		return;
	v->regs.rip = next;
	vcpu_insn_done(v);
}

void vcpu_get_regs(const struct vcpu *v, struct kvm_regs *r)
{
	const u64 *g = v->regs.gpr;

	r->rax = g[RAX];
	r->rbx = g[RBX];
	r->rcx = g[RCX];
	r->rdx = g[RDX];
	r->rsi = g[RSI];
	r->rdi = g[RDI];
	r->rsp = g[RSP];
	r->rbp = g[RBP];
	r->r8 = g[R8];
	r->r9 = g[R9];
	r->r10 = g[R10];
	r->r11 = g[R11];
	r->r12 = g[R12];
	r->r13 = g[R13];
	r->r14 = g[R14];
	r->r15 = g[R15];
	r->rip = v->regs.rip;
	r->rflags = v->regs.rflags;
}

/* RFLAGS bits that exist; bit 1 reads 1. */
#define RFLAGS_VALID	0x3f7fd7ull

void vcpu_set_regs(struct vcpu *v, const struct kvm_regs *r)
{
	u64 *g = v->regs.gpr;

	g[RAX] = r->rax;
	g[RBX] = r->rbx;
	g[RCX] = r->rcx;
	g[RDX] = r->rdx;
	g[RSI] = r->rsi;
	g[RDI] = r->rdi;
	g[RSP] = r->rsp;
	g[RBP] = r->rbp;
	g[R8] = r->r8;
	g[R9] = r->r9;
	g[R10] = r->r10;
	g[R11] = r->r11;
	g[R12] = r->r12;
	g[R13] = r->r13;
	g[R14] = r->r14;
	g[R15] = r->r15;
	v->regs.rip = r->rip;
	v->regs.rflags = (r->rflags & RFLAGS_VALID) | X86_EFLAGS_FIXED;
}
