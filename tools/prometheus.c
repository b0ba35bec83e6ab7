// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "out.h"
#include "prometheus.h"

/* Rows that are one metric each: of whom, from which name, by what it is multiplied. */
struct metric {
	enum row_kind kind;
	const char *metric, *name;
	double times;
	const char *type, *help;
};

#define NS	1e-9
#define FRAME	4096

static const struct metric metrics[] = {
	{ ROW_MACHINE, "cpus", "cpus", 1, "gauge", "CPUs that Bedplate runs." },
	{ ROW_MACHINE, "domains", "domains", 1, "gauge", "Guests." },
	{ ROW_MACHINE, "vcpus", "vcpus", 1, "gauge", "vCPUs of guests." },
	{ ROW_MACHINE, "reserved_bytes", "reserved_bytes", 1, "gauge",
	  "Memory that the service VM does not see." },
	{ ROW_MACHINE, "image_bytes", "image_bytes", 1, "gauge", "Bedplate's image in memory." },
	{ ROW_MACHINE, "pool_bytes", "pool_frames", FRAME, "gauge", "Bedplate's own pool." },
	{ ROW_MACHINE, "pool_free_bytes", "pool_free", FRAME, "gauge", "What is free of it." },
	{ ROW_MACHINE, "donated_bytes", "donated_frames", FRAME, "gauge",
	  "Memory that the service VM gave Bedplate for guests." },
	{ ROW_MACHINE, "mapped_bytes", "mapped_frames", FRAME, "gauge",
	  "Memory of the service VM that guests have mapped." },
	{ ROW_MACHINE, "io_faults_total", "io_faults", 1, "counter",
	  "Accesses and interrupts of devices that were blocked." },
	{ ROW_MACHINE, "io_unconfined_devices", "io_unconfined", 1, "gauge",
	  "Devices that no IOMMU confines though others are." },
	{ ROW_MACHINE, "dma_confined", "dma_confined", 1, "gauge",
	  "1: devices reach only what their domain owns." },
	{ ROW_MACHINE, "interrupts_remapped", "interrupts_remapped", 1, "gauge",
	  "1: devices send only interrupts that they were given." },
	{ ROW_DOMAIN, "domain_vcpus", "vcpus", 1, "gauge", "vCPUs of the domain." },
	{ ROW_DOMAIN, "domain_memory_bytes", "memory_bytes", 1, "gauge", "Memory of the guest." },
	{ ROW_DOMAIN, "domain_mapped_bytes", "mapped", FRAME, "gauge", "What is mapped of it." },
	{ ROW_DOMAIN, "domain_donated_bytes", "frames", FRAME, "gauge",
	  "Memory for its page tables and vCPUs." },
	{ ROW_DOMAIN, "domain_donated_free_bytes", "frames_free", FRAME, "gauge",
	  "What is free of it." },
	{ ROW_DOMAIN, "domain_weight", "weight", 1, "gauge", "Its share of CPUs; 100 is usual." },
	{ ROW_DOMAIN, "domain_tlb_flushes_total", "flushes", 1, "counter",
	  "Times that its mappings changed so that TLBs had to forget." },
	{ ROW_VCPU, "vcpu_run_seconds_total", "run_ns", NS, "counter", "Time that the vCPU ran." },
	{ ROW_VCPU, "vcpu_wait_seconds_total", "wait_ns", NS, "counter",
	  "Time that it waited for its CPU." },
	{ ROW_VCPU, "vcpu_stolen_seconds_total", "stolen_ns", NS, "counter",
	  "Time that its thread waited for a CPU in the service VM." },
};

static void head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP bedplate_%s %s\n# TYPE bedplate_%s %s\n", name, help, name, type);
}

/* Of the row's domain, which stands before its vCPUs. */
static const char *name_of(const struct view *v, const struct row *of)
{
	const struct row *r;

	for (r = of; r > v->rows; r--)
		if (r->kind == ROW_DOMAIN && r->dom == of->dom)
			return r->name;
	return "";
}

/* {domain="1",name="x",vcpu="0",KEY="VALUE"}, the last if there is a key; no braces for the machine. */
static void labels(FILE *f, const struct view *v, const struct row *r, const char *key, const char *value)
{
	if (r->kind == ROW_MACHINE)
		return;
	fprintf(f, "{domain=\"%u\",name=\"", r->dom);
	label_value(f, name_of(v, r));
	fputc('"', f);
	if (r->kind == ROW_VCPU)
		fprintf(f, ",vcpu=\"%u\"", r->index);
	if (*key) {
		fprintf(f, ",%s=\"", key);
		label_value(f, value);
		fputc('"', f);
	}
	fputc('}', f);
}

static void sample(FILE *f, const struct view *v, const struct row *r, const struct metric *m)
{
	u64 val = row_u64(r, m->name), whole = val * (u64)m->times;

	fprintf(f, "bedplate_%s", m->metric);
	labels(f, v, r, "", "");
	if (m->times < 1)
		fprintf(f, " %.6f\n", (double)val * m->times);
	else
		fprintf(f, " %llu\n", whole);
}

static void write_metric(FILE *f, const struct view *v, const struct metric *m)
{
	const struct row *r;
	bool any = false;

	for (r = v->rows; r < v->rows + v->nr; r++) {
		if (r->kind != m->kind || !row_has(r, m->name))
			continue;
		if (!any)
			head(f, m->metric, m->type, m->help);
		any = true;
		sample(f, v, r, m);
	}
}

/* All counters of a prefix, as one metric with the reason as a label. */
static void write_reasons(FILE *f, const struct view *v, const char *name, const char *prefix, const char *help)
{
	const struct row *r;
	size_t i, n = strlen(prefix);

	head(f, name, "counter", help);
	for (r = v->rows; r < v->rows + v->nr; r++)
		for (i = 0; r->kind == ROW_VCPU && i < r->nr; i++) {
			const struct pair *p = &r->pairs[i];
			u64 val;

			if (strncmp(p->name, prefix, n) || !parse_u64(p->value, &val))
				continue;
			fprintf(f, "bedplate_%s", name);
			labels(f, v, r, "reason", p->name + n);
			fprintf(f, " %llu\n", val);
		}
}

void prometheus_write(FILE *f, const struct view *v)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(metrics); i++)
		write_metric(f, v, &metrics[i]);
	write_reasons(f, v, "vcpu_exits_total", "x.", "Exits to Bedplate by reason.");
	write_reasons(f, v, "vcpu_service_total", "s.",
		      "Exits that the service VM served, by what was done; all: their sum.");
}
