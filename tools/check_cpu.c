// SPDX-License-Identifier: GPL-2.0-only
/* What Bedplate's back ends ask of the CPU; of VMX's controls by the same code. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "compat/kvm-abi/channel.h"
#include "hv/vmx/caps.h"
#include "machine.h"

#define F1_ECX_VMX		BIT(5)
#define F1_ECX_XSAVE		BIT(26)
#define F1_ECX_HYPERVISOR	BIT(31)
#define F7_EDX_HYBRID		BIT(15)
#define E1_ECX_SVM		BIT(2)
#define E1_EDX_LM		BIT(29)
#define EA_EDX_NPT		BIT(0)

#define MSR_FEATURE_CONTROL	0x3a
#define MSR_VMX_BASIC		0x480
#define MSR_VMX_MISC		0x485
#define MSR_VMX_PROC2		0x48b
#define MSR_VMX_EPT_VPID	0x48c
#define MSR_VMX_TRUE_PIN	0x48d
#define MSR_VMX_TRUE_PROC	0x48e
#define MSR_VMX_TRUE_EXIT	0x48f
#define MSR_VMX_TRUE_ENTRY	0x490
#define MSR_SYSCFG		0xc0010010
#define SYSCFG_SME		BIT(23)
#define MSR_VM_CR		0xc0010114
#define VM_CR_SVMDIS		BIT(4)

static void vendor(char *name)
{
	struct cpuid_regs c = machine_cpuid(0, 0);

	memcpy(name, &c.ebx, 4);
	memcpy(name + 4, &c.edx, 4);
	memcpy(name + 8, &c.ecx, 4);
	name[12] = 0;
}

static bool on_bedplate(void)
{
	struct cpuid_regs c = machine_cpuid(BP_CPUID_BASE, 0);

	return (machine_cpuid(1, 0).ecx & F1_ECX_HYPERVISOR) && c.eax >= BP_CPUID_VERSION &&
	       !memcmp(&c.ebx, BP_SIGNATURE, 4) && !memcmp(&c.ecx, &BP_SIGNATURE[4], 4) &&
	       !memcmp(&c.edx, &BP_SIGNATURE[8], 4);
}

/* An MSR that has to be known; a row if it is not. */
static bool need_msr(struct check *c, const char *what, u32 index, u64 *val)
{
	if (machine_msr(index, val))
		return true;
	check_row(c, CHECK_WARNING, what, "MSR %#x cannot be read (%s): %s", index, strerror(errno),
		  geteuid() ? "run this as root" : "is the module msr loaded (\"modprobe msr\")?");
	return false;
}

/* ---- AMD ---- */

static void check_svm(struct check *c)
{
	struct cpuid_regs rev = machine_cpuid(0x8000000a, 0);
	u64 vm_cr;

	if (machine_cpuid(0x80000000, 0).eax < 0x8000000a || !(machine_cpuid(0x80000001, 0).ecx & E1_ECX_SVM)) {
		check_row(c, CHECK_NO, "virtualisation",
			  "the CPU has no SVM, or firmware hides it: look for \"SVM\" in its setup");
		return;
	}
	if (!need_msr(c, "virtualisation", MSR_VM_CR, &vm_cr))
		return;
	if (vm_cr & VM_CR_SVMDIS)
		check_row(c, CHECK_NO, "virtualisation", "firmware has switched SVM off: switch \"SVM\" on in its setup");
	else if (!(rev.edx & EA_EDX_NPT))
		check_row(c, CHECK_NO, "virtualisation", "SVM has no nested paging");
	else if (rev.ebx < 2)
		check_row(c, CHECK_NO, "virtualisation", "SVM has fewer than two ASIDs");
	else
		check_row(c, CHECK_OK, "virtualisation", "SVM with nested paging, %u ASIDs", rev.ebx);
}

