// SPDX-License-Identifier: GPL-2.0-only
/* BP_EXIT_NESTED: is it L1's? (APM vol. 2, 15.7 to 15.14) */
#include <linux/mm.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "memory/gmem.h"
#include "running/run.h"
#include "running/state.h"
#include "nested.h"

/* L1 has not asked for this exception: it is L2's, and may meet another. */
static int raise(struct bp_vcpu *vcpu, const struct bp_exit_nested *x)
{
	static const u32 with_error = 0x60227d00;	/* 8, 10 to 14, 17, 21, 29, 30 */
	u8 vector = x->code - SVM_EXIT_EXC(0);

	vcpu->page->regs.rflags |= X86_EFLAGS_RF;
	vcpu->page->run_flags |= BP_RUN_SET_REGS;
	bp_queue_exception(vcpu, vector, with_error & BIT(vector), x->info[0], x->info[1]);
	return 1;
}

/* The CPU has DR6 as it is to be, and no trap comes again by itself. */
static int exit_debug(struct bp_vcpu *vcpu, const struct bp_exit_nested *x)
{
	bool by_cpu = x->what == BP_NESTED_BY_CPU;
	int ret = bp_nest_vmexit(vcpu, x->code, 0, by_cpu ? 0 : x->info[1]);

	if (ret == -EINTR && by_cpu)
		bp_queue_exception(vcpu, X86_TRAP_DB, false, 0, 0);
	return ret;
}

static int exit_exception(struct bp_vcpu *vcpu, const struct bp_exit_nested *x)
{
	if (!nest_wants(&vcpu->nest->n.c, x->code))
		return raise(vcpu, x);
	if (x->code == SVM_EXIT_EXC(X86_TRAP_DB))
		return exit_debug(vcpu, x);
	return bp_nest_vmexit(vcpu, x->code, x->info[0], x->info[1]);
}

/* The virtual interrupt can be taken. */
static int exit_vintr(struct bp_vcpu *vcpu, const struct bp_exit_nested *x)
{
	struct vmcb_control *c = &vcpu->nest->n.c;
	struct bp_nested now;
	long ret;

	if (nest_wants(c, x->code))
		return bp_nest_vmexit(vcpu, x->code, 0, 0);
	ret = bp_nest_sync(vcpu, &now);
	if (ret)
		return ret;
	c->int_ctl &= ~SVM_V_IRQ;
	return bp_nest_inject(vcpu, c->int_vector) ?: bp_nest_rules(vcpu) ?: 1;
}

/* ---- permission maps: 1, 0, or -EINTR ---- */

int bp_nest_map_byte(struct bp_vcpu *vcpu, u64 gpa)
{
	u8 byte;
	int err = bp_vcpu_read(vcpu, gpa, &byte, sizeof(byte));

	return err ? bp_gmem_error(err, 0xff) : byte;
}

static int wants_msr(struct bp_vcpu *vcpu, u32 msr, bool write)
{
	u32 at;
	u8 bit = nest_msr_bit(msr, write, &at);
	int byte;

	if (!bit)
		return 1;
	byte = bp_nest_msr_byte(vcpu, at);
	return byte < 0 ? byte : !!(byte & bit);
}

static int wants_ports(struct bp_vcpu *vcpu, u64 info1)
{
	u64 map = vcpu->nest->n.c.iopm & PAGE_MASK;
	u32 at;
	u16 bits = nest_io_bits(info1, &at);
	int low = bp_nest_map_byte(vcpu, map + at);
	int high = bits >> 8 ? bp_nest_map_byte(vcpu, map + at + 1) : 0;

	if (low < 0 || high < 0)
		return -EINTR;
	return !!((low & bits) | (high & (bits >> 8)));
}

int bp_nest_ports(struct bp_vcpu *vcpu, u16 port, u32 size)
{
	int ret;

	if (likely(!bp_nest_in_guest(vcpu)) || !nest_wants(&vcpu->nest->n.c, SVM_EXIT_IOIO))
		return 0;
	ret = wants_ports(vcpu, (u64)port << 16 | size << 4);
	return ret > 0 ? -EPERM : ret;
}

