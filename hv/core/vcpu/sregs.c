// SPDX-License-Identifier: GPL-2.0-only
/* Rules for special registers; the contract is in sregs.h. */
#include "sregs.h"

#include <linux/kvm.h>

#include "lib/errno.h"
#include "lib/x86_regs.h"
#include "machine/limits.h"

#define TYPE_DATA	3		/* writable, accessed */
#define TYPE_CODE	11		/* readable, accessed */
#define TYPE_LDT	2
#define TYPE_TSS_BUSY	11

void sregs_init(struct kvm_sregs *s)
{
	const struct kvm_segment data = {
		.limit = 0xffff, .type = TYPE_DATA, .s = 1, .present = 1,
	};

	*s = (struct kvm_sregs){
		.cs = {
			.selector = 0xf000, .base = 0xffff0000, .limit = 0xffff,
			.type = TYPE_CODE, .s = 1, .present = 1,
		},
		.ds = data, .es = data, .fs = data, .gs = data, .ss = data,
		.ldt = { .limit = 0xffff, .type = TYPE_LDT, .present = 1 },
		.tr = { .limit = 0xffff, .type = TYPE_TSS_BUSY, .present = 1 },
		.gdt.limit = 0xffff,
		.idt.limit = 0xffff,
		.cr0 = X86_CR0_CD | X86_CR0_NW | X86_CR0_ET,
	};
}

static bool bad_cr0(u64 cr0, bool paged_real)
{
	if (cr0 >> 32)
		return true;
	if ((cr0 & X86_CR0_NW) && !(cr0 & X86_CR0_CD))
		return true;
	return (cr0 & X86_CR0_PG) && !(cr0 & X86_CR0_PE) && !paged_real;
}

/* Long mode is all or nothing (SDM vol. 3, 10.8.5; APM vol. 2, 14.6). */
static bool bad_mode(const struct kvm_sregs *s)
{
	if ((s->efer & EFER_LME) && (s->cr0 & X86_CR0_PG))
		return !(s->cr0 & X86_CR0_PE) || !(s->cr4 & X86_CR4_PAE) || !(s->efer & EFER_LMA) ||
		       (s->cs.l && s->cs.db);
	return (s->efer & EFER_LMA) || s->cs.l;
}

int sregs_check(const struct cpu_limits *l, const struct kvm_sregs *s)
{
	if (bad_cr0(s->cr0, l->paged_real) || bad_mode(s))
		return -EINVAL;
	/* SDM vol. 3, 2.5: shadow stacks rest on write protection. */
	if ((s->cr4 & X86_CR4_CET) && !(s->cr0 & X86_CR0_WP))
		return -EINVAL;
	if ((s->cr4 & ~l->cr4_valid) || (s->cr3 & ~l->cr3_valid) ||
	    (s->efer & ~l->efer_valid))
		return -EINVAL;
	return 0;
}

int efer_write(const struct cpu_limits *l, u64 cr0, u64 old, u64 *val)
{
	if (*val & ~l->efer_valid)
		return -EINVAL;
	if ((cr0 & X86_CR0_PG) && ((*val ^ old) & EFER_LME))
		return -EINVAL;
	*val = (*val & ~EFER_LMA) | (old & EFER_LMA);
	return 0;
}

bool pat_valid(u64 pat)
{
	u32 i;

	for (i = 0; i < 64; i += 8) {
		u8 type = pat >> i;

		if (type > MEMTYPE_UC_MINUS || type == 2 || type == 3)
			return false;
	}
	return true;
}
