// SPDX-License-Identifier: GPL-2.0-only
/* AMD's updates of microcode; the contract is in microcode.h. */
#include "microcode.h"

#include "lib/bytes.h"
#include "lib/x86.h"

#define MSR_AMD_PATCH_LOADER	0xc0010020

#define MAGIC	0x00414d44u
#define TABLE	0u
#define PATCH	1u
#define REV		4u			/* in a patch */
#define FOR		24u
#define PATCH_MIN	64u

/* The number that patches have for this CPU; 0: none. */
static u16 number_of(const u8 *table, u64 len, u32 signature)
{
	for (; len >= 16 && get32(table, 0); table += 16, len -= 16)
		if (get32(table, 0) == signature)
			return get16(table, 12);
	return 0;
}

const u8 *svm_microcode_find(const u8 *p, u64 len, u32 signature, u32 rev)
{
	const u8 *best = NULL;
	u16 number = 0;
	u64 size;

	while (len >= 12) {
		bool table = get32(p, 0) == MAGIC;
		const u8 *section = table ? p + 4 : p;

		size = get32(section, 4);
		if (get32(section, 0) != (table ? TABLE : PATCH) ||
		    size > len - (table ? 12 : 8))
			break;
		section += 8;
		if (table) {
			number = number_of(section, size, signature);
		} else if (size >= PATCH_MIN && number && get16(section, FOR) == number &&
			   get32(section, REV) > rev) {
			rev = get32(section, REV);
			best = section;
		}
		size += table ? 12 : 8;
		p += size;
		len -= size;
	}
	return best;
}

static u32 revision(void)
{
	u64 rev = 0;	/* where there is no such MSR */

	(void)rdmsr_safe(MSR_UCODE_REV, &rev);
	return (u32)rev;
}

static bool find(const u8 *file, u64 len, u32 rev, struct microcode *m)
{
	const u8 *p = svm_microcode_find(file, len, cpuid(1).eax, rev);

	if (p)
		*m = (struct microcode){ .data = p, .rev = get32(p, REV) };
	return p;
}

const struct microcode_kind svm_microcode = {
	.file = "kernel/x86/microcode/AuthenticAMD.bin",
	.msr = MSR_AMD_PATCH_LOADER,
	.revision = revision,
	.find = find,
};
