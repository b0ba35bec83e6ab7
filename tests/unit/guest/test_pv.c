// SPDX-License-Identifier: GPL-2.0-only
/* Paravirtual clock, wall clock, steal time, EOI and IPIs; the real-time clock. */
// SOURCES: hv/core/guest/pv.c hv/core/machine/cmos.c hv/core/apic/vlapic.c hv/core/apic/vlapic_post.c hv/core/apic/vlapic_deliver.c hv/core/apic/vlapic_timer.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <linux/kvm_para.h>

#include "hv/core/machine/cmos.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/run/npf.h"
#include "hv/core/guest/cpuid.h"
#include "hv/core/guest/pv.h"
#include "hv/core/apic/vlapic_priv.h"
#include "hv/core/vcpu/ops.h"

#define N	4
#define CLOCK	0x1000
#define STEAL	0x2000
#define EOI	0x3000
#define WALL	0x4000

u64 tsc_khz;
bool tsc_alike = true;
u64 host_tsc;
static u8 mem[0x8000];
static struct domain dom;
static struct vcpu v[N];
static u32 apic_pages[N][1024];
static u32 kicked[N];
static gpa_t wanted;
static u8 rtc[128], rtc_index;

/* ---- stand-ins ---- */

static u64 unmapped = ~0ull;		/* a page */

static bool set_meanwhile;		/* another CPU sets the clock */

int guest_read(struct domain *d __unused, gpa_t gpa, void *buf, u32 len)
{
	v[0].pv_dirty |= set_meanwhile;
	if (gpa + len > sizeof(mem) || gpa / PAGE_SIZE == unmapped)
		return -EFAULT;
	memcpy(buf, mem + gpa, len);
	return 0;
}

int guest_xchg(struct domain *d, gpa_t gpa, u8 val, u8 *old)
{
	return guest_read(d, gpa, old, 1) || guest_write(d, gpa, &val, 1) ? -EFAULT : 0;
}

int guest_write(struct domain *d __unused, gpa_t gpa, const void *buf, u32 len)
{
	if (gpa + len > sizeof(mem) || gpa + len < gpa || gpa / PAGE_SIZE == unmapped)
		return -EFAULT;
	memcpy(mem + gpa, buf, len);
	return 0;
}

int guest_read_kept(struct domain *d, struct guest_kept *k __unused, gpa_t gpa, void *buf, u32 len)
{
	return guest_read(d, gpa, buf, len);
}

int guest_write_kept(struct domain *d, struct guest_kept *k __unused, gpa_t gpa, const void *buf,
		     u32 len)
{
	return guest_write(d, gpa, buf, len);
}

static struct cpu cpu;
static u32 features;
static u32 flushes;

static void count_flush(struct vcpu *w __unused)
{
	flushes++;
}

static const struct hv_ops test_ops = { .flush = count_flush };
const struct hv_ops *ops = &test_ops;

struct cpu *this_cpu(void) { return &cpu; }

struct cpuid vcpu_cpuid(struct vcpu *w __unused, u32 leaf, u32 sub __unused)
{
	assert_int_equal(leaf, KVM_CPUID_FEATURES);
	return (struct cpuid){ .eax = features };
}

void npf_want_page(struct vcpu *w __unused, gpa_t gpa, bool write __unused) { wanted = gpa; }
void vcpu_kick(struct vcpu *w) { kicked[w->index]++; }
void vcpu_notify(struct vcpu *w) { kicked[w->index]++; }
void vcpu_apic_changed(struct vcpu *w __unused) { }
void dom0_lvt_written(struct vcpu *w __unused, u32 offset __unused, u32 val __unused) { }
void vcpu_level_eoi(struct vcpu *w __unused, u8 vector __unused) { }
u64 hv_tsc(void) { return host_tsc; }
void timer_init(struct hv_timer *t, void (*fn)(struct hv_timer *t)) { t->fn = fn; }
void timer_arm(struct hv_timer *t __unused, u64 deadline __unused) { }
bool timer_cancel(struct hv_timer *t __unused) { return false; }
void timer_move(struct hv_timer *t __unused) { }
void host_irq_window(void) { fail(); }

