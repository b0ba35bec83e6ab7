// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hypercall dispatcher.  Each handler checks its arguments; the contract of
 * every call is in compat/kvm-abi/channel.h.
 */
#include <linux/kvm_para.h>

#include "hypercall.h"

#include "hv/core/apic/vlapic.h"
#include "hv/core/guest/insn.h"
#include "hv/core/guest/pv.h"
#include "hv/core/lib/atomic.h"
#include "hv/core/lib/errno.h"
#include "hv/core/lib/string.h"
#include "hv/core/lib/x86.h"
#include "hv/core/machine/debug/debug.h"
#include "hv/core/machine/last_log.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/paging.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/dommem.h"
#include "hv/core/memory/frames.h"
#include "hv/core/memory/io.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"
#include "ioeventfd.h"
#include "ring.h"
#include "server.h"

struct args {
	u64 a, b, c, d;
};

typedef s64 (*hypercall_fn)(struct vcpu *self, const struct args *a);

/* A frame of domain 0, kept from donation while we look at it; NULL: not its. */
static void *frame_open(u64 pfn)
{
	return frame_get_shared(pfn) ? NULL : phys_to_virt(pfn << PAGE_SHIFT);
}

static void frame_close(u64 pfn)
{
	frame_put_shared(pfn);
}

/* The vCPU dom:index, with a reference on the domain. */
static struct vcpu *vcpu_open(u64 dom, u64 index)
{
	struct domain *d = dom < MAX_DOMAINS ? domain_get(dom) : NULL;
	struct vcpu *v;

	if (!d)
		return NULL;
	v = index < MAX_VCPUS ? domain_vcpu(d, index) : NULL;
	if (!v)
		domain_put(d);
	return v;
}

static struct domain *domain_open(u64 dom)
{
	return dom < MAX_DOMAINS ? domain_get(dom) : NULL;
}

/* ---- rings ---- */

static s64 hc_ring(struct vcpu *self, const struct args *a)
{
	(void)self;
	if (a->a)
		return ring_register(a->a, a->b ?: BP_UPCALL_VECTOR);
	ring_unregister();
	return 0;
}

/* ---- domains ---- */

static s64 hc_domain_create(struct vcpu *self, const struct args *a)
{
	u64 *list = frame_open(a->a);
	struct domain *d;
	s64 ret;

	(void)self;
	if (!list)
		return -EINVAL;
	if (a->b > BP_LIST_MAX || a->d > BP_DOMAIN_IO)
		ret = -EINVAL;
	else
		ret = domain_create(list, a->b, a->d == BP_DOMAIN_IO);
	frame_close(a->a);
	d = ret > 0 ? domain_get(ret) : NULL;
	if (d) {
		/* Others may know it already. */
		spin_lock(&d->lock);
		pv_init_domain(d);
		spin_unlock(&d->lock);
		domain_put(d);
	}
	return ret;
}

static s64 hc_donate(struct vcpu *self, const struct args *a)
{
	u64 *list = frame_open(a->b);
	s64 ret = -EINVAL;

	(void)self;
	if (!list)
		return -EINVAL;
	if (a->a < MAX_DOMAINS && a->c <= BP_LIST_MAX)
		ret = domain_donate(a->a, list, a->c);
	frame_close(a->b);
	return ret;
}

static s64 hc_domain_destroy(struct vcpu *self, const struct args *a)
{
	(void)self;
	return a->a < MAX_DOMAINS ? domain_destroy(a->a) : -ENOENT;
}

static s64 hc_reclaim(struct vcpu *self, const struct args *a)
{
	u64 *out = frame_open(a->b);
	s64 ret = -EINVAL;

	(void)self;
	if (!out)
		return -EINVAL;
	if (a->a < MAX_DOMAINS && a->c && a->c <= BP_LIST_MAX)
		ret = domain_reclaim(a->a, out, a->c);
	frame_close(a->b);
	return ret;
}

static s64 hc_domain_state(const struct args *a, bool set)
{
	struct domain *d = NULL;
	void *buf;
	s64 ret;

	if (a->a) {
		d = domain_open(a->a);
		if (!d)
			return -ENOENT;
	}
	buf = frame_open(a->c);
	if (!buf)
		ret = -EINVAL;
	else if (set)
		ret = domain_state_set(d, a->b, buf);
	else
		ret = domain_state_get(d, a->b, buf);
	if (buf)
		frame_close(a->c);
	if (d)
		domain_put(d);
	return ret;
}

