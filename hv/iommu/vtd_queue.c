// SPDX-License-Identifier: GPL-2.0-only
/* The invalidation queue (D51397, 6.5.2), and waiting for it. */
#include "lib/errno.h"
#include "lib/x86.h"
#include "machine/memmap.h"
#include "machine/paging.h"
#include "machine/panic.h"
#include "vtd_unit.h"

#define ENTRIES		256u		/* of one page: IQA's QS is 0 */
#define OFFSET(i)	((u32)((i) * sizeof(struct vtd_entry)))
static_assert(ENTRIES * sizeof(struct vtd_entry) == PAGE_SIZE, "queue");

int vtd_queue_start(struct vtd_unit *u)
{
	u->queue = page_alloc();
	if (!u->queue)
		return -ENOMEM;
	/* Firmware's: let it end what it has, unless it is stuck. */
	if (vtd_read(u, VTD_GSTS) & VTD_QIE) {
		vtd_await(u, VTD_IQH, ~0u, vtd_read(u, VTD_IQT));
		if (!vtd_command(u, VTD_QIE, false))
			return -EIO;
	}
	vtd_write(u, VTD_FSTS, VTD_FSTS_QUEUE);
	u->tail = 0;
	mmio_write64(u->regs + VTD_IQT, 0);
	mmio_write64(u->regs + VTD_IQA, virt_to_phys(u->queue) | (vtd_scalable ? VTD_IQA_DW : 0));
	return vtd_command(u, VTD_QIE, true) ? 0 : -EIO;
}

static void put(struct vtd_unit *u, u64 lo, u64 hi)
{
	u->queue[u->tail] = (struct vtd_entry){ lo, hi };
	u->tail = (u->tail + vtd_width()) % ENTRIES;
}

/*
 * The queue is empty whenever this begins, so there is always room. Units read it, and
 * write u->done, coherently, whatever ECAP.C says.
 */
bool vtd_submit(struct vtd_unit *u, u64 desc)
{
	u64 until = hv_tsc() + tsc_from_us(VTD_PATIENCE_US);

	WRITE_ONCE(u->done, 0);
	put(u, desc, 0);
	put(u, VTD_WAIT_WRITE(1), virt_to_phys(&u->done));
	mmio_write64(u->regs + VTD_IQT, OFFSET(u->tail));
	while (!READ_ONCE(u->done)) {
		if ((vtd_read(u, VTD_FSTS) & VTD_FSTS_QUEUE) || hv_tsc() > until)
			return READ_ONCE(u->done);
		pause();
	}
	return true;
}

void vtd_invalidate(struct vtd_unit *u, u64 desc)
{
	spin_lock(&u->lock);
	if (!vtd_submit(u, desc))
		panic("VT-d unit %u does not invalidate (descriptor 0x%llx, status 0x%x): "
		      "devices may reach what they must not", vtd_index(u), desc,
		      vtd_read(u, VTD_FSTS));
	spin_unlock(&u->lock);
}

void vtd_flush_tag(struct vtd_unit *u, u16 tag)
{
	u64 drain = (u->cap & VTD_CAP_DRD ? VTD_IOTLB_DR : 0) |
		    (u->cap & VTD_CAP_DWD ? VTD_IOTLB_DW : 0);

	vtd_invalidate(u, VTD_IOTLB_DOMAIN(tag) | drain);
}
