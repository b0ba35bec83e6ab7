/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A CPU with the registers and instructions that mitigations use, which counts them, for tests of
 * speculation.c; and vCPUs of domain 0 and two guests that take turns on it.
 */
#ifndef TESTS_UNIT_SPEC_RIG_H
#define TESTS_UNIT_SPEC_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/machine/log.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/speculation.h"
#include "hv/core/vcpu/vcpu.h"

/* Bits by the manuals' names. */
#define IBRS_IBPB	BIT(26)
#define L1D		BIT(28)
#define CAPS		BIT(29)
#define SSBD		BIT(31)
#define MD_CLEAR	BIT(10)
#define RTM		BIT(11)
#define V_SPEC_CTRL	BIT(20)
#define BHI_NO		BIT(20)
#define BHI_CTRL	BIT(4)
#define RRSBA_CTRL	BIT(2)
#define RRSBA		BIT(19)

#define RSB		(SPEC_RSB_EXIT | SPEC_RSB_SWITCH)
#define IBPB		(SPEC_IBPB | SPEC_IBPB_DOM0)

struct hv_options hv_options;
struct domain dom0;

static struct cpu cpu;
static struct domain guest_dom = { .id = 1 }, other_dom = { .id = 2 };
static struct vcpu d0, a, a2, b;
static struct spec_enum machine;
static u64 spec_ctrl, efer;
static bool no_sbpb;			/* microcode of before 2023 */
static u32 vendors;			/* what the back end adds, without an option */
static u32 ibpbs, flushes, verws, rsbs, ctrl_writes, divisions;
static char order[32];			/* what an entry did: L, C, V */
static char line[320];

static inline void did(char c)
{
	size_t n = strlen(order);

	assert_true(n < sizeof(order) - 1);
	order[n] = c;
	order[n + 1] = 0;
}

struct cpu *this_cpu(void)
{
	return &cpu;
}

static u32 flaws(const struct spec_enum *e, const struct hv_options *o __unused)
{
	return vendors == SPEC_IBPB_EXIT && !(e->e21_eax & E21_EAX_IBPB_BRTYPE) ? SPEC_SRSO_OPEN :
	       vendors;
}

static const struct hv_ops test_ops = { .flaws = flaws };
const struct hv_ops *ops = &test_ops;

void log_printf(int level __unused, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}

struct cpuid host_cpuid(u32 leaf, u32 sub)
{
	struct cpuid c = { 0 };

	switch (leaf) {
	case 0:
		c.eax = 7;
		break;
	case 1:
		c.eax = machine.signature;
		break;
	case 7:
		c.eax = machine.f72_edx ? 2 : 1;
		assert_true(sub == 0 || (sub == 2 && machine.f72_edx));
		c.ebx = sub ? 0 : machine.f7_ebx;
		c.edx = sub ? machine.f72_edx : machine.f7_edx;
		break;
	case 0x80000000:
		c.eax = 0x80000021;
		break;
	case 0x80000008:
		c.ebx = machine.e8_ebx;
		break;
	case 0x8000000a:
		c.edx = machine.ea_edx;
		break;
	case 0x80000021:
		c.eax = machine.e21_eax;
		c.ecx = machine.e21_ecx;
		break;
	default:
		fail();
	}
	return c;
}

int host_rdmsr(u32 msr, u64 *val)
{
	switch (msr) {
	case MSR_ARCH_CAPABILITIES:
		assert_true(machine.f7_edx & CAPS);
		*val = machine.arch_cap;
		return 0;
	case MSR_SPEC_CTRL:
		assert_true(spec_has_ctrl(&machine));
		*val = spec_ctrl;
		return 0;
	case MSR_EFER:
		*val = efer;
		return 0;
	}
	fail();
	return -EFAULT;
}

/* Writing what the machine does not have would be a #GP in root mode. */
int host_wrmsr(u32 msr, u64 val)
{
	switch (msr) {
	case MSR_SPEC_CTRL:
		assert_true(spec_has_ctrl(&machine));
		spec_ctrl = val;
		ctrl_writes++;
		did('C');
		return 0;
	case MSR_PRED_CMD:
		assert_true(spec_has_ibpb(&machine));
		if (val == BIT(7))
			return no_sbpb ? -EFAULT : 0;
		assert_int_equal(val, 1);
		ibpbs++;
		return 0;
	case MSR_FLUSH_CMD:
		assert_true(machine.f7_edx & L1D);
		assert_int_equal(val, 1);
		flushes++;
		did('L');
		return 0;
	case MSR_EFER:
		assert_true(!(val & EFER_AUTOIBRS) || (machine.e21_eax & BIT(8)));
		efer = val;
		return 0;
	}
	fail();
	return -EFAULT;
}

void host_verw(void)
{
	verws++;
	did('V');
}

void host_divider(void)
{
	divisions++;
}

void host_return_stack(void)
{
	rsbs++;
}

/* Every mitigation's bits, and the set without options. */
static const struct spec_enum all_bits = {
	.f7_edx = IBRS_IBPB | L1D | MD_CLEAR | SSBD,
};

/* The CPU anew, with these bits and options. */
static inline void start(struct spec_enum e, struct hv_options o)
{
	machine = e;
	hv_options = o;
	spec_ctrl = efer = 0;
	*order = 0;
	memset(&cpu, 0, sizeof(cpu));
	d0 = a = a2 = b = (struct vcpu){ 0 };
	d0.dom = &dom0;
	a.dom = a2.dom = &guest_dom;
	b.dom = &other_dom;
	spec_init_vcpu(&d0);
	spec_init_vcpu(&a);
	spec_init_vcpu(&a2);
	spec_init_vcpu(&b);
	spec_init();
	spec_init_cpu(&cpu);
	ibpbs = flushes = verws = rsbs = ctrl_writes = divisions = 0;
	*order = 0;
}

static inline void leave(void)
{
	if (cpu.current)
		spec_switch_out(&cpu, cpu.current);
	cpu.current = NULL;
}

static inline void go(struct vcpu *v)
{
	leave();
	cpu.current = v;
	spec_switch_in(&cpu, v);
}

/* As svm_run() and entry.S; `wrote` is what the vCPU does meanwhile. */
static inline void enter(const u64 *wrote)
{
	*order = 0;
	if (cpu.spec_entry)
		spec_entry(&cpu);
	if (wrote)
		spec_ctrl = *wrote;
	if (cpu.spec_exit & SPEC_EXIT_CALL)
		spec_exit();
}

/* What spec_init() has put into the log. */
static inline void says(const char *want)
{
	assert_string_equal(line, want);
}

#endif
