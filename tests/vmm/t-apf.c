// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous page faults: the VMM keeps the guest's memory back, by userfaultfd, and sees what
 * the guest does meanwhile.
 */
#include "late.h"

#include <asm/kvm_para.h>
#include <fcntl.h>
#include <signal.h>

#define PAGE		4096ull
#define HIGH		0x1000000ull		/* where the memory is that comes late */
#define ON		(KVM_ASYNC_PF_ENABLED | KVM_ASYNC_PF_DELIVERY_AS_INT)
#define WAKE_ALL	0xffffffffu

/* What the guests leave in gparams.res */
enum { TOLD, READY, TOKEN, TICKS, VALUES = 8 };

struct held {
	struct vm *vm;
	struct vcpu *v;
	struct late m;
};

/* @pages of memory at HIGH that nobody has touched yet. */
static struct held late_vm(enum guest_id g, int vcpus, uint64_t pages, uint64_t flags)
{
	struct held l;

	if (check_cap(kvm_fd, KVM_CAP_ASYNC_PF_INT) <= 0)
		SKIP("no asynchronous page faults");
	l.m = late_new(pages);
	l.vm = vm_new(g, vcpus, 0);
	l.v = &l.vm->vcpu[0];
	CHECK_EQ(vm_slot(l.vm, 2, HIGH, pages * PAGE, l.m.mem, 0), 0);
	l.vm->p->arg[0] = HIGH;
	l.vm->p->arg[1] = flags;
	l.vm->p->arg[2] = pages;
	return l;
}

static void bring(const struct held *l, uint64_t page, uint64_t val)
{
	uint64_t data[PAGE / 8] = { val };

	late_bring(&l->m, page, data);
}

/* The guest is told, does something else, and is told again when the page is there. */
TEST(apf, told)
{
	struct held l = late_vm(G_apf_told, 1, 1, ON | KVM_ASYNC_PF_SEND_ALWAYS);
	volatile uint64_t *res = l.vm->p->res;

	run_sync(l.v, 1);
	CHECK_EQ(res[TOLD], 1);
	CHECK_EQ(res[READY], 1);
	bring(&l, 0, 0x1234);
	run_sync(l.v, 2);
	CHECK_EQ(res[VALUES], 0x1234);
	CHECK_EQ(res[TOLD], 1);
	CHECK_EQ(res[READY], 2);
	CHECK(res[TOKEN] && res[TOKEN] != WAKE_ALL);
	run_done(l.v);
}

/* Several at once; the next token comes when the guest has taken the last one. */
TEST(apf, several)
{
	uint64_t n = 5;
	struct held l = late_vm(G_apf_told, 1, n, ON | KVM_ASYNC_PF_SEND_ALWAYS);
	volatile uint64_t *res = l.vm->p->res;

	run_sync(l.v, 1);
	CHECK_EQ(res[TOLD], n);
	for (uint64_t i = 0; i < n; i++)
		bring(&l, i, 100 + i);
	run_sync(l.v, 2);
	for (uint64_t i = 0; i < n; i++)
		CHECK_EQ(res[VALUES + i], 100 + i);
	CHECK_EQ(res[TOLD], n);
	CHECK_EQ(res[READY], n + 1);
	run_done(l.v);
}

/* Not told, the guest stands still, but for its interrupts. */
static void halted(uint64_t flags)
{
	struct held l = late_vm(G_apf_halted, 1, 1, flags);
	volatile uint64_t *res = l.vm->p->res;
	struct kvm_mp_state mp;

	run_sync(l.v, 1);
	CHECK_EQ(ioctl(l.v->fd, KVM_GET_MP_STATE, &mp), 0);
	CHECK_EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	bring(&l, 0, 0x4321);
	run_sync(l.v, 2);
	CHECK_EQ(res[VALUES], 0x4321);
	CHECK_EQ(res[TOLD], 0);
	CHECK_EQ(res[READY], flags ? 1 : 0);
	CHECK(res[TICKS] >= 3);
	run_done(l.v);
}

