// SPDX-License-Identifier: GPL-2.0-only
/*
 * The AMD-Vi unit that domain 0 sees: registers and command buffer (48882, ch. 2.4 and
 * 3.3.5). It has no event log (nothing is ever written there) and sends no interrupt of its
 * own; what domain 0 does wrong is in Bedplate's log.
 */
#include "virt_amdvi.h"

#include "hv/iommu/amdvi.h"
#include "hv/iommu/amdvi_regs.h"
#include "hv/iommu/ivrs.h"
#include "hv/iommu/unit.h"
#include "machine/acpi.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "memory/mmu.h"
#include "virt.h"

enum reg {
	DEV_TAB_BASE, CMD_BASE, EVT_BASE, CONTROL, EXCL_BASE, EXCL_LIMIT, FEATURES,
	CMD_HEAD, CMD_TAIL, EVT_HEAD, EVT_TAIL, STATUS, NR_REGS
};

#define ADDRESS			0x000ffffffffff000ull
#define DEV_TAB_SIZE(reg)	(((u32)(reg) & 0x1ff) + 1)	/* pages */
#define DEV_TAB_PER_PAGE	128u
#define BUF_LEN(reg)		((u32)((reg) >> 56) & 0xf)	/* 2^n entries */
#define BUF_LEN_MIN		8u
#define POINTER			0x7fff0ull

/* Of these only IommuEn, EventLogEn and CmdBufEn have an effect. */
#define CONTROL_KEPT		(AMDVI_IOMMU_EN | AMDVI_HT_TUN_EN | AMDVI_EVENT_LOG_EN | \
				 AMDVI_EVENT_INT_EN | AMDVI_COM_WAIT_INT_EN | INV_TIME_OUT | \
				 AMDVI_PASS_PW | AMDVI_RES_PASS_PW | AMDVI_COHERENT | \
				 AMDVI_ISOC | AMDVI_CMD_BUF_EN)
#define INV_TIME_OUT		(7ull << 5)

#define STATUS_COM_WAIT_INT	BIT(2)

/* Where registers are, and which bits of them take a write as it is. */
static const struct {
	u16 off;
	u64 kept;
} regs[NR_REGS] = {
	[DEV_TAB_BASE]	= { AMDVI_DEV_TABLE, ADDRESS | 0x1ff },
	[CMD_BASE]	= { AMDVI_CMD_BASE, ADDRESS | 0xfull << 56 },
	[EVT_BASE]	= { AMDVI_EVT_BASE, ADDRESS | 0xfull << 56 },
	[CONTROL]	= { AMDVI_CONTROL, CONTROL_KEPT },
	[EXCL_BASE]	= { AMDVI_EXCL_BASE, ADDRESS | 3 },
	[EXCL_LIMIT]	= { AMDVI_EXCL_LIMIT, ADDRESS },
	[FEATURES]	= { AMDVI_EFR, 0 },
	[CMD_HEAD]	= { AMDVI_CMD_HEAD, POINTER },
	[CMD_TAIL]	= { AMDVI_CMD_TAIL, POINTER },
	[EVT_HEAD]	= { AMDVI_EVT_HEAD, POINTER },
	[EVT_TAIL]	= { AMDVI_EVT_TAIL, POINTER },
	[STATUS]	= { AMDVI_STATUS, 0 },
};

/* Commands (ch. 2.4) beyond those that real units are told */
#define OPCODE			AMDVI_CMD(15)
#define INV_IOTLB_PAGES		AMDVI_CMD(4)
#define WAIT_INTERRUPT		BIT(1)
#define WAIT_ADDRESS		0x000ffffffffffff8ull

/*
 * So many commands are done at a time, or tables copied: of 512 entries each, which takes
 * some 10 us and a wait for the units.
 */
#define PIECES			8

/* Guarded by the unit's lock. */
static struct state {
	u64 reg[NR_REGS];
	bool stopped;		/* by an error, until CmdBufEn is set anew */
	u32 at;			/* how far the command at CMD_HEAD is */
	u64 doing;		/* that command; domain 0 may put another one there */
} states[IVRS_MAX_UNITS];

static u64 efr(void)
{
	return AMDVI_EFR_IA | (amdvi_irte_wide() ? AMDVI_EFR_GA : 0) |
	       (amdvi_irte_wide() && iommu_caps.x2apic ? AMDVI_EFR_XT : 0);
}

/* ---- commands ---- */

static bool running(const struct state *s)
{
	u64 on = AMDVI_IOMMU_EN | AMDVI_CMD_BUF_EN;

	return (s->reg[CONTROL] & on) == on && !s->stopped &&
	       BUF_LEN(s->reg[CMD_BASE]) >= BUF_LEN_MIN;
}

static void stop(const struct virt_unit *u, struct state *s, const char *what, u32 code)
{
	const struct iommu_fault f = {
		.dev = iommu_ivrs.unit[u->index].id,
		.addr = (s->reg[CMD_BASE] & ADDRESS) + s->reg[CMD_HEAD],
		.what = what, .code = code,
	};

	iommu_fault(&f);
	s->stopped = true;
}

static bool wait(struct state *s, const struct amdvi_entry *c)
{
	if ((c->lo & AMDVI_WAIT_STORE) &&
	    guest_write(&dom0, c->lo & WAIT_ADDRESS, &c->hi, sizeof(c->hi)))
		return false;
	if (c->lo & WAIT_INTERRUPT)
		s->reg[STATUS] |= STATUS_COM_WAIT_INT;
	return true;
}

