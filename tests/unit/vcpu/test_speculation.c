// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mitigations: what is chosen for which bits and options, and what then happens
 * to MSRs and buffers when a CPU changes vCPUs, enters and exits.
 */
// SOURCES: hv/core/vcpu/speculation.c
// CFLAGS: -include core_host.h
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

static void did(char c)
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

/* ---- the choice ---- */

static void each_bit(void **state __unused)
{
	static const struct {
		struct spec_enum e;
		u32 want;
	} t[] = {
		{ { 0 }, RSB },
		/* IBPB and IBRS, either vendor's enumeration */
		{ { .f7_edx = IBRS_IBPB }, RSB | IBPB | SPEC_IBRS_WRITE | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(12) }, RSB | IBPB },
		{ { .e8_ebx = BIT(14) }, RSB | SPEC_IBRS_WRITE | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(14) | BIT(16) }, RSB | SPEC_IBRS_ON | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(16) }, RSB },
		{ { .e8_ebx = BIT(14), .ea_edx = V_SPEC_CTRL }, RSB | SPEC_IBRS_ON },
		{ { .e8_ebx = BIT(12) | BIT(30) }, SPEC_RSB_EXIT | IBPB },
		{ { .e8_ebx = BIT(30) }, RSB },
		{ { .e21_eax = BIT(8) }, SPEC_IBRS_AUTO },
		{ { .e21_eax = BIT(8), .e8_ebx = BIT(14) | BIT(12) },
		  SPEC_IBRS_AUTO | IBPB | SPEC_CTRL_APART },
		/* SPEC_CTRL without IBRS */
		{ { .f7_edx = BIT(27) }, RSB | SPEC_CTRL_APART },
		{ { .f7_edx = SSBD }, RSB | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(15) }, RSB | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(24) }, RSB | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(28) }, RSB | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(24), .ea_edx = V_SPEC_CTRL }, RSB },
		/* Enhanced IBRS; PBRSB_NO */
		{ { .f7_edx = IBRS_IBPB | CAPS, .arch_cap = BIT(1) },
		  RSB | IBPB | SPEC_IBRS_ON | SPEC_CTRL_APART },
		{ { .f7_edx = IBRS_IBPB | CAPS, .arch_cap = BIT(1) | BIT(24) },
		  SPEC_RSB_SWITCH | IBPB | SPEC_IBRS_ON | SPEC_CTRL_APART },
		{ { .f7_edx = IBRS_IBPB | CAPS, .arch_cap = BIT(24) },
		  RSB | IBPB | SPEC_IBRS_WRITE | SPEC_CTRL_APART },
		/* Branch history: BHI_CTRL, BHI_NO */
		{ { .f7_edx = SSBD, .f72_edx = BHI_CTRL }, RSB | SPEC_BHI | SPEC_CTRL_APART },
		{ { .f7_edx = SSBD | CAPS, .f72_edx = BHI_CTRL, .arch_cap = BHI_NO },
		  RSB | SPEC_CTRL_APART },
		{ { .f72_edx = BHI_CTRL }, RSB },
		/* Alternate predictions of RET: RRSBA_CTRL, RRSBA */
		{ { .f7_edx = SSBD | CAPS, .f72_edx = RRSBA_CTRL, .arch_cap = RRSBA },
		  RSB | SPEC_RRSBA | SPEC_CTRL_APART },
		{ { .f7_edx = SSBD | CAPS, .f72_edx = RRSBA_CTRL }, RSB | SPEC_CTRL_APART },
		{ { .f7_edx = SSBD | CAPS, .arch_cap = RRSBA }, RSB | SPEC_CTRL_APART },
		{ { .f7_edx = CAPS, .f72_edx = RRSBA_CTRL, .arch_cap = RRSBA }, RSB },
		/* L1TF: RDCL_NO, SKIP_L1DFL_VMENTRY */
		{ { .f7_edx = L1D }, RSB | SPEC_L1D_SWITCH },
		{ { .f7_edx = L1D | CAPS, .arch_cap = BIT(0) }, RSB },
		{ { .f7_edx = L1D | CAPS, .arch_cap = BIT(3) }, RSB },
		/* MDS; TAA; MMIO stale data; RFDS; TSA */
		{ { .f7_edx = MD_CLEAR }, RSB | SPEC_VERW },
		{ { .f7_edx = MD_CLEAR | CAPS, .arch_cap = BIT(5) }, RSB },
		{ { .f7_edx = MD_CLEAR | CAPS, .f7_ebx = RTM, .arch_cap = BIT(5) },
		  RSB | SPEC_VERW },
		{ { .f7_edx = MD_CLEAR | CAPS, .f7_ebx = RTM, .arch_cap = BIT(5) | BIT(8) }, RSB },
		/* Off by TSX_CTRL, which domain 0 may write. */
		{ { .f7_edx = MD_CLEAR | CAPS, .arch_cap = BIT(5) | BIT(7) }, RSB | SPEC_VERW },
		{ { .f7_edx = MD_CLEAR | CAPS, .arch_cap = BIT(5) | BIT(7) | BIT(8) }, RSB },
		{ { .f7_edx = MD_CLEAR | CAPS, .arch_cap = BIT(5) }, RSB },
		{ { .f7_ebx = RTM }, RSB },
		{ { .f7_edx = CAPS, .arch_cap = BIT(17) }, RSB | SPEC_VERW },
		{ { .f7_edx = CAPS, .arch_cap = BIT(17) | BIT(13) | BIT(14) }, RSB | SPEC_VERW },
		{ { .f7_edx = CAPS, .arch_cap = BIT(17) | BIT(13) | BIT(14) | BIT(15) }, RSB },
		{ { .f7_edx = CAPS, .arch_cap = BIT(28) }, RSB | SPEC_VERW },
		{ { .f7_edx = CAPS, .arch_cap = BIT(28) | BIT(27) }, RSB },
		{ { .e21_eax = BIT(5) }, RSB | SPEC_VERW },
		{ { .e21_eax = BIT(5), .e21_ecx = BIT(1) }, RSB | SPEC_VERW },
		{ { .e21_eax = BIT(5), .e21_ecx = BIT(1) | BIT(2) }, RSB },
	};
	const struct hv_options none = { 0 };
	const struct hv_options off = { .mitigations_off = 1, .l1d_flush = L1D_ALWAYS };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		if (spec_choose(&t[i].e, &none) != t[i].want)
			fail_msg("case %u: %x, not %x", i, spec_choose(&t[i].e, &none), t[i].want);
		assert_int_equal(spec_choose(&t[i].e, &off), 0);
	}
}

