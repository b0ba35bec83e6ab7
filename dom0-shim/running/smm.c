// SPDX-License-Identifier: GPL-2.0-only
/*
 * System Management Mode (SDM vol. 3, ch. 32).  Bedplate keeps SMIs until they can be taken
 * and has the second address space; that the state is saved, what the handler begins with,
 * and RSM, which is an undefined instruction to the CPU, is done here.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "emul/smm.h"
#include "irqchip/irqchip.h"
#include "memory/gmem.h"
#include "nest.h"
#include "run.h"
#include "state.h"

#define CPUID_EXTENDED		0x80000001
#define CPUID_EDX_LM		(1u << 29)

static long tell(struct bp_vcpu *vcpu, u32 what)
{
	*(u32 *)vcpu->state = what;
	return bp_state_set(vcpu, BP_STATE_SMM, sizeof(u32));
}

void bp_smm_changed(struct bp_vcpu *vcpu, bool in)
{
	if (vcpu->smm.in == in)
		return;
	vcpu->smm.in = in;
	vcpu->smm.inside_nmi = false;
}

/* Which of the two layouts the guest expects. */
static bool has_long_mode(struct bp_vcpu *vcpu)
{
	const struct kvm_cpuid2 *cpuid = vcpu->state;
	u32 i;

	memset(vcpu->state, 0, sizeof(*cpuid));
	if (bp_state_get(vcpu, BP_STATE_CPUID, PAGE_SIZE) < 0)
		return false;
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == CPUID_EXTENDED)
			return cpuid->entries[i].edx & CPUID_EDX_LM;
	return false;
}

/* ---- state, as the guest has it ---- */

static long get_events(struct bp_vcpu *vcpu, struct kvm_vcpu_events *ev)
{
	long ret = bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(*ev));

	memcpy(ev, vcpu->state, sizeof(*ev));
	return ret < 0 ? ret : 0;
}

/* NMI blocking and the interrupt shadow alone; nothing else is lost by it. */
static long set_blocking(struct bp_vcpu *vcpu, struct kvm_vcpu_events *ev, bool masked,
			 u8 shadow)
{
	ev->flags = KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_PAYLOAD;
	ev->nmi.masked = masked;
	ev->interrupt.shadow = shadow;
	memcpy(vcpu->state, ev, sizeof(*ev));
	return bp_state_set(vcpu, BP_STATE_EVENTS, sizeof(*ev));
}

static long get_state(struct bp_vcpu *vcpu, struct emul_smm *s)
{
	const struct kvm_debugregs *dr = vcpu->state;
	long ret = bp_regs_get(vcpu);

	if (ret)
		return ret;
	memcpy(&s->regs, vcpu->state, sizeof(s->regs));
	ret = bp_debugregs_get(vcpu);
	if (ret)
		return ret;
	s->dr6 = dr->dr6;
	s->dr7 = dr->dr7;
	ret = bp_state_get(vcpu, BP_STATE_SREGS, sizeof(s->sregs));
	if (ret < 0)
		return ret;
	memcpy(&s->sregs, vcpu->state, sizeof(s->sregs));
	s->smbase = vcpu->smm.base;
	return 0;
}

/* What KVM_RUN reports beside an exit goes with the new registers. */
static void store_flags(struct bp_vcpu *vcpu, const struct kvm_vcpu_events *ev,
			const struct emul_smm *s)
{
	struct bp_vcpu_page *page = vcpu->page;

	page->if_flag = !!(s->regs.rflags & X86_EFLAGS_IF);
	page->ready_for_irq = page->if_flag && !ev->interrupt.injected;
}

/* In the address space that it goes on in: paging with PAE loads its top entries. */
static long set_state(struct bp_vcpu *vcpu, struct emul_smm *s)
{
	long ret = bp_debugregs_set_status(vcpu, s->dr6, s->dr7);

	if (ret)
		return ret;
	/* What waits to be injected is in the events. */
	memset(s->sregs.interrupt_bitmap, 0, sizeof(s->sregs.interrupt_bitmap));
	memcpy(vcpu->state, &s->sregs, sizeof(s->sregs));
	ret = bp_state_set(vcpu, BP_STATE_SREGS, sizeof(s->sregs));
	if (ret)
		return ret;
	memcpy(vcpu->state, &s->regs, sizeof(s->regs));
	return bp_regs_set(vcpu);
}

/* The save area, which may reach over the end of a page; in the address space of SMM. */
static long access_area(struct bp_vcpu *vcpu, void *area, bool write)
{
	u64 gpa = vcpu->smm.base + EMUL_SMM_AREA;
	u32 first = min_t(u32, EMUL_SMM_AREA_SIZE, PAGE_SIZE - offset_in_page(gpa));
	u32 rest = EMUL_SMM_AREA_SIZE - first;

	if (write)
		return bp_gmem_write_smm(vcpu, gpa, area, first) ?:
		       (rest ? bp_gmem_write_smm(vcpu, gpa + first, area + first, rest) : 0);
	return bp_vcpu_read(vcpu, gpa, area, first) ?:
	       (rest ? bp_vcpu_read(vcpu, gpa + first, area + first, rest) : 0);
}

