// SPDX-License-Identifier: GPL-2.0-only
/* Reading the guest's own page tables and code; the contract is in insn.h. */
#include "gwalk.h"
#include "insn.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "memory/domain.h"
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

/* Where the bytes are that guest_view_read() has just read. */
static const void *just_read(const struct guest_view *w, gpa_t gpa)
{
	return w->base + (gpa - w->first);
}

/*
 * Long mode and PAE: `levels` tables of 512 entries, the first of them at `pte`.
 * @note may be NULL; else it learns the entries met.
 */
static int walk64(struct guest_view *w, u64 pte, int levels, gva_t gva, gpa_t *gpa,
		  struct code_walk *note)
{
	int level;

	for (level = levels; level >= 1; level--) {
		u32 shift = 12 + 9 * (level - 1);
		gpa_t at = (pte & PTE_ADDR) + ((gva >> shift) & 511) * 8;

		if (read_pte(w, at, 8, &pte))
			return -EFAULT;
		if (note) {
			note->entry[note->page] = just_read(w, at);
			note->was[note->page++] = pte;
		}
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
	return top & GPTE_P ? walk64(w, top, 2, gva, gpa, NULL) : -EFAULT;
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

static int walk_long(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, gpa_t *gpa,
		     struct code_walk *note)
{
	return walk64(w, p->cr3, p->cr4 & X86_CR4_LA57 ? 5 : 4, gva, gpa, note);
}

static int walk(struct guest_view *w, const struct vcpu_paging *p, gva_t gva, gpa_t *gpa)
{
	if (!(p->cr0 & X86_CR0_PG)) {
		*gpa = gva;
		return 0;
	}
	if (p->efer & EFER_LMA)
		return walk_long(w, p, gva, gpa, NULL);
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

/* ---- code ---- */

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

static struct code_walk *walk_of(struct vcpu *v, gva_t gva)
{
	return &v->code[(gva >> PAGE_SHIFT) % CODE_WALKS];
}

/* v->dom->lock held.  Is this the walk to the page, and good yet? */
static inline bool walk_good(const struct vcpu *v, const struct code_walk *c, u64 cr3, u64 page)
{
	u64 i = c->page - page;

	if (!i || i >= PAGE_SIZE || c->cr3 != cr3 || c->gen != v->dom->tlb_gen)
		return false;
	while (i--)
		if (READ_ONCE(*c->entry[i]) != c->was[i])
			return false;
	return true;
}

static bool walk_note(struct vcpu *v, struct guest_view *w, const struct vcpu_paging *p, u64 page,
		      struct code_walk *c)
{
	gpa_t gpa;
	u8 b;

	c->page = 0;
	if (walk_long(w, p, page, &gpa, c) || guest_view_read(w, gpa, &b, 1)) {
		c->page = 0;
		return false;
	}
	c->code = just_read(w, gpa);
	c->cr3 = p->cr3;
	c->gen = v->dom->tlb_gen;
	c->page += page;
	return true;
}

/* As insn_fetch(): where no walk to be remembered is good. */
static noinline int fetch_anew(struct vcpu *v, const struct vcpu_paging *p, gva_t gva, bool note,
			       u8 *buf)
{
	struct code_walk *c = walk_of(v, gva);
	struct guest_view w;
	int n = INSN_MAX;

	guest_view_begin(&w, v->dom, v->space);
	if (note && walk_note(v, &w, p, gva & PAGE_MASK, c))
		__builtin_memcpy(buf, c->code + (gva & ~PAGE_MASK), INSN_BUF);
	else
		n = fetch(&w, p, gva, buf);
	guest_view_end(&w);
	return n;
}

int insn_fetch(struct vcpu *v, const struct vcpu_paging *p, u8 *buf)
{
	gva_t gva = v->regs.rip;
	const struct code_walk *c;
	bool good;

	if (!p->cs_long)
		gva = (p->cs_base + gva) & 0xffffffff;
	if (!(p->efer & EFER_LMA) || v->space || (gva & ~PAGE_MASK) > PAGE_SIZE - INSN_BUF)
		return fetch_anew(v, p, gva, false, buf);
	c = walk_of(v, gva);
	spin_lock(&v->dom->lock);
	good = walk_good(v, c, p->cr3, gva & PAGE_MASK);
	if (good)
		__builtin_memcpy(buf, c->code + (gva & ~PAGE_MASK), INSN_BUF);
	spin_unlock(&v->dom->lock);
	return likely(good) ? INSN_MAX : fetch_anew(v, p, gva, true, buf);
}
