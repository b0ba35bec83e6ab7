// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/lib/errno.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/mmu.h"
#include "hv/iommu/dmar.h"
#include "hv/iommu/ivrs.h"
#include "hv/iommu/tables.h"
#include "hv/iommu/unit.h"
#include "hv/iommu/virt/virt.h"
#include "hv/iommu/vtd.h"
#include "virt_vtd_rig.h"

struct iommu_caps iommu_caps;
struct dmar iommu_dmar;
struct ivrs iommu_ivrs;
enum iommu_kind iommu_kind = IOMMU_INTEL;
struct acpi_info acpi_info;
struct domain dom0;

struct rig_entry rig_real[65536];
u32 rig_sets, rig_flushes, rig_refused, rig_flush_first, rig_flush_order;
bool rig_x2apic_mode;
u64 rig_rand;

static u8 mem[RIG_MEM_SIZE];
static u8 pages[2][PAGE_SIZE] __aligned(8);
static u32 nr_pages, mhmv, tail;

/* ---- what the virtual unit calls ---- */

bool iommu_regs(u32 i, hpa_t *base, u64 *len)
{
	*base = RIG_REGS - RIG_UNIT * PAGE_SIZE + i * PAGE_SIZE;
	*len = PAGE_SIZE;
	return i < iommu_dmar.nr_units;
}

void virt_amdvi_init(struct virt_unit *u __unused, u32 index __unused)
{
	fail();
}

void virt_amdvi_hide(void)
{
	fail();
}

void *page_alloc(void)
{
	assert_true(nr_pages < ARRAY_SIZE(pages));
	return memset(pages[nr_pages++], 0, PAGE_SIZE);
}

static u8 *reach(gpa_t gpa)
{
	if (gpa - RIG_MEM >= RIG_MEM_SIZE || gpa - RIG_HOLE < PAGE_SIZE)
		return NULL;
	return mem + (gpa - RIG_MEM);
}

/* Byte by byte, so that what comes before a hole is copied; another CPU may write meanwhile. */
int guest_read(struct domain *d, gpa_t gpa, void *buf, u32 len)
{
	u8 *to = buf;

	assert_ptr_equal(d, &dom0);
	for (; len--; gpa++) {
		if (!reach(gpa))
			return -EFAULT;
		*to++ = __atomic_load_n(reach(gpa), __ATOMIC_RELAXED);
	}
	return 0;
}

int guest_write(struct domain *d, gpa_t gpa, const void *buf, u32 len)
{
	const u8 *from = buf;

	assert_ptr_equal(d, &dom0);
	for (; len--; gpa++) {
		if (!reach(gpa))
			return -EFAULT;
		__atomic_store_n(reach(gpa), *from++, __ATOMIC_RELAXED);
	}
	return 0;
}

u64 vtd_ecap(u32 unit)
{
	assert_true(unit < iommu_dmar.nr_units);
	return ~(15ull << 20) | (u64)mhmv << 20;
}

/* An entry that the real unit may have, whatever the code under test thinks (9.10). */
static bool rig_sane(u64 lo, u64 hi)
{
	u32 vector = lo >> 16 & 0xff;

	if (!(lo & 1))
		return !lo && !hi;
	if ((lo & 0xff00f000) || (lo >> 5 & 7) > 1 || vector < 0x20 || vector > 0xef)
		return false;
	if (!iommu_caps.x2apic && (lo & 0xffff00ff00000000ull))
		return false;
	return !(hi >> 20) && (hi >> 18 & 3) != 3;
}

void vtd_irte_set(u32 unit, u32 index, u64 lo, u64 hi)
{
	assert_int_equal(unit, RIG_UNIT);
	assert_true(index < VTD_IRTES);
	if (!rig_sane(lo, hi))
		abort();
	rig_real[index] = (struct rig_entry){ lo, hi };
	rig_sets++;
}

