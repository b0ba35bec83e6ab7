// SPDX-License-Identifier: GPL-2.0-only
/* AMD SVM: what the machine offers, turning it on and off, the ops table. */
#include "svm.h"
#include "../ept/npt.h"
#include "lib/x86.h"
#include "machine/cmdline.h"
#include "machine/cpu.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "microcode.h"
#include "probe.h"
#include "vcpu/ops.h"

struct svm_caps svm;

/* CPUID 8000_0001 */
#define EXT_ECX_TCE		BIT(17)
#define EXT_EDX_FFXSR		BIT(25)
/* CPUID 8000_000A EDX */
#define SVM_EDX_NRIP		BIT(3)
#define SVM_EDX_CLEAN		BIT(5)
#define SVM_EDX_FLUSH_ASID	BIT(6)
#define SVM_EDX_PAUSE		BIT(10)
#define SVM_EDX_PAUSE_THRESHOLD	BIT(12)
#define SVM_EDX_BUS_LOCK	BIT(29)
/* CPUID 8000_0008 EBX */
#define EXT8_EBX_FP_POINTERS	BIT(2)
/* CPUID 8000_0021 EAX */
#define EXT21_EAX_AUTOIBRS	BIT(8)

/* What only SVM's vendors have. */
static void add_limits(struct cpu_limits *l, struct cpuid ext)
{
	l->efer_valid |= ext.edx & EXT_EDX_FFXSR ? EFER_FFXSR : 0;
	l->efer_valid |= ext.ecx & EXT_ECX_TCE ? EFER_TCE : 0;
	if (cpuid(0x80000000).eax >= 0x80000021 &&
	    (cpuid(0x80000021).eax & EXT21_EAX_AUTOIBRS))
		l->efer_valid |= EFER_AUTOIBRS;
}

static void fill_caps(struct cpuid ext, struct cpuid rev)
{
	svm.asids = rev.ebx;
	svm.nrip = rev.edx & SVM_EDX_NRIP;
	svm.clean_all = rev.edx & SVM_EDX_CLEAN ? SVM_CLEAN_ALL : 0;
	svm.flush_by_asid = rev.edx & SVM_EDX_FLUSH_ASID;
	svm.pause_filter = rev.edx & SVM_EDX_PAUSE;
	svm.pause_threshold = rev.edx & SVM_EDX_PAUSE_THRESHOLD;
	svm.bus_lock = (rev.edx & SVM_EDX_BUS_LOCK) && !hv_options.bus_lock_off;
	svm.tcg = cpuid(0x40000000).ebx == 0x54474354;	/* "TCGT" */
	svm.hides_cr4 = limits_hide_cr4();
	svm.fp_pointers_stay = !(cpuid(0x80000008).ebx & EXT8_EBX_FP_POINTERS);
	limits_read(&svm.limits);
	add_limits(&svm.limits, ext);
}

static const char *svm_probe(void)
{
	const char *why = svm_missing();

	if (why)
		return why;
	fill_caps(cpuid(0x80000001), cpuid(0x8000000a));
	log_info("SVM: exits at bus locks of guests: %s", svm.bus_lock ? "yes" : "no");
	svm_perm_init();
	return NULL;
}

/*
 * A chipset can be told to send an INIT, which ends a guest's run and stays pending: root mode
 * would take it, and firmware start beside the other CPUs. It becomes #SX instead, which
 * trap.c ignores (APM vol. 2, 15.28).
 */
static void redirect_init(void)
{
	u64 vm_cr = rdmsr(MSR_AMD_VM_CR);

	if (wrmsr_safe(MSR_AMD_VM_CR, vm_cr | VM_CR_R_INIT))
		log_warn("SVM: an INIT from outside cannot be held off");
}

/* The ASID counter starts spent: the first one given out flushes the TLB. */
static int svm_cpu_init(struct cpu *c)
{
	void *hsave = domain_page_alloc(&dom0);
	void *host = domain_page_alloc(&dom0);

	if (!hsave || !host) {
		if (hsave)
			domain_page_free(&dom0, hsave);
		if (host)
			domain_page_free(&dom0, host);
		return -ENOMEM;
	}
	c->svm.hsave = virt_to_phys(hsave);
	c->svm.host_vmcb = virt_to_phys(host);
	c->svm.asid_max = svm.asids - 1;
	c->svm.asid_next = svm.asids;
	c->svm.asid_gen = 1;		/* a vCPU without an ASID has 0 */

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_AMD_VM_HSAVE_PA, c->svm.hsave);
	redirect_init();
	svm_mend_flaws();
	__asm__ volatile("vmsave %0" :: "a"(c->svm.host_vmcb) : "memory");
	return 0;
}

static void svm_emergency_off(void)
{
	u64 efer = rdmsr(MSR_EFER);

	if (!(efer & EFER_SVME))
		return;
	__asm__ volatile("stgi" ::: "memory");
	wrmsr(MSR_EFER, efer & ~EFER_SVME);
}

const struct hv_ops svm_ops = {
	.name = "SVM",
	.npt = &npt_format_amd,
	.microcode = &svm_microcode,
	.nested = true,
	.flaws = svm_flaws,
	.probe = svm_probe,
	.cpu_init = svm_cpu_init,
	.vcpu_init = svm_vcpu_init,
	.vcpu_fini = svm_vcpu_fini,
	.vcpu_reset = svm_vcpu_reset,
	.load = svm_load,
	.put = svm_put,
	.run = svm_run,
	.can_inject = svm_can_inject,
	.window = svm_window,
	.tpr_threshold = svm_tpr_threshold,
	.get_paging = svm_get_paging,
	.get_sregs = svm_get_sregs,
	.set_sregs = svm_set_sregs,
	.set_pdptes = svm_set_pdptes,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.get_block = svm_get_block,
	.set_block = svm_set_block,
	.sync_controls = svm_sync_controls,
	.flush = svm_flush,
	.emergency_off = svm_emergency_off,
	.dump = svm_dump,
};
