// SPDX-License-Identifier: GPL-2.0-only
/* The update of microcode for a CPU: found in what an initrd begins with, and loaded. */
// SOURCES: hv/core/machine/microcode.c hv/core/machine/cpio.c hv/svm/microcode.c hv/vmx/microcode.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/boot_info.h"
#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/paging.h"
#include "hv/core/machine/smp.h"
#include "hv/svm/microcode.h"
#include "hv/vmx/microcode.h"

#define INTEL	"kernel/x86/microcode/GenuineIntel.bin"
#define AMD	"kernel/x86/microcode/AuthenticAMD.bin"
#define ROOM	0x10000

struct hv_options hv_options;
u32 nr_cpus;

/* ---- the machine ---- */

static u32 vendor, signature, one_ecx, rev, takes;
static u64 given;
static u8 room[ROOM] __aligned(4096);
static u64 used;

struct cpuid host_cpuid(u32 leaf, u32 sub __unused)
{
	return leaf ? (struct cpuid){ .eax = signature, .ecx = one_ecx } : (struct cpuid){ .ebx = vendor };
}

int host_rdmsr(u32 msr, u64 *val)
{
	if (msr == MSR_PLATFORM_ID)
		*val = 3ull << 50;
	else if (msr == MSR_UCODE_REV)
		*val = vendor == 0x756e6547 ? (u64)rev << 32 : rev;
	else
		return -EFAULT;
	return 0;
}

int host_wrmsr(u32 msr, u64 val)
{
	if (msr == MSR_UCODE_REV && !val)
		return 0;
	assert_int_equal(msr, vendor == 0x756e6547 ? 0x79 : 0xc0010020);
	given = val;
	if (takes)
		rev = takes;
	return 0;
}

bool phys_is_mapped(hpa_t pa, u64 len)
{
	return pa + DIRECT_MAP_BASE - (uintptr_t)room + len <= ROOM;
}

static int setup(void **state __unused)
{
	memset(room, 0, sizeof(room));
	memset(&hv_options, 0, sizeof(hv_options));
	used = 0;
	given = takes = 0;
	one_ecx = 0;
	nr_cpus = 1;
	return 0;
}

/* ---- an initrd ---- */

static void put(const void *p, u64 len)
{
	assert_true(used + len <= ROOM);
	memcpy(room + used, p, len);
	used += len;
}

static void pad(void)
{
	used = (used + 3) & ~3ull;
}

static u64 entry(const char *name, const void *body, u32 len)
{
	char header[128];
	u64 at;

	snprintf(header, sizeof(header), "070701%08x%08X%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1,
		 0x81a4, 0, 0, 1, 0, len, 0, 0, 0, 0, (u32)strlen(name) + 1, 0);
	put(header, 110);
	put(name, strlen(name) + 1);
	pad();
	at = used;
	put(body, len);
	pad();
	return at;
}

static struct boot_module initrd(void)
{
	hpa_t at = (uintptr_t)room - DIRECT_MAP_BASE;

	return (struct boot_module){ at, at + used, "" };
}

static void finds_files(void **state __unused)
{
	u64 size, at, n;

	entry("kernel", "", 0);
	entry("x", "12345", 5);
	at = entry(AMD, "abcdefg", 7);
	entry("TRAILER!!!", "", 0);
	used += 512;
	n = entry(INTEL, "z", 1);
	put("\x1f\x8b and so on", 12);
	assert_ptr_equal(cpio_find(room, used, AMD, &size), room + at);
	assert_int_equal(size, 7);
	assert_ptr_equal(cpio_find(room, used, INTEL, &size), room + n);	/* a second archive */
	assert_int_equal(size, 1);
	assert_null(cpio_find(room, used, "kernel/x86", &size));
	assert_null(cpio_find(room + 4, used - 4, AMD, &size));
	assert_null(cpio_find(room, at + 6, AMD, &size));
	assert_null(cpio_find(room, 109, AMD, &size));
	room[54] = 'f';			/* a file larger than all */
	assert_null(cpio_find(room, used, AMD, &size));
	room[54] = 'g';
	assert_null(cpio_find(room, used, AMD, &size));
}

/* ---- Intel's ---- */

struct intel {
	u32 version, rev, date, sig, sum, loader, platform, data, total, reserved[3];
	u32 body[(2048 - 48) / 4];
};

