// SPDX-License-Identifier: GPL-2.0-only
/* Loading of domain 0's Linux. */
#include "linux_loader.h"

static hpa_t rsdp_pa;

void linux_loader_set_rsdp(hpa_t pa)
{
	rsdp_pa = pa;
}
