// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen's hypercalls.  Those that have to be fast are made here, if user space has said what
 * it takes; all others are user space's.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "irqchip/irqchip.h"
#include "running/state.h"
#include "xen.h"

#define MAX_POLL_PORTS	128	/* as in Xen */

struct hcall {
	struct bp_vcpu *vcpu;
	bool wide;		/* 64-bit calling convention */
	u8 cpl;
	u64 nr, param[6];
};

#define MADE		0
#define TO_USER		1	/* it is user space's */

/* ---- memory by the guest's own addresses.  0, -EFAULT, -EINTR ---- */

static int to_physical(struct bp_vcpu *vcpu, u64 linear, u64 *gpa)
{
	struct kvm_translation *t = vcpu->state;

	t->linear_address = linear;
	if (bp_state_get(vcpu, BP_STATE_TRANSLATE, sizeof(*t)) < 0 || !t->valid)
		return -EFAULT;
	*gpa = t->physical_address;
	return 0;
}

static int read_guest(struct hcall *hc, u64 linear, void *buf, u32 len)
{
	u32 here;
	u64 gpa;
	int ret;

	for (; len; len -= here, buf += here, linear += here) {
		if (!hc->wide)
			linear = (u32)linear;
		here = min_t(u32, len, PAGE_SIZE - offset_in_page(linear));
		ret = to_physical(hc->vcpu, linear, &gpa) ?:
		      bp_vcpu_read(hc->vcpu, gpa, buf, here);
		if (ret)
			return bp_gmem_error(ret, -EFAULT);
	}
	return 0;
}

/* ---- calls: TO_USER, MADE with *result, or -EINTR ---- */

static int xen_version(struct hcall *hc, u64 *result)
{
	*result = READ_ONCE(hc->vcpu->vm->xen->version);
	return hc->param[0] == XENVER_VERSION && *result ? MADE : TO_USER;
}

static int event_channel_op(struct hcall *hc, u64 *result)
{
	u32 port;
	int ret;

	if (hc->param[0] != XEN_EVTCHNOP_SEND)
		return TO_USER;
	ret = read_guest(hc, hc->param[1], &port, sizeof(port));
	*result = ret;
	if (ret)
		return ret == -EINTR ? ret : MADE;
	ret = bp_xen_port_signal(hc->vcpu->vm, port);
	return ret == -ENOENT ? TO_USER : ret;
}

static bool own_timer(const struct hcall *hc)
{
	return hc->vcpu->xen->timer_port;
}

static int vcpu_op(struct hcall *hc, u64 *result)
{
	struct { u64 at; u32 flags; u32 pad; } arg;
	struct bp_vcpu *vcpu = hc->vcpu;
	u64 cmd = hc->param[0];
	int ret = 0;

	if (!own_timer(hc) ||
	    (cmd != XEN_VCPUOP_SET_SINGLESHOT && cmd != XEN_VCPUOP_STOP_SINGLESHOT))
		return TO_USER;
	if (hc->param[1] != vcpu->xen->vcpu_id) {
		ret = -EINVAL;
	} else if (cmd == XEN_VCPUOP_STOP_SINGLESHOT) {
		bp_xen_timer_stop(vcpu);
	} else {
		/* In the 32-bit layout there is no padding at the end. */
		ret = read_guest(hc, hc->param[2], &arg,
				 hc->wide ? sizeof(arg) : sizeof(arg) - sizeof(arg.pad));
		if (!ret)
			bp_xen_timer_set(vcpu, arg.at, arg.at - bp_xen_now(vcpu->vm));
	}
	*result = ret;
	return ret == -EINTR ? ret : MADE;
}

static int set_timer_op(struct hcall *hc, u64 *result)
{
	u64 at = hc->wide ? hc->param[0] : hc->param[0] | hc->param[1] << 32;
	s64 left;

	if (!own_timer(hc))
		return TO_USER;
	*result = 0;
	if (at) {
		left = bp_xen_timeout(&at, bp_xen_now(hc->vcpu->vm));
		bp_xen_timer_set(hc->vcpu, at, left);
	} else {
		bp_xen_timer_stop(hc->vcpu);
	}
	return MADE;
}

/* 1: one of them is there already; 0, -EINVAL, -EINTR. */
static int any_pending(struct bp_vm *vm, const u32 *ports, u32 n)
{
	const struct bp_xen_layout *l = bp_xen_layout(READ_ONCE(vm->xen->wide));
	u8 byte;
	int ret;
	u32 i;

	for (i = 0; i < n; i++) {
		ret = bp_xen_read(vm, &vm->xen->shared, l->pending + ports[i] / 8, &byte,
				  sizeof(byte), BP_WAIT_IN_RUN);
		if (ret)
			return ret == -EINTR ? ret : 1;
		if (byte & BIT(ports[i] % 8))
			return 1;
	}
	return 0;
}

