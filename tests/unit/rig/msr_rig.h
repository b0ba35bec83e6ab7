/* SPDX-License-Identifier: GPL-2.0-only */
/* What MSRs of a back end take and give back: a list to go through, and what all CPUs agree on. */
#ifndef TESTS_UNIT_MSR_RIG_H
#define TESTS_UNIT_MSR_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/lib/errno.h"
#include "hv/core/vcpu/vcpu.h"
#include "hv/core/lib/x86_regs.h"

struct msr_value {
	u32 msr;
	u64 in, out;		/* out: without an error */
	int err;		/* of a write; -ENOENT: of a read too */
};

/* None may raise #GP when the value is loaded into the CPU. */
static const struct msr_value msr_values[] = {
	{ MSR_STAR, 0x0023001000000000, 0x0023001000000000, 0 },
	{ MSR_LSTAR, 0xffffffff81000000, 0xffffffff81000000, 0 },
	{ MSR_LSTAR, 0x0000800000000000, 0, -EINVAL },
	{ MSR_CSTAR, 0x7fffffffffff, 0x7fffffffffff, 0 },
	{ MSR_CSTAR, BIT(63), 0, -EINVAL },
	{ MSR_SFMASK, 0x47700, 0x47700, 0 },
	{ MSR_FS_BASE, 0xffff800000000000, 0xffff800000000000, 0 },
	{ MSR_GS_BASE, 0xffff000000000000, 0, -EINVAL },
	{ MSR_KERNEL_GS_BASE, 0x1000, 0x1000, 0 },
	{ MSR_KERNEL_GS_BASE, BIT(47), 0, -EINVAL },
	{ MSR_SYSENTER_CS, 0x10, 0x10, 0 },
	{ MSR_SYSENTER_EIP, 0x1234, 0x1234, 0 },
	{ MSR_PAT, 0x0007010600070106, 0x0007010600070106, 0 },
	{ MSR_PAT, 0x0007020600070106, 0, -EINVAL },
	{ MSR_PAT, 0x03, 0, -EINVAL },
	{ MSR_PAT, 0x08ull << 56, 0, -EINVAL },
	{ MSR_TSC_AUX, 1, 0, -ENOENT },
};

static inline void expect_msrs(struct vcpu *v, int (*set)(struct vcpu *, u32, u64),
			       int (*get)(struct vcpu *, u32, u64 *),
			       const struct msr_value *t, size_t n)
{
	u64 val;

	for (; n--; t++) {
		assert_int_equal(set(v, t->msr, t->in), t->err);
		if (t->err == -ENOENT) {
			assert_int_equal(get(v, t->msr, &val), -ENOENT);
		} else if (!t->err) {
			assert_int_equal(get(v, t->msr, &val), 0);
			assert_int_equal(val, t->out);
		}
	}
}

#endif
