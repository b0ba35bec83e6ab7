// SPDX-License-Identifier: GPL-2.0-only
/*
 * bp_failing.ko: of the requests for memory and the like that bedplate.ko makes for processes called
 * @comm, the @nth fails, and with @all each one after it. Debian's kernel is built without fault
 * injection; probes at the entry of what allocates do as well.
 */
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>

static int nth;
module_param(nth, int, 0644);
MODULE_PARM_DESC(nth, "the request to fail, counted from 1; 0 when it has");
static bool all;
module_param(all, bool, 0644);
MODULE_PARM_DESC(all, "those after it fail, too");
static int failed;
module_param(failed, int, 0644);
MODULE_PARM_DESC(failed, "how many have");
static char comm[TASK_COMM_LEN] = "bp-vmm";
module_param_string(comm, comm, sizeof(comm), 0644);
static char where[80];
module_param_string(where, where, sizeof(where), 0444);
MODULE_PARM_DESC(where, "the last of them");

static DEFINE_RAW_SPINLOCK(lock);
static unsigned long text, size;
module_param(text, ulong, 0444);
module_param(size, ulong, 0444);
MODULE_PARM_DESC(text, "where bedplate.ko is: /sys/module/bedplate/sections/.text, coresize");

/* Where a function goes on that is to return at once. */
asmlinkage void failing_return(void);
asm(".pushsection .text, \"ax\"\n"
    ".type failing_return, @function\n"
    "failing_return:\n\t"
    ASM_ENDBR
    ASM_RET
    ".size failing_return, .-failing_return\n"
    ".popsection\n");

static bool due(void)
{
	bool is = false;

	raw_spin_lock(&lock);
	if (nth > 0)
		is = !--nth;
	else
		is = all && failed;
	failed += is;
	raw_spin_unlock(&lock);
	return is;
}

struct target {
	struct kprobe probe;
	unsigned long ret;
};

static int on_entry(struct kprobe *p, struct pt_regs *regs)
{
	unsigned long from = *(unsigned long *)regs->sp;

	if (from - text >= size || strncmp(current->comm, comm, strlen(comm)) || !due())
		return 0;
	snprintf(where, sizeof(where), "%s for %pS", p->symbol_name, (void *)from);
	regs->ax = container_of(p, struct target, probe)->ret;
	regs->ip = (unsigned long)failing_return;
	return 1;
}

#define TARGET(name, what) \
	{ .probe = { .symbol_name = #name, .pre_handler = on_entry }, .ret = (unsigned long)(what) }
#define NOTHING	0
#define ERROR	-ENOMEM

static struct target targets[] = {
	TARGET(__kmalloc_cache_noprof, NOTHING), TARGET(__kmalloc_noprof, NOTHING),
	TARGET(__kvmalloc_node_noprof, NOTHING), TARGET(__vmalloc_noprof, NOTHING),
	TARGET(alloc_pages_noprof, NOTHING), TARGET(get_free_pages_noprof, NOTHING),
	TARGET(memdup_user, ERROR), TARGET(vmemdup_user, ERROR), TARGET(anon_inode_getfile, ERROR),
	TARGET(anon_inode_create_getfile, ERROR), TARGET(anon_inode_getfd, ERROR), TARGET(init_srcu_struct, ERROR),
	TARGET(mmu_notifier_register, ERROR), TARGET(__xa_alloc_cyclic, ERROR), TARGET(__xa_insert, ERROR),
	TARGET(kobject_init_and_add, ERROR),
};

static int __init failing_init(void)
{
	int i, err = text ? 0 : -EINVAL;

	for (i = 0; i < ARRAY_SIZE(targets) && !err; i++) {
		err = register_kprobe(&targets[i].probe);
		if (err)
			pr_err("failing: %s: %d\n", targets[i].probe.symbol_name, err);
	}
	while (err && i-- > 1)
		unregister_kprobe(&targets[i - 1].probe);
	return err;
}

static void __exit failing_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(targets); i++)
		unregister_kprobe(&targets[i].probe);
}

module_init(failing_init);
module_exit(failing_exit);
MODULE_DESCRIPTION("Makes requests of bedplate.ko's fail, for tests");
MODULE_LICENSE("GPL");
