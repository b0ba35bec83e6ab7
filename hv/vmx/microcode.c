// SPDX-License-Identifier: GPL-2.0-only
/* Intel's updates of microcode; the contract is in microcode.h. */
#include "microcode.h"

#include "lib/bytes.h"
#include "lib/x86.h"
#include "machine/log.h"

#define HEADER		48u
#define REV		4u
#define SIG		12u
#define PLATFORM	24u
#define DATA		28u
#define TOTAL		32u
#define OLD_DATA	2000u			/* where the header says 0 */

/* More CPUs that it is for: a table behind the data, of 20 bytes and 12 for each. */
static bool also_for(const u8 *table, u64 len, u32 signature, u32 platform)
{
	u64 i, n = len < 20 ? 0 : get32(table, 0);

	for (i = 0; i < n && 20 + (i + 1) * 12 <= len; i++) {
		const u8 *e = table + 20 + i * 12;

		if (get32(e, 0) == signature && (get32(e, 4) & platform))
			return true;
	}
	return false;
}

static u32 sum(const u8 *p, u64 len)
{
	u32 s = 0;

	for (; len >= 4; len -= 4, p += 4)
		s += get32(p, 0);
	return s;
}

const u8 *vmx_microcode_find(const u8 *p, u64 len, u32 signature, u32 platform, u32 rev)
{
	const u8 *best = NULL;
	u64 total;

	for (; len >= HEADER; p += total, len -= total) {
		u64 data = get32(p, DATA);

		total = data ? get32(p, TOTAL) : HEADER + OLD_DATA;
		data = data ? data : OLD_DATA;
		if (get32(p, 0) != 1 || (total | data) & 3 || total > len || data > total ||
		    HEADER + data > total)
			break;
		if ((s32)get32(p, REV) <= (s32)rev || sum(p, HEADER + data))
			continue;
		if ((get32(p, SIG) == signature && (get32(p, PLATFORM) & platform)) ||
		    also_for(p + HEADER + data, total - HEADER - data, signature, platform)) {
			rev = get32(p, REV);
			best = p + HEADER;
		}
	}
	return best;
}

/* SDM vol. 3, 10.11.7; 0 where the CPU has none of it. */
static u32 revision(void)
{
	u64 rev;

	if (wrmsr_safe(MSR_UCODE_REV, 0))
		return 0;
	cpuid(1);
	return rdmsr_safe(MSR_UCODE_REV, &rev) ? 0 : (u32)(rev >> 32);
}

static bool find(const u8 *file, u64 len, u32 rev, struct microcode *m)
{
	const u8 *p;
	u64 id;

	if (rdmsr_safe(MSR_PLATFORM_ID, &id))
		return false;
	p = vmx_microcode_find(file, len, cpuid(1).eax, 1u << (id >> 50 & 7), rev);
	if (!p)
		return false;
	/* SDM vol. 3, 10.11.6; who makes initrds sees to that. */
	if ((uintptr_t)p % 16) {
		log_warn("microcode: the update in the initrd is not aligned, and not loaded");
		return false;
	}
	*m = (struct microcode){ .data = p, .rev = get32(p - HEADER, REV) };
	return true;
}

const struct microcode_kind vmx_microcode = {
	.file = "kernel/x86/microcode/GenuineIntel.bin",
	.msr = MSR_UCODE_WRITE,
	.revision = revision,
	.find = find,
};
