// SPDX-License-Identifier: GPL-2.0-only
/* bedplate info: what this machine is, what is protected on it, and what is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "hv/core/vcpu/speculation.h"
#include "iomem.h"
#include "logline.h"
#include "out.h"
#include "view.h"

#define FRAME	4096ull

/* What is not protected comes last, and to the eye. */
static const char *open_doors[16];
static size_t nr_open;

static void open_door(const char *what)
{
	if (nr_open < ARRAY_SIZE(open_doors))
		open_doors[nr_open++] = what;
}

static void row(const char *name, const char *text)
{
	printf("%-13s %s\n", name, text);
}

/* ---- who we are ---- */

static void show_version(void)
{
	char *text = file_read(SYS_VERSION, NULL);
	struct utsname u;

	row("Bedplate", text ? first_line(text) : "?");
	if (!uname(&u))
		row("service VM", u.release);
	free(text);
}

/* ---- CPUs ---- */

/* "model name	: AMD EPYC" of /proc/cpuinfo. */
static char *cpuinfo_field(char *cpuinfo, const char *name)
{
	char *at = strstr(cpuinfo, name), *colon;

	if (!at)
		return NULL;
	colon = strchr(at, ':');
	return colon && colon[1] ? first_line(colon + 2) : NULL;
}

static void show_log_line(const char *log, const char *name, const char *start)
{
	char buf[512];

	if (log_find(log, start, buf, sizeof(buf)))
		row(name, buf);
}

static void show_cpus(const struct row *m, const char *log)
{
	char *cpuinfo = file_read("/proc/cpuinfo", NULL), *smt, *model;
	char buf[256];

	model = cpuinfo ? cpuinfo_field(cpuinfo, "model name") : NULL;
	snprintf(buf, sizeof(buf), "%llu, %s", row_u64(m, "cpus"), model ? model : "?");
	row("CPUs", buf);
	free(cpuinfo);
	show_log_line(log, "", "CPU back end: ");
	show_log_line(log, "", "VMX: ");
	snprintf(buf, sizeof(buf), "TSC %llu.%03llu MHz", row_u64(m, "tsc_khz") / 1000,
		 row_u64(m, "tsc_khz") % 1000);
	row("", buf);
	smt = file_read("/sys/devices/system/cpu/smt/active", NULL);
	if (smt && *smt == '1') {
		row("", "hyper-threads are on");
		open_door("hyper-threads: two domains may share a core at a time, and its caches and predictors");
	}
	free(smt);
}

/* ---- memory ---- */

static void size_row(const char *name, u64 bytes, const char *what)
{
	char size[32], buf[160];

	snprintf(buf, sizeof(buf), "%11s %s", human_bytes(size, sizeof(size), bytes), what);
	row(name, buf);
}

static void show_memory(const struct row *m)
{
	char *iomem = file_read("/proc/iomem", NULL);
	u64 ram = iomem ? iomem_ram(iomem, UINT64_MAX) : 0, own = row_u64(m, "reserved_bytes");

	if (ram)
		size_row("memory", ram + own, "in all");
	size_row(ram ? "" : "memory", own, "Bedplate's own");
	size_row("", row_u64(m, "pool_free") * FRAME, "of that free, in its pool");
	if (ram)
		size_row("", ram, "the service VM's, of which");
	size_row("", row_u64(m, "donated_frames") * FRAME, "it gave Bedplate, for guests' tables and vCPUs");
	size_row("", row_u64(m, "mapped_frames") * FRAME, "guests have mapped");
	free(iomem);
}

/* ---- IOMMU ---- */

#define UNCONFINED "devices are not confined, they can reach all memory and interrupt every CPU: "

