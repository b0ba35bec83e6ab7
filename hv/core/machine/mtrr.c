// SPDX-License-Identifier: GPL-2.0-only
/* Memory types from the MTRRs; the contract is in mtrr.h. */
#include "mtrr.h"
#include "lib/string.h"
#include "lib/x86.h"

#define CPUID_1_EDX_MTRR	BIT(12)
#define MTRR_ADDR		0x000ffffffffff000ull
#define MTRR_END		BIT(52)

void mtrr_read(struct mtrr_state *m)
{
	u64 cap;
	u32 i;

	memset(m, 0, sizeof(*m));
	if (!(cpuid(1).edx & CPUID_1_EDX_MTRR))
		return;
	cap = rdmsr(MSR_MTRRCAP);
	m->def_type = rdmsr(MSR_MTRR_DEF_TYPE);
	m->nr_var = min((u32)(cap & MTRRCAP_VCNT), (u32)MTRR_VAR_MAX);
	for (i = 0; i < m->nr_var; i++) {
		m->var[i].base = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * i);
		m->var[i].mask = rdmsr(MSR_MTRR_PHYSMASK0 + 2 * i);
	}
	if (!(cap & MTRRCAP_FIX)) {
		m->def_type &= ~MTRR_DEF_FE;
		return;
	}
	m->fixed[0] = rdmsr(MSR_MTRR_FIX64K_00000);
	m->fixed[1] = rdmsr(MSR_MTRR_FIX16K_80000);
	m->fixed[2] = rdmsr(MSR_MTRR_FIX16K_A0000);
	for (i = 0; i < 8; i++)
		m->fixed[3 + i] = rdmsr(MSR_MTRR_FIX4K_C0000 + i);
}

/* One byte of type for each of eight equal parts of the MSR's range. */
static u8 fixed_type(const struct mtrr_state *m, hpa_t pa)
{
	u32 msr, part;

	if (pa < 0x80000) {
		msr = 0;
		part = pa >> 16;
	} else if (pa < 0xc0000) {
		msr = 1 + ((pa - 0x80000) >> 17);
		part = (pa >> 14) & 7;
	} else {
		msr = 3 + ((pa - 0xc0000) >> 15);
		part = (pa >> 12) & 7;
	}
	return m->fixed[msr] >> (8 * part);
}

/* Two ranges over one page: UC wins, then WT over WB (SDM vol. 3, 12.11.4.1). */
static u8 combine(u8 a, u8 b)
{
	if (a == b)
		return a;
	if ((a == MEMTYPE_WT && b == MEMTYPE_WB) || (a == MEMTYPE_WB && b == MEMTYPE_WT))
		return MEMTYPE_WT;
	return MEMTYPE_UC;
}

u8 mtrr_type(const struct mtrr_state *m, hpa_t pa)
{
	bool found = false;
	u8 type = MEMTYPE_UC;
	u32 i;

	if (!(m->def_type & MTRR_DEF_E))
		return MEMTYPE_UC;
	if (pa < SZ_1M && (m->def_type & MTRR_DEF_FE))
		return fixed_type(m, pa);
	for (i = 0; i < m->nr_var; i++) {
		u64 mask = m->var[i].mask & MTRR_ADDR;
		u8 t = m->var[i].base & MTRR_DEF_TYPE;

		if (!(m->var[i].mask & MTRR_MASK_VALID) ||
		    (pa & mask) != (m->var[i].base & mask))
			continue;
		type = found ? combine(type, t) : t;
		found = true;
	}
	return found ? type : m->def_type & MTRR_DEF_TYPE;
}

/* Below the lowest bit of its mask a range does not tell addresses apart. */
u8 mtrr_run(const struct mtrr_state *m, hpa_t pa, hpa_t *end)
{
	u64 mask, step = MTRR_END;
	u32 i;

	if (pa < SZ_1M)
		step = PAGE_SIZE;
	for (i = 0; i < m->nr_var; i++) {
		mask = m->var[i].mask & MTRR_ADDR;
		if (mask && (m->var[i].mask & MTRR_MASK_VALID))
			step = min(step, mask & -mask);
	}
	*end = ALIGN_DOWN(pa, step) + step;
	return mtrr_type(m, pa);
}
