/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices under the IOMMUs, before domain 0 runs. Boot CPU, all of it. */
#ifndef BP_BOOT_DEVICES_H
#define BP_BOOT_DEVICES_H

/* After acpi_init(): look for the units, unless iommu=off. */
void devices_find_units(void);
/*
 * Before domain 0's table is made: the units' registers are not in it. What it finds in
 * their place is virt.h's.
 */
void devices_hide_units(void);
/* After that: every device gets what domain 0 owns. Fatal where iommu=required says so. */
void devices_confine(void);

#endif
