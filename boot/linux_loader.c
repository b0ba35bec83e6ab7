// SPDX-License-Identifier: GPL-2.0-only
/* Loading of domain 0's Linux into its memory. */
#include "linux_loader.h"
#include "hv/core/lib/string.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/paging.h"
#include "hv/core/machine/panic.h"
#include "hv/iommu/virt/virt.h"
#include "linux_efi.h"
#include "linux_image.h"

/*
 * A few pages in low memory, clear of where Linux's decompressor puts its own
 * trampoline (the top of the RAM below 640 KiB). Where firmware has all of that, they lie
 * above 1 MiB, and below where the kernel may move itself.
 */
#define LOW_PARAMS	0
#define LOW_CMDLINE	PAGE_SIZE
#define LOW_TABLES	(2 * PAGE_SIZE)	/* GDT, copy of the RSDP */
#define LOW_EFI_MAP	(3 * PAGE_SIZE)	/* as long as it is */
#define LOW_MAX		0x90000
#define LOW_MAX_2	(16 * SZ_1M)
#define RSDP_OFFSET	0x100		/* from LOW_TABLES */

#define BOOT_CS		0x10		/* boot protocol: __BOOT_CS, __BOOT_DS */
#define BOOT_DS		0x18
#define GDT_ENTRIES	4

struct use {
	struct mem_range r[BOOT_MAX_MODULES + ARRAY_SIZE(bp_ranges) + 3];
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
			  struct use *used)
{
	u64 len = m->end - m->start;
	hpa_t to;

