// SPDX-License-Identifier: GPL-2.0-only
/* Reading the guest's own page tables and code; the contract is in insn.h. */
#include "gwalk.h"
#include "insn.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "memory/mmu.h"
#include "vcpu/vcpu.h"

#define PTE_ADDR	0x000ffffffffff000ull

/* One entry, noted in @r unless it has no accessed bit. */
static int read_pte(struct guest_view *w, struct gwalk *r, gpa_t gpa, bool note, u64 *pte)
{
	*pte = 0;
	r->gpa = gpa;
	if (guest_view_read(w, gpa, pte, r->size))
		return -EFAULT;
	if (!(*pte & GPTE_P))
		return -ENOENT;
	if (note) {
		r->at[r->n] = gpa;
		r->pte[r->n++] = *pte;
	}
	return 0;
}

/* Long mode and PAE: `levels` tables of 512 entries, the first of them at `pte`. */
static int walk64(struct guest_view *w, u64 pte, int levels, gva_t gva, struct gwalk *r)
{
	int level, err;

	r->size = 8;
	for (level = levels; level >= 1; level--) {
		u32 shift = 12 + 9 * (level - 1);

		err = read_pte(w, r, (pte & PTE_ADDR) + ((gva >> shift) & 511) * 8, true, &pte);
		if (err)
			return err;
		/* 2 MiB, and 1 GiB, which PAE does not come by. */
		if (level == 1 || ((pte & GPTE_PS) && level <= 3)) {
			u64 low = BIT(shift) - 1;

			r->gpa = (pte & PTE_ADDR & ~low) | (gva & low);
			return 0;
		}
	}
	return -ENOENT;
}

/* A top entry has no accessed bit and is no page; the CPU may have all four in registers. */
static int walk_pae(struct guest_view *w, const struct vcpu_paging *p, gva_t gva,
		    struct gwalk *r)
{
	u32 n = gva >> 30 & 3;
	int err = 0;
	u64 top;

	r->size = 8;
	if (p->pdptes)
		top = p->pdpte[n];
	else
		err = read_pte(w, r, PAE_ROOT(p->cr3) + n * 8, false, &top);
	if (err)
		return err;
	return top & GPTE_P ? walk64(w, top, 2, gva, r) : -ENOENT;
}

static int walk32(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, struct gwalk *r)
{
	u64 pte;
	int err;

	r->size = 4;
	err = read_pte(w, r, (p->cr3 & 0xfffff000) + ((gva >> 22) & 1023) * 4, true, &pte);
	if (err)
		return err;
	if ((pte & GPTE_PS) && (p->cr4 & X86_CR4_PSE)) {
		r->gpa = (pte & 0xffc00000) | ((pte >> 13) & 0xff) << 32 | (gva & 0x3fffff);
		return 0;
	}
	err = read_pte(w, r, (pte & 0xfffff000) + ((gva >> 12) & 1023) * 4, true, &pte);
	if (err)
		return err;
	r->gpa = (pte & 0xfffff000) | (gva & 0xfff);
	return 0;
}

int guest_walk(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, struct gwalk *r)
{
	r->n = 0;
	if (!(p->cr0 & X86_CR0_PG)) {
		r->gpa = gva;
		return 0;
	}
	if (p->efer & EFER_LMA)
		return walk64(w, p->cr3, p->cr4 & X86_CR4_LA57 ? 5 : 4, gva, r);
	if (p->cr4 & X86_CR4_PAE)
		return walk_pae(w, p, gva & 0xffffffff, r);
	return walk32(w, p, gva & 0xffffffff, r);
}

static int walk(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, gpa_t *gpa)
{
	struct gwalk r;

	if (guest_walk(w, p, gva, &r))
		return -EFAULT;
	*gpa = r.gpa;
	return 0;
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

	guest_view_begin(&w, v->dom);
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
	guest_view_begin(&w, v->dom);
	n = fetch(&w, p, gva, buf);
	guest_view_end(&w);
	return n;
}
