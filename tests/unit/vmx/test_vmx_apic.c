// SPDX-License-Identifier: GPL-2.0-only
/* APIC virtualisation: the controls that go with capabilities and modes, and what an entry hands over. */
// SOURCES: hv/vmx/apic.c hv/core/apic/vlapic_post.c
#include "vmx_rig.h"
#include "hv/core/memory/domain.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/apic/vlapic_priv.h"

static struct domain dom;

hpa_t virt_to_phys(const void *va)
{
	return (uintptr_t)va;
}

hpa_t vmx_msr_bitmap(const struct vcpu *v __unused, bool x2apic)
{
	return x2apic ? 0x2000 : 0x1000;
}

int vlapic_write(struct vcpu *v __unused, u32 offset __unused, u64 val __unused)
{
	return 0;
}

void vcpu_level_eoi(struct vcpu *v __unused, u8 vector __unused)
{
}

#define BASE_PROC2	(PROC2_EPT | PROC2_UNRESTRICTED)
#define BASE_PIN	(PIN_INTR | PIN_NMI)

/* A new vCPU on a CPU that has this; in xAPIC mode and enabled. */
static void make(u32 domid, u32 apic, bool posted)
{
	rig_setup(NULL);
	dom.id = domid;
	rig_v.dom = &dom;
	rig_v.apic.base = APIC_BASE_DEFAULT | APIC_BASE_ENABLE;
	rig_apic[APIC_REG_SVR / 4] = 0x1ff;
	vmx.ctl.tpr_shadow = true;
	vmx.ctl.apic = apic;
	vmx.ctl.posted = posted;
	vmx.ctl.exit = EXIT_HOST_64;
	rig_x.proc2 = BASE_PROC2;
	rig_x.pin = rig_x.pin_base = BASE_PIN;
	rig_vmcs[VMCS_PIN] = BASE_PIN;
	rig_vmcs[VMCS_EXIT_CTL] = EXIT_HOST_64;
	vmx_apic_init(&rig_v);
	vmx_apic_reset(&rig_v);
}

static u32 entered(enum vlapic_mode mode)
{
	vmx_apic_mode(&rig_v, mode);
	if (rig_v.apic.post && vlapic_post_news(rig_v.apic.post))
		vmx_apic_delivery(&rig_v);
	assert_int_equal(rig_x.apic_mode, mode);
	return rig_vmcs[VMCS_PROC2] & PROC2_APICV;
}

/* Whatever the CPU has: no control that it lacks, none that the mode forbids. */
static void controls(void **state __unused)
{
	static const u32 each[] = {
		PROC2_APIC_ACCESS, PROC2_X2APIC, PROC2_APIC_REGS, PROC2_DELIVERY,
	};
	u32 have, i, apic, on, deliver;

	for (have = 0; have < 16; have++) {
		for (i = 0, apic = 0; i < 4; i++)
			apic |= have & BIT(i) ? each[i] : 0;
		deliver = apic & PROC2_DELIVERY;
		make(1, apic, false);
		assert_int_equal(rig_vmcs[VMCS_PROC2], BASE_PROC2 | deliver);
		assert_int_equal(!!rig_v.apic.post, !!deliver);
		assert_int_equal(!!rig_v.apic.access_page, !!(apic & PROC2_APIC_ACCESS));

		on = entered(VLAPIC_XAPIC);
		assert_int_equal(on, deliver | (apic & PROC2_APIC_ACCESS ?
				 apic & (PROC2_APIC_ACCESS | PROC2_APIC_REGS) : 0));
		assert_int_equal(rig_vmcs[VMCS_MSR_BITMAP], 0x1000);
		if (on & PROC2_APIC_ACCESS)
			assert_int_equal(rig_vmcs[VMCS_APIC_ACCESS], rig_v.apic.access_page);

		on = entered(VLAPIC_X2APIC);
		assert_int_equal(on, deliver | (apic & PROC2_X2APIC ?
				 apic & (PROC2_X2APIC | PROC2_APIC_REGS) : 0));
		assert_int_equal(rig_vmcs[VMCS_MSR_BITMAP], apic & PROC2_X2APIC ? 0x2000 : 0x1000);

		assert_int_equal(entered(VLAPIC_OFF), deliver);
		assert_int_equal(rig_vmcs[VMCS_MSR_BITMAP], 0x1000);
		assert_int_equal(rig_vmcs[VMCS_PROC2] & ~PROC2_APICV, BASE_PROC2);
		assert_int_equal(rig_vmcs[VMCS_PIN], BASE_PIN);
		assert_int_equal(rig_vmcs[VMCS_EXIT_CTL], EXIT_HOST_64);
	}
}

