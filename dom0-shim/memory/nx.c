// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large pages without the right to execute; the contract is in nx.h.
 *
 * A region is a place of a large page that has been split, or was never made, because the
 * guest executes there.  They are recovered oldest first, a part of them each time.
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <asm/processor.h>
#include <asm/spec-ctrl.h>

#include "compat.h"
#include "memslot.h"
#include "mmu.h"
#include "nx.h"

struct region {
	struct list_head link;	/* vm->nx.regions */
	u64 gfn;
	unsigned int order;
};

static DEFINE_MUTEX(nx_lock);	/* the list of VMs, and writers of these: */
static LIST_HEAD(vms);
static bool enabled, never;
unsigned int bp_nx_ratio = IS_ENABLED(CONFIG_PREEMPT_RT) ? 0 : 60;
unsigned int bp_nx_period_ms;

/* ---- regions; vm->mmu_lock is held ---- */

static unsigned long key(u64 gfn, unsigned int order)
{
	return gfn >> order << 1 | (order > 9);
}

bool bp_nx_on(const struct bp_vm *vm)
{
	return READ_ONCE(enabled) && !vm->nx.off;
}

bool bp_nx_is_split(struct bp_vm *vm, u64 gfn, unsigned int order)
{
	return xa_load(&vm->nx.by_place, key(gfn, order));
}

/* Without memory it does not count as one: a large page may be tried again, no more. */
static void add_region(struct bp_vm *vm, u64 gfn, unsigned int order)
{
	gfp_t gfp = GFP_ATOMIC | __GFP_NOWARN | __GFP_ACCOUNT;
	struct region *r;

	if (bp_nx_is_split(vm, gfn, order))
		return;
	r = kmalloc(sizeof(*r), gfp);
	if (!r)
		return;
	if (xa_err(xa_store(&vm->nx.by_place, key(gfn, order), r, gfp))) {
		kfree(r);
		return;
	}
	r->gfn = gfn & ~((1ull << order) - 1);
	r->order = order;
	list_add_tail(&r->link, &vm->nx.regions);
	vm->nx.nr_regions++;
}

static void drop_region(struct bp_vm *vm, struct region *r)
{
	xa_erase(&vm->nx.by_place, key(r->gfn, r->order));
	list_del(&r->link);
	vm->nx.nr_regions--;
	kfree(r);
}

/* The lock may be given up in between, as there may be very many. */
static void drop_within(struct bp_vm *vm, u64 gfn, u64 npages)
{
	unsigned long index, last = gfn + npages - 1;
	unsigned int order;
	struct region *r;

	for (order = 9; order <= 18; order += 9)
		xa_for_each_range(&vm->nx.by_place, index, r, key(gfn, order), key(last, order)) {
			if (r->order == order && r->gfn - gfn < npages)
				drop_region(vm, r);
			cond_resched_lock(&vm->mmu_lock);
		}
}

void bp_nx_forget(struct bp_vm *vm, u64 gfn, u64 npages)
{
	spin_lock(&vm->mmu_lock);
	drop_within(vm, gfn, npages);
	spin_unlock(&vm->mmu_lock);
}

/* ---- recovery ---- */

/* How often; false: not at all. */
static bool recovery_period(unsigned int *ms)
{
	unsigned int ratio = READ_ONCE(bp_nx_ratio);

	if (!READ_ONCE(enabled) || !ratio)
		return false;
	*ms = READ_ONCE(bp_nx_period_ms);
	if (!*ms)
		*ms = 3600 * MSEC_PER_SEC / min(ratio, 3600u);
	return true;
}

static void plan(struct bp_vm *vm)
{
	unsigned int ms;

	if (recovery_period(&ms))
		queue_delayed_work(system_unbound_wq, &vm->nx.work, msecs_to_jiffies(ms));
}

/* Earlier than it was planned. */
static void plan_anew(struct bp_vm *vm)
{
	unsigned int ms;

	if (recovery_period(&ms))
		mod_delayed_work(system_unbound_wq, &vm->nx.work, msecs_to_jiffies(ms));
}

void bp_nx_split(struct bp_vm *vm, u64 gfn, unsigned int order)
{
	for (; order; order -= 9)
		add_region(vm, gfn, order);
	plan(vm);
}

/*
 * The oldest region, which counts no more.  Not to be zapped where writes are logged: there
 * nothing large would come.
 */
