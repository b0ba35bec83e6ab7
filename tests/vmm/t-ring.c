/* SPDX-License-Identifier: GPL-2.0-only */
/* The dirty ring: what a vCPU writes, in order, until user space has dealt with it. */
#include "test.h"

#include <stdlib.h>

#define MSR_TSC_PAGE	0x40000021

#define PAGE	4096
#define HIGH		0x1000000ull		/* where the cases put their slots */
#define ENTRIES	(PAGE / sizeof(struct kvm_dirty_gfn))
#define LIMIT	(ENTRIES - 64)

static struct kvm_dirty_gfn *ring_of(struct vcpu *v)
{
	struct kvm_dirty_gfn *ring = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd,
					  KVM_DIRTY_LOG_PAGE_OFFSET * PAGE);

	CHECK(ring != MAP_FAILED);
	return ring;
}

static struct vm *logged(enum guest_id guest, int pages)
{
	struct vm *vm;

	if (check_cap(kvm_fd, KVM_CAP_DIRTY_LOG_RING) <= 0)
		SKIP("no dirty ring");
	vm = vm_new(guest, 1, VM_DIRTY_RING);
	CHECK_EQ(vm_slot(vm, 2, HIGH, pages * PAGE, mem_new(pages * PAGE), KVM_MEM_LOG_DIRTY_PAGES), 0);
	return vm;
}

static void check_entry(const struct kvm_dirty_gfn *g, uint64_t page)
{
	CHECK_EQ(g->flags, KVM_DIRTY_GFN_F_DIRTY);
	CHECK_EQ(g->slot, 2);
	CHECK_EQ(g->offset, page);
}

/* A page is told of once, and again when its entry has been given back. */
TEST(ring, pages)
{
	struct vm *vm = logged(G_script, 128);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_dirty_gfn *ring = ring_of(v);
	uint8_t bits[16];
	struct kvm_dirty_log log = { .slot = 2, .dirty_bitmap = bits };

	op_add(vm, OP_READ, 8, HIGH + 5 * PAGE, 0);
	op_add(vm, OP_WRITE, 8, HIGH, 1);
	op_add(vm, OP_WRITE, 8, HIGH + 70 * PAGE, 1);
	op_add(vm, OP_WRITE, 1, HIGH + 70 * PAGE + 9, 1);
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, OP_WRITE, 8, HIGH + 70 * PAGE, 2);
	op_add(vm, OP_WRITE, 8, HIGH, 2);
	op_add(vm, OP_SYNC, 0, 2, 0);
	run_sync(v, 1);
	check_entry(&ring[0], 0);
	check_entry(&ring[1], 70);
	CHECK_EQ(ring[2].flags, 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log), ENXIO);
	CHECK_EQ(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS), 0);
	check_entry(&ring[0], 0);
	ring[0].flags |= KVM_DIRTY_GFN_F_RESET;
	CHECK_EQ(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS), 1);
	CHECK_EQ(ring[0].flags, 0);
	check_entry(&ring[1], 70);
	run_sync(v, 2);
	check_entry(&ring[2], 0);
	CHECK_EQ(ring[3].flags, 0);
	run_done(v);
}

/* A vCPU stops before its ring is full, and goes on when there is room. */
TEST(ring, full)
{
	int pages = 2 * ENTRIES + 10;
	struct vm *vm = logged(G_touch, pages);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_dirty_gfn *ring = ring_of(v);
	unsigned int next = 0, told = 0, stops = 0;

	vm->p->arg[0] = HIGH;
	vm->p->arg[1] = pages;
	for (;;) {
		unsigned int n = 0;

		CHECK_EQ(run_once(v), 0);
		if (v->run->exit_reason != KVM_EXIT_DIRTY_RING_FULL)
			break;
		CHECK_EQ(run_once(v), 0);
		CHECK_EQ(v->run->exit_reason, KVM_EXIT_DIRTY_RING_FULL);
		/* The write that it stopped at was not made yet, and counts anew. */
		told -= told && ring[next % ENTRIES].offset == told - 1;
		for (; ring[next % ENTRIES].flags == KVM_DIRTY_GFN_F_DIRTY; next++, n++) {
			check_entry(&ring[next % ENTRIES], told++);
			ring[next % ENTRIES].flags |= KVM_DIRTY_GFN_F_RESET;
		}
		CHECK(n >= LIMIT && n < ENTRIES);
		CHECK_EQ(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS), n);
		stops++;
	}
	check_guest(v);
	CHECK(stops >= 2);
	CHECK_EQ(vm->p->res[0], 0);
}

/* Takes what is there from the ring.  KVM tells of a page as often as its emulator writes it. */
static unsigned int take(struct vm *vm, struct kvm_dirty_gfn *ring, unsigned int *next,
			 unsigned int told)
{
	struct kvm_dirty_gfn *g;
	int n = 0;

	for (; g = &ring[*next % ENTRIES], g->flags == KVM_DIRTY_GFN_F_DIRTY; ++*next, n++) {
		told += g->offset == told;
		check_entry(g, told - 1);
		g->flags |= KVM_DIRTY_GFN_F_RESET;
	}
	CHECK(n < (int)ENTRIES);
	CHECK_EQ(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS), n);
	return told;
}

