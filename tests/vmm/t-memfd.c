/* SPDX-License-Identifier: GPL-2.0-only */
/* guest_memfd, and VMs whose memory is partly private: KVM_X86_SW_PROTECTED_VM. */
#include "test.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/kvm_para.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PAGE	4096ull
#define HIGH	0x1000000ull		/* where the cases put their slots */
#define LARGE	0x200000ull
#define PRIVATE	KVM_MEMORY_ATTRIBUTE_PRIVATE
#define HOLE	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

static struct vm *protected(enum guest_id guest)
{
	if (!(check_cap(kvm_fd, KVM_CAP_VM_TYPES) & 1 << KVM_X86_SW_PROTECTED_VM))
		SKIP("no VMs with private memory");
	return vm_new(guest, 1, VM_PROTECTED);
}

static int set_attributes(struct vm *vm, uint64_t gpa, uint64_t size, uint64_t attrs, uint64_t flags)
{
	struct kvm_memory_attributes a = { .address = gpa, .size = size, .attributes = attrs, .flags = flags };

	return ioctl(vm->fd, KVM_SET_MEMORY_ATTRIBUTES, &a);
}

static void make_private(struct vm *vm, uint64_t gpa, uint64_t size)
{
	CHECK_EQ(set_attributes(vm, gpa, size, PRIVATE, 0), 0);
}

static void make_shared(struct vm *vm, uint64_t gpa, uint64_t size)
{
	CHECK_EQ(set_attributes(vm, gpa, size, 0, 0), 0);
}

/* KVM_RUN fails: the guest wants memory at @gpa that is not there. */
static void expect_fault(struct vcpu *v, uint64_t gpa, uint64_t flags)
{
	CHECK_EQ(run_once(v), -EFAULT);
	CHECK_EQ(v->run->exit_reason, KVM_EXIT_MEMORY_FAULT);
	CHECK_EQ(v->run->memory_fault.flags, flags);
	CHECK_EQ(v->run->memory_fault.gpa, gpa);
	CHECK_EQ(v->run->memory_fault.size, PAGE);
}

/* ---- the file, of any VM ---- */

static struct vm *any_vm(void)
{
	if (check_cap(kvm_fd, KVM_CAP_GUEST_MEMFD) <= 0)
		SKIP("no guest_memfd");
	return vm_new(G_script, 1, 0);
}

static int create(struct vm *vm, uint64_t size, uint64_t flags)
{
	struct kvm_create_guest_memfd m = { .size = size, .flags = flags };

	return ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &m);
}

