/* SPDX-License-Identifier: GPL-2.0-only */
/* Xen's interface for guests, by the numbers of its public headers. */
#include "late.h"
#include "xen.h"

#include <sys/eventfd.h>

#define PRIO	KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL
#define GSI	40
#define PAGE	4096
#define LATER	1000000000000ull	/* ns; the guest is done long before */
#define FEATURES (KVM_XEN_HVM_CONFIG_HYPERCALL_MSR | KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL |	\
		  KVM_XEN_HVM_CONFIG_SHARED_INFO | KVM_XEN_HVM_CONFIG_RUNSTATE |		\
		  KVM_XEN_HVM_CONFIG_EVTCHN_2LEVEL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND |		\
		  KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG | KVM_XEN_HVM_CONFIG_SHARED_INFO_HVA |	\
		  KVM_XEN_HVM_CONFIG_PVCLOCK_TSC_UNSTABLE)

static int vm_set(struct vm *vm, struct kvm_xen_hvm_attr a)
{
	return ioctl(vm->fd, KVM_XEN_HVM_SET_ATTR, &a);
}

static struct kvm_xen_hvm_attr vm_get(struct vm *vm, int type)
{
	struct kvm_xen_hvm_attr a = { .type = type };

	CHECK_EQ(ioctl(vm->fd, KVM_XEN_HVM_GET_ATTR, &a), 0);
	return a;
}

static int vcpu_set(struct vcpu *v, struct kvm_xen_vcpu_attr a)
{
	return ioctl(v->fd, KVM_XEN_VCPU_SET_ATTR, &a);
}

static struct kvm_xen_vcpu_attr vcpu_get(struct vcpu *v, int type)
{
	struct kvm_xen_vcpu_attr a = { .type = type };

	CHECK_EQ(ioctl(v->fd, KVM_XEN_VCPU_GET_ATTR, &a), 0);
	return a;
}

#define VM_ATTR(t, ...)	((struct kvm_xen_hvm_attr){ .type = KVM_XEN_ATTR_TYPE_##t, __VA_ARGS__ })
#define VCPU_ATTR(t, ...) ((struct kvm_xen_vcpu_attr){ .type = KVM_XEN_VCPU_ATTR_TYPE_##t, __VA_ARGS__ })

/* A port of the guest's that leads to @port of vCPU 0, or to @fd. */
static struct kvm_xen_hvm_attr to_port(uint32_t from, uint32_t port)
{
	return VM_ATTR(EVTCHN, .u.evtchn = { .send_port = from, .type = 2,
					     .deliver.port = { .port = port, .priority = PRIO } });
}

static struct kvm_xen_hvm_attr to_fd(uint32_t from, int fd)
{
	return VM_ATTR(EVTCHN, .u.evtchn = { .send_port = from, .type = 2, .deliver.eventfd.fd = fd });
}

static void route(struct vm *vm, int fd)
{
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e; } r = {
		.h.nr = 1,
		.e = { .gsi = GSI, .type = KVM_IRQ_ROUTING_XEN_EVTCHN,
		       .u.xen_evtchn = { .port = XEN_PORT_GSI, .priority = PRIO } },
	};
	struct kvm_irqfd f = { .fd = fd, .gsi = GSI };

	CHECK_EQ(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), 0);
	CHECK_EQ(ioctl(vm->fd, KVM_IRQFD, &f), 0);
}

static struct vm *xen_vm(void)
{
	struct kvm_xen_hvm_config c = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND, .msr = XEN_MSR,
	};
	struct vm *vm;

	if ((check_cap(kvm_fd, KVM_CAP_XEN_HVM) & FEATURES) != FEATURES)
		SKIP("not all of Xen's interface");
	vm = vm_new(G_xen, 1, 0);
	CHECK_EQ(ioctl(vm->fd, KVM_XEN_HVM_CONFIG, &c), 0);
	return vm;
}

/* With pages for all, and the guest's events led to them. */
static struct vm *xen_guest(uint64_t how, int fd)
{
	struct vm *vm = xen_vm();
	struct vcpu *v = &vm->vcpu[0];

