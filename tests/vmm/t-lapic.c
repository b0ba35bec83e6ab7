/* SPDX-License-Identifier: GPL-2.0-only */
/* How a local APIC delivers, by hardware or not (tests/guests/deliver.c). */
#include "test.h"

#include <sched.h>
#include <stdio.h>

static struct vm *start(enum guest_id g, int x2apic, uint64_t n, uint64_t wait)
{
	struct vm *vm = vm_new(g, 2, 0);

	vm->p->x2apic = x2apic;
	vm->p->arg[0] = n;
	vm->p->arg[1] = wait;
	for (int i = 0; i < 2; i++)
		thread_start(&vm->vcpu[i]);
	return vm;
}

static void finish(struct vm *vm)
{
	for (int i = 0; i < 2; i++)
		thread_join(&vm->vcpu[i]);
}

static void ipi_running(int x2apic)
{
	struct vm *vm;

	if (cpus_usable() < 2)
		SKIP("one CPU");
	vm = start(G_ipi_running, x2apic, 50, 0);
	finish(vm);
	CHECK_EQ(vm->p->res[2], 50);
	CHECK_EQ(vm->p->res[3], 100);
	CHECK_EQ(vm->p->res[4], 50);
}

TEST_LIMIT(lapic, ipi_running_xapic, 60) { ipi_running(0); }
TEST_LIMIT(lapic, ipi_running_x2apic, 60) { ipi_running(1); }

/* The CPU that is interrupted moves between the machine's CPUs meanwhile. */
TEST_LIMIT(lapic, ipi_moving, 60)
{
	struct vm *vm;
	cpu_set_t set;

	if (cpus_usable() < 2)
		SKIP("one CPU");
	vm = start(G_ipi_running, 1, 100, 100000);
	for (int i = 0; i < 40; i++) {
		CPU_ZERO(&set);
		CPU_SET(i & 1, &set);
		CHECK_EQ(pthread_setaffinity_np(vm->vcpu[1].thread, sizeof(set), &set), 0);
		sleep_ms(1);
	}
	finish(vm);
	CHECK_EQ(vm->p->res[3], 200);
}

TEST_LIMIT(lapic, halt_priority_xapic, 60) { finish(start(G_halt_priority, 0, 5, 200000)); }
TEST_LIMIT(lapic, halt_priority_x2apic, 60) { finish(start(G_halt_priority, 1, 5, 200000)); }

static uint32_t *word(struct kvm_lapic_state *l, int base, int vec)
{
	return (uint32_t *)(void *)(l->regs + base + vec / 32 * 16);
}

/* Read, lose, write back and add to what is pending and in service. */
static void in_service(int x2apic)
{
	struct vm *vm = vm_new(G_in_service, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_lapic_state l, back, none;

	vm->p->x2apic = x2apic;
	vm->p->arg[0] = 0x82;
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &l), 0);
	CHECK_EQ(*word(&l, 0x100, 0x51), 1 << 0x11);
	CHECK_EQ(*word(&l, 0x200, 0x41), 1 << 1);
	CHECK_EQ(*word(&l, 0x200, 0x71), 1 << 0x11);
	none = l;
	memset(none.regs + 0x100, 0, 0x180);
	CHECK_EQ(ioctl(v->fd, KVM_SET_LAPIC, &none), 0);
	*word(&l, 0x200, 0x82) |= 1 << 2;
	CHECK_EQ(ioctl(v->fd, KVM_SET_LAPIC, &l), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &back), 0);
	CHECK(!memcmp(l.regs + 0x100, back.regs + 0x100, 0x180));
	run_done(v);
	CHECK_EQ(vm->p->res[0], 0x51);
	CHECK_EQ(vm->p->res[1], 0x82);
	CHECK_EQ(vm->p->res[2], 0x71);
	CHECK_EQ(vm->p->res[3], 0x41);
}

TEST(lapic, in_service_xapic) { in_service(0); }
TEST(lapic, in_service_x2apic) { in_service(1); }

TEST(lapic, change_of_mode) { run_done(&vm_new(G_apic_mode, 1, 0)->vcpu[0]); }

/* Exits of all guests, of which one runs; 0: this is not Bedplate. */
static uint64_t exits(void)
{
	FILE *f = fopen("/sys/kernel/bedplate/domains", "r");
	unsigned long long n, sum = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %*u %*u %*u %*u %llu", &n) == 1)
			sum += n;
	if (f)
		fclose(f);
	return sum;
}

