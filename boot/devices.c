// SPDX-License-Identifier: GPL-2.0-only
/* Devices under the IOMMUs; the contract is in devices.h. */
#include "devices.h"
#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/panic.h"
#include "hv/core/memory/frames.h"
#include "hv/core/memory/mmu.h"
#include "hv/iommu/iommu.h"
#include "hv/iommu/virt/virt.h"

/* What that means for the operator; the shim shows it too (BP_HC_IO_INFO). */
static void not_confined(const char *why)
{
	if (hv_options.iommu == IOMMU_REQUIRED)
		fatal("iommu=required: %s", why);
	log_warn("devices are not confined, they can reach all memory and interrupt every CPU: %s",
		 why);
}

void devices_find_units(void)
{
	if (hv_options.iommu != IOMMU_OFF)
		iommu_init();
}

void devices_hide_units(void)
{
	hpa_t base;
	u64 len;
	u32 i;

	if (iommu_caps.name)
		virt_iommu_init();
	for (i = 0; iommu_caps.name && iommu_regs(i, &base, &len); i++)
		if (frame_mmio_protect(base, len))
			fatal("too many IOMMUs to hide their registers");
}

void devices_confine(void)
{
	if (!iommu_caps.name) {
		not_confined(hv_options.iommu == IOMMU_OFF ? "iommu=off"
							   : "no IOMMU that Bedplate drives");
		return;
	}
	if (dom0_build_io())
		fatal("too little memory for the I/O page tables");
	if (iommu_start(dom0_io_root(), true))
		fatal("the IOMMUs do not start");
	log_info("%s: devices reach what domain 0 owns and nothing else", iommu_caps.name);
	if (!iommu_caps.remapping)
		log_warn("interrupts are not remapped: devices can interrupt every CPU");
}
