/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's halt polling: a vCPU that halts keeps its CPU for a while, in the hope that what it
 * waits for comes soon.  Bedplate does it, and learns how long (hv/core/vcpu/halt.h); the
 * bounds are said here.
 */
#ifndef BEDPLATE_HALT_POLL_H
#define BEDPLATE_HALT_POLL_H

#include "shim.h"

extern unsigned int bp_halt_poll_ns;	/* kvm.ko's parameter halt_poll_ns (files/params.c) */

/* The vCPU's thread, before RUN. */
void bp_halt_poll_offer(struct bp_vcpu *vcpu);

#endif
