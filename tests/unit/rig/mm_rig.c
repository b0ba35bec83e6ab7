// SPDX-License-Identifier: GPL-2.0-only
/* A machine for host tests of memory code; see mm_host.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hv/core/lib/atomic.h"
#include "hv/core/lib/errno.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/dommem.h"
#include "hv/core/memory/frames.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/machine/mtrr.h"
#include "hv/core/lib/x86_regs.h"
#include "hv/iommu/iommu.h"

u32 limits_phys_bits(void)
{
	return 46;
}

#define FRAMES		(RIG_TOP >> PAGE_SHIFT)
#define POOL_FRAMES	((RIG_POOL_END - RIG_POOL) >> PAGE_SHIFT)

u8 *rig_memory;
u32 rig_max_order = 18;
u64 rig_pool_limit;
u32 rig_fail_alloc;
bool rig_failed;
u32 rig_kicks;
void (*rig_on_kick)(struct cpu *c);
u32 rig_vcpu_steps;
_Thread_local struct cpu *rig_this_cpu;

static u64 table[FRAMES + FRAMES / 512 + 512];

static const struct {
	hpa_t start, end;
	u32 owner;
} layout[] = {
	{ 0, 0x9f000, BP_OWNER_DOM0 },
	{ 0x100000, RIG_ACPI, BP_OWNER_DOM0 },
	{ RIG_ACPI + 0x1000, RIG_POOL, BP_OWNER_DOM0 },
	{ RIG_POOL, RIG_POOL_END, BP_OWNER_HV },
	{ SZ_4G, RIG_TOP, BP_OWNER_DOM0 },
};

u64 pool_total = POOL_FRAMES, pool_free;
static bool used[POOL_FRAMES];

void *pages_alloc(u32 n)
{
	u64 i, run = 0;

	if (rig_fail_alloc && !--rig_fail_alloc) {
		rig_failed = true;
		return NULL;
	}
	for (i = 0; i < POOL_FRAMES && run < n; i++)
		run = used[i] ? 0 : run + 1;
	if (run < n || pool_free < rig_pool_limit + n)
		return NULL;
	i -= n;
	memset(&used[i], 1, n);
	pool_free -= n;
	return memset(phys_to_virt(RIG_POOL + (i << PAGE_SHIFT)), 0, n * PAGE_SIZE);
}

void *page_alloc(void)
{
	return pages_alloc(1);
}

void page_free(void *page)
{
	u64 i = (virt_to_phys(page) - RIG_POOL) >> PAGE_SHIFT;

	ASSERT(i < POOL_FRAMES && used[i]);
	memset(page, 0xa5, PAGE_SIZE);
	used[i] = false;
	pool_free++;
}

struct cpu *cpus[MAX_CPUS];
u32 nr_cpus = RIG_CPUS;
static struct cpu cpu[RIG_CPUS];

struct cpu *this_cpu(void)
{
	return rig_this_cpu;
}

void lapic_send_ipi(u32 apic_id, u8 vector)
{
	ASSERT(vector == VECTOR_KICK && apic_id < RIG_CPUS);
	fetch_add(&rig_kicks, 1);
	if (rig_on_kick)
		rig_on_kick(&cpu[apic_id]);
}

int vcpu_destroy_all(struct domain *d)
{
	ASSERT(d->phase == DOM_DYING);
	if (!rig_vcpu_steps)
		return 0;
	rig_vcpu_steps--;
	return 1;
}

void mtrr_read(struct mtrr_state *m __unused)
{
}

/* As firmware has it: the ACPI page is memory like any other. */
u8 mtrr_type(const struct mtrr_state *m __unused, hpa_t pa)
{
	return pa == RIG_ACPI ? MEMTYPE_WB : MEMTYPE_UC;
}

u8 mtrr_run(const struct mtrr_state *m, hpa_t pa, hpa_t *end)
{
	*end = pa < RIG_TOP ? pa + PAGE_SIZE : BIT(52);
	return mtrr_type(m, pa);
}

static u32 max_order(void)
{
	return rig_max_order;
}

