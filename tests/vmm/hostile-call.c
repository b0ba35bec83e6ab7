/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-hostile user: one call at a time on any file of KVM's that the process has, with
 * arguments that look right more often than not.  Several threads are in here at once, and what
 * they know of each other's files is mostly right only.
 */
#include "hostile.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#define FILES		48
#define ROOM		(4 * 4096)

enum kind { NONE, SYSTEM, VM, VCPU, DEVICE, STATS, MEMFD, EVENT, BEDPLATE };

static struct file {
	int fd;
	enum kind kind;
	struct kvm_run *run;		/* of a vCPU */
} files[FILES];

static uint64_t *calls;
static __thread uint8_t *buffer;
static __thread struct file *it;	/* the file that the call is about */

static struct file *any_file(enum kind kind)
{
	struct file *f = &files[below(FILES)];

	for (int i = 0; i < FILES; i++) {
		if (__atomic_load_n(&f->kind, __ATOMIC_RELAXED) == kind)
			return f;
		f = f == files + FILES - 1 ? files : f + 1;
	}
	return NULL;
}

static int fd_of(enum kind kind)
{
	struct file *f = any_file(once_in(40) ? 1 + below(BEDPLATE) : kind);

	return f ? f->fd : -1;
}

/* In a free place, or in that of another, which is closed. */
static void file_add(int fd, enum kind kind, struct kvm_run *run)
{
	struct file *f = any_file(NONE);

	if (fd < 0)
		return;
	while (!f || f == files)
		f = &files[1 + below(FILES - 1)];
	if (f->kind)
		close(f->fd);
	*f = (struct file){ fd, kind, run };
}

static long call(unsigned long cmd, const void *arg)
{
	__atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
	/* Now and then another ioctl, or nothing there. */
	if (once_in(60))
		cmd = _IOC(below(4), KVMIO, below(256), once_in(2) ? _IOC_SIZE(cmd) : below(0x4000));
	if (once_in(60))
		arg = once_in(2) ? (void *)rnd_value() : (uint8_t *)arg + (once_in(2) ? 1 : 4092);
	return ioctl(it->fd, cmd, arg);
}

static long value(unsigned long cmd, uint64_t val)
{
	return call(cmd, (void *)val);
}

static void mutate(void *at, size_t len)
{
	for (uint64_t n = below(4); n; n--) {
		size_t i = below(len);

		switch (below(3)) {
		case 0: ((uint8_t *)at)[i] ^= 1 << below(8); break;
		case 1: ((uint8_t *)at)[i] = rnd(); break;
		default: ((uint64_t *)at)[i / 8] = rnd_value(); break;
		}
	}
}

/* ---- files are made and go ---- */

static void vm_make(void)
{
	it = files;
	file_add(value(KVM_CREATE_VM, once_in(12) ? below(3) : 0), VM, NULL);
}

static void vcpu_make(void)
{
	int fd = value(KVM_CREATE_VCPU, once_in(10) ? rnd_value() : below(4));
	struct kvm_run *run = fd < 0 ? NULL : mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct kvm_cpuid2 *c = (void *)buffer;

	file_add(fd, VCPU, run == MAP_FAILED ? NULL : run);
	if (fd < 0 || once_in(4))
		return;
	c->nent = 200;
	if (!ioctl(files[0].fd, KVM_GET_SUPPORTED_CPUID, c))
		ioctl(fd, KVM_SET_CPUID2, c);
}

static void device_make(void)
{
	struct kvm_create_device d = { .type = once_in(3) ? below(16) : KVM_DEV_TYPE_VFIO, .flags = below(2) };

	if (!call(KVM_CREATE_DEVICE, &d) && !(d.flags & 1))
		file_add(d.fd, DEVICE, NULL);
}

static void stats_make(void)
{
	file_add(call(KVM_GET_STATS_FD, NULL), STATS, NULL);
}

static void memfd_make(void)
{
	struct kvm_create_guest_memfd m = { .size = once_in(6) ? rnd_value() : 0x1000ull << below(11) };

	file_add(call(KVM_CREATE_GUEST_MEMFD, &m), MEMFD, NULL);
}

