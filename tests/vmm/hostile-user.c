/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-hostile user: processes without any right but to open /dev/kvm; the threads of each make random
 * calls on the same files, change the memory under the slots, fork, and get signals, until it has made its
 * share of calls or is killed.  A process that does not end is a failure.
 */
#include "hostile.h"

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define NOBODY		65534
#define THREADS		4
#define ROUND_CALLS	2000
#define ROUND_SECONDS	20		/* then it is killed */

static struct shared { uint64_t calls, forks; } *shared;
static uint64_t seed, round_nr, round_end;

static void on_alarm(int sig)
{
	(void)sig;
}

/* A child with all files, which it uses for a while or only closes. */
static void child(void)
{
	pid_t pid = fork();

	if (pid > 0)
		__atomic_fetch_add(&shared->forks, 1, __ATOMIC_RELAXED);
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	rnd_begin(seed, 3, rnd());
	alarm(2);
	signal(SIGALRM, SIG_DFL);
	for (uint64_t n = below(40); n; n--)
		user_call();
	_exit(0);
}

/* Each thread has its own: a process's signal goes to the first thread alone. */
static void timer_start(uint64_t id)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };
	struct itimerspec it = { .it_value.tv_nsec = 1000000 + id * 700000 };
	timer_t timer;

	ev._sigev_un._tid = gettid();
	it.it_interval = it.it_value;
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
	CHECK_EQ(timer_settime(timer, 0, &it, NULL), 0);
}

static void *thread(void *arg)
{
	uint64_t id = (uintptr_t)arg;

	timer_start(id);
	rnd_begin(seed, 16 + id, round_nr);
	for (;;) {
		if (id == THREADS - 1) {
			user_memory_change();
			if (once_in(200))
				child();
		}
		user_call();
		if (__atomic_load_n(&shared->calls, __ATOMIC_RELAXED) >= round_end && once_in(50))
			exit(0);
	}
}

/* The process of a round; its calls are counted together with those of the others. */
static noreturn void worker(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct rlimit nofile = { 400, 400 }, core = { 0, 0 };
	pthread_t t;

	setpgid(0, 0);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &nofile), 0);
	CHECK_EQ(setrlimit(RLIMIT_CORE, &core), 0);
	CHECK_EQ(setgroups(0, NULL), 0);
	CHECK_EQ(setgid(NOBODY), 0);
	CHECK_EQ(setuid(NOBODY), 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	rnd_begin(seed, 1, round_nr);
	user_init(&shared->calls);
	user_memory_new();
	CHECK_EQ(sigaction(SIGALRM, &sa, NULL), 0);
	for (uintptr_t i = 1; i < THREADS; i++)
		CHECK_EQ(pthread_create(&t, NULL, thread, (void *)i), 0);
	thread(NULL);
	exit(0);
}

static void shared_new(uint64_t of)
{
	seed = of;
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
}

void user_process(uint64_t of, uint64_t nr)
{
	shared_new(of);
	round_nr = nr;
	round_end = ~0ull;
	worker();
}

bool process_ended(pid_t pid, int *status, double seconds)
{
	for (double left = seconds; left > 0; left -= 0.02) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		sleep_ms(20);
	}
	return false;
}

/* False: it does not end, not even killed. */
static bool round_do(uint64_t nr)
{
	int status;
	pid_t pid;

	fflush(stdout);
	round_nr = nr;
	round_end = shared->calls + ROUND_CALLS;
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		worker();
	if (process_ended(pid, &status, ROUND_SECONDS))
		kill(-pid, SIGKILL);
	else if (kill(-pid, SIGKILL), kill(pid, SIGKILL), !process_ended(pid, &status, PROCESS_STUCK))
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		printf("# round %llu ended with status %d\n", (unsigned long long)nr, WEXITSTATUS(status));
	return true;
}

int hostile_user(const struct options *opt)
{
	uint64_t begun = now_ns(), ns, nr = opt->from;

	shared_new(opt->seed);
	while (shared->calls < opt->calls)
		if (!round_do(nr++)) {
			printf("not ok user: round %llu of seed %llu does not end\n", (unsigned long long)nr - 1,
			       (unsigned long long)seed);
			return 1;
		}
	ns = now_ns() - begun;
	printf("# user: seed %llu: %llu rounds, %llu calls, %llu children, %llu s, %llu calls a second\n",
	       (unsigned long long)seed, (unsigned long long)(nr - opt->from), (unsigned long long)shared->calls,
	       (unsigned long long)shared->forks, (unsigned long long)ns / 1000000000,
	       (unsigned long long)(shared->calls * 1000 / (ns / 1000000 + 1)));
	return 0;
}
