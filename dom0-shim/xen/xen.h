/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of xen/ share.  Layouts and numbers are in layout.h.
 *
 * A VM has this interface once user space has named the hypercall MSR (KVM_XEN_HVM_CONFIG).
 * Bedplate knows of it that hypercalls are the shim's, and that a line of its own asks for an
 * upcall.  All else is here: events are bits in the guest's memory, which the VMM's mapping
 * reaches, and the VMM's threads only: what others have to tell waits for the vCPU's own.
 */
#ifndef BEDPLATE_XEN_H
#define BEDPLATE_XEN_H

#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "compat.h"
#include "layout.h"
#include "memory/gmem.h"
#include "running/run.h"
#include "running/xen.h"

/* A page of the guest, or what user space has in its stead. */
struct bp_xen_place {
	enum { XEN_NOWHERE, XEN_BY_GPA, XEN_BY_HVA } by;
	u64 addr;
};

/* The guest's clock: @ns when the machine's TSC was @tsc. */
struct bp_xen_clock {
	bool known;
	bool stable;		/* all CPUs' TSCs are alike */
	u64 ns, tsc;
	u32 khz;
	struct bp_xen_scale scale;
};

struct bp_xen {
	struct mutex lock;	/* writers of: */
	struct kvm_xen_hvm_config config; /* ->msr and ->flags: readers without it */
	bool wide;		/* a guest of 64 bits; likewise these */
	bool update_flag;	/* runstates say so while they are written */
	u8 vector;		/* of upcalls, which no local APIC sees; 0: none */
	u32 version;		/* of Xen; 0: user space's to say */
	struct xarray ports;	/* struct bp_xen_port by number; readers under RCU */

	spinlock_t place_lock;	/* interrupts off; also those of vCPUs: */
	struct bp_xen_place shared;

	struct mutex clock_lock; /* innermost: */
	struct bp_xen_clock clock;
	void *clock_page;	/* of BP_HC_DOMAIN_GET */
};

/* vcpu->xen_work */
enum {
	XEN_WORK_ENTERED,	/* KVM_RUN has begun */
	XEN_WORK_POLL,		/* what is polled for has come */
	XEN_WORK_RUNSTATE,
	XEN_WORK_CLOCK,
	XEN_WORK_EVENTS,	/* ->events and ->sel */
	XEN_WORK_TIMER,		/* it has gone off */
	XEN_WORK_UPCALL,	/* bp_xen_look() has to look again */
};

#define XEN_POLL_ANY	(~0u)

struct bp_xen_vcpu {
	struct bp_vcpu *vcpu;
	struct bp_xen_place info, time, runstate; /* vm->xen->place_lock */
	u8 vector;		/* of upcalls by the local APIC; 0: none */
	u32 vcpu_id;		/* by which hypercalls name it */
	bool direct;		/* level of that line as Bedplate knows it */

	/* What could not be told the guest at once; any context. */
	unsigned long sel;
	DECLARE_BITMAP(events, XEN_MAX_PORTS);

	struct hrtimer timer;	/* sets XEN_WORK_TIMER */
	u32 timer_port;		/* 0: there is no timer */
	u64 timer_at;		/* guest's clock; 0: not armed */

	struct hrtimer poll_timer; /* sets XEN_WORK_POLL */
	u32 poll;		/* the event that ends it, or XEN_POLL_ANY; 0: none */
	u64 poll_rip;		/* where the vCPU halts meanwhile */

	struct bp_xen_runstate rs;
	u64 run_delay;		/* of the thread, at the last change */
	u64 run_ns;		/* that the vCPU had run by then */
	u64 tsc_offset;		/* as the guest was told */
};

static inline bool bp_xen_enabled(const struct bp_vm *vm)
{
	return READ_ONCE(vm->xen->config.msr);
}

/* Any context: the vCPU's thread is to do it before the vCPU runs again. */
void bp_xen_work(struct bp_vcpu *vcpu, unsigned int work);