static s64 hc_domain_get(struct vcpu *self, const struct args *a)
{
	(void)self;
	return hc_domain_state(a, false);
}

static s64 hc_domain_set(struct vcpu *self, const struct args *a)
{
	(void)self;
	return hc_domain_state(a, true);
}

/* ---- vCPUs ---- */

static s64 hc_vcpu_create(struct vcpu *self, const struct args *a)
{
	struct domain *d = domain_open(a->a);
	s64 ret = -EINVAL;

	(void)self;
	if (!d)
		return -ENOENT;
	if (a->b <= 0xffff)
		ret = vcpu_create(d, a->b, a->c, a->d);
	domain_put(d);
	return ret;
}

static s64 hc_run(struct vcpu *self, const struct args *a)
{
	struct vcpu *v = vcpu_open(a->a, a->b);
	s64 ret;

	if (!v)
		return -ENOENT;
	ret = vcpu_run(self, v);
	domain_put(v->dom);
	return ret;
}

static s64 hc_pause(struct vcpu *self, const struct args *a)
{
	struct vcpu *v = vcpu_open(a->a, a->b);
	s64 ret;

	(void)self;
	if (!v)
		return -ENOENT;
	ret = vcpu_pause(v);
	domain_put(v->dom);
	return ret;
}

static s64 hc_vcpu_state(const struct args *a, bool set)
{
	struct vcpu *v = vcpu_open(a->a, a->b);
	s64 ret;

	if (!v)
		return -ENOENT;
	ret = vcpu_claim(v);
	if (!ret) {
		if (a->d > PAGE_SIZE || a->c > 255)
			ret = -EINVAL;
		else if (set)
			ret = state_set(v, a->c, a->d);
		else
			ret = state_get(v, a->c, a->d);
		vcpu_unclaim(v);
	}
	domain_put(v->dom);
	return ret;
}

static s64 hc_vcpu_get(struct vcpu *self, const struct args *a)
{
	(void)self;
	return hc_vcpu_state(a, false);
}

static s64 hc_vcpu_set(struct vcpu *self, const struct args *a)
{
	(void)self;
	return hc_vcpu_state(a, true);
}

/* Domain 0 is never destroyed, and its vCPUs stay for good. */
static s64 hc_vcpu_counters(struct vcpu *self, const struct args *a)
{
	struct vcpu *v = a->a ? vcpu_open(a->a, a->b) : domain_vcpu(&dom0, min(a->b, (u64)MAX_VCPUS));
	void *buf;
	s64 ret = -EINVAL;

	(void)self;
	if (!v)
		return -ENOENT;
	buf = frame_open(a->c);
	if (buf) {
		vcpu_counters(v, buf);
		frame_close(a->c);
		ret = 0;
	}
	if (a->a)
		domain_put(v->dom);
	return ret;
}

static s64 hc_extint(struct vcpu *self, const struct args *a)
{
	u32 line = a->c & BP_EXTINT_DIRECT ?: BP_EXTINT_HIGH;
	struct vcpu *v = vcpu_open(a->a, a->b);

	(void)self;
	if (!v)
		return -ENOENT;
	if (a->c & ~(u64)(BP_EXTINT_HIGH | BP_EXTINT_DIRECT)) {
		domain_put(v->dom);
		return -EINVAL;
	}
	if (a->c & BP_EXTINT_HIGH) {
		fetch_or(&v->extint, line);
		vcpu_kick(v);
	} else {
		fetch_and(&v->extint, ~line);
	}
	domain_put(v->dom);
	return 0;
}

static s64 hc_nmi(struct vcpu *self, const struct args *a)
{
	struct vcpu *v = vcpu_open(a->a, a->b);

	(void)self;
	if (!v)
		return -ENOENT;
	WRITE_ONCE(v->nmi_pending, true);
	vcpu_kick(v);
	domain_put(v->dom);
	return 0;
}