void host_outb(u16 port, u8 val)
{
	assert_int_equal(port, 0x70);
	rtc_index = val & 127;
}

u8 host_inb(u16 port)
{
	assert_int_equal(port, 0x71);
	return rtc[rtc_index];
}

static void set_rtc(u8 year, u8 month, u8 day, u8 hour, u8 min, u8 sec, u8 regb)
{
	memset(rtc, 0, sizeof(rtc));
	rtc[0] = sec;
	rtc[2] = min;
	rtc[4] = hour;
	rtc[7] = day;
	rtc[8] = month;
	rtc[9] = year;
	rtc[11] = regb;
}

static void boot(u64 khz)
{
	u32 i;

	memset(mem, 0, sizeof(mem));
	memset(&dom, 0, sizeof(dom));
	memset(v, 0, sizeof(v));
	memset(kicked, 0, sizeof(kicked));
	wanted = 0;
	tsc_khz = khz;
	host_tsc = 77 * khz;
	set_rtc(26, 11, 21, 4, 30, 0, 6);
	pv_init();
	dom.id = 1;
	dom.nr_vcpus = N;
	pv_init_domain(&dom);
	for (i = 0; i < N; i++) {
		v[i].dom = &dom;
		v[i].index = i;
		dom.few[i] = &v[i];
		v[i].apic.reg = apic_pages[i];
		vlapic_init(&v[i], i, !i);
		vlapic_write(&v[i], APIC_REG_SVR, 0x1ff);
	}
}

static int setup(void **state)
{
	(void)state;
	boot(2500000);
	return 0;
}

/* ---- clock ---- */

struct clock {
	u32 version, pad;
	u64 tsc, time;
	u32 mul;
	s8 shift;
	u8 flags;
};

/* What Linux's pvclock code makes of the page. */
static u64 guest_ns(const struct clock *c, u64 tsc)
{
	u64 delta = tsc - c->tsc;

	delta = c->shift >= 0 ? delta << c->shift : delta >> -c->shift;
	return c->time + (u64)((unsigned __int128)delta * c->mul >> 32);
}

static struct clock read_clock(struct vcpu *w)
{
	struct clock c;

	assert_int_equal(pv_wrmsr(w, MSR_KVM_SYSTEM_TIME_NEW, CLOCK | 1), 0);
	assert_true(w->pv_dirty);
	assert_true(pv_update(w));
	memcpy(&c, mem + CLOCK, sizeof(c));
	assert_int_equal(c.version & 1, 0);
	assert_int_equal(c.flags & 1, tsc_alike);
	return c;
}

/* Where CPUs' TSCs disagree the guest must see to it that its clock does not go back. */
static void clock_is_not_stable(void **state __unused)
{
	boot(2000000);
	tsc_alike = false;
	read_clock(&v[0]);
	tsc_alike = true;
	read_clock(&v[0]);
}

static void clock_is_accurate(void **state)
{
	static const u64 khz[] = { 800000, 999999, 1000000, 1000001, 1896000, 2000000,
				   2793494, 3400123, 4000000, 5999999 };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(khz); i++) {
		struct clock c;
		u64 s, ns, last = 0;

		boot(khz[i]);
		c = read_clock(&v[0]);
		for (s = 1; s < 1000000; s *= 10) {
			u64 tsc = dom.clock_tsc + s * khz[i] * 1000;
			s64 off;

			ns = pv_clock_ns(&dom, tsc);
			off = (s64)(ns - s * 1000000000);
			assert_true(off <= 0 && -off <= (s64)(s * 1000));	/* 1 ppm */
			/* Guest and hypervisor agree to the nanosecond. */
			assert_int_equal(guest_ns(&c, tsc), ns);
		}
		for (s = 0; s < 1000; s++) {
			ns = pv_clock_ns(&dom, dom.clock_tsc + s * 7);
			assert_true(ns >= last);
			last = ns;
		}
	}
}

