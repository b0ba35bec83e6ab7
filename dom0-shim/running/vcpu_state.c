// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPU state: KVM's structures, copied between user space and the state frame;
 * Bedplate reads and writes them as they are.
 *
 * What the shim still owes the vCPU at its next RUN (registers changed by a
 * finished access, an exception or interrupt to inject) belongs to the state
 * too, and is merged here.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/apicdef.h>
#include <asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>

#include "channel/hypercall.h"
#include "irqchip/irqchip.h"
#include "memory/donate.h"
#include "memory/gmem.h"
#include "apf.h"
#include "hv.h"
#include "nest.h"
#include "run.h"
#include "state.h"

long bp_state_get(struct bp_vcpu *vcpu, enum bp_state class, u64 len)
{
	return bp_hc_vcpu_get(vcpu->vm->dom, vcpu->index, class, len);
}

/* Bedplate may want a frame for the state, as for the first CPUID table. */
long bp_state_set(struct bp_vcpu *vcpu, enum bp_state class, u64 len)
{
	struct bp_vm *vm = vcpu->vm;
	long ret = bp_hc_vcpu_set(vm->dom, vcpu->index, class, len);

	if (ret == -ENOMEM && !bp_donate(vm))
		ret = bp_hc_vcpu_set(vm->dom, vcpu->index, class, len);
	return ret;
}

/* ---- the classes that are copied and no more ---- */

struct simple {
	unsigned int get, set;
	enum bp_state class;
	u32 size;
};

static const struct simple simple[] = {
	{ KVM_GET_FPU, KVM_SET_FPU, BP_STATE_FPU, sizeof(struct kvm_fpu) },
	{ KVM_GET_XSAVE, KVM_SET_XSAVE, BP_STATE_XSAVE,
	  sizeof(struct kvm_xsave) },
	/* What vCPUs may have in XCR0 fits the first form. */
	{ KVM_GET_XSAVE2, 0, BP_STATE_XSAVE, sizeof(struct kvm_xsave) },
	{ KVM_GET_XCRS, KVM_SET_XCRS, BP_STATE_XCRS, sizeof(struct kvm_xcrs) },
	{ KVM_GET_MP_STATE, 0, BP_STATE_MP_STATE,
	  sizeof(struct kvm_mp_state) },
};

static long simple_get(struct bp_vcpu *vcpu, enum bp_state class, u32 size,
		       void __user *argp)
{
	long ret;

	memset(vcpu->state, 0, size);
	ret = bp_state_get(vcpu, class, size);
	if (ret < 0)
		return ret;
	return copy_to_user(argp, vcpu->state, size) ? -EFAULT : 0;
}

static long simple_set(struct bp_vcpu *vcpu, enum bp_state class, u32 size,
		       void __user *argp)
{
	if (copy_from_user(vcpu->state, argp, size))
		return -EFAULT;
	return bp_state_set(vcpu, class, size);
}

static long simple_ioctl(struct bp_vcpu *vcpu, unsigned int cmd,
			 void __user *argp)
{
	const struct simple *s;

	for (s = simple; s < simple + ARRAY_SIZE(simple); s++) {
		if (cmd == s->get)
			return simple_get(vcpu, s->class, s->size, argp);
		if (cmd == s->set)
			return simple_set(vcpu, s->class, s->size, argp);
	}
	return -ENOIOCTLCMD;
}

/* ---- registers ---- */

long bp_regs_get(struct bp_vcpu *vcpu)
{
	struct bp_vcpu_page *page = vcpu->page;
	struct kvm_regs *regs = vcpu->state;
	long ret;

	if (page->run_flags & BP_RUN_SET_REGS) {
		memcpy(regs, &page->regs, sizeof(*regs));
	} else {
		ret = bp_state_get(vcpu, BP_STATE_REGS, sizeof(*regs));
		if (ret < 0)
			return ret;
	}
	regs->rflags = bp_debug_hide(vcpu, regs->rflags);
	return 0;
}

long bp_regs_set(struct bp_vcpu *vcpu)
{
	struct bp_vcpu_page *page = vcpu->page;
	struct kvm_regs regs = *(struct kvm_regs *)vcpu->state;
	long ret;

	regs.rflags = bp_debug_keep(vcpu, &regs);
	memcpy(vcpu->state, &regs, sizeof(regs));
	ret = bp_state_set(vcpu, BP_STATE_REGS, sizeof(regs));
	if (ret)
		return ret;
	page->regs = regs;
	/* Bit 1 of RFLAGS reads as one. */
	page->regs.rflags |= 2;
	page->run_flags &= ~(BP_RUN_SET_REGS | BP_RUN_EXCEPTION);
	/* With the exception goes the trap of a step that is the guest's own. */
	if (bp_owes_step(vcpu) && !(vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP))
		page->run_flags &= ~BP_RUN_INSN_DONE;
	bp_emulate_new_regs(vcpu, &page->regs);
	return 0;
}

