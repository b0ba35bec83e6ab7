// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's hypercalls (TLFS 3): input in registers, in memory, or ("fast") in registers
 * and XMM0 to XMM5.  A flush of some VPs' TLBs is one of all: Bedplate's is.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "channel/hypercall.h"
#include "hyperv.h"
#include "memory/gmem.h"
#include "running/nest.h"
#include "running/run.h"
#include "running/state.h"

#define EXT_FIRST	0x8001		/* extended hypercalls are user space's */
#define EXT_LAST	0x8041
#define XMM_REGS	HV_HYPERCALL_MAX_XMM_REGISTERS
#define FIRST_VECTOR	16		/* of HvCallSendSyntheticClusterIpi */
#define LAST_VECTOR	255

#define XSAVE_XMM	160
#define XSAVE_BV	512
#define XSTATE_SSE	(1ull << 1)

struct hcall {
	struct bp_vcpu *vcpu;
	bool wide;		/* 64-bit calling convention */
	u64 param, in, out;
	u16 code, var, reps, rep_start;
	bool fast;
	u64 xmm[2 * XMM_REGS];	/* halves, with fast */
	u32 used;		/* bytes of input, or halves of xmm, read by now */
	bool interrupted;	/* while it was read, so that nothing has been done */
};

/* ---- input ---- */

/* The next @n words; false: they are not there. */
static bool more(struct hcall *hc, u64 *to, u32 n)
{
	u32 i, len;
	int ret;

	if (hc->fast) {
		if (n > 2 * XMM_REGS - hc->used)
			return false;
		memcpy(to, hc->xmm + hc->used, n * sizeof(*to));
		hc->used += n;
		return true;
	}
	for (i = 0; i < n; i += len / sizeof(*to)) {
		u64 gpa = hc->in + hc->used;

		if (gpa % sizeof(*to))
			return false;
		len = min_t(u64, (n - i) * sizeof(*to), PAGE_SIZE - offset_in_page(gpa));
		ret = bp_gmem_read(hc->vcpu, gpa, to + i, len);
		hc->interrupted = ret == -EINTR;
		if (ret)
			return false;
		hc->used += len;
	}
	return true;
}

/* The fixed input: @n >= 2 words, of which a fast call has the first two in registers. */
static bool head(struct hcall *hc, u64 *to, u32 n)
{
	if (!hc->fast)
		return more(hc, to, n);
	to[0] = hc->in;
	to[1] = hc->out;
	return more(hc, to + 2, n - 2);
}

static void read_xmm(struct hcall *hc)
{
	const u8 *image = hc->vcpu->state;
	u64 bv;

	memset(hc->xmm, 0, sizeof(hc->xmm));
	if (bp_state_get(hc->vcpu, BP_STATE_XSAVE, PAGE_SIZE) < 0)
		return;
	memcpy(&bv, image + XSAVE_BV, sizeof(bv));
	if (bv & XSTATE_SSE)
		memcpy(hc->xmm, image + XSAVE_XMM, sizeof(hc->xmm));
}

/* ---- sets of VPs (TLFS 7.8.7.3) ---- */

struct vp_set {
	bool all;
	u64 valid;		/* which banks there are, and */
	u64 bank[BITS_PER_LONG];	/* those, one after the other */
};

static bool in_set(const struct vp_set *set, u32 vp)
{
	u32 bank = vp / 64;
	u64 below = bank ? GENMASK_ULL(bank - 1, 0) : 0;

	if (set->all)
		return true;
	if (bank >= HV_MAX_BANKS || !(set->valid & BIT_ULL(bank)))
		return false;
	return set->bank[hweight64(set->valid & below)] & BIT_ULL(vp % 64);
}

/* @format and @valid are read; the banks follow, as many as the call says. */
static bool read_set(struct hcall *hc, struct vp_set *set, u64 format, u64 valid)
{
	set->all = format != HV_GENERIC_SET_SPARSE_4K;
	set->valid = valid;
	return hc->var == hweight64(valid) && more(hc, set->bank, hc->var);
}

/* ---- calls; what they return is an HV_STATUS_*, or that user space is to do it ---- */

#define TO_USER		(~0ull)
#define FLAG_NUMBER	0xffff00000000ull

#define BAD_INPUT	HV_STATUS_INVALID_HYPERCALL_INPUT

