// SPDX-License-Identifier: GPL-2.0-only
/* A hypervisor of a few instructions, and its guest; the contract is in svm.h. */
#include "svm.h"

L2(l2_nothing, "	nop");
asm(".globl l2_nothing, l2_nothing_end");

struct table {
	u16 limit;
	u64 base;
} __packed;

void fill(u64 at, u8 byte, u64 len)
{
	asm volatile("rep stosb" : "+D"(at), "+c"(len) : "a"(byte) : "memory");
}

static void set_seg(struct vmcb_seg *s, u16 attrib)
{
	*s = (struct vmcb_seg){ .attrib = attrib, .limit = ~0u };
}

void begin_at(u64 code)
{
	VMCB->s.rip = code;
	VMCB->s.rsp = STACK;
	VMCB->s.rflags = 2;
}

void setup(const u8 *code)
{
	struct vmcb *b = VMCB;
	struct table t;

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_AMD_VM_HSAVE_PA, HSAVE);
	fill((u64)b, 0, sizeof(*b));
	asm volatile("vmsave %0" :: "a"(b) : "memory");
	set_seg(&b->s.cs, CODE64);
	asm volatile("mov %%cs, %0" : "=r"(b->s.cs.selector));
	set_seg(&b->s.ds, DATA);
	set_seg(&b->s.es, DATA);
	set_seg(&b->s.ss, DATA);
	asm volatile("mov %%ss, %0" : "=r"(b->s.ss.selector));
	asm volatile("sgdt %0" : "=m"(t));
	b->s.gdtr.base = t.base;
	b->s.gdtr.limit = t.limit;
	asm volatile("sidt %0" : "=m"(t));
	b->s.idtr.base = t.base;
	b->s.idtr.limit = t.limit;
	b->s.efer = rdmsr(MSR_EFER);
	asm volatile("mov %%cr0, %0" : "=r"(b->s.cr0));
	asm volatile("mov %%cr3, %0" : "=r"(b->s.cr3));
	asm volatile("mov %%cr4, %0" : "=r"(b->s.cr4));
	b->s.dr6 = 0xffff0ff0;
	b->s.dr7 = 0x400;
	b->s.g_pat = rdmsr(MSR_PAT);
	b->c.asid = 1;
	b->c.intercept2 = SVM_I2_VMRUN | SVM_I2_VMMCALL;
	b->c.msrpm = MSRPM;
	b->c.iopm = IOPM;
	begin_at((u64)code);
}

void set_maps(u8 byte)
{
	fill(MSRPM, byte, 0x2000);
	fill(IOPM, byte, 0x3000);
}

u64 l2_rcx, l2_rdx;

void run_l2_gif(bool sti)
{
	if (sti)
		asm volatile("clgi; sti" ::: "memory");
	asm volatile("push %%rbp; vmload %%rax; vmrun %%rax; vmsave %%rax; pop %%rbp"
		     : "+c"(l2_rcx), "+d"(l2_rdx) : "a"(VMCB)
		     : "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		       "memory", "cc");
}

void run_l2(void)
{
	run_l2_gif(false);
	asm volatile("stgi" ::: "memory");
}

u32 step;

void expect(u64 code)
{
	run_l2();
	if (VMCB->c.exit_code == code)
		return;
	P->fail_expr = 0;
	P->fail_vec = VMCB->c.exit_code;
	P->fail_err = code;
	P->fail_rip = VMCB->s.rip;
	P->fail_cr2 = step;
	for (;;)
		outl(PORT_FAIL, 1);
}
