// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk of the guest's own page tables: none, 32-bit with PSE, PAE, 4-level, 5-level.
 * SDM vol. 3 chapter 4; APM vol. 2 chapter 5.
 */
#include "emul_priv.h"

#define PTE_P		(1ull << 0)
#define PTE_W		(1ull << 1)
#define PTE_U		(1ull << 2)
#define PTE_A		(1ull << 5)
#define PTE_D		(1ull << 6)
#define PTE_PS		(1ull << 7)
#define PTE_NX		(1ull << 63)
#define PTE_PKEY_SHIFT	59
#define PTE_ADDR	0x000ffffffffff000ull
#define PDPTE_RSVD	0x1e6ull	/* PAE: bits 1, 2, 5..8 */

#define PF_P		(1u << 0)
#define PF_W		(1u << 1)
#define PF_U		(1u << 2)
#define PF_RSVD		(1u << 3)
#define PF_I		(1u << 4)
#define PF_PK		(1u << 5)

#define WALK_TRIES	8
#define MAX_LEVELS	5

struct walk {
	struct emul_ctx *ctx;
	u64 lin;
	u32 access;
	bool user;
	bool lma;
	u32 levels;
	u32 pte_size;
	u32 leaf;			/* level of the leaf, 1 = 4 KiB */
	u64 pte[MAX_LEVELS + 1];	/* by level */
	u64 pte_gpa[MAX_LEVELS + 1];
};

static void walk_start(struct walk *w, struct emul_ctx *ctx, u64 lin, u32 access)
{
	w->ctx = ctx;
	w->lin = lin;
	w->access = access;
	w->user = ctx->cpl == 3 && !(access & EMUL_WALK_SYSTEM);
	w->lma = ctx->efer & X86_EFER_LMA;
	w->pte_size = ctx->cr4 & CR4_PAE ? 8 : 4;
	w->levels = w->lma ? (ctx->cr4 & CR4_LA57 ? 5 : 4) : w->pte_size == 8 ? 3 : 2;
}

static u32 level_shift(const struct walk *w, u32 level)
{
	return 12 + (w->pte_size == 8 ? 9 : 10) * (level - 1);
}

static bool is_pdpte(const struct walk *w, u32 level)
{
	return !w->lma && level == 3;
}

static int page_fault(struct walk *w, u32 code)
{
	struct emul_ctx *ctx = w->ctx;
	bool nx = (ctx->efer & X86_EFER_NXE) && (ctx->cr4 & CR4_PAE);

	if (w->access & EMUL_WALK_WRITE)
		code |= PF_W;
	if (w->user)
		code |= PF_U;
	if ((w->access & EMUL_WALK_EXEC) && (nx || (ctx->cr4 & CR4_SMEP)))
		code |= PF_I;
	emul_raise_code(ctx, VEC_PF, code);
	ctx->fault.cr2 = w->lin;
	return EMUL_FAULT;
}

static bool is_leaf(const struct walk *w, u32 level, u64 pte)
{
	if (level == 1)
		return true;
	if (!(pte & PTE_PS))
		return false;
	if (level == 2)
		return w->pte_size == 8 || (w->ctx->cr4 & CR4_PSE);
	return level == 3 && w->lma;
}

static bool reserved_set(const struct walk *w, u32 level, u64 pte)
{
	const struct emul_ctx *ctx = w->ctx;
	u32 phys_bits = ctx->phys_bits && ctx->phys_bits < 52 ? ctx->phys_bits : 52;
	bool leaf = is_leaf(w, level, pte);
	u64 rsvd;

	if (w->pte_size == 4)
		return level == 2 && leaf && (pte & (1ull << 21));

	rsvd = PTE_ADDR & ~((1ull << phys_bits) - 1);
	if (!w->lma)
		rsvd |= 0x7ffull << 52;
	if (is_pdpte(w, level))
		return pte & (rsvd | PDPTE_RSVD | PTE_NX);
	if (!(ctx->efer & X86_EFER_NXE))
		rsvd |= PTE_NX;
	if (level >= 4 || (level == 3 && ctx->no_1g_pages))
		rsvd |= PTE_PS;
	if (leaf && level > 1)
		rsvd |= ((1ull << level_shift(w, level)) - 1) & ~0x1fffull;
	return pte & rsvd;
}

static u64 root_table(const struct walk *w)
{
	if (w->lma)
		return w->ctx->cr3 & PTE_ADDR;
	return w->ctx->cr3 & (w->pte_size == 8 ? 0xffffffe0ull : 0xfffff000ull);
}

static int read_entry(struct walk *w, u32 level, u64 index, u64 *pte)
{
	struct emul_ctx *ctx = w->ctx;
	int r;

	if (is_pdpte(w, level) && ctx->pdptes_known) {
		*pte = ctx->pdpte[index];
		return 0;
	}
	r = ctx->ops->read_gpa(ctx, w->pte_gpa[level], pte, w->pte_size);
	return r == -EFAULT ? EMUL_UNHANDLED : r;
}

