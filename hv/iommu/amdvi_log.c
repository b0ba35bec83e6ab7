// SPDX-License-Identifier: GPL-2.0-only
/* The event log of an AMD IOMMU (48882, 2.5). */
#include "amdvi_unit.h"
#include "lib/string.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "machine/tsc.h"

/*
 * A device can make a unit interrupt all the time. After so many events in a period, or so
 * many rounds at once, the unit is muted for the rest of it.
 */
#define PERIOD_US	1000000
#define EVENTS		4096
#define ROUNDS		16

/* Some units tell of an entry before it is in memory (family 15h, erratum 732). */
#define LATE_US		100

static const char *const what[16] = {
	[AMDVI_ILLEGAL_DEV_TABLE_ENTRY] = "illegal device table entry",
	[AMDVI_IO_PAGE_FAULT] = "not mapped, or not so",
	[AMDVI_DEV_TAB_HARDWARE_ERROR] = "device table cannot be read",
	[AMDVI_PAGE_TAB_HARDWARE_ERROR] = "page table cannot be read",
	[AMDVI_IOTLB_INV_TIMEOUT] = "its TLB does not answer",
	[AMDVI_INVALID_DEVICE_REQUEST] = "request that no device may make",
	[AMDVI_INVALID_PPR_REQUEST] = "page request that is not offered",
	[AMDVI_GUEST_EVENT_FAULT] = "fault in a guest's tables",
	[AMDVI_RMP_PAGE_FAULT] = "forbidden by the RMP",
	[AMDVI_RMP_HARDWARE_ERROR] = "RMP cannot be read",
};

void amdvi_log_reset(struct amdvi_unit *u)
{
	memset(u->log, 0, PAGE_SIZE);
	amdvi_write(u, AMDVI_EVT_BASE, virt_to_phys(u->log) | AMDVI_RING_LEN);
	amdvi_write(u, AMDVI_EVT_HEAD, 0);
	amdvi_write(u, AMDVI_EVT_TAIL, 0);
	u->log_head = 0;
}

/* Interrupts do not say their index in a form that all units share. */
static void tell_of_device(const struct amdvi_unit *u, u64 lo, u64 addr)
{
	u32 code = AMDVI_EVT_CODE(lo), type = AMDVI_EVT_TYPE(lo);
	bool flags = code <= AMDVI_PAGE_TAB_HARDWARE_ERROR;
	struct iommu_fault f = {
		.dev = { amdvi_desc(u)->id.segment, AMDVI_EVT_DEV(lo) },
		.write = flags && (lo & AMDVI_EVT_RW),
		.interrupt = flags ? lo & AMDVI_EVT_I :
			     code == AMDVI_INVALID_DEVICE_REQUEST &&
			     (type == AMDVI_REQ_INT_CTL || type == AMDVI_REQ_INT_KIND),
		.what = what[code] ? what[code] : "unknown event",
		.code = code,
	};

	f.addr = f.interrupt ? 0 : addr;
	iommu_fault(&f);
}

static void tell(const struct amdvi_unit *u, u64 lo, u64 addr)
{
	switch (AMDVI_EVT_CODE(lo)) {
	case AMDVI_ILLEGAL_COMMAND_ERROR:
	case AMDVI_COMMAND_HARDWARE_ERROR:
		log_err("AMD-Vi: unit %u: command at 0x%llx: %s", amdvi_index(u), addr,
			AMDVI_EVT_CODE(lo) == AMDVI_ILLEGAL_COMMAND_ERROR ? "illegal" :
			"cannot be read");
		break;
	case AMDVI_EVENT_COUNTER_ZERO:
		break;			/* domain 0 counts events */
	default:
		tell_of_device(u, lo, addr);
	}
}

/* The entry at the head, once it is there, is told and made empty; false: it never came. */
static bool take(struct amdvi_unit *u)
{
	struct amdvi_entry *e = &u->log[u->log_head];
	u64 start = tsc_uptime_us(), lo;

	do {
		lo = READ_ONCE(e->lo);
	} while (!AMDVI_EVT_CODE(lo) && tsc_uptime_us() - start < LATE_US);
	u->log_head = (u->log_head + 1) % AMDVI_RING_ENTRIES;
	if (!AMDVI_EVT_CODE(lo))
		return false;
	smp_rmb();
	tell(u, lo, READ_ONCE(e->hi));
	WRITE_ONCE(e->lo, 0);
	return true;
}

/* All up to where the tail is now. */
static void take_all(struct amdvi_unit *u)
{
	u32 tail = (u32)amdvi_read(u, AMDVI_EVT_TAIL) / (u32)sizeof(struct amdvi_entry);

	tail %= AMDVI_RING_ENTRIES;
	for (; u->log_head != tail; u->told++)
		if (!take(u))
			iommu_faults_lost(1);
	amdvi_write(u, AMDVI_EVT_HEAD, u->log_head * sizeof(struct amdvi_entry));
}

static void control(const struct amdvi_unit *u, u64 clear, u64 bits)
{
	amdvi_write(u, AMDVI_CONTROL, (amdvi_read(u, AMDVI_CONTROL) & ~clear) | bits);
}

/* The log was full, and is off since then (2.5.2). */
static void restart(struct amdvi_unit *u)
{
	iommu_faults_lost(1);
	control(u, AMDVI_EVENT_LOG_EN, 0);
	if (!amdvi_await_off(u, AMDVI_EVENT_LOG_RUN)) {
		log_err("AMD-Vi: unit %u: the event log does not stop, and stays off",
			amdvi_index(u));
		return;
	}
	take_all(u);
	amdvi_log_reset(u);
	amdvi_write(u, AMDVI_STATUS, AMDVI_EVENT_OVERFLOW);
	control(u, 0, AMDVI_EVENT_LOG_EN);
}

static bool pending(const struct amdvi_unit *u)
{
	return amdvi_read(u, AMDVI_STATUS) & (AMDVI_EVENT_LOG_INT | AMDVI_EVENT_OVERFLOW);
}

/*
 * The bit that says that there is something is cleared first, so that what comes later
 * interrupts again. It may be set at that very moment, and then nothing ever would
 * (erratum 1312): so look until it is clear.
 */
static void read_once(struct amdvi_unit *u)
{
	bool overflow = amdvi_read(u, AMDVI_STATUS) & AMDVI_EVENT_OVERFLOW;

	amdvi_write(u, AMDVI_STATUS, AMDVI_EVENT_LOG_INT);
	take_all(u);
	if (overflow)
		restart(u);
}

void amdvi_log_read(struct amdvi_unit *u)
{
	u64 now = tsc_uptime_us();
	u32 round;

	if (now - u->period >= PERIOD_US) {
		u->period = now;
		u->told = 0;
	}
	for (round = 0; pending(u) && round < ROUNDS && u->told < EVENTS; round++)
		read_once(u);
	if (u->muted || !pending(u))
		return;
	u->muted = true;
	control(u, AMDVI_EVENT_INT_EN, 0);
	log_warn("AMD-Vi: unit %u: too many events, some are not looked at", amdvi_index(u));
}

void amdvi_log_unmute(struct amdvi_unit *u)
{
	if (!u->muted || tsc_uptime_us() - u->period < PERIOD_US)
		return;
	u->muted = false;
	control(u, 0, AMDVI_EVENT_INT_EN);
	amdvi_log_read(u);
}