/* Every mitigation's bits, and the set without options. */
static const struct spec_enum all_bits = {
	.f7_edx = IBRS_IBPB | L1D | MD_CLEAR | SSBD,
};
#define ALL	(RSB | IBPB | SPEC_IBRS_WRITE | SPEC_CTRL_APART | SPEC_L1D_SWITCH | SPEC_VERW)

static void each_option(void **state __unused)
{
	static const struct {
		struct hv_options o;
		u32 want;
	} t[] = {
		{ { 0 }, ALL },
		{ { .ibpb = IBPB_OFF }, ALL & ~IBPB },
		{ { .ibpb = IBPB_GUESTS }, ALL & ~SPEC_IBPB_DOM0 },
		{ { .ibrs_off = 1 }, ALL & ~SPEC_IBRS_WRITE },
		{ { .rsb_off = 1 }, ALL & ~RSB },
		{ { .l1d_flush = L1D_OFF }, ALL & ~SPEC_L1D_SWITCH },
		{ { .l1d_flush = L1D_ALWAYS }, (ALL & ~SPEC_L1D_SWITCH) | SPEC_L1D_ENTRY },
		{ { .verw = VERW_OFF }, ALL & ~SPEC_VERW },
		{ { .verw = VERW_ALWAYS }, ALL },
		{ { .mitigations_off = 1 }, 0 },
	};
	struct spec_enum e = { .e21_eax = BIT(8) };
	struct hv_options o = { .ibrs_off = 1 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(spec_choose(&all_bits, &t[i].o), t[i].want);
	/* Without automatic IBRS nothing empties the return stack. */
	assert_int_equal(spec_choose(&e, &o), RSB);
	/* Nor does an IBPB that is not made. */
	e = (struct spec_enum){ .e8_ebx = BIT(12) | BIT(30) };
	o = (struct hv_options){ .ibpb = IBPB_GUESTS };
	assert_int_equal(spec_choose(&e, &o), RSB | SPEC_IBPB);
	e = (struct spec_enum){ .f7_edx = SSBD, .f72_edx = BHI_CTRL };
	o = (struct hv_options){ .bhi_off = 1 };
	assert_int_equal(spec_choose(&e, &o), RSB | SPEC_CTRL_APART);
	/* Also where the CPU needs none. */
	e = (struct spec_enum){ 0 };
	o = (struct hv_options){ .verw = VERW_ALWAYS };
	assert_int_equal(spec_choose(&e, &o), RSB | SPEC_VERW);
	e = (struct spec_enum){ .f7_edx = L1D | CAPS, .arch_cap = BIT(0) };
	o = (struct hv_options){ .l1d_flush = L1D_ALWAYS };
	assert_int_equal(spec_choose(&e, &o), RSB | SPEC_L1D_ENTRY);
	e.f7_edx = CAPS;
	assert_int_equal(spec_choose(&e, &o), RSB);
	e = (struct spec_enum){ .f7_edx = SSBD, .f72_edx = RRSBA_CTRL, .arch_cap = RRSBA };
	o = (struct hv_options){ .rsb_off = 1 };
	assert_int_equal(spec_choose(&e, &o), SPEC_CTRL_APART);
}

static void what_domain_0_may_write(void **state __unused)
{
	machine = (struct spec_enum){ 0 };
	spec_init();
	assert_false(spec_pass_ctrl() || spec_pass_pred());
	machine.e8_ebx = BIT(12);
	spec_init();
	assert_true(!spec_pass_ctrl() && spec_pass_pred());
	machine.e8_ebx = BIT(14);
	spec_init();
	assert_true(spec_pass_ctrl() && !spec_pass_pred());
	machine = (struct spec_enum){ .f7_edx = IBRS_IBPB };
	hv_options.mitigations_off = 1;
	spec_init();
	assert_true(spec_pass_ctrl() && spec_pass_pred());
}

/* ---- on a CPU ---- */

static void start(struct spec_enum e, struct hv_options o)
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

static void leave(void)
{
	if (cpu.current)
		spec_switch_out(&cpu, cpu.current);
	cpu.current = NULL;
}

static void go(struct vcpu *v)
{
	leave();
	cpu.current = v;
	spec_switch_in(&cpu, v);
}

/* As svm_run() and entry.S; `wrote` is what the vCPU does meanwhile. */
static void enter(const u64 *wrote)
{
	*order = 0;
	if (cpu.spec_entry)
		spec_entry(&cpu);
	if (wrote)
		spec_ctrl = *wrote;
	if (cpu.spec_exit & SPEC_EXIT_CALL)
		spec_exit();
}

static void says(const char *want)
{
	assert_string_equal(line, want);
}

static void log_line(void **state __unused)
{
	start((struct spec_enum){ 0 }, (struct hv_options){ 0 });
	says("mitigations: retpolines, ibpb -, ibrs -, bhi -, rsb on exits and switches, "
	     "rrsba -, srso -, l1d_flush -, verw -, zenbleed -, divider -");
	start(all_bits, (struct hv_options){ 0 });
	says("mitigations: retpolines, ibpb on, ibrs after exits, bhi -, rsb on exits and switches, "
	     "rrsba -, srso -, l1d_flush on switches, verw on, zenbleed -, divider -");
	start(all_bits, (struct hv_options){ .mitigations_off = 1 });
	says("mitigations: retpolines, ibpb off, ibrs off, bhi -, rsb off, rrsba -, srso -, "
	     "l1d_flush off, verw off, zenbleed -, divider -");
	start(all_bits, (struct hv_options){ .ibpb = IBPB_GUESTS, .l1d_flush = L1D_ALWAYS });
	says("mitigations: retpolines, ibpb guests, ibrs after exits, bhi -, rsb on exits and switches, "
	     "rrsba -, srso -, l1d_flush always, verw on, zenbleed -, divider -");
	start((struct spec_enum){ .e21_eax = BIT(8) }, (struct hv_options){ 0 });
	says("mitigations: retpolines, ibpb -, ibrs automatic, bhi -, rsb -, rrsba -, srso -, "
	     "l1d_flush -, verw -, zenbleed -, divider -");
	assert_int_equal(efer, EFER_AUTOIBRS);
}

static void ibpb_between_vcpus(void **state __unused)
{
	start(all_bits, (struct hv_options){ 0 });
	go(&d0);
	assert_int_equal(ibpbs, 1);
	go(&d0);
	assert_int_equal(ibpbs, 1);
	go(&a);
	assert_int_equal(ibpbs, 2);
	go(&a2);
	assert_int_equal(ibpbs, 3);
	go(&b);
	assert_int_equal(ibpbs, 4);
	leave();			/* the CPU was idle meanwhile */
	go(&b);
	assert_int_equal(ibpbs, 4);
	assert_int_equal(rsbs, 6);
}

static void ibpb_between_guests_only(void **state __unused)
{
	start(all_bits, (struct hv_options){ .ibpb = IBPB_GUESTS });
	go(&d0);
	assert_int_equal(ibpbs, 0);
	go(&a);
	go(&d0);
	go(&a);
	assert_int_equal(ibpbs, 1);
	go(&d0);
	go(&b);
	assert_int_equal(ibpbs, 2);
	/* The page of a vCPU that was destroyed, for a new one. */
	go(&d0);
	spec_init_vcpu(&b);
	go(&b);
	assert_int_equal(ibpbs, 3);
}

/* IBRS after each exit; what each has in SPEC_CTRL comes back to it. */
static void ctrl_after_exits(void **state __unused)
{
	const u64 four = 4, seven = 7;

	start(all_bits, (struct hv_options){ 0 });
	assert_int_equal(spec_ctrl, 1);
	go(&d0);
	enter(&four);
	assert_int_equal(spec_ctrl, 1);
	cpu.spec_now = spec_ctrl;
	spec_entry(&cpu);
	assert_int_equal(spec_ctrl, 4);
	enter(&seven);
	go(&a);
	assert_int_equal(d0.msr.spec_ctrl, 7);
	spec_entry(&cpu);
	assert_int_equal(spec_ctrl, 0);
	spec_exit();
	assert_int_equal(spec_ctrl, 1);
	go(&d0);
	spec_entry(&cpu);
	assert_int_equal(spec_ctrl, 7);
	/* The write is what protects: also when the bit is set already. */
	ctrl_writes = 0;
	spec_exit();
	assert_int_equal(ctrl_writes, 1);
	assert_int_equal(spec_ctrl, 1);
}

static void ctrl_always_on(void **state __unused)
{
	const u64 zero = 0, five = 5;

	start((struct spec_enum){ .f7_edx = IBRS_IBPB | CAPS, .arch_cap = BIT(1) },
	      (struct hv_options){ 0 });
	go(&a);
	enter(NULL);
	enter(NULL);
	assert_int_equal(ctrl_writes, 0);
	assert_int_equal(cpu.spec_exit, SPEC_EXIT_RSB);
	assert_false(cpu.spec_entry);
	/* Domain 0 cannot take it away from root mode, nor from guests. */
	go(&d0);
	enter(&zero);
	assert_int_equal(spec_ctrl, 1);
	enter(&five);
	assert_int_equal(spec_ctrl, 5);
	enter(&zero);
	go(&a);
	spec_entry(&cpu);
	assert_int_equal(spec_ctrl, 1);
	go(&d0);
	spec_entry(&cpu);
	assert_int_equal(spec_ctrl, 0);
}

/* BHI_DIS_S stays set, with enhanced IBRS and alone. */
static void history(void **state __unused)
{
	const u64 zero = 0;
	const struct spec_enum e = {
		.f7_edx = IBRS_IBPB | CAPS, .f72_edx = BHI_CTRL, .arch_cap = BIT(1),
	};

	start(e, (struct hv_options){ 0 });
	says("mitigations: retpolines, ibpb on, ibrs always on, bhi on, "
	     "rsb on exits and switches, "
	     "rrsba -, srso -, l1d_flush -, verw -, zenbleed -, divider -");
	assert_int_equal(spec_ctrl, BIT(10) | 1);
	go(&a);
	enter(NULL);
	assert_int_equal(ctrl_writes, 0);
	assert_int_equal(cpu.spec_exit, SPEC_EXIT_RSB);
	go(&d0);
	enter(&zero);
	assert_int_equal(spec_ctrl, BIT(10) | 1);
	go(&a);
	spec_entry(&cpu);
	assert_int_equal(spec_ctrl, BIT(10) | 1);
	start(e, (struct hv_options){ .ibrs_off = 1 });
	go(&d0);
	enter(&zero);
	assert_int_equal(spec_ctrl, BIT(10));
	go(&a);
	assert_int_equal(spec_ctrl, BIT(10));
	start(e, (struct hv_options){ .bhi_off = 1 });
	says("mitigations: retpolines, ibpb on, ibrs always on, bhi off, "
	     "rsb on exits and switches, "
	     "rrsba -, srso -, l1d_flush -, verw -, zenbleed -, divider -");
	assert_int_equal(spec_ctrl, 1);
}

/* No IBRS: SPEC_CTRL changes with the vCPU, and exits do not look at it. */
static void ctrl_on_switches(void **state __unused)
{
	const u64 four = 4;

	start((struct spec_enum){ .f7_edx = SSBD }, (struct hv_options){ 0 });
	go(&d0);
	enter(&four);
	assert_int_equal(spec_ctrl, 4);
	assert_false(cpu.spec_exit & SPEC_EXIT_CTRL);
	go(&a);
	assert_int_equal(spec_ctrl, 0);
	go(&d0);
	assert_int_equal(spec_ctrl, 4);
}

/* The hardware keeps them apart: nothing is read or written but at the start. */
static void virtual_ctrl(void **state __unused)
{
	start((struct spec_enum){ .e8_ebx = BIT(14), .ea_edx = V_SPEC_CTRL },
	      (struct hv_options){ 0 });
	assert_int_equal(spec_ctrl, 1);
	go(&d0);
	enter(NULL);
	go(&a);
	enter(NULL);
	assert_int_equal(ctrl_writes, 0);
	assert_int_equal(cpu.spec_exit, SPEC_EXIT_RSB);
	assert_int_equal(cpu.spec_entry, 0);
}

static void caches_and_buffers(void **state __unused)
{
	start(all_bits, (struct hv_options){ 0 });
	go(&d0);
	enter(NULL);
	assert_true(flushes == 0 && verws == 1);
	go(&a);
	enter(NULL);
	enter(NULL);
	assert_true(flushes == 1 && verws == 3);
	start(all_bits, (struct hv_options){ .l1d_flush = L1D_ALWAYS, .verw = VERW_OFF });
	go(&d0);
	enter(NULL);
	assert_int_equal(flushes, 0);
	go(&a);
	assert_int_equal(flushes, 0);
	enter(NULL);
	enter(NULL);
	assert_true(flushes == 2 && verws == 0);
}

/* VERW comes last of all that an entry does, and is not left out with others. */
static void entry_order(void **state __unused)
{
	const u64 four = 4;

	start(all_bits, (struct hv_options){ .l1d_flush = L1D_ALWAYS });
	go(&d0);
	enter(&four);
	assert_string_equal(order, "CVC");
	go(&a);
	enter(NULL);
	assert_string_equal(order, "LCVC");
	start((struct spec_enum){ 0 }, (struct hv_options){ .verw = VERW_ALWAYS });
	go(&a);
	enter(NULL);
	assert_string_equal(order, "V");
}

/* After each exit of a guest, and then domain 0 needs none of its own. */
static void ibpb_on_exits(void **state __unused)
{
	vendors = SPEC_IBPB_EXIT;
	start((struct spec_enum){ .e8_ebx = BIT(12) }, (struct hv_options){ 0 });
	says("mitigations: retpolines, ibpb on, ibrs -, bhi -, rsb on exits and switches, rrsba -, "
	     "srso ibpb on exits, l1d_flush -, verw -, zenbleed -, divider -");
	go(&d0);
	enter(NULL);
	enter(NULL);
	assert_int_equal(cpu.spec_exit, SPEC_EXIT_RSB);
	assert_int_equal(ibpbs, 0);
	go(&a);
	assert_int_equal(ibpbs, 1);
	assert_int_equal(cpu.spec_exit, SPEC_EXIT_CALL | SPEC_EXIT_IBPB | SPEC_EXIT_RSB);
	enter(NULL);
	enter(NULL);
	assert_int_equal(ibpbs, 3);
	go(&d0);
	enter(NULL);
	assert_int_equal(ibpbs, 3);
	go(&b);
	assert_int_equal(ibpbs, 4);
	assert_int_equal(ctrl_writes, 0);
	vendors = 0;
}

/* The probe for microcode that makes the barrier suffice; the log says where there is none. */
static void old_microcode(void **state __unused)
{
	u32 due;

	vendors = SPEC_IBPB_EXIT;
	no_sbpb = true;
	start((struct spec_enum){ .e8_ebx = BIT(12) }, (struct hv_options){ 0 });
	says("mitigations: retpolines, ibpb on, ibrs -, bhi -, rsb on exits and switches, rrsba -, "
	     "srso needs microcode, l1d_flush -, verw -, zenbleed -, divider -");
	assert_int_equal(spec_state(&due) & (SPEC_IBPB_EXIT | SPEC_SRSO_OPEN), SPEC_SRSO_OPEN);
	go(&d0);
	go(&a);
	assert_int_equal(cpu.spec_exit, SPEC_EXIT_RSB);
	enter(NULL);
	assert_int_equal(ibpbs, 2);	/* those between vCPUs */
	/* CPUID may say so itself: under a hypervisor. */
	start((struct spec_enum){ .e8_ebx = BIT(12), .e21_eax = E21_EAX_IBPB_BRTYPE },
	      (struct hv_options){ 0 });
	assert_true(spec_state(&due) & SPEC_IBPB_EXIT);
	no_sbpb = false;
	vendors = 0;
}

/* With a SPEC_CTRL that exits need not look at, guests have theirs all the same. */
static void ibpb_and_ctrl(void **state __unused)
{
	const u64 four = 4;

	vendors = SPEC_IBPB_EXIT;
	start((struct spec_enum){ .e8_ebx = BIT(12) | BIT(24) }, (struct hv_options){ 0 });
	go(&d0);
	enter(&four);
	go(&a);
	assert_int_equal(spec_ctrl, 0);
	enter(NULL);
	go(&d0);
	assert_int_equal(spec_ctrl, 4);
	vendors = 0;
}

static void divider(void **state __unused)
{
	vendors = SPEC_DIVIDER;
	start((struct spec_enum){ 0 }, (struct hv_options){ 0 });
	go(&d0);
	enter(NULL);
	go(&a);
	assert_int_equal(divisions, 2);
	enter(NULL);
	enter(NULL);
	assert_int_equal(divisions, 2);
	assert_false(cpu.spec_entry);
	vendors = 0;
}

/* RRSBA_DIS_S is root mode's whatever domain 0 writes. */
static void alternate_returns(void **state __unused)
{
	const u64 zero = 0;

	start((struct spec_enum){ .f7_edx = IBRS_IBPB | CAPS, .f72_edx = RRSBA_CTRL,
				  .arch_cap = BIT(1) | RRSBA },
	      (struct hv_options){ .ibrs_off = 1 });
	assert_int_equal(spec_ctrl, BIT(6));
	go(&d0);
	enter(&zero);
	assert_int_equal(spec_ctrl, BIT(6));
	spec_entry(&cpu);
	assert_int_equal(spec_ctrl, 0);
	enter(&zero);
	go(&a);
	assert_int_equal(spec_ctrl, BIT(6));
	assert_int_equal(cpu.spec_exit, SPEC_EXIT_RSB);
}

static void all_off(void **state __unused)
{
	const u64 four = 4;

	start(all_bits, (struct hv_options){ .mitigations_off = 1 });
	go(&d0);
	enter(&four);
	go(&a);
	enter(NULL);
	go(&d0);
	assert_int_equal(spec_ctrl, 4);
	assert_int_equal(ctrl_writes + ibpbs + flushes + verws + rsbs, 0);
	assert_int_equal(cpu.spec_exit, 0);
	assert_int_equal(cpu.spec_entry, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bit),
		cmocka_unit_test(each_option),
		cmocka_unit_test(what_domain_0_may_write),
		cmocka_unit_test(log_line),
		cmocka_unit_test(ibpb_between_vcpus),
		cmocka_unit_test(ibpb_between_guests_only),
		cmocka_unit_test(ctrl_after_exits),
		cmocka_unit_test(ctrl_always_on),
		cmocka_unit_test(history),
		cmocka_unit_test(ctrl_on_switches),
		cmocka_unit_test(virtual_ctrl),
		cmocka_unit_test(caches_and_buffers),
		cmocka_unit_test(entry_order),
		cmocka_unit_test(ibpb_on_exits),
		cmocka_unit_test(old_microcode),
		cmocka_unit_test(ibpb_and_ctrl),
		cmocka_unit_test(divider),
		cmocka_unit_test(alternate_returns),
		cmocka_unit_test(all_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
