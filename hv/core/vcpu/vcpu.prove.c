// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of a vCPU (vcpu.c): each call as a step from any state to the next one.
 *
 * Proved: from every state that is in order, RUN, PAUSE, wake, claim, service exit and halt lead to one
 * that is; they call the scheduler as its contract wants it; locks are free afterwards, and none
 * is taken against the order. "In order" is fine() below: who is queued is RUNNABLE, who has a
 * CPU is RUNNING there, RUN waits for somebody who runs or is about to, and nobody sleeps over
 * something that is pending. Then what each call promises: see its function.
 *
 * Bound: two CPUs with domain 0's vCPUs, one vCPU of a guest; another CPU acts where the code
 * waits for it, up to 3 times.  How calls on several CPUs interleave is states.pml's affair.
 * Assumed: the contracts of sched.h, ops.h and of the local APIC.
 */
#include "stand_in.h"

#include "vcpu.c"

// CFLAGS: -include core_host.h -iquote hv/core/vcpu

u64 tsc_khz = 1000000, host_tsc;
/* Objects by themselves: CBMC is slow with arrays of such ones. */
static struct cpu cpu_a, cpu_b;
static struct vcpu da, db, v;
#define CPU(n)	((n) ? &cpu_b : &cpu_a)
#define D(n)	((n) ? &db : &da)
static struct domain guest;
static struct bp_vcpu_page page;
static u32 apic_page[0x400 / 4];
struct domain dom0;

static bool queued[3], irq[3];
static u8 who_runs[2];			/* 0, 1: domain 0's; 2: the guest's */
#define NOBODY	9
static u32 kicks[2], services, steps;
static bool posts;			/* another CPU does, as domain 0 gives up this one */

struct cpu *this_cpu(void) { return &cpu_a; }

static u8 number(const struct vcpu *x)
{
	return x == &v ? 2 : x == &db;
}

static struct vcpu *vcpu_of(u8 n)
{
	return n == 2 ? &v : D(n);
}

static bool is_locked(const struct spinlock *l)
{
	return l->held;
}

/* ---- contracts ---- */

void sched_enqueue(struct cpu *c, struct vcpu *x, bool requeue __unused)
{
	prove(is_locked(&x->lock) && x->state == VCPU_RUNNABLE && !queued[number(x)]);
	prove(x == &v || c == CPU(number(x)));
	prove(who_runs[0] != number(x) && who_runs[1] != number(x));
	x->home = c;
	queued[number(x)] = true;
	c->rq.nr++;
	kicks[c->index]++;
}

void sched_dequeue(struct vcpu *x)
{
	prove(is_locked(&x->lock) && queued[number(x)]);
	queued[number(x)] = false;
	x->home->rq.nr--;
}

void sched_start(struct cpu *c, struct vcpu *x, bool place __unused)
{
	prove(is_locked(&x->lock) && x->state == VCPU_RUNNING && !queued[number(x)]);
	prove(c == &cpu_a && who_runs[0] == NOBODY);
	x->home = c;
	who_runs[0] = number(x);
}

void sched_stop(struct cpu *c, struct vcpu *x)
{
	prove(is_locked(&x->lock) && c == &cpu_a && who_runs[0] == number(x));
	who_runs[0] = NOBODY;
}

bool sched_hand_over(struct cpu *c, struct vcpu *from, struct vcpu *to)
{
	prove(is_locked(&from->lock) && is_locked(&to->lock) && !queued[number(to)]);
	prove(c == &cpu_a && who_runs[0] == number(from) && who_runs[1] != number(to));
	prove(to == &v || c == CPU(number(to)));
	if (c->rq.nr)
		return false;
	who_runs[0] = number(to);
	to->home = c;
	return true;
}

void halt_learn(struct halt_poll *h __unused, u64 ticks __unused) { }

void cpu_switch_out(struct cpu *c)
{
	prove(c == &cpu_a && c->current && who_runs[0] == number(c->current));
	prove(!is_locked(&da.lock) && !is_locked(&db.lock));
	c->current = NULL;
	irq[0] |= posts;
}

void cpu_switch_in(struct cpu *c, struct vcpu *x)
{
	prove(c == &cpu_a && !c->current && who_runs[0] == number(x));
	c->current = x;
}

