/* SPDX-License-Identifier: GPL-2.0-only */
/* The dirty log over large pages; no write may be lost from it. */
#include "large.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static void set_log(struct vm *vm, void *m, uint64_t size, int flags)
{
	CHECK_EQ(vm_slot(vm, 2, HIGH, size, m, flags), 0);
}

static int log_bits(struct vm *vm, uint64_t pages, uint8_t *bits)
{
	struct kvm_dirty_log l = { .slot = 2, .dirty_bitmap = bits };
	int n = 0;

	memset(bits, 0, pages / 8);
	CHECK_EQ(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &l), 0);
	for (uint64_t i = 0; i < pages; i++)
		n += bits[i / 8] >> (i % 8) & 1;
	return n;
}

static void clear_bits(struct vm *vm, uint64_t first, uint64_t pages, uint8_t *bits)
{
	struct kvm_clear_dirty_log l = {
		.slot = 2, .first_page = first, .num_pages = pages, .dirty_bitmap = bits,
	};

	CHECK_EQ(ioctl(vm->fd, KVM_CLEAR_DIRTY_LOG, &l), 0);
}

static void manual_log(struct vm *vm, uint64_t how)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { how } };

	if ((check_cap(vm->fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) & how) != how)
		SKIP("no KVM_CLEAR_DIRTY_LOG of this kind");
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
}

/* ---- large pages ---- */

/* A log splits them and takes nothing else away; when it ends they are large again. */
TEST(log, splits)
{
	struct counts before, c;
	uint8_t *m, bits[128];
	struct vm *vm = large_slot(&m, &before);
	struct vcpu *v = &vm->vcpu[0];

	op_add(vm, OP_READ, 8, HIGH + 7 * PAGE, 0);
	op_add(vm, OP_WRITE, 8, HIGH + 700 * PAGE, 2);
	op_add(vm, OP_SYNC, 0, 2, 0);
	op_add(vm, OP_WRITE, 8, HIGH + PAGE, 3);
	op_add(vm, OP_WRITE, 8, HIGH + LARGE + PAGE, 3);
	op_add(vm, OP_SYNC, 0, 3, 0);
	set_log(vm, m, 2 * LARGE, KVM_MEM_LOG_DIRTY_PAGES);
	c = counts(vm);
	CHECK_EQ(c.large, before.large);
	CHECK(c.small >= before.small + 1024);
	CHECK_EQ(log_bits(vm, 1024, bits), 0);
	run_sync(v, 2);
	CHECK_EQ(log_bits(vm, 1024, bits), 1);
	CHECK_EQ(bits[700 / 8], 1 << 700 % 8);
	c = counts(vm);
	CHECK(c.small >= before.small + 1024);
	set_log(vm, m, 2 * LARGE, 0);
	run_sync(v, 3);
	CHECK_EQ(counts(vm).large, before.large + 2);
	CHECK_EQ(m[700 * PAGE], 2);
	CHECK_EQ(m[LARGE + PAGE], 3);
	run_done(v);
}

/* Where all pages count as written at first, each is split when a part of it is cleared. */
TEST(log, splits_at_clear)
{
	struct counts before;
	uint8_t *m, bits[128], mask[8] = { 0xf0 };
	struct vm *vm = large_slot(&m, &before);
	struct vcpu *v = &vm->vcpu[0];

	manual_log(vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET);
	op_add(vm, OP_WRITE, 8, HIGH + 5 * PAGE, 2);
	op_add(vm, OP_WRITE, 8, HIGH + 3 * PAGE, 2);
	op_add(vm, OP_SYNC, 0, 2, 0);
	set_log(vm, m, 2 * LARGE, KVM_MEM_LOG_DIRTY_PAGES);
	CHECK_EQ(counts(vm).large, before.large + 2);
	clear_bits(vm, 0, 64, mask);
	CHECK_EQ(counts(vm).large, before.large + 1);
	CHECK_EQ(log_bits(vm, 1024, bits), 1024 - 4);
	run_sync(v, 2);
	CHECK_EQ(log_bits(vm, 1024, bits), 1024 - 3);
	CHECK_EQ(bits[0], 0x2f);
	clear_bits(vm, 0, 1024, bits);
	CHECK_EQ(counts(vm).large, before.large);
	CHECK_EQ(log_bits(vm, 1024, bits), 0);
	run_done(v);
}

