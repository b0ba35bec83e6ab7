/* SPDX-License-Identifier: GPL-2.0-only */
/* The view in Prometheus's text exposition format, version 0.0.4. */
#ifndef BEDPLATE_PROMETHEUS_H
#define BEDPLATE_PROMETHEUS_H

#include <stdio.h>

#include "view.h"

#define PROMETHEUS_TYPE	"text/plain; version=0.0.4; charset=utf-8"

void prometheus_write(FILE *f, const struct view *v);

#endif
