// SPDX-License-Identifier: GPL-2.0-only
/* The ways in which a RUN ends early: PAUSE, its domain's end, a shutdown, a machine check. */
// SOURCES: hv/core/run/run.c hv/core/run/nested.c hv/core/vcpu/vcpu.c hv/core/vcpu/halt.c hv/core/vcpu/sched.c hv/core/vcpu/sched_math.c hv/core/lib/tree.c tests/unit/rig/run_loop_rig.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/vcpu/switch.h"
#include "run_loop_rig.h"

static int refused;

/* The thread there calls RUN again at once, each time that RUN ends. */
static void stop_and_run_again(void)
{
	assert_true(refused < 3);
	assert_ptr_equal(other_cpu.current, &vm[0]);
	assert_true(vm[0].pause_req);
	here = &other_cpu;
	vcpu_service(&vm[0], BP_EXIT_PAUSED);
	here = &cpu;
	assert_int_equal(vm[0].state, VCPU_STOPPED);
	refused++;
	assert_int_equal(run_over_there(&vm[0]), -EBUSY);
}

static void pause_outlasts_run(void **state)
{
	(void)state;
	refused = 0;
	assert_int_equal(run_over_there(&vm[0]), RUN_SWITCHED);
	assert_int_equal(vm[0].state, VCPU_RUNNING);
	while_waiting = stop_and_run_again;
	assert_int_equal(vcpu_pause(&vm[0]), 0);
	assert_int_equal(refused, 1);
	assert_int_equal(vm[0].state, VCPU_STOPPED);
	assert_false(vm[0].pause_req);
	assert_int_equal(run_over_there(&vm[0]), RUN_SWITCHED);
}

/* Its time slice ends just then. */
static void preempt_it(void)
{
	here = &other_cpu;
	cpu_switch_out(&other_cpu);
	sched_stop(&other_cpu, &vm[0]);
	vm[0].state = VCPU_RUNNABLE;
	sched_enqueue(&other_cpu, &vm[0], true);
	here = &cpu;
	while_waiting = NULL;
}

static void pause_of_a_preempted_one(void **state)
{
	(void)state;
	assert_int_equal(run_over_there(&vm[0]), RUN_SWITCHED);
	while_waiting = preempt_it;
	assert_int_equal(vcpu_pause(&vm[0]), 0);
	assert_int_equal(vm[0].state, VCPU_STOPPED);
	assert_ptr_equal(other_cpu.rq.queue.root, &other_d0.sched.node);
	assert_int_equal(other_cpu.rq.nr, 1);
	assert_int_equal(other_d0.state, VCPU_RUNNABLE);	/* its RUN is over */
	assert_int_equal(other_d0.regs.gpr[RAX], BP_EXIT_PAUSED);
	vm[0].state = VCPU_CLAIMED;
	assert_int_equal(vcpu_pause(&vm[0]), -EBUSY);
	vm[0].state = VCPU_DEAD;
	assert_int_equal(vcpu_pause(&vm[0]), -EBUSY);
	assert_int_equal(vm[0].pausers, 0);
}

unsigned int alarm(unsigned int seconds);	/* <unistd.h> has a pause() of its own */

/* Its end begins on another CPU: when that lets go of the lock, the vCPU is no more. */
static void destroy_it(void)
{
	struct vcpu *v = &vm[0];

	assert_int_equal(v->state, VCPU_RUNNABLE);
	assert_int_equal(cpu.rq.nr, 1);
	sched_dequeue(v);
	memset(v, 0xff, sizeof(*v));
	while_waiting = NULL;
}

/* A vCPU's memory is its domain's only as long as the queue has it, or its lock is held. */
static void taken_off_while_destroyed(void **state)
{
	static struct vcpu gone;

	(void)state;
	assert_ptr_equal(sched_take(&cpu), &d0);
	cpu.rq.curr = NULL;
	vm[0].state = VCPU_RUNNABLE;
	sched_enqueue(&cpu, &vm[0], false);
	memset(&gone, 0xff, sizeof(gone));
	alarm(20);			/* instead of waiting for a lock that is no more */
	spin_lock(&vm[0].lock);
	while_waiting = destroy_it;
	assert_null(sched_take(&cpu));
	alarm(0);
	assert_null(while_waiting);
	assert_memory_equal(&vm[0], &gone, sizeof(gone));
}

/* Nobody waited for the triple fault: the next RUN says it, once, whatever PAUSE came between. */
static void shutdown_is_reported_once(void **state)
{
	(void)state;
	assert_int_equal(run_over_there(&vm[0]), RUN_SWITCHED);
	vcpu_interrupt_run(&other_d0);
	here = &other_cpu;
	vcpu_service(&vm[0], BP_EXIT_SHUTDOWN);
	here = &cpu;
	assert_int_equal(vcpu_pause(&vm[0]), 0);
	assert_int_equal(run_over_there(&vm[0]), BP_EXIT_SHUTDOWN);
	assert_int_equal(run_over_there(&vm[0]), RUN_SWITCHED);
}

static bool hit;

static void exit_mce(struct vcpu *v)
{
	vcpu_service(v, BP_EXIT_MCE);
	vcpu_kick(&d0);
}

static void step_into_error(struct vcpu *v __unused)
{
	advance(STEP);
	if (!hit)
		pending_exit = exit_mce;
	hit = true;
}

/* The thread in RUN hears of a machine check that its vCPU had; nobody else does. */
static void machine_check_ends_run(void **state __unused)
{
	hit = false;
	tasks = 1;
	guest_step[0] = step_into_error;
	run_until(10 * MS);
	assert_int_equal(exits_seen[BP_EXIT_MCE], 1);
	assert_int_equal(machine_checks, 0);
	assert_int_equal(vm[0].exit_pending, 0);
}

/* Nobody waits for the vCPU on this CPU: the CPU's domain 0 has the exception, the vCPU stops. */
static void machine_check_without_a_thread(void **state __unused)
{
	struct vcpu *v = &vm[0];

	hit = false;
	tasks = 1;
	task[0].guest = -1;
	guest_step[0] = step_into_error;
	v->state = VCPU_RUNNABLE;
	sched_enqueue(&cpu, v, false);
	run_until(10 * MS);
	assert_true(hit);
	assert_int_equal(machine_checks, 1);
	assert_int_equal(v->state, VCPU_STOPPED);
	assert_int_equal(v->exit_pending, 0);
}

/* Its thread waits on another CPU: that one has had no machine check. */
static void machine_check_far_from_the_thread(void **state __unused)
{
	struct vcpu *v = &vm[0];

	hit = false;
	tasks = 1;
	task[0].guest = -1;
	guest_step[0] = step_into_error;
	other_d0.state = VCPU_INRUN;
	other_d0.home = &other_cpu;
	other_d0.target = v;
	v->donor = &other_d0;
	v->state = VCPU_RUNNABLE;
	sched_enqueue(&cpu, v, false);
	run_until(10 * MS);
	assert_int_equal(machine_checks, 1);
	assert_int_equal(other_d0.regs.gpr[RAX], BP_EXIT_PAUSED);
	assert_int_equal(v->state, VCPU_STOPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pause_outlasts_run, setup),
		cmocka_unit_test_setup(pause_of_a_preempted_one, setup),
		cmocka_unit_test_setup(taken_off_while_destroyed, setup),
		cmocka_unit_test_setup(shutdown_is_reported_once, setup),
		cmocka_unit_test_setup(machine_check_ends_run, setup),
		cmocka_unit_test_setup(machine_check_without_a_thread, setup),
		cmocka_unit_test_setup(machine_check_far_from_the_thread, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
