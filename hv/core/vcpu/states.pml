/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The states of vCPUs, as a model for Spin: two CPUs, domain 0's vCPU on each of them, and
 * GUESTS vCPUs of one guest.  Each inline is the C function of its name.
 *
 * What is checked:
 * - at each entry: the vCPU is RUNNING here, nowhere else, and is not freed;
 * - nobody looks at a vCPU that is freed;
 * - when nothing moves any more (every CPU waits in HLT, or in a vCPU that spins for ever, and
 *   no interrupt is on its way): nothing is queued, nothing that is pending has been
 *   forgotten, no RUN waits for somebody who does not run, no PAUSE waits, no lock is held.
 *
 * So a wake-up that is lost, a PAUSE that does not end and a deadlock are states in which the
 * model stops too early.  Loops that wait are statements that block.
 *
 * Each access of a word that others may access without a common lock is a step of its own.
 * A section of a run queue's lock has one such access at most (->nr, or the trylock and then
 * ->nr), so it is one step.  Stores become visible in order here; where the code needs a barrier
 * because x86 lets a load go before a store, a locked instruction is in between: spin_lock(), or
 * smp_mb() in vlapic_pending().
 *
 * The environment says how much happens: HC hypercalls of domain 0, IRQS device interrupts,
 * NMIS NMIs, ACTS timers and IPIs of guests; and with FAULT=n a fault is seeded, which Spin
 * must find.
 *
 * PROVE: states.run HC=2 IRQS=1
 * FAULT: FAULT=1 HC=2
 * FAULT: FAULT=5 HC=2
 * FAULT: FAULT=6 HC=2
 * FAULT: FAULT=7 HC=2
 * FAULT: FAULT=8 HC=2
 * FAULT: FAULT=10 HC=2
 * PROVE: states.idle HC=1 NMIS=1
 * FAULT: FAULT=2 IRQS=1
 * FAULT: FAULT=3 NMIS=2
 * FAULT: FAULT=4 NMIS=1
 * PROVE: states.destroy HC=2 ACTS=1
 * FAULT: FAULT=9 HC=3
 * FAULT: FAULT=11 HC=2 ACTS=1
 * FAULT: FAULT=12 HC=2
 * PROVE: states.guests -DGUESTS=2 HC=2
 * FAULT: FAULT=6 HC=2
 */
c_decl {
\#include <stdlib.h>
};
c_code {
	static int fault;

	static int number(const char *name)
	{
		return getenv(name) ? atoi(getenv(name)) : 0;
	}
};
#define FAULT(n)	c_expr { fault == n }

#ifndef GUESTS
#define GUESTS	1
#endif

/* What is not needed any more makes no states. */
#define FORGET	g = NONE; d0 = NONE; dest = NONE; yes = false; direct = false; destroys = false; \
		serves = false; paused = false; halts = false

#define NV	(2 + GUESTS)	/* 0 and 1: domain 0's, pinned to CPU 0 and 1 */
#define NONE	15
#define D0(c)	(c)
#define IS_D0(v) ((v) < 2)

mtype = { STOPPED, CLAIMED, RUNNABLE, RUNNING, HALTED, INRUN, DEAD };

/* struct vcpu */
bool vlock[NV];
mtype state[NV];
byte home[NV];
byte donor[NV];
byte target[NV];
bool waiter[NV];
bool pause_req[NV];
byte pausers[NV];
byte move_to[NV];
bool mp_halted[NV];		/* ->mp_state */
bool exit_pending[NV];
bool irr[NV];			/* a vector above PPR */
bool irr_hint[NV];
bool nmi_pending[NV];
byte timer[NV];			/* CPU where ->apic.timer is armed */

/* struct cpu */
byte current[2];
bool resched[2];
byte queue[2];			/* ->rq: a bit for each vCPU */
byte nr[2];
byte curr[2];
bool slice[2];			/* the timer is armed; it may fire at any moment from then on */
bool cpu_nmi[2];
byte running[2];		/* ->timers.running */
bool ring[2];			/* an event that domain 0 has not looked at */

/* The CPU's local APIC */
bool kick[2];
bool irq[2];			/* a device's */

/* The guest domain */
bool linked[NV];
byte refs = 1;
bool op;			/* slot's lock */
bool freed[NV];

/* Ghosts */
byte on[NV];			/* whose CPU has the registers */
bool look[NV];			/* domain 0 came back from RUN: it looks at the ring */
byte hc, irqs, nmis, acts;

