/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-bench: the cost of a guest's round trips, in ticks of the TSC: instructions on a machine whose TSC
 * counts them (QEMU with --icount, Bochs).  One line each: name, TAB, round trips measured, TAB, cost of
 * one in the best of several takes.
 *
 * usage: bp-bench [--short] [NAME...]	(default: all; --short: fewer, for who traces them)
 */
#include "vmm.h"
#include "marks.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <x86intrin.h>

#define WARM	100

static int rounds = 300;
static int takes = 7;		/* the best counts: the other CPU's work adds to the rest */

static const char *current = "setup";
static char **names;		/* of the rows to measure; none: all */

void vmm_fail(const char *what, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "bp-bench: %s: %s %s:%d (", current, what, file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ")\n");
	exit(1);
}

/* Is the row to be measured?  If so, it is the current one from now on. */
static int begin(const char *name)
{
	char **n;

	for (n = names; *n && strcmp(*n, name); n++)
		;
	if (*names && !*n)
		return 0;
	current = name;
	return 1;
}

static void report(uint64_t ticks)
{
	printf("%s\t%llu\t%.1f\n", current, (unsigned long long)rounds * takes, (double)ticks / rounds);
	fflush(stdout);
}

/* Serve the guest's port reads and MMIO writes until it is done. */
static void serve(struct vcpu *v)
{
	struct kvm_run *r = v->run;
	uint32_t answer = 0x12345678;

	for (;;) {
		if (run_once(v))
			CHECK(errno == EINTR || errno == EAGAIN);
		else if (r->exit_reason == KVM_EXIT_IO && r->io.direction == KVM_EXIT_IO_IN)
			memcpy((uint8_t *)r + r->io.data_offset, &answer, r->io.size);
		else if (r->exit_reason != KVM_EXIT_MMIO)
			break;
	}
	check_guest(v);
	expect_io(v, 1, 4, PORT_DONE);
}

/*
 * The TSS of an AMD processor after reset, as KVM has it, is a 16-bit one, with
 * which Bochs does not let a guest into long mode.
 */
static void wide_tss(struct vcpu *v)
{
	struct kvm_sregs s;

	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	s.tr.type = 0xb;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
}

static struct vm *prepare(enum guest_id g, int vcpus, uint64_t arg2)
{
	struct vm *vm = vm_new(g, vcpus, 0);

	vm->p->x2apic = 1;
	vm->p->arg[0] = rounds;
	vm->p->arg[1] = WARM;
	vm->p->arg[2] = arg2;
	wide_tss(&vm->vcpu[0]);
	return vm;
}

/* In ticks of the guests' TSC. */
static uint64_t ticks_of_us(uint64_t us)
{
	struct vm *vm = prepare(G_bench_timer, 1, 0);
	int khz = ioctl(vm->vcpu[0].fd, KVM_GET_TSC_KHZ);

	CHECK(khz > 0);
	vm_free(vm);
	return us * khz / 1000;
}

static uint64_t single_take(enum guest_id g, uint64_t arg2)
{
	struct vm *vm = prepare(g, 1, arg2);
	uint64_t ticks;

	serve(&vm->vcpu[0]);
	ticks = vm->p->res[0];
	vm_free(vm);
	return ticks;
}

/* Nobody reads the eventfd: what is measured is the way of the guest's write, as vhost would see it. */
static uint64_t doorbell_take(enum guest_id g, uint64_t pio)
{
	struct kvm_ioeventfd e = {
		.addr = pio ? PORT_TEST : GPA_MMIO, .len = 2, .fd = eventfd(0, EFD_NONBLOCK),
		.flags = pio ? KVM_IOEVENTFD_FLAG_PIO : 0,
	};
	struct vm *vm = prepare(g, 1, pio);
	uint64_t ticks;

	CHECK(e.fd >= 0);
	CHECK_EQ(ioctl(vm->fd, KVM_IOEVENTFD, &e), 0);
	run_done(&vm->vcpu[0]);
	ticks = vm->p->res[0];
	vm_free(vm);
	close(e.fd);
	return ticks;
}

static void ring(int fd)
{
	uint64_t one = 1;

	CHECK_EQ(write(fd, &one, sizeof(one)), sizeof(one));
}

/* What a device model does with a kick, on another CPU, where it sleeps until then. */
struct kicked {
	struct vm *vm;
	int bell;
};

static void *answer_kicks(void *arg)
{
	struct kicked *k = arg;
	uint64_t n;

	pin(1);
	while (read(k->bell, &n, sizeof(n)) == sizeof(n) && !k->vm->p->res[40])
		k->vm->p->arg[4]++;
	return NULL;
}

static uint64_t kick_take(enum guest_id g, uint64_t how)
{
	struct vm *vm = prepare(g, 1, how);
	struct kicked k = { .vm = vm, .bell = eventfd(0, 0) };
	struct kvm_ioeventfd e = { .addr = PORT_TEST, .len = 2, .fd = k.bell, .flags = KVM_IOEVENTFD_FLAG_PIO };
	uint64_t ticks;
	pthread_t t;

	CHECK_EQ(ioctl(vm->fd, KVM_IOEVENTFD, &e), 0);
	CHECK_EQ(pthread_create(&t, NULL, answer_kicks, &k), 0);
	serve(&vm->vcpu[0]);
	ticks = vm->p->res[0];
	vm->p->res[40] = 1;
	ring(k.bell);
	pthread_join(t, NULL);
	vm_free(vm);
	close(k.bell);
	return ticks;
}

static void *second_cpu(void *arg)
{
	pin(1);
	serve(arg);
	return NULL;
}

