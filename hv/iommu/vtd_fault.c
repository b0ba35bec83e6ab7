// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault records and their interrupt (D51397, ch. 7 and 11.4.10 to 11.4.14).
 *
 * A device may fault as fast as it likes. So the interrupt stays masked until a timer
 * finds no more of them, and each look takes what the registers can hold.
 */
#include "machine/cpu.h"
#include "machine/lapic.h"
#include "machine/timer.h"
#include "machine/tsc.h"
#include "vtd_unit.h"

#define REST_US		10000u
#define MSI_ADDR(id)	(0xfee00000u | ((id) & 0xff) << 12)

static struct hv_timer again;		/* the boot CPU's */

/* What went wrong (7.3), from 30 on in scalable mode. */
static const char *const reason[] = {
	[0x01] = "no root entry",
	[0x02] = "the device may do nothing",
	[0x03] = "bad context entry",
	[0x04] = "address too high",
	[0x05] = "no right to write",
	[0x06] = "no right to read",
	[0x07] = "page table not accessible",
	[0x08] = "root table not accessible",
	[0x09] = "context table not accessible",
	[0x0a] = "reserved bits in root entry",
	[0x0b] = "reserved bits in context entry",
	[0x0c] = "reserved bits in page table",
	[0x0d] = "kind of request not allowed",
	[0x20] = "bad message",
	[0x21] = "index too high",
	[0x22] = "entry not present",
	[0x23] = "table not accessible",
	[0x24] = "reserved bits in entry",
	[0x25] = "message in the old format",
	[0x26] = "another device's entry",
	[0x30] = "bad root table",
	[0x38] = "root table not accessible",
	[0x39] = "no root entry",
	[0x3a] = "reserved bits in root entry",
	[0x40] = "context table not accessible",
	[0x41] = "the device may do nothing",
	[0x42] = "reserved bits in context entry",
	[0x43] = "bad context entry",
	[0x44] = "the device may have no TLB",
	[0x45] = "the device may use no PASID",
	[0x50] = "PASID directory not accessible",
	[0x51] = "PASID not in directory",
	[0x52] = "reserved bits in PASID directory",
	[0x58] = "PASID table not accessible",
	[0x59] = "no such PASID",
	[0x5a] = "reserved bits in PASID table",
	[0x5b] = "bad PASID table entry",
	[0x78] = "page table not accessible",
	[0x79] = "no right to read or write",
	[0x7a] = "reserved bits in page table",
	[0x7b] = "bad page table",
	[0x84] = "address too high",
	[0x85] = "no right to write",
	[0x86] = "no right to read",
	[0x87] = "address of interrupts",
};

static void tell(const struct vtd_unit *u, u64 lo, u64 hi)
{
	u32 code = VTD_FRCD_FR(hi);
	bool interrupt = code >= 0x20 && code < 0x30;
	struct iommu_fault f = {
		.dev = { vtd_segment(u), VTD_FRCD_SID(hi) },
		.addr = interrupt ? lo >> 48 : lo & PAGE_MASK,
		.write = !(hi & VTD_FRCD_T1),
		.interrupt = interrupt,
		.what = code < ARRAY_SIZE(reason) && reason[code] ? reason[code] : "fault",
		.code = code,
	};

	iommu_fault(&f);
}

/*
 * From the oldest record on. While there is overflow hardware records nothing, so it
 * ends last. False: there was nothing.
 */
static bool drain(struct vtd_unit *u)
{
	u32 nr = VTD_CAP_NFR(u->cap), status = vtd_read(u, VTD_FSTS), i;
	u8 *rec;
	u64 hi;

	for (i = 0; i < nr && (status & VTD_FSTS_PPF); i++) {
		rec = u->regs + VTD_CAP_FRO(u->cap) + (VTD_FSTS_FRI(status) + i) % nr * 16;
		hi = mmio_read64(rec + 8);
		if (!(hi & VTD_FRCD_F))
			break;
		tell(u, mmio_read64(rec), hi);
		mmio_write32(rec + 12, VTD_FRCD_F >> 32);
	}
	if (status & VTD_FSTS_PFO) {
		iommu_faults_lost(1);	/* at least */
		vtd_write(u, VTD_FSTS, VTD_FSTS_PFO);
	}
	return status & (VTD_FSTS_PPF | VTD_FSTS_PFO);
}

/* A fault that comes after drain() found nothing is pending until the mask goes. */
static bool serve(struct vtd_unit *u)
{
	bool some;

	spin_lock(&u->lock);
	vtd_write(u, VTD_FECTL, VTD_FECTL_IM);
	some = drain(u);
	if (!some)
		vtd_write(u, VTD_FECTL, 0);
	spin_unlock(&u->lock);
	return some;
}

static void serve_all(struct hv_timer *t)
{
	struct vtd_unit *u;
	bool some = false;

	for_each_vtd(u)
		some |= serve(u);
	if (some)
		timer_arm(t, hv_tsc() + tsc_from_us(REST_US));
}

/* The vector may come to others too, from a device that is let to send what it likes. */
void vtd_fault_interrupt(void)
{
	if (!this_cpu()->index)
		serve_all(&again);
}

/* The unit's own messages are not remapped. */
void vtd_fault_start(const struct vtd_unit *u)
{
	u32 id = this_cpu()->apic_id;

	if (!again.fn)
		timer_init(&again, serve_all);
	vtd_write(u, VTD_FECTL, VTD_FECTL_IM);
	vtd_write(u, VTD_FEDATA, VECTOR_IOMMU);
	vtd_write(u, VTD_FEADDR, MSI_ADDR(id));
	vtd_write(u, VTD_FEUADDR, id & ~0xffu);
}