#define ALIVE(v)	assert(!freed[v])
#define LOCK(v)		atomic { ALIVE(v); !vlock[v] -> vlock[v] = true }
#define UNLOCK(v)	d_step { ALIVE(v); vlock[v] = false }
#define TAKE_OFF(c, v)	queue[c] = queue[c] & ~(1 << (v)); nr[c]--
#define QUEUED(c, v)	((queue[c] >> (v)) & 1)

/* Interrupts of CPU c that may be taken now. */
#if GUESTS > 1
#define TIMERS(c)	(timer[2] == c || timer[3] == c)
#else
#define TIMERS(c)	(timer[2] == c)
#endif
#define PENDING(c)	(kick[c] || irq[c] || slice[c] || TIMERS(c))

/* ---- sched.c ---- */

inline arm_slice()
{
	if
	:: curr[me] != NONE && nr[me] -> slice[me] = true
	:: else
	fi
}

/* sched_preempts() may say anything; but what comes to an idle CPU is to run. */
inline sched_enqueue(to, x)
{
	home[x] = to;
	if
	:: FAULT(1) -> kick[to] = kick[to] || to != me
	:: else
	fi;
	d_step { queue[to] = queue[to] | (1 << x); nr[to]++ };
	if
	:: resched[to] = true
	:: to == me && curr[to] != NONE -> arm_slice()
	:: to != me && curr[to] != NONE
	fi;
	if
	:: FAULT(1)
	:: else -> kick[to] = kick[to] || to != me
	fi
}

inline sched_dequeue(x)
{
	d_step {
		assert(QUEUED(home[x], x));
		queue[home[x]] = queue[home[x]] & ~(1 << x);
		nr[home[x]]--
	}
}

inline sched_start(x)
{
	d_step { home[x] = me; curr[me] = x };
	arm_slice()
}

inline sched_stop()
{
	curr[me] = NONE
}

inline sched_stop_if(cond)
{
	if
	:: cond -> sched_stop()
	:: else
	fi
}

/* Result: direct. */
inline sched_hand_over(x)
{
	d_step { direct = !nr[me];
		if
		:: direct -> curr[me] = x; home[x] = me
		:: else
		fi }
}

/* Any of the queue; who is chosen and locked is waited for as long as it is there. */
inline sched_take()
{
	v = NONE;
	do
	:: queue[me] == 0 -> v = NONE; break
	:: QUEUED(me, 0) -> v = 0
	:: QUEUED(me, 1) -> v = 1
	:: QUEUED(me, 2) -> v = 2
#if GUESTS > 1
	:: QUEUED(me, 3) -> v = 3
#endif
	:: v != NONE ->
	   if
	   :: atomic { QUEUED(me, v) && !vlock[v] -> vlock[v] = true; TAKE_OFF(me, v) };
	      break
	   :: atomic { FAULT(9) && QUEUED(me, v) -> TAKE_OFF(me, v) };
	      LOCK(v);
	      break
	   :: !QUEUED(me, v) -> v = NONE
	   fi
	od;
	if
	:: v != NONE ->
	   state[v] = RUNNING;
	   sched_start(v);
	   UNLOCK(v)
	:: else
	fi
}

/* ---- vlapic.c ---- */

inline vlapic_set_irr(x)
{
	d_step { ALIVE(x); irr[x] = true };
	irr_hint[x] = true
}

/* Result: yes. */
inline vlapic_pending(x)
{
	if
	:: !irr_hint[x] -> yes = false
	:: else ->
	   if
	   :: irr[x] -> yes = true
	   :: else ->
	      irr_hint[x] = false;
	      if
	      :: !FAULT(5) && irr[x] -> irr_hint[x] = true
	      :: else
	      fi;
	      yes = false
	   fi
	fi
}

/* ---- vcpu.c ---- */

/* Here also vcpu_has_work(), of one that is HALTED with IF set. */
inline vcpu_has_irq(x)
{
	if
	:: nmi_pending[x] -> yes = true
	:: else -> vlapic_pending(x)
	fi
}

inline make_runnable(x)
{
	d_step { state[x] = RUNNABLE; mp_halted[x] = false };
	sched_enqueue(home[x], x)
}

/* In wake() also for HALTED: what of RUN there is nothing of is not changed. */
inline end_run(x)
{
	d_step { target[x] = NONE; look[x] = look[x] || state[x] == INRUN };
	make_runnable(x)
}

