// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a hardware exit to the neutral one (APM vol. 2, app. C).  Exit codes
 * come in two dense groups, so there are two small tables.
 */
#include "lib/x86_regs.h"
#include "machine/log.h"
#include "machine/trap.h"
#include "svm.h"

/* The exit belongs to an instruction: the next RIP counts. */
#define INSN	0x80

static const u8 exits_low[SVM_EXIT_LOW_END] = {
	[SVM_EXIT_CR4_WRITE]	= INSN | VM_EXIT_CR4_WRITE,
	[SVM_EXIT_CR8_WRITE]	= INSN | VM_EXIT_CR8_WRITE,
	[SVM_EXIT_DR_READ(0) ... SVM_EXIT_DR_WRITE(15)] = VM_EXIT_MOV_DR,
	[SVM_EXIT_EXC(0) ... SVM_EXIT_EXC(31)] = VM_EXIT_EXCEPTION,
	[SVM_EXIT_INTR]		= VM_EXIT_INTR,
	[SVM_EXIT_NMI]		= VM_EXIT_NMI,
	[SVM_EXIT_SMI]		= VM_EXIT_SMI,
	[SVM_EXIT_INIT]		= VM_EXIT_INIT,
	[SVM_EXIT_VINTR]	= VM_EXIT_IRQ_WINDOW,
	[SVM_EXIT_RDPMC]	= INSN | VM_EXIT_PROTECTION,
	[SVM_EXIT_CPUID]	= INSN | VM_EXIT_CPUID,
	[SVM_EXIT_IRET]		= VM_EXIT_NMI_WINDOW,
	[SVM_EXIT_INVD]		= INSN | VM_EXIT_WBINVD,
	[SVM_EXIT_PAUSE]	= INSN | VM_EXIT_PAUSE,
	[SVM_EXIT_HLT]		= INSN | VM_EXIT_HLT,
	[SVM_EXIT_INVLPGA]	= INSN | VM_EXIT_UNDEFINED,
	[SVM_EXIT_IOIO]		= VM_EXIT_IO,
	[SVM_EXIT_MSR]		= INSN | VM_EXIT_RDMSR,
	[SVM_EXIT_SHUTDOWN]	= VM_EXIT_SHUTDOWN,
	[SVM_EXIT_VMRUN]	= INSN | VM_EXIT_UNDEFINED,
	[SVM_EXIT_VMMCALL]	= INSN | VM_EXIT_HYPERCALL,
	[SVM_EXIT_VMLOAD]	= INSN | VM_EXIT_UNDEFINED,
	[SVM_EXIT_VMSAVE]	= INSN | VM_EXIT_UNDEFINED,
	[SVM_EXIT_STGI]		= INSN | VM_EXIT_UNDEFINED,
	[SVM_EXIT_CLGI]		= INSN | VM_EXIT_UNDEFINED,
	[SVM_EXIT_SKINIT]	= INSN | VM_EXIT_UNDEFINED,
	[SVM_EXIT_WBINVD]	= INSN | VM_EXIT_WBINVD,
	[SVM_EXIT_MONITOR]	= INSN | VM_EXIT_MWAIT,
	[SVM_EXIT_MWAIT]	= INSN | VM_EXIT_MWAIT,
	[SVM_EXIT_MWAIT_ARMED]	= INSN | VM_EXIT_MWAIT,
	[SVM_EXIT_XSETBV]	= INSN | VM_EXIT_XSETBV,
	[SVM_EXIT_BUS_LOCK]	= VM_EXIT_BUS_LOCK,
	[SVM_EXIT_RDPRU]	= INSN | VM_EXIT_UNDEFINED,
};

static const u8 exits_high[SVM_EXIT_HIGH_END - SVM_EXIT_NPF] = {
	[SVM_EXIT_NPF - SVM_EXIT_NPF] = VM_EXIT_NPF,
};

static_assert(VM_EXIT_REASONS < INSN, "reasons and INSN share a byte");
static_assert(VM_EXIT_WRMSR == VM_EXIT_RDMSR + 1, "EXITINFO1 is added");

/* Vectors that push an error code: 8, 10-14, 17, 21, 29, 30. */
#define EXC_WITH_ERROR	0x60227d00u

static void decode_io(struct exit_io *io, u64 info)
{
	io->port = SVM_IOIO_PORT(info);
	io->size = SVM_IOIO_SIZE(info);
	io->in = info & SVM_IOIO_IN;
	io->string = info & SVM_IOIO_STR;
	io->rep = info & SVM_IOIO_REP;
}

static void decode_npf(struct exit_npf *npf, u64 info, gpa_t gpa)
{
	npf->gpa = gpa;
	npf->flags = (info & SVM_NPF_W ? NPF_WRITE : 0) |
		     (info & SVM_NPF_ID ? NPF_EXEC : 0) |
		     (info & SVM_NPF_P ? NPF_PRESENT : 0) |
		     (info & SVM_NPF_WALK ? NPF_PT : 0);
}

