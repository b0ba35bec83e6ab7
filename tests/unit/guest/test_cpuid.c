// SPDX-License-Identifier: GPL-2.0-only
/* CPUID of a guest: what the table of its VMM answers, by the short way and by the long one. */
// SOURCES: hv/core/guest/cpuid.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/guest/cpuid.h"
#include "hv/core/guest/cpuid_allow.h"
#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/vcpu.h"

#define ENTRIES	60

static struct domain dom = { .id = 1 };
static struct kvm_cpuid_entry2 table[ENTRIES];
static struct vcpu v;
struct hv_options hv_options;
u32 nr_cpus = 1;

/* ---- stand-ins ---- */

struct cpuid host_cpuid(u32 leaf __unused, u32 sub __unused)
{
	fail();
	return (struct cpuid){ 0 };
}

struct cpuid cpuid_offer(u32 who __unused, u32 leaf __unused, u32 sub __unused)
{
	fail();
	return (struct cpuid){ 0 };
}

u32 xsave_bytes(u64 xcr0, bool compact)
{
	return xcr0 * 100 + compact;
}

static void op_get_paging(struct vcpu *w __unused, struct vcpu_paging *p)
{
	*p = (struct vcpu_paging){ .cr4 = X86_CR4_OSXSAVE | X86_CR4_PKE };
}

static const struct hv_ops host_ops = { .get_paging = op_get_paging };
const struct hv_ops *ops = &host_ops;

/* ---- tables ---- */

static const u32 leaves[] = {
	0, 1, 2, 4, 4, 4, 6, 7, 7, 0xb, 0xb, 0xd, 0xd, 0xd, 0x14, 0x1f, 0x20, 0x40000000,
	0x40000001, 0x40000100, 0x80000000, 0x80000001, 0x80000008, 0x8000001d, 0x80000020,
	0xc0000000, 0xc0000001,
};

static void add(u32 leaf, bool by_index, u32 index)
{
	struct kvm_cpuid_entry2 *e = &table[v.cpuid_n++];

	assert_true(v.cpuid_n <= ENTRIES);
	*e = (struct kvm_cpuid_entry2){
		.function = leaf, .index = index,
		.flags = by_index ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
		.eax = rand(), .ebx = rand(), .ecx = rand(), .edx = rand(),
	};
}

/* Leaves in some order, those of several subleaves with them, some not at all. */
static void make_table(bool intel)
{
	u32 i, j, index;

	v.cpuid_n = 0;
	for (i = 0; i < 40; i++) {
		u32 leaf = leaves[rand() % ARRAY_SIZE(leaves)];

		for (index = 0, j = 0; j < v.cpuid_n; j++)
			index += table[j].function == leaf;
		if (!index || table[0].flags)
			add(leaf, index || rand() % 2, index);
	}
	for (i = 0; intel && i < v.cpuid_n; i++)
		if (!table[i].function)
			table[i].ebx = 0x756e6547;
	cpuid_index(&v);
}

static int setup(void **state __unused)
{
	memset(&v, 0, sizeof(v));
	v.dom = &dom;
	v.cpuid = table;
	v.xcr0 = 3;
	v.apic.base = APIC_BASE_ENABLE;
	srand(1);
	return 0;
}

/* ---- what is to come out ---- */

static const struct kvm_cpuid_entry2 *listed(u32 leaf, u32 sub)
{
	u32 i;

	for (i = 0; i < v.cpuid_n; i++)
		if (table[i].function == leaf &&
		    (!(table[i].flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || table[i].index == sub))
			return &table[i];
	return NULL;
}

static void execute(u32 leaf, u32 sub)
{
	u64 *r = v.regs.gpr;

	r[RAX] = 0xdead00000000 | leaf;		/* the upper halves do not count */
	r[RCX] = 0xbeef00000000 | sub;
	r[RBX] = r[RDX] = ~0ull;
	cpuid_execute(&v);
}

static void compare(u32 leaf, u32 sub)
{
	const struct kvm_cpuid_entry2 *e = listed(leaf, sub);
	struct cpuid c = vcpu_cpuid(&v, leaf, sub);
	const u64 *r = v.regs.gpr;

	execute(leaf, sub);
	assert_int_equal(r[RAX], c.eax);
	assert_int_equal(r[RBX], c.ebx);
	assert_int_equal(r[RCX], c.ecx);
	assert_int_equal(r[RDX], c.edx);
	if (!e || leaf == 1 || leaf == 7 || leaf == 0xd)
		return;
	assert_int_equal(r[RAX], e->eax);
	assert_int_equal(r[RBX], e->ebx);
	assert_int_equal(r[RCX], e->ecx);
	assert_int_equal(r[RDX], e->edx);
}

static void both_ways_agree(void **state __unused)
{
	u32 n, i, sub;

	for (n = 0; n < 2000; n++) {
		make_table(n % 2);
		for (i = 0; i < ARRAY_SIZE(leaves); i++)
			for (sub = 0; sub < 5; sub++)
				compare(leaves[i] + rand() % 2, sub);
	}
}

static void follows_registers(void **state __unused)
{
	add(1, false, 0);
	add(7, true, 0);
	add(0xd, true, 0);
	table[0].ecx = table[1].ecx = 0;
	table[0].edx = ~0u;
	cpuid_index(&v);
	execute(1, 0);
	assert_true(v.regs.gpr[RCX] & BIT(27));		/* OSXSAVE */
	assert_true(v.regs.gpr[RDX] & BIT(9));		/* APIC */
	v.apic.base = 0;
	execute(1, 0);
	assert_false(v.regs.gpr[RDX] & BIT(9));
	execute(7, 0);
	assert_true(v.regs.gpr[RCX] & BIT(4));		/* OSPKE */
	execute(0xd, 0);
	assert_int_equal(v.regs.gpr[RBX], xsave_bytes(3, false));
}

/* Intel's: beyond the highest basic leaf it is that one's answer; AMD's: nothing. */
static void beyond_the_last(void **state __unused)
{
	add(0, false, 0);
	add(5, false, 0);
	table[0].eax = 5;
	cpuid_index(&v);
	execute(9, 0);
	assert_int_equal(v.regs.gpr[RAX] | v.regs.gpr[RDX], 0);
	table[0].ebx = 0x756e6547;
	execute(9, 0);
	assert_int_equal(v.regs.gpr[RAX], table[1].eax);
	execute(0x40000000, 0);
	assert_int_equal(v.regs.gpr[RAX] | v.regs.gpr[RBX], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(both_ways_agree, setup),
		cmocka_unit_test_setup(follows_registers, setup),
		cmocka_unit_test_setup(beyond_the_last, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