/* The halt begins when the call is over: 0 or an error of the guest's, *wait says so, -EINTR. */
static int poll(struct hcall *hc, const u32 *ports, u32 n, bool *wait)
{
	u32 i, max = bp_xen_layout(READ_ONCE(hc->vcpu->vm->xen->wide))->ports;
	int ret;

	for (i = 0; i < n; i++)
		if (ports[i] >= max)
			return -EINVAL;
	/* Before it looks: who sets one from here on ends the halt, or it does not begin. */
	WRITE_ONCE(hc->vcpu->xen->poll, n == 1 && ports[0] ? ports[0] : XEN_POLL_ANY);
	smp_mb();	/* pairs with the locked OR that sets an event */
	ret = any_pending(hc->vcpu->vm, ports, n);
	*wait = !ret;
	if (ret)
		WRITE_ONCE(hc->vcpu->xen->poll, 0);
	return min(ret, 0);
}

struct poll_arg {
	u64 ports, ns;
	u32 n;
};

static int read_poll(struct hcall *hc, struct poll_arg *arg)
{
	struct { u64 ports; u32 n, pad; u64 ns; } wide;
	struct { u32 ports, n; u64 ns; } narrow;
	int ret;

	if (hc->wide) {
		ret = read_guest(hc, hc->param[1], &wide, sizeof(wide));
		*arg = (struct poll_arg){ .ports = wide.ports, .ns = wide.ns, .n = wide.n };
	} else {
		ret = read_guest(hc, hc->param[1], &narrow, sizeof(narrow));
		*arg = (struct poll_arg){ .ports = narrow.ports, .ns = narrow.ns, .n = narrow.n };
	}
	return ret;
}

static int schedop_poll(struct hcall *hc, u64 *ns, bool *wait)
{
	struct poll_arg arg;
	int ret = read_poll(hc, &arg);
	u32 *ports;

	if (ret)
		return ret;
	if (arg.n > MAX_POLL_PORTS)
		return -EINVAL;
	ports = kcalloc(arg.n ?: 1, sizeof(*ports), GFP_KERNEL_ACCOUNT);
	if (!ports)
		return -ENOMEM;
	ret = read_guest(hc, arg.ports, ports, arg.n * sizeof(*ports)) ?:
	      poll(hc, ports, arg.n, wait);
	kfree(ports);
	*ns = arg.ns;
	return ret;
}

/* A guest that user space tells of some events itself polls in vain here. */
static bool own_poll(const struct hcall *hc)
{
	const struct bp_vm *vm = hc->vcpu->vm;

	return bp_irq_mode(vm->irq) != BP_IRQ_NONE &&
	       READ_ONCE(vm->xen->config.flags) & KVM_XEN_HVM_CONFIG_EVTCHN_SEND;
}

static int done(struct hcall *hc, u64 result)
{
	hc->vcpu->page->regs.rax = result;
	bp_insn_done(hc->vcpu, BP_HYPERCALL_LEN);
	return 1;
}

static int sched_op(struct hcall *hc)
{
	bool wait = false;
	int ret = 0;
	u64 ns;

	if (hc->param[0] == XEN_SCHEDOP_POLL && own_poll(hc)) {
		ret = schedop_poll(hc, &ns, &wait);
		if (ret == -EINTR)
			return ret;
	} else {
		cond_resched();
	}
	done(hc, ret);
	if (wait)
		bp_xen_poll_start(hc->vcpu, ns);
	return 1;
}

/* ---- the exit ---- */

static int to_user(struct hcall *hc)
{
	struct kvm_run *run = hc->vcpu->run;

	run->exit_reason = KVM_EXIT_XEN;
	memset(&run->xen, 0, sizeof(run->xen));
	run->xen.type = KVM_EXIT_XEN_HCALL;
	run->xen.u.hcall.longmode = hc->wide;
	run->xen.u.hcall.cpl = hc->cpl;
	run->xen.u.hcall.input = hc->nr;
	memcpy(run->xen.u.hcall.params, hc->param, sizeof(hc->param));
	hc->vcpu->pending = BP_PENDING_XEN;
	hc->vcpu->pending_rip = hc->vcpu->page->regs.rip;
	return 0;
}

static void read_params(struct hcall *hc)
{
	const struct kvm_regs *r = &hc->vcpu->page->regs;
	const u64 wide[] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };
	const u64 narrow[] = { (u32)r->rbx, (u32)r->rcx, (u32)r->rdx, (u32)r->rsi, (u32)r->rdi,
			       (u32)r->rbp };

	hc->nr = hc->wide ? r->rax : (u32)r->rax;
	memcpy(hc->param, hc->wide ? wide : narrow, sizeof(hc->param));
}

static bool is_sched_op(const struct hcall *hc)
{
	return hc->nr == XEN_SCHED_OP &&
	       (hc->param[0] == XEN_SCHEDOP_YIELD || hc->param[0] == XEN_SCHEDOP_POLL);
}

