// SPDX-License-Identifier: GPL-2.0-only
/* Mitigations of speculation; the contract is in speculation.h. */
#include "speculation.h"

#include "lib/atomic.h"
#include "lib/x86.h"
#include "machine/cpu.h"
#include "machine/log.h"
#include "memory/domain.h"
#include "ops.h"

static_assert(offsetof(struct cpu, spec_exit) == SPEC_GS_EXIT, "entry.S");

/* CPUID 7.0 */
#define F7_EBX_RTM		BIT(11)
#define F7_EDX_MD_CLEAR		BIT(10)
#define F7_EDX_SPEC_CTRL	BIT(26)		/* IBRS and IBPB */
#define F7_EDX_STIBP		BIT(27)
#define F7_EDX_L1D_FLUSH	BIT(28)
#define F7_EDX_ARCH_CAP		BIT(29)
#define F7_EDX_SSBD		BIT(31)
/* CPUID 7.2 */
#define F72_EDX_RRSBA_CTRL	BIT(2)
#define F72_EDX_BHI_CTRL	BIT(4)
/* CPUID 8000_0008 EBX */
#define E8_EBX_IBPB		BIT(12)
#define E8_EBX_IBRS		BIT(14)
#define E8_EBX_STIBP		BIT(15)
#define E8_EBX_IBRS_ALWAYS	BIT(16)
#define E8_EBX_SSBD		BIT(24)
#define E8_EBX_PSFD		BIT(28)
#define E8_EBX_IBPB_RET		BIT(30)		/* IBPB empties the return stack */
/* CPUID 8000_000a EDX */
#define EA_EDX_V_SPEC_CTRL	BIT(20)
/* CPUID 8000_0021 */
#define E21_EAX_VERW_CLEAR	BIT(5)
#define E21_EAX_AUTOIBRS	BIT(8)
#define E21_ECX_TSA_NO		(BIT(1) | BIT(2))
/* IA32_ARCH_CAPABILITIES */
#define CAP_RDCL_NO		BIT(0)
#define CAP_IBRS_ALL		BIT(1)
#define CAP_SKIP_L1DFL		BIT(3)
#define CAP_MDS_NO		BIT(5)
#define CAP_TSX_CTRL		BIT(7)
#define CAP_TAA_NO		BIT(8)
#define CAP_MMIO_NO		(BIT(13) | BIT(14) | BIT(15))	/* SBDR, FBSDP, PSDP */
#define CAP_FB_CLEAR		BIT(17)
#define CAP_RRSBA		BIT(19)
#define CAP_BHI_NO		BIT(20)
#define CAP_PBRSB_NO		BIT(24)
#define CAP_RFDS_NO		BIT(27)
#define CAP_RFDS_CLEAR		BIT(28)

#define SPEC_CTRL_IBRS		BIT(0)
#define SPEC_CTRL_RRSBA_DIS_S	BIT(6)
#define SPEC_CTRL_BHI_DIS_S	BIT(10)
#define PRED_CMD_IBPB		BIT(0)
#define PRED_CMD_SBPB		BIT(7)		/* one that does not */
#define FLUSH_CMD_L1D		BIT(0)

/* ---- the choice ---- */

bool spec_has_ctrl(const struct spec_enum *e)
{
	return (e->f7_edx & (F7_EDX_SPEC_CTRL | F7_EDX_STIBP | F7_EDX_SSBD)) ||
	       (e->e8_ebx & (E8_EBX_IBRS | E8_EBX_STIBP | E8_EBX_SSBD | E8_EBX_PSFD));
}

bool spec_has_ibpb(const struct spec_enum *e)
{
	return (e->f7_edx & F7_EDX_SPEC_CTRL) || (e->e8_ebx & E8_EBX_IBPB);
}

static u32 choose_ibrs(const struct spec_enum *e)
{
	if (e->e21_eax & E21_EAX_AUTOIBRS)
		return SPEC_IBRS_AUTO;
	if (!(e->f7_edx & F7_EDX_SPEC_CTRL) && !(e->e8_ebx & E8_EBX_IBRS))
		return 0;
	/* With a virtual SPEC_CTRL a guest runs with what root mode set, too. */
	if ((e->arch_cap & CAP_IBRS_ALL) || (e->e8_ebx & E8_EBX_IBRS_ALWAYS) ||
	    (e->ea_edx & EA_EDX_V_SPEC_CTRL))
		return SPEC_IBRS_ON;
	return SPEC_IBRS_WRITE;
}

