// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction emulator's surroundings: registers from and to Bedplate,
 * guest memory, devices, and the exits to user space that it asks for.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "devices/access.h"
#include "emul/emul.h"
#include "memory/gmem.h"
#include "memory/memslot.h"
#include "nest.h"
#include "run.h"
#include "state.h"

#define X86_VEC_UD		6

/* Offsets in the standard XSAVE image (SDM vol. 1, 13.4). */
#define XSAVE_XMM		160
#define XSAVE_XSTATE_BV		512
#define XSAVE_YMM_HIGH		576
#define XSTATE_SSE		(1ull << 1)
#define XSTATE_YMM		(1ull << 2)
#define XSTATE_PKRU		(1ull << 9)

static struct bp_vcpu *ctx_vcpu(struct emul_ctx *ctx)
{
	return ctx->opaque;
}

static int op_read_gpa(struct emul_ctx *ctx, u64 gpa, void *buf, u32 len)
{
	return bp_vcpu_read(ctx_vcpu(ctx), gpa, buf, len);
}

static int op_write_gpa(struct emul_ctx *ctx, u64 gpa, const void *buf, u32 len)
{
	return bp_vcpu_write(ctx_vcpu(ctx), gpa, buf, len);
}

static int op_cmpxchg_gpa(struct emul_ctx *ctx, u64 gpa, const void *old,
			  const void *val, u32 len)
{
	return bp_vcpu_cmpxchg(ctx_vcpu(ctx), gpa, old, val, len);
}

static int op_mmio_read(struct emul_ctx *ctx, u64 gpa, void *buf, u32 len)
{
	return bp_mmio_access(ctx_vcpu(ctx), gpa, len, false, buf) ? -EAGAIN : 0;
}

static int op_mmio_write(struct emul_ctx *ctx, u64 gpa, const void *buf, u32 len)
{
	u8 data[8];

	memcpy(data, buf, len);
	return bp_mmio_access(ctx_vcpu(ctx), gpa, len, true, data) ? -EAGAIN : 0;
}

/* All elements in the kernel, or all in user space: the first one decides. */
static int string_pio(struct bp_vcpu *vcpu, u16 port, u32 size, u32 count,
		      bool write, void *buf)
{
	int ret = bp_nest_ports(vcpu, port, size);
	u32 i, data;

	if (ret)
		return ret == -EPERM ? EMUL_UNHANDLED : ret;
	for (i = 0; i < count; i++) {
		data = 0;
		if (write)
			memcpy(&data, buf + i * size, size);
		if (bp_pio_access(vcpu, port, size, write, &data) && !i)
			return -EAGAIN;
		if (!write)
			memcpy(buf + i * size, &data, size);
	}
	return 0;
}

static int op_pio_in(struct emul_ctx *ctx, u16 port, u32 size, u32 count,
		     void *buf)
{
	return string_pio(ctx_vcpu(ctx), port, size, count, false, buf);
}

static int op_pio_out(struct emul_ctx *ctx, u16 port, u32 size, u32 count,
		      const void *buf)
{
	return string_pio(ctx_vcpu(ctx), port, size, count, true, (void *)buf);
}

/* ---- vector registers, in the XSAVE image ---- */

/* Into vcpu->state; *bv says what of it is in use. */
static long get_xsave(struct bp_vcpu *vcpu, u64 *bv)
{
	long ret = bp_state_get(vcpu, BP_STATE_XSAVE, PAGE_SIZE);

	memcpy(bv, vcpu->state + XSAVE_XSTATE_BV, sizeof(*bv));
	return ret;
}

static int op_vec_read(struct emul_ctx *ctx, u32 reg, void *buf, u32 len)
{
	struct bp_vcpu *vcpu = ctx_vcpu(ctx);
	u8 *img = vcpu->state;
	u64 bv;
	long ret = get_xsave(vcpu, &bv);

	if (ret < 0)
		return ret;
	memset(buf, 0, len);
	if (bv & XSTATE_SSE)
		memcpy(buf, img + XSAVE_XMM + 16 * reg, 16);
	if (len > 16 && bv & XSTATE_YMM)
		memcpy(buf + 16, img + XSAVE_YMM_HIGH + 16 * reg, 16);
	return 0;
}

