/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests in protected mode: see prot.h. */
#include "prot.h"

#include <cpuid.h>

struct vm *vm;
struct vcpu *v;

void descriptor(int sel, uint32_t base, uint32_t limit, uint16_t ar)
{
	uint64_t *d = (uint64_t *)(vm->mem + GDT + sel);

	*d = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)(ar & 0xf0ff) << 40 |
	     (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)(base >> 24) << 56;
}

void gate(int vec, uint16_t sel, uint32_t offset, uint16_t flags)
{
	uint16_t g[4] = { offset, sel, flags, offset >> 16 };

	memcpy(vm->mem + IDT + vec * 8, g, 8);
}

void task_gate(int vec, uint16_t sel) { gate(vec, sel, 0, 0x8500); }
void trap_gate(int vec, uint32_t at) { gate(vec, SEL_CODE, at, 0x8f00); }

static void segment(struct kvm_segment *s, uint16_t sel, uint32_t base, uint32_t limit, uint16_t ar)
{
	*s = (struct kvm_segment){
		.selector = sel, .base = base, .limit = limit, .type = ar & 15, .s = ar >> 4 & 1, .present = 1,
		.db = ar >> 14 & 1, .g = ar >> 15 & 1,
	};
}

void prot_start(uint32_t eip)
{
	struct kvm_regs r = { .rip = eip, .rsp = STACK0, .rflags = 0x202, .rbp = 0x12345678, .rdi = 0x9abcdef0 };
	struct kvm_sregs s;

	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	segment(&s.cs, SEL_CODE, 0, 0xffffffff, AR_CODE32);
	segment(&s.ds, SEL_DATA, 0, 0xffffffff, AR_DATA32);
	s.es = s.ss = s.fs = s.gs = s.ds;
	segment(&s.tr, SEL_TSS0, TSS0, 0x67, AR_TSS32 | AR_BUSY);
	s.gdt = (struct kvm_dtable){ .base = GDT, .limit = 0x7f };
	s.idt = (struct kvm_dtable){ .base = IDT, .limit = 0x7ff };
	s.cr0 |= 1;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &r), 0);
}

struct kvm_sregs sregs(void)
{
	struct kvm_sregs s;

	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	return s;
}

struct kvm_regs regs(void)
{
	struct kvm_regs r;

	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &r), 0);
	return r;
}

bool is_amd(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx;
}

void prot_new(const uint8_t *code, size_t len, int flags)
{
	vm = vm_new(G_script, 1, flags);
	v = &vm->vcpu[0];
	memcpy(vm->mem + CODE, code, len);
	descriptor(SEL_CODE, 0, 0xfffff, AR_CODE32);
	descriptor(SEL_DATA, 0, 0xfffff, AR_DATA32);
	descriptor(SEL_TSS0, TSS0, 0x67, AR_TSS32 | AR_BUSY);
}
