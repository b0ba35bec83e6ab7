/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between hv/core and a CPU back end: one const table, chosen once
 * at boot.  hv/core never asks which vendor it is.  Unless an entry says
 * otherwise it is called on the CPU where the vCPU is RUNNING, or that has
 * CLAIMED it; root mode, interrupts off.
 */
#ifndef HV_CORE_OPS_H
#define HV_CORE_OPS_H

#include "vcpu.h"

struct npt_format;		/* hv/ept/npt.h: PTE format of the second level */
struct hv_options;		/* machine/cmdline.h */
struct spec_enum;		/* speculation.h */
struct microcode_kind;		/* hv/core/machine/microcode.h */

struct hv_ops {
	const char *name;		/* "SVM", "VMX" */
	const struct npt_format *npt;
	const struct microcode_kind *microcode;	/* before probe() */
	bool nested;			/* knows v->nested */

	/* The SPEC_ mitigations of flaws that are this vendor's alone.  Pure; before probe(). */
	u32 (*flaws)(const struct spec_enum *e, const struct hv_options *o);

	/*
	 * Can this machine run us?  BSP, before anything else that is called.
	 * NULL = yes, else one line that names what is missing.
	 */
	const char *(*probe)(void);

	/* Turn virtualisation on, on the calling CPU, for good. -errno on failure. */
	int (*cpu_init)(struct cpu *c);

	/*
	 * Give a new vCPU its control structures; vcpu_reset follows.  Memory
	 * comes from domain_page_alloc(v->dom); -ENOMEM.  vcpu_fini gives it
	 * back.  v->apic.reg is there; sets v->apic.post if the CPU is to
	 * deliver this vCPU's interrupts.
	 */
	int (*vcpu_init)(struct vcpu *v);
	void (*vcpu_fini)(struct vcpu *v);
	/*
	 * INIT (SDM vol. 3, 10.1; APM vol. 2, 14.1.5): controls as at the
	 * start, no window, no TPR threshold, no blocking, DEBUGCTL 0.  set_sregs and
	 * sync_controls with the rest of the state follow.
	 */
	void (*vcpu_reset)(struct vcpu *v);

	/*
	 * Make the vCPU the one whose hidden state (FS, GS, TR, LDTR,
	 * SYSCALL and SYSENTER MSRs, KernelGSBase) this CPU carries; put
	 * saves it.  hv/core moves FPU state, XCR0 and debug registers itself.
	 */
	void (*load)(struct vcpu *v);
	void (*put)(struct vcpu *v);

	/*
	 * One entry and exit.  Injects v->inject if its type is not NONE,
	 * and clears it; an event whose delivery the exit cut short comes
	 * back in v->inject.  TPR: loads v->apic's TPR into the hardware and
	 * stores it back; with v->apic.post, the CPU delivers interrupts.
	 * Fills v->exit.  Returns with interrupts off and whatever physical
	 * event caused the exit still pending, or in v->exit.taken.
	 */
	void (*run)(struct vcpu *v);

	/*
	 * Can an external interrupt (NMI) be injected at this moment: IF, STI
	 * and MOV SS shadow, NMI blocking, nothing in v->inject.
	 */
	bool (*can_inject)(struct vcpu *v, u8 event_type);
	/* Ask for (drop) an exit as soon as can_inject() holds. */
	void (*window)(struct vcpu *v, u8 event_type, bool on);

	/*
	 * An interrupt of priority class `cls` (1..15) waits for the guest's TPR to fall
	 * below it: exit when that happens (VM_EXIT_CR8_WRITE or NONE).  0 = none.
	 */
	void (*tpr_threshold)(struct vcpu *v, u8 cls);

	void (*get_paging)(struct vcpu *v, struct vcpu_paging *p);
	void (*get_sregs)(struct vcpu *v, struct kvm_sregs *s);
	/* All but apic_base, cr8 and interrupt_bitmap. -EINVAL: unchanged. */
	int (*set_sregs)(struct vcpu *v, const struct kvm_sregs *s);

	/*
	 * PAE's top entries, for CPUs that keep them; the state pages with them
	 * (uses_pae_root()).  What is malformed translates nothing.
	 */
	void (*set_pdptes)(struct vcpu *v, const u64 pdpte[4]);

	/*
	 * MSRs that the control structure or the load/put set holds: STAR,
	 * LSTAR, CSTAR, SFMASK, KERNEL_GS_BASE, FS/GS base, SYSENTER_*, PAT,
	 * EFER, DEBUGCTL and the like.  -ENOENT: not one of them; -EINVAL:
	 * a value that raises #GP.
	 */
	int (*get_msr)(struct vcpu *v, u32 msr, u64 *val);
	int (*set_msr)(struct vcpu *v, u32 msr, u64 val);

	/* Interrupt shadow and NMI blocking, as struct kvm_vcpu_events has them. */
	void (*get_block)(struct vcpu *v, u8 *shadow, u8 *nmi_masked);
	void (*set_block)(struct vcpu *v, u8 shadow, u8 nmi_masked);

	/* v->dr7, v->dr6, v->dr_own, v->tsc_offset, v->rules, v->nested changed: bring them into the controls. */
	void (*sync_controls)(struct vcpu *v);
	/* Drop every cached translation of this vCPU before its next entry. */
	void (*flush)(struct vcpu *v);

	/*
	 * Before reboot or panic hand-over: make the CPU fit for INIT and
	 * firmware (SVM off, GIF on; VMX off).  Any CPU, any state.
	 */
	void (*emergency_off)(void);
	/* Print control-structure details of the current vCPU to the log. */
	void (*dump)(struct vcpu *v);
};

/* The functions of the table, all of them. */
#define OPS_CALLS(X) \
	X(flaws) X(probe) X(cpu_init) X(vcpu_init) X(vcpu_fini) X(vcpu_reset) X(load) X(put) X(run) \
	X(can_inject) X(window) X(tpr_threshold) X(get_paging) X(get_sregs) X(set_sregs) X(set_pdptes) \
	X(get_msr) X(set_msr) X(get_block) X(set_block) X(sync_controls) X(flush) \
	X(emergency_off) X(dump)

#ifdef BP_HOST_TEST
extern const struct hv_ops *ops;
#else
/*
 * ops->run(v) is a direct call, of a stub that ops_set() makes a jump to the
 * back end's function: root mode has few indirect branches, for each costs a
 * retpoline (docs/speculation.md).  These are the stubs; the data are not here.
 */
#define OPS_DECLARE(call)	extern __typeof__(*((struct hv_ops *)0)->call) ops_##call;
#define OPS_STUB(call)		.call = ops_##call,
OPS_CALLS(OPS_DECLARE)
static const struct hv_ops ops_stubs __unused = { OPS_CALLS(OPS_STUB) };
#define ops (&ops_stubs)
#endif

/* Boot, once, on the only CPU that runs our code: use this table, make the stubs. */
void ops_set(const struct hv_ops *table);
/* The table that ops_set() got: for its data. */
#ifdef BP_HOST_TEST
static inline const struct hv_ops *ops_chosen(void) { return ops; }
#else
const struct hv_ops *ops_chosen(void);
#endif

#endif
