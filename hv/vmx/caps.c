// SPDX-License-Identifier: GPL-2.0-only
/* Which controls this CPU lets us set; the contract is in caps.h. */
#include "caps.h"
#include "machine/cmdline.h"

enum group { PIN, PROC, PROC2, EXIT, ENTRY, GROUPS };

/*
 * Each MSR holds the bits that must be 1 in its low half and those that may
 * be 1 in its high half.
 */
struct need {
	u8 group;
	u32 bit;
	const char *missing;
};

static const struct need required[] = {
	{ PIN, PIN_INTR, "VMX: no external-interrupt exiting" },
	{ PIN, PIN_NMI, "VMX: no NMI exiting" },
	{ PIN, PIN_VIRTUAL_NMI, "VMX: no virtual NMIs" },
	{ PROC, PROC_IRQ_WINDOW, "VMX: no interrupt-window exiting" },
	{ PROC, PROC_NMI_WINDOW, "VMX: no NMI-window exiting" },
	{ PROC, PROC_TSC_OFFSET, "VMX: no TSC offsetting" },
	{ PROC, PROC_HLT, "VMX: no HLT exiting" },
	{ PROC, PROC_MWAIT, "VMX: no MWAIT exiting" },
	{ PROC, PROC_MONITOR, "VMX: no MONITOR exiting" },
	{ PROC, PROC_RDPMC, "VMX: no RDPMC exiting" },
	{ PROC, PROC_MOV_DR, "VMX: no exiting of MOV DR" },
	{ PROC, PROC_UNCOND_IO, "VMX: no unconditional I/O exiting" },
	{ PROC, PROC_IO_BITMAPS, "VMX: no I/O bitmaps" },
	{ PROC, PROC_MSR_BITMAPS, "VMX: no MSR bitmaps" },
	{ PROC, PROC_SECONDARY, "VMX: no secondary controls" },
	{ PROC2, PROC2_EPT, "VMX: no EPT" },
	{ PROC2, PROC2_UNRESTRICTED, "VMX: no unrestricted guest" },
	{ PROC2, PROC2_WBINVD, "VMX: no WBINVD exiting" },
	{ EXIT, EXIT_HOST_64, "VMX: no 64-bit host" },
	{ EXIT, EXIT_SAVE_DEBUG, "VMX: exits cannot save debug controls" },
	{ EXIT, EXIT_SAVE_PAT, "VMX: exits cannot save PAT" },
	{ EXIT, EXIT_LOAD_PAT, "VMX: exits cannot load PAT" },
	{ EXIT, EXIT_SAVE_EFER, "VMX: exits cannot save EFER" },
	{ EXIT, EXIT_LOAD_EFER, "VMX: exits cannot load EFER" },
	{ ENTRY, ENTRY_IA32E, "VMX: no 64-bit guests" },
	{ ENTRY, ENTRY_LOAD_DEBUG, "VMX: entries cannot load debug controls" },
	{ ENTRY, ENTRY_LOAD_PAT, "VMX: entries cannot load PAT" },
	{ ENTRY, ENTRY_LOAD_EFER, "VMX: entries cannot load EFER" },
};

/* Of the required, those that are not on from the start, or not for all. */
static const u32 not_at_start[GROUPS] = {
	[PROC] = PROC_IRQ_WINDOW | PROC_NMI_WINDOW | PROC_RDPMC | PROC_UNCOND_IO |
		 PROC_IO_BITMAPS | PROC_MOV_DR,
	[PROC2] = PROC2_WBINVD,
	[ENTRY] = ENTRY_IA32E,
};

static const u32 optional[GROUPS] = {
	[PROC2] = PROC2_RDTSCP | PROC2_VPID | PROC2_PAUSE_LOOP | PROC2_INVPCID |
		  PROC2_ENCLS | PROC2_USER_WAIT | PROC2_BUS_LOCK | PROC2_NOTIFY,
};

/* Reserved bits that are always 1, without meaning (SDM app. A.3 to A.5). */
static const u32 default1[GROUPS] = {
	[PIN] = 0x16,
	[PROC] = 0x04006172,
	[EXIT] = 0x00036dfb,
	[ENTRY] = 0x000011fb,
};

static const char *const forced[GROUPS] = {
	[PIN] = "VMX: unknown pin-based controls cannot be off",
	[PROC] = "VMX: unknown processor-based controls cannot be off",
	[PROC2] = "VMX: unknown secondary controls cannot be off",
	[EXIT] = "VMX: unknown exit controls cannot be off",
	[ENTRY] = "VMX: unknown entry controls cannot be off",
};

static u32 must(u64 msr)
{
	return (u32)msr;
}

static u32 may(u64 msr)
{
	return msr >> 32;
}

static const char *check_basic(u64 basic)
{
	if (!(basic & VMX_BASIC_TRUE))
		return "VMX: no true controls (CR3 accesses would exit)";
	if (VMX_BASIC_SIZE(basic) > PAGE_SIZE)
		return "VMX: a VMCS is larger than a page";
	if (VMX_BASIC_MEMTYPE(basic) != EPTP_WB)
		return "VMX: a VMCS cannot be write-back memory";
	return NULL;
}

