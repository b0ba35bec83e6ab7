// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMM wants of all vCPUs otherwise than by default.  Each vCPU's thread
 * hands it to Bedplate, before it runs the vCPU; who changes it waits for those
 * that are in KVM_RUN.
 */
#include <linux/smp.h>
#include <linux/srcu.h>
#include <trace/events/ipi.h>

#include "channel/ring.h"
#include "hv.h"
#include "run.h"
#include "state.h"
#include "xen.h"

u32 bp_rules_gen(const struct bp_vm *vm)
{
	return atomic_read(&vm->rules_gen);
}

bool bp_rules_due(const struct bp_vcpu *vcpu)
{
	return vcpu->rules_gen != bp_rules_gen(vcpu->vm);
}

long bp_rules_apply(struct bp_vcpu *vcpu)
{
	struct bp_vm *vm = vcpu->vm;
	struct bp_rules *rules = vcpu->state;
	u32 gen = atomic_read_acquire(&vm->rules_gen); /* pairs with bp_rules_touch() */
	int idx = srcu_read_lock(&vm->srcu);
	long ret;

	memset(rules, 0, sizeof(*rules));
	rules->flags = READ_ONCE(vm->rules) | vcpu->rules | bp_hv_rules(vcpu) |
		       bp_xen_rules(vcpu) | BP_RULE_MSR_REFUSED; /* some are the shim's */
	bp_hv_auto_eoi(vcpu, rules);
	bp_msr_rules(srcu_dereference(vm->msr_filter, &vm->srcu), rules);
	srcu_read_unlock(&vm->srcu, idx);
	ret = bp_state_set(vcpu, BP_STATE_RULES, sizeof(*rules));
	if (ret < 0)
		return ret;
	WRITE_ONCE(vcpu->rules_gen, gen);
	wake_up_all(&vm->rules_wait);
	return 0;
}

void bp_rules_entered(struct bp_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->in_run, true);
	smp_mb();	/* before it looks whether there are new rules */
}

void bp_rules_left(struct bp_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->in_run, false);
	smp_mb();	/* before it looks whether somebody waits */
	if (unlikely(waitqueue_active(&vcpu->vm->rules_wait)))
		wake_up_all(&vcpu->vm->rules_wait);
}

void bp_vcpu_kick(struct bp_vcpu *vcpu)
{
	int cpu;

	smp_mb();	/* pairs with run_loop(): it sees the work, or we see its CPU */
	cpu = READ_ONCE(vcpu->run_cpu);
	if (cpu >= 0)
		smp_send_reschedule(cpu);
	bp_vcpu_service(vcpu);
}

void bp_vcpus_kick(struct bp_vm *vm)
{
	unsigned int i, n = smp_load_acquire(&vm->nr_vcpus); /* pairs with bp_vcpu_create() */

	for (i = 0; i < n; i++)
		bp_vcpu_kick(bp_vcpu_at(vm, i));
}

/* Those that were touched later may wait for the next ones. */
static bool caught_up(struct bp_vcpu *vcpu, u32 gen)
{
	return !READ_ONCE(vcpu->in_run) || (s32)(READ_ONCE(vcpu->rules_gen) - gen) >= 0;
}

u32 bp_rules_touch(struct bp_vm *vm)
{
	/* A full barrier: a vCPU that enters KVM_RUN from now on sees it. */
	u32 gen = atomic_inc_return(&vm->rules_gen);

	bp_vcpus_kick(vm);
	return gen;
}

long bp_rules_changed(struct bp_vm *vm)
{
	unsigned int i, n = smp_load_acquire(&vm->nr_vcpus); /* pairs with bp_vcpu_create() */
	u32 gen = bp_rules_touch(vm);
	long ret = 0;

	for (i = 0; i < n && !ret; i++)
		ret = wait_event_killable(vm->rules_wait, caught_up(bp_vcpu_at(vm, i), gen));
	return ret ? -EINTR : 0;
}
