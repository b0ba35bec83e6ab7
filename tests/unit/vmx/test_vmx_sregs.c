// SPDX-License-Identifier: GPL-2.0-only
/* VMX: struct kvm_sregs to the VMCS and back; what hardware would refuse is put right. */
// SOURCES: hv/vmx/sregs.c hv/vmx/check.c hv/core/vcpu/sregs.c
#include "vmx_rig.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/vcpu/sregs.h"

static u64 pdpt[4];
static gpa_t pdpt_read;
static bool pdpt_absent;
static int flushes;

hpa_t vmcs_open(struct vcpu *v __unused)
{
	return 0;
}

void vmcs_close(struct vcpu *v __unused, hpa_t before __unused)
{
}

void vmx_flush(struct vcpu *v __unused)
{
	flushes++;
}

void guest_view_begin(struct guest_view *w __unused, struct domain *d __unused,
		      u64 space __unused) { }
void guest_view_end(struct guest_view *w __unused) { }

int guest_view_read(struct guest_view *w __unused, gpa_t gpa, void *buf, u32 len)
{
	assert_int_equal(len, sizeof(pdpt));
	pdpt_read = gpa;
	memcpy(buf, pdpt, sizeof(pdpt));
	return pdpt_absent ? -EFAULT : 0;
}

static int setup(void **state)
{
	rig_setup(state);
	pdpt_read = 0;
	pdpt_absent = false;
	flushes = 0;
	return 0;
}

static struct kvm_sregs current_state(void)
{
	struct kvm_sregs s;

	memset(&s, 0, sizeof(s));
	vmx_get_sregs(&rig_v, &s);
	return s;
}

static void round_trip(void **state __unused)
{
	struct kvm_sregs s, t;

	s = current_state();
	s.cr0 |= X86_CR0_CD | X86_CR0_NW | X86_CR0_WP;
	s.cr2 = 0x123;
	s.cr3 = 0x5000;
	s.fs.base = 0xffff800000000000ull;
	s.gdt = (struct kvm_dtable){ .base = 0x1000, .limit = 0x7f };
	s.idt = (struct kvm_dtable){ .base = 0x2000, .limit = 0xfff };
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_int_equal(flushes, 1);
	t = current_state();
	assert_memory_equal(&s, &t, sizeof(s));
	assert_int_equal(rig_v.regs.cr2, 0x123);
	assert_null(vmx_guest_fault(&vmx));
}

/* The guest sees its own CD, NW, NE and MCE; hardware has ours. */
static void owned_bits(void **state __unused)
{
	struct kvm_sregs s = current_state();

	s.cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_CD | X86_CR0_NW | X86_CR0_ET;
	s.cr4 = X86_CR4_PAE;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_int_equal(rig_vmcs[VMCS_GUEST_CR0],
			 X86_CR0_PE | X86_CR0_PG | X86_CR0_NE | X86_CR0_ET);
	assert_int_equal(rig_vmcs[VMCS_GUEST_CR4], X86_CR4_PAE | X86_CR4_MCE | X86_CR4_VMXE);
	assert_int_equal(current_state().cr0, s.cr0);
	assert_int_equal(current_state().cr4, s.cr4);
	/* Bits that are not owned come from hardware, where the guest changes them. */
	rig_vmcs[VMCS_GUEST_CR0] |= X86_CR0_TS;
	rig_vmcs[VMCS_GUEST_CR4] |= X86_CR4_PGE;
	assert_int_equal(current_state().cr0, s.cr0 | X86_CR0_TS);
	assert_int_equal(current_state().cr4, s.cr4 | X86_CR4_PGE);
}

