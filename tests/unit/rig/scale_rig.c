// SPDX-License-Identifier: GPL-2.0-only
/* See scale_rig.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scale_rig.h"

#include "hv/core/apic/irq.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/machine/tsc.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/switch.h"

u64 tsc_khz = 1000000;
u64 host_tsc;
struct cpu *cpus[MAX_CPUS];
u32 nr_cpus;

struct cpu *rig_cpu[RIG_CPUS], *rig_here;
struct domain rig_dom[RIG_DOMS];
struct vcpu *rig_vcpu[RIG_VCPUS];
u64 rig_ipis, rig_hardware[RIG_CPUS], rig_windows;

static u64 seed;

struct cpu *this_cpu(void) { return rig_here; }

static void get_block(struct vcpu *v __unused, u8 *shadow, u8 *masked)
{
	*shadow = *masked = 0;
}

static const struct hv_ops rig_ops = { .get_block = get_block };
const struct hv_ops *ops = &rig_ops;
u64 hv_tsc(void) { return host_tsc; }
void lapic_timer_program(u64 deadline) { rig_hardware[rig_here->index] = deadline; }
void lapic_send_ipi(u32 apic_id __unused, u8 vector __unused) { rig_ipis++; }
void host_irq_window(void) { rig_windows++; }
void host_pause(void) { assert(!"nobody waits here"); }

/* Neither domain 0 nor exits. */
void cpu_switch_in(struct cpu *c, struct vcpu *v)
{
	c->current = v;
	if (v->apic.timer_waits)
		vlapic_timer_resume(v);
}

void cpu_switch_out(struct cpu *c) { c->current = NULL; }
void ring_post_service(struct vcpu *v __unused) { }
void vcpu_get_regs(const struct vcpu *v __unused, struct kvm_regs *r __unused) { }
void vcpu_set_regs(struct vcpu *v __unused, const struct kvm_regs *r __unused) { }
void vcpu_insn_done(struct vcpu *v __unused) { }
void vcpu_exception(struct vcpu *v __unused, u8 vector __unused, bool has __unused,
		    u32 error __unused) { }
void vcpu_apic_changed(struct vcpu *v __unused) { }
void vcpu_level_eoi(struct vcpu *v __unused, u8 vector __unused) { }
void dom0_lvt_written(struct vcpu *v __unused, u32 offset __unused, u32 val __unused) { }

u32 rig_random(u32 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

static void *page(void)
{
	void *p = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	assert(p);
	return memset(p, 0, PAGE_SIZE);
}

static struct vcpu **slot(struct domain *d, u32 i)
{
	if (i < VCPUS_FEW)
		return &d->few[i];
	i -= VCPUS_FEW;
	if (!d->more[i / VCPUS_PAGE])
		d->more[i / VCPUS_PAGE] = page();
	return &d->more[i / VCPUS_PAGE][i % VCPUS_PAGE];
}

static struct vcpu *make_vcpu(struct domain *d, u32 index, struct cpu *home)
{
	struct vcpu *v = page();
	int err;

	v->dom = d;
	v->index = index;
	v->home = home;
	v->state = VCPU_HALTED;
	v->mp_state = KVM_MP_STATE_HALTED;
	v->regs.rflags = X86_EFLAGS_IF;
	spin_lock_init(&v->lock, LOCK_VCPU);
	sched_init_vcpu(v, false);
	v->apic.reg = page();
	vlapic_init(v, index, !index);
	err = vlapic_write(v, APIC_REG_SVR, 0x1ff);
	assert(!err);
	err = vlapic_set_base(v, v->apic.base | APIC_BASE_EXTD);
	assert(!err);
	*slot(d, index) = v;
	d->nr_vcpus = index + 1;
	return v;
}

static void forget(void)
{
	u32 i;

	for (i = 0; i < RIG_VCPUS && rig_vcpu[i]; i++) {
		free(rig_vcpu[i]->apic.reg);
		free(rig_vcpu[i]);
		rig_vcpu[i] = NULL;
	}
	for (i = 0; i < RIG_DOMS * VCPU_PAGES; i++)
		free(rig_dom[i / VCPU_PAGES].more[i % VCPU_PAGES]);
	memset(rig_dom, 0, sizeof(rig_dom));
	for (i = 0; i < RIG_CPUS; i++)
		free(rig_cpu[i]);
	memset(rig_cpu, 0, sizeof(rig_cpu));
}

void rig_make(u32 n, u32 vcpus, u32 each)
{
	u32 i;

	forget();
	seed = 1;
	host_tsc = 1000000;
	rig_ipis = rig_windows = 0;
	memset(rig_hardware, 0, sizeof(rig_hardware));
	nr_cpus = n;
	for (i = 0; i < n; i++) {
		cpus[i] = rig_cpu[i] = page();
		rig_cpu[i]->index = rig_cpu[i]->apic_id = i;
		sched_init_cpu(rig_cpu[i]);
	}
	rig_here = rig_cpu[0];
	for (i = 0; i < vcpus; i++) {
		rig_dom[i / each].id = 1 + i / each;
		rig_vcpu[i] = make_vcpu(&rig_dom[i / each], i % each, rig_cpu[i % n]);
	}
}

void rig_runnable(struct vcpu *v)
{
	struct cpu *kept = rig_here;

	rig_here = v->home;
	v->state = VCPU_RUNNABLE;
	v->mp_state = KVM_MP_STATE_RUNNABLE;
	sched_enqueue(v->home, v, false);
	rig_here = kept;
}

struct vcpu *rig_take(struct cpu *c)
{
	struct vcpu *v;

	c->resched = false;
	v = sched_take(c);
	if (v)
		cpu_switch_in(c, v);
	return v;
}

void rig_halt(struct cpu *c, struct vcpu *v)
{
	v->mp_state = KVM_MP_STATE_HALTED;
	vcpu_block(v);
	assert(!c->current);
}

void rig_preempt(struct cpu *c, struct vcpu *v)
{
	cpu_switch_out(c);
	sched_stop(c, v);
	v->state = VCPU_RUNNABLE;
	sched_enqueue(c, v, true);
}

void rig_dequeue(struct vcpu *v)
{
	sched_dequeue(v);
	v->state = VCPU_HALTED;
	v->mp_state = KVM_MP_STATE_HALTED;
}

void rig_move(struct vcpu *v, struct cpu *to)
{
	sched_dequeue(v);
	sched_enqueue(to, v, false);
}

void rig_eat(struct vcpu *v)
{
	int vector;

	while ((vector = vlapic_pending(v)) >= 0) {
		vlapic_ack(v, vector);
		vlapic_eoi(v);
	}
}
