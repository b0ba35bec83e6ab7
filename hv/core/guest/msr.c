// SPDX-License-Identifier: GPL-2.0-only
/* MSRs of vCPUs; the contract is in msr.h. */
#include "msr.h"

#include <asm/kvm_para.h>

#include "apic/vlapic.h"
#include "cpuid.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "machine/cpu.h"
#include "machine/tsc.h"
#include "memory/domain.h"
#include "pv.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"
#include "vcpu/vcpu.h"

#define MSR_PLATFORM_INFO	0xce
#define MSR_MISC_FEATURES	0x140
#define MSR_PERF_CAPABILITIES	0x345
#define MSR_POWER_CTL		0x1fc
#define MSR_AMD_PERFEVTSEL0	0xc0010000
#define MSR_AMD_PERFCTR3	0xc0010007
#define MSR_AMD_PATCH_LEVEL	0x8b

#define MTRRCAP_VALUE		(8 | MTRRCAP_FIX | MTRRCAP_WC)
#define MISC_ENABLE_DEFAULT	1ull	/* fast strings */
#define HWCR_STATUS_WRITE	BIT(18)
#define MCG_BANKS		32
#define MCI_CTL2_CMCI_EN	BIT(30)
#define MCI_CTL2_THRESHOLD	0x7fffull

const u32 msr_list[] = {
	MSR_TSC, MSR_APIC_BASE, MSR_TSC_ADJUST, MSR_TSC_DEADLINE,
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP, MSR_STAR, MSR_LSTAR,
	MSR_CSTAR, MSR_SFMASK, MSR_KERNEL_GS_BASE, MSR_TSC_AUX, MSR_PAT, MSR_EFER,
	MSR_MISC_ENABLE, MSR_POWER_CTL, MSR_MCG_STATUS, MSR_MCG_CTL, MSR_AMD_HWCR,
	MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME, MSR_KVM_WALL_CLOCK_NEW,
	MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_STEAL_TIME, MSR_KVM_PV_EOI_EN,
	MSR_KVM_POLL_CONTROL,
	MSR_PLATFORM_INFO, MSR_MISC_FEATURES, MSR_AMD_PATCH_LEVEL,
	MSR_ARCH_CAPABILITIES, MSR_PERF_CAPABILITIES, MSR_DEBUGCTL, MSR_LASTINT_FROM,
	MSR_LASTINT_TO, MSR_LBR_FROM, MSR_LBR_TO,
};
const u32 msr_list_len = ARRAY_SIZE(msr_list);

/* ---- MSRs that name features, as CPUID does ---- */

#define PLATFORM_CPUID_FAULT	BIT(31)
#define FEATURES_CPUID_FAULT	BIT(0)
#define PATCH_LEVEL_DEFAULT	0x01000065

/* What a CPU says that it is not open to is true of its guests. */
#define ARCH_CAP_NO	(BIT(0) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(13) | BIT(14) | \
			 BIT(15) | BIT(20) | BIT(26) | BIT(27))

const u32 msr_features[] = {
	MSR_AMD_DE_CFG, MSR_AMD_PATCH_LEVEL, MSR_ARCH_CAPABILITIES, MSR_PERF_CAPABILITIES,
};
const u32 msr_features_len = ARRAY_SIZE(msr_features);

static u64 arch_capabilities(void)
{
	u64 val;

	if (!(cpuid_count(7, 0).edx & BIT(29)) || rdmsr_safe(MSR_ARCH_CAPABILITIES, &val))
		return 0;
	return val & ARCH_CAP_NO;
}

