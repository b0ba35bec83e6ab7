// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqfd: an eventfd whose signal is an interrupt.
 *
 * The wake-up comes under the eventfd's wait queue lock, in any context, and
 * delivers at once: routes, chip locks and hypercalls allow that.
 *
 * Life: an irqfd is on irq->irqfds while it is active.  Whoever takes it off
 * (under irqfd_lock: a deassign, the VM's release, or the eventfd's last close)
 * queues its shutdown, which leaves the wait queue, after which no wake-up can
 * come, waits for readers of the list, and frees it.  Deassign and release wait
 * for that work, so that no wake-up outlives them.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "irqchip_priv.h"

struct bp_irqfd {
	struct bp_irq *irq;
	u32 gsi;
	struct eventfd_ctx *eventfd;
	struct eventfd_ctx *resamplefd;	/* or NULL */
	struct list_head list;		/* irq->irqfds */
	bool active;			/* on the list; under irqfd_lock */
	wait_queue_entry_t wait;
	poll_table pt;
	struct work_struct shutdown;
};

static struct workqueue_struct *shutdown_wq;

/* A resampled line stays high until its interrupt has been served. */
static void deliver(struct bp_irqfd *irqfd)
{
	if (irqfd->resamplefd)
		bp_irq_set(irqfd->irq, BP_IRQ_SRC_RESAMPLE, irqfd->gsi, true);
	else
		bp_gsi_pulse(irqfd->irq, BP_IRQ_SRC_USER, irqfd->gsi);
}

/* irqfd_lock is held. */
static void deactivate(struct bp_irqfd *irqfd)
{
	if (!irqfd->active)
		return;
	irqfd->active = false;
	list_del_rcu(&irqfd->list);
	queue_work(shutdown_wq, &irqfd->shutdown);
}

static int wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync,
		  void *key)
{
	struct bp_irqfd *irqfd = container_of(wait, struct bp_irqfd, wait);
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	int taken = 0;
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		deliver(irqfd);
		taken = 1;
	}
	if (events & EPOLLHUP) {
		spin_lock_irqsave(&irqfd->irq->irqfd_lock, flags);
		deactivate(irqfd);
		spin_unlock_irqrestore(&irqfd->irq->irqfd_lock, flags);
	}
	return taken;
}

static void queue_proc(struct file *file, wait_queue_head_t *head,
		       poll_table *pt)
{
	struct bp_irqfd *irqfd = container_of(pt, struct bp_irqfd, pt);

	add_wait_queue_priority(head, &irqfd->wait);
}

/* The last one to resample a GSI lets its line go. */
static void drop_line(struct bp_irq *irq, u32 gsi)
{
	struct bp_irqfd *other;
	bool shared = false;
	int idx;

	idx = srcu_read_lock(&irq->srcu);
	list_for_each_entry_srcu(other, &irq->irqfds, list,
				 srcu_read_lock_held(&irq->srcu))
		shared |= other->resamplefd && other->gsi == gsi;
	srcu_read_unlock(&irq->srcu, idx);
	if (!shared)
		bp_irq_set(irq, BP_IRQ_SRC_RESAMPLE, gsi, false);
}

static void shutdown(struct work_struct *work)
{
	struct bp_irqfd *irqfd = container_of(work, struct bp_irqfd, shutdown);
	u64 count;

	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	synchronize_srcu_expedited(&irqfd->irq->srcu);
	if (irqfd->resamplefd) {
		drop_line(irqfd->irq, irqfd->gsi);
		eventfd_ctx_put(irqfd->resamplefd);
	}
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

void bp_irqfd_ack(struct bp_irq *irq, u32 gsi)
{
	struct bp_irqfd *irqfd;
	bool lowered = false;
	int idx;

	idx = srcu_read_lock(&irq->srcu);
	list_for_each_entry_srcu(irqfd, &irq->irqfds, list,
				 srcu_read_lock_held(&irq->srcu)) {
		if (!irqfd->resamplefd || irqfd->gsi != gsi)
			continue;
		if (!lowered)
			bp_irq_set(irq, BP_IRQ_SRC_RESAMPLE, gsi, false);
		lowered = true;
		eventfd_signal(irqfd->resamplefd);
	}
	srcu_read_unlock(&irq->srcu, idx);
}

/* -EBUSY: the eventfd serves this VM already. */
static int add(struct bp_irq *irq, struct bp_irqfd *irqfd)
{
	struct bp_irqfd *other;
	int ret = 0;

	spin_lock_irq(&irq->irqfd_lock);
	list_for_each_entry(other, &irq->irqfds, list)
		if (other->eventfd == irqfd->eventfd)
			ret = -EBUSY;
	if (!ret) {
		list_add_tail_rcu(&irqfd->list, &irq->irqfds);
		irqfd->active = true;
	}
	spin_unlock_irq(&irq->irqfd_lock);
	return ret;
}

static int open_eventfds(struct bp_irqfd *irqfd, struct file *file,
			 const struct kvm_irqfd *args)
{
	irqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->eventfd))
		return PTR_ERR(irqfd->eventfd);
	if (!(args->flags & KVM_IRQFD_FLAG_RESAMPLE))
		return 0;
	irqfd->resamplefd = eventfd_ctx_fdget(args->resamplefd);
	if (!IS_ERR(irqfd->resamplefd))
		return 0;
	eventfd_ctx_put(irqfd->eventfd);
	return PTR_ERR(irqfd->resamplefd);
}

