// SPDX-License-Identifier: GPL-2.0-only
/*
 * bp-ports: one access of the service VM's to an I/O port, or to PCI configuration space by
 * ports or by memory. All numbers but SIZE are hexadecimal.
 *
 *	bp-ports port PORT SIZE [VALUE]
 *	bp-ports config BDF REGISTER SIZE [VALUE]
 *	bp-ports memory ADDRESS SIZE [VALUE]	(wants iomem=relaxed)
 *
 * Without VALUE it reads and prints. It dies of SIGSEGV where the access raises #GP.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t port(uint16_t at, int size, const uint32_t *val)
{
	if (!val)
		return size == 1 ? inb(at) : size == 2 ? inw(at) : inl(at);
	if (size == 1)
		outb((uint8_t)*val, at);
	else if (size == 2)
		outw((uint16_t)*val, at);
	else
		outl(*val, at);
	return 0;
}

static uint32_t config(uint32_t bdf, uint32_t reg, int size, const uint32_t *val)
{
	outl(0x80000000u | bdf << 8 | (reg & ~3u), 0xcf8);
	return port((uint16_t)(0xcfc + (reg & 3)), size, val);
}

static uint32_t memory(uint64_t at, int size, const uint32_t *val)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				   (off_t)(at & ~0xfffull));
	volatile void *p = page + (at & 0xfff);

	if (page == MAP_FAILED) {
		perror("bp-ports: /dev/mem");
		exit(2);
	}
	if (!val)
		return size == 1 ? *(volatile uint8_t *)p : size == 2 ? *(volatile uint16_t *)p :
								    *(volatile uint32_t *)p;
	if (size == 1)
		*(volatile uint8_t *)p = (uint8_t)*val;
	else if (size == 2)
		*(volatile uint16_t *)p = (uint16_t)*val;
	else
		*(volatile uint32_t *)p = *val;
	return 0;
}

int main(int argc, char **argv)
{
	int named = argc > 1 && !strcmp(argv[1], "config") ? 2 : 1, size;
	const uint32_t *val = NULL;
	uint32_t given, read;
	uint64_t at;

	if (argc < named + 3 || argc > named + 4 || iopl(3)) {
		fprintf(stderr, "usage: bp-ports port|config|memory WHERE SIZE [VALUE]\n");
		return 2;
	}
	at = strtoull(argv[2], NULL, 16);
	size = atoi(argv[named + 2]);
	if (argc == named + 4) {
		given = (uint32_t)strtoul(argv[named + 3], NULL, 16);
		val = &given;
	}
	if (named == 2)
		read = config((uint32_t)at, (uint32_t)strtoul(argv[3], NULL, 16), size, val);
	else if (!strcmp(argv[1], "port"))
		read = port((uint16_t)at, size, val);
	else
		read = memory(at, size, val);
	if (!val)
		printf("%0*x\n", 2 * size, read);
	return 0;
}
