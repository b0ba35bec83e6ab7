/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of the VMX back end only.  Calling rules are those of
 * hv/core/vcpu/ops.h unless said otherwise.
 */
#ifndef HV_VMX_VMX_H
#define HV_VMX_VMX_H

#include "caps.h"
#include "lib/segment.h"
#include "lib/x86_regs.h"
#include "machine/limits.h"
#include "vcpu/vcpu.h"
#include "vmcs.h"

/* What the CPUs offer; filled by vmx_probe() on the BSP, constant later. */
struct vmx_caps {
	struct vmx_controls ctl;
	u32 revision;			/* first word of every VMCS */
	struct cpu_limits limits;
	u64 cr0_on, cr0_off;		/* what CR0 must and must not have in a guest */
	u64 cr4_on;
};

extern struct vmx_caps vmx;

/*
 * Bits of CR0 and CR4 whose value in hardware is ours: the guest sees its own
 * in the read shadow, and its change exits.  CD and NW stay clear: an exit
 * does not load them.  MCE stays set: a machine check is Bedplate's.
 */
static inline u64 vmx_cr0_owned(const struct vmx_caps *c)
{
	return X86_CR0_CD | X86_CR0_NW | c->cr0_on | c->cr0_off;
}

static inline u64 vmx_cr4_owned(const struct vmx_caps *c)
{
	return X86_CR4_MCE | c->cr4_on | ~c->limits.cr4_valid;
}

/* MSRs that a world switch leaves alone: the CPU has its current vCPU's. */
enum { SYS_STAR, SYS_LSTAR, SYS_CSTAR, SYS_SFMASK, NR_SYS };

/* v->arch: one page of the domain. */
struct vmx_vcpu {
	/* The posted-interrupt descriptor is its head (Bochs wants it at a page's start). */
	struct vlapic_post post;
	hpa_t vmcs;
	u32 cpu_index;			/* whose host state the VMCS has; ~0: none */
	bool launched;			/* VMRESUME, not VMLAUNCH */
	bool loaded;			/* between load and put */
	bool flush;			/* INVEPT before the next entry */
	bool pdptes_due;		/* PDPTEs of the VMCS are to be loaded: sregs.c */

	/* Fields of the VMCS that are kept at hand. */
	bool timer;			/* the preemption timer is used */
	u8 masked;			/* irq_masked_enough() */
	u32 pin, pin_base;		/* base: without the preemption timer */
	u32 proc;
	u32 proc2;			/* without PROC2_APICV */
	u32 apic;			/* of PROC2_APICV, what this vCPU may have */
	enum vlapic_mode apic_mode;	/* what the controls are set for */
	u32 exc_bitmap;
	u32 intr_state;			/* of the guest; intr_state_hw: in the VMCS */
	u32 intr_state_hw;
	u8 tpr_threshold, tpr_threshold_hw;
	u64 eptp;
	u64 rsp, rflags, host_rsp;	/* as the VMCS has them */

	u64 sys[NR_SYS];
	u64 kernel_gs_base;		/* while not loaded */
	u64 dr6, dr7;			/* what the core was last told, or told us */
};

static_assert(sizeof(struct vmx_vcpu) <= PAGE_SIZE, "v->arch is one page");

/*
 * The world switch (entry.S).  Interrupts off.  Moves the guest's general
 * registers but RSP.  *host_rsp: what the VMCS has.  False: no entry took place,
 * VMCS_INSN_ERROR says why.
 */
bool vmx_enter(struct vcpu_regs *regs, bool launched, u64 *host_rsp);
extern const char vmx_exit[];		/* where exits arrive: HOST_RIP */

/* run.c */
void vmx_load(struct vcpu *v);
void vmx_put(struct vcpu *v);
void vmx_run(struct vcpu *v);
void vmx_flush(struct vcpu *v);
/*
 * A vCPU that is not loaded: make its VMCS current for a while.  Result for
 * vmcs_close(), which leaves it clear and brings back what was there.
 */
