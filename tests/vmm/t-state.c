/* SPDX-License-Identifier: GPL-2.0-only */
/* State ioctls: what is set reads back, and the guest has it. */
#include "test.h"

#include <asm/kvm_para.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

TEST(state, regs)
{
	struct vm *vm = vm_new(G_regs, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_regs r, back;

	run_sync(v, 1);
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);			/* past the OUT */
	v->run->immediate_exit = 0;
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &r), 0);
	CHECK_EQ(r.rcx, 0x1000000000000001);
	CHECK_EQ(r.rdx, PORT_SYNC);
	CHECK_EQ(r.rbx, 0x1000000000000003);
	CHECK_EQ(r.rsp, 0x1000000000000004);
	CHECK_EQ(r.rbp, 0x1000000000000005);
	CHECK_EQ(r.rsi, 0x1000000000000006);
	CHECK_EQ(r.rdi, 0x1000000000000007);
	CHECK_EQ(r.r8, 0x1000000000000008);
	CHECK_EQ(r.r15, 0x100000000000000f);
	r = (struct kvm_regs){
		.rax = 0x2000, .rcx = 0x2001, .rdx = 0x2002, .rbx = 0x2003, .rsp = 0x2004, .rbp = 0x2005,
		.rsi = 0x2006, .rdi = 0x2007, .r8 = 0x2008, .r9 = 0x2009, .r10 = 0x200a, .r11 = 0x200b,
		.r12 = 0x200c, .r13 = 0x200d, .r14 = 0x200e, .r15 = 0xffffffffffff200f,
		.rip = r.rip, .rflags = 0x8d7 & ~0x100,	/* every arithmetic flag */
	};
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &r), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &back), 0);
	CHECK(!memcmp(&r, &back, sizeof(r)));
	run_done(v);
	for (int i = 0; i < 15; i++)
		CHECK_EQ(vm->p->res[i], 0x2000 + i);
	CHECK_EQ(vm->p->res[15], 0xffffffffffff200f);
	CHECK_EQ(vm->p->res[16] & 0xfd5, 0x8d5);
}

TEST(state, sregs)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_sregs s, back;

	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	CHECK_EQ(s.cr0, 0x60000010);
	CHECK_EQ(s.apic_base & ~0x100ull, 0xfee00800);
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	CHECK_EQ(s.cs.selector, 0x18);
	CHECK_EQ(s.cs.l, 1);
	CHECK_EQ(s.cs.db, 0);
	CHECK_EQ(s.ss.selector, 0x10);
	CHECK_EQ(s.efer & 0x500, 0x500);		/* LME, LMA */
	CHECK_EQ(s.cr3, GPA_TABLES);
	CHECK_EQ(s.cr0 & 0x80010001, 0x80010001);
	CHECK_EQ(s.idt.limit, 4095);
	s.gs.base = 0x12345000;
	s.ldt.base = 0x5000;
	s.cr2 = 0xdead000;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &back), 0);
	CHECK_EQ(back.gs.base, 0x12345000);
	CHECK_EQ(back.cr2, 0xdead000);
	CHECK(!memcmp(&s, &back, sizeof(s)));
	CHECK_EQ(get_msr(v, 0xc0000101), 0x12345000);
	s.cr4 |= 1ull << 40;				/* no such bit */
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
	s.cr4 &= ~(1ull << 40) & ~0x20ull;		/* long mode without PAE */
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_SREGS, &s), EINVAL);
	run_done(v);
}

static uint32_t pattern(uint32_t seed, int word) { return seed + word * 0x01010101; }

