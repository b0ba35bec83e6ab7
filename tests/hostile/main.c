// SPDX-License-Identifier: GPL-2.0-only
/* Threads, the account, and what must be as it was; see hostile.h. */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "hostile.h"

static unsigned long seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "of all that is random");
static unsigned long calls = 100000;
module_param(calls, ulong, 0444);
MODULE_PARM_DESC(calls, "hypercalls to make, about so many");

module_param_named(device, device_ours, uint, 0444);
MODULE_PARM_DESC(device, "segment << 16 | bus << 8 | devfn of one that nobody uses");

static atomic_long_t made;
static bool over;
static struct completion done;		/* once for each caller */
static unsigned int nr_threads;
static struct thread *threads[256];
static struct task_struct *tasks[256];

static u64 made_by(const struct thread *t)
{
	u64 n = 0;
	int i;

	for (i = 0; i < 64; i++)
		n += t->calls[i];
	return n;
}

/* It ends by itself, and waits to be told so. */
static void wait_stop(void)
{
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
}

static int caller(void *arg)
{
	struct thread *t = arg;
	u64 before = 0, now;

	while (atomic_long_read(&made) < calls) {
		call_one(t);
		now = made_by(t);
		atomic_long_add(now - before, &made);
		before = now;
		cond_resched();
	}
	WRITE_ONCE(over, true);
	complete(&done);
	wait_stop();
	return 0;
}

static u64 one_shared(struct thread *t)
{
	switch (below(t, 4)) {
	case 0: return page_of(t, pick_domain(t), pick_vcpu(t));
	case 1: return state_of(t, pick_domain(t), pick_vcpu(t));
	default: return frame_of(t, ZONE_MAP + below(t, 3));
	}
}

static int writer(void *arg)
{
	struct thread *t = arg;
	int n;

	while (!READ_ONCE(over)) {
		for (n = 0; n < 64; n++)
			frame_scribble(t, one_shared(t));
		schedule();
	}
	wait_stop();
	return 0;
}

static int start(int (*fn)(void *), const char *name, int cpu)
{
	struct thread *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct task_struct *task;

	if (!t)
		return -ENOMEM;
	t->state = seed + ((u64)nr_threads << 40);
	t->list = frame_of(t, ZONE_LIST);
	threads[nr_threads] = t;
	task = kthread_create_on_cpu(fn, t, cpu, name);
	if (IS_ERR(task))
		return PTR_ERR(task);
	tasks[nr_threads++] = task;
	return 0;
}

static void stop_all(void)
{
	unsigned int i;

	for (i = 0; i < nr_threads; i++)
		kthread_stop(tasks[i]);
}

static void drop_ring(void *unused)
{
	bp_hc_ring(0, 0);
}

static void stats(struct bp_hv_stats *s, void *page)
{
	bp_hc_domain_get(0, BP_HV_STATS, bp_pfn(page));
	memcpy(s, page, sizeof(*s));
}

static bool same(const char *what, u64 is, u64 was)
{
	if (is != was)
		pr_err("hostile: %s: %llu, before %llu\n", what, is, was);
	return is == was;
}

static bool all_back(const struct bp_hv_stats *is, const struct bp_hv_stats *was)
{
	bool ok = same("pool_free", is->pool_free, was->pool_free);

	ok &= same("donated_frames", is->donated_frames, was->donated_frames);
	ok &= same("mapped_frames", is->mapped_frames, was->mapped_frames);
	ok &= same("shared_frames", is->shared_frames, was->shared_frames);
	ok &= same("domains", is->domains, was->domains);
	return ok & same("vcpus", is->vcpus, was->vcpus);
}

static void account(u64 ns)
{
	u64 good = 0, all = 0;
	unsigned int i, nr;

	for (nr = 0; nr < 64; nr++) {
		u64 n = 0, g = 0;

		for (i = 0; i < nr_threads; i++) {
			n += threads[i]->calls[nr];
			g += threads[i]->good[nr];
		}
		if (n && nr < 28)
			pr_info("hostile: call %u: %llu made, %llu succeeded\n", nr, n, g);
		all += n;
		good += g;
	}
	pr_info("hostile: seed %lu: %llu calls, %llu succeeded, %llu s, %llu a second\n", seed, all, good,
		ns / NSEC_PER_SEC, all * 1000 / (ns / NSEC_PER_MSEC + 1));
}

/* A caller and a writer on each CPU, until so many calls are made. */
static int storm(void)
{
	unsigned int cpu, callers = 0, i;
	int err = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		err = err ?: start(caller, "hostile/%u", cpu);
		callers += !err;
		err = err ?: start(writer, "hostile-writer/%u", cpu);
	}
	cpus_read_unlock();
	for (i = 0; i < nr_threads; i++)
		wake_up_process(tasks[i]);
	for (i = 0; i < callers; i++)
		wait_for_completion_state(&done, TASK_IDLE);	/* however long: no hung task */
	stop_all();
	return err;
}

/* What was taken comes back; true: all of it. */
static bool calm(struct thread *t, void *page, const struct bp_hv_stats *before)
{
	struct bp_hv_stats after;
	unsigned int away;
	bool fine;

	on_each_cpu(drop_ring, NULL, 1);
	fine = calls_undo(t);
	stats(&after, page);
	fine &= all_back(&after, before);
	away = frames_release();
	if (away)
		pr_err("hostile: %u frames do not come back\n", away);
	return fine && !away;
}

static int hostile(struct thread *t, void *page)
{
	struct bp_hv_stats before;
	int err = frames_take();
	bool fine;
	u64 ns;

	if (err)
		return err;
	t->state = ~seed;
	t->list = frame_of(t, ZONE_LIST);
	devices_begin();
	stats(&before, page);
	pr_info("hostile: seed %lu: %lu calls on %u CPUs\n", seed, calls, num_online_cpus());
	ns = ktime_get_ns();
	err = storm();
	ns = ktime_get_ns() - ns;
	fine = calm(t, page, &before) && !err;
	account(ns);
	pr_info("hostile: %s\n", fine ? "all is as before" : "not all is as before");
	return err;
}

static int __init hostile_init(void)
{
	struct thread *t = kzalloc(sizeof(*t), GFP_KERNEL);
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	int err = bp_find_bedplate();

	init_completion(&done);
	if (!err)
		err = t && page ? hostile(t, page) : -ENOMEM;
	free_page((unsigned long)page);
	kfree(t);
	while (nr_threads)
		kfree(threads[--nr_threads]);
	return err;
}

static void __exit hostile_exit(void)
{
}

module_init(hostile_init);
module_exit(hostile_exit);
MODULE_DESCRIPTION("A service VM that means Bedplate harm, for tests");
MODULE_LICENSE("GPL");
