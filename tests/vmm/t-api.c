/* SPDX-License-Identifier: GPL-2.0-only */
/* The API itself: versions, capabilities, what callers' mistakes return. */
#include "test.h"

#include <cpuid.h>
#include <stdlib.h>

#define PAGE 4096

TEST(api, version)
{
	int fd;

	CHECK_EQ(ioctl(kvm_fd, KVM_GET_API_VERSION, 0), 12);
	CHECK_ERRNO(ioctl(kvm_fd, KVM_GET_API_VERSION, 1), EINVAL);
	CHECK(run_size >= 2 * PAGE && run_size % PAGE == 0);
	fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	CHECK(fd >= 0);
	close(fd);
}

/* What QEMU does not start without. */
TEST(api, caps)
{
	static const int caps[] = {
		KVM_CAP_USER_MEMORY, KVM_CAP_DESTROY_MEMORY_REGION_WORKS,
		KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, KVM_CAP_INTERNAL_ERROR_DATA, KVM_CAP_IOEVENTFD,
		KVM_CAP_IOEVENTFD_ANY_LENGTH, KVM_CAP_SET_TSS_ADDR, KVM_CAP_SET_IDENTITY_MAP_ADDR,
		KVM_CAP_EXT_CPUID, KVM_CAP_MP_STATE, KVM_CAP_SIGNAL_MSI, KVM_CAP_IRQ_ROUTING,
		KVM_CAP_IRQCHIP, KVM_CAP_IRQFD, KVM_CAP_DEBUGREGS, KVM_CAP_XSAVE, KVM_CAP_VCPU_EVENTS,
		KVM_CAP_X86_ROBUST_SINGLESTEP, KVM_CAP_MCE, KVM_CAP_ADJUST_CLOCK, KVM_CAP_PIT2,
		KVM_CAP_PIT_STATE2, KVM_CAP_IMMEDIATE_EXIT, KVM_CAP_NR_MEMSLOTS, KVM_CAP_MAX_VCPUS,
	};
	int fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

	CHECK(fd >= 0);
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		int sys = check_cap(kvm_fd, caps[i]), vm = check_cap(fd, caps[i]);

		if (sys <= 0 || vm <= 0)
			vmm_fail("capability", __FILE__, __LINE__, "%d: %d, VM %d", caps[i], sys, vm);
	}
	CHECK(check_cap(kvm_fd, KVM_CAP_MCE) >= 10);
	CHECK(check_cap(kvm_fd, KVM_CAP_IRQ_ROUTING) >= 64);
	CHECK(check_cap(kvm_fd, KVM_CAP_NR_MEMSLOTS) >= 32);
	CHECK(check_cap(kvm_fd, KVM_CAP_MAX_VCPUS) >= 2);
	CHECK(check_cap(kvm_fd, KVM_CAP_NR_VCPUS) >= 1);
	CHECK_EQ(check_cap(kvm_fd, 0x7fff), 0);
}

TEST(api, bad_ioctl)
{
	struct vm *vm = vm_new(G_script, 1, 0);

	CHECK_ERRNO(ioctl(kvm_fd, _IO(KVMIO, 0xfe), 0), EINVAL);
	CHECK_ERRNO(ioctl(vm->fd, _IO(KVMIO, 0xfe), 0), ENOTTY);
	CHECK_ERRNO(ioctl(vm->fd, KVM_CREATE_VM, 0), ENOTTY);
	CHECK_ERRNO(ioctl(vm->vcpu[0].fd, _IO(KVMIO, 0xfe), 0), EINVAL);
	CHECK_ERRNO(ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, NULL), EFAULT);
	CHECK_ERRNO(ioctl(vm->vcpu[0].fd, KVM_SET_REGS, NULL), EFAULT);
	CHECK_ERRNO(ioctl(vm->vcpu[0].fd, KVM_RUN, 1), EINVAL);
	CHECK_ERRNO(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0), EEXIST);
}

