/* SPDX-License-Identifier: GPL-2.0-only */
/* The hypervisor's image, and which versions of the application firmware may revoke. */
	.section .rodata
	.balign 4096
	.globl payload, payload_end
	.hidden payload, payload_end
payload:
	.incbin PAYLOAD
payload_end:

	.section .sbat, "a"
	.incbin SBAT

	.section .note.GNU-stack, "", @progbits