TEST(memfd, file)
{
	struct vm *vm = any_vm();
	int fd = memfd_new(vm, 3 * PAGE), path;
	struct stat s;
	char buf[32];

	CHECK_ERRNO(create(vm, 0, 0), EINVAL);
	CHECK_ERRNO(create(vm, PAGE + 1, 0), EINVAL);
	CHECK_ERRNO(create(vm, 1ull << 63, 0), EINVAL);
	CHECK_ERRNO(create(vm, -PAGE, 0), EINVAL);
	CHECK_ERRNO(create(vm, PAGE, 1), EINVAL);
	CHECK_ERRNO(create(vm, PAGE, 1ull << 63), EINVAL);
	CHECK(create(vm, 1ull << 62, 0) >= 0);

	CHECK_EQ(fstat(fd, &s), 0);
	CHECK_EQ(s.st_size, 3 * PAGE);
	CHECK_EQ(s.st_blksize, PAGE);
	CHECK_EQ(s.st_mode, S_IFREG | 0600);
	CHECK_EQ(s.st_blocks, 0);
	CHECK_EQ(fcntl(fd, F_GETFD), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_ERRNO(read(fd, buf, 1), EINVAL);
	CHECK_ERRNO(write(fd, buf, 1), EINVAL);
	CHECK_ERRNO(pread(fd, buf, 1, 0), ESPIPE);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(ftruncate(fd, PAGE), EINVAL);
	CHECK_ERRNO(ftruncate(fd, 3 * PAGE), EINVAL);
	CHECK_ERRNO(fchmod(fd, 0400), EINVAL);
	CHECK_ERRNO(fsync(fd), EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);

	/* It can be named, but not opened again; a name may outlive the file. */
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
	CHECK_ERRNO(open(buf, O_RDWR), ENXIO);
	CHECK_ERRNO(truncate(buf, PAGE), EINVAL);
	path = open(buf, O_PATH);
	CHECK(path >= 0);
	CHECK_EQ(close(fd), 0);
	CHECK_EQ(fstat(path, &s), 0);
	CHECK_EQ(s.st_size, 3 * PAGE);
	CHECK_ERRNO(fallocate(path, HOLE, 0, PAGE), EBADF);
}

TEST(memfd, fallocate)
{
	struct vm *vm = any_vm();
	int fd = memfd_new(vm, 4 * PAGE);

	CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE), 0);
	CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, PAGE, PAGE), 0);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, PAGE, 4 * PAGE), EINVAL);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4 * PAGE, PAGE), EINVAL);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, 1, PAGE), EINVAL);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, PAGE - 1), EINVAL);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 0), EINVAL);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_KEEP_SIZE, -PAGE, PAGE), EINVAL);
	CHECK_ERRNO(fallocate(fd, HOLE, 1, PAGE), EINVAL);
	CHECK_ERRNO(fallocate(fd, HOLE, 0, PAGE + 1), EINVAL);
	CHECK_ERRNO(fallocate(fd, HOLE, PAGE, 0x7fffffffffffffff), EFBIG);
	CHECK_EQ(fallocate(fd, HOLE, PAGE, PAGE), 0);
	CHECK_EQ(fallocate(fd, HOLE, 4 * PAGE, PAGE), 0);
	CHECK_EQ(fallocate(fd, HOLE, 3 * PAGE, 1ull << 60), 0);
	CHECK_ERRNO(fallocate(fd, 0, 0, PAGE), EOPNOTSUPP);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, PAGE), EOPNOTSUPP);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE), EOPNOTSUPP);
}

/* The file keeps the VM; both go in any order, and also in a child that has inherited them. */
TEST(memfd, outlives_vm)
{
	struct vm *vm = any_vm();
	int fd = memfd_new(vm, 4 * PAGE), status;
	pid_t pid = fork();

	if (!pid) {
		bool good = !fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE) &&
			    !fallocate(fd, HOLE, 0, PAGE) && create(vm, PAGE, 0) == -1 && errno == EIO;

		_exit(!good);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	vm_free(vm);
	CHECK_EQ(fallocate(fd, HOLE, 0, 4 * PAGE), 0);
	CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE), 0);
	CHECK_EQ(close(fd), 0);
}

TEST(memfd, ordinary_vm)
{
	struct vm *vm = any_vm();
	int fd = memfd_new(vm, PAGE);

	CHECK_EQ(check_cap(kvm_fd, KVM_CAP_GUEST_MEMFD), 1);
	CHECK_EQ(check_cap(kvm_fd, KVM_CAP_MEMORY_ATTRIBUTES), PRIVATE);
	CHECK_EQ(check_cap(vm->fd, KVM_CAP_GUEST_MEMFD), 0);
	CHECK_EQ(check_cap(vm->fd, KVM_CAP_MEMORY_ATTRIBUTES), 0);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, NULL, 0, fd, 0), -EINVAL);
	CHECK_ERRNO(set_attributes(vm, HIGH, PAGE, PRIVATE, 0), EINVAL);
	CHECK_EQ(set_attributes(vm, HIGH, PAGE, 0, 0), 0);
	CHECK_ERRNO(set_attributes(vm, HIGH, PAGE, 0, 1), EINVAL);
	CHECK_ERRNO(set_attributes(vm, HIGH, 0, 0, 0), EINVAL);
	CHECK_ERRNO(set_attributes(vm, HIGH + 8, PAGE, 0, 0), EINVAL);
	CHECK_ERRNO(set_attributes(vm, HIGH, PAGE + 8, 0, 0), EINVAL);
	CHECK_ERRNO(set_attributes(vm, -PAGE, 2 * PAGE, 0, 0), EINVAL);
	CHECK_ERRNO(ioctl(kvm_fd, KVM_CREATE_VM, 6), EINVAL);
	CHECK_ERRNO(ioctl(kvm_fd, KVM_CREATE_VM, 31), EINVAL);
	CHECK_ERRNO(ioctl(kvm_fd, KVM_CREATE_VM, 32), EINVAL);
	CHECK_ERRNO(ioctl(kvm_fd, KVM_CREATE_VM, 1ull << 32), EINVAL);
}

