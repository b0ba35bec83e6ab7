/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path around SVM's world switch, for the unit tests of it: the "hardware" is a function of the
 * test's, which sees the VMCB of an entry and writes an exit into it.
 */
#ifndef TESTS_UNIT_SVM_RUN_RIG_H
#define TESTS_UNIT_SVM_RUN_RIG_H

#include "svm_rig.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/apic/irq.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/vcpu/speculation.h"
#include "hv/core/machine/trap.h"
#include "hv/core/machine/tsc.h"

u64 tsc_khz = 1000 * 1000 * 1000;	/* so that no test here takes long */

static struct cpu rig_cpu;
static struct domain rig_dom;

/* What the "hardware" does at the next entry, and what it saw. */
static void (*hardware)(struct vmcb *b);
static struct vmcb seen;
static int entries;

struct cpu *this_cpu(void)
{
	return &rig_cpu;
}

void vlapic_set_cr8(struct vcpu *v, u8 cr8)
{
	v->apic.reg[APIC_REG_TPR / 4] = cr8 << 4;
}

/* Of a vCPU's making, which is not tried here. */
void *domain_page_alloc(struct domain *d __unused) { return NULL; }
void domain_page_free(struct domain *d __unused, void *page __unused) { fail(); }
hpa_t virt_to_phys(const void *va __unused) { return 0; }
hpa_t svm_iopm(const struct vcpu *v __unused) { return 0x8000; }
hpa_t svm_msrpm(const struct vcpu *v __unused) { return 0x9000; }

static u32 exc_exits;

u32 vcpu_exc_exits(const struct vcpu *v __unused) { return exc_exits; }

static int spec_entries;

void spec_entry(struct cpu *c)
{
	assert_ptr_equal(c, &rig_cpu);
	spec_entries++;
}

void svm_enter(struct vcpu_regs *regs, hpa_t vmcb, hpa_t host_vmcb)
{
	assert_ptr_equal(regs, &rig_v.regs);
	assert_int_equal(vmcb, 0x5000);
	assert_int_equal(host_vmcb, 0x6000);
	seen = rig_vmcb;
	entries++;
	rig_vmcb.c.event_inj &= ~SVM_EVT_VALID;
	rig_vmcb.c.exit_int_info = 0;
	hardware(&rig_vmcb);
}

static void hw_cpuid(struct vmcb *b)
{
	b->c.exit_code = SVM_EXIT_CPUID;
}

static int setup(void **state)
{
	rig_setup(state);
	memset(&rig_cpu, 0, sizeof(rig_cpu));
	memset(&rig_dom, 0, sizeof(rig_dom));
	rig_dom.npt.table = 0x7000;
	rig_v.dom = &rig_dom;
	rig_v.regs.rflags = 2;
	rig_sv.vmcb_pa = 0x5000;
	rig_sv.cpu_index = ~0u;
	rig_cpu.svm.host_vmcb = 0x6000;
	rig_cpu.svm.asid_gen = 1;
	rig_cpu.svm.asid_next = 4;
	rig_cpu.svm.asid_max = 3;
	rig_vmcb.c.intercept_exc = 1u << X86_TRAP_MC;
	hardware = hw_cpuid;
	entries = 0;
	return 0;
}

static enum vm_exit_reason run(void)
{
	svm_run(&rig_v);
	return rig_v.exit.reason;
}

static inline void inject(u8 type, u8 vector, bool has_error, u32 error)
{
	rig_v.inject = (struct vcpu_event){ .type = type, .vector = vector, .has_error = has_error, .error = error };
}

static int kicks;

void lapic_send_ipi(u32 apic_id, u8 vector)
{
	assert_int_equal(apic_id, rig_cpu.apic_id);
	assert_int_equal(vector, VECTOR_KICK);
	kicks++;
}

static u32 tpr_writes;

void lapic_write(u32 reg, u32 val)
{
	assert_int_equal(reg, LAPIC_TPR);
	assert_int_equal(val, 0);
	tpr_writes++;
}

/* What the hardware was about to deliver, when a nested page fault came. */
static u64 cut_info;

static inline void hw_cut_short(struct vmcb *b)
{
	b->c.exit_code = SVM_EXIT_NPF;
	b->c.exit_int_info = cut_info;
}

#define T(f) cmocka_unit_test_setup(f, setup)

#endif
