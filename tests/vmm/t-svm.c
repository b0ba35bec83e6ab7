/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that are hypervisors, by AMD's SVM: what they see, and their state in user space. */
#include "late.h"

#include <stdlib.h>

#define SVM_VMCB	KVM_STATE_NESTED_SVM_VMCB_SIZE
#define STATE_SIZE	(sizeof(struct kvm_nested_state) + SVM_VMCB)
#define GUEST_RFLAGS	(0x400 + 0x170)		/* L1's, in the VMCB of the state */

#define MSR_VM_CR	0xc0010114
#define VM_CR_LOCK	8
#define SVMDIS		0x10
#define EFER_SVME	0x1000

static struct vm *svm_cpus(enum guest_id guest, int vcpus)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(cpuid_for(0), 0x80000001, 0);

	if (!e || !(e->ecx & 1 << 2))
		SKIP("guests have no SVM");
	return vm_new(guest, vcpus, 0);
}

static struct vm *svm_vm(enum guest_id guest) { return svm_cpus(guest, 1); }

static void done(enum guest_id guest)
{
	run_done(&svm_vm(guest)->vcpu[0]);
}

TEST(svm, off) { done(G_svm_off); }
/* The guest has locked it; user space may do as it likes, but SVMDIS and EFER.SVME are not both. */
TEST(svm, vm_cr)
{
	struct vcpu *v = &svm_vm(G_svm_vm_cr)->vcpu[0];
	struct { struct kvm_msrs hdr; struct kvm_msr_entry e; } m = {
		.hdr.nmsrs = 1, .e = { .index = MSR_VM_CR, .data = SVMDIS },
	};
	struct kvm_sregs s;

	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("on KVM SVMDIS has no effect");
	run_done(v);
	CHECK_EQ(get_msr(v, MSR_VM_CR), SVMDIS | VM_CR_LOCK | 2);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	s.efer |= EFER_SVME;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
	set_msr(v, MSR_VM_CR, VM_CR_LOCK);
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_MSRS, &m), 0);
	CHECK_EQ(get_msr(v, MSR_VM_CR), VM_CR_LOCK);
}

TEST(svm, moves) { done(G_svm_moves); }
TEST(svm, exits) { done(G_svm_exits); }
TEST(svm, registers) { done(G_svm_registers); }
TEST(svm, faults) { done(G_svm_faults); }
TEST(svm, inject) { done(G_svm_inject); }
TEST(svm, triple) { done(G_svm_triple); }
TEST(svm, invalid) { done(G_svm_invalid); }
TEST(svm, gif) { done(G_svm_gif); }
TEST(svm, intr) { done(G_svm_intr); }
TEST(svm, virq) { done(G_svm_virq); }

TEST(svm, vtpr)
{
	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("QEMU's TCG aborts where L2 lowers its CR8, and KVM does not keep it from that");
	done(G_svm_vtpr);
}

TEST(svm, nmi)
{
	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("on KVM the NMI ends L2 at once");
	done(G_svm_nmi);
}

TEST(svm, halt) { done(G_svm_halt); }

TEST(svm, invpcid)
{
	if (!(cpuid_find(cpuid_for(0), 7, 0)->ebx & 1 << 10))
		SKIP("no INVPCID");
	done(G_svm_invpcid);
}

static struct vcpu *step_begins(bool payload)
{
	struct vm *vm = svm_vm(G_svm_step);
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXCEPTION_PAYLOAD, .args = { 1 } };

	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("what KVM has in the VMCB's DR6 is not looked at");
	if (payload)
		CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	run_sync(&vm->vcpu[0], 2);
	return &vm->vcpu[0];
}

static void step(bool payload)
{
	struct vcpu *v = step_begins(payload);

	run_sync(v, 3);
	run_done(v);
}

TEST(svm, step) { step(false); }
TEST(svm, step_payload) { step(true); }

/* The VMCB comes late: the traps come nonetheless, and once. */
TEST(svm, late_step)
{
	struct vcpu *v = step_begins(false);
	struct late_page vmcb = { 0 };

	late_hold(&vmcb, v->vm->mem + GPA_SCRATCH);
	late_waits(v, &vmcb);
	run_sync(v, 3);
	late_hold(&vmcb, v->vm->mem + GPA_SCRATCH);
	late_waits(v, &vmcb);
	run_done(v);
}