static void file_close(void)
{
	struct file *f = &files[1 + below(FILES - 1)];
	int fd = f->fd;

	if (!f->kind)
		return;
	if (f->run && once_in(2))
		munmap(f->run, once_in(4) ? 4096 : run_size);
	f->kind = NONE;
	close(fd);
}

static void file_other(void)
{
	static const int prots[] = { PROT_READ, PROT_READ | PROT_WRITE, PROT_EXEC | PROT_READ, PROT_NONE };
	struct file *f = &files[below(FILES)];
	struct iovec v = { (void *)(USER_MEM + below(USER_MEM_SIZE)), below(8192) };
	void *p;

	if (!f->kind)
		return;
	switch (below(6)) {
	case 0:
		/* The page of a run, of a ring, or none: also as a guest's memory. */
		p = mmap(once_in(2) ? (void *)(USER_MEM + (below(USER_MEM_SIZE) & ~4095ul)) : NULL,
			 4096 << below(4), prots[below(4)], (once_in(2) ? MAP_SHARED : MAP_PRIVATE) |
			 (once_in(2) ? MAP_POPULATE : 0), f->fd, once_in(2) ? 0 : 4096 * below(200));
		if (p != MAP_FAILED && once_in(2))
			munmap(p, 4096 << below(4));
		break;
	case 1: file_add(dup(f->fd), f->kind, f->run); break;
	case 2: if (f->kind != EVENT) readv(f->fd, &v, 1); break;
	case 3: if (f->kind != EVENT) pread(f->fd, v.iov_base, v.iov_len, rnd_value()); break;
	case 4: fallocate(f->fd, below(4), below(0x400000) & ~4095ul, (below(0x100000) & ~4095ul) + 4096); break;
	case 5: if (f->kind != EVENT) pwrite(f->fd, v.iov_base, v.iov_len, below(8192)); break;
	}
}

/* ---- a VM ---- */

static void slot_set(void)
{
	struct kvm_userspace_memory_region2 r = {
		.slot = once_in(10) ? rnd_value() : below(4) | (once_in(6) ? 0x10000 : 0),
		.flags = once_in(3) ? below(4) : 0,
		.guest_phys_addr = (once_in(8) ? rnd_value() : below(16) << 21) & ~(once_in(20) ? 0 : 4095ull),
		.memory_size = once_in(8) ? (below(2) ? rnd_value() : 0) : 4096ull << below(12),
		.userspace_addr = once_in(12) ? rnd_value() : USER_MEM + (below(USER_MEM_SIZE) & ~4095ull),
	};

	if (once_in(6)) {
		r.flags |= KVM_MEM_GUEST_MEMFD;
		r.guest_memfd = fd_of(MEMFD);
		r.guest_memfd_offset = once_in(3) ? rnd_value() & ~4095ull : 0;
	}
	call(once_in(2) || r.flags & KVM_MEM_GUEST_MEMFD ? KVM_SET_USER_MEMORY_REGION2 : KVM_SET_USER_MEMORY_REGION,
	     &r);
}

/* What most VMs have at first. */
static void slot_plain(void)
{
	struct kvm_userspace_memory_region r = { 0, 0, 0, 0x200000, USER_MEM };

	call(KVM_SET_USER_MEMORY_REGION, &r);
}

static void dirty_log(void)
{
	struct kvm_dirty_log get = { .slot = below(5), .dirty_bitmap = buffer };
	struct kvm_clear_dirty_log clear = {
		.slot = below(5), .num_pages = below(2) ? 64 * below(64) : rnd_value(),
		.first_page = 64 * below(8), .dirty_bitmap = buffer,
	};

	if (once_in(2))
		call(KVM_GET_DIRTY_LOG, &get);
	else
		call(KVM_CLEAR_DIRTY_LOG, &clear);
}

static void attributes_set(void)
{
	struct kvm_memory_attributes a = {
		.address = below(2048) << 12, .size = (1 + below(600)) << 12,
		.attributes = once_in(4) ? rnd_value() : below(2) << 3,
	};

	call(KVM_SET_MEMORY_ATTRIBUTES, &a);
}

static void chips_make(void)
{
	struct kvm_pit_config pit = { .flags = below(2) };
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { once_in(4) ? rnd_value() : 24 } };

	switch (below(3)) {
	case 0: call(KVM_CREATE_PIT2, &pit); break;
	case 1: call(KVM_ENABLE_CAP, &split); break;
	default: value(KVM_CREATE_IRQCHIP, 0); break;
	}
}