static s64 hc_lapic_access(struct vcpu *self, const struct args *a)
{
	struct vcpu *v = vcpu_open(a->a, a->b);
	u64 val = 0;
	s64 ret;

	(void)self;
	if (!v)
		return -ENOENT;
	ret = vcpu_claim(v);
	if (!ret) {
		if (a->c & BP_LAPIC_WRITE)
			vlapic_write(v, a->c & 0xff0, a->d);
		else if (!vlapic_read(v, a->c & 0xff0, &val))
			ret = val;
		vcpu_unclaim(v);
	}
	domain_put(v->dom);
	return ret;
}

static s64 hc_vcpu_sched(struct vcpu *self, const struct args *a)
{
	struct vcpu *v = vcpu_open(a->a, a->b);
	s64 ret = -EINVAL;

	(void)self;
	if (!v)
		return -ENOENT;
	if (a->c >= 1 && a->c <= SCHED_WEIGHT_MAX) {
		spin_lock(&v->lock);
		sched_set_weight(v, a->c);
		spin_unlock(&v->lock);
		ret = 0;
	}
	domain_put(v->dom);
	return ret;
}

/* ---- memory and interrupts ---- */

static s64 hc_map(struct vcpu *self, const struct args *a)
{
	struct domain *d = domain_open(a->a);
	struct bp_map *list;
	s64 ret = -EINVAL;

	(void)self;
	if (!d)
		return -ENOENT;
	list = frame_open(a->b);
	if (list && a->c <= BP_MAP_MAX)
		ret = mmu_map(d, list, a->c);
	if (list)
		frame_close(a->b);
	domain_put(d);
	return ret;
}

/* UNMAP and PROTECT, which has flags. */
static s64 unmap_or_protect(const struct args *a, bool protect)
{
	struct domain *d = domain_open(a->a);
	u64 done = 0;
	s64 ret;

	if (!d)
		return -ENOENT;
	if (protect)
		ret = mmu_protect(d, a->b, a->c, a->d, &done);
	else
		ret = mmu_unmap(d, a->b, a->c, &done);
	domain_put(d);
	return ret ? ret : (s64)done;
}

static s64 hc_unmap(struct vcpu *self, const struct args *a)
{
	(void)self;
	return unmap_or_protect(a, false);
}

static s64 hc_protect(struct vcpu *self, const struct args *a)
{
	(void)self;
	return a->d & ~(u64)(BP_PROTECT_SPLIT | BP_PROTECT_LOG) ? -EINVAL : unmap_or_protect(a, true);
}

static s64 hc_flush_tlb(struct vcpu *self, const struct args *a)
{
	struct domain *d = domain_open(a->a);

	(void)self;
	if (!d)
		return -ENOENT;
	/* Bedplate's own accesses by remembered places end, too. */
	spin_lock(&d->lock);
	mmu_flush_domain(d);
	spin_unlock(&d->lock);
	domain_put(d);
	return 0;
}

static s64 hc_msi(struct vcpu *self, const struct args *a)
{
	struct domain *d = domain_open(a->a);
	s64 ret;

	(void)self;
	if (!d)
		return -ENOENT;
	ret = vlapic_msi(d, a->b, a->c);
	domain_put(d);
	return ret;
}

/* ---- devices ---- */

static s64 hc_io_attach(struct vcpu *self, const struct args *a)
{
	struct pci_id dev = { a->b >> 16 & 0xffff, a->b & 0xffff };

	(void)self;
	return a->b >> 32 ? -EINVAL : io_attach(a->a, dev);
}

static s64 hc_io_info(struct vcpu *self, const struct args *a)
{
	(void)self;
	(void)a;
	return io_info();
}

static s64 hc_ioeventfd(struct vcpu *self, const struct args *a)
{
	struct domain *d = domain_open(a->a);
	struct bp_ioeventfd *shared, req;
	s64 ret = -EINVAL;

	(void)self;
	if (!d)
		return -ENOENT;
	shared = frame_open(a->b);
	if (shared) {
		memcpy(&req, shared, sizeof(req));
		frame_close(a->b);
		ret = ioeventfd_update(d, &req);
	}
	domain_put(d);
	return ret;
}

static s64 hc_log_read(struct vcpu *self, const struct args *a)
{
	struct bp_log *l = frame_open(a->b);
	u64 start, next;
	u32 len;

	(void)self;
	if (!l)
		return -EINVAL;
	if (a->c == BP_LOG_LAST)
		len = last_log_copy(a->a, l->text, sizeof(l->text), &start, &next);
	else
		len = log_copy(a->a, l->text, sizeof(l->text), &start, &next);
	l->pos = start;
	l->next = next;
	l->len = len;
	l->lost = start > a->a ? start - a->a : 0;
	frame_close(a->b);
	return 0;
}