inline wake(x)
{
	ALIVE(x);
	if
	:: current[me] == x
	:: else ->
	   LOCK(x);
	   if
	   :: state[x] == HALTED || state[x] == INRUN ->
	      vcpu_has_irq(x);
	      if
	      :: yes -> end_run(x)
	      :: else
	      fi
	   :: state[x] == RUNNING ->
	      if
	      :: home[x] != me -> kick[home[x]] = true
	      :: else
	      fi
	   :: else
	   fi;
	   UNLOCK(x)
	fi
}

/* v->lock held.  Result: d0, locked, or NONE. */
inline lock_donor(x)
{
	d0 = donor[x];
	donor[x] = NONE;
	if
	:: d0 != NONE ->
	   LOCK(d0);
	   if
	   :: state[d0] == INRUN && target[d0] == x
	   :: else -> UNLOCK(d0); d0 = NONE
	   fi
	:: else
	fi
}

/* run.c */
inline cpu_switch_out()
{
	d_step { assert(on[current[me]] == me); on[current[me]] = NONE; current[me] = NONE }
}

inline cpu_switch_in(x)
{
	d_step { assert(on[x] == NONE && !freed[x]); on[x] = me; current[me] = x }
}

/* d0 may be NONE.  Result: direct. */
inline stop_for()
{
	direct = false;
	if
	:: d0 == NONE || home[d0] != me -> sched_stop()
	:: else -> sched_hand_over(d0); sched_stop_if(!direct)
	fi
}

inline return_to_donor()
{
	if
	:: !direct -> end_run(d0); UNLOCK(d0)
	:: else ->
	   d_step { target[d0] = NONE; look[d0] = true };
	   state[d0] = RUNNING;
	   UNLOCK(d0);
	   cpu_switch_in(d0)
	fi
}

/* ring.c; c->dom0 cannot run meanwhile, for this is its CPU. */
inline ring_post_service()
{
	ring[me] = true;
	if
	:: state[D0(me)] == INRUN ->		/* vcpu_interrupt_run() */
	   LOCK(D0(me));
	   if
	   :: state[D0(me)] == INRUN -> end_run(D0(me))
	   :: else
	   fi;
	   UNLOCK(D0(me))
	:: else -> vlapic_set_irr(D0(me)); wake(D0(me))
	fi
}

inline vcpu_service(x)
{
	cpu_switch_out();
	LOCK(x);
	lock_donor(x);
	stop_for();
	state[x] = STOPPED;
	d_step { pause_req[x] = false; move_to[x] = NONE };
	if
	:: d0 == NONE ->
	   exit_pending[x] = exit_pending[x] || !paused;
	   if
	   :: waiter[x] -> waiter[x] = false; ring_post_service()
	   :: else
	   fi;
	   UNLOCK(x)
	:: else -> waiter[x] = false; UNLOCK(x); return_to_donor()
	fi
}

inline vcpu_block(x)
{
	cpu_switch_out();
	LOCK(x);
	if
	:: FAULT(6) -> yes = false
	:: else -> vcpu_has_irq(x)
	fi;
	if
	:: yes -> sched_stop(); home[x] = me; make_runnable(x); UNLOCK(x)
	:: else ->
	   d0 = NONE;
	   if
	   :: !IS_D0(x) ->
	      lock_donor(x);
	      if
	      :: d0 != NONE -> waiter[x] = true
	      :: else
	      fi
	   :: else
	   fi;
	   stop_for();
	   state[x] = HALTED;
	   UNLOCK(x);
	   if
	   :: d0 != NONE -> return_to_donor()
	   :: else
	   fi
	fi
}

/* Result: yes. */
inline vcpu_claim(x)
{
	LOCK(x);
	yes = state[x] == STOPPED;
	if
	:: yes -> state[x] = CLAIMED
	:: else
	fi;
	UNLOCK(x)
}

inline vcpu_unclaim(x)
{
	LOCK(x);
	state[x] = STOPPED;
	UNLOCK(x)
}

inline wait_until_off(x)
{
	pausers[x]++;
	do
	:: state[x] == RUNNING ->
	   pause_req[x] = true;
	   kick[home[x]] = kick[home[x]] || !FAULT(10);
	   UNLOCK(x);
	   if
	   :: state[x] != RUNNING
	   :: !pause_req[x]
	   fi;
	   LOCK(x)
	:: else -> break
	od;
	pausers[x]--
}

