/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory slots, and what the service VM's kernel does to the memory behind them. */
#include "test.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#define PAGE		4096ull
#define HIGH		0x1000000ull		/* where the cases put their slots */

/* A VM with @size bytes of @mem at HIGH in slot 2, about to run @g with HIGH in arg[0]. */
static struct vm *vm_with(enum guest_id g, void *mem, uint64_t size)
{
	struct vm *vm = vm_new(g, 1, 0);

	CHECK_EQ(vm_slot(vm, 2, HIGH, size, mem, 0), 0);
	vm->p->arg[0] = HIGH;
	return vm;
}

/* Every page of a large slot comes at its first touch, and is the VMM's own. */
TEST_LIMIT(mem, demand, 60)
{
	uint64_t pages = 8192, bad = 0;
	uint64_t *m = mem_new(pages * PAGE);
	struct vm *vm = vm_with(G_touch, m, pages * PAGE);

	vm->p->arg[1] = pages;
	vm->p->arg[3] = 0x5555;
	run_done(&vm->vcpu[0]);
	CHECK_EQ(vm->p->res[0], 0);
	for (uint64_t i = 0; i < pages; i++)
		bad += m[i * PAGE / 8] != ((HIGH + i * PAGE) ^ 0x5555);
	CHECK_EQ(bad, 0);
}

TEST(mem, readonly)
{
	uint64_t *m = mem_new(4 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *rd, *again;

	if (check_cap(vm->fd, KVM_CAP_READONLY_MEM) <= 0)
		SKIP("no read-only memory");
	m[1] = 0x1111222233334444;
	CHECK_EQ(vm_slot(vm, 2, HIGH, 4 * PAGE, m, KVM_MEM_READONLY), 0);
	rd = op_add(vm, OP_READ, 8, HIGH + 8, 0);
	op_add(vm, OP_WRITE, 4, HIGH + 8, 0x99);
	again = op_add(vm, OP_READ, 8, HIGH + 8, 0);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.is_write, 1);
	CHECK_EQ(v->run->mmio.phys_addr, HIGH + 8);
	CHECK_EQ(v->run->mmio.len, 4);
	CHECK_EQ(v->run->mmio.data[0], 0x99);
	CHECK_EQ(rd->val, 0x1111222233334444);
	run_done(v);
	CHECK_EQ(again->val, 0x1111222233334444);
	CHECK_EQ(m[1], 0x1111222233334444);
}

struct remover {
	struct vcpu *v;
	uint64_t mmio_writes;		/* exits while the slot was away */
	volatile bool done;
};

static void *run_counter(void *arg)
{
	struct remover *r = arg;

	for (;;) {
		CHECK_EQ(run_once(r->v), 0);
		check_guest(r->v);
		if (r->v->run->exit_reason == KVM_EXIT_IO)
			break;
		CHECK_EQ(r->v->run->exit_reason, KVM_EXIT_MMIO);
		CHECK_EQ(r->v->run->mmio.phys_addr, HIGH + 16);
		CHECK_EQ(r->v->run->mmio.is_write, 1);
		__atomic_fetch_add(&r->mmio_writes, 1, __ATOMIC_SEQ_CST);
	}
	expect_io(r->v, 1, 4, PORT_DONE);
	return NULL;
}

/* A slot goes away and comes back while a vCPU writes to it: memory stands still, the writes exit. */
TEST_LIMIT(mem, delete_running, 60)
{
	volatile uint64_t *m = mem_new(4 * PAGE);
	struct vm *vm = vm_with(G_counter, (void *)m, 4 * PAGE);
	struct remover r = { .v = &vm->vcpu[0] };
	pthread_t t;

	vm->p->arg[0] = HIGH + 16;
	CHECK_EQ(pthread_create(&t, NULL, run_counter, &r), 0);
	for (int i = 0; i < 20; i++) {
		uint64_t seen, exits;

		wait_while(&m[2], m[2]);
		CHECK_EQ(vm_slot(vm, 2, HIGH, 0, NULL, 0), 0);
		seen = m[2];
		exits = __atomic_load_n(&r.mmio_writes, __ATOMIC_SEQ_CST);
		wait_while(&r.mmio_writes, exits);
		CHECK_EQ(m[2], seen);
		CHECK_EQ(vm_slot(vm, 2, HIGH, 4 * PAGE, (void *)m, 0), 0);
	}
	vm->p->arg[1] = 1;
	pthread_join(t, NULL);
}

