// SPDX-License-Identifier: GPL-2.0-only
/* The VMCS of a vCPU: making, resetting, showing it. */
#include "apic/irq.h"
#include "insn.h"
#include "lib/errno.h"
#include "lib/x86_regs.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "machine/tsc.h"
#include "memory/domain.h"
#include "vmx.h"

/* Two PAUSEs closer than the gap belong to one loop; it may last the window. */
#define PAUSE_GAP	128
#define PAUSE_WINDOW	4096

static void init_controls(struct vcpu *v, struct vmx_vcpu *x)
{
	x->proc = vmx.ctl.proc;
	x->proc2 = vmx.ctl.proc2;
	x->exc_bitmap = vcpu_exc_exits(v);
	if (domain_is_dom0(v->dom)) {
		x->proc |= PROC_IO_BITMAPS;
		x->proc2 &= ~PROC2_BUS_LOCK;
	} else {
		x->proc |= PROC_UNCOND_IO | PROC_RDPMC;
		x->proc2 = (x->proc2 | PROC2_WBINVD) & ~PROC2_USER_WAIT;
	}
	x->timer = vmx.ctl.timer && !domain_is_dom0(v->dom);
	x->pin = x->pin_base = vmx.ctl.pin;
	vmwrite(VMCS_PIN, x->pin);
	/* No exit saves what is left: each entry starts with all of it. */
	if (x->timer)
		vmwrite(VMCS_GUEST_TIMER, tsc_from_us(IRQ_MASKED_US) >> vmx.ctl.timer_shift);
	vmwrite(VMCS_PROC, x->proc);
	vmwrite(VMCS_PROC2, x->proc2);
	vmwrite(VMCS_EXIT_CTL, vmx.ctl.exit);
	vmwrite(VMCS_ENTRY_CTL, vmx.ctl.entry);
	vmwrite(VMCS_EXC_BITMAP, x->exc_bitmap);
	vmwrite(VMCS_PF_MASK, 0);
	vmwrite(VMCS_PF_MATCH, 0);
	vmwrite(VMCS_CR3_TARGETS, 0);
	vmwrite(VMCS_CR0_MASK, vmx_cr0_owned(&vmx));
	vmwrite(VMCS_CR4_MASK, vmx_cr4_owned(&vmx));
	vmwrite(VMCS_EXIT_MSR_STORES, 0);
	vmwrite(VMCS_EXIT_MSR_LOADS, 0);
	vmwrite(VMCS_ENTRY_MSR_LOADS, 0);
	vmwrite(VMCS_ENTRY_INTR, 0);
}

/* Controls that exist on some CPUs only, and addresses. */
static void init_pointers(struct vcpu *v)
{
	vmwrite(VMCS_IO_BITMAP(0), vmx_io_bitmap(0));
	vmwrite(VMCS_IO_BITMAP(1), vmx_io_bitmap(1));
	vmwrite(VMCS_MSR_BITMAP, vmx_msr_bitmap(v, false));
	vmwrite(VMCS_LINK_POINTER, ~0ull);
	if (vmx.ctl.tpr_shadow) {
		vmwrite(VMCS_VIRTUAL_APIC, virt_to_phys(v->apic.reg));
		vmwrite(VMCS_TPR_THRESHOLD, 0);
	}
	if (vmx.ctl.vpid)
		vmwrite(VMCS_VPID, v->index + 1);
	if (vmx.ctl.pause_loop) {
		vmwrite(VMCS_PLE_GAP, PAUSE_GAP);
		vmwrite(VMCS_PLE_WINDOW, PAUSE_WINDOW);
	}
	if (vmx.ctl.encls)
		vmwrite(VMCS_ENCLS_BITMAP, ~0ull);
	/* The CPU adds what its own longest instructions take. */
	if (vmx.ctl.proc2 & PROC2_NOTIFY)
		vmwrite(VMCS_NOTIFY_WINDOW, 0);
}

