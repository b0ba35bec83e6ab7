// SPDX-License-Identifier: GPL-2.0-only
/*
 * The boot CPU's MTRRs for an AP whose firmware left them at their reset values
 * (SDM vol. 3, 12.11.8; APM vol. 2, 7.7.5).  The contract is in mtrr.h.
 */
#include "lib/string.h"
#include "lib/x86.h"
#include "mtrr.h"

static const u32 fixed_msr[MTRR_FIXED] = {
	MSR_MTRR_FIX64K_00000, MSR_MTRR_FIX16K_80000, MSR_MTRR_FIX16K_A0000,
	MSR_MTRR_FIX4K_C0000, MSR_MTRR_FIX4K_C0000 + 1, MSR_MTRR_FIX4K_C0000 + 2,
	MSR_MTRR_FIX4K_C0000 + 3, MSR_MTRR_FIX4K_C0000 + 4, MSR_MTRR_FIX4K_C0000 + 5,
	MSR_MTRR_FIX4K_C0000 + 6, MSR_MTRR_FIX4K_C0000 + 7,
};

/* Root mode uses no global pages, so CR3 flushes all; CR4.PGE is off. */
static void flush_tlb(void)
{
	write_cr3(read_cr3());
}

static void write_changed(u32 msr, u64 now, u64 val)
{
	if (now != val)
		wrmsr(msr, val);
}

/* The caches are off and empty, the MTRRs too. */
static void write_all(const struct mtrr_state *now, const struct mtrr_state *m)
{
	u32 i;

	for (i = 0; i < MTRR_FIXED; i++)
		write_changed(fixed_msr[i], now->fixed[i], m->fixed[i]);
	for (i = 0; i < min(now->nr_var, m->nr_var); i++) {
		write_changed(MSR_MTRR_PHYSBASE0 + 2 * i, now->var[i].base, m->var[i].base);
		write_changed(MSR_MTRR_PHYSMASK0 + 2 * i, now->var[i].mask, m->var[i].mask);
	}
}

bool mtrr_sync(const struct mtrr_state *m)
{
	struct mtrr_state now;
	u64 cr0 = read_cr0();

	mtrr_read(&now);
	if (!memcmp(&now, m, sizeof(now)))
		return false;
	write_cr0((cr0 | X86_CR0_CD) & ~X86_CR0_NW);
	wbinvd();
	flush_tlb();
	wrmsr(MSR_MTRR_DEF_TYPE, now.def_type & ~MTRR_DEF_E);
	write_all(&now, m);
	wrmsr(MSR_MTRR_DEF_TYPE, m->def_type);
	wbinvd();
	flush_tlb();
	write_cr0(cr0);
	return true;
}