/*
 * Automatic IBRS empties the return stack at each exit.  Enhanced IBRS, Intel's,
 * keeps a guest's entries from root mode but for those after the last CALL
 * (PBRSB), and not from other guests.
 */
static u32 choose_rsb(const struct spec_enum *e, u32 set)
{
	u32 rsb = SPEC_RSB_EXIT | SPEC_RSB_SWITCH;

	if (set & SPEC_IBRS_AUTO)
		return 0;
	if ((set & SPEC_IBRS_ON) && (e->arch_cap & CAP_IBRS_ALL) &&
	    (e->arch_cap & CAP_PBRSB_NO))
		rsb &= ~SPEC_RSB_EXIT;
	if ((set & SPEC_IBPB_DOM0) && (e->e8_ebx & E8_EBX_IBPB_RET))
		rsb &= ~SPEC_RSB_SWITCH;
	return rsb;
}

/* Branch history injection, where a retpoline's RET may take it up after all (RRSBA). */
static bool needs_bhi(const struct spec_enum *e)
{
	return (e->f72_edx & F72_EDX_BHI_CTRL) && spec_has_ctrl(e) &&
	       !(e->arch_cap & CAP_BHI_NO);
}

/* Alternate predictions of RET when the return stack is empty. */
static bool needs_rrsba(const struct spec_enum *e)
{
	return (e->f72_edx & F72_EDX_RRSBA_CTRL) && (e->arch_cap & CAP_RRSBA) && spec_has_ctrl(e);
}

static u32 choose_l1d(const struct spec_enum *e, u32 option)
{
	if (!(e->f7_edx & F7_EDX_L1D_FLUSH) || option == L1D_OFF)
		return 0;
	if (option == L1D_ALWAYS)
		return SPEC_L1D_ENTRY;
	return e->arch_cap & (CAP_RDCL_NO | CAP_SKIP_L1DFL) ? 0 : SPEC_L1D_SWITCH;
}

/* MDS, TAA, MMIO stale data, RFDS; TSA. Each with the VERW that helps. */
static bool needs_verw(const struct spec_enum *e)
{
	u64 cap = e->arch_cap;

	if (e->f7_edx & F7_EDX_MD_CLEAR) {
		if (!(cap & CAP_MDS_NO))
			return true;
		/* Domain 0 may turn transactions on by TSX_CTRL that CPUID does not show now. */
		if (((e->f7_ebx & F7_EBX_RTM) || (cap & CAP_TSX_CTRL)) && !(cap & CAP_TAA_NO))
			return true;
	}
	if ((cap & CAP_FB_CLEAR) && (cap & CAP_MMIO_NO) != CAP_MMIO_NO)
		return true;
	if ((cap & CAP_RFDS_CLEAR) && !(cap & CAP_RFDS_NO))
		return true;
	return (e->e21_eax & E21_EAX_VERW_CLEAR) &&
	       (e->e21_ecx & E21_ECX_TSA_NO) != E21_ECX_TSA_NO;
}

u32 spec_choose(const struct spec_enum *e, const struct hv_options *o)
{
	u32 set = 0;

	if (o->mitigations_off)
		return 0;
	if (spec_has_ctrl(e) && !(e->ea_edx & EA_EDX_V_SPEC_CTRL))
		set |= SPEC_CTRL_APART;
	if (spec_has_ibpb(e) && o->ibpb != IBPB_OFF)
		set |= SPEC_IBPB | (o->ibpb == IBPB_ON ? SPEC_IBPB_DOM0 : 0);
	if (!o->ibrs_off)
		set |= choose_ibrs(e);
	if (needs_bhi(e) && !o->bhi_off)
		set |= SPEC_BHI;
	if (!o->rsb_off)
		set |= choose_rsb(e, set) | (needs_rrsba(e) ? SPEC_RRSBA : 0);
	set |= ops->flaws(e, o) | choose_l1d(e, o->l1d_flush);
	if ((needs_verw(e) && o->verw == VERW_ON) || o->verw == VERW_ALWAYS)
		set |= SPEC_VERW;
	return set;
}

/* ---- this machine; constant after spec_init() ---- */

static struct spec_enum found;
static u32 chosen;

/* What a vCPU of a guest [0], of domain 0 [1] brings along for struct cpu. */
static struct {
	u8 exit;
	bool entry, l1d;
} kinds[2];

