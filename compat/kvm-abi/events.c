// SPDX-License-Identifier: GPL-2.0-only
/* BP_STATE_EVENTS: what a vCPU has to take, or is about to. */
#include <linux/kvm.h>

#include "hv/core/lib/atomic.h"
#include "hv/core/lib/errno.h"
#include "hv/core/lib/string.h"
#include "hv/core/lib/x86.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"
#include "server.h"

int accepted_irq(const struct vcpu *v)
{
	if (v->inject.type == EVENT_INTR || v->inject.type == EVENT_INT)
		return v->inject.vector;
	if (v->intr_again)
		return v->again_vector;
	return v->extint_queued ? v->extint_vector : -1;
}

static void drop_accepted(struct vcpu *v)
{
	if (v->inject.type == EVENT_INTR)
		v->inject.type = EVENT_NONE;
	else if (v->intr_again)
		v->intr_again = false;
	else
		v->extint_queued = false;
}

void accepted_irq_set(struct vcpu *v, u8 vector)
{
	drop_accepted(v);
	v->intr_again = true;
	v->again_now = true;
	v->again_vector = vector;
}

static void get_exception(const struct vcpu *v, struct kvm_vcpu_events *e)
{
	const struct vcpu_event *ev = &v->inject;

	e->exception.pending = ev->pending || ev->dr6 || (ev->fresh && v->nested.exceptions);
	e->exception.injected = !e->exception.pending;
	e->exception.nr = ev->vector;
	e->exception.has_error_code = ev->has_error;
	e->exception.error_code = ev->error;
	e->exception_has_payload = ev->has_payload || ev->dr6;
	e->exception_payload = ev->has_payload ? ev->payload : ev->dr6;
}

void events_get(struct vcpu *v, struct kvm_vcpu_events *e)
{
	int vector = accepted_irq(v);
	u8 shadow, masked;

	memset(e, 0, sizeof(*e));
	ops->get_block(v, &shadow, &masked);
	if (v->inject.type == EVENT_EXC)
		get_exception(v, e);
	e->interrupt.injected = vector >= 0;
	e->interrupt.nr = vector >= 0 ? vector : 0;
	e->interrupt.soft = v->inject.type == EVENT_INT;
	e->interrupt.shadow = shadow;
	e->nmi.injected = v->inject.type == EVENT_NMI;
	e->nmi.pending = v->nmi_pending;
	e->nmi.masked = masked;
	e->smi.smm = !!v->space;
	e->smi.pending = !!(READ_ONCE(v->requests) & VCPU_REQ_SMI);
	e->smi.latched_init = !!(READ_ONCE(v->requests) & VCPU_REQ_INIT);
	e->triple_fault.pending = v->shutdown_sticky || v->exit_pending == BP_EXIT_SHUTDOWN;
	e->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW |
		  KVM_VCPUEVENT_VALID_SMM | KVM_VCPUEVENT_VALID_PAYLOAD |
		  KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
}

#define EVENTS_VALID	(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW | \
			 KVM_VCPUEVENT_VALID_SIPI_VECTOR | KVM_VCPUEVENT_VALID_SMM | \
			 KVM_VCPUEVENT_VALID_PAYLOAD | KVM_VCPUEVENT_VALID_TRIPLE_FAULT)

static bool events_valid(const struct kvm_vcpu_events *e)
{
	if (e->flags & ~EVENTS_VALID)
		return false;
	return !(e->exception.injected || e->exception.pending) ||
	       (e->exception.nr <= 31 && e->exception.nr != X86_TRAP_NMI);
}

/* Without the flag there is neither; with it, one of the two and its payload. */
static void normalise(struct kvm_vcpu_events *e)
{
	if (!(e->flags & KVM_VCPUEVENT_VALID_PAYLOAD))
		e->exception.pending = 0;
	if (e->exception.pending)
		e->exception.injected = 0;
	else
		e->exception_has_payload = 0;
}

static void set_inject(struct vcpu *v, const struct kvm_vcpu_events *e)
{
	v->inject = (struct vcpu_event){ .type = EVENT_NONE };
	if (e->exception.injected || e->exception.pending)
		v->inject = (struct vcpu_event){
			.type = EVENT_EXC, .vector = e->exception.nr,
			.has_error = e->exception.has_error_code,
			.error = e->exception.error_code,
			.pending = e->exception.pending,
			.has_payload = e->exception_has_payload,
			.payload = e->exception_payload,
		};
	else if (e->nmi.injected)
		v->inject = (struct vcpu_event){ .type = EVENT_NMI, .vector = 2 };
}

/* Atomically: others set requests, too. */
static void set_request(struct vcpu *v, u64 req, bool on)
{
	if (on)
		fetch_or(&v->requests, req);
	else
		fetch_and(&v->requests, ~req);
}

/* What was found in one address space is not in the other. */
static int set_space(struct vcpu *v, bool on)
{
	int err = on ? mmu_smm_init(v->dom) : 0;

	if (err || on == !!v->space)
		return err;
	v->space = on ? GPA_SMM : 0;
	memset(v->code, 0, sizeof(v->code));
	return 0;
}

static void set_triple_fault(struct vcpu *v, bool on)
{
	v->shutdown_sticky = on;
	if (v->exit_pending == BP_EXIT_SHUTDOWN)
		v->exit_pending = 0;
}

int events_set(struct vcpu *v, struct kvm_vcpu_events *e)
{
	u8 shadow, masked;
	int err;

	normalise(e);
	if (!events_valid(e))
		return -EINVAL;
	if (e->flags & KVM_VCPUEVENT_VALID_SMM) {
		err = set_space(v, e->smi.smm);
		if (err)
			return err;
		set_request(v, VCPU_REQ_SMI, e->smi.pending);
		set_request(v, VCPU_REQ_INIT, e->smi.latched_init);
	}
	drop_accepted(v);
	set_inject(v, e);
	if (e->interrupt.injected && e->interrupt.soft && (v->nested.flags & BP_NESTED_ON))
		v->inject = (struct vcpu_event){ .type = EVENT_INT, .vector = e->interrupt.nr };
	else if (e->interrupt.injected)
		accepted_irq_set(v, e->interrupt.nr);
	if (e->flags & KVM_VCPUEVENT_VALID_NMI_PENDING)
		v->nmi_pending = e->nmi.pending;
	ops->get_block(v, &shadow, &masked);
	if (e->flags & KVM_VCPUEVENT_VALID_SHADOW)
		shadow = e->interrupt.shadow;
	ops->set_block(v, shadow, e->nmi.masked);
	if (e->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR)
		v->sipi_vector = e->sipi_vector & 0xff;
	if (e->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT)
		set_triple_fault(v, e->triple_fault.pending);
	return 0;
}

int smm_set(struct vcpu *v, u32 what)
{
	int err;

	switch (what) {
	case BP_SMM_LEAVE:
		return set_space(v, false);
	case BP_SMM_ENTER:
		err = set_space(v, true);
		if (!err)
			set_request(v, VCPU_REQ_SMI, false);
		return err;
	case BP_SMM_SMI:
		set_request(v, VCPU_REQ_SMI, true);
		return 0;
	}
	return -EINVAL;
}
