// SPDX-License-Identifier: GPL-2.0-only
/* Segments, control registers and EFER: VMCS to struct kvm_sregs and back. */
#include "vcpu/sregs.h"
#include "guest/gwalk.h"
#include "insn.h"
#include "lib/segment.h"
#include "lib/x86_regs.h"
#include "memory/mmu.h"
#include "vmx.h"

/* ---- segments ---- */

#define TYPE_ACCESSED	1
#define TYPE_TSS32	11		/* busy; the same number in long mode */
#define TYPE_TSS16	3

u32 vmx_seg_ar(const struct kvm_segment *s)
{
	u32 ar = segment_rights(s);

	/* CPL is SS.DPL, of a null SS too. */
	if (s->unusable || !s->present)
		return AR_UNUSABLE | (ar & AR_DPL_MASK);
	return ar;
}

void vmx_seg_unpack(struct kvm_segment *to, u32 ar)
{
	segment_set_rights(to, ar & AR_UNUSABLE ? ar & ~AR_P : ar | AR_P);
}

/* G and the limit have to agree (SDM vol. 3, 27.3.1.2); the limit counts. */
static void write_seg(u32 n, const struct kvm_segment *s, u32 ar)
{
	u32 limit = s->limit;

	if (limit >> 20) {
		ar |= AR_G;
		limit |= 0xfff;
	} else if ((limit & 0xfff) != 0xfff) {
		ar &= ~AR_G;
	}
	vmwrite(VMCS_SEG_SELECTOR(n), s->selector);
	vmwrite(VMCS_SEG_BASE(n), s->base);
	vmwrite(VMCS_SEG_LIMIT(n), limit);
	vmwrite(VMCS_SEG_AR(n), ar);
}

/* VMX insists on the accessed bit, which others may leave out. */
static void write_code_or_data(u32 n, const struct kvm_segment *s)
{
	u32 ar = vmx_seg_ar(s);

	write_seg(n, s, ar & AR_UNUSABLE ? ar : ar | TYPE_ACCESSED);
}

/*
 * TR is always usable and busy.  The 16-bit type is for protected mode only:
 * a guest could enter long mode with it unseen.
 */
static void write_tr(const struct kvm_segment *s, bool protected16)
{
	u32 ar = vmx_seg_ar(s) & ~(AR_UNUSABLE | AR_S | AR_TYPE);

	ar |= AR_P | (s->type == TYPE_TSS16 && protected16 ? TYPE_TSS16 : TYPE_TSS32);
	write_seg(SEG_TR, s, ar);
}

static void write_segments(const struct kvm_sregs *s)
{
	bool protected16 = (s->cr0 & X86_CR0_PE) && !(s->efer & EFER_LMA) && s->tr.selector;

	write_code_or_data(SEG_CS, &s->cs);
	write_code_or_data(SEG_DS, &s->ds);
	write_code_or_data(SEG_ES, &s->es);
	write_code_or_data(SEG_FS, &s->fs);
	write_code_or_data(SEG_GS, &s->gs);
	write_code_or_data(SEG_SS, &s->ss);
	write_seg(SEG_LDTR, &s->ldt, vmx_seg_ar(&s->ldt));
	write_tr(&s->tr, protected16);
	vmwrite(VMCS_GUEST_GDTR_BASE, s->gdt.base);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, s->gdt.limit);
	vmwrite(VMCS_GUEST_IDTR_BASE, s->idt.base);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, s->idt.limit);
}

static void read_seg(u32 n, struct kvm_segment *s)
{
	s->selector = vmread(VMCS_SEG_SELECTOR(n));
	s->base = vmread(VMCS_SEG_BASE(n));
	s->limit = vmread(VMCS_SEG_LIMIT(n));
	vmx_seg_unpack(s, vmread(VMCS_SEG_AR(n)));
}

static void read_segments(struct kvm_sregs *s)
{
	read_seg(SEG_CS, &s->cs);
	read_seg(SEG_DS, &s->ds);
	read_seg(SEG_ES, &s->es);
	read_seg(SEG_FS, &s->fs);
	read_seg(SEG_GS, &s->gs);
	read_seg(SEG_SS, &s->ss);
	read_seg(SEG_LDTR, &s->ldt);
	read_seg(SEG_TR, &s->tr);
	s->gdt.base = vmread(VMCS_GUEST_GDTR_BASE);
	s->gdt.limit = vmread(VMCS_GUEST_GDTR_LIMIT);
	s->idt.base = vmread(VMCS_GUEST_IDTR_BASE);
	s->idt.limit = vmread(VMCS_GUEST_IDTR_LIMIT);
}

/* ---- control registers ---- */

static u64 read_cr0_guest(void)
{
	u64 owned = vmx_cr0_owned(&vmx);

	return (vmread(VMCS_GUEST_CR0) & ~owned) | (vmread(VMCS_CR0_SHADOW) & owned);
}

static u64 read_cr4_guest(void)
{
	u64 owned = vmx_cr4_owned(&vmx);

	return (vmread(VMCS_GUEST_CR4) & ~owned) | (vmread(VMCS_CR4_SHADOW) & owned);
}

