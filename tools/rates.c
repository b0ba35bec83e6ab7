// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "rates.h"

const char *const rate_names[NR_RATES] = {
	"EXITS/s", "SERVED", "IO", "PAGE", "HLT", "INTR", "WINDOW", "MSR", "CPUID", "CALL", "APIC",
	"PAUSE", "EXC", "OTHER",
};

/* Counters that are none of these are OTHER. */
static const struct {
	const char *name;
	enum reason reason;
} reasons[] = {
	{ "x.io", RATE_IO },
	{ "x.nested_page_fault", RATE_NPF },
	{ "x.page_needed", RATE_NPF },
	{ "x.hlt", RATE_HLT },
	{ "x.interrupt", RATE_INTR },
	{ "x.interrupt_window", RATE_WINDOW },
	{ "x.rdmsr", RATE_MSR },
	{ "x.wrmsr", RATE_MSR },
	{ "x.cpuid", RATE_CPUID },
	{ "x.hypercall", RATE_CALL },
	{ "x.apic_write", RATE_APIC },
	{ "x.eoi", RATE_APIC },
	{ "x.pause", RATE_PAUSE },
	{ "x.exception", RATE_EXC },
	{ "s.all", RATE_SERVICE },
};

/* NR_RATES: it counts nowhere. */
static enum reason reason_of(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(name, reasons[i].name))
			return reasons[i].reason;
	return strncmp(name, "x.", 2) ? NR_RATES : RATE_OTHER;
}

static void count(const struct row *r, double *sums)
{
	enum reason reason;
	size_t i;
	u64 val;

	memset(sums, 0, NR_RATES * sizeof(*sums));
	for (i = 0; i < r->nr; i++) {
		reason = reason_of(r->pairs[i].name);
		if (reason == NR_RATES || !parse_u64(r->pairs[i].value, &val))
			continue;
		sums[reason] += val;
		if (reason != RATE_SERVICE)
			sums[RATE_EXITS] += val;
	}
}

static const struct row *same_vcpu(const struct view *v, const struct row *of)
{
	const struct row *r;

	for_each_vcpu(v, r, of->dom)
		if (r->index == of->index)
			return r;
	return NULL;
}

/* Percent of the time between. */
static double share(const struct row *old, const struct row *new, const char *name, double dt)
{
	double d = (double)row_u64(new, name) - (double)row_u64(old, name);

	return d > 0 ? 100 * d / dt : 0;
}

void rates_vcpu(struct rates *out, const struct view *before, const struct view *now, const struct row *r)
{
	static const struct row nothing;
	const struct row *old = before ? same_vcpu(before, r) : NULL;
	double dt = before ? (double)(now->at_ns - before->at_ns) : 0, was[NR_RATES], is[NR_RATES];
	size_t i;

	memset(out, 0, sizeof(*out));
	out->row = r;
	out->run_ns = row_u64(r, "run_ns");
	if (!old || dt <= 0)
		return;
	if (out->run_ns < row_u64(old, "run_ns"))
		old = &nothing;
	out->cpu = share(old, r, "run_ns", dt);
	out->wait = share(old, r, "wait_ns", dt);
	out->stolen = share(old, r, "stolen_ns", dt);
	count(old, was);
	count(r, is);
	for (i = 0; i < NR_RATES; i++)
		out->per_s[i] = is[i] > was[i] ? (is[i] - was[i]) / (dt / 1e9) : 0;
}

void rates_domain(struct rates *out, const struct view *before, const struct view *now, const struct row *r)
{
	const struct row *vcpu;
	struct rates one;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->row = r;
	for_each_vcpu(now, vcpu, r->dom) {
		rates_vcpu(&one, before, now, vcpu);
		out->run_ns += one.run_ns;
		out->cpu += one.cpu;
		out->wait += one.wait;
		out->stolen += one.stolen;
		for (i = 0; i < NR_RATES; i++)
			out->per_s[i] += one.per_s[i];
	}
}
