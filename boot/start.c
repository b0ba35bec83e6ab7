// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a machine whose CPUs all stand in root mode to domain 0 running on
 * them: back end, second-level tables, vCPUs, Linux.
 */
#include "devices.h"
#include "hv/core/machine/boot_info.h"
#include "linux_loader.h"

#include "hv/core/apic/vlapic.h"
#include "hv/core/guest/pci_cfg.h"
#include "hv/core/guest/pv.h"
#include "hv/core/guest/sleep.h"
#include "hv/core/lib/string.h"
#include "hv/core/lib/x86.h"
#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/console.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/machine/panic.h"
#include "hv/core/machine/smp.h"
#include "hv/core/machine/watchdog.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/frames.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/run/loop.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/speculation.h"
#include "hv/svm/svm.h"
#include "hv/vmx/probe.h"
#include "hv/vmx/vmx.h"
#include "start.h"

/* What vCPUs may use, as long as one page holds its XSAVE area. */
#define XCR0_WANTED	(XCR0_FP | XCR0_SSE | XCR0_AVX | XCR0_OPMASK | \
			 XCR0_ZMM_HI256 | XCR0_HI16_ZMM | XCR0_PKRU)

static void choose_xcr0(void)
{
	struct cpuid c = cpuid_count(0xd, 0);
	u64 avx512 = XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM;

	if (!(cpuid(1).ecx & BIT(26)))
		fatal("this processor has no XSAVE");
	xcr0_supported = c.eax & XCR0_WANTED;
	if ((xcr0_supported & avx512) != avx512)
		xcr0_supported &= ~avx512;
	xsetbv(0, xcr0_supported);
	if (cpuid_count(0xd, 0).ebx > PAGE_SIZE)
		fatal("XSAVE state of %u bytes is more than a page", cpuid_count(0xd, 0).ebx);
}

const struct hv_ops *back_end(void)
{
	return vmx_is_for_this_cpu() ? &vmx_ops : &svm_ops;
}

static void probe_back_end(void)
{
	const char *why = ops->probe();

	if (why)
		fatal("%s", why);
	log_info("CPU back end: %s, XCR0 %llx", ops_chosen()->name, xcr0_supported);
}

/* Parts that every CPU does for itself. */
static void start_cpu(struct cpu *c)
{
	int err;

	xsetbv(0, xcr0_supported);
	spec_init_cpu(c);
	err = ops->cpu_init(c);
	if (err)
		panic("CPU %u: %s does not start (%d)", c->index, ops_chosen()->name, err);
	c->x2apic = lapic_is_x2apic();
	extra_init_cpu(c);
	c->tsc_aux = 0;
	if (c->has_tsc_aux)
		wrmsr(MSR_TSC_AUX, 0);
}

static void create_dom0_vcpu(struct cpu *c)
{
	struct vcpu *v = page_alloc();
	u64 mcg_cap;
	int err;

	if (!v)
		fatal("no memory for domain 0's vCPU %u", c->index);
	v->dom = &dom0;
	v->index = c->index;
	v->home = c;
	if (domain_set_vcpu(&dom0, c->index, v))
		fatal("no memory for domain 0's vCPU %u", c->index);
	dom0.nr_vcpus = c->index + 1;
	err = vcpu_setup(v, c->apic_id, c->index == 0);
	if (err)
		fatal("no memory for domain 0's vCPU %u", c->index);
	if (!rdmsr_safe(MSR_MCG_CAP, &mcg_cap))
		vlapic_set_cmci(v, mcg_cap & MCG_CMCI_P);
	/* Firmware may have left the CPU in x2APIC mode: so is the vCPU. */
	if (lapic_is_x2apic())
		vlapic_set_base(v, v->apic.base | APIC_BASE_EXTD);
	c->dom0 = v;
}

