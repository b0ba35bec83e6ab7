/* SPDX-License-Identifier: GPL-2.0-only */
/* A tiny VMM on the plain KVM API: see vmm.h. */
#include "vmm.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#define TSS_ADDR	0xfffbd000
#define IDENTITY_MAP	0xfffbc000

int kvm_fd = -1;
int run_size;

extern const uint8_t guest_image[], guest_image_end[];

int vmm_open(void)
{
	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm_fd < 0)
		return -errno;
	run_size = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	return run_size < 0 ? -errno : 0;
}

void *mem_new(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

int vm_slot(struct vm *vm, int slot, uint64_t gpa, uint64_t size, void *mem, int flags)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r) < 0 ? -errno : 0;
}

int vm_slot_memfd(struct vm *vm, int slot, uint64_t gpa, uint64_t size, void *mem, int flags, int memfd,
		  uint64_t offset)
{
	struct kvm_userspace_memory_region2 r = {
		.slot = slot, .flags = flags | KVM_MEM_GUEST_MEMFD, .guest_phys_addr = gpa,
		.memory_size = size, .userspace_addr = (uintptr_t)mem, .guest_memfd = memfd,
		.guest_memfd_offset = offset,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &r) < 0 ? -errno : 0;
}

int memfd_new(struct vm *vm, uint64_t size)
{
	struct kvm_create_guest_memfd m = { .size = size };
	int fd = ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &m);

	CHECK(fd >= 0);
	return fd;
}

const struct kvm_cpuid_entry2 *cpuid_find(const struct kvm_cpuid2 *c, uint32_t leaf, uint32_t index)
{
	for (uint32_t i = 0; i < c->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == leaf && (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == index))
			return e;
	}
	return NULL;
}

struct kvm_cpuid2 *cpuid_for(int id)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));

	CHECK(c);
	c->nent = CPUID_MAX;
	CHECK_EQ(ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, c), 0);
	for (uint32_t i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == 1) {
			e->ebx = (e->ebx & 0x00ffffff) | (uint32_t)id << 24;
			e->ecx |= 1 << 21;		/* x2APIC */
			if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
				e->ecx |= 1 << 24;
		} else if (e->function == 0xb || e->function == 0x1f) {
			e->edx = id;
		}
	}
	return c;
}

uint32_t pv_features(void)
{
	struct kvm_cpuid2 *c = cpuid_for(0);
	const struct kvm_cpuid_entry2 *e = cpuid_find(c, 0x40000001, 0);
	uint32_t f = e ? e->eax : 0;

	free(c);
	return f;
}

static void vcpu_new(struct vm *vm, int id)
{
	struct vcpu *v = &vm->vcpu[id];
	struct kvm_cpuid2 *c = cpuid_for(id);

	v->vm = vm;
	v->id = id;
	v->fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);
	CHECK(v->fd >= 0);
	v->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	CHECK(v->run != MAP_FAILED);
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, c), 0);
	free(c);
}

/* Real mode at the image's first byte. */
static void vcpu_begin(struct vcpu *v)
{
	struct kvm_sregs s;
	struct kvm_regs r = { .rflags = 2 };

	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	s.cs.base = GPA_IMAGE;
	s.cs.selector = GPA_IMAGE >> 4;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &r), 0);
}

static void irqchip_new(struct vm *vm, int flags)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	if (flags & VM_SPLIT)
		CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &split), 0);
	else if (!(flags & VM_NO_IRQCHIP))
		CHECK_EQ(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0), 0);
	if (flags & VM_PIT)
		CHECK_EQ(ioctl(vm->fd, KVM_CREATE_PIT2, &pit), 0);
}

static int enable_cap(struct vm *vm, uint32_t what, uint64_t arg)
{
	struct kvm_enable_cap cap = { .cap = what, .args = { arg } };

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

/* All but the hole. */
static void ram_new(struct vm *vm, int flags)
{
	uint64_t size = RAM_SIZE - GPA_HOLE_END;
	void *high;

	vm->mem = mem_new(RAM_SIZE);
	high = vm->mem + GPA_HOLE_END;
	CHECK_EQ(vm_slot(vm, 0, 0, GPA_HOLE, vm->mem, 0), 0);
	if (!(flags & VM_PROTECTED)) {
		CHECK_EQ(vm_slot(vm, 1, GPA_HOLE_END, size, high, 0), 0);
		return;
	}
	vm->memfd = memfd_new(vm, size);
	CHECK_EQ(vm_slot_memfd(vm, 1, GPA_HOLE_END, size, high, 0, vm->memfd, 0), 0);
}

struct vm *vm_new(enum guest_id guest, int vcpus, int flags)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	uint64_t map = IDENTITY_MAP;

	CHECK(vm && vcpus <= VMM_MAX_VCPUS);
	vm->memfd = -1;
	vm->fd = ioctl(kvm_fd, KVM_CREATE_VM, flags & VM_PROTECTED ? KVM_X86_SW_PROTECTED_VM : 0);
	CHECK(vm->fd >= 0);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &map), 0);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDR), 0);
	irqchip_new(vm, flags);
	if (flags & VM_DIRTY_RING)
		CHECK_EQ(enable_cap(vm, KVM_CAP_DIRTY_LOG_RING, 4096), 0);
	ram_new(vm, flags);
	vm->p = (struct gparams *)(vm->mem + GPA_PARAMS);
	vm->ops = (struct gop *)(vm->mem + GPA_OPS);
	memcpy(vm->mem + GPA_IMAGE, guest_image, guest_image_end - guest_image);
	vm->p->guest = guest;
	for (int i = 0; i < vcpus; i++)
		vcpu_new(vm, i);
	vm->nvcpus = vcpus;
	if (vcpus)
		vcpu_begin(&vm->vcpu[0]);
	return vm;
}

