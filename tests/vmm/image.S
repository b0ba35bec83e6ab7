/* SPDX-License-Identifier: GPL-2.0-only */
/* The guests' image, carried inside the VMM. */
	.section .rodata
	.globl	guest_image, guest_image_end
guest_image:
	.incbin	"guests.bin"
guest_image_end:
	.section .note.GNU-stack, "", @progbits
