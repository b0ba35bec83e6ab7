// SPDX-License-Identifier: GPL-2.0-only
/* The run loop: shares of the CPU, and the order of events at an entry. */
// SOURCES: hv/core/run/run.c hv/core/run/nested.c hv/core/vcpu/vcpu.c hv/core/vcpu/halt.c hv/core/vcpu/sched.c hv/core/vcpu/sched_math.c hv/core/lib/tree.c tests/unit/rig/run_loop_rig.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/memory/mmu.h"
#include "hv/core/vcpu/switch.h"
#include "run_loop_rig.h"

static u32 share(u64 part)
{
	return part * 100 / (task_ran[0] + ran[0] + ran[1] + ran[2]);
}

/* Two VMs and a process, all spinning: a third each. */
static void share_with_two_vms(u64 each_stall, u64 time, u32 least, u32 most)
{
	stall = each_stall;
	tasks = 3;
	task[0].guest = -1;
	task[1].guest = 0;
	task[2].guest = 1;
	ticking = true;
	next_tick = host_tsc + TICK;
	run_until(time);
	print_message("process %u %%, VMs %u %% and %u %%\n", share(task_ran[0]),
		      share(ran[0]), share(ran[1]));
	assert_in_range(share(task_ran[0]), least, most);
	assert_in_range(share(ran[0]), least, most);
	assert_in_range(share(ran[1]), least, most);
}

static void process_beside_two_vms(void **state)
{
	(void)state;
	share_with_two_vms(0, 4000 * MS, 31, 35);
}

static void shares_on_a_machine_that_stalls(void **state)
{
	(void)state;
	share_with_two_vms(200 * MS, 60000 * MS, 24, 42);
}

/* A timer that had nobody to tell goes on with its vCPU. */
static void timer_waits_for_a_cpu(void **state __unused)
{
	timers_resumed = 0;
	other_d0.apic.timer_waits = true;
	cpu_switch_in(&other_cpu, &other_d0);
	assert_int_equal(timers_resumed, 1);
	cpu_switch_out(&other_cpu);
	cpu_switch_in(&other_cpu, &other_d0);
	assert_int_equal(timers_resumed, 1);
	cpu_switch_out(&other_cpu);
}

/* A vector for a vCPU that runs elsewhere: an exit only where the CPU does not take it by itself. */
static void notifying(void **state __unused)
{
	struct vlapic_post post = { .notify = true };
	struct vcpu *v = &vm[0];

	v->home = &other_cpu;
	v->state = VCPU_RUNNING;
	vcpu_notify(v);
	assert_int_equal(kicks, 1);
	v->apic.post = &post;
	vcpu_notify(v);
	assert_int_equal(notices, 1);
	vcpu_kick(v);				/* an NMI, say */
	assert_int_equal(kicks, 2);
	post.late_any = true;			/* level-triggered: the CPU must learn of its EOI */
	vcpu_notify(v);
	assert_int_equal(kicks, 3);
	post.late_any = post.notify = false;	/* it delivers, but nothing can be posted to it */
	vcpu_notify(v);
	assert_int_equal(kicks, 4);
	post.notify = true;
	v->state = VCPU_RUNNABLE;		/* the entry looks */
	vcpu_notify(v);
	v->state = VCPU_STOPPED;
	vcpu_notify(v);
	v->state = VCPU_RUNNING;
	v->home = &cpu;				/* this CPU, in root mode: likewise */
	cpu.current = v;
	vcpu_notify(v);
	cpu.current = NULL;
	assert_int_equal(kicks, 4);
	assert_int_equal(notices, 1);
	/* Asleep: it wakes if the priorities let the vector through. */
	v->state = VCPU_HALTED;
	v->mp_state = KVM_MP_STATE_HALTED;
	vcpu_notify(v);
	assert_int_equal(v->state, VCPU_HALTED);
	/* What holds it back may be over already, where that is not to be seen. */
	v->pv_eoi_armed = true;
	vcpu_notify(v);
	assert_int_equal(v->state, VCPU_HALTED);
	v->apic.irr_hint = true;
	vcpu_notify(v);
	assert_int_equal(v->state, VCPU_RUNNABLE);
	sched_dequeue(v);
	v->pv_eoi_armed = v->apic.irr_hint = false;
	v->state = VCPU_HALTED;
	v->mp_state = KVM_MP_STATE_HALTED;
	raise_irq(0);
	vcpu_notify(v);
	assert_int_equal(v->state, VCPU_RUNNABLE);
	assert_int_equal(notices, 1);
}

/* One that failed, the PIC's, and one of the APIC: each comes once, as soon as there is room. */
static void order_of_interrupts(void **state)
{
	(void)state;
	tasks = 1;
	vm[0].intr_again = true;
	vm[0].again_vector = 0x41;
	vm[0].extint_queued = true;
	vm[0].extint_vector = 0x31;
	raise_irq(0);
	run_until(MS);
	assert_int_equal(injections, 3);
	assert_int_equal(injected[0], 0x41);
	assert_int_equal(injected[1], 0x31);
	assert_int_equal(injected[2], 0x30);
	assert_int_equal(windows, 2);
	assert_false(vm[0].intr_again || vm[0].extint_queued || irq[0]);
}

