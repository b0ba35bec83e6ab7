// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions upon exceptions, stepping over an instruction, registers. */
// SOURCES: hv/core/vcpu/event.c hv/core/guest/skip.c hv/core/guest/insn.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/memory/domain.h"
#include "hv/core/guest/insn.h"
#include "hv/core/lib/errno.h"
#include "hv/core/memory/frames.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/paging.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"

static struct domain dom;
static struct vcpu v;
static struct vcpu_paging paging;
static u8 shadow;
static const char *code;
static int code_len;

static void get_paging(struct vcpu *w __unused, struct vcpu_paging *p) { *p = paging; }
static void set_block(struct vcpu *w __unused, u8 s, u8 masked __unused) { shadow = s; }

static void get_block(struct vcpu *w __unused, u8 *s, u8 *masked)
{
	*s = shadow;
	*masked = 0;
}

static u64 debugctl;

static int get_msr(struct vcpu *w __unused, u32 msr, u64 *val)
{
	assert_int_equal(msr, MSR_DEBUGCTL);
	*val = debugctl;
	return 0;
}

static const struct hv_ops test_ops = {
	.get_paging = get_paging, .get_block = get_block, .set_block = set_block,
	.get_msr = get_msr,
};
const struct hv_ops *ops = &test_ops;

int insn_fetch(struct vcpu *w __unused, const struct vcpu_paging *p __unused, u8 *buf)
{
	if (code_len > 0)
		memcpy(buf, code, code_len);
	return code_len;
}

/* No page is found for the hint: each instruction is measured by a walk. */
int gva_to_gpa(struct vcpu *w __unused, const struct vcpu_paging *p __unused,
	       gva_t gva __unused, gpa_t *gpa __unused)
{
	return -EFAULT;
}

enum npt_kind mmu_lookup(struct domain *d __unused, gpa_t gpa __unused,
			 struct npt_leaf *leaf __unused)
{
	return NPT_ABSENT;
}

u32 frame_owner(u64 pfn __unused)
{
	return BP_OWNER_DOM0;
}

static int setup(void **state)
{
	(void)state;
	memset(&v, 0, sizeof(v));
	memset(&paging, 0, sizeof(paging));
	v.dom = &dom;
	shadow = 0;
	debugctl = 0;
	return 0;
}

/* The event that `second` makes of a pending exception `first`. */
static int merge(u8 first, u8 second)
{
	v.inject = (struct vcpu_event){ .type = EVENT_EXC, .vector = first };
	v.shutdown_sticky = false;
	vcpu_exception(&v, second, false, 7);
	return v.shutdown_sticky ? -1 : v.inject.vector;
}

static void double_faults(void **state)
{
	static const u8 contributory[] = { X86_TRAP_DE, X86_TRAP_TS, X86_TRAP_NP,
					   X86_TRAP_SS, X86_TRAP_GP };
	u32 i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(contributory); i++) {
		for (k = 0; k < ARRAY_SIZE(contributory); k++)
			assert_int_equal(merge(contributory[i], contributory[k]), X86_TRAP_DF);
		assert_int_equal(merge(X86_TRAP_PF, contributory[i]), X86_TRAP_DF);
		assert_true(v.inject.has_error && !v.inject.error);
		assert_int_equal(merge(contributory[i], X86_TRAP_PF), X86_TRAP_PF);
		assert_int_equal(merge(contributory[i], X86_TRAP_UD), X86_TRAP_UD);
		assert_int_equal(merge(X86_TRAP_UD, contributory[i]), contributory[i]);
		assert_int_equal(merge(X86_TRAP_DF, contributory[i]), -1);
	}
	assert_int_equal(merge(X86_TRAP_PF, X86_TRAP_PF), X86_TRAP_DF);
	assert_int_equal(merge(X86_TRAP_PF, X86_TRAP_DB), X86_TRAP_DB);
	assert_int_equal(merge(X86_TRAP_DF, X86_TRAP_PF), -1);
}

