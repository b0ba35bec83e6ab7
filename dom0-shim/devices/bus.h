/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In-kernel devices on a VM's port and memory buses.
 */
#ifndef BEDPLATE_BUS_H
#define BEDPLATE_BUS_H

#include "shim.h"

/*
 * Called from KVM_RUN (process context, may sleep on mutexes) by the thread of
 * @vcpu, with vm->srcu read-locked.  @len is 1, 2, 4 or 8; @val has that many
 * bytes, little-endian.  Return 0 when the access is done, -EOPNOTSUPP when it
 * is not for this device after all: the next one, then user space, gets it.
 */
struct bp_io_ops {
	int (*read)(struct bp_vcpu *vcpu, struct bp_io_device *dev, u64 addr,
		    int len, void *val);
	int (*write)(struct bp_vcpu *vcpu, struct bp_io_device *dev, u64 addr,
		     int len, const void *val);
};

struct bp_io_device {
	const struct bp_io_ops *ops;
};

/*
 * Put @dev at [addr, addr + len) of a bus; len 0 = accesses of any length that
 * start at addr.  One device may be registered at several ranges.  May sleep;
 * no lock below vm->slots_lock may be held.  0, -ENOMEM, -ENOSPC.
 */
int bp_bus_register(struct bp_vm *vm, enum bp_bus_id bus, u64 addr, u32 len,
		    struct bp_io_device *dev);

/*
 * Take @dev off the bus, all its ranges.  On return nobody uses it any more.
 * Never call it under srcu_read_lock(&vm->srcu).  A device that lives as long
 * as the VM need not be unregistered before the VM goes.
 */
void bp_bus_unregister(struct bp_vm *vm, enum bp_bus_id bus,
		       struct bp_io_device *dev);

/*
 * Offer an access to the bus; @data is read or written.  0 or -EOPNOTSUPP.
 * vm->srcu is read-locked.
 */
int bp_bus_access(struct bp_vcpu *vcpu, enum bp_bus_id bus, u64 addr, int len,
		  bool write, void *data);

/* The VM goes. */
void bp_bus_free(struct bp_vm *vm);

#endif
