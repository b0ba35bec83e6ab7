/* SPDX-License-Identifier: GPL-2.0-only */
/* bp-vmm: list and run the cases of test.h. */
#include "test.h"

#include <cpuid.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <x86intrin.h>
#include <time.h>

#define STATUS_SKIP	77

extern const struct test *const __start_tests[], *const __stop_tests[];

static const char *current;

void vmm_fail(const char *what, const char *file, int line, const char *fmt, ...)
{
	char more[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	printf("not ok %s: %s %s:%d (%s)\n", current, what, file, line, more);
	fflush(stdout);
	_exit(1);
}

void test_skip(const char *why)
{
	printf("ok %s # SKIP %s\n", current, why);
	fflush(stdout);
	_exit(STATUS_SKIP);
}

void test_note(const char *fmt, ...)
{
	va_list ap;

	printf("# %s: ", current);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* The last name that fits decides; one with '!' in front leaves the case out. */
static bool selected(const struct test *t, int n, char **names)
{
	while (n--) {
		const char *name = names[n];
		bool out = *name == '!';

		name += out;
		if (!strcmp(name, "all") || !fnmatch(name, t->name, 0))
			return !out;
	}
	return false;
}

/* Wait for @pid; false when it was not done in time. SIGCHLD is blocked. */
static bool wait_limited(pid_t pid, int seconds, int *status)
{
	uint64_t end = now_ns() + seconds * 1000000000ull;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		uint64_t now = now_ns(), left = now < end ? end - now : 0;
		struct timespec t = { left / 1000000000, left % 1000000000 };

		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		if (!left)
			return false;
		sigtimedwait(&set, NULL, &t);
	}
}

/* 0 passed, 1 failed, 2 skipped */
static int run_test(const struct test *t)
{
	int status;
	pid_t pid;

	current = t->name;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (vmm_open())
			vmm_fail("/dev/kvm opens", __FILE__, __LINE__, "errno %d", errno);
		t->fn();
		fflush(stdout);
		_exit(0);
	}
	if (!wait_limited(pid, t->seconds, &status)) {
		printf("not ok %s: no end within %d s %s:%d\n", t->name, t->seconds, __FILE__, __LINE__);
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		if (!wait_limited(pid, 10, &status))
			printf("# %s: its process could not be killed\n", t->name);
		return 1;
	}
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status)) {
		printf("not ok %s: died of signal %d %s:%d\n", t->name, WTERMSIG(status), __FILE__, __LINE__);
		return 1;
	}
	if (WEXITSTATUS(status) == STATUS_SKIP)
		return 2;
	if (WEXITSTATUS(status))
		return 1;
	printf("ok %s\n", t->name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct test *const *)a)->name, (*(const struct test *const *)b)->name);
}

/*
 * One VM for the whole run.  Stock KVM patches kernel code whenever the first VM appears or the last goes,
 * which multi-threaded TCG does not survive every time; with this VM it happens once.
 */
static void hold_vm(void)
{
	int fd = vmm_open() ? -1 : ioctl(kvm_fd, KVM_CREATE_VM, 0);

	if (fd < 0)
		fprintf(stderr, "bp-vmm: no VM can be made: %s\n", strerror(errno));
}

static int usage(void)
{
	fprintf(stderr, "usage: bp-vmm list | bp-vmm run [!]NAME...|all (NAME may be a pattern; ! leaves it out)\n"
		"       bp-vmm tsc         the machine's TSC, which begins with it\n"
		"       bp-vmm cpuid LEAF  what CPUID says here\n"
		"       bp-vmm offers      what /dev/kvm offers\n"
		"       bp-vmm errnos      what it answers to nonsense\n");
	return 2;
}

int main(int argc, char **argv)
{
	size_t n = __stop_tests - __start_tests;
	const struct test **tests = calloc(n, sizeof(*tests));
	int count[3] = { 0 };
	sigset_t set;

	memcpy(tests, __start_tests, n * sizeof(*tests));
	qsort(tests, n, sizeof(*tests), by_name);
	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (size_t i = 0; i < n; i++)
			puts(tests[i]->name);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "cpuid")) {
		unsigned int r[4];

		__cpuid(strtoul(argv[2], NULL, 0), r[0], r[1], r[2], r[3]);
		printf("%08x %08x %08x %08x\n", r[0], r[1], r[2], r[3]);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "tsc")) {
		printf("%llu\n", __rdtsc());
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "offers"))
		return show_offers();
	if (argc == 2 && !strcmp(argv[1], "errnos")) {
		hold_vm();
		return show_errnos();
	}
	if (argc < 3 || strcmp(argv[1], "run"))
		return usage();
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	hold_vm();
	for (size_t i = 0; i < n; i++)
		if (selected(tests[i], argc - 2, argv + 2))
			count[run_test(tests[i])]++;
	if (!(count[0] + count[1] + count[2])) {
		fprintf(stderr, "bp-vmm: no case has that name\n");
		return 2;
	}
	printf("%d passed, %d failed, %d skipped\n", count[0], count[1], count[2]);
	return count[1] ? 1 : 0;
}