/* The two forms are the same but for their ends, which are not looked at here. */
static_assert(offsetof(struct kvm_sregs, interrupt_bitmap) ==
	      offsetof(struct kvm_sregs2, flags));

static long sregs_get(struct bp_vcpu *vcpu, enum bp_state class, u32 size)
{
	const struct bp_vcpu_page *page = vcpu->page;
	struct kvm_sregs *sregs = vcpu->state;
	long ret = bp_state_get(vcpu, class, size);

	if (ret < 0)
		return ret;
	/* A page fault that is owed: whoever is told of no payload has it here. */
	if (page->run_flags & BP_RUN_EXCEPTION && page->exc_vector == X86_TRAP_PF &&
	    !(READ_ONCE(vcpu->vm->rules) & BP_RULE_PAYLOAD))
		sregs->cr2 = page->exc_cr2;
	return 0;
}

static long sregs_set(struct bp_vcpu *vcpu, enum bp_state class, u32 size)
{
	struct kvm_sregs *sregs = vcpu->state;
	long ret = bp_state_set(vcpu, class, size);

	if (ret)
		return ret;
	vcpu->page->apic_base = sregs->apic_base;
	vcpu->page->cr8 = sregs->cr8;
	bp_emulate_new_sregs(vcpu, sregs);
	bp_nest_sregs_set(vcpu, sregs->efer);
	return 0;
}

long bp_sregs_get(struct bp_vcpu *vcpu)
{
	return sregs_get(vcpu, BP_STATE_SREGS, sizeof(struct kvm_sregs));
}

long bp_sregs_set(struct bp_vcpu *vcpu)
{
	return sregs_set(vcpu, BP_STATE_SREGS, sizeof(struct kvm_sregs));
}

static bool pages_with_pae(const struct kvm_sregs2 *s)
{
	return s->cr0 & X86_CR0_PG && s->cr4 & X86_CR4_PAE && !(s->efer & EFER_LMA);
}

/* PDPTRs that the CPU does not keep are in memory. */
static long sregs2_get(struct bp_vcpu *vcpu)
{
	struct kvm_sregs2 *s = vcpu->state;
	long ret = sregs_get(vcpu, BP_STATE_SREGS2, sizeof(*s));
	int idx;

	if (ret || s->flags || !pages_with_pae(s))
		return ret;
	idx = srcu_read_lock(&vcpu->vm->srcu);
	if (!bp_vcpu_read(vcpu, s->cr3 & 0xffffffe0, s->pdptrs, sizeof(s->pdptrs)))
		s->flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return 0;
}

static long sregs2_set(struct bp_vcpu *vcpu)
{
	return sregs_set(vcpu, BP_STATE_SREGS2, sizeof(struct kvm_sregs2));
}

/* ---- local APIC ---- */

/* Does its ID take the whole register in user space's eyes? */
static long wide_id(struct bp_vcpu *vcpu)
{
	const struct kvm_sregs *s = vcpu->state;
	long ret;

	if (!bp_irq_x2apic_format(vcpu->vm->irq))
		return 0;
	ret = bp_sregs_get(vcpu);
	return ret ?: !!(s->apic_base & X2APIC_ENABLE);
}

static long lapic_get(struct bp_vcpu *vcpu)
{
	struct kvm_lapic_state *s = vcpu->state;
	long wide = wide_id(vcpu), ret;

	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE)
		return -EINVAL;

	if (wide < 0)
		return wide;
	ret = bp_state_get(vcpu, BP_STATE_LAPIC, sizeof(*s));
	if (ret >= 0 && wide)
		*(u32 *)(s->regs + APIC_ID) = vcpu->id;
	return ret < 0 ? ret : 0;
}

static long lapic_set(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_lapic_state *s = vcpu->state;
	long wide = wide_id(vcpu);
	u32 *id = (u32 *)(s->regs + APIC_ID);

	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE)
		return -EINVAL;
	if (wide < 0)
		return wide;
	if (copy_from_user(s, argp, sizeof(*s)))
		return -EFAULT;
	if (wide) {
		if (*id != vcpu->id)
			return -EINVAL;
		*id <<= 24;
	}
	return bp_state_set(vcpu, BP_STATE_LAPIC, sizeof(*s));
}

/* ---- those, from and to user space ---- */

static long merged_get(struct bp_vcpu *vcpu, long (*get)(struct bp_vcpu *vcpu),
		       u32 size, void __user *argp)
{
	long ret = get(vcpu);

	if (ret)
		return ret;
	return copy_to_user(argp, vcpu->state, size) ? -EFAULT : 0;
}