TEST(api, memslot_errors)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	uint8_t *m = mem_new(16 * PAGE);
	uint64_t at = 0x1000000;

	CHECK_EQ(vm_slot(vm, 2, at, 4 * PAGE, m, 0), 0);
	CHECK_EQ(vm_slot(vm, 3, at + 3 * PAGE, 4 * PAGE, m + 4 * PAGE, 0), -EEXIST);
	CHECK_EQ(vm_slot(vm, 3, at - PAGE, 2 * PAGE, m + 4 * PAGE, 0), -EEXIST);
	CHECK_EQ(vm_slot(vm, 3, at + 4 * PAGE + 1, PAGE, m, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 3, at + 4 * PAGE, PAGE + 1, m, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 3, at + 4 * PAGE, PAGE, m + 1, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 3, at + 4 * PAGE, PAGE, m, 0x80), -EINVAL);
	CHECK_EQ(vm_slot(vm, 3, -(uint64_t)PAGE, 2 * PAGE, m, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 3, at + 4 * PAGE, PAGE, (void *)0xffff888000000000, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 0x7fff, at + 4 * PAGE, PAGE, m, 0), -EINVAL);
	CHECK_EQ(vm_slot(vm, 3, at + 4 * PAGE, 0, NULL, 0), -EINVAL);	/* nothing there to delete */
	CHECK_EQ(vm_slot(vm, 2, at, 2 * PAGE, m, 0), -EINVAL);		/* a slot cannot shrink */
	CHECK_EQ(vm_slot(vm, 2, at, 4 * PAGE, m + PAGE, 0), -EINVAL);	/* nor change what backs it */
	CHECK_EQ(vm_slot(vm, 2, at, 0, NULL, 0), 0);
	CHECK_EQ(vm_slot(vm, 3, at + 3 * PAGE, 4 * PAGE, m, 0), 0);
	CHECK_EQ(vm_slot(vm, 2, at, 3 * PAGE, m, 0), 0);		/* touching is not overlapping */
}

/* Where local APICs have their page no memory goes. */
TEST(api, memslot_at_apic)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	uint8_t *m = mem_new(0x400000);
	const uint64_t at = 0xfee00000;

	if (!vm_slot(vm, 2, at, PAGE, m, 0))
		SKIP("its APICs have no page of memory");
	CHECK_EQ(vm_slot(vm, 2, at, PAGE, m, 0), -EEXIST);
	CHECK_EQ(vm_slot(vm, 2, at - 0x200000, 0x400000, m, 0), -EEXIST);
	CHECK_EQ(vm_slot(vm, 2, at + PAGE, PAGE, m, 0), 0);
	CHECK_EQ(vm_slot(vm, 3, at - PAGE, PAGE, m, 0), 0);
	CHECK_EQ(vm_slot(vm, 3, at, PAGE, m, 0), -EEXIST);		/* nor does a slot move there */

	vm = vm_new(G_script, 0, 0);
	CHECK_EQ(vm_slot(vm, 2, at, PAGE, m, 0), 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, 0), EEXIST);
	CHECK_EQ(vm_slot(vm, 2, at, 0, NULL, 0), 0);
	CHECK(ioctl(vm->fd, KVM_CREATE_VCPU, 0) >= 0);

	vm = vm_new(G_script, 1, VM_NO_IRQCHIP);
	CHECK_EQ(vm_slot(vm, 2, at, PAGE, m, 0), 0);
}

TEST(api, vcpu_errors)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	int max = check_cap(vm->fd, KVM_CAP_MAX_VCPU_ID);

	CHECK_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, 0), EEXIST);
	CHECK_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, max > 0 ? max : 1 << 20), EINVAL);
	CHECK_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, -1), EINVAL);
}

/* The ids of vCPUs end where the caller says, once. */
TEST(api, max_vcpu_id)
{
	struct vm *vm = vm_new(G_script, 0, 0);
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MAX_VCPU_ID, .args = { 1ull << 31 } };

	CHECK_EQ(check_cap(vm->fd, KVM_CAP_ENABLE_CAP_VM), 1);
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, NULL), EFAULT);
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 4;
	cap.flags = 1;
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.flags = 0;
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	cap.args[0] = 5;
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	CHECK_ERRNO(ioctl(vm->fd, KVM_CREATE_VCPU, 4), EINVAL);
	CHECK(ioctl(vm->fd, KVM_CREATE_VCPU, 3) >= 0);
	cap.cap = 0x7fff;
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	vm_free(vm);

	/* Not below the bootstrap processor's, nor the other way round. */
	vm = vm_new(G_script, 0, 0);
	cap.cap = KVM_CAP_MAX_VCPU_ID;
	cap.args[0] = 3;
	CHECK_EQ(ioctl(vm->fd, KVM_SET_BOOT_CPU_ID, 4), 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 4;
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_SET_BOOT_CPU_ID, 5), EINVAL);
}

