/* SPDX-License-Identifier: GPL-2.0-only */
/* Several VMs and plain processes on one CPU. */
#include "test.h"

#include <sys/resource.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <x86intrin.h>

#define GAP_NS	200000		/* a step of the TSC longer than this was time of somebody else's */

static uint64_t tsc_per_ms(void)
{
	uint64_t n = now_ns(), t = __rdtsc();

	while (now_ns() - n < 20000000)
		;
	return (__rdtsc() - t) * 1000000 / (now_ns() - n);
}

static void *run_pinned(void *arg)
{
	struct vcpu *v = arg;

	pin(0);
	for (;;) {
		int err = run_once(v);

		if (err == -EINTR)
			continue;
		CHECK_EQ(err, 0);
		check_guest(v);
		expect_io(v, 1, 4, PORT_DONE);
		return NULL;
	}
}

/* What guest_share() does, as a plain process; the time it ran is in *ran. */
static void share_process(volatile uint64_t *stop, volatile uint64_t *ran, uint64_t limit)
{
	uint64_t last, now;

	pin(0);
	for (last = __rdtsc(); !*stop; last = now) {
		now = __rdtsc();
		if (now - last < limit)
			*ran += now - last;
	}
	_exit(0);
}

/* Where the host takes its CPUs away for tens of ms, shares and delays are of its making. */
static void need_counted(void)
{
	if (!getenv("BP_COUNTED"))
		SKIP("times are measured on the counting machine (--icount, BP_COUNTED=1)");
}

/* Two VMs and a process that all spin on one CPU: each gets about a third, at least a fifth. */
TEST_LIMIT(sched, fair_shares, 60)
{
	volatile uint64_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t limit = tsc_per_ms() * (GAP_NS / 1000) / 1000, ran[3], sum = 0;
	struct vm *vm[2];
	pthread_t t[2];
	pid_t pid;

	CHECK(shared != MAP_FAILED);
	need_counted();
	if (cpus_usable() > 1)
		pin(1);
	pid = fork();
	if (!pid)
		share_process(&shared[0], &shared[1], limit);
	for (int i = 0; i < 2; i++) {
		vm[i] = vm_new(G_share, 1, 0);
		vm[i]->p->arg[1] = limit;
		CHECK_EQ(pthread_create(&t[i], NULL, run_pinned, &vm[i]->vcpu[0]), 0);
	}
	sleep_ms(1000);
	ran[0] = shared[1];
	ran[1] = vm[0]->p->res[0];
	ran[2] = vm[1]->p->res[0];
	sleep_ms(3000);
	ran[0] = shared[1] - ran[0];
	ran[1] = vm[0]->p->res[0] - ran[1];
	ran[2] = vm[1]->p->res[0] - ran[2];
	shared[0] = vm[0]->p->arg[0] = vm[1]->p->arg[0] = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 3; i++)
		sum += ran[i];
	CHECK(sum);
	test_note("process %llu %%, VMs %llu %% and %llu %%", (unsigned long long)(ran[0] * 100 / sum),
		  (unsigned long long)(ran[1] * 100 / sum), (unsigned long long)(ran[2] * 100 / sum));
	for (int i = 0; i < 3; i++)
		CHECK(ran[i] * 100 / sum >= 20);
}

static void *run_nice(void *arg)
{
	CHECK_EQ(setpriority(PRIO_PROCESS, gettid(), 5), 0);
	return run_pinned(arg);
}

/* A thread of nice 5 has a third of the weight of one of nice 0, and so its vCPU. */
TEST_LIMIT(sched, nice_shares, 60)
{
	uint64_t limit = tsc_per_ms() * (GAP_NS / 1000) / 1000, ran[2], part;
	struct vm *vm[2];
	pthread_t t[2];

	need_counted();
	if (cpus_usable() > 1)
		pin(1);
	for (int i = 0; i < 2; i++) {
		vm[i] = vm_new(G_share, 1, 0);
		vm[i]->p->arg[1] = limit;
		CHECK_EQ(pthread_create(&t[i], NULL, i ? run_nice : run_pinned, &vm[i]->vcpu[0]), 0);
	}
	sleep_ms(1000);
	for (int i = 0; i < 2; i++)
		ran[i] = vm[i]->p->res[0];
	sleep_ms(3000);
	for (int i = 0; i < 2; i++)
		ran[i] = vm[i]->p->res[0] - ran[i];
	vm[0]->p->arg[0] = vm[1]->p->arg[0] = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	CHECK(ran[0] && ran[1]);
	part = ran[1] * 100 / (ran[0] + ran[1]);
	test_note("the nice one had %llu %%", (unsigned long long)part);
	CHECK(part >= 18 && part <= 32);
}

/* A guest that spins does not keep a process on its CPU from the ticks of its timer. */
TEST_LIMIT(sched, timer_ticks, 60)
{
	struct itimerspec it = { { 0, 10000000 }, { 0, 10000000 } };
	struct vm *vm = vm_new(G_spin, 1, 0);
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), wakes = 0;
	uint64_t n, start, worst = 0, last, now;
	pthread_t t;

	need_counted();
	CHECK(fd >= 0);
	CHECK_EQ(pthread_create(&t, NULL, run_pinned, &vm->vcpu[0]), 0);
	pin(0);
	CHECK_EQ(timerfd_settime(fd, 0, &it, NULL), 0);
	for (start = last = now_ns(); now_ns() - start < 500000000; last = now, wakes++) {
		CHECK_EQ(read(fd, &n, 8), 8);
		now = now_ns();
		if (now - last > worst)
			worst = now - last;
	}
	vm->p->arg[0] = 1;
	pthread_join(t, NULL);
	test_note("%d of 50 ticks, the longest wait %llu ms", wakes, (unsigned long long)worst / 1000000);
	CHECK(wakes >= 25);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	CHECK_EQ(clock_gettime(clock, &t), 0);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/*
 * A vCPU that halts leaves its CPU to others.  A host that stands still while its thread is about to sleep is
 * counted as the thread's time: not in each of ten tries.
 */
TEST(sched, halted_is_idle)
{
	struct vm *vm = vm_new(G_hlt, 1, 0);
	uint64_t ran = UINT64_MAX;
	clockid_t clock;

	vm->p->arg[0] = 1;
	thread_start(&vm->vcpu[0]);
	CHECK_EQ(pthread_getcpuclockid(vm->vcpu[0].thread, &clock), 0);
	sleep_ms(200);
	for (int i = 0; i < 10 && ran >= 100000000; i++) {
		ran = clock_ns(clock);
		sleep_ms(500);
		ran = clock_ns(clock) - ran;
	}
	CHECK(signal_msi(vm, 0xfee00000, 0x51) > 0);
	thread_join(&vm->vcpu[0]);
	CHECK(ran < 100000000);
}
