/* SPDX-License-Identifier: GPL-2.0-only */
/* Hardware task switches. */
#include "late.h"
#include "prot.h"

#define TSS1	(GPA_SCRATCH + 0x3200)		/* of the tasks after the first */
#define TSS2	(GPA_SCRATCH + 0x3400)
#define FAR0	(GPA_SCRATCH + 0x4000)		/* pointers for far jumps and calls */
#define FAR1	(GPA_SCRATCH + 0x4008)
#define STACK1	(GPA_SCRATCH + 0x7000)
#define STACK2	(GPA_SCRATCH + 0x8000)
#define DIR0	(GPA_SCRATCH + 0x10000)		/* page directories, and a table of each */
#define DIR1	(GPA_SCRATCH + 0x11000)
#define PT0	(GPA_SCRATCH + 0x12000)
#define PT1	(GPA_SCRATCH + 0x13000)
#define PAGE0	(GPA_SCRATCH + 0x14000)
#define PAGE1	(GPA_SCRATCH + 0x15000)
#define WINDOW	0x40000000			/* PAGE0 or PAGE1 */
#define LOW	0x60000				/* the code once more, for virtual-8086 mode */

#define SEL_TSS1	0x20
#define SEL_TSS2	0x28
#define SEL_CODE_AT	0x30			/* code and data that begin at CODE, 64 KiB */
#define SEL_DATA_AT	0x38
#define SEL_ABSENT	0x40			/* data, not present */
#define SEL_LDT		0x48
#define SEL_GATE	0x50			/* a task gate */
#define SEL_NONE	0xff8			/* beyond the table */

#define PLACE(name) ".globl task_" #name "\ntask_" #name ":\n"

asm(".pushsection .rodata\n.code32\n"
    PLACE(blob)
    PLACE(jmp) "ljmp *" STR(FAR0) "\n"
    PLACE(jmp_back) SYNC(2) "ljmp *" STR(FAR0) "\n" SYNC(4)
    PLACE(other_jmp) SYNC(1) "ljmp *" STR(FAR1) "\n"
    PLACE(other_jmp_again) SYNC(3) "ljmp *" STR(FAR1) "\n"

    PLACE(call) "lcall *" STR(FAR0) "\n"
    PLACE(call_back) SYNC(2) "lcall *" STR(FAR0) "\n" SYNC(4)
    PLACE(other_iret) SYNC(1) "iret\n"
    PLACE(other_iret_again) SYNC(3) "iret\n"

    PLACE(soft) "int $0x40\n"
    PLACE(soft_back) SYNC(2)
    PLACE(interrupted) SYNC(4)

    PLACE(fault) "mov $" STR(SEL_NONE) ", %eax\n"
    PLACE(fault_here) "mov %eax, %ds\n" SYNC(2)
    PLACE(other_error) "pop %ebx\n" SYNC(1) "iret\n jmp task_other_error\n"

    PLACE(window) "mov " STR(WINDOW) ", %ebx\n ljmp *" STR(FAR0) "\n mov " STR(WINDOW) ", %ebx\n" SYNC(2)
    PLACE(other_window) "mov " STR(WINDOW) ", %ebx\n" SYNC(1) "ljmp *" STR(FAR1) "\n"

    PLACE(nmi) SYNC(5) "nop\n" SYNC(2)
    PLACE(handler) "pop %ebx\n pop %ecx\n" SYNC(1)
    PLACE(debug) "mov %dr6, %ebx\n" SYNC(1)
    ".code16\n"
    PLACE(v86) "mov $" STR(PORT_SYNC) ", %dx\n mov $1, %eax\n out %eax, %dx\n"
    "int3\n"
    PLACE(end)
    ".code64\n.popsection");

extern const uint8_t task_blob[], task_end[];
#define AT(name) ({ extern const uint8_t task_##name[]; (uint32_t)(CODE + (task_##name - task_blob)); })

