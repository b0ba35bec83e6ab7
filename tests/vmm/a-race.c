// SPDX-License-Identifier: GPL-2.0-only
/*
 * One CPU of the service VM rewrites a remapping entry while Bedplate reads it for another,
 * and the device uses it. The virtual unit's registers are the kernel's, which does not need
 * them meanwhile: they are borrowed, and what it had there comes back. Wants iomem=relaxed.
 */
#include "attack.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define ROUNDS		600
#define TABLES		"/sys/firmware/acpi/tables/"
#define REGS_AT		56	/* of the first unit, in DMAR and IVRS alike */
#define REGS_LEN	0x4000
#define VECTOR		0xecull	/* the kernel's timer: one more does no harm */

/* Entries as they are in memory: the first is allowed, the others are not. */
#define KINDS		5
static uint64_t entries[KINDS][2];
static volatile uint64_t *entry;	/* the one that changes */

static volatile uint8_t *regs;
static volatile uint64_t *queue;
static uint64_t queue_addr;

struct unit {
	void (*take)(void);
	void (*invalidate)(void);
	void (*give_back)(void);
};

static void *map_unit(const char *name, long len)
{
	int fd = open(name, O_RDONLY), mem = open("/dev/mem", O_RDWR | O_SYNC);
	uint64_t at;
	void *p;

	CHECK(fd >= 0 && mem >= 0);
	CHECK_EQ(pread(fd, &at, sizeof(at), REGS_AT), sizeof(at));
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, mem, at);
	CHECK(p != MAP_FAILED);
	close(fd);
	close(mem);
	return p;
}

static uint64_t read64(int at) { return *(volatile uint64_t *)(regs + at); }
static void write64(int at, uint64_t val) { *(volatile uint64_t *)(regs + at) = val; }
static void write32(int at, uint32_t val) { *(volatile uint32_t *)(regs + at) = val; }

/* ---- VT-d (its specification, ch. 6.5, 9.10 and 11.4) ---- */

#define GCMD		0x18
#define IQT		0x88
#define IQA		0x90
#define IRTA		0xb8
#define QIE		0x04000000u
#define IRE		0x02000000u
#define SIRTP		0x01000000u
#define INDEX		0x7700ull	/* FORGED_ADDR and FORGED_DATA name it */

static uint64_t irta, iqa, iqt;
static uint32_t tail;

static void vtd_invalidate(void)
{
	volatile uint64_t *d = queue + tail / 8;

	d[0] = 4 | 1 << 4 | INDEX << 32;
	d[1] = 0;
	tail = (tail + 16) % EDU_PAGE;
	write32(IQT, tail);
	CHECK_EQ(read64(0x80), tail);		/* IQH: it is done */
}

static void vtd_queue(uint64_t base, uint64_t to)
{
	write32(GCMD, IRE);
	write64(IQT, to);
	write64(IQA, base);
	write32(GCMD, IRE | QIE);
}

static void vtd_table(uint64_t val)
{
	write64(IRTA, val);
	write32(GCMD, IRE | QIE | SIRTP);
}

static void vtd_take(void)
{
	const uint64_t allowed = 1 | VECTOR << 16;
	uint64_t table;

	regs = map_unit(TABLES "DMAR", EDU_PAGE);
	irta = read64(IRTA);
	iqa = read64(IQA);
	iqt = read64(IQT);
	entry = own_page(&table);
	memcpy(entries, (uint64_t[KINDS][2]){
		{ allowed }, { allowed | 4 << 5 /* NMI */ }, { 1 | 0x12 << 16 },
		{ allowed | 1 << 15 /* posted */ }, { allowed, 1ull << 63 } }, sizeof(entries));
	vtd_queue(queue_addr, 0);
	vtd_table((table - INDEX * 16) | 15);
	edu_message(FORGED_ADDR, FORGED_DATA);
}

/* The kernel's descriptors from the queue's beginning on are done again, as QIE begins there. */
static void vtd_give_back(void)
{
	vtd_table(irta);
	vtd_invalidate();
	vtd_queue(iqa, iqt);
}

/* ---- AMD-Vi (48882, ch. 2.2.2, 2.2.8, 2.4 and 3.3) ---- */

#define DEV_TABLE	0x00
#define CMD_BASE	0x08
#define CONTROL		0x18
#define CMD_HEAD	0x2000
#define CMD_TAIL	0x2008
#define CMD_BUF_EN	(1ull << 12)
#define GA_EN		(1ull << 17)
#define SLOT		0x40		/* the message's index */

static uint64_t dev_table, cmd_base, head, old_tail, control;
static uint16_t bdf;

