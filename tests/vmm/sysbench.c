/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-sysbench: what the service VM's own kernel costs, pinned to one CPU, in nanoseconds, which are
 * instructions on a machine that counts them.  One line each: name, TAB, operations, TAB, cost of one.
 */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	5000
#define PAGES	2000

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void report(const char *name, uint64_t count, uint64_t ns)
{
	printf("%s\t%llu\t%.1f\n", name, (unsigned long long)count, (double)ns / count);
	fflush(stdout);
}

static void null_syscall(void)
{
	uint64_t start = now_ns();

	for (int i = 0; i < ROUNDS; i++)
		syscall(SYS_getppid);
	report("null_syscall", ROUNDS, now_ns() - start);
}

static void page_fault(void)
{
	uint64_t start, size = PAGES * 4096ull;
	volatile char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	if (madvise((void *)p, size, MADV_NOHUGEPAGE))
		die("madvise");
	start = now_ns();
	for (uint64_t i = 0; i < size; i += 4096)
		p[i] = 1;
	report("page_fault", PAGES, now_ns() - start);
	munmap((void *)p, size);
}

/* Two processes that yield to each other; each yield is one switch. */
static void context_switch(void)
{
	uint64_t start;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		for (;;)
			sched_yield();
	for (int i = 0; i < 100; i++)
		sched_yield();
	start = now_ns();
	for (int i = 0; i < ROUNDS; i++)
		sched_yield();
	report("context_switch", 2 * ROUNDS, now_ns() - start);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void pipe_round_trip(void)
{
	int to[2], from[2];
	uint64_t start;
	char c = 'x';
	pid_t pid;

	if (pipe(to) || pipe(from))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(to[1]);
		while (read(to[0], &c, 1) == 1 && write(from[1], &c, 1) == 1)
			;
		_exit(0);
	}
	start = now_ns();
	for (int i = 0; i < ROUNDS; i++)
		if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
			die("pipe");
	report("pipe_round_trip", ROUNDS, now_ns() - start);
	close(to[1]);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
	null_syscall();
	page_fault();
	context_switch();
	pipe_round_trip();
	return 0;
}
