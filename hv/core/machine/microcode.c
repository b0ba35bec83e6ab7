// SPDX-License-Identifier: GPL-2.0-only
/* Updates of microcode; the contract is in microcode.h. */
#include "microcode.h"

#include "boot_info.h"
#include "cmdline.h"
#include "lib/atomic.h"
#include "lib/x86.h"
#include "log.h"
#include "paging.h"
#include "smp.h"

#define HYPERVISOR		BIT(31)		/* CPUID 1 ECX */

static const struct microcode_kind *kind;
static struct microcode update;
static u32 before, nr_loaded;

/* Threads of one core share it: the second finds it there. */
void microcode_load(void)
{
	if (!update.data)
		return;
	if ((s32)kind->revision() < (s32)update.rev)
		wrmsr_safe(kind->msr, (u64)(uintptr_t)update.data);
	if (kind->revision() == update.rev)
		fetch_add(&nr_loaded, 1u);
}

static void find(const u8 *initrd, u64 len)
{
	u64 size;
	const u8 *file = cpio_find(initrd, len, kind->file, &size);

	if (!file)
		return;
	before = kind->revision();
	if (!kind->find(file, size, before, &update))
		update.data = NULL;
}

/* A hypervisor below has CPUs of its own making. */
void microcode_init(const struct microcode_kind *k, const struct boot_info *bi)
{
	const struct boot_module *m = &bi->module[1];

	kind = k;
	if (hv_options.microcode_off || (cpuid(1).ecx & HYPERVISOR) || bi->nr_modules < 2 ||
	    !phys_is_mapped(m->start, m->end - m->start))
		return;
	find(phys_to_virt(m->start), m->end - m->start);
	microcode_load();
}

void microcode_report(void)
{
	if (!update.data)
		return;
	if (nr_loaded == nr_cpus)
		log_info("microcode: revision %x, was %x", update.rev, before);
	else
		log_warn("microcode: revision %x, was %x, is on %u of %u CPUs", update.rev, before,
			 nr_loaded, nr_cpus);
}
