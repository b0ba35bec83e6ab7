/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that is a hypervisor (L1), by AMD's SVM, and the few instructions of its own guest (L2). */
#include "lib.h"

#include "../../hv/svm/vmcb.h"

#define VMCB	((struct vmcb *)(u64)GPA_SCRATCH)
#define HSAVE	(GPA_SCRATCH + 0x1000)
#define MSRPM	(GPA_SCRATCH + 0x2000)
#define IOPM	(GPA_SCRATCH + 0x4000)
#define STACK	(GPA_SCRATCH + 0x10000)		/* L2's */

#define CODE64	0xa9b				/* as ->attrib has them */
#define DATA	0xc93
#define IF	0x200ull

struct table {
	u16 limit;
	u64 base;
} __packed;

/* L2's code, whose places have names. */
#define L2(name, code) \
	extern u8 name[], name##_end[]; \
	asm(".pushsection .text\n" #name ":\n" code "\n" #name "_end:\n vmmcall\n.popsection")

static void fill(u64 at, u8 byte, u64 len)
{
	asm volatile("rep stosb" : "+D"(at), "+c"(len) : "a"(byte) : "memory");
}

static void set_seg(struct vmcb_seg *s, u16 attrib)
{
	*s = (struct vmcb_seg){ .attrib = attrib, .limit = ~0u };
}

static void begin_at(u64 code)
{
	VMCB->s.rip = code;
	VMCB->s.rsp = STACK;
	VMCB->s.rflags = 2;
}

/* An L2 that is as L1 is, and exits for VMMCALL. */
static void setup(const u8 *code)
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

static u64 l2_rcx, l2_rdx;		/* L2's; of those that are not in the VMCB it keeps no others */

/* To L2 and back; @sti: with interrupts on, in L1's eyes.  GIF is 0 until STGI. */
static void run_l2_gif(bool sti)
{
	if (sti)
		asm volatile("clgi; sti" ::: "memory");
	asm volatile("push %%rbp; vmload %%rax; vmrun %%rax; vmsave %%rax; pop %%rbp"
		     : "+c"(l2_rcx), "+d"(l2_rdx) : "a"(VMCB)
		     : "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		       "memory", "cc");
}

static void run_l2(void)
{
	run_l2_gif(false);
	asm volatile("stgi" ::: "memory");
}

static u32 step;			/* of a case that has many */

/* It must end so; else "error" is what it should have been, and "cr2" the step. */
static void expect(u64 code)
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

static void set_maps(u8 byte)
{
	fill(MSRPM, byte, 0x2000);
	fill(IOPM, byte, 0x3000);
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

L2(l2_nothing, "	nop");

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

/* ---- interrupts ---- */

#define VECTOR	0x51
#define VIRTUAL	0x62

static void count_virtual(struct trap *t)
{
	irqs[t->vec]++;
}

static void send_self(void)
{
	apic_icr(0, ICR_SELF | ICR_FIXED | VECTOR);
}

/* GIF holds them back whatever IF says. */
void guest_svm_gif(int cpu)
{
	(void)cpu;
	apic_enable();
	count_irq(VECTOR);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	asm volatile("clgi; sti" ::: "memory");
	send_self();
	asm volatile("nop; nop" ::: "memory");
	GCHECK(!irqs[VECTOR]);
	asm volatile("stgi; nop; nop" ::: "memory");
	GCHECK(irqs[VECTOR] == 1);
	asm volatile("cli" ::: "memory");
}

L2(l2_sti, "	sti\n	nop\n	nop\n	cli\n");
L2(l2_spin, "1:	pause\n	jmp 1b\n");

/* L1 has a timer, and takes its interrupts itself. */
static void timer_ends_l2(void)
{
	setup(l2_spin);
	VMCB->c.intercept1 = SVM_I1_INTR;
	VMCB->c.int_ctl = SVM_V_INTR_MASKING;
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, VECTOR);
	apic_write(APIC_TMICT, 1000000);
	run_l2_gif(true);
	GCHECK(VMCB->c.exit_code == SVM_EXIT_INTR && !irqs[VECTOR]);
	asm volatile("stgi; nop; cli" ::: "memory");
	GCHECK(irqs[VECTOR] == 1);
}

void guest_svm_intr(int cpu)
{
	(void)cpu;
	apic_enable();
	count_irq(VECTOR);
	timer_ends_l2();
	irqs[VECTOR] = 0;

	/* One that waits already: L2 does not begin. */
	setup(l2_sti);
	VMCB->c.intercept1 = SVM_I1_INTR;
	VMCB->c.int_ctl = SVM_V_INTR_MASKING;
	send_self();
	run_l2_gif(true);
	GCHECK(VMCB->c.exit_code == SVM_EXIT_INTR && VMCB->s.rip == (u64)l2_sti);
	GCHECK(!irqs[VECTOR]);
	asm volatile("stgi; nop; cli" ::: "memory");
	GCHECK(irqs[VECTOR] == 1);

	/* L1's IF is 0: it waits on, whatever L2's is. */
	send_self();
	expect(SVM_EXIT_VMMCALL);
	GCHECK(irqs[VECTOR] == 1);
	asm volatile("sti; nop; cli" ::: "memory");
	GCHECK(irqs[VECTOR] == 2);

	/* L2's own IF counts without V_INTR_MASKING; it exits there, or takes it itself. */
	setup(l2_sti);
	VMCB->c.intercept1 = SVM_I1_INTR;
	send_self();
	expect(SVM_EXIT_INTR);
	GCHECK(VMCB->s.rip > (u64)l2_sti && irqs[VECTOR] == 2);
	VMCB->c.intercept1 = 0;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(irqs[VECTOR] == 3);
}

L2(l2_cr8,
   "	mov %cr8, %rbx\n"
   "	mov $7, %eax\n"
   "	mov %rax, %cr8\n"
   "	sti\n	nop\n	nop\n"
   "	vmmcall\n"
   "	xor %eax, %eax\n"
   "	mov %rax, %cr8\n"
   "	nop\n	cli\n");

static u64 read_l1_cr8(void)
{
	u64 cr8;

	asm volatile("mov %%cr8, %0" : "=r"(cr8));
	return cr8;
}

/* A virtual interrupt waits for L2's IF and CR8, and may end L2 instead. */
void guest_svm_virq(int cpu)
{
	(void)cpu;
	apic_enable();
	set_handler(VIRTUAL, count_virtual);

	setup(l2_sti);
	VMCB->c.int_ctl = SVM_V_INTR_MASKING | SVM_V_IRQ | 1u << 16;
	VMCB->c.int_vector = VIRTUAL;
	VMCB->c.intercept1 = SVM_I1_VINTR;
	expect(SVM_EXIT_VINTR);
	GCHECK(!irqs[VIRTUAL] && VMCB->s.rip > (u64)l2_sti && (VMCB->c.int_ctl & SVM_V_IRQ));
	VMCB->c.intercept1 = 0;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(irqs[VIRTUAL] == 1 && !(VMCB->c.int_ctl & SVM_V_IRQ));

	setup(l2_cr8);
	VMCB->c.int_ctl = SVM_V_INTR_MASKING | SVM_V_IRQ | 2u << 16 | 5;
	VMCB->c.int_vector = VIRTUAL;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(irqs[VIRTUAL] == 1 && (VMCB->c.int_ctl & SVM_V_TPR) == 7);
	GCHECK(!read_l1_cr8());
	VMCB->s.rip += 3;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(irqs[VIRTUAL] == 2 && !(VMCB->c.int_ctl & SVM_V_TPR));
	GCHECK(VMCB->s.rip == (u64)l2_cr8_end);
}

L2(l2_iret,
   "	mov %rsp, %rbx\n"
   "	mov %ss, %eax\n"
   "	push %rax\n"
   "	push %rbx\n"
   "	pushf\n"
   "	mov %cs, %eax\n"
   "	push %rax\n"
   "	lea l2_iret_done(%rip), %rax\n"
   "	push %rax\n"
   "	iretq\n"
   "l2_iret_done:	nop\n");
extern u8 l2_iret_done[];

static u32 nmis;

/* The first of L1's has another one wait, while it runs L2. */
static void nmi_runs_l2(struct trap *t)
{
	(void)t;
	if (nmis++)
		return;
	apic_icr(0, ICR_NMI);
	setup(l2_nothing);
	VMCB->c.intercept1 = SVM_I1_NMI;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(nmis == 1);
	begin_at((u64)l2_iret);
	run_l2_gif(false);
	GCHECK(VMCB->c.exit_code == SVM_EXIT_NMI && VMCB->s.rip == (u64)l2_iret_done);
	GCHECK(nmis == 1);
	asm volatile("stgi; nop" ::: "memory");
	GCHECK(nmis == 2);
}

/* NMIs are blocked in L1's handler, in its L2, too, until an IRET. */
void guest_svm_nmi(int cpu)
{
	(void)cpu;
	apic_enable();
	set_handler(2, nmi_runs_l2);
	apic_icr(0, ICR_NMI);
	while (nmis < 2)
		asm volatile("pause" ::: "memory");
}

L2(l2_halt, "	hlt\n");

/* With a virtual interrupt, and L1's timer; false: that was before L2 had begun. */
static bool halts(u32 tpr, u64 rflags, u32 ticks)
{
	setup(l2_halt);
	VMCB->c.intercept1 = SVM_I1_INTR;
	VMCB->c.int_ctl = SVM_V_INTR_MASKING | SVM_V_IRQ | 2u << 16 | tpr;
	VMCB->c.int_vector = VIRTUAL;
	VMCB->s.rflags |= rflags;
	apic_write(APIC_TMICT, ticks);
	run_l2_gif(true);
	GCHECK(VMCB->c.exit_code == SVM_EXIT_INTR);
	asm volatile("stgi; nop; cli" ::: "memory");
	return VMCB->s.rip == (u64)l2_halt_end;
}

/* A virtual interrupt that L2's CR8 or IF holds back does not end its HLT; the timer does. */
void guest_svm_halt(int cpu)
{
	u32 ticks = 1000000;

	(void)cpu;
	apic_enable();
	count_irq(VECTOR);
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, VECTOR);
	while (!halts(5, IF, ticks))
		ticks *= 2;
	while (!halts(0, 0, ticks))
		ticks *= 2;
}

/* ---- for KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE ---- */

L2(l2_sync,
   "	mov $" "0x5f0" ", %edx\n"		/* PORT_SYNC */
   "	mov $2, %eax\n"
   "	out %eax, %dx\n"
   "	mov $3, %eax\n"
   "	out %eax, %dx\n");

void guest_svm_state(int cpu)
{
	(void)cpu;
	setup(l2_sync);
	VMCB->c.intercept_exc = 1 << 14;
	sync_point(1);
	expect(SVM_EXIT_VMMCALL);
	asm volatile("clgi" ::: "memory");
	sync_point(4);
	asm volatile("stgi" ::: "memory");
}

/* ---- traps ---- */

/* Steps over what the CPU does, and over an OUT, which is done for it. */
L2(l2_step,
   "	mov $" "0x5f0" ", %edx\n"		/* PORT_SYNC */
   "	mov $2, %eax\n"
   "	out %eax, %dx\n"
   "	pushf\n"
   "	orl $0x100, (%rsp)\n"
   "	popf\n"
   "	mov $3, %eax\n"
   "l2_step_mov:	out %eax, %dx\n"
   "l2_step_out:	nop\n");
extern u8 l2_step_mov[], l2_step_out[];

/* L1 is told of both, also by the VMCB's DR6, which it clears between them. */
void guest_svm_step(int cpu)
{
	(void)cpu;
	setup(l2_step);
	VMCB->c.intercept_exc = 1 << 1;
	expect(SVM_EXIT_EXC(1));
	GCHECK(VMCB->s.rip == (u64)l2_step_mov && VMCB->s.dr6 == 0xffff4ff0);
	VMCB->s.dr6 = 0xffff0ff0;
	expect(SVM_EXIT_EXC(1));
	GCHECK(VMCB->s.rip == (u64)l2_step_out && VMCB->s.dr6 == 0xffff4ff0);
}

/* ---- a VMCB that two CPUs write to ---- */

#define COUNT		MEM(u64, (u64)VMCB + 0x380)	/* what the processor has no business with */
#define ROUNDS		4000

static volatile bool l2_over;

/* L2 begins and ends, and VMSAVE writes. */
static void run_often(void)
{
	u32 i;

	apic_enable();
	setup(l2_nothing);
	start_cpu(1);
	for (i = 0; i < ROUNDS; i++) {
		VMCB->s.rip = (u64)l2_nothing;
		run_l2();
		GCHECK(VMCB->c.exit_code == SVM_EXIT_VMMCALL);
	}
	l2_over = true;
}

/* CPU 1 counts there all the while, and finds what it has written. */
void guest_svm_shared(int cpu)
{
	u64 n = 0;

	if (!cpu) {
		run_often();
		return;
	}
	while (!l2_over) {
		COUNT = ++n;
		GCHECK(COUNT == n);
		asm volatile("pause");
		GCHECK(COUNT == n);
	}
}

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
