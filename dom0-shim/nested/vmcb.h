/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest that is a hypervisor (L1) says in its VMCBs of its own guest (L2): the checks of
 * VMRUN, and state in KVM's structures from and to a VMCB (APM vol. 2, 15.5, 15.6, app. B).
 * Pure; also runs on the host.  A VMCB is a copy, for L1 may write to its own meanwhile.
 */
#ifndef BEDPLATE_NESTED_VMCB_H
#define BEDPLATE_NESTED_VMCB_H

#include "../os.h"
#include "../../compat/kvm-abi/channel.h"
#include "../../hv/svm/vmcb.h"

#define NEST_EFER_LME		BIT_ULL(8)
#define NEST_EFER_LMA		BIT_ULL(10)
#define NEST_EFER_SVME		BIT_ULL(12)
#define NEST_RFLAGS_TF		BIT_ULL(8)
#define NEST_RFLAGS_IF		BIT_ULL(9)
#define NEST_DR7_FIXED		BIT_ULL(10)

/* What VMRUN and #VMEXIT exchange; of ->sregs not FS, GS, LDTR, TR and the APIC's. */
struct nest_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	u64 dr6, dr7;
};

/* A guest hypervisor's vCPU. */
struct nest {
	u64 vm_cr;		/* an MSR */
	bool gif;
	bool guest;		/* in L2; then: */
	u64 vmcb_gpa;		/* its VMCB's, */
	struct vmcb_control c;	/* its controls as VMRUN has found them, less what was consumed, */
	struct vmcb_save l1;	/* L1's state, of which VMRUN keeps only a part, */
	u64 l1_event;		/* and what L1 was to take, as EVENTINJ; or 0 */
};

/* ---- VM_CR (APM vol. 2, 15.30.1) ---- */

#define NEST_VM_CR_LOCK		BIT_ULL(3)	/* this one and the next stay as they are */
#define NEST_VM_CR_SVMDIS	BIT_ULL(4)	/* EFER.SVME is reserved */

/* WRMSR of @val, with EFER.SVME or without; false: it may not. */
bool nest_vm_cr_write(u64 *vm_cr, u64 val, bool svme);

/* ---- VMRUN ---- */

/* Does VMRUN accept it?  Physical addresses of the guest's have @phys_bits. */
bool nest_vmcb_ok(const struct vmcb *b, u32 phys_bits);

/* The part of the state that VMRUN loads, from and to a save area.  DR6 and DR7 are apart. */
void nest_load(struct nest_state *to, const struct vmcb_save *from);
void nest_store(struct vmcb_save *to, const struct nest_state *from);

/* What is to be delivered, but for what is pending only, from and to EVENTINJ's form. */
u64 nest_event_get(const struct kvm_vcpu_events *ev);
void nest_event_set(struct kvm_vcpu_events *ev, u64 event);

/* What VMLOAD and VMSAVE move: in the segments, and in MSRs, of which there are so many. */
#define NEST_MSRS	8
void nest_vmload(struct kvm_sregs *sregs, struct kvm_msr_entry *msrs, const struct vmcb_save *from,
		 u32 width);	/* of the CPU's linear addresses */
void nest_vmsave(struct vmcb_save *to, const struct kvm_sregs *sregs,
		 const struct kvm_msr_entry *msrs);
void nest_msr_indices(struct kvm_msr_entry *msrs);

/* What Bedplate is to do. */
void nest_rules(struct bp_nested *to, const struct nest *n);
/* Has L1 asked for this exit code? */
bool nest_wants(const struct vmcb_control *c, u64 code);

/* ---- #VMEXIT ---- */

struct nest_exit {
	u64 code, info[2];
	u64 event;		/* EXITINTINFO */
	u8 tpr;			/* of L2 */
	bool shadow;		/* an interrupt shadow */
};

/* What a #DB does to DR6 and DR7, which L1 sees, too; @cause: of DR6, if that lacks it. */
void nest_debug(struct nest_state *l2, u64 cause);
/* Write L2's state and why it has ended into its VMCB. */
void nest_end(struct vmcb *to, const struct nest *n, const struct nest_state *l2,
	      const struct nest_exit *why);
/* L1 goes on with this state, from @s which is L2's. */
void nest_resume(struct nest_state *s, const struct vmcb_save *l1);
/* VMRUN has refused it. */
void nest_refuse(struct vmcb *to);

/*
 * What of a VMCB the processor writes; all else is L1's, whose other CPUs may write there at the
 * same time.  Each list ends with one of no length.
 */
struct nest_part {
	u16 at, len;
};
extern const struct nest_part nest_end_parts[], nest_refuse_parts[], nest_vmsave_parts[];

/* ---- permission maps (APM vol. 2, 15.10.1, 15.11) ---- */

/*
 * Where the bit for an MSR is: @at bytes into the map, mask as the result; 0: in none, so it
 * exits.
 */
u8 nest_msr_bit(u32 msr, bool write, u32 *at);
/* Bits for the ports of an IOIO exit; two bytes from @at on. */
u16 nest_io_bits(u64 info1, u32 *at);

#endif
