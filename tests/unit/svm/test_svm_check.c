// SPDX-License-Identifier: GPL-2.0-only
/* SVM: what VMRUN refuses is named, and a good VMCB is not. */
// SOURCES: hv/svm/check.c hv/core/vcpu/sregs.c
#include "svm_rig.h"

static struct vmcb good(void)
{
	struct vmcb b = { 0 };

	b.c.intercept2 = SVM_I2_VMRUN;
	b.c.iopm = 0x10000;
	b.c.msrpm = 0x20000;
	b.c.asid = 1;
	b.c.nested_ctl = SVM_NP_ENABLE;
	b.c.n_cr3 = 0x30000;
	b.s.efer = EFER_SVME | EFER_LME | EFER_LMA;
	b.s.cr0 = 0x80000011;
	b.s.cr4 = X86_CR4_PAE;
	b.s.dr6 = 0xffff0ff0;
	b.s.dr7 = 0x400;
	b.s.cs.attrib = 0x29b;
	b.s.g_pat = 0x0007040600070406;
	return b;
}

static void expect(const struct vmcb *b, const char *word)
{
	const char *why = svm_vmcb_fault(&svm, b);

	if (!word) {
		assert_null(why);
		return;
	}
	assert_non_null(why);
	assert_non_null(strstr(why, word));
}

#define FAULT(change, word) do {	\
		struct vmcb b = good();	\
		b.change;		\
		expect(&b, word);	\
	} while (0)

static void save_area(void **state __unused)
{
	FAULT(s.cr2 = ~0ull, NULL);
	FAULT(s.efer &= ~EFER_SVME, "SVME");
	FAULT(s.efer |= BIT(16), "EFER");
	FAULT(s.cr0 |= X86_CR0_NW, "CR0.NW");
	FAULT(s.cr0 |= BIT(40), "CR0");
	FAULT(s.cr0 &= ~X86_CR0_PE, "PE");
	FAULT(s.cr3 = BIT(50), "CR3");
	FAULT(s.cr4 |= BIT(30), "CR4");
	FAULT(s.cr4 = 0, "PAE");
	FAULT(s.dr6 |= BIT(32), "DR6");
	FAULT(s.dr7 |= BIT(32), "DR7");
	FAULT(s.cs.attrib |= SVM_SEG_DB, "L and D");
	FAULT(s.g_pat = 2, "PAT");
	FAULT(s.g_pat = 3ull << 56, "PAT");
	FAULT(s.g_pat = 8, "PAT");
}

static void control_area(void **state __unused)
{
	FAULT(c.intercept2 = 0, "VMRUN intercept");
	FAULT(c.asid = 0, "ASID");
	FAULT(c.asid = 3, NULL);
	FAULT(c.asid = 4, "ASID");
	FAULT(c.iopm = BIT(48) - 0x2000, "I/O");
	FAULT(c.iopm = BIT(48) - 0x3000, NULL);
	FAULT(c.msrpm = BIT(48) - 0x1000, "MSR");
	FAULT(c.n_cr3 = BIT(48), "nCR3");
	FAULT(c.n_cr3 = 0x30001, "nCR3");
}

static void events(void **state __unused)
{
	const u64 valid = SVM_EVT_VALID;

	FAULT(c.event_inj = 0x7ff, NULL);
	FAULT(c.event_inj = valid | 0x0ff, NULL);
	FAULT(c.event_inj = valid | 0x202, NULL);
	FAULT(c.event_inj = valid | 0x30d, NULL);
	FAULT(c.event_inj = valid | 0x302, "vector");
	FAULT(c.event_inj = valid | 0x320, "vector");
	FAULT(c.event_inj = valid | 0x480, NULL);
	FAULT(c.event_inj = valid | 0x100, "type");
	FAULT(c.event_inj = valid | 0x700, "type");
}

#define T(f) cmocka_unit_test_setup(f, rig_setup)
int main(void)
{
	const struct CMUnitTest tests[] = { T(save_area), T(control_area), T(events) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
