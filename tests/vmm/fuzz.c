/* SPDX-License-Identifier: GPL-2.0-only */
/* bp-fuzz: rounds, what counts as a failure, and the account.  See fuzz.h. */
#include "fuzz.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#define GROUP		32		/* rounds that share a VM and its code */
#define RUNS		12		/* at most, of one round */
#define TIMER_US	1000		/* after which a signal ends KVM_RUN */

static const char *const mode_names[MODES] = { "real", "prot", "paged", "pae", "long" };

static struct {
	uint64_t seed, from, rounds;
	bool verbose;
} opt = { .seed = 1, .rounds = 1000 };

/* Of each mode: what the last lines tell. */
static struct account {
	uint64_t rounds, mutated, refused, failed;
	char why[160];			/* of the first failure */
} accounts[MODES];

static uint64_t generator;

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static void rnd_begin(uint64_t stream, uint64_t n)
{
	generator = mix(mix(mix(opt.seed) + stream) + n);
}

uint64_t rnd(void)
{
	generator += 0x9e3779b97f4a7c15;
	return mix(generator);
}

uint64_t below(uint64_t n) { return (rnd() >> 11) % n; }
bool once_in(uint64_t n) { return !below(n); }

uint64_t rnd_value(void)
{
	static const uint64_t borders[] = {
		0, 1, 2, 0x10, 0x400, 0x7ff, 0x1000, 0x100000, GPA_MMIO, 0xfee00000, 0xfee00fff, 0xffffffff,
		0x100000000, 0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xffffffffffffe,
		0x8000000000000000, ~0ull,
	};

	switch (below(4)) {
	case 0: return borders[below(sizeof(borders) / 8)];
	case 1: return below(RAM_SIZE);
	case 2: return 1ull << below(64);
	default: return rnd();
	}
}

void vmm_fail(const char *what, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("not ok setup: %s %s:%d (", what, file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(")\n");
	exit(1);
}

static void failed(struct account *a, uint64_t round, const char *fmt, ...)
{
	char what[80];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	printf("# %s: %s; again: --seed %" PRIu64 " --from %" PRIu64 " --rounds 1\n",
	       mode_names[a - accounts], what, opt.seed, round);
	if (!a->failed++)
		snprintf(a->why, sizeof(a->why), "%s in round %" PRIu64 " of seed %" PRIu64, what, round, opt.seed);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* Signals come again and again, in case that one comes before KVM_RUN begins. */
static void timer_set(int us)
{
	struct itimerval it = { .it_value.tv_usec = us, .it_interval.tv_usec = us };

	CHECK_EQ(setitimer(ITIMER_REAL, &it, NULL), 0);
}

/* Answer an access with random data; false if the exit is no access. */
static bool answer(struct kvm_run *r)
{
	uint8_t *data;
	size_t n;

	if (r->exit_reason == KVM_EXIT_IO) {
		data = (uint8_t *)r + r->io.data_offset;
		n = r->io.direction == KVM_EXIT_IO_IN ? (size_t)r->io.size * r->io.count : 0;
	} else if (r->exit_reason == KVM_EXIT_MMIO) {
		data = r->mmio.data;
		n = r->mmio.is_write ? 0 : sizeof(r->mmio.data);
	} else {
		return false;
	}
	while (n--)
		*data++ = rnd();
	return true;
}

static void check_exit(struct kvm_run *r, const struct setting *set, uint64_t round)
{
	struct account *a = &accounts[set->mode];

	if (r->exit_reason == KVM_EXIT_UNKNOWN)
		failed(a, round, "unknown exit 0x%llx", r->hw.hardware_exit_reason);
	else if (r->exit_reason == KVM_EXIT_FAIL_ENTRY && !set->mutated)
		failed(a, round, "entry refused, 0x%llx", r->fail_entry.hardware_entry_failure_reason);
	else if (r->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
		 (!r->internal.suberror || r->internal.suberror > KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON))
		failed(a, round, "internal error %u", r->internal.suberror);
}

/* An SMI has found no memory for the state: then KVM ends the VM for good. */
static bool is_dead(const struct vcpu *v)
{
	struct kvm_regs r;

	return ioctl(v->fd, KVM_GET_REGS, &r) < 0 && errno == EIO;
}

/* False: the VM is of no more use. */
static bool run(struct vcpu *v, const struct setting *set, uint64_t round)
{
	int err = 0, n = 0;

	timer_set(TIMER_US);
	do {
		err = run_once(v);
		if (opt.verbose)
			printf("  run %d: error %d, exit %u\n", n, err, err ? 0 : v->run->exit_reason);
		if (!err)
			check_exit(v->run, set, round);
	} while (!err && ++n < RUNS && answer(v->run));
	timer_set(0);
	if (err == -EIO && is_dead(v))
		return false;
	if (err && err != -EINTR && err != -EAGAIN)
		failed(&accounts[set->mode], round, "KVM_RUN fails with %d", err);
	return true;
}

static bool round_do(struct vcpu *v, const struct kvm_sregs *fresh, uint64_t round)
{
	struct setting set;
	struct account *a;
	bool first;			/* the other ioctls, before the registers */

	rnd_begin(1, round);
	tables_fill(v->vm);
	state_rest(v);
	first = once_in(2);
	if (first)
		ioctls_call(v);
	set = state_set(v, fresh);
	if (!first)
		ioctls_call(v);
	a = &accounts[set.mode];
	a->rounds++;
	a->mutated += set.mutated;
	a->refused += set.error != 0;
	if (opt.verbose) {
		printf("round %" PRIu64 ": %s%s, KVM_SET_SREGS %d\n", round, mode_names[set.mode],
		       set.mutated ? ", mutated" : "", set.error);
		fflush(stdout);
	}
	if (set.error && !set.mutated)
		failed(a, round, "KVM_SET_SREGS refuses legal state with %d", set.error);
	return run(v, &set, round);
}

/* In SMM there is the same memory, where the code is then the handler's. */
static struct vm *vm_for(uint64_t group)
{
	struct vm *vm = vm_new(G_script, 1, 0);

	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_SMM) > 0)
		CHECK_EQ(vm_slot(vm, 1 << 16, 0, RAM_SIZE, vm->mem, 0), 0);
	rnd_begin(2, group);
	code_fill(vm->mem + FUZZ_CODE, FUZZ_CODE_SIZE);
	code_fill(vm->mem + FUZZ_CODE - 0x10000, FUZZ_CODE_SIZE);
	code_fill(vm->mem + FUZZ_SMI, FUZZ_CODE_SIZE);
	return vm;
}