TEST(state, fpu)
{
	struct vm *vm = vm_new(G_fpregs, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	uint32_t *got = (uint32_t *)(vm->mem + GPA_SCRATCH2);
	struct kvm_fpu f, back;
	uint32_t w[4];

	vm->p->arg[0] = 0x11000000;
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_FPU, &f), 0);
	CHECK_EQ(f.fcw, 0x27f);
	for (int i = 0; i < 16; i++) {
		memcpy(w, f.xmm[i], 16);
		for (int j = 0; j < 4; j++)
			CHECK_EQ(w[j], pattern(0x11000000, i * 4 + j));
	}
	for (int i = 0; i < 16; i++) {
		for (int j = 0; j < 4; j++)
			w[j] = pattern(0x33000000, i * 4 + j);
		memcpy(f.xmm[i], w, 16);
	}
	CHECK_EQ(ioctl(v->fd, KVM_SET_FPU, &f), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_FPU, &back), 0);
	CHECK(!memcmp(&f, &back, offsetof(struct kvm_fpu, mxcsr)));
	run_sync(v, 2);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(got[i], pattern(0x33000000, i));
	CHECK_EQ(*(uint64_t *)(vm->mem + GPA_SCRATCH2 + 0x608), 0x400921fb54442d18);	/* pi */
	run_done(v);
}

static bool have_avx(void)
{
	struct kvm_cpuid2 *c = cpuid_for(0);
	const struct kvm_cpuid_entry2 *e = cpuid_find(c, 1, 0);

	return e && (e->ecx >> 26 & 1) && (e->ecx >> 28 & 1);
}

#define XSAVE_XMM	160	/* bytes, in the legacy area */
#define XSAVE_HEADER	512
#define XSAVE_YMM	576	/* upper halves, in the standard format */

TEST(state, xsave)
{
	struct vm *vm = vm_new(G_fpregs, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	uint8_t *got = vm->mem + GPA_SCRATCH2, *x;
	struct kvm_xsave s, back;
	uint64_t bv;

	if (!have_avx())
		SKIP("no AVX");
	vm->p->arg[0] = 0x11000000;
	vm->p->arg[1] = 1;
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_XSAVE, &s), 0);
	x = (uint8_t *)s.region;
	memcpy(&bv, x + XSAVE_HEADER, 8);
	CHECK_EQ(bv & 7, 7);
	for (int i = 0; i < 128; i++) {
		int half = i / 4 % 2, reg = i / 8, word = i % 4;
		uint32_t *w = (uint32_t *)(x + (half ? XSAVE_YMM : XSAVE_XMM) + reg * 16 + word * 4);

		CHECK_EQ(*w, pattern(0x11000000, i));
		*w = pattern(0x44000000, i);
	}
	CHECK_EQ(ioctl(v->fd, KVM_SET_XSAVE, &s), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_XSAVE, &back), 0);
	CHECK(!memcmp(x + XSAVE_XMM, (uint8_t *)back.region + XSAVE_XMM, 256));
	CHECK(!memcmp(x + XSAVE_YMM, (uint8_t *)back.region + XSAVE_YMM, 256));
	run_sync(v, 2);
	for (int i = 0; i < 128; i++)
		CHECK_EQ(((uint32_t *)got)[i], pattern(0x44000000, i));
	run_done(v);
	bv = 1ull << 63;				/* a component that does not exist */
	memcpy(x + XSAVE_HEADER, &bv, 8);
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_XSAVE, &s), EINVAL);
}

TEST(state, xcrs)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct kvm_xcrs x;
	int fd = vm->vcpu[0].fd;

	if (check_cap(kvm_fd, KVM_CAP_XCRS) <= 0 || !have_avx())
		SKIP("no XCR0 with AVX");
	CHECK_EQ(ioctl(fd, KVM_GET_XCRS, &x), 0);
	CHECK_EQ(x.nr_xcrs, 1);
	CHECK_EQ(x.xcrs[0].xcr, 0);
	CHECK_EQ(x.xcrs[0].value, 1);
	x.xcrs[0].value = 7;
	CHECK_EQ(ioctl(fd, KVM_SET_XCRS, &x), 0);
	x.xcrs[0].value = 0;
	CHECK_EQ(ioctl(fd, KVM_GET_XCRS, &x), 0);
	CHECK_EQ(x.xcrs[0].value, 7);
	x.nr_xcrs = 2;
	x.xcrs[0].value = 3;
	x.xcrs[1] = (struct kvm_xcr){ .value = 4 };	/* the first one counts */
	CHECK_EQ(ioctl(fd, KVM_SET_XCRS, &x), 0);
	CHECK_EQ(ioctl(fd, KVM_GET_XCRS, &x), 0);
	CHECK_EQ(x.xcrs[0].value, 3);
	x.xcrs[0].value = 4;				/* YMM without XMM */
	CHECK_ERRNO(ioctl(fd, KVM_SET_XCRS, &x), EINVAL);
}

