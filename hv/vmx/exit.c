// SPDX-License-Identifier: GPL-2.0-only
/* From a hardware exit to the neutral one (SDM vol. 3, app. C and 28.2). */
#include "insn.h"
#include "lib/x86_regs.h"
#include "machine/log.h"
#include "machine/trap.h"
#include "vmx.h"

/* The exit belongs to an instruction, whose length the VMCS has. */
#define INSN	0x80

static const u8 exits[EXIT_END] = {
	[EXIT_EXCEPTION]	= VM_EXIT_EXCEPTION,
	[EXIT_INTR]		= VM_EXIT_INTR,
	[EXIT_TRIPLE_FAULT]	= VM_EXIT_SHUTDOWN,
	[EXIT_INIT]		= VM_EXIT_INIT,
	[EXIT_IO_SMI]		= VM_EXIT_SMI,
	[EXIT_SMI]		= VM_EXIT_SMI,
	[EXIT_IRQ_WINDOW]	= VM_EXIT_IRQ_WINDOW,
	[EXIT_NMI_WINDOW]	= VM_EXIT_NMI_WINDOW,
	[EXIT_TASK_SWITCH]	= INSN | VM_EXIT_TASK_SWITCH,
	[EXIT_CPUID]		= INSN | VM_EXIT_CPUID,
	[EXIT_GETSEC]		= INSN | VM_EXIT_UNDEFINED,
	[EXIT_HLT]		= INSN | VM_EXIT_HLT,
	[EXIT_INVD]		= INSN | VM_EXIT_WBINVD,
	[EXIT_RDPMC]		= INSN | VM_EXIT_PROTECTION,
	[EXIT_VMCALL]		= INSN | VM_EXIT_HYPERCALL,
	[EXIT_VMCLEAR ... EXIT_VMXON] = INSN | VM_EXIT_UNDEFINED,
	[EXIT_CR]		= INSN | VM_EXIT_CR0_WRITE,
	[EXIT_MOV_DR]		= VM_EXIT_MOV_DR,
	[EXIT_IO]		= INSN | VM_EXIT_IO,
	[EXIT_RDMSR]		= INSN | VM_EXIT_RDMSR,
	[EXIT_WRMSR]		= INSN | VM_EXIT_WRMSR,
	[EXIT_BAD_GUEST]	= VM_EXIT_FAIL_ENTRY,
	[EXIT_BAD_MSR]		= VM_EXIT_FAIL_ENTRY,
	[EXIT_MWAIT]		= INSN | VM_EXIT_MWAIT,
	[EXIT_MONITOR]		= INSN | VM_EXIT_MWAIT,
	[EXIT_PAUSE]		= INSN | VM_EXIT_PAUSE,
	[EXIT_BAD_MC]		= VM_EXIT_MCE,
	[EXIT_TPR]		= VM_EXIT_CR8_WRITE,
	[EXIT_APIC_ACCESS]	= VM_EXIT_NPF,
	[EXIT_EOI]		= VM_EXIT_EOI,
	[EXIT_EPT]		= VM_EXIT_NPF,
	[EXIT_INVEPT]		= INSN | VM_EXIT_UNDEFINED,
	[EXIT_TIMER]		= VM_EXIT_INTR,
	[EXIT_INVVPID]		= INSN | VM_EXIT_UNDEFINED,
	[EXIT_WBINVD]		= INSN | VM_EXIT_WBINVD,
	[EXIT_XSETBV]		= INSN | VM_EXIT_XSETBV,
	[EXIT_APIC_WRITE]	= VM_EXIT_APIC_WRITE,
	[EXIT_ENCLS]		= INSN | VM_EXIT_UNDEFINED,
	[EXIT_BUS_LOCK]		= VM_EXIT_BUS_LOCK,
	[EXIT_NOTIFY]		= VM_EXIT_NOTIFY,
	[EXIT_SEAMCALL]		= INSN | VM_EXIT_UNDEFINED,
	[EXIT_TDCALL]		= INSN | VM_EXIT_UNDEFINED,
};

static_assert(VM_EXIT_REASONS < INSN, "reasons and INSN share a byte");

/* The frequent ones of those that there is no more to know of. */
#define PLAIN	(BIT(VM_EXIT_CPUID) | BIT(VM_EXIT_HLT) | BIT(VM_EXIT_PAUSE) | \
		 BIT(VM_EXIT_RDMSR) | BIT(VM_EXIT_WRMSR) | BIT(VM_EXIT_IRQ_WINDOW))

static_assert(VM_EXIT_REASONS <= 64, "a bit each");

