// SPDX-License-Identifier: GPL-2.0-only
/* Faults of DMA and interrupt messages: counted, and logged in moderation. */
#include "machine/log.h"
#include "machine/spinlock.h"
#include "machine/tsc.h"
#include "unit.h"

/* So many lines in a second, then one that says how many were left out. */
#define LINES		10
#define PERIOD_US	1000000

static struct spinlock lock = SPINLOCK_INIT(LOCK_IOMMU_FAULTS);	/* guards what follows */
static u64 count, period, left_out;
static u32 lines;

/* May one more line be logged? */
static bool moderate(void)
{
	u64 now = tsc_uptime_us();

	if (now - period >= PERIOD_US) {
		if (left_out)
			log_warn("IOMMU: %llu more faults", left_out);
		period = now;
		lines = 0;
		left_out = 0;
	}
	if (lines == LINES) {
		left_out++;
		return false;
	}
	lines++;
	return true;
}

void iommu_fault(const struct iommu_fault *f)
{
	spin_lock(&lock);
	count++;
	if (moderate()) {
		if (f->interrupt)
			log_warn("IOMMU: " PCI_FMT ": interrupt blocked, entry 0x%llx: %s (%x)",
				 PCI_ARGS(f->dev), f->addr, f->what, f->code);
		else
			log_warn("IOMMU: " PCI_FMT ": %s at 0x%llx blocked: %s (%x)",
				 PCI_ARGS(f->dev), f->write ? "write" : "read", f->addr, f->what,
				 f->code);
	}
	spin_unlock(&lock);
}

void iommu_note(struct pci_id dev, const char *what)
{
	spin_lock(&lock);
	if (moderate())
		log_warn("IOMMU: " PCI_FMT ": %s", PCI_ARGS(dev), what);
	spin_unlock(&lock);
}

void iommu_faults_lost(u64 n)
{
	spin_lock(&lock);
	count += n;
	left_out += n;
	spin_unlock(&lock);
}

u64 iommu_fault_count(void)
{
	return READ_ONCE(count);
}
