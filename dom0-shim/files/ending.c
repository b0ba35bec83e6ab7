// SPDX-License-Identifier: GPL-2.0-only
/*
 * How this kernel ends, for Bedplate's log: who reads it after the next boot then knows
 * whether it was a restart, a power-off or a panic. What is not told of is a reset.
 */
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>

#include "channel/hypercall.h"
#include "files.h"

static int on_reboot(struct notifier_block *nb, unsigned long action, void *unused)
{
	bp_hc_ending(action == SYS_RESTART ? BP_ENDING_RESTART : BP_ENDING_OFF);
	return NOTIFY_DONE;
}

static int on_panic(struct notifier_block *nb, unsigned long action, void *unused)
{
	bp_hc_ending(BP_ENDING_PANIC);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_block = { .notifier_call = on_reboot };
static struct notifier_block panic_block = { .notifier_call = on_panic };

/* By kexec or after a crash this kernel may come behind another that has said its word. */
void bp_ending_init(void)
{
	bp_hc_ending(BP_ENDING_NOT);
	register_reboot_notifier(&reboot_block);
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}

void bp_ending_exit(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &panic_block);
	unregister_reboot_notifier(&reboot_block);
}
