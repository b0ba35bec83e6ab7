// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why does an entry refuse a VMCS?  The rules of SDM vol. 3, 27.3.1, in that
 * order, and the VM-instruction errors of 31.4.  For the log only, after the
 * refusal.
 */
#include "insn.h"
#include "lib/x86_regs.h"
#include "vcpu/sregs.h"
#include "vmx.h"

/* ---- control registers and MSRs (27.3.1.1) ---- */

static const char *control_registers(const struct vmx_caps *caps, bool ia32e)
{
	u64 cr0 = vmread(VMCS_GUEST_CR0), cr4 = vmread(VMCS_GUEST_CR4);

	if ((cr0 & caps->cr0_on) != caps->cr0_on || (cr0 & caps->cr0_off))
		return "CR0 has a bit that VMX does not allow";
	if ((cr0 & X86_CR0_PG) && !(cr0 & X86_CR0_PE))
		return "CR0.PG without CR0.PE";
	if ((cr4 & caps->cr4_on) != caps->cr4_on || (cr4 & ~(caps->limits.cr4_valid | caps->cr4_on)))
		return "CR4 has a bit that VMX does not allow";
	if (ia32e && !(cr0 & X86_CR0_PG))
		return "long mode without CR0.PG";
	if (ia32e && !(cr4 & X86_CR4_PAE))
		return "long mode without CR4.PAE";
	if (!ia32e && (cr4 & X86_CR4_PCIDE))
		return "CR4.PCIDE without long mode";
	if (vmread(VMCS_GUEST_CR3) & ~caps->limits.cr3_valid)
		return "CR3 has reserved bits";
	if (vmread(VMCS_GUEST_DR7) >> 32)
		return "DR7 has high bits";
	if (!canonical(&caps->limits, vmread(VMCS_GUEST_SYSENTER_ESP)))
		return "SYSENTER_ESP is not canonical";
	if (!canonical(&caps->limits, vmread(VMCS_GUEST_SYSENTER_EIP)))
		return "SYSENTER_EIP is not canonical";
	return NULL;
}

static const char *efer(const struct vmx_caps *caps, bool ia32e)
{
	u64 val = vmread(VMCS_GUEST_EFER);

	if (val & ~caps->limits.efer_valid)
		return "EFER has reserved bits";
	if (!!(val & EFER_LMA) != ia32e)
		return "EFER.LMA is not what the entry control says";
	if ((vmread(VMCS_GUEST_CR0) & X86_CR0_PG) && !!(val & EFER_LME) != ia32e)
		return "EFER.LME and EFER.LMA differ under paging";
	return NULL;
}

/* ---- segments (27.3.1.2) ---- */

static bool bad_limit(u32 limit, u32 ar)
{
	return ((limit & 0xfff) != 0xfff && (ar & AR_G)) || (limit >> 20 && !(ar & AR_G));
}

static bool virtual_8086(void)
{
	u32 i;

	for (i = 0; i < SEG_LDTR; i++)
		if (vmread(VMCS_SEG_BASE(i)) != vmread(VMCS_SEG_SELECTOR(i)) << 4 ||
		    vmread(VMCS_SEG_LIMIT(i)) != 0xffff || vmread(VMCS_SEG_AR(i)) != 0xf3)
			return false;
	return true;
}

static const char *code_segment(bool ia32e, u32 ss_dpl)
{
	u32 ar = vmread(VMCS_SEG_AR(SEG_CS)), type = ar & AR_TYPE, dpl = AR_DPL(ar);

	if (type != 3 && (type & 9) != 9)
		return "CS is neither accessed code nor writable data";
	if ((ar & (AR_S | AR_P)) != (AR_S | AR_P) || (ar & AR_UNUSABLE))
		return "CS is not a present code segment";
	if (type == 3 ? dpl != 0 : type & 4 ? dpl > ss_dpl : dpl != ss_dpl)
		return "CS.DPL does not go with SS.DPL";
	if (ia32e && (ar & AR_L) && (ar & AR_DB))
		return "CS has both L and D";
	if ((ar & AR_RESERVED) || bad_limit(vmread(VMCS_SEG_LIMIT(SEG_CS)), ar))
		return "CS has reserved rights, or a limit that G forbids";
	if (vmread(VMCS_SEG_BASE(SEG_CS)) >> 32)
		return "the base of CS is above 4 GiB";
	return NULL;
}

