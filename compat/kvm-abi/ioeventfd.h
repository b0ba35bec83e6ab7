/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doorbells: guest writes that are posted to an event ring and make no exit to
 * the VMM.  The table lives in one page of the domain.
 */
#ifndef HV_CORE_IOEVENTFD_H
#define HV_CORE_IOEVENTFD_H

#include "hv/core/lib/types.h"

struct bp_ioeventfd;
struct cpu;
struct domain;
struct vcpu;

/* Hypercall IOEVENTFD; *req is a private copy.  Takes d->lock. */
int ioeventfd_update(struct domain *d, const struct bp_ioeventfd *req);
/* Is an MMIO doorbell at gpa?  A hint, without lock. */
bool ioeventfd_may_match(struct domain *d, u64 gpa);
/*
 * v has written `size` bytes: post it if a doorbell matches.  Result: the CPU whose ring
 * has it, for ring_look(); NULL: none matches, or there is no room: then it is an ordinary exit.
 */
struct cpu *ioeventfd_signal(struct vcpu *v, u64 addr, u8 size, u64 data, bool pio);
/* Give the table back; the domain has no vCPU any more. */
void ioeventfd_destroy(struct domain *d);

#endif