static struct intel intel(u32 r, u32 sig, u32 platform)
{
	struct intel u = { 1, r, 0x01022026, sig, 0, 1, platform, 2000, 2048, { 0 }, { r } };
	u32 s = 0, i;

	for (i = 0; i < 512; i++)
		s += ((const u32 *)&u)[i];
	u.sum = -s;
	return u;
}

static const u8 *find_intel(u32 above)
{
	return vmx_microcode_find(room, used, 0x50657, 8, above);
}

static void intel_by_signature_and_revision(void **state __unused)
{
	struct intel list[] = {
		intel(9, 0x50654, 8), intel(5, 0x50657, 0xff), intel(7, 0x50657, 8), intel(6, 0x50657, 8),
		intel(20, 0x50657, 4),
	};

	put(list, sizeof(list));
	assert_ptr_equal(find_intel(4), room + 2 * 2048 + 48);
	assert_ptr_equal(find_intel(6), room + 2 * 2048 + 48);
	assert_null(find_intel(7));
	/* As revisions of debug microcode: negative, and older. */
	assert_ptr_equal(find_intel(0x80000001), room + 2 * 2048 + 48);
	room[2 * 2048 + 100] ^= 1;			/* torn: the next best */
	assert_ptr_equal(find_intel(4), room + 3 * 2048 + 48);
	used -= 1;					/* the last one is cut off */
	assert_ptr_equal(find_intel(4), room + 3 * 2048 + 48);
}

static void intel_malformed(void **state __unused)
{
	struct intel u = intel(7, 0x50657, 8);
	u32 at, val[] = { 0, 1, 3, 47, 48, 2000, 2001, 2048, 2052, 0x7ffffffc, 0xfffffffc, ~0u }, i;

	put(&u, sizeof(u));
	assert_non_null(find_intel(1));
	for (at = 28; at <= 32; at += 4) {
		for (i = 0; i < ARRAY_SIZE(val); i++) {
			memcpy(room, &u, sizeof(u));
			memcpy(room + at, &val[i], 4);
			find_intel(1);			/* in bounds: the sanitizer looks */
		}
	}
	memcpy(room, &u, sizeof(u));
	room[0] = 2;					/* another format */
	assert_null(find_intel(1));
	assert_null(vmx_microcode_find(room, 47, 0x50657, 8, 1));
}

/* One update for several CPUs: a table behind the data. */
static void intel_extended_table(void **state __unused)
{
	struct intel u = intel(7, 0x11111, 8);
	u32 ext[12] = { 2, 0, 0, 0, 0, 0x22222, 8, 0, 0x50657, 8, 0 };

	u.sum += 2048 - (2048 + sizeof(ext));
	u.total = 2048 + sizeof(ext);
	put(&u, sizeof(u));
	put(ext, sizeof(ext));
	assert_ptr_equal(find_intel(1), room + 48);
	room[2048] = 1;
	assert_null(find_intel(1));
	memset(room + 2048, 0xff, 4);			/* more than there are */
	assert_ptr_equal(find_intel(1), room + 48);
	assert_null(vmx_microcode_find(room, used, 0x33333, 8, 1));
}

static void loads_intel(void **state __unused)
{
	struct boot_info bi = { .nr_modules = 2 };
	struct intel u = intel(7, 0x50657, 8);
	u64 at;

	vendor = 0x756e6547;
	signature = 0x50657;
	rev = 3;
	takes = 7;
	entry("kernel/x86/microcode/.enuineIntel.align.0", "", 0);
	used = (used + 112 + sizeof(INTEL) + 15) / 16 * 16 - 110 - sizeof(INTEL);
	used &= ~3ull;
	at = entry(INTEL, &u, sizeof(u));
	bi.module[1] = initrd();
	if (at % 16) {
		/* Not where the CPU wants it: left alone. */
		microcode_init(&vmx_microcode, &bi);
		assert_int_equal(given, 0);
		setup(NULL);
		takes = 7;
		at = entry("kernel/x86/microcode/xxxx", "", 0);
		while ((used + 110 + sizeof(INTEL) + 3) / 4 * 4 % 16)
			used += 4;
		at = entry(INTEL, &u, sizeof(u));
		bi.module[1] = initrd();
	}
	hv_options.microcode_off = 1;
	microcode_init(&vmx_microcode, &bi);
	assert_int_equal(given, 0);
	hv_options.microcode_off = 0;
	one_ecx = BIT(31);				/* in a virtual machine */
	microcode_init(&vmx_microcode, &bi);
	assert_int_equal(given, 0);
	one_ecx = 0;
	microcode_init(&vmx_microcode, &bi);
	assert_int_equal(given, (uintptr_t)room + at + 48);
	assert_int_equal(rev, 7);
	given = 0;
	microcode_load();				/* the other thread of the core */
	assert_int_equal(given, 0);
	rev = 3;
	microcode_load();				/* another core */
	assert_int_equal(given, (uintptr_t)room + at + 48);
	microcode_report();
}