/* With eager_page_split off a large page stays one until it is written to. */
TEST(log, splits_late)
{
	struct counts before;
	uint8_t *m, bits[128];
	struct vm *vm = large_slot(&m, &before);
	struct vcpu *v = &vm->vcpu[0];

	op_add(vm, OP_READ, 8, HIGH + 7 * PAGE, 0);
	op_add(vm, OP_WRITE, 8, HIGH + 700 * PAGE, 2);
	op_add(vm, OP_SYNC, 0, 2, 0);
	op_add(vm, OP_WRITE, 8, HIGH + 701 * PAGE, 3);
	op_add(vm, OP_WRITE, 8, HIGH + 70 * PAGE, 3);
	op_add(vm, OP_SYNC, 0, 3, 0);
	CHECK_EQ(set_param("eager_page_split", "N"), 0);
	CHECK(!strcmp(get_param("eager_page_split"), "N"));
	set_log(vm, m, 2 * LARGE, KVM_MEM_LOG_DIRTY_PAGES);
	CHECK_EQ(set_param("eager_page_split", "1"), 0);
	CHECK(!strcmp(get_param("eager_page_split"), "Y"));
	CHECK_EQ(set_param("eager_page_split", "x"), -EINVAL);
	CHECK_EQ(counts(vm).large, before.large + 2);
	CHECK_EQ(log_bits(vm, 1024, bits), 0);
	run_sync(v, 2);
	CHECK_EQ(counts(vm).large, before.large + 1);
	CHECK_EQ(log_bits(vm, 1024, bits), 1);
	run_sync(v, 3);
	CHECK_EQ(counts(vm).large, before.large);
	CHECK_EQ(log_bits(vm, 1024, bits), 2);
	CHECK_EQ(bits[701 / 8], 1 << 701 % 8);
	CHECK_EQ(bits[70 / 8], 1 << 70 % 8);
	run_done(v);
}

/* However many pages are cleared, and wherever: the vCPUs' TLBs are flushed once. */
TEST(log, one_flush)
{
	uint8_t *m = mem_new(1024 * PAGE), bits[128];
	struct vm *vm = vm_new(G_script, 1, 0);
	int64_t before;
	int fd;

	manual_log(vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	fd = ioctl(vm->fd, KVM_GET_STATS_FD);
	set_log(vm, m, 1024 * PAGE, KVM_MEM_LOG_DIRTY_PAGES);
	for (int i = 0; i < 40; i++)
		op_add(vm, OP_WRITE, 8, HIGH + (i * 25 + i % 2) * PAGE, i);
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(&vm->vcpu[0], 1);
	CHECK_EQ(log_bits(vm, 1024, bits), 40);
	before = stat_of(fd, "remote_tlb_flush_requests");
	CHECK(before >= 0);
	clear_bits(vm, 0, 1024, bits);
	CHECK_EQ(stat_of(fd, "remote_tlb_flush_requests"), before + 1);
	CHECK_EQ(log_bits(vm, 1024, bits), 0);
	run_done(&vm->vcpu[0]);
}

/* ---- no write is lost ---- */

#define PAGES	(2 * LARGE / PAGE)

/* Copies pages that are told of, as a migration does. */
struct follower {
	struct vm *vm;
	uint8_t *m, *copy;
	uint8_t bits[PAGES / 8];
	uint64_t rounds, copied;
};

static void follow(struct follower *f, uint64_t page)
{
	memcpy(f->copy + page * PAGE, f->m + page * PAGE, 16);
	f->copied++;
}

static void follow_bits(struct follower *f)
{
	for (uint64_t i = 0; i < PAGES; i++)
		if (f->bits[i / 8] >> (i % 8) & 1)
			follow(f, i);
}

static void *writer(void *arg)
{
	struct vcpu *v = arg;

	for (;;) {
		int err = run_once(v);

		/* A CPU that waits for its start-up IPI may say EAGAIN when it comes. */
		if (err == -EAGAIN || err == -EINTR)
			continue;
		CHECK_EQ(err, 0);
		check_guest(v);
		if (v->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL)
			continue;	/* until the follower has reset it */
		CHECK_EQ(v->run->exit_reason, KVM_EXIT_IO);
		expect_io(v, 1, 4, PORT_DONE);
		return NULL;
	}
}

/* Meanwhile the kernel changes the pages behind the guest: it shares and copies them. */
static void disturb(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
}

/* The writers stand still, and @round has had the time to find all that they have written. */
static void check_copy(struct follower *f, void (*round)(struct follower *f), uint64_t gate)
{
	struct gparams *p = f->vm->p;
	uint64_t bad = 0;

	p->arg[3] = gate;
	while (p->res[2] != gate || p->res[3] != gate)
		round(f);		/* a full ring would keep them from seeing it */
	round(f);
	for (uint64_t i = 0; i < PAGES; i++)
		bad += memcmp(f->copy + i * PAGE, f->m + i * PAGE, 16) != 0;
	CHECK_EQ(bad, 0);
	p->arg[3] = gate + 1;
}

/* Two vCPUs write while @round runs, again and again; what it misses would stay so. */
static void writers_and(struct follower *f, void (*round)(struct follower *f), int times)
{
	struct gparams *p = f->vm->p;
	pthread_t t[2];

	p->arg[0] = HIGH;
	p->arg[1] = PAGES;
	f->copy = mem_new(2 * LARGE);
	for (uint64_t i = 0; i < PAGES; i++)
		follow(f, i);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, writer, &f->vm->vcpu[i]), 0);
	for (int i = 0; i < times; i++) {
		wait_while(&p->res[i % 2], p->res[i % 2]);
		round(f);
		if (i % 8 == 7)
			disturb();
		round(f);
		check_copy(f, round, 2 * i + 1);
	}
	p->arg[2] = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	test_note("%llu writes, %llu pages copied", (unsigned long long)(p->res[0] + p->res[1]),
		  (unsigned long long)f->copied);
}