/* Read the entries from the root to the leaf. */
static int read_entries(struct walk *w)
{
	u64 table = root_table(w);
	u32 level;

	for (level = w->levels; level >= 1; level--) {
		u64 index = w->lin >> level_shift(w, level);
		u64 pte = 0;
		int r;

		index &= is_pdpte(w, level) ? 3 : 4096 / w->pte_size - 1;
		w->pte_gpa[level] = table + index * w->pte_size;
		r = read_entry(w, level, index, &pte);
		if (r)
			return r;
		if (!(pte & PTE_P))
			return page_fault(w, 0);
		if (reserved_set(w, level, pte))
			return page_fault(w, PF_P | PF_RSVD);
		w->pte[level] = pte;
		w->leaf = level;
		if (is_leaf(w, level, pte))
			return 0;
		table = pte & (w->pte_size == 8 ? PTE_ADDR : 0xfffff000ull);
	}
	return EMUL_UNHANDLED;	/* not reached: level 1 is always a leaf */
}

/* Protection keys for user pages; the page's other rights are known good. */
static bool pkey_denies(const struct walk *w, bool user_page)
{
	const struct emul_ctx *ctx = w->ctx;
	u32 key = (w->pte[w->leaf] >> PTE_PKEY_SHIFT) & 0xf;
	u32 bits = ctx->pkru >> (2 * key);

	if (!(ctx->cr4 & CR4_PKE) || !w->lma || !user_page ||
	    (w->access & EMUL_WALK_EXEC))
		return false;
	if (bits & 1)
		return true;
	return (bits & 2) && (w->access & EMUL_WALK_WRITE) &&
	       (w->user || (ctx->cr0 & CR0_WP));
}

static bool supervisor_denied(const struct walk *w, bool user_page)
{
	const struct emul_ctx *ctx = w->ctx;

	if (!user_page)
		return false;
	if (w->access & EMUL_WALK_EXEC)
		return ctx->cr4 & CR4_SMEP;
	if (!(ctx->cr4 & CR4_SMAP))
		return false;
	return (w->access & EMUL_WALK_SYSTEM) || !(ctx->rflags & FL_AC);
}

static int check_rights(struct walk *w)
{
	bool writable = true, user_page = true, nx = false;
	u32 level;

	for (level = w->levels; level >= w->leaf; level--) {
		if (is_pdpte(w, level))
			continue;
		writable &= !!(w->pte[level] & PTE_W);
		user_page &= !!(w->pte[level] & PTE_U);
		nx |= w->pte_size == 8 && (w->pte[level] & PTE_NX);
	}
	if (w->user ? !user_page : supervisor_denied(w, user_page))
		return page_fault(w, PF_P);
	if ((w->access & EMUL_WALK_EXEC) && nx)
		return page_fault(w, PF_P);
	if ((w->access & EMUL_WALK_WRITE) && !writable &&
	    (w->user || (w->ctx->cr0 & CR0_WP)))
		return page_fault(w, PF_P);
	if (pkey_denies(w, user_page))
		return page_fault(w, PF_P | PF_PK);
	return 0;
}

/* Set accessed and dirty bits. EMUL_AGAIN when an entry changed meanwhile. */
static int mark_entries(struct walk *w)
{
	struct emul_ctx *ctx = w->ctx;
	u32 level;

	for (level = w->levels; level >= w->leaf; level--) {
		u64 old = w->pte[level], val = old | PTE_A;
		int r;

		if (is_pdpte(w, level))
			continue;
		if (level == w->leaf && (w->access & EMUL_WALK_WRITE))
			val |= PTE_D;
		if (val == old)
			continue;
		r = ctx->ops->cmpxchg_gpa(ctx, w->pte_gpa[level], &old, &val,
					  w->pte_size);
		if (r)
			return r == 1 ? EMUL_AGAIN :
			       r == -EFAULT ? EMUL_UNHANDLED : r;
	}
	return 0;
}

static u64 leaf_gpa(const struct walk *w)
{
	u64 low = (1ull << level_shift(w, w->leaf)) - 1;
	u64 pte = w->pte[w->leaf];
	u64 base;

	if (w->pte_size == 8) {
		base = pte & PTE_ADDR;
	} else {
		base = pte & 0xfffff000ull;
		if (w->leaf == 2)	/* PSE-36: bits 13..20 are address 32..39 */
			base |= (pte & 0x1fe000ull) << 19;
	}
	return (base & ~low) | (w->lin & low);
}

int emul_translate(struct emul_ctx *ctx, u64 lin, u32 access, u64 *gpa)
{
	struct walk w;
	int i, r;

	if (!(ctx->cr0 & CR0_PG)) {
		*gpa = (u32)lin;
		return 0;
	}
	if ((ctx->efer & X86_EFER_LMA) && (ctx->cr4 & CR4_PKS))
		return EMUL_UNHANDLED;

	walk_start(&w, ctx, lin, access);
	for (i = 0; i < WALK_TRIES; i++) {
		r = read_entries(&w);
		if (!r)
			r = check_rights(&w);
		if (r)
			return r;
		if (!(access & EMUL_WALK_PEEK))
			r = mark_entries(&w);
		if (r == EMUL_AGAIN)
			continue;
		if (!r)
			*gpa = leaf_gpa(&w);
		return r;
	}
	return EMUL_AGAIN;
}

int emul_check_pdptes(struct emul_ctx *ctx, u32 error)
{
	struct walk w;
	u64 pdpte[4];
	int i, r;

	walk_start(&w, ctx, 0, 0);
	r = ctx->ops->read_gpa(ctx, root_table(&w), pdpte, sizeof(pdpte));
	if (r)
		return r == -EFAULT ? EMUL_UNHANDLED : r;
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & PTE_P) && reserved_set(&w, 3, pdpte[i]))
			return emul_raise_code(ctx, VEC_GP, error);
	return 0;
}
