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

/* CPUID 1 EAX without model and stepping; families sort by it. */
#define FAMILY(signature)	((signature) & 0x0ff00f00)
#define FAMILY_16H		0x00700f00
#define FAMILY_17H		0x00800f00
#define FAMILY_19H		0x00a00f00

enum core { OTHER, JAGUAR, ZEN, ZEN2, ZEN4 };	/* ZEN: also Zen+ */

static enum core core_of(u32 signature)
{
	u32 model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);

	switch (FAMILY(signature)) {
	case FAMILY_16H:
		return model < 0x10 ? JAGUAR : OTHER;
	case FAMILY_17H:
		return model < 0x30 || (model >= 0x50 && model < 0x60) ? ZEN : ZEN2;
	case FAMILY_19H:
		return (model >= 0x10 && model < 0x20) || (model >= 0x60 && model < 0xb0) ? ZEN4 : OTHER;
	}
	return OTHER;
}

/*
 * Branch type confusion (Retbleed) and return address overflow (SRSO): no CPU that says SRSO_NO
 * has either.  Less speculation helps, or an IBPB that forgets the types of branches too: all
 * before Zen 3 do, later ones with microcode of 2023.
 */
static u32 choose_srso(const struct spec_enum *e)
{
	if (e->e21_eax & E21_EAX_SRSO_NO)
		return 0;
	if (e->e21_eax & E21_EAX_BP_REDUCE)
		return SPEC_BP_REDUCE;
	if (!spec_has_ibpb(e))
		return 0;
	return FAMILY(e->signature) < FAMILY_19H || (e->e21_eax & E21_EAX_IBPB_BRTYPE) ?
	       SPEC_IBPB_EXIT : SPEC_SRSO_OPEN;
}

static u32 choose_zen(const struct spec_enum *e)
{
	enum core core = core_of(e->signature);

	return core == ZEN ? SPEC_DIVIDER : core == ZEN2 ? SPEC_FP_BACKUP : 0;
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

/*
 * What no option and no bit of CPUID is about, by models.  Domain 0's kernel would make the same
 * settings, but sees a hypervisor, or may not.
 */
static const struct {
	enum core core;
	u32 msr;
	u64 bits;
} settings[] = {
	{ JAGUAR, MSR_AMD_LS_CFG, BIT(15) },		/* erratum 793: a locked access can hang it */
	{ ZEN, MSR_AMD_FP_CFG, BIT(9) },		/* FPDSS: the divider keeps nothing */
	{ ZEN2, MSR_AMD_BP_CFG, BIT(33) },		/* threads' instructions mix in the op cache */
	{ ZEN2, MSR_AMD_BP_SUPPRESS, BIT(1) },		/* no branch is predicted where none is */
	{ ZEN4, MSR_AMD_BP_CFG, BIT(5) },		/* erratum 1485: #UD without a cause */
};

void svm_mend_flaws(void)
{
	enum core core = core_of(cpuid(1).eax);
	u32 i, due, set = spec_state(&due);

	set_bits(MSR_AMD_DE_CFG, DE_CFG_LFENCE |
		 (set & SPEC_FP_BACKUP ? DE_CFG_FP_BACKUP_FIX : 0));
	set_bits(MSR_AMD_BP_CFG, set & SPEC_BP_REDUCE ? BP_CFG_SPEC_REDUCE : 0);
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (settings[i].core == core)
			set_bits(settings[i].msr, settings[i].bits);
}
