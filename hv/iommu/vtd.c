// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intel VT-d units: what they can do, and how they are taken over from firmware. The
 * contract is in unit.h.
 */
#include "vtd.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "machine/cmdline.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "tables.h"
#include "vtd_unit.h"

struct vtd_unit vtd_units[DMAR_MAX_UNITS];
bool vtd_scalable;

u64 vtd_cap(u32 unit)
{
	return vtd_units[unit].cap;
}

u64 vtd_ecap(u32 unit)
{
	return vtd_units[unit].ecap;
}

/* ---- what they can do ---- */

/* Why the unit cannot be used; NULL: it can. */
static const char *look(struct vtd_unit *u)
{
	const struct dmar_unit *unit = &iommu_dmar.unit[vtd_index(u)];

	spin_lock_init(&u->lock, LOCK_IOMMU_UNIT);
	u->regs = ioremap(unit->base, unit->size);
	if (!u->regs)
		return "registers that cannot be mapped";
	u->cap = mmio_read64(u->regs + VTD_CAP);
	u->ecap = mmio_read64(u->regs + VTD_ECAP);
	if (!~u->cap || !VTD_VER_MAJOR(vtd_read(u, VTD_VER)))
		return "there are no registers";
	if (!(u->ecap & VTD_ECAP_QI))
		return "no queued invalidation";
	if (!(u->cap & VTD_CAP_SAGAW_48))
		return "no page tables of 4 levels";
	if (u->cap & VTD_CAP_RWBF)
		return "write buffers that must be flushed";
	if (VTD_CAP_FRO(u->cap) + VTD_CAP_NFR(u->cap) * 16 > unit->size)
		return "fault records outside of its registers";
	return NULL;
}

static bool has_scalable(const struct vtd_unit *u)
{
	return (u->ecap & VTD_ECAP_SMTS) && (u->ecap & VTD_ECAP_SSTS);
}

/* The mode in which it translates: TTM's bits. */
static u64 mode_of(const struct vtd_unit *u)
{
	return mmio_read64(u->regs + VTD_RTADDR) & VTD_RTADDR_TTM;
}

/*
 * Legacy mode, unless another is asked for or firmware left a unit translating in scalable
 * mode: so it never stops.
 */
static bool choose_scalable(void)
{
	bool all = true, left_on = false;
	struct vtd_unit *u;

	for_each_vtd(u) {
		all &= has_scalable(u);
		left_on |= (vtd_read(u, VTD_GSTS) & VTD_TE) && mode_of(u) == VTD_RTADDR_SCALABLE;
	}
	if (hv_options.vtd == VTD_SCALABLE && !all)
		log_warn("vtd=scalable: not all units have it, with second-stage tables");
	return all && (hv_options.vtd == VTD_SCALABLE || (hv_options.vtd == VTD_AUTO && left_on));
}

/* What all of @cap, or of @ecap, have that could only be said of those before. */
static void add(struct iommu_caps *caps, u64 cap, u64 ecap)
{
	if (!(cap & VTD_CAP_1G))
		caps->max_order = min(caps->max_order, 9u);
	if (!(cap & VTD_CAP_2M))
		caps->max_order = 0;
	caps->tags = min(caps->tags, VTD_CAP_TAGS(cap));
	if (!(ecap & VTD_ECAP_C) || (vtd_scalable && !(ecap & VTD_ECAP_SMPWC)))
		caps->noncoherent = true;
	if (!(ecap & VTD_ECAP_SC)) {
		caps->format = &npt_format_vtd;
		caps->snoops = false;
	}
	if (!(ecap & VTD_ECAP_IR))
		caps->remaps = false;
	if (!(ecap & VTD_ECAP_EIM))
		caps->x2apic = false;
}

static const char *probe(struct iommu_caps *caps)
{
	struct vtd_unit *u;
	const char *why;

	*caps = (struct iommu_caps){
		.name = "VT-d",
		.format = &npt_format_vtd_snoop,
		.snoops = true,
		.max_order = 18,
		.tags = 1u << 16,
		.remaps = iommu_dmar.intr_remap && iommu_ioapics_known(),
		.x2apic = !iommu_dmar.x2apic_opt_out,
	};
	for_each_vtd(u) {
		why = look(u);
		if (why) {
			log_warn("VT-d unit %u: capabilities 0x%llx, 0x%llx: %s", vtd_index(u),
				 u->cap, u->ecap, why);
			return why;
		}
	}
	vtd_scalable = choose_scalable();
	for_each_vtd(u)
		add(caps, u->cap, u->ecap);
	caps->x2apic &= caps->remaps;
	return NULL;
}

/* ---- taking them over ---- */

bool vtd_await(struct vtd_unit *u, u32 reg, u32 mask, u32 val)
{
	u64 until = hv_tsc() + tsc_from_us(VTD_PATIENCE_US);

	while ((vtd_read(u, reg) & mask) != val) {
		if (hv_tsc() > until)
			return (vtd_read(u, reg) & mask) == val;
		pause();
	}
	return true;
}

bool vtd_command(struct vtd_unit *u, u32 cmd, bool on)
{
	u32 now = vtd_read(u, VTD_GSTS) & VTD_LASTING;

	vtd_write(u, VTD_GCMD, on ? now | cmd : now & ~cmd);
	return vtd_await(u, VTD_GSTS, cmd, on ? cmd : 0);
}

