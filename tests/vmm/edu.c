// SPDX-License-Identifier: GPL-2.0-only
/* QEMU's edu device; the contract is in edu.h. */
#include "edu.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

#define DEVICES		"/sys/bus/pci/devices/"
#define EDU_ID		0x11e81234u

#define PCI_COMMAND	0x04
#define PCI_CAPS	0x34
#define COMMAND_ON	0x0406	/* memory, bus mastering, no INTx */
#define CAP_MSI		0x05
#define MSI_ON		0x0001	/* one message, enabled */

#define REG_RAISE	0x60
#define REG_LOWER	0x64
#define REG_SRC		0x80
#define REG_DST		0x88
#define REG_COUNT	0x90
#define REG_COMMAND	0x98
#define COMMAND_RUN	1ull
#define COMMAND_STORE	2ull	/* from the buffer to memory */
#define BUFFER		0x40000ull

static int config = -1;
static volatile uint8_t *regs;
static uint8_t *bounce;
static uint64_t bounce_addr;

static uint32_t config_read(int at, int size)
{
	uint32_t val = 0;

	CHECK_EQ(pread(config, &val, size, at), size);
	return val;
}

static void config_write(int at, int size, uint32_t val)
{
	CHECK_EQ(pwrite(config, &val, size, at), size);
}

static int open_of(const char *device, const char *file)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", device, file);
	fd = open(path, O_RDWR | O_SYNC);
	CHECK(fd >= 0);
	return fd;
}

/* The kernel gives its page to nobody else, and moves it nowhere, while it is locked. */
void *own_page(uint64_t *addr)
{
	uint8_t *p = mmap(NULL, EDU_PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	CHECK(p != MAP_FAILED && fd >= 0);
	CHECK_EQ(mlock(p, EDU_PAGE), 0);
	memset(p, 0, EDU_PAGE);
	CHECK_EQ(pread(fd, &entry, 8, (uintptr_t)p / EDU_PAGE * 8), 8);
	close(fd);
	CHECK(entry >> 63);
	*addr = (entry & ((1ull << 55) - 1)) * EDU_PAGE;
	return p;
}

static char *find(void)
{
	static char device[100];
	glob_t all;

	CHECK_EQ(glob(DEVICES "*", 0, NULL, &all), 0);
	for (size_t i = 0; i < all.gl_pathc; i++) {
		config = open_of(all.gl_pathv[i], "config");
		if (config_read(0, 4) == EDU_ID) {
			snprintf(device, sizeof(device), "%s", all.gl_pathv[i]);
			globfree(&all);
			return device;
		}
		close(config);
	}
	SKIP("the machine has no edu device");
}

const char *edu_open(void)
{
	char *device = find();
	int fd = open_of(device, "enable");

	CHECK_EQ(write(fd, "1", 1), 1);
	close(fd);
	config_write(PCI_COMMAND, 2, COMMAND_ON);
	fd = open_of(device, "resource0");
	regs = mmap(NULL, EDU_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(regs != MAP_FAILED);
	close(fd);
	bounce = own_page(&bounce_addr);
	return device + strlen(DEVICES);
}

static uint64_t reg_read(int at)
{
	return *(volatile uint64_t *)(regs + at);
}

static void reg_write(int at, uint64_t val)
{
	*(volatile uint64_t *)(regs + at) = val;
}

static void copy_start(uint64_t src, uint64_t dst, uint32_t len, uint64_t command)
{
	CHECK(len <= EDU_PAGE);
	reg_write(REG_SRC, src);
	reg_write(REG_DST, dst);
	reg_write(REG_COUNT, len);
	reg_write(REG_COMMAND, command | COMMAND_RUN);
}

bool edu_busy(void)
{
	return reg_read(REG_COMMAND) & COMMAND_RUN;
}

void edu_wait(void)
{
	while (edu_busy())
		usleep(10000);
}

void edu_load_start(uint64_t addr, uint32_t len)
{
	copy_start(addr, BUFFER, len, 0);
}

void edu_load(uint64_t addr, uint32_t len)
{
	edu_load_start(addr, len);
	edu_wait();
}

void edu_store(uint64_t addr, uint32_t len)
{
	copy_start(BUFFER, addr, len, COMMAND_STORE);
	edu_wait();
}

void edu_read(uint64_t addr, void *to, uint32_t len)
{
	edu_load(addr, len);
	memset(bounce, 0xa5, len);
	edu_store(bounce_addr, len);
	memcpy(to, bounce, len);
}

void edu_write(uint64_t addr, const void *from, uint32_t len)
{
	memcpy(bounce, from, len);
	edu_load(bounce_addr, len);
	edu_store(addr, len);
}

static int capability(uint8_t id)
{
	int at = config_read(PCI_CAPS, 1);

	for (int left = 48; at && left; left--) {
		if (config_read(at, 1) == id)
			return at;
		at = config_read(at + 1, 1);
	}
	vmm_fail("the device sends messages", __FILE__, __LINE__, "no capability %x", id);
}

/* Of 64 bits, and not maskable. */
void edu_message(uint64_t addr, uint32_t data)
{
	int at = capability(CAP_MSI);

	config_write(at + 4, 4, addr);
	config_write(at + 8, 4, addr >> 32);
	config_write(at + 12, 2, data);
	config_write(at + 2, 2, MSI_ON);
}

void edu_send(void)
{
	*(volatile uint32_t *)(regs + REG_RAISE) = 1;
	*(volatile uint32_t *)(regs + REG_LOWER) = 1;
}
