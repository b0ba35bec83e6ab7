/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest writes that signal an eventfd.  channel/ring.h has how their events come.
 */
#ifndef BEDPLATE_IOEVENTFD_H
#define BEDPLATE_IOEVENTFD_H

#include "shim.h"

/* KVM_IOEVENTFD. */
long bp_ioeventfd(struct bp_vm *vm, const struct kvm_ioeventfd *args);
/* The VM's file is closed. */
void bp_ioeventfd_release(struct bp_vm *vm);

#endif
