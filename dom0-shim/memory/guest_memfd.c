// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_memfd: see guest_memfd.h.  The pages are the page cache of an inode without a file
 * system, as KVM has it.  Who maps one holds the mapping's invalidate_lock shared until that is
 * done, and who takes pages away holds it exclusively: so what is mapped is in the file.
 */
#include <linux/anon_inodes.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "guest_memfd.h"
#include "memslot.h"
#include "mmu.h"

/* One file. */
struct bp_memfd {
	struct bp_vm *vm;	/* held */
	struct inode *inode;	/* there as long as the file is */
	struct list_head slots;	/* bound to it, by ->memfd_link; vm->memfd_lock */
	const struct inode_operations *old_iops;
};

/* Of all inodes: i_private is the file, as long as that is open.  Around vm->memfd_lock. */
static DEFINE_MUTEX(inodes_lock);

/* ---- pages ---- */

/* Locked.  Its content counts from the first use on. */
static struct folio *grab_folio(struct inode *inode, pgoff_t index)
{
	return filemap_grab_folio(inode->i_mapping, index);
}

static void make_ready(struct folio *folio)
{
	if (folio_test_uptodate(folio))
		return;
	folio_zero_range(folio, 0, folio_size(folio));
	folio_mark_uptodate(folio);
}

static int get_folio(struct inode *inode, pgoff_t index, struct folio **folio)
{
	struct folio *f = grab_folio(inode, index);
	int ret = 0;

	if (IS_ERR(f))
		return PTR_ERR(f);
	if (folio_test_hwpoison(f))
		ret = -EHWPOISON;
	else
		make_ready(f);
	folio_unlock(f);
	if (ret)
		folio_put(f);
	else
		*folio = f;
	return ret;
}

int bp_memfd_get(struct bp_memslot *slot, u64 gfn, bool keep, struct bp_memfd_page *page)
{
	struct bp_memfd *m = READ_ONCE(slot->memfd);
	struct address_space *mapping;
	int ret;

	if (!m)
		return -EFAULT;
	mapping = m->inode->i_mapping;
	if (keep && down_read_interruptible(&mapping->invalidate_lock))
		return -EINTR;
	ret = get_folio(m->inode, slot->memfd_page + (gfn - slot->gfn), &page->folio);
	page->kept = keep && !ret ? mapping : NULL;
	if (keep && ret)
		filemap_invalidate_unlock_shared(mapping);
	return ret;
}

void bp_memfd_put(const struct bp_memfd_page *page)
{
	folio_put(page->folio);
	if (page->kept)
		filemap_invalidate_unlock_shared(page->kept);
}

/*
 * ---- bindings ----
 * vm->memfd_lock is that of ->slots and of slots' ->memfd, which is read under vm->srcu.
 */

static bool overlaps(const struct bp_memslot *slot, pgoff_t start, pgoff_t end)
{
	return slot->memfd_page < end && start < slot->memfd_page + slot->npages;
}

static bool is_taken(const struct bp_memfd *m, pgoff_t start, pgoff_t end)
{
	const struct bp_memslot *slot;

	list_for_each_entry(slot, &m->slots, memfd_link)
		if (overlaps(slot, start, end))
			return true;
	return false;
}

/* The guest does not use the file's pages [start, end) any more. */
static void zap_pages(struct bp_memfd *m, pgoff_t start, pgoff_t end)
{
	const struct bp_memslot *slot;
	pgoff_t from, to;

	mutex_lock(&m->vm->memfd_lock);
	list_for_each_entry(slot, &m->slots, memfd_link) {
		if (!overlaps(slot, start, end))
			continue;
		from = max_t(pgoff_t, start, slot->memfd_page);
		to = min_t(pgoff_t, end, slot->memfd_page + slot->npages);
		bp_zap_settled(m->vm, slot->gfn + (from - slot->memfd_page), to - from);
	}
	mutex_unlock(&m->vm->memfd_lock);
}

void bp_memfd_unbind(struct bp_vm *vm, struct bp_memslot *slot)
{
	if (!(slot->flags & KVM_MEM_GUEST_MEMFD))
		return;
	mutex_lock(&vm->memfd_lock);
	list_del_init(&slot->memfd_link);
	mutex_unlock(&vm->memfd_lock);
}

/* ---- fallocate ---- */

static long punch_hole(struct file *file, loff_t offset, loff_t len)
{
	struct address_space *mapping = file->f_mapping;

	filemap_invalidate_lock(mapping);
	zap_pages(file->private_data, offset >> PAGE_SHIFT, (offset + len) >> PAGE_SHIFT);
	truncate_inode_pages_range(mapping, offset, offset + len - 1);
	filemap_invalidate_unlock(mapping);
	return 0;
}

static long allocate_pages(struct inode *inode, pgoff_t index, pgoff_t end)
{
	struct folio *folio;

	for (; index < end; index = folio_next_index(folio)) {
		if (signal_pending(current))
			return -EINTR;
		folio = grab_folio(inode, index);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		folio_unlock(folio);
		folio_put(folio);
		cond_resched();
	}
	return 0;
}

static long allocate(struct inode *inode, loff_t offset, loff_t len)
{
	long ret;

	if (offset + len > i_size_read(inode))
		return -EINVAL;
	filemap_invalidate_lock_shared(inode->i_mapping);
	ret = allocate_pages(inode, offset >> PAGE_SHIFT, (offset + len) >> PAGE_SHIFT);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return ret;
}

