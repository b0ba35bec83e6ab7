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
 *
 * Offsets are those of struct vcpu_regs, asserted in run.c.
 */

#include "../core/speculation.h"

#define RCX	(1 * 8)
#define RDX	(2 * 8)
#define RBX	(3 * 8)
#define RBP	(5 * 8)
#define RSI	(6 * 8)
#define RDI	(7 * 8)
#define R8	(8 * 8)
#define R9	(9 * 8)
#define R10	(10 * 8)
#define R11	(11 * 8)
#define R12	(12 * 8)
#define R13	(13 * 8)
#define R14	(14 * 8)
#define R15	(15 * 8)

	.text
	.globl	svm_enter
	.type	svm_enter, @function
/* void svm_enter(struct vcpu_regs *regs, hpa_t vmcb, hpa_t host_vmcb) */
svm_enter:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdx
	push	%rdi

	clgi
	sti
	mov	%rsi, %rax
	mov	RCX(%rdi), %rcx
	mov	RDX(%rdi), %rdx
	mov	RBX(%rdi), %rbx
	mov	RBP(%rdi), %rbp
	mov	RSI(%rdi), %rsi
	mov	R8(%rdi), %r8
	mov	R9(%rdi), %r9
	mov	R10(%rdi), %r10
	mov	R11(%rdi), %r11
	mov	R12(%rdi), %r12
	mov	R13(%rdi), %r13
	mov	R14(%rdi), %r14
	mov	R15(%rdi), %r15
	mov	RDI(%rdi), %rdi

	vmload	%rax
	vmrun	%rax
	vmsave	%rax			/* RAX and RSP are root mode's again */
	mov	8(%rsp), %rax
	vmload	%rax

	pop	%rax			/* regs */
	mov	%rcx, RCX(%rax)
	mov	%rdx, RDX(%rax)
	mov	%rbx, RBX(%rax)
	mov	%rbp, RBP(%rax)
	mov	%rsi, RSI(%rax)
	mov	%rdi, RDI(%rax)
	mov	%r8, R8(%rax)
	mov	%r9, R9(%rax)
	mov	%r10, R10(%rax)
	mov	%r11, R11(%rax)
	mov	%r12, R12(%rax)
	mov	%r13, R13(%rax)
	mov	%r14, R14(%rax)
	mov	%r15, R15(%rax)
	pop	%rdx

	SPEC_AFTER_EXIT
	cli
	stgi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	svm_enter, . - svm_enter

	.section .note.GNU-stack, "", @progbits