TEST(apf, not_enabled)
{
	halted(0);
}

TEST(apf, not_in_the_kernel)
{
	halted(ON);
}

/* KVM_RUN is left while the guest stands still: user space sees it running. */
TEST(apf, halt_is_hidden)
{
	struct held l = late_vm(G_apf_halted, 1, 1, 0);
	struct kvm_mp_state mp;

	run_sync(l.v, 1);
	for (int i = 0; i < 3; i++) {
		l.v->run->immediate_exit = 1;
		CHECK_EQ(run_once(l.v), -EINTR);
		CHECK_EQ(ioctl(l.v->fd, KVM_GET_MP_STATE, &mp), 0);
		CHECK_EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	}
	l.v->run->immediate_exit = 0;
	bring(&l, 0, 0x99);
	run_sync(l.v, 2);
	CHECK_EQ(l.vm->p->res[VALUES], 0x99);
}

static void *bring_when_wanted(void *arg)
{
	const struct held *l = arg;

	CHECK_EQ(late_wanted(&l->m), 0);
	bring(l, 0, 0x777);
	return NULL;
}

/* VMMs that let many pages be waited for, for ever, stop no other one's guest. */
TEST_LIMIT(apf, workers_kept, 120)
{
	struct held l;
	pthread_t t;

	for (int i = 0; i < 64; i++) {		/* as many as Linux 6.12 has workers */
		l = late_vm(G_apf_told, 1, 8, ON | KVM_ASYNC_PF_SEND_ALWAYS);
		run_sync(l.v, 1);
	}
	l = late_vm(G_apf_reads, 1, 1, ON | KVM_ASYNC_PF_SEND_ALWAYS);
	l.vm->p->arg[2] = 0;		/* it does not stop when it is told */
	l.vm->p->arg[3] = 1;
	CHECK_EQ(pthread_create(&t, NULL, bring_when_wanted, &l), 0);
	run_done(l.v);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(l.vm->p->res[VALUES], 0x777);
}

/* With interrupts off there is nothing but to wait. */
TEST(apf, masked)
{
	struct held l = late_vm(G_apf_masked, 1, 1, ON | KVM_ASYNC_PF_SEND_ALWAYS);
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, bring_when_wanted, &l), 0);
	run_done(l.v);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(l.vm->p->res[VALUES], 0x777);
	CHECK_EQ(l.vm->p->res[READY], 1);
}

/*
 * Where the guest looks for the token is late as well: a signal ends the wait for it, and no
 * token is lost.
 */
TEST(apf, late_token)
{
	struct held l = late_vm(G_apf_told, 1, 2, ON | KVM_ASYNC_PF_SEND_ALWAYS);
	uint8_t *shared = l.vm->mem + GPA_SCRATCH, page[PAGE];
	volatile uint64_t *res = l.vm->p->res;
	struct late s;

	run_sync(l.v, 1);
	memcpy(page, shared, PAGE);
	s = late_again(shared);
	bring(&l, 0, 0x12);
	bring(&l, 1, 0x34);
	late_interrupts(l.v, &s, 0);
	late_bring_protected(&s, 0, page);
	late_interrupts(l.v, &s, 0);
	late_unprotect(&s, 0);
	run_sync(l.v, 2);
	CHECK_EQ(res[VALUES], 0x12);
	CHECK_EQ(res[VALUES + 1], 0x34);
	CHECK_EQ(res[TOLD], 2);
	CHECK_EQ(res[READY], 3);
	run_done(l.v);
}

