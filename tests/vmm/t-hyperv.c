/* SPDX-License-Identifier: GPL-2.0-only */
/* Hyper-V's interface for guests, by the numbers of its specification (TLFS). */
#include "late.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MSR_OS_ID	0x40000000
#define MSR_HYPERCALL	0x40000001
#define MSR_VP_INDEX	0x40000002
#define MSR_RESET	0x40000003
#define MSR_VP_RUNTIME	0x40000010
#define MSR_TIME	0x40000020
#define MSR_TSC_PAGE	0x40000021
#define MSR_TSC_HZ	0x40000022
#define MSR_APIC_HZ	0x40000023
#define MSR_TPR		0x40000072
#define MSR_ASSIST	0x40000073
#define MSR_CRASH_P1	0x40000101
#define MSR_CRASH_CTL	0x40000105
#define MSR_INVTSC	0x40000118

#define LINUX_ID	0x8100000000000000
#define PAGE_AT		GPA_SCRATCH
#define GP		13

struct hv_table {
	struct kvm_cpuid2 h;
	struct kvm_cpuid_entry2 e[CPUID_MAX];
};

static struct hv_table *supported(int fd)
{
	struct hv_table *t = calloc(1, sizeof(*t));

	t->h.nent = 1;
	CHECK_ERRNO(ioctl(fd, KVM_GET_SUPPORTED_HV_CPUID, t), E2BIG);
	t->h.nent = CPUID_MAX;
	CHECK_EQ(ioctl(fd, KVM_GET_SUPPORTED_HV_CPUID, t), 0);
	CHECK(t->h.nent >= 6 && t->h.nent < CPUID_MAX);
	return t;
}

/* The vCPU's CPUID with Hyper-V's leaves for KVM's; @leaf keeps no feature bits but @eax. */
static void give_hyperv(struct vcpu *v, uint32_t leaf, uint32_t eax)
{
	struct kvm_cpuid2 *c = cpuid_for(v->id);
	struct hv_table *hv = supported(v->fd);
	struct hv_table *t = calloc(1, sizeof(*t));
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->nent; i++)
		if (c->entries[i].function >> 16 != 0x4000)
			t->e[n++] = c->entries[i];
	for (uint32_t i = 0; i < hv->h.nent; i++) {
		t->e[n] = hv->e[i];
		if (t->e[n].function == leaf) {
			t->e[n].eax = eax;
			t->e[n].ebx = t->e[n].edx = 0;
		}
		n++;
	}
	t->h.nent = n;
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, t), 0);
}

static struct vm *hyperv(int vcpus)
{
	struct vm *vm;

	if (check_cap(kvm_fd, KVM_CAP_HYPERV) <= 0)
		SKIP("no Hyper-V");
	vm = vm_new(G_script, vcpus, 0);
	for (int i = 0; i < vcpus; i++)
		give_hyperv(&vm->vcpu[i], 0, 0);
	return vm;
}

static struct gop *rd(struct vm *vm, uint32_t msr) { return op_add(vm, OP_RDMSR, 0, msr, 0); }
static struct gop *wr(struct vm *vm, uint32_t msr, uint64_t val) { return op_add(vm, OP_WRMSR, 0, msr, val); }

TEST(hyperv, cpuid)
{
	struct hv_table *t;

	if (check_cap(kvm_fd, KVM_CAP_SYS_HYPERV_CPUID) <= 0)
		SKIP("no Hyper-V");
	t = supported(kvm_fd);
	CHECK(cpuid_find(&t->h, 0x40000000, 0)->eax >= 0x40000005);
	CHECK_EQ(cpuid_find(&t->h, 0x40000001, 0)->eax, 0x31237648);
	/* Hypercalls, VP index, reference time and its page, frequencies. */
	CHECK_EQ(cpuid_find(&t->h, 0x40000003, 0)->eax & 0xa63, 0xa62 | 1);
	CHECK(cpuid_find(&t->h, 0x40000004, 0)->eax & 1 << 2);
}

/* Without the signature there is none of it; the VMM has it always. */
TEST(hyperv, only_by_cpuid)
{
	struct vm *vm;
	struct gop *os, *page;

	if (check_cap(kvm_fd, KVM_CAP_HYPERV) <= 0)
		SKIP("no Hyper-V");
	vm = vm_new(G_script, 1, 0);
	os = wr(vm, MSR_OS_ID, LINUX_ID);
	page = rd(vm, MSR_TIME);
	set_msr(&vm->vcpu[0], MSR_OS_ID, 5);
	run_done(&vm->vcpu[0]);
	CHECK_EQ(os->vec, GP);
	CHECK_EQ(page->vec, GP);
	CHECK_EQ(get_msr(&vm->vcpu[0], MSR_OS_ID), 5);
}

