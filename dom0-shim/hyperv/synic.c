// SPDX-License-Identifier: GPL-2.0-only
/*
 * The synthetic interrupt controller (TLFS 11): sixteen sources of a VP, each with a
 * vector, and pages for messages and event flags.  Messages of timers are made here;
 * all others, and the flags, are user space's, which signals by GSIs (HV_SINT routes).
 *
 * A source's interrupt is sent level-triggered, so that its EOI comes here; one with
 * automatic EOI is edge-triggered, and Bedplate ends it as it delivers it.
 */
#include <linux/eventfd.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/xarray.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "hyperv.h"
#include "irqchip/irqchip.h"
#include "memory/gmem.h"

#define LEVEL		BIT(15)		/* of a message's data */

int bp_hv_synic_enable(struct bp_vcpu *vcpu, bool keep_pages)
{
	struct bp_hv_synic *s = &vcpu->hv->synic;
	unsigned int i;

	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE)
		return -EINVAL;
	if (!s->active)
		for (i = 0; i < HV_SYNIC_SINT_COUNT; i++)
			s->sint[i] = HV_SYNIC_SINT_MASKED;
	s->version = HV_SYNIC_VERSION_1;
	s->control = HV_SYNIC_CONTROL_ENABLE;
	s->keep_pages = keep_pages;
	smp_store_release(&s->active, true); /* others look at the sources */
	return 0;
}

/* ---- interrupts ---- */

/* -ENOENT: masked. */
static int vector_of(const struct bp_hv_synic *s, u32 sint)
{
	u64 val = READ_ONCE(s->sint[sint]);

	return val & HV_SYNIC_SINT_MASKED ? -ENOENT : val & HV_SYNIC_SINT_VECTOR_MASK;
}

long bp_hv_send(struct bp_vcpu *vcpu, u32 data)
{
	long n = bp_message_to(vcpu, data);

	return n > 0 ? n : 0;
}

int bp_hv_synic_raise(struct bp_vcpu *vcpu, u32 sint)
{
	const struct bp_hv_synic *s = &vcpu->hv->synic;
	int vector;

	if (!smp_load_acquire(&s->active) || sint >= HV_SYNIC_SINT_COUNT) /* _enable() */
		return -EINVAL;
	vector = vector_of(s, sint);
	if (vector < 0)
		return vector;
	return bp_hv_send(vcpu, READ_ONCE(s->sint[sint]) & HV_SYNIC_SINT_AUTO_EOI ?
				vector : vector | LEVEL);
}

static void acked(struct bp_vcpu *vcpu, u32 sint)
{
	bp_hv_timers_acked(vcpu, sint);
	bp_irq_sint_acked(vcpu->vm->irq, vcpu->hv->vp_index, sint);
}

void bp_hv_eoi(struct bp_vcpu *vcpu, u8 vector)
{
	const struct bp_hv_synic *s = &vcpu->hv->synic;
	u32 i;

	for (i = 0; s->active && i < HV_SYNIC_SINT_COUNT; i++)
		if (vector_of(s, i) == vector)
			acked(vcpu, i);
}

/* A GSI that is routed there.  Any context. */
int bp_irq_sint(u32 dom, u32 vp, u32 sint)
{
	struct bp_vcpu *vcpu = NULL;
	struct bp_vm *vm;
	unsigned int i, n;
	int ret = -1;

	rcu_read_lock();
	vm = xa_load(&bp_vms, dom);
	n = vm ? smp_load_acquire(&vm->nr_vcpus) : 0; /* pairs with bp_vcpu_create() */
	for (i = 0; i < n && !vcpu; i++)
		if (READ_ONCE(bp_vcpu_at(vm, i)->hv->vp_index) == vp)
			vcpu = bp_vcpu_at(vm, i);
	if (vcpu)
		ret = bp_hv_synic_raise(vcpu, sint);
	rcu_read_unlock();
	return ret < 0 ? -1 : ret;
}

void bp_hv_auto_eoi(const struct bp_vcpu *vcpu, struct bp_rules *rules)
{
	const struct bp_hv_synic *s = &vcpu->hv->synic;
	u32 i;
	int vector;

	for (i = 0; s->active && i < HV_SYNIC_SINT_COUNT; i++) {
		vector = vector_of(s, i);
		if (vector < 0 || !(s->sint[i] & HV_SYNIC_SINT_AUTO_EOI))
			continue;
		rules->auto_eoi[vector / 64] |= BIT_ULL(vector % 64);
		rules->flags |= BP_RULE_AUTO_EOI;
	}
}

/* ---- messages ---- */

int bp_hv_synic_message(struct bp_vcpu *vcpu, u32 sint, const struct hv_message *m, bool retry)
{
	const struct bp_hv_synic *s = &vcpu->hv->synic;
	u64 at = (s->simp & PAGE_MASK) + sint * sizeof(*m);
	const u8 pending = 1;
	u32 type;
	int ret;

	if (!(s->simp & HV_SYNIC_SIMP_ENABLE))
		return -ENOENT;
	ret = bp_gmem_read(vcpu, at, &type, sizeof(type));
	if (ret)
		return bp_gmem_error(ret, -EFAULT);
	if (type != HVMSG_NONE) {
		if (!retry)
			return 0;
		/* The guest tells when it has read the one that is there. */
		ret = bp_gmem_write(vcpu, at + offsetof(struct hv_message, header.message_flags),
				    &pending, sizeof(pending));
		return ret ? bp_gmem_error(ret, -EFAULT) : -EAGAIN;
	}
	ret = bp_gmem_write(vcpu, at, m, sizeof(m->header) + m->header.payload_size);
	if (ret)
		return bp_gmem_error(ret, -EFAULT);
	ret = bp_hv_synic_raise(vcpu, sint);
	return ret > 0 ? 0 : ret ?: -EFAULT;
}