/* The state goes to another VMM: it has the guest look for all that it waits for. */
TEST(apf, migrated)
{
	struct held l = late_vm(G_apf_told, 1, 1, ON | KVM_ASYNC_PF_SEND_ALWAYS);
	uint64_t enable;

	run_sync(l.v, 1);
	enable = get_msr(l.v, MSR_KVM_ASYNC_PF_EN);
	CHECK_EQ(enable & 0x3f, ON | KVM_ASYNC_PF_SEND_ALWAYS);
	CHECK_EQ(get_msr(l.v, MSR_KVM_ASYNC_PF_ACK), 0);
	CHECK_EQ(get_msr(l.v, MSR_KVM_ASYNC_PF_INT), 0x61);
	bring(&l, 0, 0x55);
	set_msr(l.v, MSR_KVM_ASYNC_PF_EN, 0);
	CHECK_EQ(get_msr(l.v, MSR_KVM_ASYNC_PF_EN), 0);
	set_msr(l.v, MSR_KVM_ASYNC_PF_EN, enable);
	run_sync(l.v, 2);
	CHECK_EQ(l.vm->p->res[VALUES], 0x55);
	CHECK_EQ(l.vm->p->res[TOKEN], WAKE_ALL);
	CHECK_EQ(l.vm->p->res[READY], 2);
}

TEST(apf, msr_values)
{
	static const struct { uint32_t msr; uint64_t val; bool ok; } c[] = {
		{ MSR_KVM_ASYNC_PF_EN, GPA_SCRATCH | 0x10, false },
		{ MSR_KVM_ASYNC_PF_EN, GPA_SCRATCH | 0x20, false },
		{ MSR_KVM_ASYNC_PF_EN, 0xd8bf007adc100000 | ON, false },
		{ MSR_KVM_ASYNC_PF_EN, 0, true },
		{ MSR_KVM_ASYNC_PF_EN, GPA_SCRATCH | KVM_ASYNC_PF_ENABLED, true },
		{ MSR_KVM_ASYNC_PF_EN, KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT, true },
		{ MSR_KVM_ASYNC_PF_INT, 0x100, false },
		{ MSR_KVM_ASYNC_PF_INT, 0xff, true },
		{ MSR_KVM_ASYNC_PF_ACK, 2, true },
		{ MSR_KVM_ASYNC_PF_ACK, ~0ull, true },
	};
	const int n = sizeof(c) / sizeof(c[0]);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct gop *op[sizeof(c) / sizeof(c[0])];

	if (check_cap(kvm_fd, KVM_CAP_ASYNC_PF_INT) <= 0)
		SKIP("no asynchronous page faults");
	for (int i = 0; i < n; i++)
		op[i] = op_add(vm, OP_WRMSR, 0, c[i].msr, c[i].val);
	run_done(&vm->vcpu[0]);
	for (int i = 0; i < n; i++)
		CHECK_EQ(op[i]->vec, c[i].ok ? TRAP_NONE : 13);
	CHECK_EQ(get_msr(&vm->vcpu[0], MSR_KVM_ASYNC_PF_EN), KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT);
	CHECK_EQ(get_msr(&vm->vcpu[0], MSR_KVM_ASYNC_PF_INT), 0xff);
}

/* Where the VMM minds, a guest has the MSRs only by CPUID. */
TEST(apf, msr_by_cpuid)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ENFORCE_PV_FEATURE_CPUID, .args = { 1 } };
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_cpuid2 *cpuid = cpuid_for(0);
	struct kvm_cpuid_entry2 *e = (void *)cpuid_find(cpuid, KVM_CPUID_FEATURES, 0);
	struct gop *en, *vec, *ack;

	if (check_cap(kvm_fd, KVM_CAP_ASYNC_PF_INT) <= 0)
		SKIP("no asynchronous page faults");
	CHECK(e && e->eax & 1 << KVM_FEATURE_ASYNC_PF && e->eax & 1 << KVM_FEATURE_ASYNC_PF_INT);
	e->eax &= ~(1u << KVM_FEATURE_ASYNC_PF_INT);
	CHECK_EQ(ioctl(v->fd, KVM_ENABLE_CAP, &cap), 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, cpuid), 0);
	en = op_add(vm, OP_WRMSR, 0, MSR_KVM_ASYNC_PF_EN, GPA_SCRATCH | KVM_ASYNC_PF_ENABLED);
	vec = op_add(vm, OP_WRMSR, 0, MSR_KVM_ASYNC_PF_INT, 0x61);
	ack = op_add(vm, OP_RDMSR, 0, MSR_KVM_ASYNC_PF_ACK, 0);
	run_done(v);
	CHECK_EQ(en->vec, TRAP_NONE);
	CHECK_EQ(vec->vec, 13);
	CHECK_EQ(ack->vec, 13);
	/* Saved as 0, and so restored. */
	CHECK_EQ(get_msr(v, MSR_KVM_ASYNC_PF_INT), 0);
	set_msr(v, MSR_KVM_ASYNC_PF_INT, 0);
}