struct tss {
	uint32_t link, esp0, ss0, stacks[4], cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t flags, iomap;
};
_Static_assert(sizeof(struct tss) == 104, "the CPU's");

struct tss_small {
	uint16_t link, stacks[6], ip, flags, ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
};
_Static_assert(sizeof(struct tss_small) == 44, "the CPU's");

static bool busy(int sel) { return vm->mem[GDT + sel + 5] & AR_BUSY; }
static struct tss *tss(uint32_t at) { return (struct tss *)(vm->mem + at); }

static void far_pointer(uint32_t at, uint16_t sel)
{
	memcpy(vm->mem + at + 4, &sel, 2);
}

static void fill_tss(struct tss *t, uint32_t eip, uint32_t esp)
{
	*t = (struct tss){
		.esp0 = esp, .ss0 = SEL_DATA, .eip = eip, .eflags = 2, .esp = esp,
		.eax = 0xa0a0a0a0, .ecx = 0xc1c1c1c1, .ebp = 0xb5b5b5b5, .esi = 0x56565656, .edi = 0x67676767,
		.es = SEL_DATA, .cs = SEL_CODE, .ss = SEL_DATA, .ds = SEL_DATA, .iomap = 104,
	};
}

/* A first task at @eip, and another one to go to, at @other. */
static void setup(uint32_t eip, uint32_t other, int flags)
{
	prot_new(task_blob, task_end - task_blob, flags);
	descriptor(SEL_TSS1, TSS1, 0x67, AR_TSS32);
	descriptor(SEL_TSS2, TSS2, 0x67, AR_TSS32);
	descriptor(SEL_CODE_AT, CODE, 0xffff, AR_CODE_SMALL);
	descriptor(SEL_DATA_AT, CODE, 0xffff, AR_DATA_SMALL);
	descriptor(SEL_ABSENT, 0, 0xfffff, AR_DATA32 & ~0x80);
	descriptor(SEL_LDT, GDT, 0x7f, AR_LDT);
	fill_tss(tss(TSS1), other, STACK1);
	far_pointer(FAR0, SEL_TSS1);
	far_pointer(FAR1, SEL_TSS0);
	prot_start(eip);
}

static void expect_task(uint16_t sel)
{
	struct kvm_sregs s = sregs();

	CHECK_EQ(s.tr.selector, sel);
	CHECK_EQ(s.tr.type, 11);
	CHECK_EQ(s.cr0 & 8, 8);				/* TS */
	CHECK(busy(sel));
}

/* What the first task left in its TSS. */
static void expect_saved(uint32_t eip)
{
	struct tss *t = tss(TSS0);

	CHECK_EQ(t->eip, eip);
	CHECK_EQ(t->eflags & 0x4200, 0x200);		/* IF, no NT */
	CHECK_EQ(t->ebp, 0x12345678);
	CHECK_EQ(t->edi, 0x9abcdef0);
	CHECK_EQ(t->cs, SEL_CODE);
	CHECK_EQ(t->ss, SEL_DATA);
	CHECK_EQ(t->gs, SEL_DATA);
}

#define NT	0x4000

TEST(task, jmp)
{
	struct kvm_debugregs d;
	struct kvm_regs r;

	setup(AT(jmp), AT(other_jmp), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_DEBUGREGS, &d), 0);
	d.db[0] = 0x7654321;
	d.dr7 = 0x403;					/* L0 and G0 */
	CHECK_EQ(ioctl(v->fd, KVM_SET_DEBUGREGS, &d), 0);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	expect_saved(AT(jmp_back));
	CHECK_EQ(tss(TSS0)->esp, STACK0);
	CHECK(!busy(SEL_TSS0));
	CHECK_EQ(tss(TSS1)->link, 0);
	r = regs();
	CHECK_EQ(r.rflags & (NT | 0x200), 0);
	CHECK_EQ(r.rcx, 0xc1c1c1c1);
	CHECK_EQ(r.rbp, 0xb5b5b5b5);
	CHECK_EQ(r.rsp, STACK1);
	CHECK_EQ(r.rdi, 0x67676767);
	CHECK_EQ(sregs().fs.selector, 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_DEBUGREGS, &d), 0);
	CHECK_EQ(d.dr7, 0x402);				/* local breakpoints are over */
	run_sync(v, 2);
	expect_task(SEL_TSS0);
	CHECK(!busy(SEL_TSS1));
	CHECK_EQ(tss(TSS1)->eip, AT(other_jmp_again));
	CHECK_EQ(tss(TSS1)->edx, PORT_SYNC);
	r = regs();
	CHECK_EQ(r.rsp, STACK0);
	CHECK_EQ(r.rbp, 0x12345678);
	CHECK_EQ(sregs().fs.selector, SEL_DATA);
	run_sync(v, 3);
	run_sync(v, 4);
}