/* A tick of the APIC timer's clock, before the first vCPU, with an APIC to come. */
TEST(api, apic_bus)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_APIC_BUS_CYCLES_NS, .args = { 10 } };
	struct vm *vm = vm_new(G_script, 0, VM_NO_IRQCHIP);

	CHECK_EQ(check_cap(vm->fd, KVM_CAP_X86_APIC_BUS_CYCLES_NS), 1);
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), ENXIO);
	vm_free(vm);
	vm = vm_new(G_script, 0, 0);
	cap.args[0] = 0;
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 33554433;				/* the longest count would not fit */
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 33554432;
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	CHECK(ioctl(vm->fd, KVM_CREATE_VCPU, 0) >= 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
}

TEST(api, set_msrs_count)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct { struct kvm_msrs h; struct kvm_msr_entry e[4]; } m = {
		.h.nmsrs = 4,
		.e = { { .index = 0x174, .data = 0x10 }, { .index = 0xc0000082, .data = 0x1234000 },
		       { .index = 0x1234, .data = 1 }, { .index = 0x175, .data = 0x99 } },
	};
	int fd = vm->vcpu[0].fd;

	CHECK_EQ(ioctl(fd, KVM_SET_MSRS, &m), 2);	/* stops at the unknown one */
	CHECK_EQ(get_msr(&vm->vcpu[0], 0x174), 0x10);
	CHECK_EQ(get_msr(&vm->vcpu[0], 0xc0000082), 0x1234000);
	CHECK_EQ(get_msr(&vm->vcpu[0], 0x175), 0);
	CHECK_EQ(ioctl(fd, KVM_GET_MSRS, &m), 2);
	m.h.nmsrs = 0;
	CHECK_EQ(ioctl(fd, KVM_SET_MSRS, &m), 0);
	m.h.nmsrs = 100000;
	CHECK_ERRNO(ioctl(fd, KVM_SET_MSRS, &m), E2BIG);
}

TEST(api, cpuid_count)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));
	const struct kvm_cpuid_entry2 *e;

	c->nent = 1;
	CHECK_ERRNO(ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, c), E2BIG);
	c->nent = CPUID_MAX;
	CHECK_EQ(ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, c), 0);
	CHECK(c->nent > 5 && c->nent < CPUID_MAX);
	e = cpuid_find(c, 0x40000000, 0);
	CHECK(e && e->ebx == 0x4b4d564b && e->ecx == 0x564b4d56 && e->edx == 0x4d);
	CHECK(cpuid_find(c, 0x40000001, 0));
	CHECK(cpuid_find(c, 0xd, 0));
	e = cpuid_find(c, 0x80000001, 0);
	CHECK(e && (e->edx >> 29 & 1));			/* long mode */
}

TEST(api, nr_mmu_pages)
{
	int fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

	if (check_cap(fd, KVM_CAP_MMU_SHADOW_CACHE_CONTROL) <= 0)
		SKIP("no limit of shadow pages");
	CHECK_ERRNO(ioctl(fd, KVM_SET_NR_MMU_PAGES, 63), EINVAL);
	CHECK_EQ(ioctl(fd, KVM_SET_NR_MMU_PAGES, 64), 0);
	CHECK_EQ(ioctl(fd, KVM_SET_NR_MMU_PAGES, 1 << 20), 0);
	close(fd);
}

/* What programs look for before they open /dev/kvm. */
static void pmu_filter(int fd, struct kvm_pmu_event_filter f, uint64_t event, int err)
{
	struct kvm_pmu_event_filter *p = calloc(1, sizeof(*p) + 301 * sizeof(event));

	CHECK(p);
	*p = f;
	p->events[f.nevents ? f.nevents - 1 : 0] = event;
	if (err)
		CHECK_ERRNO(ioctl(fd, KVM_SET_PMU_EVENT_FILTER, p), err);
	else
		CHECK_EQ(ioctl(fd, KVM_SET_PMU_EVENT_FILTER, p), 0);
	free(p);
}

#define FILTER(...) ((struct kvm_pmu_event_filter){ __VA_ARGS__ })

