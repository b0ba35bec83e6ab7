// SPDX-License-Identifier: GPL-2.0-only
/* A VM's domain, and the frames that are donated to it (channel/frames.h). */
#include <linux/sched.h>

#include "channel/frames.h"
#include "channel/hypercall.h"
#include "channel/ring.h"
#include "donate.h"

static void frames_given(struct bp_vm *vm, const u64 *list, struct list_head *guards)
{
	bp_frames_given(&vm->donated, list, BP_DONATE_CHUNK, guards);
	vm->nr_donated += BP_DONATE_CHUNK;
}

int bp_domain_create(struct bp_vm *vm)
{
	u64 *list = page_address(vm->list_page);
	LIST_HEAD(guards);
	long ret;

	ret = bp_alloc_frames(list, BP_DONATE_CHUNK, GFP_KERNEL_ACCOUNT, &guards);
	if (ret)
		return ret;
	ret = bp_hc_domain_create(page_to_pfn(vm->list_page), BP_DONATE_CHUNK,
				  current->tgid, 0);
	if (ret <= 0) {
		bp_free_frames(list, BP_DONATE_CHUNK, &guards);
		return ret ? ret : -EIO;
	}
	frames_given(vm, list, &guards);
	vm->dom = ret;
	return 0;
}

int bp_donate(struct bp_vm *vm)
{
	u64 *list = page_address(vm->list_page);
	LIST_HEAD(guards);
	long ret;

	mutex_lock(&vm->donate_lock);
	ret = bp_alloc_frames(list, BP_DONATE_CHUNK, GFP_KERNEL_ACCOUNT, &guards);
	if (ret)
		goto out;
	ret = bp_hc_donate(vm->dom, page_to_pfn(vm->list_page),
			   BP_DONATE_CHUNK);
	if (ret < 0)
		bp_free_frames(list, BP_DONATE_CHUNK, &guards);
	else
		frames_given(vm, list, &guards);
out:
	mutex_unlock(&vm->donate_lock);
	return ret < 0 ? ret : 0;
}

int bp_domain_destroy(struct bp_vm *vm)
{
	u64 *list = page_address(vm->list_page);
	long ret;

	while ((ret = bp_hc_domain_destroy(vm->dom)) > 0)
		cond_resched();
	if (ret < 0) {
		pr_err("bedplate: domain %u cannot be destroyed: %ld\n",
		       vm->dom, ret);
		return ret;
	}
	/* No new events now; those under way must not meet the id's next user. */
	bp_ring_drain_all();

	while ((ret = bp_hc_reclaim(vm->dom, page_to_pfn(vm->list_page),
				    BP_LIST_MAX)) > 0) {
		bp_frames_returned(list, ret);
		vm->nr_donated -= ret;
		cond_resched();
	}
	if (ret < 0 || vm->nr_donated)
		pr_err("bedplate: domain %u keeps %u frames: %ld\n", vm->dom,
		       vm->nr_donated, ret);
	else
		bp_free_listed(&vm->donated, true);
	return 0;
}