/* TSSs and descriptors in memory that the guest has not touched before; a TSS in two pages. */
TEST(task, demand)
{
	uint8_t *m = mem_new(0x4000);
	struct tss *t = (struct tss *)(m + 0x1fd0);

	setup(AT(call), AT(other_iret), 0);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 0x4000, m, 0), 0);
	fill_tss(t, AT(other_iret), STACK1);
	descriptor(SEL_TSS1, HIGH + 0x1fd0, 0x67, AR_TSS32);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	CHECK_EQ(t->link, SEL_TSS0);
	CHECK_EQ(regs().rbp, 0xb5b5b5b5);
	run_sync(v, 2);
	CHECK_EQ(t->eip, AT(other_iret_again));
	CHECK_EQ(t->ebp, 0xb5b5b5b5);
	run_sync(v, 3);
	run_sync(v, 4);
}

/* The same, with memory that has to be waited for: a signal ends that, and the switch is made once. */
TEST(task, late)
{
	static uint8_t image[0x3000];
	struct late l = late_new(3);
	struct tss *t = (struct tss *)(l.mem + 0x1fd0);

	if (is_amd())
		SKIP("the CPU makes the switch");
	setup(AT(call), AT(other_iret), 0);
	CHECK_EQ(vm_slot(vm, 2, HIGH, sizeof(image), l.mem, 0), 0);
	fill_tss((struct tss *)(image + 0x1fd0), AT(other_iret), STACK1);
	descriptor(SEL_TSS1, HIGH + 0x1fd0, 0x67, AR_TSS32);
	late_interrupts(v, &l, 1);
	late_bring_protected(&l, 1, image + 0x1000);
	late_interrupts(v, &l, 1);
	late_unprotect(&l, 1);
	late_interrupts(v, &l, 2);
	CHECK(busy(SEL_TSS0) && !busy(SEL_TSS1));
	CHECK_EQ(tss(TSS0)->eip, 0);
	late_bring(&l, 2, image + 0x2000);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	CHECK_EQ(t->link, SEL_TSS0);
	expect_saved(AT(call_back));
	late_take(&l, 2);
	late_interrupts(v, &l, 2);
	late_bring(&l, 2, image + 0x2000);
	run_sync(v, 2);
	CHECK_EQ(t->eip, AT(other_iret_again));
	CHECK_EQ(t->ebp, 0xb5b5b5b5);
	run_sync(v, 3);
	run_sync(v, 4);
}

TEST(task, call)
{
	setup(AT(call), AT(other_iret), 0);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	expect_saved(AT(call_back));
	CHECK(busy(SEL_TSS0));
	CHECK_EQ(tss(TSS1)->link, SEL_TSS0);
	CHECK_EQ(regs().rflags & NT, NT);
	run_sync(v, 2);
	expect_task(SEL_TSS0);
	CHECK(!busy(SEL_TSS1));
	CHECK_EQ(regs().rflags & NT, 0);
	CHECK_EQ(tss(TSS1)->eflags & NT, 0);
	CHECK_EQ(tss(TSS1)->eip, AT(other_iret_again));
	run_sync(v, 3);
	CHECK_EQ(regs().rflags & NT, NT);
	run_sync(v, 4);
	CHECK_EQ(regs().rsp, STACK0);
}

