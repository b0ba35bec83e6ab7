// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run loop, vCPU states and runqueues on one CPU, with a model of Linux in
 * domain 0 that shares its time among tasks: those that compute and those that
 * sit in RUN.  One tick is one nanosecond.
 */
// SOURCES: hv/core/run/run.c hv/core/run/nested.c hv/core/vcpu/vcpu.c hv/core/vcpu/halt.c hv/core/vcpu/sched.c hv/core/vcpu/sched_math.c hv/core/lib/tree.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/run/exit_msr.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/apic/irq.h"
#include "hv/core/machine/idle.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/guest/pv.h"
#include "hv/core/run/loop.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/speculation.h"
#include "hv/core/vcpu/switch.h"
#include "hv/core/machine/timer.h"

#define US	1000ull
#define MS	1000000ull
#define STEP	(10 * US)
#define TICK	(4 * MS)
#define GUESTS	3

u64 tsc_khz = 1000000;
bool tsc_alike = true;
u64 host_tsc;

static struct cpu cpu, other_cpu, *here;
static struct domain guest_dom;
static struct vcpu d0, other_d0, vm[GUESTS];
static struct bp_vcpu_page page[GUESTS];
static bool irq[GUESTS + 2];		/* interrupt pending: guests, d0, other_d0 */
static u32 kicks, self_kicks, notices, services, looks;	/* looks: at an APIC, before entries */
static u64 end_of_time;
static jmp_buf done;

/* What a vCPU does in a step; NULL spins. */
static void (*guest_step[GUESTS])(struct vcpu *v);
static void (*d0_step)(void);
static void (*pending_exit)(struct vcpu *v);

struct domain dom0;
struct cpu *cpus[MAX_CPUS] = { &cpu };
u32 nr_cpus = 1;

struct cpu *this_cpu(void)
{
	return here;
}

/* ---- stand-ins ---- */

static int number(const struct vcpu *v)
{
	return v == &d0 ? GUESTS : v == &other_d0 ? GUESTS + 1 : v - vm;
}

void vcpu_raise_pending(struct vcpu *v __unused) { }
bool vcpu_debug_service(struct vcpu *v __unused, u8 vector __unused, u64 dr6 __unused)
{
	return false;
}

bool exit_msr_go(struct vcpu *v __unused) { return true; }
u8 vcpu_insn_len(struct vcpu *v __unused) { return 2; }

bool vlapic_has_interrupt(struct vcpu *v)
{
	return irq[number(v)];
}

static void raise_irq(int n)
{
	struct vcpu *v = n == GUESTS ? &d0 : n == GUESTS + 1 ? &other_d0 : &vm[n];

	irq[n] = v->apic.irr_hint = true;
}

static bool nmi_comes;			/* from another CPU, in the midst of what follows */

int vlapic_pending(struct vcpu *v)
{
	looks++;
	v->nmi_pending |= nmi_comes && v == &vm[0];
	return irq[number(v)] ? 0x30 : -1;
}

void vlapic_ack(struct vcpu *v, u8 vector)
{
	assert_int_equal(vector, 0x30);
	irq[number(v)] = v->apic.irr_hint = false;
}

u8 vlapic_tpr_blocked(struct vcpu *v __unused)
{
	return 0;
}

bool vlapic_accepts_extint(const struct vcpu *v __unused)
{
	return false;
}

void vcpu_get_regs(const struct vcpu *v, struct kvm_regs *r)
{
	r->rip = v->regs.rip;
}

void vcpu_set_regs(struct vcpu *v, const struct kvm_regs *r)
{
	v->regs.rip = r->rip;
}

void vcpu_insn_done(struct vcpu *v __unused) { fail(); }
static u32 machine_checks;

void vcpu_exception(struct vcpu *v, u8 vector, bool has __unused,
		    u32 error __unused)
{
	assert_int_equal(vector, X86_TRAP_MC);
	assert_ptr_equal(v, &d0);
	assert_false(d0.mce_pending);
	machine_checks++;
}

void lapic_send_ipi(u32 apic_id __unused, u8 vector)
{
	assert_true(vector == VECTOR_KICK || vector == VECTOR_POSTED);
	kicks += vector == VECTOR_KICK;
	notices += vector == VECTOR_POSTED;
}