static u64 flush_tlb(struct hcall *hc, bool ex, bool list)
{
	u64 in[4], skip;
	struct vp_set set;
	u32 i;

	if ((!ex && hc->var) || (list ? !hc->reps || hc->rep_start : hc->reps || hc->rep_start))
		return BAD_INPUT;
	/* Address space, flags, and the processors. */
	if (!head(hc, in, ex ? 4 : 3) || (ex && !read_set(hc, &set, in[2], in[3])))
		return BAD_INPUT;
	for (i = 0; list && i < hc->reps; i++)
		if (!more(hc, &skip, 1))
			return BAD_INPUT;
	bp_hc_flush_tlb(hc->vcpu->vm->dom);
	return HV_STATUS_SUCCESS | (u64)hc->reps << HV_HYPERCALL_REP_COMP_OFFSET;
}

static void send_to(struct bp_vm *vm, const struct vp_set *set, u8 vector)
{
	unsigned int i, n = smp_load_acquire(&vm->nr_vcpus); /* pairs with bp_vcpu_create() */

	for (i = 0; i < n; i++) {
		struct bp_vcpu *vcpu = bp_vcpu_at(vm, i);

		if (in_set(set, READ_ONCE(vcpu->hv->vp_index)))
			bp_hv_send(vcpu, vector);
	}
}

static u64 send_ipi(struct hcall *hc, bool ex)
{
	struct vp_set set = { .valid = 1 };
	u64 in[3];
	u32 vector;

	if ((!ex && hc->var) || hc->reps || hc->rep_start)
		return BAD_INPUT;
	if (!head(hc, in, ex ? 3 : 2))
		return BAD_INPUT;
	/* Vector, and the lower 64 VPs or a set. */
	vector = in[0];
	if (!ex && hc->fast && in[0] >> 32)
		return BAD_INPUT;
	set.bank[0] = in[1];
	if (ex && !read_set(hc, &set, in[1], in[2]))
		return BAD_INPUT;
	if (ex && in[1] != HV_GENERIC_SET_ALL)
		set.all = false;
	if (ex && !set.all && !hc->var)
		return HV_STATUS_SUCCESS;
	if (vector < FIRST_VECTOR || vector > LAST_VECTOR)
		return BAD_INPUT;
	send_to(hc->vcpu->vm, &set, vector);
	return HV_STATUS_SUCCESS;
}

static u64 spin_wait(struct hcall *hc)
{
	if (hc->reps || hc->rep_start || hc->var)
		return BAD_INPUT;
	cond_resched();
	return HV_STATUS_SUCCESS;
}

/* What the SynIC's messages and events mean is user space's. */
static u64 post_message(struct hcall *hc)
{
	bool rep = hc->reps || hc->rep_start || hc->var;

	return rep || !hc->vcpu->hv->synic.active ? BAD_INPUT : TO_USER;
}

static u64 signal_event(struct hcall *hc)
{
	u64 conn = hc->in;

	if (hc->reps || hc->rep_start || hc->var)
		return BAD_INPUT;
	if (!hc->fast) {
		if (!more(hc, &conn, 1))
			return HV_STATUS_INVALID_ALIGNMENT;
	}
	/* Bits 47:32 are the number of a flag, of which user space may know more. */
	if (!(conn & FLAG_NUMBER)) {
		if (conn & ~(u64)KVM_HYPERV_CONN_ID_MASK)
			return BAD_INPUT;
		if (bp_hv_signal(hc->vcpu->vm, conn))
			return HV_STATUS_SUCCESS;
	}
	return post_message(hc);
}

static u64 debug_call(struct hcall *hc)
{
	if (!hc->vcpu->hv->syndbg)
		return HV_STATUS_INVALID_HYPERCALL_CODE;
	return READ_ONCE(hc->vcpu->vm->hv->syndbg.options) & HV_X64_SYNDBG_OPTION_USE_HCALLS ?
	       TO_USER : HV_STATUS_OPERATION_DENIED;
}

static bool is_ext(u16 code)
{
	return code >= EXT_FIRST && code <= EXT_LAST;
}

static bool is_flush(u16 code)
{
	return code == HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST ||
	       code == HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE ||
	       code == HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX ||
	       code == HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX;
}

static bool takes_xmm(u16 code)
{
	return is_flush(code) || code == HVCALL_SEND_IPI_EX;
}

