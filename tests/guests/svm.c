// SPDX-License-Identifier: GPL-2.0-only
/* SVM's instructions, the exits of L2, what VMRUN exchanges, injects and refuses. */
#include "svm.h"

/* ---- instructions ---- */

#define TRY_ALL(vector) do { \
	TRY("vmrun %%rax", :: "a"(VMCB) : "memory"); \
	GCHECK(caught.vec == (vector)); \
	TRY("vmload %%rax", :: "a"(VMCB) : "memory"); \
	GCHECK(caught.vec == (vector)); \
	TRY("vmsave %%rax", :: "a"(VMCB) : "memory"); \
	GCHECK(caught.vec == (vector)); \
} while (0)

/* Without EFER.SVME there are none; with it they want memory. */
void guest_svm_off(int cpu)
{
	(void)cpu;
	TRY_ALL(6);
	TRY("stgi", ::: "memory");
	GCHECK(caught.vec == 6);
	TRY("clgi", ::: "memory");
	GCHECK(caught.vec == 6);
	TRY("invlpga %%rax, %%ecx", :: "a"(0), "c"(0) : "memory");
	GCHECK(caught.vec == 6);

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	GCHECK(rdmsr(MSR_EFER) & EFER_SVME);
	TRY("stgi", ::: "memory");
	GCHECK(caught.vec == TRAP_NONE);
	TRY("invlpga %%rax, %%ecx", :: "a"(0), "c"(0) : "memory");
	GCHECK(caught.vec == TRAP_NONE);
	wrmsr(MSR_AMD_VM_HSAVE_PA, HSAVE);
	GCHECK(rdmsr(MSR_AMD_VM_HSAVE_PA) == HSAVE);
	TRY("vmload %%rax", :: "a"(0xa0000ull) : "memory");
	GCHECK(caught.vec == 13);
	TRY("vmrun %%rax", :: "a"(0xa0000ull) : "memory");
	GCHECK(caught.vec == 13);
	TRY("wrmsr", :: "c"(MSR_AMD_VM_HSAVE_PA), "a"(0x123), "d"(0) : "memory");
	GCHECK(caught.vec == 13);

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
	TRY("stgi", ::: "memory");
	GCHECK(caught.vec == 6);
}

static u64 write_vm_cr(u32 val)
{
	TRY("wrmsr", :: "c"(MSR_AMD_VM_CR), "a"(val), "d"(0) : "memory");
	return caught.vec;
}

static u64 set_svme(void)
{
	TRY("wrmsr", :: "c"(MSR_EFER), "a"((u32)rdmsr(MSR_EFER) | EFER_SVME), "d"(0) : "memory");
	return caught.vec;
}

/* SVMDIS and EFER.SVME exclude each other, and LOCK holds the former. */
void guest_svm_vm_cr(int cpu)
{
	(void)cpu;
	GCHECK(write_vm_cr(0x20) == 13);
	GCHECK(set_svme() == TRAP_NONE);
	GCHECK(write_vm_cr(VM_CR_SVMDIS) == 13 && !rdmsr(MSR_AMD_VM_CR));
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
	GCHECK(write_vm_cr(VM_CR_SVMDIS) == TRAP_NONE && rdmsr(MSR_AMD_VM_CR) == VM_CR_SVMDIS);
	GCHECK(set_svme() == 13);
	TRY("stgi", ::: "memory");
	GCHECK(caught.vec == 6);
	GCHECK(write_vm_cr(0) == TRAP_NONE && !rdmsr(MSR_AMD_VM_CR));
	GCHECK(set_svme() == TRAP_NONE);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
	GCHECK(write_vm_cr(VM_CR_SVMDIS | VM_CR_LOCK) == TRAP_NONE);
	GCHECK(write_vm_cr(2) == TRAP_NONE && rdmsr(MSR_AMD_VM_CR) == (VM_CR_SVMDIS | VM_CR_LOCK | 2));
	GCHECK(set_svme() == 13);
}

#define OTHER	0x123456780ull			/* canonical, and nobody's */