int msr_feature(u32 msr, u64 *val)
{
	*val = 0;
	switch (msr) {
	case MSR_AMD_DE_CFG:
		if (cpuid(0x80000000).eax >= 0x80000021 && (cpuid(0x80000021).eax & BIT(2)))
			*val = DE_CFG_LFENCE;
		return cpuid(0).ebx == 0x756e6547 ? -EINVAL : 0;	/* "Genu" */
	case MSR_AMD_PATCH_LEVEL:
		return rdmsr_safe(msr, val);
	case MSR_ARCH_CAPABILITIES:
		*val = arch_capabilities();
		return 0;
	case MSR_PERF_CAPABILITIES:
		return 0;
	}
	return -EINVAL;
}

void msr_reset(struct vcpu *v)
{
	v->msr = (struct vcpu_msrs){
		.misc_enable = MISC_ENABLE_DEFAULT,
		.platform_info = PLATFORM_CPUID_FAULT,
		.patch_level = PATCH_LEVEL_DEFAULT,
		.arch_cap = arch_capabilities(),
		.mcg_cap = MCG_BANKS,
		.poll_control = 1,
	};
}

/* ---- memory type ranges: kept, and without effect under nested paging ---- */

static u64 *mtrr_slot(struct vcpu *v, u32 msr)
{
	if (msr >= MSR_MTRR_PHYSBASE0 && msr < MSR_MTRR_PHYSBASE0 + 16)
		return &v->msr.mtrr_var[msr - MSR_MTRR_PHYSBASE0];
	if (msr == MSR_MTRR_FIX64K_00000)
		return &v->msr.mtrr_fixed[0];
	if (msr == MSR_MTRR_FIX16K_80000 || msr == MSR_MTRR_FIX16K_A0000)
		return &v->msr.mtrr_fixed[1 + msr - MSR_MTRR_FIX16K_80000];
	if (msr >= MSR_MTRR_FIX4K_C0000 && msr <= MSR_MTRR_FIX4K_F8000)
		return &v->msr.mtrr_fixed[3 + msr - MSR_MTRR_FIX4K_C0000];
	if (msr == MSR_MTRR_DEF_TYPE)
		return &v->msr.mtrr_def;
	return NULL;
}

static bool memtype_ok(u8 t)
{
	return t == MEMTYPE_UC || t == MEMTYPE_WC || (t >= MEMTYPE_WT && t <= MEMTYPE_WB);
}

static bool mtrr_ok(u32 msr, u64 val)
{
	int i;

	if (msr == MSR_MTRR_DEF_TYPE)
		return !(val & ~0xcffull) && memtype_ok(val & 0xff);
	if (msr >= MSR_MTRR_FIX64K_00000 && msr <= MSR_MTRR_FIX4K_F8000) {
		for (i = 0; i < 8; i++)
			if (!memtype_ok(val >> (i * 8)))
				return false;
		return true;
	}
	if (val >> 52)
		return false;
	return (msr & 1) ? !(val & 0x7ff) : memtype_ok(val & 0xff) && !(val & 0xf00);
}

/* ---- machine check banks ---- */

static int mce_access(struct vcpu *v, u32 msr, u64 *val, bool write, bool host)
{
	u32 banks = v->msr.mcg_cap & 0xff, i = msr - MSR_MC0_CTL;

	if (i >= banks * 4)
		return -EINVAL;
	if (!write) {
		*val = v->msr.mce[i];
		return 0;
	}
	/* CTL: all or nothing, as KVM; STATUS: cleared only, but by the VMM, or as HWCR says. */
	if ((i & 3) == 0 && *val && (*val | BIT(10) | BIT(0)) != ~0ull)
		return -EINVAL;
	if ((i & 3) == 1 && *val && !host && !(v->msr.hwcr & HWCR_STATUS_WRITE))
		return -EINVAL;
	v->msr.mce[i] = *val;
	return 0;
}