TEST(hyperv, msrs)
{
	struct vm *vm = hyperv(1);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *early = wr(vm, MSR_HYPERCALL, PAGE_AT | 1), *read_early = rd(vm, MSR_HYPERCALL);
	struct gop *os = wr(vm, MSR_OS_ID, LINUX_ID), *id = rd(vm, MSR_OS_ID);
	struct gop *page = wr(vm, MSR_HYPERCALL, PAGE_AT | 1), *far = wr(vm, MSR_HYPERCALL, GVA_UNMAPPED | 1);
	struct gop *index = rd(vm, MSR_VP_INDEX), *bad_index = wr(vm, MSR_VP_INDEX, 3);
	struct gop *runtime = rd(vm, MSR_VP_RUNTIME), *tsc = rd(vm, MSR_TSC_HZ), *apic = rd(vm, MSR_APIC_HZ);
	struct gop *bad_hz = wr(vm, MSR_TSC_HZ, 1), *bad_time = wr(vm, MSR_TIME, 1);
	struct gop *tpr = wr(vm, MSR_TPR, 0x30), *read_tpr = rd(vm, MSR_TPR), *low = wr(vm, MSR_TPR, 0);
	struct gop *p1 = wr(vm, MSR_CRASH_P1, 0x77), *none = rd(vm, 0x400000a0);
	struct gop *assist = wr(vm, MSR_ASSIST, (PAGE_AT + 0x1000) | 1), *bad_assist = wr(vm, MSR_ASSIST, GVA_UNMAPPED | 1);
	const uint8_t *insn = vm->mem + PAGE_AT;

	memset(vm->mem + PAGE_AT + 0x1000, 0xff, 8);
	set_msr(v, MSR_VP_INDEX, 5);
	run_done(v);
	CHECK(early->vec == TRAP_NONE && !read_early->val);	/* nobody has said who it is */
	CHECK(os->vec == TRAP_NONE && id->val == LINUX_ID);
	CHECK(page->vec == TRAP_NONE && far->vec == GP);
	CHECK(insn[0] == 0x0f && insn[1] == 0x01 && (insn[2] == 0xc1 || insn[2] == 0xd9) && insn[3] == 0xc3);
	CHECK_EQ(get_msr(v, MSR_HYPERCALL), PAGE_AT | 1);
	CHECK(index->val == 5 && bad_index->vec == GP);
	CHECK(runtime->vec == TRAP_NONE && tsc->val > 1000000 && apic->val == 1000000000);
	CHECK(bad_hz->vec == GP && bad_time->vec == GP && none->vec == GP);
	CHECK(tpr->vec == TRAP_NONE && read_tpr->val == 0x30 && low->vec == TRAP_NONE);
	CHECK(p1->vec == TRAP_NONE && get_msr(v, MSR_CRASH_P1) == 0x77);
	CHECK(assist->vec == TRAP_NONE && bad_assist->vec == GP);
	CHECK_EQ(*(uint64_t *)(vm->mem + PAGE_AT + 0x1000), 0xffffffff00000000);
	CHECK_EQ(get_msr(v, MSR_ASSIST), (PAGE_AT + 0x1000) | 1);
}

/* Reset and a crash are told to the VMM, behind the instruction. */
TEST(hyperv, system_events)
{
	struct vm *vm = hyperv(1);
	struct vcpu *v = &vm->vcpu[0];

	wr(vm, MSR_RESET, 0);
	wr(vm, MSR_RESET, 1);
	wr(vm, MSR_CRASH_CTL, 1ull << 63);
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_exit(v, KVM_EXIT_SYSTEM_EVENT);
	CHECK_EQ(v->run->system_event.type, KVM_SYSTEM_EVENT_RESET);
	run_exit(v, KVM_EXIT_SYSTEM_EVENT);
	CHECK_EQ(v->run->system_event.type, KVM_SYSTEM_EVENT_CRASH);
	run_sync(v, 1);
	run_done(v);
}

/* With a CPUID that is to be kept to, what it does not name is not there. */
TEST(hyperv, enforced)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_HYPERV_ENFORCE_CPUID, .args = { 1 } };
	struct vm *vm = hyperv(1);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *os, *time, *index;

	CHECK_EQ(ioctl(v->fd, KVM_ENABLE_CAP, &cap), 0);
	give_hyperv(v, 0x40000003, 1 << 1);			/* the reference time alone */
	os = wr(vm, MSR_OS_ID, LINUX_ID);
	time = rd(vm, MSR_TIME);
	index = rd(vm, MSR_VP_INDEX);
	run_done(v);
	CHECK(os->vec == GP && time->vec == TRAP_NONE && index->vec == GP);
}

