// SPDX-License-Identifier: GPL-2.0-only
/* What of a guest's guest ends with BP_EXIT_NESTED, and what waits. */
// SOURCES: hv/core/run/nested.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/apic/vlapic.h"
#include "hv/core/guest/insn.h"
#include "hv/core/run/nested.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"

static struct vcpu v;
static struct bp_vcpu_page page;
static u32 apic[APIC_REG_EILVT0 / 4];
static int served, vector, windows, threshold;
static bool can;

void vcpu_service(struct vcpu *w, u8 exit)
{
	assert_ptr_equal(w, &v);
	served = exit;
}

u8 vcpu_insn_len(struct vcpu *w __unused) { return 3; }
bool vlapic_waits(struct vcpu *w) { return vector >= 0 || w->extint; }
bool vcpu_has_irq(struct vcpu *w) { return w->nmi_pending; }
static bool can_inject(struct vcpu *w __unused, u8 type __unused) { return can; }

static void window(struct vcpu *w __unused, u8 type, bool on)
{
	assert_int_equal(type, EVENT_INTR);
	assert_true(on);
	windows++;
}

static void tpr_threshold(struct vcpu *w __unused, u8 cls) { threshold = cls; }

static const struct hv_ops test_ops = {
	.can_inject = can_inject, .window = window, .tpr_threshold = tpr_threshold,
};
const struct hv_ops *ops = &test_ops;

static int setup(void **state)
{
	(void)state;
	memset(&v, 0, sizeof(v));
	memset(&page, 0xff, sizeof(page));
	memset(apic, 0, sizeof(apic));
	v.page = &page;
	v.apic.reg = apic;
	v.nested.flags = BP_NESTED_ON | BP_NESTED_GUEST;
	served = windows = threshold = 0;
	vector = -1;
	can = false;
	return 0;
}

static void told(u8 what, u64 code)
{
	assert_int_equal(served, BP_EXIT_NESTED);
	assert_int_equal(page.nested.what, what);
	assert_int_equal(page.nested.code, code);
	served = 0;
}

/* As the CPU has it; the length where the shim may have to go on behind it. */
static void exits(void **state)
{
	(void)state;
	v.exit = (struct vm_exit){
		.reason = VM_EXIT_CPUID, .nested = true, .hw_reason = 0x72, .hw_info = { 5, 6 },
	};
	nested_exit(&v);
	told(BP_NESTED_BY_CPU, 0x72);
	assert_int_equal(page.nested.info[0], 5);
	assert_int_equal(page.nested.info[1], 6);
	assert_int_equal(page.nested.insn_len, 0);
	assert_false(v.exit.nested);
	v.exit.reason = VM_EXIT_UNDEFINED;
	nested_exit(&v);
	assert_int_equal(page.nested.insn_len, 3);
}

/* New ones of L1's bitmap; not those that were being delivered. */
static void exceptions(void **state)
{
	(void)state;
	v.nested.exceptions = 1u << 14 | 1u << 1;
	assert_false(nested_stops(&v));
	v.inject = (struct vcpu_event){ .type = EVENT_EXC, .vector = 14, .has_error = true, .error = 7 };
	v.regs.cr2 = 0x1234;
	assert_false(nested_stops(&v));
	v.inject.fresh = true;
	assert_true(nested_stops(&v));
	told(BP_NESTED_BY_EXCEPTION, 14);
	assert_int_equal(page.nested.info[0], 7);
	assert_int_equal(page.nested.info[1], 0x1234);
	v.inject.fresh = false;
	v.inject.pending = v.inject.has_payload = true;
	v.inject.payload = 0x5678;
	assert_true(nested_stops(&v));
	told(BP_NESTED_BY_EXCEPTION, 14);
	assert_int_equal(page.nested.info[1], 0x5678);
	v.inject = (struct vcpu_event){ .type = EVENT_EXC, .vector = 1, .dr6 = 0x4000, .fresh = true };
	assert_true(nested_stops(&v));
	told(BP_NESTED_BY_EXCEPTION, 1);
	assert_int_equal(page.nested.info[1], 0x4000);
	v.inject.dr6 = 0;
	assert_true(nested_stops(&v));
	assert_int_equal(page.nested.info[1], 0);
	v.inject = (struct vcpu_event){ .type = EVENT_EXC, .vector = 13, .fresh = true };
	assert_false(nested_stops(&v));
	v.inject = (struct vcpu_event){ .type = EVENT_NMI, .vector = 14, .fresh = true };
	assert_false(nested_stops(&v));
}

