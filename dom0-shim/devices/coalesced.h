/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes that the VMM reads later, from a ring.  Process context.
 */
#ifndef BEDPLATE_COALESCED_H
#define BEDPLATE_COALESCED_H

#include "shim.h"

int bp_coalesced_init(struct bp_vm *vm);
void bp_coalesced_free(struct bp_vm *vm);
long bp_coalesced_register(struct bp_vm *vm,
			   const struct kvm_coalesced_mmio_zone *zone);
long bp_coalesced_unregister(struct bp_vm *vm,
			     const struct kvm_coalesced_mmio_zone *zone);

#endif