/* ---- slots with private memory ---- */

TEST(memfd, bind_nonsense)
{
	struct vm *vm = protected(G_script), *other = vm_new(G_script, 0, VM_PROTECTED);
	int fd = memfd_new(vm, 8 * PAGE);
	uint8_t *m = mem_new(8 * PAGE);

	CHECK_EQ(check_cap(vm->fd, KVM_CAP_GUEST_MEMFD), 1);
	CHECK_EQ(check_cap(vm->fd, KVM_CAP_MEMORY_ATTRIBUTES), PRIVATE);
	/* Their SMM has no memory of its own. */
	CHECK(check_cap(vm->fd, KVM_CAP_MULTI_ADDRESS_SPACE) <= 1);
	CHECK_EQ(vm_slot(vm, 1 << 16, HIGH, PAGE, m, 0), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, -1, 0), -EBADF);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, kvm_fd, 0), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, vm->fd, 0), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, other->memfd, 0), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, fd, 8), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, 2 * PAGE, m, 0, fd, 7 * PAGE), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, fd, 8 * PAGE), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, fd, -PAGE), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, KVM_MEM_READONLY, fd, 0), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, KVM_MEM_LOG_DIRTY_PAGES, fd, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 2, HIGH, PAGE, m, KVM_MEM_GUEST_MEMFD), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, 0, m, 0, fd, 0), -EINVAL);

	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, 4 * PAGE, m, 0, fd, 2 * PAGE), 0);
	/* Such a slot can go, and nothing else. */
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, 4 * PAGE, m, 0, fd, 2 * PAGE), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 2, 2 * HIGH, 4 * PAGE, m, 0, fd, 2 * PAGE), -EINVAL);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 4 * PAGE, m, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 4 * PAGE, m, KVM_MEM_LOG_DIRTY_PAGES), -EINVAL);
	/* Nobody shares guest memory, or pages of the file. */
	CHECK_EQ(vm_slot_memfd(vm, 3, HIGH + PAGE, PAGE, m, 0, fd, 6 * PAGE), -EEXIST);
	CHECK_EQ(vm_slot_memfd(vm, 3, 2 * HIGH, PAGE, m, 0, fd, 2 * PAGE), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 3, 2 * HIGH, PAGE, m, 0, fd, 5 * PAGE), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 3, 2 * HIGH, 8 * PAGE, m, 0, fd, 0), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 3, 2 * HIGH, 3 * PAGE, m, 0, fd, 0), -EINVAL);
	CHECK_EQ(vm_slot_memfd(vm, 3, 2 * HIGH, 2 * PAGE, m, 0, fd, 0), 0);
	CHECK_EQ(vm_slot_memfd(vm, 4, 3 * HIGH, 2 * PAGE, m, 0, fd, 6 * PAGE), 0);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 0, NULL, 0), 0);
	CHECK_EQ(vm_slot_memfd(vm, 5, 4 * HIGH, 4 * PAGE, m, 0, fd, 2 * PAGE), 0);
	/* A slot that exists, and one that does not, of an ordinary kind. */
	CHECK_EQ(vm_slot(vm, 2, HIGH, PAGE, m, 0), 0);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, fd, 0), -EINVAL);
	vm_free(other);
}

