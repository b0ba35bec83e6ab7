// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/bedplate: all domains and vCPUs, a line each, for the bedplate tool.  Words after
 * the ids are NAME=VALUE, counters from zero on:
 *
 *	domain 3 pid=812 comm=qemu-system-x86 weight=100 vcpus=2 memory_bytes=...
 *	vcpu 3 0 apic=0 cpu=1 state=running weight=100 run_ns=... x.io=... s.io=...
 *
 * x. are exits by reason, as Bedplate names them; s. those that came here, by what was
 * done.  Names may be added, and what is 0 may be left out.
 */
#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "memory/memslot.h"
#include "files.h"

/*
 * A line's position: the domain, and 0 for its own line or 1 + a vCPU's index.  The domains
 * between start and stop are kept by RCU.
 */
#define POS_BITS	11
static_assert(BP_MAX_VCPUS < 1 << POS_BITS);

struct view {
	unsigned long dom;
	unsigned int line;
	struct bp_vm *vm;		/* NULL: domain 0 */
	union {				/* a page, shared with Bedplate */
		void *page;
		struct bp_vcpu_counters *c;
		struct bp_domain_stats *d;
	};
};

/* Words of a page, pointers to them by number; filled when the module loads. */
static char *exit_names;
static const char *exit_name[BP_EXIT_COUNTERS];

/* ---- lines ---- */

static const char *state_name(u32 state)
{
	static const char *const names[] = { "stopped", "runnable", "running", "halted", "inrun" };

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

static u64 memory_bytes(struct bp_vm *vm)
{
	struct bp_memslot *s;
	unsigned long gfn = 0;
	u64 pages = 0;
	int idx = srcu_read_lock(&vm->srcu);

	mt_for_each(&vm->slots, s, gfn, (unsigned long)BP_GFN_SMM - 1)
		pages += s->npages;
	srcu_read_unlock(&vm->srcu, idx);
	return pages << PAGE_SHIFT;
}

/* A name that someone else chose is one word. */
static void show_word(struct seq_file *m, const char *s)
{
	for (; *s; s++)
		seq_putc(m, isgraph(*s) && isascii(*s) ? *s : '_');
}

static void show_domain(struct seq_file *m, const struct view *v)
{
	const struct bp_domain_stats *s = v->d;

	if (!v->vm) {
		seq_printf(m, "domain 0 vcpus=%u\n", cpuid_ebx(BP_CPUID_VERSION));
		return;
	}
	if (bp_hc_domain_get(v->dom, BP_DOM_STATS, bp_pfn(s)) < 0)
		return;
	seq_printf(m, "domain %lu pid=%d comm=", v->dom, v->vm->owner);
	show_word(m, v->vm->comm);
	seq_printf(m, " weight=%u vcpus=%llu memory_bytes=%llu frames=%llu frames_free=%llu",
		   READ_ONCE(v->vm->weight), s->vcpus, memory_bytes(v->vm), s->frames, s->frames_free);
	seq_printf(m, " mapped=%llu leaves_4k=%llu leaves_2m=%llu leaves_1g=%llu flushes=%llu",
		   s->mapped, s->leaves[0], s->leaves[1], s->leaves[2], s->flushes);
	seq_printf(m, " exits=%llu service_exits=%llu run_ns=%llu\n", s->exits, s->service_exits,
		   s->run_ns);
}

static void show_counter(struct seq_file *m, const char *kind, const char *name, u64 n)
{
	if (n)
		seq_printf(m, " %s.%s=%llu", kind, name, n);
}

static void show_service(struct seq_file *m, const struct bp_vcpu_stats *s)
{
	show_counter(m, "s", "all", READ_ONCE(s->service_exits));
	show_counter(m, "s", "interrupt", READ_ONCE(s->irq_exits));
	show_counter(m, "s", "halt", READ_ONCE(s->halt_exits));
	show_counter(m, "s", "io", READ_ONCE(s->io_exits));
	show_counter(m, "s", "page_fault", READ_ONCE(s->pf_taken));
	show_counter(m, "s", "mmio", READ_ONCE(s->mmio_exits));
	show_counter(m, "s", "signal", READ_ONCE(s->signal_exits));
	show_counter(m, "s", "interrupt_window", READ_ONCE(s->irq_window_exits));
	show_counter(m, "s", "emulated", READ_ONCE(s->insn_emulation));
}

static void show_vcpu(struct seq_file *m, const struct view *v)
{
	const struct bp_vcpu *vcpu = v->vm ? bp_vcpu_at(v->vm, v->line - 1) : NULL;
	const struct bp_vcpu_counters *c = v->c;
	u32 i;

	if (bp_hc_vcpu_counters(v->dom, v->line - 1, bp_pfn(c)))
		return;
	seq_printf(m, "vcpu %lu %u", v->dom, v->line - 1);
	if (vcpu)
		seq_printf(m, " apic=%u", vcpu->id);
	seq_printf(m, " cpu=%u state=%s weight=%u run_ns=%llu wait_ns=%llu stolen_ns=%llu", c->cpu,
		   state_name(c->state), c->weight, c->run_ns, c->wait_ns, c->stolen_ns);
	for (i = 0; i < min(c->nr_exits, BP_EXIT_COUNTERS); i++)
		show_counter(m, "x", exit_name[i], c->exits[i]);
	if (vcpu)
		show_service(m, &vcpu->stats);
	seq_putc(m, '\n');
}

static int view_show(struct seq_file *m, void *p)
{
	const struct view *v = p;

	if (v->line)
		show_vcpu(m, v);
	else
		show_domain(m, v);
	return 0;
}

/* ---- walking ---- */

static u32 nr_vcpus(const struct view *v)
{
	/* With the vCPUs that it counts. */
	return v->vm ? smp_load_acquire(&v->vm->nr_vcpus) : cpuid_ebx(BP_CPUID_VERSION);
}

/* The line at *pos, or the first one after it; NULL: there is none. */
static void *seek(struct view *v, loff_t *pos)
{
	unsigned long dom = *pos >> POS_BITS;

	v->dom = dom;
	v->line = *pos & ((1 << POS_BITS) - 1);
	v->vm = dom ? xa_load(&bp_vms, dom) : NULL;
	if (v->line <= nr_vcpus(v) && (!dom || v->vm))
		return v;
	dom++;
	v->vm = xa_find(&bp_vms, &dom, ULONG_MAX, XA_PRESENT);
	v->dom = dom;
	v->line = 0;
	*pos = (loff_t)dom << POS_BITS;
	return v->vm ? v : NULL;
}

static void *view_start(struct seq_file *m, loff_t *pos) __acquires(RCU)
{
	rcu_read_lock();
	return seek(m->private, pos);
}

static void *view_next(struct seq_file *m, void *p, loff_t *pos)
{
	++*pos;
	return seek(p, pos);
}

static void view_stop(struct seq_file *m, void *p) __releases(RCU)
{
	rcu_read_unlock();
}

static const struct seq_operations view_seq = {
	.start = view_start,
	.next = view_next,
	.stop = view_stop,
	.show = view_show,
};

/* ---- the file ---- */

static int view_open(struct inode *inode, struct file *file)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	struct view *v = page ? __seq_open_private(file, &view_seq, sizeof(*v)) : NULL;

	if (!v) {
		free_page((unsigned long)page);
		return -ENOMEM;
	}
	v->page = page;
	return 0;
}