TEST(api, pmu_filter)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	uint64_t event = KVM_PMU_ENCODE_MASKED_ENTRY(0xc0, 0xff, 1, 1), reserved = 1ull << 36;
	uint32_t masked = KVM_PMU_EVENT_FLAG_MASKED_EVENTS, a, b, c, d;

	CHECK(__get_cpuid(0, &a, &b, &c, &d));
	if (check_cap(vm->fd, KVM_CAP_PMU_EVENT_MASKED_EVENTS) <= 0)
		SKIP("no KVM_CAP_PMU_EVENT_MASKED_EVENTS");
	pmu_filter(vm->fd, FILTER(.action = KVM_PMU_EVENT_DENY), 0, 0);
	pmu_filter(vm->fd, FILTER(.action = 2), 0, EINVAL);
	pmu_filter(vm->fd, FILTER(.flags = 2), 0, EINVAL);
	pmu_filter(vm->fd, FILTER(.nevents = 300), 0xc0, 0);
	pmu_filter(vm->fd, FILTER(.nevents = 301), 0xc0, E2BIG);
	pmu_filter(vm->fd, FILTER(.nevents = 1), reserved, 0);
	pmu_filter(vm->fd, FILTER(.flags = masked, .nevents = 3), event, 0);
	pmu_filter(vm->fd, FILTER(.flags = masked, .nevents = 3), reserved, EINVAL);
	pmu_filter(vm->fd, FILTER(.flags = masked, .nevents = 1), 1ull << 32,
		   b == signature_AMD_ebx ? 0 : EINVAL);
}

TEST(api, cpuid_bit)
{
	uint32_t a, b, c, d;
	bool vmx, svm;

	__cpuid(1, a, b, c, d);
	vmx = c >> 5 & 1;
	__cpuid(0x80000001, a, b, c, d);
	svm = c >> 2 & 1;
	CHECK_EQ(vmx + svm, 1);
}

/* The table that is read back has what follows from the vCPU's state. */
TEST(api, cpuid_of_state)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));
	struct vm *vm = vm_new(G_script, 1, 0);
	const struct kvm_cpuid_entry2 *e;
	struct kvm_xcrs x = { .nr_xcrs = 1, .xcrs[0].value = 1 };

	c->nent = CPUID_MAX;
	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_GET_CPUID2, c), 0);
	e = cpuid_find(c, 0xd, 0);
	CHECK(e && e->ebx == 576);
	e = cpuid_find(c, 1, 0);
	CHECK(e && !(e->ecx >> 27 & 1));		/* OSXSAVE */
	x.xcrs[0].value = 7;
	if (ioctl(vm->vcpu[0].fd, KVM_SET_XCRS, &x))
		SKIP("no AVX");
	c->nent = CPUID_MAX;
	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_GET_CPUID2, c), 0);
	e = cpuid_find(c, 0xd, 0);
	CHECK(e && e->ebx == 832);
}

TEST(api, cpuid_stands)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	c->nent = CPUID_MAX;
	CHECK_EQ(ioctl(v->fd, KVM_GET_CPUID2, c), 0);
	c->entries[0].eax--;
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, c), 0);
	c->entries[0].eax++;
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, c), 0);
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, c), 0);
	c->entries[0].eax--;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_CPUID2, c), EINVAL);
	c->entries[0].eax++;
	c->nent--;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_CPUID2, c), EINVAL);
}

/* The first form of a table, without indices, is the second form with index 0. */
TEST(api, cpuid_first_form)
{
	struct { struct kvm_cpuid h; struct kvm_cpuid_entry e[2]; } first = {
		.h.nent = 2,
		.e = {
			{ .function = 0, .eax = 5, .ebx = 1, .ecx = 2, .edx = 3 },
			{ .function = 0x80000000, .eax = 0x80000008, .edx = 4 },
		},
	};
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID, &first), 0);
	c->nent = CPUID_MAX;
	CHECK_EQ(ioctl(v->fd, KVM_GET_CPUID2, c), 0);
	CHECK_EQ(c->nent, 2);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(c->entries[i].function, first.e[i].function);
		CHECK_EQ(c->entries[i].index, 0);
		CHECK_EQ(c->entries[i].flags, 0);
		CHECK_EQ(c->entries[i].eax, first.e[i].eax);
		CHECK_EQ(c->entries[i].edx, first.e[i].edx);
	}
	first.h.nent = 100000;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_CPUID, &first), E2BIG);
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_CPUID, NULL), EFAULT);
}

/* What a VMM saves, it can read, also of a vCPU without machine checks. */
TEST(api, mcg_ctl)
{
	struct { struct kvm_msrs h; struct kvm_msr_entry e; } m = { .h.nmsrs = 1, .e.index = 0x17b };
	struct vm *vm = vm_new(G_script, 1, 0);

	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_GET_MSRS, &m), 1);
	CHECK_EQ(m.e.data, 0);
	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_SET_MSRS, &m), 1);
	m.e.data = 1;
	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_SET_MSRS, &m), 0);
}