/* A piece of the command at the head; true: it is done. */
static bool execute(const struct virt_unit *u, struct state *s, const struct amdvi_entry *c)
{
	const struct virt_amdvi a = {
		.unit = u->index,
		.dev_table = s->reg[DEV_TAB_BASE] & ADDRESS,
		.dev_entries = DEV_TAB_SIZE(s->reg[DEV_TAB_BASE]) * DEV_TAB_PER_PAGE,
		.wide = s->reg[CONTROL] & AMDVI_GA_EN,
		.x2apic = s->reg[CONTROL] & AMDVI_XT_EN,
	};

	if (c->lo != s->doing)
		s->at = 0;
	s->doing = c->lo;
	switch (c->lo & OPCODE) {
	case AMDVI_COMPLETION_WAIT:
		if (!wait(s, c))
			stop(u, s, "a command's store is not to domain 0's memory", 0);
		break;
	case AMDVI_INV_DEVTAB_ENTRY:
		virt_irt_device(&a, (u16)c->lo);
		break;
	case AMDVI_INV_IOMMU_PAGES:
	case INV_IOTLB_PAGES:
		break;		/* of translations, which are Bedplate's */
	case AMDVI_INV_INT_TABLE:
		return virt_irt_table(&a, (u16)c->lo, &s->at);
	case AMDVI_INV_IOMMU_ALL:
		return virt_irt_all(&a, &s->at);
	default:
		stop(u, s, "domain 0's command is unknown", (u32)(c->lo >> 60));
	}
	return true;
}

/* Some of the commands that wait; false: there are more. */
static bool run(const struct virt_unit *u, struct state *s)
{
	struct amdvi_entry c;
	u64 base, mask;
	u32 pieces;

	for (pieces = 0; running(s); pieces++) {
		base = s->reg[CMD_BASE];
		mask = (sizeof(c) << BUF_LEN(base)) - 1;
		if (!((s->reg[CMD_HEAD] ^ s->reg[CMD_TAIL]) & mask))
			break;
		if (pieces == PIECES)
			return false;
		s->reg[CMD_HEAD] &= mask;
		if (guest_read(&dom0, (base & ADDRESS) + s->reg[CMD_HEAD], &c, sizeof(c)))
			stop(u, s, "a command is not in domain 0's memory", 0);
		else if (execute(u, s, &c) && !s->stopped) {
			s->reg[CMD_HEAD] = (s->reg[CMD_HEAD] + sizeof(c)) & mask;
			s->at = 0;
		}
	}
	return true;
}

/* ---- registers ---- */

static enum reg find(u32 off)
{
	enum reg r;

	for (r = 0; r < NR_REGS; r++)
		if (regs[r].off == (off & ~7u))
			break;
	return r;
}

static u64 value(const struct state *s, enum reg r)
{
	switch (r) {
	case NR_REGS:
		return 0;
	case FEATURES:
		return efr();
	case STATUS:
		return s->reg[STATUS] | (running(s) ? AMDVI_CMD_BUF_RUN : 0) |
		       (s->reg[CONTROL] & AMDVI_EVENT_LOG_EN ? AMDVI_EVENT_LOG_RUN : 0);
	default:
		return s->reg[r];
	}
}

static u64 amdvi_read(struct virt_unit *u, u32 off, u32 size)
{
	u64 val = value(&states[u->index], find(off));

	return size == 8 ? val : (u32)(val >> 8 * (off & 4));
}

static u64 kept(enum reg r)
{
	u64 mask = regs[r].kept;

	if (r == CONTROL && (efr() & AMDVI_EFR_GA))
		mask |= AMDVI_GA_EN;
	if (r == CONTROL && (efr() & AMDVI_EFR_XT))
		mask |= AMDVI_XT_EN;
	return mask;
}

/* @val, with @mask where the write is narrower than the register. */
static void store(struct state *s, enum reg r, u64 val, u64 mask)
{
	u64 old = s->reg[r];

	if (r == STATUS) {
		s->reg[r] &= ~val;
		return;
	}
	s->reg[r] = ((old & ~mask) | val) & kept(r);
	if (r == CONTROL && (~old & s->reg[r] & AMDVI_CMD_BUF_EN))
		s->stopped = false;
	if (r == CMD_HEAD || r == CMD_BASE)
		s->at = 0;
}

static bool amdvi_write(struct virt_unit *u, u32 off, u32 size, u64 val)
{
	struct state *s = &states[u->index];
	enum reg r = find(off);
	u32 shift = size == 8 ? 0 : 8 * (off & 4);

	if (r == NR_REGS)
		return true;
	store(s, r, val << shift, size == 8 ? ~0ull : 0xffffffffull << shift);
	return (r != CONTROL && r != CMD_TAIL) || run(u, s);
}

static const struct virt_kind virt_amdvi_kind = { amdvi_read, amdvi_write };

/* ---- what domain 0 reads of the units ---- */

/* ROM, which the first MiB may have, cannot be changed. */
static void *ivrs(void)
{
	const struct acpi_table *t = acpi_find(&acpi_info, "IVRS");
	void *table = t && t->addr >= SZ_1M ? memremap(t->addr, t->len) : NULL;

	if (!table)
		log_warn("IVRS stays as firmware made it: it is not in memory that can be written");
	return table;
}

void virt_amdvi_init(struct virt_unit *u, u32 index)
{
	void *table = index ? NULL : ivrs();

	u->kind = &virt_amdvi_kind;
	if (table)
		ivrs_show_features(table, efr());
}

void virt_amdvi_hide(void)
{
	void *table = ivrs();

	if (table)
		ivrs_hide(table);
}
