/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest_memfd: a file whose pages are guest memory and nothing else.  User space can allocate
 * and free them (fallocate), but not look at them.  A slot is bound to pages of one file of its
 * VM.  The file holds the VM, and not the other way round: who closes it takes the pages away.
 * Process context; 0 or a negative errno.
 */
#ifndef BEDPLATE_GUEST_MEMFD_H
#define BEDPLATE_GUEST_MEMFD_H

#include "shim.h"

struct bp_memslot;

/* KVM_CREATE_GUEST_MEMFD: a file descriptor.  -EINVAL. */
long bp_memfd_create(struct bp_vm *vm, const struct kvm_create_guest_memfd *args);

/*
 * @slot, which nobody knows yet, gets the pages from @offset on of the file @fd.  -EBADF no file,
 * -EINVAL not of this VM, not so large, or another slot has some of them.
 */
int bp_memfd_bind(struct bp_vm *vm, struct bp_memslot *slot, u32 fd, u64 offset);
/* @slot is about to be freed: no fault uses it any more. */
void bp_memfd_unbind(struct bp_vm *vm, struct bp_memslot *slot);

/* A page that somebody uses, until put(). */
struct bp_memfd_page {
	struct folio *folio;
	struct address_space *kept;	/* that it stays in, or NULL */
};

/*
 * The page of @gfn in @slot, zeroed if it is new; vm->srcu is held until put().  @keep: it stays
 * in the file too, so that it can be mapped.  -EFAULT there is no file, -ENOMEM, -EHWPOISON, with
 * @keep -EINTR.
 */
int bp_memfd_get(struct bp_memslot *slot, u64 gfn, bool keep, struct bp_memfd_page *page);
void bp_memfd_put(const struct bp_memfd_page *page);

#endif
