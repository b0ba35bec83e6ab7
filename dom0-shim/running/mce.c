// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_X86_SET_MCE: a machine check that user space makes up, into the banks and, if
 * the guest has to act on it, as #MC; if it only wants to know, as LVT CMCI says.
 */
#include <linux/uaccess.h>
#include <asm/apicdef.h>
#include <asm/mce.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>

#include "irqchip/irqchip.h"
#include "run.h"
#include "state.h"

enum { CAP, CTL, STATUS, BANK_CTL, BANK_STATUS, BANK_ADDR, BANK_MISC, BANK_CTL2, NR };

struct mce_msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry msr[NR];
};

static long read_msrs(struct bp_vcpu *vcpu, u8 bank, u64 val[NR])
{
	struct mce_msrs *m = vcpu->state;
	const u32 index[NR] = {
		MSR_IA32_MCG_CAP, MSR_IA32_MCG_CTL, MSR_IA32_MCG_STATUS,
		MSR_IA32_MCx_CTL(bank), MSR_IA32_MCx_STATUS(bank), MSR_IA32_MCx_ADDR(bank),
		MSR_IA32_MCx_MISC(bank), MSR_IA32_MCx_CTL2(bank),
	};
	long ret;
	int i;

	memset(m, 0, sizeof(*m));
	m->head.nmsrs = NR;
	for (i = 0; i < NR; i++)
		m->msr[i].index = index[i];
	ret = bp_state_get(vcpu, BP_STATE_MSRS, sizeof(*m));
	if (ret < 0)
		return ret;
	/* The guest has fewer banks. */
	if (ret != NR)
		return -EINVAL;
	for (i = 0; i < NR; i++)
		val[i] = m->msr[i].data;
	return 0;
}

/* What is read-only, and the bank's controls, stay. */
static long write_msrs(struct bp_vcpu *vcpu, u8 bank, const u64 val[NR])
{
	struct mce_msrs *m = vcpu->state;
	int i, n = 0;

	m->msr[n].index = MSR_IA32_MCG_STATUS;
	m->msr[n++].data = val[STATUS];
	for (i = BANK_STATUS; i <= BANK_MISC; i++) {
		m->msr[n].index = MSR_IA32_MCx_CTL(bank) + i - BANK_CTL;
		m->msr[n++].data = val[i];
	}
	m->head.nmsrs = n;
	return bp_state_set(vcpu, BP_STATE_MSRS, sizeof(*m)) == n ? 0 : -EINVAL;
}

static bool takes_machine_checks(struct bp_vcpu *vcpu)
{
	const struct kvm_sregs *sregs = vcpu->state;

	return bp_state_get(vcpu, BP_STATE_SREGS, sizeof(*sregs)) >= 0 &&
	       sregs->cr4 & X86_CR4_MCE;
}

static long triple_fault(struct bp_vcpu *vcpu)
{
	struct kvm_vcpu_events *ev = vcpu->state;
	long ret = bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(*ev));

	if (ret < 0)
		return ret;
	ev->triple_fault.pending = 1;
	return bp_state_set(vcpu, BP_STATE_EVENTS, sizeof(*ev));
}

/* No action required: such an error is written down, whatever is there. */
static bool is_ucna(const struct kvm_x86_mce *mce)
{
	return !mce->mcg_status && mce->status & MCI_STATUS_UC &&
	       !(mce->status & (MCI_STATUS_PCC | MCI_STATUS_S | MCI_STATUS_AR));
}

static void fill(u64 val[NR], const struct kvm_x86_mce *mce)
{
	val[BANK_STATUS] = mce->status;
	val[BANK_ADDR] = mce->addr;
	val[BANK_MISC] = mce->misc;
}

/* Corrected machine checks are Intel's. */
u64 bp_mce_cap(void)
{
	u64 cap = MCG_CTL_P | MCG_SER_P;

	return boot_cpu_data.x86_vendor == X86_VENDOR_INTEL ? cap | MCG_CMCI_P : cap;
}

long bp_setup_mce(struct bp_vcpu *vcpu, void __user *argp)
{
	u64 *cap = vcpu->state;

	if (copy_from_user(cap, argp, sizeof(*cap)))
		return -EFAULT;
	if (*cap & MCG_CMCI_P & ~bp_mce_cap())
		return -EINVAL;
	return bp_state_set(vcpu, BP_STATE_MCE, sizeof(*cap));
}

static void raise_cmci(struct bp_vcpu *vcpu)
{
	const struct kvm_lapic_state *apic = vcpu->state;
	u32 lvt;

	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE ||
	    bp_state_get(vcpu, BP_STATE_LAPIC, sizeof(*apic)) < 0)
		return;
	memcpy(&lvt, apic->regs + APIC_LVTCMCI, sizeof(lvt));
	if (!(lvt & APIC_LVT_MASKED))
		bp_message_to(vcpu, lvt & (APIC_VECTOR_MASK | APIC_MODE_MASK));
}

static long unsignalled(struct bp_vcpu *vcpu, const struct kvm_x86_mce *mce, u64 val[NR])
{
	long ret;

	fill(val, mce);
	val[STATUS] = mce->mcg_status;
	ret = write_msrs(vcpu, mce->bank, val);
	if (!ret && val[CAP] & MCG_CMCI_P && val[BANK_CTL2] & MCI_CTL2_CMCI_EN)
		raise_cmci(vcpu);
	return ret;
}

static long uncorrected(struct bp_vcpu *vcpu, const struct kvm_x86_mce *mce, u64 val[NR])
{
	bool lost = val[BANK_STATUS] & MCI_STATUS_VAL;
	long ret;

	/* Reporting is off. */
	if ((val[CAP] & MCG_CTL_P && val[CTL] != ~0ull) || val[BANK_CTL] != ~0ull)
		return 0;
	if (val[STATUS] & MCG_STATUS_MCIP || !takes_machine_checks(vcpu))
		return triple_fault(vcpu);
	fill(val, mce);
	if (lost)
		val[BANK_STATUS] |= MCI_STATUS_OVER;
	val[STATUS] = mce->mcg_status;
	ret = write_msrs(vcpu, mce->bank, val);
	if (!ret)
		bp_queue_exception(vcpu, X86_TRAP_MC, false, 0, 0);
	return ret;
}

static long corrected(struct bp_vcpu *vcpu, const struct kvm_x86_mce *mce, u64 val[NR])
{
	u64 was = val[BANK_STATUS];

	/* One that was not corrected is worth more. */
	if (!(was & MCI_STATUS_VAL) || !(was & MCI_STATUS_UC))
		fill(val, mce);
	if (was & MCI_STATUS_VAL)
		val[BANK_STATUS] |= MCI_STATUS_OVER;
	return write_msrs(vcpu, mce->bank, val);
}

long bp_set_mce(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_x86_mce mce;
	u64 val[NR];
	long ret;

	if (copy_from_user(&mce, argp, sizeof(mce)))
		return -EFAULT;
	if (!(mce.status & MCI_STATUS_VAL))
		return -EINVAL;
	ret = read_msrs(vcpu, mce.bank, val);
	if (ret)
		return ret;
	if (is_ucna(&mce))
		return unsignalled(vcpu, &mce, val);
	return mce.status & MCI_STATUS_UC ? uncorrected(vcpu, &mce, val) :
					    corrected(vcpu, &mce, val);
}