static void clock_with_offset_and_set(void **state)
{
	struct clock c;

	(void)state;
	v[1].tsc_offset = -123456789ull;
	c = read_clock(&v[1]);
	host_tsc += 2500000000;
	assert_int_equal(guest_ns(&c, host_tsc + v[1].tsc_offset), pv_clock_ns(&dom, host_tsc));
	v[0].pv_dirty = v[1].pv_dirty = false;
	pv_clock_set(&dom, 5000000000, host_tsc);
	assert_true(v[0].pv_dirty && v[1].pv_dirty);
	assert_int_equal(pv_clock_ns(&dom, host_tsc), 5000000000);
	host_tsc += 2500000;
	assert_in_range(pv_clock_ns(&dom, host_tsc), 5000999990, 5001000000);
}

static void missing_page_is_asked_for_once(void **state)
{
	(void)state;
	pv_wrmsr(&v[0], MSR_KVM_SYSTEM_TIME_NEW, 0x100000 | 1);
	assert_false(pv_update(&v[0]));
	assert_int_equal(wanted, 0x100000);
	assert_true(v[0].pv_dirty);
	wanted = 0;
	assert_true(pv_update(&v[0]));
	assert_int_equal(wanted, 0);
	assert_false(v[0].pv_dirty);
	set_meanwhile = true;
	assert_true(pv_update(&v[0]));
	set_meanwhile = false;
	assert_true(v[0].pv_dirty);
	/* Where no table reaches, and at the end of the address space, nobody is asked. */
	pv_wrmsr(&v[0], MSR_KVM_SYSTEM_TIME_NEW, BIT(48) | 1);
	assert_true(pv_update(&v[0]));
	pv_wrmsr(&v[0], MSR_KVM_SYSTEM_TIME_NEW, ~0ull);
	assert_true(pv_update(&v[0]));
	assert_int_equal(wanted, 0);
}

static void wall_clock(void **state)
{
	u32 w[3];

	(void)state;
	host_tsc += 2500000ull * 1000 * 60;
	pv_init_domain(&dom);
	pv_wrmsr(&v[0], MSR_KVM_WALL_CLOCK_NEW, WALL);
	assert_true(pv_update(&v[0]));
	memcpy(w, mem + WALL, sizeof(w));
	assert_int_equal(w[0] & 1, 0);
	assert_in_range(w[1], 1795235459, 1795235460);	/* 2026-11-21 04:31:00 */
	assert_true(w[2] < 1000000000);
}

/* The memory is the guest's again, or another kernel's: one write for one of the MSR. */
static void wall_clock_is_written_once(void **state __unused)
{
	static const u32 others[3] = { 0x11111111, 0x22222222, 0x33333333 };
	u64 val;

	pv_wrmsr(&v[0], MSR_KVM_WALL_CLOCK_NEW, WALL);
	assert_true(pv_update(&v[0]));
	memcpy(mem + WALL, others, sizeof(others));
	pv_wrmsr(&v[0], MSR_KVM_SYSTEM_TIME_NEW, CLOCK | 1);
	assert_true(pv_update(&v[0]));
	assert_memory_equal(mem + WALL, others, sizeof(others));
	assert_int_equal(pv_rdmsr(&v[0], MSR_KVM_WALL_CLOCK_NEW, &val), 0);
	assert_int_equal(val, WALL);
	pv_wrmsr(&v[0], MSR_KVM_WALL_CLOCK_NEW, WALL);
	assert_true(pv_update(&v[0]));
	assert_memory_not_equal(mem + WALL, others, sizeof(others));
	/* A page that is not there is asked for, once; later it is somebody else's. */
	memcpy(mem + WALL, others, sizeof(others));
	unmapped = WALL / PAGE_SIZE;
	pv_wrmsr(&v[0], MSR_KVM_WALL_CLOCK_NEW, WALL);
	assert_false(pv_update(&v[0]));
	assert_int_equal(wanted, WALL);
	assert_true(pv_update(&v[0]));
	unmapped = ~0ull;
	v[0].pv_dirty = true;
	assert_true(pv_update(&v[0]));
	assert_memory_equal(mem + WALL, others, sizeof(others));
	/* But one that comes has the time. */
	unmapped = WALL / PAGE_SIZE;
	pv_wrmsr(&v[0], MSR_KVM_WALL_CLOCK_NEW, WALL);
	assert_false(pv_update(&v[0]));
	unmapped = ~0ull;
	assert_true(pv_update(&v[0]));
	assert_memory_not_equal(mem + WALL, others, sizeof(others));
}