/* What the guest's CPUID recommends is what it may call. */
static bool allowed(const struct hcall *hc)
{
	const struct bp_hv_vcpu *hv = hc->vcpu->hv;

	switch (hc->code) {
	case HVCALL_NOTIFY_LONG_SPIN_WAIT:
		return !hv->enforce || (hv->enl_ebx && hv->enl_ebx != U32_MAX);
	case HVCALL_POST_MESSAGE:
		return bp_hv_allowed(hv, hv->feat_ebx, HV_POST_MESSAGES);
	case HVCALL_SIGNAL_EVENT:
		return bp_hv_allowed(hv, hv->feat_ebx, HV_SIGNAL_EVENTS);
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX:
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX:
		if (!bp_hv_allowed(hv, hv->enl_eax, HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED))
			return false;
		fallthrough;
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST:
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE:
		return bp_hv_allowed(hv, hv->enl_eax, HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED);
	case HVCALL_SEND_IPI_EX:
		if (!bp_hv_allowed(hv, hv->enl_eax, HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED))
			return false;
		fallthrough;
	case HVCALL_SEND_IPI:
		return bp_hv_allowed(hv, hv->enl_eax, HV_X64_CLUSTER_IPI_RECOMMENDED);
	case HVCALL_POST_DEBUG_DATA:
	case HVCALL_RETRIEVE_DEBUG_DATA:
	case HVCALL_RESET_DEBUG_SESSION:
		return !hv->syndbg || bp_hv_allowed(hv, hv->feat_ebx, HV_DEBUGGING);
	default:
		return !is_ext(hc->code) ||
		       bp_hv_allowed(hv, hv->feat_ebx, HV_ENABLE_EXTENDED_HYPERCALLS);
	}
}

static u64 call(struct hcall *hc)
{
	switch (hc->code) {
	case HVCALL_NOTIFY_LONG_SPIN_WAIT:
		return spin_wait(hc);
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE:
		return flush_tlb(hc, false, false);
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST:
		return flush_tlb(hc, false, true);
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX:
		return flush_tlb(hc, true, false);
	case HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX:
		return flush_tlb(hc, true, true);
	case HVCALL_SEND_IPI:
		return send_ipi(hc, false);
	case HVCALL_SEND_IPI_EX:
		return send_ipi(hc, true);
	case HVCALL_SIGNAL_EVENT:
		return signal_event(hc);
	case HVCALL_POST_MESSAGE:
		return post_message(hc);
	case HVCALL_POST_DEBUG_DATA:
	case HVCALL_RETRIEVE_DEBUG_DATA:
		if (hc->fast)
			return HV_STATUS_INVALID_PARAMETER;
		fallthrough;
	case HVCALL_RESET_DEBUG_SESSION:
		return debug_call(hc);
	default:
		return HV_STATUS_INVALID_HYPERCALL_CODE;
	}
}

/* ---- the exit ---- */

static bool long_mode(const struct kvm_sregs *s)
{
	return s->efer & EFER_LMA && s->cs.l;
}

static void read_params(struct hcall *hc)
{
	const struct kvm_regs *r = &hc->vcpu->page->regs;

	if (hc->wide) {
		hc->param = r->rcx;
		hc->in = r->rdx;
		hc->out = r->r8;
	} else {
		hc->param = r->rdx << 32 | (u32)r->rax;
		hc->in = r->rbx << 32 | (u32)r->rcx;
		hc->out = r->rdi << 32 | (u32)r->rsi;
	}
	hc->code = hc->param;
	hc->var = (hc->param & HV_HYPERCALL_VARHEAD_MASK) >> HV_HYPERCALL_VARHEAD_OFFSET;
	hc->fast = hc->param & HV_HYPERCALL_FAST_BIT;
	hc->reps = hc->param >> HV_HYPERCALL_REP_COMP_OFFSET & 0xfff;
	hc->rep_start = hc->param >> HV_HYPERCALL_REP_START_OFFSET & 0xfff;
}

static int done(struct bp_vcpu *vcpu, bool wide, u64 result)
{
	struct kvm_regs *r = &vcpu->page->regs;

	if (wide) {
		r->rax = result;
	} else {
		r->rdx = result >> 32;
		r->rax = (u32)result;
	}
	bp_insn_done(vcpu, BP_HYPERCALL_LEN);
	return 1;
}

static int to_user(struct hcall *hc)
{
	struct kvm_run *run = hc->vcpu->run;

	run->exit_reason = KVM_EXIT_HYPERV;
	memset(&run->hyperv, 0, sizeof(run->hyperv));
	run->hyperv.type = KVM_EXIT_HYPERV_HCALL;
	run->hyperv.u.hcall.input = hc->param;
	run->hyperv.u.hcall.params[0] = hc->in;
	run->hyperv.u.hcall.params[1] = hc->out;
	hc->vcpu->pending = BP_PENDING_HV;
	hc->vcpu->pending_rip = hc->vcpu->page->regs.rip;
	return 0;
}

