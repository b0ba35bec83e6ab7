/* SPDX-License-Identifier: GPL-2.0-only */
/* What guest "xen" and its VMM agree on. */
#ifndef GUESTS_XEN_H
#define GUESTS_XEN_H

#include "params.h"

/* arg[0] */
#define XEN_BY_APIC	1	/* upcalls come by the local APIC */
#define XEN_LATE	2	/* one upcall, and nothing of the shared page is looked at */

#define XEN_MSR		0x40000200
#define XEN_VERSION	0x40011
#define XEN_VECTOR	0x61

#define XEN_SHARED	GPA_SCRATCH
#define XEN_INFO	(GPA_SCRATCH + 0x1040)
#define XEN_TIME	(GPA_SCRATCH + 0x2000)
#define XEN_RUNSTATE	(GPA_SCRATCH + 0x3ff0)	/* the last words are in the next page */
#define XEN_CALLS	(GPA_SCRATCH + 0x5000ull)

#define XEN_PORT_GSI	5
#define XEN_PORT_SELF	6
#define XEN_PORT_TIMER	7
#define XEN_PORT_POLL	8
/* Those that the guest sends, and what they lead to. */
#define XEN_SEND_SELF	20
#define XEN_SEND_FD	21
#define XEN_SEND_USER	22	/* user space */

#endif