/* The exits of what the guest does from stage `n` to the next. */
static uint64_t exits_of(struct vcpu *v, uint32_t n)
{
	uint64_t before;

	run_sync(v, n);
	before = exits();
	run_sync(v, n + 1);
	return exits() - before;
}

static void set_base(struct vcpu *v, uint64_t flags)
{
	struct kvm_sregs s;

	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	s.apic_base = (s.apic_base & ~0xc00ull) | flags;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
}

/*
 * What the CPU does by itself in xAPIC mode it does again when the last virtual CPU is back in that
 * mode: here by the VMM's hand, as when it resets the machine.
 */
/* Its page is where IA32_APIC_BASE says, and nowhere else. */
TEST(lapic, moved)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	const uint64_t at = 0xd0000000;
	struct gop *here, *there;
	struct kvm_sregs s;

	here = op_add(vm, OP_READ, 4, at + 0x30, 0);
	there = op_add(vm, OP_READ, 4, 0xfee00030, 0);
	op_add(vm, OP_SYNC, 0, 1, 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	s.apic_base = at | 1 << 10;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
	s.apic_base = at | 1 << 11;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, 0xfee00030);
	memset(v->run->mmio.data, 0x5a, 4);
	run_sync(v, 1);
	CHECK_EQ(here->val & 0xff, 0x14);		/* version */
	CHECK_EQ(there->val & 0xffffffff, 0x5a5a5a5a);
}

/* A base that no APIC can have changes nothing of one. */
TEST(lapic, bad_base)
{
	struct vcpu *v = &vm_new(G_script, 1, 0)->vcpu[0];
	struct kvm_lapic_state before, after;
	struct { struct kvm_msrs m; struct kvm_msr_entry e; } m = { .m.nmsrs = 1, .e.index = 0x1b };
	struct kvm_sregs s;

	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &before), 0);
	before.regs[0xf1] |= 1;				/* on */
	before.regs[0x80] = 0x30;			/* priority */
	CHECK_EQ(ioctl(v->fd, KVM_SET_LAPIC, &before), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &before), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	m.e.data = s.apic_base | 1;
	CHECK_EQ(ioctl(v->fd, KVM_SET_MSRS, &m), 0);
	s.apic_base ^= 0xc00;				/* x2APIC, and off */
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &after), 0);
	CHECK_EQ(memcmp(&before, &after, sizeof(before)), 0);
}

TEST(lapic, back_to_xapic)
{
	struct vm *vm = vm_new(G_apic_reads, 2, 0);
	struct vcpu *v = &vm->vcpu[0];
	uint64_t first, one_not, one_off, again;

	vm->p->arg[0] = 1000;
	first = exits_of(v, 1);
	run_sync(v, 3);
	set_base(&vm->vcpu[1], 0xc00);
	set_base(v, 0x800);
	one_not = exits_of(v, 4);
	set_base(&vm->vcpu[1], 0);
	one_off = exits_of(v, 6);
	set_base(&vm->vcpu[1], 0x800);
	again = exits_of(v, 8);
	run_done(v);
	test_note("exits of 1000 reads: %llu, with a CPU in x2APIC mode %llu, without APIC %llu, back %llu",
		  (unsigned long long)first, (unsigned long long)one_not,
		  (unsigned long long)one_off, (unsigned long long)again);
	if (exits()) {
		CHECK(one_not >= 1000 && one_off >= 1000);
		CHECK(first >= 1000 ? again >= 1000 : again < 500);
	}
}

/*
 * The last one is an edge.  KVM tells of its EOI, too; Bedplate does where the CPU has sent
 * it by itself, with the vector's trigger mode as it was.
 */
static void done_past_an_eoi(struct vcpu *v)
{
	int told = 0;

	for (;;) {
		CHECK_EQ(run_once(v), 0);
		if (v->run->exit_reason != KVM_EXIT_IOAPIC_EOI)
			break;
		CHECK_EQ(v->run->eoi.vector, 0x51);
		CHECK_EQ(told++, 0);
	}
	expect_io(v, 1, 4, PORT_DONE);
}