/* Through a task gate in the GDT. */
TEST(task, call_gate)
{
	uint16_t g[4] = { 0, SEL_TSS1, 0x8500, 0 };

	setup(AT(call), AT(other_iret), 0);
	memcpy(vm->mem + GDT + SEL_GATE, g, 8);
	far_pointer(FAR0, SEL_GATE);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	expect_saved(AT(call_back));
	CHECK_EQ(tss(TSS1)->link, SEL_TSS0);
	run_sync(v, 2);
	expect_task(SEL_TSS0);
}

static void enable_apic(void)
{
	struct kvm_lapic_state l;
	uint32_t svr = 0x1ff;

	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &l), 0);
	memcpy(l.regs + 0xf0, &svr, 4);
	CHECK_EQ(ioctl(v->fd, KVM_SET_LAPIC, &l), 0);
}

/* INT n, and an interrupt from outside. */
TEST(task, interrupt)
{
	setup(AT(soft), AT(other_iret), 0);
	enable_apic();
	task_gate(0x40, SEL_TSS1);
	task_gate(0x41, SEL_TSS1);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	expect_saved(AT(soft_back));
	CHECK_EQ(tss(TSS1)->link, SEL_TSS0);
	run_sync(v, 2);
	expect_task(SEL_TSS0);
	CHECK(signal_msi(vm, 0xfee00000, 0x41) > 0);
	run_sync(v, 3);
	expect_task(SEL_TSS1);
	expect_saved(AT(interrupted));
	CHECK_EQ(regs().rsp, STACK1);
	run_sync(v, 4);
	expect_task(SEL_TSS0);
}

/* An exception's error code is on the stack of the task that handles it. */
TEST(task, exception)
{
	setup(AT(fault), AT(other_error), 0);
	task_gate(13, SEL_TSS1);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	expect_saved(AT(fault_here));
	CHECK_EQ(regs().rbx, SEL_NONE);
	CHECK_EQ(regs().rsp, STACK1);
	tss(TSS0)->eax = SEL_DATA;
	run_sync(v, 2);
	expect_task(SEL_TSS0);
}

/* While an NMI's task runs no other NMI comes; its IRET ends that. */
TEST(task, nmi)
{
	struct kvm_vcpu_events e;

	setup(AT(nmi), AT(other_iret), 0);
	task_gate(2, SEL_TSS1);
	run_sync(v, 5);
	CHECK_EQ(ioctl(v->fd, KVM_NMI, 0), 0);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(e.nmi.masked, 1);
	run_sync(v, 2);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(e.nmi.masked, 0);
}

/* The first 4 MiB one to one, and at WINDOW a page. */
static void directory(uint32_t dir, uint32_t table, uint32_t page)
{
	uint32_t *d = (uint32_t *)(vm->mem + dir);

	d[0] = 0x83;
	d[WINDOW >> 22] = table | 3;
	*(uint32_t *)(vm->mem + table) = page | 3;
}

TEST(task, cr3)
{
	struct kvm_sregs s;
	uint32_t *dir;

	setup(AT(window), AT(other_window), 0);
	dir = (uint32_t *)(vm->mem + DIR1);
	directory(DIR0, PT0, PAGE0);
	directory(DIR1, PT1, PAGE1);
	*(uint32_t *)(vm->mem + PAGE0) = 0x1000;
	*(uint32_t *)(vm->mem + PAGE1) = 0x2000;
	tss(TSS0)->cr3 = DIR0;
	tss(TSS1)->cr3 = DIR1;
	s = sregs();
	s.cr3 = DIR0;
	s.cr4 = 0x10;					/* PSE */
	s.cr0 |= 0x80010000;				/* PG, WP */
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	run_sync(v, 1);
	CHECK_EQ(regs().rbx, 0x2000);
	CHECK_EQ(sregs().cr3, DIR1);
	CHECK_EQ(dir[0] & 0x20, 0x20);			/* accessed */
	CHECK_EQ(tss(TSS0)->ebx, 0x1000);
	run_sync(v, 2);
	CHECK_EQ(regs().rbx, 0x1000);
	CHECK_EQ(sregs().cr3, DIR0);
}