static void cap_enable(void)
{
	static const uint16_t caps[] = {
		KVM_CAP_SPLIT_IRQCHIP, KVM_CAP_X2APIC_API, KVM_CAP_X86_DISABLE_EXITS, KVM_CAP_EXCEPTION_PAYLOAD,
		KVM_CAP_X86_USER_SPACE_MSR, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, KVM_CAP_DIRTY_LOG_RING,
		KVM_CAP_DIRTY_LOG_RING_ACQ_REL, KVM_CAP_HYPERV_SYNIC, KVM_CAP_HYPERV_SYNIC2, KVM_CAP_MAX_VCPU_ID,
		KVM_CAP_EXIT_HYPERCALL, KVM_CAP_HYPERV_ENFORCE_CPUID, KVM_CAP_ENFORCE_PV_FEATURE_CPUID,
		KVM_CAP_DISABLE_QUIRKS2, KVM_CAP_X86_TRIPLE_FAULT_EVENT, KVM_CAP_MSR_PLATFORM_INFO,
		KVM_CAP_X86_BUS_LOCK_EXIT, KVM_CAP_PMU_CAPABILITY, KVM_CAP_X86_APIC_BUS_CYCLES_NS,
		KVM_CAP_EXIT_ON_EMULATION_FAILURE, KVM_CAP_VM_DISABLE_NX_HUGE_PAGES, KVM_CAP_X86_NOTIFY_VMEXIT,
	};
	struct kvm_enable_cap c = {
		.cap = once_in(10) ? below(256) : caps[below(sizeof(caps) / sizeof(caps[0]))],
		.flags = once_in(20) ? rnd_value() : 0, .args = { once_in(3) ? rnd_value() : below(0x2000) },
	};

	if (once_in(3))
		c.args[0] = 4096;
	call(KVM_ENABLE_CAP, &c);
}

static void irq_send(void)
{
	struct kvm_irq_level l = { .irq = once_in(10) ? rnd_value() : below(26), .level = below(2) };
	struct kvm_msi m = {
		.address_lo = 0xfee00000 | below(8) << 12 | below(4) << 2, .address_hi = once_in(8) ? rnd() : 0,
		.data = once_in(4) ? rnd() : below(0x800), .flags = once_in(20) ? rnd() : 0,
	};

	if (once_in(2))
		call(once_in(2) ? KVM_IRQ_LINE : KVM_IRQ_LINE_STATUS, &l);
	else
		call(KVM_SIGNAL_MSI, &m);
}

static void routing_set(void)
{
	struct kvm_irq_routing *r = (void *)buffer;

	memset(r, 0, sizeof(*r));
	r->nr = once_in(10) ? rnd_value() : below(60);
	for (unsigned int i = 0; i < 64; i++) {
		struct kvm_irq_routing_entry *e = &r->entries[i];

		*e = (struct kvm_irq_routing_entry){
			.gsi = once_in(8) ? rnd_value() : below(40), .type = 1 + below(once_in(8) ? 6 : 2),
		};
		if (e->type == KVM_IRQ_ROUTING_IRQCHIP) {
			e->u.irqchip.irqchip = below(once_in(8) ? 5 : 3);
			e->u.irqchip.pin = below(once_in(8) ? 30 : 8);
		} else {
			e->u.msi.address_lo = 0xfee00000 | below(8) << 12;
			e->u.msi.data = rnd();
		}
	}
	call(KVM_SET_GSI_ROUTING, r);
}

static void eventfds(void)
{
	struct kvm_irqfd irq = {
		.fd = fd_of(EVENT), .gsi = below(once_in(6) ? 2000 : 30), .flags = once_in(3) ? below(4) : 0,
		.resamplefd = fd_of(EVENT),
	};
	struct kvm_ioeventfd io = {
		.fd = fd_of(EVENT), .addr = once_in(4) ? rnd_value() : below(0x1000), .len = below(10),
		.datamatch = below(3), .flags = below(once_in(4) ? 16 : 8),
	};
	struct kvm_hyperv_eventfd hv = { below(40), fd_of(EVENT), below(2), { 0 } };
	struct kvm_coalesced_mmio_zone z = { below(1 << 24), 1 + below(8192), { below(2) } };
	uint64_t one = 1;

	switch (below(6)) {
	case 0: call(KVM_IRQFD, &irq); break;
	case 1: call(KVM_IOEVENTFD, &io); break;
	case 2: call(KVM_HYPERV_EVENTFD, &hv); break;
	case 3: call(KVM_REGISTER_COALESCED_MMIO, &z); break;
	case 4: call(KVM_UNREGISTER_COALESCED_MMIO, &z); break;
	default: write(irq.fd, &one, sizeof(one)); break;
	}
}

