// SPDX-License-Identifier: GPL-2.0-only
/* A debug build's checks of spinlocks, on two CPUs. */
// SOURCES:
// CFLAGS: -DBP_DEBUG -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/panic.h"
#undef panic
#define panic(...)	ended(__VA_ARGS__)
#define panic_in_progress()	panics
static void ended(const char *fmt, ...);
static bool panics;

#include "hv/core/machine/debug/flags.h"
static u64 flags;
u64 read_flags(void) { return flags; }

#include "hv/core/machine/debug/locks.c"

static struct cpu cpu[2], *self;
static char said[256];
static jmp_buf *out;

struct cpu *this_cpu(void) { return self; }

static void ended(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	longjmp(*out, 1);
}

/* What @do_it panics with, or "". */
#define panic_of(do_it) ({					\
	jmp_buf here;						\
	said[0] = '\0';						\
	out = &here;						\
	if (!setjmp(here))					\
		do_it;						\
	said; })

static struct spinlock op, dom, vcpu, d0, queue, none;

static int start(void **state __unused)
{
	memset(cpu, 0, sizeof(cpu));
	self = &cpu[0];
	flags = 0;
	panics = false;
	spin_lock_init(&op, LOCK_DOMAIN_OP);
	spin_lock_init(&dom, LOCK_DOMAIN);
	spin_lock_init(&vcpu, LOCK_VCPU);
	spin_lock_init(&d0, LOCK_VCPU_DOM0);
	spin_lock_init(&queue, LOCK_RUNQUEUE);
	memset(&none, 0, sizeof(none));
	return 0;
}

static void order_is_kept(void **state __unused)
{
	spin_lock(&op);
	spin_lock(&dom);
	spin_lock(&vcpu);
	spin_lock(&d0);
	spin_lock(&queue);
	assert_int_equal(self->debug.locks.nr, 5);
	/* They go in any order. */
	spin_unlock(&dom);
	spin_unlock(&op);
	spin_unlock(&queue);
	spin_lock(&queue);
	spin_unlock(&d0);
	spin_unlock(&vcpu);
	spin_unlock(&queue);
	debug_no_locks("here");
}

static void order_is_broken(void **state __unused)
{
	spin_lock(&vcpu);
	assert_non_null(strstr(panic_of(spin_lock(&dom)), "(a guest's domain) comes too late: lock"));
	assert_non_null(strstr(said, "(a guest's vCPU) is held"));
	spin_unlock(&vcpu);
	/* Not the last one only. */
	spin_lock(&dom);
	spin_lock(&queue);
	assert_true(spin_trylock(&vcpu));
	assert_non_null(strstr(panic_of(spin_lock(&d0)), "(a run queue) is held"));
}

/* Two of a class have no order between them. */
static void two_of_a_class(void **state __unused)
{
	struct spinlock other = SPINLOCK_INIT(LOCK_VCPU);

	spin_lock(&vcpu);
	assert_non_null(strstr(panic_of(spin_lock(&other)), "comes too late"));
}

static void trying_waits_for_nobody(void **state __unused)
{
	spin_lock(&queue);
	assert_true(spin_trylock(&vcpu));
	spin_unlock(&queue);
	spin_unlock(&vcpu);
	spin_lock(&vcpu);
	assert_non_null(strstr(panic_of((void)spin_trylock(&vcpu)), "is held already"));
	spin_unlock(&vcpu);
	/* One that another CPU has is not had. */
	self = &cpu[1];
	spin_lock(&vcpu);
	self = &cpu[0];
	assert_false(spin_trylock(&vcpu));
	assert_int_equal(self->debug.locks.nr, 0);
}

static void owners(void **state __unused)
{
	spin_lock(&dom);
	assert_non_null(strstr(panic_of(spin_lock(&dom)), "is held already"));
	self = &cpu[1];
	assert_non_null(strstr(panic_of(spin_unlock(&dom)), "does not hold it"));
	self = &cpu[0];
	spin_unlock(&dom);
	assert_non_null(strstr(panic_of(spin_unlock(&dom)), "does not hold it"));
}

static void contexts(void **state __unused)
{
	flags = X86_EFLAGS_IF;
	assert_non_null(strstr(panic_of(spin_lock(&dom)), "taken with interrupts on"));
	flags = 0;
	self->debug.nmis = 1;
	assert_non_null(strstr(panic_of(spin_lock(&dom)), "taken in an NMI"));
	self->debug.nmis = 0;
	assert_non_null(strstr(panic_of(spin_lock(&none)), "(no class) has no class"));
	spin_lock(&dom);
	assert_non_null(strstr(panic_of(debug_no_locks("interrupts come on")),
			       "interrupts come on with lock"));
}

/* A panic takes no lock, and must not be kept from its report by those that are held. */
static void panics_check_nothing(void **state __unused)
{
	spin_lock(&queue);
	panics = true;
	assert_string_equal(panic_of(spin_lock(&dom)), "");
	assert_string_equal(panic_of(spin_unlock(&dom)), "");
}

static void too_many(void **state __unused)
{
	struct spinlock l[LOCKS_HELD + 1];
	u32 i;

	for (i = 0; i <= LOCKS_HELD; i++)
		spin_lock_init(&l[i], LOCK_DOMAIN_OP + i);
	for (i = 0; i < LOCKS_HELD; i++)
		spin_lock(&l[i]);
	assert_non_null(strstr(panic_of(spin_lock(&l[i])), "is one lock too many"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(order_is_kept, start),
		cmocka_unit_test_setup(order_is_broken, start),
		cmocka_unit_test_setup(two_of_a_class, start),
		cmocka_unit_test_setup(trying_waits_for_nobody, start),
		cmocka_unit_test_setup(owners, start),
		cmocka_unit_test_setup(contexts, start),
		cmocka_unit_test_setup(panics_check_nothing, start),
		cmocka_unit_test_setup(too_many, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
