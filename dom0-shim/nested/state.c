// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which vCPUs have SVM, its MSRs, and KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE, whose form
 * is KVM's: L2's controls and L1's state, as a VMCB.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>

#include "running/run.h"
#include "running/state.h"
#include "nested.h"

static bool nested = true;
module_param(nested, bool, 0444);
MODULE_PARM_DESC(nested, "guests can have SVM and run guests of their own");

#define EXT_FEATURES	0x80000001
#define EXT_SIZES	0x80000008
#define EXT_SVM		0x8000000a
#define ECX_SVM		BIT(2)

/*
 * What follows from how it is done here: clean bits, flush by ASID, and that a VMCB's address is
 * looked at before L1 could be asked.
 */
#define EDX_SVM		(BIT(5) | BIT(6) | BIT(28))
#define ASIDS		8		/* as KVM has them: each VMRUN flushes anyway */

#define PHYS_BITS	36		/* where CPUID does not say */

/* ---- who has it ---- */

bool bp_nest_offered(void)
{
	return nested && (boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
			  boot_cpu_data.x86_vendor == X86_VENDOR_HYGON);
}

void bp_nest_cpuid(struct kvm_cpuid_entry2 *e)
{
	*e = (struct kvm_cpuid_entry2){
		.function = EXT_SVM, .eax = 1, .ebx = ASIDS, .edx = EDX_SVM,
	};
}

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *cpuid, u32 leaf)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf)
			return &cpuid->entries[i];
	return NULL;
}

static u32 phys_bits(const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *e = find(cpuid, EXT_SIZES);
	u32 bits = e ? e->eax & 0xff : 0;

	return bits >= 32 && bits <= 52 ? bits : PHYS_BITS;
}

/* Tells Bedplate, too; vcpu->state is another after that. */
static long switch_on(struct bp_vcpu *vcpu, bool on)
{
	struct bp_nest *nest = vcpu->nest;

	if (!nest || nest->on == on)
		return 0;
	nest->on = on;
	nest->map_read = false;
	nest->n.guest = false;
	nest->n.gif = true;
	if (on)
		return bp_nest_rules(vcpu);
	memset(vcpu->state, 0, sizeof(struct bp_nested));
	return bp_state_set(vcpu, BP_STATE_NESTED, sizeof(struct bp_nested));
}

long bp_nest_cpuid_set(struct bp_vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *e = find(cpuid, EXT_FEATURES);
	bool on = bp_nest_offered() && e && e->ecx & ECX_SVM;

	if (on && !vcpu->nest) {
		vcpu->nest = kzalloc(sizeof(*vcpu->nest), GFP_KERNEL_ACCOUNT);
		if (!vcpu->nest)
			return -ENOMEM;
		vcpu->nest->inits = vcpu->page->inits;
	}
	if (on)
		vcpu->nest->phys_bits = phys_bits(cpuid);
	return switch_on(vcpu, on);
}

void bp_nest_free(struct bp_vcpu *vcpu)
{
	if (vcpu->nest)
		kvfree(vcpu->nest->map);
	kfree(vcpu->nest);
}

struct bp_nest *bp_nest_of(struct bp_vcpu *vcpu)
{
	struct bp_nest *nest = vcpu->nest;

	if (!nest || !nest->on)
		return NULL;
	if (nest->inits != vcpu->page->inits) {
		nest->inits = vcpu->page->inits;
		nest->map_read = false;
		nest->n.guest = false;
		nest->n.gif = true;
	}
	return nest;
}

bool bp_nest_in_guest(struct bp_vcpu *vcpu)
{
	const struct bp_nest *nest = bp_nest_of(vcpu);

	return nest && nest->n.guest;
}

bool bp_nest_holds(struct bp_vcpu *vcpu)
{
	return bp_nest_in_guest(vcpu) || (vcpu->nest && !vcpu->nest->n.gif);
}

u64 bp_nest_vmcb(struct bp_vcpu *vcpu)
{
	return bp_nest_in_guest(vcpu) ? vcpu->nest->n.vmcb_gpa : 0;
}

static void leave(struct bp_vcpu *vcpu, bool gif)
{
	struct bp_nest *nest = bp_nest_of(vcpu);

	if (!nest)
		return;
	nest->map_read = false;
	if (!nest->n.guest && nest->n.gif == gif)
		return;
	nest->n.guest = false;
	nest->n.gif = gif;
	WARN_ON_ONCE(bp_nest_rules(vcpu));
}