/* ---- MSRs ---- */

static int zero_page(struct bp_vcpu *vcpu, u64 gpa)
{
	return bp_gmem_write(vcpu, gpa & PAGE_MASK, page_address(ZERO_PAGE(0)), PAGE_SIZE);
}

/* The page of messages or flags is cleared as it is enabled, unless user space does it. */
static long set_page(struct bp_vcpu *vcpu, u64 *reg, u64 val, bool guest)
{
	int ret = 0;

	if (val & HV_SYNIC_SIMP_ENABLE && guest && !vcpu->hv->synic.keep_pages)
		ret = zero_page(vcpu, val);
	if (ret)
		return bp_gmem_error(ret, -EINVAL);
	*reg = val;
	return 0;
}
static_assert(HV_SYNIC_SIMP_ENABLE == HV_SYNIC_SIEFP_ENABLE);

static long set_sint(struct bp_vcpu *vcpu, u32 sint, u64 val, bool guest)
{
	u32 vector = val & HV_SYNIC_SINT_VECTOR_MASK;

	if (vector < HV_SYNIC_FIRST_VALID_VECTOR && guest && !(val & HV_SYNIC_SINT_MASKED))
		return -EINVAL;
	WRITE_ONCE(vcpu->hv->synic.sint[sint], val);
	vcpu->rules_gen = bp_rules_gen(vcpu->vm) - 1;
	return 0;
}

static int tell_user(struct bp_vcpu *vcpu, u32 msr)
{
	const struct bp_hv_synic *s = &vcpu->hv->synic;
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_HYPERV;
	memset(&run->hyperv, 0, sizeof(run->hyperv));
	run->hyperv.type = KVM_EXIT_HYPERV_SYNIC;
	run->hyperv.u.synic.msr = msr;
	run->hyperv.u.synic.control = s->control;
	run->hyperv.u.synic.evt_page = s->siefp;
	run->hyperv.u.synic.msg_page = s->simp;
	return BP_HV_TO_USER;
}

long bp_hv_synic_set(struct bp_vcpu *vcpu, u32 msr, u64 val, bool guest)
{
	struct bp_hv_synic *s = &vcpu->hv->synic;
	long ret = 0;
	u32 i;

	if (!s->active && (guest || val))
		return -EINVAL;
	switch (msr) {
	case HV_X64_MSR_SCONTROL:
		s->control = val;
		break;
	case HV_X64_MSR_SIEFP:
		ret = set_page(vcpu, &s->siefp, val, guest);
		break;
	case HV_X64_MSR_SIMP:
		ret = set_page(vcpu, &s->simp, val, guest);
		break;
	case HV_X64_MSR_SVERSION:
		if (guest)
			return -EINVAL;
		s->version = val;
		return 0;
	case HV_X64_MSR_EOM:
		for (i = 0; s->active && i < HV_SYNIC_SINT_COUNT; i++)
			acked(vcpu, i);
		return 0;
	default:
		return set_sint(vcpu, msr - HV_X64_MSR_SINT0, val, guest);
	}
	return ret || !guest ? ret : tell_user(vcpu, msr);
}

long bp_hv_synic_get(struct bp_vcpu *vcpu, u32 msr, u64 *val, bool guest)
{
	const struct bp_hv_synic *s = &vcpu->hv->synic;

	if (!s->active && guest)
		return -EINVAL;
	switch (msr) {
	case HV_X64_MSR_SCONTROL:
		*val = s->control;
		return 0;
	case HV_X64_MSR_SVERSION:
		*val = s->version;
		return 0;
	case HV_X64_MSR_SIEFP:
		*val = s->siefp;
		return 0;
	case HV_X64_MSR_SIMP:
		*val = s->simp;
		return 0;
	case HV_X64_MSR_EOM:
		*val = 0;
		return 0;
	default:
		*val = s->sint[msr - HV_X64_MSR_SINT0];
		return 0;
	}
}

/* ---- HvCallSignalEvent: connections that are eventfds ---- */

static long deassign(struct bp_hv *hv, u32 conn)
{
	struct eventfd_ctx *ctx = xa_erase(&hv->conns, conn);

	if (!ctx)
		return -ENOENT;
	synchronize_rcu();	/* bp_hv_signal() */
	eventfd_ctx_put(ctx);
	return 0;
}

long bp_hv_eventfd(struct bp_vm *vm, const struct kvm_hyperv_eventfd *args)
{
	struct eventfd_ctx *ctx;
	int ret;

	if (args->flags & ~KVM_HYPERV_EVENTFD_DEASSIGN || args->conn_id & ~KVM_HYPERV_CONN_ID_MASK)
		return -EINVAL;
	if (args->flags & KVM_HYPERV_EVENTFD_DEASSIGN)
		return deassign(vm->hv, args->conn_id);
	ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ret = xa_insert(&vm->hv->conns, args->conn_id, ctx, GFP_KERNEL_ACCOUNT);
	if (ret)
		eventfd_ctx_put(ctx);
	return ret == -EBUSY ? -EEXIST : ret;
}

bool bp_hv_signal(struct bp_vm *vm, u32 conn)
{
	struct eventfd_ctx *ctx;

	rcu_read_lock();
	ctx = xa_load(&vm->hv->conns, conn);
	if (ctx)
		eventfd_signal(ctx);
	rcu_read_unlock();
	return ctx;
}

void bp_hv_conns_free(struct bp_hv *hv)
{
	struct eventfd_ctx *ctx;
	unsigned long conn;

	xa_for_each(&hv->conns, conn, ctx)
		eventfd_ctx_put(ctx);
	xa_destroy(&hv->conns);
}