/* A kernel that an INIT ended has its memory to itself again: nothing is written there any more. */
static void nothing_after_init(void **state)
{
	static const u8 none[sizeof(mem)];
	u64 val;

	(void)state;
	pv_wrmsr(&v[0], MSR_KVM_SYSTEM_TIME_NEW, CLOCK | 1);
	pv_wrmsr(&v[0], MSR_KVM_STEAL_TIME, STEAL | 1);
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	assert_true(pv_update(&v[0]));
	pv_wrmsr(&v[0], MSR_KVM_WALL_CLOCK_NEW, WALL);
	pv_preempted(&v[0]);
	pv_eoi_prepare(&v[0], 0x41);
	pv_reset(&v[0]);
	memset(mem, 0, sizeof(mem));
	pv_switch_in(&v[0]);
	pv_eoi_prepare(&v[0], 0x41);
	pv_switch_out(&v[0]);
	pv_preempted(&v[0]);
	pv_clock_set(&dom, 5, host_tsc);
	assert_true(pv_update(&v[0]));
	assert_memory_equal(mem, none, sizeof(mem));
	assert_int_equal(pv_rdmsr(&v[0], MSR_KVM_SYSTEM_TIME, &val), 0);
	assert_int_equal(val, 0);
}

/* ---- steal time ---- */

static void steal_time(void **state)
{
	struct kvm_steal_time s;

	(void)state;
	assert_int_equal(pv_wrmsr(&v[0], MSR_KVM_STEAL_TIME, STEAL | 2), -EINVAL);
	assert_int_equal(pv_wrmsr(&v[0], MSR_KVM_STEAL_TIME, STEAL | 1), 0);
	assert_true(pv_update(&v[0]));
	pv_preempted(&v[0]);
	memcpy(&s, mem + STEAL, sizeof(s));
	assert_int_equal(s.preempted & KVM_VCPU_PREEMPTED, KVM_VCPU_PREEMPTED);
	v[0].runnable_since = host_tsc;
	host_tsc += 2500000 * 3;
	pv_switch_in(&v[0]);
	memcpy(&s, mem + STEAL, sizeof(s));
	assert_int_equal(s.preempted, 0);
	assert_int_equal(s.version & 1, 0);
	assert_in_range(s.steal, 2999999, 3000000);
	/* A flush that the guest left to us while the vCPU was off its CPU, and none otherwise. */
	flushes = 0;
	pv_preempted(&v[0]);
	pv_switch_in(&v[0]);
	assert_int_equal(flushes, 0);
	pv_preempted(&v[0]);
	mem[STEAL + offsetof(struct kvm_steal_time, preempted)] |= KVM_VCPU_FLUSH_TLB;
	pv_switch_in(&v[0]);
	assert_int_equal(flushes, 1);
	assert_int_equal(mem[STEAL + offsetof(struct kvm_steal_time, preempted)], 0);
	/* What the vCPU's thread waited for in domain 0 comes on top. */
	v[0].stolen_ns = 500;
	v[0].pv_dirty = true;
	assert_true(pv_update(&v[0]));
	memcpy(&s, mem + STEAL, sizeof(s));
	assert_in_range(s.steal, 3000499, 3000500);
}