/* Where MCG_CAP has CMCI; else the VMM finds and leaves 0. */
static int mce_ctl2(struct vcpu *v, u32 msr, u64 *val, bool write, bool host)
{
	u32 i = msr - MSR_MC0_CTL2;

	if (i >= (v->msr.mcg_cap & 0xff))
		return -EINVAL;
	if (!(v->msr.mcg_cap & MCG_CMCI_P) && (!host || (write && *val)))
		return -EINVAL;
	if (!write) {
		*val = v->msr.mce_ctl2[i];
		return 0;
	}
	if (*val & ~(MCI_CTL2_CMCI_EN | MCI_CTL2_THRESHOLD))
		return -EINVAL;
	v->msr.mce_ctl2[i] = *val;
	return 0;
}

static bool is_mce_ctl2(u32 msr)
{
	return msr >= MSR_MC0_CTL2 && msr < MSR_MC0_CTL2 + MCG_BANKS;
}

static bool is_mce(u32 msr)
{
	return msr >= MSR_MC0_CTL && msr < MSR_MC0_CTL + MCG_BANKS * 4;
}

/* Counters that vCPUs lack: read 0, and 0 may be written. */
static bool is_absent_counter(u32 msr)
{
	return (msr >= MSR_AMD_PERFEVTSEL0 && msr <= MSR_AMD_PERFCTR3) ||
	       (msr >= 0xc0010200 && msr <= 0xc001020b) ||
	       (msr >= 0xc1 && msr <= 0xc2) || (msr >= 0x186 && msr <= 0x187);
}

/* ---- guests ---- */

static u64 guest_tsc(struct vcpu *v)
{
	return rdtsc() + v->tsc_offset;
}

static int common_rdmsr(struct vcpu *v, u32 msr, u64 *val, bool host)
{
	u64 *slot = mtrr_slot(v, msr);
	int ret;

	if (unlikely(v->rules.flags & BP_RULE_PV_CPUID) && !pv_msr_offered(v, msr))
		return -ENOENT;
	if (slot) {
		*val = *slot;
		return 0;
	}
	if (is_mce(msr))
		return mce_access(v, msr, val, false, false);
	if (is_mce_ctl2(msr))
		return mce_ctl2(v, msr, val, false, host);
	switch (msr) {
	case MSR_TSC:
		*val = guest_tsc(v) + (host ? 0 : v->nested.tsc_offset);
		return 0;
	case MSR_TSC_ADJUST:
		*val = v->msr.tsc_adjust;
		return 0;
	case MSR_TSC_AUX:
		*val = v->msr.tsc_aux;
		return 0;
	case MSR_MISC_ENABLE:
		*val = v->msr.misc_enable;
		return 0;
	case MSR_MTRRCAP:
		*val = MTRRCAP_VALUE;
		return 0;
	case MSR_MCG_CAP:
		*val = v->msr.mcg_cap;
		return 0;
	case MSR_MCG_STATUS:
		*val = v->msr.mcg_status;
		return 0;
	case MSR_MCG_CTL:
		*val = v->msr.mcg_ctl;
		return v->msr.mcg_cap & BIT(8) ? 0 : -EINVAL;
	case MSR_AMD_HWCR:
		*val = v->msr.hwcr;
		return 0;
	case MSR_KVM_POLL_CONTROL:
		*val = v->msr.poll_control;
		return 0;
	case MSR_POWER_CTL:
		*val = v->msr.power_ctl;
		return 0;
	case MSR_AMD_PATCH_LEVEL:
		*val = v->msr.patch_level;
		return 0;
	case MSR_PLATFORM_INFO:
		*val = v->msr.platform_info;
		return !host && (v->rules.flags & BP_RULE_NO_PLATFORM_INFO) ? -EINVAL : 0;
	case MSR_MISC_FEATURES:
		*val = v->msr.misc_features;
		return 0;
	case MSR_ARCH_CAPABILITIES:
		*val = v->msr.arch_cap;
		return host || (vcpu_cpuid(v, 7, 0).edx & BIT(29)) ? 0 : -EINVAL;
	case MSR_PERF_CAPABILITIES:	/* goes with counters, which there are not */
		*val = 0;
		return host ? 0 : -EINVAL;
	case MSR_XSS:
	case MSR_PLATFORM_ID:
	case MSR_AMD_SYSCFG:
	case MSR_AMD_NB_CFG:
	case MSR_AMD_INT_PENDING:
	case MSR_AMD_DE_CFG:
	case 0xc0011022: case 0xc0011023:	/* DC_CFG, BU_CFG */
	case MSR_LASTINT_FROM: case MSR_LASTINT_TO:
	case MSR_LBR_FROM: case MSR_LBR_TO:
		*val = 0;
		return 0;
	}
	if (is_absent_counter(msr)) {
		*val = 0;
		return 0;
	}
	ret = vlapic_rdmsr(v, msr, val);
	if (ret == -ENOENT)
		ret = ops->get_msr(v, msr, val);
	if (ret == -ENOENT)
		ret = pv_rdmsr(v, msr, val);
	return ret;
}

