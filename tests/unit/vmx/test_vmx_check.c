// SPDX-License-Identifier: GPL-2.0-only
/* The report of a refused entry names the field that is wrong. */
// SOURCES: hv/vmx/check.c hv/core/vcpu/sregs.c
#include "vmx_rig.h"

static const char *with(u32 field, u64 val)
{
	u64 old = rig_vmcs[field];
	const char *why;

	rig_vmcs[field] = val;
	why = vmx_guest_fault(&vmx);
	rig_vmcs[field] = old;
	return why;
}

#define WRONG(field, val, text) assert_string_equal(with(field, val), text)
#define FINE(field, val) assert_null(with(field, val))

static void accepted(void **state __unused)
{
	assert_null(vmx_guest_fault(&vmx));
	FINE(VMCS_GUEST_CR3, 0x1000);
	FINE(VMCS_SEG_AR(SEG_SS), AR_UNUSABLE);
	FINE(VMCS_SEG_AR(SEG_DS), AR_UNUSABLE);
	FINE(VMCS_GUEST_RIP, 0xffffffff80000000ull);
	FINE(VMCS_GUEST_INTR_STATE, INTR_STATE_MOV_SS);
}

static void control(void **state __unused)
{
	u64 cr0 = rig_vmcs[VMCS_GUEST_CR0], cr4 = rig_vmcs[VMCS_GUEST_CR4];

	WRONG(VMCS_GUEST_CR0, cr0 & ~X86_CR0_NE, "CR0 has a bit that VMX does not allow");
	WRONG(VMCS_GUEST_CR0, cr0 & ~X86_CR0_PE, "CR0.PG without CR0.PE");
	WRONG(VMCS_GUEST_CR4, cr4 & ~X86_CR4_VMXE, "CR4 has a bit that VMX does not allow");
	WRONG(VMCS_GUEST_CR4, cr4 | BIT(23), "CR4 has a bit that VMX does not allow");
	WRONG(VMCS_GUEST_CR0, cr0 & ~X86_CR0_PG, "long mode without CR0.PG");
	WRONG(VMCS_GUEST_CR4, cr4 & ~X86_CR4_PAE, "long mode without CR4.PAE");
	WRONG(VMCS_GUEST_CR3, BIT(40), "CR3 has reserved bits");
	WRONG(VMCS_GUEST_DR7, BIT(32), "DR7 has high bits");
	WRONG(VMCS_GUEST_SYSENTER_ESP, BIT(50), "SYSENTER_ESP is not canonical");
	WRONG(VMCS_GUEST_PAT, 2, "PAT has a reserved memory type");
	WRONG(VMCS_GUEST_EFER, BIT(20), "EFER has reserved bits");
	WRONG(VMCS_GUEST_EFER, EFER_LME, "EFER.LMA is not what the entry control says");
	WRONG(VMCS_GUEST_EFER, EFER_LMA, "EFER.LME and EFER.LMA differ under paging");
}

static void segments(void **state __unused)
{
	WRONG(VMCS_SEG_AR(SEG_CS), 0xa09a, "CS is neither accessed code nor writable data");
	WRONG(VMCS_SEG_AR(SEG_CS), 0xa01b, "CS is not a present code segment");
	WRONG(VMCS_SEG_AR(SEG_CS), 0xa0fb, "CS.DPL does not go with SS.DPL");
	WRONG(VMCS_SEG_AR(SEG_CS), 0xe09b, "CS has both L and D");
	WRONG(VMCS_SEG_AR(SEG_CS), 0x209b,
	      "CS has reserved rights, or a limit that G forbids");
	WRONG(VMCS_SEG_BASE(SEG_CS), BIT(32), "the base of CS is above 4 GiB");
	WRONG(VMCS_SEG_AR(SEG_SS), 0xc091, "SS is not accessed, writable data");
	WRONG(VMCS_SEG_AR(SEG_DS), 0xc092, "DS, ES, FS or GS is not accessed and readable");
	WRONG(VMCS_SEG_AR(SEG_ES), 0xc099, "DS, ES, FS or GS is not accessed and readable");
	WRONG(VMCS_SEG_AR(SEG_FS), 0xc013, "DS, ES, FS or GS is not a present segment");
	WRONG(VMCS_SEG_LIMIT(SEG_GS), 0,
	      "DS, ES, FS or GS has reserved rights, or a limit that G forbids");
	WRONG(VMCS_SEG_BASE(SEG_GS), BIT(47), "the base of FS or GS is not canonical");
	WRONG(VMCS_SEG_BASE(SEG_DS), BIT(40), "the base of DS or ES is above 4 GiB");
	WRONG(VMCS_SEG_AR(SEG_TR), 0x83, "TR is not a busy TSS");
	WRONG(VMCS_SEG_AR(SEG_TR), 0x89, "TR is not a busy TSS");
	WRONG(VMCS_SEG_AR(SEG_TR), AR_UNUSABLE | 0x8b, "TR is not a present TSS");
	WRONG(VMCS_SEG_AR(SEG_LDTR), 0x83, "LDTR is not a present LDT");
	WRONG(VMCS_GUEST_GDTR_LIMIT, 0x10000, "GDTR is not valid");
	WRONG(VMCS_GUEST_IDTR_BASE, BIT(60), "IDTR is not valid");
}