void lapic_send_self(u8 vector)
{
	assert_int_equal(vector, VECTOR_KICK);
	self_kicks++;
}

bool pv_update(struct vcpu *v __unused) { return true; }

static int timers_resumed;

void vlapic_timer_resume(struct vcpu *v)
{
	v->apic.timer_waits = false;
	timers_resumed++;
}

/* Steal time, as pv.c counts it. */
void pv_switch_in(struct vcpu *v)
{
	if (v->runnable_since)
		v->steal_tsc += host_tsc - v->runnable_since;
	v->runnable_since = 0;
}

void pv_switch_out(struct vcpu *v __unused) { }
void spec_switch_in(struct cpu *c __unused, struct vcpu *v __unused) { }
void spec_switch_out(struct cpu *c __unused, struct vcpu *v __unused) { }
void pv_preempted(struct vcpu *v __unused) { }
void pv_eoi_prepare(struct vcpu *v __unused, u8 vector __unused) { }
void pv_eoi_sync(struct vcpu *v __unused) { }
void vcpu_save_extra(struct vcpu *v __unused) { }
void vcpu_load_extra(struct vcpu *v __unused) { }
void vcpu_take_init_sipi(struct vcpu *v)
{
	assert_int_equal(v->requests, VCPU_REQ_SMI);
}
void dom0_shutdown(void) { fail(); __builtin_unreachable(); }

void ring_post_service(struct vcpu *v)
{
	assert_ptr_not_equal(v, &d0);
	services++;
	/* The upcall: domain 0 looks at its ring. */
	raise_irq(GUESTS);
	if (d0.state == VCPU_INRUN)
		vcpu_interrupt_run(&d0);
	else
		vcpu_kick(&d0);
}

static void op_nothing(struct vcpu *v __unused) { }
static void op_threshold(struct vcpu *v __unused, u8 cls __unused) { }

static u8 injected[8];
static u32 injections, windows, nmis;

static void op_window(struct vcpu *v __unused, u8 type, bool on)
{
	windows += type == EVENT_INTR && on;
}
static bool op_can_inject(struct vcpu *v, u8 type)
{
	return v->inject.type == EVENT_NONE &&
	       (type == EVENT_NMI || (v->regs.rflags & X86_EFLAGS_IF));
}

static void op_get_block(struct vcpu *v __unused, u8 *shadow, u8 *masked)
{
	*shadow = *masked = 0;
}

static void op_set_block(struct vcpu *v __unused, u8 shadow __unused, u8 masked __unused)
{
}

/* ---- time ---- */

static u64 next_tick;
static bool ticking;

void timer_init(struct hv_timer *t, void (*fn)(struct hv_timer *t))
{
	t->cpu = NULL;
	t->fn = fn;
}

void timer_queue_init(struct timer_queue *q __unused)
{
}

void timer_arm(struct hv_timer *t, u64 deadline)
{
	t->cpu = &cpu;
	t->node.key = deadline;
}

static void interrupts(void)
{
	if (cpu.slice.cpu && host_tsc >= cpu.slice.node.key) {
		cpu.slice.cpu = NULL;
		cpu.slice.fn(&cpu.slice);
	}
	if (ticking && host_tsc >= next_tick) {
		next_tick += TICK;
		raise_irq(GUESTS);
		vcpu_kick(&d0);
	}
}

/* Each so often the machine stands still, as under SMIs or a busy emulator. */
static u64 stall, stalled;

static void advance(u64 ticks)
{
	static u32 seed = 3;

	host_tsc += ticks;
	seed = seed * 1664525 + 1013904223;
	if (stall && ticks == STEP && !((seed >> 16) % 1500)) {
		host_tsc += stall;
		stalled += stall;
	}
	if (host_tsc >= end_of_time)
		longjmp(done, 1);
}

void host_irq_window(void)
{
	interrupts();
}

void host_idle(void)
{
	advance(STEP);
	interrupts();
}

void idle_wait(void)
{
	host_idle();
}

static void (*while_waiting)(void);

void host_pause(void)
{
	assert_non_null(while_waiting);
	while_waiting();
}

