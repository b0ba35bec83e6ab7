/* SPDX-License-Identifier: GPL-2.0-only */
/* For cases about memory of a guest that comes late: userfaultfd holds it back, page by page. */
#ifndef LATE_H
#define LATE_H

#include "test.h"

struct late {
	uint8_t *mem;
	int fd;
};

/* @pages of memory that nobody has touched yet.  Where Linux cannot hold them back the case is skipped. */
struct late late_new(uint64_t pages);
/* The same, of a page that is in use: what is in it is gone. */
struct late late_again(void *page);
/* It is gone once more. */
void late_take(const struct late *l, uint64_t page);
/* Here it is, with @data, all zeroes if NULL; protected: but nobody is to write to it before late_unprotect(). */
void late_bring(const struct late *l, uint64_t page, const void *data);
void late_bring_protected(const struct late *l, uint64_t page, const void *data);
void late_unprotect(const struct late *l, uint64_t page);
/* Waits until somebody waits for a page, and says for which. */
uint64_t late_wanted(const struct late *l);

/*
 * KVM_RUN has to wait for @page.  A signal ends that, whenever one comes, and leaves registers and memory slots
 * as they may be at an exit.
 */
void late_interrupts(struct vcpu *v, const struct late *l, uint64_t page);

/*
 * A page that is in use goes, the first time with *p all zeroes; and comes back as it was when KVM_RUN has been seen to
 * wait for it, as above.
 */
struct late_page {
	struct late l;
	uint8_t was[4096];
};
void late_hold(struct late_page *p, void *page);
void late_waits(struct vcpu *v, const struct late_page *p);

#endif
