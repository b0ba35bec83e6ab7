// SPDX-License-Identifier: GPL-2.0-only
/* Loading of domain 0's Linux into its memory. */
#include "linux_loader.h"
#include "hv/core/lib/string.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/paging.h"
#include "hv/core/machine/panic.h"
#include "hv/iommu/virt/virt.h"
#include "linux_image.h"

/*
 * A few pages in low memory, clear of where Linux's decompressor puts its own
 * trampoline (the top of the RAM below 640 KiB).
 */
#define LOW_PARAMS	0
#define LOW_CMDLINE	PAGE_SIZE
#define LOW_TABLES	(2 * PAGE_SIZE)	/* GDT, copy of the RSDP */
#define LOW_BYTES	(3 * PAGE_SIZE)
#define LOW_MAX		0x90000
#define RSDP_OFFSET	0x100		/* from LOW_TABLES */

#define BOOT_CS		0x10		/* boot protocol: __BOOT_CS, __BOOT_DS */
#define BOOT_DS		0x18
#define GDT_ENTRIES	4

struct use {
	struct mem_range r[BOOT_MAX_MODULES + 2];
	u32 nr;
};

static hpa_t rsdp_pa;

void linux_loader_set_rsdp(hpa_t pa)
{
	rsdp_pa = pa;
}

static void use_add(struct use *u, hpa_t start, hpa_t end)
{
	ASSERT(u->nr < ARRAY_SIZE(u->r));
	u->r[u->nr++] = (struct mem_range){ ALIGN_DOWN(start, PAGE_SIZE),
					    ALIGN_UP(end, PAGE_SIZE), MEM_RESERVED };
}

/* Where the initrd may stay, or where it was moved to. */
static hpa_t place_initrd(const struct boot_module *m, const struct linux_image *li,
			  const struct mem_map *map, struct use *used)
{
	u64 len = m->end - m->start;
	hpa_t to;

	if (!len || (!(m->start & ~PAGE_MASK) && m->end - 1 <= li->initrd_max))
		return m->start;
	to = memmap_find(map, used->r, used->nr, SZ_1M, min(li->initrd_max + 1, SZ_4G), len,
			 PAGE_SIZE, true);
	if (!to)
		fatal("no room for domain 0's initrd (%llu KiB) below 0x%llx", len >> 10,
		      li->initrd_max + 1);
	memcpy(phys_to_virt(to), phys_to_virt(m->start), len);
	return to;
}

static void fill_tables(hpa_t tables, struct linux_entry *entry)
{
	u64 *gdt = phys_to_virt(tables);

	memset(gdt, 0, PAGE_SIZE);
	gdt[BOOT_CS / 8] = 0x00cf9b000000ffffull;	/* flat, execute/read, 32-bit */
	gdt[BOOT_DS / 8] = 0x00cf93000000ffffull;	/* flat, read/write */
	entry->gdt_base = tables;
	entry->gdt_limit = GDT_ENTRIES * 8 - 1;
	entry->cs = BOOT_CS;
	entry->ds = BOOT_DS;
}

/* Linux needs an address: firmware's own, or a copy in a page it will not touch. */
static hpa_t provide_rsdp(const struct boot_info *bi, hpa_t tables, struct mem_map *map)
{
	if (rsdp_pa || !bi->rsdp_len)
		return rsdp_pa;
	memcpy((u8 *)phys_to_virt(tables) + RSDP_OFFSET, bi->rsdp, bi->rsdp_len);
	if (!memmap_set(map, tables, tables + PAGE_SIZE, MEM_RESERVED))
		fatal("the memory map has too many ranges");
	return tables + RSDP_OFFSET;
}

static void copy_cmdline(hpa_t to, const char *line, const struct linux_image *li)
{
	const char *more = virt_iommu_words();
	u64 len = strlen(line), all = len + strlen(more);

	if (all > li->cmdline_max || all >= PAGE_SIZE)
		fatal("domain 0's command line is too long (%llu bytes; the kernel takes %u)",
		      all, li->cmdline_max);
	memcpy(phys_to_virt(to), line, len);
	memcpy((u8 *)phys_to_virt(to) + len, more, all - len + 1);
}

static const void *check_kernel(const struct boot_info *bi, struct linux_image *li)
{
	const struct boot_module *m = &bi->module[0];
	const char *err;

	if (!bi->nr_modules)
		fatal("no module: give domain 0's kernel with \"module2\" in the loader's menu");
	if (!phys_is_mapped(m->start, m->end - m->start))
		fatal("domain 0's kernel is not in RAM");
	err = linux_check_image(phys_to_virt(m->start), m->end - m->start, li);
	if (err)
		fatal("domain 0's kernel (module 1) %s", err);
	return phys_to_virt(m->start);
}

void linux_load(const struct boot_info *bi, struct linux_entry *entry)
{
	static struct mem_map map;
	struct linux_params p = { .map = &map, .fb = &bi->fb, .efi = bi->efi };
	struct use used = { .nr = 0 };
	struct linux_image li;
	const void *image = check_kernel(bi, &li);
	const char *err;
	hpa_t low;
	u32 i;

	memmap_domain0(&map);
	for (i = 0; i < bi->nr_modules; i++)
		use_add(&used, bi->module[i].start, bi->module[i].end);
	low = memmap_find(&map, used.r, used.nr, PAGE_SIZE, LOW_MAX, LOW_BYTES, PAGE_SIZE, true);
	if (!low)
		fatal("too little memory below 0x%x for domain 0's boot parameters", LOW_MAX);
	use_add(&used, low, low + LOW_BYTES);

	p.kernel = linux_place_kernel(&li, &map, used.r, used.nr);
	if (!p.kernel)
		fatal("no room for domain 0's kernel, which needs %llu KiB", li.room >> 10);
	use_add(&used, p.kernel, p.kernel + li.room);
	if (bi->nr_modules > 1) {
		p.initrd_bytes = bi->module[1].end - bi->module[1].start;
		p.initrd = place_initrd(&bi->module[1], &li, &map, &used);
	}
	if (bi->nr_modules > 2)
		log_warn("%u modules too many are ignored", bi->nr_modules - 2);

	memcpy(phys_to_virt(p.kernel), (const u8 *)image + li.setup_bytes, li.kernel_bytes);
	fill_tables(low + LOW_TABLES, entry);
	p.rsdp = provide_rsdp(bi, low + LOW_TABLES, &map);
	p.cmdline = low + LOW_CMDLINE;
	copy_cmdline(p.cmdline, bi->module[0].cmdline, &li);
	err = linux_fill_params(phys_to_virt(low + LOW_PARAMS), image, &p);
	if (err)
		fatal("%s", err);
	entry->rip = p.kernel;
	entry->rsi = low + LOW_PARAMS;
	log_info("domain 0: kernel at 0x%llx, initrd at 0x%llx (%llu KiB), options \"%s\"",
		 p.kernel, p.initrd, p.initrd_bytes >> 10, (char *)phys_to_virt(p.cmdline));
}