static void interrupts_are_not_lost(void **state)
{
	(void)state;
	v.inject = (struct vcpu_event){ .type = EVENT_INTR, .vector = 0x41 };
	v.again_now = true;
	vcpu_exception(&v, X86_TRAP_PF, true, 2);
	assert_int_equal(v.inject.vector, X86_TRAP_PF);
	assert_int_equal(v.inject.error, 2);
	assert_true(v.intr_again && !v.again_now);	/* it waits for IF again */
	assert_int_equal(v.again_vector, 0x41);
	assert_false(v.extint_queued);
	/* The PIC's next one is queued already. */
	setup(NULL);
	v.extint_queued = true;
	v.extint_vector = 0x31;
	v.inject = (struct vcpu_event){ .type = EVENT_INTR, .vector = 0x41 };
	vcpu_exception(&v, X86_TRAP_PF, true, 2);
	assert_true(v.intr_again && v.extint_queued);
	assert_int_equal(v.again_vector, 0x41);
	assert_int_equal(v.extint_vector, 0x31);
	setup(NULL);
	v.inject = (struct vcpu_event){ .type = EVENT_NMI, .vector = 2 };
	vcpu_exception(&v, X86_TRAP_GP, true, 0);
	assert_true(v.nmi_pending);
}

static void skipping(void **state)
{
	(void)state;
	paging.cs_long = true;
	v.regs.rip = 0xfffffffffffffffe;
	v.exit.insn_len = 2;
	shadow = 1;
	vcpu_skip(&v);
	assert_int_equal(v.regs.rip, 0);
	assert_int_equal(shadow, 0);
	paging.cs_long = false;
	v.regs.rip = 0xffffffff;
	vcpu_skip(&v);
	assert_int_equal(v.regs.rip, 1);
	/* No length from hardware: prefixes and opcode are measured. */
	paging.cs_long = true;
	v.exit.insn_len = 0;
	v.exit.reason = VM_EXIT_CPUID;
	code = "\x66\x48\x0f\xa2\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90";
	code_len = 15;
	v.regs.rip = 0x1000;
	vcpu_skip(&v);
	assert_int_equal(v.regs.rip, 0x1004);
	v.exit.reason = VM_EXIT_HLT;
	code = "\xf4";
	code_len = 1;
	vcpu_skip(&v);
	assert_int_equal(v.regs.rip, 0x1005);
	/* The page is gone: stay, and let the guest's own fetch fault. */
	code_len = -EFAULT;
	v.regs.rflags = X86_EFLAGS_TF;
	vcpu_skip(&v);
	assert_int_equal(v.regs.rip, 0x1005);
	assert_int_equal(v.inject.type, EVENT_NONE);
}

/* What was done for the guest ends RF, and traps under TF. */
static void stepping(void **state)
{
	(void)state;
	v.exit.insn_len = 2;
	v.regs.rflags = X86_EFLAGS_RF | X86_EFLAGS_ZF;
	vcpu_skip(&v);
	assert_int_equal(v.regs.rflags, X86_EFLAGS_ZF);
	assert_int_equal(v.inject.type, EVENT_NONE);
	v.regs.rflags = X86_EFLAGS_TF;
	debugctl = DEBUGCTL_BTF;
	vcpu_skip(&v);
	assert_int_equal(v.inject.type, EVENT_NONE);
	debugctl = 0;
	vcpu_skip(&v);
	assert_int_equal(v.inject.type, EVENT_EXC);
	assert_int_equal(v.inject.vector, X86_TRAP_DB);
	assert_int_equal(v.inject.dr6, X86_DR6_BS);
	assert_false(v.inject.has_error);
	/* What comes instead has nothing for DR6; and what waits comes first. */
	vcpu_exception(&v, X86_TRAP_GP, true, 0);
	assert_int_equal(v.inject.dr6, 0);
	vcpu_skip(&v);
	assert_int_equal(v.inject.vector, X86_TRAP_GP);
}

