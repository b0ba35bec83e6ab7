// SPDX-License-Identifier: GPL-2.0-only
/* The machine of run_loop_rig.h, and what stands in for the rest of Bedplate there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/run/exit_msr.h"
#include "hv/core/apic/irq.h"
#include "hv/core/machine/idle.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/guest/pv.h"
#include "hv/core/run/loop.h"
#include "hv/core/vcpu/speculation.h"
#include "hv/core/vcpu/switch.h"
#include "hv/core/machine/timer.h"

#include "run_loop_rig.h"

u64 tsc_khz = 1000000;
bool tsc_alike = true;
u64 host_tsc;

struct cpu cpu, other_cpu, *here;
static struct domain guest_dom;
struct vcpu d0, other_d0, vm[GUESTS];
static struct bp_vcpu_page page[GUESTS];
bool irq[GUESTS + 2];
u32 kicks, self_kicks, notices, looks;
bool nmi_comes;
static u32 services;
static u64 end_of_time;
static jmp_buf done;

void (*guest_step[GUESTS])(struct vcpu *v);
static void (*d0_step)(void);
void (*pending_exit)(struct vcpu *v);

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

bool vlapic_waits(struct vcpu *v)
{
	v->nmi_pending |= nmi_comes && v == &vm[0];
	return irq[number(v)];
}

bool vlapic_has_interrupt(struct vcpu *v)
{
	return irq[number(v)] || vcpu_intr_queued(v);
}

void raise_irq(int n)
{
	struct vcpu *v = n == GUESTS ? &d0 : n == GUESTS + 1 ? &other_d0 : &vm[n];

	irq[n] = v->apic.irr_hint = true;
}

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
u32 machine_checks;

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

int timers_resumed;

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
void vcpu_use_drs(struct vcpu *v __unused) { }
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

u8 injected[8];
u32 injections, windows, nmis;

static void op_window(struct vcpu *v __unused, u8 type, bool on)
{
	windows += type == EVENT_INTR && on;
}
static bool op_can_inject(struct vcpu *v, u8 type)
{
	return v->inject.type == EVENT_NONE &&
	       (type == EVENT_NMI || (v->regs.rflags & X86_EFLAGS_IF));
}

bool nmi_masked;

static void op_get_block(struct vcpu *v __unused, u8 *shadow, u8 *masked)
{
	*shadow = 0;
	*masked = nmi_masked;
}

static void op_set_block(struct vcpu *v __unused, u8 shadow __unused, u8 masked __unused)
{
}

/* ---- time ---- */

u64 next_tick;
bool ticking;

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

u64 stall;
static u64 stalled;

void advance(u64 ticks)
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

void (*while_waiting)(void);

void host_pause(void)
{
	assert_non_null(while_waiting);
	while_waiting();
}

/* ---- the world switch ---- */

u64 ran[GUESTS + 1];

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

struct task task[TASKS];
int tasks;
static int on_cpu;
static u64 linux_last, linux_steal;
static bool in_run;
u64 task_ran[TASKS];
u64 exits_seen[BP_EXIT_NESTED + 1];

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

int setup(void **state)
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

void run_until(u64 ticks)
{
	end_of_time = host_tsc + ticks;
	if (!setjmp(done))
		run_loop();
}

s64 run_over_there(struct vcpu *v)
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
