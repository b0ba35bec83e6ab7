/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX world switch.  Interrupts are off before and after it: a physical
 * one ends the guest's turn and stays pending (no "acknowledge on exit").
 * FS, GS, TR, tables and control registers change with the switch itself, so
 * an NMI finds either side complete.
 *
 * Offsets are those of struct vcpu_regs, asserted in run.c.
 */
#include "../core/speculation.h"
#include "vmcs.h"

#define RAX	(0 * 8)
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
	.globl	vmx_enter
	.type	vmx_enter, @function
/* bool vmx_enter(struct vcpu_regs *regs, bool launched) */
vmx_enter:
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	$VMCS_HOST_RSP, %eax
	vmwrite	%rsp, %rax

	test	%sil, %sil		/* the loads below leave ZF alone */
	mov	RAX(%rdi), %rax
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
	jz	1f
	vmresume
	jmp	2f
1:	vmlaunch

	/* Refused before the guest was loaded: its registers are unchanged. */
2:	add	$8, %rsp
	xor	%eax, %eax
	jmp	3f

	.globl	vmx_exit
vmx_exit:
	push	%rax
	mov	8(%rsp), %rax		/* regs */
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
	pop	RAX(%rax)
	add	$8, %rsp
	SPEC_AFTER_EXIT
	mov	$1, %eax
3:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	ret
	.size	vmx_enter, . - vmx_enter

	.section .note.GNU-stack, "", @progbits