static void registers_round_trip(void **state)
{
	struct kvm_regs a, b;
	u8 *p = (u8 *)&a;
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(a); i++)
		p[i] = i * 7 + 3;
	a.rflags = X86_EFLAGS_IF | X86_EFLAGS_FIXED;
	vcpu_set_regs(&v, &a);
	vcpu_get_regs(&v, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(v.regs.gpr[R15], a.r15);
	/* Flags that do not exist cannot be set; bit 1 always is. */
	a.rflags = ~0ull;
	vcpu_set_regs(&v, &a);
	assert_int_equal(v.regs.rflags, 0x3f7fd7);
	a.rflags = 0;
	vcpu_set_regs(&v, &a);
	assert_int_equal(v.regs.rflags, 2);
}

static struct bp_vcpu_page page;
static u8 serviced;

void vcpu_service(struct vcpu *w, u8 exit)
{
	assert_ptr_equal(w, &v);
	serviced = exit;
}

/* #DB and #BP go to the shim by a rule each, and no others do. */
static void debugger(void **state __unused)
{
	v.page = &page;
	v.rules.flags = BP_RULE_BREAK;
	serviced = 0;
	assert_false(vcpu_debug_service(&v, X86_TRAP_DB, 1));
	assert_false(vcpu_debug_service(&v, X86_TRAP_UD, 0));
	assert_int_equal(serviced, 0);
	assert_true(vcpu_debug_service(&v, X86_TRAP_BP, 0xffff));
	assert_int_equal(serviced, BP_EXIT_DEBUG);
	assert_int_equal(page.debug.vector, 3);
	assert_int_equal(page.debug.dr6, 0);
	v.rules.flags = BP_RULE_DEBUG;
	assert_false(vcpu_debug_service(&v, X86_TRAP_BP, 0));
	assert_true(vcpu_debug_service(&v, X86_TRAP_DB, 0xffff4ff2));
	assert_int_equal(page.debug.vector, 1);
	assert_int_equal(page.debug.dr6, 0x4002);
	v.rules.flags = 0;
}

static void raise(u8 vector, bool has_payload, u64 payload)
{
	v.regs.rflags = 2;
	v.regs.cr2 = 0x1111;
	v.inject = (struct vcpu_event){
		.type = EVENT_EXC, .vector = vector, .pending = true,
		.has_payload = has_payload, .payload = payload,
	};
	vcpu_raise_pending(&v);
	assert_false(v.inject.pending);
	assert_false(v.inject.has_payload);
	assert_int_equal(v.inject.type, EVENT_EXC);
	assert_int_equal(v.inject.vector, vector);
}

/* What the VMM has pending comes as from a CPU: CR2, DR6, and RF with a fault. */
static void pending(void **state __unused)
{
	raise(X86_TRAP_PF, true, 0x123456000);
	assert_int_equal(v.regs.cr2, 0x123456000);
	assert_true(v.regs.rflags & X86_EFLAGS_RF);
	raise(X86_TRAP_PF, false, 0x123456000);
	assert_int_equal(v.regs.cr2, 0x1111);
	raise(X86_TRAP_DB, true, 0x1ffffffff);
	assert_int_equal(v.inject.dr6, 0xe00f);
	assert_false(v.regs.rflags & X86_EFLAGS_RF);
	raise(X86_TRAP_GP, true, 0x5555);
	assert_int_equal(v.regs.cr2, 0x1111);
	assert_int_equal(v.inject.dr6, 0);
}

static void exits(void **state __unused)
{
	static struct domain service = { .id = 0 }, guest = { .id = 1 };

	v.dom = &service;
	assert_int_equal(vcpu_exc_exits(&v), EXC_EXITS);
	v.dom = &guest;
	assert_int_equal(vcpu_exc_exits(&v), EXC_EXITS | EXC_EXITS_GUEST);
	v.rules.flags = BP_RULE_UNDEFINED;
	assert_int_equal(vcpu_exc_exits(&v), EXC_EXITS | EXC_EXITS_GUEST | 1u << X86_TRAP_UD);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(double_faults), T(interrupts_are_not_lost), T(skipping), T(stepping), T(debugger),
		T(registers_round_trip), T(pending), T(exits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
