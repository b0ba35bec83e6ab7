/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processor for host tests of hv/core.  Include it before anything else
 * (CFLAGS: -include core_host.h): it stands in for x86.h, with a TSC, MSRs,
 * ports and CPUID of the test's own.
 */
#ifndef TESTS_UNIT_CORE_HOST_H
#define TESTS_UNIT_CORE_HOST_H

#define BP_CORE_X86_H
#include "hv/core/lib/errno.h"
#include "hv/core/lib/types.h"
#include "hv/core/lib/x86_regs.h"

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

extern u64 host_tsc;
struct cpuid host_cpuid(u32 leaf, u32 sub);
int host_rdmsr(u32 msr, u64 *val);
int host_wrmsr(u32 msr, u64 val);
u8 host_inb(u16 port);
void host_outb(u16 port, u8 val);

static inline u64 rdtsc(void)
{
	return host_tsc;
}

static inline u64 rdtsc_ordered(void)
{
	return host_tsc;
}

static inline struct cpuid cpuid_count(u32 leaf, u32 sub)
{
	return host_cpuid(leaf, sub);
}

static inline struct cpuid cpuid(u32 leaf)
{
	return host_cpuid(leaf, 0);
}

static inline int rdmsr_safe(u32 msr, u64 *val)
{
	return host_rdmsr(msr, val);
}

static inline int wrmsr_safe(u32 msr, u64 val)
{
	return host_wrmsr(msr, val);
}

static inline u64 rdmsr(u32 msr)
{
	u64 val = 0;

	host_rdmsr(msr, &val);
	return val;
}

static inline void wrmsr(u32 msr, u64 val)
{
	host_wrmsr(msr, val);
}

/* Control registers and caches. */
u64 host_read_cr(int n);
void host_write_cr(int n, u64 val);
void host_wbinvd(void);

static inline u64 read_cr0(void)
{
	return host_read_cr(0);
}

static inline void write_cr0(u64 val)
{
	host_write_cr(0, val);
}

static inline u64 read_cr3(void)
{
	return host_read_cr(3);
}

static inline void write_cr3(u64 val)
{
	host_write_cr(3, val);
}

static inline void wbinvd(void)
{
	host_wbinvd();
}

u64 host_read_dr(u32 n);
void host_write_dr(u32 n, u64 val);

static inline u64 read_dr0(void) { return host_read_dr(0); }
static inline u64 read_dr1(void) { return host_read_dr(1); }
static inline u64 read_dr2(void) { return host_read_dr(2); }
static inline u64 read_dr3(void) { return host_read_dr(3); }
static inline void write_dr0(u64 val) { host_write_dr(0, val); }
static inline void write_dr1(u64 val) { host_write_dr(1, val); }
static inline void write_dr2(u64 val) { host_write_dr(2, val); }
static inline void write_dr3(u64 val) { host_write_dr(3, val); }

void host_xsetbv(u32 xcr, u64 val);

static inline void xsetbv(u32 xcr, u64 val)
{
	host_xsetbv(xcr, val);
}

/* What clears predictors and buffers without an MSR. */
void host_verw(void);
void host_return_stack(void);
void host_divider(void);

static inline void clear_cpu_buffers(void)
{
	host_verw();
}

static inline void clear_divider(void)
{
	host_divider();
}

static inline void fill_return_stack(void)
{
	host_return_stack();
}

static inline u8 inb(u16 port)
{
	return host_inb(port);
}

static inline void outb(u16 port, u8 val)
{
	host_outb(port, val);
}

/* Accesses of any size. */
u32 host_in(u16 port, u32 size);
void host_out(u16 port, u32 size, u32 val);

static inline u32 port_in(u16 port, u32 size)
{
	return host_in(port, size);
}

static inline void port_out(u16 port, u32 size, u32 val)
{
	host_out(port, size, val);
}

static inline u32 inl(u16 port)
{
	return host_in(port, 4);
}

static inline void outl(u16 port, u32 val)
{
	host_out(port, 4, val);
}

/* A CPU that waits for another one: the test is that other one. */
void host_pause(void);

static inline void pause(void)
{
	host_pause();
}

/* An interrupt window, and a CPU with nothing to do. */
void host_irq_window(void);
void host_idle(void);

static inline void sti_nop_cli(void)
{
	host_irq_window();
}

void host_monitor(const void *p);
void host_mwait(u32 hint);

static inline void monitor(const void *p)
{
	host_monitor(p);
}

static inline void mwait(u32 hint)
{
	host_mwait(hint);
}

static inline void sti_hlt_cli(void)
{
	host_idle();
}

#endif