static int count_bits(const uint8_t *bits, uint64_t pages)
{
	int n = 0;

	for (uint64_t i = 0; i < pages; i++)
		n += bits[i / 8] >> (i % 8) & 1;
	return n;
}

static int dirty_bits(struct vm *vm, uint64_t pages, uint8_t *bits)
{
	struct kvm_dirty_log l = { .slot = 2, .dirty_bitmap = bits };

	memset(bits, 0, pages / 8);
	CHECK_EQ(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &l), 0);
	return count_bits(bits, pages);
}

TEST(mem, dirty_log)
{
	uint64_t pages = 128;
	uint8_t *m = mem_new(pages * PAGE), bits[16];
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	CHECK_EQ(vm_slot(vm, 2, HIGH, pages * PAGE, m, 0), 0);
	op_add(vm, OP_WRITE, 8, HIGH, 1);
	op_add(vm, OP_WRITE, 8, HIGH + 3 * PAGE, 1);
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, OP_READ, 8, HIGH + 2 * PAGE, 0);
	op_add(vm, OP_WRITE, 8, HIGH + 3 * PAGE, 2);
	op_add(vm, OP_WRITE, 1, HIGH + 77 * PAGE + 5, 2);
	op_add(vm, OP_SYNC, 0, 2, 0);
	op_add(vm, OP_WRITE, 8, HIGH + 77 * PAGE, 3);
	op_add(vm, OP_SYNC, 0, 3, 0);
	run_sync(v, 1);
	if (vm_slot(vm, 2, HIGH, pages * PAGE, m, KVM_MEM_LOG_DIRTY_PAGES) == -EINVAL)
		SKIP("no dirty logging");
	dirty_bits(vm, pages, bits);
	CHECK_EQ(dirty_bits(vm, pages, bits), 0);
	run_sync(v, 2);
	CHECK_EQ(dirty_bits(vm, pages, bits), 2);
	CHECK(bits[0] == 1 << 3 && bits[77 / 8] == 1 << 77 % 8);
	CHECK_EQ(dirty_bits(vm, pages, bits), 0);
	run_sync(v, 3);
	CHECK_EQ(dirty_bits(vm, pages, bits), 1);
	CHECK_EQ(m[77 * PAGE], 3);
	run_done(v);
}

static int clear_dirty(struct vm *vm, uint32_t slot, uint64_t first, uint32_t pages, void *bits)
{
	struct kvm_clear_dirty_log l = {
		.slot = slot, .first_page = first, .num_pages = pages, .dirty_bitmap = bits,
	};

	return ioctl(vm->fd, KVM_CLEAR_DIRTY_LOG, &l) < 0 ? -errno : 0;
}

/* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 with @how; false: there is none. */
static bool manual_log(struct vm *vm, uint64_t how)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { how } };

	if (!(check_cap(vm->fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) & how))
		return false;
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	return true;
}

