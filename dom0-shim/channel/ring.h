/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event rings, one per CPU: what Bedplate tells Linux without a RUN's return.
 * Process context unless said otherwise; 0 or a negative errno.
 */
#ifndef BEDPLATE_RING_H
#define BEDPLATE_RING_H

#include "shim.h"

int bp_ring_init(void);
void bp_ring_exit(void);
/* Look at this CPU's ring; interrupts off. */
void bp_ring_drain(void);
/* Look at all CPUs' rings; sleeps. */
void bp_ring_drain_all(void);
/*
 * When this returns, all events have been dealt with up to the one that @posted names, which is not 0
 * and was ->posted of a vCPU's page.  Interrupts on; does not sleep.
 */
void bp_ring_settle(u64 posted);

/* VMs by domain id; readers under rcu_read_lock().  -ENOMEM. */
extern struct xarray bp_vms;
int bp_ring_add_vm(struct bp_vm *vm);
void bp_ring_remove_vm(struct bp_vm *vm);

/*
 * Whom the events are for, in the rooms above: devices/ioeventfd.c and
 * running/vcpu_run.c.  Hard interrupt, under rcu_read_lock().
 */
void bp_ioeventfd_event(struct bp_vm *vm, u32 id);
void bp_vcpu_service(struct bp_vcpu *vcpu);

#endif
