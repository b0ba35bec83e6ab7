// SPDX-License-Identifier: GPL-2.0-only
/* Bedplate's options. */
// SOURCES: hv/core/machine/cmdline.c hv/core/machine/serial_option.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/machine/cmdline.h"
#include "hv/core/lib/errno.h"
#include "hv/core/machine/log.h"
#include "hv/core/lib/string.h"

static struct hv_options o;
static struct cmdline_report rep;

static void defaults(void **state __unused)
{
	assert_int_equal(cmdline_parse("", &o, &rep), 0);
	assert_int_equal(o.serial.kind, SERIAL_AUTO);
	assert_int_equal(o.loglevel, LOG_INFO);
	assert_int_equal(o.panic_reboot, 0);
	assert_int_equal(o.dom0_max_cpus, 0);
	assert_int_equal(o.hide_hypervisor, 0);
	assert_int_equal(o.timer_apic, 0);
	assert_int_equal(o.vtd, VTD_AUTO);
	assert_int_equal(rep.nr_unknown, 0);
}

static void takes_every_option(void **state __unused)
{
	assert_int_equal(cmdline_parse("  serial=0x2f8 loglevel=debug\tpanic=reboot "
				       "dom0_max_cpus=3 hide_hypervisor=1 timer=apic apicv=registers "
				       "iommu=required vtd=scalable\n",
				       &o, &rep), 0);
	assert_int_equal(o.serial.kind, SERIAL_PORT);
	assert_int_equal(o.serial.addr, 0x2f8);
	assert_int_equal(o.loglevel, LOG_DEBUG);
	assert_int_equal(o.panic_reboot, PANIC_AT_ONCE);
	assert_int_equal(o.dom0_max_cpus, 3);
	assert_int_equal(o.hide_hypervisor, 1);
	assert_int_equal(o.timer_apic, 1);
	assert_int_equal(o.iommu, IOMMU_REQUIRED);
	assert_int_equal(o.vtd, VTD_SCALABLE);
	assert_int_equal(cmdline_parse("serial=off loglevel=0 timer=auto panic=halt", &o, &rep), 0);
	assert_int_equal(o.serial.kind, SERIAL_OFF);
	assert_int_equal(o.loglevel, LOG_ERR);
	assert_int_equal(o.panic_reboot, 0);
	assert_int_equal(cmdline_parse("panic=10 watchdog=30", &o, &rep), 0);
	assert_int_equal(o.panic_reboot, 10);
	assert_int_equal(o.watchdog, 30);
	assert_int_equal(cmdline_parse("panic=0 watchdog=off", &o, &rep), 0);
	assert_int_equal(o.panic_reboot | o.watchdog, 0);
}

static void mitigations(void **state __unused)
{
	assert_int_equal(cmdline_parse("", &o, &rep), 0);
	assert_int_equal(o.mitigations_off | o.ibpb | o.ibrs_off | o.bhi_off | o.rsb_off |
			 o.l1d_flush | o.srso_off | o.verw, 0);
	assert_int_equal(cmdline_parse("mitigations=off ibpb=off ibrs=off bhi=off rsb=off "
				       "l1d_flush=off srso=off verw=off", &o, &rep), 0);
	assert_true(o.mitigations_off && o.ibrs_off && o.bhi_off && o.rsb_off && o.srso_off);
	assert_int_equal(o.ibpb, IBPB_OFF);
	assert_int_equal(o.l1d_flush, L1D_OFF);
	assert_int_equal(o.verw, VERW_OFF);
	assert_int_equal(cmdline_parse("ibpb=guests l1d_flush=always verw=always mitigations=on",
				       &o, &rep), 0);
	assert_int_equal(o.ibpb, IBPB_GUESTS);
	assert_int_equal(o.l1d_flush, L1D_ALWAYS);
	assert_int_equal(o.verw, VERW_ALWAYS);
	assert_false(o.mitigations_off);
	assert_int_equal(rep.nr_unknown, 0);
}

static void stalls(void **state __unused)
{
	assert_int_equal(cmdline_parse("", &o, &rep), 0);
	assert_int_equal(o.bus_lock_off | o.notify_off, 0);
	assert_int_equal(cmdline_parse("bus_lock=off notify=off", &o, &rep), 0);
	assert_true(o.bus_lock_off && o.notify_off);
}

static void the_last_one_counts(void **state __unused)
{
	assert_int_equal(cmdline_parse("panic=reboot panic=halt", &o, &rep), 0);
	assert_int_equal(o.panic_reboot, 0);
}

static void names_the_malformed(void **state __unused)
{
	static const char *const bad[] = {
		"serial=com1", "serial=", "serial", "serial=0x", "serial=0x10000",
		"serial=-1", "serial=99999999999999999999", "loglevel=4", "loglevel=loud",
		"panic=3601", "panic=-1", "panic=reboot:5", "watchdog=", "watchdog=3601", "dom0_max_cpus=0", "dom0_max_cpus=257", "dom0_max_cpus=2x",
		"hide_hypervisor=2", "timer=hpet", "panic=", "mitigations=no", "ibpb=1",
		"ibrs=guests", "l1d_flush=on", "verw=", "rsb",
	};
	char line[128];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		strcpy(line, "loglevel=info ");
		strcat(line, bad[i]);
		strcat(line, " panic=reboot");
		assert_int_equal(cmdline_parse(line, &o, &rep), -EINVAL);
		assert_string_equal(rep.bad, bad[i]);
	}
}

static void counts_the_unknown(void **state __unused)
{
	char word[200] = "x=";

	assert_int_equal(cmdline_parse("a b=1 serials=1 seria=2 d panic=reboot", &o, &rep), 0);
	assert_int_equal(rep.nr_unknown, 5);
	assert_string_equal(rep.unknown[0], "a");
	assert_string_equal(rep.unknown[1], "b=1");
	assert_string_equal(rep.unknown[3], "seria=2");
	assert_int_equal(o.panic_reboot, PANIC_AT_ONCE);
	memset(word + 2, 'y', 150);
	assert_int_equal(cmdline_parse(word, &o, &rep), 0);
	assert_int_equal(strlen(rep.unknown[0]), CMDLINE_WORD - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(takes_every_option),
		cmocka_unit_test(mitigations),
		cmocka_unit_test(stalls),
		cmocka_unit_test(the_last_one_counts),
		cmocka_unit_test(names_the_malformed),
		cmocka_unit_test(counts_the_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
