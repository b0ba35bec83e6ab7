/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Multiboot2 header and the way from the loader's 32-bit protected mode
 * (multiboot2 specification, "I386 machine state") to hv_main() in 64-bit mode
 * at -2 GiB. The tables used here map the first 4 GiB at 0, at the direct map
 * and 1 GiB at -2 GiB, all writable; paging.c replaces them soon.
 */
#define VBASE		0xffffffff80000000
#define PHYS(sym)	((sym) - VBASE)

#define MB2_MAGIC	0xe85250d6
#define BOOT_STACK_PAGES 4
#define CR0_BOOT	0x80010033	/* PG WP NE ET MP PE */
#define CR4_BOOT	0x20		/* PAE */
#define EFER_BOOT	0x900		/* NX LME */

	.section .multiboot, "a"
	.balign 8
mb2_header:
	.long MB2_MAGIC, 0, mb2_end - mb2_header
	.long -(MB2_MAGIC + 0 + (mb2_end - mb2_header))
	/* What we need: command line, modules, memory map. */
	.short 1, 0
	.long 20
	.long 1, 3, 6
	.balign 8
	/* What we like: framebuffer, RSDPs; UEFI's system table (32 and 64 bits), its map. */
	.short 1, 1
	.long 32
	.long 8, 14, 15, 11, 12, 17
	.balign 8
	/* Modules on page boundaries. */
	.short 6, 0
	.long 8
	/* End. */
	.short 0, 0
	.long 8
mb2_end:

	.section .head.text, "ax"
	.code32
	.globl _start
_start:
	cli
	cld
	movl %eax, %edi			/* hv_main(magic, info) */
	movl %ebx, %esi
	movl $PHYS(boot_pml4), %eax
	movl %eax, %cr3
	movl $CR4_BOOT, %eax
	movl %eax, %cr4
	movl $0xc0000080, %ecx		/* EFER */
	rdmsr
	orl $EFER_BOOT, %eax
	wrmsr
	movl $CR0_BOOT, %eax
	movl %eax, %cr0
	lgdt PHYS(boot_gdt_ptr)
	ljmp $8, $PHYS(1f)

	.code64
1:	movabsq $2f, %rax
	jmp *%rax
2:	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	lldt %ax
	movq $boot_stack_top, %rsp
	xorl %ebp, %ebp
	movl %edi, %edi
	movl %esi, %esi
	call hv_main
	ud2

	.section .data
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9a000000ffff	/* 64-bit code */
	.quad 0x00cf92000000ffff	/* data */
boot_gdt_ptr:
	.short . - boot_gdt - 1
	.quad PHYS(boot_gdt)

	.balign 4096
boot_pml4:
	.quad PHYS(boot_pdpt_low) + 3
	.fill 255, 8, 0
	.quad PHYS(boot_pdpt_low) + 3	/* the direct map */
	.fill 254, 8, 0
	.quad PHYS(boot_pdpt_high) + 3
boot_pdpt_low:
	.quad PHYS(boot_pd) + 3, PHYS(boot_pd) + 0x1003
	.quad PHYS(boot_pd) + 0x2003, PHYS(boot_pd) + 0x3003
	.fill 508, 8, 0
boot_pdpt_high:
	.fill 510, 8, 0
	.quad PHYS(boot_pd) + 3
	.quad 0
boot_pd:
	.set addr, 0
	.rept 2048
	.quad addr + 0x83		/* 2 MiB, writable, present */
	.set addr, addr + 0x200000
	.endr

	.section .bss
	.balign 4096
	.skip BOOT_STACK_PAGES * 4096
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
