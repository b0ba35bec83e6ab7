/* SPDX-License-Identifier: GPL-2.0-only */
/* bp-hostile kill: VMMs of several kinds are killed at random moments of their lives. */
#include "hostile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define LONGEST_US	400000

/* A user that calls what there is, a guest of several CPUs, all of a test's life again and again. */
static void victim(const struct options *opt, uint64_t nr)
{
	struct options guest = { .seed = opt->seed + nr, .calls = ~0ull, .cpus = 1 + below(VMM_MAX_VCPUS) };

	setpgid(0, 0);
	switch (below(3)) {
	case 0:
		user_process(opt->seed, nr);
	case 1:
		freopen("/dev/null", "w", stdout);
		hostile_guest(&guest);
		break;
	default:
		freopen("/dev/null", "w", stdout);
		execl("/proc/self/exe", "bp-hostile", "guest", "--calls", "2000", "--cpus", "2", NULL);
	}
	_exit(0);
}

int hostile_kill(const struct options *opt)
{
	uint64_t begun = now_ns(), killed = 0, ns;
	int status;

	for (uint64_t nr = opt->from; nr < opt->from + opt->calls; nr++) {
		uint64_t us;
		pid_t pid;

		rnd_begin(opt->seed, 8, nr);
		/* As many within the first millisecond as in the last 100. */
		us = (LONGEST_US >> below(12)) + below(100);
		fflush(stdout);
		pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			victim(opt, nr);
		usleep(us);
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		if (!process_ended(pid, &status, PROCESS_STUCK)) {
			printf("not ok kill: number %llu of seed %llu does not end\n", (unsigned long long)nr,
			       (unsigned long long)opt->seed);
			return 1;
		}
		killed += WIFSIGNALED(status);
	}
	ns = now_ns() - begun;
	printf("# kill: seed %llu: %llu processes, %llu of them killed, %llu s, %llu ms each\n",
	       (unsigned long long)opt->seed, (unsigned long long)opt->calls, (unsigned long long)killed,
	       (unsigned long long)ns / 1000000000, (unsigned long long)(ns / 1000000 / (opt->calls + 1)));
	return 0;
}
