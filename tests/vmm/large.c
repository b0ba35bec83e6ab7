/* SPDX-License-Identifier: GPL-2.0-only */
/* Large pages in guests: see large.h. */
#include "large.h"

#include <fcntl.h>
#include <stdio.h>

uint8_t *large_pages(void)
{
	uint8_t *m = mem_new(3 * LARGE);

	m += -(uintptr_t)m & (LARGE - 1);
	CHECK_EQ(madvise(m, 2 * LARGE, MADV_HUGEPAGE), 0);
	memset(m, RET, 2 * LARGE);
	return m;
}

static int param_open(const char *name, int flags)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/module/kvm/parameters/%s", name);
	return open(path, flags);
}

int set_param(const char *name, const char *val)
{
	int fd = param_open(name, O_WRONLY), ret;

	if (fd < 0)
		SKIP("a parameter that cannot be written");
	ret = write(fd, val, strlen(val)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

const char *get_param(const char *name)
{
	static char buf[32];
	int fd = param_open(name, O_RDONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = read(fd, buf, sizeof(buf) - 1);
	CHECK(n > 0);
	buf[n - 1] = 0;
	close(fd);
	return buf;
}

struct counts counts(struct vm *vm)
{
	static int fd = -1;
	struct counts c;

	if (fd < 0)
		fd = ioctl(vm->fd, KVM_GET_STATS_FD);
	CHECK(fd >= 0);
	c.small = stat_of(fd, "pages_4k");
	c.large = stat_of(fd, "pages_2m");
	CHECK(c.small >= 0 && c.large >= 0);
	return c;
}

struct vm *large_slot(uint8_t **m, struct counts *before)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct counts c;

	*m = large_pages();
	CHECK_EQ(vm_slot(vm, 2, HIGH, 2 * LARGE, *m, 0), 0);
	op_add(vm, OP_SYNC, 0, 0, 0);
	op_add(vm, OP_WRITE, 8, HIGH, 1);
	op_add(vm, OP_WRITE, 8, HIGH + LARGE, 1);
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(&vm->vcpu[0], 0);
	*before = counts(vm);
	run_sync(&vm->vcpu[0], 1);
	c = counts(vm);
	if (c.large != before->large + 2)
		SKIP("no large pages");
	return vm;
}
