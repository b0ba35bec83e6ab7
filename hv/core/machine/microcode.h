/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Updates of the CPUs' microcode, from the head of domain 0's initrd, where Linux looks for them
 * as well: uncompressed cpio archives with a file of the vendor's.  Linux itself loads none
 * where it sees a hypervisor.  The CPU checks the signature; we check that all that it
 * reads is there.
 */
#ifndef BP_CORE_MICROCODE_H
#define BP_CORE_MICROCODE_H

#include "lib/types.h"

struct boot_info;

struct microcode {
	const u8 *data;		/* what the MSR is given the address of; NULL: none */
	u32 rev;
};

/* What is the vendor's of it: hv/svm/microcode.h, hv/vmx/microcode.h. */
struct microcode_kind {
	const char *file;
	u32 msr;
	/* Of the calling CPU. */
	u32 (*revision)(void);
	/* In the file, the best for the calling CPU that is newer than @rev.  False: none. */
	bool (*find)(const u8 *file, u64 len, u32 rev, struct microcode *m);
};

/* BSP, before other CPUs run: find the update and load it (option microcode=). */
void microcode_init(const struct microcode_kind *kind, const struct boot_info *bi);
/* Each other CPU, while those that share its core do nothing: the same one. */
void microcode_load(void);
/* Say in the log what came of it; all CPUs are there. */
void microcode_report(void);

/* File @name in the archives at the head of [p, p + len); NULL: none there.  *size: its bytes.  Pure. */
const u8 *cpio_find(const u8 *p, u64 len, const char *name, u64 *size);

#endif