/* ---- place.c: vm->srcu is held, and the thread is the VMM's ---- */
/* Any context. */
void bp_xen_place_set(struct bp_vm *vm, struct bp_xen_place *at, struct bp_xen_place place);
struct bp_xen_place bp_xen_place_get(struct bp_vm *vm, const struct bp_xen_place *at);
/* What user space names, for @len bytes in a page: -EINVAL, -EFAULT. */
int bp_xen_place_check(struct bp_vm *vm, struct bp_xen_place place, u32 len);
/* As bp_user_*(); -EINVAL: it is nowhere. */
int bp_xen_read(struct bp_vm *vm, const struct bp_xen_place *at, u32 offset, void *buf, u32 len,
		enum bp_wait wait);
int bp_xen_write(struct bp_vm *vm, const struct bp_xen_place *at, u32 offset, const void *buf,
		 u32 len, enum bp_wait wait);
int bp_xen_or(struct bp_vm *vm, const struct bp_xen_place *at, u32 offset, u8 bits,
	      enum bp_wait wait);

/*
 * ---- event.c ----
 * deliver: 1, 0 it was pending, -ENOTCONN masked, -EINVAL no such event, or no shared page;
 * -EWOULDBLOCK, -EINTR, -EFAULT.  vm->srcu is held.  flush: what waits; 0 or -EINTR.
 */
int bp_xen_deliver(struct bp_vcpu *vcpu, u32 port, enum bp_wait wait);
int bp_xen_flush(struct bp_vcpu *vcpu, enum bp_wait wait);
/* A vCPU by KVM's number, or NULL. */
struct bp_vcpu *bp_xen_vcpu(struct bp_vm *vm, u32 id);

/*
 * ---- port.c: where an event goes that the guest sends ----
 * signal: 0, -ENOENT it is user space's to send, -EINTR; vm->srcu is held.
 */
long bp_xen_port_attr(struct bp_vm *vm, const struct kvm_xen_hvm_attr *attr);
int bp_xen_port_signal(struct bp_vm *vm, u32 port);
void bp_xen_ports_free(struct bp_xen *xen);

/* ---- clock.c ---- */
struct bp_xen_clock bp_xen_clock(struct bp_vm *vm);
u64 bp_xen_now(struct bp_vm *vm);	/* guest's clock, ns */
/* The wall clock, into the shared page.  vm->srcu is held. */
int bp_xen_wall(struct bp_vm *vm, enum bp_wait wait);
/* The vCPU is stopped.  changed: since it was told.  tell: 0 or -EINTR. */
bool bp_xen_tsc_changed(struct bp_vcpu *vcpu);
int bp_xen_tell_time(struct bp_vcpu *vcpu);

/*
 * ---- timer.c: vm->srcu is held ----
 * set: @left ns from now, which is @at by the guest's clock.  fire: it has gone off; 0 or
 * -EINTR.  poll: halt until what x->poll says, @ns if that is not 0.
 */
void bp_xen_timers_init(struct bp_xen_vcpu *x);
void bp_xen_timer_set(struct bp_vcpu *vcpu, u64 at, s64 left);
void bp_xen_timer_stop(struct bp_vcpu *vcpu);
int bp_xen_timer_fire(struct bp_vcpu *vcpu, enum bp_wait wait);
void bp_xen_timer_get(struct bp_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr);
void bp_xen_poll_start(struct bp_vcpu *vcpu, u64 ns);
void bp_xen_poll_end(struct bp_vcpu *vcpu);

/* ---- runstate.c: vm->srcu is held.  0 or -EINTR ---- */
int bp_xen_runstate_enter(struct bp_vcpu *vcpu, u32 state);
int bp_xen_runstate_write(struct bp_vcpu *vcpu);

/* ---- attr.c: the guest of the hypercall page is one of 64 bits, or not ---- */
int bp_xen_set_wide(struct bp_vm *vm, bool wide, enum bp_wait wait);

#endif
