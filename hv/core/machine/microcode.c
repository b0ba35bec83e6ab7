// SPDX-License-Identifier: GPL-2.0-only
/* Updates of microcode; the contract is in microcode.h. */
#include "microcode.h"

#include "boot_info.h"
#include "cmdline.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "log.h"
#include "paging.h"
#include "smp.h"

static u32 get32(const u8 *p)
{
	u32 v;

	memcpy(&v, p, 4);
	return v;
}

/* ---- Intel: SDM vol. 3, 10.11 ---- */

#define INTEL_HEADER	48u
#define INTEL_REV	4u
#define INTEL_SIG	12u
#define INTEL_PLATFORM	24u
#define INTEL_DATA	28u
#define INTEL_TOTAL	32u
#define INTEL_OLD_DATA	2000u			/* where the header says 0 */

/* More CPUs that it is for: a table behind the data, of 20 bytes and 12 for each. */
static bool also_for(const u8 *table, u64 len, u32 signature, u32 platform)
{
	u64 i, n = len < 20 ? 0 : get32(table);

	for (i = 0; i < n && 20 + (i + 1) * 12 <= len; i++) {
		const u8 *e = table + 20 + i * 12;

		if (get32(e) == signature && (get32(e + 4) & platform))
			return true;
	}
	return false;
}

static u32 sum(const u8 *p, u64 len)
{
	u32 s = 0;

	for (; len >= 4; len -= 4, p += 4)
		s += get32(p);
	return s;
}

const u8 *microcode_find_intel(const u8 *p, u64 len, u32 signature, u32 platform, u32 rev)
{
	const u8 *best = NULL;
	u64 total;

	for (; len >= INTEL_HEADER; p += total, len -= total) {
		u64 data = get32(p + INTEL_DATA);

		total = data ? get32(p + INTEL_TOTAL) : INTEL_HEADER + INTEL_OLD_DATA;
		data = data ? data : INTEL_OLD_DATA;
		if (get32(p) != 1 || (total | data) & 3 || total > len || data > total ||
		    INTEL_HEADER + data > total)
			break;
		if ((s32)get32(p + INTEL_REV) <= (s32)rev || sum(p, INTEL_HEADER + data))
			continue;
		if ((get32(p + INTEL_SIG) == signature && (get32(p + INTEL_PLATFORM) & platform)) ||
		    also_for(p + INTEL_HEADER + data, total - INTEL_HEADER - data, signature, platform)) {
			rev = get32(p + INTEL_REV);
			best = p + INTEL_HEADER;
		}
	}
	return best;
}

/* ---- AMD: containers, each a table of CPUs and then patches ---- */

#define AMD_MAGIC	0x00414d44u
#define AMD_TABLE	0u
#define AMD_PATCH	1u
#define AMD_REV		4u			/* in a patch */
#define AMD_FOR		24u
#define AMD_PATCH_MIN	64u

static u16 get16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

/* The number that patches have for this CPU; 0: none. */
static u16 amd_number(const u8 *table, u64 len, u32 signature)
{
	for (; len >= 16 && get32(table); table += 16, len -= 16)
		if (get32(table) == signature)
			return get16(table + 12);
	return 0;
}

const u8 *microcode_find_amd(const u8 *p, u64 len, u32 signature, u32 rev)
{
	const u8 *best = NULL;
	u16 number = 0;
	u64 size;

	while (len >= 12) {
		bool table = get32(p) == AMD_MAGIC;
		const u8 *section = table ? p + 4 : p;

		size = get32(section + 4);
		if (get32(section) != (table ? AMD_TABLE : AMD_PATCH) ||
		    size > len - (table ? 12 : 8))
			break;
		section += 8;
		if (table) {
			number = amd_number(section, size, signature);
		} else if (size >= AMD_PATCH_MIN && number && get16(section + AMD_FOR) == number &&
			   get32(section + AMD_REV) > rev) {
			rev = get32(section + AMD_REV);
			best = section;
		}
		size += table ? 12 : 8;
		p += size;
		len -= size;
	}
	return best;
}

/* ---- this machine ---- */

#define MSR_AMD_PATCH_LOADER	0xc0010020
#define VENDOR_INTEL		0x756e6547u	/* EBX of leaf 0: "Genu" */
#define VENDOR_AMD		0x68747541u	/* "Auth" */
#define HYPERVISOR		BIT(31)		/* ECX of leaf 1 */

static const u8 *update;
static u32 vendor, before, target, nr_loaded;

static u32 revision(void)
{
	if (vendor == VENDOR_AMD)
		return (u32)rdmsr(MSR_UCODE_REV);
	wrmsr(MSR_UCODE_REV, 0);
	cpuid(1);
	return rdmsr(MSR_UCODE_REV) >> 32;
}

static void find_amd(const u8 *initrd, u64 len)
{
	u64 size;
	const u8 *p = cpio_find(initrd, len, "kernel/x86/microcode/AuthenticAMD.bin", &size);

	if (!p)
		return;
	before = revision();
	update = microcode_find_amd(p, size, cpuid(1).eax, before);
	if (update)
		target = get32(update + AMD_REV);
}

static void find_intel(const u8 *initrd, u64 len)
{
	u64 size;
	const u8 *p = cpio_find(initrd, len, "kernel/x86/microcode/GenuineIntel.bin", &size);

	if (!p)
		return;
	before = revision();
	p = microcode_find_intel(p, size, cpuid(1).eax, 1u << (rdmsr(MSR_PLATFORM_ID) >> 50 & 7), before);
	if (!p)
		return;
	/* SDM vol. 3, 10.11.6; who makes initrds sees to that. */
	if ((uintptr_t)p % 16) {
		log_warn("microcode: the update in the initrd is not aligned, and not loaded");
		return;
	}
	update = p;
	target = get32(update - INTEL_HEADER + INTEL_REV);
}

/* Threads of one core share it: the second finds it there. */
void microcode_load(void)
{
	if (!update)
		return;
	if ((s32)revision() < (s32)target)
		wrmsr_safe(vendor == VENDOR_INTEL ? MSR_UCODE_WRITE : MSR_AMD_PATCH_LOADER,
			   (u64)(uintptr_t)update);
	if (revision() == target)
		fetch_add(&nr_loaded, 1u);
}

/* A hypervisor below has CPUs of its own making. */
void microcode_init(const struct boot_info *bi)
{
	const struct boot_module *m = &bi->module[1];

	if (hv_options.microcode_off || (cpuid(1).ecx & HYPERVISOR) || bi->nr_modules < 2 ||
	    !phys_is_mapped(m->start, m->end - m->start))
		return;
	vendor = cpuid(0).ebx;
	if (vendor == VENDOR_INTEL)
		find_intel(phys_to_virt(m->start), m->end - m->start);
	else if (vendor == VENDOR_AMD)
		find_amd(phys_to_virt(m->start), m->end - m->start);
	microcode_load();
}

void microcode_report(void)
{
	if (!update)
		return;
	if (nr_loaded == nr_cpus)
		log_info("microcode: revision %x, was %x", target, before);
	else
		log_warn("microcode: revision %x, was %x, is on %u of %u CPUs", target, before,
			 nr_loaded, nr_cpus);
}
