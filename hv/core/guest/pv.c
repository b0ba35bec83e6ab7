// SPDX-License-Identifier: GPL-2.0-only
/* KVM's paravirtual clock, steal time and EOI; the contract is in pv.h. */
#include "pv.h"

#include <linux/kvm_para.h>

#include "apic/vlapic.h"
#include "cpuid.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/cmos.h"
#include "machine/cpu.h"
#include "machine/tsc.h"
#include "memory/domain.h"
#include "memory/mmu.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"
#include "vcpu/vcpu.h"

/* The guest's view of a clock: version odd = being written. */
struct pvclock {
	u32 version;
	u32 pad0;
	u64 tsc_timestamp;
	u64 system_time;
	u32 mul;
	s8 shift;
	u8 flags;
	u8 pad[2];
};
static_assert(sizeof(struct pvclock) == 32, "as Linux's pvclock-abi.h has it");
#define PVCLOCK_TSC_STABLE	1
#define PVCLOCK_STOPPED		2	/* set here, cleared by the guest */

struct pv_wall {
	u32 version;
	u32 sec;
	u32 nsec;
};

static u32 clock_mul;
static s8 clock_shift;
static u64 boot_wall_sec, boot_wall_tsc;

/* ns = (ticks << shift) * mul >> 32, with mul as large as 32 bits allow. */
static void init_scale(void)
{
	u64 hz = tsc_khz * 1000;

	clock_shift = 0;
	while (hz > 2000000000) {
		hz >>= 1;
		clock_shift--;
	}
	while (hz <= 1000000000) {
		hz <<= 1;
		clock_shift++;
	}
	clock_mul = (1000000000ull << 32) / hz;
}

static u64 ticks_to_ns(u64 ticks)
{
	u64 lo, hi;

	ticks = clock_shift >= 0 ? ticks << clock_shift : ticks >> -clock_shift;
	__asm__("mulq %3" : "=a"(lo), "=d"(hi) : "0"(ticks), "r"((u64)clock_mul) : "cc");
	return hi << 32 | lo >> 32;
}

void pv_init(void)
{
	init_scale();
	boot_wall_tsc = rdtsc();
	boot_wall_sec = cmos_wall_seconds();
}

void pv_init_domain(struct domain *d)
{
	pv_clock_set(d, 0, rdtsc());
}

u64 pv_clock_ns(const struct domain *d, u64 tsc)
{
	return d->clock_ns + ticks_to_ns(tsc - d->clock_tsc);
}

void pv_clock_set(struct domain *d, u64 ns, u64 tsc)
{
	struct vcpu *v;
	u32 i;

	d->clock_ns = ns;
	d->clock_tsc = tsc;
	for (i = 0; i < READ_ONCE(d->nr_vcpus); i++) {
		v = domain_vcpu(d, i);
		if (v)
			WRITE_ONCE(v->pv_dirty, true);
	}
}

/* ---- MSRs ---- */

void pv_reset(struct vcpu *v)
{
	v->msr.kvmclock = v->msr.steal_time = v->msr.pv_eoi = 0;
	v->pv_wall = v->pv_preempted = v->pv_eoi_armed = false;
}

/* A guest that has no such feature by its CPUID uses it all the same, unless the VMM minds. */
static bool offered(struct vcpu *v, u32 feature)
{
	return !(v->rules.flags & BP_RULE_PV_CPUID) ||
	       (vcpu_cpuid(v, KVM_CPUID_FEATURES, 0).eax & BIT(feature));
}

/* The guest's byte that says whether an EOI is to come. */
static int read_eoi(struct vcpu *v, u8 *flag)
{
	return guest_read_kept(v->dom, &v->pv_eoi_at, v->msr.pv_eoi & ~3ull, flag, 1);
}

static int write_eoi(struct vcpu *v, u8 flag)
{
	return guest_write_kept(v->dom, &v->pv_eoi_at, v->msr.pv_eoi & ~3ull, &flag, 1);
}

bool pv_msr_offered(struct vcpu *v, u32 msr)
{
	switch (msr) {
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_WALL_CLOCK:
		return offered(v, KVM_FEATURE_CLOCKSOURCE);
	case MSR_KVM_SYSTEM_TIME_NEW:
	case MSR_KVM_WALL_CLOCK_NEW:
		return offered(v, KVM_FEATURE_CLOCKSOURCE2);
	case MSR_KVM_STEAL_TIME:
		return offered(v, KVM_FEATURE_STEAL_TIME);
	case MSR_KVM_PV_EOI_EN:
		return offered(v, KVM_FEATURE_PV_EOI);
	case MSR_KVM_POLL_CONTROL:
		return offered(v, KVM_FEATURE_POLL_CONTROL);
	}
	return true;
}

