// SPDX-License-Identifier: GPL-2.0-only
/* Which CPUs get an INIT and a SIPI. */
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Of what smp.c has besides, which is not called here. */
static inline void write_cr4(u64 val __unused) { }
void host_xsetbv(u32 nr __unused, u64 val __unused) { }
noreturn void panic_stop_cpu(void);

#include "hv/core/machine/smp.c"

const u8 trampoline_start[1], trampoline_end[1], trampoline_args[1], ap_entry64[1];
u64 host_tsc, tsc_khz = 1000;
bool tsc_alike;
struct mem_map machine_map, free_map;

static u32 init[16], nr_init, sipi[16], nr_sipi;
static struct trampoline_args args;
static bool silent;

void lapic_send_init(u32 apic_id)
{
	init[nr_init++] = apic_id;
}

/* The CPU takes its argument, and is there. */
void lapic_send_sipi(u32 apic_id, u8 page __unused)
{
	struct cpu *c = (void *)(uintptr_t)args.cpu;

	sipi[nr_sipi++] = apic_id;
	assert_int_equal(c->apic_id, apic_id);
	c->online = !silent;
}

void host_pause(void)
{
	host_tsc += 1000;
}

void *page_alloc(void)
{
	static u8 pages[16][PAGE_SIZE] __aligned(PAGE_SIZE);
	static u32 n;

	assert_true(n < ARRAY_SIZE(pages));
	return pages[n++];
}

void *stack_alloc(u32 pages __unused)
{
	return &args;
}

bool gdt_alloc(struct cpu *c __unused)
{
	return true;
}

s64 tsc_sync_ask(u32 cpu __unused)
{
	return 0;
}

void tsc_delay_us(u64 us __unused) { }

/* ---- not called ---- */

struct cpu *this_cpu(void)
{
	abort();
}

struct cpuid host_cpuid(u32 leaf __unused, u32 sub __unused)
{
	abort();
}

int host_rdmsr(u32 msr __unused, u64 *val __unused)
{
	abort();
}

int host_wrmsr(u32 msr __unused, u64 val __unused)
{
	abort();
}

void host_write_cr(int n __unused, u64 val __unused)
{
	abort();
}

bool mtrr_sync(const struct mtrr_state *m __unused)
{
	abort();
}

hpa_t memmap_find(const struct mem_map *m __unused, const struct mem_range *used __unused,
		  u32 nr __unused, hpa_t from __unused, hpa_t to __unused, u64 len __unused,
		  u64 align __unused, bool top __unused)
{
	abort();
}

hpa_t paging_alloc_trampoline(hpa_t pa __unused)
{
	abort();
}

int lapic_enable_x2apic(void)
{
	abort();
}

u32 lapic_id(void)
{
	abort();
}

bool tsc_adjust_sync(void)
{
	abort();
}

void panic_stop_cpu(void)
{
	abort();
}

void microcode_load(void) { }
void mtrr_read(struct mtrr_state *m __unused) { }
void paging_free_trampoline(hpa_t root __unused) { }
void memmap_add_bedplate(hpa_t start __unused, hpa_t end __unused) { }
void page_free(void *page __unused) { }
void lapic_leave_x2apic(void) { }
void lapic_init_cpu(void) { }
void trap_load(void) { }
void trap_use_ist(void) { }
void gdt_load(struct cpu *c __unused) { }
void tsc_sync_answer(u32 cpu __unused) { }
void call_on_stack(u64 top __unused, void (*fn)(void) __unused)
{
	abort();
}

/* ---- tests ---- */

static bool start(bool x2apic, const u32 *id, u32 n)
{
	static struct acpi_info acpi;
	u32 i;

	boot_cpu = (struct cpu){ .self = &boot_cpu, .apic_id = 0, .x2apic = x2apic };
	cpus[0] = &boot_cpu;
	nr_cpus = 1;
	nr_init = nr_sipi = 0;
	acpi.nr_cpus = n;
	for (i = 0; i < n; i++)
		acpi.cpu[i].apic_id = id[i];
	return start_all(&acpi, PAGE_SIZE, &args);
}

static void starts_all_others(void **state __unused)
{
	static const u32 id[] = { 0, 2, 0xfe };

	assert_true(start(false, id, 3));
	assert_int_equal(nr_cpus, 3);
	assert_memory_equal(init, id + 1, 2 * sizeof(*id));
	assert_memory_equal(sipi, id + 1, 2 * sizeof(*id));
	assert_int_equal(nr_init, 2);
	assert_int_equal(nr_sipi, 2);
}

/* Their low bytes are the boot CPU, which would be gone, another one, and everybody. */
static void names_no_other_cpu(void **state __unused)
{
	static const u32 id[] = { 0, 0x100, 0x101, 0x1ff, 0xff, 3 };

	start(false, id, 6);
	assert_int_equal(nr_init, 1);
	assert_int_equal(init[0], 3);
	assert_int_equal(nr_sipi, 1);
	assert_int_equal(sipi[0], 3);
	assert_int_equal(nr_cpus, 2);
}

static void names_all_in_x2apic_mode(void **state __unused)
{
	static const u32 id[] = { 0, 0x100, 0xff, 3 };

	assert_true(start(true, id, 4));
	assert_int_equal(nr_cpus, 4);
	assert_memory_equal(init, id + 1, 3 * sizeof(*id));
	assert_memory_equal(sipi, id + 1, 3 * sizeof(*id));
}

static void goes_on_without_the_silent(void **state __unused)
{
	static const u32 id[] = { 0, 2 };

	silent = true;
	assert_false(start(false, id, 2));
	silent = false;
	assert_int_equal(nr_cpus, 1);
	assert_int_equal(nr_sipi, 2);		/* asked twice */
	assert_int_equal(args.cpu, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_all_others),
		cmocka_unit_test(names_no_other_cpu),
		cmocka_unit_test(names_all_in_x2apic_mode),
		cmocka_unit_test(goes_on_without_the_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