/* Reading the log changes nothing; what is cleared of it is noticed anew, and no more than that. */
TEST(mem, dirty_log_manual)
{
	uint64_t pages = 130;
	uint8_t *m = mem_new(pages * PAGE), bits[24], mask[24] = { 0 };
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	if (!manual_log(vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE))
		SKIP("no KVM_CLEAR_DIRTY_LOG");
	CHECK_EQ(vm_slot(vm, 2, HIGH, pages * PAGE, m, KVM_MEM_LOG_DIRTY_PAGES), 0);
	op_add(vm, OP_WRITE, 8, HIGH + 3 * PAGE, 1);
	op_add(vm, OP_WRITE, 8, HIGH + 70 * PAGE, 1);
	op_add(vm, OP_WRITE, 8, HIGH + 129 * PAGE, 1);
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, OP_WRITE, 8, HIGH + 3 * PAGE, 2);
	op_add(vm, OP_WRITE, 8, HIGH + 129 * PAGE, 2);
	op_add(vm, OP_SYNC, 0, 2, 0);
	run_sync(v, 1);
	CHECK_EQ(dirty_bits(vm, 192, bits), 3);
	CHECK_EQ(dirty_bits(vm, 192, bits), 3);
	mask[70 / 8] = 0xff;
	CHECK_EQ(clear_dirty(vm, 2, 64, 64, mask + 8), 0);
	CHECK_EQ(dirty_bits(vm, 192, bits), 2);
	CHECK(bits[0] == 1 << 3 && bits[129 / 8] == 1 << 129 % 8);
	CHECK_EQ(clear_dirty(vm, 2, 0, pages, bits), 0);
	CHECK_EQ(dirty_bits(vm, 192, bits), 0);
	run_sync(v, 2);
	CHECK_EQ(dirty_bits(vm, 192, bits), 2);
	CHECK(bits[0] == 1 << 3 && bits[129 / 8] == 1 << 129 % 8);
	CHECK_EQ(m[3 * PAGE], 2);
	run_done(v);
}

/* All pages count as written at first, without a fault for each; clearing makes the log begin. */
TEST(mem, dirty_log_initially)
{
	uint64_t pages = 1024;
	uint8_t *m = mem_new(pages * PAGE), bits[128];
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	if (!manual_log(vm, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET))
		SKIP("no KVM_DIRTY_LOG_INITIALLY_SET");
	CHECK_EQ(vm_slot(vm, 2, HIGH, pages * PAGE, m, 0), 0);
	for (int i = 1; i <= 3; i++) {
		op_add(vm, OP_WRITE, 8, HIGH + (500 + i) * PAGE, i);
		op_add(vm, OP_READ, 8, HIGH + 600 * PAGE, 0);
		op_add(vm, OP_SYNC, 0, i, 0);
	}
	run_sync(v, 1);
	CHECK_EQ(vm_slot(vm, 2, HIGH, pages * PAGE, m, KVM_MEM_LOG_DIRTY_PAGES), 0);
	CHECK_EQ(dirty_bits(vm, pages, bits), pages);
	memset(bits, 0xff, sizeof(bits));
	CHECK_EQ(clear_dirty(vm, 2, 448, 128, bits), 0);
	CHECK_EQ(dirty_bits(vm, pages, bits), pages - 128);
	run_sync(v, 2);
	CHECK_EQ(dirty_bits(vm, pages, bits), pages - 127);
	CHECK(bits[502 / 8] >> 502 % 8 & 1);
	CHECK_EQ(clear_dirty(vm, 2, 0, pages, bits), 0);
	CHECK_EQ(dirty_bits(vm, pages, bits), 0);
	run_sync(v, 3);
	CHECK_EQ(dirty_bits(vm, pages, bits), 1);
	CHECK_EQ(m[503 * PAGE], 3);
	run_done(v);
}