void vm_free(struct vm *vm)
{
	for (int i = 0; i < vm->nvcpus; i++) {
		munmap(vm->vcpu[i].run, run_size);
		close(vm->vcpu[i].fd);
	}
	if (vm->memfd >= 0)
		close(vm->memfd);
	close(vm->fd);
	munmap(vm->mem, RAM_SIZE);
	free(vm);
}

struct gop *op_add(struct vm *vm, int op, int size, uint64_t addr, uint64_t val)
{
	struct gop *o = &vm->ops[vm->nops++];

	CHECK(vm->nops < GOPS_MAX);
	*o = (struct gop){ .op = op, .size = size, .addr = addr, .val = val };
	return o;
}

int run_once(struct vcpu *v)
{
	return ioctl(v->fd, KVM_RUN, 0) < 0 ? -errno : 0;
}

static const char *guest_string(struct vm *vm, uint64_t gpa)
{
	return gpa < RAM_SIZE - 256 ? (const char *)vm->mem + gpa : "?";
}

static void *io_data(struct vcpu *v)
{
	return (uint8_t *)v->run + v->run->io.data_offset;
}

void check_guest(struct vcpu *v)
{
	struct gparams *p = v->vm->p;
	struct kvm_run *r = v->run;

	if (r->exit_reason != KVM_EXIT_IO || r->io.port != PORT_FAIL)
		return;
	if (p->fail_expr)
		vmm_fail(guest_string(v->vm, p->fail_expr), guest_string(v->vm, p->fail_file), p->fail_line,
			 "in the guest on vCPU %d", v->id);
	vmm_fail("no unexpected trap in the guest", __FILE__, __LINE__,
		 "vCPU %d: vector %llu error 0x%llx rip 0x%llx cr2 0x%llx", v->id,
		 (unsigned long long)p->fail_vec, (unsigned long long)p->fail_err,
		 (unsigned long long)p->fail_rip, (unsigned long long)p->fail_cr2);
}