static void write_tsc_aux(struct vcpu *v, u32 val)
{
	v->msr.tsc_aux = val;
	if (this_cpu()->current == v)
		vcpu_load_tsc_aux(v);
}

/* What the VMM alone may write.  -ENOENT: another MSR. */
static int write_identity(struct vcpu *v, u32 msr, u64 val)
{
	switch (msr) {
	case MSR_AMD_PATCH_LEVEL:
		v->msr.patch_level = val;
		return 0;
	case MSR_ARCH_CAPABILITIES:
		v->msr.arch_cap = val;
		return 0;
	case MSR_PLATFORM_INFO:
		if (!(val & PLATFORM_CPUID_FAULT) && v->msr.misc_features)
			return -EINVAL;
		v->msr.platform_info = val;
		return 0;
	case MSR_PERF_CAPABILITIES:
		return val ? -EINVAL : 0;
	}
	return -ENOENT;
}

static int common_wrmsr(struct vcpu *v, u32 msr, u64 val, bool host)
{
	u64 *slot = mtrr_slot(v, msr);
	int ret;

	if (unlikely(v->rules.flags & BP_RULE_PV_CPUID) && !pv_msr_offered(v, msr))
		return -ENOENT;
	if (slot) {
		if (!mtrr_ok(msr, val))
			return -EINVAL;
		*slot = val;
		return 0;
	}
	if (is_mce(msr))
		return mce_access(v, msr, &val, true, host);
	if (is_mce_ctl2(msr))
		return mce_ctl2(v, msr, &val, true, host);
	switch (msr) {
	case MSR_TSC:
		val += v->msr.tsc_adjust - guest_tsc(v);	/* the VMM's is not set here */
		/* fall through */
	case MSR_TSC_ADJUST:
		if (host)
			v->msr.tsc_adjust = val;
		else
			vcpu_adjust_tsc(v, val);
		return 0;
	case MSR_TSC_AUX:
		if (val >> 32)
			return -EINVAL;
		write_tsc_aux(v, val);
		return 0;
	case MSR_MISC_ENABLE:
		v->msr.misc_enable = val;
		return 0;
	case MSR_MCG_STATUS:
		v->msr.mcg_status = val;
		return 0;
	case MSR_MCG_CTL:
		if (!(v->msr.mcg_cap & BIT(8)) || (val && val != ~0ull))
			return -EINVAL;
		v->msr.mcg_ctl = val;
		return 0;
	case MSR_AMD_HWCR:
		/* TscFreqSel and McStatusWrEn are kept, hints are dropped. */
		val &= ~(BIT(3) | BIT(6) | BIT(8));
		if (val & ~(HWCR_STATUS_WRITE | BIT(24)))
			return -EINVAL;
		v->msr.hwcr = val;
		return 0;
	case MSR_KVM_POLL_CONTROL:
		if (val & ~1ull)
			return -EINVAL;
		v->msr.poll_control = val;
		return 0;
	case MSR_POWER_CTL:
		v->msr.power_ctl = val;
		return 0;
	case MSR_MISC_FEATURES:
		if ((val & ~FEATURES_CPUID_FAULT) ||
		    (val && !(v->msr.platform_info & PLATFORM_CPUID_FAULT)))
			return -EINVAL;
		v->msr.misc_features = val;
		return 0;
	case MSR_PLATFORM_INFO:
	case MSR_ARCH_CAPABILITIES:
	case MSR_PERF_CAPABILITIES:
		return -EINVAL;
	case MSR_XSS:
		return val ? -EINVAL : 0;
	case MSR_AMD_PATCH_LEVEL:	/* written before CPUID to read it: Intel */
	case MSR_UCODE_WRITE:
	case MSR_AMD_SYSCFG:
	case MSR_AMD_NB_CFG:
	case MSR_AMD_INT_PENDING:
	case MSR_AMD_DE_CFG:
	case 0xc0010020:		/* PATCH_LOADER */
		return 0;
	}
	if (is_absent_counter(msr))
		return val && !host ? -EINVAL : 0;
	ret = vlapic_wrmsr(v, msr, val);
	if (ret == -ENOENT)
		ret = ops->set_msr(v, msr, val);
	if (ret == -ENOENT)
		ret = pv_wrmsr(v, msr, val);
	return ret;
}