/* Waiting for INIT or SIPI there is nothing else to do, whatever the VMM wants injected. */
static void no_event_ends_a_wait_for_sipi(void **state)
{
	static const u8 waits[] = { KVM_MP_STATE_UNINITIALIZED, KVM_MP_STATE_INIT_RECEIVED };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		vm[i].mp_state = waits[i];
		vm[i].inject = (struct vcpu_event){ .type = EVENT_EXC, .vector = X86_TRAP_UD };
		assert_false(vcpu_has_work(&vm[i]));
		vm[i].shutdown_sticky = true;
		assert_false(vcpu_has_work(&vm[i]));
		vm[i].requests = VCPU_REQ_INIT;
		assert_true(vcpu_has_work(&vm[i]));
		vm[i].requests = 0;
		vm[i].mp_state = KVM_MP_STATE_HALTED;
		assert_true(vcpu_has_work(&vm[i]));
	}
}

static u32 looks_if(void (*set)(struct vcpu *v))
{
	setup(NULL);
	tasks = 1;
	looks = 0;
	set(&vm[0]);
	run_until(MS);
	return looks;
}

static void set_nothing(struct vcpu *v __unused) { }
static void set_extint(struct vcpu *v) { v->extint = BP_EXTINT_HIGH; }
static void set_eoi_armed(struct vcpu *v) { v->pv_eoi_armed = true; }
static void set_watch(struct vcpu *v) { v->tpr_watch = 3; }
static void set_off(struct vcpu *v)
{
	static struct vlapic_post post = { .off = true };

	v->apic.post = &post;
}

/* Before an entry with nothing to do its APIC is not asked; whatever there may be, it is. */
static void looked_at_if_need_be(void **state)
{
	u32 quiet = looks_if(set_nothing);

	(void)state;
	assert_true(looks_if(set_extint) > quiet);
	assert_true(looks_if(set_eoi_armed) > quiet);
	assert_true(looks_if(set_watch) > quiet);
	assert_true(looks_if(set_off) > quiet);
	assert_int_equal(looks_if(set_nothing), quiet);
}

/* An SMI does not interrupt an event's delivery, but comes before what waits behind it. */
static void smi_comes_between_events(void **state)
{
	(void)state;
	tasks = 1;
	vm[0].inject = (struct vcpu_event){ .type = EVENT_INTR, .vector = 0x41 };
	vm[0].requests = VCPU_REQ_SMI;
	raise_irq(0);
	run_until(100 * US);
	assert_int_equal(self_kicks, 1);
	assert_int_equal(injections, 1);
	assert_int_equal(injected[0], 0x41);
	assert_true(exits_seen[BP_EXIT_SMI] >= 1);
	assert_true(irq[0]);
	assert_int_equal(vm[0].requests, VCPU_REQ_SMI);
}

/* In SMM nothing of the kind is taken, or ends HLT. */
static void requests_wait_in_smm(void **state)
{
	(void)state;
	tasks = 1;
	vm[0].space = GPA_SMM;
	vm[0].requests = VCPU_REQ_SMI;
	run_until(MS);
	assert_int_equal(exits_seen[BP_EXIT_SMI], 0);
	vm[0].mp_state = KVM_MP_STATE_HALTED;
	vm[0].requests |= VCPU_REQ_INIT;
	assert_false(vcpu_has_work(&vm[0]));
	vm[0].space = 0;
	assert_true(vcpu_has_work(&vm[0]));
	/* Nor does an SMI end a wait for SIPI. */
	vm[0].mp_state = KVM_MP_STATE_INIT_RECEIVED;
	vm[0].requests = VCPU_REQ_SMI;
	assert_false(vcpu_has_work(&vm[0]));
}