static int op_vec_write(struct emul_ctx *ctx, u32 reg, const void *buf, u32 len,
			bool vex)
{
	struct bp_vcpu *vcpu = ctx_vcpu(ctx);
	u8 *img = vcpu->state;
	u64 bv;
	long ret = get_xsave(vcpu, &bv);

	if (ret < 0)
		return ret;
	if (!(bv & XSTATE_SSE))
		memset(img + XSAVE_XMM, 0, 16 * 16);
	if (!(bv & XSTATE_YMM))
		memset(img + XSAVE_YMM_HIGH, 0, 16 * 16);
	memcpy(img + XSAVE_XMM + 16 * reg, buf, 16);
	bv |= XSTATE_SSE;
	if (len > 16)
		memcpy(img + XSAVE_YMM_HIGH + 16 * reg, buf + 16, 16);
	else if (vex)
		memset(img + XSAVE_YMM_HIGH + 16 * reg, 0, 16);
	if (vex)
		bv |= XSTATE_YMM;
	memcpy(img + XSAVE_XSTATE_BV, &bv, sizeof(bv));
	return bp_state_set(vcpu, BP_STATE_XSAVE, PAGE_SIZE);
}

/* ---- what the processor lacks ---- */

static int op_guest_has(struct emul_ctx *ctx, enum emul_feature feature)
{
	struct bp_vcpu *vcpu = ctx_vcpu(ctx);
	u32 leaf = feature == EMUL_MOVBE ? 1 : 7, bit = BIT(22);	/* of ECX, of both */
	const struct kvm_cpuid2 *cpuid = vcpu->state;
	const struct kvm_cpuid_entry2 *e;
	long ret = bp_state_get(vcpu, BP_STATE_CPUID, PAGE_SIZE);

	if (ret < 0)
		return ret;
	for (e = cpuid->entries; e < cpuid->entries + cpuid->nent; e++)
		if (e->function == leaf && !e->index)
			return !!(e->ecx & bit);
	return 0;
}

/* 0 where the guest has no such MSR, as KVM has it. */
static int op_tsc_aux(struct emul_ctx *ctx, u32 *val)
{
	struct bp_vcpu *vcpu = ctx_vcpu(ctx);
	struct kvm_msrs *msrs = vcpu->state;
	long ret;

	memset(msrs, 0, struct_size(msrs, entries, 1));
	msrs->nmsrs = 1;
	msrs->entries[0].index = MSR_TSC_AUX;
	ret = bp_state_get(vcpu, BP_STATE_MSRS, struct_size(msrs, entries, 1));
	*val = msrs->entries[0].data;
	return ret < 0 ? ret : 0;
}

static const struct emul_ops bp_emul_ops = {
	.read_gpa = op_read_gpa,
	.write_gpa = op_write_gpa,
	.cmpxchg_gpa = op_cmpxchg_gpa,
	.mmio_read = op_mmio_read,
	.mmio_write = op_mmio_write,
	.pio_in = op_pio_in,
	.pio_out = op_pio_out,
	.vec_read = op_vec_read,
	.vec_write = op_vec_write,
	.guest_has = op_guest_has,
	.tsc_aux = op_tsc_aux,
};

/* ---- one instruction ---- */

static u64 guest_xcr0(struct bp_vcpu *vcpu)
{
	struct kvm_xcrs *xcrs = vcpu->state;

	if (bp_state_get(vcpu, BP_STATE_XCRS, sizeof(*xcrs)) < 0)
		return 0;
	return xcrs->nr_xcrs ? xcrs->xcrs[0].value : 0;
}

