/* SPDX-License-Identifier: GPL-2.0-only */
/* `bedplate check`: rows, each about one thing that a machine has to have. */
#ifndef BEDPLATE_CHECK_H
#define BEDPLATE_CHECK_H

#include <stdio.h>

#include "tool.h"

enum verdict { CHECK_OK, CHECK_WARNING, CHECK_NO };

struct check {
	FILE *to;
	bool quiet;		/* no rows that are ok */
	u32 count[CHECK_NO + 1];
	bool intel;		/* VMX and VT-d, else SVM and AMD-Vi */
	bool on_bedplate;	/* it runs already: the CPU is not ours to look at */
};

void check_row(struct check *c, enum verdict v, const char *what, const char *fmt, ...) __printf(4, 5);

/* Each adds its rows; the first one sets ->intel and ->on_bedplate. */
void check_cpu(struct check *c);
void check_acpi(struct check *c);
void check_memory(struct check *c);
void check_firmware(struct check *c);
void check_kernel(struct check *c);

/* All rows and a last line; true: no row says no. */
bool check_machine(FILE *to, bool quiet);

#endif