static bool has_pmr(const struct vtd_unit *u)
{
	return (u->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)) == (VTD_CAP_PLMR | VTD_CAP_PHMR);
}

/* Protected memory regions (11.4.7): no DMA reaches them while translation is off. */
static bool protect(struct vtd_unit *u, bool on)
{
	if (!(u->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)))
		return true;
	vtd_write(u, VTD_PMEN, on ? VTD_PMEN_EPM : 0);
	return vtd_await(u, VTD_PMEN, VTD_PMEN_PRS, on ? VTD_PMEN_PRS : 0);
}

static bool protect_all(struct vtd_unit *u)
{
	if (!protect(u, false))
		return false;
	vtd_write(u, VTD_PLMBASE, 0);
	vtd_write(u, VTD_PLMLIMIT, ~0u);
	mmio_write64(u->regs + VTD_PHMBASE, SZ_4G);
	mmio_write64(u->regs + VTD_PHMLIMIT, ~0ull);
	return protect(u, true);
}

static u64 our_mode(void)
{
	return vtd_scalable ? VTD_RTADDR_SCALABLE : 0;
}

/*
 * A unit that translates takes a new root table as it goes. But where it does so in
 * another mode than ours (abort, say), and has no enhanced SRTP, the mode must not change
 * while it translates (11.4.5): so it stops for a moment, in which all memory is protected.
 */
static bool make_way(struct vtd_unit *u)
{
	u64 mode = mode_of(u);

	if (!(vtd_read(u, VTD_GSTS) & VTD_TE) || mode == our_mode() || (u->cap & VTD_CAP_ESRTPS))
		return true;
	if (!has_pmr(u))
		log_warn("VT-d unit %u: DMA is free for a moment, as firmware left it translating "
			 "in another mode (0x%llx)", vtd_index(u), mode);
	else if (!protect_all(u))
		return false;
	return vtd_command(u, VTD_TE, false);
}

/* Caches may have what firmware's tables said; 6.2.2 has the order. */
static bool translate(struct vtd_unit *u)
{
	if (!make_way(u))
		return false;
	mmio_write64(u->regs + VTD_RTADDR, virt_to_phys(u->root) | our_mode());
	return vtd_command(u, VTD_SRTP, true) && vtd_submit(u, VTD_CC_GLOBAL) &&
	       (!vtd_scalable || vtd_submit(u, VTD_PC_GLOBAL)) &&
	       vtd_submit(u, VTD_IOTLB_GLOBAL) && vtd_command(u, VTD_TE, true) &&
	       protect(u, false);
}

/* Faults go to the records, not to a log in memory that firmware may have set up. */
static bool quiet(struct vtd_unit *u)
{
	vtd_write(u, VTD_FECTL, VTD_FECTL_IM);
	return !(vtd_read(u, VTD_GSTS) & VTD_EAFL) || vtd_command(u, VTD_EAFL, false);
}

static int take_over(struct vtd_unit *u, bool remap)
{
	int err;

	if (!quiet(u))
		return -EIO;
	err = vtd_queue_start(u);
	if (err)
		return err;
	if (!translate(u))
		return -EIO;
	if (remap)
		return vtd_irt_start(u);
	return vtd_command(u, VTD_IRE, false) ? 0 : -EIO;
}

static int start_unit(struct vtd_unit *u, bool remap)
{
	u32 left = vtd_read(u, VTD_GSTS), ver = vtd_read(u, VTD_VER);
	int err = take_over(u, remap);

	if (err) {
		log_err("VT-d unit %u cannot be started (status 0x%x, was 0x%x): %s", vtd_index(u),
			vtd_read(u, VTD_GSTS), left,
			err == -ENOMEM ? "too little memory" : "it does not answer");
		return err;
	}
	vtd_fault_start(u);
	log_info("VT-d unit %u: confines DMA%s%s%s; version %u.%u, capabilities 0x%llx, 0x%llx%s",
		 vtd_index(u), vtd_scalable ? " in scalable mode" : "",
		 remap ? ", remaps interrupts" : "",
		 left & VTD_TE ? ", as firmware had it do" : "", VTD_VER_MAJOR(ver),
		 VTD_VER_MINOR(ver), u->cap, u->ecap,
		 u->cap & VTD_CAP_CM ? " (caching mode)" : "");
	return 0;
}

static int start(hpa_t root, bool remap)
{
	struct vtd_unit *u;
	int err = vtd_tables_make(root);

	if (err)
		return err;
	for_each_vtd(u) {
		err = start_unit(u, remap);
		if (err)
			return err;
	}
	vtd_fault_interrupt();
	return 0;
}

/* A tag that is too high is no device's. */
static void flush(u16 tag)
{
	struct vtd_unit *u;

	if (tag >= iommu_caps.tags)
		return;
	for_each_vtd(u)
		vtd_flush_tag(u, tag);
}

const struct iommu_driver vtd_driver = {
	.probe = probe,
	.start = start,
	.flush = flush,
	.attach = vtd_attach,
	.interrupt = vtd_fault_interrupt,
};
