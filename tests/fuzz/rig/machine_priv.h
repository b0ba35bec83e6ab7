/* SPDX-License-Identifier: GPL-2.0-only */
/* What machine.c and machine_ops.c share. */
#ifndef TESTS_FUZZ_MACHINE_PRIV_H
#define TESTS_FUZZ_MACHINE_PRIV_H

#include "hv/core/lib/types.h"

struct vcpu;

/* XRSTOR, MOV to DR and so on: what the CPU would refuse with #GP, in root mode. */
void machine_load_extra(const struct vcpu *v);

#endif