/* Its page goes while the vCPU is off its CPU, so that memory says so also when it is on. */
static void steal_time_out_of_reach(void **state)
{
	u8 *preempted = mem + STEAL + offsetof(struct kvm_steal_time, preempted);

	(void)state;
	pv_wrmsr(&v[0], MSR_KVM_STEAL_TIME, STEAL | 1);
	assert_true(pv_update(&v[0]));
	pv_preempted(&v[0]);
	unmapped = STEAL / PAGE_SIZE;
	flushes = 0;
	pv_switch_in(&v[0]);
	assert_int_equal(flushes, 1);
	assert_true(v[0].pv_dirty);
	assert_false(pv_update(&v[0]));
	assert_int_equal(wanted, STEAL);
	assert_int_equal(*preempted, KVM_VCPU_PREEMPTED);
	/* Others leave flushes to it, which are made up for as soon as that can be seen. */
	*preempted |= KVM_VCPU_FLUSH_TLB;
	assert_true(pv_update(&v[0]));
	assert_true(v[0].pv_dirty);
	unmapped = ~0ull;
	flushes = 0;
	assert_true(pv_update(&v[0]));
	assert_int_equal(flushes, 1);
	assert_int_equal(*preempted, 0);
	assert_false(v[0].pv_dirty);
	/* Nor does a clock that has no memory at all keep it from that. */
	pv_wrmsr(&v[0], MSR_KVM_SYSTEM_TIME_NEW, 0x100000 | 1);
	pv_preempted(&v[0]);
	unmapped = STEAL / PAGE_SIZE;
	pv_switch_in(&v[0]);
	assert_false(pv_update(&v[0]));
	assert_int_equal(wanted, 0x100000);
	*preempted |= KVM_VCPU_FLUSH_TLB;
	unmapped = ~0ull;
	flushes = 0;
	assert_true(pv_update(&v[0]));
	assert_int_equal(flushes, 1);
	assert_int_equal(*preempted, 0);
}

/* ---- EOI ---- */

static void inject(struct vcpu *w, u8 vector)
{
	pv_eoi_prepare(w, vector);
	vlapic_ack(w, vector);
	vlapic_pending(w);
}

static void silent_eoi(void **state)
{
	(void)state;
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	vlapic_set_irr(&v[0], 0x40, false);
	inject(&v[0], 0x40);
	assert_true(v[0].pv_eoi_armed);
	assert_int_equal(mem[EOI], 1);
	pv_eoi_sync(&v[0]);
	assert_true(v[0].pv_eoi_armed);
	mem[EOI] = 0;			/* the guest's EOI */
	pv_eoi_sync(&v[0]);
	assert_false(v[0].pv_eoi_armed);
	assert_int_equal(v[0].apic.isr_count, 0);
}

static void no_silent_eoi_when_others_wait(void **state)
{
	(void)state;
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	vlapic_set_irr(&v[0], 0xfd, false);
	vlapic_set_irr(&v[0], 0xfb, false);
	assert_int_equal(vlapic_pending(&v[0]), 0xfd);
	inject(&v[0], 0xfd);
	assert_false(v[0].pv_eoi_armed);
	assert_int_equal(mem[EOI], 0);
	vlapic_eoi(&v[0]);
	inject(&v[0], 0xfb);
	assert_true(v[0].pv_eoi_armed);
	/* One that comes later takes the offer back. */
	vlapic_set_irr(&v[0], 0x40, false);
	pv_eoi_sync(&v[0]);
	assert_false(v[0].pv_eoi_armed);
	assert_int_equal(mem[EOI], 0);
	assert_int_equal(v[0].apic.isr_count, 1);
}

static void no_silent_eoi_of_level_vectors(void **state)
{
	(void)state;
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	vlapic_set_irr(&v[0], 0x40, true);
	inject(&v[0], 0x40);
	assert_false(v[0].pv_eoi_armed);
}

static void switch_out_takes_it_back(void **state)
{
	(void)state;
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	vlapic_set_irr(&v[0], 0x40, false);
	inject(&v[0], 0x40);
	pv_switch_out(&v[0]);
	assert_false(v[0].pv_eoi_armed);
	assert_int_equal(mem[EOI], 0);
	assert_int_equal(v[0].apic.isr_count, 1);
}

/* The page is away while the vCPU changes CPUs: what the guest says there still counts. */
static void silent_eoi_out_of_reach(void **state __unused)
{
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	vlapic_set_irr(&v[0], 0x40, false);
	inject(&v[0], 0x40);
	unmapped = EOI / PAGE_SIZE;
	pv_switch_out(&v[0]);
	assert_true(v[0].pv_eoi_armed);
	unmapped = ~0ull;
	mem[EOI] = 0;
	pv_eoi_sync(&v[0]);
	assert_false(v[0].pv_eoi_armed);
	assert_int_equal(v[0].apic.isr_count, 0);
}

