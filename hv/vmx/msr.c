// SPDX-License-Identifier: GPL-2.0-only
/* The MSRs that live in the VMCS, or that load and put move. */
#include "../core/errno.h"
#include "../core/x86.h"
#include "insn.h"
#include "vmx.h"

/*
 * DEBUGCTL: single-step on branches.  Last-branch records are taken and
 * dropped: a guest that asks for them goes on without.
 */
#define DEBUGCTL_LBR	BIT(0)
#define DEBUGCTL_BTF	BIT(1)

const u32 vmx_sys_msr[NR_SYS] = {
	[SYS_STAR] = MSR_STAR,
	[SYS_LSTAR] = MSR_LSTAR,
	[SYS_CSTAR] = MSR_CSTAR,
	[SYS_SFMASK] = MSR_SFMASK,
};

static u64 sign_extend(u64 addr, u8 bits)
{
	return (u64)((s64)(addr << (64 - bits)) >> (64 - bits));
}

static bool canonical(u64 addr)
{
	return sign_extend(addr, vmx.vaddr_bits) == addr;
}

/* The VMCS field of an MSR, or 0, which is VPID's. */
static u32 field_of(u32 msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return VMCS_SEG_BASE(SEG_FS);
	case MSR_GS_BASE:
		return VMCS_SEG_BASE(SEG_GS);
	case MSR_SYSENTER_CS:
		return VMCS_GUEST_SYSENTER_CS;
	case MSR_SYSENTER_ESP:
		return VMCS_GUEST_SYSENTER_ESP;
	case MSR_SYSENTER_EIP:
		return VMCS_GUEST_SYSENTER_EIP;
	case MSR_PAT:
		return VMCS_GUEST_PAT;
	case MSR_EFER:
		return VMCS_GUEST_EFER;
	case MSR_DEBUGCTL:
		return VMCS_GUEST_DEBUGCTL;
	}
	return 0;
}

static int sys_index(u32 msr)
{
	int i;

	for (i = 0; i < NR_SYS; i++)
		if (vmx_sys_msr[i] == msr)
			return i;
	return -1;
}

int vmx_get_msr(struct vcpu *v, u32 msr, u64 *val)
{
	struct vmx_vcpu *x = v->arch;
	u32 field = field_of(msr);
	int i = sys_index(msr);
	hpa_t before;

	if (i >= 0) {
		*val = x->sys[i];
		return 0;
	}
	if (msr == MSR_KERNEL_GS_BASE) {
		*val = x->loaded ? rdmsr(msr) : x->kernel_gs_base;
		return 0;
	}
	if (!field)
		return -ENOENT;
	before = vmcs_open(v);
	*val = vmread(field);
	vmcs_close(v, before);
	return 0;
}

/* LMA is not for software to change; LME not while paging is on. */
static int set_efer(struct vcpu *v, u64 val)
{
	u64 old = vmread(VMCS_GUEST_EFER);

	if (val & ~vmx.efer_valid)
		return -EINVAL;
	if ((vmread(VMCS_GUEST_CR0) & X86_CR0_PG) && ((val ^ old) & EFER_LME))
		return -EINVAL;
	vmx_write_efer((val & ~EFER_LMA) | (old & EFER_LMA));
	if ((old ^ val) & EFER_NX)
		vmx_flush(v);
	return 0;
}

/* Eight memory types (SDM vol. 3, 12.12.2): 2 and 3 are reserved, so is 8 on. */
static bool pat_valid(u64 val)
{
	u32 i;

	for (i = 0; i < 64; i += 8) {
		u8 type = val >> i;

		if (type > MEMTYPE_UC_MINUS || type == 2 || type == 3)
			return false;
	}
	return true;
}

static int set_field(struct vcpu *v, u32 msr, u32 field, u64 val)
{
	switch (msr) {
	case MSR_EFER:
		return set_efer(v, val);
	case MSR_PAT:
		if (!pat_valid(val))
			return -EINVAL;
		break;
	case MSR_DEBUGCTL:
		if (val & ~(DEBUGCTL_LBR | DEBUGCTL_BTF))
			return -EINVAL;
		val &= DEBUGCTL_BTF;
		break;
	case MSR_SYSENTER_CS:
		val = (u32)val;
		break;
	default:
		if (!canonical(val))
			return -EINVAL;
	}
	vmwrite(field, val);
	return 0;
}

static int set_sys(struct vmx_vcpu *x, int i, u64 val)
{
	if ((i == SYS_LSTAR || i == SYS_CSTAR) && !canonical(val))
		return -EINVAL;
	x->sys[i] = val;
	if (x->loaded)
		vmx_load_sys(x);
	return 0;
}

int vmx_set_msr(struct vcpu *v, u32 msr, u64 val)
{
	struct vmx_vcpu *x = v->arch;
	u32 field = field_of(msr);
	int i = sys_index(msr), err;
	hpa_t before;

	if (i >= 0)
		return set_sys(x, i, val);
	if (msr == MSR_KERNEL_GS_BASE) {
		if (!canonical(val))
			return -EINVAL;
		x->kernel_gs_base = val;
		if (x->loaded)
			wrmsr(msr, val);
		return 0;
	}
	if (!field)
		return -ENOENT;
	before = vmcs_open(v);
	err = set_field(v, msr, field, val);
	vmcs_close(v, before);
	return err;
}
