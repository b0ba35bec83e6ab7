/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SVM world switch.
 *
 * GIF is clear from before the guest's FS, GS and TR are loaded until root
 * mode's are back, so that neither an NMI nor a machine check can run a host
 * handler on a wrong GS base or TSS.  RFLAGS.IF of root mode is set in
 * between: with V_INTR_MASKING it decides whether physical interrupts end the
 * guest's turn (APM vol. 2, 15.21.1).  After CLI and STGI, a physical
 * interrupt stays pending and a physical NMI is taken by root mode's IDT.
 * STI comes well before VMRUN: its shadow must not reach into the guest.
 */
#include "vcpu/entry.h"
#include "vcpu/speculation.h"

	.text
	.globl	svm_enter
	.type	svm_enter, @function
/* void svm_enter(struct vcpu_regs *regs, hpa_t vmcb, hpa_t host_vmcb) */
svm_enter:
	PUSH_CALLEE_SAVED
	push	%rdx
	push	%rdi

	clgi
	sti
	mov	%rsi, %rax
	LOAD_GUEST_REGS

	vmload	%rax
	vmrun	%rax
	vmsave	%rax			/* RAX and RSP are root mode's again */
	mov	8(%rsp), %rax
	vmload	%rax

	pop	%rax			/* regs */
	STORE_GUEST_REGS
	CLEAR_GUEST_REGS
	pop	%rdx

	SPEC_AFTER_EXIT
	cli
	stgi
	POP_CALLEE_SAVED
	ret
	int3
	.size	svm_enter, . - svm_enter

	.section .note.GNU-stack, "", @progbits
