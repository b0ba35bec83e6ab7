// SPDX-License-Identifier: GPL-2.0-only
/* Controls that a vCPU starts with, what is a guest's and what everybody's; and what changes them. */
// SOURCES: hv/vmx/vcpu.c
#include "vmx_rig.h"
#include "hv/core/memory/domain.h"

u64 tsc_khz = 1000000;
static struct domain dom;

/* Of a vCPU's making and of its interrupts, which are not tried here. */
void *domain_page_alloc(struct domain *d __unused) { return NULL; }
void domain_page_free(struct domain *d __unused, void *page __unused) { fail(); }
void log_printf(int level __unused, const char *fmt __unused, ...) { fail(); }
u32 vcpu_exc_exits(const struct vcpu *v __unused) { return 1u << X86_TRAP_MC; }
hpa_t virt_to_phys(const void *va __unused) { return 0; }
void vmx_apic_init(struct vcpu *v __unused) { fail(); }
void vmx_apic_mode(struct vcpu *v __unused, enum vlapic_mode mode __unused) { }
void vmx_apic_no_delivery(struct vcpu *v __unused) { fail(); }
void vmx_apic_reset(struct vcpu *v __unused) { }
hpa_t vmx_io_bitmap(u32 half __unused) { return 0; }
hpa_t vmx_msr_bitmap(const struct vcpu *v __unused, bool x2apic __unused) { return 0; }
void vmx_load_dr6(const struct vcpu *v __unused) { fail(); }
void vmclear(hpa_t vmcs __unused) { fail(); }
hpa_t vmcs_open(struct vcpu *v __unused) { return 0; }
void vmcs_close(struct vcpu *v __unused, hpa_t before __unused) { }

static u32 proc2_of(u32 domain, u32 can)
{
	dom.id = domain;
	rig_v.dom = &dom;
	vmx.ctl.proc2 = can;
	vmx_vcpu_reset(&rig_v);
	assert_int_equal(rig_vmcs[VMCS_PROC2], rig_x.proc2);
	return rig_x.proc2;
}

/* The service VM's bus locks are its own; an instruction without end is nobody's. */
static void stalls(void **state __unused)
{
	const u32 both = PROC2_BUS_LOCK | PROC2_NOTIFY;

	assert_int_equal(proc2_of(1, both) & both, both);
	assert_int_equal(proc2_of(0, both) & both, PROC2_NOTIFY);
	assert_int_equal(proc2_of(1, 0) & both, 0);
	assert_int_equal(proc2_of(1, PROC2_BUS_LOCK) & both, PROC2_BUS_LOCK);
}

static void guests_only(void **state __unused)
{
	assert_true(proc2_of(1, PROC2_USER_WAIT) & PROC2_WBINVD);
	assert_false(rig_x.proc2 & PROC2_USER_WAIT);
	assert_true(rig_x.proc & PROC_UNCOND_IO);
	assert_true(proc2_of(0, PROC2_USER_WAIT) & PROC2_USER_WAIT);
	assert_false(rig_x.proc2 & PROC2_WBINVD);
	assert_false(rig_x.proc & PROC_UNCOND_IO);
}

/* Only who has DR0-3 in the CPU moves them without an exit, and not past a debugger. */
static void mov_dr(void **state __unused)
{
	proc2_of(1, 0);
	vmx_sync_controls(&rig_v);
	assert_true(rig_vmcs[VMCS_PROC] & PROC_MOV_DR);
	rig_v.dr_own = true;
	vmx_sync_controls(&rig_v);
	assert_false(rig_vmcs[VMCS_PROC] & PROC_MOV_DR);
	rig_v.rules.flags = BP_RULE_DEBUG;
	vmx_sync_controls(&rig_v);
	assert_true(rig_vmcs[VMCS_PROC] & PROC_MOV_DR);
}

#define T(f) cmocka_unit_test_setup(f, rig_setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(stalls), T(guests_only), T(mov_dr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
