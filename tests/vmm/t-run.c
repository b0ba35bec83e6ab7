/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_RUN against signals, HLT, exceptions, CPUID and MSRs of the guest. */
#include "test.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>

static void on_signal(int sig) { (void)sig; }

static void catch_signal(int sig)
{
	struct sigaction a = { .sa_handler = on_signal };

	CHECK_EQ(sigaction(sig, &a, NULL), 0);
}

/* Whom to signal, and the count (NULL: none) that kick() and kick_until() watch for a change from @seen. */
struct kicker {
	pthread_t target;
	volatile uint64_t *count;
	uint64_t seen;
};

/* One signal, once the guest counts again: only then is its thread in KVM_RUN for certain. */
static void *kick(void *arg)
{
	struct kicker *k = arg;

	if (k->count)
		wait_while(k->count, k->seen);
	pthread_kill(k->target, SIGUSR1);
	return NULL;
}

/* A signal every 20 ms until *count changes: nothing tells when a vCPU sleeps. */
static void *kick_until(void *arg)
{
	struct kicker *k = arg;

	do {
		sleep_ms(20);
		pthread_kill(k->target, SIGUSR1);
	} while (*k->count == k->seen);
	return NULL;
}

/* A signal ends KVM_RUN of a spinning guest; its state can be read, and it goes on. */
TEST(run, signal)
{
	struct vm *vm = vm_new(G_spin, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kicker k = { pthread_self(), &vm->p->res[0], 0 };
	struct kvm_regs regs;
	pthread_t t;

	catch_signal(SIGUSR1);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(pthread_create(&t, NULL, kick, &k), 0);
		CHECK_EQ(run_once(v), -EINTR);
		CHECK_EQ(v->run->exit_reason, KVM_EXIT_INTR);
		pthread_join(t, NULL);
		CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &regs), 0);
		CHECK(regs.rip >= GPA_IMAGE && regs.rip < GPA_STACKS);
		CHECK(vm->p->res[0] > k.seen);
		k.seen = vm->p->res[0];
		sleep_ms(20);
		CHECK_EQ(vm->p->res[0], k.seen);	/* it stands still outside KVM_RUN */
	}
	vm->p->arg[0] = 1;
	run_done(v);
}

/* A signal that waits already: KVM_RUN comes back without running the guest for long. */
TEST(run, signal_mask)
{
	struct vm *vm = vm_new(G_spin, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct { struct kvm_signal_mask h; uint64_t set; } m = { .h.len = 8, .set = 0 };
	sigset_t block;

	catch_signal(SIGUSR1);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &block, NULL);
	CHECK_EQ(ioctl(v->fd, KVM_SET_SIGNAL_MASK, &m), 0);
	pthread_kill(pthread_self(), SIGUSR1);
	CHECK_EQ(run_once(v), -EINTR);
}

/* Another thread sets immediate_exit and signals: the race that VMMs rely on being closed. */
TEST(run, kick_race)
{
	struct vm *vm = vm_new(G_spin, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kicker k = { .target = pthread_self() };
	pthread_t t;

	catch_signal(SIGUSR1);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(pthread_create(&t, NULL, kick, &k), 0);
		if (i % 3 == 0)
			sleep_ms(1);
		v->run->immediate_exit = i & 1;
		if (i & 1)
			CHECK_EQ(run_once(v), -EINTR);
		pthread_join(t, NULL);
	}
}

/* With a local APIC in the kernel HLT waits there, and any injection wakes it. */
static void *inject_msi(void *arg)
{
	struct vm *vm = arg;

	for (int i = 0; i < 5; i++) {
		sleep_ms(30);
		CHECK(signal_msi(vm, 0xfee00000, 0x51) > 0);
		wait_while(&vm->p->res[0], i);	/* two before it is taken would be one */
	}
	return NULL;
}

TEST(run, hlt_waits)
{
	struct vm *vm = vm_new(G_hlt, 1, 0);
	uint64_t start;
	pthread_t t;

	vm->p->arg[0] = 5;
	run_sync(&vm->vcpu[0], 1);
	start = now_ns();
	CHECK_EQ(pthread_create(&t, NULL, inject_msi, vm), 0);
	run_done(&vm->vcpu[0]);
	pthread_join(t, NULL);
	CHECK_EQ(vm->p->res[0], 5);
	CHECK(now_ns() - start >= 5 * 30 * 1000000ull);
}

