// SPDX-License-Identifier: GPL-2.0-only
/* Other checks of a debug build: free frames, Bedplate's page tables, time with interrupts off. */
// SOURCES:
// CFLAGS: -DBP_DEBUG -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* The direct map is an array. */
#define phys_to_virt	real_phys_to_virt
#include "hv/core/machine/paging.h"
#undef phys_to_virt
static u8 memory[8][PAGE_SIZE] __aligned(PAGE_SIZE);
#define phys_to_virt(pa)	((void *)((u8 *)memory + (pa)))

#include "hv/core/machine/log.h"
#undef log_at
#define log_at(level, ...)	log_printf(level, __VA_ARGS__)
#include "hv/core/machine/panic.h"
#undef panic
#define panic(...)	ended(__VA_ARGS__)
static void ended(const char *fmt, ...);

#include "hv/core/machine/debug/irqs_off.c"
#include "hv/core/machine/debug/paging_check.c"
#include "hv/core/machine/debug/poison.c"

const char text_start[1], rodata_end[1];
hpa_t virt_to_phys(const void *va) { return va == text_start ? SZ_2M : 2 * SZ_2M; }

struct cpu *cpus[MAX_CPUS];
u32 nr_cpus;
u64 host_tsc, tsc_khz = 1000000;	/* a tick is a nanosecond */
static struct cpu cpu[2], *self;
static char said[256], line[256];
static jmp_buf *out;
static u32 lines;

struct cpu *this_cpu(void) { return self; }
void debug_no_locks(const char *when) { assert_string_equal(when, "interrupts come on"); }

static void ended(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	longjmp(*out, 1);
}

void log_printf(int level __unused, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	lines++;
}

#define panic_of(do_it) ({					\
	jmp_buf here;						\
	said[0] = '\0';						\
	out = &here;						\
	if (!setjmp(here))					\
		do_it;						\
	said; })

static int start(void **state __unused)
{
	memset(memory, 0, sizeof(memory));
	memset(cpu, 0, sizeof(cpu));
	self = cpus[0] = &cpu[0];
	cpus[1] = &cpu[1];
	nr_cpus = 2;
	host_tsc = 1;
	lines = 0;
	return 0;
}

/* ---- free frames ---- */

static void frames_stay_as_they_were_freed(void **state __unused)
{
	volatile u32 i;

	debug_poison(memory, 3, 0);
	assert_string_equal(panic_of(debug_check_poison(memory, 3, 0)), "");
	assert_int_equal(memory[3][0], 0);
	for (i = 0; i < 3 * PAGE_SIZE; i += 509) {
		((u8 *)memory)[i] ^= 1;
		assert_non_null(strstr(panic_of(debug_check_poison(memory, 3, 0)),
				       "a free frame was written to"));
		((u8 *)memory)[i] ^= 1;
	}
	memory[2][PAGE_SIZE - 1] = 0;
	assert_string_not_equal(panic_of(debug_check_poison(memory, 3, 0)), "");
}

/* A free list's link is no fault. */
static void links_are_left_out(void **state __unused)
{
	debug_poison(memory, 1, 8);
	*(u64 *)memory = 1;
	assert_string_equal(panic_of(debug_check_poison(memory, 1, 8)), "");
	memory[0][8] = 0;
	assert_string_not_equal(panic_of(debug_check_poison(memory, 1, 8)), "");
}

/* ---- page tables: four levels in frames 0 to 3 ---- */

static u64 *entry(u32 level, u32 index)
{
	return (u64 *)memory[3 - level] + index;
}

static void tables(u32 top)
{
	*entry(3, top) = 1 * PAGE_SIZE | HPTE_P | HPTE_W;
	*entry(2, 0) = 2 * PAGE_SIZE | HPTE_P | HPTE_W;
	*entry(1, 0) = 3 * PAGE_SIZE | HPTE_P | HPTE_W;
}

static void finds_what_is_writable_and_runs(void **state __unused)
{
	u64 bad;

	tables(256);
	*entry(0, 5) = 0x7000 | MAP_RX;
	*entry(0, 6) = 0x8000 | MAP_RW;
	*entry(0, 7) = 0x8000 | MAP_RO;
	assert_false(paging_find_bad((u64 *)memory, SZ_2M, 2 * SZ_2M, &bad));
	*entry(0, 511) = 0x9000 | HPTE_P | HPTE_W;
	assert_true(paging_find_bad((u64 *)memory, SZ_2M, 2 * SZ_2M, &bad));
	assert_int_equal(bad, 0xffff8000001ff000);
	/* One level's word is enough. */
	*entry(1, 0) |= HPTE_NX;
	assert_false(paging_find_bad((u64 *)memory, SZ_2M, 2 * SZ_2M, &bad));
	*entry(1, 0) ^= HPTE_NX | HPTE_W;
	assert_false(paging_find_bad((u64 *)memory, SZ_2M, 2 * SZ_2M, &bad));
	/* The last large page of all. */
	*entry(2, 511) = SZ_1G | HPTE_P | HPTE_W | HPTE_PS;
	assert_true(paging_find_bad((u64 *)memory, SZ_2M, 2 * SZ_2M, &bad));
	assert_int_equal(bad, 0xffff807fc0000000);
}

