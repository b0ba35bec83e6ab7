// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port I/O and nested page faults: served in the kernel, or handed to user
 * space and finished at the next KVM_RUN.  The latter happens only if RIP is
 * still where it was: a VMM that set other registers meanwhile (a reset) wants
 * nothing to be finished.
 */
#include <linux/mm.h>

#include "devices/access.h"
#include "emul/emul.h"
#include "memory/memslot.h"
#include "memory/mmu.h"
#include "apf.h"
#include "hv.h"
#include "run.h"
#include "xen.h"

void bp_insn_done(struct bp_vcpu *vcpu, u8 len)
{
	vcpu->page->regs.rip += len;
	vcpu->page->run_flags |= BP_RUN_SET_REGS | BP_RUN_INSN_DONE;
}

void bp_queue_exception(struct bp_vcpu *vcpu, u8 vector, bool has_error,
			u32 error, u64 cr2)
{
	struct bp_vcpu_page *page = vcpu->page;

	page->exc_vector = vector;
	page->exc_has_error = has_error;
	page->exc_error = error;
	page->exc_cr2 = cr2;
	page->run_flags |= BP_RUN_EXCEPTION;
}

/* ---- port I/O ---- */

static u64 merge(u64 old, u64 val, int size)
{
	switch (size) {
	case 1:
		return (old & ~0xffull) | (val & 0xff);
	case 2:
		return (old & ~0xffffull) | (val & 0xffff);
	case 4:
		return (u32)val;
	default:
		return val;
	}
}

static void io_done(struct bp_vcpu *vcpu, u32 data)
{
	struct kvm_regs *regs = &vcpu->page->regs;

	if (vcpu->io.in)
		regs->rax = merge(regs->rax, data, vcpu->io.size);
	bp_insn_done(vcpu, vcpu->io.insn_len);
}

static int io_to_user(struct bp_vcpu *vcpu, u32 data)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = vcpu->io.in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = vcpu->io.size;
	run->io.port = vcpu->io.port;
	run->io.count = 1;
	run->io.data_offset = BP_PIO_PAGE_OFFSET * PAGE_SIZE;
	memcpy(page_address(vcpu->pio_page), &data, sizeof(data));
	/* KVM is past this one when user space hears of it. */
	if (!vcpu->io.in && vcpu->io.port == 0x7e &&
	    bp_has_quirk(vcpu->vm, KVM_X86_QUIRK_OUT_7E_INC_RIP)) {
		io_done(vcpu, data);
		return 0;
	}
	vcpu->pending = BP_PENDING_PIO;
	vcpu->pending_rip = vcpu->page->regs.rip;
	return 0;
}

int bp_exit_io(struct bp_vcpu *vcpu)
{
	u32 data;

	vcpu->io = vcpu->page->io;
	if (vcpu->io.string)
		return bp_emulate(vcpu);
	data = vcpu->io.in ? 0 : vcpu->io.data;
	if (bp_pio_access(vcpu, vcpu->io.port, vcpu->io.size, !vcpu->io.in,
			  &data))
		return io_to_user(vcpu, data);
	io_done(vcpu, data);
	return 1;
}

static void complete_pio(struct bp_vcpu *vcpu)
{
	u32 data = 0;

	memcpy(&data, page_address(vcpu->pio_page), vcpu->io.size);
	io_done(vcpu, data);
}

/* ---- nested page faults ---- */

static void mmio_done(struct bp_vcpu *vcpu, u64 val)
{
	const struct bp_exit_npf *npf = &vcpu->npf;
	struct kvm_regs *regs = &vcpu->page->regs;
	u64 reg;

	if (!(npf->flags & BP_NPF_WRITE)) {
		reg = emul_gpr_get(regs, npf->reg);
		if (npf->size < 8) {
			val &= (1ull << 8 * npf->size) - 1;
			if (npf->sign_extend && val >> (8 * npf->size - 1))
				val |= ~0ull << 8 * npf->size;
		}
		if (npf->reg_size == 1 && npf->high_byte)
			reg = (reg & ~0xff00ull) | (val & 0xff) << 8;
		else
			reg = merge(reg, val, npf->reg_size);
		emul_gpr_set(regs, npf->reg, reg);
	}
	bp_insn_done(vcpu, npf->insn_len);
}

static int mmio_to_user(struct bp_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	const struct bp_exit_npf *npf = &vcpu->npf;

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = npf->gpa;
	run->mmio.len = npf->size;
	run->mmio.is_write = !!(npf->flags & BP_NPF_WRITE);
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	if (npf->flags & BP_NPF_WRITE)
		memcpy(run->mmio.data, &npf->data, npf->size);
	vcpu->pending = BP_PENDING_MMIO;
	vcpu->pending_rip = vcpu->page->regs.rip;
	return 0;
}

static bool decoded_here(const struct bp_exit_npf *npf)
{
	return npf->flags & BP_NPF_DECODED && npf->size && npf->size <= 8 &&
	       offset_in_page(npf->gpa) + npf->size <= PAGE_SIZE;
}