static long merged_set(struct bp_vcpu *vcpu, long (*set)(struct bp_vcpu *vcpu),
		       u32 size, void __user *argp)
{
	if (copy_from_user(vcpu->state, argp, size))
		return -EFAULT;
	return set(vcpu);
}

static long set_guest_debug(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_guest_debug dbg;

	return copy_from_user(&dbg, argp, sizeof(dbg)) ? -EFAULT :
							 bp_debug_set(vcpu, &dbg);
}

/* ---- lists ---- */

/* As many of @n as are Bedplate's in a row; how many were done of them. */
static long bedplate_msrs(struct bp_vcpu *vcpu, struct kvm_msr_entry *e, u32 n, bool set)
{
	struct kvm_msrs *m = vcpu->state;
	size_t len = struct_size(m, entries, n);
	long done;

	m->nmsrs = n;
	memcpy(m->entries, e, n * sizeof(*e));
	if (set)
		return bp_state_set(vcpu, BP_STATE_MSRS, len);
	done = bp_state_get(vcpu, BP_STATE_MSRS, len);
	if (done > 0)
		memcpy(e, m->entries, done * sizeof(*e));
	return done;
}

static bool is_own(u32 index)
{
	return bp_hv_owns(index) || bp_smm_owns(index) || bp_apf_owns(index) || bp_nest_owns(index);
}

/* One that the guest does not have is 0 for user space, which may have saved it so. */
static long apf_msr(struct bp_vcpu *vcpu, struct kvm_msr_entry *e, bool set)
{
	long ret = set ? bp_apf_set_msr(vcpu, e->index, e->data) :
			 bp_apf_get_msr(vcpu, e->index, &e->data);

	if (ret != -ENOENT)
		return ret;
	if (set)
		return e->data ? -EINVAL : 0;
	e->data = 0;
	return 0;
}

/* -ENOENT: not the shim's. */
static long own_msr(struct bp_vcpu *vcpu, struct kvm_msr_entry *e, bool set)
{
	long ret = set ? bp_smm_set_msr(vcpu, e->index, e->data) :
			 bp_smm_get_msr(vcpu, e->index, &e->data);

	if (ret != -ENOENT)
		return ret;
	if (bp_apf_owns(e->index))
		return apf_msr(vcpu, e, set);
	if (bp_nest_owns(e->index))
		return set ? bp_nest_set_msr(vcpu, e->index, e->data) :
			     bp_nest_get_msr(vcpu, e->index, &e->data);
	return set ? bp_hv_set_msr(vcpu, e->index, e->data) :
		     bp_hv_get_msr(vcpu, e->index, &e->data);
}

/* Up to the first that is refused; how many that are. */
static long run_msrs(struct bp_vcpu *vcpu, struct kvm_msr_entry *e, u32 n, bool set)
{
	u32 i = 0, run;
	long ret;

	while (i < n) {
		ret = own_msr(vcpu, &e[i], set);
		if (!ret) {
			i++;
			continue;
		}
		if (ret != -ENOENT)
			break;
		for (run = 1; i + run < n && !is_own(e[i + run].index); run++)
			;
		ret = bedplate_msrs(vcpu, &e[i], run, set);
		if (ret < 0)
			return ret;
		i += ret;
		if (ret < run)
			break;
	}
	return i;
}

static long msrs_ioctl(struct bp_vcpu *vcpu, void __user *argp, bool set)
{
	struct kvm_msrs __user *user = argp;
	struct kvm_msr_entry *e;
	struct kvm_msrs head;
	u32 n;
	long done;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	n = head.nmsrs;
	if (n > BP_MAX_MSRS)
		return -E2BIG;
	e = memdup_array_user(user->entries, n, sizeof(*e));
	if (IS_ERR(e))
		return PTR_ERR(e);
	done = run_msrs(vcpu, e, n, set);
	if (done >= 0 && !set && copy_to_user(user->entries, e, n * sizeof(*e)))
		done = -EFAULT;
	kfree(e);
	return done;
}

/* ---- single values ---- */

static long get_tsc_khz(struct bp_vcpu *vcpu)
{
	long ret = bp_state_get(vcpu, BP_STATE_TSC_KHZ, sizeof(u32));

	return ret < 0 ? ret : *(u32 *)vcpu->state;
}

static long set_tsc_khz(struct bp_vcpu *vcpu, unsigned long khz)
{
	if (khz > U32_MAX)
		return -EINVAL;
	*(u32 *)vcpu->state = khz ?: tsc_khz;
	return bp_state_set(vcpu, BP_STATE_TSC_KHZ, sizeof(u32));
}

static long translate(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_translation *tr = vcpu->state;
	long ret;

	if (copy_from_user(tr, argp, sizeof(*tr)))
		return -EFAULT;
	ret = bp_state_get(vcpu, BP_STATE_TRANSLATE, sizeof(*tr));
	if (ret < 0)
		return ret;
	return copy_to_user(argp, tr, sizeof(*tr)) ? -EFAULT : 0;
}