/* Result: yes, it is STOPPED now. */
inline vcpu_pause(x)
{
	LOCK(x);
	wait_until_off(x);
	yes = true;
	if
	:: state[x] == RUNNABLE -> sched_dequeue(x); state[x] = STOPPED
	:: state[x] == HALTED -> state[x] = STOPPED
	:: state[x] == STOPPED
	:: else -> yes = false
	fi;
	if
	:: yes ->
	   d_step { exit_pending[x] = false; waiter[x] = false };
	   pause_req[x] = false;
	   lock_donor(x);
	   UNLOCK(x);
	   if
	   :: d0 != NONE -> end_run(d0); UNLOCK(d0)
	   :: else
	   fi;
	   yes = true
	:: else -> UNLOCK(x)
	fi
}

inline begin_run(x)
{
	d_step { donor[x] = D0(me); waiter[x] = false };
	state[D0(me)] = INRUN;
	target[D0(me)] = x;
	vcpu_has_irq(D0(me));
	if
	:: yes && !FAULT(7) -> end_run(D0(me))
	:: else
	fi
}

inline run_stopped(x)
{
	cpu_switch_out();
	LOCK(D0(me));
	sched_hand_over(x);
	if
	:: direct -> state[x] = RUNNING
	:: else -> sched_stop(); state[x] = RUNNABLE; sched_enqueue(me, x)
	fi;
	begin_run(x);
	UNLOCK(D0(me));
	UNLOCK(x);
	if
	:: direct -> cpu_switch_in(x)
	:: else
	fi
}

inline run_detached(x)
{
	cpu_switch_out();
	LOCK(D0(me));
	sched_stop();
	begin_run(x);
	UNLOCK(D0(me));
	if
	:: state[x] == RUNNABLE && home[x] != me -> sched_dequeue(x); sched_enqueue(me, x)
	:: state[x] == RUNNING && home[x] != me -> move_to[x] = me; kick[home[x]] = true
	:: else
	fi;
	UNLOCK(x)
}

inline vcpu_run(x)
{
	vcpu_has_irq(D0(me));
	if
	:: yes -> look[D0(me)] = true
	:: else ->
	   LOCK(x);
	   yes = donor[x] != NONE;
	   if
	   :: yes -> yes = target[donor[x]] == x
	   :: else
	   fi;
	   if
	   :: yes || pausers[x] -> UNLOCK(x)
	   :: else ->
	      if
	      :: state[x] == STOPPED && !exit_pending[x] -> run_stopped(x)
	      :: state[x] == STOPPED && exit_pending[x] ->
		 exit_pending[x] = false; look[D0(me)] = true; UNLOCK(x)
	      :: state[x] == HALTED -> waiter[x] = true; look[D0(me)] = true; UNLOCK(x)
	      :: state[x] == RUNNABLE || state[x] == RUNNING -> run_detached(x)
	      :: else -> UNLOCK(x)
	      fi
	   fi
	fi
}

/* ---- vcpu_create.c ---- */

/* timer_cancel(): where the function runs on another CPU it is waited for. */
inline vcpu_teardown(x)
{
	timer[x] = NONE;
	running[1 - me] != x || FAULT(11);
	d_step { assert(on[x] == NONE && !vlock[x] && !QUEUED(0, x) && !QUEUED(1, x)); freed[x] = true }
}

inline destroy_begin()
{
	atomic { !op -> op = true };
	refs++
}

/* kill() of what vcpu_pause() has stopped. */
inline kill_and_unlink(x)
{
	vcpu_claim(x);
	if
	:: yes -> LOCK(x); state[x] = DEAD; UNLOCK(x); linked[x] = false
	:: else
	fi
}

/* The rest of vcpu_destroy_all(); while there is more its caller comes again. */
inline destroy_end()
{
	if
#if GUESTS > 1
	:: linked[2] || linked[3]
#else
	:: linked[2]
#endif
	:: refs > 2 && !FAULT(12)
	:: else ->
	   for (g : 2 .. NV - 1) {
		if
		:: !freed[g] -> vcpu_teardown(g)
		:: else
		fi
	   }
	fi;
	refs--;
	op = false
}

/* ---- hypercall.c ---- */

/*
 * vcpu_open(): with a reference on the domain.  domain_destroy() begins with vcpu_pause(), like
 * PAUSE; of two vCPUs it takes one, or the other one first.
 */
