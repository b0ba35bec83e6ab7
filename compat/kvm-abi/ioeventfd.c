// SPDX-License-Identifier: GPL-2.0-only
#include "ioeventfd.h"

#include "hv/core/lib/errno.h"
#include "hv/core/lib/string.h"
#include "hv/core/memory/domain.h"
#include "hv/core/vcpu/run.h"
#include "ring.h"

struct entry {
	u64 addr;
	u64 datamatch;
	u32 len;
	u32 flags;
	u32 id;
	u32 pad;
};

#define ENTRIES	((PAGE_SIZE - 16) / sizeof(struct entry))

/*
 * Open addressing would be quicker for hundreds; a guest has a handful, and
 * the filter keeps ordinary MMIO from scanning them.
 */
struct ioeventfd_table {
	u32 n;
	u32 pad;
	u64 filter;			/* bit hash(addr) set: maybe */
	struct entry e[ENTRIES];
};

static_assert(sizeof(struct ioeventfd_table) <= PAGE_SIZE, "one page");

static u64 filter_bit(u64 addr)
{
	return BIT(((addr >> 2) ^ (addr >> 8) ^ (addr >> 14)) & 63);
}

static int find(const struct ioeventfd_table *t, u32 id)
{
	u32 i;

	for (i = 0; i < t->n; i++)
		if (t->e[i].id == id)
			return i;
	return -1;
}

static int add(struct domain *d, const struct bp_ioeventfd *req)
{
	struct ioeventfd_table *t = d->ioeventfds;

	if (req->len > 8 || (req->len & (req->len - 1)))
		return -EINVAL;
	if (!t) {
		t = domain_page_alloc(d);
		if (!t)
			return -ENOMEM;
		smp_store_release(&d->ioeventfds, t);
	}
	if (find(t, req->id) >= 0)
		return -EEXIST;
	if (t->n >= ENTRIES)
		return -ENOSPC;
	t->e[t->n] = (struct entry){ req->addr, req->datamatch, req->len,
				     req->flags, req->id, 0 };
	t->filter |= filter_bit(req->addr);
	smp_store_release(&t->n, t->n + 1);
	return 0;
}

static int drop(struct domain *d, u32 id)
{
	struct ioeventfd_table *t = d->ioeventfds;
	u32 i;
	int at = t ? find(t, id) : -1;

	if (at < 0)
		return -ENOENT;
	t->e[at] = t->e[--t->n];
	t->filter = 0;
	for (i = 0; i < t->n; i++)
		t->filter |= filter_bit(t->e[i].addr);
	return 0;
}

int ioeventfd_update(struct domain *d, const struct bp_ioeventfd *req)
{
	int ret;

	if (req->flags & ~(BP_IOEVENTFD_PIO | BP_IOEVENTFD_DATAMATCH |
			   BP_IOEVENTFD_REMOVE))
		return -EINVAL;
	spin_lock(&d->lock);
	if (req->flags & BP_IOEVENTFD_REMOVE)
		ret = drop(d, req->id);
	else
		ret = add(d, req);
	spin_unlock(&d->lock);
	return ret;
}

bool ioeventfd_may_match(struct domain *d, u64 gpa)
{
	const struct ioeventfd_table *t = READ_ONCE(d->ioeventfds);

	return t && (READ_ONCE(t->filter) & filter_bit(gpa));
}

static bool match(const struct entry *e, u64 addr, u8 size, u64 data, bool pio)
{
	if (e->addr != addr || !!(e->flags & BP_IOEVENTFD_PIO) != pio)
		return false;
	if (e->len && e->len != size)
		return false;
	return !e->len || !(e->flags & BP_IOEVENTFD_DATAMATCH) || e->datamatch == data;
}

struct cpu *ioeventfd_signal(struct vcpu *v, u64 addr, u8 size, u64 data, bool pio)
{
	struct domain *d = v->dom;
	struct ioeventfd_table *t;
	struct cpu *hit = NULL;
	u32 i;

	if (!ioeventfd_may_match(d, addr))
		return NULL;
	spin_lock(&d->lock);
	t = d->ioeventfds;
	for (i = 0; t && i < t->n && !hit; i++)
		if (match(&t->e[i], addr, size, data, pio))
			hit = ring_doorbell(v, t->e[i].id);
	spin_unlock(&d->lock);
	return hit;
}

void ioeventfd_destroy(struct domain *d)
{
	struct ioeventfd_table *t;

	/* An update may come yet: it finds none, and no memory for another. */
	spin_lock(&d->lock);
	t = d->ioeventfds;
	d->ioeventfds = NULL;
	spin_unlock(&d->lock);
	if (t)
		domain_page_free(d, t);
}
