/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small machine around the emulator, for its unit tests: RAM, a memory-like
 * MMIO device answered in the kernel, the same device answered by user space,
 * read-only memory, ports, vector registers, page tables.
 */
#ifndef TESTS_UNIT_EMUL_RIG_H
#define TESTS_UNIT_EMUL_RIG_H

#include "dom0-shim/emul/emul.h"

#define RIG_RAM_SIZE	0x100000u	/* from GPA 0 */
#define RIG_RAM2	0x200000ull
#define RIG_MMIO_SIZE	0x8000u
#define RIG_KERNEL_MMIO	0xfe000000ull	/* answered by the ops */
#define RIG_USER_MMIO	0xfe100000ull	/* the same device, by EMUL_NEED_USER */
#define RIG_ROM		0xf0000ull	/* top 64 KiB of RAM is not writable */

#define RIG_PTE_P	1ull
#define RIG_PTE_W	2ull
#define RIG_PTE_U	4ull
#define RIG_PTE_A	0x20ull
#define RIG_PTE_D	0x40ull
#define RIG_PTE_PS	0x80ull
#define RIG_PTE_NX	(1ull << 63)

#define RIG_MAX_SEEN	64

struct rig {
	struct emul_ctx ctx;
	uint8_t ram[RIG_RAM_SIZE];
	bool more_ram;		/* one page more at RIG_RAM2 */
	uint8_t ram2[EMUL_PAGE_SIZE];
	uint8_t mmio[RIG_MMIO_SIZE];
	uint8_t vec[16][32];
	uint8_t pio_page[EMUL_PAGE_SIZE];
	bool fifo;		/* MMIO reads return ++fifo_next instead */
	uint64_t fifo_next;
	bool pio_user;		/* ports are answered by user space */
	uint8_t pio_next;	/* port input counts up, byte by byte */
	int user_exits;
	int errno_in;		/* make the nth RAM write fail with -EINTR; 0: never */
	uint64_t next_table;	/* bump allocator of page tables */
	/* Every access that reached a device, in order. */
	int nseen;
	struct emul_access seen[RIG_MAX_SEEN];
	uint8_t pio_out[EMUL_PAGE_SIZE];
	uint32_t pio_out_len;
	uint32_t cmpxchgs;
	uint64_t gpa_reads;
};

/* A zeroed machine in the given mode, code at linear CODE, flat segments. */
void rig_reset(struct rig *rig);
void rig_real(struct rig *rig);
void rig_prot(struct rig *rig, int bits);	/* 16 or 32, paging off */
void rig_long(struct rig *rig);			/* paging on, nothing mapped */

/* 4-level tables: map one 4 KiB page; returns the GPA of the leaf entry. */
uint64_t rig_map(struct rig *rig, uint64_t lin, uint64_t gpa, uint64_t flags);

/* Put code at GPA and linear address lin (identity in all but long mode). */
void rig_code(struct rig *rig, uint64_t gpa, const void *code, size_t len);

/* Run to an end, answering for user space. Stops at EMUL_AGAIN too. */
int rig_run(struct rig *rig);
/* The same, and goes on after EMUL_AGAIN, at most 10000 times. */
int rig_run_all(struct rig *rig);

uint64_t rig_get(const struct rig *rig, uint64_t gpa, int size);
void rig_put(struct rig *rig, uint64_t gpa, int size, uint64_t val);

/* xorshift64*, so that runs repeat. */
uint64_t rig_random(void);

#endif