int vcpu_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	if (domain_is_dom0(v->dom))
		return dom0_rdmsr(v, msr, val);
	return common_rdmsr(v, msr, val, false);
}

int vcpu_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	if (domain_is_dom0(v->dom))
		return dom0_wrmsr(v, msr, val);
	return common_wrmsr(v, msr, val, false);
}

/* MCG_CTL is in the list of what a VMM saves, also of a vCPU that lacks it. */
static bool is_absent_mcg_ctl(const struct vcpu *v, u32 msr)
{
	return msr == MSR_MCG_CTL && !(v->msr.mcg_cap & BIT(8));
}

static bool is_listed(u32 msr)
{
	u32 i;

	for (i = 0; i < msr_list_len; i++)
		if (msr_list[i] == msr)
			return true;
	return false;
}

/* What is listed and not here, as on the other vendor's CPUs, is 0. */
int vcpu_host_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	int ret;

	*val = 0;
	if (is_absent_mcg_ctl(v, msr))
		return 0;
	ret = common_rdmsr(v, msr, val, true);
	return ret == -ENOENT && is_listed(msr) ? 0 : ret;
}

/*
 * The TSC that the VMM sets.  Those of a domain's vCPUs are meant to be the same,
 * though the VMM cannot write them at the same time: within a second of the last
 * one, or as 0, they are (as in KVM).
 */
static void host_set_tsc(struct vcpu *v, u64 val)
{
	struct domain *d = v->dom;
	u64 offset = val - rdtsc(), second = tsc_khz * 1000;

	if (!val || (d->tsc_set && offset - d->tsc_offset + second < 2 * second))
		offset = d->tsc_offset;
	vcpu_set_tsc_offset(v, offset);
	if (val)
		d->tsc_set = true;
}

void vcpu_set_tsc_offset(struct vcpu *v, u64 offset)
{
	v->dom->tsc_offset = offset;
	v->tsc_offset = offset;
	v->pv_dirty = true;
	ops->sync_controls(v);
}

int vcpu_host_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	u64 now;
	int ret;

	if (msr == MSR_TSC) {
		host_set_tsc(v, val);
		return 0;
	}
	if (msr == MSR_MTRRCAP || msr == MSR_PLATFORM_ID || msr == MSR_MCG_CAP)
		return common_rdmsr(v, msr, &now, true) || now != val ? -EINVAL : 0;
	if (is_absent_mcg_ctl(v, msr))
		return val ? -EINVAL : 0;
	ret = write_identity(v, msr, val);
	if (ret == -ENOENT)
		ret = common_wrmsr(v, msr, val, true);
	return ret == -ENOENT && !val && is_listed(msr) ? 0 : ret;
}