static void show_iommu(const struct row *m, const char *log)
{
	char buf[512];

	row("isolation", "guests and Bedplate are isolated from the CPUs of others");
	if (log_find(log, "VT-d: devices reach", buf, sizeof(buf)))
		row("IOMMU", "VT-d, driven by Bedplate");
	else if (log_find(log, "AMD-Vi: devices reach", buf, sizeof(buf)))
		row("IOMMU", "AMD-Vi, driven by Bedplate");
	else if (log_find(log, UNCONFINED, buf, sizeof(buf)))
		printf("%-13s none is driven: %s\n", "IOMMU", buf);
	else
		row("IOMMU", row_u64(m, "dma_confined") ? "driven by Bedplate" : "none is driven");
	if (row_u64(m, "dma_confined")) {
		row("DMA", "devices reach what their domain owns and nothing else");
	} else {
		row("DMA", "NOT PROTECTED: devices can reach all memory");
		open_door("DMA: no IOMMU is driven, so the service VM's devices can reach all memory");
	}
	if (row_u64(m, "interrupts_remapped")) {
		row("interrupts", "devices send those that they were given and no others");
	} else {
		row("interrupts", "NOT PROTECTED: devices can send any to every CPU");
		open_door("interrupts: devices can send any to every CPU");
	}
	if (row_u64(m, "io_unconfined"))
		open_door("DMA: devices in PCI segments that firmware names no IOMMU for (bedplate stats: io_unconfined)");
	snprintf(buf, sizeof(buf), "%llu accesses and interrupts of devices were blocked",
		 row_u64(m, "io_faults"));
	row("faults", buf);
}

/* ---- mitigations ---- */

static const struct {
	const char *name;
	u64 bits;
	const char *what;
} mitigations[] = {
	{ "ibpb", SPEC_IBPB, "branch predictor barrier between guests" },
	{ "ibpb, dom 0", SPEC_IBPB_DOM0, "and between a guest and the service VM" },
	{ "ibrs", SPEC_IBRS_WRITE | SPEC_IBRS_ON | SPEC_IBRS_AUTO,
	  "restricted branch speculation in Bedplate" },
	{ "bhi", SPEC_BHI, "branch history" },
	{ "rsb", SPEC_RSB_EXIT | SPEC_RSB_SWITCH, "return stack" },
	{ "rrsba", SPEC_RRSBA, "no other predictions of returns" },
	{ "srso", SPEC_IBPB_EXIT | SPEC_BP_REDUCE | SPEC_SRSO_OPEN, "branch predictor after exits of guests" },
	{ "l1d_flush", SPEC_L1D_SWITCH | SPEC_L1D_ENTRY, "L1 data cache" },
	{ "verw", SPEC_VERW, "CPU buffers" },
	{ "zenbleed", SPEC_FP_BACKUP, "vector registers" },
	{ "divider", SPEC_DIVIDER, "what was divided last" },
};

/* The module's: it is told by Linux which CPUs need it. */
static void show_nx(void)
{
	char *nx = file_read(NX_HUGE_PAGES, NULL);
	char buf[128];

	if (!nx)
		return;
	snprintf(buf, sizeof(buf), "%-12s %-12s %s", "itlb", *nx == 'Y' ? "on" : "off",
		 "large pages of guests cannot be executed (nx_huge_pages)");
	row("", buf);
	free(nx);
}

static void show_mitigations(const struct row *m)
{
	u64 on = row_u64(m, "mitigations"), due = row_u64(m, "mitigations_due");
	bool off = false;
	char buf[128];
	size_t i;

	if (!row_has(m, "mitigations"))
		return;
	row("mitigations", "retpolines   on           no indirect branch of Bedplate is predicted");
	for (i = 0; i < ARRAY_SIZE(mitigations); i++) {
		const char *is = on & mitigations[i].bits & SPEC_SRSO_OPEN ? "MICROCODE" :
				 on & mitigations[i].bits ? "on" :
				 due & mitigations[i].bits ? "OFF" : "not needed";

		off |= *is == 'O';
		snprintf(buf, sizeof(buf), "%-12s %-12s %s", mitigations[i].name, is, mitigations[i].what);
		row("", buf);
	}
	show_nx();
	if (off)
		open_door("speculation: boot options switch off what this CPU calls for");
	if (on & SPEC_SRSO_OPEN)
		open_door("speculation: this CPU needs newer microcode (srso)");
}

int cmd_info(int argc, char **argv)
{
	struct view v;
	char *log;
	size_t i;

	if (argc > 1)
		return misused(argv[0], "info: \"%s\" is one argument too many", argv[1]);
	if (!view_read(&v))
		return FAILED;
	log = file_need(DEV_LOG, NULL);
	if (!log) {
		view_free(&v);
		return FAILED;
	}
	show_version();
	show_cpus(&v.rows[0], log);
	show_memory(&v.rows[0]);
	show_iommu(&v.rows[0], log);
	show_mitigations(&v.rows[0]);
	for (i = 0; i < nr_open; i++)
		row(i ? "" : "not protected", open_doors[i]);
	if (!nr_open)
		row("not protected", "nothing that Bedplate knows of");
	free(log);
	view_free(&v);
	return DONE;
}