/* VMLOAD and VMSAVE move what VMRUN leaves alone. */
void guest_svm_moves(int cpu)
{
	struct vmcb *b = VMCB;
	u64 fs, kernel_gs;

	(void)cpu;
	setup(NULL);
	fs = b->s.fs.base;
	kernel_gs = b->s.kernel_gs_base;
	b->s.fs.base = OTHER;
	b->s.kernel_gs_base = OTHER + 1;
	b->s.star = OTHER + 2;
	b->s.lstar = OTHER + 3;
	b->s.sfmask = 0x700;
	b->s.sysenter_cs = 0x10;
	b->s.sysenter_esp = OTHER + 4;
	b->s.sysenter_eip = OTHER + 5;
	asm volatile("vmload %0" :: "a"(b) : "memory");
	GCHECK(rdmsr(MSR_FS_BASE) == OTHER && rdmsr(MSR_KERNEL_GS_BASE) == OTHER + 1);
	GCHECK(rdmsr(MSR_STAR) == OTHER + 2 && rdmsr(MSR_LSTAR) == OTHER + 3);
	GCHECK(rdmsr(MSR_SFMASK) == 0x700 && rdmsr(MSR_SYSENTER_CS) == 0x10);
	GCHECK(rdmsr(MSR_SYSENTER_ESP) == OTHER + 4 && rdmsr(MSR_SYSENTER_EIP) == OTHER + 5);
	wrmsr(MSR_LSTAR, OTHER + 6);
	b->s.fs.base = fs;
	b->s.lstar = 0;
	asm volatile("vmsave %0" :: "a"(b) : "memory");
	GCHECK(b->s.fs.base == OTHER && b->s.lstar == OTHER + 6 && b->s.star == OTHER + 2);
	b->s.fs.base = fs;
	b->s.kernel_gs_base = kernel_gs;
	asm volatile("vmload %0" :: "a"(b) : "memory");
	GCHECK(rdmsr(MSR_FS_BASE) == fs);
}

/* ---- exits ---- */

L2(l2_insns,
   "	xor %ecx, %ecx\n"
   "	xor %eax, %eax\n"
   "1:	cpuid\n"
   "2:	rdtsc\n"
   "3:	mov %cr0, %rax\n"
   "4:	mov %rax, %cr0\n"
   "5:	mov %dr0, %rax\n"
   "6:	mov %rax, %dr0\n"
   "	mov $0x277, %ecx\n"			/* PAT */
   "7:	rdmsr\n"
   "8:	wrmsr\n"
   "	mov $0x21, %edx\n"			/* the PIC */
   "9:	in %dx, %al\n"
   "10:	invlpg (%rsp)\n");

#define SVM_EXIT_CR0_READ	0x00

/* Of control and debug registers the first ones: QEMU's TCG has them for the others, too. */
static const struct insn {
	u8 word, bit, len;
	u16 code, info1;
} insns[] = {
	{ 3, 18, 2, SVM_EXIT_CPUID, 0 }, { 3, 14, 2, 0x6e, 0 }, { 0, 0, 3, SVM_EXIT_CR0_READ, 0 },
	{ 0, 16, 3, 0x10, 0 }, { 1, 0, 3, 0x20, 0 }, { 1, 16, 3, 0x30, 0 },
	{ 3, 28, 2, SVM_EXIT_MSR, 0 }, { 3, 28, 2, SVM_EXIT_MSR, 1 },
	{ 3, 27, 1, SVM_EXIT_IOIO, 0 }, { 3, 25, 4, 0x79, 0 },
};

static u32 *word(u8 i)
{
	return (u32 *)VMCB + i;
}

/* L1 has asked for them all, and steps over each. */
static void all_exit(void)
{
	u64 last = 0;
	u32 i;

	setup(l2_insns);
	set_maps(0xff);
	for (i = 0; i < ARRAY_SIZE(insns); i++)
		*word(insns[i].word) |= 1u << insns[i].bit;
	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		step = i;
		expect(insns[i].code);
		GCHECK(VMCB->s.rip > last);
		if (insns[i].code == SVM_EXIT_MSR)
			GCHECK(VMCB->c.info1 == insns[i].info1);
		if (insns[i].code == SVM_EXIT_IOIO)
			GCHECK(VMCB->c.info1 >> 16 == 0x21 && VMCB->c.info2 == VMCB->s.rip + 1);
		/* What is written to CR0 next has to be right: a CPU may check that before it exits. */
		if (insns[i].code == SVM_EXIT_CR0_READ)
			VMCB->s.rax = VMCB->s.cr0;
		last = VMCB->s.rip;
		VMCB->s.rip += insns[i].len;
	}
	expect(SVM_EXIT_VMMCALL);
}

