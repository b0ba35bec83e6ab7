/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX world switch.  Interrupts are off before and after it: a physical
 * one ends the guest's turn, and stays pending unless the exit acknowledges it
 * (EXIT_TAKE_INTR: v->exit.taken).
 * FS, GS, TR, tables and control registers change with the switch itself, so
 * an NMI finds either side complete.
 */
#include "vcpu/entry.h"
#include "vcpu/speculation.h"
#include "vmcs.h"

	.text
	.globl	vmx_enter
	.type	vmx_enter, @function
/* bool vmx_enter(struct vcpu_regs *regs, bool launched, u64 *host_rsp) */
vmx_enter:
	PUSH_CALLEE_SAVED
	push	%rdi
	cmp	%rsp, (%rdx)
	je	0f
	mov	%rsp, (%rdx)
	mov	$VMCS_HOST_RSP, %eax
	vmwrite	%rsp, %rax

0:	test	%sil, %sil		/* the loads below leave ZF alone */
	mov	REGS_RAX(%rdi), %rax
	LOAD_GUEST_REGS
	jz	1f
	vmresume
	jmp	2f
1:	vmlaunch

	/* Refused before the guest was loaded: its registers are unchanged. */
2:	CLEAR_GUEST_REGS
	jmp	3f

	.globl	vmx_exit
vmx_exit:
	push	%rax
	mov	8(%rsp), %rax		/* regs */
	STORE_GUEST_REGS
	pop	REGS_RAX(%rax)
	CLEAR_GUEST_REGS
	mov	$1, %ebx
	/* Also after a refusal: the guest's SPEC_CTRL was loaded. */
3:	add	$8, %rsp
	SPEC_AFTER_EXIT
	mov	%ebx, %eax
	POP_CALLEE_SAVED
	ret
	int3
	.size	vmx_enter, . - vmx_enter

	.section .note.GNU-stack, "", @progbits