void bp_nest_leave(struct bp_vcpu *vcpu)
{
	leave(vcpu, true);
}

void bp_nest_sregs_set(struct bp_vcpu *vcpu, u64 efer)
{
	if (!(efer & NEST_EFER_SVME) && !vcpu->smm.in)
		leave(vcpu, true);
}

/* ---- MSRs ---- */

bool bp_nest_owns(u32 msr)
{
	return msr == MSR_VM_CR || msr == MSR_VM_HSAVE_PA;
}

long bp_nest_get_msr(const struct bp_vcpu *vcpu, u32 index, u64 *val)
{
	const struct bp_nest *nest = vcpu->nest;

	if (!bp_nest_owns(index))
		return -ENOENT;
	if (!nest)
		*val = 0;
	else
		*val = index == MSR_VM_CR ? nest->n.vm_cr : nest->hsave;
	return 0;
}

/* Where @from is there.  With SVMDIS there is no SVM as far as Bedplate is concerned. */
static long set_vm_cr(struct bp_vcpu *vcpu, u64 from, u64 val)
{
	const struct kvm_sregs *s = vcpu->state;
	struct nest *n = &vcpu->nest->n;
	u64 old = n->vm_cr;
	long ret = bp_state_get(vcpu, BP_STATE_SREGS, sizeof(*s));

	if (ret < 0)
		return ret;
	if (!nest_vm_cr_write(&from, val, s->efer & NEST_EFER_SVME))
		return -EINVAL;
	n->vm_cr = from;
	return (old ^ from) & NEST_VM_CR_SVMDIS && vcpu->nest->on ? bp_nest_rules(vcpu) : 0;
}

/* User space is not held by LOCK. */
long bp_nest_set_msr(struct bp_vcpu *vcpu, u32 index, u64 val)
{
	struct bp_nest *nest = vcpu->nest;

	if (!bp_nest_owns(index))
		return -ENOENT;
	if (!nest)
		return val ? -EINVAL : 0;
	if (index == MSR_VM_CR)
		return set_vm_cr(vcpu, 0, val);
	if (offset_in_page(val) || val >> nest->phys_bits)
		return -EINVAL;
	nest->hsave = val;
	return 0;
}

static long guest_write(struct bp_vcpu *vcpu, const struct bp_exit_msr *msr)
{
	if (msr->index == MSR_VM_CR)
		return set_vm_cr(vcpu, vcpu->nest->n.vm_cr, msr->data);
	return bp_nest_set_msr(vcpu, msr->index, msr->data);
}

int bp_nest_exit_msr(struct bp_vcpu *vcpu)
{
	struct bp_exit_msr *msr = &vcpu->msr;
	struct kvm_regs *regs = &vcpu->page->regs;
	long ret;
	u64 val;

	if (!bp_nest_of(vcpu))
		return -ENOENT;
	ret = msr->write ? guest_write(vcpu, msr) : bp_nest_get_msr(vcpu, msr->index, &val);
	if (ret)
		return ret;
	if (!msr->write) {
		regs->rax = (u32)val;
		regs->rdx = val >> 32;
	}
	bp_insn_done(vcpu, msr->insn_len);
	return 1;
}

/* ---- KVM_GET_NESTED_STATE ---- */

#define SIZE	(sizeof(struct kvm_nested_state) + KVM_STATE_NESTED_SVM_VMCB_SIZE)
static_assert(sizeof(struct vmcb) == KVM_STATE_NESTED_SVM_VMCB_SIZE);

long bp_nest_state_size(void)
{
	return bp_nest_offered() ? SIZE : 0;
}

static long fill_vmcb(struct bp_vcpu *vcpu, struct vmcb *b)
{
	struct bp_nest *nest = vcpu->nest;
	struct bp_nested now;
	long ret = bp_nest_sync(vcpu, &now);

	if (ret)
		return ret;
	b->c = nest->n.c;
	b->s = nest->n.l1;
	return 0;
}