/* It has asked for one alone, and not again; the others are done. */
static void one_exits(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		/* WRMSR and RDMSR share a bit of the VMCB, but not of the map. */
		setup(l2_insns);
		set_maps(0);
		*word(insns[i].word) |= 1u << insns[i].bit;
		if (insns[i].code == SVM_EXIT_MSR)
			MEM(u8, MSRPM + 2 * 0x277 / 8) = 1 << (2 * 0x277 % 8 + insns[i].info1);
		if (insns[i].code == SVM_EXIT_IOIO)
			MEM(u8, IOPM + 0x21 / 8) = 1 << 0x21 % 8;
		step = 100 + i;
		expect(insns[i].code);
		*word(insns[i].word) &= ~(1u << insns[i].bit);
		expect(SVM_EXIT_VMMCALL);
		GCHECK(VMCB->s.rip == (u64)l2_insns_end);
	}
}

void guest_svm_exits(int cpu)
{
	(void)cpu;
	all_exit();
	one_exits();
	setup(l2_insns);
	expect(SVM_EXIT_VMMCALL);
	GCHECK(VMCB->s.rip == (u64)l2_insns_end);
}

L2(l2_invpcid,
   "	xor %ebx, %ebx\n"
   "	push $0\n"
   "	push $0\n"
   "	invpcid (%rsp), %rbx\n");		/* one address of PCID 0 */

/* By which L1 learns that L2 has changed its page tables. */
void guest_svm_invpcid(int cpu)
{
	(void)cpu;
	setup(l2_invpcid);
	VMCB->c.intercept3 = SVM_I3_INVPCID;
	expect(SVM_EXIT_INVPCID);
	GCHECK(VMCB->c.info1 == STACK - 16 && !VMCB->c.info2);
	VMCB->c.intercept3 = 0;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(VMCB->s.rip == (u64)l2_invpcid_end);
}

/* ---- registers ---- */

L2(l2_regs,
   "	mov $0x1111, %rax\n"
   "	mov %rax, %cr2\n"
   "	mov %rax, %dr0\n"
   "	mov $0x2222, %rsp\n"
   "	stc\n");

/* L2 changes its own, and L1 has back what it had. */
void guest_svm_registers(int cpu)
{
	u64 cr0, cr2, cr3, cr4, dr7, efer = 0;

	(void)cpu;
	setup(l2_regs);
	asm volatile("mov %0, %%cr2" :: "r"(0x3333ull));
	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	efer = rdmsr(MSR_EFER);
	VMCB->s.cr2 = 0x4444;
	VMCB->s.dr7 = 0x455;
	VMCB->s.efer &= ~(u64)EFER_SCE;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(VMCB->s.rax == 0x1111 && VMCB->s.rsp == 0x2222 && VMCB->s.cr2 == 0x1111);
	GCHECK(VMCB->s.rflags == 3 && VMCB->s.dr7 == 0x455 && !(VMCB->s.efer & EFER_SCE));
	GCHECK(VMCB->s.cpl == 0 && VMCB->s.cs.attrib == CODE64);
	GCHECK(rdmsr(MSR_EFER) == efer);
	asm volatile("mov %%cr0, %0" : "=r"(cr2));
	GCHECK(cr2 == cr0);
	asm volatile("mov %%cr3, %0" : "=r"(cr2));
	GCHECK(cr2 == cr3);
	asm volatile("mov %%cr4, %0" : "=r"(cr2));
	GCHECK(cr2 == cr4);
	asm volatile("mov %%dr7, %0" : "=r"(dr7));
	GCHECK(dr7 == 0x400);
	GCHECK(!VMCB->c.exit_int_info && !VMCB->c.event_inj);
}

/* ---- exceptions ---- */

L2(l2_fault,
   "	movabs $0x200001234, %rax\n"	/* GVA_UNMAPPED */
   "	movb $1, (%rax)\n"
   "	ud2\n");

static u64 behind;			/* where the handler that L1 and L2 share goes on */

static void go_on(struct trap *t)
{
	caught = (struct caught){ t->vec, t->err, t->rip, read_cr2() };
	t->rip = behind;
}

/* Those that L1 asks for end L2 and leave CR2 alone; others are L2's. */
void guest_svm_faults(int cpu)
{
	(void)cpu;
	setup(l2_fault);
	VMCB->s.cr2 = 0x4444;
	VMCB->c.intercept_exc = 1 << 14 | 1 << 6;
	expect(SVM_EXIT_EXC(14));
	GCHECK(VMCB->c.info1 == 2 && VMCB->c.info2 == 0x200001234 && VMCB->s.cr2 == 0x4444);
	VMCB->s.rip += 3;
	expect(SVM_EXIT_EXC(6));

	setup(l2_fault);
	set_handler(14, go_on);
	set_handler(6, go_on);
	behind = (u64)l2_fault_end;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(caught.vec == 14 && caught.err == 2 && caught.cr2 == 0x200001234);
	GCHECK(VMCB->s.cr2 == 0x200001234);
	begin_at((u64)l2_fault_end - 2);
	expect(SVM_EXIT_VMMCALL);
	GCHECK(caught.vec == 6 && caught.rip == (u64)l2_fault_end - 2);
}

