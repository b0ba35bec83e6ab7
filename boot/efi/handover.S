/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handover(to, from, dwords, info, entry): the last code of the application. It runs in
 * a page of its own below 4 GiB, outside of [to, to + 4 * dwords), with boot services
 * gone and all arguments below 4 GiB: out of 64-bit mode and paging, the image to its
 * place, and in as the multiboot2 specification says (3.3, "I386 machine state"), which
 * is where boot/entry.S begins. Without paging nothing depends on what the firmware's
 * tables map, or on how many levels they have.
 */
#define MB2_BOOT_MAGIC	0x36d76289
#define EFER		0xc0000080
#define EFER_LME	0x100
#define CR0_PG		0x80000000
#define CR4_KEEP	0x1020		/* PAE, LA57: fixed while paging is on */
#define CODE		8
#define DATA		16

	.text
	.balign 16
	.globl handover, handover_end
	.hidden handover, handover_end
handover:
	cli
	cld
	movl %edx, %eax			/* dwords */
	movl %ecx, %ebx			/* info */
	movl %eax, %ecx
	movl %r8d, %ebp			/* entry */
	movq %cr4, %rax
	andl $CR4_KEEP, %eax
	movq %rax, %cr4

	leaq gdt(%rip), %rax
	subq $16, %rsp
	movw $(gdt_end - gdt - 1), (%rsp)
	movq %rax, 2(%rsp)
	lgdt (%rsp)
	leaq 1f(%rip), %rax
	pushq $CODE
	pushq %rax
	lretq

	.code32
1:	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	movl %ecx, %esp			/* RDMSR wants ECX and EDX; no stack from here on */
	movl %cr0, %eax
	andl $~CR0_PG, %eax
	movl %eax, %cr0
	movl $EFER, %ecx
	rdmsr
	andl $~EFER_LME, %eax
	wrmsr
	xorl %eax, %eax
	movl %eax, %cr4
	movl %esp, %ecx
	rep movsl
	movl $MB2_BOOT_MAGIC, %eax
	jmp *%ebp

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9a000000ffff	/* 32-bit code */
	.quad 0x00cf92000000ffff	/* data */
gdt_end:
handover_end:

	.section .note.GNU-stack, "", @progbits
