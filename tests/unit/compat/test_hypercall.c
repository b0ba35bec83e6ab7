// SPDX-License-Identifier: GPL-2.0-only
/* The dispatcher of hypercalls: who may call what, and where the result goes. */
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "compat/kvm-abi/hypercall.c"

/* What is called of all that the calls lead to. */
static struct domain guest = { .id = 1 };
static struct vcpu caller, vcpu;
static u64 apic_register;
static s64 run_result;
static u32 references;

struct domain dom0;

struct domain *domain_get(u32 id)
{
	references += id == 1;
	return id == 1 ? &guest : NULL;
}

void domain_put(struct domain *d)
{
	assert_ptr_equal(d, &guest);
	references--;
}

int vcpu_claim(struct vcpu *v __unused) { return 0; }
void vcpu_unclaim(struct vcpu *v __unused) { }
void vcpu_skip(struct vcpu *v __unused) { }
s64 vcpu_run(struct vcpu *d0 __unused, struct vcpu *v __unused) { return run_result; }
s64 pv_hypercall(struct vcpu *v __unused, u64 nr, u64 a0 __unused, u64 a1 __unused,
		 u64 a2 __unused, u64 a3 __unused)
{
	return nr == KVM_HC_KICK_CPU ? 0 : -KVM_ENOSYS;
}

int vlapic_read(struct vcpu *v __unused, u32 offset, u64 *val)
{
	assert_int_equal(offset, 0x380);
	*val = apic_register;
	return 0;
}

/* The others are not. */
void unexpected(void);
void unexpected(void) { fail(); }
#define NEVER(name) asm(".globl " #name "\n.set " #name ", unexpected")
NEVER(domain_create); NEVER(domain_destroy); NEVER(domain_donate); NEVER(domain_reclaim);
NEVER(domain_state_get); NEVER(domain_state_set); NEVER(frame_get_shared); NEVER(frame_put_shared);
NEVER(io_attach); NEVER(io_info); NEVER(ioeventfd_update); NEVER(last_log_copy); NEVER(log_copy);
NEVER(log_ending); NEVER(mmu_flush_domain); NEVER(mmu_map); NEVER(mmu_protect); NEVER(mmu_unmap);
NEVER(pv_init_domain); NEVER(ring_register); NEVER(ring_unregister); NEVER(sched_set_weight);
NEVER(state_get); NEVER(state_set); NEVER(vcpu_counters); NEVER(vcpu_create); NEVER(vcpu_kick);
NEVER(vcpu_pause); NEVER(vcpu_service); NEVER(vlapic_msi); NEVER(vlapic_write);

static s64 call(u64 nr, u64 a, u64 b, u64 c)
{
	u64 *g = caller.regs.gpr;

	g[RAX] = nr;
	g[RBX] = a;
	g[RCX] = b;
	g[RDX] = c;
	exit_hypercall(&caller);
	assert_int_equal(references, 0);
	return g[RAX];
}

static int setup(void **state __unused)
{
	caller = (struct vcpu){ .dom = &dom0 };
	vcpu.dom = &guest;
	guest.few[0] = &vcpu;
	return 0;
}

static void who_may_call(void **state __unused)
{
	const u64 run = BP_HC_BASE | BP_HC_RUN;

	run_result = BP_EXIT_INTR;
	assert_int_equal(call(run, 1, 0, 0), BP_EXIT_INTR);
	assert_int_equal(call(run, 1, 1, 0), -ENOENT);
	assert_int_equal(call(run, 1, BIT(32), 0), -ENOENT);
	assert_int_equal(call(run, BIT(32) | 1, 0, 0), -ENOENT);
	assert_int_equal(call(run, 0, 0, 0), -ENOENT);
	assert_int_equal(call(BP_HC_BASE, 1, 0, 0), -ENOSYS);
	assert_int_equal(call(BP_HC_BASE | 0xffff, 1, 0, 0), -ENOSYS);
	caller.exit.cpl = 3;
	assert_int_equal(call(run, 1, 0, 0), -EPERM);
	caller.exit.cpl = 0;
	caller.dom = &guest;
	assert_int_equal(call(run, 1, 0, 0), -EPERM);
	assert_int_equal(call(KVM_HC_KICK_CPU, 0, 0, 0), 0);
	assert_int_equal(call(BIT(32) | run, 1, 0, 0), -KVM_ENOSYS);
}

/* After RUN another vCPU is current, and the end of RUN sets RAX. */
static void result_of_run(void **state __unused)
{
	run_result = RUN_SWITCHED;
	assert_int_equal(call(BP_HC_BASE | BP_HC_RUN, 1, 0, 0), BP_HC_BASE | BP_HC_RUN);
}

/* Of all others it is the result, whatever that is. */
static void result_of_others(void **state __unused)
{
	static const u32 values[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		apic_register = values[i];
		assert_int_equal(call(BP_HC_BASE | BP_HC_LAPIC_ACCESS, 1, 0, 0x380), values[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_may_call, setup),
		cmocka_unit_test_setup(result_of_run, setup),
		cmocka_unit_test_setup(result_of_others, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