static const char *check_ept(u64 cap)
{
	if (!(cap & EPT_CAP_WALK_4))
		return "VMX: EPT has no 4-level tables";
	if (!(cap & EPT_CAP_WB))
		return "VMX: EPT tables cannot be write-back memory";
	if (!(cap & EPT_CAP_2M))
		return "VMX: EPT has no 2 MiB pages";
	if (!(cap & EPT_CAP_INVEPT))
		return "VMX: no INVEPT";
	if (!(cap & (EPT_CAP_INVEPT_ONE | EPT_CAP_INVEPT_ALL)))
		return "VMX: INVEPT has no type that we know";
	return NULL;
}

/* The TPR in the hardware's shadow, or by an exit at every access to CR8. */
static const char *choose_tpr(u32 allowed, u32 *proc, struct vmx_controls *c)
{
	c->tpr_shadow = allowed & PROC_TPR_SHADOW;
	c->cr8_exits = (allowed & PROC_CR8_EXITS) == PROC_CR8_EXITS;
	if (!c->tpr_shadow && !c->cr8_exits)
		return "VMX: neither TPR shadow nor CR8 exiting";
	*proc |= c->tpr_shadow ? PROC_TPR_SHADOW : PROC_CR8_EXITS;
	return NULL;
}

/*
 * Each on its own where the CPU has it, but all need the TPR shadow, and posted
 * interrupts need delivery and exits that acknowledge interrupts (SDM vol. 3,
 * 27.2.1.1).  The controls are set for each vCPU by its mode (apic.c).
 */
static void choose_apicv(const struct vmx_msrs *m, struct vmx_controls *c)
{
	c->apic = c->tpr_shadow ? may(m->proc2) & PROC2_APICV : 0;
	c->posted = (c->apic & PROC2_DELIVERY) && (may(m->pin) & PIN_POSTED) &&
		    (may(m->exit) & EXIT_TAKE_INTR);
}

void vmx_limit_apicv(struct vmx_controls *c, u32 most)
{
	if (most >= APICV_DELIVERY)
		c->posted = false;
	if (most >= APICV_REGISTERS)
		c->apic &= ~PROC2_DELIVERY;
	if (most >= APICV_OFF)
		c->apic = 0;
	if (most >= APICV_NONE && c->cr8_exits) {
		c->tpr_shadow = false;
		c->proc = (c->proc & ~PROC_TPR_SHADOW) | PROC_CR8_EXITS;
	}
}

/* Bits that cannot be off must be meaningless or on in any case. */
static const char *complete(const u64 *msr, u32 *on)
{
	u32 g;

	for (g = 0; g < GROUPS; g++) {
		if (must(msr[g]) & ~(default1[g] | on[g]))
			return forced[g];
		on[g] |= must(msr[g]);
	}
	return NULL;
}

const char *vmx_feature_control(u64 val, u64 *set)
{
	*set = val;
	if (!(val & FEATURE_LOCKED))
		*set |= FEATURE_LOCKED | FEATURE_VMXON;
	else if (!(val & FEATURE_VMXON))
		return "VMX is disabled by firmware (IA32_FEATURE_CONTROL)";
	return NULL;
}

const char *vmx_choose_controls(const struct vmx_msrs *m, struct vmx_controls *c)
{
	const u64 msr[GROUPS] = {
		[PIN] = m->pin, [PROC] = m->proc, [PROC2] = m->proc2,
		[EXIT] = m->exit, [ENTRY] = m->entry,
	};
	u32 on[GROUPS] = { 0 }, i;
	const char *why = check_basic(m->basic);

	for (i = 0; i < ARRAY_SIZE(required) && !why; i++) {
		const struct need *n = &required[i];

		if (!(may(msr[n->group]) & n->bit))
			why = n->missing;
		on[n->group] |= n->bit & ~not_at_start[n->group];
	}
	if (!why)
		why = choose_tpr(may(m->proc), &on[PROC], c);
	if (!why)
		why = check_ept(m->ept_vpid);
	for (i = 0; i < GROUPS; i++)
		on[i] |= optional[i] & may(msr[i]);
	if (!why)
		why = complete(msr, on);
	if (why)
		return why;
	c->pin = on[PIN];
	c->proc = on[PROC];
	c->proc2 = on[PROC2];
	c->exit = on[EXIT];
	c->entry = on[ENTRY];
	c->vpid = c->proc2 & PROC2_VPID;
	c->pause_loop = c->proc2 & PROC2_PAUSE_LOOP;
	c->timer = may(m->pin) & PIN_TIMER;
	choose_apicv(m, c);
	c->timer_shift = VMX_MISC_TIMER_SHIFT(m->misc);
	c->encls = c->proc2 & PROC2_ENCLS;
	c->ept_ad = m->ept_vpid & EPT_CAP_AD;
	c->invept_one = m->ept_vpid & EPT_CAP_INVEPT_ONE;
	return NULL;
}