/* What is listed can be read and, its own value, be written. */
TEST(api, msr_list)
{
	struct kvm_msr_list *l = calloc(1, sizeof(*l) + 1024 * sizeof(l->indices[0]));
	struct vm *vm = vm_new(G_script, 1, 0);
	bool star = false;

	CHECK_ERRNO(ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, l), E2BIG);
	CHECK(l->nmsrs > 5 && l->nmsrs < 1024);
	CHECK_EQ(ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, l), 0);
	for (uint32_t i = 0; i < l->nmsrs; i++) {
		struct { struct kvm_msrs h; struct kvm_msr_entry e; } m = {
			.h.nmsrs = 1, .e.index = l->indices[i] };

		star |= l->indices[i] == 0xc0000081;
		/* Some depend on what CPUID offers: what can be read can be written back. */
		if (ioctl(vm->vcpu[0].fd, KVM_GET_MSRS, &m) != 1)
			continue;
		if (ioctl(vm->vcpu[0].fd, KVM_SET_MSRS, &m) != 1)
			vmm_fail("listed MSR takes its own value", __FILE__, __LINE__, "0x%x = 0x%llx",
				 l->indices[i], m.e.data);
	}
	CHECK(star);
}

/* vCPUs live on when the VM's descriptor is closed. */
TEST(api, vcpu_outlives_vm_fd)
{
	struct vm *vm = vm_new(G_script, 1, 0);

	op_add(vm, OP_OUT, 1, PORT_TEST, 0x42);
	CHECK_EQ(close(vm->fd), 0);
	run_exit(&vm->vcpu[0], KVM_EXIT_IO);
	CHECK_EQ(*(uint8_t *)expect_io(&vm->vcpu[0], 1, 1, PORT_TEST), 0x42);
	run_done(&vm->vcpu[0]);
}

TEST(api, vcpu_mmap)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct kvm_run *again;

	op_add(vm, OP_OUT, 1, PORT_TEST, 0x42);
	again = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu[0].fd, 0);
	CHECK(again != MAP_FAILED);
	run_exit(&vm->vcpu[0], KVM_EXIT_IO);
	CHECK_EQ(again->exit_reason, KVM_EXIT_IO);
	CHECK_EQ(again->io.port, PORT_TEST);
	CHECK(again->io.data_offset >= sizeof(struct kvm_run) && again->io.data_offset < (uint64_t)run_size);
	CHECK_EQ(((uint8_t *)again)[again->io.data_offset], 0x42);
}

/* Many VMs, made and thrown away: nothing may leak or linger. */
TEST_LIMIT(api, many_vms, 60)
{
	for (int i = 0; i < 50; i++) {
		struct vm *vm = vm_new(G_script, 2, i % 2 ? VM_PIT : 0);

		op_add(vm, OP_OUT, 4, PORT_TEST, i);
		run_exit(&vm->vcpu[0], KVM_EXIT_IO);
		CHECK_EQ(*(uint32_t *)expect_io(&vm->vcpu[0], 1, 4, PORT_TEST), i);
		vm_free(vm);
	}
}

/* Counters grow by what the guest does, and can be read while and after it lives. */
TEST(api, stats)
{
	struct vm *vm;
	struct vcpu *v;
	int64_t io, mmio, halts;
	int fd, of_vm;

	if (check_cap(kvm_fd, KVM_CAP_BINARY_STATS_FD) <= 0)
		SKIP("no statistics");
	vm = vm_new(G_script, 1, 0);
	v = &vm->vcpu[0];
	fd = ioctl(v->fd, KVM_GET_STATS_FD);
	of_vm = ioctl(vm->fd, KVM_GET_STATS_FD);
	CHECK(fd >= 0 && of_vm >= 0);
	for (int i = 0; i < 10; i++)
		op_add(vm, OP_WRITE, 8, GPA_MMIO, i);
	op_add(vm, OP_SYNC, 0, 1, 0);
	io = stat_of(fd, "io_exits");
	mmio = stat_of(fd, "mmio_exits");
	halts = stat_of(fd, "halt_exits");
	CHECK(io >= 0 && mmio >= 0 && halts >= 0);
	run_sync(v, 1);
	CHECK(stat_of(fd, "io_exits") > io);
	CHECK(stat_of(fd, "mmio_exits") >= mmio + 10);
	CHECK_EQ(stat_of(fd, "halt_exits"), halts);
	CHECK_EQ(stat_of(fd, "no such thing"), -1);
	run_done(v);
	vm_free(vm);
	CHECK(stat_of(fd, "io_exits") > io);
	CHECK(pread(of_vm, &io, 8, 1 << 20) == 0);
	CHECK_EQ(close(fd), 0);
	CHECK_EQ(close(of_vm), 0);
}