struct tsc_page {
	volatile uint32_t sequence, reserved;
	volatile uint64_t scale;
	volatile int64_t offset;
};

static uint64_t page_time(const struct tsc_page *p, uint64_t tsc)
{
	return (uint64_t)((unsigned __int128)tsc * p->scale >> 64) + p->offset;
}

/* The page, the MSR and kvmclock tell one time, also after the VMM has set that. */
TEST(hyperv, reference_time)
{
	struct vm *vm = hyperv(1);
	struct vcpu *v = &vm->vcpu[0];
	const struct tsc_page *p = (void *)(vm->mem + PAGE_AT);
	struct kvm_clock_data clock = { .clock = 5000000000 };
	struct gop *t1, *t2;
	uint64_t tsc1, tsc2;
	uint32_t sequence;

	wr(vm, MSR_OS_ID, LINUX_ID);
	wr(vm, MSR_TSC_PAGE, PAGE_AT | 1);
	t1 = rd(vm, MSR_TIME);
	op_add(vm, OP_SYNC, 0, 1, 0);
	t2 = rd(vm, MSR_TIME);
	op_add(vm, OP_SYNC, 0, 2, 0);
	run_sync(v, 1);
	tsc1 = get_msr(v, 0x10);
	CHECK(p->sequence && p->scale);
	sequence = p->sequence;
	CHECK(page_time(p, tsc1) >= t1->val && page_time(p, tsc1) - t1->val < 20000000);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_CLOCK, &clock), 0);
	run_sync(v, 2);
	tsc2 = get_msr(v, 0x10);
	CHECK(p->sequence != sequence);
	CHECK(t2->val >= 50000000 && t2->val < 50000000 + 20 * 10000000ull);
	CHECK(page_time(p, tsc2) >= t2->val && page_time(p, tsc2) - t2->val < 20000000);
	wr(vm, MSR_TSC_PAGE, 0);
	run_done(v);
}

/* The invariant TSC shows itself when it has been asked for; user space sees what it gave. */
TEST(hyperv, invariant_tsc)
{
	struct vm *vm = hyperv(1);
	struct vcpu *v = &vm->vcpu[0];
	struct hv_table *t = calloc(1, sizeof(*t));
	struct kvm_cpuid2 *c = cpuid_for(0);
	struct gop *before, *bad, *after, *off;

	if (!(cpuid_find(c, 0x80000007, 0)->edx & 1 << 8))
		SKIP("no invariant TSC");
	before = op_add(vm, OP_CPUID, 0, 0x80000007, 0);
	bad = wr(vm, MSR_INVTSC, 2);
	wr(vm, MSR_INVTSC, 1);
	after = op_add(vm, OP_CPUID, 0, 0x80000007, 0);
	off = wr(vm, MSR_INVTSC, 0);
	run_done(v);
	CHECK(!(before->err >> 32 & 1 << 8) && bad->vec == GP);
	CHECK((after->err >> 32 & 1 << 8) && off->vec == GP);
	t->h.nent = CPUID_MAX;
	CHECK_EQ(ioctl(v->fd, KVM_GET_CPUID2, t), 0);
	CHECK(cpuid_find(&t->h, 0x80000007, 0)->edx & 1 << 8);
}

/* The exit of a write to one of the SynIC's registers. */
static void expect_synic(struct vcpu *v, uint32_t msr, uint64_t control, uint64_t messages)
{
	run_exit(v, KVM_EXIT_HYPERV);
	CHECK_EQ(v->run->hyperv.type, KVM_EXIT_HYPERV_SYNIC);
	CHECK_EQ(v->run->hyperv.u.synic.msr, msr);
	CHECK_EQ(v->run->hyperv.u.synic.control, control);
	CHECK_EQ(v->run->hyperv.u.synic.evt_page, 0);
	CHECK_EQ(v->run->hyperv.u.synic.msg_page, messages);
}

static void route_to_sint(struct vm *vm, uint32_t gsi, uint32_t sint)
{
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e; } r = {
		.h.nr = 1,
		.e = { .gsi = gsi, .type = KVM_IRQ_ROUTING_HV_SINT, .u.hv_sint = { .vcpu = 0, .sint = sint } },
	};

	CHECK_EQ(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), 0);
}

