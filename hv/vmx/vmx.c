// SPDX-License-Identifier: GPL-2.0-only
/* Intel VMX: what the machine offers, turning it on and off, the ops table. */
#include "vmx.h"
#include "../ept/npt.h"
#include "insn.h"
#include "lib/x86.h"
#include "machine/cmdline.h"
#include "machine/cpu.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "machine/panic.h"
#include "memory/domain.h"
#include "microcode.h"
#include "probe.h"
#include "vcpu/ops.h"

struct vmx_caps vmx;

/* Capability MSRs (SDM vol. 3, app. A) */
#define MSR_VMX_CR0_FIXED0	0x486
#define MSR_VMX_CR0_FIXED1	0x487
#define MSR_VMX_CR4_FIXED0	0x488

noreturn void vmx_insn_failed(const char *what, u64 operand)
{
	panic("%s %llx failed", what, operand);
}

/* A guest may run without protection and paging: it is unrestricted. */
static void fill_caps(u64 basic)
{
	vmx.revision = VMX_BASIC_REVISION(basic);
	limits_read(&vmx.limits);
	vmx.cr0_on = rdmsr(MSR_VMX_CR0_FIXED0) & ~(X86_CR0_PE | X86_CR0_PG);
	vmx.cr0_off = (u32)~rdmsr(MSR_VMX_CR0_FIXED1);
	vmx.cr4_on = rdmsr(MSR_VMX_CR4_FIXED0);
}

static const char *yes_no(bool on)
{
	return on ? "yes" : "no";
}

static void log_apicv(const struct vmx_controls *c)
{
	log_info("VMX: TPR shadow: %s; guests' xAPIC page: %s, x2APIC mode: %s, APIC registers: %s, interrupt delivery: %s, posting: %s",
		 yes_no(c->tpr_shadow), yes_no(c->apic & PROC2_APIC_ACCESS),
		 yes_no(c->apic & PROC2_X2APIC), yes_no(c->apic & PROC2_APIC_REGS),
		 yes_no(c->apic & PROC2_DELIVERY), yes_no(c->posted));
}

static const char *vmx_probe(void)
{
	const char *why = vmx_missing(&vmx.ctl);

	if (why)
		return why;
	vmx_limit_apicv(&vmx.ctl, hv_options.apicv);
	log_apicv(&vmx.ctl);
	if (hv_options.bus_lock_off)
		vmx.ctl.proc2 &= ~PROC2_BUS_LOCK;
	if (hv_options.notify_off)
		vmx.ctl.proc2 &= ~PROC2_NOTIFY;
	log_info("VMX: exits at bus locks of guests: %s, without end of an instruction: %s",
		 yes_no(vmx.ctl.proc2 & PROC2_BUS_LOCK), yes_no(vmx.ctl.proc2 & PROC2_NOTIFY));
	fill_caps(rdmsr(MSR_VMX_BASIC));
	vmx_perm_init();
	return NULL;
}

static int allow_vmxon(void)
{
	u64 val = rdmsr(MSR_FEATURE_CONTROL), set;

	if (vmx_feature_control(val, &set))
		return -ENODEV;
	return set == val ? 0 : wrmsr_safe(MSR_FEATURE_CONTROL, set);
}

static void fix_control_registers(void)
{
	write_cr0((read_cr0() | rdmsr(MSR_VMX_CR0_FIXED0)) & rdmsr(MSR_VMX_CR0_FIXED1));
	write_cr4(read_cr4() | X86_CR4_VMXE | rdmsr(MSR_VMX_CR4_FIXED0));
}

static int vmx_cpu_init(struct cpu *c)
{
	u32 *region = domain_page_alloc(&dom0), i;
	int err;

	if (!region)
		return -ENOMEM;
	*region = vmx.revision;
	err = allow_vmxon();
	if (!err) {
		fix_control_registers();
		err = vmxon(virt_to_phys(region));
	}
	if (err) {
		domain_page_free(&dom0, region);
		return err;
	}
	c->vmx.vmxon = virt_to_phys(region);
	c->vmx.current_vmcs = 0;
	c->vmx.dr6 = read_dr6();
	for (i = 0; i < NR_SYS; i++)
		c->vmx.sys[i] = rdmsr(vmx_sys_msr[i]);
	return 0;
}

#define DR6_SET		(X86_DR6_BD | X86_DR6_BS)
#define DR6_INVERTED	(X86_DR6_BLD | X86_DR6_RTM)

void vmx_take_debug(u64 qual)
{
	u64 dr6 = (read_dr6() & ~X86_DR6_B) | DR6_INVERTED;

	write_dr6((dr6 | (qual & (X86_DR6_B | DR6_SET))) & ~(qual & DR6_INVERTED));
	vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~X86_DR7_GD);
}

static void vmx_emergency_off(void)
{
	u64 cr4 = read_cr4();

	if (!(cr4 & X86_CR4_VMXE))
		return;
	vmxoff_safe();
	write_cr4(cr4 & ~X86_CR4_VMXE);
}

/* Intel's have bits for all that is mitigated. */
static u32 vmx_flaws(const struct spec_enum *e __unused, const struct hv_options *o __unused)
{
	return 0;
}

const struct hv_ops vmx_ops = {
	.name = "VMX",
	.npt = &npt_format_ept,
	.microcode = &vmx_microcode,
	.flaws = vmx_flaws,
	.probe = vmx_probe,
	.cpu_init = vmx_cpu_init,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_fini = vmx_vcpu_fini,
	.vcpu_reset = vmx_vcpu_reset,
	.load = vmx_load,
	.put = vmx_put,
	.run = vmx_run,
	.can_inject = vmx_can_inject,
	.window = vmx_window,
	.tpr_threshold = vmx_tpr_threshold,
	.get_paging = vmx_get_paging,
	.get_sregs = vmx_get_sregs,
	.set_sregs = vmx_set_sregs,
	.set_pdptes = vmx_set_pdptes,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.get_block = vmx_get_block,
	.set_block = vmx_set_block,
	.sync_controls = vmx_sync_controls,
	.flush = vmx_flush,
	.emergency_off = vmx_emergency_off,
	.dump = vmx_dump,
};
