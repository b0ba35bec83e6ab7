// SPDX-License-Identifier: GPL-2.0-only
/* The command buffer of an AMD IOMMU (48882, 2.4). */
#include "amdvi_unit.h"
#include "machine/paging.h"
#include "machine/panic.h"
#include "machine/tsc.h"

/* A unit answers within microseconds. */
#define PATIENCE_US	2000000

#define bytes(i)	((i) * (u32)sizeof(struct amdvi_entry))
#define next(i)		(((i) + 1) % AMDVI_RING_ENTRIES)

/* What the time is up to be asked once more for: a whole machine may have been stopped. */
#define await(condition) ({						\
	u64 start_ = tsc_uptime_us();					\
	while (!(condition) && tsc_uptime_us() - start_ < PATIENCE_US)	\
		__builtin_ia32_pause();					\
	(condition); })

bool amdvi_await_off(const struct amdvi_unit *u, u64 mask)
{
	return await(!(amdvi_read(u, AMDVI_STATUS) & mask));
}

void amdvi_cmd_reset(struct amdvi_unit *u)
{
	amdvi_write(u, AMDVI_CMD_BASE, virt_to_phys(u->ring) | AMDVI_RING_LEN);
	amdvi_write(u, AMDVI_CMD_HEAD, 0);
	amdvi_write(u, AMDVI_CMD_TAIL, 0);
	u->head = u->tail = 0;
	*u->done = u->mark = 0;
}

static bool full(struct amdvi_unit *u)
{
	if (next(u->tail) == u->head)
		u->head = (u32)amdvi_read(u, AMDVI_CMD_HEAD) / bytes(1) % AMDVI_RING_ENTRIES;
	return next(u->tail) == u->head;
}

static bool push(struct amdvi_unit *u, u64 lo, u64 hi)
{
	if (!await(!full(u)))
		return false;
	u->ring[u->tail] = (struct amdvi_entry){ lo, hi };
	u->tail = next(u->tail);
	smp_wmb();
	amdvi_write(u, AMDVI_CMD_TAIL, bytes(u->tail));
	return true;
}

/* A mark behind the commands so far. Marks are passed in their order. */
static bool push_mark(struct amdvi_unit *u)
{
	return push(u, AMDVI_COMPLETION_WAIT | AMDVI_WAIT_STORE | virt_to_phys(u->done), ++u->mark);
}

static bool passed(const struct amdvi_unit *u, u64 mark)
{
	return await((s64)(READ_ONCE(*u->done) - mark) >= 0);
}

/* For a unit without INVALIDATE_IOMMU_ALL: one by one, as firmware may have used any. */
static bool forget_each(struct amdvi_unit *u)
{
	bool ok = true;
	u32 i;

	for (i = 0; ok && i <= 0xffff; i++)
		ok = push(u, AMDVI_INV_DEVTAB_ENTRY | i, 0) &&
		     push(u, AMDVI_INV_INT_TABLE | i, 0) &&
		     push(u, AMDVI_INV_IOMMU_PAGES | AMDVI_PAGES_DOMAIN(i), AMDVI_PAGES_ALL);
	return ok;
}

bool amdvi_forget_all(struct amdvi_unit *u)
{
	bool ok = u->efr & AMDVI_EFR_IA ? push(u, AMDVI_INV_IOMMU_ALL, 0) : forget_each(u);

	return ok && push_mark(u) && passed(u, u->mark);
}

static void check(const struct amdvi_unit *u, bool answered)
{
	if (!answered)
		panic("AMD-Vi: unit %u does not execute commands: head 0x%llx, tail 0x%llx, "
		      "status 0x%llx", amdvi_index(u), amdvi_read(u, AMDVI_CMD_HEAD),
		      amdvi_read(u, AMDVI_CMD_TAIL), amdvi_read(u, AMDVI_STATUS));
}

void amdvi_tell(u64 lo, u64 hi)
{
	struct amdvi_unit *u;

	for_each_amdvi(u) {
		spin_lock(&u->lock);
		check(u, push(u, lo, hi));
		spin_unlock(&u->lock);
	}
}

void amdvi_settle(void)
{
	u32 i, nr = iommu_ivrs.nr_units;
	u64 mark[IVRS_MAX_UNITS];
	struct amdvi_unit *u;

	for (i = 0; i < nr; i++) {
		u = &amdvi_units[i];
		spin_lock(&u->lock);
		check(u, push_mark(u));
		mark[i] = u->mark;
		amdvi_log_unmute(u);
		spin_unlock(&u->lock);
	}
	for (i = 0; i < nr; i++)
		check(&amdvi_units[i], passed(&amdvi_units[i], mark[i]));
}