int vmx_vcpu_init(struct vcpu *v)
{
	struct vmx_vcpu *x = domain_page_alloc(v->dom);
	u32 *vmcs = x ? domain_page_alloc(v->dom) : NULL;
	hpa_t before;

	if (!vmcs) {
		if (x)
			domain_page_free(v->dom, x);
		return -ENOMEM;
	}
	*vmcs = vmx.revision;
	x->vmcs = virt_to_phys(vmcs);
	x->cpu_index = ~0u;
	v->arch = x;
	vmclear(x->vmcs);
	before = vmcs_open(v);
	init_pointers(v);
	vmx_apic_init(v);
	vmwrite(VMCS_GUEST_PAT, PAT_RESET);
	vmwrite(VMCS_GUEST_SYSENTER_CS, 0);
	vmwrite(VMCS_GUEST_SYSENTER_ESP, 0);
	vmwrite(VMCS_GUEST_SYSENTER_EIP, 0);
	vmwrite(VMCS_GUEST_RSP, x->rsp);
	vmwrite(VMCS_GUEST_RFLAGS, x->rflags);
	vmwrite(VMCS_HOST_RSP, x->host_rsp);
	vmcs_close(v, before);
	return 0;
}

void vmx_vcpu_fini(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;

	if (!x)
		return;
	v->arch = NULL;
	domain_page_free(v->dom, phys_to_virt(x->vmcs));
	domain_page_free(v->dom, x);
}

/* What INIT does that is not in struct kvm_sregs. */
static void reset_state(struct vmx_vcpu *x)
{
	vmwrite(VMCS_GUEST_DEBUGCTL, 0);
	vmwrite(VMCS_GUEST_PENDING_DB, 0);
	vmwrite(VMCS_GUEST_ACTIVITY, 0);
	vmwrite(VMCS_GUEST_INTR_STATE, 0);
	x->intr_state = x->intr_state_hw = 0;
}

void vmx_vcpu_reset(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;
	hpa_t before = vmcs_open(v);

	x->tpr_threshold = 0;
	x->pdptes_due = false;
	init_controls(v, x);
	vmx_apic_reset(v);
	reset_state(x);
	x->dr6 = x->dr7 = ~0ull;		/* none of them: write both */
	vmcs_close(v, before);
}

/* v->rules: what exits. */
static void sync_rules(struct vcpu *v, struct vmx_vcpu *x)
{
	x->exc_bitmap = vcpu_exc_exits(v);
	vmwrite(VMCS_EXC_BITMAP, x->exc_bitmap);
	x->proc = v->rules.flags & BP_RULE_HLT ? x->proc & ~PROC_HLT : x->proc | PROC_HLT;
	x->proc = v->rules.flags & BP_RULE_DEBUG || !v->dr_own ? x->proc | PROC_MOV_DR : x->proc & ~PROC_MOV_DR;
	vmwrite(VMCS_PROC, x->proc);
	if (vmx.ctl.pause_loop)
		x->proc2 = v->rules.flags & BP_RULE_PAUSE ? x->proc2 & ~PROC2_PAUSE_LOOP :
							    x->proc2 | PROC2_PAUSE_LOOP;
	if (v->rules.flags & (BP_RULE_NO_IRQ | BP_RULE_AUTO_EOI) && v->apic.post)
		vmx_apic_no_delivery(v);
	vmx_apic_mode(v, x->apic_mode);
}

/*
 * While the vCPU is loaded its DR6 and DR7 change without us: only what the
 * core has changed goes in.  High bits are refused by an entry: they go.
 */
void vmx_sync_controls(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;
	hpa_t before = vmcs_open(v);

	if (x->dr7 != v->dr7) {
		x->dr7 = v->dr7 = (u32)v->dr7;
		vmwrite(VMCS_GUEST_DR7, v->dr7);
	}
	if (x->dr6 != v->dr6) {
		x->dr6 = v->dr6 = (u32)v->dr6;
		if (x->loaded)
			vmx_load_dr6(v);
	}
	vmwrite(VMCS_TSC_OFFSET, v->tsc_offset);
	sync_rules(v, x);
	vmcs_close(v, before);
}