/* The new TSS's page is not there for the guest: #PF before anything has changed. */
TEST(task, page_fault)
{
	uint32_t *table;
	struct kvm_sregs s;

	setup(AT(jmp), AT(other_jmp), 0);
	directory(DIR0, PT0, 0);
	table = (uint32_t *)(vm->mem + PT0);
	table[0] = 0;
	descriptor(SEL_TSS1, WINDOW + 0x200, 0x67, AR_TSS32);
	trap_gate(14, AT(handler));
	s = sregs();
	s.cr3 = DIR0;
	s.cr4 = 0x10;
	s.cr0 |= 0x80010000;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	run_sync(v, 1);
	CHECK_EQ(sregs().tr.selector, SEL_TSS0);
	CHECK_EQ(sregs().cr2 & ~0xfffull, WINDOW);
	CHECK_EQ(regs().rbx & 1, 0);			/* not present */
	CHECK_EQ(regs().rcx, AT(jmp));
	CHECK(busy(SEL_TSS0) && !busy(SEL_TSS1));
}

/* Go to TSS1, whose descriptor is no good: a fault of the old task. */
static void refused(int vec, uint32_t limit, uint16_t ar)
{
	setup(AT(jmp), AT(other_jmp), 0);
	descriptor(SEL_TSS1, TSS1, limit, ar);
	trap_gate(vec, AT(handler));
	run_sync(v, 1);
	CHECK_EQ(sregs().tr.selector, SEL_TSS0);
	CHECK_EQ(regs().rbx, SEL_TSS1);
	CHECK_EQ(regs().rcx, AT(jmp));
	CHECK_EQ(tss(TSS0)->eip, 0);
}

TEST(task, bad_tss)
{
	refused(10, 0x66, AR_TSS32);
	refused(11, 0x67, AR_TSS32 & ~0x80);
	refused(13, 0x67, AR_TSS32 | AR_BUSY);
}

/*
 * The fault is the new task's first instruction's.  TCG gives it the RIP of the one that switched
 * (docs/testbed.md).
 */
static bool is_first(uint32_t eip)
{
	return eip == AT(other_jmp) || (is_amd() && eip == AT(jmp));
}

/* A data segment of the new task is no good: its first fault, with its registers. */
static void bad_data(int vec, uint16_t sel)
{
	setup(AT(jmp), AT(other_jmp), 0);
	tss(TSS1)->fs = sel;
	trap_gate(vec, AT(handler));
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	expect_saved(AT(jmp_back));
	CHECK_EQ(regs().rbx, sel);
	CHECK(is_first(regs().rcx));
	CHECK_EQ(regs().rsp, STACK1 - 8);		/* CS and EFLAGS are left there */
}

TEST(task, bad_segment)
{
	bad_data(10, SEL_NONE);
	bad_data(10, SEL_TSS2);
	bad_data(11, SEL_ABSENT);
}

/* Neither code nor stack in the new task: a third task takes the fault. */
static void bad_task(int vec, uint16_t sel, uint32_t *field)
{
	*field = sel;
	fill_tss(tss(TSS2), AT(other_error), STACK2);
	task_gate(vec, SEL_TSS2);
	run_sync(v, 1);
	expect_task(SEL_TSS2);
	CHECK_EQ(regs().rbx, sel);
	CHECK_EQ(tss(TSS2)->link, SEL_TSS1);
	CHECK(is_first(tss(TSS1)->eip));
	CHECK(busy(SEL_TSS1) && !busy(SEL_TSS0));
}

