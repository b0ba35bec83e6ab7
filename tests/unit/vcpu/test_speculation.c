// SPDX-License-Identifier: GPL-2.0-only
/* Mitigations: what happens to MSRs and buffers when a CPU changes vCPUs, enters and exits. */
// SOURCES: hv/core/vcpu/speculation.c
// CFLAGS: -include core_host.h
#include "spec_rig.h"

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