/* ---- the world switch ---- */

static u64 ran[GUESTS + 1];

static void op_run(struct vcpu *v)
{
	int n = number(v);
	u64 start = host_tsc - stalled;

	assert_ptr_equal(cpu.current, v);
	assert_int_equal(v->state, VCPU_RUNNING);
	assert_ptr_equal(cpu.rq.curr, &v->sched);
	if (n < GUESTS && v->inject.type == EVENT_INTR)
		injected[injections++ % ARRAY_SIZE(injected)] = v->inject.vector;
	nmis += v->inject.type == EVENT_NMI;
	v->inject.type = EVENT_NONE;
	pending_exit = NULL;
	if (n == GUESTS)
		d0_step();
	else if (guest_step[n])
		guest_step[n](v);
	else
		advance(STEP);
	ran[n] += host_tsc - stalled - start;
}

void vcpu_handle_exit(struct vcpu *v)
{
	void (*fn)(struct vcpu *v) = pending_exit;

	pending_exit = NULL;
	if (fn)
		fn(v);
	interrupts();
}

static const struct hv_ops test_ops = {
	.run = op_run,
	.load = op_nothing,
	.put = op_nothing,
	.flush = op_nothing,
	.can_inject = op_can_inject,
	.window = op_window,
	.tpr_threshold = op_threshold,
	.get_block = op_get_block,
	.set_block = op_set_block,
};
const struct hv_ops *ops = &test_ops;

/* ---- Linux in domain 0: tasks take turns by the time they had ---- */

#define TASKS	4
static struct {
	int guest;		/* -1: computes */
	u64 vruntime;
	bool blocked;		/* sleeps until a service event */
} task[TASKS];
static int tasks, on_cpu;
static u64 linux_last, linux_steal;
static bool in_run;
static u64 task_ran[TASKS];
static u64 exits_seen[BP_EXIT_NESTED + 1];

static void linux_account(void)
{
	task[on_cpu].vruntime += host_tsc - linux_last - (d0.steal_tsc - linux_steal);
	linux_last = host_tsc;
	linux_steal = d0.steal_tsc;
}

static void linux_schedule(void)
{
	int i, best = -1;

	linux_account();
	for (i = 0; i < tasks; i++)
		if (!task[i].blocked && (best < 0 || task[i].vruntime < task[best].vruntime))
			best = i;
	assert_true(best >= 0);
	on_cpu = best;
}

static void exit_run(struct vcpu *v)
{
	s64 ret = vcpu_run(v, &vm[task[on_cpu].guest]);

	if (ret == RUN_SWITCHED) {
		in_run = true;
		return;
	}
	assert_true(ret > 0);
	v->regs.gpr[RAX] = ret;
	in_run = true;			/* Linux sees the result at its next step */
}

static void linux_step(void)
{
	u64 start = host_tsc - stalled;

	if (in_run) {
		s64 ret = d0.regs.gpr[RAX];

		in_run = false;
		exits_seen[ret]++;
		advance(US);
		task[on_cpu].blocked = ret == BP_EXIT_BLOCKED;
		linux_schedule();
		return;
	}
	if (task[on_cpu].guest >= 0) {
		advance(US);
		pending_exit = exit_run;
		return;
	}
	advance(STEP);
	task_ran[on_cpu] += host_tsc - stalled - start;
	if (host_tsc - linux_last >= TICK)
		linux_schedule();
}

/* ---- set-up ---- */

static void init_vcpu(struct vcpu *v, struct domain *d, int index)
{
	static u32 registers[APIC_REG_EILVT0 / 4];

	memset(v, 0, sizeof(*v));
	v->apic.reg = registers;
	v->dom = d;
	v->index = index;
	v->home = &cpu;
	v->mp_state = KVM_MP_STATE_RUNNABLE;
	v->regs.rflags = X86_EFLAGS_IF;
	sched_init_vcpu(v, d == &dom0);
}