static void finds_what_writes_to_the_image(void **state __unused)
{
	u64 bad;

	tables(0);
	*entry(0, 1) = (SZ_2M - PAGE_SIZE) | MAP_RW;
	*entry(0, 2) = 2 * SZ_2M | MAP_RW;
	*entry(0, 3) = SZ_2M | MAP_RO;
	assert_false(paging_find_bad((u64 *)memory, SZ_2M, 2 * SZ_2M, &bad));
	*entry(0, 9) = (2 * SZ_2M - PAGE_SIZE) | MAP_RW;
	assert_true(paging_find_bad((u64 *)memory, SZ_2M, 2 * SZ_2M, &bad));
	assert_int_equal(bad, 0x9000);
	*entry(0, 9) = 0;
	*entry(2, 1) = MAP_RW | HPTE_PS;
	assert_true(paging_find_bad((u64 *)memory, SZ_2M, 2 * SZ_2M, &bad));
	assert_string_equal(panic_of(debug_check_paging(0)),
			    "what runs, or is constant, can be written at 40000000");
}

/* ---- interrupts off ---- */

static void off_for(const char *what, u64 detail, u64 ticks)
{
	debug_irqs_off(what, detail);
	host_tsc += ticks;
	debug_irqs_on();
}

static void longest_by_place(void **state __unused)
{
	static const char exit[] = "exit", idle[] = "idling";

	debug_irqs_on();		/* not measured yet */
	host_tsc += 1000000000;
	off_for(exit, 1, 5000);
	off_for(exit, 2, 9000);
	off_for(exit, 1, 3000);
	off_for(idle, 0, 100);
	assert_int_equal(lines, 0);
	assert_int_equal(self->debug.off[0].max, 5000);
	assert_int_equal(self->debug.off[0].count, 2);
	assert_int_equal(self->debug.off[1].max, 9000);
	assert_int_equal(self->debug.off[2].max, 100);
	debug_report(false);
	assert_string_equal(line, "CPU 0: interrupts were off for 9 us at most, after exit 2");
}

static void too_long_is_told(void **state __unused)
{
	off_for("exit", 0, BOUND_US * 1000ull);
	assert_int_equal(lines, 1);
	assert_string_equal(line, "CPU 0: interrupts were off for 4000 us after exit 0: more than 4000");
	off_for("exit", 0, BOUND_US * 1900ull);
	assert_int_equal(lines, 1);
	off_for("exit", 0, BOUND_US * 2000ull);
	assert_int_equal(lines, 2);
}

static void hypercalls_and_traps(void **state __unused)
{
	debug_irqs_off("hypercall", 0);
	debug_hypercall(7);
	host_tsc += 10;
	debug_irqs_on();
	assert_int_equal(self->debug.off[0].detail, 7);
	debug_trap_begin(X86_TRAP_NMI);
	debug_trap_begin(X86_TRAP_MC);
	assert_int_equal(self->debug.nmis, 2);
	debug_trap_end(X86_TRAP_MC);
	debug_trap_end(X86_TRAP_NMI);
	debug_trap_begin(14);
	assert_int_equal(self->debug.nmis, 0);
}

static void more_places_than_fit(void **state __unused)
{
	u32 i;

	for (i = 0; i < OFF_PLACES + 3; i++)
		off_for("interrupt", i, 10);
	assert_int_equal(self->debug.off_lost, 3);
	debug_report(false);
	assert_string_equal(line, "CPU 0: 3 times with interrupts off are not measured");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(frames_stay_as_they_were_freed, start),
		cmocka_unit_test_setup(links_are_left_out, start),
		cmocka_unit_test_setup(finds_what_is_writable_and_runs, start),
		cmocka_unit_test_setup(finds_what_writes_to_the_image, start),
		cmocka_unit_test_setup(longest_by_place, start),
		cmocka_unit_test_setup(too_long_is_told, start),
		cmocka_unit_test_setup(hypercalls_and_traps, start),
		cmocka_unit_test_setup(more_places_than_fit, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