/* HLT of a guest's guest, or without GIF: it ends by what can be taken, and by nothing else. */
static void what_ends_a_nested_halt(void **state)
{
	struct vcpu *v = &vm[0];

	(void)state;
	v->mp_state = KVM_MP_STATE_HALTED;
	v->apic.reg[APIC_REG_TPR / 4] = 0x30;
	v->nested = (struct bp_nested){ .flags = BP_NESTED_ON | BP_NESTED_GUEST, .virq = 3 };
	assert_false(vcpu_has_work(v));
	v->nested.virq = 4;
	assert_true(vcpu_has_work(v));
	v->regs.rflags = 0;
	assert_false(vcpu_has_work(v));
	v->regs.rflags = X86_EFLAGS_IF;
	v->nested.flags |= BP_NESTED_TPR;
	v->nested.tpr = 4;
	assert_false(vcpu_has_work(v));
	v->nested.tpr = 3;
	assert_true(vcpu_has_work(v));
	v->nested.virq = 0;

	irq[0] = true;
	assert_true(vcpu_has_work(v));
	v->nested.flags |= BP_NESTED_NO_IRQ;
	assert_false(vcpu_has_work(v));
	v->nested.flags |= BP_NESTED_INTR;
	assert_true(vcpu_has_work(v));
	v->regs.rflags = 0;
	assert_false(vcpu_has_work(v));
	v->nested.flags |= BP_NESTED_ANY_IF;
	assert_true(vcpu_has_work(v));
	irq[0] = false;
	/* What L1 has injected is L2's: it waits for IF, or for nothing. */
	v->intr_again = true;
	assert_false(vcpu_has_work(v));
	v->again_now = true;
	assert_true(vcpu_has_work(v));
	v->again_now = false;
	v->nested.flags &= ~(BP_NESTED_ANY_IF | BP_NESTED_INTR);
	assert_false(vcpu_has_work(v));
	v->regs.rflags = X86_EFLAGS_IF;
	assert_true(vcpu_has_work(v));
	v->intr_again = false;
	assert_false(vcpu_has_work(v));

	v->nmi_pending = true;
	assert_true(vcpu_has_work(v));
	nmi_masked = true;
	assert_false(vcpu_has_work(v));
	nmi_masked = false;

	v->nested = (struct bp_nested){ .flags = BP_NESTED_ON | BP_NESTED_HOLD };
	v->regs.rflags = X86_EFLAGS_IF;
	irq[0] = true;
	assert_false(vcpu_has_work(v));
	v->inject.type = EVENT_EXC;
	assert_true(vcpu_has_work(v));
	v->apic.reg[APIC_REG_TPR / 4] = 0;
}

/* HLT in a handler of NMIs: another one waits for its IRET, and does not end it. */
static void halt_inside_an_nmi(void **state)
{
	struct vcpu *v = &vm[0];

	(void)state;
	v->mp_state = KVM_MP_STATE_HALTED;
	v->regs.rflags = X86_EFLAGS_IF;
	v->nmi_pending = nmi_masked = true;
	assert_false(vcpu_has_work(v));
	irq[0] = true;
	assert_true(vcpu_has_work(v));
	irq[0] = nmi_masked = false;
	assert_true(vcpu_has_work(v));
}

/* In L2 what L1 injects waits for nothing; what has met an exception waits for IF. */
static void interrupt_again_in_l2(void **state)
{
	(void)state;
	tasks = 1;
	vm[0].nested.flags = BP_NESTED_ON | BP_NESTED_GUEST;
	vm[0].regs.rflags = 0;
	vm[0].intr_again = true;
	vm[0].again_vector = 0x41;
	run_until(MS);
	assert_int_equal(injections, 0);
	assert_true(windows);
	setup(NULL);
	tasks = 1;
	vm[0].nested.flags = BP_NESTED_ON | BP_NESTED_GUEST;
	vm[0].regs.rflags = 0;
	vm[0].intr_again = vm[0].again_now = true;
	vm[0].again_vector = 0x41;
	run_until(MS);
	assert_int_equal(injections, 1);
	assert_int_equal(injected[0], 0x41);
}

/* An NMI that L1 wants to hear of is not L2's, whenever it comes. */
static void nmi_comes_late_in_l2(void **state)
{
	(void)state;
	tasks = 1;
	nmi_comes = true;
	vm[0].nested.flags = BP_NESTED_ON | BP_NESTED_GUEST | BP_NESTED_NMI | BP_NESTED_INTR |
			     BP_NESTED_ANY_IF | BP_NESTED_NO_IRQ;
	run_until(MS);
	assert_int_equal(nmis, 0);
	assert_true(exits_seen[BP_EXIT_NESTED]);
	assert_int_equal(vm[0].page->nested.what, BP_NESTED_BY_NMI);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(process_beside_two_vms, setup),
		cmocka_unit_test_setup(shares_on_a_machine_that_stalls, setup),
		cmocka_unit_test_setup(no_event_ends_a_wait_for_sipi, setup),
		cmocka_unit_test_setup(looked_at_if_need_be, setup),
		cmocka_unit_test_setup(smi_comes_between_events, setup),
		cmocka_unit_test_setup(requests_wait_in_smm, setup),
		cmocka_unit_test_setup(what_ends_a_nested_halt, setup),
		cmocka_unit_test_setup(halt_inside_an_nmi, setup),
		cmocka_unit_test_setup(interrupt_again_in_l2, setup),
		cmocka_unit_test_setup(nmi_comes_late_in_l2, setup),
		cmocka_unit_test_setup(timer_waits_for_a_cpu, setup),
		cmocka_unit_test_setup(notifying, setup),
		cmocka_unit_test_setup(order_of_interrupts, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
