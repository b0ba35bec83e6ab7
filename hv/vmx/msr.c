// SPDX-License-Identifier: GPL-2.0-only
/* The MSRs that live in the VMCS, or that load and put move. */
#include "insn.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "vcpu/sregs.h"
#include "vmx.h"

const u32 vmx_sys_msr[NR_SYS] = {
	[SYS_STAR] = MSR_STAR,
	[SYS_LSTAR] = MSR_LSTAR,
	[SYS_CSTAR] = MSR_CSTAR,
	[SYS_SFMASK] = MSR_SFMASK,
};

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

static int set_efer(struct vcpu *v, u64 val)
{
	u64 old = vmread(VMCS_GUEST_EFER);

	if (efer_write(&vmx.limits, vmread(VMCS_GUEST_CR0), old, &val))
		return -EINVAL;
	vmx_write_efer(val);
	if ((old ^ val) & EFER_NX)
		vmx_flush(v);
	return 0;
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
		/* A guest that asks for last-branch records goes on without. */
		if (val & ~(DEBUGCTL_LBR | DEBUGCTL_BTF))
			return -EINVAL;
		val &= DEBUGCTL_BTF;
		break;
	case MSR_SYSENTER_CS:
		val = (u32)val;
		break;
	default:
		if (!canonical(&vmx.limits, val))
			return -EINVAL;
	}
	vmwrite(field, val);
	return 0;
}

static int set_sys(struct vmx_vcpu *x, int i, u64 val)
{
	if ((i == SYS_LSTAR || i == SYS_CSTAR) && !canonical(&vmx.limits, val))
		return -EINVAL;
	if (i == SYS_SFMASK && val >> 32)
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
		if (!canonical(&vmx.limits, val))
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
