/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-work: work of a fixed size with little VMs, between the marks that tests/bench-work.sh counts by. What was
 * done is told as "row", NAME and how many units; what was measured here as "value", NAME and the value.
 */
#include "vmm.h"
#include "marks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define VMS		100	/* made and destroyed */
#define IDLE		64	/* guests that do nothing */
#define MEMORY_TAKES	5
#define BIG_VMS		16
#define BIG_VCPUS	8
#define IDLE_MS		500
#define TICK_US		10000	/* the idle guests' timer */
#define DIRTY_PAGES	1024
#define DIRTY_ROUNDS	8
#define SLOT		2
#define SLOT_GPA	0x40000000ull

static const char *current = "setup";

void vmm_fail(const char *what, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "bp-work: %s: %s %s:%d (", current, what, file, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ")\n");
	exit(1);
}

static void row(const char *name, unsigned long units)
{
	printf("row\t%s\t%lu\n", name, units);
	fflush(stdout);
}

/* A VM with a CPU and memory that ran, and is gone. */
static void one_life(void)
{
	struct vm *vm = vm_new(G_script, 1, 0);

	op_add(vm, OP_CPUID, 0, 0, 0);
	run_done(&vm->vcpu[0]);
	vm_free(vm);
}

static void lives(void)
{
	current = "lives";
	one_life();
	MARK_BEGIN();
	for (int i = 0; i < VMS; i++)
		one_life();
	MARK_END();
	row("vm_lifetime", VMS);
}

/* The guest writes to all pages of a slot. */
static void write_all(struct vcpu *v)
{
	run_sync(v, 1);
}

static void dirty_rounds(void)
{
	static uint8_t bits[DIRTY_PAGES / 8];
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bits };
	uint8_t *mem = mem_new(DIRTY_PAGES * 4096);
	struct vm *vm = vm_new(G_bench_dirty, 1, 0);

	current = "dirty log";
	memset(mem, 1, DIRTY_PAGES * 4096);
	vm->p->arg[0] = SLOT_GPA;
	vm->p->arg[1] = DIRTY_PAGES;
	CHECK_EQ(vm_slot(vm, SLOT, SLOT_GPA, DIRTY_PAGES * 4096, mem, 0), 0);
	write_all(&vm->vcpu[0]);
	CHECK_EQ(vm_slot(vm, SLOT, SLOT_GPA, DIRTY_PAGES * 4096, mem, KVM_MEM_LOG_DIRTY_PAGES), 0);
	write_all(&vm->vcpu[0]);
	CHECK_EQ(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log), 0);
	MARK_BEGIN();
	for (int i = 0; i < DIRTY_ROUNDS; i++) {
		write_all(&vm->vcpu[0]);
		CHECK_EQ(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log), 0);
	}
	MARK_END();
	for (size_t i = 0; i < sizeof(bits); i++)
		CHECK_EQ(bits[i], 0xff);
	row("dirty_page", DIRTY_ROUNDS * DIRTY_PAGES);
	vm_free(vm);
}

/* KiB of the system's memory in use, but for what processes have. */
static long kernel_kib(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char name[64];
	long kib, used = 0;

	CHECK(f);
	while (fscanf(f, "%63s %ld kB\n", name, &kib) >= 1) {
		if (!strcmp(name, "MemTotal:"))
			used += kib;
		else if (!strcmp(name, "MemFree:") || !strcmp(name, "AnonPages:") || !strcmp(name, "Cached:") ||
			 !strcmp(name, "Buffers:"))
			used -= kib;
	}
	fclose(f);
	return used;
}

/* Halted VMs, with a timer if @tick, until the end of the process or end_idle(). */
static struct vm *idle[IDLE];

static void start_idle(int vms, int vcpus, uint64_t tick)
{
	for (int i = 0; i < vms; i++) {
		idle[i] = vm_new(G_bench_idle, vcpus, 0);
		idle[i]->p->x2apic = 1;
		idle[i]->p->arg[0] = tick;
		idle[i]->p->arg[1] = vcpus - 1;
		for (int cpu = 0; cpu < vcpus; cpu++)
			thread_start(&idle[i]->vcpu[cpu]);
		for (int up = 0; up < vcpus; up++)
			wait_while(&idle[i]->p->res[2], up);
	}
}

static void end_idle(int vms)
{
	struct vm *vm;

	for (int i = 0; i < vms; i++) {
		vm = idle[i];
		vm->p->res[40] = 1;
		for (int cpu = 0; cpu < vm->nvcpus; cpu++) {
			CHECK_EQ(signal_msi(vm, 0xfee00000 | cpu << 12, 0x51), 1);
			thread_join(&vm->vcpu[cpu]);
		}
		vm_free(vm);
	}
}

/* What these VMs take besides their memory; what is freed late is given time. */
static long idle_memory_once(int vms, int vcpus)
{
	long before, after;

	sleep_ms(500);
	before = kernel_kib();
	start_idle(vms, vcpus, 0);
	sleep_ms(500);
	after = kernel_kib();
	end_idle(vms);
	return after - before;
}

static int by_size(const void *a, const void *b)
{
	return *(const long *)a < *(const long *)b ? -1 : 1;
}

/* The middle of several, for the system lives on; but the first, which fills caches. */
static long idle_memory(int vms, int vcpus)
{
	long kib[MEMORY_TAKES];

	idle_memory_once(vms, vcpus);
	for (int i = 0; i < MEMORY_TAKES; i++)
		kib[i] = idle_memory_once(vms, vcpus);
	qsort(kib, MEMORY_TAKES, sizeof(kib[0]), by_size);
	return kib[MEMORY_TAKES / 2];
}

static void memory(void)
{
	long one, many;

	current = "memory";
	printf("value\tmemory_guest\t%ld\n", idle_memory(IDLE, 1) / IDLE);
	one = idle_memory(BIG_VMS, 1);
	many = idle_memory(BIG_VMS, BIG_VCPUS);
	printf("value\tmemory_vcpu\t%ld\n", (many - one) / (BIG_VMS * (BIG_VCPUS - 1)));
}

static void idle_cost(int vms, const char *name)
{
	current = name;
	start_idle(vms, 1, TICK_US);
	sleep_ms(50);
	MARK_BEGIN();
	sleep_ms(IDLE_MS);
	MARK_END();
	row(name, 1);
	end_idle(vms);
}

int main(void)
{
	CHECK_EQ(vmm_open(), 0);
	lives();
	dirty_rounds();
	idle_cost(0, "nobody_idle");
	idle_cost(IDLE, "idle_guests");
	memory();
	return 0;
}