static s64 hc_ending(struct vcpu *self, const struct args *a)
{
	static const enum log_end how[] = {
		[BP_ENDING_RESTART] = LOG_END_RESTART, [BP_ENDING_OFF] = LOG_END_OFF,
		[BP_ENDING_PANIC] = LOG_END_DOM0_PANIC, [BP_ENDING_NOT] = LOG_END_NONE,
	};

	(void)self;
	if (a->a >= ARRAY_SIZE(how))
		return -EINVAL;
	debug_report(false);
	log_ending(how[a->a]);
	return 0;
}

static const hypercall_fn table[] = {
	[BP_HC_RING] = hc_ring,
	[BP_HC_DOMAIN_CREATE] = hc_domain_create,
	[BP_HC_DONATE] = hc_donate,
	[BP_HC_DOMAIN_DESTROY] = hc_domain_destroy,
	[BP_HC_RECLAIM] = hc_reclaim,
	[BP_HC_VCPU_CREATE] = hc_vcpu_create,
	[BP_HC_RUN] = hc_run,
	[BP_HC_PAUSE] = hc_pause,
	[BP_HC_VCPU_GET] = hc_vcpu_get,
	[BP_HC_VCPU_SET] = hc_vcpu_set,
	[BP_HC_MAP] = hc_map,
	[BP_HC_UNMAP] = hc_unmap,
	[BP_HC_MSI] = hc_msi,
	[BP_HC_EXTINT] = hc_extint,
	[BP_HC_NMI] = hc_nmi,
	[BP_HC_IOEVENTFD] = hc_ioeventfd,
	[BP_HC_LAPIC_ACCESS] = hc_lapic_access,
	[BP_HC_DOMAIN_GET] = hc_domain_get,
	[BP_HC_DOMAIN_SET] = hc_domain_set,
	[BP_HC_LOG_READ] = hc_log_read,
	[BP_HC_VCPU_SCHED] = hc_vcpu_sched,
	[BP_HC_FLUSH_TLB] = hc_flush_tlb,
	[BP_HC_PROTECT] = hc_protect,
	[BP_HC_IO_ATTACH] = hc_io_attach,
	[BP_HC_IO_INFO] = hc_io_info,
	[BP_HC_ENDING] = hc_ending,
	[BP_HC_VCPU_COUNTERS] = hc_vcpu_counters,
};

static s64 channel_call(struct vcpu *v, u64 nr)
{
	const u64 *g = v->regs.gpr;
	struct args a = { g[RBX], g[RCX], g[RDX], g[RSI] };

	if (!domain_is_dom0(v->dom))
		return -EPERM;
	if (nr == BP_HC_RUN)		/* the frequent one: spares a retpoline */
		return hc_run(v, &a);
	if (nr >= ARRAY_SIZE(table) || !table[nr])
		return -ENOSYS;
	debug_hypercall(nr);
	return table[nr](v, &a);
}

static bool is_shims(const struct vcpu *v, u64 nr)
{
	u32 rules = v->rules.flags;

	return rules & BP_RULE_HYPERCALL ||
	       (rules & BP_RULE_MAP_GPA && nr == KVM_HC_MAP_GPA_RANGE && !v->exit.cpl);
}

void exit_hypercall(struct vcpu *v)
{
	u64 *g = v->regs.gpr, nr = g[RAX];
	s64 ret;

	if (unlikely(is_shims(v, nr))) {
		vcpu_service(v, BP_EXIT_HYPERCALL);
		return;
	}
	/* The interface has no prefixes, so the length is known without a fetch. */
	if (!v->exit.insn_len)
		v->exit.insn_len = 3;
	vcpu_skip(v);
	if (v->exit.cpl)
		ret = -EPERM;
	else if ((nr & ~0xffffull) == BP_HC_BASE)
		ret = channel_call(v, nr & 0xffff);
	else
		ret = pv_hypercall(v, nr, g[RBX], g[RCX], g[RDX], g[RSI]);
	/* After RUN another vCPU may be current: the result comes with its end. */
	if (ret != RUN_SWITCHED)
		g[RAX] = ret;
}
