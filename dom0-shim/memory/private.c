// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private frames: see private.h.  A tree of ranges says which there are.  It changes first, and
 * then mappings go: a fault maps under vm->mmu_lock what the tree says at that moment, so one
 * that saw the old state has mapped before they go.
 */
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/xarray.h>

#include "channel/hypercall.h"
#include "donate.h"
#include "guest_memfd.h"
#include "memslot.h"
#include "mmu.h"
#include "private.h"

#define PRIVATE		xa_mk_value(KVM_MEMORY_ATTRIBUTE_PRIVATE)

/* ---- attributes ---- */

void bp_private_init(struct bp_vm *vm)
{
	mt_init_flags(&vm->private, MT_FLAGS_USE_RCU);
}

void bp_private_free(struct bp_vm *vm)
{
	mt_clear_in_rcu(&vm->private);	/* as in bp_slots_free() */
	mtree_destroy(&vm->private);
}

u64 bp_attributes(const struct bp_vm *vm)
{
	return !vm || vm->has_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0;
}

bool bp_is_private(struct bp_vm *vm, u64 gfn)
{
	return vm->has_private && mtree_load(&vm->private, gfn & ~BP_GFN_SMM);
}

bool bp_any_private(struct bp_vm *vm, u64 gfn, u64 npages)
{
	unsigned long index = gfn & ~BP_GFN_SMM;

	return vm->has_private && mt_find(&vm->private, &index, index + npages - 1);
}

/* Of slots there; vm->slots_lock is held. */
static void zap_slots(struct bp_vm *vm, u64 first, u64 last)
{
	unsigned long index = first;
	struct bp_memslot *s;
	u64 from, to;

	mt_for_each(&vm->slots, s, index, last) {
		from = max(first, s->gfn);
		to = min(last, s->gfn + s->npages - 1);
		bp_zap_settled(vm, from, to - from + 1);
	}
}

long bp_set_attributes(struct bp_vm *vm, const struct kvm_memory_attributes *attrs)
{
	u64 first = attrs->address >> PAGE_SHIFT, n = attrs->size >> PAGE_SHIFT;
	bool private = attrs->attributes;
	long ret;

	if (attrs->flags || attrs->attributes & ~bp_attributes(vm))
		return -EINVAL;
	if (!attrs->size || attrs->address + attrs->size < attrs->address)
		return -EINVAL;
	if (!PAGE_ALIGNED(attrs->address) || !PAGE_ALIGNED(attrs->size))
		return -EINVAL;
	if (!vm->has_private)
		return 0;

	mutex_lock(&vm->slots_lock);
	ret = mtree_store_range(&vm->private, first, first + n - 1, private ? PRIVATE : NULL,
				GFP_KERNEL_ACCOUNT);
	if (!ret) {
		zap_slots(vm, first, first + n - 1);
		bp_clear_marks(vm, first, n);	/* MMIO is shared */
		bp_clear_marks(vm, first | BP_GFN_SMM, n);
	}
	mutex_unlock(&vm->slots_lock);
	return ret;
}

/* ---- faults ---- */

/* vm->mmu_lock is held. */
static long map_folio(struct bp_vm *vm, u64 gfn, struct folio *folio)
{
	struct bp_map *map = page_address(vm->map_page);
	u64 list = page_to_pfn(vm->map_page);
	long ret;

	if (!bp_is_private(vm, gfn))
		return 0;
	if (folio_test_hwpoison(folio))
		return -EHWPOISON;
	*map = (struct bp_map){
		.gfn = gfn,
		.pfn = folio_pfn(folio),
		.flags = BP_MAP_EXEC | BP_MAP_WRITE | bp_map_pat(vm),
	};
	ret = bp_hc_map(vm->dom, list, 1);
	if (ret == -EEXIST) {
		bp_zap(vm, gfn, 1);
		ret = bp_hc_map(vm->dom, list, 1);
	}
	return ret;
}

int bp_private_fault(struct bp_vm *vm, struct bp_memslot *slot, u64 gfn)
{
	struct bp_memfd_page page;
	long ret;

	if (!slot)
		return -EFAULT;
	ret = bp_memfd_get(slot, gfn, true, &page);
	if (ret)
		return ret;
	spin_lock(&vm->mmu_lock);
	ret = map_folio(vm, gfn, page.folio);
	spin_unlock(&vm->mmu_lock);
	bp_memfd_put(&page);
	if (ret == -ENOMEM)
		return bp_donate(vm);
	return ret == -EPERM ? -EFAULT : ret;
}

/* ---- the emulator's accesses ---- */

static void *address(const struct bp_memfd_page *page, u64 gpa)
{
	return folio_address(page->folio) + offset_in_page(gpa);
}

int bp_private_read(struct bp_memslot *slot, u64 gpa, void *buf, u32 len)
{
	struct bp_memfd_page page;

	if (bp_memfd_get(slot, gpa >> PAGE_SHIFT, false, &page))
		return -EIO;
	memcpy(buf, address(&page, gpa), len);
	bp_memfd_put(&page);
	return 0;
}

int bp_private_write(struct bp_memslot *slot, u64 gpa, const void *buf, u32 len)
{
	struct bp_memfd_page page;

	if (bp_memfd_get(slot, gpa >> PAGE_SHIFT, false, &page))
		return -EIO;
	memcpy(address(&page, gpa), buf, len);
	bp_memfd_put(&page);
	return 0;
}

#define CMPXCHG(type) ({						\
	type old_ = *(const type *)old, val_ = *(const type *)val;	\
	!try_cmpxchg((type *)p, &old_, val_);				\
})

/* Every CPU with SVM or VMX has that of 16 bytes. */
static int cmpxchg16(u128 *p, const void *old, const void *val)
{
	u128 o, v;

	memcpy(&o, old, sizeof(o));
	memcpy(&v, val, sizeof(v));
	return !try_cmpxchg128(p, &o, v);
}

static int cmpxchg_at(void *p, const void *old, const void *val, u32 len)
{
	switch (len) {
	case 1:
		return CMPXCHG(u8);
	case 2:
		return CMPXCHG(u16);
	case 4:
		return CMPXCHG(u32);
	case 8:
		return CMPXCHG(u64);
	case 16:
		return cmpxchg16(p, old, val);
	default:
		return -EOPNOTSUPP;
	}
}

int bp_private_cmpxchg(struct bp_memslot *slot, u64 gpa, const void *old, const void *val,
		       u32 len)
{
	struct bp_memfd_page page;
	int ret;

	if (bp_memfd_get(slot, gpa >> PAGE_SHIFT, false, &page))
		return -EIO;
	ret = cmpxchg_at(address(&page, gpa), old, val, len);
	bp_memfd_put(&page);
	return ret;
}