static void read_enum(struct spec_enum *e)
{
	u32 ext = cpuid(0x80000000).eax;

	*e = (struct spec_enum){ .signature = cpuid(1).eax };
	if (cpuid(0).eax >= 7) {
		e->f7_ebx = cpuid(7).ebx;
		e->f7_edx = cpuid(7).edx;
		if (cpuid(7).eax >= 2)
			e->f72_edx = cpuid_count(7, 2).edx;
	}
	if (ext >= 0x80000008)
		e->e8_ebx = cpuid(0x80000008).ebx;
	if (ext >= 0x8000000a)
		e->ea_edx = cpuid(0x8000000a).edx;
	if (ext >= 0x80000021) {
		e->e21_eax = cpuid(0x80000021).eax;
		e->e21_ecx = cpuid(0x80000021).ecx;
		/* Microcode that brought both does not say so. */
		if (spec_has_ibpb(e) && !wrmsr_safe(MSR_PRED_CMD, PRED_CMD_SBPB))
			e->e21_eax |= E21_EAX_IBPB_BRTYPE;
	}
	if ((e->f7_edx & F7_EDX_ARCH_CAP) && rdmsr_safe(MSR_ARCH_CAPABILITIES, &e->arch_cap))
		e->arch_cap = 0;
}

/* "-": the CPU does not have or need it; "off": an option says so. */
static const char *state(u32 wanted, u32 bits, const char *on)
{
	if (chosen & bits)
		return on;
	return wanted & bits ? "off" : "-";
}

u32 spec_state(u32 *due)
{
	static const struct hv_options defaults;

	*due = spec_choose(&found, &defaults);
	return chosen;
}

static void log_state(void)
{
	u32 all, ibrs = SPEC_IBRS_AUTO | SPEC_IBRS_ON | SPEC_IBRS_WRITE;

	spec_state(&all);
	log_printf(LOG_INFO, "mitigations: retpolines, ibpb %s, ibrs %s, bhi %s, rsb %s, rrsba %s, "
		   "srso %s, l1d_flush %s, verw %s, zenbleed %s, divider %s",
		   state(all, SPEC_IBPB, chosen & SPEC_IBPB_DOM0 ? "on" : "guests"),
		   state(all, ibrs, chosen & SPEC_IBRS_AUTO ? "automatic" :
			 chosen & SPEC_IBRS_ON ? "always on" : "after exits"),
		   state(all, SPEC_BHI, "on"),
		   state(all, SPEC_RSB_EXIT | SPEC_RSB_SWITCH,
			 !(chosen & SPEC_RSB_EXIT) ? "on switches" :
			 chosen & SPEC_RSB_SWITCH ? "on exits and switches" : "on exits"),
		   state(all, SPEC_RRSBA, "on"),
		   state(all, SPEC_IBPB_EXIT | SPEC_BP_REDUCE | SPEC_SRSO_OPEN,
			 chosen & SPEC_BP_REDUCE ? "always on" :
			 chosen & SPEC_IBPB_EXIT ? "ibpb on exits" : "needs microcode"),
		   state(all, SPEC_L1D_SWITCH | SPEC_L1D_ENTRY,
			 chosen & SPEC_L1D_ENTRY ? "always" : "on switches"),
		   state(all, SPEC_VERW, "on"), state(all, SPEC_FP_BACKUP, "on"),
		   state(all, SPEC_DIVIDER, "on"));
}

static bool looks_at_ctrl(bool service_vm)
{
	return (chosen & SPEC_IBRS_WRITE) ||
	       ((chosen & (SPEC_IBRS_ON | SPEC_BHI | SPEC_RRSBA)) && (chosen & SPEC_CTRL_APART) &&
		service_vm);
}

static void fill_kinds(void)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		kinds[i].l1d = (chosen & SPEC_L1D_ENTRY) && !i;
		kinds[i].entry = looks_at_ctrl(i) || (chosen & SPEC_VERW) || kinds[i].l1d;
		kinds[i].exit = (looks_at_ctrl(i) ? SPEC_EXIT_CTRL : 0) |
				((chosen & SPEC_IBPB_EXIT) && !i ? SPEC_EXIT_IBPB : 0);
		kinds[i].exit |= (kinds[i].exit ? SPEC_EXIT_CALL : 0) |
				 (chosen & SPEC_RSB_EXIT ? SPEC_EXIT_RSB : 0);
	}
}