void vmx_write_cr0(u64 cr0)
{
	vmwrite(VMCS_CR0_SHADOW, cr0);
	vmwrite(VMCS_GUEST_CR0, (cr0 & ~vmx_cr0_owned(&vmx)) | X86_CR0_ET | vmx.cr0_on);
}

void vmx_write_cr4(u64 cr4)
{
	vmwrite(VMCS_CR4_SHADOW, cr4);
	vmwrite(VMCS_GUEST_CR4, (cr4 & ~vmx_cr4_owned(&vmx)) | X86_CR4_MCE | vmx.cr4_on);
}

void vmx_write_efer(u64 efer)
{
	vmwrite(VMCS_GUEST_EFER, efer);
	vmwrite(VMCS_ENTRY_CTL, vmx.ctl.entry | (efer & EFER_LMA ? ENTRY_IA32E : 0));
}

static void write_pdptes(const u64 pdpte[4])
{
	u32 i;

	for (i = 0; i < 4; i++)
		vmwrite(VMCS_GUEST_PDPTE(i),
			pdpte_bad(pdpte[i], vmx.limits.phys_end) ? 0 : pdpte[i]);
}

/*
 * With EPT, PAE paging runs on PDPTEs in the VMCS, which MOV to CR3 fills.  A
 * table that is not in memory waits until it is; what is malformed translates
 * nothing.
 */
static void load_pdptes(struct vcpu *v, u64 cr3)
{
	struct vmx_vcpu *x = v->arch;
	struct guest_view w;
	u64 pdpte[4];

	guest_view_begin(&w, v->dom, v->space);
	x->pdptes_due = guest_view_read(&w, PAE_ROOT(cr3), pdpte, sizeof(pdpte));
	guest_view_end(&w);
	if (!x->pdptes_due)
		write_pdptes(pdpte);
}

void vmx_set_pdptes(struct vcpu *v, const u64 pdpte[4])
{
	hpa_t before = vmcs_open(v);

	((struct vmx_vcpu *)v->arch)->pdptes_due = false;
	write_pdptes(pdpte);
	vmcs_close(v, before);
}

void vmx_load_pdptes(struct vcpu *v)
{
	load_pdptes(v, vmread(VMCS_GUEST_CR3));
}

void vmx_need_pdptes(struct vcpu *v)
{
	struct vm_exit *e = &v->exit;

	*e = (struct vm_exit){ .reason = VM_EXIT_NEED_PAGE };
	e->npf.gpa = e->hw_info[0] = PAE_ROOT(vmread(VMCS_GUEST_CR3));
}

/* ---- the ops ---- */

static void read_paging(const struct vmx_vcpu *x, struct vcpu_paging *p)
{
	u32 cs = vmread(VMCS_SEG_AR(SEG_CS)), i;

	p->cr0 = read_cr0_guest();
	p->cr3 = vmread(VMCS_GUEST_CR3);
	p->cr4 = read_cr4_guest();
	p->efer = vmread(VMCS_GUEST_EFER);
	p->cs_base = vmread(VMCS_SEG_BASE(SEG_CS));
	p->cs_long = (p->efer & EFER_LMA) && (cs & AR_L);
	p->cs_big = cs & AR_DB;
	p->cpl = AR_DPL(vmread(VMCS_SEG_AR(SEG_SS)));
	p->pdptes = !x->pdptes_due && uses_pae_root(p->cr0, p->cr4, p->efer);
	if (unlikely(p->pdptes))
		for (i = 0; i < 4; i++)
			p->pdpte[i] = vmread(VMCS_GUEST_PDPTE(i));
}

void vmx_get_paging(struct vcpu *v, struct vcpu_paging *p)
{
	hpa_t before = vmcs_open(v);

	read_paging(v->arch, p);
	vmcs_close(v, before);
}

void vmx_get_sregs(struct vcpu *v, struct kvm_sregs *s)
{
	hpa_t before = vmcs_open(v);

	read_segments(s);
	s->cr0 = read_cr0_guest();
	s->cr2 = v->regs.cr2;
	s->cr3 = vmread(VMCS_GUEST_CR3);
	s->cr4 = read_cr4_guest();
	s->efer = vmread(VMCS_GUEST_EFER);
	vmcs_close(v, before);
}

static void write_sregs(struct vcpu *v, const struct kvm_sregs *s)
{
	struct vmx_vcpu *x = v->arch;
	struct vcpu_paging old;
	bool load;

	read_paging(x, &old);
	load = x->pdptes_due || reloads_pae_root(&old, s);
	write_segments(s);
	vmx_write_cr0(s->cr0 | X86_CR0_ET);
	v->regs.cr2 = s->cr2;
	vmwrite(VMCS_GUEST_CR3, s->cr3);
	vmx_write_cr4(s->cr4);
	vmx_write_efer(s->efer);
	x->pdptes_due = false;
	if (load && uses_pae_root(s->cr0, s->cr4, s->efer))
		load_pdptes(v, s->cr3);
}

int vmx_set_sregs(struct vcpu *v, const struct kvm_sregs *s)
{
	int err = sregs_check(&vmx.limits, s);
	hpa_t before;

	if (err)
		return err;
	before = vmcs_open(v);
	write_sregs(v, s);
	vmcs_close(v, before);
	vmx_flush(v);
	return 0;
}
