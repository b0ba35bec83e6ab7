// SPDX-License-Identifier: GPL-2.0-only
/*
 * One entry into a vCPU, and what is needed around it: the current VMCS, the
 * TLB, host state, the MSRs that neither side of the switch moves.
 *
 * A VMCS may be in the hands of one CPU only, and its state may be in that
 * CPU (SDM vol. 3, 25.11.1).  A guest's is cleared by put, so that any CPU may
 * take it next; domain 0's vCPUs never move, and theirs stay active.
 *
 * VPID: the number of the vCPU in its domain, plus 1.  With EPT all cached
 * translations are tagged with the EPT pointer too (29.4.1), so domains do
 * not meet; and INVEPT drops those of all VPIDs, so it is the only flush.
 */
#include "apic/irq.h"
#include "insn.h"
#include "lib/x86.h"
#include "machine/cpu.h"
#include "memory/domain.h"
#include "vcpu/speculation.h"
#include "vmx.h"

static_assert(ARRAY_SIZE(((struct cpu *)0)->vmx.sys) == NR_SYS, "one for each");

/* ---- the current VMCS ---- */

hpa_t vmcs_open(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;
	struct cpu *c = this_cpu();
	hpa_t before = c->vmx.current_vmcs;

	if (before != x->vmcs) {
		vmptrld(x->vmcs);
		c->vmx.current_vmcs = x->vmcs;
	}
	return before;
}

void vmcs_close(struct vcpu *v, hpa_t before)
{
	struct vmx_vcpu *x = v->arch;
	struct cpu *c = this_cpu();

	if (before == x->vmcs)
		return;
	vmclear(x->vmcs);
	x->launched = false;
	if (before)
		vmptrld(before);
	c->vmx.current_vmcs = before;
}

/* ---- load and put ---- */

/* Base of this CPU's TSS, from its descriptor (SDM vol. 3, 8.2.3). */
static u64 tss_base(const struct desc_ptr *gdt)
{
	const u64 *d = (const u64 *)(uintptr_t)(gdt->base + SEL_TSS);

	return (d[0] >> 16 & 0xffffff) | (d[0] >> 56) << 24 | d[1] << 32;
}

/* What an exit loads into this CPU. */
static void write_host_state(void)
{
	struct desc_ptr gdt, idt;

	sgdt(&gdt);
	sidt(&idt);
	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, read_cr3());
	vmwrite(VMCS_HOST_CR4, read_cr4());
	vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
	vmwrite(VMCS_HOST_PAT, rdmsr(MSR_PAT));
	vmwrite(VMCS_HOST_ES, SEL_DATA);
	vmwrite(VMCS_HOST_CS, SEL_CODE64);
	vmwrite(VMCS_HOST_SS, SEL_DATA);
	vmwrite(VMCS_HOST_DS, SEL_DATA);
	vmwrite(VMCS_HOST_FS, 0);
	vmwrite(VMCS_HOST_GS, 0);
	vmwrite(VMCS_HOST_TR, SEL_TSS);
	vmwrite(VMCS_HOST_FS_BASE, rdmsr(MSR_FS_BASE));
	vmwrite(VMCS_HOST_GS_BASE, rdmsr(MSR_GS_BASE));
	vmwrite(VMCS_HOST_TR_BASE, tss_base(&gdt));
	vmwrite(VMCS_HOST_GDTR_BASE, gdt.base);
	vmwrite(VMCS_HOST_IDTR_BASE, idt.base);
	vmwrite(VMCS_HOST_SYSENTER_CS, 0);
	vmwrite(VMCS_HOST_SYSENTER_ESP, 0);
	vmwrite(VMCS_HOST_SYSENTER_EIP, 0);
	vmwrite(VMCS_HOST_RIP, (u64)vmx_exit);
}

void vmx_load_sys(const struct vmx_vcpu *x)
{
	struct cpu *c = this_cpu();
	u32 i;

	for (i = 0; i < NR_SYS; i++) {
		if (c->vmx.sys[i] == x->sys[i])
			continue;
		c->vmx.sys[i] = x->sys[i];
		wrmsr(vmx_sys_msr[i], x->sys[i]);
	}
}

void vmx_load_dr6(const struct vcpu *v)
{
	write_dr6((u32)v->dr6);
}

static u64 make_eptp(const struct vcpu *v)
{
	return vcpu_npt(v) | EPTP_WB | EPTP_WALK_4 | (vmx.ctl.ept_ad ? EPTP_AD : 0);
}

void vmx_load(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;
	struct cpu *c = this_cpu();
	u64 eptp = make_eptp(v);

	vmcs_open(v);
	if (x->cpu_index != c->index) {
		x->cpu_index = c->index;
		write_host_state();
	}
	if (x->eptp != eptp) {
		x->eptp = eptp;
		vmwrite(VMCS_EPTP, eptp);
		x->flush = true;
	}
	vmx_load_sys(x);
	wrmsr(MSR_KERNEL_GS_BASE, x->kernel_gs_base);
	if (c->vmx.dr6 != (u32)v->dr6)
		vmx_load_dr6(v);
	if (unlikely(x->pdptes_due))
		vmx_load_pdptes(v);
	x->loaded = true;
}

void vmx_put(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;

	x->kernel_gs_base = rdmsr(MSR_KERNEL_GS_BASE);
	v->dr6 = x->dr6 = this_cpu()->vmx.dr6 = read_dr6();
	v->dr7 = x->dr7 = vmread(VMCS_GUEST_DR7);
	x->loaded = false;
	if (!domain_is_dom0(v->dom))
		vmcs_close(v, 0);
}