static int setup(void **state)
{
	int i;

	(void)state;
	memset(&cpu, 0, sizeof(cpu));
	memset(&other_cpu, 0, sizeof(other_cpu));
	memset(page, 0, sizeof(page));
	memset(irq, 0, sizeof(irq));
	memset(ran, 0, sizeof(ran));
	memset(task, 0, sizeof(task));
	memset(task_ran, 0, sizeof(task_ran));
	memset(exits_seen, 0, sizeof(exits_seen));
	memset(guest_step, 0, sizeof(guest_step));
	host_tsc = 1000 * MS;
	kicks = self_kicks = notices = services = injections = windows = 0;
	machine_checks = nmis = 0;
	nmi_comes = false;
	stall = stalled = 0;
	in_run = ticking = false;
	tasks = on_cpu = 0;
	linux_last = host_tsc;
	linux_steal = 0;
	other_cpu.index = 1;
	here = &cpu;
	while_waiting = NULL;
	sched_init_cpu(&cpu);
	sched_init_cpu(&other_cpu);
	guest_dom.id = 1;
	init_vcpu(&d0, &dom0, 0);
	init_vcpu(&other_d0, &dom0, 1);
	other_d0.home = &other_cpu;
	for (i = 0; i < GUESTS; i++) {
		init_vcpu(&vm[i], &guest_dom, i);
		vm[i].page = &page[i];
		vm[i].state = VCPU_STOPPED;
	}
	cpu.dom0 = &d0;
	d0.state = VCPU_RUNNABLE;
	sched_enqueue(&cpu, &d0, false);
	d0_step = linux_step;
	return 0;
}

static void run_until(u64 ticks)
{
	end_of_time = host_tsc + ticks;
	if (!setjmp(done))
		run_loop();
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

/* ---- PAUSE of a vCPU that runs on the other CPU ---- */

static int refused;

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

/* v goes on there; a thread of that CPU's domain 0 made RUN from STOPPED. */
static s64 run_over_there(struct vcpu *v)
{
	s64 ret;

	here = &other_cpu;
	other_d0.state = VCPU_RUNNING;
	sched_start(&other_cpu, &other_d0, true);
	cpu_switch_in(&other_cpu, &other_d0);
	ret = vcpu_run(&other_d0, v);
	if (ret != RUN_SWITCHED) {
		cpu_switch_out(&other_cpu);
		sched_stop(&other_cpu, &other_d0);
	}
	here = &cpu;
	return ret;
}

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
	v->nmi_pending = true;
	assert_true(vcpu_has_work(v));

	v->nested = (struct bp_nested){ .flags = BP_NESTED_ON | BP_NESTED_HOLD };
	v->regs.rflags = X86_EFLAGS_IF;
	irq[0] = true;
	assert_false(vcpu_has_work(v));
	v->inject.type = EVENT_EXC;
	assert_true(vcpu_has_work(v));
	v->apic.reg[APIC_REG_TPR / 4] = 0;
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
	assert_int_equal(page[0].nested.what, BP_NESTED_BY_NMI);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(process_beside_two_vms, setup),
		cmocka_unit_test_setup(shares_on_a_machine_that_stalls, setup),
		cmocka_unit_test_setup(pause_outlasts_run, setup),
		cmocka_unit_test_setup(pause_of_a_preempted_one, setup),
		cmocka_unit_test_setup(taken_off_while_destroyed, setup),
		cmocka_unit_test_setup(no_event_ends_a_wait_for_sipi, setup),
		cmocka_unit_test_setup(looked_at_if_need_be, setup),
		cmocka_unit_test_setup(smi_comes_between_events, setup),
		cmocka_unit_test_setup(requests_wait_in_smm, setup),
		cmocka_unit_test_setup(what_ends_a_nested_halt, setup),
		cmocka_unit_test_setup(interrupt_again_in_l2, setup),
		cmocka_unit_test_setup(nmi_comes_late_in_l2, setup),
		cmocka_unit_test_setup(shutdown_is_reported_once, setup),
		cmocka_unit_test_setup(timer_waits_for_a_cpu, setup),
		cmocka_unit_test_setup(notifying, setup),
		cmocka_unit_test_setup(machine_check_ends_run, setup),
		cmocka_unit_test_setup(machine_check_without_a_thread, setup),
		cmocka_unit_test_setup(machine_check_far_from_the_thread, setup),
		cmocka_unit_test_setup(order_of_interrupts, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
