/* SPDX-License-Identifier: GPL-2.0-only */
/* Onto a CPU's own stack, for good. */
	.text

/*
 * An AP comes here from the trampoline, on the trampoline's page tables and
 * GDT, with %rdi = its struct cpu. Offsets checked in smp.c.
 */
	.globl ap_entry64
ap_entry64:
	movq 16(%rdi), %rsp		/* stack_top */
	xorl %ebp, %ebp
	movq kernel_cr3(%rip), %rax
	movq %rax, %cr3
	call ap_main
	ud2

/* void call_on_stack(u64 stack_top, void (*fn)(void)): no way back. */
	.globl call_on_stack
call_on_stack:
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call *%rsi
	ud2

	.section .note.GNU-stack, "", @progbits