/* ---- injected events ---- */

static u64 event(u8 type, u8 vector)
{
	return SVM_EVT_VALID | (u64)type << SVM_EVT_TYPE_SHIFT | vector;
}

void guest_svm_inject(int cpu)
{
	(void)cpu;
	behind = (u64)l2_nothing_end;
	set_handler(13, go_on);
	set_handler(2, go_on);
	set_handler(0x40, go_on);

	setup(l2_nothing);
	VMCB->c.event_inj = event(SVM_EVT_EXC, 13) | SVM_EVT_ERROR | 0x1230ull << 32;
	VMCB->c.intercept_exc = 1 << 13;	/* not of what is injected */
	expect(SVM_EXIT_VMMCALL);
	GCHECK(caught.vec == 13 && caught.err == 0x1230 && caught.rip == (u64)l2_nothing);
	GCHECK(!(VMCB->c.event_inj & SVM_EVT_VALID));

	setup(l2_nothing);
	VMCB->c.event_inj = event(SVM_EVT_INTR, 0x40);	/* IF is 0 */
	expect(SVM_EXIT_VMMCALL);
	GCHECK(caught.vec == 0x40);

	setup(l2_nothing);
	VMCB->c.intercept1 = SVM_I1_NMI;
	VMCB->c.event_inj = event(SVM_EVT_NMI, 2);
	expect(SVM_EXIT_VMMCALL);
	GCHECK(caught.vec == 2);

	/* Its delivery faults: L1 hears of both. */
	setup(l2_nothing);
	VMCB->c.event_inj = event(SVM_EVT_INTR, 0x40);
	VMCB->c.intercept_exc = 1 << 14;
	VMCB->s.idtr.base = GVA_UNMAPPED;
	expect(SVM_EXIT_EXC(14));
	GCHECK(VMCB->c.info2 >= GVA_UNMAPPED + 0x400 && VMCB->c.info2 < GVA_UNMAPPED + 0x410);
	GCHECK((u32)VMCB->c.exit_int_info == (u32)event(SVM_EVT_INTR, 0x40));
	GCHECK(VMCB->s.rip == (u64)l2_nothing);
}

/* L2's triple fault is L1's to hear of. */
void guest_svm_triple(int cpu)
{
	(void)cpu;
	setup(l2_fault);
	VMCB->c.intercept1 = SVM_I1_SHUTDOWN;
	VMCB->s.idtr.limit = 0;
	expect(SVM_EXIT_SHUTDOWN);
	setup(l2_nothing);
	expect(SVM_EXIT_VMMCALL);
}

/* ---- VMCBs that VMRUN refuses ---- */

static void refused(u32 n)
{
	step = n;
	VMCB->s.rax = 0x77;
	expect(SVM_EXIT_INVALID);
	GCHECK(VMCB->s.rip == (u64)l2_nothing && VMCB->s.rax == 0x77);
	setup(l2_nothing);
}

void guest_svm_invalid(int cpu)
{
	(void)cpu;
	setup(l2_nothing);
	VMCB->s.efer &= ~(u64)EFER_SVME;
	refused(1);
	VMCB->s.efer |= 1ull << 63;
	refused(2);
	VMCB->s.cr0 |= 1ull << 32;
	refused(3);
	VMCB->s.cr0 = (VMCB->s.cr0 | 1ull << 29) & ~(1ull << 30);
	refused(4);
	VMCB->s.cr4 &= ~0x20ull;
	refused(5);
	VMCB->s.cr0 &= ~1ull;
	refused(6);
	VMCB->s.cs.attrib |= SVM_SEG_DB;
	refused(7);
	VMCB->s.dr7 |= 1ull << 32;
	refused(8);
	VMCB->s.dr6 |= 1ull << 32;
	refused(9);
	VMCB->s.cr4 |= 1ull << 60;
	refused(10);
	VMCB->c.asid = 0;
	refused(11);
	VMCB->c.intercept2 &= ~SVM_I2_VMRUN;
	refused(12);
	VMCB->c.iopm = 1ull << 62;
	refused(13);
	VMCB->c.msrpm = 1ull << 62;
	refused(14);
	VMCB->s.cr3 |= 1ull << 62;
	refused(15);
	expect(SVM_EXIT_VMMCALL);
}
