/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start-up of every test guest, for the first CPU and for those that a start-up IPI begins: real mode,
 * then protected mode, then 64-bit mode with 4 GiB mapped one to one.  The VMM's mode word stops it
 * at MODE_16 or MODE_32.  Each CPU that passes takes the next number and with it a stack.
 */
#include "params.h"

	.section .start, "ax"
	.code16
	.globl _start
_start:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	$1, %ebx
	lock xaddl %ebx, GPA_PARAMS + P_CPUS
	cmpl	$MODE_16, GPA_PARAMS + P_MODE
	je	1f
	lgdtl	%cs:(gdt_ptr - _start)
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $start32
1:	jmp	real_guest

	.code32
start32:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	lea	1(%ebx), %esp
	imul	$STACK_SIZE, %esp, %esp
	add	$GPA_STACKS, %esp
	cmpl	$MODE_32, GPA_PARAMS + P_MODE
	je	prot_guest
	test	%ebx, %ebx
	jnz	2f
	call	build_tables
2:	mov	%cr4, %eax
	or	$0x620, %eax			/* PAE, OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	mov	$GPA_TABLES, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	and	$0x9fffffff, %eax		/* caches on */
	or	$0x80010022, %eax		/* PG, WP, NE, MP */
	mov	%eax, %cr0
	ljmpl	$0x18, $start64

/* PML4, PDPT and four page directories of 2 MiB pages. */
build_tables:
	movl	$(GPA_TABLES + 0x1000 + 7), GPA_TABLES
	mov	$4, %ecx
1:	mov	%ecx, %eax
	shl	$12, %eax
	add	$(GPA_TABLES + 0x1000 + 7), %eax
	mov	%eax, (GPA_TABLES + 0x1000 - 8)(, %ecx, 8)
	loop	1b
	xor	%ecx, %ecx
2:	mov	%ecx, %eax
	shl	$21, %eax
	or	$0x87, %eax
	mov	%eax, (GPA_TABLES + 0x2000)(, %ecx, 8)
	inc	%ecx
	cmp	$2048, %ecx
	jb	2b
	ret

	.code64
start64:
	lidt	idt_ptr(%rip)
	mov	%ebx, %edi
	call	guest_main
1:	hlt
	jmp	1b

/* Every vector pushes an error code (its own or 0) and its number, then joins trap_common. */
	.globl	vectors
	.balign	16
vectors:
	vec = 0
	.rept	256
	.balign	16
	.if !((vec == 8) || (vec >= 10 && vec <= 14) || (vec == 17) || (vec == 21) || (vec == 30))
	push	$0
	.endif
	push	$vec
	jmp	trap_common
	vec = vec + 1
	.endr

trap_common:
	.irp	r, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	push	%\r
	.endr
	mov	%rsp, %rdi
	cld
	mov	%rsp, %rbx			/* the ABI wants the stack aligned */
	and	$-16, %rsp
	call	trap
	mov	%rbx, %rsp
	.irp	r, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	pop	%\r
	.endr
	add	$16, %rsp
	iretq

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff		/* 0x08 code, 32-bit */
	.quad	0x00cf93000000ffff		/* 0x10 data */
	.quad	0x00af9b000000ffff		/* 0x18 code, 64-bit */
	.quad	0x00009b010000ffff		/* 0x20 code, 16-bit at 0x10000 */
gdt_ptr:
	.word	. - gdt - 1
	.long	gdt
	.globl	idt_ptr
idt_ptr:
	.word	256 * 16 - 1
	.quad	idt
	.section .note.GNU-stack, "", @progbits