static void refused(void **state __unused)
{
	static const struct {
		u64 cr0, cr3, cr4, efer;
		u8 l, db;
	} t[] = {
#define PG	(X86_CR0_PG | X86_CR0_PE)
#define LONG	(EFER_LME | EFER_LMA)
		{ PG | BIT(32), 0, X86_CR4_PAE, LONG, 1, 0 },
		{ PG | X86_CR0_NW, 0, X86_CR4_PAE, LONG, 1, 0 },
		{ X86_CR0_PG, 0, 0, 0, 0, 0 },
		{ PG, 0, 0, LONG, 1, 0 },
		{ PG, 0, X86_CR4_PAE, EFER_LME, 1, 0 },
		{ PG, 0, X86_CR4_PAE, LONG, 1, 1 },
		{ PG, 0, X86_CR4_PAE, EFER_LMA, 0, 0 },
		{ X86_CR0_PE, 0, 0, 0, 1, 0 },
		{ PG, BIT(40), X86_CR4_PAE, LONG, 1, 0 },
		{ PG, 0, X86_CR4_PAE | X86_CR4_VMXE, LONG, 1, 0 },
		{ PG, 0, X86_CR4_PAE | BIT(30), LONG, 1, 0 },
		{ PG, 0, X86_CR4_PAE, LONG | EFER_SVME, 1, 0 },
	};
	u64 before = rig_vmcs[VMCS_GUEST_CR0];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct kvm_sregs s = current_state();

		s.cr0 = t[i].cr0;
		s.cr3 = t[i].cr3;
		s.cr4 = t[i].cr4;
		s.efer = t[i].efer;
		s.cs.l = t[i].l;
		s.cs.db = t[i].db;
		assert_int_equal(vmx_set_sregs(&rig_v, &s), -EINVAL);
		assert_int_equal(rig_vmcs[VMCS_GUEST_CR0], before);
	}
}

static void long_mode_control(void **state __unused)
{
	struct kvm_sregs s = current_state();

	s.cr0 = X86_CR0_PE;
	s.efer = EFER_LME;
	s.cs.l = 0;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_false(rig_vmcs[VMCS_ENTRY_CTL] & ENTRY_IA32E);
	s.cr0 |= X86_CR0_PG;
	s.efer |= EFER_LMA;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_true(rig_vmcs[VMCS_ENTRY_CTL] & ENTRY_IA32E);
}

/* As other hypervisors' state files have them, and as VMX wants them. */
static void segments_put_right(void **state __unused)
{
	struct kvm_sregs s = current_state();

	s.ds.type = 2;				/* not accessed */
	s.es.present = 0;
	s.ss.unusable = 1;
	s.gs.limit = 0xfffff;
	s.gs.g = 0;
	s.fs.limit = 0x1fffff00;
	s.fs.g = 0;
	s.ldt = (struct kvm_segment){ .type = 2, .present = 1, .limit = 0x10, .g = 1 };
	s.tr = (struct kvm_segment){ .type = 3, .present = 1, .limit = 0xffff };
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_null(vmx_guest_fault(&vmx));
	assert_int_equal(rig_vmcs[VMCS_SEG_AR(SEG_DS)] & AR_TYPE, 3);
	assert_true(rig_vmcs[VMCS_SEG_AR(SEG_ES)] & AR_UNUSABLE);
	assert_true(rig_vmcs[VMCS_SEG_AR(SEG_SS)] & AR_UNUSABLE);
	assert_int_equal(rig_vmcs[VMCS_SEG_LIMIT(SEG_FS)], 0x1fffffff);
	assert_true(rig_vmcs[VMCS_SEG_AR(SEG_FS)] & AR_G);
	assert_false(rig_vmcs[VMCS_SEG_AR(SEG_LDTR)] & AR_G);
	assert_int_equal(rig_vmcs[VMCS_SEG_AR(SEG_TR)], 0x8b);
	/* No TSS at all, as a VMM may leave it. */
	s.tr = (struct kvm_segment){ .unusable = 1, .limit = 0xffff };
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_int_equal(rig_vmcs[VMCS_SEG_AR(SEG_TR)], 0x8b);
}

/* After INIT: what an entry accepts, and what the architecture's tables say. */
static void after_init(void **state __unused)
{
	struct kvm_sregs s;

	sregs_init(&s);
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_null(vmx_guest_fault(&vmx));
	assert_int_equal(rig_vmcs[VMCS_SEG_AR(SEG_CS)], 0x9b);
	assert_int_equal(rig_vmcs[VMCS_SEG_BASE(SEG_CS)], 0xffff0000);
	assert_int_equal(rig_vmcs[VMCS_SEG_AR(SEG_SS)], 0x93);
	assert_int_equal(rig_vmcs[VMCS_SEG_LIMIT(SEG_GS)], 0xffff);
	assert_int_equal(rig_vmcs[VMCS_SEG_AR(SEG_LDTR)], 0x82);
	assert_int_equal(rig_vmcs[VMCS_SEG_AR(SEG_TR)], 0x8b);
	assert_int_equal(rig_vmcs[VMCS_CR0_SHADOW], 0x60000010);
	assert_int_equal(rig_vmcs[VMCS_GUEST_CR0], X86_CR0_NE | X86_CR0_ET);
}

