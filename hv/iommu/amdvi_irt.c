// SPDX-License-Identifier: GPL-2.0-only
/* Interrupt remapping tables of devices behind AMD IOMMUs (48882, 2.2.5); see amdvi.h. */
#include "amdvi.h"
#include "amdvi_unit.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "machine/memmap.h"
#include "machine/paging.h"

static struct spinlock lock = SPINLOCK_INIT(LOCK_IOMMU_TABLES);	/* guards the second halves of all entries */

static u32 pages(u32 order)
{
	u32 bytes = (amdvi_irte_wide() ? 16u : 4u) << order;

	return max(bytes >> PAGE_SHIFT, 1u);
}

/* The table that half an entry names; NULL: none. */
static void *table_of(u64 half)
{
	return half & AMDVI_DTE_INT_REMAP ? phys_to_virt(half & AMDVI_DTE_INT_ROOT) : NULL;
}

/* Interrupts that the device may send; NULL: it is no device, or none are remapped. */
static struct amdvi_dte *find(struct pci_id dev)
{
	struct amdvi_dte *dte = amdvi_dte(dev);

	return dte && (READ_ONCE(dte->q[2]) & AMDVI_DTE_IV) ? dte : NULL;
}

/* Put @half into the entry, and free the table that was there when it is out of use. */
static void replace(struct amdvi_dte *dte, u16 id, u64 half)
{
	u64 old;

	spin_lock(&lock);
	old = dte->q[2];
	store_128(&dte->q[2], half, 0);
	spin_unlock(&lock);
	amdvi_tell(AMDVI_INV_DEVTAB_ENTRY | id, 0);
	amdvi_tell(AMDVI_INV_INT_TABLE | id, 0);
	amdvi_settle();
	if (table_of(old))
		pages_free(table_of(old), pages(AMDVI_DTE_INT_LEN(old)));
}

int amdvi_irt_make(struct pci_id dev, u32 order)
{
	struct amdvi_dte *dte = find(dev);
	void *table;

	if (!dte)
		return -ENODEV;
	if (order > AMDVI_IRTE_ORDER_MAX)
		return -EINVAL;
	table = pages_alloc(pages(order));
	if (!table)
		return -ENOMEM;
	replace(dte, dev.bdf, AMDVI_DTE_IV | AMDVI_DTE_INT_ORDER(order) | virt_to_phys(table) |
		AMDVI_DTE_INT_REMAP);
	return 0;
}

void amdvi_irt_drop(struct pci_id dev)
{
	struct amdvi_dte *dte = find(dev);

	if (dte)
		replace(dte, dev.bdf, AMDVI_DTE_IV);
}

int amdvi_irte_set(struct pci_id dev, u32 index, u64 lo, u64 hi)
{
	struct amdvi_dte *dte = find(dev);
	int err = -EINVAL;
	void *table;

	if (!dte)
		return err;
	spin_lock(&lock);
	table = table_of(dte->q[2]);
	if (table && index >> AMDVI_DTE_INT_LEN(dte->q[2]) == 0) {
		if (amdvi_irte_wide())
			store_128((u64 *)table + 2 * (size_t)index, lo, hi);
		else
			WRITE_ONCE(((u32 *)table)[index], (u32)lo);
		err = 0;
	}
	spin_unlock(&lock);
	return err;
}

void amdvi_irt_flush(struct pci_id dev)
{
	amdvi_tell(AMDVI_INV_INT_TABLE | dev.bdf, 0);
	amdvi_settle();
}
