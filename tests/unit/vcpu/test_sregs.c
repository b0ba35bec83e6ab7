// SPDX-License-Identifier: GPL-2.0-only
/* What both vendors' CPUs accept in special registers, and what INIT leaves. */
// SOURCES: hv/core/vcpu/sregs.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kvm.h>

#include "hv/core/lib/errno.h"
#include "hv/core/machine/limits.h"
#include "hv/core/lib/segment.h"
#include "hv/core/vcpu/sregs.h"
#include "hv/core/lib/x86_regs.h"

static const struct cpu_limits limits = {
	.vaddr_bits = 48,
	.phys_end = BIT(48),
	.cr3_valid = BIT(48) - 1,
	.cr4_valid = 0x7ff | X86_CR4_PCIDE | X86_CR4_CET,
	.efer_valid = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX,
};

/* ---- the whole of them ---- */

static struct kvm_sregs long_mode(void)
{
	return (struct kvm_sregs){
		.cr0 = 0x80000011, .cr3 = 0x1000, .cr4 = X86_CR4_PAE,
		.efer = EFER_LME | EFER_LMA, .cs = { .l = 1 },
	};
}

static int with(void (*change)(struct kvm_sregs *s))
{
	struct kvm_sregs s = long_mode();

	change(&s);
	return sregs_check(&limits, &s);
}

static void c_none(struct kvm_sregs *s __unused) { }
static void c_no_pae(struct kvm_sregs *s) { s->cr4 = 0; }
static void c_no_lma(struct kvm_sregs *s) { s->efer = EFER_LME; }
static void c_no_lme(struct kvm_sregs *s) { s->efer = EFER_LMA; }
static void c_l_and_d(struct kvm_sregs *s) { s->cs.db = 1; }
static void c_no_pg(struct kvm_sregs *s) { s->cr0 = 0x11; }
static void c_no_pe(struct kvm_sregs *s) { s->cr0 &= ~1ull; }
static void c_cr0_high(struct kvm_sregs *s) { s->cr0 |= BIT(32); }
static void c_nw(struct kvm_sregs *s) { s->cr0 |= X86_CR0_NW; }
static void c_nw_cd(struct kvm_sregs *s) { s->cr0 |= X86_CR0_NW | X86_CR0_CD; }
static void c_cr3(struct kvm_sregs *s) { s->cr3 |= BIT(48); }
static void c_cr3_noflush(struct kvm_sregs *s) { s->cr3 |= BIT(63); }
static void c_cr4(struct kvm_sregs *s) { s->cr4 |= X86_CR4_VMXE; }
static void c_svme(struct kvm_sregs *s) { s->efer |= EFER_SVME; }
static void c_pcid(struct kvm_sregs *s) { s->cr4 |= X86_CR4_PCIDE; }
static void c_cet(struct kvm_sregs *s) { s->cr4 |= X86_CR4_CET; }
static void c_cet_wp(struct kvm_sregs *s) { c_cet(s); s->cr0 |= X86_CR0_WP; }
static void c_compat(struct kvm_sregs *s) { s->cs.l = 0; s->cs.db = 1; }

static void legacy(struct kvm_sregs *s)
{
	s->efer = 0;
	s->cs.l = 0;
}
static void c_real(struct kvm_sregs *s) { legacy(s); s->cr0 = 0x60000010; s->cr4 = 0; }
static void c_pcid_in_legacy(struct kvm_sregs *s) { legacy(s); s->cr4 = X86_CR4_PCIDE; }
static void c_paged32(struct kvm_sregs *s) { legacy(s); s->cr4 = 0; }
static void c_l_in_legacy(struct kvm_sregs *s) { legacy(s); s->cs.l = 1; }
static void c_lme_unpaged(struct kvm_sregs *s)
{
	legacy(s);
	s->efer = EFER_LME;
	s->cr0 = 0x11;
}

