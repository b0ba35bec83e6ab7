// SPDX-License-Identifier: GPL-2.0-only
/* The table of firmware's serial console, its sum made right or not. */
// SOURCES: hv/core/machine/spcr.c hv/core/lib/printf.c
#include "fuzz.h"

#include "hv/core/machine/spcr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	bool honest = take8(&in) & 7;
	size_t len = in.left;
	u8 *t = take_copy(&in, len);
	struct spcr out;

	if (honest) {
		put_at(t, len, 0, 0x52435053, 4);
		fix_sum(t, len, 9);
	}
	if (!spcr_parse(t, (u32)len, &out)) {
		REQUIRE(out.addr && out.width && out.stride && out.stride >= out.width);
		REQUIRE(out.stride <= 4 && !(out.stride & (out.stride - 1)));
		REQUIRE(!out.io || out.addr <= 0xfff8);
		REQUIRE(out.io || !(out.addr & (out.width - 1)));
	}
	free(t);
	return 0;
}
