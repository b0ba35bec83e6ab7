// SPDX-License-Identifier: GPL-2.0-only
/* The contract is in virt_amdvi_rig.h. */
#include "virt_amdvi_rig.h"

#include <stdlib.h>
#include <string.h>

#include "hv/iommu/dmar.h"
#include "hv/iommu/tables.h"
#include "hv/iommu/unit.h"
#include "hv/iommu/virt/virt.h"
#include "machine/acpi.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "memory/mmu.h"

struct iommu_caps iommu_caps;
struct dmar iommu_dmar;
struct ivrs iommu_ivrs;
enum iommu_kind iommu_kind = IOMMU_AMD;
struct acpi_info acpi_info;
struct domain dom0;

u8 rig_ram[RIG_RAM_SIZE];
u32 rig_tables, rig_room, rig_sets, rig_faults, rig_fault_code, rig_notes;
const char *rig_fault;
bool rig_wide, rig_x2apic;
static struct rig_irt irts[RIG_TABLES];

/* ---- domain 0's memory ---- */

static bool in_ram(gpa_t gpa, u32 len)
{
	return gpa >= RIG_RAM && len <= RIG_RAM_SIZE && gpa - RIG_RAM <= RIG_RAM_SIZE - len;
}

/* Another CPU may write meanwhile. */
int guest_read(struct domain *d, gpa_t gpa, void *buf, u32 len)
{
	u8 *to = buf;

	if (d != &dom0)
		abort();
	if (!in_ram(gpa, len))
		return -1;
	for (; len--; gpa++)
		*to++ = __atomic_load_n(rig_ram + (gpa - RIG_RAM), __ATOMIC_RELAXED);
	return 0;
}

int guest_write(struct domain *d, gpa_t gpa, const void *buf, u32 len)
{
	const u8 *from = buf;

	if (d != &dom0)
		abort();
	if (!in_ram(gpa, len))
		return -1;
	for (; len--; gpa++)
		__atomic_store_n(rig_ram + (gpa - RIG_RAM), *from++, __ATOMIC_RELAXED);
	return 0;
}

u64 rig_peek(gpa_t gpa)
{
	u64 val;

	memcpy(&val, rig_ram + (gpa - RIG_RAM), sizeof(val));
	return val;
}

void rig_poke(gpa_t gpa, u64 val)
{
	memcpy(rig_ram + (gpa - RIG_RAM), &val, sizeof(val));
}

/* ---- real units ---- */

u64 amdvi_efr(void)
{
	return 0x246577efa2254adaull;
}

bool amdvi_irte_wide(void)
{
	return rig_wide;
}

static struct rig_irt *find(struct pci_id dev)
{
	struct rig_irt *t;

	for (t = irts; t < irts + RIG_TABLES; t++)
		if (t->there && t->dev.bdf == dev.bdf && t->dev.segment == dev.segment)
			return t;
	return NULL;
}

struct rig_irt *rig_irt(u16 bdf)
{
	return find((struct pci_id){ 0, bdf });
}

int amdvi_irt_make(struct pci_id dev, u32 order)
{
	struct rig_irt *t = find(dev);

	if (order > AMDVI_IRTE_ORDER_MAX)
		abort();
	if (!ivrs_find(&iommu_ivrs, dev))
		return -1;
	if (!t) {
		if (rig_tables >= rig_room)
			return -1;
		for (t = irts; t->there; )
			t++;
		rig_tables++;
	}
	memset(t, 0, sizeof(*t));
	t->dev = dev;
	t->there = true;
	t->order = order;
	return 0;
}

void amdvi_irt_drop(struct pci_id dev)
{
	struct rig_irt *t = find(dev);

	if (!t)
		return;
	t->there = false;
	rig_tables--;
}

/* An entry that real units may have, whatever the code under test thinks. */
static bool sane(u64 lo, u64 hi)
{
	u8 vector = (u8)(rig_wide ? hi : lo >> 16);

	if (!(lo & 1))
		return !lo && !hi;
	if ((lo & 0xb8) || lo >> 32 || vector < 0x20 || vector > 0xef)
		return false;
	if (!rig_wide)
		return !hi && !(lo >> 24);
	return !(hi & 0x00ffffffffffff00ull) && (rig_x2apic || !(lo >> 16 | hi >> 56));
}

int amdvi_irte_set(struct pci_id dev, u32 index, u64 lo, u64 hi)
{
	struct rig_irt *t = find(dev);

	if (!t || index >> t->order)
		abort();
	if (!sane(lo, hi))
		abort();
	t->lo[index] = lo;
	t->hi[index] = hi;
	t->flushed = false;
	rig_sets++;
	return 0;
}

void amdvi_irt_flush(struct pci_id dev)
{
	struct rig_irt *t = find(dev);

	if (t)
		t->flushed = true;
}

bool iommu_regs(u32 i, hpa_t *base, u64 *len)
{
	*base = i < RIG_UNITS ? iommu_ivrs.unit[i].regs : 0;
	*len = IVRS_REGS_SIZE;
	return i < RIG_UNITS;
}