static void get_round(struct follower *f)
{
	log_bits(f->vm, PAGES, f->bits);
	follow_bits(f);
}

/* In two halves, the second for every other word of 64 pages. */
static void clear_round(struct follower *f)
{
	static uint8_t all[PAGES / 8];

	log_bits(f->vm, PAGES, all);
	memcpy(f->bits, all, sizeof(all));
	if (f->rounds++ % 2)
		for (uint64_t i = sizeof(all) / 2; i < sizeof(all); i += 16)
			memset(f->bits + i, 0, 8);
	clear_bits(f->vm, 0, PAGES / 2, f->bits);
	clear_bits(f->vm, PAGES / 2, PAGES / 2, f->bits + PAGES / 16);
	follow_bits(f);
}

/* The last round must be one that takes everything. */
static void clear_rounds(struct follower *f)
{
	clear_round(f);
	clear_round(f);
}

TEST_LIMIT(log, no_write_lost_get, 120)
{
	struct follower f = { .vm = vm_new(G_writers, 2, 0), .m = large_pages() };

	set_log(f.vm, f.m, 2 * LARGE, KVM_MEM_LOG_DIRTY_PAGES);
	writers_and(&f, get_round, 200);
}

TEST_LIMIT(log, no_write_lost_clear, 120)
{
	struct follower f = { .vm = vm_new(G_writers, 2, 0), .m = large_pages() };

	manual_log(f.vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET);
	set_log(f.vm, f.m, 2 * LARGE, KVM_MEM_LOG_DIRTY_PAGES);
	writers_and(&f, clear_rounds, 200);
}

/* The log comes and goes, too: it must know all that is written from its beginning on. */
static void switched_round(struct follower *f)
{
	if (f->rounds++ % 4 == 3) {
		set_log(f->vm, f->m, 2 * LARGE, 0);
		set_log(f->vm, f->m, 2 * LARGE, KVM_MEM_LOG_DIRTY_PAGES);
		for (uint64_t i = 0; i < PAGES; i++)
			follow(f, i);
	}
	get_round(f);
}

TEST_LIMIT(log, no_write_lost_switched, 120)
{
	struct follower f = { .vm = vm_new(G_writers, 2, 0), .m = large_pages() };

	set_log(f.vm, f.m, 2 * LARGE, KVM_MEM_LOG_DIRTY_PAGES);
	writers_and(&f, switched_round, 100);
}

