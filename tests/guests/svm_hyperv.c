// SPDX-License-Identifier: GPL-2.0-only
/* What Hyper-V offers to hypervisors: its bytes of a VMCB. */
#include "svm.h"

/* ---- Hyper-V's interface for hypervisors (TLFS 16) ---- */

#define ASSIST		(GPA_SCRATCH + 0x8000)	/* of L1's VP */
#define DIRECT		MEM(u32, ASSIST + 32)
#define PARTITION	(GPA_SCRATCH + 0x9000)
#define NO_MEMORY	GPA_MMIO
#define HV_WORD(i)	(((u32 *)VMCB)[0x3e0 / 4 + (i)])
#define HV_ASSIST	(*(u64 *)((u64)VMCB + 0x3f0))
#define HV_FLUSH	1u
#define HV_MSR_MAP	2u
#define HV_CLEAN	(1u << 31)
#define HV_EXIT		0xf0000000
#define BAD_INPUT	3

/* HvCallFlushVirtualAddressSpace, of all, in an interrupt shadow; and a call that flushes nothing. */
L2(l2_flush,
   "	xor %edx, %edx\n"
   "	mov $3, %r8d\n"
   "	mov $-1, %rax\n"
   "	mov $0x10002, %ecx\n"
   "	sti\n"
   "l2_flush_at:	vmmcall\n"
   "l2_flushed:	cli\n"
   "	xor %ecx, %ecx\n");			/* the VMMCALL that follows is L1's */
L2(l2_spin_wait, "	mov $0x10008, %ecx\n");
extern u8 l2_flush_at[], l2_flushed[];

/* Is it done by whom L1 lets do it?  Else L1 hears of it. */
static void flush_goes_to(const u8 *rip, u64 rax)
{
	step++;
	begin_at((u64)l2_flush);
	expect(SVM_EXIT_VMMCALL);
	GCHECK(VMCB->s.rip == (u64)rip && VMCB->s.rax == rax);
}

static void flushes(void)
{
	flush_goes_to(l2_flush_at, ~0ull);		/* the VMCB does not say so */
	HV_WORD(0) = HV_FLUSH;
	flush_goes_to(l2_flush_at, ~0ull);		/* nor does the assist page */
	DIRECT = 1;
	flush_goes_to(l2_flush_end, 0);
	HV_ASSIST = NO_MEMORY;
	flush_goes_to(l2_flush_end, BAD_INPUT);
	HV_ASSIST = PARTITION;

	begin_at((u64)l2_spin_wait);
	expect(SVM_EXIT_VMMCALL);
	GCHECK(VMCB->s.rip == (u64)l2_spin_wait_end);

	MEM(u32, PARTITION) = 1;
	begin_at((u64)l2_flush);
	expect(HV_EXIT);
	GCHECK(VMCB->c.info1 == 1 && VMCB->s.rip == (u64)l2_flushed && !VMCB->s.rax);
	GCHECK(!VMCB->c.int_state);
	MEM(u32, PARTITION) = 0;
	HV_WORD(0) = 0;
	flush_goes_to(l2_flush_at, ~0ull);
}

L2(l2_rdmsr,
   "	mov $0xc0000100, %ecx\n"		/* FS.base, which nobody else intercepts */
   "	rdmsr\n");

static void rdmsr_exits(u64 code)
{
	step++;
	begin_at((u64)l2_rdmsr);
	expect(code);
}

/* The map is read anew unless L1 says that it is the same, and it is the same VMCB's. */
static void maps_kept(void)
{
	VMCB->c.intercept1 = SVM_I1_MSR;
	set_maps(0);
	HV_WORD(0) = HV_MSR_MAP;
	rdmsr_exits(SVM_EXIT_VMMCALL);
	set_maps(0xff);
	VMCB->c.clean = HV_CLEAN;
	rdmsr_exits(SVM_EXIT_VMMCALL);
	VMCB->c.clean = 0;
	rdmsr_exits(SVM_EXIT_MSR);
	set_maps(0);
	HV_WORD(0) = 0;
	VMCB->c.clean = HV_CLEAN;
	rdmsr_exits(SVM_EXIT_VMMCALL);
}

/* arg[0]: its CPUID says that flushes can be direct. */
void guest_svm_hyperv(int cpu)
{
	(void)cpu;
	setup(l2_flush);
	HV_ASSIST = PARTITION;
	wrmsr(0x40000000, 0x8100000000000000);
	wrmsr(0x40000073, ASSIST | 1);
	if (P->arg[0]) {
		flushes();
		maps_kept();
		return;
	}
	HV_WORD(0) = HV_FLUSH;
	DIRECT = 1;
	flush_goes_to(l2_flush_at, ~0ull);
}