static const char *stack_segment(void)
{
	u32 ar = vmread(VMCS_SEG_AR(SEG_SS)), type = ar & AR_TYPE;
	bool data_code = (vmread(VMCS_SEG_AR(SEG_CS)) & AR_TYPE) == 3;

	if (AR_DPL(ar) && (data_code || !(vmread(VMCS_GUEST_CR0) & X86_CR0_PE)))
		return "SS.DPL is not 0 in real mode";
	if (ar & AR_UNUSABLE)
		return NULL;
	if (type != 3 && type != 7)
		return "SS is not accessed, writable data";
	if ((ar & (AR_S | AR_P)) != (AR_S | AR_P))
		return "SS is not a present data segment";
	if ((ar & AR_RESERVED) || bad_limit(vmread(VMCS_SEG_LIMIT(SEG_SS)), ar))
		return "SS has reserved rights, or a limit that G forbids";
	if (vmread(VMCS_SEG_BASE(SEG_SS)) >> 32)
		return "the base of SS is above 4 GiB";
	return NULL;
}

static const char *data_segment(const struct vmx_caps *caps, u32 n)
{
	u32 ar = vmread(VMCS_SEG_AR(n)), type = ar & AR_TYPE;
	u64 base = vmread(VMCS_SEG_BASE(n));

	if (n >= SEG_FS && !canonical(&caps->limits, base))
		return "the base of FS or GS is not canonical";
	if (ar & AR_UNUSABLE)
		return NULL;
	if (!(type & 1) || (type & 0xa) == 8)
		return "DS, ES, FS or GS is not accessed and readable";
	if ((ar & (AR_S | AR_P)) != (AR_S | AR_P))
		return "DS, ES, FS or GS is not a present segment";
	if ((ar & AR_RESERVED) || bad_limit(vmread(VMCS_SEG_LIMIT(n)), ar))
		return "DS, ES, FS or GS has reserved rights, or a limit that G forbids";
	if (n < SEG_FS && base >> 32)
		return "the base of DS or ES is above 4 GiB";
	return NULL;
}

static const char *system_segments(const struct vmx_caps *caps, bool ia32e)
{
	u32 tr = vmread(VMCS_SEG_AR(SEG_TR)), ldtr = vmread(VMCS_SEG_AR(SEG_LDTR));
	u32 type = tr & AR_TYPE;

	if (type != 11 && (type != 3 || ia32e))
		return "TR is not a busy TSS";
	if ((tr & (AR_S | AR_P | AR_UNUSABLE)) != AR_P || (vmread(VMCS_SEG_SELECTOR(SEG_TR)) & 4))
		return "TR is not a present TSS";
	if ((tr & AR_RESERVED) || bad_limit(vmread(VMCS_SEG_LIMIT(SEG_TR)), tr))
		return "TR has reserved rights, or a limit that G forbids";
	if (!canonical(&caps->limits, vmread(VMCS_SEG_BASE(SEG_TR))))
		return "the base of TR is not canonical";
	if (ldtr & AR_UNUSABLE)
		return NULL;
	if ((ldtr & AR_TYPE) != 2 || (ldtr & (AR_S | AR_P)) != AR_P ||
	    (vmread(VMCS_SEG_SELECTOR(SEG_LDTR)) & 4))
		return "LDTR is not a present LDT";
	if ((ldtr & AR_RESERVED) || bad_limit(vmread(VMCS_SEG_LIMIT(SEG_LDTR)), ldtr))
		return "LDTR has reserved rights, or a limit that G forbids";
	if (!canonical(&caps->limits, vmread(VMCS_SEG_BASE(SEG_LDTR))))
		return "the base of LDTR is not canonical";
	return NULL;
}

static const char *segments(const struct vmx_caps *caps, bool ia32e)
{
	static const u8 data[] = { SEG_DS, SEG_ES, SEG_FS, SEG_GS };
	const char *why = system_segments(caps, ia32e);
	u32 i;

	if (vmread(VMCS_GUEST_RFLAGS) & X86_EFLAGS_VM) {
		if (!why && !virtual_8086())
			why = "a segment is not as virtual-8086 mode has it";
		return why;
	}
	if (!why)
		why = code_segment(ia32e, AR_DPL(vmread(VMCS_SEG_AR(SEG_SS))));
	if (!why)
		why = stack_segment();
	for (i = 0; i < ARRAY_SIZE(data) && !why; i++)
		why = data_segment(caps, data[i]);
	return why;
}