void lapic_send_ipi(u32 apic_id, u8 vector __unused)
{
	prove(apic_id == 1);
	kicks[1]++;
}

void ring_post_service(struct vcpu *x)
{
	prove(x == &v && is_locked(&v.lock) && v.state == VCPU_STOPPED);
	services++;
}

static bool nmi_masked[3];

static void get_block(struct vcpu *x, u8 *shadow, u8 *masked)
{
	*shadow = 0;
	*masked = nmi_masked[number(x)];
}

static const struct hv_ops contract = { .get_block = get_block };
const struct hv_ops *ops = &contract;

bool vlapic_waits(struct vcpu *x) { return irq[number(x)]; }
void vcpu_get_regs(const struct vcpu *x __unused, struct kvm_regs *r __unused) { }
void vcpu_set_regs(struct vcpu *x __unused, const struct kvm_regs *r __unused) { }
void vcpu_insn_done(struct vcpu *x) { prove(x == &v && is_locked(&v.lock) && v.state == VCPU_STOPPED); }

void vcpu_exception(struct vcpu *x, u8 vector, bool has_error __unused, u32 error __unused)
{
	prove(x == &v && is_locked(&v.lock) && v.state == VCPU_STOPPED && vector < 32);
}

/* ---- a state in order ---- */

static bool waits_for(const struct vcpu *d0)
{
	return d0->state == VCPU_INRUN && d0->target == &v;
}

static bool one_fine(u8 n)
{
	struct vcpu *x = vcpu_of(n);
	bool here = who_runs[0] == n, there = who_runs[1] == n;

	if (queued[n] != (x->state == VCPU_RUNNABLE) || (here || there) != (x->state == VCPU_RUNNING))
		return false;
	if ((here && (there || x->home != &cpu_a)) || (there && x->home != &cpu_b))
		return false;
	if ((cpu_a.current == x) != here || (cpu_b.current == x) != there)
		return false;
	if (is_locked(&x->lock))
		return false;
	return x->state != VCPU_HALTED || !vcpu_has_work(x);
}

static bool dom0_fine(u8 n)
{
	const struct vcpu *d0 = D(n);

	if (d0->home != CPU(n) || d0->state == VCPU_STOPPED || d0->state == VCPU_CLAIMED ||
	    d0->state == VCPU_DEAD)
		return false;
	if (d0->state != VCPU_INRUN)
		return !d0->target;
	/* Somebody will end it, and does so for an interrupt at once. */
	return d0->target == &v && v.donor == d0 && !irq[n] &&
	       (v.state == VCPU_RUNNING || v.state == VCPU_RUNNABLE);
}

static bool guest_fine(void)
{
	bool awaited = waits_for(&da) || waits_for(&db);

	if (v.state == VCPU_INRUN || (v.donor && v.donor != &da && v.donor != &db))
		return false;
	/* A thread that sleeps until the next service exit is told of it. */
	if (v.waiter && (awaited || v.state == VCPU_STOPPED || v.state == VCPU_CLAIMED))
		return false;
	return v.state == VCPU_STOPPED || v.state == VCPU_CLAIMED || v.state == VCPU_DEAD ||
	       !v.exit_pending;
}

static bool fine(void)
{
	u32 n0 = (queued[0] != 0) + (queued[2] && v.home == &cpu_a);
	u32 n1 = (queued[1] != 0) + (queued[2] && v.home == &cpu_b);

	return one_fine(0) && one_fine(1) && one_fine(2) && dom0_fine(0) && dom0_fine(1) &&
	       guest_fine() && cpu_a.rq.nr == n0 && cpu_b.rq.nr == n1;
}

static struct vcpu *any_vcpu_or_null(void)
{
	u8 n = any_of(0, 3);

	return n == 3 ? NULL : vcpu_of(n);
}

static void any_one(u8 n)
{
	struct vcpu *x = vcpu_of(n);

	x->dom = n == 2 ? &guest : &dom0;
	x->state = any_of(VCPU_STOPPED, VCPU_DEAD);
	x->home = CPU(nondet_bool());
	x->mp_state = nondet_bool() ? KVM_MP_STATE_HALTED : KVM_MP_STATE_RUNNABLE;
	x->regs.rflags = X86_EFLAGS_IF;
	x->pv_unhalted = nondet_bool();
	assume(x->state != VCPU_HALTED || x->mp_state == KVM_MP_STATE_HALTED);
	queued[n] = x->state == VCPU_RUNNABLE;
	irq[n] = nondet_bool();
	nmi_masked[n] = nondet_bool();
}