/* ---- AMD's ---- */

static void amd_table(u32 sig, u16 number)
{
	u32 head[] = { 0x00414d44, 0, 32, sig, 0, 0, number, 0, 0, 0, 0 };

	put(head, sizeof(head));
}

static u64 amd_patch(u32 r, u16 number, u32 len)
{
	u32 head[] = { 1, len, 0x20260102, r, 0x8004, 0, 0, 0, number, 0 };
	u64 at = used + 8;

	put(head, sizeof(head));
	used += len - 32;
	return at;
}

static const u8 *find_amd(u32 above)
{
	return svm_microcode_find(room, used, 0xa00f11, above);
}

static void amd_by_number_and_revision(void **state __unused)
{
	u64 second, third;

	amd_table(0x800f12, 0x8012);
	amd_patch(0x8001250, 0x8012, 3200);
	amd_table(0xa00f11, 0xa011);
	amd_patch(0xa0011ce, 0xa012, 3200);
	second = amd_patch(0xa0011d5, 0xa011, 5568);
	third = amd_patch(0xa0011d1, 0xa011, 5568);
	assert_ptr_equal(find_amd(0xa001000), room + second);
	assert_null(find_amd(0xa0011d5));
	assert_null(svm_microcode_find(room, used, 0xb00f21, 0));
	used = third - 8 + 20;				/* cut off */
	assert_ptr_equal(find_amd(0xa001000), room + second);
	used = second + 100;
	assert_null(find_amd(0));
	assert_null(svm_microcode_find(room, 11, 0xa00f11, 0));
}

static void amd_malformed(void **state __unused)
{
	u32 at, i, val[] = { 0, 1, 2, 15, 16, 31, 63, 0x00414d44, 0x7fffffff, 0xfffffff4, ~0u };
	u8 whole[ROOM];

	amd_table(0xa00f11, 0xa011);
	amd_patch(0xa0011d5, 0xa011, 64);
	amd_patch(0xa0011d6, 0xa011, 64);
	memcpy(whole, room, ROOM);
	for (at = 0; at < used; at += 4) {
		for (i = 0; i < ARRAY_SIZE(val); i++) {
			u8 *exact = malloc(used);

			memcpy(exact, whole, used);
			memcpy(exact + at, &val[i], 4);
			svm_microcode_find(exact, used, 0xa00f11, 0);	/* in bounds: the sanitizer looks */
			free(exact);
		}
	}
}

static void loads_amd(void **state __unused)
{
	struct boot_info bi = { .nr_modules = 2 };
	static u8 body[0x1000];
	u64 len, at;

	vendor = 0x68747541;
	signature = 0xa00f11;
	rev = 0xa001000;
	amd_table(0xa00f11, 0xa011);
	amd_patch(0xa0011d5, 0xa011, 64);
	len = used;
	memcpy(body, room, len);
	setup(NULL);
	at = entry(AMD, body, (u32)len);
	bi.module[1] = initrd();
	microcode_init(&svm_microcode, &bi);				/* and it does not take it */
	assert_int_equal(given, (uintptr_t)room + at + 44 + 8);
	assert_int_equal(rev, 0xa001000);
	microcode_report();
	given = 0;
	bi.nr_modules = 1;
	microcode_init(&svm_microcode, &bi);
	bi.nr_modules = 2;
	bi.module[1].end = bi.module[1].start + 2 * ROOM;
	microcode_init(&svm_microcode, &bi);
	assert_int_equal(given, 0);
	assert_int_equal(rev, 0xa001000);
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(finds_files), T(intel_by_signature_and_revision), T(intel_malformed),
		T(intel_extended_table), T(amd_by_number_and_revision), T(amd_malformed),
		T(loads_amd), T(loads_intel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