/* Without GIF, and for the VMM's debugger, what comes waits. */
static void held(void **state)
{
	(void)state;
	v.nested.flags |= BP_NESTED_INTR | BP_NESTED_ANY_IF | BP_NESTED_HOLD;
	vector = 0x30;
	assert_false(nested_stops(&v));
	v.nested.flags &= ~BP_NESTED_HOLD;
	v.rules.flags = BP_RULE_NO_IRQ;
	assert_false(nested_stops(&v));
	v.rules.flags = 0;
	assert_true(nested_stops(&v));
	told(BP_NESTED_BY_INTR, 0);
}

/* SMI before NMI before interrupts, if L1 has asked for them. */
static void events(void **state)
{
	(void)state;
	v.nmi_pending = true;
	v.requests = VCPU_REQ_SMI;
	vector = 0x30;
	assert_false(nested_stops(&v));
	v.nested.flags |= BP_NESTED_INTR | BP_NESTED_ANY_IF;
	assert_true(nested_stops(&v));
	told(BP_NESTED_BY_INTR, 0);
	v.nested.flags |= BP_NESTED_NMI;
	assert_true(nested_stops(&v));
	told(BP_NESTED_BY_INTR, 0);	/* as L1's handler blocks NMIs */
	can = true;
	assert_true(nested_stops(&v));
	told(BP_NESTED_BY_NMI, 0);
	v.nested.flags |= BP_NESTED_SMI;
	assert_true(nested_stops(&v));
	told(BP_NESTED_BY_SMI, 0);
	assert_true(v.nmi_pending && v.requests == VCPU_REQ_SMI);
}

/* By L2's own IF, if that counts; a line of the PIC's is an interrupt, too. */
static void interrupts(void **state)
{
	(void)state;
	v.nested.flags |= BP_NESTED_INTR;
	assert_false(nested_stops(&v));
	assert_int_equal(windows, 0);
	v.extint = true;
	assert_false(nested_stops(&v));
	assert_int_equal(windows, 1);
	can = true;
	assert_true(nested_stops(&v));
	told(BP_NESTED_BY_INTR, 0);
}

/* CR8 is L2's own or L1's; 16 is above it in any case. */
static void virtual_interrupt(void **state)
{
	(void)state;
	v.nested.virq = 3;
	apic[APIC_REG_TPR / 4] = 0x30;
	assert_false(nested_virq(&v));
	assert_int_equal(threshold, 3);
	assert_int_equal(v.tpr_watch, 3);
	assert_int_equal(windows, 0);
	v.nested.flags |= BP_NESTED_TPR;
	v.nested.tpr = 2;
	assert_false(nested_virq(&v));
	assert_int_equal(windows, 1);
	can = true;
	assert_true(nested_virq(&v));
	told(BP_NESTED_BY_VIRQ, 0);
	v.nested.virq = 16;
	v.nested.tpr = 15;
	assert_true(nested_virq(&v));
	told(BP_NESTED_BY_VIRQ, 0);
}

static void waits(void **state)
{
	(void)state;
	assert_false(nested_waits(&v));
	v.nested.virq = 1;
	assert_true(nested_waits(&v));
	v.nested.virq = 0;
	v.extint = true;
	assert_true(nested_waits(&v));
	v.extint = false;
	v.nmi_pending = true;
	assert_true(nested_waits(&v));
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(exits), T(exceptions), T(held), T(events), T(interrupts), T(virtual_interrupt), T(waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
