// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers that hv/core itself moves when a CPU changes vCPUs: FPU and vector
 * state, XCR0, breakpoint addresses, TSC_AUX.  At once, so that nobody ever sees
 * another's; breakpoint addresses only of those who use them, for each MOV DR is
 * slow and hardly anybody has one.
 */
#include "lib/x86.h"
#include "machine/cpu.h"
#include "ops.h"
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

/* ---- DR0 to DR3: 0 but while a vCPU has them (v->dr_own) ---- */

static void read_drs(u64 *dr)
{
	dr[0] = read_dr0();
	dr[1] = read_dr1();
	dr[2] = read_dr2();
	dr[3] = read_dr3();
}

static void write_drs(u64 dr0, u64 dr1, u64 dr2, u64 dr3)
{
	write_dr0(dr0);
	write_dr1(dr1);
	write_dr2(dr2);
	write_dr3(dr3);
}

static void set_own(struct vcpu *v, bool own)
{
	if (own)
		write_drs(v->dr[0], v->dr[1], v->dr[2], v->dr[3]);
	if (v->dr_own == own)
		return;
	v->dr_own = own;
	ops->sync_controls(v);
}

/* Not while it has them: those in memory are old then. */
void vcpu_use_drs(struct vcpu *v)
{
	set_own(v, true);
}

/*
 * Who has a MOV DR gets them till its turn ends, and for longer if DR7 enables one. Another's must not
 * be there: B0 to B3 of DR6 tell of matches that nothing enables, too (SDM vol. 3, 18.2.3).
 */
static noinline void save_drs(struct vcpu *v)
{
	read_drs(v->dr);
	write_drs(0, 0, 0, 0);
}

static noinline void load_drs(struct vcpu *v)
{
	set_own(v, v->dr7 & X86_DR7_ENABLED);
}

void extra_init_cpu(struct cpu *c)
{
	c->has_tsc_aux = cpuid(0x80000001).edx & BIT(27);
	write_drs(0, 0, 0, 0);
}

/* All components are moved, also those that the vCPU's XCR0 leaves out. */
void vcpu_save_extra(struct vcpu *v)
{
	if (v->xcr0 != xcr0_supported)
		xsetbv(0, xcr0_supported);
	xsave(v->xsave);
	if (unlikely(v->dr_own))
		save_drs(v);
}

void vcpu_load_extra(struct vcpu *v)
{
	xrstor(v->xsave);
	if (v->xcr0 != xcr0_supported)
		xsetbv(0, v->xcr0);
	if (unlikely(v->dr_own || (v->dr7 & X86_DR7_ENABLED)))
		load_drs(v);
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