hpa_t vmcs_open(struct vcpu *v);
void vmcs_close(struct vcpu *v, hpa_t before);
/* x->sys into this CPU's MSRs, where they differ. */
void vmx_load_sys(const struct vmx_vcpu *x);
/* v->dr6 into the CPU. */
void vmx_load_dr6(const struct vcpu *v);

/* vcpu.c */
int vmx_vcpu_init(struct vcpu *v);
void vmx_vcpu_fini(struct vcpu *v);
void vmx_vcpu_reset(struct vcpu *v);
void vmx_sync_controls(struct vcpu *v);
void vmx_dump(struct vcpu *v);

/* apic.c; the VMCS is current.  mode, delivery: before an entry, after changes. */
void vmx_apic_init(struct vcpu *v);
void vmx_apic_reset(struct vcpu *v);
void vmx_apic_mode(struct vcpu *v, enum vlapic_mode mode);
void vmx_apic_delivery(struct vcpu *v);
void vmx_apic_no_delivery(struct vcpu *v);	/* vmx_apic_mode() is to follow */

/* exit.c: fill v->exit from the VMCS; the second one: nothing was entered. */
void vmx_decode_exit(struct vcpu *v, u32 reason);
void vmx_decode_failure(struct vcpu *v);

/* vmx.c: an intercepted #DB does what its delivery would: to DR6, and to DR7.GD. */
void vmx_take_debug(u64 qualification);

/* inject.c */
bool vmx_can_inject(struct vcpu *v, u8 event_type);
void vmx_window(struct vcpu *v, u8 event_type, bool on);
void vmx_tpr_threshold(struct vcpu *v, u8 class);
void vmx_get_block(struct vcpu *v, u8 *shadow, u8 *nmi_masked);
void vmx_set_block(struct vcpu *v, u8 shadow, u8 nmi_masked);
/* v->inject, which is not NONE, goes into the VMCS. */
void vmx_inject(struct vcpu *v);
/* IDT-vectoring information, which is valid, goes back into v->inject. */
void vmx_cut_short(struct vcpu *v, u32 info);

/*
 * perm.c: MSR bitmaps; x2apic: the CPU virtualises the x2APIC's MSRs. I/O bitmaps of domain 0:
 * half 0 or 1.
 */
void vmx_perm_init(void);
hpa_t vmx_io_bitmap(u32 half);
hpa_t vmx_msr_bitmap(const struct vcpu *v, bool x2apic);

/* sregs.c */
void vmx_get_paging(struct vcpu *v, struct vcpu_paging *p);
/*
 * x->pdptes_due, and the vCPU is being loaded: try again.  It may not be
 * entered before that comes off: the exit that asks for the page instead.
 */
void vmx_load_pdptes(struct vcpu *v);
void vmx_need_pdptes(struct vcpu *v);
void vmx_get_sregs(struct vcpu *v, struct kvm_sregs *s);
int vmx_set_sregs(struct vcpu *v, const struct kvm_sregs *s);
void vmx_set_pdptes(struct vcpu *v, const u64 pdpte[4]);
/* Segment formats.  Pure. */
u32 vmx_seg_ar(const struct kvm_segment *s);
void vmx_seg_unpack(struct kvm_segment *to, u32 ar);
/* CR0 and CR4 into hardware and read shadow.  The VMCS is current. */
void vmx_write_cr0(u64 cr0);
void vmx_write_cr4(u64 cr4);
/* EFER, and the entry control that goes with LMA.  The VMCS is current. */
void vmx_write_efer(u64 efer);

/* msr.c */
int vmx_get_msr(struct vcpu *v, u32 msr, u64 *val);
int vmx_set_msr(struct vcpu *v, u32 msr, u64 val);
extern const u32 vmx_sys_msr[NR_SYS];

/*
 * check.c: what makes an entry refuse the guest state of the current VMCS
 * (SDM vol. 3, 27.3.1); NULL: nothing that is known.
 */
const char *vmx_guest_fault(const struct vmx_caps *caps);
/* A VM-instruction error (31.4) in words. */
const char *vmx_insn_error(u32 number);

/* The back end; for boot/start.c. */
extern const struct hv_ops vmx_ops;

#endif