void iommu_fault(const struct iommu_fault *f)
{
	__atomic_add_fetch(&rig_faults, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&rig_fault, f->what, __ATOMIC_RELAXED);
	__atomic_store_n(&rig_fault_code, f->code, __ATOMIC_RELAXED);
}

void iommu_note(struct pci_id dev __unused, const char *what __unused)
{
	__atomic_add_fetch(&rig_notes, 1, __ATOMIC_RELAXED);
}

/* ---- firmware ---- */

const struct acpi_table *acpi_find(const struct acpi_info *info __unused,
				   const char *sig __unused)
{
	return NULL;
}

void *memremap(hpa_t pa __unused, u64 len __unused)
{
	return NULL;
}

void virt_vtd_init(struct virt_unit *u __unused, u32 index __unused)
{
	abort();
}

/* ---- what a test does ---- */

u64 rig_read(u32 unit, u32 off, u32 size)
{
	u64 val = 0xdeadbeefdeadbeefull;

	while (!virt_iommu_access(RIG_REGS(unit) + off, size, false, &val))
		;
	return val;
}

u32 rig_write(u32 unit, u32 off, u32 size, u64 val)
{
	u32 n = 1;

	while (!virt_iommu_access(RIG_REGS(unit) + off, size, true, &val))
		if (n++ == 100000)
			abort();
	return n;
}

static void forget_all(void)
{
	u32 unit, i;

	for (unit = 0; unit < RIG_UNITS; unit++) {
		rig_write(unit, 0x18, 8, 0);
		for (i = 0; i <= 0x28; i += 8)
			rig_write(unit, i, 8, 0);
		rig_write(unit, 0x2000, 8, 0);
		rig_write(unit, 0x2008, 8, 0);
		rig_write(unit, 0x2020, 8, ~0ull);
	}
}

/* Tables that an earlier test left with the code under test: all devices have none. */
static void drop_all(void)
{
	u32 unit;

	memset(rig_ram, 0, sizeof(rig_ram));
	for (unit = 0; unit < RIG_UNITS; unit++) {
		rig_start(unit);
		rig_command(unit, RIG_CMD(RIG_INV_ALL), 0);
	}
	if (rig_tables)
		abort();
}

static void make_ivrs(void)
{
	static const struct ivrs_devs low = { .first = 0, .last = 0x7fff, .units = BIT(0) };
	static const struct ivrs_devs high = { .first = 0x8000, .last = 0xfffe, .units = BIT(1) };
	u32 i;

	memset(&iommu_ivrs, 0, sizeof(iommu_ivrs));
	iommu_ivrs.nr_units = RIG_UNITS;
	for (i = 0; i < RIG_UNITS; i++)
		iommu_ivrs.unit[i].regs = RIG_REGS(i);
	if (!ivrs_add_devs(&iommu_ivrs, &low) || !ivrs_add_devs(&iommu_ivrs, &high))
		abort();
}

void rig_init(bool wide, bool x2apic)
{
	static bool shown;

	rig_wide = wide;
	iommu_caps.remaps = true;
	iommu_caps.x2apic = rig_x2apic = x2apic;
	rig_room = RIG_TABLES;
	if (!shown) {
		make_ivrs();
		virt_iommu_init();
		shown = true;
	}
	drop_all();
	forget_all();
	memset(rig_ram, 0, sizeof(rig_ram));
	rig_sets = rig_faults = rig_fault_code = rig_notes = 0;
	rig_fault = NULL;
}

/* In the order and the widths of Linux's early_enable_iommu(). */
void rig_start(u32 unit)
{
	u64 control;

	rig_write(unit, 0x18, 8, 0);
	rig_write(unit, 0x00, 4, (u32)RIG_DEVTAB | 0x1ff);
	rig_write(unit, 0x04, 4, RIG_DEVTAB >> 32);
	rig_write(unit, 0x08, 4, (u32)RIG_CMDS);
	rig_write(unit, 0x0c, 4, 9u << 24);
	rig_write(unit, 0x2000, 4, 0);
	rig_write(unit, 0x2008, 4, 0);
	control = BIT(12);
	rig_write(unit, 0x18, 8, control);
	if (rig_read(unit, 0x30, 8) & BIT(7))
		control |= BIT(17);
	if (rig_read(unit, 0x30, 8) & BIT(2))
		control |= BIT(50);
	rig_write(unit, 0x18, 8, control);
	rig_write(unit, 0x18, 8, control | 1);
	rig_command(unit, RIG_CMD(RIG_INV_ALL), 0);
}

u32 rig_command(u32 unit, u64 lo, u64 hi)
{
	u32 tail = (u32)rig_read(unit, 0x2008, 4);

	rig_poke(RIG_CMDS + tail, lo);
	rig_poke(RIG_CMDS + tail + 8, hi);
	return rig_write(unit, 0x2008, 4, (tail + 16) % 0x2000);
}

void rig_set_dte(u32 unit, u16 bdf, gpa_t root, u32 order)
{
	rig_poke(RIG_DEVTAB + bdf * 32u + 16, root | order << 1 | 1 | 2ull << 60);
	rig_command(unit, RIG_CMD(RIG_INV_DEV) | bdf, 0);
}
