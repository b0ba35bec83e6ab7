// SPDX-License-Identifier: GPL-2.0-only
/*
 * The back end of machine.h: registers in memory, checked as both real ones check them, and
 * an ops->run() that asks the target. What a CPU would refuse to load ends the run.
 */
#include "fuzz.h"
#include "machine.h"
#include "machine_priv.h"

#include "hv/core/lib/errno.h"
#include "hv/core/machine/limits.h"
#include "hv/core/memory/dommem.h"
#include "hv/core/memory/frames.h"
#include "hv/core/guest/gwalk.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/sregs.h"

static const struct cpu_limits limits = {
	.vaddr_bits = 48, .phys_end = BIT(34), .cr3_valid = BIT(34) - 1,
	.cr4_valid = 0x3516ff, .efer_valid = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX,
};

static const u32 addresses[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_LSTAR, MSR_CSTAR, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};
static const u32 plain[] = { MSR_STAR, MSR_SFMASK, MSR_SYSENTER_CS };

struct arch {
	struct kvm_sregs s;
	u64 address[ARRAY_SIZE(addresses)], plain[ARRAY_SIZE(plain)];
	u64 pat, debugctl;
	u8 shadow, nmi_masked, loaded;
};

static struct arch *arch(struct vcpu *v)
{
	return v->arch;
}

static int vcpu_init(struct vcpu *v)
{
	v->arch = domain_page_alloc(v->dom);
	if (!v->arch)
		return -ENOMEM;
	arch(v)->pat = PAT_RESET;
	return 0;
}

static void vcpu_fini(struct vcpu *v)
{
	REQUIRE(!arch(v)->loaded);
	domain_page_free(v->dom, v->arch);
	v->arch = NULL;
}

static void vcpu_reset(struct vcpu *v)
{
	arch(v)->shadow = 0;
	arch(v)->nmi_masked = 0;
	arch(v)->debugctl = 0;
}

/* One CPU at a time carries it. */
static void load(struct vcpu *v)
{
	REQUIRE(!__atomic_exchange_n(&arch(v)->loaded, 1, __ATOMIC_SEQ_CST));
}

static void put(struct vcpu *v)
{
	REQUIRE(__atomic_exchange_n(&arch(v)->loaded, 0, __ATOMIC_SEQ_CST));
}

static bool can_inject(struct vcpu *v, u8 type)
{
	if (v->inject.type != EVENT_NONE || arch(v)->shadow)
		return false;
	return type == EVENT_NMI ? !arch(v)->nmi_masked : !!(v->regs.rflags & X86_EFLAGS_IF);
}

static void window(struct vcpu *v __unused, u8 type, bool on __unused)
{
	REQUIRE(type == EVENT_INTR || type == EVENT_NMI);
}

static void tpr_threshold(struct vcpu *v __unused, u8 cls) { REQUIRE(cls < 16); }

static void get_paging(struct vcpu *v, struct vcpu_paging *p)
{
	const struct kvm_sregs *s = &arch(v)->s;

	*p = (struct vcpu_paging){
		.cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4, .efer = s->efer, .cs_base = s->cs.base,
		.cs_long = s->cs.l && (s->efer & EFER_LMA), .cs_big = s->cs.db, .cpl = s->ss.dpl & 3,
	};
}

static void get_sregs(struct vcpu *v, struct kvm_sregs *s) { *s = arch(v)->s; }

static int set_sregs(struct vcpu *v, const struct kvm_sregs *s)
{
	if (sregs_check(&limits, s))
		return -EINVAL;
	arch(v)->s = *s;
	arch(v)->s.apic_base = 0;
	return 0;
}

static void set_pdptes(struct vcpu *v __unused, const u64 pdpte[4] __unused) { }

static u64 *find_msr(struct vcpu *v, u32 msr, bool *address)
{
	u32 i;

	*address = true;
	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		if (addresses[i] == msr)
			return &arch(v)->address[i];
	*address = false;
	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (plain[i] == msr)
			return &arch(v)->plain[i];
	if (msr == MSR_PAT)
		return &arch(v)->pat;
	return msr == MSR_DEBUGCTL ? &arch(v)->debugctl : NULL;
}

static int get_msr(struct vcpu *v, u32 msr, u64 *val)
{
	bool address;
	const u64 *p = find_msr(v, msr, &address);

	if (msr == MSR_EFER)
		p = (const u64 *)&arch(v)->s.efer;
	if (!p)
		return -ENOENT;
	*val = *p;
	return 0;
}

