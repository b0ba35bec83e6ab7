// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of gcov, for gcc 14 (gcc/gcov-io.h, libgcc/libgcov.h).  Each object has
 * one struct gcov_info; -fprofile-info-section collects pointers to them in
 * a section.  What goes out is for scripts/coverage, which makes .gcda files of it:
 *
 *	"BPGCOV1\n"
 *	for each object:   u32 'F', version, stamp, checksum, length of its name; the name
 *	for each function: u32 'f', ident, lineno_checksum, cfg_checksum, n; n u64 counters,
 *			   or u32 'z' for 'f', and none, where all are 0
 *	u32 'E'
 *
 * Compiled without instrumentation, and only where there is any.
 */
#ifdef BP_COVERAGE

#include "coverage.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "panic.h"

#define KINDS		9		/* of counters; arcs are the first, and all there is */
#define COM3		0x3e8

struct gcov_function {
	const void *key;
	u32 ident, lineno_checksum, cfg_checksum;
	struct {
		u32 n;
		u64 *counters;
	} arcs;				/* the first kind */
};

struct gcov_info {
	u32 version;
	struct gcov_info *next;
	u32 stamp, checksum;
	const char *name;
	void (*merge[KINDS])(void);
	u32 nr_functions;
	struct gcov_function *const *functions;
};

static_assert(offsetof(struct gcov_function, arcs.counters) == 32 &&
	      offsetof(struct gcov_info, name) == 24 &&
	      offsetof(struct gcov_info, functions) == 112, "as gcc 14 lays them out");

extern struct gcov_info *const gcov_info_start[], *const gcov_info_end[];

/* Named by the instrumentation; libgcov's own would merge files. */
void __gcov_merge_add(void);
void __gcov_merge_add(void) { }

static void line_init(void)
{
	outb(COM3 + 1, 0);		/* no interrupts */
	outb(COM3 + 3, 0x80);		/* divisor 1 */
	outb(COM3, 1);
	outb(COM3 + 1, 0);
	outb(COM3 + 3, 3);		/* 8 bits */
	outb(COM3 + 2, 0);		/* no FIFO: one byte at a time */
}

static void put(const void *data, u64 len)
{
	const u8 *p = data;

	for (; len; len--) {
		while (!(inb(COM3 + 5) & 0x20))
			pause();
		outb(COM3, *p++);
	}
}

static void put32(u32 val)
{
	put(&val, sizeof(val));
}

static bool any(const struct gcov_function *f)
{
	u32 i;

	for (i = 0; i < f->arcs.n; i++)
		if (f->arcs.counters[i])
			return true;
	return false;
}

static void write_function(const struct gcov_function *f)
{
	bool counted = any(f);

	put32(counted ? 'f' : 'z');
	put32(f->ident);
	put32(f->lineno_checksum);
	put32(f->cfg_checksum);
	put32(f->arcs.n);
	if (counted)
		put(f->arcs.counters, f->arcs.n * sizeof(u64));
}

static void write_object(const struct gcov_info *info)
{
	u32 i;

	put32('F');
	put32(info->version);
	put32(info->stamp);
	put32(info->checksum);
	put32(strlen(info->name));
	put(info->name, strlen(info->name));
	for (i = 0; i < info->nr_functions; i++)
		if (info->functions[i] && info->functions[i]->key == info)
			write_function(info->functions[i]);
}

void coverage_write(void)
{
	struct gcov_info *const *info;

	line_init();
	put("BPGCOV1\n", 8);
	for (info = gcov_info_start; info < gcov_info_end; info++)
		write_object(*info);
	put32('E');
}

void coverage_cpuid(u32 leaf)
{
	if (leaf == COVERAGE_LEAF)
		coverage_write();
	if (leaf == COVERAGE_PANIC_LEAF)
		panic("domain 0 asked for it");
	if (leaf == COVERAGE_FAULT_LEAF)
		__asm__ volatile("ud2");
	while (leaf == COVERAGE_HANG_LEAF)
		pause();
}

#endif
