// SPDX-License-Identifier: GPL-2.0-only
/* Where things are that attacks are on, and what the kernel counts; the contract is in attack.h. */
#include "attack.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define IMAGE_BASE	0xffffffff80000000ull	/* of the addresses that it is linked for */
#define LOG_SIZE	(128 * 1024)
#define KEPT_LOG	(2 << 20)	/* the last boot's is there, too */
#define KPF_OFFLINE	23

static const uint8_t *image(void)
{
	const char *path = getenv("BP_IMAGE");	/* the one that runs */
	struct stat st;
	void *p;
	int fd;

	CHECK(path);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && !fstat(fd, &st));
	p = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	close(fd);
	return p;
}

uint64_t log_ring(void)
{
	const uint8_t *elf = image();
	const Elf64_Ehdr *h = (const void *)elf;
	const Elf64_Shdr *s = (const void *)(elf + h->e_shoff);

	for (int i = 0; i < h->e_shnum; i++) {
		const Elf64_Sym *sym = (const void *)(elf + s[i].sh_offset);
		const char *names = (const char *)elf + s[s[i].sh_link].sh_offset;

		if (s[i].sh_type != SHT_SYMTAB)
			continue;
		for (size_t n = s[i].sh_size / sizeof(*sym); n; n--, sym++)
			if (sym->st_size == LOG_SIZE && !strcmp(names + sym->st_name, "ring"))
				return sym->st_value - IMAGE_BASE;
	}
	vmm_fail("the image has a log", __FILE__, __LINE__, "no symbol");
}

/*
 * All that is neither the image nor the log's 2 MiB lies in one piece, which the kernel sees as
 * reserved.
 */
uint64_t pool_base(void)
{
	uint64_t len = bp_stat("reserved_bytes") - bp_stat("image_bytes") - KEPT_LOG;
	unsigned long long start, end;
	char line[200];
	FILE *f = fopen("/proc/iomem", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx-%llx : Reserved", &start, &end) == 2 && end - start + 1 == len)
			break;
	CHECK(!feof(f));
	fclose(f);
	return start;
}

int donated(uint64_t *list, int max)
{
	static uint64_t flags[4096];
	int fd = open("/proc/kpageflags", O_RDONLY), n = 0;
	uint64_t pfn = 0;
	ssize_t got;

	CHECK(fd >= 0);
	while ((got = read(fd, flags, sizeof(flags))) > 0)
		for (ssize_t i = 0; i < got / 8; i++, pfn++)
			if (flags[i] >> KPF_OFFLINE & 1 && n++ < max)
				list[n - 1] = pfn * EDU_PAGE;
	close(fd);
	return n;
}

bool among(const uint64_t *list, int n, uint64_t frame)
{
	while (n--)
		if (list[n] == frame)
			return true;
	return false;
}

uint64_t irq_count(const char *name)
{
	char line[1000], *at;
	FILE *f = fopen("/proc/interrupts", "r");
	uint64_t sum = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		at = line + strspn(line, " ");
		if (strncmp(at, name, strlen(name)) || at[strlen(name)] != ':')
			continue;
		at += strlen(name) + 1;
		for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
			sum += strtoull(at, &at, 10);
	}
	fclose(f);
	return sum;
}
