/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_SET_GUEST_DEBUG: a debugger in the VMM, and the guest that knows nothing of it. */
#include "test.h"

#include <stdlib.h>

#define STEPS	11
#define DR6	0xffff0ff0ull

static struct vm *debugged(void)
{
	struct vm *vm = vm_new(G_debugged, 1, 0);

	CHECK_EQ(check_cap(kvm_fd, KVM_CAP_SET_GUEST_DEBUG), 1);
	run_sync(&vm->vcpu[0], 1);
	return vm;
}

static void debug(struct vcpu *v, uint32_t control, uint64_t dr0, uint64_t dr7)
{
	struct kvm_guest_debug d = { .control = control };

	d.arch.debugreg[0] = dr0;
	d.arch.debugreg[7] = dr7;
	CHECK_EQ(ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d), 0);
}

static void expect_debug(struct vcpu *v, int vector, uint64_t pc)
{
	struct kvm_regs regs;

	run_exit(v, KVM_EXIT_DEBUG);
	CHECK_EQ(v->run->debug.arch.exception, vector);
	CHECK_EQ(v->run->debug.arch.pc, pc);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &regs), 0);
	CHECK_EQ(regs.rip, pc);
	CHECK_EQ(regs.rflags & 0x100, 0);
}

#define HW (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP)
#define STEP (KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP)

/* An instruction and a word of memory; DR6 tells of each alone. */
TEST(debug, hardware)
{
	struct vm *vm = debugged();
	struct vcpu *v = &vm->vcpu[0];

	debug(v, HW, vm->p->res[16], 0x401);
	expect_debug(v, 1, vm->p->res[16]);
	CHECK_EQ(v->run->debug.arch.dr6, DR6 | 1);
	CHECK_EQ(v->run->debug.arch.dr7 & 0xff, 1);
	debug(v, HW, vm->p->res[8], 0x401 | 0xd << 16);
	expect_debug(v, 1, vm->p->res[18]);
	CHECK_EQ(v->run->debug.arch.dr6, DR6 | 1);
	CHECK_EQ(vm->p->res[10], 7);
	debug(v, HW, vm->p->res[19], 0x401);
	expect_debug(v, 1, vm->p->res[19]);
	debug(v, 0, 0, 0);
	run_exit(v, KVM_EXIT_MMIO);
	run_exit(v, KVM_EXIT_IO);
	run_sync(v, 2);
	run_sync(v, 3);
	run_sync(v, 4);
	run_done(v);
}

/* Through instructions that the CPU, the hypervisor, and the VMM do, and past STI. */
TEST(debug, single_step)
{
	struct vm *vm = debugged();
	struct vcpu *v = &vm->vcpu[0];

	for (int i = 0; i < STEPS; i++) {
		debug(v, STEP, 0, 0);
		if (i == 5)
			run_exit(v, KVM_EXIT_MMIO);
		if (i == 7)
			run_exit(v, KVM_EXIT_IO);
		expect_debug(v, 1, vm->p->res[16 + i]);
		CHECK_EQ(v->run->debug.arch.dr6, DR6 | 0x4000);
	}
	/* It goes on by itself until it is asked for no more. */
	debug(v, STEP, 0, 0);
	run_exit(v, KVM_EXIT_DEBUG);
	run_exit(v, KVM_EXIT_DEBUG);
	debug(v, 0, 0, 0);
	run_sync(v, 2);
	run_sync(v, 3);
	run_sync(v, 4);
	run_done(v);
}

/* Registers that are set keep the step, if RIP stays. */
TEST(debug, step_and_set)
{
	struct vm *vm = debugged();
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_regs regs;

	debug(v, STEP, 0, 0);
	expect_debug(v, 1, vm->p->res[16]);
	debug(v, STEP, 0, 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &regs), 0);
	regs.rflags |= 1;
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &regs), 0);
	expect_debug(v, 1, vm->p->res[17]);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &regs), 0);
	CHECK_EQ(regs.rflags & 1, 1);
	debug(v, 0, 0, 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &regs), 0);
	CHECK_EQ(regs.rflags & 0x100, 0);
}

