/* SPDX-License-Identifier: GPL-2.0-only */
/* AMD's form of microcode updates: containers, each a table of CPUs and then patches. */
#ifndef HV_SVM_MICROCODE_H
#define HV_SVM_MICROCODE_H

#include "machine/microcode.h"

extern const struct microcode_kind svm_microcode;

/*
 * The update with the highest revision above @rev for the CPU whose CPUID 1.EAX is
 * @signature: what the MSR is to be given.
 * NULL: none, or what comes first is malformed.  Pure.
 */
const u8 *svm_microcode_find(const u8 *p, u64 len, u32 signature, u32 rev);

#endif