TEST(task, bad_task)
{
	setup(AT(jmp), AT(other_jmp), 0);
	bad_task(10, SEL_DATA, &tss(TSS1)->ldt);
	setup(AT(jmp), AT(other_jmp), 0);
	bad_task(10, SEL_DATA, &tss(TSS1)->cs);
	setup(AT(jmp), AT(other_jmp), 0);
	if (is_amd())
		task_gate(11, SEL_TSS2);		/* TCG has #NP, not #SS */
	bad_task(12, SEL_ABSENT, &tss(TSS1)->ss);
}

TEST(task, ldt)
{
	setup(AT(jmp), AT(other_jmp), 0);
	tss(TSS1)->ldt = SEL_LDT;
	tss(TSS1)->gs = SEL_DATA_AT | 4;		/* the GDT is the LDT */
	run_sync(v, 1);
	CHECK_EQ(sregs().ldt.selector, SEL_LDT);
	CHECK_EQ(sregs().ldt.base, GDT);
	CHECK_EQ(sregs().gs.selector, SEL_DATA_AT | 4);
	CHECK_EQ(sregs().gs.base, CODE);
	run_sync(v, 2);
	CHECK_EQ(sregs().ldt.selector, 0);
}

/* To a task of the 80286 and back. */
TEST(task, small)
{
	struct tss_small *t;

	setup(AT(jmp), AT(other_jmp), 0);
	t = (struct tss_small *)(vm->mem + TSS1);
	*t = (struct tss_small){
		.ip = AT(other_jmp) - CODE, .flags = 2, .sp = STACK1 - CODE, .bp = 0xb5b5, .di = 0xd1d1,
		.es = SEL_DATA, .cs = SEL_CODE_AT, .ss = SEL_DATA_AT, .ds = SEL_DATA,
	};
	descriptor(SEL_TSS1, TSS1, 0x2b, AR_TSS16);
	run_sync(v, 1);
	expect_saved(AT(jmp_back));
	CHECK_EQ(sregs().tr.selector, SEL_TSS1);
	CHECK_EQ(sregs().tr.type, 3);
	CHECK_EQ(sregs().cs.base, CODE);
	CHECK_EQ(regs().rbp & 0xffff, 0xb5b5);
	CHECK_EQ(regs().rip >> 16, 0);
	run_sync(v, 2);
	expect_task(SEL_TSS0);
	CHECK_EQ(t->ip, AT(other_jmp_again) - CODE);
	CHECK_EQ(t->di, 0xd1d1);
	CHECK_EQ(t->sp, STACK1 - CODE);
	CHECK_EQ(t->dx, PORT_SYNC);
	CHECK_EQ(t->cs, SEL_CODE_AT);
	run_sync(v, 3);
	run_sync(v, 4);
}

/* To virtual-8086 mode, which may write to the port, and back by an exception. */
TEST(task, v8086)
{
	struct tss *t;

	setup(AT(jmp), AT(v86) - CODE, 0);
	t = tss(TSS1);
	t->eflags = 0x23002;				/* VM, IOPL 3 */
	memcpy(vm->mem + LOW, task_blob, task_end - task_blob);
	t->cs = t->ds = t->fs = LOW >> 4;
	t->ss = 0;
	t->esp = 0x7000;
	descriptor(SEL_TSS1, TSS1, 104 + PORT_FAIL / 8, AR_TSS32);
	memset(vm->mem + TSS1 + 104, 0, PORT_FAIL / 8 + 1);
	descriptor(SEL_TSS2, TSS2, 0x67, AR_TSS32);
	fill_tss(tss(TSS2), AT(other_iret_again), STACK2);
	gate(3, SEL_TSS2, 0, 0xe500);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	CHECK_EQ(regs().rflags & 0x23000, 0x23000);
	CHECK_EQ(sregs().cs.base, LOW);
	CHECK_EQ(sregs().fs.limit, 0xffff);
	CHECK_EQ(sregs().ss.dpl, 3);
	run_sync(v, 3);
	expect_task(SEL_TSS2);
	CHECK_EQ(t->eflags & 0x20000, 0x20000);
	CHECK_EQ(t->ds, LOW >> 4);
}

