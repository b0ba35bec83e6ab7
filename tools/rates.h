/* SPDX-License-Identifier: GPL-2.0-only */
/* What went on between two views: shares of CPUs, and exits a second. */
#ifndef BEDPLATE_RATES_H
#define BEDPLATE_RATES_H

#include "view.h"

enum reason {
	RATE_EXITS, RATE_SERVICE, RATE_IO, RATE_NPF, RATE_HLT, RATE_INTR, RATE_WINDOW, RATE_MSR,
	RATE_CPUID, RATE_CALL, RATE_APIC, RATE_PAUSE, RATE_EXC, RATE_OTHER, NR_RATES
};

extern const char *const rate_names[NR_RATES];

struct rates {
	const struct row *row;		/* of the newer view: a domain, or a vCPU */
	u64 run_ns;			/* in all */
	double cpu, wait, stolen;	/* percent of one CPU */
	double per_s[NR_RATES];
};

/*
 * Of the vCPU @r of @now; since @before, in which it may not have been (then all is 0), or
 * may have been another of the same number (then since its start).
 */
void rates_vcpu(struct rates *out, const struct view *before, const struct view *now, const struct row *r);
/* Of a domain: the sum of its vCPUs. */
void rates_domain(struct rates *out, const struct view *before, const struct view *now, const struct row *r);

#endif