/* Messages of timers, an interrupt that ends itself, and events to user space. */
static void synic(int x2apic)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_HYPERV_SYNIC };
	struct kvm_hyperv_eventfd conn = { .conn_id = 7, .fd = eventfd(0, EFD_NONBLOCK) };
	struct kvm_irq_level line = { .irq = 40, .level = 1 };
	uint64_t messages = PAGE_AT + 0x2000, n = 0;
	struct vm *vm;
	struct vcpu *v;

	if (check_cap(kvm_fd, KVM_CAP_HYPERV_SYNIC) <= 0)
		SKIP("no SynIC");
	vm = vm_new(G_synic, 1, 0);
	v = &vm->vcpu[0];
	vm->p->x2apic = x2apic;
	give_hyperv(v, 0, 0);
	CHECK_EQ(ioctl(v->fd, KVM_ENABLE_CAP, &cap), 0);
	CHECK_EQ(get_msr(v, 0x40000081), 1);
	CHECK_EQ(get_msr(v, 0x40000090), 0x10000);
	CHECK_EQ(ioctl(vm->fd, KVM_HYPERV_EVENTFD, &conn), 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_HYPERV_EVENTFD, &conn), EEXIST);
	memset(vm->mem + messages, 0xff, 4096);
	expect_synic(v, 0x40000080, 1, 0);
	expect_synic(v, 0x40000083, 1, messages | 1);
	run_sync(v, 1);
	route_to_sint(vm, 40, 3);
	CHECK_EQ(ioctl(vm->fd, KVM_IRQ_LINE, &line), 0);
	run_sync(v, 2);
	CHECK_EQ(ioctl(vm->fd, KVM_IRQ_LINE, &line), 0);
	run_exit(v, KVM_EXIT_HYPERV);
	CHECK_EQ(v->run->hyperv.type, KVM_EXIT_HYPERV_HCALL);
	CHECK_EQ(v->run->hyperv.u.hcall.input, 0x1005d);
	CHECK_EQ(v->run->hyperv.u.hcall.params[0], 8);
	CHECK_EQ(read(conn.fd, &n, sizeof(n)), (ssize_t)sizeof(n));
	CHECK_EQ(n, 1);
	v->run->hyperv.u.hcall.result = 0x12;
	run_done(v);
	CHECK_EQ(vm->p->res[0], 0);
	CHECK_EQ(vm->p->res[1], 0x12);
	CHECK_EQ(vm->p->res[2], 3);
	conn.flags = KVM_HYPERV_EVENTFD_DEASSIGN;
	CHECK_EQ(ioctl(vm->fd, KVM_HYPERV_EVENTFD, &conn), 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_HYPERV_EVENTFD, &conn), ENOENT);
}

TEST(hyperv, synic_xapic) { synic(0); }
TEST(hyperv, synic_x2apic) { synic(1); }

/* ---- pages that come late, to what is done for the guest ---- */

#define HIGH		0x1000000ull
#define PAGE		4096

TEST(hyperv, late_pages)
{
	struct vm *vm = hyperv(1);
	struct vcpu *v = &vm->vcpu[0];
	struct late l = late_new(3);
	struct gop *op[] = {
		wr(vm, MSR_OS_ID, LINUX_ID), wr(vm, MSR_HYPERCALL, HIGH | 1),
		wr(vm, MSR_ASSIST, (HIGH + PAGE) | 1), wr(vm, MSR_TSC_PAGE, (HIGH + 2 * PAGE) | 1),
	};
	static const uint32_t msr[] = { MSR_HYPERCALL, MSR_ASSIST, MSR_TSC_PAGE };
	const struct tsc_page *p = (void *)(l.mem + 2 * PAGE);
	struct kvm_clock_data clock = { .clock = 5000000000 };
	uint8_t old[PAGE], full[PAGE];
	uint32_t sequence;

	op_add(vm, OP_SYNC, 0, 1, 0);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 3 * PAGE, l.mem, 0), 0);
	memset(full, 0xff, sizeof(full));
	for (int i = 0; i < 3; i++) {
		late_interrupts(v, &l, i);
		CHECK_EQ(get_msr(v, msr[i]), 0);
		late_bring(&l, i, i == 2 ? NULL : full);
	}
	run_sync(v, 1);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(op[i]->vec, TRAP_NONE);
	CHECK(l.mem[0] == 0x0f && l.mem[3] == 0xc3);
	CHECK_EQ(*(uint64_t *)(l.mem + PAGE), 0xffffffff00000000);
	CHECK(p->sequence && p->scale);
	sequence = p->sequence;
	memcpy(old, l.mem + 2 * PAGE, PAGE);
	late_take(&l, 2);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_CLOCK, &clock), 0);
	late_interrupts(v, &l, 2);
	late_bring(&l, 2, old);
	run_done(v);
	CHECK_EQ(p->sequence, sequence + 1);
}

