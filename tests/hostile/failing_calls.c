// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes on bedplate.ko's hypercalls; see failing.h.  They are inlined in their callers, so they are found by
 * the instruction, VMCALL or VMMCALL, whichever the module's loading has put there.
 */
#include <linux/kprobes.h>

#include "../../dom0-shim/channel/hypercall.h"
#include "failing.h"

#define CALL_LEN	3
#define CALLS_MAX	256

static struct kprobe calls[CALLS_MAX];
static unsigned int nr_calls;

static bool removes_ioeventfd(u64 list_pfn)
{
	const struct bp_ioeventfd *e = __va(list_pfn << PAGE_SHIFT);

	return e->flags & BP_IOEVENTFD_REMOVE;
}

/* Calls that channel.h lets say -ENOMEM; of the others, FAILING_KINDS. */
static enum failing_kind kind_of(const struct pt_regs *regs)
{
	switch (regs->ax - BP_HC_BASE) {
	case BP_HC_MAP:
		return FAILING_MAP;
	case BP_HC_DOMAIN_CREATE:
	case BP_HC_DONATE:
		return FAILING_DONATE;
	case BP_HC_VCPU_CREATE:
		return FAILING_FRAMES;
	case BP_HC_VCPU_SET:	/* the third argument */
		return regs->dx == BP_STATE_CPUID ? FAILING_FRAMES : FAILING_KINDS;
	case BP_HC_PROTECT:	/* the fourth */
		return regs->si & BP_PROTECT_SPLIT ? FAILING_FRAMES : FAILING_KINDS;
	case BP_HC_IOEVENTFD:	/* the second */
		return removes_ioeventfd(regs->cx) ? FAILING_KINDS : FAILING_FRAMES;
	default:
		return FAILING_KINDS;
	}
}

static int on_call(struct kprobe *p, struct pt_regs *regs)
{
	unsigned long at = (unsigned long)p->addr;
	enum failing_kind kind = kind_of(regs);

	if (kind == FAILING_KINDS || !failing_due(kind, "hypercall", at))
		return 0;
	regs->ax = -ENOMEM;
	regs->ip = at + CALL_LEN;
	return 1;
}

static bool is_call(const u8 *code)
{
	return code[0] == 0x0f && code[1] == 0x01 && (code[2] == 0xc1 || code[2] == 0xd9);
}

static int probe_call(unsigned long at)
{
	struct kprobe *p = &calls[nr_calls];
	int err;

	if (nr_calls == CALLS_MAX)
		return -ENOSPC;
	*p = (struct kprobe){ .addr = (kprobe_opcode_t *)at, .pre_handler = on_call };
	err = register_kprobe(p);
	if (err == -EILSEQ)	/* the bytes are in the midst of an instruction */
		return 0;
	nr_calls += !err;
	return err;
}

int failing_calls_init(unsigned long text, unsigned long end)
{
	unsigned long at;
	int err = 0;

	for (at = text; at + CALL_LEN <= end && !err; at++)
		if (is_call((const u8 *)at))
			err = probe_call(at);
	if (!err && !nr_calls)
		err = -ENOENT;
	if (err) {
		pr_err("failing: hypercall number %u, at %pS: %d\n", nr_calls, (void *)at, err);
		failing_calls_exit();
	}
	return err;
}

void failing_calls_exit(void)
{
	while (nr_calls)
		unregister_kprobe(&calls[--nr_calls]);
}