TEST_LIMIT(svm, shared, 60)
{
	struct vm *vm = svm_cpus(G_svm_shared, 2);

	thread_start(&vm->vcpu[0]);
	thread_start(&vm->vcpu[1]);
	thread_join(&vm->vcpu[0]);
	thread_join(&vm->vcpu[1]);
}

/* What CPUID says of it, and that the capability goes with it. */
TEST(svm, offered)
{
	const struct kvm_cpuid_entry2 *e;

	vm_free(svm_vm(G_svm_off));
	e = cpuid_find(cpuid_for(0), 0x8000000a, 0);
	CHECK(e);
	CHECK_EQ(e->eax, 1);
	CHECK(e->ebx >= 2);
	CHECK_EQ(check_cap(kvm_fd, KVM_CAP_NESTED_STATE), STATE_SIZE);
}

static struct kvm_nested_state *get_state(struct vcpu *v, uint32_t room)
{
	struct kvm_nested_state *s = calloc(1, STATE_SIZE);

	CHECK(s);
	s->size = room;
	CHECK_EQ(ioctl(v->fd, KVM_GET_NESTED_STATE, s), 0);
	return s;
}

static void refused(struct vcpu *v, const struct kvm_nested_state *s)
{
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_NESTED_STATE, s), EINVAL);
}

/* Outside of L2, and in it; what cannot be is refused, and changes nothing. */
TEST(svm, state)
{
	struct vm *vm = svm_vm(G_svm_state);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_nested_state *s, bad;

	s = get_state(v, STATE_SIZE);
	CHECK_EQ(s->size, sizeof(*s));
	CHECK_EQ(s->flags, KVM_STATE_NESTED_GIF_SET);
	CHECK_EQ(s->format, KVM_STATE_NESTED_FORMAT_SVM);
	bad = *s;
	bad.flags = 0;			/* without SVME there is no GIF */
	refused(v, &bad);
	free(s);

	run_sync(v, 1);
	run_sync(v, 2);
	CHECK_ERRNO(ioctl(v->fd, KVM_GET_NESTED_STATE, &(struct kvm_nested_state){ .size = 0 }), E2BIG);
	s = get_state(v, STATE_SIZE);
	CHECK_EQ(s->size, STATE_SIZE);
	CHECK_EQ(s->flags & ~KVM_STATE_NESTED_RUN_PENDING,
		 KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_GIF_SET);
	CHECK_EQ(s->hdr.svm.vmcb_pa, GPA_SCRATCH);
	CHECK_EQ(*(uint32_t *)&s->data.svm->vmcb12[8], 1 << 14);

	s->format = KVM_STATE_NESTED_FORMAT_VMX;
	refused(v, s);
	s->format = KVM_STATE_NESTED_FORMAT_SVM;
	s->hdr.svm.vmcb_pa++;
	refused(v, s);
	s->hdr.svm.vmcb_pa--;
	s->flags |= KVM_STATE_NESTED_EVMCS;
	refused(v, s);
	s->flags &= ~KVM_STATE_NESTED_EVMCS;
	s->data.svm->vmcb12[GUEST_RFLAGS + 2] |= 2;	/* virtual 8086 mode */
	refused(v, s);
	s->data.svm->vmcb12[GUEST_RFLAGS + 2] &= ~2;
	*(uint32_t *)&s->data.svm->vmcb12[0x58] = 0;	/* ASID */
	refused(v, s);
	*(uint32_t *)&s->data.svm->vmcb12[0x58] = 1;

	CHECK_EQ(ioctl(v->fd, KVM_SET_NESTED_STATE, s), 0);
	run_sync(v, 3);
	free(s);
	run_sync(v, 4);
	s = get_state(v, STATE_SIZE);
	CHECK_EQ(s->flags, 0);			/* CLGI */
	free(s);
	run_done(v);
}

/* L2 goes, with the registers as they are: L1 finds itself there. */
TEST(svm, leave)
{
	struct vm *vm = svm_vm(G_svm_state);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_nested_state *s;

	run_sync(v, 1);
	run_sync(v, 2);
	s = get_state(v, STATE_SIZE);
	s->flags = KVM_STATE_NESTED_GIF_SET;
	s->size = sizeof(*s);
	CHECK_EQ(ioctl(v->fd, KVM_SET_NESTED_STATE, s), 0);
	free(s);
	s = get_state(v, STATE_SIZE);
	CHECK_EQ(s->flags, KVM_STATE_NESTED_GIF_SET);
	free(s);
	run_sync(v, 3);
}