/* One instruction that writes more pages than the ring has entries. */
static void string_input(uint16_t port, int size)
{
	unsigned int pages = 100 + ENTRIES, next = 0, told = 0, stops = 0;
	struct vm *vm = logged(G_ins_pages, pages);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_dirty_gfn *ring = ring_of(v);

	vm->p->arg[0] = HIGH;
	vm->p->arg[1] = 100;
	vm->p->arg[2] = port;
	vm->p->arg[3] = size;
	vm->p->arg[4] = pages;
	for (;;) {
		CHECK_EQ(run_once(v), 0);
		if (v->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL) {
			told = take(vm, ring, &next, told);
			stops++;
		} else if (v->run->exit_reason != KVM_EXIT_IO || v->run->io.port != port) {
			break;
		}
	}
	check_guest(v);
	expect_io(v, 1, 4, PORT_DONE);
	CHECK_EQ(take(vm, ring, &next, told), pages);
	CHECK(stops >= 1);
}

TEST(ring, input_from_kernel) { string_input(0x21, 1); }
TEST(ring, input_from_user) { string_input(PORT_TEST, 4); }

static void set_tsc_page(struct vcpu *v, uint64_t page)
{
	set_msr(v, MSR_TSC_PAGE, (HIGH + page * PAGE) | 1);
	CHECK_EQ(run_once(v), 0);
}

/* What is written for the guest before it runs waits for room, however often one asks. */
TEST(ring, full_before_run)
{
	unsigned int pages = 2 * ENTRIES, next = 0, told = 0, stops = 0;
	struct vm *vm = logged(G_counter, pages + 100);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_dirty_gfn *ring = ring_of(v);

	vm->p->arg[0] = GPA_MMIO;
	for (unsigned int page = 0; page < pages; page++) {
		set_tsc_page(v, page);
		if (v->run->exit_reason == KVM_EXIT_DIRTY_RING_FULL) {
			for (int i = 0; i < 100; i++) {
				set_tsc_page(v, pages + i);
				CHECK_EQ(v->run->exit_reason, KVM_EXIT_DIRTY_RING_FULL);
			}
			told = take(vm, ring, &next, told);
			set_tsc_page(v, page);
			stops++;
		}
		CHECK_EQ(v->run->exit_reason, KVM_EXIT_MMIO);
	}
	vm->p->arg[1] = 1;
	run_done(v);
	CHECK_EQ(take(vm, ring, &next, told), pages);
	CHECK(stops >= 2);
}

/* What user space writes into an entry is not believed. */
TEST(ring, nonsense)
{
	static const struct kvm_dirty_gfn bad[] = {
		{ .slot = 2, .offset = 128 }, { .slot = 2, .offset = ~0ull }, { .slot = 9, .offset = 0 },
		{ .slot = ~0u, .offset = 0 }, { .slot = 0, .offset = 1 }, { .slot = 2, .offset = 1ull << 58 },
	};
	struct vm *vm = logged(G_script, 128);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_dirty_gfn *ring = ring_of(v);
	int n = sizeof(bad) / sizeof(bad[0]);

	for (int i = 0; i < n; i++)
		op_add(vm, OP_WRITE, 8, HIGH + i * PAGE, i);
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, OP_WRITE, 8, HIGH, 7);
	op_add(vm, OP_WRITE, 8, HIGH + 100 * PAGE, 7);
	run_sync(v, 1);
	for (int i = 0; i < n; i++) {
		ring[i] = bad[i];
		ring[i].flags = KVM_DIRTY_GFN_F_RESET;
	}
	CHECK_EQ(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS), n);
	run_done(v);
	check_entry(&ring[n], 100);
}

TEST(ring, errors)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_DIRTY_LOG_RING };
	static const struct { uint64_t size; int err; } bad[] = {
		{ 0, EINVAL }, { 2048, EINVAL }, { 4096 + 16, EINVAL }, { 12288, EINVAL },
		{ 1 << 21, E2BIG },
	};
	int prot = PROT_READ | PROT_WRITE;
	struct vm *vm;

	if (check_cap(kvm_fd, KVM_CAP_DIRTY_LOG_RING) <= 0)
		SKIP("no dirty ring");
	CHECK_EQ(check_cap(kvm_fd, KVM_CAP_DIRTY_LOG_RING), 1 << 20);
	CHECK_EQ(check_cap(kvm_fd, KVM_CAP_DIRTY_LOG_RING_ACQ_REL), 1 << 20);
	vm = vm_new(G_script, 0, 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS), EINVAL);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cap.args[0] = bad[i].size;
		CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), bad[i].err);
	}
	vm_free(vm);
	vm = vm_new(G_script, 1, 0);
	cap.args[0] = PAGE;
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);	/* too late */
	vm_free(vm);
	vm = vm_new(G_script, 1, VM_DIRTY_RING);
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);	/* not twice */
	CHECK(mmap(NULL, PAGE, prot | PROT_EXEC, MAP_SHARED, vm->vcpu[0].fd,
		   KVM_DIRTY_LOG_PAGE_OFFSET * PAGE) == MAP_FAILED);
	CHECK(mmap(NULL, PAGE, prot, MAP_PRIVATE, vm->vcpu[0].fd,
		   KVM_DIRTY_LOG_PAGE_OFFSET * PAGE) == MAP_FAILED);
}
