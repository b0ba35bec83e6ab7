// SPDX-License-Identifier: GPL-2.0-only
/* Which requests fail, by the module's parameters; see failing.h. */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "failing.h"

/* By kind of request (enum failing_kind). */
#define PER_KIND(name, perm, what) \
	static unsigned int name[FAILING_KINDS]; \
	module_param_array(name, uint, NULL, perm); \
	MODULE_PARM_DESC(name, what ", by kind: memory, MAP, donations, what else needs frames")

PER_KIND(nth, 0644, "the request to fail, counted from 1; 0 when it has");
PER_KIND(every, 0644, "after it each so many-th, too: 1 all, 0 none");
PER_KIND(failed, 0644, "how many have");
PER_KIND(seen, 0644, "how many there were");
PER_KIND(last, 0444, "the last that failed, as seen counts");

static char comm[TASK_COMM_LEN] = "bp-vmm";
module_param_string(comm, comm, sizeof(comm), 0644);
MODULE_PARM_DESC(comm, "the processes, by how their name begins");
static char where[80];
module_param_string(where, where, sizeof(where), 0444);
MODULE_PARM_DESC(where, "the last of all that failed");

static unsigned long text, end;
module_param(text, ulong, 0444);
module_param(end, ulong, 0444);
MODULE_PARM_DESC(text, "where bedplate.ko's code is: /sys/module/bedplate/sections/.text,");
MODULE_PARM_DESC(end, "and what follows it there, .altinstr_replacement");

static DEFINE_RAW_SPINLOCK(lock);

bool failing_due(enum failing_kind kind, const char *what, unsigned long from)
{
	unsigned long flags;
	bool due;

	if (from < text || from >= end || strncmp(current->comm, comm, strlen(comm)))
		return false;
	raw_spin_lock_irqsave(&lock, flags);
	seen[kind]++;
	due = nth[kind] && !--nth[kind];
	if (due) {
		nth[kind] = every[kind];
		failed[kind]++;
		last[kind] = seen[kind];
		snprintf(where, sizeof(where), "%s for %pS", what, (void *)from);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return due;
}

static int __init failing_init(void)
{
	int err = text && text < end ? failing_memory_init() : -EINVAL;

	if (err)
		return err;
	err = failing_calls_init(text, end);
	if (err)
		failing_memory_exit();
	return err;
}

static void __exit failing_exit(void)
{
	failing_calls_exit();
	failing_memory_exit();
}

module_init(failing_init);
module_exit(failing_exit);
MODULE_DESCRIPTION("Makes requests of bedplate.ko's fail, for tests");
MODULE_LICENSE("GPL");