static void consistency(void **state __unused)
{
	static void (*const good[])(struct kvm_sregs *s) = {
		c_none, c_pcid, c_cet_wp, c_nw_cd, c_compat, c_real, c_paged32, c_lme_unpaged,
		c_pcid_in_legacy,	/* KVM takes it; VMX refuses the entry */
	};
	static void (*const bad[])(struct kvm_sregs *s) = {
		c_no_pae, c_no_lma, c_no_lme, c_l_and_d, c_no_pg, c_no_pe, c_cr0_high,
		c_nw, c_cr3, c_cr3_noflush, c_cr4, c_svme, c_l_in_legacy,
		c_cet,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(with(good[i]), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(with(bad[i]), -EINVAL);
}

static void after_init(void **state __unused)
{
	struct kvm_sregs s;

	memset(&s, 0xff, sizeof(s));
	sregs_init(&s);
	assert_int_equal(sregs_check(&limits, &s), 0);
	assert_int_equal(s.cr0, 0x60000010);
	assert_int_equal(s.cr2 | s.cr3 | s.cr4 | s.cr8 | s.efer | s.apic_base, 0);
	assert_int_equal(s.cs.selector, 0xf000);
	assert_int_equal(s.cs.base, 0xffff0000);
	assert_int_equal(segment_rights(&s.cs), 0x9b);
	assert_int_equal(segment_rights(&s.ss), 0x93);
	assert_memory_equal(&s.ds, &s.ss, sizeof(s.ss));
	assert_int_equal(segment_rights(&s.ldt), 0x82);
	assert_int_equal(segment_rights(&s.tr), 0x8b);
	assert_int_equal(s.gdt.base | s.idt.base | s.tr.base, 0);
	assert_int_equal(s.gdt.limit, 0xffff);
	assert_int_equal(s.idt.limit, 0xffff);
}

/* ---- EFER, PAT, addresses ---- */

static void efer(void **state __unused)
{
	static const struct {
		u64 cr0, old, val;
		int err;
		u64 after;
	} t[] = {
		{ 0, 0, EFER_LME, 0, EFER_LME },
		/* LMA is the CPU's. */
		{ 0, 0, EFER_LME | EFER_LMA, 0, EFER_LME },
		{ X86_CR0_PG, EFER_LME | EFER_LMA, EFER_LME | EFER_NX, 0,
		  EFER_LME | EFER_LMA | EFER_NX },
		/* LME stays under paging. */
		{ X86_CR0_PG, EFER_LME | EFER_LMA, EFER_NX, -EINVAL, 0 },
		{ X86_CR0_PG, 0, EFER_LME, -EINVAL, 0 },
		{ X86_CR0_PE, EFER_LME, 0, 0, 0 },
		{ 0, 0, EFER_SVME, -EINVAL, 0 },
		{ 0, 0, BIT(1), -EINVAL, 0 },
		{ 0, 0, BIT(63), -EINVAL, 0 },
		/* What a back end keeps in it for itself does not come back. */
		{ 0, EFER_SVME, EFER_SCE, 0, EFER_SCE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		u64 val = t[i].val;

		assert_int_equal(efer_write(&limits, t[i].cr0, t[i].old, &val), t[i].err);
		if (!t[i].err)
			assert_int_equal(val, t[i].after);
	}
}

static void pat(void **state __unused)
{
	u32 type, i;

	assert_true(pat_valid(PAT_RESET));
	assert_true(pat_valid(0));
	for (i = 0; i < 64; i += 8)
		for (type = 0; type < 256; type++)
			assert_int_equal(pat_valid((u64)type << i),
					 type < 8 && type != 2 && type != 3);
}

static void addresses(void **state __unused)
{
	struct cpu_limits five = limits;

	assert_true(canonical(&limits, 0x7fffffffffff));
	assert_true(canonical(&limits, 0xffff800000000000));
	assert_false(canonical(&limits, 0x800000000000));
	assert_false(canonical(&limits, 0xffff7fffffffffff));
	assert_false(canonical(&limits, BIT(63)));
	five.vaddr_bits = 57;
	assert_true(canonical(&five, 0x800000000000));
	assert_false(canonical(&five, BIT(56)));
	assert_int_equal(sign_extend(0x800000000000, 48), 0xffff800000000000);
	assert_int_equal(sign_extend(0xabcd000000001234, 48), 0x1234);
}

/* ---- segments ---- */

static void rights_there_and_back(void **state __unused)
{
	u32 rights;

	for (rights = 0; rights < 0x10000; rights++) {
		struct kvm_segment s = { .selector = 8, .base = 1, .limit = 2 };

		if (rights & 0xf00)
			continue;
		segment_set_rights(&s, rights);
		assert_int_equal(segment_rights(&s), rights);
		assert_int_equal(s.unusable, !(rights & AR_P));
		assert_true(s.selector == 8 && s.base == 1 && s.limit == 2);
	}
}

/* A VMM may put more into a field than it has bits. */
static void rights_do_not_leak(void **state __unused)
{
	struct kvm_segment s = { .type = 0xff, .dpl = 0xff };

	assert_int_equal(segment_rights(&s), 0x6f);
	s = (struct kvm_segment){ .s = 2, .present = 4, .avl = 8, .l = 16, .db = 32, .g = 64 };
	assert_int_equal(segment_rights(&s), AR_S | AR_P | AR_AVL | AR_L | AR_DB | AR_G);
}

#define T(f) cmocka_unit_test(f)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(consistency), T(after_init), T(efer), T(pat), T(addresses),
		T(rights_there_and_back), T(rights_do_not_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