static struct npt_format format;
const struct npt_format *const rig_npt = &format;

void rig_init_frames(bool ept)
{
	u32 i;

	if (rig_memory)
		munmap(rig_memory, RIG_TOP);
	rig_memory = mmap(NULL, RIG_TOP, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT(rig_memory != MAP_FAILED);
	memset(used, 0, sizeof(used));
	pool_free = pool_total;
	rig_pool_limit = 0;
	rig_fail_alloc = 0;
	rig_failed = false;
	rig_kicks = 0;
	rig_on_kick = NULL;
	rig_vcpu_steps = 0;
	for (i = 0; i < RIG_CPUS; i++) {
		cpu[i] = (struct cpu){ .self = &cpu[i], .index = i, .apic_id = i };
		cpus[i] = &cpu[i];
	}
	rig_this_cpu = &cpu[0];
	memset(&dom0, 0, sizeof(dom0));
	format = ept ? npt_format_ept : npt_format_amd;
	format.max_order = max_order;
	ASSERT(frames_bytes(FRAMES) <= sizeof(table));
	frames_init(table, FRAMES);
	for (i = 0; i < ARRAY_SIZE(layout); i++)
		frames_set(layout[i].start >> PAGE_SHIFT,
			   (layout[i].end - layout[i].start) >> PAGE_SHIFT, layout[i].owner);
}

static void init_io(void);

void rig_init(bool ept)
{
	int err;

	rig_init_frames(ept);
	mmu_init(rig_npt);
	err = dom0_build_npt();
	ASSERT(!err);
	init_io();
}

const struct npt_format *rig_io_format;
u32 rig_io_flushes;
void (*rig_on_io_flush)(u16 tag);
struct rig_device rig_device[RIG_DEVICES];
struct iommu_caps iommu_caps;

void iommu_flush(u16 tag)
{
	ASSERT(tag);
	rig_io_flushes++;
	if (rig_on_io_flush)
		rig_on_io_flush(tag);
}

int iommu_attach(struct pci_id dev, hpa_t root, u16 tag, u16 *was)
{
	if (dev.segment || dev.bdf >= RIG_DEVICES)
		return -ENODEV;
	*was = rig_device[dev.bdf].tag;
	rig_device[dev.bdf] = (struct rig_device){ root, tag };
	return 0;
}

/* Firmware's memory, some of domain 0's, and, as firmware may be wrong, Bedplate's, and the local APIC. */
const struct iommu_region *iommu_reserved(u32 i)
{
	static const struct iommu_region r[] = {
		{ RIG_ACPI, RIG_ACPI + PAGE_SIZE, IOMMU_READ | IOMMU_WRITE },
		{ RIG_ACPI - PAGE_SIZE, RIG_ACPI, IOMMU_READ },
		{ RIG_POOL, RIG_POOL + PAGE_SIZE, IOMMU_READ },
		{ 0xfee00000, 0xfee01000, IOMMU_READ | IOMMU_WRITE },
	};

	return i < ARRAY_SIZE(r) ? &r[i] : NULL;
}

int rig_io_lookup(u64 pfn, struct npt_leaf *leaf)
{
	struct npt_root root = { .table = dom0_io_root() };
	struct npt t = { .fmt = rig_io_format, .root = &root };

	return npt_lookup(&t, pfn, leaf);
}

static void init_io(void)
{
	u32 i;
	int err;

	iommu_caps = (struct iommu_caps){ 0 };
	if (!rig_io_format)
		return;
	iommu_caps = (struct iommu_caps){ .name = "rig", .format = rig_io_format, .tags = 65536,
					  .max_order = rig_max_order };
	err = dom0_build_io();
	ASSERT(!err);
	for (i = 0; i < RIG_DEVICES; i++)
		rig_device[i] = (struct rig_device){ dom0_io_root(), IOMMU_TAG(0) };
	rig_io_flushes = 0;
	rig_on_io_flush = NULL;
}

static u64 seed = 0x9e3779b97f4a7c15ull;

u32 rig_random(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)((seed >> 20) % below);
}
