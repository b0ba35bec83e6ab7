/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guests of io.real and io.prot32: the same port and MMIO accesses in real mode, in protected mode
 * without paging, and in protected mode with 32-bit paging.  vmm/t-io.c has what must come.
 */
#include "params.h"

#define TEXT_HOLE	0xb8000

	.text
	.code16
	.globl	real_guest
real_guest:
	mov	$PORT_TEST, %dx
	mov	$0x11, %al
	out	%al, %dx
	mov	$0x2211, %ax
	out	%ax, %dx
	mov	$0x44332211, %eax
	out	%eax, %dx
	xor	%eax, %eax
	in	%dx, %al
	mov	%eax, P_RES(0)	/* res[0] */
	in	%dx, %ax
	mov	%eax, P_RES(1)
	in	%dx, %eax
	mov	%eax, P_RES(2)
	out	%al, $0x80			/* immediate port */

	/* String output from the image, through DS with a base. */
	push	%ds
	mov	$(GPA_IMAGE >> 4), %ax
	mov	%ax, %ds
	mov	$(hello - GPA_IMAGE), %si
	mov	$8, %cx
	cld
	rep outsb
	pop	%ds

	/* Stack, interrupt through the vector table, MMIO through a segment. */
	xor	%ax, %ax
	mov	%ax, %ss
	mov	$0x7f00, %sp
	movw	$(int21 - GPA_IMAGE), 0x21 * 4
	movw	$(GPA_IMAGE >> 4), 0x21 * 4 + 2
	int	$0x21
	mov	$(TEXT_HOLE >> 4), %ax
	mov	%ax, %es
	movb	$0x5a, %es:4
	movw	$0x1234, %es:6
	mov	%es:8, %eax
	mov	%eax, P_RES(3)
	mov	$PORT_DONE, %dx
	xor	%eax, %eax
	out	%eax, %dx
1:	hlt
	jmp	1b

int21:	mov	$0x21, %al
	mov	$PORT_TEST, %dx
	out	%al, %dx
	iret

hello:	.ascii	"bedplate"

	.code32
	.globl	prot_guest
prot_guest:
	mov	$GPA_MMIO, %esi
	call	accesses

	/* 4 MiB pages: the first one to one, 0x40000000 to the start of the MMIO hole. */
	movl	$0x83, GPA_TABLES32
	movl	$(GPA_MMIO + 0x83), GPA_TABLES32 + 0x100 * 4
	mov	$GPA_TABLES32, %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$0x10, %eax			/* PSE */
	mov	%eax, %cr4
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	jmp	1f
1:	mov	$0x40000000, %esi
	call	accesses
	mov	$PORT_DONE, %edx
	out	%eax, %dx
1:	hlt
	jmp	1b

accesses:
	mov	$PORT_TEST, %edx
	mov	$0x44332211, %eax
	out	%al, %dx
	out	%ax, %dx
	out	%eax, %dx
	movb	$0x5a, 4(%esi)
	movw	$0x1234, 6(%esi)
	movl	$0x89abcdef, 8(%esi)
	xor	%eax, %eax
	in	%dx, %eax
	mov	12(%esi), %ecx
	mov	%ecx, P_RES(0)
	movzbl	13(%esi), %ecx
	mov	%ecx, P_RES(1)
	movswl	14(%esi), %ecx
	mov	%ecx, P_RES(2)
	mov	$PORT_SYNC, %edx
	out	%eax, %dx
	ret
	.section .note.GNU-stack, "", @progbits
