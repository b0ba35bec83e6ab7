/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames for Bedplate.  Process context unless said otherwise; 0 or a negative errno.
 */
#ifndef BEDPLATE_DONATE_H
#define BEDPLATE_DONATE_H

#include "shim.h"

int bp_domain_create(struct bp_vm *vm);
/* Stop it all and take the frames back; no vCPU is in RUN. */
int bp_domain_destroy(struct bp_vm *vm);
/* More frames, after a hypercall said -ENOMEM. */
int bp_donate(struct bp_vm *vm);

#endif
