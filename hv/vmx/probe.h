/* SPDX-License-Identifier: GPL-2.0-only */
/* Can this CPU run Bedplate by VMX? Also asked by the UEFI application, before it starts it. */
#ifndef HV_VMX_PROBE_H
#define HV_VMX_PROBE_H

struct vmx_controls;

/* NULL and *c filled, or what is missing, as one line. Changes nothing of the CPU. */
const char *vmx_missing(struct vmx_controls *c);

#endif