TEST(state, lapic)
{
	struct vm *vm = vm_new(G_irqcount, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_lapic_state l, back;
	uint32_t r;

	vm->p->arg[0] = 1;
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &l), 0);
	memcpy(&r, l.regs + 0xf0, 4);
	CHECK_EQ(r, 0x1ff);
	memcpy(&r, l.regs + 0x20, 4);
	CHECK_EQ(r, 0);
	memcpy(&r, l.regs + 0x30, 4);
	CHECK((r & 0xff) >= 0x10);
	r = 0x10700;
	memcpy(l.regs + 0x350, &r, 4);			/* LVT0 */
	memcpy(&r, l.regs + 0x220, 4);
	r |= 1 << 0x11;					/* vector 0x51 is requested */
	memcpy(l.regs + 0x220, &r, 4);
	CHECK_EQ(ioctl(v->fd, KVM_SET_LAPIC, &l), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &back), 0);
	CHECK(!memcmp(l.regs + 0x350, back.regs + 0x350, 4));
	CHECK(!memcmp(l.regs + 0x220, back.regs + 0x220, 4));
	run_sync(v, 2);
	CHECK_EQ(vm->p->res[0], 1);
	run_done(v);
}

/* A vCPU that is set runnable needs no start-up IPI; one that is set halted waits. */
TEST(state, mp_state)
{
	struct vm *vm = vm_new(G_hlt, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_HALTED };

	vm->p->arg[0] = 1;
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_SET_MP_STATE, &mp), 0);
	mp.mp_state = 0;
	CHECK_EQ(ioctl(v->fd, KVM_GET_MP_STATE, &mp), 0);
	CHECK_EQ(mp.mp_state, KVM_MP_STATE_HALTED);
	mp.mp_state = KVM_MP_STATE_RUNNABLE;
	CHECK_EQ(ioctl(v->fd, KVM_SET_MP_STATE, &mp), 0);
	CHECK(signal_msi(vm, 0xfee00000, 0x51) > 0);
	run_done(v);
	mp.mp_state = 1000;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_MP_STATE, &mp), EINVAL);
}

/* An exception and an NMI that the VMM sets are what the guest gets. */
TEST(state, vcpu_events)
{
	struct vm *vm = vm_new(G_nmi, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_vcpu_events e;

	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK(!e.exception.injected && !e.nmi.injected && !e.nmi.pending && !e.nmi.masked);
	e.nmi.pending = 1;
	e.flags = KVM_VCPUEVENT_VALID_NMI_PENDING;
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(e.nmi.pending, 1);
	run_sync(v, 2);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(e.nmi.masked, 1);			/* it is in its handler */
	CHECK_EQ(e.nmi.pending, 0);
	CHECK_EQ(ioctl(v->fd, KVM_NMI, 0), 0);
	run_done(v);
	CHECK_EQ(vm->p->res[0], 2);

	vm = vm_new(G_spin, 1, 0);
	v = &vm->vcpu[0];
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	e.exception.injected = 1;
	e.exception.nr = 40;				/* not an exception */
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), EINVAL);
}

