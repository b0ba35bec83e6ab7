// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "vtd_rig.h"
#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/machine/timer.h"
#include "hv/iommu/tables.h"

#define PAGES		2600u

struct rig_unit rig[RIG_UNITS];
struct hv_options hv_options;
struct dmar iommu_dmar;
bool rig_ioapics_known;
struct iommu_caps iommu_caps;
const struct npt_format npt_format_vtd, npt_format_vtd_snoop;
struct iommu_fault rig_told[4096];
u32 rig_nr_told, rig_cpu, rig_pages_left;
u64 rig_lost;

/* Memory, and what of it has left the caches. */
static u8 memory[PAGES][PAGE_SIZE] __aligned(PAGE_SIZE), past_caches[PAGES][PAGE_SIZE];
static u32 pages_used;
static struct hv_timer *armed;
static struct cpu cpu;

/* ---- the machine ---- */

u64 tsc_khz = 1000;

static u64 now;

u64 hv_tsc(void)
{
	return now += 1000;
}

struct cpu *this_cpu(void)
{
	cpu.index = rig_cpu;
	cpu.apic_id = 0x1234;
	return &cpu;
}

void *pages_alloc(u32 n)
{
	void *p = memory[pages_used];

	if (rig_pages_left < n)
		return NULL;
	rig_pages_left -= n;
	pages_used += n;
	memset(p, 0, n * PAGE_SIZE);
	return p;
}

void *page_alloc(void)
{
	return pages_alloc(1);
}

/* It is not given again, and who still uses it finds nonsense. */
void page_free(void *page)
{
	assert_false((uintptr_t)page % PAGE_SIZE);
	memset(page, 0xa5, PAGE_SIZE);
	cache_flush(page, PAGE_SIZE);
	rig_pages_left++;
}

void cache_flush(const void *p, u64 len)
{
	u64 at = ((uintptr_t)p & ~63ull) - (uintptr_t)memory;
	u64 end = ALIGN_UP((uintptr_t)p + len, 64ull) - (uintptr_t)memory;

	assert_true(end <= sizeof(memory));
	memcpy((u8 *)past_caches + at, (u8 *)memory + at, end - at);
}

void timer_init(struct hv_timer *t, void (*fn)(struct hv_timer *t))
{
	t->fn = fn;
}

void timer_arm(struct hv_timer *t, u64 deadline __unused)
{
	assert_int_equal(rig_cpu, 0);
	armed = t;
}

bool rig_timer(void)
{
	struct hv_timer *t = armed;

	armed = NULL;
	if (t)
		t->fn(t);
	return t;
}

bool iommu_ioapics_known(void)
{
	return rig_ioapics_known;
}

void iommu_fault(const struct iommu_fault *f)
{
	rig_told[rig_nr_told++ % ARRAY_SIZE(rig_told)] = *f;
}

void iommu_faults_lost(u64 n)
{
	rig_lost += n;
}

/* ---- registers ---- */

u64 rig_get(const struct rig_unit *m, u32 reg, u32 size)
{
	u64 val = 0;

	memcpy(&val, m->regs + reg, size);
	return val;
}

void rig_set(struct rig_unit *m, u32 reg, u32 size, u64 val)
{
	memcpy(m->regs + reg, &val, size);
}

static struct rig_unit *unit_of(const void *reg, u32 *off)
{
	struct rig_unit *m;

	for (m = rig; m < rig + RIG_UNITS; m++) {
		if ((const u8 *)reg >= m->regs && (const u8 *)reg < m->regs + RIG_REGS) {
			*off = (u32)((const u8 *)reg - m->regs);
			return m;
		}
	}
	fail_msg("%p is no register", reg);
	return NULL;
}

void *ioremap(hpa_t pa, u64 len)
{
	assert_int_equal(len, RIG_REGS);
	assert_true(pa < RIG_UNITS * SZ_64K && !(pa % SZ_64K));
	return rig[pa / SZ_64K].regs;
}

/* No DMA passes but by tables, or no memory is to be reached. */
static bool confines(const struct rig_unit *m)
{
	return (rig_get(m, VTD_GSTS, 4) & VTD_TE) ||
	       ((rig_get(m, VTD_PMEN, 4) & VTD_PMEN_PRS) && !rig_get(m, VTD_PLMBASE, 4) &&
		rig_get(m, VTD_PLMLIMIT, 4) == ~0u && rig_get(m, VTD_PHMBASE, 8) == SZ_4G &&
		rig_get(m, VTD_PHMLIMIT, 8) == ~0ull);
}