/* PKRU is component 9; its place in the image is the machine's. */
static u32 guest_pkru(struct bp_vcpu *vcpu)
{
	u32 size, offset, ecx, edx, pkru;
	u64 bv;

	cpuid_count(0xd, 9, &size, &offset, &ecx, &edx);
	if (size < sizeof(pkru) || offset > PAGE_SIZE - sizeof(pkru) ||
	    bp_state_get(vcpu, BP_STATE_XSAVE, PAGE_SIZE) < 0)
		return 0;
	memcpy(&bv, vcpu->state + XSAVE_XSTATE_BV, sizeof(bv));
	if (!(bv & XSTATE_PKRU))
		return 0;
	memcpy(&pkru, vcpu->state + offset, sizeof(pkru));
	return pkru;
}

int bp_emulate_begin(struct bp_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	struct emul_ctx *ctx = vcpu->emul;

	if (!ctx) {
		ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
		if (!ctx)
			return -ENOMEM;
		ctx->ops = &bp_emul_ops;
		ctx->opaque = vcpu;
		ctx->pio_data = page_address(vcpu->pio_page);
		ctx->pio_data_size = PAGE_SIZE;
		ctx->phys_bits = boot_cpu_data.x86_phys_bits;
		vcpu->emul = ctx;
	}
	/* Else MOV of debug registers is not the shim's. */
	ctx->dr = vcpu->rules & BP_RULE_DEBUG ? &vcpu->debug.own : NULL;
	ctx->in_smm = vcpu->smm.in;
	emul_load_regs(ctx, &vcpu->page->regs);
	emul_load_sregs(ctx, sregs);
	return 0;
}

static int load_context(struct bp_vcpu *vcpu)
{
	struct emul_ctx *ctx;
	long ret = bp_state_get(vcpu, BP_STATE_SREGS, sizeof(struct kvm_sregs));

	if (ret >= 0)
		ret = bp_emulate_begin(vcpu, vcpu->state);
	if (ret < 0)
		return ret;
	ctx = vcpu->emul;
	ctx->xcr0 = ctx->cr4 & X86_CR4_OSXSAVE ? guest_xcr0(vcpu) : 0;
	ctx->pkru = ctx->cr4 & X86_CR4_PKE ? guest_pkru(vcpu) : 0;
	return 0;
}

static void store_regs(struct bp_vcpu *vcpu)
{
	emul_store_regs(vcpu->emul, &vcpu->page->regs);
	vcpu->page->run_flags |= BP_RUN_SET_REGS;
}

static int ask_user(struct bp_vcpu *vcpu)
{
	const struct emul_access *a = &vcpu->emul->user;
	struct kvm_run *run = vcpu->run;

	vcpu->pending = BP_PENDING_EMUL;
	vcpu->pending_rip = vcpu->page->regs.rip;
	if (a->kind == EMUL_PIO_IN || a->kind == EMUL_PIO_OUT) {
		run->exit_reason = KVM_EXIT_IO;
		run->io.direction = a->kind == EMUL_PIO_IN ? KVM_EXIT_IO_IN :
							     KVM_EXIT_IO_OUT;
		run->io.size = a->len;
		run->io.port = a->port;
		run->io.count = a->count;
		run->io.data_offset = BP_PIO_PAGE_OFFSET * PAGE_SIZE;
		return 0;
	}
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = a->gpa;
	run->mmio.len = a->len;
	run->mmio.is_write = a->kind == EMUL_MMIO_WRITE;
	memcpy(run->mmio.data, a->data, sizeof(run->mmio.data));
	return 0;
}

/* A user program's odd instruction must not end the whole guest, nor one of a guest's guest. */
static int unhandled(struct bp_vcpu *vcpu)
{
	struct emul_ctx *ctx = vcpu->emul;
	struct kvm_run *run = vcpu->run;

	if ((ctx->cpl || bp_nest_in_guest(vcpu)) && !READ_ONCE(vcpu->vm->exit_on_failure)) {
		bp_queue_exception(vcpu, X86_VEC_UD, false, 0, 0);
		return 1;
	}
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	memset(&run->emulation_failure, 0, sizeof(run->emulation_failure));
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 3;	/* flags, size and bytes */
	run->emulation_failure.flags =
		KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = ctx->insn_len;
	memcpy(run->emulation_failure.insn_bytes, ctx->insn, ctx->insn_len);
	return 0;
}

