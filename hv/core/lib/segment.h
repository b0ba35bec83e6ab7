/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access rights of a segment, as bits 55:40 of its descriptor have them (SDM
 * vol. 3, 3.4.5; APM vol. 2, 4.7): 51:48, which are the limit's, are 0 here.
 * VMX takes this form, SVM leaves out the gap.  Pure.
 */
#ifndef HV_CORE_SEGMENT_H
#define HV_CORE_SEGMENT_H

#include <linux/kvm.h>

#include "types.h"

#define AR_TYPE	0xfu
#define AR_S		(1u << 4)
#define AR_DPL_SHIFT	5
#define AR_DPL_MASK	(3u << AR_DPL_SHIFT)
#define AR_DPL(rights)	((rights) >> AR_DPL_SHIFT & 3)
#define AR_P		(1u << 7)
#define AR_AVL		(1u << 12)
#define AR_L		(1u << 13)
#define AR_DB		(1u << 14)
#define AR_G		(1u << 15)

/* s->unusable does not count. */
static inline u32 segment_rights(const struct kvm_segment *s)
{
	return (s->type & AR_TYPE) |
	       (s->s ? AR_S : 0) |
	       (s->dpl & 3u) << AR_DPL_SHIFT |
	       (s->present ? AR_P : 0) |
	       (s->avl ? AR_AVL : 0) |
	       (s->l ? AR_L : 0) |
	       (s->db ? AR_DB : 0) |
	       (s->g ? AR_G : 0);
}

/* All of *s but selector, base and limit; what is not present is unusable. */
static inline void segment_set_rights(struct kvm_segment *s, u32 rights)
{
	s->type = rights & AR_TYPE;
	s->s = !!(rights & AR_S);
	s->dpl = AR_DPL(rights);
	s->present = !!(rights & AR_P);
	s->avl = !!(rights & AR_AVL);
	s->l = !!(rights & AR_L);
	s->db = !!(rights & AR_DB);
	s->g = !!(rights & AR_G);
	s->unusable = !s->present;
	s->padding = 0;
}

#endif