/* Real mode and virtual-8086 mode have rules of their own. */
static void other_modes(void **state __unused)
{
	u32 i;

	rig_vmcs[VMCS_ENTRY_CTL] = 0;
	rig_vmcs[VMCS_GUEST_EFER] = 0;
	rig_vmcs[VMCS_GUEST_CR0] = X86_CR0_NE | X86_CR0_ET;
	for (i = 0; i < SEG_LDTR; i++)
		rig_seg(i, 0x1000, 0x10000, 0xffff, 0x93);
	assert_null(vmx_guest_fault(&vmx));
	WRONG(VMCS_SEG_AR(SEG_SS), 0xf3, "SS.DPL is not 0 in real mode");
	WRONG(VMCS_GUEST_RFLAGS, 2 | X86_EFLAGS_VM,
	      "a segment is not as virtual-8086 mode has it");
	for (i = 0; i < SEG_LDTR; i++)
		rig_seg(i, 0x1000, 0x10000, 0xffff, 0xf3);
	rig_vmcs[VMCS_GUEST_RFLAGS] = 2 | X86_EFLAGS_VM;
	WRONG(VMCS_SEG_BASE(SEG_DS), 0x20000, "a segment is not as virtual-8086 mode has it");
	assert_string_equal(vmx_guest_fault(&vmx), "RFLAGS.VM outside of protected mode");
	rig_vmcs[VMCS_GUEST_CR0] |= X86_CR0_PE;
	assert_null(vmx_guest_fault(&vmx));
	WRONG(VMCS_GUEST_RIP, BIT(32), "RIP is not valid");
}

static void events(void **state __unused)
{
	u32 irq = INTR_VALID | 0x30, nmi = INTR_VALID | INTR_NMI << 8 | 2;

	WRONG(VMCS_GUEST_RIP, BIT(47), "RIP is not valid");
	WRONG(VMCS_GUEST_RFLAGS, 0, "RFLAGS has reserved bits");
	WRONG(VMCS_GUEST_RFLAGS, 2 | BIT(15), "RFLAGS has reserved bits");
	WRONG(VMCS_ENTRY_INTR, irq, "an interrupt is injected though RFLAGS.IF is clear");
	WRONG(VMCS_GUEST_ACTIVITY, 1, "the activity state is not active");
	WRONG(VMCS_GUEST_INTR_STATE, 3, "blocking by STI and by MOV SS at once");
	WRONG(VMCS_GUEST_INTR_STATE, 1, "blocking by STI though RFLAGS.IF is clear");
	WRONG(VMCS_LINK_POINTER, 0, "the VMCS link pointer is set");
	rig_vmcs[VMCS_GUEST_RFLAGS] = 2 | X86_EFLAGS_IF;
	FINE(VMCS_ENTRY_INTR, irq);
	FINE(VMCS_ENTRY_INTR, nmi);
	rig_vmcs[VMCS_GUEST_INTR_STATE] = INTR_STATE_STI;
	WRONG(VMCS_ENTRY_INTR, irq, "an interrupt is injected in a shadow");
	rig_vmcs[VMCS_GUEST_INTR_STATE] = INTR_STATE_NMI;
	WRONG(VMCS_ENTRY_INTR, nmi, "an NMI is injected though NMIs are blocked");
}

static void instruction_errors(void **state __unused)
{
	assert_string_equal(vmx_insn_error(7), "invalid control field");
	assert_string_equal(vmx_insn_error(8), "invalid host state");
	assert_string_equal(vmx_insn_error(0), "unknown VM-instruction error");
	assert_string_equal(vmx_insn_error(9), "unknown VM-instruction error");
	assert_string_equal(vmx_insn_error(1000), "unknown VM-instruction error");
}

#define T(f) cmocka_unit_test_setup(f, rig_setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(accepted), T(control), T(segments), T(other_modes), T(events),
		T(instruction_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
