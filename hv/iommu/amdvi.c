// SPDX-License-Identifier: GPL-2.0-only
/* AMD IOMMUs: what they can do, and how Bedplate takes them over. */
#include "amdvi.h"
#include "amdvi_unit.h"
#include "lib/errno.h"
#include "machine/log.h"
#include "machine/memmap.h"
#include "machine/paging.h"
#include "tables.h"

struct amdvi_unit amdvi_units[IVRS_MAX_UNITS];
static u64 efr;			/* what all units have */

/* What a unit that firmware left on may not do while its rings are changed. */
#define WRITERS		(AMDVI_EVENT_LOG_EN | AMDVI_EVENT_INT_EN | AMDVI_COM_WAIT_INT_EN | \
			 AMDVI_CMD_BUF_EN | AMDVI_PPR_LOG_EN | AMDVI_PPR_INT_EN | AMDVI_PPR_EN | \
			 AMDVI_GA_LOG_EN | AMDVI_GA_INT_EN | AMDVI_DEV_TBL_SEG_EN)
#define RUNNING		(AMDVI_EVENT_LOG_RUN | AMDVI_CMD_BUF_RUN | AMDVI_PPR_LOG_RUN | \
			 AMDVI_GA_LOG_RUN)

u64 amdvi_efr(void)
{
	return efr;
}

bool amdvi_irte_wide(void)
{
	return efr & AMDVI_EFR_GA;
}

/* ---- probe ---- */

static const char *probe_unit(struct amdvi_unit *u)
{
	const struct ivrs_unit *desc = amdvi_desc(u);

	u->regs = ioremap(desc->regs, IVRS_REGS_SIZE);
	if (!u->regs)
		return "their registers cannot be mapped";
	if (amdvi_read(u, AMDVI_STATUS) == ~0ull)
		return "one has no registers where the IVRS says";
	/* The register is the truth; 0 in units that are older than it. */
	u->efr = amdvi_read(u, AMDVI_EFR);
	if (desc->has_efr && desc->efr != u->efr)
		log_warn("IVRS: unit %u has features 0x%llx, not 0x%llx", amdvi_index(u), u->efr,
			 desc->efr);
	if (AMDVI_EFR_HATS(u->efr) == 3)
		return "one does not translate by host page tables";
	return NULL;
}

static const char *probe(struct iommu_caps *caps)
{
	struct amdvi_unit *u;
	const char *why;

	efr = ~0ull;
	for_each_amdvi(u) {
		why = probe_unit(u);
		if (why)
			return why;
		efr &= u->efr;
	}
	/*
	 * Units look for tables in caches: for page tables (SD 0) and interrupt tables
	 * always, for the device table by CONTROL.Coherent, whatever the IVHD says of it.
	 */
	*caps = (struct iommu_caps){
		.name = "AMD-Vi",
		.format = &npt_format_amdvi,
		.max_order = 18,
		.tags = 65536,
		.remaps = iommu_ioapics_known(),
		.snoops = true,		/* FC in each leaf */
		.x2apic = (efr & AMDVI_EFR_XT) && (efr & AMDVI_EFR_GA),
	};
	return NULL;
}

/* ---- start ---- */

static bool alloc_rings(struct amdvi_unit *u)
{
	spin_lock_init(&u->lock, LOCK_IOMMU_UNIT);
	u->ring = page_alloc();
	u->log = page_alloc();
	u->done = page_alloc();
	return u->ring && u->log && u->done;
}

/* CONTROL as it is to be. Interrupts of its own come last. */
static u64 settings(const struct amdvi_unit *u)
{
	u8 flags = amdvi_desc(u)->flags;
	u64 val = AMDVI_IOMMU_EN | AMDVI_EVENT_LOG_EN | AMDVI_CMD_BUF_EN | AMDVI_COHERENT;

	val |= amdvi_read(u, AMDVI_CONTROL) & AMDVI_FIRMWARE;
	/* Without this all that comes by a tunnel would be free. */
	if ((flags & IVHD_HT_TUN_EN) || (amdvi_config(u, amdvi_desc(u)->cap) & AMDVI_CAP_HT_TUNNEL))
		val |= AMDVI_HT_TUN_EN;
	if (flags & IVHD_PASS_PW)
		val |= AMDVI_PASS_PW;
	if (flags & IVHD_RES_PASS_PW)
		val |= AMDVI_RES_PASS_PW;
	if (flags & IVHD_ISOC)
		val |= AMDVI_ISOC;
	if (amdvi_irte_wide())
		val |= AMDVI_GA_EN;
	if (iommu_caps.x2apic)
		val |= AMDVI_XT_EN | AMDVI_INT_CAP_XT_EN;
	return val;
}

