// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs of domain 0, which reach the machine: reads mostly do (the back end's
 * bitmap lets them through), writes only where they cannot hurt others.
 */
#include "apic/vlapic.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "machine/cpu.h"
#include "machine/log.h"
#include "msr.h"
#include "pv.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"
#include "vcpu/vcpu.h"

const struct msr_range dom0_virtual_msrs[] = {
	{ 0x11, 0x12 },				/* KVM's first clock MSRs */
	{ MSR_APIC_BASE, MSR_APIC_BASE },
	{ MSR_FEATURE_CONTROL, MSR_TSC_ADJUST },
	{ MSR_DEBUGCTL, MSR_DEBUGCTL },
	{ MSR_PAT, MSR_PAT },
	{ MSR_TSC_DEADLINE, MSR_TSC_DEADLINE },
	{ MSR_X2APIC_BASE, MSR_X2APIC_BASE + 0xff },
	{ MSR_XSS, MSR_XSS },
	{ MSR_EFER, MSR_EFER },
};
const u32 dom0_virtual_msrs_len = ARRAY_SIZE(dom0_virtual_msrs);

/* Machine checks, frequency, power, thermal: domain 0's drivers own these. */
static const struct msr_range writable[] = {
	{ MSR_PRED_CMD, MSR_PRED_CMD },		/* SPEC_CTRL: no exit, see speculation.c */
	{ MSR_UCODE_REV, MSR_UCODE_REV },	/* 0, before CPUID fills it in */
	{ 0xe1, 0xe1 },				/* UMWAIT_CONTROL: guests have no UMWAIT */
	{ MSR_FLUSH_CMD, MSR_FLUSH_CMD },
	{ 0x122, 0x122 },			/* TSX_CTRL: transactions abort for all */
	{ MSR_MCG_STATUS, MSR_MCG_CTL },
	{ 0x198, 0x19c },			/* PERF_CTL, thermal */
	{ 0x1b0, 0x1b2 },			/* energy bias, package thermal */
	{ 0x280, 0x29f },			/* MCi_CTL2 */
	{ MSR_MC0_CTL, MSR_MC0_CTL + 127 },
	{ 0x4d0, 0x4d0 },			/* MCG_EXT_CTL: local machine checks */
	{ 0x610, 0x64f },			/* RAPL */
	{ 0x770, 0x777 },			/* HWP */
	{ 0xc0002000, 0xc0002fff },		/* AMD scalable MCA */
	{ 0xc0000408, 0xc000040a },		/* MCi_MISC */
	{ 0xc0000410, 0xc0000410 },		/* MCA interrupts, see vlapic.c */
	{ 0xc0010062, 0xc0010062 },		/* AMD's P-state: which, not its voltage */
	{ 0xc001011f, 0xc001011f },		/* VIRT_SPEC_CTRL */
	{ 0xc00102b0, 0xc00102b4 },		/* AMD CPPC */
};

#define FEATURE_LOCKED	BIT(0)
#define FEATURE_LMCE	BIT(20)

static bool is_writable(u32 msr)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(writable); i++)
		if (msr >= writable[i].first && msr <= writable[i].last)
			return true;
	return false;
}

static bool is_mtrr(u32 msr)
{
	return (msr >= MSR_MTRR_PHYSBASE0 && msr <= MSR_MTRR_FIX4K_F8000) ||
	       msr == MSR_MTRR_DEF_TYPE;
}

/*
 * Linux switches MTRRs off and on again around its own changes.  Firmware's
 * settings stay in force: other values could change the type of our memory.
 */
static int write_mtrr(struct vcpu *v, u32 msr, u64 val)
{
	u64 now;

	if (rdmsr_safe(msr, &now))
		return -EINVAL;
	if (now != val && msr != MSR_MTRR_DEF_TYPE)
		log_warn("domain 0 vCPU %u: MTRR %x stays %llx, %llx ignored", v->index,
			 msr, now, val);
	return 0;
}