static void check_sme(struct check *c)
{
	u64 val;

	if (machine_msr(MSR_SYSCFG, &val) && (val & SYSCFG_SME))
		check_row(c, CHECK_WARNING, "encryption",
			  "firmware has switched memory encryption (SME) on, which has not been tested");
}

/* ---- Intel ---- */

static bool read_vmx(struct check *c, struct vmx_msrs *m)
{
	const struct { u32 index; u64 *to; } msrs[] = {
		{ MSR_FEATURE_CONTROL, &m->feature_control }, { MSR_VMX_BASIC, &m->basic },
		{ MSR_VMX_MISC, &m->misc }, { MSR_VMX_TRUE_PIN, &m->pin }, { MSR_VMX_TRUE_PROC, &m->proc },
		{ MSR_VMX_TRUE_EXIT, &m->exit }, { MSR_VMX_TRUE_ENTRY, &m->entry },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		if (!need_msr(c, "virtualisation", msrs[i].index, msrs[i].to))
			return false;
	/* These two are not there on CPUs that lack the features. */
	m->proc2 = m->ept_vpid = 0;
	machine_msr(MSR_VMX_PROC2, &m->proc2);
	machine_msr(MSR_VMX_EPT_VPID, &m->ept_vpid);
	return true;
}

static void check_vmx(struct check *c)
{
	struct vmx_controls ctl;
	struct vmx_msrs m;
	const char *why;
	u64 set;

	if (!(machine_cpuid(1, 0).ecx & F1_ECX_VMX)) {
		check_row(c, CHECK_NO, "virtualisation",
			  "the CPU has no VMX, or firmware hides it: look for \"VT-x\" in its setup");
		return;
	}
	if (!need_msr(c, "virtualisation", MSR_FEATURE_CONTROL, &m.feature_control))
		return;
	if (vmx_feature_control(m.feature_control, &set)) {
		check_row(c, CHECK_NO, "virtualisation",
			  "firmware has switched VMX off and locked it: switch \"VT-x\" on in its setup");
		return;
	}
	if (!read_vmx(c, &m))
		return;
	why = vmx_choose_controls(&m, &ctl);
	if (why)
		check_row(c, CHECK_NO, "virtualisation", "%s", why);
	else
		check_row(c, CHECK_OK, "virtualisation", "VMX with EPT and unrestricted guest%s",
			  ctl.apic & PROC2_DELIVERY ? ", APICs in hardware" : "");
}

/* ---- both ---- */

static void check_rest(struct check *c)
{
	if (machine_cpuid(1, 0).ecx & F1_ECX_XSAVE)
		check_row(c, CHECK_OK, "XSAVE", "there");
	else
		check_row(c, CHECK_NO, "XSAVE", "the CPU has none");
	if (machine_cpuid(7, 0).edx & F7_EDX_HYBRID)
		check_row(c, CHECK_WARNING, "hybrid",
			  "cores of two kinds: Bedplate takes them for equal, which has not been tested");
	if (machine_cpuid(1, 0).ecx & F1_ECX_HYPERVISOR)
		check_row(c, CHECK_WARNING, "hypervisor",
			  "this is a virtual machine: all depends on its nested virtualisation");
}

void check_cpu(struct check *c)
{
	char name[13];

	vendor(name);
	c->intel = !strcmp(name, "GenuineIntel");
	c->on_bedplate = on_bedplate();
	if (c->on_bedplate) {
		check_row(c, CHECK_OK, "processor", "%s; Bedplate runs here already, and has the CPU", name);
		return;
	}
	if (!(machine_cpuid(0x80000001, 0).edx & E1_EDX_LM)) {
		check_row(c, CHECK_NO, "processor", "%s, 32-bit", name);
		return;
	}
	check_row(c, CHECK_OK, "processor", "%s, 64-bit", name);
	if (c->intel) {
		check_vmx(c);
	} else {
		check_svm(c);
		check_sme(c);
	}
	check_rest(c);
}