long bp_nest_state_get(struct bp_vcpu *vcpu, struct kvm_nested_state __user *user)
{
	struct kvm_nested_state head = {
		.flags = KVM_STATE_NESTED_GIF_SET, .format = KVM_STATE_NESTED_FORMAT_SVM,
		.size = sizeof(head),
	};
	struct bp_nest *nest = bp_nest_of(vcpu);
	u32 room;
	long ret;

	if (!bp_nest_offered())
		return -EINVAL;
	if (get_user(room, &user->size))
		return -EFAULT;
	if (nest && !nest->n.gif)
		head.flags = 0;
	if (nest && nest->n.guest) {
		head.flags |= KVM_STATE_NESTED_GUEST_MODE;
		head.hdr.svm.vmcb_pa = nest->n.vmcb_gpa;
		head.size = SIZE;
	}
	if (room < head.size)
		return put_user(head.size, &user->size) ? -EFAULT : -E2BIG;
	if (head.size > sizeof(head)) {
		ret = fill_vmcb(vcpu, &nest->vmcb);
		if (ret)
			return ret;
		if (copy_to_user(user->data.svm, &nest->vmcb, sizeof(nest->vmcb)))
			return -EFAULT;
	}
	return copy_to_user(user, &head, sizeof(head)) ? -EFAULT : 0;
}

/* ---- KVM_SET_NESTED_STATE ---- */

#define FLAGS	(KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_RUN_PENDING | \
		 KVM_STATE_NESTED_GIF_SET)

static bool head_ok(const struct bp_vcpu *vcpu, const struct kvm_nested_state *h, u64 efer)
{
	bool guest = h->flags & KVM_STATE_NESTED_GUEST_MODE;

	if (h->size < sizeof(*h) || h->flags & ~FLAGS || h->format != KVM_STATE_NESTED_FORMAT_SVM)
		return false;
	if (h->flags & KVM_STATE_NESTED_RUN_PENDING && !guest)
		return false;
	if (!(efer & NEST_EFER_SVME) && h->flags != KVM_STATE_NESTED_GIF_SET)
		return false;
	return !guest || (!vcpu->smm.in && h->size >= SIZE && !offset_in_page(h->hdr.svm.vmcb_pa));
}

/* L1 was in protected mode with paging, and its state as VMRUN finds it. */
static bool vmcb_ok(const struct bp_nest *nest)
{
	const struct vmcb_save *l1 = &nest->vmcb.s;

	return l1->cr0 & X86_CR0_PG && l1->cr0 & X86_CR0_PE && !(l1->rflags & X86_EFLAGS_VM) &&
	       nest_vmcb_ok(&nest->vmcb, nest->phys_bits);
}

static long enter(struct bp_vcpu *vcpu, const struct kvm_nested_state *head,
		  const struct kvm_nested_state __user *user)
{
	struct bp_nest *nest = vcpu->nest;
	struct nest *n = &nest->n;

	if (copy_from_user(&nest->vmcb, user->data.svm, sizeof(nest->vmcb)))
		return -EFAULT;
	if (!vmcb_ok(nest))
		return -EINVAL;
	n->guest = true;
	n->gif = head->flags & KVM_STATE_NESTED_GIF_SET;
	n->vmcb_gpa = head->hdr.svm.vmcb_pa;
	n->l1_event = 0;
	nest->map_read = false;
	n->c = nest->vmcb.c;
	n->l1 = nest->vmcb.s;
	n->c.event_inj = 0;		/* it is one of KVM_SET_VCPU_EVENTS */
	return bp_nest_rules(vcpu);
}

long bp_nest_state_set(struct bp_vcpu *vcpu, struct kvm_nested_state __user *user)
{
	const struct kvm_sregs *sregs = vcpu->state;
	struct bp_nest *nest = bp_nest_of(vcpu);
	struct kvm_nested_state head;
	long ret;

	if (!bp_nest_offered())
		return -EINVAL;
	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	ret = bp_sregs_get(vcpu);
	if (ret)
		return ret;
	if (!head_ok(vcpu, &head, sregs->efer))
		return -EINVAL;
	if (!nest)
		return head.flags == KVM_STATE_NESTED_GIF_SET ? 0 : -EINVAL;
	if (head.flags & KVM_STATE_NESTED_GUEST_MODE)
		return enter(vcpu, &head, user);
	leave(vcpu, head.flags & KVM_STATE_NESTED_GIF_SET);
	return 0;
}
