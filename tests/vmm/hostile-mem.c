/* SPDX-License-Identifier: GPL-2.0-only */
/* bp-hostile user: the memory that slots are made of changes under them. */
#include "hostile.h"

#include <stdlib.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "fuzz.h"

#define PAGE	4096ul
#define HUGE	0x200000ul

static int shared = -1;			/* a file in memory, mapped here and there */

static void *any_page(size_t *len)
{
	uint64_t page = below(USER_MEM_SIZE / PAGE);

	*len = (once_in(8) ? 1 + below(600) : 1 + below(16)) * PAGE;
	if (once_in(8)) {
		page &= ~511ull;
		*len = HUGE;
	}
	if (page * PAGE + *len > USER_MEM_SIZE)
		*len = USER_MEM_SIZE - page * PAGE;
	return (void *)(USER_MEM + page * PAGE);
}

static void map_anew(void *at, size_t len, int flags, int fd)
{
	int prot = once_in(6) ? PROT_READ : PROT_READ | PROT_WRITE;
	long from = fd < 0 ? 0 : (uintptr_t)at - USER_MEM;

	(void)!mmap(at, len, prot, MAP_FIXED | flags, fd, from);
}

static void fill(void *at)
{
	/* The page may be one that cannot be written: then the call fails. */
	uint8_t code[2 * PAGE];
	struct iovec from = { code, PAGE }, to = { at, PAGE };

	code_fill(code, PAGE);
	process_vm_writev(getpid(), &from, 1, &to, 1, 0);
}

void user_memory_new(void)
{
	shared = memfd_create("hostile", MFD_CLOEXEC);
	if (shared < 0 || ftruncate(shared, USER_MEM_SIZE))
		exit(3);
	map_anew((void *)USER_MEM, USER_MEM_SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mprotect((void *)USER_MEM, USER_MEM_SIZE, PROT_READ | PROT_WRITE);
	for (int i = 0; i < 64; i++)
		fill((void *)(USER_MEM + i * PAGE));
}

void user_memory_change(void)
{
	static const int advice[] = { MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE,
				      MADV_REMOVE, MADV_COLD, MADV_PAGEOUT, MADV_COLLAPSE, MADV_POPULATE_WRITE,
				      MADV_DONTFORK, MADV_DOFORK };
	size_t len;
	void *at = any_page(&len);

	switch (below(9)) {
	case 0: map_anew(at, len, MAP_PRIVATE | MAP_ANONYMOUS, -1); break;
	case 1: map_anew(at, len, MAP_SHARED, shared); break;
	case 2: map_anew(at, len, MAP_PRIVATE, shared); break;
	case 3: if (once_in(3)) munmap(at, len); break;
	case 4: mprotect(at, len, below(8)); break;
	case 5: madvise(at, len, advice[below(sizeof(advice) / sizeof(advice[0]))]); break;
	case 6: mremap(at, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, any_page(&len)); break;
	case 7: fallocate(shared, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, below(USER_MEM_SIZE), len); break;
	case 8: fill(at); break;
	}
}