static void set_online(const char *to)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, to, 1), 1);
	close(fd);
}

/* The CPU on which a vCPU halted goes away: an interrupt wakes it, and its thread, all the same. */
TEST_LIMIT(run, hlt_cpu_offline, 60)
{
	struct vm *vm = vm_new(G_hlt, 1, 0);
	cpu_set_t cpu0, cpu1;

	if (cpus_usable() < 2 || access("/sys/devices/system/cpu/cpu1/online", W_OK))
		SKIP("no CPU to take away");
	CPU_ZERO(&cpu0);
	CPU_SET(0, &cpu0);
	CPU_ZERO(&cpu1);
	CPU_SET(1, &cpu1);
	vm->p->arg[0] = 1;
	CHECK_EQ(sched_setaffinity(0, sizeof(cpu1), &cpu1), 0);
	run_sync(&vm->vcpu[0], 1);
	thread_start(&vm->vcpu[0]);
	CHECK_EQ(sched_setaffinity(0, sizeof(cpu0), &cpu0), 0);
	sleep_ms(300);
	set_online("0");
	CHECK(signal_msi(vm, 0xfee00000, 0x51) > 0);
	thread_join(&vm->vcpu[0]);
	set_online("1");
	CHECK_EQ(vm->p->res[0], 1);
}

/* A signal ends the wait; the vCPU still waits in the next KVM_RUN. */
TEST(run, hlt_signal)
{
	struct vm *vm = vm_new(G_hlt, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	volatile uint64_t came_back = 0;
	struct kicker k = { pthread_self(), &came_back, 0 };
	struct kvm_mp_state mp;
	pthread_t t;

	catch_signal(SIGUSR1);
	vm->p->arg[0] = 1;
	run_sync(v, 1);
	for (int i = 0; i < 3; i++) {
		k.seen = came_back;
		CHECK_EQ(pthread_create(&t, NULL, kick_until, &k), 0);
		CHECK_EQ(run_once(v), -EINTR);
		came_back++;
		pthread_join(t, NULL);
		CHECK_EQ(ioctl(v->fd, KVM_GET_MP_STATE, &mp), 0);
		CHECK_EQ(mp.mp_state, KVM_MP_STATE_HALTED);
	}
	CHECK(signal_msi(vm, 0xfee00000, 0x51) > 0);
	run_done(v);
}

/* A vCPU that waits for INIT or SIPI takes no event, also not one that the VMM wants injected. */
TEST(run, event_before_sipi)
{
	static const uint32_t waits[] = { KVM_MP_STATE_UNINITIALIZED, KVM_MP_STATE_INIT_RECEIVED };
	struct vcpu *v = &vm_new(G_spin, 1, 0)->vcpu[0];
	struct kvm_vcpu_events e = { .exception = { .injected = 1, .nr = 6 } };
	volatile uint64_t came_back = 0;
	struct kicker k = { pthread_self(), &came_back, 0 };
	struct kvm_mp_state mp;
	pthread_t t;

	catch_signal(SIGUSR1);
	for (int i = 0; i < 2; i++) {
		mp.mp_state = waits[i];
		CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
		CHECK_EQ(ioctl(v->fd, KVM_SET_MP_STATE, &mp), 0);
		k.seen = came_back;
		CHECK_EQ(pthread_create(&t, NULL, kick_until, &k), 0);
		CHECK_EQ(run_once(v), -EINTR);
		came_back++;
		pthread_join(t, NULL);
		CHECK_EQ(ioctl(v->fd, KVM_GET_MP_STATE, &mp), 0);
		CHECK_EQ(mp.mp_state, waits[i]);
	}
}

/* Without one, HLT is an exit. */
TEST(run, hlt_exit)
{
	struct vm *vm = vm_new(G_script, 1, VM_NO_IRQCHIP);
	struct vcpu *v = &vm->vcpu[0];

	op_add(vm, OP_HLT, 0, 0, 0);
	op_add(vm, OP_OUT, 1, PORT_TEST, 7);
	run_exit(v, KVM_EXIT_HLT);
	run_exit(v, KVM_EXIT_IO);
	CHECK_EQ(*(uint8_t *)expect_io(v, 1, 1, PORT_TEST), 7);
	run_done(v);
}

TEST(cpu, exceptions)
{
	struct vm *vm = vm_new(G_exceptions, 1, 0);

	run_done(&vm->vcpu[0]);
}

/* Stock KVM shows counters, and an emulated SVM ends its run at such a CR3. */
TEST(cpu, forbidden)
{
	if (!access("/sys/module/kvm_amd", F_OK))
		SKIP("KVM does it otherwise");
	run_done(&vm_new(G_forbidden, 1, 0)->vcpu[0]);
}

/* KVM knows more of them. */
TEST(cpu, hidden_cr4)
{
	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("KVM does it otherwise");
	run_done(&vm_new(G_hidden_cr4, 1, 0)->vcpu[0]);
}

TEST(cpu, triple_fault)
{
	struct vm *vm = vm_new(G_triple, 1, 0);

	run_sync(&vm->vcpu[0], 1);
	run_exit(&vm->vcpu[0], KVM_EXIT_SHUTDOWN);
}

/* A VMM that reboots after it: what it makes of the vCPU runs. */
TEST(cpu, triple_fault_reset)
{
	struct vm *vm = vm_new(G_triple, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_vcpu_events e = { 0 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &regs), 0);
	for (int i = 0; i < 3; i++) {
		vm->p->guest = i < 2 ? G_triple : G_exceptions;
		CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &sregs), 0);
		CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &regs), 0);
		CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
		if (i == 2)
			break;
		run_sync(v, 1);
		run_exit(v, KVM_EXIT_SHUTDOWN);
	}
	run_done(v);
}

