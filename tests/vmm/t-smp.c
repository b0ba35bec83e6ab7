/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests with several vCPUs. */
#include "test.h"

/* Run every vCPU in a thread until all are done. */
static struct vm *run_all(enum guest_id g, int vcpus, int x2apic, uint64_t arg)
{
	struct vm *vm = vm_new(g, vcpus, 0);

	vm->p->x2apic = x2apic;
	vm->p->arg[0] = arg;
	for (int i = 0; i < vcpus; i++)
		thread_start(&vm->vcpu[i]);
	for (int i = 0; i < vcpus; i++)
		thread_join(&vm->vcpu[i]);
	CHECK_EQ(vm->p->cpus >= (uint32_t)vcpus, 1);
	return vm;
}

static void pingpong(int x2apic)
{
	struct vm *vm = run_all(G_pingpong, 2, x2apic, 300);

	CHECK_EQ(vm->p->res[2], 300);
	CHECK_EQ(vm->p->res[3], 300);
}

TEST(smp, start_xapic) { run_all(G_ap_start, 2, 0, 0); }
TEST(smp, start_x2apic) { run_all(G_ap_start, 2, 1, 0); }
TEST_LIMIT(smp, ipi_xapic, 60) { pingpong(0); }
TEST_LIMIT(smp, ipi_x2apic, 60) { pingpong(1); }
TEST_LIMIT(smp, broadcast_xapic, 60) { run_all(G_broadcast, 4, 0, 4); }
TEST_LIMIT(smp, broadcast_x2apic, 60) { run_all(G_broadcast, 4, 1, 4); }
TEST_LIMIT(smp, init_running_cpu, 60) { run_all(G_ap_init, 2, 1, 0); }

/* Before its start-up IPI a second CPU waits; its state says so, and what is set is kept. */
TEST(smp, waiting_state)
{
	struct vm *vm = vm_new(G_script, 2, 0);
	struct kvm_mp_state mp;

	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_GET_MP_STATE, &mp), 0);
	CHECK_EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	CHECK_EQ(ioctl(vm->vcpu[1].fd, KVM_GET_MP_STATE, &mp), 0);
	CHECK_EQ(mp.mp_state, KVM_MP_STATE_UNINITIALIZED);
	run_done(&vm->vcpu[0]);
}

/* All vCPUs' threads on one CPU: nobody who waits for another may keep it from running. */
TEST_LIMIT(smp, ipi_on_one_cpu, 60)
{
	struct vm *vm;

	pin(0);
	vm = run_all(G_pingpong, 2, 1, 50);
	CHECK_EQ(vm->p->res[2], 50);
}