/* The VMM sees what is shared, the guest what is private; neither loses it by the other. */
TEST(memfd, two_memories)
{
	struct vm *vm = protected(G_script);
	struct vcpu *v = &vm->vcpu[0];
	uint64_t *m = (uint64_t *)(vm->mem + GPA_SCRATCH);
	struct gop *first, *own, *shared, *again, *punched;

	m[0] = 0x1111;
	first = op_add(vm, OP_READ, 8, GPA_SCRATCH, 0);
	op_add(vm, OP_SYNC, 0, 1, 0);
	own = op_add(vm, OP_READ, 8, GPA_SCRATCH, 0);
	op_add(vm, OP_WRITE, 8, GPA_SCRATCH, 0x2222);
	op_add(vm, OP_SYNC, 0, 2, 0);
	shared = op_add(vm, OP_READ, 8, GPA_SCRATCH, 0);
	op_add(vm, OP_WRITE, 8, GPA_SCRATCH, 0x3333);
	op_add(vm, OP_SYNC, 0, 3, 0);
	again = op_add(vm, OP_READ, 8, GPA_SCRATCH, 0);
	op_add(vm, OP_SYNC, 0, 4, 0);
	punched = op_add(vm, OP_READ, 8, GPA_SCRATCH, 0);

	run_sync(v, 1);
	CHECK_EQ(first->val, 0x1111);
	make_private(vm, GPA_SCRATCH, PAGE);
	run_sync(v, 2);
	CHECK_EQ(own->val, 0);
	CHECK_EQ(m[0], 0x1111);
	make_shared(vm, GPA_SCRATCH, PAGE);
	run_sync(v, 3);
	CHECK_EQ(shared->val, 0x1111);
	CHECK_EQ(m[0], 0x3333);
	make_private(vm, GPA_SCRATCH, PAGE);
	run_sync(v, 4);
	CHECK_EQ(again->val, 0x2222);
	CHECK_EQ(fallocate(vm->memfd, HOLE, GPA_SCRATCH - GPA_HOLE_END, PAGE), 0);
	run_done(v);
	CHECK_EQ(punched->val, 0);
	CHECK_EQ(m[0], 0x3333);
}

/* Memory that the VMM has as a large page, with private pages in it. */
TEST_LIMIT(memfd, amid_large, 60)
{
	uint8_t *m = mem_new(4 * LARGE);
	struct vm *vm = protected(G_touch);
	uint64_t pages = LARGE / PAGE, *mine, bad = 0;
	int fd = memfd_new(vm, LARGE);

	m = (uint8_t *)(((uintptr_t)m + LARGE - 1) & ~(LARGE - 1));
	madvise(m, LARGE, MADV_HUGEPAGE);
	memset(m, 0, LARGE);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, LARGE, m, 0, fd, 0), 0);
	for (uint64_t i = 0; i < pages; i += 100)
		make_private(vm, HIGH + i * PAGE, PAGE);
	vm->p->arg[0] = HIGH;
	vm->p->arg[1] = pages;
	vm->p->arg[3] = 0x7777;
	run_done(&vm->vcpu[0]);
	CHECK_EQ(vm->p->res[0], 0);
	mine = (uint64_t *)m;
	for (uint64_t i = 0; i < pages; i++)
		bad += mine[i * PAGE / 8] != (i % 100 ? (HIGH + i * PAGE) ^ 0x7777 : 0);
	CHECK_EQ(bad, 0);
}

/* One page of a large mapping becomes private; the others stay as they are. */
TEST(memfd, out_of_large)
{
	uint64_t *m = mem_new(4 * LARGE);
	struct vm *vm = protected(G_script);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *at, *next;
	int fd = memfd_new(vm, LARGE);

	m = (uint64_t *)(((uintptr_t)m + LARGE - 1) & ~(LARGE - 1));
	madvise(m, LARGE, MADV_HUGEPAGE);
	memset(m, 0x55, LARGE);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, LARGE, m, 0, fd, 0), 0);
	op_add(vm, OP_WRITE, 8, HIGH, 1);
	op_add(vm, OP_SYNC, 0, 1, 0);
	at = op_add(vm, OP_READ, 8, HIGH + 7 * PAGE, 0);
	op_add(vm, OP_WRITE, 8, HIGH + 7 * PAGE, 2);
	next = op_add(vm, OP_READ, 8, HIGH + 8 * PAGE, 0);
	op_add(vm, OP_WRITE, 8, HIGH + 8 * PAGE, 3);
	run_sync(v, 1);
	make_private(vm, HIGH + 7 * PAGE, PAGE);
	run_done(v);
	CHECK_EQ(at->val, 0);
	CHECK_EQ(next->val, 0x5555555555555555);
	CHECK_EQ(m[0], 1);
	CHECK_EQ(m[7 * PAGE / 8], 0x5555555555555555);
	CHECK_EQ(m[8 * PAGE / 8], 3);
}