/* The page is asked for; what waits for the end of the interrupt cannot wait for ever. */
static void silent_eoi_is_asked_for(void **state __unused)
{
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	vlapic_set_irr(&v[0], 0x40, false);
	inject(&v[0], 0x40);
	mem[EOI] = 0;
	unmapped = EOI / PAGE_SIZE;
	pv_switch_out(&v[0]);
	vlapic_set_irr(&v[0], 0x41, false);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	wanted = 0;
	assert_true(v[0].pv_dirty);
	assert_false(pv_update(&v[0]));
	assert_int_equal(wanted, EOI);
	assert_true(v[0].pv_dirty && v[0].pv_eoi_armed);
	unmapped = ~0ull;
	assert_true(pv_update(&v[0]));
	assert_false(v[0].pv_dirty);
	pv_eoi_sync(&v[0]);
	assert_int_equal(vlapic_pending(&v[0]), 0x41);
}

static void silent_eoi_without_memory(void **state __unused)
{
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	vlapic_set_irr(&v[0], 0x40, false);
	inject(&v[0], 0x40);
	unmapped = EOI / PAGE_SIZE;
	pv_switch_out(&v[0]);
	vlapic_set_irr(&v[0], 0x41, false);
	assert_false(pv_update(&v[0]));
	assert_true(pv_update(&v[0]));
	assert_false(v[0].pv_dirty || v[0].pv_eoi_armed);
	assert_int_equal(vlapic_pending(&v[0]), 0x41);
	unmapped = ~0ull;
}

/* It has ended an interrupt before it says that it goes without from now on. */
static void silent_eoi_before_the_msr(void **state __unused)
{
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	vlapic_set_irr(&v[0], 0x40, false);
	inject(&v[0], 0x40);
	mem[EOI] = 0;
	assert_int_equal(pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, 0), 0);
	assert_false(v[0].pv_eoi_armed);
	assert_int_equal(v[0].apic.isr_count, 0);
	/* Not ended yet, and the page goes elsewhere: the next EOI is one that is seen. */
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1);
	vlapic_set_irr(&v[0], 0x40, false);
	inject(&v[0], 0x40);
	pv_wrmsr(&v[0], MSR_KVM_PV_EOI_EN, (EOI + 4) | 1);
	assert_false(v[0].pv_eoi_armed);
	assert_int_equal(mem[EOI], 0);
	assert_int_equal(v[0].apic.isr_count, 1);
}

/* ---- hypercalls ---- */

static void ipis_by_bitmap(void **state)
{
	(void)state;
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SEND_IPI, 0xe, 0, 0, 0x40), 3);
	assert_true(!kicked[0] && kicked[1] && kicked[2] && kicked[3]);
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SEND_IPI, 0x3, 0, 2, 0x41), 2);
	assert_int_equal(vlapic_pending(&v[3]), 0x41);
	/* Bit 63 and the second word. */
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SEND_IPI, BIT(63), 1, (u32)-63, 0x42), 2);
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SEND_IPI, ~0ull, ~0ull, 1000, 0x42), 0);
	assert_true(pv_hypercall(&v[0], KVM_HC_SEND_IPI, 1, 0, 0, BIT(11) | 0x40) < 0);
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SEND_IPI, 2, 0, 0, DM_NMI << 8), 1);
	assert_true(v[1].nmi_pending);
	/* 0xff and 0xffffffff are IDs like others. */
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SEND_IPI, 1, 0, 0xff, 0x43), 0);
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SEND_IPI, 1, 0, ~0u, 0x43), 0);
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SEND_IPI, 1, 0, 0, DM_RESERVED << 8), 0);
}

static void kicks(void **state)
{
	(void)state;
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_KICK_CPU, 0, 2, 0, 0), 0);
	assert_true(v[2].pv_unhalted);
	assert_int_equal(kicked[2], 1);
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_KICK_CPU, 0, 99, 0, 0), 0);
	assert_int_equal(pv_hypercall(&v[0], 4711, 0, 0, 0, 0), -KVM_ENOSYS);
}