static void filters_set(void)
{
	struct kvm_msr_filter f = { .flags = below(2) };
	struct { struct kvm_pmu_event_filter f; uint64_t e[16]; } p = {
		.f = { .action = below(3), .nevents = below(20), .flags = below(3) },
	};

	for (uint64_t n = below(5); n--;)
		f.ranges[n] = (struct kvm_msr_filter_range){
			1 + below(3), once_in(6) ? rnd_value() : 1 + below(512),
			once_in(2) ? 0xc0000080 : rnd_value(), buffer };
	call(once_in(5) ? KVM_SET_PMU_EVENT_FILTER : KVM_X86_SET_MSR_FILTER, once_in(5) ? (void *)&p : &f);
}

static void vm_values(void)
{
	static const unsigned long cmds[] = {
		KVM_SET_TSS_ADDR, KVM_SET_BOOT_CPU_ID, KVM_SET_NR_MMU_PAGES, KVM_SET_TSC_KHZ, KVM_GET_TSC_KHZ,
		KVM_RESET_DIRTY_RINGS, KVM_CHECK_EXTENSION, KVM_CREATE_PIT, KVM_SET_IDENTITY_MAP_ADDR,
		KVM_REINJECT_CONTROL,
	};

	value(cmds[below(sizeof(cmds) / sizeof(cmds[0]))], once_in(2) ? (uintptr_t)buffer : rnd_value());
}

/* GET, change some of it, SET. */
struct pair {
	unsigned long get, set;
	size_t len;
};

/* TR stays a TSS, for what is none ends TCG (docs/testbed.md). */
static void keep_tss(unsigned long cmd, void *arg)
{
	struct kvm_segment *tr = &((struct kvm_sregs *)arg)->tr;

	if (cmd != KVM_SET_SREGS && cmd != KVM_SET_SREGS2)
		return;
	tr->type = 11;
	tr->s = 0;
	tr->present = 1;
}

static void pair_do(const struct pair *p, bool keep)
{
	if (!keep)
		memset(buffer, 0, 64);
	call(p->get, buffer);
	mutate(buffer, p->len);
	keep_tss(p->set, buffer);
	if (!once_in(4))
		call(p->set, buffer);
}

static void vm_state(void)
{
	static const struct pair pairs[] = {
		{ KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, sizeof(struct kvm_irqchip) },
		{ KVM_GET_PIT, KVM_SET_PIT, sizeof(struct kvm_pit_state) },
		{ KVM_GET_PIT2, KVM_SET_PIT2, sizeof(struct kvm_pit_state2) },
		{ KVM_GET_CLOCK, KVM_SET_CLOCK, sizeof(struct kvm_clock_data) },
	};

	*(uint32_t *)buffer = below(4);		/* which chip */
	pair_do(&pairs[below(4)], true);
}

/* ---- a vCPU ---- */