TEST(mem, dirty_log_errors)
{
	uint8_t *m = mem_new(130 * PAGE), bits[24] = { 0xff };
	struct vm *vm = vm_new(G_script, 0, 0);
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 };
	struct kvm_dirty_log get = { .slot = 2, .dirty_bitmap = NULL };

	if (check_cap(vm->fd, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) <= 0)
		SKIP("no KVM_CLEAR_DIRTY_LOG");
	cap.args[0] = KVM_DIRTY_LOG_INITIALLY_SET;		/* never alone */
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 4;
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	CHECK_EQ(clear_dirty(vm, 2, 0, 64, bits), -ENOENT);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 130 * PAGE, m, 0), 0);
	CHECK_EQ(clear_dirty(vm, 2, 0, 64, bits), -ENOENT);
	CHECK_ERRNO(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &get), ENOENT);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 130 * PAGE, m, KVM_MEM_LOG_DIRTY_PAGES), 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &get), EFAULT);
	CHECK_EQ(clear_dirty(vm, 40000, 0, 64, bits), -EINVAL);
	CHECK_EQ(clear_dirty(vm, 2, 1, 64, bits), -EINVAL);
	CHECK_EQ(clear_dirty(vm, 2, 0, 63, bits), -EINVAL);
	CHECK_EQ(clear_dirty(vm, 2, 128, 64, bits), -EINVAL);
	CHECK_EQ(clear_dirty(vm, 2, 192, 0, bits), -EINVAL);
	CHECK_EQ(clear_dirty(vm, 2, -64ull, 64, bits), -EINVAL);
	CHECK_EQ(clear_dirty(vm, 2, 0, 128, NULL), -EFAULT);
	CHECK_EQ(clear_dirty(vm, 2, 128, 2, bits), 0);
	CHECK_EQ(clear_dirty(vm, 2, 0, 64, bits), 0);
}

/* As many slots as are promised, each its own memory; one more is refused. */
TEST_LIMIT(mem, many_slots, 120)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	int n = check_cap(vm->fd, KVM_CAP_NR_MEMSLOTS);
	uint64_t *m = mem_new(n * PAGE);
	struct gop *first, *mid, *last;

	CHECK(n >= 509);
	for (int i = n - 1; i >= 2; i--) {		/* two are the rig's */
		m[i * PAGE / 8] = i;
		CHECK_EQ(vm_slot(vm, i, HIGH + i * 2 * PAGE, PAGE, (char *)m + i * PAGE, 0), 0);
	}
	CHECK_EQ(vm_slot(vm, n, HIGH, PAGE, m, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 2, HIGH + 6 * PAGE, PAGE, (char *)m + 2 * PAGE, 0), -EEXIST);
	first = op_add(vm, OP_READ, 8, HIGH + 2 * 2 * PAGE, 0);
	mid = op_add(vm, OP_READ, 8, HIGH + n / 2 * 2 * PAGE, 0);
	last = op_add(vm, OP_READ, 8, HIGH + (n - 1) * 2 * PAGE, 0);
	op_add(vm, OP_READ, 8, HIGH + 7 * PAGE, 0);
	run_exit(&vm->vcpu[0], KVM_EXIT_MMIO);
	CHECK_EQ(vm->vcpu[0].run->mmio.phys_addr, HIGH + 7 * PAGE);
	CHECK_EQ(first->val, 2);
	CHECK_EQ(mid->val, n / 2);
	CHECK_EQ(last->val, n - 1);
	run_done(&vm->vcpu[0]);
}

/* Of so many slots each change of the VMM's memory takes from the guest what it should, and soon. */
TEST_LIMIT(mem, many_slots_change, 120)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	int n = check_cap(vm->fd, KVM_CAP_NR_MEMSLOTS), rounds = 1000;
	uint64_t *m = mem_new(n * PAGE), *other = mem_new(PAGE), from;
	struct gop *gone, *kept;

	for (int i = 2; i < n; i++) {
		m[i * PAGE / 8] = i;
		CHECK_EQ(vm_slot(vm, i, HIGH + i * PAGE, PAGE, (char *)m + i * PAGE, 0), 0);
	}
	op_add(vm, OP_READ, 8, HIGH + 100 * PAGE, 0);
	op_add(vm, OP_READ, 8, HIGH + 101 * PAGE, 0);
	op_add(vm, OP_SYNC, 0, 1, 0);
	gone = op_add(vm, OP_READ, 8, HIGH + 100 * PAGE, 0);
	kept = op_add(vm, OP_READ, 8, HIGH + 101 * PAGE, 0);
	run_sync(&vm->vcpu[0], 1);
	CHECK_EQ(madvise((char *)m + 100 * PAGE, PAGE, MADV_DONTNEED), 0);
	run_done(&vm->vcpu[0]);
	CHECK_EQ(gone->val, 0);
	CHECK_EQ(kept->val, 101);
	from = now_ns();
	for (int i = 0; i < rounds; i++) {
		other[0] = 1;
		CHECK_EQ(madvise(other, PAGE, MADV_DONTNEED), 0);
	}
	test_note("%d slots: %llu ns for each change elsewhere", n,
		  (unsigned long long)(now_ns() - from) / rounds);
}