static int call(struct hcall *hc)
{
	u64 result = 0;
	int ret;

	switch (hc->nr) {
	case XEN_XEN_VERSION:
		ret = xen_version(hc, &result);
		break;
	case XEN_EVENT_CHANNEL_OP:
		ret = event_channel_op(hc, &result);
		break;
	case XEN_VCPU_OP:
		ret = vcpu_op(hc, &result);
		break;
	case XEN_SET_TIMER_OP:
		ret = set_timer_op(hc, &result);
		break;
	default:
		ret = TO_USER;
	}
	if (ret < 0)
		return ret;
	return ret == TO_USER ? to_user(hc) : done(hc, result);
}

int bp_xen_exit_hypercall(struct bp_vcpu *vcpu)
{
	const struct kvm_sregs *s = vcpu->state;
	struct hcall hc = { .vcpu = vcpu };
	int ret = bp_sregs_get(vcpu);

	if (ret)
		return ret;
	hc.wide = s->efer & EFER_LMA && s->cs.l;
	hc.cpl = s->cr0 & X86_CR0_PE ? s->ss.dpl : 0;
	read_params(&hc);
	bp_xen_poll_end(vcpu);
	if (hc.cpl)
		return to_user(&hc);
	return is_sched_op(&hc) ? sched_op(&hc) : call(&hc);
}

int bp_xen_complete(struct bp_vcpu *vcpu)
{
	struct hcall hc = { .vcpu = vcpu };

	return done(&hc, READ_ONCE(vcpu->run->xen.u.hcall.result));
}

/* ---- the MSR by which a guest gets its hypercall page ---- */

static int write_stubs(struct bp_vcpu *vcpu, u64 gpa)
{
	static const u8 vmcall[] = { 0x0f, 0x01, 0xc1 }, vmmcall[] = { 0x0f, 0x01, 0xd9 };
	bool intel = boot_cpu_data.x86_vendor == X86_VENDOR_INTEL;
	u8 *page = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	u32 i;
	int ret;

	if (!page)
		return -ENOMEM;
	for (i = 0; i < PAGE_SIZE / XEN_STUB_SIZE; i++)
		bp_xen_stub(page + i * XEN_STUB_SIZE, i, intel ? vmcall : vmmcall);
	ret = bp_vcpu_write(vcpu, gpa, page, PAGE_SIZE);
	kfree(page);
	return bp_gmem_error(ret, -EINVAL);
}

/* What user space has for it, which need not begin with a page. */
static int read_blob(u8 *page, u64 from)
{
	u32 head = PAGE_SIZE - offset_in_page(from);
	int ret = bp_user_read(u64_to_user_ptr(from), page, head, BP_WAIT_IN_RUN);

	if (!ret && head < PAGE_SIZE)
		ret = bp_user_read(u64_to_user_ptr(from + head), page + head, PAGE_SIZE - head,
				   BP_WAIT_IN_RUN);
	return bp_gmem_error(ret, -EFAULT);
}

static int write_blob(struct bp_vcpu *vcpu, u64 gpa, u32 number, bool wide)
{
	const struct kvm_xen_hvm_config *c = &vcpu->vm->xen->config;
	u8 *page;
	int ret;

	if (number >= (wide ? c->blob_size_64 : c->blob_size_32))
		return -EINVAL;
	page = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!page)
		return -ENOMEM;
	ret = read_blob(page, (wide ? c->blob_addr_64 : c->blob_addr_32) + number * PAGE_SIZE);
	if (!ret)
		ret = bp_gmem_error(bp_vcpu_write(vcpu, gpa, page, PAGE_SIZE), -EINVAL);
	kfree(page);
	return ret;
}

static int write_page(struct bp_vcpu *vcpu, u64 data)
{
	const struct kvm_sregs *s = vcpu->state;
	u32 number = data & ~PAGE_MASK;
	int ret = bp_sregs_get(vcpu);
	bool wide;

	if (ret)
		return ret;
	wide = s->efer & EFER_LMA;
	ret = bp_xen_set_wide(vcpu->vm, wide, BP_WAIT_IN_RUN);
	if (ret)
		return ret;
	if (!bp_xen_rules(vcpu))
		return write_blob(vcpu, data & PAGE_MASK, number, wide);
	return number ? -EINVAL : write_stubs(vcpu, data & PAGE_MASK);
}

int bp_xen_exit_msr(struct bp_vcpu *vcpu)
{
	const struct bp_exit_msr *msr = &vcpu->msr;
	int ret;

	if (!bp_xen_enabled(vcpu->vm) || !msr->write ||
	    msr->index != READ_ONCE(vcpu->vm->xen->config.msr))
		return -ENOENT;
	ret = write_page(vcpu, msr->data);
	if (ret)
		return ret;
	bp_insn_done(vcpu, msr->insn_len);
	return 1;
}
