/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * count.so: a plug-in of QEMU's TCG that counts instructions by address and CPU between two marks in the
 * guest's code (tests/guests/marks.h). Each such window is written to out=FILE when
 * it ends: "window INSTRUCTIONS", then lines "ADDRESS BYTES COUNT..." with a count for each CPU.
 * With by=block as well it counts QEMU's translation blocks at their first instruction: quicker, and a little
 * less exact, for a block that an exception ends counts whole.
 * All CPUs are to be in one host thread, as with --icount. (QEMU 10's conditional callbacks would cost less,
 * but with one before it REP STOS stores more than RCX says.)
 *
 * The interface is that of qemu-plugin.h, of which only what is used here is declared.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUS	8
#define LONGEST	15		/* bytes of an instruction */
#define BUCKETS	(1u << 20)

struct qemu_plugin_tb;
struct qemu_plugin_insn;

struct qemu_info {
	const char *target;
	struct { int min, cur; } version;
	bool system;
	int cpus, max_cpus;
};

enum { CB_NO_REGS = 0 };
typedef void (*udata_cb)(unsigned int cpu, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t n);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t size);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, udata_cb cb, int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, udata_cb cb, int flags, void *data);

/* What QEMU looks for. */
extern __attribute__((visibility("default"))) int qemu_plugin_version;
__attribute__((visibility("default")))
int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

int qemu_plugin_version = 4;

/* One instruction: the same bytes at the same address, in whatever address space. */
struct record {
	struct record *in_bucket, *next;
	uint64_t address, now[CPUS];
	uint8_t bytes[LONGEST], size;
};

static struct record *buckets[BUCKETS], *records;
static int cpus;
static bool counting;		/* inside a window */
static bool by_block;
static uint64_t total;
static FILE *out;

#define MARK_SIZE 3
static const uint8_t begin_mark[] = { 0x66, 0x87, 0xdb }, end_mark[] = { 0x66, 0x87, 0xc9 };

static struct record *record_of(uint64_t address, const uint8_t *bytes, size_t size)
{
	struct record **b = &buckets[(address * 0x9e3779b97f4a7c15u) >> 44], *r;

	for (r = *b; r; r = r->in_bucket)
		if (r->address == address && r->size == size && !memcmp(r->bytes, bytes, size))
			return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	r->address = address;
	r->size = size;
	memcpy(r->bytes, bytes, size);
	r->in_bucket = *b;
	*b = r;
	r->next = records;
	records = r;
	return r;
}

static void executed(unsigned int cpu, void *data)
{
	if (!counting)
		return;
	((struct record *)data)->now[cpu]++;
	total++;
}

/* A block that ends early is counted whole. */
struct block {
	struct record *first;
	size_t size;
};

static void block_executed(unsigned int cpu, void *data)
{
	const struct block *b = data;

	if (!counting)
		return;
	b->first->now[cpu] += b->size;
	total += b->size;
}

static void begin(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	total = 0;
	for (struct record *r = records; r; r = r->next)
		memset(r->now, 0, sizeof(r->now));
	counting = true;
}

static void write_record(FILE *f, const struct record *r)
{
	uint64_t any = 0;

	for (int cpu = 0; cpu < cpus; cpu++)
		any |= r->now[cpu];
	if (!any)
		return;
	fprintf(f, "%" PRIx64 " ", r->address);
	for (int i = 0; i < r->size; i++)
		fprintf(f, "%02x", r->bytes[i]);
	for (int cpu = 0; cpu < cpus; cpu++)
		fprintf(f, " %" PRIu64, r->now[cpu]);
	fputc('\n', f);
}

static void end(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (!counting)
		return;
	counting = false;
	fprintf(out, "window %" PRIu64 "\n", total);
	for (struct record *r = records; r; r = r->next)
		write_record(out, r);
	fflush(out);
}

static struct record *record_of_insn(struct qemu_plugin_insn *insn)
{
	uint8_t bytes[LONGEST];
	size_t size = qemu_plugin_insn_data(insn, bytes, sizeof(bytes));

	return record_of(qemu_plugin_insn_vaddr(insn), bytes, size);
}

static void translated_block(struct qemu_plugin_tb *tb)
{
	struct block *b = malloc(sizeof(*b));

	if (!b)
		abort();
	b->first = record_of_insn(qemu_plugin_tb_get_insn(tb, 0));
	b->size = qemu_plugin_tb_n_insns(tb);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_executed, CB_NO_REGS, b);
}

static bool is_mark(const struct record *r, const uint8_t *mark)
{
	return r->size == MARK_SIZE && !memcmp(r->bytes, mark, MARK_SIZE);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (by_block && n)
		translated_block(tb);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		struct record *r = record_of_insn(insn);

		if (is_mark(r, begin_mark))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, CB_NO_REGS, NULL);
		else if (is_mark(r, end_mark))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, CB_NO_REGS, NULL);
		else if (!by_block)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, CB_NO_REGS, r);
	}
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	cpus = info->cpus;
	if (argc < 1 || strncmp(argv[0], "out=", 4) || cpus > CPUS) {
		fprintf(stderr, "count.so: out=FILE is wanted, and at most %d CPUs\n", CPUS);
		return -1;
	}
	by_block = argc > 1 && !strcmp(argv[1], "by=block");
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