/* The event is signalled once. */
TEST(hyperv, late_input)
{
	struct kvm_hyperv_eventfd conn = { .conn_id = 7, .fd = eventfd(0, EFD_NONBLOCK) };
	struct late l = late_new(1);
	uint64_t page[PAGE / 8] = { conn.conn_id }, n = 0;
	struct vm *vm;
	struct vcpu *v;

	if (check_cap(kvm_fd, KVM_CAP_HYPERV) <= 0)
		SKIP("no Hyper-V");
	vm = vm_new(G_calls, 1, 0);
	v = &vm->vcpu[0];
	give_hyperv(v, 0, 0);
	set_msr(v, MSR_OS_ID, LINUX_ID);
	CHECK_EQ(vm_slot(vm, 2, HIGH, PAGE, l.mem, 0), 0);
	CHECK_EQ(ioctl(vm->fd, KVM_HYPERV_EVENTFD, &conn), 0);
	vm->p->arg[0] = 1;
	vm->p->arg[2] = 0x5d;
	vm->p->arg[3] = HIGH;
	late_interrupts(v, &l, 0);
	late_bring(&l, 0, page);
	run_sync(v, 1);
	CHECK_EQ(vm->p->res[0], 0);
	CHECK_EQ(read(conn.fd, &n, sizeof(n)), (ssize_t)sizeof(n));
	CHECK_EQ(n, 1);
	vm->p->arg[0] = 0;
	run_done(v);
}

/* The guest looks at each message: none is lost, and none comes twice. */
TEST(hyperv, late_message)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_HYPERV_SYNIC };
	uint64_t messages = PAGE_AT + 0x2000;
	struct vm *vm;
	struct vcpu *v;
	struct late l;

	if (check_cap(kvm_fd, KVM_CAP_HYPERV_SYNIC) <= 0)
		SKIP("no SynIC");
	vm = vm_new(G_synic, 1, 0);
	v = &vm->vcpu[0];
	give_hyperv(v, 0, 0);
	CHECK_EQ(ioctl(v->fd, KVM_ENABLE_CAP, &cap), 0);
	l = late_again(vm->mem + messages);
	expect_synic(v, 0x40000080, 1, 0);
	late_interrupts(v, &l, 0);
	late_bring(&l, 0, NULL);
	expect_synic(v, 0x40000083, 1, messages | 1);
	late_take(&l, 0);
	late_bring_protected(&l, 0, NULL);
	late_interrupts(v, &l, 0);
	late_unprotect(&l, 0);
	run_sync(v, 1);
}

/* The debugger's MSRs: user space is told of two of them, and answers one with a status. */
TEST(hyperv, debugger)
{
	struct vm *vm = hyperv(1);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *status;

	wr(vm, 0x400000f3, 0x1000);
	wr(vm, 0x400000f1, 0x55);
	status = rd(vm, 0x400000f2);
	wr(vm, 0x400000f5, 0x2000);
	run_exit(v, KVM_EXIT_HYPERV);
	CHECK_EQ(v->run->hyperv.type, KVM_EXIT_HYPERV_SYNDBG);
	CHECK_EQ(v->run->hyperv.u.syndbg.msr, 0x400000f1);
	CHECK_EQ(v->run->hyperv.u.syndbg.control, 0x55);
	CHECK_EQ(v->run->hyperv.u.syndbg.send_page, 0x1000);
	v->run->hyperv.u.syndbg.status = 0x77;
	run_exit(v, KVM_EXIT_HYPERV);
	CHECK_EQ(v->run->hyperv.u.syndbg.msr, 0x400000f5);
	CHECK_EQ(v->run->hyperv.u.syndbg.pending_page, 0x2000);
	run_done(v);
	CHECK(status->vec == TRAP_NONE && status->val == 0x77);
}

/* Flushes by a guest's guest, and the map of MSRs of the guest that is its hypervisor. */
static void nested(uint32_t leaf, uint32_t direct)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(cpuid_for(0), 0x80000001, 0);
	struct vm *vm;

	if (check_cap(kvm_fd, KVM_CAP_HYPERV) <= 0 || !e || !(e->ecx & 1 << 2))
		SKIP("no Hyper-V, or guests have no SVM");
	vm = vm_new(G_svm_hyperv, 1, 0);
	give_hyperv(&vm->vcpu[0], leaf, 0);
	vm->p->arg[0] = direct;
	run_done(&vm->vcpu[0]);
}

TEST(hyperv, nested) { nested(0, 1); }
TEST(hyperv, nested_hidden) { nested(0x4000000a, 0); }
