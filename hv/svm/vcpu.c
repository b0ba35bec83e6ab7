// SPDX-License-Identifier: GPL-2.0-only
/* The VMCB of a vCPU: making, resetting, showing it. */
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86_regs.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "svm.h"

/*
 * SMI: taken in root mode after the exit, never from inside a guest, where
 * a further exit would find System Management Mode's state in the VMCB.
 */
#define INTERCEPT1_ALL	(SVM_I1_INTR | SVM_I1_NMI | SVM_I1_SMI | SVM_I1_INIT | SVM_I1_CPUID | \
			 SVM_I1_INVD | SVM_I1_HLT | SVM_I1_INVLPGA | SVM_I1_IOIO | \
			 SVM_I1_MSR | SVM_I1_SHUTDOWN)
#define INTERCEPT2_ALL	(SVM_I2_VMRUN | SVM_I2_VMMCALL | SVM_I2_VMLOAD | \
			 SVM_I2_VMSAVE | SVM_I2_STGI | SVM_I2_CLGI | \
			 SVM_I2_SKINIT | SVM_I2_MONITOR | SVM_I2_MWAIT | \
			 SVM_I2_XSETBV)

/* Two exits closer than the threshold, PAUSE_COUNT times: a spin loop. */
#define PAUSE_COUNT	3000
#define PAUSE_THRESHOLD	128

/*
 * What L1 may have exit: no event of the machine's, and no machine check, for those are not
 * its own.
 */
static const u32 l1_may[6] = {
	~0u, ~0u, ~(1u << X86_TRAP_MC), ~(SVM_I1_EVENTS | SVM_I1_SHUTDOWN), SVM_I2_INSNS,
	SVM_I3_INVPCID,
};

/* All of them, as everything is now. */
static void set_intercepts(struct vcpu *v, struct svm_vcpu *sv)
{
	struct vmcb_control *c = &sv->vmcb->c;
	u32 flags = v->rules.flags, i;

	for (i = 0; i < ARRAY_SIZE(l1_may); i++)
		sv->l1[i] = v->nested.intercept[i] & l1_may[i];
	/* CR4 may hold limits.cr4_valid only. */
	c->intercept_cr = sv->l1[0] |
		(svm.hides_cr4 || !domain_is_dom0(v->dom) ? SVM_CR_WRITE(4) : 0) |
		(sv->cr8_wait || sv->irq_window ? SVM_CR_WRITE(8) : 0);
	c->intercept_dr = sv->l1[1] | (flags & BP_RULE_DEBUG || !v->dr_own ? ~0u : 0);
	c->intercept_exc = sv->l1[2] | vcpu_exc_exits(v); /* a step is armed within svm_run() only */
	c->intercept1 = sv->l1[3] | INTERCEPT1_ALL |
		(sv->irq_window ? SVM_I1_VINTR : 0) |
		(sv->nmi_masked || sv->nmi_window ? SVM_I1_IRET : 0);
	c->intercept2 = sv->l1[4] | INTERCEPT2_ALL;
	c->intercept3 = sv->l1[5] |
		(svm.bus_lock && !domain_is_dom0(v->dom) ? SVM_I3_BUS_LOCK : 0);
	if (!domain_is_dom0(v->dom)) {
		c->intercept1 |= SVM_I1_RDPMC;
		c->intercept2 |= SVM_I2_WBINVD | SVM_I2_RDPRU;
	}
	svm_intercept1(sv, SVM_I1_HLT, !(flags & BP_RULE_HLT));
	if (svm.pause_filter) {
		svm_intercept1(sv, SVM_I1_PAUSE, !(flags & BP_RULE_PAUSE));
		c->pause_count = sv->l1[3] & SVM_I1_PAUSE ? 0 : PAUSE_COUNT;
	}
	c->msrpm = svm_msrpm(v);
	svm_dirty(sv->vmcb, SVM_CLEAN_I | SVM_CLEAN_MAPS);
}