static void new_root(struct rig_unit *m)
{
	u64 rta = rig_get(m, VTD_RTADDR, 8);

	if ((rig_get(m, VTD_GSTS, 4) & VTD_TE) && !(rig_get(m, VTD_CAP, 8) & VTD_CAP_ESRTPS))
		assert_int_equal(rta & VTD_RTADDR_TTM, m->root & VTD_RTADDR_TTM);
	m->root = rta;
	m->cc_stale = true;
	m->pc_stale = rta & VTD_RTADDR_SCALABLE;
	m->iotlb_stale = true;
}

static void lasting(struct rig_unit *m, u32 bit, bool on)
{
	if (bit == VTD_TE && on)
		assert_true(m->root && !m->cc_stale && !m->pc_stale && !m->iotlb_stale);
	if (bit == VTD_IRE && on)
		assert_true(m->irta && !m->iec_stale);
	if (bit == VTD_QIE) {
		assert_true(!on || !rig_get(m, VTD_IQT, 8));
		rig_set(m, VTD_IQH, 8, 0);
	}
}

/* One command a write. */
static void command(struct rig_unit *m, u32 val)
{
	u32 was = (u32)rig_get(m, VTD_GSTS, 4);
	u32 bits = ((was ^ val) & VTD_LASTING) | (val & (VTD_SRTP | VTD_SIRTP));

	assert_int_equal(val & ~(VTD_LASTING | VTD_SRTP | VTD_SIRTP), 0);
	assert_int_equal(bits & (bits - 1), 0);
	if (m->dead)
		return;
	if (bits & VTD_SRTP)
		new_root(m);
	if (bits & VTD_SIRTP) {
		m->irta = rig_get(m, VTD_IRTA, 8);
		m->iec_stale = true;
	}
	lasting(m, bits & VTD_LASTING, val & bits);
	rig_set(m, VTD_GSTS, 4, (was ^ (bits & VTD_LASTING)) | (bits & (VTD_SRTP | VTD_SIRTP)));
}

/* The mode that is set, or will be. */
static bool scalable(const struct rig_unit *m)
{
	return vtd_scalable && rig_get(m, VTD_ECAP, 8) & VTD_ECAP_SMTS;
}

static void do_desc(struct rig_unit *m, const struct vtd_entry *d)
{
	u32 *status;

	if ((d->lo & 15) == 5) {
		assert_int_equal(d->lo & 0xfffffff0, BIT(5));
		status = phys_to_virt(d->hi);
		*status = (u32)(d->lo >> 32);
		return;
	}
	assert_int_equal(d->hi, 0);
	m->desc[m->nr_descs++ % RIG_DESCS] = d->lo;
	if (d->lo == VTD_CC_GLOBAL)
		m->cc_stale = false;
	if (d->lo == VTD_PC_GLOBAL)
		m->pc_stale = m->cc_stale;
	if (d->lo == VTD_IOTLB_GLOBAL)
		m->iotlb_stale = m->cc_stale || m->pc_stale;
	if (d->lo == VTD_IEC_GLOBAL)
		m->iec_stale = false;
}

static void run_queue(struct rig_unit *m)
{
	u64 head = rig_get(m, VTD_IQH, 8), iqa = rig_get(m, VTD_IQA, 8);
	u32 step = iqa & VTD_IQA_DW ? 32 : 16;
	const struct vtd_entry *d;

	if (!(rig_get(m, VTD_GSTS, 4) & VTD_QIE) || (rig_get(m, VTD_FSTS, 4) & VTD_FSTS_IQE) ||
	    m->deaf || m->stopped)
		return;
	assert_int_equal(iqa & 0xfff, scalable(m) ? VTD_IQA_DW : 0);
	if (m->broken) {
		rig_set(m, VTD_FSTS, 4, rig_get(m, VTD_FSTS, 4) | VTD_FSTS_IQE);
		return;
	}
	for (; head != rig_get(m, VTD_IQT, 8); head = (head + step) % PAGE_SIZE) {
		d = phys_to_virt((iqa & PAGE_MASK) + head);
		assert_true(step == 16 || (!d[1].lo && !d[1].hi));
		do_desc(m, d);
	}
	rig_set(m, VTD_IQH, 8, head);
}

/* ---- faults ---- */

static u32 nr_records(const struct rig_unit *m)
{
	return VTD_CAP_NFR(rig_get(m, VTD_CAP, 8));
}

static void msi(struct rig_unit *m)
{
	if (rig_get(m, VTD_FECTL, 4) & VTD_FECTL_IM)
		rig_set(m, VTD_FECTL, 4, VTD_FECTL_IM | BIT(30));
	else
		m->nr_msi++;
}

