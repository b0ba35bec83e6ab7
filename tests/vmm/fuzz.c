/* SPDX-License-Identifier: GPL-2.0-only */
/* bp-fuzz: rounds, what counts as a failure, and the account.  See fuzz.h. */
#include "fuzz.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define GROUP		32		/* rounds that share a VM and its code */
#define RUNS		12		/* at most, of one round */
#define TIMER_US	1000		/* after which a signal ends KVM_RUN */

static const char *const mode_names[MODES] = { "real", "prot", "paged", "pae", "long" };

static struct {
	uint64_t seed, from, rounds;
	int cpus;
	bool verbose;
} opt = { .seed = 1, .rounds = 1000, .cpus = 1 };

/* Of each mode: what the last lines tell. */
static struct account {
	uint64_t rounds, mutated, refused, failed;
	char why[160];			/* of the first failure */
} accounts[MODES];
static pthread_mutex_t accounts_lock = PTHREAD_MUTEX_INITIALIZER;

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
	pthread_mutex_lock(&accounts_lock);
	printf("# %s: %s; again: --seed %" PRIu64 " --from %" PRIu64 " --rounds 1 --cpus %d\n",
	       mode_names[a - accounts], what, opt.seed, round, opt.cpus);
	if (!a->failed++)
		snprintf(a->why, sizeof(a->why), "%s in round %" PRIu64 " of seed %" PRIu64, what, round, opt.seed);
	pthread_mutex_unlock(&accounts_lock);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* Each thread's own. Signals come again and again, in case that one comes before KVM_RUN begins. */
static __thread timer_t timer;

static void timer_make(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };

	ev._sigev_un._tid = gettid();
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0);
}

static void timer_set(int us)
{
	struct itimerspec it = { .it_value.tv_nsec = us * 1000, .it_interval.tv_nsec = us * 1000 };

	CHECK_EQ(timer_settime(timer, 0, &it, NULL), 0);
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

/* A vCPU's part of a round. */
static bool part_do(struct vcpu *v, const struct kvm_sregs *fresh, uint64_t round)
{
	struct setting set;
	struct account *a;
	bool first;			/* the other ioctls, before the registers */

	rnd_begin(opt.seed, 1 + ((uint64_t)v->id << 32), round);
	if (!v->id)
		tables_fill(v->vm);
	state_rest(v);
	first = once_in(2);
	if (first)
		ioctls_call(v);
	set = state_set(v, fresh);
	if (!first)
		ioctls_call(v);
	a = &accounts[set.mode];
	pthread_mutex_lock(&accounts_lock);
	a->rounds++;
	a->mutated += set.mutated;
	a->refused += set.error != 0;
	pthread_mutex_unlock(&accounts_lock);
	if (opt.verbose) {
		printf("round %" PRIu64 ", CPU %d: %s%s, KVM_SET_SREGS %d\n", round, v->id, mode_names[set.mode],
		       set.mutated ? ", mutated" : "", set.error);
		fflush(stdout);
	}
	if (set.error && !set.mutated)
		failed(a, round, "KVM_SET_SREGS refuses legal state with %d", set.error);
	return run(v, &set, round);
}

/* The rounds of one vCPU, each begun together with the others'. */
struct part {
	struct vcpu *v;
	uint64_t first, last;
	pthread_barrier_t *barrier;
	bool *dead;
	pthread_t thread;
};

static void *part_main(void *arg)
{
	struct part *p = arg;
	struct kvm_sregs fresh;
	uint64_t round;

	timer_make();
	CHECK_EQ(ioctl(p->v->fd, KVM_GET_SREGS, &fresh), 0);
	for (round = p->first; round < p->last; round++) {
		pthread_barrier_wait(p->barrier);
		if (__atomic_load_n(p->dead, __ATOMIC_RELAXED))
			break;
		pthread_barrier_wait(p->barrier);
		if (!part_do(p->v, &fresh, round))
			__atomic_store_n(p->dead, true, __ATOMIC_RELAXED);
	}
	timer_delete(timer);
	p->last = round;
	return NULL;
}

/* In SMM there is the same memory, where the code is then the handler's. */
static struct vm *vm_for(uint64_t group)
{
	struct vm *vm = vm_new(G_script, opt.cpus, 0);

	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_X86_SMM) > 0)
		CHECK_EQ(vm_slot(vm, 1 << 16, 0, RAM_SIZE, vm->mem, 0), 0);
	rnd_begin(opt.seed, 2, group);
	code_fill(vm->mem + FUZZ_CODE, FUZZ_CODE_SIZE);
	code_fill(vm->mem + FUZZ_CODE - 0x10000, FUZZ_CODE_SIZE);
	code_fill(vm->mem + FUZZ_SMI, FUZZ_CODE_SIZE);
	return vm;
}