/* Tables have four levels, whatever the processor's addresses are. */
TEST(mem, beyond_tables)
{
	const uint64_t end = 1ull << 48;
	void *m = mem_new(2 * PAGE);
	struct vm *vm = vm_new(G_script, 0, 0);

	CHECK_EQ(vm_slot(vm, 2, end - PAGE, 2 * PAGE, m, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 2, end, PAGE, m, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 2, -2 * PAGE, 2 * PAGE, m, 0), -EINVAL);
}

/* A slot that moves by less than its length keeps what both places share. */
TEST(mem, move_overlapping)
{
	uint64_t *m = mem_new(8 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *up, *down;

	for (int i = 0; i < 8; i++)
		m[i * PAGE / 8] = 100 + i;
	CHECK_EQ(vm_slot(vm, 2, HIGH, 8 * PAGE, m, 0), 0);
	op_add(vm, OP_SYNC, 0, 1, 0);
	up = op_add(vm, OP_READ, 8, HIGH + 5 * PAGE, 0);
	op_add(vm, OP_READ, 8, HIGH + PAGE, 0);
	op_add(vm, OP_SYNC, 0, 2, 0);
	down = op_add(vm, OP_READ, 8, HIGH + 5 * PAGE, 0);
	op_add(vm, OP_READ, 8, HIGH + 9 * PAGE, 0);
	run_sync(v, 1);
	CHECK_EQ(vm_slot(vm, 2, HIGH + 3 * PAGE, 8 * PAGE, m, 0), 0);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, HIGH + PAGE);
	CHECK_EQ(up->val, 102);
	run_sync(v, 2);
	CHECK_EQ(vm_slot(vm, 2, HIGH + PAGE, 8 * PAGE, m, 0), 0);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, HIGH + 9 * PAGE);
	CHECK_EQ(down->val, 104);
	run_done(v);
}

static int pre_fault(struct vcpu *v, struct kvm_pre_fault_memory *r, uint64_t gpa, uint64_t size)
{
	*r = (struct kvm_pre_fault_memory){ .gpa = gpa, .size = size };
	return ioctl(v->fd, KVM_PRE_FAULT_MEMORY, r) < 0 ? -errno : 0;
}