/* Flat 32-bit protected mode, as the Linux boot protocol wants it. */
static void enter_linux(struct vcpu *v, const struct linux_entry *e)
{
	struct kvm_segment code = { .limit = 0xffffffff, .selector = e->cs, .type = 0xb,
				    .present = 1, .db = 1, .s = 1, .g = 1 };
	struct kvm_segment data = code;
	struct kvm_sregs s;

	data.selector = e->ds;
	data.type = 0x3;
	ops->get_sregs(v, &s);
	s.cs = code;
	s.ds = s.es = s.ss = s.fs = s.gs = data;
	s.gdt.base = e->gdt_base;
	s.gdt.limit = e->gdt_limit;
	s.cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE;
	s.cr4 = 0;
	if (ops->set_sregs(v, &s))
		panic("domain 0's start state is refused");
	memset(v->regs.gpr, 0, sizeof(v->regs.gpr));
	v->regs.rip = e->rip;
	v->regs.gpr[RSI] = e->rsi;
	v->regs.rflags = X86_EFLAGS_FIXED;
}

/* The vCPU joins its CPU's queue; run_loop() finds it there. */
static noreturn void launch(struct cpu *c)
{
	struct vcpu *v = c->dom0;

	spin_lock(&v->lock);
	if (v->mp_state == KVM_MP_STATE_RUNNABLE) {
		v->state = VCPU_RUNNABLE;
		sched_enqueue(c, v, false);
	} else {
		v->state = VCPU_HALTED;
		if (vcpu_has_work(v)) {
			v->state = VCPU_RUNNABLE;
			sched_enqueue(c, v, false);
		}
	}
	spin_unlock(&v->lock);
	run_loop();
}

static void build_dom0(void)
{
	u32 i, max = hv_options.dom0_max_cpus ? hv_options.dom0_max_cpus : nr_cpus;

	for (i = 0; i < nr_cpus; i++) {
		sched_init_cpu(cpus[i]);
		spin_lock_init(&cpus[i]->ring_lock, LOCK_CPU_RING);
	}
	spin_lock_init(&dom0.lock, LOCK_DOMAIN_DOM0);
	mmu_init(ops_chosen()->npt);
	if (frame_mmio_protect(APIC_BASE_DEFAULT, PAGE_SIZE))
		panic("the local APIC's page cannot be protected");
	devices_hide_units();
	if (dom0_build_npt())
		fatal("too little memory for domain 0's page tables");
	devices_confine();
	pv_init();
	pv_init_domain(&dom0);
	for (i = 0; i < min(nr_cpus, max); i++)
		create_dom0_vcpu(cpus[i]);
}

static void start_ap(void)
{
	struct cpu *c = this_cpu();

	start_cpu(c);
	watchdog_start();
	if (c->dom0)
		launch(c);
	run_loop();
}

noreturn void hv_start(const struct boot_info *bi)
{
	struct cpu *c = this_cpu();
	struct linux_entry entry;

	choose_xcr0();
	ops_set(back_end());
	spec_init();
	sleep_init();
	pci_cfg_init();
	probe_back_end();
	start_cpu(c);
	build_dom0();
	linux_load(bi, &entry);
	enter_linux(c->dom0, &entry);
	log_info("domain 0: %u vCPUs, entry %llx; Bedplate's own pool %llu of %llu KiB free",
		 dom0.nr_vcpus, entry.rip, pool_free * 4, pool_total * 4);
	console_release();
	smp_release_aps(start_ap);
	watchdog_start();
	launch(c);
}

/* panic(): what were we doing? */
void panic_describe_exit(void)
{
	const struct vcpu *v = this_cpu()->current;

	if (!v)
		return;
	log_err("exit in hand: domain %u vCPU %u, %s (%llx %llx %llx), RIP %llx RSP %llx RFLAGS %llx",
		v->dom->id, v->index, vm_exit_name(v->exit.reason), v->exit.hw_reason,
		v->exit.hw_info[0], v->exit.hw_info[1], v->regs.rip,
		v->regs.gpr[RSP], v->regs.rflags);
}