static void any_state(void)
{
	u8 i;

	for (i = 0; i < 3; i++)
		any_one(i);
	for (i = 0; i < 2; i++) {
		CPU(i)->index = CPU(i)->apic_id = i;
		CPU(i)->dom0 = D(i);
		CPU(i)->rq.nr = any_of(0, 2);
		CPU(i)->current = any_vcpu_or_null();
		who_runs[i] = CPU(i)->current ? number(CPU(i)->current) : NOBODY;
		D(i)->target = nondet_bool() ? &v : NULL;
	}
	v.page = &page;
	v.apic.reg = apic_page;
	v.donor = nondet_bool() ? NULL : D(nondet_bool());
	v.waiter = nondet_bool();
	v.exit_pending = nondet_u8();
	v.pausers = any_of(0, 1);
	v.pause_req = nondet_bool();
	v.move_to = nondet_bool() ? NULL : CPU(nondet_bool());
	v.rules.flags = 0;
	assume(fine());
}

/* The CPU that somebody waits for: it stops the vCPU, or that halts, or is preempted. */
void host_pause(void)
{
	prove(!is_locked(&v.lock) && v.pausers && who_runs[1] == 2);
	if (steps++ < 2 && nondet_bool())
		return;
	who_runs[1] = NOBODY;
	cpu_b.current = NULL;
	switch (any_of(0, 2)) {
	case 0:
		v.state = VCPU_STOPPED;
		v.pause_req = v.waiter = false;
		if (waits_for(&db)) {
			db.state = VCPU_RUNNABLE;
			db.target = NULL;
			queued[1] = true;
			cpu_b.rq.nr++;
		}
		v.donor = waits_for(&da) ? v.donor : NULL;
		break;
	case 1:
		v.state = VCPU_HALTED;
		v.mp_state = KVM_MP_STATE_HALTED;
		irq[2] = v.pv_unhalted = false;
		break;
	case 2:
		v.state = VCPU_RUNNABLE;
		queued[2] = true;
		cpu_b.rq.nr++;
	}
}

/* ---- the calls ---- */

/*
 * RUN_SWITCHED: d0 is INRUN, or has an interrupt and is back at once; v is to run or runs. Else
 * the guest has not changed but for what the result says.
 */
// PROVE: vcpu.run prove_run --unwind 5 --max-field-sensitivity-array-size 0
// MUTANT: hv/core/vcpu/vcpu.c
// - 	if (vcpu_has_irq(d0))
// - 		end_run(d0, BP_EXIT_INTR);
// - }
// + }
// MUTANT: hv/core/vcpu/vcpu.c
// - 	v->exit_pending = 0;
// - 	return exit;
// + 	return exit;
// MUTANT: hv/core/vcpu/vcpu.c
// - 	v->donor = d0;
// - 	v->waiter = false;
// + 	v->donor = d0;
// MUTANT: hv/core/vcpu/vcpu.c
// - 	if (v->pausers || (v->donor && READ_ONCE(v->donor->target) == v)) {
// + 	if (v->donor && READ_ONCE(v->donor->target) == v) {
// + 		v->pausers = 0;
// MUTANT: hv/core/vcpu/vcpu.c
// - 		sched_dequeue(v);
// - 		sched_enqueue(c, v, false);
// + 		sched_enqueue(c, v, false);
void prove_run(void)
{
	enum vcpu_state was;
	u32 pausers;
	u8 exit;
	s64 ret;

	any_state();
	assume(who_runs[0] == 0 && !da.nmi_pending && v.exit_pending != BP_EXIT_BLOCKED);
	was = v.state;
	exit = v.exit_pending;
	pausers = v.pausers;
	posts = nondet_bool();
	ret = vcpu_run(&da, &v);
	prove(fine());
	prove(!pausers || ret != RUN_SWITCHED);
	if (ret == RUN_SWITCHED) {
		prove(da.state == VCPU_INRUN || da.state == VCPU_RUNNABLE);
		prove(v.state == VCPU_RUNNING || v.state == VCPU_RUNNABLE);
		prove(v.donor == &da && (was != VCPU_STOPPED || !exit));
		prove(was != VCPU_CLAIMED && was != VCPU_DEAD && was != VCPU_HALTED);
		prove(was != VCPU_RUNNING || v.home == &cpu_a || v.move_to == &cpu_a);
		return;
	}
	prove(who_runs[0] == 0 && cpu_a.current == &da && v.state == was);
	if (ret == BP_EXIT_BLOCKED && was == VCPU_HALTED)
		prove(v.waiter);
	else if (ret == -EBUSY)
		prove(v.exit_pending == exit);
	else if (ret == BP_EXIT_INTR)
		prove(irq[0] || ret == exit);
	else
		prove(ret == exit && !v.exit_pending);
}