static int mmio_exit(struct bp_vcpu *vcpu)
{
	struct bp_exit_npf *npf = &vcpu->npf;
	u64 val = npf->data;

	vcpu->stats.mmio_exits++;
	if (!decoded_here(npf))
		return bp_emulate(vcpu);
	if (!(npf->flags & BP_NPF_WRITE))
		val = 0;
	if (bp_mmio_access(vcpu, npf->gpa, npf->size,
			   npf->flags & BP_NPF_WRITE, &val))
		return mmio_to_user(vcpu);
	mmio_done(vcpu, val);
	return 1;
}

static void complete_mmio(struct bp_vcpu *vcpu)
{
	u64 val;

	memcpy(&val, vcpu->run->mmio.data, sizeof(val));
	mmio_done(vcpu, val);
}

/*
 * The VMM's page has gone bad.  As where a thread of its own touches it: SIGBUS, by which a VMM
 * makes a machine check in the guest, which else finds the page again.
 */
static int poisoned_page(struct bp_vcpu *vcpu, u64 gfn)
{
	const struct bp_memslot *slot = bp_slot_find(vcpu->vm, gfn);

	if (slot)
		send_sig_mceerr(BUS_MCEERR_AR, (void __user *)bp_slot_hva(slot, gfn), PAGE_SHIFT, current);
	return 1;
}

/* The memory behind @gfn cannot be had: KVM_RUN fails, and says where; or goes on, with SIGBUS. */
static int no_page(struct bp_vcpu *vcpu, u64 gfn, int err)
{
	struct kvm_run *run = vcpu->run;

	if (err == -EHWPOISON && !vcpu->fault_private)
		return poisoned_page(vcpu, gfn);
	if (err == -EFAULT || (vcpu->fault_private && err != -EINTR)) {
		run->exit_reason = KVM_EXIT_MEMORY_FAULT;
		run->memory_fault.flags =
			vcpu->fault_private ? KVM_MEMORY_EXIT_FLAG_PRIVATE : 0;
		run->memory_fault.gpa = (gfn & ~BP_GFN_SMM) << PAGE_SHIFT;
		run->memory_fault.size = PAGE_SIZE;
	}
	return err;
}

/*
 * Bedplate wants the page for itself: paravirtual data of the guest, which it
 * mostly writes.  Where it cannot have it, a mark makes it give up.
 */
static int hv_page(struct bp_vcpu *vcpu, u64 gfn)
{
	struct bp_vm *vm = vcpu->vm;
	const struct bp_memslot *slot = bp_slot_find(vm, gfn);
	int ret = bp_fault(vcpu, gfn, BP_NPF_WRITE);

	if (ret == BP_FAULT_MMIO && !(vcpu->npf.flags & BP_NPF_WRITE))
		ret = bp_fault(vcpu, gfn, 0);
	if (ret == BP_FAULT_MMIO) {
		bp_zap(vm, gfn, 1);
		ret = bp_mark_mmio(vm, gfn, slot);
	}
	return ret < 0 ? no_page(vcpu, gfn, ret) : 1;
}

/* There is no instruction that MMIO could be emulated for. */
static int no_delivery(struct bp_vcpu *vcpu)
{
	u64 gpa = vcpu->npf.gpa;

	return bp_internal_error(vcpu, KVM_INTERNAL_ERROR_DELIVERY_EV, &gpa, 1);
}

int bp_exit_npf(struct bp_vcpu *vcpu)
{
	struct bp_exit_npf *npf = &vcpu->npf;
	u64 gfn;
	int ret;

	*npf = vcpu->page->npf;
	gfn = (npf->gpa | bp_vcpu_space(vcpu)) >> PAGE_SHIFT;
	if (npf->flags & BP_NPF_HV)
		return hv_page(vcpu, gfn);

	ret = bp_apf_fault(vcpu, gfn, npf->flags);
	if (ret == BP_FAULT_DONE)
		return 1;
	if (ret < 0)
		return no_page(vcpu, gfn, ret);
	if (npf->flags & BP_NPF_EVENT)
		return no_delivery(vcpu);
	/*
	 * A page without memory, or one that is read-only and mapped.  Failing
	 * to mark it costs the emulator next time, no more.
	 */
	if (!(npf->flags & (BP_NPF_MARKED | BP_NPF_PRESENT)) &&
	    !bp_slot_find(vcpu->vm, gfn))
		bp_mark_mmio(vcpu->vm, gfn, NULL);
	return mmio_exit(vcpu);
}

int bp_complete_pending(struct bp_vcpu *vcpu)
{
	enum bp_pending pending = vcpu->pending;

	vcpu->pending = BP_PENDING_NONE;
	if (pending == BP_PENDING_NONE ||
	    vcpu->page->regs.rip != vcpu->pending_rip)
		return 1;
	if (pending == BP_PENDING_EMUL)
		return bp_emulate_resume(vcpu);
	if (pending == BP_PENDING_HV)
		return bp_hv_complete(vcpu);
	if (pending == BP_PENDING_SYNDBG)
		return bp_hv_complete_debug(vcpu);
	if (pending == BP_PENDING_HYPERCALL)
		return bp_complete_hypercall(vcpu);
	if (pending == BP_PENDING_XEN)
		return bp_xen_complete(vcpu);
	if (pending == BP_PENDING_PIO)
		complete_pio(vcpu);
	else if (pending == BP_PENDING_MSR)
		bp_complete_msr(vcpu);
	else
		complete_mmio(vcpu);
	return 1;
}