/* ---- an SMI ---- */

static long enter(struct bp_vcpu *vcpu, struct emul_smm *s)
{
	bool long_mode = has_long_mode(vcpu);
	u8 area[EMUL_SMM_AREA_SIZE];
	struct kvm_vcpu_events ev;
	long ret = get_events(vcpu, &ev) ?: get_state(vcpu, s), saved;

	if (ret)
		return ret;
	s->shadow = ev.interrupt.shadow;
	s->l2 = bp_nest_in_guest(vcpu);
	s->l2_vmcb = bp_nest_vmcb(vcpu);
	emul_smm_save(s, long_mode, area);

	/* First what a signal may end: the SMI is pending still. */
	saved = access_area(vcpu, area, true);
	if (saved == -EINTR)
		return saved;
	ret = bp_nest_smm_enter(vcpu, s);
	if (ret)
		return ret;
	emul_smm_enter(s, long_mode);
	ret = tell(vcpu, BP_SMM_ENTER);
	if (ret)
		return ret;
	bp_smm_changed(vcpu, true);
	vcpu->smm.inside_nmi = ev.nmi.masked;
	vcpu->smm.count++;
	store_flags(vcpu, &ev, s);
	return saved ?: set_blocking(vcpu, &ev, true, 0) ?: set_state(vcpu, s);
}

int bp_exit_smi(struct bp_vcpu *vcpu)
{
	struct emul_smm *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	long ret;

	if (!s)
		return -ENOMEM;
	ret = enter(vcpu, s);
	kfree(s);
	if (!ret)
		return 1;
	/* Its state is in no place that it could come back from. */
	if (vcpu->smm.in)
		WRITE_ONCE(vcpu->vm->dead, true);
	return ret == -ENOMEM || ret == -EINTR ? ret : -EIO;
}

long bp_smi(struct bp_vcpu *vcpu)
{
	return tell(vcpu, BP_SMM_SMI);
}

/* ---- RSM ---- */

static long leave(struct bp_vcpu *vcpu, struct emul_smm *s)
{
	bool long_mode = has_long_mode(vcpu), inside_nmi = vcpu->smm.inside_nmi;
	u8 area[EMUL_SMM_AREA_SIZE];
	struct kvm_vcpu_events ev;
	long ret = get_events(vcpu, &ev) ?: get_state(vcpu, s);

	if (!ret)
		ret = access_area(vcpu, area, false);
	if (ret)
		return ret;
	emul_smm_load(s, long_mode, area);

	/* First what a signal may end, here, too. */
	ret = bp_nest_smm_load(vcpu, s) ?: tell(vcpu, BP_SMM_LEAVE);
	if (ret)
		return ret;
	bp_smm_changed(vcpu, false);
	vcpu->smm.base = s->smbase;
	store_flags(vcpu, &ev, s);
	return set_blocking(vcpu, &ev, inside_nmi && ev.nmi.masked, s->shadow) ?:
	       set_state(vcpu, s) ?: bp_nest_smm_leave(vcpu, s);
}

/* What the guest has put into the save area may be no state: the CPU shuts down then. */
int bp_smm_leave(struct bp_vcpu *vcpu)
{
	struct emul_smm *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	long ret;

	if (!s)
		return -ENOMEM;
	ret = leave(vcpu, s);
	kfree(s);
	if (!ret)
		return 1;
	if (ret == -EINTR)
		return ret;
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return 0;
}

/* ---- MSRs ---- */

bool bp_smm_owns(u32 msr)
{
	return msr == MSR_IA32_SMBASE || msr == MSR_SMI_COUNT;
}

long bp_smm_get_msr(const struct bp_vcpu *vcpu, u32 index, u64 *val)
{
	if (!bp_smm_owns(index))
		return -ENOENT;
	*val = index == MSR_IA32_SMBASE ? vcpu->smm.base : vcpu->smm.count;
	return 0;
}

long bp_smm_set_msr(struct bp_vcpu *vcpu, u32 index, u64 val)
{
	if (!bp_smm_owns(index))
		return -ENOENT;
	if (index == MSR_IA32_SMBASE)
		vcpu->smm.base = val;
	else
		vcpu->smm.count = val;
	return 0;
}

/* The guest may read how many SMIs there were, and no more. */
int bp_smm_exit_msr(struct bp_vcpu *vcpu)
{
	struct kvm_regs *regs = &vcpu->page->regs;

	if (!bp_smm_owns(vcpu->msr.index))
		return -ENOENT;
	if (vcpu->msr.index == MSR_IA32_SMBASE || vcpu->msr.write)
		return -EINVAL;
	regs->rax = (u32)vcpu->smm.count;
	regs->rdx = vcpu->smm.count >> 32;
	bp_insn_done(vcpu, vcpu->msr.insn_len);
	return 1;
}
