// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the VMM that Linux has no pages for, or does not count: device BARs, windows of
 * /dev/mem and the like.  Whose driver mapped it takes it away from the VMM before the frames
 * become anything else, and the MMU notifier from the guest.
 */
#include <linux/mm.h>

#include "mmu.h"

/* The VMM has not touched it yet, or not written.  0, or -EAGAIN: the VMA may have gone. */
static int fault_it_in(unsigned long hva, bool write)
{
	bool unlocked = false;
	int ret = fixup_user_fault(current->mm, hva, write ? FAULT_FLAG_WRITE : 0, &unlocked);

	if (unlocked)
		return -EAGAIN;
	return ret;
}

/* The mmap lock is held, and again afterwards. */
static int lookup_locked(unsigned long hva, bool write, u64 *pfn, bool *writable)
{
	struct vm_area_struct *vma = vma_lookup(current->mm, hva);
	struct follow_pfnmap_args args = { .vma = vma, .address = hva };
	int ret;

	if (!vma || !(vma->vm_flags & (VM_IO | VM_PFNMAP)))
		return -EFAULT;
	ret = follow_pfnmap_start(&args);
	if (ret) {
		ret = fault_it_in(hva, write) ?: follow_pfnmap_start(&args);
		if (ret)
			return ret;
	}
	*pfn = args.pfn;
	*writable = args.writable;
	follow_pfnmap_end(&args);
	return write && !*writable ? -EROFS : 0;
}

int bp_pfnmap_lookup(unsigned long hva, bool write, u64 *pfn, bool *writable)
{
	int ret;

	mmap_read_lock(current->mm);
	do
		ret = lookup_locked(hva, write, pfn, writable);
	while (ret == -EAGAIN);
	mmap_read_unlock(current->mm);
	return ret && ret != -EROFS ? -EFAULT : ret;
}
