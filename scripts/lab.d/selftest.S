/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A multiboot2 kernel for the lab's own tests: prints "bedplate: " and its command
 * line on the first serial port, then does what its last letter says:
 *   f  "bedplate: fatal: ..." and halt     p  "BEDPLATE PANIC" and reset
 *   t  triple fault                        h  halt, silently
 */
	.section .multiboot, "a"
	.balign 8
header:
	.long 0xe85250d6, 0, end - header, -(0xe85250d6 + (end - header))
	.short 0, 0
	.long 8
end:

	.data
stack:	.fill 64
top:
no_idt:	.fill 6
name:	.asciz "bedplate: "
fatal:	.asciz "\r\nbedplate: fatal: as asked\r\n"
panic:	.asciz "\r\nBEDPLATE PANIC as asked\r\n"

	.text
	.globl _start
_start:
	mov	$top, %esp
	mov	%ebx, %edi
	mov	$name, %esi
	call	puts
	add	$8, %edi		/* the tags follow the sizes */
next:	mov	4(%edi), %ecx
	cmpl	$0, (%edi)
	je	halt
	cmpl	$1, (%edi)		/* type 1: the command line */
	je	found
	add	%ecx, %edi
	add	$7, %edi
	and	$-8, %edi
	jmp	next
found:	lea	8(%edi), %esi
	call	puts
	mov	-2(%esi), %al		/* the last letter, before the NUL */
	cmp	$'f', %al
	je	do_fatal
	cmp	$'p', %al
	je	do_panic
	cmp	$'t', %al
	je	do_triple
halt:	cli
	hlt
	jmp	halt
do_fatal:
	mov	$fatal, %esi
	call	puts
	jmp	halt
do_panic:
	mov	$panic, %esi
	call	puts
	mov	$0x0e, %al
	mov	$0xcf9, %dx
	out	%al, %dx
	jmp	halt
do_triple:
	lidt	no_idt
	ud2

puts:	mov	$0x3fd, %dx		/* the line's state: ready to send? */
1:	in	%dx, %al
	test	$0x20, %al
	jz	1b
	lodsb
	test	%al, %al
	jz	2f
	mov	$0x3f8, %dx
	out	%al, %dx
	jmp	puts
2:	ret
	.section .note.GNU-stack, "", @progbits