TEST(cpu, step_exits)
{
	run_done(&vm_new(G_step_exits, 1, 0)->vcpu[0]);
}

TEST(cpu, step_branch)
{
	run_done(&vm_new(G_step_branch, 1, 0)->vcpu[0]);
}

TEST(cpu, int1)
{
	run_done(&vm_new(G_int1, 1, 0)->vcpu[0]);
}

TEST(cpu, resume_flag)
{
	if (!access("/sys/module/kvm_amd", F_OK))
		SKIP("KVM leaves RF set");
	run_done(&vm_new(G_resume_flag, 1, 0)->vcpu[0]);
}

/* No instruction accesses the MMIO page, so none is emulated for it, however often it is tried. */
TEST(cpu, stack_in_mmio)
{
	struct vm *vm = vm_new(G_stack_in_mmio, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("KVM does it otherwise with SVM");
	pin(cpus_usable() > 1);
	for (int i = 0; i < 2; i++) {
		run_exit(v, KVM_EXIT_INTERNAL_ERROR);
		CHECK_EQ(v->run->internal.suberror, KVM_INTERNAL_ERROR_DELIVERY_EV);
		CHECK_EQ(v->run->internal.ndata, 2);
		CHECK_EQ(v->run->internal.data[0] & ~0xfffull, GPA_MMIO);
		CHECK_EQ(v->run->internal.data[1], sched_getcpu());	/* KVM_CAP_LAST_CPU */
	}
}

/* The guest sees exactly what KVM_SET_CPUID2 was given. */
TEST(cpu, cpuid)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct kvm_cpuid2 *c = cpuid_for(0);
	struct gop *op[5];
	static const uint64_t leaf[5] = { 0, 0x40000000, 0x80000002, 0x4fffff01, 7 };

	for (uint32_t i = 0; i < c->nent; i++)
		if (c->entries[i].function == 0x80000002)
			c->entries[i].eax = 0x64656265;
	c->entries[c->nent++] = (struct kvm_cpuid_entry2){
		.function = 0x4fffff01, .eax = 0x11111111, .ebx = 0x22222222, .ecx = 0x33333333, .edx = 0x44444444,
	};
	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_SET_CPUID2, c), 0);
	for (int i = 0; i < 5; i++)
		op[i] = op_add(vm, OP_CPUID, 0, leaf[i], 0);
	run_done(&vm->vcpu[0]);
	for (int i = 0; i < 5; i++) {
		const struct kvm_cpuid_entry2 *e = cpuid_find(c, leaf[i], 0);

		CHECK(e);
		CHECK_EQ(op[i]->val, e->eax | (uint64_t)e->ebx << 32);
		CHECK_EQ(op[i]->err, e->ecx | (uint64_t)e->edx << 32);
	}
}