static int undefined(struct bp_vcpu *vcpu)
{
	bp_queue_exception(vcpu, X86_TRAP_UD, false, 0, 0);
	return 1;
}

/*
 * A flush is done.  While a guest hypervisor walks its guest's tables it holds a lock, and has to
 * hear of a flush before the guest goes on: so the lock is looked at afterwards.
 */
static int flushed(struct hcall *hc, u64 status)
{
	struct bp_vcpu *vcpu = hc->vcpu;
	struct bp_vcpu_page *page = vcpu->page;
	struct kvm_regs regs = page->regs;
	u32 flags = page->run_flags;
	int ret = bp_nest_flush_locked(vcpu);

	if (ret == -EINTR)
		return ret;
	if (ret <= 0)
		return done(vcpu, hc->wide, ret ? BAD_INPUT : status);
	done(vcpu, hc->wide, status);
	ret = bp_nest_flush_exit(vcpu);
	if (ret == -EINTR) {
		/* The call comes again. */
		page->regs = regs;
		page->run_flags = flags;
	}
	return ret;
}

int bp_hv_exit_hypercall(struct bp_vcpu *vcpu)
{
	const struct kvm_sregs *s = vcpu->state;
	struct hcall hc = { .vcpu = vcpu };
	int ret = bp_sregs_get(vcpu);
	u64 status;

	if (ret)
		return ret;
	if (s->ss.dpl || !(s->cr0 & X86_CR0_PE))
		return undefined(vcpu);
	hc.wide = long_mode(s);
	read_params(&hc);
	if (!allowed(&hc))
		return done(vcpu, hc.wide, HV_STATUS_ACCESS_DENIED);
	if (hc.param & HV_HYPERCALL_RSVD_MASK)
		return done(vcpu, hc.wide, BAD_INPUT);
	if (hc.fast && takes_xmm(hc.code)) {
		if (!bp_hv_allowed(vcpu->hv, vcpu->hv->feat_edx,
				   HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE))
			return undefined(vcpu);
		read_xmm(&hc);
	}
	if (is_ext(hc.code))
		return hc.fast ? done(vcpu, hc.wide, HV_STATUS_INVALID_PARAMETER) : to_user(&hc);
	status = call(&hc);
	if (hc.interrupted)
		return -EINTR;
	if (is_flush(hc.code) && (u16)status == HV_STATUS_SUCCESS)
		return flushed(&hc, status);
	return status == TO_USER ? to_user(&hc) : done(vcpu, hc.wide, status);
}

/* Has L1 allowed it in its VP assist page?  1, 0, -EINTR */
static int direct_allowed(struct bp_vcpu *vcpu)
{
	struct hv_nested_enlightenments_control control;
	u64 assist = vcpu->hv->assist;
	int err;

	if (!(assist & HV_X64_MSR_VP_ASSIST_PAGE_ENABLE))
		return 0;
	err = bp_vcpu_read(vcpu, (assist & HV_X64_MSR_VP_ASSIST_PAGE_ADDRESS_MASK) +
			   offsetof(struct hv_vp_assist_page, nested_control),
			   &control, sizeof(control));
	return err ? bp_gmem_error(err, 0) : control.features.directhypercall;
}

int bp_hv_exit_direct(struct bp_vcpu *vcpu)
{
	const struct kvm_regs *r = &vcpu->page->regs;
	const struct kvm_sregs *s = vcpu->state;
	int ret;

	if (!(vcpu->hv->nested_eax & HV_X64_NESTED_DIRECT_FLUSH))
		return -ENOENT;
	ret = bp_sregs_get(vcpu);
	if (ret)
		return ret;
	/* An address of L2's is none of L1's. */
	if (!is_flush(long_mode(s) ? r->rcx : r->rax) ||
	    !((long_mode(s) ? r->rcx : r->rax) & HV_HYPERCALL_FAST_BIT))
		return -ENOENT;
	ret = direct_allowed(vcpu);
	if (ret <= 0)
		return ret ?: -ENOENT;
	return bp_hv_exit_hypercall(vcpu);
}

int bp_hv_complete(struct bp_vcpu *vcpu)
{
	const struct kvm_sregs *s = vcpu->state;
	int ret = bp_sregs_get(vcpu);

	return ret ?: done(vcpu, long_mode(s), READ_ONCE(vcpu->run->hyperv.u.hcall.result));
}
