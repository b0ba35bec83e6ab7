/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HV_CORE_VCPU_CREATE_H
#define HV_CORE_VCPU_CREATE_H

#include "lib/types.h"

struct domain;

/* Hypercall VCPU_CREATE: index, or an error of channel.h.  Takes d->lock. */
int vcpu_create(struct domain *d, u32 apic_id, u64 page_pfn, u64 state_pfn);

#endif