/* 0: it is STOPPED, nobody waits for it, and what it was to report and can again is forgotten. */
// PROVE: vcpu.pause prove_pause --unwind 5 --max-field-sensitivity-array-size 0
// MUTANT: hv/core/vcpu/vcpu.c
// - 	case VCPU_RUNNABLE:
// - 		sched_dequeue(v);
// + 	case VCPU_RUNNABLE:
// MUTANT: hv/core/vcpu/vcpu.c
// - 	v->waiter = false;
// - 	v->pause_req = false;
// - 	v->msr_go = false;
// + 	v->pause_req = false;
// + 	v->msr_go = false;
// MUTANT: hv/core/vcpu/vcpu.c
// - 		end_run(d0, BP_EXIT_PAUSED);
// - 		spin_unlock(&d0->lock);
// + 		spin_unlock(&d0->lock);
// MUTANT: hv/core/vcpu/vcpu.c
// - 	v->pausers--;
// + 	;
void prove_pause(void)
{
	enum vcpu_state was;
	s64 ret;

	any_state();
	assume(who_runs[0] == 0 && !v.pausers);
	was = v.state;
	ret = vcpu_pause(&v);
	prove(!v.pausers && who_runs[0] == 0);
	if (ret) {
		prove(ret == -EBUSY && v.state == was && (was == VCPU_CLAIMED || was == VCPU_DEAD));
		return;
	}
	prove(fine());
	prove(v.state == VCPU_STOPPED && !v.pause_req && !v.waiter);
	prove(!waits_for(&da) && !waits_for(&db));
}

/* What is pending has woken it, or will be seen before its next entry: its CPU is kicked. */
// PROVE: vcpu.wake prove_wake --unwind 5 --max-field-sensitivity-array-size 0
// MUTANT: hv/core/vcpu/vcpu.c
// - 		if (vcpu_has_work(v))
// - 			make_runnable(v);
// - 		break;
// + 		break;
// MUTANT: hv/core/vcpu/vcpu.c
// - 		if (v->home != c)
// - 			lapic_send_ipi(v->home->apic_id, ipi);
// + 		(void)ipi;
// MUTANT: hv/core/vcpu/vcpu.c
// - 		if (vcpu_has_irq(v))
// - 			end_run(v, BP_EXIT_INTR);
// - 		break;
// + 		break;
// MUTANT: hv/core/vcpu/vcpu.c
// - 	d0->target = NULL;
// - 	d0->regs.gpr[RAX] = result;
// - 	make_runnable(d0);
// + 	d0->regs.gpr[RAX] = result;
// + 	make_runnable(d0);
void prove_wake(void)
{
	struct vcpu *x;
	u32 before;

	any_state();
	x = vcpu_of(any_of(0, 2));
	before = kicks[1];
	irq[number(x)] = true;
	vcpu_kick(x);
	prove(fine());
	prove(x->state != VCPU_HALTED && x->state != VCPU_INRUN);
	prove(who_runs[1] != number(x) || kicks[1] > before);
}

