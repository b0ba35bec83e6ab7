// SPDX-License-Identifier: GPL-2.0-only
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine.h"

static bool made_up(void)
{
	const char *root = getenv("BEDPLATE_ROOT");

	return root && *root;
}

static const char *next_line(const char *s)
{
	while (*s && *s != '\n')
		s++;
	return *s ? s + 1 : s;
}

static struct cpuid_regs made_up_cpuid(u32 leaf, u32 sub)
{
	char *text = file_read("/cpuid", NULL);
	struct cpuid_regs c, found = { 0 };
	const char *line;
	u32 l, s;

	for (line = text ? text : ""; *line; line = next_line(line))
		if (sscanf(line, "%x %x %x %x %x %x", &l, &s, &c.eax, &c.ebx, &c.ecx, &c.edx) == 6 &&
		    l == leaf && s == sub)
			found = c;
	free(text);
	return found;
}

struct cpuid_regs machine_cpuid(u32 leaf, u32 sub)
{
	struct cpuid_regs c = { 0 };

	if (made_up())
		return made_up_cpuid(leaf, sub);
	if ((leaf & 0x7fffffff) > (__get_cpuid_max(leaf & 0x80000000, NULL) & 0x7fffffff) &&
	    leaf >> 28 != 4)
		return c;
	__cpuid_count(leaf, sub, c.eax, c.ebx, c.ecx, c.edx);
	return c;
}

static bool made_up_msr(u32 index, u64 *val)
{
	char *text = file_read("/msr", NULL);
	bool found = false;
	const char *line;
	u32 i;
	u64 v;

	if (!text)
		return false;
	errno = EIO;
	for (line = text; *line; line = next_line(line))
		if (sscanf(line, "%x %llx", &i, &v) == 2 && i == index) {
			*val = v;
			found = true;
		}
	free(text);
	return found;
}

bool machine_msr(u32 index, u64 *val)
{
	ssize_t n;
	int fd;

	if (made_up())
		return made_up_msr(index, val);
	fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = pread(fd, val, sizeof(*val), index);
	close(fd);
	if (n >= 0 && n != sizeof(*val))
		errno = EIO;
	return n == sizeof(*val);
}