void run_exit(struct vcpu *v, uint32_t reason)
{
	int err = run_once(v);

	if (err)
		vmm_fail("KVM_RUN succeeds", __FILE__, __LINE__, "error %d", err);
	check_guest(v);
	if (v->run->exit_reason == reason)
		return;
	if (v->run->exit_reason == KVM_EXIT_IO)
		vmm_fail("the exit that was due", __FILE__, __LINE__, "port 0x%x instead of reason %u",
			 v->run->io.port, reason);
	if (v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		vmm_fail("no internal error", __FILE__, __LINE__, "suberror %u", v->run->internal.suberror);
	if (v->run->exit_reason == KVM_EXIT_MMIO)
		vmm_fail("the exit that was due", __FILE__, __LINE__, "MMIO at 0x%llx instead of reason %u",
			 (unsigned long long)v->run->mmio.phys_addr, reason);
	vmm_fail("the exit that was due", __FILE__, __LINE__, "reason %u instead of %u",
		 v->run->exit_reason, reason);
}

bool serve_mmio(struct vcpu *v)
{
	struct vm *vm = v->vm;
	uint64_t off = v->run->mmio.phys_addr - GPA_MMIO;

	if (v->run->exit_reason != KVM_EXIT_MMIO || off >= sizeof(vm->mmio))
		return false;
	CHECK(v->run->mmio.len >= 1 && v->run->mmio.len <= 8 && off + v->run->mmio.len <= sizeof(vm->mmio));
	if (v->run->mmio.is_write)
		memcpy(vm->mmio + off, v->run->mmio.data, v->run->mmio.len);
	else
		memcpy(v->run->mmio.data, vm->mmio + off, v->run->mmio.len);
	return true;
}

void *expect_io(struct vcpu *v, int write, int size, uint16_t port)
{
	struct kvm_run *r = v->run;

	CHECK_EQ(r->exit_reason, KVM_EXIT_IO);
	CHECK_EQ(r->io.port, port);
	CHECK_EQ(r->io.direction, write ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN);
	CHECK_EQ(r->io.size, size);
	return io_data(v);
}

/* Run to the next exit that is not the MMIO device's. */
static void run_past_mmio(struct vcpu *v)
{
	do {
		int err = run_once(v);

		if (err)
			vmm_fail("KVM_RUN succeeds", __FILE__, __LINE__, "error %d", err);
	} while (serve_mmio(v));
	check_guest(v);
}

void run_sync(struct vcpu *v, uint32_t n)
{
	run_past_mmio(v);
	CHECK_EQ(*(uint32_t *)expect_io(v, 1, 4, PORT_SYNC), n);
}

void run_done(struct vcpu *v)
{
	run_past_mmio(v);
	expect_io(v, 1, 4, PORT_DONE);
}

static void *thread_main(void *arg)
{
	struct vcpu *v = arg;

	for (;;) {
		int err = run_once(v);

		/* A CPU that waits for its start-up IPI may say EAGAIN when it comes. */
		if (err == -EAGAIN || err == -EINTR)
			continue;
		if (err)
			vmm_fail("KVM_RUN succeeds", __FILE__, __LINE__, "error %d on vCPU %d", err, v->id);
		check_guest(v);
		if (serve_mmio(v))
			continue;
		CHECK_EQ(v->run->exit_reason, KVM_EXIT_IO);
		if (v->run->io.port == PORT_DONE)
			return NULL;
		CHECK_EQ(v->run->io.port, PORT_SYNC);
	}
}

void thread_start(struct vcpu *v)
{
	CHECK_EQ(pthread_create(&v->thread, NULL, thread_main, v), 0);
	v->threaded = true;
}

void thread_join(struct vcpu *v)
{
	CHECK(v->threaded);
	CHECK_EQ(pthread_join(v->thread, NULL), 0);
	v->threaded = false;
}

struct one_msr {
	struct kvm_msrs hdr;
	struct kvm_msr_entry e;
};

uint64_t get_msr(struct vcpu *v, uint32_t msr)
{
	struct one_msr m = { .hdr.nmsrs = 1, .e.index = msr };

	CHECK_EQ(ioctl(v->fd, KVM_GET_MSRS, &m), 1);
	return m.e.data;
}

void set_msr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	struct one_msr m = { .hdr.nmsrs = 1, .e = { .index = msr, .data = val } };

	CHECK_EQ(ioctl(v->fd, KVM_SET_MSRS, &m), 1);
}

int64_t stat_of(int fd, const char *name)
{
	struct kvm_stats_header h;
	char buf[sizeof(struct kvm_stats_desc) + 256];
	struct kvm_stats_desc *d = (struct kvm_stats_desc *)buf;
	int64_t val = -1;

	CHECK_EQ(pread(fd, &h, sizeof(h), 0), sizeof(h));
	CHECK(h.name_size && h.name_size < 256);
	for (uint32_t i = 0; i < h.num_desc; i++) {
		size_t size = sizeof(*d) + h.name_size;

		CHECK_EQ(pread(fd, buf, size, h.desc_offset + i * size), size);
		if (!strcmp(d->name, name))
			CHECK_EQ(pread(fd, &val, 8, h.data_offset + d->offset), 8);
	}
	return val;
}

void irq_line(struct vm *vm, uint32_t gsi, int level)
{
	struct kvm_irq_level l = { .irq = gsi, .level = level };

	CHECK_EQ(ioctl(vm->fd, KVM_IRQ_LINE, &l), 0);
}

int signal_msi(struct vm *vm, uint32_t addr, uint32_t data)
{
	struct kvm_msi m = { .address_lo = addr, .data = data };

	return ioctl(vm->fd, KVM_SIGNAL_MSI, &m);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

void wait_while(volatile uint64_t *p, uint64_t val)
{
	uint64_t end = now_ns() + 20000000000ull;

	while (*p == val && now_ns() < end)
		sleep_ms(1);
	CHECK(*p != val);
}

int cpus_usable(void)
{
	cpu_set_t set;

	CHECK_EQ(sched_getaffinity(getpid(), sizeof(set), &set), 0);
	return CPU_COUNT(&set);
}

void pin(int n)
{
	cpu_set_t all, one;

	CHECK_EQ(sched_getaffinity(getpid(), sizeof(all), &all), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || n--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
		return;
	}
	vmm_fail("enough CPUs", __FILE__, __LINE__, "for pin()");
}