/* ---- memory that is not there ---- */

TEST(memfd, no_private_memory)
{
	struct vm *vm = protected(G_script);
	struct vcpu *v = &vm->vcpu[0];
	uint64_t *m = mem_new(PAGE);
	struct gop *rd, *none;

	CHECK_EQ(vm_slot(vm, 2, HIGH, PAGE, m, 0), 0);
	m[1] = 0x4444;
	make_private(vm, HIGH, 2 * PAGE);
	rd = op_add(vm, OP_READ, 8, HIGH + 8, 0);
	none = op_add(vm, OP_READ, 4, HIGH + PAGE, 0);
	expect_fault(v, HIGH, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	expect_fault(v, HIGH, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	make_shared(vm, HIGH, PAGE);
	/* Behind the slot there is no memory at all, so this is MMIO when it is shared. */
	expect_fault(v, HIGH + PAGE, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	CHECK_EQ(rd->val, 0x4444);
	make_shared(vm, HIGH + PAGE, PAGE);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, HIGH + PAGE);
	memset(v->run->mmio.data, 0x66, 8);
	run_done(v);
	CHECK_EQ(none->val, 0x66666666);
}

/* What is shared comes from the VMM's mapping alone. */
TEST(memfd, no_shared_memory)
{
	struct vm *vm = protected(G_script);
	struct vcpu *v = &vm->vcpu[0];
	int fd = memfd_new(vm, PAGE);
	uint8_t *m = mem_new(PAGE);
	struct gop *rd;

	CHECK_EQ(munmap(m, PAGE), 0);
	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, fd, 0), 0);
	rd = op_add(vm, OP_READ, 8, HIGH, 1);
	CHECK_EQ(run_once(v), -EFAULT);
	make_private(vm, HIGH, PAGE);
	run_done(v);
	CHECK_EQ(rd->val, 0);
}

/* A device's page that becomes private is no device's any more, for ioeventfds either. */
TEST(memfd, private_mmio)
{
	struct vm *vm = protected(G_script);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_ioeventfd io = { .addr = GPA_MMIO, .len = 4, .fd = eventfd(0, EFD_NONBLOCK) };
	uint64_t n;

	CHECK_EQ(ioctl(vm->fd, KVM_IOEVENTFD, &io), 0);
	op_add(vm, OP_WRITE, 4, GPA_MMIO, 1);
	op_add(vm, OP_WRITE, 4, GPA_MMIO, 1);
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, OP_SYNC, 0, 2, 0);
	op_add(vm, OP_WRITE, 4, GPA_MMIO + 64, 1);
	run_sync(v, 1);
	CHECK_EQ(read(io.fd, &n, 8), 8);
	CHECK_EQ(n, 2);
	make_private(vm, GPA_MMIO & ~(LARGE - 1), LARGE);
	run_sync(v, 2);
	expect_fault(v, GPA_MMIO, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	make_shared(vm, 0, -PAGE);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, GPA_MMIO + 64);
	run_done(v);
}

/* ---- other users of guest memory ---- */

/* Answer the accesses to the port up to the next stage: bytes 0, 1 ... 250, 0 ... both ways. */
static uint32_t serve_bytes(struct vcpu *v, bool *as_expected)
{
	struct kvm_run *run = v->run;

	*as_expected = true;
	for (uint32_t n = 0;;) {
		uint8_t *data;

		run_exit(v, KVM_EXIT_IO);
		data = (uint8_t *)run + run->io.data_offset;
		if (run->io.port != PORT_TEST)
			return run->io.port;
		for (uint32_t i = 0; i < run->io.size * run->io.count; i++, n++) {
			if (!run->io.direction)
				data[i] = n % 251;
			else if (n < 5000)
				*as_expected &= data[i] == n % 251;
		}
	}
}

