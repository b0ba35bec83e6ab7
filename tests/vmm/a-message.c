// SPDX-License-Identifier: GPL-2.0-only
/* A device sends interrupts that the service VM's kernel did not give it. */
#include "attack.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

/* Delivery modes (SDM vol. 3, 11.11.2). */
#define DM_SMI		0x200
#define DM_NMI		0x400
#define DM_INIT		0x500
#define DM_EXTINT	0x700
#define SETTLE_MS	300

static bool counted(const char *line, uint64_t before)
{
	for (int ms = 0; ms < SETTLE_MS; ms += 20) {
		if (irq_count(line) > before)
			return true;
		sleep_ms(20);
	}
	return irq_count(line) > before;
}

/* Does such a message get to a CPU? */
static bool arrives(const char *line, uint64_t addr, uint32_t data)
{
	uint64_t before = irq_count(line);

	edu_message(addr, data);
	edu_send();
	return counted(line, before);
}

/*
 * Begins an attack by messages in the old format. QEMU's VT-d passes these on, whatever the unit was
 * told (docs/testbed.md); one that does no harm shows that.
 */
static void old_format(void)
{
	attack_begin();
	if (!attack_open && !access("/sys/firmware/acpi/tables/DMAR", F_OK) &&
	    arrives("DFR", MESSAGE(0), VECTOR_DEFERRED))
		SKIP("this emulator's unit does not block messages in the old format");
}

TEST(message, foreign_vector)
{
	old_format();
	attack_message(arrives("DFR", MESSAGE(0), VECTOR_DEFERRED));
}

TEST(message, nmi)
{
	old_format();
	attack_message(arrives("NMI", MESSAGE(0), DM_NMI));
}

/* Nothing in the service VM tells whether these came. */
static void unseen(uint32_t data)
{
	old_format();
	if (attack_open)
		SKIP("cannot be seen");
	edu_message(MESSAGE(0), data);
	edu_send();
	if (attack_untold())
		SKIP(UNTOLD);
	attack_message(false);
}

TEST(message, smi) { unseen(DM_SMI); }
TEST(message, extint) { unseen(DM_EXTINT | VECTOR_DEFERRED); }

/* Vectors below 32 are also exceptions'. */
TEST(message, exception_vector) { unseen(0x12); }

/* By its other means: a write to where messages go. */
TEST(message, by_dma)
{
	uint32_t data = VECTOR_DEFERRED;
	uint64_t before;

	old_format();
	before = irq_count("DFR");
	edu_write(MESSAGE(0), &data, sizeof(data));
	attack_message(counted("DFR", before));
}

/* In the new format, of an entry that nobody has. */
TEST(message, no_entry)
{
	attack_begin();
	if (attack_open)
		SKIP("there are no entries");
	edu_message(FORGED_ADDR, FORGED_DATA);
	edu_send();
	if (attack_untold())
		SKIP(UNTOLD);
	attack_message(false);
}

/* The file that shows a virtio device's table of messages (PCI 3.0, 6.8.2), and its first interrupt. */
static uint32_t *victim_table(char *line, size_t len)
{
	uint32_t *table = MAP_FAILED;
	glob_t all, irqs;
	char path[200];
	int fd;

	CHECK_EQ(glob("/sys/bus/pci/devices/*/virtio*", 0, NULL, &all), 0);
	for (size_t i = 0; i < all.gl_pathc && table == MAP_FAILED; i++) {
		*strrchr(all.gl_pathv[i], '/') = 0;
		snprintf(path, sizeof(path), "%s/msi_irqs/*", all.gl_pathv[i]);
		if (glob(path, 0, NULL, &irqs))
			continue;
		snprintf(line, len, "%s", strrchr(irqs.gl_pathv[0], '/') + 1);
		globfree(&irqs);
		snprintf(path, sizeof(path), "%s/resource1", all.gl_pathv[i]);
		fd = open(path, O_RDWR | O_SYNC);
		CHECK(fd >= 0);
		table = mmap(NULL, EDU_PAGE, PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	globfree(&all);
	CHECK(table != MAP_FAILED);
	return table;
}

/* The message of another device, word for word. */
TEST(message, of_another)
{
	char line[20];
	uint32_t *entry = victim_table(line, sizeof(line));

	attack_begin();
	test_note("message %x %x", entry[0], entry[2]);
	attack_message(arrives(line, entry[0] | (uint64_t)entry[1] << 32, entry[2]));
}

/* False: the kernel says that it cannot. */
static bool set_online(const char *on)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY);
	bool done;

	CHECK(fd >= 0);
	done = write(fd, on, 1) == 1;
	close(fd);
	return done;
}

/*
 * INIT for CPU 1. The kernel must have done with that CPU before, or it would wait for an answer of it at the next
 * TLB flush and tell nothing any more; and if INIT comes, the CPU does not start again.
 */
TEST_LIMIT(message, init, 300)
{
	old_format();
	CHECK(set_online("0"));
	edu_message(MESSAGE(1), DM_INIT);
	edu_send();
	sleep_ms(SETTLE_MS);
	attack_message(!set_online("1"));
}