/* The T flag of a TSS: a debug exception before its task begins. */
TEST(task, trap_flag)
{
	setup(AT(jmp), AT(debug), 0);
	tss(TSS1)->flags = 1;
	trap_gate(1, AT(debug));
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	if (is_amd() && regs().rsp == STACK1)
		SKIP("an AMD processor that does not know it: TCG");
	CHECK_EQ(regs().rsp, STACK1 - 12);
	CHECK_EQ(regs().rbx & 0x8000, 0x8000);		/* DR6.BT */
	CHECK_EQ(*(uint32_t *)(vm->mem + STACK1 - 12), AT(debug));
}

/* A TSS where there is no memory: the guest cannot go on, and no harm is done. */
TEST(task, no_memory)
{
	setup(AT(jmp), AT(other_jmp), 0);
	descriptor(SEL_TSS1, GPA_MMIO, 0x67, AR_TSS32);
	run_exit(v, KVM_EXIT_INTERNAL_ERROR);
	CHECK_EQ(regs().rip, AT(jmp));
	CHECK_EQ(sregs().tr.selector, SEL_TSS0);
	vm_free(vm);
}

/* The same for an exception's task. Once the TSS is somewhere, the exception is delivered after all. */
TEST(task, no_memory_event)
{
	if (is_amd() || access("/sys/kernel/bedplate", F_OK))
		SKIP("where the CPU makes the switch, and KVM, do it otherwise");
	setup(AT(fault), AT(other_error), 0);
	task_gate(13, SEL_TSS1);
	descriptor(SEL_TSS1, GPA_MMIO, 0x67, AR_TSS32);
	run_exit(v, KVM_EXIT_INTERNAL_ERROR);
	CHECK_EQ(v->run->internal.suberror, KVM_INTERNAL_ERROR_DELIVERY_EV);
	CHECK_EQ(regs().rip, AT(fault_here));
	CHECK_EQ(sregs().tr.selector, SEL_TSS0);
	descriptor(SEL_TSS1, TSS1, 0x67, AR_TSS32);
	run_sync(v, 1);
	expect_task(SEL_TSS1);
	expect_saved(AT(fault_here));
	CHECK_EQ(regs().rbx, SEL_NONE);
}

/* The TSS of an exception's task is no good: both make a double fault, which has a task too. */
TEST(task, double_fault)
{
	setup(AT(fault), AT(other_error), 0);
	task_gate(13, SEL_TSS1);
	task_gate(8, SEL_TSS2);
	descriptor(SEL_TSS1, TSS1, 0x66, AR_TSS32);
	fill_tss(tss(TSS2), AT(other_error), STACK2);
	run_sync(v, 1);
	expect_task(SEL_TSS2);
	expect_saved(AT(fault_here));
	CHECK_EQ(regs().rbx, 0);
	CHECK(!busy(SEL_TSS1));
}

/* One that the VMM gave for reading only, and which takes a link. */
TEST(task, read_only)
{
	uint8_t *m = mem_new(0x1000), before[0x1000];

	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("KVM does it otherwise");
	setup(AT(call), AT(other_iret), 0);
	fill_tss((struct tss *)m, AT(other_iret), STACK1);
	memcpy(before, m, sizeof(before));
	CHECK_EQ(vm_slot(vm, 2, HIGH, 0x1000, m, KVM_MEM_READONLY), 0);
	descriptor(SEL_TSS1, HIGH, 0x67, AR_TSS32);
	run_exit(v, KVM_EXIT_INTERNAL_ERROR);
	CHECK_EQ(regs().rip, AT(call));
	CHECK_EQ(sregs().tr.selector, SEL_TSS0);
	CHECK(!memcmp(before, m, sizeof(before)));
	vm_free(vm);
}