/* String I/O reads and writes private memory, which the CPU leaves to software. */
TEST(memfd, string_io)
{
	struct vm *vm = protected(G_string);
	struct vcpu *v = &vm->vcpu[0];
	bool good;

	make_private(vm, GPA_SCRATCH, GPA_SCRATCH2 - GPA_SCRATCH);
	make_private(vm, GPA_SCRATCH2, 3 * PAGE);
	while (serve_bytes(v, &good) != PORT_DONE)
		CHECK(good);
	for (uint64_t i = GPA_SCRATCH; i < RAM_SIZE; i++)
		CHECK_EQ(vm->mem[i], 0);
}

/* The walk of private page tables in software finds them, and sets their bits. */
TEST(memfd, page_tables)
{
	struct vm *vm = protected(G_other_tables);
	struct vcpu *v = &vm->vcpu[0];
	uint8_t *m = mem_new(PAGE);
	int fd = memfd_new(vm, PAGE);

	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, m, 0, fd, 0), 0);
	make_private(vm, GPA_SCRATCH2, 16 * PAGE);
	make_private(vm, HIGH, PAGE);
	vm->p->arg[0] = GPA_SCRATCH2;
	vm->p->arg[1] = HIGH + 5;
	run_exit(v, KVM_EXIT_IO);
	*(uint8_t *)expect_io(v, 0, 1, PORT_TEST) = 0x5a;
	run_done(v);
	CHECK_EQ(vm->p->res[0], 0x5a);
	CHECK_EQ(vm->p->res[1], 0x60);
	CHECK_EQ(m[5], 0);
}

/* KVM's clock in private memory: what is shared in the same place is nothing to it. */
TEST(memfd, clock)
{
	struct vm *vm = protected(G_script);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *tsc;

	if (!(pv_features() & 1u << KVM_FEATURE_CLOCKSOURCE2))
		SKIP("no kvmclock");
	make_private(vm, GPA_SCRATCH, PAGE);
	op_add(vm, OP_WRMSR, 0, MSR_KVM_SYSTEM_TIME_NEW, GPA_SCRATCH | 1);
	tsc = op_add(vm, OP_READ, 4, GPA_SCRATCH + 24, 0);	/* tsc_to_system_mul */
	run_done(v);
	CHECK(tsc->val);
	for (uint64_t i = 0; i < PAGE; i++)
		CHECK_EQ(vm->mem[GPA_SCRATCH + i], 0);
}

/* ---- while the guest runs ---- */

struct runner {
	struct vcpu *v;
	pthread_t thread;
	bool again;			/* after faults for memory that is the other kind by now */
	int error;			/* of KVM_RUN; 0: the guest is done */
};

static void *run_until(void *arg)
{
	struct runner *r = arg;

	do {
		r->error = run_once(r->v);
	} while (r->again && r->error == -EFAULT && r->v->run->exit_reason == KVM_EXIT_MEMORY_FAULT);
	if (!r->error) {
		check_guest(r->v);
		expect_io(r->v, 1, 4, PORT_DONE);
	}
	return NULL;
}

static struct vm *count_at(uint64_t gpa, struct runner *r)
{
	struct vm *vm = protected(G_counter);

	vm->p->arg[0] = gpa;
	*r = (struct runner){ .v = &vm->vcpu[0] };
	return vm;
}

static void start(struct runner *r)
{
	CHECK_EQ(pthread_create(&r->thread, NULL, run_until, r), 0);
}

/* The guest counts: @p follows it as long as the page is shared. */
TEST_LIMIT(memfd, convert_running, 60)
{
	struct runner r;
	struct vm *vm = count_at(GPA_SCRATCH, &r);
	volatile uint64_t *p = (uint64_t *)(vm->mem + GPA_SCRATCH), seen;

	r.again = true;
	start(&r);
	for (int i = 0; i < 50; i++) {
		wait_while(p, *p);
		make_private(vm, GPA_SCRATCH, PAGE);
		seen = *p;
		wait_while(&vm->p->res[0], vm->p->res[0]);
		CHECK_EQ(*p, seen);
		make_shared(vm, GPA_SCRATCH, PAGE);
	}
	wait_while(p, *p);
	vm->p->arg[1] = 1;
	pthread_join(r.thread, NULL);
	CHECK_EQ(r.error, 0);
}