/* The run loop injects from now on, and no access to the x2APIC's EOI passes. */
static void no_delivery(void **state __unused)
{
	make(1, PROC2_APICV, true);
	assert_int_equal(rig_vmcs[VMCS_PIN], BASE_PIN | PIN_POSTED);
	vmx_apic_no_delivery(&rig_v);
	assert_true(rig_v.apic.post->off);
	assert_int_equal(rig_vmcs[VMCS_PIN], BASE_PIN);
	assert_int_equal(entered(VLAPIC_XAPIC), PROC2_APIC_ACCESS | PROC2_APIC_REGS);
	assert_int_equal(rig_vmcs[VMCS_MSR_BITMAP], 0x1000);
	assert_int_equal(entered(VLAPIC_X2APIC), 0);
	assert_int_equal(rig_vmcs[VMCS_MSR_BITMAP], 0x1000);
	/* INIT brings nothing of it back. */
	rig_x.pin = rig_x.pin_base = BASE_PIN;
	vmx_apic_reset(&rig_v);
	assert_int_equal(rig_vmcs[VMCS_PIN], BASE_PIN);
	assert_int_equal(entered(VLAPIC_XAPIC), PROC2_APIC_ACCESS | PROC2_APIC_REGS);
	rig_v.apic.post->off = false;
}

/* Domain 0 has the TPR shadow only. */
static void service_vm(void **state __unused)
{
	make(0, PROC2_APICV, true);
	assert_int_equal(entered(VLAPIC_X2APIC), 0);
	assert_null(rig_v.apic.post);
	assert_int_equal(rig_v.apic.access_page, 0);
	assert_int_equal(rig_x.apic, 0);
	assert_int_equal(rig_vmcs[VMCS_PROC2], BASE_PROC2);
	assert_int_equal(rig_vmcs[VMCS_PIN], BASE_PIN);
	assert_int_equal(rig_vmcs[VMCS_EXIT_CTL], EXIT_HOST_64);
}

static void posted(void **state __unused)
{
	make(1, PROC2_DELIVERY, true);
	assert_true(rig_v.apic.post->notify);
	assert_int_equal(rig_vmcs[VMCS_PIN], BASE_PIN | PIN_POSTED);
	assert_int_equal(rig_x.pin_base, BASE_PIN | PIN_POSTED);
	assert_int_equal(rig_vmcs[VMCS_EXIT_CTL], EXIT_HOST_64 | EXIT_TAKE_INTR);
	assert_int_equal(rig_vmcs[VMCS_POSTED_VECTOR], VECTOR_POSTED);
	assert_int_equal(rig_vmcs[VMCS_POSTED_DESC], (uintptr_t)&rig_x);
	make(1, PROC2_DELIVERY, false);
	assert_false(rig_v.apic.post->notify);
	assert_int_equal(rig_vmcs[VMCS_POSTED_VECTOR], 0);
}

/* What waits and what is in service, and whose EOIs exit: handed over when it changed. */
static void entries(void **state __unused)
{
	u32 i;

	make(1, PROC2_APICV, true);
	for (i = 0; i < 4; i++)
		rig_vmcs[VMCS_EOI_EXIT(i)] = ~0ull;
	rig_vmcs[VMCS_GUEST_INTR_STATUS] = 0xffff;
	entered(VLAPIC_XAPIC);
	assert_int_equal(rig_vmcs[VMCS_GUEST_INTR_STATUS], 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(rig_vmcs[VMCS_EOI_EXIT(i)], 0);

	vlapic_post(&rig_v.apic, 0x51, false);
	vlapic_post(&rig_v.apic, 0xc2, true);
	entered(VLAPIC_XAPIC);
	assert_int_equal(rig_vmcs[VMCS_GUEST_INTR_STATUS], 0xc2);
	assert_int_equal(rig_vmcs[VMCS_EOI_EXIT(3)], BIT(2));
	assert_int_equal(rig_vmcs[VMCS_EOI_EXIT(1)], 0);
	/* Meanwhile it is the CPU's, which keeps it in the VMCS. */
	rig_vmcs[VMCS_GUEST_INTR_STATUS] = 0xc251;
	rig_vmcs[VMCS_EOI_EXIT(3)] = 0x1234;
	entered(VLAPIC_XAPIC);
	assert_int_equal(rig_vmcs[VMCS_GUEST_INTR_STATUS], 0xc251);
	assert_int_equal(rig_vmcs[VMCS_EOI_EXIT(3)], 0x1234);
	/* The same vector again needs no new bitmap. */
	vlapic_post(&rig_v.apic, 0xc2, true);
	entered(VLAPIC_XAPIC);
	assert_int_equal(rig_vmcs[VMCS_EOI_EXIT(3)], 0x1234);
	assert_int_equal(rig_vmcs[VMCS_GUEST_INTR_STATUS] & 0xff, 0xc2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controls), cmocka_unit_test(no_delivery), cmocka_unit_test(service_vm),
		cmocka_unit_test(posted), cmocka_unit_test(entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