static bool take_oldest(struct bp_vm *vm, struct region *out, bool *zap)
{
	const struct bp_memslot *slot;
	struct region *r;

	spin_lock(&vm->mmu_lock);
	r = list_first_entry_or_null(&vm->nx.regions, struct region, link);
	if (r) {
		*out = *r;
		slot = bp_slot_find(vm, r->gfn);
		*zap = !slot || !slot->dirty;
		if (*zap)
			drop_within(vm, out->gfn, 1ull << out->order);
		else
			drop_region(vm, r);
	}
	spin_unlock(&vm->mmu_lock);
	return r;
}

static void recover(struct work_struct *work)
{
	struct bp_vm *vm = container_of(work, struct bp_vm, nx.work.work);
	unsigned int ratio = READ_ONCE(bp_nx_ratio);
	unsigned long n = ratio ? DIV_ROUND_UP(READ_ONCE(vm->nx.nr_regions), ratio) : 0;
	int idx = srcu_read_lock(&vm->srcu);
	struct region r;
	bool zap;

	for (; n && take_oldest(vm, &r, &zap); n--) {
		if (zap)
			bp_zap_many(vm, r.gfn, 1ull << r.order);
		cond_resched();
	}
	srcu_read_unlock(&vm->srcu, idx);
	if (READ_ONCE(vm->nx.nr_regions))
		plan(vm);
}

/* ---- VMs ---- */

void bp_nx_init(struct bp_vm *vm)
{
	xa_init(&vm->nx.by_place);
	INIT_LIST_HEAD(&vm->nx.regions);
	INIT_DELAYED_WORK(&vm->nx.work, recover);
	mutex_lock(&nx_lock);
	list_add(&vm->nx.vms, &vms);
	mutex_unlock(&nx_lock);
}

void bp_nx_exit(struct bp_vm *vm)
{
	mutex_lock(&nx_lock);
	list_del(&vm->nx.vms);
	mutex_unlock(&nx_lock);
	cancel_delayed_work_sync(&vm->nx.work);
	bp_nx_forget(vm, 0, U64_MAX);
	xa_destroy(&vm->nx.by_place);
}

long bp_nx_disable(struct bp_vm *vm)
{
	long ret = -EINVAL;

	mutex_lock(&vm->lock);
	if (!vm->nr_vcpus) {
		vm->nx.off = true;
		ret = 0;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

/*
 * All mappings go: bp_nx_forget() has waited for faults that still made them by the other rule.
 * nx_lock is held, so no lock is taken that the VMM of one guest could keep from all others.
 */
static void change_rule(struct bp_vm *vm)
{
	bp_nx_forget(vm, 0, U64_MAX);
	bp_zap_all(vm);
	plan_anew(vm);
}

/* ---- the parameters ---- */

static bool auto_mode(void)
{
	return boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off();
}

const char *bp_nx_get(void)
{
	if (READ_ONCE(never))
		return "never";
	return READ_ONCE(enabled) ? "Y" : "N";
}

static int parse(const char *val, bool *new)
{
	*new = false;
	if (sysfs_streq(val, "off"))
		return 0;
	if (sysfs_streq(val, "never")) {
		if (!list_empty(&vms))
			return -EBUSY;
		WRITE_ONCE(never, true);
		return 0;
	}
	*new = true;
	if (sysfs_streq(val, "force"))
		return 0;
	*new = auto_mode();
	return sysfs_streq(val, "auto") ? 0 : kstrtobool(val, new);
}

static void set_enabled(bool new)
{
	WRITE_ONCE(enabled, new);
	bp_show_itlb_multihit(new);
}

int bp_nx_set(const char *val)
{
	struct bp_vm *vm;
	int ret = -EPERM;
	bool new;

	mutex_lock(&nx_lock);
	if (!never)
		ret = parse(val, &new);
	if (!ret && new != enabled) {
		set_enabled(new);
		list_for_each_entry(vm, &vms, nx.vms)
			change_rule(vm);
	}
	mutex_unlock(&nx_lock);
	return ret;
}

int bp_nx_set_recovery(unsigned int *param, const char *val)
{
	unsigned int new, before = 0, after = 0;
	struct bp_vm *vm;
	int ret = -EPERM;
	bool was;

	mutex_lock(&nx_lock);
	if (!never)
		ret = kstrtouint(val, 0, &new);
	if (!ret) {
		was = recovery_period(&before);
		WRITE_ONCE(*param, new);
		if (recovery_period(&after) && (!was || before > after))
			list_for_each_entry(vm, &vms, nx.vms)
				plan_anew(vm);
	}
	mutex_unlock(&nx_lock);
	return ret;
}

void bp_nx_module_init(void)
{
	set_enabled(auto_mode());
}

void bp_nx_module_exit(void)
{
	bp_show_itlb_multihit(false);
}
