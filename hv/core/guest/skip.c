// SPDX-License-Identifier: GPL-2.0-only
/* Stepping over an instruction that Bedplate has done, measured where hardware does not. */
#include "insn.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"

/* Bytes after the prefixes of the instructions that exit and are skipped, but for 2. */
static const u8 opcode_len[VM_EXIT_REASONS] = {
	[VM_EXIT_HLT] = 1,
	[VM_EXIT_PAUSE] = 1,
	[VM_EXIT_HYPERCALL] = 3,
	[VM_EXIT_XSETBV] = 3,
	[VM_EXIT_MWAIT] = 3,
	[VM_EXIT_UNDEFINED] = 3,	/* SVM's own */
};

static inline u8 measure(struct vcpu *v, const struct vcpu_paging *p)
{
	u8 buf[INSN_BUF], len = opcode_len[v->exit.reason] ? : 2;	/* CPUID, RDMSR, WBINVD ... */
	int n = insn_fetch(v, p, buf), prefix;

	if (n < 0)
		return 0;
	if (likely(buf[0] == 0x0f))
		return len;
	prefix = insn_prefix_len(buf, n, p->cs_long);
	return prefix < 0 ? 0 : prefix + len;
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
