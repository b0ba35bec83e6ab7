/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry stubs of all 256 vectors, 16 bytes apart. Each completes the frame of
 * struct trap_frame (trap.h) and calls trap_handler(frame).
 */
	.section .text
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vec, 0
	.rept 256
	.balign 16
	/*
	 * These push an error code by themselves (SDM vol. 3, table 6-1); from 16 on
	 * only as exceptions, for they may be interrupts too.  The CPU aligned the
	 * stack to 16 bytes before it pushed five words, or six.
	 */
	.if vec == 17 || vec == 21 || vec == 29 || vec == 30
	testb $8, %spl
	jz 1f
	pushq $0
1:
	.elseif !(vec == 8 || (vec >= 10 && vec <= 14))
	pushq $0
	.endif
	pushq $vec
	jmp trap_common
	.set vec, vec + 1
	.endr

trap_common:
	cld
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rbx
	pushq %rbp
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	call trap_handler
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rbp
	popq %rbx
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
