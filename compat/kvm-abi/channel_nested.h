/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the channel (channel.h, which includes this) that is for guests that are
 * hypervisors themselves: what the shim tells Bedplate of such a guest (BP_STATE_NESTED), and what
 * Bedplate hands to the shim of it (BP_EXIT_NESTED).  docs/nested.md says who does what.
 */
#ifndef BEDPLATE_CHANNEL_NESTED_H
#define BEDPLATE_CHANNEL_NESTED_H

#include <linux/types.h>

/*
 * An exit of the CPU's: its code and what it says with it (SVM: EXITCODE, EXITINFO1 and
 * EXITINFO2); or what Bedplate would have injected.  RIP is at the instruction.
 * In BP_STATE_EVENTS are an event whose delivery met it, and, as pending, an exception that
 * Bedplate has not raised.
 */
struct bp_exit_nested {
	__u64 code;
	__u64 info[2];
	__u8 insn_len;		/* of SVM's own instructions, RDMSR and WRMSR; 0: RUN again */
	__u8 what;		/* BP_NESTED_BY_* */
	__u8 pad[6];
};
#define BP_NESTED_BY_CPU	0	/* ->code */
#define BP_NESTED_BY_EXCEPTION	1	/* ->code: its vector; ->info: error code; CR2 or DR6's bits */
#define BP_NESTED_BY_INTR	2
#define BP_NESTED_BY_NMI	3
#define BP_NESTED_BY_SMI	4
#define BP_NESTED_BY_VIRQ	5	/* L2 can take its virtual interrupt */

/*
 * A guest that is a hypervisor itself (L1), by SVM (APM vol. 2, ch. 15).  Its VMRUN and all
 * that follows from it are the shim's, which runs L1's guest (L2) in L1's vCPU: it sets the
 * state, and here what L1 wants to know of.  All 0 at first; INIT leaves BP_NESTED_ON alone.
 */
struct bp_nested {
	__u32 flags;
	/* In L2; else of no effect: */
	__u32 intercept[6];	/* also exits, with BP_EXIT_NESTED: the VMCB's first words */
	__u32 exceptions;	/* BP_EXIT_NESTED instead of these where Bedplate or the
				 * VMM raises one; the CPU's are in ->intercept */
	__u8 tpr;		/* CR8, with BP_NESTED_TPR */
	__u8 virq;		/* a virtual interrupt of this priority waits, 16: whatever
				 * CR8; BP_EXIT_NESTED (VIRQ) when it can be taken.  0: none */
	__u8 pad[6];
	__u64 tsc_offset;	/* added to the vCPU's */
};
#define BP_NESTED_ON		0x1u	/* EFER.SVME can be set; SVM's instructions exit */
#define BP_NESTED_HOLD		0x2u	/* GIF is 0: interrupts, NMIs, SMIs and INIT wait */
#define BP_NESTED_GUEST		0x4u	/* L2 */
#define BP_NESTED_INTR		0x8u	/* L2: BP_EXIT_NESTED when there is an interrupt, */
#define BP_NESTED_NMI		0x10u	/* an NMI, */
#define BP_NESTED_SMI		0x20u	/* an SMI for L1, which stays pending */
#define BP_NESTED_NO_IRQ	0x40u	/* L2: L1's interrupts are not injected */
#define BP_NESTED_ANY_IF	0x80u	/* L2: BP_NESTED_INTR whatever RFLAGS.IF says */
#define BP_NESTED_TPR		0x100u	/* L2: it has a CR8 of its own, ->tpr */
#define BP_NESTED		0x1ffu	/* all of them */

#endif