/* Once for each write of the MSR: afterwards the memory may be the guest's for other things. */
static int write_wall_clock(struct vcpu *v)
{
	struct domain *d = v->dom;
	struct pv_wall w = { .version = 1 };
	u64 ns;

	/* Wall time when the domain's clock was 0. */
	spin_lock(&d->lock);
	ns = ticks_to_ns(d->clock_tsc - boot_wall_tsc) - d->clock_ns;
	spin_unlock(&d->lock);
	w.sec = boot_wall_sec + (s64)ns / 1000000000;
	w.nsec = (s64)ns % 1000000000 < 0 ? 0 : (s64)ns % 1000000000;
	w.version = 2;
	v->pv_wall = false;
	return guest_write(d, v->msr.wall_clock, &w, sizeof(w));
}

int pv_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	switch (msr) {
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		*val = v->msr.kvmclock;
		return 0;
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		*val = v->msr.wall_clock;
		return 0;
	case MSR_KVM_STEAL_TIME:
		*val = v->msr.steal_time;
		return 0;
	case MSR_KVM_PV_EOI_EN:
		*val = v->msr.pv_eoi;
		return 0;
	}
	return -ENOENT;
}

int pv_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	switch (msr) {
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		v->msr.kvmclock = val;
		v->pv_dirty = true;
		return 0;
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		v->msr.wall_clock = val;
		v->pv_wall = v->pv_dirty = true;
		return 0;
	case MSR_KVM_STEAL_TIME:
		if (val & 0x3e)
			return -EINVAL;
		v->msr.steal_time = val;
		v->pv_dirty = true;
		return 0;
	case MSR_KVM_PV_EOI_EN:
		if (val & 2)
			return -EINVAL;
		pv_switch_out(v);	/* what it has said so far, at the old address */
		v->msr.pv_eoi = val;
		v->pv_eoi_armed = false;
		return 0;
	}
	return -ENOENT;
}

/* ---- clock ---- */

static int write_clock(struct vcpu *v)
{
	struct pvclock p = { 0 };
	gpa_t gpa = v->msr.kvmclock & ~1ull;

	v->pv_version += 2;
	p.version = v->pv_version | 1;
	spin_lock(&v->dom->lock);
	p.tsc_timestamp = v->dom->clock_tsc + v->tsc_offset;
	p.system_time = v->dom->clock_ns;
	spin_unlock(&v->dom->lock);
	p.mul = clock_mul;
	p.shift = clock_shift;
	if (guest_read(v->dom, gpa + offsetof(struct pvclock, flags), &p.flags, 1))
		return -EFAULT;
	p.flags = (tsc_alike ? PVCLOCK_TSC_STABLE : 0) | (p.flags & PVCLOCK_STOPPED);
	if (v->pv_stopped)
		p.flags |= PVCLOCK_STOPPED;
	if (guest_write(v->dom, gpa, &p, sizeof(p)))
		return -EFAULT;
	v->pv_stopped = false;
	p.version++;
	return guest_write(v->dom, gpa, &p.version, sizeof(p.version));
}

/* ---- steal time ---- */

static int write_steal(struct vcpu *v)
{
	struct kvm_steal_time s;
	gpa_t gpa = v->msr.steal_time & ~0x3full;

	memset(&s, 0, sizeof(s));
	v->pv_version += 2;
	s.version = v->pv_version & ~1u;
	s.steal = ticks_to_ns(v->steal_tsc) + v->stolen_ns;
	s.preempted = v->pv_preempted ? KVM_VCPU_PREEMPTED : 0;
	return guest_write_kept(v->dom, &v->pv_steal_at, gpa, &s, offsetof(struct kvm_steal_time, u8_pad));
}

/* Others leave the flush of a TLB to us while its vCPU does not run. */
static bool flush_left(struct vcpu *v)
{
	gpa_t gpa = (v->msr.steal_time & ~0x3full) + offsetof(struct kvm_steal_time, preempted);
	u8 old;

	return !domain_is_dom0(v->dom) && offered(v, KVM_FEATURE_PV_TLB_FLUSH) &&
	       (guest_xchg(v->dom, gpa, 0, &old) || (old & KVM_VCPU_FLUSH_TLB));
}

/*
 * As long as this fails memory may say that the vCPU does not run, and others leave flushes
 * to it: that it does, and what they left, is made up for before each entry.
 */
static int tell_steal(struct vcpu *v)
{
	if (flush_left(v))
		ops->flush(v);
	return write_steal(v);
}

/*
 * What says whether the guest has ended its interrupt is out of reach, and until it is known others
 * wait.  Asked for in vain it is as if it had.  False: v stopped, its page must be mapped.
 */
static bool find_eoi(struct vcpu *v)
{
	gpa_t want = v->msr.pv_eoi & ~3ull;
	u8 flag;

	if (likely(!v->pv_eoi_armed) || !read_eoi(v, &flag))
		return true;
	if (domain_is_dom0(v->dom) || v->pv_asked == want) {
		v->pv_eoi_armed = false;
		vlapic_eoi(v);
		return true;
	}
	v->pv_asked = want;
	npf_want_page(v, want, true);
	return false;
}

