// SPDX-License-Identifier: GPL-2.0-only
/* Entries: which registers go into the VMCS, and that none of them is forgotten. */
// CFLAGS: -include core_host.h
#include <stdlib.h>

#include "vmx_rig.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"

struct desc_ptr {
	u16 limit;
	u64 base;
};

static u64 cr2, dr6;
static u32 dr6_writes, writes[0x8000];

/* ---- the processor ---- */

static void vmptrld(hpa_t vmcs __unused) { }
static void invept(u64 type __unused, u64 eptp __unused) { }
static void sgdt(struct desc_ptr *d __unused) { fail(); }
static void sidt(struct desc_ptr *d __unused) { fail(); }
static u64 read_cr4(void) { return 0; }
static u64 read_cr2(void) { return cr2; }
static void write_cr2(u64 val) { cr2 = val; }
static u64 read_dr6(void) { return dr6; }
static void write_dr6(u64 val) { dr6 = val; dr6_writes++; }
void vmclear(hpa_t vmcs __unused) { }
u64 host_read_cr(int n __unused) { return 0; }
int host_rdmsr(u32 msr __unused, u64 *val __unused) { return 0; }
int host_wrmsr(u32 msr __unused, u64 val __unused) { return 0; }

#define vmwrite counted_vmwrite
static void counted_vmwrite(u32 field, u64 val)
{
	writes[field]++;
	rig_vmcs[field] = val;
}

#include "hv/vmx/run.c"

/* ---- the rest of Bedplate ---- */

static struct cpu cpu;
static struct domain dom = { .id = 1 };
struct domain dom0;
const char vmx_exit[1];
const u32 vmx_sys_msr[NR_SYS];

struct cpu *this_cpu(void) { return &cpu; }
void spec_entry(struct cpu *c __unused) { fail(); }
void vmx_inject(struct vcpu *v __unused) { fail(); }
void vmx_cut_short(struct vcpu *v __unused, u32 info __unused) { fail(); }
void vmx_apic_mode(struct vcpu *v __unused, enum vlapic_mode mode __unused) { fail(); }
void vmx_apic_delivery(struct vcpu *v __unused) { fail(); }
void vmx_load_pdptes(struct vcpu *v __unused) { fail(); }
void vmx_need_pdptes(struct vcpu *v __unused) { fail(); }
void vmx_decode_exit(struct vcpu *v __unused, u32 reason __unused) { }
void vmx_decode_failure(struct vcpu *v __unused) { }

/* ---- a guest ---- */

static bool refuse;

static u64 some(void)
{
	return rand() % 3;
}

/* Entered with what hv/core has; it goes on to other values, or stays. */
bool vmx_enter(struct vcpu_regs *regs, bool launched __unused, u64 *host_rsp __unused)
{
	assert_int_equal(rig_vmcs[VMCS_GUEST_RIP], regs->rip);
	assert_int_equal(rig_vmcs[VMCS_GUEST_RSP], regs->gpr[RSP]);
	assert_int_equal(rig_vmcs[VMCS_GUEST_RFLAGS], regs->rflags);
	assert_int_equal(cr2, regs->cr2);
	if (refuse)
		return false;
	rig_vmcs[VMCS_GUEST_RIP]++;
	if (!some()) {
		rig_vmcs[VMCS_GUEST_RSP] = some();
		rig_vmcs[VMCS_GUEST_RFLAGS] = some() ? 2 : 0x202;
	}
	return true;
}

static int setup(void **state)
{
	rig_setup(state);
	memset(&cpu, 0, sizeof(cpu));
	memset(writes, 0, sizeof(writes));
	rig_v.dom = &dom;
	rig_vmcs[VMCS_GUEST_RFLAGS] = 0;
	rig_v.regs.rflags = 2;
	cr2 = dr6_writes = 0;
	refuse = false;
	srand(1);
	return 0;
}

static void no_register_is_forgotten(void **state __unused)
{
	u32 i;

	for (i = 0; i < 20000; i++) {
		if (!some())
			rig_v.regs.gpr[RSP] = some();
		if (!some())
			rig_v.regs.rflags = some() ? 2 : 0x202;
		if (!some())
			rig_v.regs.cr2 = some();
		refuse = !some();
		vmx_run(&rig_v);
		if (refuse)
			continue;
		assert_int_equal(rig_v.regs.gpr[RSP], rig_vmcs[VMCS_GUEST_RSP]);
		assert_int_equal(rig_v.regs.rflags, rig_vmcs[VMCS_GUEST_RFLAGS]);
		assert_int_equal(rig_v.regs.rip, rig_vmcs[VMCS_GUEST_RIP]);
	}
}

static void the_same_is_not_written_again(void **state __unused)
{
	rig_v.regs.gpr[RSP] = rig_vmcs[VMCS_GUEST_RSP] = rig_x.rsp = 0x1000;
	refuse = true;
	vmx_run(&rig_v);
	vmx_run(&rig_v);
	assert_int_equal(writes[VMCS_GUEST_RSP], 0);
	assert_int_equal(writes[VMCS_GUEST_RFLAGS], 1);
	assert_int_equal(writes[VMCS_GUEST_RIP], 2);
}

/* DR6: what the vCPU before has left is looked at, and each gets its own. */
static void debug_status(void **state __unused)
{
	u64 first = 0xffff0ff0;

	rig_x.cpu_index = cpu.index;
	dr6 = cpu.vmx.dr6 = first;
	rig_v.dr6 = first;
	vmx_load(&rig_v);
	assert_int_equal(dr6_writes, 0);
	dr6 = first | 1;		/* by the guest */
	vmx_put(&rig_v);
	assert_int_equal(rig_v.dr6, first | 1);
	rig_v.dr6 = first;		/* as another one's */
	vmx_load(&rig_v);
	assert_int_equal(dr6, first);
	assert_int_equal(dr6_writes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_register_is_forgotten, setup),
		cmocka_unit_test_setup(the_same_is_not_written_again, setup),
		cmocka_unit_test_setup(debug_status, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
