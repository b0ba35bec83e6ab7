/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests in 32-bit protected mode whose tables and registers the VMM makes; their code is a few
 * instructions in an asm statement of the case's file.
 */
#ifndef PROT_H
#define PROT_H

#include "test.h"

#define CODE	GPA_SCRATCH			/* the guest's instructions */
#define GDT	(GPA_SCRATCH + 0x1000)
#define IDT	(GPA_SCRATCH + 0x2000)
#define STACK0	(GPA_SCRATCH + 0x6000)		/* top of the stack */
#define HIGH	0x1000000			/* for a slot of the case's own */

#define SEL_CODE	0x08
#define SEL_DATA	0x10
#define SEL_TSS0	0x18

#define AR_CODE32	0xcf9b
#define AR_DATA32	0xcf93
#define AR_CODE_SMALL	0x409b
#define AR_DATA_SMALL	0x0093
#define AR_TSS32	0x0089
#define AR_TSS16	0x0081
#define AR_LDT		0x0082
#define AR_BUSY		2

#define TSS0	(GPA_SCRATCH + 0x3000)		/* TR points there */

#define STR_(x) #x
#define STR(x) STR_(x)
/* Report stage @n; EAX and EDX are lost. */
#define SYNC(n) "mov $" STR(PORT_SYNC) ", %edx\n mov $" #n ", %eax\n out %eax, %dx\n"

/* The VM of the case. */
extern struct vm *vm;
extern struct vcpu *v;

/* A new VM with @len bytes of code at CODE, and descriptors SEL_CODE to SEL_TSS0; vm_new()'s flags. */
void prot_new(const uint8_t *code, size_t len, int flags);
/* Begin at @eip: flat segments, no paging, interrupts on, nothing in the IDT but what gates put there. */
void prot_start(uint32_t eip);
void descriptor(int sel, uint32_t base, uint32_t limit, uint16_t ar);
void gate(int vec, uint16_t sel, uint32_t offset, uint16_t flags);
void task_gate(int vec, uint16_t sel);
void trap_gate(int vec, uint32_t at);
struct kvm_sregs sregs(void);
struct kvm_regs regs(void);
/* The processor calls itself AMD's. */
bool is_amd(void);

#endif
