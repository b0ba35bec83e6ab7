// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event rings, one per CPU: Bedplate tells of vCPUs that want service and of
 * ioeventfds that a guest wrote.  It interrupts (upcall.c); while a RUN is under
 * way on the CPU, RUN returns instead and its caller looks here.
 *
 * A guest's write may be in the ring of a CPU that slept, and the vCPU has gone on.  With KVM
 * the eventfd is signalled when KVM_RUN returns; bp_ring_settle() sees to it.
 */
#include <linux/cpuhotplug.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/xarray.h>

#include "hypercall.h"
#include "ring.h"
#include "upcall.h"

static DEFINE_PER_CPU(struct bp_ring *, bp_ring);
static DEFINE_PER_CPU(u32, bp_ring_done);	/* events up to here are dealt with; others read */
/* Linux's numbers of CPUs, by Bedplate's. */
static DEFINE_XARRAY(bp_ring_cpus);
DEFINE_XARRAY(bp_vms);
static enum cpuhp_state bp_cpuhp;

int bp_ring_add_vm(struct bp_vm *vm)
{
	return xa_err(xa_store(&bp_vms, vm->dom, vm, GFP_KERNEL));
}

void bp_ring_remove_vm(struct bp_vm *vm)
{
	xa_erase(&bp_vms, vm->dom);
	synchronize_rcu();
}

static void vm_service(struct bp_vm *vm, u32 index)
{
	/* The vCPU is in the array: files/vcpu.c puts it there first. */
	if (index < smp_load_acquire(&vm->nr_vcpus))
		bp_vcpu_service(bp_vcpu_at(vm, index));
}

static void ring_event(const struct bp_event *ev)
{
	struct bp_vm *vm = xa_load(&bp_vms, ev->dom);

	if (!vm)
		return;
	if (ev->type == BP_EV_SERVICE)
		vm_service(vm, ev->id);
	else if (ev->type == BP_EV_IOEVENTFD)
		bp_ioeventfd_event(vm, ev->id);
}

static void service_everyone(void)
{
	struct bp_vm *vm;
	unsigned long dom;
	u32 i;

	xa_for_each(&bp_vms, dom, vm)
		for (i = 0; i < READ_ONCE(vm->nr_vcpus); i++)
			vm_service(vm, i);
}

void bp_ring_drain(void)
{
	struct bp_ring *ring = this_cpu_read(bp_ring);
	struct bp_event ev;
	u32 tail, head;

	if (!ring)
		return;
	tail = ring->tail;
	/* The slots before head are written: Bedplate moves it last. */
	head = smp_load_acquire(&ring->head);
	if (head == tail && !READ_ONCE(ring->overflow))
		return;

	/* What comes meanwhile, from other CPUs too and without end, has an upcall of its own. */
	rcu_read_lock();
	while (tail != head) {
		ev = ring->slot[tail % BP_RING_SLOTS];
		ring_event(&ev);
		smp_store_release(&ring->tail, ++tail);	/* the slot is read, and Bedplate's again */
		smp_store_release(this_cpu_ptr(&bp_ring_done), tail);	/* the eventfd is signalled */
	}
	if (xchg(&ring->overflow, 0))
		service_everyone();
	rcu_read_unlock();
}

static void drain_ipi(void *unused)
{
	bp_ring_drain();
}

void bp_ring_drain_all(void)
{
	on_each_cpu(drain_ipi, NULL, 1);
}

void bp_ring_settle(u64 posted)
{
	void *entry = xa_load(&bp_ring_cpus, BP_POSTED_CPU(posted));
	int cpu = xa_to_value(entry);

	if (!entry) {		/* its CPU is coming online */
		bp_ring_drain_all();
		return;
	}
	/* A CPU that has gone offline had emptied its ring before. */
	if ((s32)(smp_load_acquire(per_cpu_ptr(&bp_ring_done, cpu)) - (u32)posted) < 0)
		smp_call_function_single(cpu, drain_ipi, NULL, 1);
}

static int ring_offline(unsigned int cpu)
{
	struct bp_ring *ring = this_cpu_read(bp_ring);
	unsigned long flags;
	long ret;

	if (!ring)
		return 0;
	/* A doorbell of the same vCPU goes elsewhere from now on: what is here is dealt with first. */
	local_irq_save(flags);
	ret = bp_hc_ring(0, 0);
	bp_ring_drain();
	this_cpu_write(bp_ring, NULL);
	local_irq_restore(flags);
	bp_upcall_offline();
	if (!WARN_ON_ONCE(ret))
		free_page((unsigned long)ring);
	return 0;
}

static int ring_online(unsigned int cpu)
{
	struct bp_ring *ring = (void *)get_zeroed_page(GFP_KERNEL);
	int vector;
	long ret;

	if (!ring)
		return -ENOMEM;
	vector = bp_upcall_online();
	if (vector < 0) {
		free_page((unsigned long)ring);
		return vector;
	}
	this_cpu_write(bp_ring, ring);
	this_cpu_write(bp_ring_done, 0);
	ret = bp_hc_ring(bp_pfn(ring), vector);
	if (ret < 0) {
		this_cpu_write(bp_ring, NULL);
		bp_upcall_offline();
		free_page((unsigned long)ring);
		return ret;
	}
	ret = xa_err(xa_store(&bp_ring_cpus, ret, xa_mk_value(cpu), GFP_KERNEL));
	if (ret)
		ring_offline(cpu);
	return ret;
}

int bp_ring_init(void)
{
	int ret = bp_upcall_init(bp_ring_drain);

	if (ret)
		return ret;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "bedplate:online",
				ring_online, ring_offline);
	if (ret < 0) {
		xa_destroy(&bp_ring_cpus);
		bp_upcall_exit();
		return ret;
	}
	bp_cpuhp = ret;
	return 0;
}

void bp_ring_exit(void)
{
	cpuhp_remove_state(bp_cpuhp);
	xa_destroy(&bp_ring_cpus);
	bp_upcall_exit();
}
