// SPDX-License-Identifier: GPL-2.0-only
/* What an exception or interrupt in root mode does to the code that it interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <stdlib.h>

#include "hv/core/machine/trap.h"

/* panic.h has them for the hypervisor only. */
bool panic_in_progress(void) { return false; }
noreturn void panic_nmi(const struct trap_frame *f __unused) { abort(); }
noreturn void panic_frame(const struct trap_frame *f __unused, const char *fmt __unused, ...)
{
	abort();
}

#include "hv/core/machine/trap.c"

static const u8 code[] = { 0xfb, 0xf4, 0xfa, 0xc3 };	/* sti; hlt; cli; ret */
static u32 nmis, errors, interrupts;
static bool watchdogs;

const u8 trap_stubs[256 * STUB_SIZE];
const struct ex_entry ex_table_start[1], ex_table_end[1];

void irq_dispatch(u8 vector) { interrupts += vector; }
bool irq_not_exception(u8 vector) { return vector == 20; }
void nmi_handler(void) { nmis++; }
void mce_handler(void) { errors++; }
bool watchdog_nmi(const struct trap_frame *f __unused) { return watchdogs; }
/* Comes at code[at]; where it returns to. */
static size_t trap(u64 vector, size_t at)
{
	struct trap_frame f = { .vector = vector, .rip = (u64)(uintptr_t)&code[at] };

	trap_handler(&f);
	return f.rip - (u64)(uintptr_t)code;
}

/* An interrupt that waited behind STI would come before the HLT, which nothing then ends. */
static void nmi_before_hlt_ends_it(void **state __unused)
{
	nmis = errors = 0;
	assert_int_equal(trap(X86_TRAP_NMI, 1), 2);
	assert_int_equal(trap(X86_TRAP_MC, 1), 2);
	watchdogs = true;
	assert_int_equal(trap(X86_TRAP_NMI, 1), 2);
	watchdogs = false;
	assert_int_equal(nmis, 1);
	assert_int_equal(errors, 1);
}

static void others_go_on_where_they_were(void **state __unused)
{
	static const size_t elsewhere[] = { 0, 2, 3 };
	size_t i;

	interrupts = 0;
	for (i = 0; i < 3; i++) {
		assert_int_equal(trap(X86_TRAP_NMI, elsewhere[i]), elsewhere[i]);
		assert_int_equal(trap(X86_TRAP_MC, elsewhere[i]), elsewhere[i]);
		assert_int_equal(trap(0xf9, elsewhere[i]), elsewhere[i]);
		assert_int_equal(trap(20, elsewhere[i]), elsewhere[i]);
	}
	assert_int_equal(interrupts, 3 * (0xf9 + 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nmi_before_hlt_ends_it),
		cmocka_unit_test(others_go_on_where_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