static int view_release(struct inode *inode, struct file *file)
{
	const struct view *v = ((struct seq_file *)file->private_data)->private;

	free_page((unsigned long)v->page);
	return seq_release_private(inode, file);
}

static const struct proc_ops view_ops = {
	.proc_open = view_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = view_release,
};

/* "nested page fault" and "I/O" become one word each, without capitals. */
static void name_exits(char *s)
{
	char *line, *from, *to;
	u32 i;

	for (i = 0; i < BP_EXIT_COUNTERS; i++) {
		line = strsep(&s, "\n");
		exit_name[i] = line && *line ? line : "other";
		if (!line)
			continue;
		for (from = to = line; *from; from++)
			if (*from == ' ')
				*to++ = '_';
			else if (isalnum(*from))
				*to++ = tolower(*from);
		*to = 0;
	}
}

int bp_proc_init(void)
{
	long n;

	exit_names = (void *)get_zeroed_page(GFP_KERNEL);
	if (!exit_names)
		return -ENOMEM;
	n = bp_hc_domain_get(0, BP_HV_EXIT_NAMES, bp_pfn(exit_names));
	exit_names[clamp_t(long, n, 0, PAGE_SIZE - 1)] = 0;
	name_exits(exit_names);
	if (!proc_create("bedplate", 0400, NULL, &view_ops)) {
		free_page((unsigned long)exit_names);
		return -ENOMEM;
	}
	return 0;
}

void bp_proc_exit(void)
{
	remove_proc_entry("bedplate", NULL);
	free_page((unsigned long)exit_names);
}