/* PPF is the sum of all F; an interrupt comes when the first of its causes does. */
static void fsts_set(struct rig_unit *m, u32 bits, u32 fri)
{
	u32 was = (u32)rig_get(m, VTD_FSTS, 4);

	if (!(was & VTD_FSTS_PPF))
		was = (was & ~0xff00u) | fri << 8;
	rig_set(m, VTD_FSTS, 4, was | bits);
	if (!(was & (VTD_FSTS_PPF | VTD_FSTS_PFO)))
		msi(m);
}

void rig_fault(struct rig_unit *m, u64 lo, u64 hi)
{
	u32 reg = RIG_FRO + m->next_record * 16;

	if (rig_get(m, VTD_FSTS, 4) & VTD_FSTS_PFO)
		return;
	if (rig_get(m, reg + 8, 8) & VTD_FRCD_F) {
		fsts_set(m, VTD_FSTS_PFO, 0);
		return;
	}
	rig_set(m, reg, 8, lo);
	rig_set(m, reg + 8, 8, hi | VTD_FRCD_F);
	fsts_set(m, VTD_FSTS_PPF, m->next_record);
	m->next_record = (m->next_record + 1) % nr_records(m);
}

static void clear_record(struct rig_unit *m, u32 off)
{
	u32 i;

	rig_set(m, off, 4, rig_get(m, off, 4) & 0x7fffffff);
	for (i = 0; i < nr_records(m); i++)
		if (rig_get(m, RIG_FRO + i * 16 + 8, 8) & VTD_FRCD_F)
			break;
	if (i == nr_records(m))
		rig_set(m, VTD_FSTS, 4, rig_get(m, VTD_FSTS, 4) & ~VTD_FSTS_PPF);
	if (m->on_clear)
		m->on_clear(m);
}

static void write_fectl(struct rig_unit *m, u32 val)
{
	bool pending = rig_get(m, VTD_FECTL, 4) & BIT(30);

	rig_set(m, VTD_FECTL, 4, (val & VTD_FECTL_IM) | (pending ? BIT(30) : 0));
	if (pending && !(val & VTD_FECTL_IM)) {
		rig_set(m, VTD_FECTL, 4, 0);
		m->nr_msi++;
	}
}

/* ---- accesses ---- */

u64 rig_read(const void *reg, u32 size)
{
	u32 off;
	struct rig_unit *m = unit_of(reg, &off);

	if (m->stopped && off == VTD_FSTS) {
		m->stopped = false;
		now += 2 * VTD_PATIENCE_US * (tsc_khz / 1000);
		run_queue(m);
	}
	return rig_get(m, off, size);
}

void rig_write(void *reg, u32 size, u64 val)
{
	u32 off;
	struct rig_unit *m = unit_of(reg, &off);

	if (off == VTD_GCMD)
		command(m, (u32)val);
	else if (off == VTD_FSTS)
		rig_set(m, off, 4, rig_get(m, off, 4) & ~(val & (VTD_FSTS_PFO | VTD_FSTS_QUEUE)));
	else if (off == VTD_FECTL)
		write_fectl(m, (u32)val);
	else if (off == VTD_PMEN)
		rig_set(m, off, 4, val & VTD_PMEN_EPM ? VTD_PMEN_EPM | VTD_PMEN_PRS : 0);
	else if (off >= RIG_FRO && off % 16 == 12 && size == 4 && val == VTD_FRCD_F >> 32)
		clear_record(m, off);
	else if ((off >= VTD_FEDATA && off <= VTD_FEUADDR) || off == VTD_RTADDR ||
		 (off >= VTD_PLMBASE && off <= VTD_PHMLIMIT) || off == VTD_IQT ||
		 off == VTD_IQA || off == VTD_IRTA)
		rig_set(m, off, size, val);
	else
		fail_msg("write of 0x%llx to register 0x%x", val, off);
	if (off == VTD_IQT)
		run_queue(m);
	if (m->confined && !confines(m))
		fail_msg("DMA is free after a write of 0x%llx to register 0x%x", val, off);
}

/* ---- tables ---- */

struct vtd_entry rig_see(const struct rig_unit *m, hpa_t pa)
{
	bool coherent = rig_get(m, VTD_ECAP, 8) & VTD_ECAP_C;
	u64 off = pa - (uintptr_t)memory;
	struct vtd_entry e;

	assert_true(off < sizeof(memory));
	memcpy(&e, (coherent ? (u8 *)memory : (u8 *)past_caches) + off, sizeof(e));
	return e;
}

static bool legacy(const struct rig_unit *m, u16 bdf, hpa_t *root, u16 *tag)
{
	struct vtd_entry r, c;

	r = rig_see(m, m->root + (bdf >> 8) * 16);
	assert_true((r.lo & 0xfff) == VTD_P && !r.hi);
	c = rig_see(m, (r.lo & PAGE_MASK) + (bdf & 0xff) * 16);
	if (!(c.lo & VTD_P))
		return false;
	assert_true((c.lo & 0xfff) == VTD_P && (c.hi & 0xff) == 2 && !(c.hi >> 24));
	*root = c.lo & PAGE_MASK;
	*tag = (u16)(c.hi >> 8);
	return true;
}

