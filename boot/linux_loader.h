/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading of domain 0's Linux by its boot protocol, 2.12 or later
 * (Documentation/arch/x86/boot.rst of Linux), entered in 32-bit mode.
 */
#ifndef BP_BOOT_LINUX_LOADER_H
#define BP_BOOT_LINUX_LOADER_H

#include "hv/core/machine/boot_info.h"

/*
 * How to enter: protected mode, paging off, flat 4 GiB segments, interrupts
 * off, EBX = EBP = EDI = 0, ESI as below; GDTR as below (the descriptors are in
 * domain 0's memory).
 */
struct linux_entry {
	u64 rip;		/* 32-bit entry point */
	u64 rsi;		/* boot_params */
	u64 gdt_base;
	u16 gdt_limit;
	u16 cs;			/* 0x10, execute/read */
	u16 ds;			/* 0x18, read/write; also ES, SS */
};

/* Where firmware's RSDP is; 0: only boot_info has a copy. Before linux_load(). */
void linux_loader_set_rsdp(hpa_t pa);

/*
 * Put module 0 (bzImage) and module 1 (initrd, if there) where they run. BSP,
 * once, when Bedplate's ranges are final. Fatal if the kernel cannot be loaded.
 */
void linux_load(const struct boot_info *bi, struct linux_entry *entry);

#endif