/* ---- entry ---- */

void vmx_flush(struct vcpu *v)
{
	((struct vmx_vcpu *)v->arch)->flush = true;
}

/* The threshold may not exceed the TPR: below it, there is no need to wait. */
static void load_tpr_threshold(struct vcpu *v, struct vmx_vcpu *x)
{
	u8 threshold = min(x->tpr_threshold, vlapic_get_cr8(v));

	if (x->tpr_threshold_hw != threshold) {
		x->tpr_threshold_hw = threshold;
		vmwrite(VMCS_TPR_THRESHOLD, threshold);
	}
}

/*
 * An entry checks a shadow against RFLAGS (SDM vol. 3, 27.3.1.5): that of STI
 * needs IF, and with either of them a single step must be pending if TF is set.
 */
static void settle_shadow(struct vcpu *v, struct vmx_vcpu *x)
{
	u64 pending = vmread(VMCS_GUEST_PENDING_DB) & ~(u64)PENDING_DB_BS;

	if (!(v->regs.rflags & X86_EFLAGS_IF))
		x->intr_state &= ~INTR_STATE_STI;
	if ((v->regs.rflags & X86_EFLAGS_TF) && !vmread(VMCS_GUEST_DEBUGCTL))
		pending |= PENDING_DB_BS;
	vmwrite(VMCS_GUEST_PENDING_DB, pending);
}

static void write_pin(struct vmx_vcpu *x, u32 pin)
{
	if (x->pin == pin)
		return;
	x->pin = pin;
	vmwrite(VMCS_PIN, pin);
}

/* Those of the world switch that are in the VMCS; RIP is as a rule another one. */
static void write_regs(struct vcpu *v, struct vmx_vcpu *x)
{
	vmwrite(VMCS_GUEST_RIP, v->regs.rip);
	if (unlikely(x->rsp != v->regs.gpr[RSP])) {
		x->rsp = v->regs.gpr[RSP];
		vmwrite(VMCS_GUEST_RSP, x->rsp);
	}
	if (unlikely(x->rflags != v->regs.rflags)) {
		x->rflags = v->regs.rflags;
		vmwrite(VMCS_GUEST_RFLAGS, x->rflags);
	}
}

static void before_entry(struct vcpu *v, struct vmx_vcpu *x)
{
	if (unlikely(x->flush)) {
		x->flush = false;
		invept(vmx.ctl.invept_one ? INVEPT_ONE : INVEPT_ALL,
		       vmx.ctl.invept_one ? x->eptp : 0);
	}
	if (unlikely(v->inject.type != EVENT_NONE))
		vmx_inject(v);
	if (unlikely(x->intr_state & INTR_STATE_SHADOW))
		settle_shadow(v, x);
	if (x->intr_state != x->intr_state_hw) {
		x->intr_state_hw = x->intr_state;
		vmwrite(VMCS_GUEST_INTR_STATE, x->intr_state);
	}
	if (x->timer)
		write_pin(x, x->pin_base | (v->regs.rflags & X86_EFLAGS_IF ? 0 : PIN_TIMER));
	if (likely(vmx.ctl.tpr_shadow))
		load_tpr_threshold(v, x);
	if (unlikely(v->apic.mode != x->apic_mode))
		vmx_apic_mode(v, v->apic.mode);
	if (v->apic.post && !v->apic.post->off && vlapic_post_news(v->apic.post))
		vmx_apic_delivery(v);
	write_regs(v, x);
	if (read_cr2() != v->regs.cr2)
		write_cr2(v->regs.cr2);
}

void vmx_run(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;
	u32 reason, cut_short;

	if (unlikely(x->pdptes_due)) {
		vmx_need_pdptes(v);
		return;
	}
	/* Domain 0 does not leave IF clear for long. */
	if (unlikely(x->timer && irq_masked_enough(&x->masked, v->regs.rflags))) {
		v->exit.reason = VM_EXIT_INTR;
		v->exit.taken = 0;
		return;
	}
	before_entry(v, x);
	if (unlikely(this_cpu()->spec_entry))
		spec_entry(this_cpu());
	if (unlikely(!vmx_enter(&v->regs, x->launched, &x->host_rsp))) {
		vmx_decode_failure(v);
		return;
	}
	reason = vmread(VMCS_EXIT_REASON);
	v->regs.gpr[RSP] = x->rsp = vmread(VMCS_GUEST_RSP);
	v->regs.rip = vmread(VMCS_GUEST_RIP);
	v->regs.rflags = x->rflags = vmread(VMCS_GUEST_RFLAGS);
	v->regs.cr2 = read_cr2();
	x->intr_state = x->intr_state_hw = vmread(VMCS_GUEST_INTR_STATE);
	/* HLT ends here, where it does not exit, as on AMD's: its wait is a hint. */
	if (unlikely(v->rules.flags & BP_RULE_HLT))
		vmwrite(VMCS_GUEST_ACTIVITY, 0);
	/* An entry that failed leaves IDT-vectoring information as it was (27.8). */
	if (likely(!(reason & EXIT_ENTRY_FAILED))) {
		x->launched = true;
		cut_short = vmread(VMCS_IDT_INTR);
		if (unlikely(cut_short & INTR_VALID))
			vmx_cut_short(v, cut_short);
	}
	vmx_decode_exit(v, reason);
}
