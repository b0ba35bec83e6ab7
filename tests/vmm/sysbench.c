/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-sysbench: what the service VM's own kernel costs, pinned to one CPU, in ticks of the TSC: instructions
 * on a machine whose TSC counts them.  One line each: name, TAB, operations, TAB, cost of one in the best
 * of several takes.
 * usage: bp-sysbench [NAME]
 */
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "../guests/marks.h"

#define ROUNDS	1000
#define PAGES	1000
#define TAKES	7		/* the best counts: others' work adds to the rest */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Each take returns the ticks that it took, between the marks of a profile (tests/profile). */

static uint64_t begin(void)
{
	MARK_BEGIN();
	return __rdtsc();
}

static uint64_t since(uint64_t start)
{
	uint64_t ticks = __rdtsc() - start;

	MARK_END();
	return ticks;
}

static uint64_t null_syscall(void)
{
	uint64_t start = begin();

	for (int i = 0; i < ROUNDS; i++)
		syscall(SYS_getppid);
	return since(start);
}

static uint64_t page_fault(void)
{
	uint64_t start, ticks, size = PAGES * 4096ull;
	volatile char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	if (madvise((void *)p, size, MADV_NOHUGEPAGE))
		die("madvise");
	start = begin();
	for (uint64_t i = 0; i < size; i += 4096)
		p[i] = 1;
	ticks = since(start);
	munmap((void *)p, size);
	return ticks;
}

/* Two processes that yield to each other; each yield is one switch. */
static uint64_t context_switch(void)
{
	uint64_t start, ticks;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		for (;;)
			sched_yield();
	for (int i = 0; i < 100; i++)
		sched_yield();
	start = begin();
	for (int i = 0; i < ROUNDS; i++)
		sched_yield();
	ticks = since(start);
	end(pid);
	return ticks;
}

static uint64_t pipe_round_trip(void)
{
	int to[2], from[2];
	uint64_t start, ticks;
	char c = 'x';
	pid_t pid;

	if (pipe(to) || pipe(from))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		while (read(to[0], &c, 1) == 1 && write(from[1], &c, 1) == 1)
			;
		_exit(0);
	}
	start = begin();
	for (int i = 0; i < ROUNDS; i++)
		if (write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1)
			die("pipe");
	ticks = since(start);
	end(pid);
	for (int i = 0; i < 2; i++) {
		close(to[i]);
		close(from[i]);
	}
	return ticks;
}

static struct row {
	const char *name;
	uint64_t (*take)(void);
	uint64_t count, best;
} rows[] = {
	{ "null_syscall", null_syscall, ROUNDS, UINT64_MAX },
	{ "page_fault", page_fault, PAGES, UINT64_MAX },
	{ "context_switch", context_switch, 2 * ROUNDS, UINT64_MAX },
	{ "pipe_round_trip", pipe_round_trip, ROUNDS, UINT64_MAX },
};

#define ROWS	(sizeof(rows) / sizeof(rows[0]))

/* By turns: what goes on for a while after the boot does not hit all takes of a row. */
static void measure(const char *name)
{
	for (unsigned int i = 0; i < TAKES * ROWS; i++) {
		struct row *r = &rows[i % ROWS];
		uint64_t ticks;

		if (name && strcmp(name, r->name))
			continue;
		ticks = r->take();
		if (ticks < r->best)
			r->best = ticks;
	}
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
	measure(name);
	for (unsigned int i = 0; i < ROWS; i++)
		if (rows[i].best != UINT64_MAX)
			printf("%s\t%llu\t%.1f\n", rows[i].name, (unsigned long long)rows[i].count * TAKES,
			       (double)rows[i].best / rows[i].count);
	return 0;
}
