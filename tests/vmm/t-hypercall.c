/* SPDX-License-Identifier: GPL-2.0-only */
/* Hypercalls that user space answers: KVM_CAP_EXIT_HYPERCALL. */
#include "prot.h"

#include <linux/kvm_para.h>

#define MAP_GPA		(1u << KVM_HC_MAP_GPA_RANGE)
#define ENOSYS_		((uint64_t)-KVM_ENOSYS)
#define EINVAL_		((uint64_t)-KVM_EINVAL)
#define IOPL3		0x3000		/* in RFLAGS: ports are for everybody */

/* In 32-bit code: the number, page, count and attributes are in place. */
extern const uint8_t hc_blob[], hc_vmmcall[], hc_vmcall[], hc_end[];
asm(".pushsection .rodata\n .code32\n"
    "hc_blob:\n"
    "hc_vmmcall: vmmcall\n mov %eax, %esi\n" SYNC(1) "jmp hc_vmmcall\n"
    "hc_vmcall: vmcall\n mov %eax, %esi\n" SYNC(1) "jmp hc_vmcall\n"
    "hc_end:\n"
    ".code64\n .popsection");
#define AT(label) (CODE + (uint32_t)(label - hc_blob))

static int ask_for(struct vm *m, uint64_t calls)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL, .args = { calls } };

	return ioctl(m->fd, KVM_ENABLE_CAP, &cap);
}

static void need_exits(struct vm *m)
{
	if (check_cap(m->fd, KVM_CAP_EXIT_HYPERCALL) <= 0)
		SKIP("no hypercall is user space's");
	CHECK_EQ(check_cap(m->fd, KVM_CAP_EXIT_HYPERCALL), MAP_GPA);
}

static void say(struct vm *m, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	m->p->arg[0] = nr;
	m->p->arg[1] = a0;
	m->p->arg[2] = a1;
	m->p->arg[3] = a2;
}

static void expect_call(struct vcpu *c, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t flags)
{
	run_exit(c, KVM_EXIT_HYPERCALL);
	CHECK_EQ(c->run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	CHECK_EQ(c->run->hypercall.args[0], a0);
	CHECK_EQ(c->run->hypercall.args[1], a1);
	CHECK_EQ(c->run->hypercall.args[2], a2);
	CHECK_EQ(c->run->hypercall.flags, flags);
}

/* The guest makes a call that is not user space's; stage @n follows. */
static void expect_answer(struct vm *m, uint32_t n, uint64_t answer)
{
	run_sync(&m->vcpu[0], n);
	CHECK_EQ(m->p->res[0], answer);
}

TEST(hypercall, map_gpa)
{
	struct vm *m = vm_new(G_calls, 1, 0);
	struct vcpu *c = &m->vcpu[0];

	need_exits(m);
	say(m, KVM_HC_MAP_GPA_RANGE, 0x5000, 3, 0x10);
	expect_answer(m, 1, ENOSYS_);			/* nobody has asked for it yet */
	CHECK_EQ(ask_for(m, MAP_GPA), 0);
	expect_call(c, 0x5000, 3, 0x10, KVM_EXIT_HYPERCALL_LONG_MODE);
	c->run->hypercall.ret = 0x123456789abcdef0;
	expect_answer(m, 2, 0x123456789abcdef0);

	say(m, KVM_HC_MAP_GPA_RANGE, 0xffffffffff000, 1, -1);
	expect_call(c, 0xffffffffff000, 1, -1, KVM_EXIT_HYPERCALL_LONG_MODE);
	c->run->hypercall.ret = -KVM_EPERM;
	expect_answer(m, 3, -KVM_EPERM);

	say(m, KVM_HC_MAP_GPA_RANGE, 0x5001, 1, 0);
	expect_answer(m, 4, EINVAL_);
	say(m, KVM_HC_MAP_GPA_RANGE, 0x5000, 0, 0);
	expect_answer(m, 5, EINVAL_);
	say(m, KVM_HC_MAP_GPA_RANGE, 0x5000, -1, 0);
	expect_answer(m, 6, EINVAL_);

	say(m, 9999, 0, 0, 0);
	expect_answer(m, 7, ENOSYS_);
	say(m, KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0);
	expect_answer(m, 8, 0);				/* still KVM's own */

	CHECK_EQ(ask_for(m, 0), 0);
	say(m, KVM_HC_MAP_GPA_RANGE, 0x5000, 3, 0x10);
	expect_answer(m, 9, ENOSYS_);
	say(m, 0, 0, 0, 0);
	run_done(c);
}

/* A KVM_RUN that is not to enter the guest finishes the call, and no more. */
TEST(hypercall, finish)
{
	struct vm *m = vm_new(G_calls, 1, 0);
	struct vcpu *c = &m->vcpu[0];
	struct kvm_regs r;

	need_exits(m);
	CHECK_EQ(ask_for(m, MAP_GPA), 0);
	say(m, KVM_HC_MAP_GPA_RANGE, 0x5000, 1, 0);
	expect_call(c, 0x5000, 1, 0, KVM_EXIT_HYPERCALL_LONG_MODE);
	c->run->immediate_exit = 1;
	c->run->hypercall.ret = 77;
	CHECK_EQ(run_once(c), -EINTR);
	c->run->immediate_exit = 0;
	CHECK_EQ(ioctl(c->fd, KVM_GET_REGS, &r), 0);
	CHECK_EQ(r.rax, 77);
	expect_answer(m, 1, 77);
}

/* A guest of 32-bit code about to make the call, with RFLAGS too. */
static void start_32(uint64_t flags)
{
	struct kvm_regs r;

	prot_new(hc_blob, hc_end - hc_blob, 0);
	need_exits(vm);
	CHECK_EQ(ask_for(vm, MAP_GPA), 0);
	prot_start(is_amd() ? AT(hc_vmmcall) : AT(hc_vmcall));
	r = regs();
	r.rax = KVM_HC_MAP_GPA_RANGE;
	r.rbx = 0x1000;
	r.rcx = 0xffff0000;
	r.rdx = 0x80000001;
	r.rflags |= flags;
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &r), 0);
}

TEST(hypercall, map_gpa_32)
{
	start_32(0);
	expect_call(v, 0x1000, 0xffff0000, 0x80000001, 0);
	v->run->hypercall.ret = 0x1234567890;
	run_sync(v, 1);
	CHECK_EQ(regs().rsi, 0x34567890);
}

/* Only the guest's kernel has it. */
TEST(hypercall, user_mode)
{
	struct kvm_sregs s;

	start_32(IOPL3);
	s = sregs();
	s.cs.selector |= 3;
	s.ss.selector |= 3;
	s.cs.dpl = s.ss.dpl = 3;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	run_sync(v, 1);
	CHECK_EQ((uint32_t)regs().rsi, (uint32_t)-KVM_EPERM);
}

TEST(hypercall, nonsense)
{
	struct vm *m = vm_new(G_calls, 1, 0);

	need_exits(m);
	CHECK_ERRNO(ask_for(m, MAP_GPA | 1), EINVAL);
	CHECK_ERRNO(ask_for(m, -1ull), EINVAL);
	CHECK_ERRNO(ask_for(m, 1ull << (32 + KVM_HC_MAP_GPA_RANGE)), EINVAL);
	say(m, KVM_HC_MAP_GPA_RANGE, 0x5000, 1, 0);
	expect_answer(m, 1, ENOSYS_);
}
