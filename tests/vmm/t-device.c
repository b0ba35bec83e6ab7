// SPDX-License-Identifier: GPL-2.0-only
/* Memory slots over what the VMM has mapped of devices: frames without pages in Linux. */
#include "test.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE		4096ull
#define HIGH		0x1000000ull		/* where the cases put their slots */
#define TEXT		0xbf000			/* of VGA's text memory, what no console shows */
#define APIC		0xfee00000

static uint32_t pci_class(const char *dir)
{
	char path[256];
	unsigned int class = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/class", dir);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%x", &class) != 1)
		class = 0;
	fclose(f);
	return class;
}

/* BAR 0 of a display that no driver has: its frame buffer. */
static int open_framebuffer(void)
{
	char path[256];
	int fd = -1;
	glob_t g;

	if (glob("/sys/bus/pci/devices/*", 0, NULL, &g))
		return -1;
	for (size_t i = 0; i < g.gl_pathc && fd < 0; i++) {
		if (pci_class(g.gl_pathv[i]) >> 16 != 3)
			continue;
		snprintf(path, sizeof(path), "%s/resource0", g.gl_pathv[i]);
		fd = open(path, O_RDWR);
	}
	globfree(&g);
	return fd;
}

static volatile uint64_t *map_or_skip(int fd, uint64_t offset, uint64_t size)
{
	void *m = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (m == MAP_FAILED)
		SKIP("no such device, or not for us");
	close(fd);
	return m;
}

/* VGA's text memory; after UEFI firmware the display shows pixels, and nothing answers there. */
static volatile uint64_t *map_text(void)
{
	volatile uint64_t *m = map_or_skip(open("/dev/mem", O_RDWR | O_SYNC), TEXT, PAGE);
	uint64_t was = *m;

	*m = ~was;
	if (*m != ~was)
		SKIP("no text memory");
	*m = was;
	return m;
}

/* What the guest writes the VMM reads, and the other way round. */
static void check_shared(struct vm *vm, volatile uint64_t *m, uint64_t words)
{
	struct vcpu *v = &vm->vcpu[0];
	struct gop *rd, *last;

	rd = op_add(vm, OP_READ, 8, HIGH + 8, 0);
	op_add(vm, OP_WRITE, 8, HIGH, 0x1122334455667788);
	op_add(vm, OP_WRITE, 8, HIGH + words * 8 - 8, 0x8877665544332211);
	op_add(vm, OP_SYNC, 0, 1, 0);
	last = op_add(vm, OP_READ, 4, HIGH + words * 8 - 16, 0);
	op_add(vm, OP_SYNC, 0, 2, 0);
	m[1] = 0xabcdef;
	run_sync(v, 1);
	CHECK_EQ(rd->val, 0xabcdef);
	CHECK_EQ(m[0], 0x1122334455667788);
	CHECK_EQ(m[words - 1], 0x8877665544332211);
	m[words - 2] = 0x778899;
	run_sync(v, 2);
	CHECK_EQ(last->val, 0x778899);
}

TEST(device, framebuffer)
{
	uint64_t size = 1 << 20;
	volatile uint64_t *m = map_or_skip(open_framebuffer(), 0, size);
	struct vm *vm = vm_new(G_script, 1, 0);

	CHECK_EQ(vm_slot(vm, 2, HIGH, size, (void *)m, 0), 0);
	check_shared(vm, m, size / 8);
}

/* A window of /dev/mem; and whatever the VMM's mapping loses, the guest has lost. */
TEST(device, window)
{
	volatile uint64_t *m = map_text();
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *rd;

	CHECK_EQ(vm_slot(vm, 2, HIGH, PAGE, (void *)m, 0), 0);
	check_shared(vm, m, PAGE / 8);
	op_add(vm, OP_WRITE, 4, HIGH, 0x55);
	rd = op_add(vm, OP_READ, 4, HIGH, 0);
	op_add(vm, OP_SYNC, 0, 3, 0);
	op_add(vm, OP_WRITE, 4, HIGH, 0x66);
	/* A write to what the VMM only reads is MMIO. */
	CHECK_EQ(mprotect((void *)m, PAGE, PROT_READ), 0);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.is_write, 1);
	CHECK_EQ(v->run->mmio.phys_addr, HIGH);
	CHECK_EQ(v->run->mmio.data[0], 0x55);
	run_sync(v, 3);
	CHECK_EQ(rd->val, 0x55667788);
	CHECK_EQ(munmap((void *)m, PAGE), 0);
	CHECK_EQ(run_once(v), -EFAULT);
}

TEST(device, readonly_slot)
{
	volatile uint64_t *m = map_text();
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *rd;

	CHECK_EQ(vm_slot(vm, 2, HIGH, PAGE, (void *)m, KVM_MEM_READONLY), 0);
	rd = op_add(vm, OP_READ, 4, HIGH + 4, 0);
	op_add(vm, OP_WRITE, 4, HIGH + 4, 0x77);
	m[0] = 0x1234567800000000;
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.is_write, 1);
	CHECK_EQ(rd->val, 0x12345678);
	CHECK_EQ(m[0], 0x1234567800000000);
	run_done(v);
}

/* A private mapping of frames: what is written is a copy, and RAM. */
TEST(device, copied)
{
	volatile uint64_t *m = map_text();
	volatile uint64_t *copy;
	struct vm *vm = vm_new(G_script, 1, 0);
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	struct gop *rd;

	copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, TEXT);
	CHECK(copy != MAP_FAILED);
	m[0] = 0x1111;
	m[1] = 0x2222;
	CHECK_EQ(vm_slot(vm, 2, HIGH, PAGE, (void *)copy, 0), 0);
	rd = op_add(vm, OP_READ, 8, HIGH, 0);
	op_add(vm, OP_WRITE, 8, HIGH, 0x3333);
	run_done(&vm->vcpu[0]);
	CHECK_EQ(rd->val, 0x1111);
	CHECK_EQ(copy[0], 0x3333);
	CHECK_EQ(copy[1], 0x2222);
	CHECK_EQ(m[0], 0x1111);
}

/* The first range above 1 MiB that Linux may not use: Bedplate's image. */
static uint64_t reserved_range(void)
{
	unsigned long long start, end;
	FILE *f = fopen("/proc/iomem", "r");
	char line[128], name[32];
	uint64_t found = 0;

	CHECK(f);
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx-%llx : %31s", &start, &end, name) == 3 &&
		    start >= 0x100000 && !strcmp(name, "Reserved"))
			found = start;
	fclose(f);
	return found;
}

static void refused(uint64_t frame)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	struct vm *vm = vm_new(G_script, 1, 0);
	void *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, frame);

	if (fd < 0 || m == MAP_FAILED)
		SKIP("no window for us");
	close(fd);
	CHECK_EQ(vm_slot(vm, 2, HIGH, PAGE, m, 0), 0);
	op_add(vm, OP_READ, 4, HIGH, 0);
	CHECK_EQ(run_once(&vm->vcpu[0]), -EFAULT);
	vm_free(vm);
}

/* What the service VM cannot reach itself it cannot give to guests. */
TEST(device, not_the_hosts)
{
	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("here the kernel may give all away");
	refused(APIC);
	refused(reserved_range());
}
