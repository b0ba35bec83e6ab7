// SPDX-License-Identifier: GPL-2.0-only
/* AMD IOMMUs in software; see amdvi_rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "amdvi_rig.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/machine/tsc.h"
#include "hv/iommu/amdvi_unit.h"
#include "hv/iommu/dmar.h"
#include "hv/iommu/tables.h"

struct rig_unit rig_unit[RIG_UNITS];
u64 rig_now;
u32 rig_pages, rig_pages_limit;
u32 rig_faults, rig_lost;
struct iommu_fault rig_fault;

struct acpi_info acpi_info;
struct ivrs iommu_ivrs;
struct dmar iommu_dmar;
struct iommu_caps iommu_caps;
const struct npt_format npt_format_amdvi = { .name = "AMD-Vi" };

static struct {
	struct amdvi_entry *to, what;
	bool set;
} late;
static u32 config_address;
static void *pages[1024];	/* what rig_pages counts, by its first page */

/* ---- the rest of the machine ---- */

void *pages_alloc(u32 n)
{
	void **p;

	if (rig_pages + n > rig_pages_limit)
		return NULL;
	rig_pages += n;
	for (p = pages; *p; p++)
		;
	*p = aligned_alloc(PAGE_SIZE, n * PAGE_SIZE);
	memset(*p, 0, n * PAGE_SIZE);
	return *p;
}

void pages_free(void *p, u32 n)
{
	u32 i;

	for (i = 0; pages[i] != p; i++)
		assert_true(i < ARRAY_SIZE(pages) - 1);
	rig_pages -= n;
	free(p);
	pages[i] = NULL;
}

void *page_alloc(void)
{
	return pages_alloc(1);
}

u32 lapic_id(void)
{
	return 3;
}

void iommu_fault(const struct iommu_fault *f)
{
	rig_faults++;
	rig_fault = *f;
}

void iommu_faults_lost(u64 n)
{
	rig_lost += (u32)n;
}

/* ---- a unit ---- */

u64 *rig_reg(u32 unit, u32 off)
{
	return (u64 *)(void *)(rig_unit[unit].regs + off);
}

static u32 unit_of(const void *reg)
{
	u64 off = (u64)((const u8 *)reg - (const u8 *)rig_unit);

	return (u32)(off / sizeof(struct rig_unit));
}

static void execute_one(u32 i, const struct amdvi_entry *c)
{
	struct rig_unit *u = &rig_unit[i];
	u32 code = (u32)(c->lo >> 60);

	u->commands++;
	u->kinds[code]++;
	switch (c->lo & 0xf000000000000000ull) {
	case AMDVI_COMPLETION_WAIT:
		assert_int_equal(c->lo & 7, AMDVI_WAIT_STORE);
		*(u64 *)phys_to_virt(c->lo & 0xffffffffffff8ull) = c->hi;
		break;
	case AMDVI_INV_DEVTAB_ENTRY:
		assert_int_equal(c->lo & 0x0fffffffffff0000ull, 0);
		u->devtab[c->lo & 0xffff]++;
		break;
	case AMDVI_INV_IOMMU_PAGES:
		assert_int_equal(c->lo & 0x0fff0000ffffffffull, 0);
		assert_int_equal(c->hi, AMDVI_PAGES_ALL);
		u->pages[c->lo >> 32 & 0xffff]++;
		break;
	case AMDVI_INV_INT_TABLE:
		assert_int_equal(c->lo & 0x0fffffffffff0000ull, 0);
		u->int_table[c->lo & 0xffff]++;
		break;
	case AMDVI_INV_IOMMU_ALL:
		assert_int_equal(c->lo & 0x0fffffffffffffffull, 0);
		u->forgot_all = true;
		break;
	default:
		fail_msg("command %llx", c->lo);
	}
}

static void execute(u32 i)
{
	struct amdvi_entry *ring = phys_to_virt(*rig_reg(i, AMDVI_CMD_BASE) & 0xffffffffff000ull);
	u64 *head = rig_reg(i, AMDVI_CMD_HEAD), *tail = rig_reg(i, AMDVI_CMD_TAIL);

	if (rig_unit[i].dead || !(*rig_reg(i, AMDVI_STATUS) & AMDVI_CMD_BUF_RUN))
		return;
	while (*head != *tail) {
		execute_one(i, &ring[*head / 16]);
		*head = (*head + 16) % PAGE_SIZE;
	}
}

u64 tsc_uptime_us(void)
{
	u32 i;

	rig_now++;
	for (i = 0; i < RIG_UNITS; i++)
		execute(i);
	if (late.set && rig_now % 16 == 0) {
		*late.to = late.what;
		late.set = false;
	}
	return rig_now;
}

static void message(u32 i)
{
	if (*rig_reg(i, AMDVI_CONTROL) & AMDVI_EVENT_INT_EN)
		rig_unit[i].interrupts++;
}

void rig_event(u32 i, u64 lo, u64 hi, bool is_late)
{
	struct amdvi_entry *log = phys_to_virt(*rig_reg(i, AMDVI_EVT_BASE) & 0xffffffffff000ull);
	u64 *status = rig_reg(i, AMDVI_STATUS), *tail = rig_reg(i, AMDVI_EVT_TAIL);
	u64 next = (*tail + 16) % PAGE_SIZE;

	if (!(*status & AMDVI_EVENT_LOG_RUN)) {
		rig_unit[i].lost++;
		return;
	}
	if (next == *rig_reg(i, AMDVI_EVT_HEAD)) {
		rig_unit[i].lost++;
		*status |= AMDVI_EVENT_OVERFLOW;
		*status &= ~AMDVI_EVENT_LOG_RUN;
		message(i);
		return;
	}
	if (is_late) {
		late.to = &log[*tail / 16];
		late.what = (struct amdvi_entry){ lo, hi };
		late.set = true;
	} else {
		log[*tail / 16] = (struct amdvi_entry){ lo, hi };
	}
	*tail = next;
	if (!(*status & AMDVI_EVENT_LOG_INT))
		message(i);
	*status |= AMDVI_EVENT_LOG_INT;
}