void vtd_irte_flush(u32 unit, u32 index, u32 order)
{
	assert_int_equal(unit, RIG_UNIT);
	assert_true(order <= 16 && index + (1u << order) <= VTD_IRTES);
	rig_flush_first = index;
	rig_flush_order = order;
	rig_flushes++;
}

void vtd_irt_mode(u32 unit, bool x2apic)
{
	assert_int_equal(unit, RIG_UNIT);
	assert_true(iommu_caps.x2apic);
	rig_x2apic_mode = x2apic;
}

void iommu_fault(const struct iommu_fault *f)
{
	assert_true(f->interrupt);
	assert_true(f->addr < VTD_IRTES);
	assert_int_equal(f->dev.segment, 3);
	rig_refused++;
}

/* ---- what tests call ---- */

void rig_start(bool x2apic, u32 handles)
{
	memset(mem, 0, sizeof(mem));
	memset(rig_real, 0, sizeof(rig_real));
	rig_sets = rig_flushes = rig_refused = nr_pages = tail = 0;
	rig_x2apic_mode = false;
	mhmv = handles;
	rig_rand = 0x123456789abcdefull;
	iommu_caps = (struct iommu_caps){ .name = "VT-d", .remaps = true, .x2apic = x2apic };
	iommu_dmar.nr_units = 2;
	iommu_dmar.unit[RIG_UNIT].segment = 3;
	virt_iommu_init();
}

void *rig_mem(gpa_t gpa)
{
	return mem + (gpa - RIG_MEM);
}

struct rig_entry *rig_virt(u32 index)
{
	return (struct rig_entry *)rig_mem(RIG_TABLE) + index;
}

static u64 load(u32 off, u32 size)
{
	u64 val;

	while (!virt_iommu_access(RIG_REGS + off, size, false, &val))
		;
	return val;
}

u32 rig_read(u32 off)
{
	return (u32)load(off, 4);
}

u64 rig_read8(u32 off)
{
	return load(off, 8);
}

bool rig_try(u32 off, u32 size, u64 val)
{
	return virt_iommu_access(RIG_REGS + off, size, true, &val);
}

static u32 repeat(u32 off, u32 size, u64 val)
{
	u32 n = 1;

	while (!rig_try(off, size, val))
		assert_true(n++ < 1000000);
	return n;
}

u32 rig_write(u32 off, u64 val)
{
	return repeat(off, 4, val);
}

u32 rig_write8(u32 off, u64 val)
{
	return repeat(off, 8, val);
}

void rig_enable(u32 qs, u32 s, bool eim)
{
	tail = 0;
	rig_write(GCMD, 0);
	rig_write(IQT, 0);
	rig_write8(IQA, RIG_QUEUE | qs);
	rig_write(GCMD, QIE);
	rig_write8(IRTA, RIG_TABLE | (eim ? 0x800 : 0) | s);
	rig_write(GCMD, QIE | SIRTP);
	rig_write(GCMD, QIE | IRE);
	assert_int_equal(rig_read(GSTS), QIE | IRE | SIRTP);
}

void rig_put(u64 lo, u64 hi)
{
	u32 size = 4096u << (rig_read(IQA) & 7);

	*(struct rig_entry *)rig_mem(RIG_QUEUE + tail) = (struct rig_entry){ lo, hi };
	tail = (tail + 16) & (size - 1);
}

u32 rig_tell(void)
{
	return rig_write(IQT, tail);
}

bool rig_submit(u64 lo, u64 hi)
{
	static u32 number;
	u32 *status = rig_mem(RIG_STATUS);

	rig_put(lo, hi);
	rig_put(WAIT_SW | (u64)++number << 32, RIG_STATUS);
	rig_tell();
	return *status == number;
}

u32 rig_random(u32 below)
{
	rig_rand ^= rig_rand << 13;
	rig_rand ^= rig_rand >> 7;
	rig_rand ^= rig_rand << 17;
	return (u32)((rig_rand >> 16) % below);
}