/* INT3 is the VMM's if it asks for it, and the guest's again if the VMM passes it on. */
TEST(debug, int3)
{
	struct vm *vm = debugged();
	struct vcpu *v = &vm->vcpu[0];

	run_exit(v, KVM_EXIT_MMIO);
	run_exit(v, KVM_EXIT_IO);
	run_sync(v, 2);
	debug(v, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, 0, 0);
	run_exit(v, KVM_EXIT_DEBUG);
	CHECK_EQ(v->run->debug.arch.exception, 3);
	CHECK_EQ(v->run->debug.arch.pc, vm->p->res[9]);
	debug(v, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_INJECT_BP, 0, 0);
	run_sync(v, 3);
	run_sync(v, 4);
	run_done(v);
}

/* The guest has its own debug registers meanwhile, and so has who asks for them. */
TEST(debug, own_registers)
{
	struct vm *vm = debugged();
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_debugregs d;

	debug(v, HW, vm->p->res[16], 0x401);
	CHECK_EQ(ioctl(v->fd, KVM_GET_DEBUGREGS, &d), 0);
	CHECK_EQ(d.db[0], 0x1111);
	CHECK_EQ(d.dr7, 0x400);
	expect_debug(v, 1, vm->p->res[16]);
	debug(v, HW, 0x1234, 0x401);
	vm->p->arg[1] = 1;
	run_exit(v, KVM_EXIT_MMIO);
	run_exit(v, KVM_EXIT_IO);
	run_sync(v, 2);
	run_sync(v, 3);
	run_sync(v, 4);
	CHECK_EQ(ioctl(v->fd, KVM_GET_DEBUGREGS, &d), 0);
	CHECK_EQ(d.db[0], 0x1111);
	CHECK_EQ(d.db[1], 0x7777);
	CHECK_EQ(d.dr7, 0x400);
	debug(v, 0, 0, 0);
	run_done(v);
}

TEST(debug, inject)
{
	struct vm *vm = debugged();
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_guest_debug d = { .control = KVM_GUESTDBG_INJECT_DB };

	run_exit(v, KVM_EXIT_MMIO);
	run_exit(v, KVM_EXIT_IO);
	run_sync(v, 2);
	vm->p->arg[0] = 1;
	CHECK_EQ(ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d), 0);
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d), EBUSY);
	run_sync(v, 3);
	run_sync(v, 4);
	run_done(v);
	CHECK_EQ(vm->p->res[1], 1);
}

static void take_payloads(struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXCEPTION_PAYLOAD, .args = { 1 } };

	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
}

/* The next exit that is not the MMIO device's: of KVM_EXIT_DEBUG true, else the guest is done. */
static int next_debug(struct vcpu *v)
{
	do {
		CHECK_EQ(run_once(v), 0);
	} while (serve_mmio(v));
	return v->run->exit_reason == KVM_EXIT_DEBUG;
}

/* The guest steps through itself, and the VMM hands back what is the guest's. */
TEST(debug, hand_back)
{
	struct vm *vm = vm_new(G_step_exits, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_vcpu_events e;
	int n = 0;

	CHECK_EQ(check_cap(kvm_fd, KVM_CAP_SET_GUEST_DEBUG), 1);
	take_payloads(vm);
	debug(v, HW, 0, 0x400);
	while (next_debug(v)) {
		CHECK_EQ(v->run->debug.arch.exception, 1);
		CHECK_EQ(v->run->debug.arch.dr6, DR6 | 0x4000);
		CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
		CHECK(!e.exception.pending && !e.exception.injected);
		e.exception.pending = 1;
		e.exception.nr = 1;
		e.exception.has_error_code = 0;
		e.exception_has_payload = 1;
		e.exception_payload = v->run->debug.arch.dr6 & 0xe00f;
		e.flags = KVM_VCPUEVENT_VALID_PAYLOAD;
		CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
		n++;
	}
	check_guest(v);
	expect_io(v, 1, 4, PORT_DONE);
	/* KVM does not show those of instructions that it has done. */
	CHECK(n >= 1);
}

/* A step over an access that the VMM has answered, taken out and put back before it shows. */
TEST(debug, step_taken_out)
{
	struct vm *vm = vm_new(G_step_exits, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_vcpu_events e;

	take_payloads(vm);
	CHECK_EQ(run_once(v), 0);
	CHECK(serve_mmio(v));
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	v->run->immediate_exit = 0;
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK(e.exception.pending && e.exception.nr == 1);
	CHECK_EQ(e.exception_has_payload, 1);
	CHECK_EQ(e.exception_payload & 0xe00f, 0x4000);
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	run_done(v);
}