/*
 * Bits that domain 0's drivers own.  The others would change what CPUID says, and more.
 * Thermal monitor, SpeedStep, turbo (SDM vol. 4); boost (APM vol. 2, 17.2).
 */
#define MISC_ENABLE_OWN	(BIT(3) | BIT(16) | BIT(38))
#define HWCR_OWN	BIT(25)
#define NB_CFG_OWN	BIT(46)		/* PCI configuration space beyond 256 bytes by ports */

static int write_own(u32 msr, u64 val, u64 own)
{
	u64 now;

	if (rdmsr_safe(msr, &now) || ((now ^ val) & ~own))
		return -EINVAL;
	return wrmsr_safe(msr, val) ? -EINVAL : 0;
}

/* Locked, VMX off; machine checks on one CPU only, if firmware has turned that on. */
static u64 feature_control(void)
{
	u64 val;

	if (rdmsr_safe(MSR_FEATURE_CONTROL, &val))
		val = 0;
	return FEATURE_LOCKED | (val & FEATURE_LMCE);
}

void vcpu_adjust_tsc(struct vcpu *v, u64 adjust)
{
	v->tsc_offset += adjust - v->msr.tsc_adjust;
	v->msr.tsc_adjust = adjust;
	v->pv_dirty = true;
	ops->sync_controls(v);
}

int dom0_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	int ret = vlapic_rdmsr(v, msr, val);

	if (ret == -ENOENT)
		ret = ops->get_msr(v, msr, val);
	if (ret == -ENOENT)
		ret = pv_rdmsr(v, msr, val);
	if (ret != -ENOENT)
		return ret ? -EINVAL : 0;
	switch (msr) {
	case MSR_TSC:
		*val = rdtsc() + v->tsc_offset;
		return 0;
	case MSR_TSC_ADJUST:
		*val = v->msr.tsc_adjust;
		return 0;
	case MSR_AMD_VM_CR:
		*val = VM_CR_SVMDIS | VM_CR_LOCK;
		return 0;
	case MSR_AMD_VM_HSAVE_PA:
	case MSR_XSS:
		*val = 0;
		return 0;
	case MSR_FEATURE_CONTROL:
		*val = feature_control();
		return 0;
	}
	if (msr >= MSR_VMX_BASIC && msr <= MSR_VMX_VMFUNC)
		return -EINVAL;
	return rdmsr_safe(msr, val) ? -EINVAL : 0;
}

int dom0_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	u64 now;
	int ret = vlapic_wrmsr(v, msr, val);

	if (ret == -ENOENT)
		ret = ops->set_msr(v, msr, val);
	if (ret == -ENOENT)
		ret = pv_wrmsr(v, msr, val);
	if (ret != -ENOENT)
		return ret ? -EINVAL : 0;
	switch (msr) {
	case MSR_TSC:
		val += v->msr.tsc_adjust - rdtsc() - v->tsc_offset;
		/* fall through */
	case MSR_TSC_ADJUST:
		vcpu_adjust_tsc(v, val);
		return 0;
	case MSR_TSC_AUX:
		v->msr.tsc_aux = (u32)val;
		vcpu_load_tsc_aux(v);
		return 0;
	case MSR_MISC_ENABLE:
		return write_own(msr, val, MISC_ENABLE_OWN);
	case MSR_AMD_HWCR:
		return write_own(msr, val, HWCR_OWN);
	case MSR_AMD_NB_CFG:
		return write_own(msr, val, NB_CFG_OWN);
	case MSR_XSS:
		return val ? -EINVAL : 0;
	}
	if (is_mtrr(msr))
		return write_mtrr(v, msr, val);
	if (is_writable(msr))
		return wrmsr_safe(msr, val) ? -EINVAL : 0;
	/* Writing what is there already does nothing, so it may. */
	if (!rdmsr_safe(msr, &now) && now == val)
		return 0;
	log_info("domain 0 vCPU %u: WRMSR %x <- %llx refused", v->index, msr, val);
	return -EINVAL;
}
