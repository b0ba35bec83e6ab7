// SPDX-License-Identifier: GPL-2.0-only
/* Stepping over an instruction that Bedplate has done, measured where hardware does not. */
#include "insn.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "memory/frames.h"
#include "memory/mmu.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"

/* Bytes after the prefixes of the instructions that exit and are skipped. */
static u8 opcode_len(enum vm_exit_reason reason)
{
	switch (reason) {
	case VM_EXIT_HLT:
	case VM_EXIT_PAUSE:
		return 1;
	case VM_EXIT_HYPERCALL:
	case VM_EXIT_XSETBV:
	case VM_EXIT_MWAIT:
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
	if (gva_to_gpa(v, p, gva, &gpa) || mmu_lookup(v->dom, gpa | v->space, &leaf) != NPT_MAPPED ||
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

u8 vcpu_insn_len(struct vcpu *v)
{
	struct vcpu_paging p;

	if (v->exit.insn_len)
		return v->exit.insn_len;
	ops->get_paging(v, &p);
	return measure(v, &p);
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
