// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_CAP_SYNC_REGS: state that user space hands over with KVM_RUN, and takes
 * from it, in kvm_run.s.regs instead of an ioctl for each class.
 */
#include "state.h"

struct synced {
	u32 bit;		/* of kvm_valid_regs and kvm_dirty_regs */
	u32 offset, size;	/* in struct kvm_sync_regs */
	long (*get)(struct bp_vcpu *vcpu);
	long (*set)(struct bp_vcpu *vcpu);
};

#define SYNCED(bit, field, name) { bit, offsetof(struct kvm_sync_regs, field), \
	sizeof_field(struct kvm_sync_regs, field), bp_##name##_get, bp_##name##_set }

static const struct synced synced[] = {
	SYNCED(KVM_SYNC_X86_REGS, regs, regs),
	SYNCED(KVM_SYNC_X86_SREGS, sregs, sregs),
	SYNCED(KVM_SYNC_X86_EVENTS, events, events),
};

static void *place(struct bp_vcpu *vcpu, const struct synced *s)
{
	return (void *)&vcpu->run->s.regs + s->offset;
}

long bp_sync_from_run(struct bp_vcpu *vcpu)
{
	u64 dirty = READ_ONCE(vcpu->run->kvm_dirty_regs);
	const struct synced *s;

	/* KVM looks at the lower halves alone. */
	if ((u32)(dirty | READ_ONCE(vcpu->run->kvm_valid_regs)) &
	    ~KVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	for (s = synced; s < synced + ARRAY_SIZE(synced); s++) {
		if (!(dirty & s->bit))
			continue;
		memcpy(vcpu->state, place(vcpu, s), s->size);
		if (s->set(vcpu))
			return -EINVAL;
		vcpu->run->kvm_dirty_regs &= ~(u64)s->bit;
	}
	return 0;
}

void bp_sync_to_run(struct bp_vcpu *vcpu)
{
	u64 valid = READ_ONCE(vcpu->run->kvm_valid_regs);
	const struct synced *s;

	for (s = synced; s < synced + ARRAY_SIZE(synced); s++)
		if (valid & s->bit && !s->get(vcpu))
			memcpy(place(vcpu, s), vcpu->state, s->size);
}