/* The exclusion range off; with SNPSup it is where marks may be stored. */
static void set_exclusion(const struct amdvi_unit *u)
{
	hpa_t done = u->efr & AMDVI_EFR_SNP ? virt_to_phys(u->done) : 0;

	amdvi_write(u, AMDVI_EXCL_BASE, done);
	amdvi_write(u, AMDVI_EXCL_LIMIT, done);
}

/*
 * A unit that translates does so all the while: by firmware's tables until the new base
 * is written, by both until all that it caches is forgotten. Only its rings stand still.
 */
static bool take_over(struct amdvi_unit *u)
{
	hpa_t table = virt_to_phys(u->table);

	amdvi_write(u, AMDVI_CONTROL, amdvi_read(u, AMDVI_CONTROL) & ~WRITERS);
	if (!amdvi_await_off(u, RUNNING))
		return false;
	amdvi_write(u, AMDVI_STATUS, AMDVI_STATUS_CLEAR);
	amdvi_write(u, AMDVI_DEV_TABLE, table | AMDVI_DEV_TABLE_SIZE);
	set_exclusion(u);
	amdvi_cmd_reset(u);
	amdvi_log_reset(u);
	/* With SNP on, firmware may have locked them. */
	if (amdvi_read(u, AMDVI_DEV_TABLE) != (table | AMDVI_DEV_TABLE_SIZE) ||
	    amdvi_read(u, AMDVI_CMD_BASE) != (virt_to_phys(u->ring) | AMDVI_RING_LEN))
		return false;
	amdvi_write(u, AMDVI_CONTROL, settings(u));
	return amdvi_forget_all(u);
}

static bool start_unit(struct amdvi_unit *u, bool remap)
{
	u64 was = amdvi_read(u, AMDVI_CONTROL);
	const char *by;

	if (!take_over(u)) {
		log_err("AMD-Vi: unit %u cannot be taken over: control 0x%llx, status 0x%llx",
			amdvi_index(u), amdvi_read(u, AMDVI_CONTROL),
			amdvi_read(u, AMDVI_STATUS));
		return false;
	}
	by = amdvi_msi_start(u, iommu_caps.x2apic);
	if (by)
		amdvi_write(u, AMDVI_CONTROL,
			    amdvi_read(u, AMDVI_CONTROL) | AMDVI_EVENT_INT_EN);
	log_info("AMD-Vi: unit %u, which was %s, confines DMA; interrupts %s, events %s%s",
		 amdvi_index(u), was & AMDVI_IOMMU_EN ? "on" : "off",
		 !remap ? "pass as they are" : amdvi_irte_wide() ? "go by entries of 128 bits" :
		 "go by entries of 32 bits", by ? "come by " : "are not seen", by ? by : "");
	return true;
}

static int start(hpa_t root, bool remap)
{
	struct amdvi_unit *u;
	int err;

	for_each_amdvi(u)
		if (!alloc_rings(u))
			return -ENOMEM;
	err = amdvi_tables_make(root, remap);
	if (err)
		return err;
	for_each_amdvi(u)
		if (!start_unit(u, remap))
			return -EIO;
	return 0;
}

/* ---- from then on ---- */

static void flush(u16 tag)
{
	amdvi_tell(AMDVI_INV_IOMMU_PAGES | AMDVI_PAGES_DOMAIN(tag), AMDVI_PAGES_ALL);
	amdvi_settle();
}

static void interrupt(void)
{
	struct amdvi_unit *u;

	for_each_amdvi(u) {
		spin_lock(&u->lock);
		amdvi_log_read(u);
		spin_unlock(&u->lock);
	}
}

const struct iommu_driver amdvi_driver = {
	.probe = probe,
	.start = start,
	.flush = flush,
	.attach = amdvi_attach,
	.interrupt = interrupt,
};
