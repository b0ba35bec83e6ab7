// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers that hv/core itself moves when a CPU changes vCPUs: FPU and vector
 * state, XCR0, breakpoint addresses, TSC_AUX.  Always at once, never lazily:
 * nobody ever sees another's.
 */
#include "lib/x86.h"
#include "machine/cpu.h"
#include "run.h"

u64 xcr0_supported;

bool xcr0_valid(u64 val)
{
	u64 avx512 = XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM;

	if ((val & ~xcr0_supported) || !(val & XCR0_FP))
		return false;
	if ((val & XCR0_AVX) && !(val & XCR0_SSE))
		return false;
	if (!!(val & XCR0_BNDREGS) != !!(val & XCR0_BNDCSR))
		return false;
	if (val & avx512)
		return (val & avx512) == avx512 && (val & XCR0_AVX);
	return true;
}

static inline void xsave(void *area)
{
	__asm__ volatile("xsave64 (%0)" :: "r"(area), "a"((u32)xcr0_supported),
			 "d"((u32)(xcr0_supported >> 32)) : "memory");
}

static inline void xrstor(const void *area)
{
	__asm__ volatile("xrstor64 (%0)" :: "r"(area), "a"((u32)xcr0_supported),
			 "d"((u32)(xcr0_supported >> 32)) : "memory");
}

static void read_drs(u64 *dr)
{
	dr[0] = read_dr0();
	dr[1] = read_dr1();
	dr[2] = read_dr2();
	dr[3] = read_dr3();
}

/* A write is slow, and as a rule the CPU has what it is to have: 0. */
static void write_drs(const u64 *dr, const u64 *now)
{
	if (dr[0] != now[0])
		write_dr0(dr[0]);
	if (dr[1] != now[1])
		write_dr1(dr[1]);
	if (dr[2] != now[2])
		write_dr2(dr[2]);
	if (dr[3] != now[3])
		write_dr3(dr[3]);
}

void extra_init_cpu(struct cpu *c)
{
	c->has_tsc_aux = cpuid(0x80000001).edx & BIT(27);
	read_drs(c->dr);
}

/* All components are moved, also those that the vCPU's XCR0 leaves out. */
void vcpu_save_extra(struct vcpu *v)
{
	if (v->xcr0 != xcr0_supported)
		xsetbv(0, xcr0_supported);
	xsave(v->xsave);
	read_drs(v->dr);
	__builtin_memcpy(this_cpu()->dr, v->dr, sizeof(v->dr));
}

void vcpu_load_extra(struct vcpu *v)
{
	xrstor(v->xsave);
	if (v->xcr0 != xcr0_supported)
		xsetbv(0, v->xcr0);
	write_drs(v->dr, this_cpu()->dr);
	vcpu_load_tsc_aux(v);
}

void vcpu_load_tsc_aux(struct vcpu *v)
{
	struct cpu *c = this_cpu();

	if (c->tsc_aux == v->msr.tsc_aux || !c->has_tsc_aux)
		return;
	c->tsc_aux = v->msr.tsc_aux;
	wrmsr(MSR_TSC_AUX, c->tsc_aux);
}