static void write_control(u32 i, u64 val)
{
	struct rig_unit *u = &rig_unit[i];
	u64 *status = rig_reg(i, AMDVI_STATUS), run = 0;

	if (u->was_on && !(val & AMDVI_IOMMU_EN))
		fail_msg("unit %u is turned off", i);
	u->was_on |= val & AMDVI_IOMMU_EN;
	*rig_reg(i, AMDVI_CONTROL) = val;
	if ((val & AMDVI_IOMMU_EN) && (val & AMDVI_CMD_BUF_EN))
		run |= AMDVI_CMD_BUF_RUN;
	if ((val & AMDVI_IOMMU_EN) && (val & AMDVI_EVENT_LOG_EN) &&
	    !(*status & AMDVI_EVENT_OVERFLOW))
		run |= AMDVI_EVENT_LOG_RUN;
	if (u->stuck)
		run |= AMDVI_EVENT_LOG_RUN;
	*status = (*status & ~(u64)(AMDVI_CMD_BUF_RUN | AMDVI_EVENT_LOG_RUN)) | run;
}

static void check_table(u64 base)
{
	const struct amdvi_dte *t = phys_to_virt(base & 0xffffffffff000ull);
	u32 i;

	assert_int_equal(base & 0xfff, 511);
	for (i = 0; i < 65536; i++)
		if (!(t[i].q[0] & AMDVI_DTE_V) || !(t[i].q[0] & AMDVI_DTE_TV) ||
		    (t[i].q[0] & 0x80000000000001fcull) || t[i].q[3])
			fail_msg("device %x", i);
}

u64 mmio_read64(const void *reg)
{
	return *(const u64 *)reg;
}

void mmio_write64(void *reg, u64 val)
{
	u32 i = unit_of(reg);
	u32 off = (u32)((u8 *)reg - rig_unit[i].regs);
	u64 *status = rig_reg(i, AMDVI_STATUS), *r = reg;

	switch (off) {
	case AMDVI_CONTROL:
		write_control(i, val);
		return;
	case AMDVI_STATUS:
		*r &= ~(val & AMDVI_STATUS_CLEAR);
		if ((val & AMDVI_EVENT_LOG_INT) && rig_unit[i].storm) {
			rig_unit[i].storm--;
			*r |= AMDVI_EVENT_LOG_INT;
		}
		return;
	case AMDVI_DEV_TABLE:
		if (rig_unit[i].locked)
			return;
		check_table(val);
		rig_unit[i].forgot_all = false;
		break;
	case AMDVI_CMD_BASE:
	case AMDVI_CMD_HEAD:
		assert_false(*status & AMDVI_CMD_BUF_RUN);
		break;
	case AMDVI_EVT_BASE:
	case AMDVI_EVT_TAIL:
		assert_false(*status & AMDVI_EVENT_LOG_RUN);
		break;
	case AMDVI_EFR:
		fail_msg("EFR is written");
	}
	*r = val;
	if (off == AMDVI_CMD_TAIL && !rig_unit[i].lazy)
		execute(i);
}

void *ioremap(hpa_t pa, u64 len)
{
	assert_int_equal(len, 0x4000);
	return phys_to_virt(pa);
}

/* ---- configuration space ---- */

static u32 *config_reg(void)
{
	u32 i, bdf = config_address >> 8 & 0xffff;

	assert_true(config_address & 0x80000000u);
	for (i = 0; i < RIG_UNITS; i++)
		if (bdf == RIG_UNIT_ID(i))
			return &rig_unit[i].config[(config_address & 0xfc) / 4];
	fail_msg("configuration space of %x", bdf);
	return NULL;
}

void outl(u16 port, u32 val)
{
	if (port == 0xcf8)
		config_address = val;
	else
		*config_reg() = val;
}

u32 inl(u16 port)
{
	assert_int_equal(port, 0xcfc);
	return *config_reg();
}

static void init_config(u32 *config)
{
	config[1] = 1u << 20;
	config[0x34 / 4] = 0x40;
	config[0x40 / 4] = 0x0b << 24 | RIG_MSI_CAP << 8 | 0x0f;
	config[RIG_MSI_CAP / 4] = 1u << 24 | 1u << 23 | 5u << 17 | 7u << 20 | 0x05;
	config[RIG_MSI_CAP / 4 + 4] = 1;	/* masked */
}

void rig_init(u64 efr)
{
	u32 i;

	iommu_kind = IOMMU_AMD;
	memset(rig_unit, 0, sizeof(rig_unit));
	memset(&iommu_ivrs, 0, sizeof(iommu_ivrs));
	memset(amdvi_units, 0, sizeof(amdvi_units));
	memset(&late, 0, sizeof(late));
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		free(pages[i]);
		pages[i] = NULL;
	}
	rig_faults = rig_lost = rig_pages = 0;
	rig_pages_limit = 1024;
	iommu_ivrs.nr_units = RIG_UNITS;
	for (i = 0; i < RIG_UNITS; i++) {
		*rig_reg(i, AMDVI_EFR) = efr;
		init_config(rig_unit[i].config);
		iommu_ivrs.unit[i] = (struct ivrs_unit){
			.id = { RIG_SEGMENT, (u16)RIG_UNIT_ID(i) },
			.cap = 0x40,
			.regs = virt_to_phys(rig_unit[i].regs),
		};
	}
}