inline hypercall()
{
	select(g : 2 .. NV - 1);
	destroys = false;
	if
	:: refs++
	:: destroy_begin(); destroys = true
	fi;
	if
	:: linked[g] ->
	   if
	   :: true					/* PAUSE, or to destroy it */
	   :: !destroys -> vcpu_run(g); g = NONE
	   :: !destroys -> vlapic_set_irr(g); wake(g); g = NONE	/* MSI */
	   :: !destroys -> vlapic_set_irr(D0(1 - me)); wake(D0(1 - me)); g = NONE	/* IPI */
	   :: !destroys -> vcpu_claim(g);
	      if
	      :: yes -> vcpu_unclaim(g)
	      :: else
	      fi;
	      g = NONE
	   fi;
	   if
	   :: g != NONE -> vcpu_pause(g)
	   :: else -> yes = false
	   fi;
	   if
	   :: yes && destroys -> kill_and_unlink(g)
	   :: else
	   fi
	:: else
	fi;
	if
	:: destroys -> destroy_end()
	:: else -> refs--
	fi
}

/* ---- irq.c and timer.c: what is pending is taken, one after the other ---- */

inline timer_fire(x)
{
	atomic { timer[x] == me -> timer[x] = NONE; running[me] = x };
	vlapic_set_irr(x);
	g = x
}

inline irq_dispatch()
{
	do
	:: g = NONE;
	   if
	   :: kick[me] ->
	      kick[me] = false;
	      if
	      :: cpu_nmi[me] -> cpu_nmi[me] = FAULT(3); g = D0(me)
	      :: else
	      fi
	   :: irq[me] -> irq[me] = false; vlapic_set_irr(D0(me)); g = D0(me)
	   :: slice[me] -> slice[me] = false; resched[me] = true
	   :: timer_fire(2)
#if GUESTS > 1
	   :: timer_fire(3)
#endif
	   :: !kick[me] && !irq[me] -> break
	   fi;
	   if
	   :: g != NONE ->
	      wake(g);
	      running[me] = NONE;
	      if
	      :: FAULT(3) -> cpu_nmi[me] = false
	      :: else
	      fi
	   :: else
	   fi
	od
}

inline nmi_handler(cpu)
{
	atomic {
		nmis--;
		nmi_pending[D0(cpu)] = true;
		cpu_nmi[cpu] = true;
		kick[cpu] = true
	}
}

/* ---- run.c and exit.c ---- */

/* Result: yes, v does not run here any more. */
inline obey_requests()
{
	dest = move_to[v];
	yes = pause_req[v];
	if
	:: yes -> serves = true; paused = true
	:: !yes && dest != NONE ->
	   move_to[v] = NONE;
	   if
	   :: dest == me
	   :: else ->
	      cpu_switch_out();
	      LOCK(v);
	      sched_stop();
	      state[v] = RUNNABLE;
	      sched_enqueue(dest, v);
	      UNLOCK(v);
	      yes = true
	   fi
	:: else
	fi
}

inline inject_pending()
{
	if
	:: nmi_pending[v] -> nmi_pending[v] = false
	:: else
	fi;
	vlapic_pending(v);
	if
	:: yes -> irr[v] = false; look[v] = true
	:: else
	fi
}

/* Result: yes; else it halts again, or has stopped. */
inline prepare_entry()
{
	serves = false;
	paused = false;
	halts = false;
	obey_requests();
	if
	:: yes -> yes = false
	:: else ->
	   if
	   :: mp_halted[v] -> halts = true
	   :: else -> inject_pending(); yes = true
	   fi
	fi
}

inline preempt_current()
{
	cpu_switch_out();
	LOCK(v);
	sched_stop();
	state[v] = RUNNABLE;
	sched_enqueue(me, v);
	UNLOCK(v);
	v = NONE
}

/*
 * STI; HLT; CLI, and the interrupts that end it.  They wait for the HLT; but an NMI may come
 * before it, and what waits comes right behind it then.  trap_handler() passes the HLT.
 */
inline idle_wait()
{
	if
	:: FAULT(2) -> irq_dispatch()
	:: nmis ->
	   nmi_handler(me);
	   if
	   :: FAULT(4) -> irq_dispatch()
	   :: else -> goto awake
	   fi
	:: true
	fi;
	atomic { FORGET };
end_hlt: PENDING(me);
awake:	skip
}

