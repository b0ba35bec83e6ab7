/* SPDX-License-Identifier: GPL-2.0-only */
/* Can this CPU run Bedplate by VMX? Also asked by the UEFI application, before it starts it. */
#ifndef HV_VMX_PROBE_H
#define HV_VMX_PROBE_H

#include "lib/types.h"

struct vmx_controls;

/*
 * Is this a processor for the VMX back end?  All others are SVM's.  Also one whose VMX firmware
 * has hidden is, so that vmx_missing() can say so.
 */
bool vmx_is_for_this_cpu(void);

/* NULL and *c filled, or what is missing, as one line. Changes nothing of the CPU. */
const char *vmx_missing(struct vmx_controls *c);

#endif
