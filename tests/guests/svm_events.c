// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts, NMIs, halts and traps in L2; its state; a VMCB that two CPUs write to. */
#include "svm.h"

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

L2(l2_touch,
   "	sub $16, %rsp\n"
   "	sidt (%rsp)\n"
   "	mov 2(%rsp), %rax\n"
   "	mov 0x62 * 16(%rax), %rbx\n"
   "	sgdt (%rsp)\n"
   "	mov 2(%rsp), %rax\n"
   "	mov 8(%rax), %rbx\n"
   "	add $16, %rsp\n");

/*
 * What a delivery reads and writes in L2, before the first: of a virtual interrupt that a nested page fault
 * cuts short TCG has an exception in EXITINTINFO, which KVM then injects as that.
 */
static void touch_delivery(void)
{
	setup(l2_touch);
	expect(SVM_EXIT_VMMCALL);
}

/* A virtual interrupt waits for L2's IF, and may end L2 instead. */
void guest_svm_virq(int cpu)
{
	(void)cpu;
	apic_enable();
	set_handler(VIRTUAL, count_virtual);
	touch_delivery();

	setup(l2_sti);
	VMCB->c.int_ctl = SVM_V_INTR_MASKING | SVM_V_IRQ | 1u << 16;
	VMCB->c.int_vector = VIRTUAL;
	VMCB->c.intercept1 = SVM_I1_VINTR;
	expect(SVM_EXIT_VINTR);
	GCHECK(!irqs[VIRTUAL] && VMCB->s.rip > (u64)l2_sti && (VMCB->c.int_ctl & SVM_V_IRQ));
	VMCB->c.intercept1 = 0;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(irqs[VIRTUAL] == 1 && !(VMCB->c.int_ctl & SVM_V_IRQ));
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

/* It waits for V_TPR, which is L2's CR8 and not L1's. */
void guest_svm_vtpr(int cpu)
{
	(void)cpu;
	apic_enable();
	set_handler(VIRTUAL, count_virtual);

	setup(l2_cr8);
	VMCB->c.int_ctl = SVM_V_INTR_MASKING | SVM_V_IRQ | 2u << 16 | 5;
	VMCB->c.int_vector = VIRTUAL;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(!irqs[VIRTUAL] && (VMCB->c.int_ctl & SVM_V_TPR) == 7);
	GCHECK(!read_l1_cr8());
	VMCB->s.rip += 3;
	expect(SVM_EXIT_VMMCALL);
	GCHECK(irqs[VIRTUAL] == 1 && !(VMCB->c.int_ctl & SVM_V_TPR));
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
