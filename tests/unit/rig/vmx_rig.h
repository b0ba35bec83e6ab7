/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU on a VMCS of the test's own, for the unit tests of hv/vmx. */
#ifndef TESTS_UNIT_VMX_RIG_H
#define TESTS_UNIT_VMX_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/lib/errno.h"
#include "hv/core/lib/x86_regs.h"
#include "hv/vmx/insn.h"
#include "hv/vmx/vmx.h"

struct vmx_caps vmx;

static u64 rig_vmcs[0x8000];
static u32 rig_apic[1024];
static struct vmx_vcpu rig_x;
static struct vcpu rig_v;

u64 vmread(u32 field)
{
	assert_true(field < ARRAY_SIZE(rig_vmcs));
	return rig_vmcs[field];
}

void vmwrite(u32 field, u64 val)
{
	assert_true(field < ARRAY_SIZE(rig_vmcs));
	rig_vmcs[field] = val;
}

static inline void rig_seg(u32 n, u16 selector, u64 base, u32 limit, u32 ar)
{
	rig_vmcs[VMCS_SEG_SELECTOR(n)] = selector;
	rig_vmcs[VMCS_SEG_BASE(n)] = base;
	rig_vmcs[VMCS_SEG_LIMIT(n)] = limit;
	rig_vmcs[VMCS_SEG_AR(n)] = ar;
}

/* A guest in 64-bit mode, CPL 0, that an entry would accept. */
static int rig_setup(void **state)
{
	u32 i;

	(void)state;
	memset(rig_vmcs, 0, sizeof(rig_vmcs));
	memset(&rig_x, 0, sizeof(rig_x));
	memset(&rig_v, 0, sizeof(rig_v));
	rig_v.arch = &rig_x;
	memset(rig_apic, 0, sizeof(rig_apic));
	rig_v.apic.reg = rig_apic;
	vmx = (struct vmx_caps){
		.limits = {
			.vaddr_bits = 48,
			.phys_end = BIT(40),
			.cr3_valid = BIT(40) - 1,
			.cr4_valid = 0x7ff,
			.efer_valid = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX,
		},
		.cr0_on = X86_CR0_NE,
		.cr4_on = X86_CR4_VMXE,
	};
	rig_vmcs[VMCS_GUEST_CR0] = X86_CR0_PG | X86_CR0_PE | X86_CR0_NE | X86_CR0_ET;
	rig_vmcs[VMCS_GUEST_CR4] = X86_CR4_PAE | X86_CR4_MCE | X86_CR4_VMXE;
	rig_vmcs[VMCS_GUEST_EFER] = EFER_LME | EFER_LMA;
	rig_vmcs[VMCS_ENTRY_CTL] = ENTRY_IA32E;
	rig_vmcs[VMCS_GUEST_PAT] = 0x0007040600070406ull;
	rig_vmcs[VMCS_GUEST_RFLAGS] = 2;
	rig_vmcs[VMCS_LINK_POINTER] = ~0ull;
	rig_vmcs[VMCS_GUEST_DR7] = 0x400;
	for (i = 0; i < SEG_LDTR; i++)
		rig_seg(i, 0x10, 0, 0xffffffff, 0xc093);
	rig_seg(SEG_CS, 8, 0, 0xffffffff, 0xa09b);
	rig_seg(SEG_LDTR, 0, 0, 0, AR_UNUSABLE);
	rig_seg(SEG_TR, 0x18, 0, 0x67, 0x8b);
	return 0;
}

#endif