/* Split interrupt controller: each EOI of a level-triggered vector comes to the VMM. */
static void level_eoi(int x2apic)
{
	struct vm *vm;
	struct vcpu *v;
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e; } r = {
		.h.nr = 1,
		.e = { .gsi = 4, .type = KVM_IRQ_ROUTING_MSI,
		       .u.msi = { .address_lo = 0xfee00000, .data = 0xc051 } },
	};

	if (check_cap(kvm_fd, KVM_CAP_SPLIT_IRQCHIP) <= 0)
		SKIP("no split interrupt controller");
	vm = vm_new(G_level_eoi, 1, VM_SPLIT);
	v = &vm->vcpu[0];
	vm->p->x2apic = x2apic;
	vm->p->arg[0] = 3;
	CHECK_EQ(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), 0);
	run_sync(v, 1);
	for (int i = 0; i < 3; i++) {
		CHECK(signal_msi(vm, 0xfee00000, 0xc051) > 0);
		run_exit(v, KVM_EXIT_IOAPIC_EOI);
		CHECK_EQ(v->run->eoi.vector, 0x51);
	}
	done_past_an_eoi(v);
	CHECK_EQ(vm->p->res[0], 4);
}

TEST(lapic, level_eoi_xapic) { level_eoi(0); }
TEST(lapic, level_eoi_x2apic) { level_eoi(1); }

static void to_x2apic(struct vcpu *v)
{
	struct kvm_sregs s;

	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	s.apic_base |= 0xc00;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
}

static uint32_t lapic_reg(const struct kvm_lapic_state *l, int reg)
{
	uint32_t val;

	memcpy(&val, l->regs + reg, 4);
	return val;
}

static void set_lapic_reg(struct kvm_lapic_state *l, int reg, uint32_t val)
{
	memcpy(l->regs + reg, &val, 4);
}

static int msi_to(struct vm *vm, uint32_t lo, uint32_t hi)
{
	struct kvm_msi m = { .address_lo = lo, .address_hi = hi, .data = 0x4061 };

	return ioctl(vm->fd, KVM_SIGNAL_MSI, &m);
}

/* IDs of 32 bits in messages and in KVM_GET_LAPIC, and 0xff an ID as others. */
TEST(lapic, x2apic_api)
{
	struct vm *vm = vm_new(G_hlt, 2, 0);
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X2APIC_API, .args = { 4 } };
	struct vcpu *v = &vm->vcpu[1];
	struct kvm_lapic_state l;

	CHECK_EQ(check_cap(vm->fd, KVM_CAP_X2APIC_API), 3);
	to_x2apic(v);
	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &l), 0);
	CHECK_EQ(lapic_reg(&l, 0x20), 1 << 24);
	set_lapic_reg(&l, 0x20, 7 << 24);		/* does not matter */
	set_lapic_reg(&l, 0xf0, 0x1ff);
	CHECK_EQ(ioctl(v->fd, KVM_SET_LAPIC, &l), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &l), 0);
	CHECK_EQ(lapic_reg(&l, 0x20), 1 << 24);
	CHECK(msi_to(vm, 0xfeeff000, 0) > 0);
	CHECK(msi_to(vm, 0xfee01000, 0x100) > 0);	/* the upper word is not looked at */

	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = KVM_X2APIC_API_USE_32BIT_IDS;
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &l), 0);
	CHECK_EQ(lapic_reg(&l, 0x20), 1);
	CHECK_EQ(ioctl(v->fd, KVM_SET_LAPIC, &l), 0);
	set_lapic_reg(&l, 0x20, 1 << 24);
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_LAPIC, &l), EINVAL);
	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_GET_LAPIC, &l), 0);
	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_SET_LAPIC, &l), 0);
	CHECK(msi_to(vm, 0xfee01000, 0) > 0);
	CHECK(msi_to(vm, 0xfee01000, 0x100) <= 0);	/* 0x101: nobody */
	CHECK_ERRNO(msi_to(vm, 0xfee01000, 1), EINVAL);
	CHECK(msi_to(vm, 0xfeeff000, 0) > 0);

	/* vCPU 0 has no software-enabled APIC; vCPU 1 is meant by 1 alone. */
	cap.args[0] = KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	CHECK(msi_to(vm, 0xfeeff000, 0) <= 0);
	CHECK(msi_to(vm, 0xfee01000, 0) > 0);
}

