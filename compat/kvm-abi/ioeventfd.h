/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doorbells: guest writes that are posted to the event ring while the vCPU
 * goes on.  The table lives in one page of the domain.
 */
#ifndef HV_CORE_IOEVENTFD_H
#define HV_CORE_IOEVENTFD_H

#include "hv/core/lib/types.h"

struct bp_ioeventfd;
struct domain;

/* Hypercall IOEVENTFD; *req is a private copy.  Takes d->lock. */
int ioeventfd_update(struct domain *d, const struct bp_ioeventfd *req);
/* Is an MMIO doorbell at gpa?  A hint, without lock. */
bool ioeventfd_may_match(struct domain *d, u64 gpa);
/*
 * A write of `size` bytes: post it to this CPU's ring if a doorbell matches.
 * False: none matches, or the ring has no room: then it is an ordinary exit.
 */
bool ioeventfd_signal(struct domain *d, u64 addr, u8 size, u64 data, bool pio);
/* Give the table back; the domain has no vCPU any more. */
void ioeventfd_destroy(struct domain *d);

#endif
