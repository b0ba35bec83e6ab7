/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Bedplate and the module tell, as rows of names and values: /proc/bedplate and the
 * file `stats` of sysfs.  dom0-shim/files/proc.c says what is in the first.  Names that the
 * tool does not know are kept; one that is not there counts as 0.
 */
#ifndef BEDPLATE_VIEW_H
#define BEDPLATE_VIEW_H

#include "tool.h"

struct pair {
	const char *name, *value;
};

enum row_kind { ROW_MACHINE, ROW_DOMAIN, ROW_VCPU };

struct row {
	enum row_kind kind;
	u32 dom, index;
	char name[64];			/* of a domain: the VM's (vmname.h), or the process's */
	const struct pair *pairs;
	size_t nr;
};

struct view {
	char *text[2];			/* what the pairs point into */
	struct pair *pairs;
	struct row *rows;		/* the machine; then each domain before its vCPUs */
	size_t nr;
	u64 at_ns;			/* CLOCK_MONOTONIC when it was read */
};

/* From texts of the two files, which it takes over; lines that make no sense are passed over. */
void view_parse(struct view *v, char *stats, char *proc);
/* From the files, with the names of VMs; false, and a line on standard error. */
bool view_read(struct view *v);
void view_free(struct view *v);

/* 0 and "": the row has no such name. */
u64 row_u64(const struct row *r, const char *name);
const char *row_str(const struct row *r, const char *name);
bool row_has(const struct row *r, const char *name);

/* Decimal, or hexadecimal after 0x, all of it; false otherwise. */
bool parse_u64(const char *s, u64 *val);

/* For each domain (each vCPU of @dom) in a view. */
#define for_each_domain(v, r) \
	for (r = (v)->rows; r < (v)->rows + (v)->nr; r++) \
		if (r->kind == ROW_DOMAIN)
#define for_each_vcpu(v, r, of) \
	for (r = (v)->rows; r < (v)->rows + (v)->nr; r++) \
		if (r->kind == ROW_VCPU && r->dom == (of))

#endif