/* Rounds @first to @last - 1, with a VM of their own, or of those that it has left. */
static void group_do(uint64_t first, uint64_t last)
{
	struct kvm_sregs fresh;
	uint64_t round = first;

	while (round < last) {
		struct vm *vm = vm_for(first);
		struct vcpu *v = &vm->vcpu[0];

		CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &fresh), 0);
		while (round < last && round_do(v, &fresh, round++))
			;
		vm_free(vm);
	}
}

/* The verdict on each mode, and the sum; true if none failed. */
static bool report(void)
{
	int passed = 0, bad = 0;

	for (int i = 0; i < MODES; i++) {
		struct account *a = &accounts[i];

		printf("# %s: %" PRIu64 " rounds, %" PRIu64 " mutated, %" PRIu64 " refused by KVM_SET_SREGS, %"
		       PRIu64 " failures\n", mode_names[i], a->rounds, a->mutated, a->refused, a->failed);
		if (a->failed)
			printf("not ok %s: %s\n", mode_names[i], a->why);
		else if (a->rounds)
			printf("ok %s\n", mode_names[i]);
		bad += a->failed != 0;
		passed += a->rounds && !a->failed;
	}
	printf("%d passed, %d failed, 0 skipped\n", passed, bad);
	return !bad;
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' }, { "rounds", required_argument, NULL, 'r' },
		{ "from", required_argument, NULL, 'f' }, { "verbose", no_argument, NULL, 'v' }, {},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': opt.seed = strtoull(optarg, NULL, 0); break;
		case 'r': opt.rounds = strtoull(optarg, NULL, 0); break;
		case 'f': opt.from = strtoull(optarg, NULL, 0); break;
		case 'v': opt.verbose = true; break;
		default:
			fprintf(stderr,
				"usage: bp-fuzz [--seed N] [--rounds N] [--from N] [--verbose]\n"
				"  --seed     the same makes the same inputs; timing still varies (default: 1)\n"
				"  --rounds   how many (default: 1000)\n"
				"  --from     the first of them; those before it that share its VM run too\n"
				"  --verbose  each round and exit\n");
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	uint64_t end;

	options(argc, argv);
	setlinebuf(stdout);
	CHECK_EQ(vmm_open(), 0);
	CHECK_EQ(sigaction(SIGALRM, &sa, NULL), 0);
	end = opt.from + opt.rounds;
	for (uint64_t first = opt.from - opt.from % GROUP; first < end; first += GROUP)
		group_do(first, first + GROUP < end ? first + GROUP : end);
	return report() ? 0 : 1;
}