/* ---- tables, RIP, RFLAGS, events (27.3.1.3 to 27.3.1.5) ---- */

static const char *tables(const struct vmx_caps *caps)
{
	if (!canonical(&caps->limits, vmread(VMCS_GUEST_GDTR_BASE)) ||
	    vmread(VMCS_GUEST_GDTR_LIMIT) >> 16)
		return "GDTR is not valid";
	if (!canonical(&caps->limits, vmread(VMCS_GUEST_IDTR_BASE)) ||
	    vmread(VMCS_GUEST_IDTR_LIMIT) >> 16)
		return "IDTR is not valid";
	return NULL;
}

/* RFLAGS: bits 63:22, 15, 5 and 3 are 0. */
#define RFLAGS_RESERVED	(~0x3fffffull | BIT(15) | BIT(5) | BIT(3))

static const char *rip_and_rflags(const struct vmx_caps *caps, bool ia32e)
{
	u64 rip = vmread(VMCS_GUEST_RIP), rflags = vmread(VMCS_GUEST_RFLAGS);
	u32 event = vmread(VMCS_ENTRY_INTR);

	if (!(ia32e && (vmread(VMCS_SEG_AR(SEG_CS)) & AR_L)) ? rip >> 32 != 0
							      : !canonical(&caps->limits, rip))
		return "RIP is not valid";
	if ((rflags & RFLAGS_RESERVED) || !(rflags & X86_EFLAGS_FIXED))
		return "RFLAGS has reserved bits";
	if ((rflags & X86_EFLAGS_VM) && (ia32e || !(vmread(VMCS_GUEST_CR0) & X86_CR0_PE)))
		return "RFLAGS.VM outside of protected mode";
	if ((event & INTR_VALID) && INTR_TYPE(event) == INTR_EXT && !(rflags & X86_EFLAGS_IF))
		return "an interrupt is injected though RFLAGS.IF is clear";
	return NULL;
}

static const char *blocking(void)
{
	u32 state = vmread(VMCS_GUEST_INTR_STATE), event = vmread(VMCS_ENTRY_INTR);
	bool valid = event & INTR_VALID;

	if (vmread(VMCS_GUEST_ACTIVITY))
		return "the activity state is not active";
	if ((state & INTR_STATE_SHADOW) == INTR_STATE_SHADOW)
		return "blocking by STI and by MOV SS at once";
	if ((state & INTR_STATE_STI) && !(vmread(VMCS_GUEST_RFLAGS) & X86_EFLAGS_IF))
		return "blocking by STI though RFLAGS.IF is clear";
	if (valid && INTR_TYPE(event) == INTR_EXT && (state & INTR_STATE_SHADOW))
		return "an interrupt is injected in a shadow";
	if (valid && INTR_TYPE(event) == INTR_NMI &&
	    (state & (INTR_STATE_NMI | INTR_STATE_MOV_SS)))
		return "an NMI is injected though NMIs are blocked";
	if (vmread(VMCS_LINK_POINTER) != ~0ull)
		return "the VMCS link pointer is set";
	return NULL;
}

const char *vmx_guest_fault(const struct vmx_caps *caps)
{
	bool ia32e = vmread(VMCS_ENTRY_CTL) & ENTRY_IA32E;
	const char *why = control_registers(caps, ia32e);

	if (!why && !pat_valid(vmread(VMCS_GUEST_PAT)))
		why = "PAT has a reserved memory type";
	if (!why)
		why = efer(caps, ia32e);
	if (!why)
		why = segments(caps, ia32e);
	if (!why)
		why = tables(caps);
	if (!why)
		why = rip_and_rflags(caps, ia32e);
	if (!why)
		why = blocking();
	return why;
}

const char *vmx_insn_error(u32 number)
{
	static const char *const names[] = {
		[1] = "VMCALL in root mode",
		[4] = "VMLAUNCH with a VMCS that is not clear",
		[5] = "VMRESUME with a VMCS that is not launched",
		[6] = "VMRESUME after VMXOFF",
		[7] = "invalid control field",
		[8] = "invalid host state",
		[12] = "no such VMCS field",
		[13] = "read-only VMCS field",
		[25] = "no valid executive VMCS pointer",
		[26] = "events blocked by MOV SS",
		[28] = "invalid operand of INVEPT or INVVPID",
	};

	if (number < ARRAY_SIZE(names) && names[number])
		return names[number];
	return "unknown VM-instruction error";
}