TEST(cpu, msrs)
{
	static const struct { uint32_t msr; uint64_t val; } set[] = {
		{ 0x174, 0x10 }, { 0x175, 0x1000 }, { 0x176, 0x123456 }, { 0x277, 0x0007040600070406 },
		{ 0xc0000081, 0x0023001000000000 }, { 0xc0000082, 0x123456789000 },
		{ 0xc0000083, 0x123456789001 }, { 0xc0000084, 0x47700 }, { 0xc0000100, 0x7fff12345678 },
		{ 0xc0000101, 0x7fff87654321 }, { 0xc0000102, 0xffffffff81000000 },
	};
	enum { N = sizeof(set) / sizeof(set[0]) };
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *rd[N];

	for (int i = 0; i < N; i++) {
		op_add(vm, OP_WRMSR, 0, set[i].msr, set[i].val);
		rd[i] = op_add(vm, OP_RDMSR, 0, set[i].msr, 0);
	}
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(v, 1);
	for (int i = 0; i < N; i++) {
		if (rd[i]->vec != TRAP_NONE || rd[i]->val != set[i].val)
			vmm_fail("MSR keeps its value", __FILE__, __LINE__, "0x%x: trap %u, 0x%llx", set[i].msr,
				 rd[i]->vec, (unsigned long long)rd[i]->val);
		CHECK_EQ(get_msr(v, set[i].msr), set[i].val);
	}
	run_done(v);
}

TEST(cpu, unknown_msr)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	static const uint32_t msr[] = { 0x1234, 0x12345678, 0xc0001fff, 0xc0011fff };
	struct gop *rd[4], *wr[4], *bad;

	for (int i = 0; i < 4; i++) {
		rd[i] = op_add(vm, OP_RDMSR, 0, msr[i], 0);
		wr[i] = op_add(vm, OP_WRMSR, 0, msr[i], 1);
	}
	bad = op_add(vm, OP_WRMSR, 0, 0x277, 0x0202020202020202);	/* no such memory type */
	run_done(&vm->vcpu[0]);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(rd[i]->vec, 13);
		CHECK_EQ(rd[i]->err, 0);
		CHECK_EQ(wr[i]->vec, 13);
	}
	CHECK_EQ(bad->vec, 13);
}

struct pest {
	pthread_t victim;
	volatile bool done;
};

static void *interrupt_all_the_time(void *arg)
{
	struct pest *p = arg;

	for (unsigned int n = 0; !p->done; n = (n + 977) % 30000) {
		for (volatile unsigned int i = 0; i < n; i++)
			;
		pthread_kill(p->victim, SIGUSR1);
	}
	return NULL;
}

/* Signals, at whatever moment they come, make no access of the guest's happen twice, or not at all. */
TEST_LIMIT(run, signals_at_exits, 120)
{
	struct vm *vm = vm_new(G_numbers, 1, 0);
	struct pest pest = { .victim = pthread_self() };
	struct vcpu *v = &vm->vcpu[0];
	uint32_t n = 5000, next = 0;
	pthread_t t;
	int err;

	vm->p->arg[0] = n;
	catch_signal(SIGUSR1);
	CHECK_EQ(pthread_create(&t, NULL, interrupt_all_the_time, &pest), 0);
	while (next < n) {
		err = run_once(v);
		if (err == -EINTR)
			continue;
		CHECK_EQ(err, 0);
		check_guest(v);
		CHECK_EQ(*(uint32_t *)expect_io(v, 1, 4, PORT_TEST), next);
		next++;
	}
	pest.done = true;
	CHECK_EQ(pthread_join(t, NULL), 0);
	run_done(v);
}