	vm->p->arg[0] = how;
	CHECK_EQ(vm_set(vm, VM_ATTR(LONG_MODE, .u.long_mode = 1)), 0);
	CHECK_EQ(vm_set(vm, VM_ATTR(XEN_VERSION, .u.xen_version = XEN_VERSION)), 0);
	CHECK_EQ(vm_set(vm, VM_ATTR(RUNSTATE_UPDATE_FLAG, .u.runstate_update_flag = 1)), 0);
	CHECK_EQ(vm_set(vm, VM_ATTR(SHARED_INFO, .u.shared_info.gfn = XEN_SHARED / PAGE)), 0);
	if (how & XEN_BY_APIC)
		CHECK_EQ(vcpu_set(v, VCPU_ATTR(UPCALL_VECTOR, .u.vector = XEN_VECTOR)), 0);
	else
		CHECK_EQ(vm_set(vm, VM_ATTR(UPCALL_VECTOR, .u.vector = XEN_VECTOR)), 0);
	CHECK_EQ(vcpu_set(v, VCPU_ATTR(VCPU_INFO, .u.gpa = XEN_INFO)), 0);
	CHECK_EQ(vcpu_set(v, VCPU_ATTR(VCPU_TIME_INFO, .u.gpa = XEN_TIME)), 0);
	CHECK_EQ(vcpu_set(v, VCPU_ATTR(RUNSTATE_ADDR, .u.gpa = XEN_RUNSTATE)), 0);
	CHECK_EQ(vcpu_set(v, VCPU_ATTR(TIMER, .u.timer = { XEN_PORT_TIMER, PRIO, 0 })), 0);
	route(vm, fd);
	CHECK_EQ(vm_set(vm, to_port(XEN_SEND_SELF, XEN_PORT_SELF)), 0);
	CHECK_EQ(vm_set(vm, to_fd(XEN_SEND_FD, fd)), 0);
	return vm;
}

static int event(struct vm *vm, uint32_t port)
{
	struct kvm_irq_routing_xen_evtchn e = { .port = port, .priority = PRIO };

	return ioctl(vm->fd, KVM_XEN_HVM_EVTCHN_SEND, &e);
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	CHECK_EQ(write(fd, &one, sizeof(one)), (ssize_t)sizeof(one));
}

struct sender {
	struct vm *vm;
	int fd;
};

/* What the guest waits for, from another thread. */
static void *sends(void *arg)
{
	struct sender *s = arg;

	wait_while(&s->vm->p->res[1], 0);
	signal_fd(s->fd);
	wait_while(&s->vm->p->res[3], 0);
	CHECK_EQ(event(s->vm, XEN_PORT_POLL), 0);
	return NULL;
}

static void expect_call(struct vcpu *v, uint64_t nr, uint64_t arg, uint64_t result)
{
	run_exit(v, KVM_EXIT_XEN);
	CHECK_EQ(v->run->xen.type, KVM_EXIT_XEN_HCALL);
	CHECK_EQ(v->run->xen.u.hcall.longmode, 1);
	CHECK_EQ(v->run->xen.u.hcall.cpl, 0);
	CHECK_EQ(v->run->xen.u.hcall.input, nr);
	CHECK_EQ(v->run->xen.u.hcall.params[0], arg);
	v->run->xen.u.hcall.result = result;
}

/* The clock is another, and no longer one that all CPUs have in common. */
static void change_clock(struct vm *vm)
{
	struct kvm_xen_hvm_config c = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND |
			 KVM_XEN_HVM_CONFIG_PVCLOCK_TSC_UNSTABLE,
		.msr = XEN_MSR,
	};
	struct kvm_clock_data clock = { .clock = LATER };

	CHECK_EQ(ioctl(vm->fd, KVM_XEN_HVM_CONFIG, &c), 0);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_CLOCK, &clock), 0);
}