// PROVE: vcpu.claim prove_claim --unwind 5 --max-field-sensitivity-array-size 0
// MUTANT: hv/core/vcpu/vcpu.c
// - 	if (v->state == VCPU_STOPPED)
// - 		v->state = VCPU_CLAIMED;
// + 	if (v->state == VCPU_STOPPED || v->state == VCPU_HALTED)
// + 		v->state = VCPU_CLAIMED;
void prove_claim(void)
{
	enum vcpu_state was;

	any_state();
	was = v.state;
	if (vcpu_claim(&v)) {
		prove(was != VCPU_STOPPED && v.state == was);
	} else {
		prove(was == VCPU_STOPPED && v.state == VCPU_CLAIMED && fine());
		vcpu_unclaim(&v);
		prove(v.state == VCPU_STOPPED);
	}
	prove(fine());
}

/* A service exit reaches who waits: RUN's caller, or the thread that sleeps, or the next RUN. */
// PROVE: vcpu.service prove_service --unwind 5 --max-field-sensitivity-array-size 0
// MUTANT: hv/core/vcpu/vcpu.c
// - 		if (exit != BP_EXIT_PAUSED)
// - 			v->exit_pending = exit;
// + 		(void)exit;
// MUTANT: hv/core/vcpu/vcpu.c
// - 		if (v->waiter) {
// - 			v->waiter = false;
// - 			ring_post_service(v);
// - 		}
// + 		v->waiter = false;
// MUTANT: hv/core/vcpu/vcpu.c
// - 	d0->target = NULL;
// - 	d0->regs.gpr[RAX] = result;
// - 	d0->state = VCPU_RUNNING;
// + 	d0->regs.gpr[RAX] = result;
// + 	d0->state = VCPU_RUNNING;
// MUTANT: hv/core/vcpu/vcpu.c
// - 	if (d0 && d0->home == c && sched_hand_over(c, v, d0))
// + 	if (d0 && sched_hand_over(c, v, d0))
void prove_service(void)
{
	bool was_awaited, slept;
	u8 exit = any_of(1, 250);

	any_state();
	assume(who_runs[0] == 2 && exit != BP_EXIT_MCE && exit != BP_EXIT_PAUSED);
	was_awaited = waits_for(&da) || waits_for(&db);
	slept = v.waiter;
	vcpu_service(&v, exit);
	prove(fine());
	prove(v.state == VCPU_STOPPED && !v.pause_req && !v.move_to && page.exit == exit);
	prove(!waits_for(&da) && !waits_for(&db));
	prove(was_awaited || v.exit_pending == exit);
	prove(services == (slept && !was_awaited));
}

/* Halted, with nothing pending, and RUN's caller knows; or on the queue again. */
// PROVE: vcpu.block prove_block --unwind 5 --max-field-sensitivity-array-size 0
// MUTANT: hv/core/vcpu/vcpu.c
// - 	if (vcpu_has_work(v)) {
// - 		sched_stop(c, v);
// + 	if (0) {
// + 		sched_stop(c, v);
// MUTANT: hv/core/vcpu/vcpu.c
// - 		if (d0) {
// - 			v->waiter = true;
// + 		if (d0) {
void prove_block(void)
{
	bool was_awaited;

	any_state();
	assume(who_runs[0] == 2 && v.mp_state == KVM_MP_STATE_HALTED);
	was_awaited = waits_for(&da) || waits_for(&db);
	vcpu_block(&v);
	prove(fine());
	prove(v.state == VCPU_HALTED || (v.state == VCPU_RUNNABLE && v.home == &cpu_a));
	prove(v.state != VCPU_HALTED || !was_awaited || v.waiter);
}

/* Domain 0's own halt; one that is in RUN is called back. */
// PROVE: vcpu.dom0 prove_dom0 --unwind 5 --max-field-sensitivity-array-size 0
// MUTANT: hv/core/vcpu/vcpu.c
// - 	if (d0->state == VCPU_INRUN)
// - 		end_run(d0, BP_EXIT_INTR);
// + 	if (d0->state == VCPU_HALTED)
// + 		end_run(d0, BP_EXIT_INTR);
void prove_dom0(void)
{
	any_state();
	if (nondet_bool()) {
		assume(who_runs[0] == 0 && da.mp_state == KVM_MP_STATE_HALTED);
		vcpu_block(&da);
		prove(da.state == VCPU_HALTED || da.state == VCPU_RUNNABLE);
	} else {
		struct vcpu *x = D(nondet_bool());

		vcpu_interrupt_run(x);
		prove(x->state != VCPU_INRUN);
	}
	prove(fine());
}