/* An ID that only an x2APIC has: messages find it by all its bits. */
TEST(lapic, id_beyond_255)
{
	struct vm *vm = vm_new(G_hlt, 1, 0);
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X2APIC_API,
		.args = { KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK },
	};
	struct kvm_lapic_state l;
	struct vcpu v = { 0 };

	if (check_cap(vm->fd, KVM_CAP_MAX_VCPU_ID) <= 300)
		SKIP("no such ID");
	v.fd = ioctl(vm->fd, KVM_CREATE_VCPU, 300);
	CHECK(v.fd >= 0);
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	CHECK_EQ(ioctl(v.fd, KVM_SET_CPUID2, cpuid_for(300)), 0);
	to_x2apic(&v);
	CHECK_EQ(ioctl(v.fd, KVM_GET_LAPIC, &l), 0);
	CHECK_EQ(lapic_reg(&l, 0x20), 300);
	set_lapic_reg(&l, 0xf0, 0x1ff);
	CHECK_EQ(ioctl(v.fd, KVM_SET_LAPIC, &l), 0);
	CHECK(msi_to(vm, 0xfee2c000, 0x100) > 0);
	CHECK(msi_to(vm, 0xfee2c000, 0) <= 0);
	CHECK(msi_to(vm, 0xfee2c000, 0x200) <= 0);
	/* Logical: cluster 300 / 16, the APIC 300 % 16. */
	CHECK_EQ(ioctl(v.fd, KVM_GET_LAPIC, &l), 0);
	CHECK_EQ(lapic_reg(&l, 0xd0), 18 << 16 | 1 << 12);
	CHECK(msi_to(vm, 0xfee00004, 0x121000) > 0);
}

/* Stepped through with interrupts blocked: they wait, also where the CPU delivers by itself. */
static void set_svr(struct vcpu *v, uint32_t val)
{
	struct kvm_lapic_state l;

	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &l), 0);
	set_lapic_reg(&l, 0xf0, val);
	CHECK_EQ(ioctl(v->fd, KVM_SET_LAPIC, &l), 0);
}

#define MSI_ALL		0xfeeff000
#define MSI_LOGICAL	4
#define MSI_LOWEST	0x100

/* One that is for nobody is refused; one that an APIC does not take has reached none. */
TEST(lapic, msi_to_nobody)
{
	struct vm *empty = vm_new(G_script, 0, 0), *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	CHECK_ERRNO(msi_to(empty, 0xfee00000, 0), EPERM);
	CHECK_ERRNO(msi_to(empty, MSI_ALL, 0), EPERM);
	set_svr(v, 0xff);
	CHECK_EQ(msi_to(vm, 0xfee00000, 0), 0);
	CHECK_EQ(msi_to(vm, 0xfee05000, 0), 0);
	CHECK_EQ(msi_to(vm, MSI_ALL, 0), 0);
	CHECK_EQ(signal_msi(vm, 0xfee00000, MSI_LOWEST | 0x51), 0);
	CHECK_ERRNO(signal_msi(vm, MSI_ALL | MSI_LOGICAL, MSI_LOWEST | 0x51), EPERM);
	set_svr(v, 0x1ff);
	CHECK_EQ(msi_to(vm, MSI_ALL, 0), 1);
	CHECK_EQ(signal_msi(vm, MSI_ALL | MSI_LOGICAL, MSI_LOWEST | 0x51), 1);
	set_base(v, 0x100);
	CHECK_EQ(msi_to(vm, 0xfee00000, 0), 0);
	CHECK_ERRNO(msi_to(vm, MSI_ALL, 0), EPERM);
}

static void debugger_blocks(int x2apic)
{
	struct kvm_guest_debug d = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_BLOCKIRQ,
	};
	struct vm *vm = vm_new(G_blocked_irq, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int steps = 0;

	CHECK(check_cap(kvm_fd, KVM_CAP_SET_GUEST_DEBUG2) & KVM_GUESTDBG_BLOCKIRQ);
	vm->p->x2apic = x2apic;
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d), 0);
	do {
		CHECK_EQ(run_once(v), 0);
	} while (v->run->exit_reason == KVM_EXIT_DEBUG && ++steps < 1000);
	CHECK_EQ(*(uint32_t *)expect_io(v, 1, 4, PORT_SYNC), 2);
	CHECK(steps > 5);
	CHECK_EQ(vm->p->res[0], 0);
	d.control = 0;
	CHECK_EQ(ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d), 0);
	run_done(v);
	CHECK_EQ(vm->p->res[1], 1);
	CHECK_EQ(vm->p->res[2], 2);
}

TEST(lapic, debugger_blocks_xapic) { debugger_blocks(0); }
TEST(lapic, debugger_blocks_x2apic) { debugger_blocks(1); }
