/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processor and physical memory for Bedplate's core on the host: include it before anything else
 * (CFLAGS: -include machine_host.h). machine.h says what the machine is.
 */
#ifndef TESTS_FUZZ_MACHINE_HOST_H
#define TESTS_FUZZ_MACHINE_HOST_H

#include "core_host.h"

/* Several CPUs read it while another goes on. */
u64 machine_tsc(void);
#define rdtsc()		machine_tsc()
#define rdtsc_ordered()	machine_tsc()

#define BP_CORE_PAGING_H

extern u8 *machine_memory;

static inline void *phys_to_virt(hpa_t pa)
{
	return machine_memory + pa;
}

static inline hpa_t virt_to_phys(const void *va)
{
	return (hpa_t)((const u8 *)va - machine_memory);
}

static inline void cache_flush(const void *p __unused, u64 len __unused) { }

#endif