/* Memory is there before the guest wants it; the range tells how far that went. */
TEST(mem, pre_fault)
{
	uint8_t *m = mem_new(64 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_pre_fault_memory r;

	if (check_cap(vm->fd, KVM_CAP_PRE_FAULT_MEMORY) <= 0)
		SKIP("no KVM_PRE_FAULT_MEMORY");
	CHECK_EQ(vm_slot(vm, 2, HIGH, 64 * PAGE, m, 0), 0);
	CHECK_EQ(pre_fault(v, &r, HIGH + PAGE, 33 * PAGE), 0);
	CHECK_EQ(r.size, 0);
	CHECK_EQ(r.gpa, HIGH + 34 * PAGE);
	CHECK_EQ(pre_fault(v, &r, HIGH + 60 * PAGE, 8 * PAGE), 0);
	CHECK_EQ(r.size, 4 * PAGE);
	CHECK_EQ(r.gpa, HIGH + 64 * PAGE);
	CHECK_EQ(pre_fault(v, &r, HIGH + 64 * PAGE, PAGE), -ENOENT);
	CHECK_EQ(pre_fault(v, &r, HIGH + 1, PAGE), -EINVAL);
	CHECK_EQ(pre_fault(v, &r, HIGH, PAGE + 1), -EINVAL);
	CHECK_EQ(pre_fault(v, &r, HIGH, 0), -EINVAL);
	CHECK_EQ(pre_fault(v, &r, HIGH, -HIGH), -EINVAL);
	r = (struct kvm_pre_fault_memory){ .gpa = HIGH, .size = PAGE, .flags = 1 };
	CHECK_ERRNO(ioctl(v->fd, KVM_PRE_FAULT_MEMORY, &r), EINVAL);
	CHECK_ERRNO(ioctl(v->fd, KVM_PRE_FAULT_MEMORY, NULL), EFAULT);
	op_add(vm, OP_WRITE, 8, HIGH + 5 * PAGE, 7);
	run_done(v);
	CHECK_EQ(m[5 * PAGE], 7);
}

TEST(mem, move)
{
	uint8_t *m = mem_new(4 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *moved;

	CHECK_EQ(vm_slot(vm, 2, HIGH, 4 * PAGE, m, 0), 0);
	op_add(vm, OP_WRITE, 8, HIGH + 8, 0x1234);
	op_add(vm, OP_SYNC, 0, 1, 0);
	moved = op_add(vm, OP_READ, 8, 2 * HIGH + 8, 0);
	op_add(vm, OP_READ, 8, HIGH + 8, 0);
	run_sync(v, 1);
	CHECK_EQ(vm_slot(vm, 2, 2 * HIGH, 4 * PAGE, m, 0), 0);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, HIGH + 8);
	CHECK_EQ(moved->val, 0x1234);
	run_done(v);
}

/* Two slots on the same memory: what is written through one is read through the other. */
TEST(mem, alias)
{
	uint8_t *m = mem_new(2 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct gop *rd;

	CHECK_EQ(vm_slot(vm, 2, HIGH, 2 * PAGE, m, 0), 0);
	CHECK_EQ(vm_slot(vm, 3, 2 * HIGH, 2 * PAGE, m, 0), 0);
	op_add(vm, OP_WRITE, 8, HIGH + PAGE, 0xabcdef);
	rd = op_add(vm, OP_READ, 8, 2 * HIGH + PAGE, 0);
	run_done(&vm->vcpu[0]);
	CHECK_EQ(rd->val, 0xabcdef);
}

/* What goes is gone from each slot that has it, and from these alone. */
TEST(mem, alias_changes)
{
	static const struct { uint64_t gpa, first, pages; } slot[] = {
		{ HIGH, 0, 6 }, { 2 * HIGH, 2, 4 }, { 3 * HIGH, 3, 1 }, { 4 * HIGH, 4, 2 }, { 5 * HIGH, 0, 3 },
	};
	const int n = sizeof(slot) / sizeof(slot[0]);
	uint64_t *m = mem_new(6 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct gop *rd[64];
	int nr = 0;

	for (int i = 0; i < 6; i++)
		m[i * PAGE / 8] = 1 + i;
	for (int i = 0; i < n; i++)
		CHECK_EQ(vm_slot(vm, 2 + i, slot[i].gpa, slot[i].pages * PAGE, (char *)m + slot[i].first * PAGE, 0), 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < n; i++)
			for (uint64_t p = 0; p < slot[i].pages; p++)
				rd[nr++] = op_add(vm, OP_READ, 8, slot[i].gpa + p * PAGE, 0);
		op_add(vm, OP_SYNC, 0, round, 0);
	}
	run_sync(&vm->vcpu[0], 0);
	CHECK_EQ(madvise((char *)m + 3 * PAGE, PAGE, MADV_DONTNEED), 0);
	run_sync(&vm->vcpu[0], 1);
	nr = 0;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < n; i++)
			for (uint64_t p = slot[i].first; p < slot[i].first + slot[i].pages; p++)
				CHECK_EQ(rd[nr++]->val, round && p == 3 ? 0 : 1 + p);
}

/* The same where very many slots have it. */
TEST(mem, alias_many)
{
	enum { SLOTS = 100, READS = 40 };
	uint64_t *m = mem_new(2 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct gop *rd[2 * READS];
	int nr = 0;

	m[0] = 1;
	m[PAGE / 8] = 2;
	for (int i = 0; i < SLOTS; i++)		/* not in the order of their places */
		CHECK_EQ(vm_slot(vm, 2 + i, HIGH + i * 37 % SLOTS * 2 * PAGE, 2 * PAGE, m, 0), 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < READS; i++)
			rd[nr++] = op_add(vm, OP_READ, 8, HIGH + i * (SLOTS - 1) / (READS - 1) * 2 * PAGE, 0);
		op_add(vm, OP_SYNC, 0, round, 0);
	}
	run_sync(&vm->vcpu[0], 0);
	CHECK_EQ(madvise(m, PAGE, MADV_DONTNEED), 0);
	run_sync(&vm->vcpu[0], 1);
	for (int i = 0; i < READS; i++) {
		CHECK_EQ(rd[i]->val, 1);
		CHECK_EQ(rd[READS + i]->val, 0);
	}
}

/* How long Linux takes to have one page back, in ns, that so many slots show; the best of three. */
static uint64_t time_of_dontneed(int slots)
{
	uint64_t *m = mem_new(PAGE), best = ~0ull;
	struct vm *vm = vm_new(G_script, 1, 0);
	struct timespec a, b;

	for (int i = 0; i < slots; i++)
		CHECK_EQ(vm_slot(vm, 2 + i, HIGH + i * PAGE, PAGE, m, 0), 0);
	for (int i = 0; i < 3; i++) {
		uint64_t ns;

		*m = 1;
		clock_gettime(CLOCK_MONOTONIC, &a);
		CHECK_EQ(madvise(m, PAGE, MADV_DONTNEED), 0);
		clock_gettime(CLOCK_MONOTONIC, &b);
		ns = (b.tv_sec - a.tv_sec) * 1000000000ull + b.tv_nsec - a.tv_nsec;
		best = ns < best ? ns : best;
	}
	for (int i = 0; i < slots; i++)
		CHECK_EQ(vm_slot(vm, 2 + i, HIGH + i * PAGE, 0, m, 0), 0);
	return best;
}

/* It grows with the slots, and not with their square. */
TEST_LIMIT(mem, alias_costs, 120)
{
	uint64_t few, many;

	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("KVM takes minutes to make the slots");
	few = time_of_dontneed(500);
	many = time_of_dontneed(8000);
	printf("# mem.alias_costs: 500 slots %llu us, 8,000 slots %llu us\n", (unsigned long long)few / 1000,
	       (unsigned long long)many / 1000);
	CHECK(many < 24 * few);		/* 16 times the slots */
}

/* madvise(MADV_DONTNEED) under a guest that runs: it must see zeroes, all of them, from then on. */
TEST(mem, dontneed)
{
	uint64_t pages = 256;
	uint8_t *m = mem_new(pages * PAGE);
	struct vm *vm = vm_with(G_waitzero, m, pages * PAGE);

	vm->p->arg[1] = pages;
	thread_start(&vm->vcpu[0]);
	wait_while(&vm->p->res[1], 0);
	CHECK_EQ(*(uint64_t *)m, 1);
	sleep_ms(20);
	CHECK_EQ(madvise(m, pages * PAGE, MADV_DONTNEED), 0);
	thread_join(&vm->vcpu[0]);
	CHECK_EQ(vm->p->res[0], 0);
	for (uint64_t i = 0; i < pages; i++)
		CHECK_EQ(*(uint64_t *)(m + i * PAGE), 0);
}

/* After fork() a page is shared until somebody writes: parent's guest and child must part ways. */
TEST(mem, fork_cow)
{
	volatile uint64_t *m = mem_new(2 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *rd;
	int go[2], status;
	char c;
	pid_t pid;

	CHECK_EQ(vm_slot(vm, 2, HIGH, 2 * PAGE, (void *)m, 0), 0);
	op_add(vm, OP_WRITE, 8, HIGH, 0x11);
	op_add(vm, OP_WRITE, 8, HIGH + PAGE, 0x22);
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, OP_WRITE, 8, HIGH, 0x33);
	op_add(vm, OP_SYNC, 0, 2, 0);
	rd = op_add(vm, OP_READ, 8, HIGH + PAGE, 0);
	run_sync(v, 1);
	CHECK_EQ(pipe(go), 0);
	pid = fork();
	if (!pid) {
		m[PAGE / 8] = 0x44;
		if (read(go[0], &c, 1) != 1)
			_exit(2);
		_exit(m[0] == 0x11 && m[PAGE / 8] == 0x44 ? 0 : 3);
	}
	run_sync(v, 2);
	CHECK_EQ(m[0], 0x33);
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	run_done(v);
	CHECK_EQ(rd->val, 0x22);
	m[0] = 0x55;
}

/* A shared file: what the guest writes is in the file, and the other way round. */
TEST(mem, file_shared)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int fd = memfd_create("guest", MFD_CLOEXEC);
	uint64_t val = 0x7777;
	struct gop *rd, *hole;
	void *m;

	CHECK(fd >= 0 && !ftruncate(fd, 8 * PAGE));
	m = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 8 * PAGE, m, 0), 0);
	op_add(vm, OP_WRITE, 8, HIGH + 5 * PAGE, 0x6666);
	op_add(vm, OP_SYNC, 0, 1, 0);
	rd = op_add(vm, OP_READ, 8, HIGH + 5 * PAGE, 0);
	hole = op_add(vm, OP_READ, 8, HIGH + PAGE, 0);
	run_sync(v, 1);
	CHECK_EQ(pread(fd, &val, 8, 5 * PAGE), 8);
	CHECK_EQ(val, 0x6666);
	val = 0x7777;
	CHECK_EQ(pwrite(fd, &val, 8, 5 * PAGE), 8);
	run_done(v);
	CHECK_EQ(rd->val, 0x7777);
	CHECK_EQ(hole->val, 0);
}