/*
 * The mutex keeps deassign away until the irqfd is in the wait queue; the
 * reference to @file keeps the eventfd's last close away.
 */
static int assign_file(struct bp_irq *irq, struct file *file,
		       const struct kvm_irqfd *args)
{
	struct bp_irqfd *irqfd;
	int ret;

	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd)
		return -ENOMEM;
	irqfd->irq = irq;
	irqfd->gsi = args->gsi;
	INIT_WORK(&irqfd->shutdown, shutdown);
	init_waitqueue_func_entry(&irqfd->wait, wakeup);
	init_poll_funcptr(&irqfd->pt, queue_proc);
	ret = open_eventfds(irqfd, file, args);
	if (ret) {
		kfree(irqfd);
		return ret;
	}

	mutex_lock(&irq->irqfd_mutex);
	ret = add(irq, irqfd);
	/* A signal from before now is an interrupt, too. */
	if (!ret && (vfs_poll(file, &irqfd->pt) & EPOLLIN))
		deliver(irqfd);
	mutex_unlock(&irq->irqfd_mutex);
	if (!ret)
		return 0;

	if (irqfd->resamplefd)
		eventfd_ctx_put(irqfd->resamplefd);
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
	return ret;
}

static int assign(struct bp_irq *irq, const struct kvm_irqfd *args)
{
	enum bp_irq_mode mode = bp_irq_mode(irq);
	struct file *file;
	int ret;

	if (mode == BP_IRQ_NONE)
		return -EINVAL;
	/* Who else would report that the interrupt has been served? */
	if ((args->flags & KVM_IRQFD_FLAG_RESAMPLE) && mode != BP_IRQ_KERNEL)
		return -EINVAL;
	file = fget(args->fd);
	if (!file)
		return -EBADF;
	ret = assign_file(irq, file, args);
	fput(file);
	return ret;
}

/* @eventfd NULL: all of them. */
static void remove(struct bp_irq *irq, struct eventfd_ctx *eventfd, u32 gsi)
{
	struct bp_irqfd *irqfd, *next;

	mutex_lock(&irq->irqfd_mutex);
	spin_lock_irq(&irq->irqfd_lock);
	list_for_each_entry_safe(irqfd, next, &irq->irqfds, list)
		if (!eventfd || (irqfd->eventfd == eventfd && irqfd->gsi == gsi))
			deactivate(irqfd);
	spin_unlock_irq(&irq->irqfd_lock);
	mutex_unlock(&irq->irqfd_mutex);
	flush_workqueue(shutdown_wq);
}

static int deassign(struct bp_irq *irq, const struct kvm_irqfd *args)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(args->fd);

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	remove(irq, eventfd, args->gsi);
	eventfd_ctx_put(eventfd);
	return 0;
}

int bp_irqfd(struct bp_irq *irq, const struct kvm_irqfd *args)
{
	if (args->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	if (args->flags & KVM_IRQFD_FLAG_DEASSIGN)
		return deassign(irq, args);
	return assign(irq, args);
}

void bp_irq_release(struct bp_irq *irq)
{
	remove(irq, NULL, 0);
}

void bp_irqfd_init(struct bp_irq *irq)
{
	mutex_init(&irq->irqfd_mutex);
	spin_lock_init(&irq->irqfd_lock);
	INIT_LIST_HEAD(&irq->irqfds);
}

int bp_irq_module_init(void)
{
	shutdown_wq = alloc_workqueue("bedplate-irqfd", WQ_UNBOUND, 0);
	return shutdown_wq ? 0 : -ENOMEM;
}

void bp_irq_module_exit(void)
{
	destroy_workqueue(shutdown_wq);
}