TEST_LIMIT(log, no_write_lost_late, 120)
{
	struct follower f = { .vm = vm_new(G_writers, 2, 0), .m = large_pages() };

	CHECK_EQ(set_param("eager_page_split", "N"), 0);
	set_log(f.vm, f.m, 2 * LARGE, KVM_MEM_LOG_DIRTY_PAGES);
	writers_and(&f, switched_round, 100);
	CHECK_EQ(set_param("eager_page_split", "Y"), 0);
}

#define ENTRIES	(PAGE / sizeof(struct kvm_dirty_gfn))

static void ring_round(struct follower *f)
{
	static struct kvm_dirty_gfn *ring[2];
	static uint32_t next[2];
	static uint64_t taken[2 * ENTRIES];
	int n = 0;

	for (int i = 0; i < 2; i++) {
		if (!ring[i])
			ring[i] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, f->vm->vcpu[i].fd,
				       KVM_DIRTY_LOG_PAGE_OFFSET * PAGE);
		CHECK(ring[i] != MAP_FAILED);
		for (;; next[i]++) {
			struct kvm_dirty_gfn *g = &ring[i][next[i] % ENTRIES];

			if (!(__atomic_load_n(&g->flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_DIRTY))
				break;
			CHECK(n < (int)(2 * ENTRIES));
			if (g->slot == 2)
				taken[n++] = g->offset;
			__atomic_store_n(&g->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
		}
	}
	CHECK(ioctl(f->vm->fd, KVM_RESET_DIRTY_RINGS, 0) >= 0);
	while (n)
		follow(f, taken[--n]);
}

TEST_LIMIT(log, no_write_lost_ring, 120)
{
	struct follower f = { 0 };

	if (check_cap(kvm_fd, KVM_CAP_DIRTY_LOG_RING) <= 0)
		SKIP("no dirty ring");
	f.vm = vm_new(G_writers, 2, VM_DIRTY_RING);
	f.m = large_pages();
	set_log(f.vm, f.m, 2 * LARGE, KVM_MEM_LOG_DIRTY_PAGES);
	writers_and(&f, ring_round, 200);
}

/* A vCPU that writes to one page, and never needs anything, does not do so unseen. */
static void counter_and(struct vm *vm, void (*taken)(struct vm *vm))
{
	volatile uint64_t *m = mem_new(64 * PAGE);
	pthread_t t;

	set_log(vm, (void *)m, 64 * PAGE, KVM_MEM_LOG_DIRTY_PAGES);
	vm->p->arg[0] = HIGH;
	CHECK_EQ(pthread_create(&t, NULL, writer, &vm->vcpu[0]), 0);
	for (int i = 0; i < 200; i++) {
		wait_while(m, *m);
		taken(vm);
	}
	vm->p->arg[1] = 1;
	pthread_join(t, NULL);
}

static void taken_by_get(struct vm *vm)
{
	uint8_t bits[8];

	CHECK_EQ(log_bits(vm, 64, bits), 1);
}

TEST_LIMIT(log, seen_get, 60)
{
	counter_and(vm_new(G_counter, 1, 0), taken_by_get);
}

static void taken_by_clear(struct vm *vm)
{
	uint8_t bits[8];

	CHECK_EQ(log_bits(vm, 64, bits), 1);
	clear_bits(vm, 0, 64, bits);
}

TEST_LIMIT(log, seen_clear, 60)
{
	struct vm *vm = vm_new(G_counter, 1, 0);

	manual_log(vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	counter_and(vm, taken_by_clear);
}

static void taken_by_reset(struct vm *vm)
{
	static struct kvm_dirty_gfn *ring;
	static uint32_t next;
	struct kvm_dirty_gfn *g;

	if (!ring)
		ring = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu[0].fd,
			    KVM_DIRTY_LOG_PAGE_OFFSET * PAGE);
	CHECK(ring != MAP_FAILED);
	g = &ring[next++ % ENTRIES];
	CHECK_EQ(__atomic_load_n(&g->flags, __ATOMIC_ACQUIRE), KVM_DIRTY_GFN_F_DIRTY);
	__atomic_store_n(&g->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
	CHECK_EQ(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS, 0), 1);
}

TEST_LIMIT(log, seen_reset, 60)
{
	if (check_cap(kvm_fd, KVM_CAP_DIRTY_LOG_RING) <= 0)
		SKIP("no dirty ring");
	counter_and(vm_new(G_counter, 1, VM_DIRTY_RING), taken_by_reset);
}