/* The guest has no handler for what comes now: it says so on PORT_FAIL. */
static void expect_trap(struct vcpu *v, uint64_t vec, uint64_t err)
{
	CHECK_EQ(run_once(v), 0);
	CHECK_EQ(v->run->exit_reason, KVM_EXIT_IO);
	CHECK_EQ(v->run->io.port, PORT_FAIL);
	CHECK_EQ(v->vm->p->fail_expr, 0);
	CHECK_EQ(v->vm->p->fail_vec, vec);
	CHECK_EQ(v->vm->p->fail_err, err);
}

static void enable(struct vm *vm, uint32_t nr, uint64_t arg)
{
	struct kvm_enable_cap cap = { .cap = nr, .args = { arg } };

	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
}

/* An exception that waits has its address with it, and not in CR2 yet. */
TEST(state, exception_payload)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_vcpu_events e, back;
	struct kvm_sregs s;

	if (check_cap(vm->fd, KVM_CAP_EXCEPTION_PAYLOAD) <= 0)
		SKIP("no KVM_CAP_EXCEPTION_PAYLOAD");
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK(!(e.flags & KVM_VCPUEVENT_VALID_PAYLOAD));
	e.exception.pending = 1;
	e.exception.nr = 14;
	e.exception.has_error_code = 1;
	e.exception.error_code = 2;
	e.exception_has_payload = 1;
	e.exception_payload = 0x123456000;
	e.flags = KVM_VCPUEVENT_VALID_PAYLOAD;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), EINVAL);
	enable(vm, KVM_CAP_EXCEPTION_PAYLOAD, 1);
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	v->run->immediate_exit = 0;
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &back), 0);
	CHECK(back.flags & KVM_VCPUEVENT_VALID_PAYLOAD);
	CHECK(back.exception.pending && !back.exception.injected);
	CHECK_EQ(back.exception.nr, 14);
	CHECK_EQ(back.exception.error_code, 2);
	CHECK_EQ(back.exception_has_payload, 1);
	CHECK_EQ(back.exception_payload, 0x123456000);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	CHECK(s.cr2 != 0x123456000);
	expect_trap(v, 14, 2);
	CHECK_EQ(vm->p->fail_cr2, 0x123456000);

	/* One that is injected has none. */
	vm = vm_new(G_script, 1, 0);
	v = &vm->vcpu[0];
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(v, 1);
	enable(vm, KVM_CAP_EXCEPTION_PAYLOAD, 1);
	e.exception.pending = 0;
	e.exception.injected = 1;
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &back), 0);
	CHECK(!back.exception.pending && back.exception.injected);
	CHECK_EQ(back.exception_has_payload, 0);
	expect_trap(v, 14, 2);
	CHECK(vm->p->fail_cr2 != 0x123456000);
}

/* A triple fault that the VMM makes pending is one, and can be taken back. */
TEST(state, triple_fault_event)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_vcpu_events e;

	if (check_cap(vm->fd, KVM_CAP_X86_TRIPLE_FAULT_EVENT) <= 0)
		SKIP("no KVM_CAP_X86_TRIPLE_FAULT_EVENT");
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, OP_SYNC, 0, 2, 0);
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK(!(e.flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT));
	e.flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	e.triple_fault.pending = 1;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), EINVAL);
	enable(vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1);
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	v->run->immediate_exit = 0;
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK(e.flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT);
	CHECK_EQ(e.triple_fault.pending, 1);
	e.triple_fault.pending = 0;
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	run_sync(v, 2);
	e.triple_fault.pending = 1;
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	run_exit(v, KVM_EXIT_SHUTDOWN);
}

static void set_injected(struct vcpu *v, int vector)
{
	struct kvm_vcpu_events e;
	struct kvm_sregs s;
	struct kvm_regs r;

	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &r), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	r.rflags |= 0x200;
	memset(s.interrupt_bitmap, 0, sizeof(s.interrupt_bitmap));
	if (vector)
		s.interrupt_bitmap[vector / 64] = 1ull << vector % 64;
	e.interrupt.injected = vector != 0;
	e.interrupt.nr = vector;
	e.flags = 0;
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &r), 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
}