TEST(apf, init)
{
	struct vm *vm = vm_new(G_apf_init, 2, 0);

	if (check_cap(kvm_fd, KVM_CAP_ASYNC_PF_INT) <= 0)
		SKIP("no asynchronous page faults");
	thread_start(&vm->vcpu[1]);
	run_done(&vm->vcpu[0]);
	CHECK_EQ(vm->p->res[5], 1);
	CHECK_EQ(vm->p->res[6], 1);
}

/* The VM goes while the page is still waited for.  (KVM's own would wait with it.) */
TEST(apf, abandoned)
{
	struct held l;

	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("closing the VM would wait for the page");
	l = late_vm(G_apf_told, 1, 2, ON | KVM_ASYNC_PF_SEND_ALWAYS);
	run_sync(l.v, 1);
	vm_free(l.vm);
	bring(&l, 0, 1);
}

struct toggler {
	const struct held *l;
	pthread_t runner;
	volatile bool end;
};

/* The slot goes and comes, and signals end KVM_RUN. */
static void *toggle(void *arg)
{
	struct toggler *t = arg;

	for (unsigned int n = 0; !t->end; n = (n + 9770) % 300000) {
		for (volatile unsigned int i = 0; i < n; i++)
			;
		CHECK_EQ(vm_slot(t->l->vm, 2, HIGH, 0, t->l->m.mem, 0), 0);
		pthread_kill(t->runner, SIGUSR1);
		CHECK_EQ(vm_slot(t->l->vm, 2, HIGH, PAGE, t->l->m.mem, 0), 0);
		pthread_kill(t->runner, SIGUSR1);
	}
	return NULL;
}

static void nothing(int sig) { (void)sig; }

/*
 * Between the fault and the wait for its page: then there is no page to wait for.  (KVM's own
 * emulator tries its copy for ever, once a signal is pending, and keeps the slots as they are.)
 */
TEST_LIMIT(apf, slot_goes, 120)
{
	struct sigaction act = { .sa_handler = nothing };
	uint64_t reads = 1000, seen = 0;
	struct toggler t;
	pthread_t thread;
	struct held l;

	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("KVM's emulator may wait for the page for ever");
	l = late_vm(G_apf_reads, 1, 1, 0);
	t = (struct toggler){ .l = &l, .runner = pthread_self() };
	l.vm->p->arg[3] = reads;
	CHECK_EQ(sigaction(SIGUSR1, &act, NULL), 0);
	CHECK_EQ(pthread_create(&thread, NULL, toggle, &t), 0);
	while (seen < reads) {
		int err = run_once(l.v);

		if (err == -EINTR)
			continue;
		CHECK_EQ(err, 0);
		check_guest(l.v);
		CHECK_EQ(l.v->run->exit_reason, KVM_EXIT_MMIO);
		CHECK_EQ(l.v->run->mmio.phys_addr, HIGH);
		seen++;
	}
	t.end = true;
	CHECK_EQ(pthread_join(thread, NULL), 0);
	run_done(l.v);
}