static long memfd_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	long ret;

	if (!(mode & FALLOC_FL_KEEP_SIZE) ||
	    mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (!PAGE_ALIGNED(offset) || !PAGE_ALIGNED(len))
		return -EINVAL;
	if (mode & FALLOC_FL_PUNCH_HOLE)
		ret = punch_hole(file, offset, len);
	else
		ret = allocate(file_inode(file), offset, len);
	if (!ret)
		file_modified(file);
	return ret;
}

/* ---- the inode ---- */

static int memfd_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	return -EINVAL;
}

static const struct inode_operations memfd_iops = {
	.getattr = simple_getattr,
	.setattr = memfd_setattr,
};

static int memfd_migrate(struct address_space *mapping, struct folio *to, struct folio *from,
			 enum migrate_mode mode)
{
	return -EINVAL;
}

/* Linux gives a page up.  It stays in the file: whoever wants it gets -EHWPOISON. */
static int memfd_error(struct address_space *mapping, struct folio *folio)
{
	struct bp_memfd *m;

	mutex_lock(&inodes_lock);
	m = mapping->host->i_private;
	if (m)
		zap_pages(m, folio->index, folio_next_index(folio));
	mutex_unlock(&inodes_lock);
	return MF_DELAYED;
}

static const struct address_space_operations memfd_aops = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = memfd_migrate,
	.error_remove_folio = memfd_error,
};

/* ---- the file ---- */

/* Nothing of the inode is the module's from here on: it may outlive the file (O_PATH). */
static void leave_inode(struct inode *inode, const struct bp_memfd *m)
{
	mutex_lock(&inodes_lock);
	inode->i_private = NULL;
	mutex_unlock(&inodes_lock);
	inode->i_op = m->old_iops;
	inode->i_mapping->a_ops = &empty_aops;
}

/* No fault finds the file any more, or is still at it. */
static void hide_from_faults(struct bp_memfd *m)
{
	struct bp_memslot *slot;

	mutex_lock(&m->vm->memfd_lock);
	list_for_each_entry(slot, &m->slots, memfd_link)
		WRITE_ONCE(slot->memfd, NULL);
	mutex_unlock(&m->vm->memfd_lock);
	synchronize_srcu_expedited(&m->vm->srcu);
}

static void unbind_all(struct bp_memfd *m)
{
	struct bp_memslot *slot, *next;

	mutex_lock(&m->vm->memfd_lock);
	list_for_each_entry_safe(slot, next, &m->slots, memfd_link)
		list_del_init(&slot->memfd_link);
	mutex_unlock(&m->vm->memfd_lock);
}

/* A fault does not hold the file; so this is not put off to the end of its KVM_RUN. */
static int memfd_release(struct inode *inode, struct file *file)
{
	struct bp_memfd *m = file->private_data;

	/* Nobody has the file, so nobody binds to it meanwhile. */
	hide_from_faults(m);
	zap_pages(m, 0, ULONG_MAX);
	unbind_all(m);
	truncate_inode_pages(inode->i_mapping, 0);
	leave_inode(inode, m);
	bp_vm_put(m->vm);
	kfree(m);
	return 0;
}

static const struct file_operations memfd_fops = {
	.owner = THIS_MODULE,
	.release = memfd_release,
	.fallocate = memfd_fallocate,
};

int bp_memfd_bind(struct bp_vm *vm, struct bp_memslot *slot, u32 fd, u64 offset)
{
	struct file *file = fget(fd);
	struct bp_memfd *m;
	int ret = -EINVAL;

	INIT_LIST_HEAD(&slot->memfd_link);
	if (!file)
		return -EBADF;
	if (file->f_op != &memfd_fops)
		goto out;
	m = file->private_data;
	if (m->vm != vm || offset + (slot->npages << PAGE_SHIFT) > i_size_read(file_inode(file)))
		goto out;
	slot->memfd_page = offset >> PAGE_SHIFT;
	mutex_lock(&vm->memfd_lock);
	if (!is_taken(m, slot->memfd_page, slot->memfd_page + slot->npages)) {
		list_add(&slot->memfd_link, &m->slots);
		WRITE_ONCE(slot->memfd, m);
		ret = 0;
	}
	mutex_unlock(&vm->memfd_lock);
out:
	fput(file);
	return ret;
}

static void set_up_inode(struct inode *inode, struct bp_memfd *m, loff_t size)
{
	m->inode = inode;
	m->old_iops = inode->i_op;
	inode->i_private = m;
	inode->i_op = &memfd_iops;
	inode->i_mapping->a_ops = &memfd_aops;
	inode->i_mode |= S_IFREG;
	i_size_write(inode, size);
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	mapping_set_inaccessible(inode->i_mapping);	/* and not movable */
}

static struct file *new_file(struct bp_vm *vm, loff_t size)
{
	struct bp_memfd *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!m)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&m->slots);
	m->vm = vm;
	file = anon_inode_create_getfile("[kvm-gmem]", &memfd_fops, m, O_RDWR, NULL);
	if (IS_ERR(file)) {
		kfree(m);
		return file;
	}
	bp_vm_get(vm);
	file->f_flags |= O_LARGEFILE;
	set_up_inode(file_inode(file), m, size);
	return file;
}

long bp_memfd_create(struct bp_vm *vm, const struct kvm_create_guest_memfd *args)
{
	loff_t size = args->size;
	struct file *file;
	int fd;

	if (args->flags || size <= 0 || !PAGE_ALIGNED(size))
		return -EINVAL;
	fd = get_unused_fd_flags(0);	/* as KVM's: an exec keeps it */
	if (fd < 0)
		return fd;
	file = new_file(vm, size);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}