/* Rounds from @first on until the VM is dead, at most up to @last - 1: the next to do. */
static uint64_t rounds_do(struct vm *vm, uint64_t first, uint64_t last)
{
	struct part parts[VMM_MAX_VCPUS];
	pthread_barrier_t barrier;
	bool dead = false;

	CHECK_EQ(pthread_barrier_init(&barrier, NULL, opt.cpus), 0);
	for (int i = 0; i < opt.cpus; i++) {
		parts[i] = (struct part){ &vm->vcpu[i], first, last, &barrier, &dead, 0 };
		CHECK_EQ(pthread_create(&parts[i].thread, NULL, part_main, &parts[i]), 0);
	}
	for (int i = 0; i < opt.cpus; i++)
		CHECK_EQ(pthread_join(parts[i].thread, NULL), 0);
	pthread_barrier_destroy(&barrier);
	return parts[0].last;
}

/* Rounds @first to @last - 1, with a VM of their own, or of those that it has left. */
static void group_do(uint64_t first, uint64_t last)
{
	uint64_t round = first;

	while (round < last) {
		struct vm *vm = vm_for(first);

		round = rounds_do(vm, round, last);
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
		{ "from", required_argument, NULL, 'f' }, { "cpus", required_argument, NULL, 'c' },
		{ "verbose", no_argument, NULL, 'v' }, {},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': opt.seed = strtoull(optarg, NULL, 0); break;
		case 'r': opt.rounds = strtoull(optarg, NULL, 0); break;
		case 'f': opt.from = strtoull(optarg, NULL, 0); break;
		case 'c': opt.cpus = atoi(optarg); break;
		case 'v': opt.verbose = true; break;
		default:
			fprintf(stderr,
				"usage: bp-fuzz [--seed N] [--rounds N] [--from N] [--cpus N] [--verbose]\n"
				"  --seed     the same makes the same inputs; timing still varies (default: 1)\n"
				"  --rounds   how many (default: 1000)\n"
				"  --from     the first of them; those before it that share its VM run too\n"
				"  --cpus     of the VM, which run such a round at once (default: 1)\n"
				"  --verbose  each round and exit\n");
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	uint64_t end, begun = now_ns(), ns;

	options(argc, argv);
	CHECK(opt.cpus >= 1 && opt.cpus <= VMM_MAX_VCPUS);
	setlinebuf(stdout);
	CHECK_EQ(vmm_open(), 0);
	CHECK_EQ(sigaction(SIGALRM, &sa, NULL), 0);
	end = opt.from + opt.rounds;
	for (uint64_t first = opt.from - opt.from % GROUP; first < end; first += GROUP)
		group_do(first, first + GROUP < end ? first + GROUP : end);
	ns = now_ns() - begun;
	printf("# seed %" PRIu64 ": %" PRIu64 " rounds on %d CPUs, %" PRIu64 " s, %" PRIu64 " rounds a second\n",
	       opt.seed, opt.rounds, opt.cpus, ns / 1000000000, opt.rounds * 1000 / (ns / 1000000 + 1));
	return report() ? 0 : 1;
}
