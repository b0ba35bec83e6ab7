// SPDX-License-Identifier: GPL-2.0-only
/* Reading the guest's own page tables and code; the contract is in insn.h. */
#include "errno.h"
#include "insn.h"
#include "mmu.h"
#include "vcpu.h"
#include "x86.h"

/* Guest PTE bits (SDM vol. 3, ch. 4) */
#define PTE_P		BIT(0)
#define PTE_PS		BIT(7)
#define PTE_ADDR	0x000ffffffffff000ull

static int read_pte(struct guest_view *w, gpa_t gpa, u32 size, u64 *pte)
{
	*pte = 0;
	if (guest_view_read(w, gpa, pte, size))
		return -EFAULT;
	return *pte & PTE_P ? 0 : -EFAULT;
}

/* Long mode and PAE: `levels` tables of 512 (the top of PAE: 4) entries. */
static int walk64(struct guest_view *w, u64 cr3, int levels, gva_t gva, gpa_t *gpa)
{
	u64 pte = levels == 3 ? cr3 & 0xffffffe0 : cr3 & PTE_ADDR;
	int level;

	for (level = levels; level >= 1; level--) {
		u32 shift = 12 + 9 * (level - 1);
		gpa_t table = level == levels ? pte : pte & PTE_ADDR;
		u64 mask = level == 3 && levels == 3 ? 3 : 511;

		if (read_pte(w, table + ((gva >> shift) & mask) * 8, 8, &pte))
			return -EFAULT;
		/* 1 GiB pages exist in long mode only; a PAE top entry is no page. */
		if (level == 1 || ((pte & PTE_PS) &&
				   (level == 2 || (level == 3 && levels > 3)))) {
			u64 low = BIT(shift) - 1;

			*gpa = (pte & PTE_ADDR & ~low) | (gva & low);
			return 0;
		}
	}
	return -EFAULT;
}

static int walk32(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, gpa_t *gpa)
{
	u64 pte;

	if (read_pte(w, (p->cr3 & 0xfffff000) + ((gva >> 22) & 1023) * 4, 4, &pte))
		return -EFAULT;
	if ((pte & PTE_PS) && (p->cr4 & X86_CR4_PSE)) {
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
		return walk64(w, p->cr3, 3, gva & 0xffffffff, gpa);
	return walk32(w, p, gva & 0xffffffff, gpa);
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