/* The CPL is SS.DPL, of a null SS as well. */
static void privilege(void **state __unused)
{
	struct kvm_sregs s = current_state();
	struct vcpu_paging p;

	s.ss.unusable = 1;
	s.ss.dpl = 3;
	s.cs.dpl = 3;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	vmx_get_paging(&rig_v, &p);
	assert_int_equal(p.cpl, 3);
	assert_true(p.cs_long);
	assert_false(p.cs_big);
	assert_int_equal(p.efer, EFER_LME | EFER_LMA);
	assert_false(p.pdptes);
}

static struct kvm_sregs pae_state(u64 cr3)
{
	struct kvm_sregs s = current_state();

	s.efer = 0;
	s.cs.l = 0;
	s.cs.db = 1;
	s.cr3 = cr3;
	return s;
}

static void pae(void **state __unused)
{
	struct kvm_sregs s = pae_state(0x12345678);
	struct vcpu_paging p;
	u32 i;

	for (i = 0; i < 4; i++)
		pdpt[i] = 0x10001 + i * 0x1000;
	pdpt[2] |= BIT(6);			/* reserved */
	pdpt[3] = 0x1e6;			/* absent: anything goes */
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_int_equal(pdpt_read, 0x12345660);
	assert_int_equal(rig_vmcs[VMCS_GUEST_PDPTE(0)], 0x10001);
	assert_int_equal(rig_vmcs[VMCS_GUEST_PDPTE(1)], 0x11001);
	assert_int_equal(rig_vmcs[VMCS_GUEST_PDPTE(2)], 0);
	assert_int_equal(rig_vmcs[VMCS_GUEST_PDPTE(3)], 0x1e6);
	vmx_get_paging(&rig_v, &p);
	assert_true(p.pdptes);
	assert_int_equal(p.pdpte[1], 0x11001);
	assert_int_equal(p.pdpte[2], 0);
	/* The same CR3 again: hardware's PDPTEs stay, as MOV to CR4 leaves them. */
	pdpt_read = 0;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_int_equal(pdpt_read, 0);
	/* But with CD, NW, PSE, PGE or SMEP they are loaded anew. */
	s.cr0 |= X86_CR0_CD;
	pdpt[1] = 0x55001;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_int_equal(rig_vmcs[VMCS_GUEST_PDPTE(1)], 0x55001);
	s.cr4 |= X86_CR4_PGE;
	pdpt[1] = 0x66001;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_int_equal(rig_vmcs[VMCS_GUEST_PDPTE(1)], 0x66001);
	s.cr4 |= X86_CR4_MCE;
	pdpt[1] = 0x77001;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_int_equal(rig_vmcs[VMCS_GUEST_PDPTE(1)], 0x66001);
}

/* A table that is not there yet: it is asked for, and loaded when it has come. */
static void pae_later(void **state __unused)
{
	struct kvm_sregs s = pae_state(0x1020);
	struct vcpu_paging p;
	u32 i;

	for (i = 0; i < 4; i++)
		pdpt[i] = 0x10001 + i * 0x1000;
	pdpt_absent = true;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_true(rig_x.pdptes_due);
	rig_v.exit.insn_len = 3;
	rig_v.inject.type = EVENT_INTR;
	vmx_get_paging(&rig_v, &p);
	assert_false(p.pdptes);
	vmx_need_pdptes(&rig_v);
	assert_int_equal(rig_v.exit.reason, VM_EXIT_NEED_PAGE);
	assert_int_equal(rig_v.exit.npf.gpa, 0x1020);
	assert_int_equal(rig_v.exit.insn_len, 0);
	assert_int_equal(rig_v.inject.type, EVENT_INTR);
	vmx_load_pdptes(&rig_v);
	assert_true(rig_x.pdptes_due);
	pdpt_absent = false;
	vmx_load_pdptes(&rig_v);
	assert_false(rig_x.pdptes_due);
	assert_int_equal(rig_vmcs[VMCS_GUEST_PDPTE(2)], 0x12001);
	/* They are not needed any more, or are another state's. */
	pdpt_absent = true;
	s.cr3 = 0x2000;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_true(rig_x.pdptes_due);
	pdpt_absent = false;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_false(rig_x.pdptes_due);
	pdpt_absent = true;
	s.cr3 = 0x3000;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	s.cr0 &= ~X86_CR0_PG;
	assert_int_equal(vmx_set_sregs(&rig_v, &s), 0);
	assert_false(rig_x.pdptes_due);
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(round_trip), T(owned_bits), T(refused), T(long_mode_control),
		T(segments_put_right), T(after_init), T(privilege), T(pae), T(pae_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