bool pv_update(struct vcpu *v)
{
	bool untold = (v->msr.steal_time & KVM_MSR_ENABLED) && tell_steal(v);
	gpa_t want = 0;

	if (!find_eoi(v))
		return false;
	v->pv_dirty = false;
	if ((v->msr.kvmclock & 1) && write_clock(v))
		want = v->msr.kvmclock & ~1ull;
	else if (v->pv_wall && v->msr.wall_clock && write_wall_clock(v))
		want = v->msr.wall_clock;
	else if (untold)
		want = v->msr.steal_time & ~0x3full;
	if (!want) {
		v->pv_asked = 0;
		return true;
	}
	/* Asked once already, or beyond what a table reaches: there is no memory. */
	if (domain_is_dom0(v->dom) || v->pv_asked == want || want >> (NPT_GFN_BITS + PAGE_SHIFT)) {
		if (untold && !domain_is_dom0(v->dom))
			v->pv_dirty = true;
		return true;
	}
	v->pv_asked = want;
	v->pv_wall |= want == v->msr.wall_clock;
	v->pv_dirty = true;
	npf_want_page(v, want, true);
	return false;
}

void pv_switch_in(struct vcpu *v)
{
	u64 since = v->runnable_since;
	bool told = v->pv_preempted;

	v->runnable_since = 0;
	v->pv_preempted = false;
	if (!since && !told)
		return;
	if (since)
		v->steal_tsc += rdtsc() - since;
	if (!(v->msr.steal_time & KVM_MSR_ENABLED))
		return;
	if (told ? tell_steal(v) : write_steal(v))
		v->pv_dirty = true;	/* pv_update() asks for the page */
}

void pv_preempted(struct vcpu *v)
{
	if (!(v->msr.steal_time & KVM_MSR_ENABLED))
		return;
	v->pv_preempted = true;
	write_steal(v);
}

void pv_switch_out(struct vcpu *v)
{
	if (!v->pv_eoi_armed)
		return;
	pv_eoi_sync(v);
	/* Where the page is away the guest may have ended it, or still does. */
	if (v->pv_eoi_armed && !write_eoi(v, 0))
		v->pv_eoi_armed = false;
	/* Other CPUs set it, too (pv_clock_set()): never from what it was. */
	if (v->pv_eoi_armed)
		v->pv_dirty = true;
}

/* ---- EOI ---- */

void pv_eoi_prepare(struct vcpu *v, u8 vector)
{
	struct vlapic *a = &v->apic;

	/* With post the count does not tell. */
	if (!(v->msr.pv_eoi & KVM_MSR_ENABLED) || a->isr_count || a->post)
		return;
	if (vlapic_auto_eoi(v, vector))
		return;
	/* Another one waits: its turn comes with an EOI that we see. */
	if (vlapic_others_pending(a, vector))
		return;
	/* A level-triggered vector's EOI has work to do. */
	if (a->reg[(APIC_REG_TMR + (vector / 32) * 16) / 4] & BIT(vector % 32))
		return;
	if (!write_eoi(v, KVM_PV_EOI_ENABLED))
		v->pv_eoi_armed = true;
}

void pv_eoi_sync(struct vcpu *v)
{
	u8 flag;

	if (read_eoi(v, &flag))
		return;
	if (!(flag & KVM_PV_EOI_ENABLED)) {
		v->pv_eoi_armed = false;
		vlapic_eoi(v);
	} else if (READ_ONCE(v->apic.irr_hint)) {
		/* Something else waits: have the guest tell us at its EOI. */
		if (!write_eoi(v, 0))
			v->pv_eoi_armed = false;
	}
}

/* ---- hypercalls ---- */

static struct vcpu *by_apic_id(struct domain *d, u32 id)
{
	struct vcpu *v;
	u32 i;

	for (i = 0; i < READ_ONCE(d->nr_vcpus); i++) {
		v = domain_vcpu(d, i);
		if (v && v->apic.id == id)
			return v;
	}
	return NULL;
}

static s64 kick_cpu(struct domain *d, u32 apic_id)
{
	struct vcpu *v = by_apic_id(d, apic_id);

	if (v) {
		WRITE_ONCE(v->pv_unhalted, true);
		vcpu_kick(v);
	}
	return 0;
}

/* Bit n of (hi:lo) names the APIC ID min + n; icr holds mode and vector. */
static s64 send_ipi(struct vcpu *v, u64 lo, u64 hi, u32 min, u64 icr)
{
	const u64 ids[2] = { lo, hi };

	if (icr & (BIT(11) | 3ull << 18))
		return -KVM_EINVAL;
	return vlapic_deliver_ids(v->dom, ids, min, (icr >> 8) & 7, icr & 0xff);
}

s64 pv_hypercall(struct vcpu *v, u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	switch (nr) {
	case KVM_HC_VAPIC_POLL_IRQ:
		return 0;
	case KVM_HC_SCHED_YIELD:
		if (!offered(v, KVM_FEATURE_PV_SCHED_YIELD))
			break;
		this_cpu()->resched = true;
		return 0;
	case KVM_HC_KICK_CPU:
		if (!offered(v, KVM_FEATURE_PV_UNHALT))
			break;
		return kick_cpu(v->dom, a1);
	case KVM_HC_SEND_IPI:
		if (!offered(v, KVM_FEATURE_PV_SEND_IPI))
			break;
		return send_ipi(v, a0, a1, a2, a3);
	}
	return -KVM_ENOSYS;
}
