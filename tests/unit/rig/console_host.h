/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ports and device memory for host tests of the consoles.  Include it before anything else
 * (CFLAGS: -include console_host.h): it stands in for x86.h and paging.h.
 */
#ifndef TESTS_UNIT_CONSOLE_HOST_H
#define TESTS_UNIT_CONSOLE_HOST_H

#define BP_CORE_X86_H
#define BP_CORE_PAGING_H
#include "hv/core/lib/types.h"

u8 inb(u16 port);
void outb(u16 port, u8 val);
u32 inl(u16 port);
void outl(u16 port, u32 val);

void *ioremap(hpa_t pa, u64 len);
void *ioremap_wc(hpa_t pa, u64 len);
void *memremap(hpa_t pa, u64 len);

#endif
