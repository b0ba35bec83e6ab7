// SPDX-License-Identifier: GPL-2.0-only
/* Bedplate's options, and which of them weaken what Secure Boot protects. */
// SOURCES: hv/core/machine/cmdline.c hv/core/machine/serial_option.c boot/efi/weak.c
#include "fuzz.h"

#include "boot/efi/weak.h"
#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = (char *)take_copy(&(struct input){ data, size }, size + 1);
	struct cmdline_report rep;
	struct hv_options o;
	const char *weak;
	u32 i;

	if (!cmdline_parse(line, &o, &rep)) {
		REQUIRE(o.loglevel <= LOG_DEBUG && o.ibpb <= IBPB_GUESTS && o.l1d_flush <= L1D_ALWAYS);
		REQUIRE(o.iommu <= IOMMU_REQUIRED && o.vtd <= VTD_SCALABLE && o.apicv <= APICV_NONE);
		REQUIRE(o.serial.kind <= SERIAL_SPCR);
		REQUIRE(o.serial.kind != SERIAL_PORT || o.serial.addr <= 0xfff8);
		weak = weak_option(&o);
		REQUIRE(!weak || *weak);
	} else {
		REQUIRE(memchr(rep.bad, 0, sizeof(rep.bad)) && *rep.bad);
	}
	for (i = 0; i < min(rep.nr_unknown, 4u); i++)
		REQUIRE(*rep.unknown[i] && memchr(rep.unknown[i], 0, sizeof(rep.unknown[i])));
	free(line);
	return 0;
}