static void vcpu_state(void)
{
	static const struct pair pairs[] = {
		{ KVM_GET_REGS, KVM_SET_REGS, sizeof(struct kvm_regs) },
		{ KVM_GET_SREGS, KVM_SET_SREGS, sizeof(struct kvm_sregs) },
		{ KVM_GET_SREGS2, KVM_SET_SREGS2, sizeof(struct kvm_sregs2) },
		{ KVM_GET_FPU, KVM_SET_FPU, sizeof(struct kvm_fpu) },
		{ KVM_GET_XSAVE, KVM_SET_XSAVE, sizeof(struct kvm_xsave) },
		{ KVM_GET_XSAVE2, KVM_SET_XSAVE, sizeof(struct kvm_xsave) },
		{ KVM_GET_XCRS, KVM_SET_XCRS, 32 },
		{ KVM_GET_LAPIC, KVM_SET_LAPIC, sizeof(struct kvm_lapic_state) },
		{ KVM_GET_MP_STATE, KVM_SET_MP_STATE, sizeof(struct kvm_mp_state) },
		{ KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, sizeof(struct kvm_vcpu_events) },
		{ KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, 64 },
		{ KVM_GET_MSRS, KVM_SET_MSRS, 512 },
		{ KVM_GET_CPUID2, KVM_SET_CPUID2, 1024 },
	};
	const struct pair *p = &pairs[below(sizeof(pairs) / sizeof(pairs[0]))];
	struct kvm_msrs *m = (void *)buffer;

	if (p->get == KVM_GET_CPUID2)
		((struct kvm_cpuid2 *)buffer)->nent = once_in(6) ? rnd() : 200;
	if (p->get == KVM_GET_MSRS) {
		static const uint32_t first[] = {
			0x10, 0x1b, 0x38, 0x174, 0x1a0, 0x200, 0x277, 0x400, 0x6e0, 0x800, 0xda0, 0xc0000080,
			0xc0000100, 0x4b564d00, 0x40000000, 0x40000070, 0x400000b0,
		};

		m->nmsrs = once_in(8) ? rnd_value() : 1 + below(16);
		for (int i = 0; i < 16; i++)
			m->entries[i].index = first[below(sizeof(first) / 4)] + below(8);
	}
	pair_do(p, p->get == KVM_GET_CPUID2 || p->get == KVM_GET_MSRS);
}

static void vcpu_plain(void)
{
	struct kvm_sregs s;
	struct kvm_regs r = { .rip = below(0x40000), .rsp = 0x8000, .rflags = 2 | below(2) << 9 };
	struct kvm_mp_state m = { KVM_MP_STATE_RUNNABLE };

	if (call(KVM_GET_SREGS, &s) < 0)
		return;
	s.cs.base = 0;
	s.cs.selector = 0;
	call(KVM_SET_SREGS, &s);
	call(KVM_SET_REGS, &r);
	call(KVM_SET_MP_STATE, &m);
}

static void vcpu_run(void)
{
	struct kvm_run *run = it->run;

	/* It may be unmapped by now, so nothing is read or written there directly. */
	if (run && once_in(3)) {
		struct iovec from = { buffer, 8 * (1 + below(32)) };
		struct iovec to = { (uint8_t *)run + below(run_size - 256), from.iov_len };

		mutate(buffer, from.iov_len);
		if (once_in(2))
			to.iov_base = run;
		process_vm_writev(getpid(), &from, 1, &to, 1, 0);
	}
	for (uint64_t n = 1 + below(6); n && !value(KVM_RUN, once_in(40) ? rnd_value() : 0); n--)
		;
}

static void vcpu_other(void)
{
	static const unsigned long cmds[] = {
		KVM_NMI, KVM_SMI, KVM_KVMCLOCK_CTRL, KVM_SET_TSC_KHZ, KVM_GET_TSC_KHZ, KVM_TRANSLATE, KVM_INTERRUPT,
		KVM_SET_SIGNAL_MASK, KVM_SET_VAPIC_ADDR, KVM_TPR_ACCESS_REPORTING, KVM_X86_SETUP_MCE, KVM_X86_SET_MCE,
		KVM_SET_GUEST_DEBUG, KVM_ENABLE_CAP, KVM_PRE_FAULT_MEMORY, KVM_GET_SUPPORTED_HV_CPUID, KVM_SET_CPUID,
		KVM_GET_NESTED_STATE, KVM_SET_NESTED_STATE,
	};
	struct kvm_pre_fault_memory p = { below(1024) << 12, (1 + below(600)) << 12, 0, { 0 } };
	struct kvm_guest_debug d = { .control = once_in(4) ? rnd() : below(4) | below(4) << 16 };
	struct kvm_interrupt i = { once_in(8) ? rnd() : below(256) };
	unsigned long cmd = cmds[below(sizeof(cmds) / sizeof(cmds[0]))];

	memset(buffer, 0, 256);
	mutate(buffer, 64);
	/* What it blocks while the CPU runs: not the signal that ends every wait. */
	if (cmd == KVM_SET_SIGNAL_MASK) {
		*(uint32_t *)buffer = once_in(4) ? rnd() : 8;
		buffer[4 + (SIGALRM - 1) / 8] &= ~(1 << (SIGALRM - 1) % 8);
	}
	switch (cmd) {
	case KVM_PRE_FAULT_MEMORY: call(cmd, &p); break;
	case KVM_SET_GUEST_DEBUG: call(cmd, &d); break;
	case KVM_INTERRUPT: call(cmd, &i); break;
	default: value(cmd, once_in(8) ? rnd_value() : (uintptr_t)buffer); break;
	}
}

