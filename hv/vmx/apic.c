// SPDX-License-Identifier: GPL-2.0-only
/*
 * APIC virtualisation (SDM vol. 3, ch. 31), for guests.  Domain 0's interrupts are
 * physical ones, each an exit, and its EOIs are paravirtual: it goes without.
 *
 * The virtual-APIC page is the register page of the virtual APIC, so state needs
 * no copying.  With interrupt delivery IRR, ISR and PPR in it are the CPU's while
 * the vCPU runs; what it knows besides, the highest pending vector and the highest
 * in service, is computed anew when software has changed them.
 */
#include "apic/vlapic.h"
#include "insn.h"
#include "machine/lapic.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "vmx.h"

/* Nobody reads or writes it: accesses go to the virtual-APIC page, or exit. */
static u8 access_page[PAGE_SIZE] __aligned(4096);

static_assert(offsetof(struct vmx_vcpu, post) == 0, "descriptor at the page's start");

void vmx_apic_init(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;

	x->apic = domain_is_dom0(v->dom) ? 0 : vmx.ctl.apic;
	if (x->apic & PROC2_APIC_ACCESS) {
		v->apic.access_page = virt_to_phys(access_page);
		vmwrite(VMCS_APIC_ACCESS, v->apic.access_page);
	}
	if (!(x->apic & PROC2_DELIVERY))
		return;
	v->apic.post = &x->post;
	x->post.notify = vmx.ctl.posted;
	x->post.eoi_changed = x->post.status_changed = true;
	if (vmx.ctl.posted) {
		vmwrite(VMCS_POSTED_VECTOR, VECTOR_POSTED);
		vmwrite(VMCS_POSTED_DESC, virt_to_phys(&x->post));
	}
}

/* The controls that go with a mode; delivery is on in all of them. */
void vmx_apic_mode(struct vcpu *v, enum vlapic_mode mode)
{
	struct vmx_vcpu *x = v->arch;
	u32 on = x->apic & PROC2_DELIVERY;
	bool x2apic = mode == VLAPIC_X2APIC && (x->apic & PROC2_X2APIC);

	if (mode == VLAPIC_XAPIC && (x->apic & PROC2_APIC_ACCESS))
		on |= x->apic & (PROC2_APIC_ACCESS | PROC2_APIC_REGS);
	if (x2apic)
		on |= x->apic & (PROC2_X2APIC | PROC2_APIC_REGS);
	x->apic_mode = mode;
	vmwrite(VMCS_PROC2, x->proc2 | on);
	vmwrite(VMCS_MSR_BITMAP, vmx_msr_bitmap(v, x2apic));
}

/*
 * The CPU holds no interrupt back that it could deliver, and ends none as it delivers it: for
 * what wants that, the run loop injects, for good.  The MSR bitmap of virtualised x2APIC
 * accesses lets EOI pass, which is the physical APIC's then.
 */
void vmx_apic_no_delivery(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;

	v->apic.post->off = true;
	x->apic &= ~(PROC2_DELIVERY | PROC2_X2APIC);
	x->pin &= ~PIN_POSTED;
	x->pin_base &= ~PIN_POSTED;
	vmwrite(VMCS_PIN, x->pin);
}

void vmx_apic_reset(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;

	if (v->apic.post && !v->apic.post->off && vmx.ctl.posted) {
		x->pin = x->pin_base |= PIN_POSTED;
		vmwrite(VMCS_PIN, x->pin);
		vmwrite(VMCS_EXIT_CTL, vmx.ctl.exit | EXIT_TAKE_INTR);
	}
	vmx_apic_mode(v, VLAPIC_OFF);
}

void vmx_apic_delivery(struct vcpu *v)
{
	struct vlapic_post *p = v->apic.post;
	u32 i;

	vlapic_collect(&v->apic);
	if (unlikely(p->status_changed)) {
		p->status_changed = false;
		vmwrite(VMCS_GUEST_INTR_STATUS, vlapic_status(v));
	}
	if (unlikely(p->eoi_changed)) {
		p->eoi_changed = false;
		for (i = 0; i < 4; i++)
			vmwrite(VMCS_EOI_EXIT(i), p->eoi_exits[i]);
	}
}
