// SPDX-License-Identifier: GPL-2.0-only
/* Debug registers, which a CPU has for a vCPU that uses them, and for no other. */
// SOURCES: hv/core/vcpu/extra.c
// CFLAGS: -include core_host.h -mxsave
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/cpu.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"

static struct cpu cpu;
static struct vcpu a, b;
static u8 area[2][4096] __attribute__((aligned(64)));
static u64 hw[4];
static int moves, synced;

struct cpu *this_cpu(void) { return &cpu; }
struct cpuid host_cpuid(u32 leaf __unused, u32 sub __unused) { return (struct cpuid){ 0 }; }
int host_wrmsr(u32 msr __unused, u64 val __unused) { fail(); return 0; }
void host_xsetbv(u32 xcr __unused, u64 val __unused) { fail(); }

u64 host_read_dr(u32 n)
{
	moves++;
	return hw[n];
}

void host_write_dr(u32 n, u64 val)
{
	moves++;
	hw[n] = val;
}

static void sync_controls(struct vcpu *v __unused) { synced++; }

static const struct hv_ops table = { .sync_controls = sync_controls };
const struct hv_ops *ops = &table;

static void begin(struct vcpu *v, void *xsave)
{
	memset(v, 0, sizeof(*v));
	v->xsave = xsave;
	v->xcr0 = xcr0_supported;
	v->dr7 = X86_DR7_INIT;
}

static int setup(void **state __unused)
{
	xcr0_supported = XCR0_FP | XCR0_SSE;
	begin(&a, area[0]);
	begin(&b, area[1]);
	memset(hw, 0x55, sizeof(hw));
	extra_init_cpu(&cpu);
	moves = synced = 0;
	/* What XRSTOR takes. */
	vcpu_save_extra(&a);
	vcpu_save_extra(&b);
	return 0;
}

static void turn(struct vcpu *from, struct vcpu *to)
{
	vcpu_save_extra(from);
	vcpu_load_extra(to);
}

static bool hw_is(u64 dr0, u64 dr3)
{
	return hw[0] == dr0 && hw[3] == dr3;
}

static void not_moved_for_nobody(void **state __unused)
{
	a.dr[0] = 0x1111;	/* enabled by nothing */
	vcpu_load_extra(&a);
	turn(&a, &b);
	turn(&b, &a);
	assert_int_equal(moves, 0);
	assert_int_equal(synced, 0);
	assert_true(hw_is(0, 0));
	assert_int_equal(a.dr[0], 0x1111);
}

/* Its own are there when it goes on, and what it writes is kept; the next vCPU finds zeroes. */
static void used(void **state __unused)
{
	a.dr[0] = 0x1111;
	vcpu_load_extra(&a);
	vcpu_use_drs(&a);
	assert_true(a.dr_own);
	assert_int_equal(synced, 1);
	assert_true(hw_is(0x1111, 0));
	hw[3] = 0x4444;
	turn(&a, &b);
	assert_false(b.dr_own);
	assert_true(hw_is(0, 0));
	assert_int_equal(a.dr[0], 0x1111);
	assert_int_equal(a.dr[3], 0x4444);

	/* Nothing is enabled: until the next MOV DR they stay in memory. */
	turn(&b, &a);
	assert_false(a.dr_own);
	assert_int_equal(synced, 2);
	assert_true(hw_is(0, 0));
	vcpu_use_drs(&a);
	assert_true(hw_is(0x1111, 0x4444));
}

/* One that is enabled is there in each turn, whoever has set it. */
static void enabled(void **state __unused)
{
	int i;

	vcpu_load_extra(&b);
	a.dr[3] = 0x4444;
	for (i = 0; i < 8; i++) {
		a.dr7 = X86_DR7_INIT | 1u << i;
		turn(&b, &a);
		assert_true(a.dr_own);
		assert_int_equal(synced, 1);
		assert_true(hw_is(0, 0x4444));
		turn(&a, &b);
		assert_true(hw_is(0, 0));
	}
	a.dr7 = X86_DR7_INIT;
	turn(&b, &a);
	assert_false(a.dr_own);
	assert_int_equal(synced, 2);
}

/* INIT, while it runs. */
static void reset_while_used(void **state __unused)
{
	vcpu_load_extra(&a);
	vcpu_use_drs(&a);
	hw[0] = 0x1111;
	vcpu_save_extra(&a);
	memset(a.dr, 0, sizeof(a.dr));
	vcpu_load_extra(&a);
	assert_false(a.dr_own);
	assert_true(hw_is(0, 0));
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(not_moved_for_nobody), T(used), T(enabled), T(reset_while_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