static void decode_io(struct exit_io *io, u64 qual)
{
	io->port = QUAL_IO_PORT(qual);
	io->size = QUAL_IO_SIZE(qual);
	io->in = qual & QUAL_IO_IN;
	io->string = qual & QUAL_IO_STR;
	io->rep = qual & QUAL_IO_REP;
}

static void decode_npf(struct exit_npf *npf, u64 qual, gpa_t gpa)
{
	u64 kind = qual & (QUAL_EPT_LINEAR | QUAL_EPT_FINAL);

	npf->gpa = gpa;
	npf->flags = (qual & QUAL_EPT_WRITE ? NPF_WRITE : 0) |
		     (qual & QUAL_EPT_FETCH ? NPF_EXEC : 0) |
		     (qual & QUAL_EPT_MAPPED ? NPF_PRESENT : 0) |
		     (kind == QUAL_EPT_LINEAR ? NPF_PT : 0);
}

/* An access to the xAPIC page that the CPU leaves to us. */
static void decode_apic_access(struct vcpu *v, u64 qual)
{
	struct exit_npf *npf = &v->exit.npf;
	u8 type = QUAL_APIC_TYPE(qual);

	npf->gpa = APIC_BASE_DEFAULT + QUAL_APIC_OFFSET(qual);	/* nowhere else is the page */
	npf->flags = NPF_PRESENT;
	npf->flags |= type == QUAL_APIC_READ ? 0 : type == QUAL_APIC_WRITE ? NPF_WRITE :
		     type == QUAL_APIC_FETCH ? NPF_EXEC : NPF_PT;
}

/* The interrupt that the exit has acknowledged, if it does that for this vCPU. */
static u16 taken_vector(void)
{
	u32 info = vmread(VMCS_EXIT_INTR);

	return info & INTR_VALID ? 0x100 | (info & INTR_VECTOR) : 0;
}

/*
 * An IRET had ended the blocking of NMIs before it faulted: it starts anew,
 * blocked (SDM vol. 3, 28.2.3).
 */
static void block_nmi_again(struct vmx_vcpu *x, bool unblocked)
{
	if (unblocked && !(vmread(VMCS_IDT_INTR) & INTR_VALID))
		x->intr_state |= INTR_STATE_NMI;
}

/* INT1's #DB is a trap: the handler returns behind it. */
static void pass_int1(struct vcpu *v)
{
	bool long_mode = (vmread(VMCS_GUEST_EFER) & EFER_LMA) &&
			 (vmread(VMCS_SEG_AR(SEG_CS)) & AR_L);
	u64 next = v->regs.rip + (vmread(VMCS_INSN_LEN) & 0xf);

	v->regs.rip = long_mode ? next : (u32)next;
}

static enum vm_exit_reason decode_exception(struct vcpu *v, u64 qual)
{
	struct exit_exc *exc = &v->exit.exc;
	u32 info = vmread(VMCS_EXIT_INTR);
	u8 vector = info & INTR_VECTOR;

	if (INTR_TYPE(info) == INTR_NMI) {
		trap_take_nmi();
		return VM_EXIT_NMI;
	}
	if (vector == X86_TRAP_MC)
		return VM_EXIT_MCE;
	if (vector != X86_TRAP_DF)
		block_nmi_again(v->arch, info & INTR_NMI_UNBLOCKED);
	if (vector == X86_TRAP_DB)
		vmx_take_debug(qual);
	if (INTR_TYPE(info) == INTR_PRIV_SOFT_EXC)
		pass_int1(v);
	exc->vector = vector;
	exc->has_error = info & INTR_ERROR;
	exc->error = exc->has_error ? vmread(VMCS_EXIT_ERROR) : 0;
	exc->cr2_or_dr6 = qual;
	return VM_EXIT_EXCEPTION;
}

/* Only without a TPR shadow. */
static enum vm_exit_reason give_cr8(struct vcpu *v, u8 gpr)
{
	struct vmx_vcpu *x = v->arch;

	v->regs.gpr[gpr] = v->apic.reg[APIC_REG_TPR / 4] >> 4 & 0xf;
	v->regs.rip += v->exit.insn_len;
	x->intr_state &= ~INTR_STATE_SHADOW;
	return VM_EXIT_NONE;
}

static enum vm_exit_reason decode_cr(struct vcpu *v, u64 qual)
{
	u8 cr = QUAL_CR(qual), type = QUAL_CR_TYPE(qual);

