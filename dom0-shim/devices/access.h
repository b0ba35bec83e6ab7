/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an access by a vCPU reaches in the kernel: local APIC, interrupt
 * controllers, buses.
 */
#ifndef BEDPLATE_ACCESS_H
#define BEDPLATE_ACCESS_H

#include "shim.h"

/*
 * @data is read or written.  0: done; -EOPNOTSUPP: user space's.  The vCPU's
 * thread; vm->srcu is read-locked.
 */
int bp_pio_access(struct bp_vcpu *vcpu, u16 port, int size, bool write,
		  void *data);
int bp_mmio_access(struct bp_vcpu *vcpu, u64 gpa, int len, bool write,
		   void *data);

#endif