static void guest(uint64_t how)
{
	struct sender s = { .fd = eventfd(0, EFD_NONBLOCK) };
	struct kvm_xen_vcpu_attr a;
	struct vcpu *v;
	pthread_t t;
	uint32_t *time;
	uint64_t ns;

	s.vm = xen_guest(how, s.fd);
	v = &s.vm->vcpu[0];
	CHECK_EQ(pthread_create(&t, NULL, sends, &s), 0);
	expect_call(v, 17, 6, 0x1122334455667788);
	expect_call(v, 32, 4, (uint64_t)-2);
	run_sync(v, 1);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(s.vm->p->res[0], 0x1122334455667788);
	CHECK_EQ(s.vm->p->res[2], (uint64_t)-2);
	/* The two places of the time say the same. */
	time = (uint32_t *)(s.vm->mem + XEN_TIME);
	CHECK(time[0] && !(time[0] & 1));
	CHECK(!memcmp(time + 2, s.vm->mem + XEN_INFO + 32 + 8, 24));
	a = vcpu_get(v, KVM_XEN_VCPU_ATTR_TYPE_TIMER);
	CHECK(a.u.timer.port == XEN_PORT_TIMER && !a.u.timer.expires_ns);
	a = vcpu_get(v, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA);
	CHECK_EQ(a.u.runstate.state_entry_time, *(uint64_t *)(s.vm->mem + XEN_RUNSTATE + 8));
	CHECK_EQ(a.u.runstate.time_offline, *(uint64_t *)(s.vm->mem + XEN_RUNSTATE + 40));
	s.vm->mem[XEN_INFO] = 1;
	change_clock(s.vm);
	run_done(v);
	memcpy(&ns, s.vm->mem + XEN_INFO + 32 + 16, sizeof(ns));
	CHECK(ns >= LATER && ns < 2 * LATER);
	CHECK(!(s.vm->mem[XEN_INFO + 32 + 29] & 1));
}

/* The vector that no local APIC sees; LINT0 is masked, so that the PIC's way is closed. */
TEST(xen, upcall) { guest(0); }
TEST(xen, upcall_apic) { guest(XEN_BY_APIC); }

/* ---- what ioctls say ---- */

TEST(xen, config)
{
	struct vm *vm = xen_vm();
	struct kvm_xen_hvm_config c = { .flags = KVM_XEN_HVM_CONFIG_SHARED_INFO, .msr = XEN_MSR };

	CHECK_ERRNO(ioctl(vm->fd, KVM_XEN_HVM_CONFIG, &c), EINVAL);
	c.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL;
	c.blob_size_64 = 1;
	CHECK_ERRNO(ioctl(vm->fd, KVM_XEN_HVM_CONFIG, &c), EINVAL);
	c.flags = 0;
	CHECK_EQ(ioctl(vm->fd, KVM_XEN_HVM_CONFIG, &c), 0);
}

TEST(xen, attributes)
{
	struct vm *vm = xen_vm();
	uint8_t *page = mem_new(PAGE);

	CHECK_ERRNO(vm_set(vm, (struct kvm_xen_hvm_attr){ .type = 99 }), ENOENT);
	CHECK_ERRNO(vm_set(vm, VM_ATTR(UPCALL_VECTOR, .u.vector = 0xf)), EINVAL);
	CHECK_EQ(vm_set(vm, VM_ATTR(UPCALL_VECTOR, .u.vector = 0x10)), 0);
	CHECK_EQ(vm_get(vm, KVM_XEN_ATTR_TYPE_UPCALL_VECTOR).u.vector, 0x10);
	CHECK_EQ(vm_get(vm, KVM_XEN_ATTR_TYPE_SHARED_INFO).u.shared_info.gfn, KVM_XEN_INVALID_GFN);
	CHECK_EQ(vm_set(vm, VM_ATTR(SHARED_INFO, .u.shared_info.gfn = XEN_SHARED / PAGE)), 0);
	CHECK_EQ(vm_get(vm, KVM_XEN_ATTR_TYPE_SHARED_INFO).u.shared_info.gfn, XEN_SHARED / PAGE);
	CHECK_ERRNO(vm_set(vm, VM_ATTR(SHARED_INFO_HVA, .u.shared_info.hva = (uintptr_t)page + 8)), EINVAL);
	CHECK_EQ(vm_set(vm, VM_ATTR(SHARED_INFO_HVA, .u.shared_info.hva = (uintptr_t)page)), 0);
	CHECK_EQ(vm_get(vm, KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA).u.shared_info.hva, (uintptr_t)page);
	CHECK_EQ(vm_get(vm, KVM_XEN_ATTR_TYPE_SHARED_INFO).u.shared_info.gfn, KVM_XEN_INVALID_GFN);
	CHECK_ERRNO(vm_set(vm, VM_ATTR(SHARED_INFO, .u.shared_info.gfn = GPA_MMIO / PAGE)), EFAULT);
	CHECK_EQ(vm_set(vm, VM_ATTR(SHARED_INFO, .u.shared_info.gfn = KVM_XEN_INVALID_GFN)), 0);
	CHECK_ERRNO(event(vm, 5), EINVAL);
}