static void zero(const struct rig_unit *m, hpa_t from, hpa_t to)
{
	struct vtd_entry e;

	for (; from < to; from += 16) {
		e = rig_see(m, from);
		assert_true(!e.lo && !e.hi);
	}
}

/* 9.5, 9.6: PASID 0 alone, second stage, 4 levels; snooped as the unit can. */
static void pasid(const struct rig_unit *m, hpa_t dir, hpa_t *root, u16 *tag)
{
	u64 ecap = rig_get(m, VTD_ECAP, 8), table;
	struct vtd_entry e = rig_see(m, dir);

	zero(m, dir + 16, dir + 1024);
	assert_true((e.lo & 0xfff) == VTD_P && !e.hi);
	table = e.lo & PAGE_MASK;
	zero(m, table + 16, table + 4096);
	e = rig_see(m, table);
	assert_int_equal(e.lo & 0xfff, 1 | 2 << 2 | 2 << 6);
	assert_int_equal(e.hi >> 16, (iommu_caps.snoops ? BIT(8) : 0) |
				     (iommu_caps.noncoherent ? 0 : BIT(7)));
	assert_true((ecap & VTD_ECAP_SMPWC) || iommu_caps.noncoherent);
	assert_true((ecap & VTD_ECAP_SC) || !iommu_caps.snoops);
	*root = e.lo & PAGE_MASK;
	*tag = (u16)e.hi;
}

/* 9.2, 9.4 */
static bool by_pasid(const struct rig_unit *m, u16 bdf, hpa_t *root, u16 *tag)
{
	struct vtd_entry r = rig_see(m, (m->root & PAGE_MASK) + (bdf >> 8) * 16), c;
	u64 link = bdf & 0x80 ? r.hi : r.lo;
	hpa_t at = (link & PAGE_MASK) + (bdf & 0x7f) * 32;

	assert_true((link & 0xfff) == VTD_P);
	c = rig_see(m, at);
	assert_false(c.hi);
	zero(m, at + 16, at + 32);
	if (!(c.lo & VTD_P))
		return false;
	assert_int_equal(c.lo & 0xfff, VTD_P);
	pasid(m, c.lo & PAGE_MASK, root, tag);
	return true;
}

bool rig_translates(const struct rig_unit *m, u16 bdf, hpa_t *root, u16 *tag)
{
	assert_true(rig_get(m, VTD_GSTS, 4) & VTD_TE);
	assert_int_equal(m->root & 0xfff, vtd_scalable ? VTD_RTADDR_SCALABLE : 0);
	return vtd_scalable ? by_pasid(m, bdf, root, tag) : legacy(m, bdf, root, tag);
}

/* 2M and 1G leaves, 4 levels, 64K tags, 8 records, protected memory, drains. */
#define CAP	(6ull | BIT(5) | BIT(6) | BIT(10) | (u64)(RIG_FRO / 16) << 24 | BIT(34) | BIT(35) | \
		 7ull << 40 | BIT(54) | BIT(55))
/* Coherent, queue, interrupts, EIM, snoop control, handle masks up to 2^15. */
#define ECAP	(BIT(0) | BIT(1) | BIT(3) | BIT(4) | BIT(7) | 15ull << 20)

void rig_start(u32 units)
{
	u32 i;

	memset(rig, 0, sizeof(rig));
	memset(vtd_units, 0, sizeof(vtd_units));
	memset(&iommu_dmar, 0, sizeof(iommu_dmar));
	memset(&iommu_caps, 0, sizeof(iommu_caps));
	memset(&hv_options, 0, sizeof(hv_options));
	memset(past_caches, 0xa5, sizeof(past_caches));
	pages_used = 0;
	rig_pages_left = PAGES;
	rig_nr_told = rig_cpu = 0;
	rig_lost = 0;
	armed = NULL;
	iommu_dmar.intr_remap = rig_ioapics_known = true;
	iommu_dmar.nr_units = units;
	for (i = 0; i < units; i++) {
		iommu_dmar.unit[i].base = i * SZ_64K;
		iommu_dmar.unit[i].size = RIG_REGS;
		iommu_dmar.unit[i].rest = i == units - 1;
		rig_set(&rig[i], VTD_VER, 4, 0x10);
		rig_set(&rig[i], VTD_CAP, 8, CAP);
		rig_set(&rig[i], VTD_ECAP, 8, ECAP);
		rig_set(&rig[i], VTD_FECTL, 4, VTD_FECTL_IM);
	}
}