/*
 * Whatever came of it, registers are taken back: iterations of a repeated
 * string instruction may have retired before a fault, a wait or an error.
 */
static int handle_result(struct bp_vcpu *vcpu, int result)
{
	struct emul_ctx *ctx = vcpu->emul;

	store_regs(vcpu);
	switch (result) {
	case EMUL_DONE:
		vcpu->page->run_flags |= BP_RUN_INSN_DONE;
		return 1;
	case EMUL_AGAIN:
		return 1;
	case EMUL_NEED_USER:
		/* Nothing asked yet: it begins anew when the ring has room. */
		if (!ctx->log_len && bp_dirty_ring_full(vcpu))
			return 1;
		return ask_user(vcpu);
	case EMUL_FAULT:
		bp_queue_exception(vcpu, ctx->fault.vector,
				   ctx->fault.has_error, ctx->fault.error_code,
				   ctx->fault.cr2);
		return 1;
	case EMUL_UNHANDLED:
		return unhandled(vcpu);
	case EMUL_RSM:
		return bp_smm_leave(vcpu);
	default:
		/* What devices have answered by now is not asked for again. */
		if (ctx->log_len) {
			vcpu->pending = BP_PENDING_EMUL;
			vcpu->pending_rip = vcpu->page->regs.rip;
		}
		/* The VMM's mapping of guest memory is not what it said. */
		return result == -EIO ? -EFAULT : result;
	}
}

int bp_emulate(struct bp_vcpu *vcpu)
{
	int ret = load_context(vcpu);

	if (ret < 0)
		return ret;
	vcpu->stats.insn_emulation++;
	return handle_result(vcpu, emul_run(vcpu->emul));
}

/* As the CPU would have raised it: with RF in the frame. */
static void raise_undefined(struct bp_vcpu *vcpu)
{
	vcpu->page->regs.rflags |= X86_EFLAGS_RF;
	vcpu->page->run_flags |= BP_RUN_SET_REGS;
	bp_queue_exception(vcpu, X86_VEC_UD, false, 0, 0);
}

static int fix_hypercall(struct bp_vcpu *vcpu)
{
	if (!bp_has_quirk(vcpu->vm, KVM_X86_QUIRK_FIX_HYPERCALL_INSN))
		return EMUL_UNHANDLED;
	return emul_fix_hypercall(vcpu->emul,
				  boot_cpu_data.x86_vendor == X86_VENDOR_INTEL);
}

int bp_exit_undefined(struct bp_vcpu *vcpu)
{
	const struct emul_ctx *ctx;
	int ret = load_context(vcpu);

	if (ret < 0)
		return ret;
	ctx = vcpu->emul;
	ret = fix_hypercall(vcpu);
	if (ret == EMUL_DONE)
		return 1;
	if (ret < 0)
		return ret == -EIO ? -EFAULT : ret;
	if (ret == EMUL_UNHANDLED)
		ret = emul_run_lacking(vcpu->emul);
	if (ret == EMUL_UNHANDLED || (ret == EMUL_FAULT && ctx->fault.vector == X86_VEC_UD)) {
		raise_undefined(vcpu);
		return 1;
	}
	return handle_result(vcpu, ret);
}

int bp_emulate_resume(struct bp_vcpu *vcpu)
{
	struct emul_ctx *ctx = vcpu->emul;

	if (ctx->user.kind == EMUL_MMIO_READ)
		memcpy(ctx->user.data, vcpu->run->mmio.data,
		       sizeof(ctx->user.data));
	return handle_result(vcpu, emul_resume(ctx));
}

void bp_emulate_new_regs(struct bp_vcpu *vcpu, const struct kvm_regs *regs)
{
	if (vcpu->pending == BP_PENDING_EMUL)
		emul_load_regs(vcpu->emul, regs);
}

void bp_emulate_new_sregs(struct bp_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	if (vcpu->pending == BP_PENDING_EMUL)
		emul_load_sregs(vcpu->emul, sregs);
}