TEST(xen, ports)
{
	struct kvm_xen_hvm_attr a = to_port(9, 10);
	struct vm *vm = xen_vm();

	CHECK_ERRNO(vm_set(vm, to_port(0, 10)), EINVAL);
	CHECK_ERRNO(vm_set(vm, to_port(1024, 10)), EINVAL);	/* of 32 bits still */
	CHECK_ERRNO(vm_set(vm, to_port(9, 1024)), EINVAL);
	CHECK_ERRNO(vm_set(vm, to_fd(9, -1)), EBADF);
	a.u.evtchn.flags = KVM_XEN_EVTCHN_UPDATE;
	CHECK_ERRNO(vm_set(vm, a), ENOENT);
	CHECK_EQ(vm_set(vm, to_port(9, 10)), 0);
	CHECK_ERRNO(vm_set(vm, to_port(9, 10)), EEXIST);
	CHECK_EQ(vm_set(vm, a), 0);
	a.u.evtchn.deliver.port.port = 11;
	CHECK_ERRNO(vm_set(vm, a), EINVAL);
	a.u.evtchn.flags = KVM_XEN_EVTCHN_DEASSIGN;
	CHECK_EQ(vm_set(vm, a), 0);
	CHECK_ERRNO(vm_set(vm, a), ENOENT);
	a = to_port(9, 9);
	a.u.evtchn.type = 5;			/* an IPI leads to itself */
	CHECK_EQ(vm_set(vm, a), 0);
	a.u.evtchn.flags = KVM_XEN_EVTCHN_RESET;
	CHECK_EQ(vm_set(vm, a), 0);
	a.u.evtchn.flags = 0;
	a.u.evtchn.send_port = 8;
	CHECK_ERRNO(vm_set(vm, a), EINVAL);
	a.u.evtchn.type = 3;
	CHECK_ERRNO(vm_set(vm, a), EINVAL);
	a = to_port(9, 10);
	a.u.evtchn.deliver.port.priority = 0;
	CHECK_ERRNO(vm_set(vm, a), EINVAL);
}

/* All that are assigned go in one reset, which does not wait for each. */
TEST(xen, many_ports)
{
	struct kvm_xen_hvm_attr a = to_port(1, 1);
	struct vm *vm = xen_vm();
	struct timespec begun, end;

	for (int turn = 0; turn < 2; turn++) {
		for (int port = 1; port < 1024; port++)
			CHECK_EQ(vm_set(vm, to_port(port, 10)), 0);
		a.u.evtchn.flags = KVM_XEN_EVTCHN_RESET;
		clock_gettime(CLOCK_MONOTONIC, &begun);
		CHECK_EQ(vm_set(vm, a), 0);
		clock_gettime(CLOCK_MONOTONIC, &end);
		CHECK(end.tv_sec - begun.tv_sec < 3);
	}
}

