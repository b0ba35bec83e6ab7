/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linear addresses as the CPU itself accesses them, for descriptors and
 * task-state segments: with a supervisor's rights (SDM vol. 3, 4.6), and
 * setting accessed and dirty flags.  Outside long mode only: addresses are 32
 * bits wide.  Reserved bits in the guest's tables are not looked at.
 *
 * From begin to end d->lock is held, so memory that was found stays.  What it
 * holds may change at any time: another vCPU may write to it.
 */
#ifndef HV_CORE_LINEAR_H
#define HV_CORE_LINEAR_H

#include "memory/mmu.h"
#include "vcpu/vcpu.h"

struct vcpu;

/* Why an access is not possible. */
enum linear_fault {
	LINEAR_PF,		/* the guest's tables forbid it: ->gva, ->error */
	LINEAR_MEMORY,		/* ->gpa is not mapped, or (->write) not for writing */
};

struct linear {
	struct guest_view view;
	struct vcpu_paging paging;	/* the caller may change CR3 and pdptes */
	enum linear_fault why;
	gva_t gva;
	u32 error;			/* of the #PF */
	gpa_t gpa;
	bool write;
};

#define LINEAR_WRITE	BIT(0)
#define LINEAR_USER	BIT(1)		/* with the rights of CPL 3 */

/* A range of at most one page's length that was found. */
struct linear_span {
	u8 *at[2];			/* the second one: in the next page */
	u32 first;			/* bytes of it in the first page */
	u32 len;			/* 0: nothing was found */
};

/* The current vCPU, or one that this CPU has claimed. */
void linear_begin(struct linear *l, struct vcpu *v);
void linear_end(struct linear *l);

/* Find a range.  0, or -EFAULT: ->why and what belongs to it say the reason. */
int linear_span(struct linear *l, gva_t gva, u32 len, u32 access, struct linear_span *s);
/* Bytes of it; they must lie inside. */
void span_read(const struct linear_span *s, u32 offset, void *buf, u32 len);
void span_write(const struct linear_span *s, u32 offset, const void *buf, u32 len);
/* Both in one: 0, or -EFAULT as above. */
int linear_read(struct linear *l, gva_t gva, void *buf, u32 len);

#endif
