// SPDX-License-Identifier: GPL-2.0-only
/* The CPU's own accesses to linear addresses; the contract is in linear.h. */
#include "linear.h"

#include "gwalk.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86_regs.h"
#include "machine/panic.h"
#include "vcpu/ops.h"

/* A guest that changes its tables as fast as we walk them gets a page fault. */
#define TRIES	8

void linear_begin(struct linear *l, struct vcpu *v)
{
	ops->get_paging(v, &l->paging);
	guest_view_begin(&l->view, v->dom);
}

void linear_end(struct linear *l)
{
	guest_view_end(&l->view);
}

static void *page_fault(struct linear *l, gva_t gva, u32 access, u32 error)
{
	l->why = LINEAR_PF;
	l->gva = gva;
	l->error = error | (access & LINEAR_WRITE ? PF_ERR_W : 0) |
		   (access & LINEAR_USER ? PF_ERR_U : 0);
	return NULL;
}

static void *no_memory(struct linear *l, gpa_t gpa, bool write)
{
	l->why = LINEAR_MEMORY;
	l->gpa = gpa;
	l->write = write;
	return NULL;
}

static void *find(struct linear *l, gpa_t gpa, bool write)
{
	void *p = guest_view_at(&l->view, gpa, write);

	return p ? p : no_memory(l, gpa, write);
}

/*
 * A supervisor may not use a user's pages under SMAP: accesses that the CPU
 * makes by itself do not look at RFLAGS.AC.
 */
static bool allowed(const struct vcpu_paging *p, const struct gwalk *r, u32 access)
{
	u64 rights = GPTE_W | GPTE_U;
	u32 i;

	for (i = 0; i < r->n; i++)
		rights &= r->pte[i];
	if (access & LINEAR_USER) {
		if (!(rights & GPTE_U))
			return false;
	} else if ((rights & GPTE_U) && (p->cr4 & X86_CR4_SMAP)) {
		return false;
	}
	if (!(access & LINEAR_WRITE) || (rights & GPTE_W))
		return true;
	return !(access & LINEAR_USER) && !(p->cr0 & X86_CR0_WP);
}

/* 0; -EFAULT as linear_span(); -EAGAIN: the entry has changed. */
static int mark_entry(struct linear *l, const struct gwalk *r, u32 i, u64 flags)
{
	u64 old = r->pte[i], found;
	void *p;

	if ((old & flags) == flags)
		return 0;
	p = find(l, r->at[i], true);
	if (!p)
		return -EFAULT;
	found = r->size == 8 ? cmpxchg((u64 *)p, old, old | flags) :
			       cmpxchg((u32 *)p, (u32)old, (u32)(old | flags));
	return found == old ? 0 : -EAGAIN;
}

static int mark_used(struct linear *l, const struct gwalk *r, u32 access)
{
	u32 i;
	int err;

	for (i = 0; i < r->n; i++) {
		bool dirty = i + 1 == r->n && (access & LINEAR_WRITE);

		err = mark_entry(l, r, i, GPTE_A | (dirty ? GPTE_D : 0));
		if (err)
			return err;
	}
	return 0;
}

/* Where a linear address is, up to the end of its page; NULL as linear_span(). */
static void *translate(struct linear *l, gva_t gva, u32 access)
{
	struct gwalk r;
	int err, tries;

	for (tries = 0; tries < TRIES; tries++) {
		err = guest_walk(&l->view, &l->paging, gva, &r);
		if (err == -ENOENT)
			return page_fault(l, gva, access, 0);
		if (err)
			return no_memory(l, r.gpa, false);
		if (r.n && !allowed(&l->paging, &r, access))
			return page_fault(l, gva, access, PF_ERR_P);
		err = mark_used(l, &r, access);
		if (err == -EFAULT)
			return NULL;
		if (!err)
			return find(l, r.gpa, access & LINEAR_WRITE);
	}
	return page_fault(l, gva, access, 0);
}

int linear_span(struct linear *l, gva_t gva, u32 len, u32 access, struct linear_span *s)
{
	gva = (u32)gva;
	s->len = 0;
	s->first = min((u64)len, PAGE_SIZE - (gva & ~PAGE_MASK));
	s->at[0] = translate(l, gva, access);
	s->at[1] = NULL;
	if (!s->at[0])
		return -EFAULT;
	if (s->first < len) {
		s->at[1] = translate(l, (u32)(gva + s->first), access);
		if (!s->at[1])
			return -EFAULT;
	}
	s->len = len;
	return 0;
}

/* How much of a piece is in the first page. */
static u32 split(const struct linear_span *s, u32 offset, u32 len)
{
	ASSERT(offset <= s->len && len <= s->len - offset);
	return offset < s->first ? min(len, s->first - offset) : 0;
}

void span_read(const struct linear_span *s, u32 offset, void *buf, u32 len)
{
	u32 n = split(s, offset, len);

	if (n)
		memcpy(buf, s->at[0] + offset, n);
	if (n < len)
		memcpy((u8 *)buf + n, s->at[1] + (offset + n - s->first), len - n);
}

void span_write(const struct linear_span *s, u32 offset, const void *buf, u32 len)
{
	u32 n = split(s, offset, len);

	if (n)
		memcpy(s->at[0] + offset, buf, n);
	if (n < len)
		memcpy(s->at[1] + (offset + n - s->first), (const u8 *)buf + n, len - n);
}

int linear_read(struct linear *l, gva_t gva, void *buf, u32 len)
{
	struct linear_span s;

	if (linear_span(l, gva, len, 0, &s))
		return -EFAULT;
	span_read(&s, 0, buf, len);
	return 0;
}