TEST(xen, vcpu_attributes)
{
	struct vm *vm = xen_vm();
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_xen_vcpu_attr a = VCPU_ATTR(RUNSTATE_ADDR);

	CHECK_ERRNO(vcpu_set(v, (struct kvm_xen_vcpu_attr){ .type = 99 }), ENOENT);
	CHECK_ERRNO(vcpu_set(v, VCPU_ATTR(VCPU_INFO, .u.gpa = XEN_INFO | 0xfc8)), EINVAL);
	CHECK_ERRNO(vcpu_set(v, VCPU_ATTR(VCPU_TIME_INFO, .u.gpa = GPA_MMIO)), EFAULT);
	CHECK_ERRNO(ioctl(v->fd, KVM_XEN_VCPU_GET_ATTR, &a), ENOENT);
	CHECK_ERRNO(vcpu_set(v, VCPU_ATTR(RUNSTATE_ADDR, .u.gpa = RAM_SIZE - 16)), EFAULT);
	CHECK_ERRNO(vcpu_set(v, VCPU_ATTR(RUNSTATE_CURRENT, .u.runstate.state = 4)), EINVAL);
	CHECK_ERRNO(vcpu_set(v, VCPU_ATTR(RUNSTATE_DATA, .u.runstate = { 0, 3, 1, 1, 0, 0 })), EINVAL);
	CHECK_EQ(vcpu_set(v, VCPU_ATTR(RUNSTATE_DATA, .u.runstate = { 2, 3, 1, 1, 1, 0 })), 0);
	CHECK_EQ(vcpu_get(v, KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT).u.runstate.state, 2);
	a = VCPU_ATTR(RUNSTATE_ADJUST);
	CHECK_ERRNO(ioctl(v->fd, KVM_XEN_VCPU_GET_ATTR, &a), EINVAL);
	CHECK_ERRNO(vcpu_set(v, VCPU_ATTR(TIMER, .u.timer = { 5, 0, 0 })), EINVAL);
	CHECK_ERRNO(vcpu_set(v, VCPU_ATTR(VCPU_ID, .u.vcpu_id = 5000)), EINVAL);
	CHECK_EQ(vcpu_set(v, VCPU_ATTR(VCPU_ID, .u.vcpu_id = 7)), 0);
	CHECK_EQ(vcpu_get(v, KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID).u.vcpu_id, 7);
	CHECK_ERRNO(vcpu_set(v, VCPU_ATTR(UPCALL_VECTOR, .u.vector = 1)), EINVAL);
}

/* A guest of 32 bits has its bits and its wall clock elsewhere. */
TEST(xen, narrow)
{
	struct vm *vm = xen_vm();
	uint8_t *shared = vm->mem + XEN_SHARED, *info = vm->mem + XEN_INFO;
	uint32_t version;

	CHECK_EQ(vm_set(vm, VM_ATTR(SHARED_INFO, .u.shared_info.gfn = XEN_SHARED / PAGE)), 0);
	memcpy(&version, shared + 0x900, 4);
	CHECK(version && !(version & 1));
	CHECK_EQ(vcpu_set(&vm->vcpu[0], VCPU_ATTR(VCPU_INFO, .u.gpa = XEN_INFO)), 0);
	CHECK_ERRNO(event(vm, 1024), EINVAL);
	CHECK_ERRNO(event(vm, 0), EINVAL);
	CHECK_EQ(event(vm, 1023), 0);
	CHECK(shared[0x87f] == 0x80 && info[0] == 1 && info[7] == 0x80);
	shared[0x880] = 2;
	CHECK_EQ(event(vm, 1), 0);			/* masked */
	CHECK(shared[0x800] == 2 && !info[4]);
	CHECK_EQ(vm_set(vm, VM_ATTR(LONG_MODE, .u.long_mode = 1)), 0);
	memcpy(&version, shared + 0xc00, 4);
	CHECK(version && !(version & 1));
	CHECK_EQ(event(vm, 4095), 0);
	CHECK(shared[0x9ff] == 0x80 && info[15] == 0x80);
}

/* The shared page comes late to an event: no thread waits for it but who may. */
static void *bring(void *arg)
{
	const struct late *l = arg;

	CHECK_EQ(late_wanted(l), 0);
	late_bring(l, 0, NULL);
	return NULL;
}

TEST(xen, late)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	struct vm *vm = xen_guest(XEN_LATE, fd);
	struct late l;
	pthread_t t;

	run_sync(&vm->vcpu[0], 1);
	l = late_again(vm->mem + XEN_SHARED);
	CHECK_EQ(pthread_create(&t, NULL, bring, &l), 0);
	signal_fd(fd);
	run_done(&vm->vcpu[0]);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(vm->mem[XEN_SHARED + 0x800], 1 << XEN_PORT_GSI);
}