static void amdvi_command(uint64_t lo)
{
	queue[tail / 8] = lo;
	queue[tail / 8 + 1] = 0;
	tail = (tail + 16) % EDU_PAGE;
	write64(CMD_TAIL, tail);
	CHECK_EQ(read64(CMD_HEAD), tail);
}

static void amdvi_invalidate(void) { amdvi_command(5ull << 60 | bdf); }

static void amdvi_queue(uint64_t base, uint64_t from, uint64_t to)
{
	write64(CONTROL, control & ~CMD_BUF_EN);
	write64(CMD_BASE, base);
	write64(CMD_HEAD, from);
	write64(CMD_TAIL, to);
	write64(CONTROL, control);
}

static void amdvi_device(uint64_t table)
{
	write64(DEV_TABLE, table);
	amdvi_command(2ull << 60 | bdf);
}

static void amdvi_entries(bool wide)
{
	static const uint64_t type[KINDS] = { 0, 3 /* NMI */, 2 /* SMI */, 0, 7 /* ExtINT */ };

	for (int i = 0; i < KINDS; i++) {
		entries[i][0] = 1 | type[i] << 2;
		entries[i][1] = VECTOR;
	}
	entries[3][1] = 0x12;
	for (int i = 0; i < KINDS && !wide; i++)
		entries[i][0] |= entries[i][1] << 16;
}

static void amdvi_take(void)
{
	uint64_t table, devices, *dte;
	uint8_t *page, *irt;

	regs = map_unit(TABLES "IVRS", REGS_LEN);
	control = read64(CONTROL);
	dev_table = read64(DEV_TABLE);
	cmd_base = read64(CMD_BASE);
	head = read64(CMD_HEAD);
	old_tail = read64(CMD_TAIL);
	irt = own_page(&table);
	page = own_page(&devices);
	dte = (uint64_t *)(page + bdf * 32 % EDU_PAGE);
	dte[2] = table | 2ull << 60 | 8 << 1 | 1;	/* remapped, by 2^8 entries */
	amdvi_entries(control & GA_EN);
	entry = (uint64_t *)(irt + SLOT * (control & GA_EN ? 16 : 4));
	amdvi_queue(queue_addr | 8ull << 56, 0, 0);
	amdvi_device((devices - bdf * 32 / EDU_PAGE * EDU_PAGE) | 0x1ff);
	edu_message(MESSAGE(0), SLOT);
}

static void amdvi_give_back(void)
{
	amdvi_device(dev_table);
	amdvi_queue(cmd_base, head, old_tail);
}

static const struct unit vtd = { vtd_take, vtd_invalidate, vtd_give_back };
static const struct unit amdvi = { amdvi_take, amdvi_invalidate, amdvi_give_back };

/* ---- the attack ---- */

static void set(int kind)
{
	entry[0] = entries[kind][0];
	entry[1] = entries[kind][1];
}

static pid_t rewrite(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid)
		return pid;
	pin(0);
	for (int i = 0;; i = (i + 1) % KINDS)
		set(i);
}

/* What a unit has recorded, Bedplate looks at some milliseconds later. */
static void settle(void)
{
	int64_t before;

	do {
		before = attack_faults();
		sleep_ms(100);
	} while (attack_faults() != before);
}

/* Faults by a message of the entry that is real now. */
static int64_t blocked(void)
{
	int64_t before;

	settle();
	before = attack_faults();
	edu_send();
	settle();
	return attack_faults() - before;
}

static void race(const struct unit *u)
{
	uint64_t nmis = irq_count("NMI");
	pid_t writer;

	u->take();
	writer = rewrite();
	pin(1);
	for (int i = 0; i < ROUNDS; i++) {
		u->invalidate();
		if (i % 4 == 0)
			edu_send();
	}
	kill(writer, SIGKILL);
	CHECK_EQ(waitpid(writer, NULL, 0), writer);
	test_note("%lld faults", (long long)attack_faults());

	/* What is allowed becomes real, or all this would show nothing; what is not does not. */
	set(0);
	u->invalidate();
	CHECK_EQ(blocked(), 0);
	for (int i = 1; i < KINDS; i++) {
		int64_t before = attack_faults();

		set(i);
		u->invalidate();
		CHECK(attack_faults() > before);	/* refused */
		edu_send();
	}
	u->give_back();
	CHECK_EQ(irq_count("NMI"), nmis);
}

TEST_LIMIT(race, entries, 300)
{
	unsigned int bus, dev, fn;

	CHECK(cpus_usable() > 1);
	attack_begin();
	if (attack_open)
		SKIP("no entries are copied");
	CHECK_EQ(sscanf(edu_open(), "%*x:%x:%x.%x", &bus, &dev, &fn), 3);
	bdf = bus << 8 | dev << 3 | fn;
	queue = own_page(&queue_addr);
	race(access(TABLES "DMAR", F_OK) ? &amdvi : &vtd);
}