static enum vm_exit_reason decode_exception(struct vm_exit *e, const struct vmcb *b)
{
	u8 vector = (b->c.exit_code - SVM_EXIT_EXC(0)) & 31;

	/* Other than an NMI, an intercepted #MC does not stay pending. */
	if (vector == X86_TRAP_MC)
		return VM_EXIT_MCE;
	e->exc.vector = vector;
	e->exc.has_error = EXC_WITH_ERROR & 1u << vector;
	e->exc.error = e->exc.has_error ? (u32)b->c.info1 : 0;
	e->exc.cr2_or_dr6 = vector == X86_TRAP_PF ? b->c.info2 : b->s.dr6;
	return VM_EXIT_EXCEPTION;
}

/*
 * Entry refused: name the field while the VMCB is at hand.  TCG also ends a run
 * like this when a MOV to CR3 or CR4 sets reserved bits (docs/testbed.md): then
 * the VMCB is the guest's and sound.  An entry that it does refuse for a control
 * register leaves root mode's RAX there, the address of the VMCB.
 */
static enum vm_exit_reason refused(const struct svm_vcpu *sv)
{
	const struct vmcb *b = sv->vmcb;
	const char *why = svm_vmcb_fault(&svm, b);

	if (svm.tcg && !why && b->s.rax != sv->vmcb_pa)
		return VM_EXIT_PROTECTION;
	log_err("SVM: VMRUN refused the VMCB: %s", why ? why : "no known cause");
	return VM_EXIT_FAIL_ENTRY;
}

static u8 lookup(u64 code, u8 *flags)
{
	u8 entry;

	*flags = 0;
	if (likely(code < SVM_EXIT_LOW_END))
		entry = exits_low[code];
	else if (code - SVM_EXIT_NPF < ARRAY_SIZE(exits_high))
		entry = exits_high[code - SVM_EXIT_NPF];
	else
		return VM_EXIT_UNKNOWN;
	if (!entry)
		return VM_EXIT_UNKNOWN;
	*flags = entry & INSN;
	return entry & ~INSN;
}

/* Distance from RIP to what hardware says is the next one, if it makes sense. */
static u8 insn_len(u64 next, u64 rip)
{
	u64 len = next - rip;

	return len <= 15 ? len : 0;
}

/* An exit code is the number of its bit in the VMCB's words. */
static bool l1_wants(const struct svm_vcpu *sv, u64 code)
{
	return code < 32 * ARRAY_SIZE(sv->l1) && (sv->l1[code / 32] & 1u << code % 32);
}

/* Reasons with more to them than the code and the instruction's length. */
#define MORE	(BIT(VM_EXIT_IO) | BIT(VM_EXIT_HYPERCALL) | BIT(VM_EXIT_NPF) | BIT(VM_EXIT_RDMSR) | \
		 BIT(VM_EXIT_EXCEPTION) | BIT(VM_EXIT_IRQ_WINDOW) | BIT(VM_EXIT_NMI_WINDOW) | \
		 BIT(VM_EXIT_BUS_LOCK) | BIT(VM_EXIT_UNKNOWN))

static_assert(VM_EXIT_REASONS <= 64, "MORE is a set of reasons");

/* Result: the reason, which may be another one than the table's. */
static noinline u8 decode_more(struct vcpu *v, struct vmcb *b, u8 reason)
{
	struct vm_exit *e = &v->exit;

	switch (reason) {
	case VM_EXIT_IO:
		decode_io(&e->io, b->c.info1);
		e->insn_len = insn_len(b->c.info2, v->regs.rip);
		return reason;
	case VM_EXIT_HYPERCALL:
		e->cpl = b->s.cpl;
		return reason;
	case VM_EXIT_NPF:
		decode_npf(&e->npf, b->c.info1, b->c.info2);
		return reason;
	case VM_EXIT_RDMSR:
		return reason + (b->c.info1 & 1);
	case VM_EXIT_EXCEPTION:
		return decode_exception(e, b);
	case VM_EXIT_IRQ_WINDOW:
		return svm_vintr_exit(v);
	case VM_EXIT_NMI_WINDOW:
		return e->nested ? reason : svm_iret_exit(v);
	case VM_EXIT_BUS_LOCK:
		b->c.bus_locks = 1;	/* this one goes on */
		return reason;
	default:
		return (u32)b->c.exit_code == (u32)SVM_EXIT_INVALID ? refused(v->arch) : reason;
	}
}

void svm_decode_exit(struct vcpu *v)
{
	struct vmcb *b = ((struct svm_vcpu *)v->arch)->vmcb;
	struct vm_exit *e = &v->exit;
	u64 code = b->c.exit_code;
	u8 insn, reason = lookup(code, &insn);

	e->hw_reason = code;
	e->hw_info[0] = b->c.info1;
	e->hw_info[1] = b->c.info2;
	e->insn_len = insn && svm.nrip ? insn_len(b->c.nrip, v->regs.rip) : 0;
	if (unlikely(v->nested.flags & BP_NESTED_GUEST))
		e->nested = l1_wants(v->arch, code);
	e->reason = MORE & BIT(reason) ? decode_more(v, b, reason) : reason;
}
