/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM's paravirtual features, each only where KVM_GET_SUPPORTED_CPUID offers it. */
#include "test.h"

#include <asm/kvm_para.h>

static void need(int feature)
{
	if (!(pv_features() >> feature & 1))
		SKIP("CPUID 0x40000001 does not offer it");
}

static uint64_t vm_clock(struct vm *vm)
{
	struct kvm_clock_data c = { 0 };

	CHECK_EQ(ioctl(vm->fd, KVM_GET_CLOCK, &c), 0);
	return c.clock;
}

#define MS 1000000ull

/* The guest's clock runs, never backwards, and shows what KVM_GET_CLOCK shows. */
TEST(clock, pvclock)
{
	struct vm *vm = vm_new(G_pvclock, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	uint64_t before, guest1, guest2, after, real;

	need(KVM_FEATURE_CLOCKSOURCE2);
	real = now_ns();
	before = vm_clock(vm);
	run_sync(v, 1);
	guest1 = vm->p->res[0];
	after = vm_clock(vm);
	CHECK(guest1 + MS >= before && guest1 <= after + MS);
	sleep_ms(200);
	run_sync(v, 2);
	guest2 = vm->p->res[0];
	after = vm_clock(vm);
	real = now_ns() - real;
	CHECK(guest2 - guest1 >= 199 * MS && guest2 <= after + MS);
	/* Not faster than the service VM's own clock, 2 % and 10 ms allowed. */
	CHECK(after - before <= real + real / 50 + 10 * MS);
	run_done(v);
}

/* A clock where no memory can be: the guest goes on without. */
TEST(clock, nowhere)
{
	struct vm *vm = vm_new(G_script, 1, 0);

	need(KVM_FEATURE_CLOCKSOURCE2);
	op_add(vm, OP_WRMSR, 0, MSR_KVM_SYSTEM_TIME_NEW, 0xd8bf007adc1a0001);
	op_add(vm, OP_CPUID, 0, 0, 0);
	run_done(&vm->vcpu[0]);
}

TEST(clock, set_clock)
{
	struct vm *vm = vm_new(G_pvclock, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_clock_data c = { .clock = 5000 * 1000 * MS };
	uint64_t now;

	need(KVM_FEATURE_CLOCKSOURCE2);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_CLOCK, &c), 0);
	now = vm_clock(vm);
	CHECK(now >= c.clock && now < c.clock + 5000 * MS);
	run_sync(v, 1);
	CHECK(vm->p->res[0] + MS >= now && vm->p->res[0] < now + 5000 * MS);
	run_sync(v, 2);
	run_done(v);
	c.flags = 0x80000000;
	CHECK_ERRNO(ioctl(vm->fd, KVM_SET_CLOCK, &c), EINVAL);
}

/* The TSC, and the time just before and just after it was read. */
struct reading {
	uint64_t before, tsc, after;
};

static struct reading read_clock(struct vcpu *v)
{
	struct reading r;

	r.before = now_ns();
	r.tsc = get_msr(v, 0x10);
	r.after = now_ns();
	return r;
}

/* The TSC runs at the rate that KVM_GET_TSC_KHZ tells: the readings bound it from both sides. */
TEST(clock, tsc_khz)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);
	uint64_t least, most;
	struct reading a, b;

	if (khz <= 0)
		SKIP("KVM_GET_TSC_KHZ is not there");
	a = read_clock(v);
	sleep_ms(300);
	b = read_clock(v);
	CHECK(b.tsc > a.tsc);
	least = (b.tsc - a.tsc) * 1000000 / (b.after - a.before);
	most = (b.tsc - a.tsc) * 1000000 / (b.before - a.after);
	test_note("%d kHz said, %llu to %llu kHz measured", khz, (unsigned long long)least,
		  (unsigned long long)most);
	CHECK(least <= (uint64_t)khz * 105 / 100);
	CHECK(most >= (uint64_t)khz * 95 / 100);
}

TEST(pv, eoi)
{
	struct vm *vm = vm_new(G_pveoi, 1, 0);

	need(KVM_FEATURE_PV_EOI);
	vm->p->x2apic = 1;
	vm->p->arg[0] = 100;
	run_done(&vm->vcpu[0]);
	CHECK_EQ(vm->p->res[0], 100);
	test_note("%llu of 100 interrupts without EOI", (unsigned long long)vm->p->res[1]);
	CHECK(vm->p->res[1] > 0);
}

TEST(pv, hypercall)
{
	struct vm *vm = vm_new(G_hypercall, 1, 0);

	run_done(&vm->vcpu[0]);
}

TEST_LIMIT(pv, ipi, 60)
{
	struct vm *vm;

	need(KVM_FEATURE_PV_SEND_IPI);
	vm = vm_new(G_pvipi, 2, 0);
	vm->p->x2apic = 1;
	vm->p->arg[0] = 50;
	for (int i = 0; i < 2; i++)
		thread_start(&vm->vcpu[i]);
	for (int i = 0; i < 2; i++)
		thread_join(&vm->vcpu[i]);
	CHECK_EQ(vm->p->res[1], 50);
}

static volatile bool spin_stop;

static void *spin(void *arg)
{
	(void)arg;
	pin(0);
	while (!spin_stop)
		;
	return NULL;
}

/* A plain thread that spins on the same CPU takes time, and the guest is told. */
TEST(pv, steal_time)
{
	struct vm *vm = vm_new(G_steal, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	volatile uint64_t *steal = (void *)(vm->mem + GPA_SCRATCH);
	volatile uint64_t *res = vm->p->res;
	uint64_t end;
	pthread_t t;

	need(KVM_FEATURE_STEAL_TIME);
	pin(0);
	run_sync(v, 1);
	CHECK_EQ(pthread_create(&t, NULL, spin, NULL), 0);
	end = now_ns() + 10000 * MS;
	thread_start(v);
	while (!(res[3] && *steal - res[0] >= 100 * MS) && now_ns() < end)
		sleep_ms(50);
	vm->p->arg[0] = 1;
	thread_join(v);
	spin_stop = true;
	pthread_join(t, NULL);
	test_note("stolen: %llu ms", (unsigned long long)((vm->p->res[1] - vm->p->res[0]) / MS));
	CHECK_EQ(vm->p->res[2] & 1, 0);
	CHECK(vm->p->res[1] - vm->p->res[0] >= 100 * MS);
}