static void init_controls(struct vcpu *v, struct vmcb_control *c)
{
	if (svm.pause_threshold)
		c->pause_threshold = PAUSE_THRESHOLD;
	c->iopm = svm_iopm(v);
	c->int_ctl = SVM_V_INTR_MASKING;
	c->nested_ctl = SVM_NP_ENABLE;
	c->n_cr3 = vcpu_npt(v);
}

int svm_vcpu_init(struct vcpu *v)
{
	struct svm_vcpu *sv = domain_page_alloc(v->dom);

	if (!sv)
		return -ENOMEM;
	sv->vmcb = domain_page_alloc(v->dom);
	if (!sv->vmcb) {
		domain_page_free(v->dom, sv);
		return -ENOMEM;
	}
	sv->vmcb_pa = virt_to_phys(sv->vmcb);
	sv->cpu_index = ~0u;
	v->arch = sv;
	sv->vmcb->s.g_pat = PAT_RESET;
	return 0;
}

void svm_vcpu_fini(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;

	if (!sv)
		return;
	v->arch = NULL;
	domain_page_free(v->dom, sv->vmcb);
	domain_page_free(v->dom, sv);
}

void svm_vcpu_reset(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;
	struct vmcb *b = sv->vmcb;

	sv->cr8_wait = false;
	sv->irq_window = false;
	sv->nmi_window = false;
	sv->nmi_masked = false;
	sv->svme = false;
	sv->step = STEP_NONE;
	memset(&b->c, 0, sizeof(b->c));
	init_controls(v, &b->c);
	b->s.dbgctl = 0;
	sv->asid_gen = 0;
}

/* VMRUN refuses high bits in DR6 and DR7: whoever set them, they go. */
void svm_sync_controls(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;
	struct vmcb *b = sv->vmcb;

	set_intercepts(v, sv);
	b->s.dr6 = (u32)v->dr6;
	b->s.dr7 = (u32)v->dr7;
	b->c.tsc_offset = v->tsc_offset + v->nested.tsc_offset;
	svm_dirty(b, SVM_CLEAN_DR);
}

static void dump_seg(const char *name, const struct vmcb_seg *s)
{
	log_err("  %-4s %04x base %016llx limit %08x attrib %03x", name,
		s->selector, s->base, s->limit, s->attrib);
}

static void dump_save(const struct vmcb_save *s)
{
	dump_seg("CS", &s->cs);
	dump_seg("SS", &s->ss);
	dump_seg("DS", &s->ds);
	dump_seg("ES", &s->es);
	dump_seg("FS", &s->fs);
	dump_seg("GS", &s->gs);
	dump_seg("TR", &s->tr);
	dump_seg("LDTR", &s->ldtr);
	dump_seg("GDTR", &s->gdtr);
	dump_seg("IDTR", &s->idtr);
	log_err("  CR0 %llx CR2 %llx CR3 %llx CR4 %llx EFER %llx CPL %u",
		s->cr0, s->cr2, s->cr3, s->cr4, s->efer, s->cpl);
	log_err("  RIP %llx RSP %llx RFLAGS %llx RAX %llx DR6 %llx DR7 %llx PAT %llx",
		s->rip, s->rsp, s->rflags, s->rax, s->dr6, s->dr7, s->g_pat);
}

void svm_dump(struct vcpu *v)
{
	const struct svm_vcpu *sv = v->arch;
	const struct vmcb_control *c = &sv->vmcb->c;

	log_err("VMCB %llx: exit %llx info %llx %llx intinfo %llx", sv->vmcb_pa,
		c->exit_code, c->info1, c->info2, c->exit_int_info);
	log_err("  ASID %u nCR3 %llx int_ctl %x int_state %llx event_inj %llx",
		c->asid, c->n_cr3, c->int_ctl, c->int_state, c->event_inj);
	log_err("  intercepts CR %08x exc %08x %08x %08x, TSC offset %llx, clean %x",
		c->intercept_cr, c->intercept_exc, c->intercept1, c->intercept2,
		c->tsc_offset, c->clean);
	log_err("  NMI masked %d windows IRQ %d NMI %d step %u", sv->nmi_masked,
		sv->irq_window, sv->nmi_window, sv->step);
	dump_save(&sv->vmcb->s);
}
