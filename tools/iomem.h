/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/iomem: "00100000-7fffffff : System RAM"; all addresses are 0 for who is not root. */
#ifndef BEDPLATE_IOMEM_H
#define BEDPLATE_IOMEM_H

#include "tool.h"

/* Bytes of RAM below @limit, or 0. */
u64 iomem_ram(const char *iomem, u64 limit);
/* The largest piece of RAM below @limit, in bytes. */
u64 iomem_largest(const char *iomem, u64 limit);

#endif