	if (type == QUAL_CR_FROM && cr == 8)
		return give_cr8(v, QUAL_CR_GPR(qual));
	if (type != QUAL_CR_TO)
		return VM_EXIT_UNKNOWN;
	switch (cr) {
	case 0:
		return VM_EXIT_CR0_WRITE;
	case 4:
		return VM_EXIT_CR4_WRITE;
	case 8:
		return VM_EXIT_CR8_WRITE;
	}
	return VM_EXIT_UNKNOWN;
}

static_assert(TASK_CALL == 0 && TASK_IRET == 1 && TASK_JMP == 2 && TASK_GATE == 3,
	      "as in table 28-3");

/* An event that is no instruction has no length. */
static void decode_task(struct vcpu *v, u64 qual)
{
	struct exit_task *task = &v->exit.task;

	task->selector = QUAL_TASK_SELECTOR(qual);
	task->source = QUAL_TASK_SOURCE(qual);
	if (task->source == TASK_GATE && v->inject.type != EVENT_NONE)
		v->exit.insn_len = 0;
}

/* Entry refused: name the field while the VMCS is current. */
static enum vm_exit_reason refused(u8 basic)
{
	const char *why = basic == EXIT_BAD_GUEST ? vmx_guest_fault(&vmx) : NULL;

	vmwrite(VMCS_ENTRY_INTR, 0);
	log_err("VMX: entry refused: %s", why ? why : "no known cause");
	return VM_EXIT_FAIL_ENTRY;
}

void vmx_decode_failure(struct vcpu *v)
{
	u32 error = vmread(VMCS_INSN_ERROR);

	log_err("VMX: entry failed: %s", vmx_insn_error(error));
	vmwrite(VMCS_ENTRY_INTR, 0);
	v->exit.reason = VM_EXIT_FAIL_ENTRY;
	v->exit.insn_len = 0;
	v->exit.hw_reason = error;
	v->exit.hw_info[0] = v->exit.hw_info[1] = 0;
}

/* What the qualification adds; the reason, which it may make another one. */
static enum vm_exit_reason decode_more(struct vcpu *v, u16 basic, u8 reason, u64 qual)
{
	struct vm_exit *e = &v->exit;

	switch (reason) {
	case VM_EXIT_INTR:
		if (vmx.ctl.posted && basic == EXIT_INTR)
			e->taken = taken_vector();
		break;
	case VM_EXIT_APIC_WRITE:
		e->apic_reg = QUAL_APIC_OFFSET(qual);
		break;
	case VM_EXIT_EOI:
		e->vector = qual;
		break;
	case VM_EXIT_NONE:
		return VM_EXIT_UNKNOWN;
	case VM_EXIT_HYPERCALL:
		e->cpl = AR_DPL(vmread(VMCS_SEG_AR(SEG_SS)));
		break;
	case VM_EXIT_NPF:
		if (basic == EXIT_APIC_ACCESS) {
			decode_apic_access(v, qual);
			break;
		}
		e->hw_info[1] = vmread(VMCS_GUEST_PHYSICAL);
		decode_npf(&e->npf, qual, e->hw_info[1]);
		block_nmi_again(v->arch, qual & QUAL_EPT_NMI_UNBLOCKED);
		break;
	case VM_EXIT_CR0_WRITE:
		return decode_cr(v, qual);
	case VM_EXIT_CR8_WRITE:
		/* The TPR fell below the threshold: what waits can go in. */
		return VM_EXIT_NONE;
	case VM_EXIT_EXCEPTION:
		return decode_exception(v, qual);
	case VM_EXIT_TASK_SWITCH:
		decode_task(v, qual);
		break;
	case VM_EXIT_NOTIFY:
		block_nmi_again(v->arch, qual & QUAL_NOTIFY_NMI_UNBLOCKED);
		if (qual & QUAL_NOTIFY_INVALID)	/* its state is lost */
			return VM_EXIT_SHUTDOWN;
		break;
	case VM_EXIT_FAIL_ENTRY:
		return refused(basic);
	}
	return reason;
}

void vmx_decode_exit(struct vcpu *v, u32 hw_reason)
{
	struct vm_exit *e = &v->exit;
	u16 basic = hw_reason;
	u8 entry = basic < EXIT_END ? exits[basic] : 0, reason = entry & ~INSN;
	u64 qual = vmread(VMCS_QUALIFICATION);

	e->hw_reason = hw_reason;
	e->hw_info[0] = qual;
	e->hw_info[1] = 0;
	e->insn_len = entry & INSN ? vmread(VMCS_INSN_LEN) & 0xf : 0;
	e->taken = 0;
	e->reason = reason;
	if (reason == VM_EXIT_IO)
		decode_io(&e->io, qual);
	else if (!(BIT(reason) & PLAIN))
		e->reason = decode_more(v, basic, reason, qual);
}
