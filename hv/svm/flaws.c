// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flaws of AMD's and Hygon's processors that CPUID has no bit for, or whose remedy no other
 * vendor has (docs/processor-flaws.md).
 */
#include "lib/x86.h"
#include "svm.h"
#include "vcpu/speculation.h"

/* CPUID 8000_0021 */
#define E21_EAX_SRSO_NO		BIT(29)
#define E21_EAX_BP_REDUCE	BIT(31)

#define BP_CFG_SPEC_REDUCE	BIT(4)

/*
 * Branch type confusion (Retbleed) and return address overflow (SRSO): no CPU that says SRSO_NO
 * has either.  Only an IBPB, which forgets the types of branches too, or less speculation helps.
 */
static u32 choose_srso(const struct spec_enum *e)
{
	if (e->e21_eax & E21_EAX_SRSO_NO)
		return 0;
	if (e->e21_eax & E21_EAX_BP_REDUCE)
		return SPEC_BP_REDUCE;
	return spec_has_ibpb(e) ? SPEC_IBPB_EXIT : 0;
}

/* Family 17h, Zen (also Zen+) or Zen 2: their flaws have no bits. */
static u32 choose_zen(const struct spec_enum *e)
{
	u32 model = (e->signature >> 4 & 0xf) | (e->signature >> 12 & 0xf0);

	if ((e->signature & 0x0ff00f00) != 0x00800f00)
		return 0;
	return model < 0x30 || (model >= 0x50 && model < 0x60) ? SPEC_DIVIDER : SPEC_FP_BACKUP;
}

u32 svm_flaws(const struct spec_enum *e, const struct hv_options *o)
{
	return choose_zen(e) | (o->srso_off ? 0 : choose_srso(e));
}

/* MSRs that only some have, or that a hypervisor below keeps: what cannot be set is left. */
static void set_bits(u32 msr, u64 bits)
{
	u64 val;

	if (bits && !rdmsr_safe(msr, &val) && (val & bits) != bits)
		(void)wrmsr_safe(msr, val | bits);
}

void svm_mend_flaws(void)
{
	u32 due, set = spec_state(&due);

	set_bits(MSR_AMD_DE_CFG, DE_CFG_LFENCE |
		 (set & SPEC_FP_BACKUP ? DE_CFG_FP_BACKUP_FIX : 0));
	set_bits(MSR_AMD_BP_CFG, set & SPEC_BP_REDUCE ? BP_CFG_SPEC_REDUCE : 0);
}
