// SPDX-License-Identifier: GPL-2.0-only
/* Probes at the entry of what allocates; see failing.h. */
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/xarray.h>

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
	unsigned int gfp;	/* the argument, from 1, that says whether it may fail; 0: it may */
};

/* Not what must not fail, nor what has its memory already, which GFP_NOWAIT stands for. */
static bool may_fail(unsigned int arg, const struct pt_regs *regs)
{
	gfp_t gfp = arg == 4 ? regs->cx : regs->r8;

	return !arg || !(gfp & __GFP_NOFAIL || gfp == GFP_NOWAIT);
}

static int on_entry(struct kprobe *p, struct pt_regs *regs)
{
	const struct target *t = container_of(p, struct target, probe);

	if (!may_fail(t->gfp, regs) || !failing_due(FAILING_MEMORY, p->symbol_name, *(unsigned long *)regs->sp))
		return 0;
	regs->ax = t->ret;
	regs->ip = (unsigned long)failing_return;
	return 1;
}

#define TARGET_GFP(name, what, arg) \
	{ .probe = { .symbol_name = #name, .pre_handler = on_entry }, .ret = (unsigned long)(what), .gfp = (arg) }
#define TARGET(name, what) TARGET_GFP(name, what, 0)
#define NOTHING	0
#define ERROR	-ENOMEM

/* What bedplate.ko imports (nm -u) and may say that there is no memory. */
static struct target targets[] = {
	TARGET(__kmalloc_cache_noprof, NOTHING), TARGET(__kmalloc_noprof, NOTHING),
	TARGET(__kmalloc_large_noprof, NOTHING), TARGET(__kvmalloc_node_noprof, NOTHING),
	TARGET(__vmalloc_noprof, NOTHING), TARGET(alloc_pages_noprof, NOTHING),
	TARGET(get_free_pages_noprof, NOTHING), TARGET(get_zeroed_page_noprof, NOTHING),
	TARGET(memdup_user, ERROR), TARGET(vmemdup_user, ERROR), TARGET(get_unused_fd_flags, ERROR),
	TARGET(anon_inode_getfile, ERROR), TARGET(anon_inode_create_getfile, ERROR),
	TARGET(anon_inode_getfd, ERROR), TARGET(init_srcu_struct, ERROR), TARGET(mmu_notifier_register, ERROR),
	TARGET(__xa_alloc_cyclic, ERROR), TARGET(__xa_insert, ERROR), TARGET(__xa_cmpxchg, XA_ERROR(-ENOMEM)),
	TARGET_GFP(xa_store, XA_ERROR(-ENOMEM), 4), TARGET_GFP(mtree_store_range, ERROR, 5),
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