/* An interrupt on its way stands in both structures, as QEMU sets them: it comes once. */
TEST(state, injected_interrupt)
{
	struct vm *vm = vm_new(G_irqcount, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_vcpu_events e;
	struct kvm_sregs s;

	vm->p->arg[0] = 2;
	run_sync(v, 1);
	set_injected(v, 0x53);			/* without a handler */
	set_injected(v, 0);
	set_injected(v, 0x51);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	CHECK_EQ(s.interrupt_bitmap[1], 1 << 0x11);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(e.interrupt.injected, 1);
	CHECK_EQ(e.interrupt.nr, 0x51);
	run_sync(v, 2);
	CHECK_EQ(vm->p->res[0], 1);
	CHECK(signal_msi(vm, 0xfee00000, 0x52) > 0);
	run_sync(v, 3);
	CHECK_EQ(vm->p->res[0], 1);
	CHECK_EQ(vm->p->res[1], 1);
	run_done(v);
}

/* Stopped while an interrupt's frame finds no memory, and given registers with IF clear: it waits. */
TEST(state, interrupt_and_new_regs)
{
	struct vm *vm = vm_new(G_irqcount, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_sregs sregs;
	struct kvm_regs begin, r;

	if (!access("/sys/module/kvm_amd", F_OK))
		SKIP("KVM injects it");
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &begin), 0);
	vm->p->arg[0] = 2;
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &r), 0);
	r.rsp = GPA_MMIO + 0x800;
	r.rflags |= 0x200;
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &r), 0);
	CHECK(signal_msi(vm, 0xfee00000, 0x51) > 0);
	run_exit(v, KVM_EXIT_INTERNAL_ERROR);
	vm->p->guest = G_exceptions;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &sregs), 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &begin), 0);
	run_done(v);
}

TEST(state, debugregs)
{
	struct vm *vm = vm_new(G_setdr, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_debugregs d;

	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_DEBUGREGS, &d), 0);
	CHECK_EQ(d.db[0], 0x1111);
	CHECK_EQ(d.db[1], 0x2222);
	CHECK_EQ(d.db[2], 0x3333);
	CHECK_EQ(d.db[3], 0x4444);
	CHECK_EQ(d.dr7, 0x401);
	d.db[0] = 0x5555;
	d.db[3] = 0x8888;
	d.dr7 = 0x400;
	CHECK_EQ(ioctl(v->fd, KVM_SET_DEBUGREGS, &d), 0);
	run_done(v);
	CHECK_EQ(vm->p->res[0], 0x5555);
	CHECK_EQ(vm->p->res[1], 0x8888);
	CHECK_EQ(vm->p->res[2], 0x400);
	d.flags = 0x100;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_DEBUGREGS, &d), EINVAL);
}

static volatile uint64_t watched;