/* ---- the others ---- */

static void system_call(void)
{
	static const unsigned long cmds[] = {
		KVM_GET_API_VERSION, KVM_CHECK_EXTENSION, KVM_GET_VCPU_MMAP_SIZE, KVM_GET_MSR_INDEX_LIST,
		KVM_GET_SUPPORTED_CPUID, KVM_GET_MSR_FEATURE_INDEX_LIST, KVM_GET_MSRS, KVM_GET_EMULATED_CPUID,
		KVM_GET_SUPPORTED_HV_CPUID, KVM_X86_GET_MCE_CAP_SUPPORTED,
	};

	*(uint32_t *)buffer = once_in(3) ? rnd_value() : 200;
	value(cmds[below(sizeof(cmds) / sizeof(cmds[0]))], once_in(3) ? rnd_value() : (uintptr_t)buffer);
}

static void attr_call(void)
{
	static const unsigned long cmds[] = { KVM_SET_DEVICE_ATTR, KVM_GET_DEVICE_ATTR, KVM_HAS_DEVICE_ATTR };
	struct kvm_device_attr a = {
		.group = below(4), .attr = below(5), .addr = once_in(4) ? rnd_value() : (uintptr_t)buffer,
	};

	if (once_in(2))
		*(int32_t *)buffer = fd_of(1 + below(BEDPLATE));
	else
		*(uint64_t *)buffer = rnd_value();
	call(cmds[below(3)], &a);
}

static const struct op {
	enum kind kind;
	int weight;
	void (*call)(void);
} ops[] = {
	{ SYSTEM, 2, vm_make }, { SYSTEM, 2, system_call }, { SYSTEM, 1, attr_call },
	{ VM, 6, vcpu_make }, { VM, 2, device_make }, { VM, 2, stats_make }, { VM, 2, memfd_make },
	{ VM, 6, slot_set }, { VM, 4, slot_plain }, { VM, 4, dirty_log }, { VM, 3, attributes_set },
	{ VM, 6, chips_make }, { VM, 4, cap_enable }, { VM, 8, irq_send }, { VM, 2, routing_set }, { VM, 10, eventfds },
	{ VM, 2, filters_set }, { VM, 3, vm_values }, { VM, 4, vm_state }, { VM, 1, attr_call },
	{ VCPU, 20, vcpu_state }, { VCPU, 4, vcpu_plain }, { VCPU, 14, vcpu_run }, { VCPU, 12, vcpu_other },
	{ VCPU, 2, attr_call }, { VCPU, 2, cap_enable }, { VCPU, 1, stats_make },
	{ DEVICE, 3, attr_call }, { SYSTEM, 4, file_close }, { SYSTEM, 8, file_other },
};

void user_init(uint64_t *count)
{
	static const char *const others[] = { "/dev/bedplate", "/proc/bedplate", "/sys/kernel/bedplate/stats" };

	calls = count;
	files[0] = (struct file){ open("/dev/kvm", O_RDWR | O_CLOEXEC), SYSTEM, NULL };
	if (files[0].fd < 0)
		exit(2);
	run_size = ioctl(files[0].fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	for (int i = 0; i < 3; i++)
		file_add(open(others[i], O_RDONLY | O_CLOEXEC), BEDPLATE, NULL);
	for (int i = 0; i < 4; i++)
		file_add(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), EVENT, NULL);
}

void user_call(void)
{
	const struct op *op = ops;
	int all = 0, at;

	if (!buffer)
		buffer = mem_new(ROOM);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		all += ops[i].weight;
	for (at = below(all); at >= op->weight; op++)
		at -= op->weight;
	it = any_file(once_in(50) ? 1 + below(BEDPLATE) : op->kind);
	if (it)
		op->call();
}