TEST_LIMIT(memfd, punch_running, 60)
{
	struct runner r;
	struct vm *vm = count_at(GPA_SCRATCH, &r);

	make_private(vm, GPA_SCRATCH, PAGE);
	start(&r);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(fallocate(vm->memfd, HOLE, 0, RAM_SIZE - GPA_HOLE_END), 0);
		if (i % 4 == 0)
			CHECK_EQ(fallocate(vm->memfd, FALLOC_FL_KEEP_SIZE, 0, RAM_SIZE - GPA_HOLE_END), 0);
		wait_while(&vm->p->res[0], vm->p->res[0]);
	}
	vm->p->arg[1] = 1;
	pthread_join(r.thread, NULL);
	CHECK_EQ(r.error, 0);
	CHECK_EQ(*(uint64_t *)(vm->mem + GPA_SCRATCH), 0);
}

/* The file is closed under the guest: its memory is gone, and its slot stays. */
TEST(memfd, close_running)
{
	struct runner r;
	struct vm *vm = count_at(GPA_SCRATCH, &r);
	struct vcpu *v = &vm->vcpu[0];

	make_private(vm, GPA_SCRATCH, PAGE);
	start(&r);
	wait_while(&vm->p->res[0], vm->p->res[0]);
	CHECK_EQ(close(vm->memfd), 0);
	vm->memfd = -1;
	pthread_join(r.thread, NULL);
	CHECK_EQ(r.error, -EFAULT);
	CHECK_EQ(v->run->exit_reason, KVM_EXIT_MEMORY_FAULT);
	CHECK_EQ(v->run->memory_fault.flags, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	CHECK_EQ(v->run->memory_fault.gpa, GPA_SCRATCH);
	make_shared(vm, GPA_SCRATCH, PAGE);
	vm->p->arg[1] = 1;
	run_done(v);
	CHECK(*(uint64_t *)(vm->mem + GPA_SCRATCH) > 0);
	CHECK_EQ(vm_slot(vm, 1, GPA_HOLE_END, 0, NULL, 0), 0);
}

/* The same while page after page is faulted in. */
TEST_LIMIT(memfd, close_faulting, 60)
{
	uint64_t size = 32768 * PAGE;

	for (int i = 0; i < 4; i++) {
		struct runner r;
		struct vm *vm = protected(G_touch);
		int fd = memfd_new(vm, size);

		CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, size, NULL, 0, fd, 0), 0);
		make_private(vm, HIGH, size);
		vm->p->arg[0] = HIGH;
		vm->p->arg[1] = size / PAGE;
		r = (struct runner){ .v = &vm->vcpu[0] };
		start(&r);
		CHECK_EQ(close(fd), 0);
		pthread_join(r.thread, NULL);
		CHECK_EQ(r.error, -EFAULT);
		CHECK_EQ(r.v->run->memory_fault.flags, KVM_MEMORY_EXIT_FLAG_PRIVATE);
		vm_free(vm);
	}
}

TEST(memfd, delete_running)
{
	struct runner r;
	struct vm *vm = count_at(HIGH, &r);
	struct vcpu *v = &vm->vcpu[0];
	int fd = memfd_new(vm, PAGE);

	CHECK_EQ(vm_slot_memfd(vm, 2, HIGH, PAGE, NULL, 0, fd, 0), 0);
	make_private(vm, HIGH, PAGE);
	start(&r);
	wait_while(&vm->p->res[0], vm->p->res[0]);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 0, NULL, 0), 0);
	pthread_join(r.thread, NULL);
	CHECK_EQ(r.error, -EFAULT);
	CHECK_EQ(v->run->exit_reason, KVM_EXIT_MEMORY_FAULT);
	CHECK_EQ(v->run->memory_fault.flags, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	CHECK_EQ(vm_slot_memfd(vm, 3, HIGH, PAGE, NULL, 0, fd, 0), 0);
	vm->p->arg[1] = 1;
	run_done(v);
}