/* This process's breakpoint on a write to ->watched: an event that counts, or -1. */
static int watch(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched, .bp_len = HW_BREAKPOINT_LEN_8,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t hits(int event)
{
	uint64_t n;

	CHECK_EQ(read(event, &n, sizeof(n)), sizeof(n));
	return n;
}

/* The service VM's breakpoints and the guest's, which take turns on a CPU: each has its own. */
TEST(state, breakpoints_of_both)
{
	struct vm *vm = vm_new(G_setdr, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int event = watch();

	CHECK(event >= 0);
	watched = 1;
	CHECK_EQ(hits(event), 1);
	run_sync(v, 1);					/* with one of its own enabled */
	watched = 2;
	CHECK_EQ(hits(event), 2);
	run_done(v);
	watched = 3;
	CHECK_EQ(hits(event), 3);
	CHECK_EQ(vm->p->res[0], 0x1111);
	CHECK_EQ(vm->p->res[1], 0x4444);
	close(event);
}

#define DM_INIT		(5 << 8)

/* After INIT: no breakpoints, and nothing of what the kernel before had written for itself. */
TEST(state, init)
{
	static const uint8_t start[] = { 0xba, PORT_SYNC & 0xff, PORT_SYNC >> 8, 0x66, 0xb8, 0x77, 0, 0, 0, 0x66, 0xef, 0xf4 };
	static const uint32_t written[] = { MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_STEAL_TIME, MSR_KVM_PV_EOI_EN };
	struct vm *vm = vm_new(G_setdr, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	uint8_t *rom = mem_new(0x10000);
	struct kvm_lapic_state apic;
	struct kvm_debugregs d;

	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &apic), 0);
	apic.regs[0xf1] |= 1;				/* on: else KVM finds nobody for the message */
	CHECK_EQ(ioctl(v->fd, KVM_SET_LAPIC, &apic), 0);
	memcpy(rom + 0xfff0, start, sizeof(start));
	CHECK_EQ(vm_slot(vm, 5, 0xffff0000, 0x10000, rom, 0), 0);
	for (int i = 0; i < 3; i++)
		set_msr(v, written[i], (GPA_SCRATCH + i * 64) | 1);
	run_sync(v, 1);
	CHECK_EQ(signal_msi(vm, 0xfee00000, DM_INIT | 0x4000), 1);
	run_sync(v, 0x77);
	CHECK_EQ(ioctl(v->fd, KVM_GET_DEBUGREGS, &d), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(d.db[i], 0);
	CHECK_EQ(d.dr7, 0x400);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(get_msr(v, written[i]), 0);
}

static void set_dr(struct vcpu *v, uint64_t dr0, uint64_t dr1, uint64_t dr7)
{
	struct kvm_debugregs d;

	CHECK_EQ(ioctl(v->fd, KVM_GET_DEBUGREGS, &d), 0);
	d.db[0] = dr0;
	d.db[1] = dr1;
	d.dr7 = dr7;
	CHECK_EQ(ioctl(v->fd, KVM_SET_DEBUGREGS, &d), 0);
}

/* Breakpoints that the VMM sets fire in the guest: one on an instruction, one on a write of 8 bytes. */
TEST(state, breakpoints)
{
	struct vm *vm = vm_new(G_breakpoint, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	run_sync(v, 1);
	set_dr(v, vm->p->res[0], 0, 0x402);
	run_sync(v, 2);
	set_dr(v, vm->p->res[0], P_RES(4), 0x400 | 8 | 9 << 20);
	run_sync(v, 3);
	set_dr(v, 0, 0, 0x400);
	run_done(v);
}

struct fp_run {
	struct vm *vm;
	pthread_t thread;
};

static void *fp_thread(void *arg)
{
	struct vcpu *v = &((struct vm *)arg)->vcpu[0];

	pin(0);
	do {
		CHECK_EQ(run_once(v), 0);
		check_guest(v);
		CHECK_EQ(v->run->exit_reason, KVM_EXIT_IO);
	} while (v->run->io.port != PORT_DONE);
	return NULL;
}

/* Vector registers of two guests on one CPU, and of the VMM, do not mix. */
TEST_LIMIT(state, vector_isolation, 60)
{
	struct fp_run r[2];
	bool avx = have_avx();
	volatile double x = 1.0;

	for (int i = 0; i < 2; i++) {
		r[i].vm = vm_new(G_fpspin, 1, 0);
		r[i].vm->p->arg[0] = 0x11000000 * (i + 1);
		r[i].vm->p->arg[1] = avx;
		r[i].vm->p->arg[2] = 2000;
		CHECK_EQ(pthread_create(&r[i].thread, NULL, fp_thread, r[i].vm), 0);
	}
	pin(0);
	for (int i = 0; i < 1000000; i++)
		x = x * 1.5 / 1.5;
	CHECK(x > 0.999 && x < 1.001);
	for (int i = 0; i < 2; i++)
		pthread_join(r[i].thread, NULL);
}