/* What L1 leaves to the machine is done as if there were no L1. */
static int exit_msr(struct bp_vcpu *vcpu, const struct bp_exit_nested *x)
{
	struct bp_vcpu_page *page = vcpu->page;
	u32 index = page->regs.rcx;
	bool write = x->info[0] & 1;
	int ret = wants_msr(vcpu, index, write);

	if (ret)
		return ret < 0 ? ret : bp_nest_vmexit(vcpu, x->code, x->info[0], x->info[1]);
	if (!x->insn_len)
		return 1;
	page->msr = (struct bp_exit_msr){
		.index = index, .write = write, .insn_len = x->insn_len, .why = BP_MSR_RULE,
		.data = write ? (u32)page->regs.rax | page->regs.rdx << 32 : 0,
	};
	return bp_exit_msr(vcpu);
}

static int exit_ports(struct bp_vcpu *vcpu, const struct bp_exit_nested *x)
{
	struct bp_vcpu_page *page = vcpu->page;
	u64 info = x->info[0];
	u8 size = SVM_IOIO_SIZE(info);
	int ret = wants_ports(vcpu, info);

	if (ret)
		return ret < 0 ? ret : bp_nest_vmexit(vcpu, x->code, info, x->info[1]);
	page->io = (struct bp_exit_io){
		.port = SVM_IOIO_PORT(info), .size = size, .in = !!(info & SVM_IOIO_IN),
		.string = !!(info & SVM_IOIO_STR), .insn_len = x->info[1] - page->regs.rip,
		.data = info & SVM_IOIO_IN ? 0 : page->regs.rax & (BIT_ULL(8 * size) - 1),
	};
	return bp_exit_io(vcpu);
}

/* ---- all of them ---- */

static int exit_of_l2(struct bp_vcpu *vcpu, const struct bp_exit_nested *x)
{
	int ret = -ENOENT;

	switch (x->code) {
	case SVM_EXIT_EXC(0) ... SVM_EXIT_EXC(31):
		return exit_exception(vcpu, x);
	case SVM_EXIT_VINTR:
		return exit_vintr(vcpu, x);
	case SVM_EXIT_MSR:
		return exit_msr(vcpu, x);
	case SVM_EXIT_IOIO:
		return exit_ports(vcpu, x);
	}
	if (!nest_wants(&vcpu->nest->n.c, x->code))
		return bp_nest_insn(vcpu, x->code, x->insn_len);
	if (x->code == SVM_EXIT_VMMCALL)
		ret = bp_nest_hv_call(vcpu);
	return ret != -ENOENT ? ret : bp_nest_vmexit(vcpu, x->code, x->info[0], x->info[1]);
}

/* As the CPU would say it. */
static u64 svm_code(const struct bp_exit_nested *x)
{
	static const u16 codes[] = {
		[BP_NESTED_BY_EXCEPTION] = SVM_EXIT_EXC(0),
		[BP_NESTED_BY_INTR] = SVM_EXIT_INTR,
		[BP_NESTED_BY_NMI] = SVM_EXIT_NMI,
		[BP_NESTED_BY_SMI] = SVM_EXIT_SMI,
		[BP_NESTED_BY_VIRQ] = SVM_EXIT_VINTR,
	};

	return x->what < ARRAY_SIZE(codes) ? codes[x->what] + x->code : x->code;
}

int bp_nest_exit(struct bp_vcpu *vcpu)
{
	struct bp_exit_nested x = vcpu->page->nested;
	struct bp_nest *nest = bp_nest_of(vcpu);

	if (!nest)
		return -EIO;
	x.code = svm_code(&x);
	return nest->n.guest ? exit_of_l2(vcpu, &x) : bp_nest_insn(vcpu, x.code, x.insn_len);
}

/* As it was before RUN told of it. */
static void shutdown_again(struct bp_vcpu *vcpu)
{
	struct kvm_vcpu_events *ev = vcpu->state;

	if (bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(*ev)) < 0)
		return;
	ev->triple_fault.pending = 1;
	bp_state_set(vcpu, BP_STATE_EVENTS, sizeof(*ev));
}

int bp_nest_shutdown(struct bp_vcpu *vcpu)
{
	int ret;

	if (!bp_nest_in_guest(vcpu) || !nest_wants(&vcpu->nest->n.c, SVM_EXIT_SHUTDOWN))
		return 0;
	ret = bp_nest_vmexit(vcpu, SVM_EXIT_SHUTDOWN, 0, 0);
	if (ret == -EINTR)
		shutdown_again(vcpu);
	return ret;
}
