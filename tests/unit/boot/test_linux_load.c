// SPDX-License-Identifier: GPL-2.0-only
/* Domain 0's kernel and initrd, from where the loader says that they are to where they run. */
// SOURCES: boot/linux_image.c boot/linux_efi.c hv/core/machine/memplan.c hv/core/machine/efi_map.c
// CFLAGS: -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/memmap.h"
#include "hv/core/machine/panic.h"

/* boot_info.h's fatal() is the end; here the test goes on. */
static jmp_buf refused;
static const char *why;
#undef fatal
#define fatal(...)	(why = FIRST(__VA_ARGS__, 0), longjmp(refused, 1))
#define FIRST(a, ...)	a

bool phys_is_mapped(hpa_t pa, u64 len);
#include "boot/linux_loader.c"

#define RAM		(64 * SZ_1M)
#define KERNEL		(8 * SZ_1M)
#define KERNEL_LEN	(512 * 5 + 8192)
#define INITRD		(16 * SZ_1M)
#define PREFERRED	(32 * SZ_1M)

static u8 memory[RAM] __aligned(PAGE_SIZE);
u8 *rig_memory = memory;

struct mem_map machine_map, free_map;
struct mem_range bp_ranges[5];
u32 nr_bp_ranges;

static struct boot_info bi;
static struct linux_entry entry;

/* The direct map: all of RAM but Bedplate's image. */
bool phys_is_mapped(hpa_t pa, u64 len)
{
	return pa <= RAM && len <= RAM - pa &&
	       (pa >= bp_ranges[0].end || pa + len <= bp_ranges[0].start);
}

void memmap_domain0(struct mem_map *out)
{
	*out = machine_map;
}

const char *virt_iommu_words(void)
{
	return "";
}

static void set(u32 off, u32 n, u64 v)
{
	memcpy(memory + KERNEL + off, &v, n);
}

static int machine(void **state __unused)
{
	memset(memory + KERNEL, 0, KERNEL_LEN);
	set(0x1f1, 1, 4);
	set(0x1f4, 4, 8192 / 16);
	set(0x1fe, 2, 0xaa55);
	set(0x200, 2, 0x6aeb);
	memcpy(memory + KERNEL + 0x202, "HdrS", 4);
	set(0x206, 2, 0x20f);
	set(0x211, 1, 1);
	set(0x22c, 4, RAM - 1);
	set(0x230, 4, SZ_2M);
	set(0x234, 1, 1);
	set(0x238, 4, 2047);
	set(0x258, 8, PREFERRED);
	set(0x260, 4, SZ_4K * 16);
	memset(memory + KERNEL + 512 * 5, 0x4b, 8192);
	memset(memory + INITRD, 0x49, SZ_1M);
	machine_map = (struct mem_map){ 1, { { 0, RAM, MEM_RAM } } };
	free_map = machine_map;
	bp_ranges[0] = (struct mem_range){ SZ_2M, 2 * SZ_2M, MEM_RESERVED };
	nr_bp_ranges = 1;
	bi = (struct boot_info){ .nr_modules = 2, .module = {
		{ KERNEL, KERNEL + KERNEL_LEN, "quiet" },
		{ INITRD, INITRD + SZ_64K, "" } } };
	bi.fb.type = BOOT_FB_NONE;
	return 0;
}

/* NULL, or the line that was the end. */
static const char *load(void)
{
	if (setjmp(refused))
		return why;
	linux_load(&bi, &entry);
	return NULL;
}

static u64 param(u32 off)
{
	u32 v;

	memcpy(&v, memory + entry.rsi + off, sizeof(v));
	return v;
}

static void loads_both(void **state __unused)
{
	assert_null(load());
	assert_int_equal(entry.rip, PREFERRED);
	assert_int_equal(memory[PREFERRED], 0x4b);
	assert_int_equal(memory[PREFERRED + 8191], 0x4b);
	assert_int_equal(param(0x218), INITRD);
	assert_int_equal(param(0x21c), SZ_64K);
	assert_string_equal((char *)memory + param(0x228), "idle=halt quiet");
}

static void moves_an_initrd_that_is_askew(void **state __unused)
{
	bi.module[1].start += 4;
	memory[INITRD + 4] = 0x77;
	assert_null(load());
	assert_int_not_equal(param(0x218), INITRD + 4);
	assert_int_equal(memory[param(0x218)], 0x77);
	assert_int_equal(param(0x21c), SZ_64K - 4);
}

static void refuses_what_is_not_in_ram(void **state __unused)
{
	static const struct boot_module elsewhere[] = {
		{ RAM + 4, RAM + SZ_64K, "" }, { RAM - 4, RAM + 4, "" },
		{ RAM, RAM + SZ_64K, "" }, { SZ_4G - SZ_64K, SZ_4G - 1, "" },
		{ SZ_2M + 4, SZ_2M + SZ_64K, "" }, { SZ_2M - 4, SZ_2M + 4, "" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		machine(NULL);
		bi.module[1] = elsewhere[i];
		assert_string_equal(load(), "domain 0's initrd is not in RAM");
		machine(NULL);
		bi.module[0] = elsewhere[i];
		assert_string_equal(load(), "domain 0's kernel is not in RAM");
	}
}

static void takes_an_empty_initrd(void **state __unused)
{
	bi.module[1].end = bi.module[1].start;
	assert_null(load());
	assert_int_equal(param(0x21c), 0);
}

static void wants_a_kernel(void **state __unused)
{
	bi.nr_modules = 0;
	assert_non_null(strstr(load(), "no module"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(loads_both, machine),
		cmocka_unit_test_setup(moves_an_initrd_that_is_askew, machine),
		cmocka_unit_test_setup(refuses_what_is_not_in_ram, machine),
		cmocka_unit_test_setup(takes_an_empty_initrd, machine),
		cmocka_unit_test_setup(wants_a_kernel, machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
