// SPDX-License-Identifier: GPL-2.0-only
/* Options that Secure Boot does not allow. */
// SOURCES: boot/efi/weak.c hv/core/machine/cmdline.c hv/core/machine/serial_option.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boot/efi/weak.h"

static const char *judge(const char *line)
{
	struct cmdline_report rep;
	struct hv_options o;

	assert_int_equal(cmdline_parse(line, &o, &rep), 0);
	assert_int_equal(rep.nr_unknown, 0);
	return weak_option(&o);
}

static void weak(void **state)
{
	static const char *const words[] = {
		"mitigations=off", "ibpb=off", "ibpb=guests", "ibrs=off", "bhi=off", "rsb=off",
		"l1d_flush=off", "srso=off", "verw=off", "iommu=off",
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		assert_string_equal(judge(words[i]), words[i]);
	assert_string_equal(judge("serial=0x1f0"), "serial= of an unusual place");
	assert_string_equal(judge("serial=mmio32:0xfed00000"), "serial= of an unusual place");
	assert_string_equal(judge("serial=pci:00:1f.2"), "serial= of an unusual place");
	/* The last one counts, as it does for Bedplate. */
	assert_null(judge("iommu=off iommu=on"));
	assert_string_equal(judge("verw=on verw=off"), "verw=off");
}

static void strong(void **state)
{
	(void)state;
	assert_null(judge(""));
	assert_null(judge("loglevel=debug panic=reboot serial=off iommu=required dom0_max_cpus=2"));
	assert_null(judge("serial=pci"));
	assert_null(judge("serial=pci,9600"));
	assert_null(judge("serial=spcr"));
	assert_null(judge("serial=0x2f8 hide_hypervisor=1 timer=apic apicv=none l1d_flush=always"));
	assert_null(judge("verw=always"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weak),
		cmocka_unit_test(strong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
