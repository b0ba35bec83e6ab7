/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Updates of the CPUs' microcode, from the head of domain 0's initrd, where Linux looks for them
 * as well: uncompressed cpio archives with kernel/x86/microcode/GenuineIntel.bin or
 * AuthenticAMD.bin.  Linux itself loads none where it sees a hypervisor.  The CPU
 * checks the signature; we check that all that it reads is there.
 */
#ifndef BP_CORE_MICROCODE_H
#define BP_CORE_MICROCODE_H

#include "lib/types.h"

struct boot_info;

/* BSP, before other CPUs run: find the update and load it (option microcode=). */
void microcode_init(const struct boot_info *bi);
/* Each other CPU, while those that share its core do nothing: the same one. */
void microcode_load(void);
/* Say in the log what came of it; all CPUs are there. */
void microcode_report(void);

/* ---- pure, for these and for tests ---- */

/* File `name` in the archives at the head of [p, p + len); NULL: none there.  *size: its bytes. */
const u8 *cpio_find(const u8 *p, u64 len, const char *name, u64 *size);

/*
 * The update with the highest revision above `rev` for the CPU whose CPUID 1.EAX is
 * `signature` (Intel: of platform bit `platform`): what the MSR is to be given.
 * NULL: none, or what comes first is malformed.
 */
const u8 *microcode_find_intel(const u8 *p, u64 len, u32 signature, u32 platform, u32 rev);
const u8 *microcode_find_amd(const u8 *p, u64 len, u32 signature, u32 rev);

#endif