/* ---- attributes ---- */

static long tsc_offset_attr(struct bp_vcpu *vcpu, unsigned int cmd, u64 addr)
{
	u64 __user *user = u64_to_user_ptr(addr);
	u64 *word = vcpu->state;
	long ret;

	if (cmd == KVM_HAS_DEVICE_ATTR)
		return 0;
	if (cmd == KVM_SET_DEVICE_ATTR)
		return get_user(*word, user) ? -EFAULT :
		       bp_state_set(vcpu, BP_STATE_TSC_OFFSET, sizeof(*word));
	ret = bp_state_get(vcpu, BP_STATE_TSC_OFFSET, sizeof(*word));
	if (ret < 0)
		return ret;
	return put_user(*word, user) ? -EFAULT : 0;
}

static long device_attr(struct bp_vcpu *vcpu, unsigned int cmd, void __user *argp)
{
	struct kvm_device_attr attr;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;
	if (attr.group != KVM_VCPU_TSC_CTRL || attr.attr != KVM_VCPU_TSC_OFFSET)
		return -ENXIO;
	return tsc_offset_attr(vcpu, cmd, attr.addr);
}

long bp_vcpu_state_ioctl(struct bp_vcpu *vcpu, unsigned int cmd,
			 void __user *argp)
{
	switch (cmd) {
	case KVM_GET_REGS:
		return merged_get(vcpu, bp_regs_get, sizeof(struct kvm_regs),
				  argp);
	case KVM_SET_REGS:
		return merged_set(vcpu, bp_regs_set, sizeof(struct kvm_regs),
				  argp);
	case KVM_GET_SREGS:
		return merged_get(vcpu, bp_sregs_get, sizeof(struct kvm_sregs),
				  argp);
	case KVM_SET_SREGS:
		return merged_set(vcpu, bp_sregs_set, sizeof(struct kvm_sregs),
				  argp);
	case KVM_GET_SREGS2:
		return merged_get(vcpu, sregs2_get, sizeof(struct kvm_sregs2), argp);
	case KVM_SET_SREGS2:
		return merged_set(vcpu, sregs2_set, sizeof(struct kvm_sregs2), argp);
	case KVM_GET_VCPU_EVENTS:
		return merged_get(vcpu, bp_events_get, sizeof(struct kvm_vcpu_events),
				  argp);
	case KVM_SET_VCPU_EVENTS:
		return merged_set(vcpu, bp_events_set, sizeof(struct kvm_vcpu_events),
				  argp);
	case KVM_SET_MP_STATE:
		return merged_set(vcpu, bp_mp_state_set, sizeof(struct kvm_mp_state), argp);
	case KVM_GET_LAPIC:
		return merged_get(vcpu, lapic_get, sizeof(struct kvm_lapic_state), argp);
	case KVM_SET_LAPIC:
		return lapic_set(vcpu, argp);
	case KVM_GET_DEBUGREGS:
		return merged_get(vcpu, bp_debugregs_get, sizeof(struct kvm_debugregs),
				  argp);
	case KVM_SET_DEBUGREGS:
		return merged_set(vcpu, bp_debugregs_set, sizeof(struct kvm_debugregs),
				  argp);
	case KVM_SET_GUEST_DEBUG:
		return set_guest_debug(vcpu, argp);
	case KVM_GET_MSRS:
		return msrs_ioctl(vcpu, argp, false);
	case KVM_SET_MSRS:
		return msrs_ioctl(vcpu, argp, true);
	case KVM_GET_CPUID2:
		return bp_cpuid_get(vcpu, argp);
	case KVM_SET_CPUID2:
		return bp_cpuid_set(vcpu, argp);
	case KVM_SET_CPUID:
		return bp_cpuid_set_old(vcpu, argp);
	case KVM_GET_TSC_KHZ:
		return get_tsc_khz(vcpu);
	case KVM_SET_TSC_KHZ:
		return set_tsc_khz(vcpu, (unsigned long)argp);
	case KVM_HAS_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
	case KVM_SET_DEVICE_ATTR:
		return device_attr(vcpu, cmd, argp);
	case KVM_KVMCLOCK_CTRL:
		return bp_state_set(vcpu, BP_STATE_CLOCK_STOPPED, 0);
	case KVM_X86_SET_MCE:
		return bp_set_mce(vcpu, argp);
	case KVM_TRANSLATE:
		return translate(vcpu, argp);
	case KVM_GET_NESTED_STATE:
		return bp_nest_state_get(vcpu, argp);
	case KVM_SET_NESTED_STATE:
		return bp_nest_state_set(vcpu, argp);
	case KVM_X86_SETUP_MCE:
		return bp_setup_mce(vcpu, argp);
	default:
		return simple_ioctl(vcpu, cmd, argp);
	}
}
