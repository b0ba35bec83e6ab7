/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where an AP starts: copied to a page below 1 MiB by smp.c, which fills in the
 * fields at the end (smp.h, struct trampoline_args) and sends the page number
 * in the SIPI. Real mode, CS = page << 8, to 64-bit mode and ap_entry64.
 */
#define DIRECT_MAP	0xffff800000000000	/* paging.h */

	.section .rodata
	.balign 16
	.globl trampoline_start, trampoline_end, trampoline_args
	.code16
trampoline_start:
	cli
	cld
	xorl %ebx, %ebx
	movw %cs, %bx
	movw %bx, %ds
	shll $4, %ebx			/* our linear address */
	leal (tramp_gdt - trampoline_start)(%ebx), %eax
	movl %eax, tramp_gdt_base - trampoline_start
	leal (tramp32 - trampoline_start)(%ebx), %eax
	movl %eax, tramp_far32 - trampoline_start
	leal (tramp64 - trampoline_start)(%ebx), %eax
	movl %eax, tramp_far64 - trampoline_start
	lgdtl tramp_gdt_ptr - trampoline_start
	movl $0x11, %eax		/* ET PE, caches on */
	movl %eax, %cr0
	ljmpl *(tramp_far32 - trampoline_start)

	.code32
tramp32:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl $0x20, %eax		/* PAE */
	movl %eax, %cr4
	movl (tramp_cr3 - trampoline_start)(%ebx), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER: NX LME */
	xorl %edx, %edx
	movl $0x900, %eax
	wrmsr
	movl $0x80010033, %eax		/* PG WP NE ET MP PE */
	movl %eax, %cr0
	ljmpl *(tramp_far64 - trampoline_start)(%ebx)

	.code64
tramp64:
	xorl %edi, %edi			/* whoever takes the argument owns it */
	movabsq $DIRECT_MAP, %rax	/* where we are is mapped to run only */
	xchgq %rdi, (tramp_cpu - trampoline_start)(%rbx, %rax)
	testq %rdi, %rdi
	jz 1f
	jmp *(tramp_entry - trampoline_start)(%rbx)
1:	cli
	hlt
	jmp 1b

	.balign 8
tramp_gdt:
	.quad 0
	.quad 0x00cf9a000000ffff	/* 0x08: 32-bit code */
	.quad 0x00cf92000000ffff	/* 0x10: data */
	.quad 0x00af9b000000ffff	/* 0x18: 64-bit code, accessed: no CPU writes that */
tramp_gdt_ptr:
	.short . - tramp_gdt - 1
tramp_gdt_base:
	.long 0
	.balign 4
tramp_far32:
	.long 0
	.short 0x08
	.balign 4
tramp_far64:
	.long 0
	.short 0x18
	.balign 8
trampoline_args:
tramp_cr3:	.quad 0
tramp_entry:	.quad 0
tramp_cpu:	.quad 0
trampoline_end:

	.section .note.GNU-stack, "", @progbits