static void dump_segments(void)
{
	static const char *const names[NR_SEGS] = {
		"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR",
	};
	u32 i;

	for (i = 0; i < NR_SEGS; i++)
		log_err("  %-4s %04llx base %016llx limit %08llx rights %05llx", names[i],
			vmread(VMCS_SEG_SELECTOR(i)), vmread(VMCS_SEG_BASE(i)),
			vmread(VMCS_SEG_LIMIT(i)), vmread(VMCS_SEG_AR(i)));
	log_err("  GDTR base %016llx limit %04llx, IDTR base %016llx limit %04llx",
		vmread(VMCS_GUEST_GDTR_BASE), vmread(VMCS_GUEST_GDTR_LIMIT),
		vmread(VMCS_GUEST_IDTR_BASE), vmread(VMCS_GUEST_IDTR_LIMIT));
}

static void dump_state(const struct vcpu *v)
{
	log_err("  CR0 %llx (shadow %llx) CR2 %llx CR3 %llx CR4 %llx (shadow %llx) EFER %llx",
		vmread(VMCS_GUEST_CR0), vmread(VMCS_CR0_SHADOW), v->regs.cr2,
		vmread(VMCS_GUEST_CR3), vmread(VMCS_GUEST_CR4), vmread(VMCS_CR4_SHADOW),
		vmread(VMCS_GUEST_EFER));
	log_err("  RIP %llx RSP %llx RFLAGS %llx DR7 %llx PAT %llx DEBUGCTL %llx",
		vmread(VMCS_GUEST_RIP), vmread(VMCS_GUEST_RSP), vmread(VMCS_GUEST_RFLAGS),
		vmread(VMCS_GUEST_DR7), vmread(VMCS_GUEST_PAT), vmread(VMCS_GUEST_DEBUGCTL));
	log_err("  PDPTEs %llx %llx %llx %llx", vmread(VMCS_GUEST_PDPTE(0)),
		vmread(VMCS_GUEST_PDPTE(1)), vmread(VMCS_GUEST_PDPTE(2)),
		vmread(VMCS_GUEST_PDPTE(3)));
}

void vmx_dump(struct vcpu *v)
{
	const struct vmx_vcpu *x = v->arch;
	hpa_t before = vmcs_open(v);

	log_err("VMCS %llx: exit %llx qualification %llx, event %llx, cut short %llx",
		x->vmcs, vmread(VMCS_EXIT_REASON), vmread(VMCS_QUALIFICATION),
		vmread(VMCS_EXIT_INTR), vmread(VMCS_IDT_INTR));
	log_err("  controls pin %llx proc %llx %llx exit %llx entry %llx exceptions %llx",
		vmread(VMCS_PIN), vmread(VMCS_PROC), vmread(VMCS_PROC2),
		vmread(VMCS_EXIT_CTL), vmread(VMCS_ENTRY_CTL), vmread(VMCS_EXC_BITMAP));
	log_err("  APIC mode %u, in service and pending %llx, posted %llx %llx %llx %llx",
		x->apic_mode, x->apic & PROC2_DELIVERY ? vmread(VMCS_GUEST_INTR_STATUS) : 0,
		x->post.vectors[3], x->post.vectors[2], x->post.vectors[1], x->post.vectors[0]);
	log_err("  EPTP %llx TSC offset %llx injected %llx blocking %llx activity %llx pending #DB %llx",
		vmread(VMCS_EPTP), vmread(VMCS_TSC_OFFSET), vmread(VMCS_ENTRY_INTR),
		vmread(VMCS_GUEST_INTR_STATE), vmread(VMCS_GUEST_ACTIVITY),
		vmread(VMCS_GUEST_PENDING_DB));
	dump_segments();
	dump_state(v);
	vmcs_close(v, before);
}
