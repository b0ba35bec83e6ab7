// SPDX-License-Identifier: GPL-2.0-only
/* Probes at the entry of what allocates; see failing.h. */
#include <linux/kprobes.h>
#include <linux/linkage.h>

#include "failing.h"

/* Where a function goes on that is to return at once. */
asmlinkage void failing_return(void);
asm(".pushsection .text, \"ax\"\n"
    ".type failing_return, @function\n"
    "failing_return:\n\t"
    ASM_ENDBR
    ASM_RET
    ".size failing_return, .-failing_return\n"
    ".popsection\n");

struct target {
	struct kprobe probe;
	unsigned long ret;
};

static int on_entry(struct kprobe *p, struct pt_regs *regs)
{
	if (!failing_due(FAILING_MEMORY, p->symbol_name, *(unsigned long *)regs->sp))
		return 0;
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
static int registered;

int failing_memory_init(void)
{
	int err;

	for (registered = 0; registered < ARRAY_SIZE(targets); registered++) {
		err = register_kprobe(&targets[registered].probe);
		if (err) {
			pr_err("failing: %s: %d\n", targets[registered].probe.symbol_name, err);
			failing_memory_exit();
			return err;
		}
	}
	return 0;
}

void failing_memory_exit(void)
{
	while (registered)
		unregister_kprobe(&targets[--registered].probe);
}