/* Memory that the VMM may not touch itself: KVM_RUN says EFAULT, and goes on once it may. */
TEST(mem, protected_by_vmm)
{
	uint8_t *m = mem_new(2 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *rd;

	CHECK_EQ(vm_slot(vm, 2, HIGH, 2 * PAGE, m, 0), 0);
	op_add(vm, OP_WRITE, 8, HIGH, 0x11);
	op_add(vm, OP_SYNC, 0, 1, 0);
	rd = op_add(vm, OP_READ, 8, HIGH, 0);
	run_sync(v, 1);
	CHECK_EQ(mprotect(m, 2 * PAGE, PROT_NONE), 0);
	CHECK_EQ(run_once(v), -EFAULT);
	if (check_cap(vm->fd, KVM_CAP_MEMORY_FAULT_INFO) > 0) {
		CHECK_EQ(v->run->exit_reason, KVM_EXIT_MEMORY_FAULT);
		CHECK_EQ(v->run->memory_fault.flags, 0);
		CHECK_EQ(v->run->memory_fault.size, 4096);
	}
	CHECK_EQ(mprotect(m, 2 * PAGE, PROT_READ | PROT_WRITE), 0);
	run_done(v);
	CHECK_EQ(rd->val, 0x11);
}

/* New memory is mapped over the old: the guest follows the VMM's address space. */
TEST(mem, remap)
{
	uint8_t *m = mem_new(2 * PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *rd;

	CHECK_EQ(vm_slot(vm, 2, HIGH, 2 * PAGE, m, 0), 0);
	op_add(vm, OP_WRITE, 8, HIGH + PAGE, 0x11);
	op_add(vm, OP_SYNC, 0, 1, 0);
	rd = op_add(vm, OP_READ, 8, HIGH + PAGE, 0);
	run_sync(v, 1);
	CHECK(mmap(m, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == m);
	*(uint64_t *)(m + PAGE) = 0x8888;
	run_done(v);
	CHECK_EQ(rd->val, 0x8888);
}