	if (!phys_is_mapped(m->start, len))
		fatal("domain 0's initrd is not in RAM");
	if (!len || (!(m->start & ~PAGE_MASK) && m->end - 1 <= li->initrd_max))
		return m->start;
	to = memmap_find(&free_map, used->r, used->nr, SZ_1M, min(li->initrd_max + 1, SZ_4G),
			 len, PAGE_SIZE, true);
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

/*
 * Linux needs an address: firmware's own, which UEFI tells it, or a copy in a page it
 * will not touch.
 */
static hpa_t provide_rsdp(const struct boot_info *bi, const struct linux_params *p,
			  hpa_t tables, struct mem_map *map)
{
	if (p->uefi || rsdp_pa || !bi->rsdp_len)
		return rsdp_pa;
	memcpy((u8 *)phys_to_virt(tables) + RSDP_OFFSET, bi->rsdp, bi->rsdp_len);
	if (!memmap_set(map, tables, tables + PAGE_SIZE, MEM_RESERVED))
		fatal("the memory map has too many ranges");
	return tables + RSDP_OFFSET;
}

/* A piece of RAM for what of the memory map boot_params has no room for. */
static void place_more(struct linux_params *p, struct use *used)
{
	u32 len = linux_more_bytes(p->map);

	if (!len)
		return;
	use_add(used, p->initrd, p->initrd + p->initrd_bytes);
	p->more_pa = memmap_find(&free_map, used->r, used->nr, SZ_1M, SZ_4G, len, PAGE_SIZE, true);
	if (!p->more_pa)
		fatal("no room for domain 0's memory map of %u ranges", p->map->nr);
	p->more = phys_to_virt(p->more_pa);
}

/*
 * Linux's vCPU is to halt when it is idle: in a deeper state, by a port that ACPI names, it would
 * keep the CPU from others.  An idle= of the operator's comes later and counts.
 */
static const char first[] = "idle=halt ";

static void copy_cmdline(hpa_t to, const char *line, const struct linux_image *li)
{
	const char *more = virt_iommu_words();
	u64 own = sizeof(first) - 1, len = strlen(line), all = own + len + strlen(more);

	if (all > li->cmdline_max || all >= PAGE_SIZE)
		fatal("domain 0's command line is too long (%llu bytes; the kernel takes %u)",
		      all, li->cmdline_max);
	memcpy(phys_to_virt(to), first, own);
	memcpy((u8 *)phys_to_virt(to) + own, line, len);
	memcpy((u8 *)phys_to_virt(to) + own + len, more, all - own - len + 1);
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

/* NULL: domain 0 cannot call UEFI's run-time services. */
static const struct boot_efi *callable_uefi(const struct boot_info *bi)
{
	if (!bi->efi)
		return NULL;
	if (bi->uefi.system_table && bi->uefi.map_bytes)
		return &bi->uefi;
	log_warn("domain 0 has no UEFI run-time services: %s", bi->uefi.system_table ?
		 "the loader gave no memory map of UEFI's" : "UEFI is a 32-bit one");
	return NULL;
}

static hpa_t place_low(const struct use *used, u64 len)
{
	hpa_t low = memmap_find(&free_map, used->r, used->nr, PAGE_SIZE, LOW_MAX, len,
				PAGE_SIZE, true);

	if (!low)
		low = memmap_find(&free_map, used->r, used->nr, SZ_1M, LOW_MAX_2, len,
				  PAGE_SIZE, true);
	if (!low)
		fatal("too little memory below 0x%llx for domain 0's boot parameters", LOW_MAX_2);
	return low;
}

/* The boot parameters' pages, with UEFI's map behind them. */
static hpa_t provide_low(struct linux_params *p, struct use *used)
{
	u64 len = LOW_EFI_MAP;
	hpa_t low;

	if (p->uefi)
		len += ALIGN_UP(linux_efi_map(p->uefi, bp_ranges, nr_bp_ranges, NULL),
				(u32)PAGE_SIZE);
	low = place_low(used, len);
	use_add(used, low, low + len);
	if (p->uefi) {
		p->efi_map = low + LOW_EFI_MAP;
		p->efi_map_bytes = linux_efi_map(p->uefi, bp_ranges, nr_bp_ranges,
						 phys_to_virt(p->efi_map));
	}
	return low;
}

void linux_load(const struct boot_info *bi, struct linux_entry *entry)
{
	static struct mem_map map;
	struct linux_params p = { .map = &map, .fb = &bi->fb, .efi = bi->efi,
				  .uefi = callable_uefi(bi) };
	struct use used = { .nr = 0 };
	struct linux_image li;
	const void *image = check_kernel(bi, &li);
	hpa_t low;
	u32 i;

	memmap_domain0(&map);
	for (i = 0; i < bi->nr_modules; i++)
		use_add(&used, bi->module[i].start, bi->module[i].end);
	for (i = 0; i < nr_bp_ranges; i++)
		use_add(&used, bp_ranges[i].start, bp_ranges[i].end);
	low = provide_low(&p, &used);
	p.kernel = linux_place_kernel(&li, &free_map, used.r, used.nr);
	if (!p.kernel)
		fatal("no room for domain 0's kernel, which needs %llu KiB", li.room >> 10);
	use_add(&used, p.kernel, p.kernel + li.room);
	if (bi->nr_modules > 1) {
		p.initrd_bytes = bi->module[1].end - bi->module[1].start;
		p.initrd = place_initrd(&bi->module[1], &li, &used);
	}
	if (bi->nr_modules > 2)
		log_warn("%u modules too many are ignored", bi->nr_modules - 2);

	memcpy(phys_to_virt(p.kernel), (const u8 *)image + li.setup_bytes, li.kernel_bytes);
	fill_tables(low + LOW_TABLES, entry);
	p.rsdp = provide_rsdp(bi, &p, low + LOW_TABLES, &map);
	p.cmdline = low + LOW_CMDLINE;
	copy_cmdline(p.cmdline, bi->module[0].cmdline, &li);
	place_more(&p, &used);
	linux_fill_params(phys_to_virt(low + LOW_PARAMS), image, &p);
	entry->rip = p.kernel;
	entry->rsi = low + LOW_PARAMS;
	log_info("domain 0: kernel at 0x%llx, initrd at 0x%llx (%llu KiB), options \"%s\"",
		 p.kernel, p.initrd, p.initrd_bytes >> 10, (char *)phys_to_virt(p.cmdline));
}