static int set_msr(struct vcpu *v, u32 msr, u64 val)
{
	bool address;
	u64 *p = find_msr(v, msr, &address);

	if (msr == MSR_EFER) {
		if (efer_write(&limits, arch(v)->s.cr0, arch(v)->s.efer, &val))
			return -EINVAL;
		arch(v)->s.efer = val;
		return 0;
	}
	if (!p)
		return -ENOENT;
	if ((address && !canonical(&limits, val)) || (msr == MSR_PAT && !pat_valid(val)) ||
	    (msr == MSR_DEBUGCTL && (val & ~0x3full)))
		return -EINVAL;
	*p = val;
	return 0;
}

static void get_block(struct vcpu *v, u8 *shadow, u8 *masked)
{
	*shadow = arch(v)->shadow;
	*masked = arch(v)->nmi_masked;
}

static void set_block(struct vcpu *v, u8 shadow, u8 masked)
{
	arch(v)->shadow = shadow;
	arch(v)->nmi_masked = masked;
}

static void nothing(struct vcpu *v __unused) { }

/* Registers that root mode itself loads: a wrong one is a #GP there. */
void machine_load_extra(const struct vcpu *v)
{
	const u8 *x = v->xsave;
	u64 bv, comp;
	u32 mxcsr, i;

	memcpy(&mxcsr, x + 24, 4);
	memcpy(&bv, x + 512, 8);
	memcpy(&comp, x + 520, 8);
	REQUIRE(!(mxcsr & ~0x2ffffu) && !(bv & ~xcr0_supported) && !comp);
	for (i = 528; i < 576; i++)
		REQUIRE(!x[i]);
	REQUIRE(xcr0_valid(v->xcr0) && !(v->msr.tsc_aux >> 32));
}

u64 xcr0_supported = XCR0_FP | XCR0_SSE | XCR0_AVX;

bool xcr0_valid(u64 val)
{
	return !(val & ~xcr0_supported) && (val & XCR0_FP) && (!(val & XCR0_AVX) || (val & XCR0_SSE));
}

void vcpu_save_extra(struct vcpu *v __unused) { }
void vcpu_use_drs(struct vcpu *v) { v->dr_own = true; }
void vcpu_load_extra(struct vcpu *v)
{
	machine_load_extra(v);
	vcpu_load_tsc_aux(v);
}

void vcpu_load_tsc_aux(struct vcpu *v)
{
	machine_cpu->tsc_aux = v->msr.tsc_aux;
}

/* True: the CPU refuses the entry, as the shim may have it with an exception of vector 2. */
static bool refuses(const struct vcpu_event *e)
{
	REQUIRE(e->type <= EVENT_SOFT);
	REQUIRE(e->type != EVENT_NMI || e->vector == 2);
	REQUIRE(e->type != EVENT_EXC || e->vector < 32);
	return e->type == EVENT_EXC && e->vector == 2;
}

static void run(struct vcpu *v)
{
	struct cpu *c = machine_cpu;
	bool refused;
	u8 vector;

	REQUIRE(v->state == VCPU_RUNNING && v->home == c && c->current == v && c->guest_dom == v->dom);
	REQUIRE(READ_ONCE(v->dom->phase) != DOM_DEAD && frame_owner(vcpu_npt(v) >> PAGE_SHIFT) ==
		(v->dom->id ? v->dom->id : BP_OWNER_HV));
	REQUIRE(v->mp_state == KVM_MP_STATE_RUNNABLE);
	refused = refuses(&v->inject);
	REQUIRE(!refused || v->dom->id);
	v->inject.type = EVENT_NONE;
	arch(v)->shadow = 0;
	v->exit = (struct vm_exit){ .reason = refused ? VM_EXIT_FAIL_ENTRY : VM_EXIT_NONE };
	if (refused)
		return;
	in_hypervisor = false;
	vector = machine_irq(c);
	if (vector) {
		v->exit.reason = VM_EXIT_INTR;
		v->exit.taken = 0x100 | vector;
	} else if (v->dom->id) {
		step_guest(v);
	} else {
		step_dom0(v);
	}
	in_hypervisor = true;
}

static u32 no_flaws(const struct spec_enum *e __unused, const struct hv_options *o __unused)
{
	return 0;
}

static const struct hv_ops table = {
	.flaws = no_flaws,
	.name = "rig", .nested = true, .npt = &npt_format_amd, .vcpu_init = vcpu_init, .vcpu_fini = vcpu_fini,
	.vcpu_reset = vcpu_reset, .load = load, .put = put, .run = run, .can_inject = can_inject,
	.window = window, .tpr_threshold = tpr_threshold, .get_paging = get_paging, .get_sregs = get_sregs,
	.set_sregs = set_sregs, .set_pdptes = set_pdptes, .get_msr = get_msr, .set_msr = set_msr,
	.get_block = get_block, .set_block = set_block, .sync_controls = nothing, .flush = nothing, .dump = nothing,
};
const struct hv_ops *ops = &table;
