/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of the SVM back end only.  Calling rules are those of
 * hv/core/vcpu/ops.h unless said otherwise.
 */
#ifndef HV_SVM_SVM_H
#define HV_SVM_SVM_H

#include "machine/limits.h"
#include "vcpu/vcpu.h"
#include "vmcb.h"

/* What the CPUs offer; filled by svm_probe() on the BSP, constant later. */
struct svm_caps {
	u32 asids;			/* ASIDs 0 .. asids - 1 exist; 0 is the host's */
	u32 clean_all;			/* SVM_CLEAN_ALL, or 0 without clean bits */
	bool nrip;			/* VMCB tells the next RIP */
	bool flush_by_asid;
	bool pause_filter;
	bool pause_threshold;
	bool bus_lock;			/* guests exit before bus locks */
	bool hides_cr4;			/* limits_hide_cr4() */
	bool fp_pointers_stay;		/* XRSTOR leaves x87's last instruction in the CPU */
	bool tcg;			/* QEMU's TCG: see inject.c, run.c, docs/testbed.md */
	struct cpu_limits limits;
};

extern struct svm_caps svm;

/* Stepping over one instruction of a guest, for NMIs (step.c). */
enum svm_step {
	STEP_NONE,
	STEP_WANTED,			/* arm it at the next entry */
	STEP_ARMED,			/* the guest runs with our TF */
};

/* v->arch: one page of the domain. */
struct svm_vcpu {
	struct vmcb *vmcb;
	hpa_t vmcb_pa;
	u64 asid_gen;			/* of the CPU that gave the ASID; 0: need one */
	u32 cpu_index;			/* CPU on which it last ran; ~0: none */

	u8 masked;			/* irq_masked_enough() */

	bool svme;			/* EFER.SVME of the guest's own; the CPU's is always on */
	bool int_injected;		/* at the last entry: EVENT_INT */
	u32 l1[6];			/* intercepts of L1's: v->nested's, in L2 */

	bool cr8_wait;			/* an interrupt waits for a lower TPR */
	bool irq_window;		/* VINTR intercept and dummy V_IRQ are on */
	bool nmi_window;		/* report when an NMI can be injected */
	bool nmi_masked;		/* from an NMI's injection to the end of its IRET */

	u8 step;			/* enum svm_step */
	bool step_tf;			/* RFLAGS.TF of the guest's own */
	bool step_iret;			/* the instruction is the NMI handler's IRET */
	u64 step_rip;			/* where the step began */
	u64 step_dr6;
	u32 step_exc;			/* exception intercepts to restore */
};

static_assert(sizeof(struct svm_vcpu) <= PAGE_SIZE, "v->arch is one page");

/*
 * The world switch (entry.S).  Interrupts off, GIF set, on entry and return.
 * Moves the guest's registers but RAX, RSP, RIP, RFLAGS, which are in the
 * VMCB; leaves the guest's FS, GS, TR, LDTR and SYSCALL MSRs in the VMCB and
 * root mode's in the CPU.
 */
void svm_enter(struct vcpu_regs *regs, hpa_t vmcb, hpa_t host_vmcb);

/* flaws.c: ops->flaws(); and each CPU, once: the settings that stay. */
struct hv_options;
struct spec_enum;
u32 svm_flaws(const struct spec_enum *e, const struct hv_options *o);
void svm_mend_flaws(void);

/* run.c */
void svm_load(struct vcpu *v);
void svm_put(struct vcpu *v);
void svm_run(struct vcpu *v);
void svm_flush(struct vcpu *v);

/* Fields of the VMCB that these SVM_CLEAN_ bits cover were changed. */
static inline void svm_dirty(struct vmcb *b, u32 clean_bits)
{
	b->c.clean &= ~clean_bits;
}

/* Set an SVM_I1_ bit, or clear it where L1 has not set it. */
static inline void svm_intercept1(struct svm_vcpu *sv, u32 bit, bool on)
{
	struct vmcb *b = sv->vmcb;
	u32 want = on ? b->c.intercept1 | bit : b->c.intercept1 & ~(bit & ~sv->l1[3]);

	if (b->c.intercept1 == want)
		return;
	b->c.intercept1 = want;
	svm_dirty(b, SVM_CLEAN_I);
}

/* vcpu.c */
int svm_vcpu_init(struct vcpu *v);
void svm_vcpu_fini(struct vcpu *v);
void svm_vcpu_reset(struct vcpu *v);
void svm_sync_controls(struct vcpu *v);
void svm_dump(struct vcpu *v);

/* exit.c: fill v->exit from the VMCB. */
void svm_decode_exit(struct vcpu *v);

/* inject.c */
bool svm_can_inject(struct vcpu *v, u8 event_type);
void svm_window(struct vcpu *v, u8 event_type, bool on);
void svm_tpr_threshold(struct vcpu *v, u8 class);
void svm_get_block(struct vcpu *v, u8 *shadow, u8 *nmi_masked);
void svm_set_block(struct vcpu *v, u8 shadow, u8 nmi_masked);
/* v->inject, which is not NONE, goes into EVENTINJ. */
void svm_inject(struct vcpu *v);
/* EXITINTINFO, which is valid, goes back into v->inject. */
void svm_cut_short(struct vcpu *v);
/* The IRET intercept fired, the interrupt window opened: what is the exit? */
enum vm_exit_reason svm_iret_exit(struct vcpu *v);
enum vm_exit_reason svm_vintr_exit(struct vcpu *v);

/* step.c: before an entry with step WANTED; after an exit with step ARMED. */
void svm_step_begin(struct vcpu *v);
void svm_step_end(struct vcpu *v);

/* perm.c: permission maps */
void svm_perm_init(void);
hpa_t svm_iopm(const struct vcpu *v);
hpa_t svm_msrpm(const struct vcpu *v);

/* sregs.c */
void svm_get_paging(struct vcpu *v, struct vcpu_paging *p);
void svm_get_sregs(struct vcpu *v, struct kvm_sregs *s);
int svm_set_sregs(struct vcpu *v, const struct kvm_sregs *s);
void svm_set_pdptes(struct vcpu *v, const u64 pdpte[4]);
/* EFER as the guest has it, and what it may hold: with SVM more than svm.limits. */
u64 svm_efer(const struct vcpu *v);
struct cpu_limits svm_limits(const struct vcpu *v);
/* Segment formats.  Pure. */
void svm_seg_pack(struct vmcb_seg *to, const struct kvm_segment *from);
void svm_seg_unpack(struct kvm_segment *to, const struct vmcb_seg *from);

/* msr.c */
int svm_get_msr(struct vcpu *v, u32 msr, u64 *val);
int svm_set_msr(struct vcpu *v, u32 msr, u64 val);

/*
 * check.c: what makes VMRUN refuse this VMCB (APM 15.5.1); NULL: nothing that
 * is known.  Pure.
 */
const char *svm_vmcb_fault(const struct svm_caps *caps, const struct vmcb *b);

/* The back end; for boot/start.c. */
extern const struct hv_ops svm_ops;

#endif
