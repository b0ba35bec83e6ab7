// SPDX-License-Identifier: GPL-2.0-only
#include "unit.h"

static const char *probe(struct iommu_caps *caps)
{
	(void)caps;
	return "there is no driver yet";
}

const struct iommu_driver vtd_driver = { .probe = probe };
