// SPDX-License-Identifier: GPL-2.0-only
/*
 * Containers of microcode, of both vendors, and the archives that they come in: what is found is
 * all within the file, for this CPU, and newer.
 */
// SOURCES: hv/core/machine/cpio.c hv/svm/microcode.c hv/vmx/microcode.c
// CFLAGS: -include core_host.h
#include "fuzz.h"

#include "hv/core/lib/bytes.h"
#include "hv/svm/microcode.h"
#include "hv/vmx/microcode.h"

#define SIGNATURE	0x00a20f12u
#define PLATFORM	4u

u64 host_tsc;
struct cpuid host_cpuid(u32 leaf __unused, u32 sub __unused) { return (struct cpuid){ SIGNATURE, 0, 0, 0 }; }
int host_rdmsr(u32 msr __unused, u64 *val __unused) { return -1; }
int host_wrmsr(u32 msr __unused, u64 val __unused) { return -1; }

static void check_amd(const u8 *file, size_t len, u32 rev)
{
	const u8 *p = svm_microcode_find(file, len, SIGNATURE, rev);

	if (p)
		REQUIRE(p >= file + 8 && p + 64 <= file + len && get32(p, 4) > rev &&
			get32(p - 4, 0) <= file + len - p);
}

static void check_intel(const u8 *file, size_t len, u32 rev)
{
	const u8 *p = vmx_microcode_find(file, len, SIGNATURE, PLATFORM, rev);
	u32 data;

	if (!p)
		return;
	REQUIRE(p >= file + 48);
	data = get32(p - 48, 28);
	REQUIRE(p + (data ? data : 2000) <= file + len && (s32)get32(p - 48, 4) > (s32)rev);
}

static void check_cpio(const u8 *file, size_t len)
{
	u64 size = 0;
	const u8 *p = cpio_find(file, len, "f", &size);

	if (p)
		REQUIRE(p >= file + 112 && p <= file + len && size <= (u64)(file + len - p));
}

/* Sections of AMD's form: a table, then patches. */
static size_t build_amd(struct input *in, u8 *to, size_t room)
{
	size_t at = 0, n;

	while (in->left && at + 12 + 256 + 8 + 256 < room) {
		u8 what = take8(in);

		n = take8(in);
		if (what & 1) {
			put_at(to, room, at, 0x00414d44, 4);
			put_at(to, room, at + 8, n, 4);
			take_bytes(in, to + at + 12, n);
			if (what & 2)
				put_at(to, room, at + 12, SIGNATURE, 4);
			at += 12 + n;
		} else {
			put_at(to, room, at, 1, 4);
			put_at(to, room, at + 4, n, 4);
			take_bytes(in, to + at + 8, n);
			at += 8 + n;
		}
	}
	return at;
}

static u32 sum32(const u8 *p, size_t len)
{
	u32 s = 0;

	for (; len >= 4; p += 4, len -= 4)
		s += get32(p, 0);
	return s;
}

/* Updates of Intel's form, with sums that fit and a table behind the data. */
static size_t build_intel(struct input *in, u8 *to, size_t room)
{
	size_t at = 0;

	while (in->left && at + 48 + 1024 + 256 < room) {
		u8 what = take8(in);
		u32 data = 4u * take8(in), more = 4u * (take8(in) % 64);
		u8 *h = to + at;

		take_bytes(in, h, 48 + data + more);
		put_at(h, 48, 0, 1, 4);
		put_at(h, 48, 28, data, 4);
		put_at(h, 48, 32, 48 + data + more, 4);
		if (what & 1)
			put_at(h, 48, 12, SIGNATURE, 4);
		put_at(h, 48, 16, 0, 4);
		put_at(h, 48, 16, -sum32(h, 48 + data), 4);
		at += 48 + data + more;
	}
	return at;
}

/* Archives: headers whose numbers fit what follows. */
static size_t build_cpio(struct input *in, u8 *to, size_t room)
{
	size_t at = 0, n;
	char head[112];

	while (in->left && at + 512 < room) {
		u8 what = take8(in);

		n = take8(in);
		snprintf(head, sizeof(head), "070701%048x%08zx%032x%08x%08x", 0, n, 0, 2, 0);
		memcpy(to + at, head, 110);
		to[at + 110] = what & 1 ? 'f' : 'g';
		if (what & 2)
			take_bytes(in, to + at + take8(in) % 110, 8);
		at += 112;
		take_bytes(in, to + at, n);
		at = ALIGN_UP(at + n, 4);
	}
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static u8 buf[16384];
	struct input in = { data, size };
	u8 how = take8(&in);
	u32 rev = take16(&in);
	size_t len = in.left;
	u8 *file;

	if (size > 8192)
		return 0;
	memset(buf, 0, sizeof(buf));
	switch (how & 3) {
	case 0: len = build_amd(&in, buf, sizeof(buf)); break;
	case 1: len = build_intel(&in, buf, sizeof(buf)); break;
	case 2: len = build_cpio(&in, buf, sizeof(buf)); break;
	default: take_bytes(&in, buf, len);
	}
	len -= min(len, (size_t)(how >> 2));	/* torn at its end */
	file = take_copy(&(struct input){ buf, len }, len);
	check_amd(file, len, rev);
	check_intel(file, len, rev);
	check_cpio(file, len);
	free(file);
	return 0;
}
