// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an AMD IOMMU's own interrupt comes to Bedplate: by its MSI capability or, where all
 * units know x2APIC, by a register (48882, 3.4.9). It is not itself remapped.
 */
#include "amdvi_unit.h"
#include "machine/lapic.h"
#include "machine/pci.h"

#define PCI_STATUS_CAPS		BIT(20)
#define PCI_CAP_PTR		0x34
#define PCI_CAPS		48	/* more do not fit */
#define CAP_MSI			0x05
#define MSI_ENABLE		BIT(16)
#define MSI_MULTIPLE		(7u << 20)
#define MSI_64			BIT(23)
#define MSI_MASK		BIT(24)
#define MSI_ADDRESS(id)		(0xfee00000u | (id) << 12)
#define APIC_ID_MAX		0xfeu

static bool reachable(const struct amdvi_unit *u)
{
	return !amdvi_desc(u)->id.segment;
}

u32 amdvi_config(const struct amdvi_unit *u, u32 off)
{
	if (!reachable(u))
		return 0;
	return pci_read(amdvi_desc(u)->id.bdf, (u8)off);
}

static void config_write(const struct amdvi_unit *u, u32 off, u32 val)
{
	pci_write(amdvi_desc(u)->id.bdf, (u8)off, val);
}

/* Where the capability is; 0: there is none. */
static u32 find_msi(const struct amdvi_unit *u)
{
	u32 at, n, cap;

	if (!reachable(u) || !(amdvi_config(u, PCI_REG_COMMAND) & PCI_STATUS_CAPS))
		return 0;
	at = amdvi_config(u, PCI_CAP_PTR) & 0xfc;
	for (n = 0; at && n < PCI_CAPS; n++) {
		cap = amdvi_config(u, at);
		if ((cap & 0xff) == CAP_MSI)
			return at;
		at = cap >> 8 & 0xfc;
	}
	return 0;
}

static const char *by_msi(const struct amdvi_unit *u)
{
	u32 cap = find_msi(u), header, data;

	if (!cap || lapic_id() > APIC_ID_MAX)
		return NULL;
	header = amdvi_config(u, cap) & ~(u32)(MSI_ENABLE | MSI_MULTIPLE);
	data = header & MSI_64 ? cap + 12 : cap + 8;
	config_write(u, cap, header);
	config_write(u, cap + 4, MSI_ADDRESS(lapic_id()));
	if (header & MSI_64)
		config_write(u, cap + 8, 0);
	config_write(u, data, VECTOR_IOMMU);
	if (header & MSI_MASK)
		config_write(u, data + 4, 0);
	config_write(u, cap, header | (u32)MSI_ENABLE);
	return "MSI";
}

const char *amdvi_msi_start(const struct amdvi_unit *u, bool x2apic)
{
	u32 id = lapic_id();

	if (!x2apic)
		return by_msi(u);
	amdvi_write(u, AMDVI_XT_GEN_INT,
		    AMDVI_XT_DEST_LO(id) | AMDVI_XT_VECTOR(VECTOR_IOMMU) | AMDVI_XT_DEST_HI(id));
	return "x2APIC";
}