/* ---- the real-time clock ---- */

static void days_of_dates(void **state)
{
	u64 day = 0;
	time_t t;
	struct tm tm;

	(void)state;
	assert_int_equal(civil_days(1970, 1, 1), 0);
	assert_int_equal(civil_days(2000, 2, 29), 11016);
	assert_int_equal(civil_days(2000, 3, 1), 11017);
	assert_int_equal(civil_days(2100, 3, 1) - civil_days(2100, 2, 28), 1);
	for (day = 0; day < 60000; day++) {
		t = day * 86400;
		gmtime_r(&t, &tm);
		assert_int_equal(civil_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday), day);
	}
}

static void formats_of_the_rtc(void **state)
{
	(void)state;
	set_rtc(26, 11, 21, 16, 30, 5, 6);
	assert_int_equal(cmos_wall_seconds(), 1795278605);
	set_rtc(0x26, 0x11, 0x21, 0x16, 0x30, 0x05, 2);		/* BCD */
	assert_int_equal(cmos_wall_seconds(), 1795278605);
	set_rtc(0x26, 0x11, 0x21, 0x84, 0x30, 0x05, 0);		/* BCD, 4 PM */
	assert_int_equal(cmos_wall_seconds(), 1795278605);
	set_rtc(26, 11, 21, 12, 0, 0, 4);			/* 12 AM */
	assert_int_equal(cmos_wall_seconds(), 1795219200);
	set_rtc(26, 11, 21, 0x80 | 12, 0, 0, 4);		/* 12 PM */
	assert_int_equal(cmos_wall_seconds(), 1795262400);
	memset(rtc, 0xff, sizeof(rtc));				/* none there */
	assert_int_equal(cmos_wall_seconds(), 0);
	memset(rtc, 0, sizeof(rtc));
	assert_int_equal(cmos_wall_seconds(), 0);
}

#define T(name) cmocka_unit_test_setup(name, setup)

/* CPUID counts where the VMM says so. */
static void by_cpuid(void **state __unused)
{
	features = 0;
	v[0].rules.flags = 0;
	assert_true(pv_msr_offered(&v[0], MSR_KVM_STEAL_TIME));
	cpu.resched = false;
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SCHED_YIELD, 0, 0, 0, 0), 0);
	assert_true(cpu.resched);
	v[0].rules.flags = BP_RULE_PV_CPUID;
	assert_false(pv_msr_offered(&v[0], MSR_KVM_STEAL_TIME));
	assert_true(pv_msr_offered(&v[0], MSR_EFER));
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SCHED_YIELD, 0, 0, 0, 0), -KVM_ENOSYS);
	assert_int_equal(pv_hypercall(&v[0], KVM_HC_SEND_IPI, 1, 0, 0, 0), -KVM_ENOSYS);
	features = BIT(KVM_FEATURE_STEAL_TIME);
	assert_true(pv_msr_offered(&v[0], MSR_KVM_STEAL_TIME));
	assert_false(pv_msr_offered(&v[0], MSR_KVM_PV_EOI_EN));
	v[0].rules.flags = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(clock_is_not_stable), T(clock_is_accurate), T(clock_with_offset_and_set),
		T(missing_page_is_asked_for_once), T(wall_clock),
		T(wall_clock_is_written_once), T(nothing_after_init), T(steal_time), T(steal_time_out_of_reach),
		T(silent_eoi), T(no_silent_eoi_when_others_wait),
		T(no_silent_eoi_of_level_vectors), T(switch_out_takes_it_back),
		T(silent_eoi_out_of_reach), T(silent_eoi_before_the_msr),
		T(silent_eoi_is_asked_for), T(silent_eoi_before_the_msr),
		T(silent_eoi_without_memory), T(silent_eoi_before_the_msr),
		T(ipis_by_bitmap), T(kicks), T(days_of_dates), T(formats_of_the_rtc),
		T(by_cpuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