void spec_init(void)
{
	read_enum(&found);
	chosen = spec_choose(&found, &hv_options);
	fill_kinds();
	log_state();
}

static u64 root_ctrl(void)
{
	return (chosen & (SPEC_IBRS_WRITE | SPEC_IBRS_ON) ? SPEC_CTRL_IBRS : 0) |
	       (chosen & SPEC_BHI ? SPEC_CTRL_BHI_DIS_S : 0) |
	       (chosen & SPEC_RRSBA ? SPEC_CTRL_RRSBA_DIS_S : 0);
}

static void write_ctrl(struct cpu *c, u64 val)
{
	c->spec_now = val;
	wrmsr(MSR_SPEC_CTRL, val);
}

void spec_init_cpu(struct cpu *c)
{
	if (chosen & SPEC_IBRS_AUTO)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AUTOIBRS);
	if (chosen && spec_has_ctrl(&found))
		write_ctrl(c, root_ctrl());
}

bool spec_pass_ctrl(void)
{
	return spec_has_ctrl(&found);
}

bool spec_pass_pred(void)
{
	return spec_has_ibpb(&found);
}

/* ---- a CPU changes vCPUs ---- */

void spec_init_vcpu(struct vcpu *v)
{
	static u64 last;

	v->spec_id = fetch_add(&last, 1) + 1;
}

static void barrier_between(struct cpu *c, u64 id, bool service_vm)
{
	if (c->spec_last == id || (service_vm && !(chosen & SPEC_IBPB_DOM0)))
		return;
	c->spec_last = id;
	/* Where exits of guests have one, domain 0 needs none after them. */
	if ((chosen & SPEC_IBPB) && !(service_vm && (chosen & SPEC_IBPB_EXIT)))
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
}

/*
 * Guests are shown no SPEC_CTRL and cannot write it: with bits that stay set
 * they run with root mode's value, and no exit has to look.
 */
static void load_ctrl(struct cpu *c, const struct vcpu *v, bool service_vm)
{
	c->spec_guest = service_vm ? v->msr.spec_ctrl : chosen & SPEC_IBRS_WRITE ? 0 : root_ctrl();
	if (!(c->spec_exit & SPEC_EXIT_CTRL) && c->spec_now != c->spec_guest)
		write_ctrl(c, c->spec_guest);
}

void spec_switch_in(struct cpu *c, struct vcpu *v)
{
	bool service_vm = domain_is_dom0(v->dom);

	c->spec_exit = kinds[service_vm].exit;
	c->spec_entry = kinds[service_vm].entry;
	c->spec_l1d = kinds[service_vm].l1d;
	barrier_between(c, v->spec_id, service_vm);
	if (chosen & SPEC_RSB_SWITCH)
		fill_return_stack();
	if (chosen & SPEC_DIVIDER)
		clear_divider();
	if ((chosen & SPEC_L1D_SWITCH) && !service_vm)
		wrmsr(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
	if (chosen & SPEC_CTRL_APART)
		load_ctrl(c, v, service_vm);
}

void spec_switch_out(struct cpu *c, struct vcpu *v)
{
	if (!(chosen & SPEC_CTRL_APART) || !domain_is_dom0(v->dom))
		return;
	if (!(c->spec_exit & SPEC_EXIT_CTRL))
		c->spec_guest = c->spec_now = rdmsr(MSR_SPEC_CTRL);
	v->msr.spec_ctrl = c->spec_guest;
}

/* ---- entries and exits ---- */

void spec_entry(struct cpu *c)
{
	if (c->spec_l1d)
		wrmsr(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
	if ((c->spec_exit & SPEC_EXIT_CTRL) && c->spec_now != c->spec_guest)
		write_ctrl(c, c->spec_guest);
	if (chosen & SPEC_VERW)
		clear_cpu_buffers();
}

/* Only domain 0 may have written it.  IBRS_WRITE: the write is the barrier. */
void spec_exit(void)
{
	struct cpu *c = this_cpu();

	if (c->spec_exit & SPEC_EXIT_IBPB)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
	if (!(c->spec_exit & SPEC_EXIT_CTRL))
		return;
	if (c->current && domain_is_dom0(c->current->dom))
		c->spec_guest = c->spec_now = rdmsr(MSR_SPEC_CTRL);
	if ((chosen & SPEC_IBRS_WRITE) || (c->spec_now & root_ctrl()) != root_ctrl())
		write_ctrl(c, root_ctrl());
}