static uint64_t pair_take(enum guest_id g, uint64_t spinning)
{
	struct vm *vm = prepare(g, 2, spinning);
	uint64_t ticks;
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, second_cpu, &vm->vcpu[1]), 0);
	serve(&vm->vcpu[0]);
	pthread_join(t, NULL);
	ticks = vm->p->res[0];
	vm_free(vm);
	return ticks;
}

/* The eventfd's interrupt is vector 0x51, as a message to the guest's only vCPU. */
static int message_fd(struct vm *vm)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e;
	} r = { .head.nr = 1, .e = { .gsi = 1, .type = KVM_IRQ_ROUTING_MSI,
				     .u.msi = { .address_lo = 0xfee00000, .data = 0x51 } } };
	struct kvm_irqfd f = { .fd = eventfd(0, EFD_NONBLOCK), .gsi = 1 };

	CHECK((int)f.fd >= 0);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), 0);
	CHECK_EQ(ioctl(vm->fd, KVM_IRQFD, &f), 0);
	return f.fd;
}

enum { IRQFD_SLEEPS = 1, IRQFD_YIELDS = 2, IRQFD_RUNNING = 4 };

/* The thread waits for the guest's bell on its CPU, yields that to others, or spins on another. */
static void interrupt(struct vm *vm, int fd, int bell, uint64_t how)
{
	uint64_t before = vm->p->res[1], n;

	ring(fd);
	if (how & IRQFD_SLEEPS) {
		CHECK_EQ(read(bell, &n, sizeof(n)), sizeof(n));
		return;
	}
	while (vm->p->res[1] == before) {
		if (how & IRQFD_YIELDS)
			sched_yield();
		else
			_mm_pause();
	}
}

static void *first_cpu(void *arg)
{
	pin(0);
	serve(arg);
	return NULL;
}

/* What a device model or vhost does. */
static uint64_t irqfd_take(enum guest_id g, uint64_t how)
{
	struct vm *vm = prepare(g, 1, how & IRQFD_RUNNING);
	int fd = message_fd(vm), bell = eventfd(0, 0);
	struct kvm_ioeventfd e = { .addr = PORT_TEST, .len = 2, .fd = bell, .flags = KVM_IOEVENTFD_FLAG_PIO };
	uint64_t ticks;
	pthread_t t;

	CHECK_EQ(ioctl(vm->fd, KVM_IOEVENTFD, &e), 0);
	vm->p->arg[3] = how & IRQFD_SLEEPS;
	pin(how & (IRQFD_SLEEPS | IRQFD_YIELDS) ? 0 : 1);
	CHECK_EQ(pthread_create(&t, NULL, first_cpu, &vm->vcpu[0]), 0);
	wait_while(&vm->p->res[2], 0);
	for (int i = 0; i < WARM; i++)
		interrupt(vm, fd, bell, how);
	MARK_BEGIN();
	ticks = __rdtsc();
	for (int i = 0; i < rounds; i++)
		interrupt(vm, fd, bell, how);
	ticks = __rdtsc() - ticks;
	MARK_END();
	/* The guest may see it at once, or be halted. */
	vm->p->res[40] = 1;
	ring(fd);
	pthread_join(t, NULL);
	vm_free(vm);
	close(fd);
	close(bell);
	return ticks;
}

static void measure(const char *name, uint64_t (*take)(enum guest_id g, uint64_t arg2),
		    enum guest_id g, uint64_t arg2)
{
	uint64_t best = UINT64_MAX, ticks;

	if (!begin(name))
		return;
	for (int i = 0; i < takes; i++) {
		ticks = take(g, arg2);
		if (ticks < best)
			best = ticks;
	}
	report(best);
}

static void *single_benchmarks(void *arg)
{
	(void)arg;
	pin(0);
	measure("cpuid", single_take, G_bench_cpuid, 0);
	measure("rdmsr", single_take, G_bench_rdmsr, 0);
	measure("port_read_user", single_take, G_bench_in, 0);
	measure("mmio_write_user", single_take, G_bench_mmio, 0);
	measure("ioeventfd_mmio", doorbell_take, G_bench_ioeventfd, 0);
	measure("ioeventfd_pio", doorbell_take, G_bench_ioeventfd, 1);
	measure("self_ipi", single_take, G_bench_selfipi, 0);
	measure("timer_now", single_take, G_bench_deadline, 0);
	measure("timer_halted", single_take, G_bench_timer, ticks_of_us(200));
	measure("irqfd_answered", irqfd_take, G_bench_irqfd, IRQFD_SLEEPS);
	measure("irqfd_yielding", irqfd_take, G_bench_irqfd, IRQFD_YIELDS);
	return NULL;
}

static void *first_of_pair(void *arg)
{
	(void)arg;
	pin(0);
	if (cpus_usable() < 2)
		return NULL;
	measure("ioeventfd_answered", kick_take, G_bench_ioeventfd, 2);
	measure("ipi_halted", pair_take, G_bench_ipi, 0);
	measure("ipi_spinning", pair_take, G_bench_ipi, 1);
	measure("irqfd_halted", irqfd_take, G_bench_irqfd, 0);
	measure("irqfd_running", irqfd_take, G_bench_irqfd, IRQFD_RUNNING);
	return NULL;
}

static void in_thread(void *(*fn)(void *))
{
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, fn, NULL), 0);
	pthread_join(t, NULL);
}

/* The main thread stays unpinned: pin() picks among its CPUs. */
int main(int argc, char **argv)
{
	names = argv + 1;
	if (argc > 1 && !strcmp(argv[1], "--short")) {
		rounds = 20;
		takes = 1;
		names++;
	}
	CHECK_EQ(vmm_open(), 0);
	in_thread(single_benchmarks);
	in_thread(first_of_pair);
	return 0;
}