inline pick()
{
	do
	:: resched[me] = false;
	   sched_take();
	   if
	   :: v != NONE -> cpu_switch_in(v); break
	   :: else
	   fi;
	   if
	   :: !resched[me] && !nr[me] -> idle_wait()
	   :: else
	   fi;
	   irq_dispatch()
	od
}

inline exit_hlt()
{
	vcpu_has_irq(v);
	if
	:: yes
	:: else -> mp_halted[v] = true; halts = true
	fi
}

/* What a vCPU does between an entry and an exit, and the exit's handler. */
inline run_and_handle_exit()
{
	d_step {
		assert(state[v] == RUNNING && home[v] == me && on[v] == me && curr[me] == v && !freed[v]);
		ring[me] = ring[me] && !(v == D0(me) && look[v]);
		look[v] = false;
		FORGET
	};
	if
	:: true ->
end_spin:  PENDING(me);
	   irq_dispatch()
	:: true -> exit_hlt()
	:: !IS_D0(v) -> serves = true
	:: atomic { !IS_D0(v) && acts -> acts--; timer[v] = me }
#if GUESTS > 1
	:: atomic { !IS_D0(v) && acts -> acts-- };	/* an IPI: no reference */
	   if
	   :: linked[5 - v] -> vlapic_set_irr(5 - v); wake(5 - v)
	   :: else
	   fi
#endif
	:: atomic { IS_D0(v) && hc -> hc-- };
	   hypercall()
	fi
}

proctype run_loop(byte me)
{
	byte v = NONE, d0, g, dest;
	bool yes, direct, destroys, serves, paused, halts;

	do
	:: atomic { FORGET; v = current[me] };
	   yes = resched[me];
	   if
	   :: yes
	   :: else ->
	      yes = nr[me];
	      yes = yes && !slice[me] && !FAULT(8)
	   fi;
	   if
	   :: yes ->
	      resched[me] = false;
	      if					/* sched_should_yield() */
	      :: v != NONE && nr[me] -> preempt_current()
	      :: v != NONE -> arm_slice()
	      :: else
	      fi
	   :: else
	   fi;
	   if
	   :: v == NONE -> pick()
	   :: else
	   fi;
	   prepare_entry();
	   if
	   :: yes -> run_and_handle_exit()
	   :: else
	   fi;
	   if
	   :: serves -> vcpu_service(v)
	   :: halts -> vcpu_block(v)
	   :: else
	   fi
	od
}

proctype devices()
{
end:	do
	:: atomic { irqs -> irqs--; irq[0] = true }
	:: atomic { irqs -> irqs--; irq[1] = true }
	:: nmis -> nmi_handler(0)
	od
}

/* Nothing moves: is all well? */
proctype at_rest()
{
	byte i;

end:	timeout ->
	d_step {
		for (i : 0 .. 1) {
			assert(!queue[i] && !nr[i] && !ring[i])
		}
		for (i : 0 .. NV - 1) {
			assert(!vlock[i] && !pausers[i]);
			assert(state[i] != RUNNABLE && state[i] != CLAIMED);
			assert(!(state[i] == HALTED || state[i] == INRUN || state[i] == RUNNING) ||
			       (!irr[i] && !nmi_pending[i]));
			assert(state[i] != RUNNING || (on[i] == home[i] && !pause_req[i] && move_to[i] == NONE));
			assert(state[i] != STOPPED || !waiter[i]);
			assert(state[i] != INRUN ||
			       (target[i] != NONE && donor[target[i]] == i && state[target[i]] == RUNNING))
		}
	}
}

init {
	byte i;

	d_step {
		c_code {
			fault = number("FAULT");
			now.hc = number("HC");
			now.irqs = number("IRQS");
			now.nmis = number("NMIS");
			now.acts = number("ACTS");
		};
		for (i : 0 .. NV - 1) {
			state[i] = (i < 2 -> RUNNABLE : STOPPED);
			home[i] = (i < 2 -> i : 0);
			donor[i] = NONE;
			target[i] = NONE;
			move_to[i] = NONE;
			timer[i] = NONE;
			on[i] = NONE;
			linked[i] = true
		}
		for (i : 0 .. 1) {
			current[i] = NONE;
			curr[i] = NONE;
			queue[i] = 1 << i;
			nr[i] = 1;
			running[i] = NONE
		}
	};
	atomic { run run_loop(0); run run_loop(1); run devices(); run at_rest() }
}
