// SPDX-License-Identifier: GPL-2.0-only
/* Reading the guest's own page tables and code; the contract is in insn.h. */
#include "gwalk.h"
#include "insn.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "memory/mmu.h"
#include "vcpu/vcpu.h"

#define PTE_ADDR	0x000ffffffffff000ull

/* Rights and reserved bits are not looked at. */
static int read_pte(struct guest_view *w, gpa_t gpa, u32 size, u64 *pte)
{
	*pte = 0;
	if (guest_view_read(w, gpa, pte, size) || !(*pte & GPTE_P))
		return -EFAULT;
	return 0;
}

/* Long mode and PAE: `levels` tables of 512 entries, the first of them at `pte`. */
static int walk64(struct guest_view *w, u64 pte, int levels, gva_t gva, gpa_t *gpa)
{
	int level;

	for (level = levels; level >= 1; level--) {
		u32 shift = 12 + 9 * (level - 1);

		if (read_pte(w, (pte & PTE_ADDR) + ((gva >> shift) & 511) * 8, 8, &pte))
			return -EFAULT;
		/* 2 MiB, and 1 GiB, which PAE does not come by. */
		if (level == 1 || ((pte & GPTE_PS) && level <= 3)) {
			u64 low = BIT(shift) - 1;

			*gpa = (pte & PTE_ADDR & ~low) | (gva & low);
			return 0;
		}
	}
	return -EFAULT;
}

/* A top entry is no page; the CPU may have all four in registers. */
static int walk_pae(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, gpa_t *gpa)
{
	u32 n = gva >> 30 & 3;
	u64 top;

	if (p->pdptes)
		top = p->pdpte[n];
	else if (read_pte(w, PAE_ROOT(p->cr3) + n * 8, 8, &top))
		return -EFAULT;
	return top & GPTE_P ? walk64(w, top, 2, gva, gpa) : -EFAULT;
}

static int walk32(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, gpa_t *gpa)
{
	u64 pte;

	if (read_pte(w, (p->cr3 & 0xfffff000) + ((gva >> 22) & 1023) * 4, 4, &pte))
		return -EFAULT;
	if ((pte & GPTE_PS) && (p->cr4 & X86_CR4_PSE)) {
		*gpa = (pte & 0xffc00000) | ((pte >> 13) & 0xff) << 32 | (gva & 0x3fffff);
		return 0;
	}
	if (read_pte(w, (pte & 0xfffff000) + ((gva >> 12) & 1023) * 4, 4, &pte))
		return -EFAULT;
	*gpa = (pte & 0xfffff000) | (gva & 0xfff);
	return 0;
}

static int walk(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, gpa_t *gpa)
{
	if (!(p->cr0 & X86_CR0_PG)) {
		*gpa = gva;
		return 0;
	}
	if (p->efer & EFER_LMA)
		return walk64(w, p->cr3, p->cr4 & X86_CR4_LA57 ? 5 : 4, gva, gpa);
	if (p->cr4 & X86_CR4_PAE)
		return walk_pae(w, p, gva & 0xffffffff, gpa);
	return walk32(w, p, gva & 0xffffffff, gpa);
}

int pae_root_check(struct guest_view *w, u64 cr3)
{
	u64 pdpte[4], i;

	if (guest_view_read(w, PAE_ROOT(cr3), pdpte, sizeof(pdpte)))
		return -EFAULT;
	for (i = 0; i < 4; i++)
		if (pdpte_bad(pdpte[i], mmu_phys_end()))
			return -EINVAL;
	return 0;
}

int gva_to_gpa(struct vcpu *v, const struct vcpu_paging *p, gva_t gva, gpa_t *gpa)
{
	struct guest_view w;
	int err;

	guest_view_begin(&w, v->dom, v->space);
	err = walk(&w, p, gva, gpa);
	guest_view_end(&w);
	return err;
}

/* INSN_MAX bytes from @gva on, or as many as there are before a page that is not mapped. */
static int fetch(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, u8 *buf)
{
	u32 first = min((u64)INSN_MAX, PAGE_SIZE - (gva & ~PAGE_MASK));
	gpa_t gpa;

	if (walk(w, p, gva, &gpa) || guest_view_read(w, gpa, buf, first))
		return -EFAULT;
	if (first < INSN_MAX && !walk(w, p, gva + first, &gpa) &&
	    !guest_view_read(w, gpa, buf + first, INSN_MAX - first))
		return INSN_MAX;
	return first;
}

int insn_fetch(struct vcpu *v, const struct vcpu_paging *p, u8 *buf)
{
	gva_t gva = v->regs.rip;
	struct guest_view w;
	int n;

	if (!p->cs_long)
		gva = (p->cs_base + gva) & 0xffffffff;
	guest_view_begin(&w, v->dom, v->space);
	n = fetch(&w, p, gva, buf);
	guest_view_end(&w);
	return n;
}
