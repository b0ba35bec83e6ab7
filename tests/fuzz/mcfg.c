// SPDX-License-Identifier: GPL-2.0-only
/*
 * MCFG, and domain 0's accesses to the configuration space that it names: what is guarded
 * is never written, by ports or by memory.
 */
// SOURCES: hv/core/machine/memplan.c
// CFLAGS: -include core_host.h
#include "fuzz.h"

#include "hv/core/machine/acpi.h"
#include "hv/core/machine/paging.h"
#include "hv/core/memory/frames.h"
#include "hv/core/guest/io_dom0.h"
#include "hv/core/vcpu/exit.h"
#include "hv/iommu/iommu.h"

/* Its state begins anew with each input. */
#include "hv/core/guest/pci_cfg.c"

#define PAGES	256

struct acpi_info acpi_info;
struct mem_map machine_map = { .nr = 1, .r = { { 0, SZ_1G, MEM_RAM } } };
struct iommu_caps iommu_caps = { .name = "x" };

static u8 *mcfg;
static u32 mcfg_len, config_address, bridges;
static port_access_fn port;
static bool must_not_write;

static struct {
	hpa_t pa;
	u8 *mem;
	u64 len;
} mapping[PAGES];
static u32 nr_mappings;

void log_printf(int level __unused, const char *fmt __unused, ...) { }
void dom0_ports_add(u16 first __unused, u16 last __unused, port_access_fn fn)
{
	port = fn;
}

const struct acpi_table *acpi_find(const struct acpi_info *info, const char *sig __unused)
{
	return &info->table[0];
}

void *memremap(hpa_t pa __unused, u64 len __unused)
{
	return mcfg;
}

/* Bus 0: bridges where the input has a bit. */
static u32 function_read(u32 addr)
{
	u32 bdf = addr >> 8 & 0xffff;

	if (bdf >= 32 * 8 || !(bridges >> (bdf / 8) & 1))
		return 0xffffffff;
	switch (addr & 0xfc) {
	case 0: return 0x29188086;
	case 8: return bdf == 0xf8 ? 0x06010000 : 0x06000000;
	default: return 0;
	}
}

u32 host_in(u16 p, u32 size)
{
	u32 val = p < 0xcfc ? config_address : function_read(config_address);

	REQUIRE(size == 1 || size == 2 || size == 4);
	return val >> 8 * (p & 3);
}

void host_out(u16 p, u32 size, u32 val)
{
	if (p == 0xcf8 && size == 4)
		config_address = val;
	else
		REQUIRE(!must_not_write);
}

bool iommu_has_segment(u16 segment) { return segment < 2; }
bool iommu_function(u32 i, struct pci_id *id)
{
	*id = (struct pci_id){ 0, 2 };
	return i == 0;
}

int frame_mmio_protect(hpa_t hpa, u64 len)
{
	REQUIRE(IS_ALIGNED(hpa, PAGE_SIZE) && len == PAGE_SIZE);
	return 0;
}

/* Registers where a page is; a bus without devices. */
void *ioremap(hpa_t pa, u64 len)
{
	static u8 *bus;
	u32 i;

	if (len == SZ_1M) {
		if (!bus) {
			bus = malloc(SZ_1M);
			memset(bus, 0xff, SZ_1M);
		}
		return bus;
	}
	REQUIRE(len == PAGE_SIZE);
	for (i = 0; i < nr_mappings; i++)
		if (mapping[i].pa == pa)
			return mapping[i].mem;
	if (nr_mappings == PAGES)
		return mapping[0].mem;
	mapping[i].mem = calloc(1, PAGE_SIZE);
	mapping[i].pa = pa;
	nr_mappings++;
	return mapping[i].mem;
}

static void by_port(struct input *in)
{
	struct exit_io io = { .port = (u16)(0xcf8 + take8(in) % 8), .size = (u8)(1 << take8(in) % 3),
			      .in = take8(in) & 1 };
	u32 val = take32(in) & 0x8fffffff, addr = config_address;
	struct guarded *g = NULL;

	if (io.port >= 0xcfc && (addr & BIT(31)))
		g = find(0, (u16)(addr >> 8));
	must_not_write = g && !g->first && !io.in;
	(void)port(&io, &val);
	must_not_write = false;
}

static void by_memory(struct input *in)
{
	u32 size = 1u << take8(in) % 4, i = take8(in);
	u64 val = take64(in), was = 0;
	gpa_t gpa;
	struct guarded *g;

	if (!nr_mappings)
		return;
	gpa = mapping[i % nr_mappings].pa + (take16(in) & 0xfff & ~(size - 1));
	if (!pci_cfg_hit(gpa))
		return;
	g = find_page(gpa);
	memcpy(&was, (const u8 *)g->regs + (gpa & 0xfff), size);
	pci_cfg_access(gpa, size, val & 1, &val);
	if (!g->first)
		REQUIRE(!memcmp(&was, (const u8 *)g->regs + (gpa & 0xfff), size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u32 i;

	if (size > 1024)
		return 0;
	bridges = take32(&in) & 0x8000000f;
	mcfg_len = 36 + take8(&in) % 200;
	mcfg = take_copy(&in, mcfg_len);
	for (i = 44; i + 16 <= mcfg_len; i += 16) {	/* mostly from a bus's start, of segments that are there */
		if (mcfg[i + 12] & 1)
			put_at(mcfg, mcfg_len, i, ((u64)mcfg[i + 3] << 24) | 0xc0000000, 8);
		if (mcfg[i + 12] & 2)
			mcfg[i + 9] = 0;
		mcfg[i + 8] &= 3;
	}
	nr_guarded = pci_cfg_unconfined = 0;
	acpi_info.nr_tables = 1;
	acpi_info.table[0] = (struct acpi_table){ "MCFG", 0x7000, mcfg_len };
	pci_cfg_init();
	REQUIRE(nr_guarded <= GUARDED_MAX && pci_cfg_unconfined == 0);
	while (in.left) {
		if (take8(&in) & 1)
			by_port(&in);
		else
			by_memory(&in);
	}
	for (i = 0; i < nr_mappings; i++)
		free(mapping[i].mem);
	nr_mappings = 0;
	free(mcfg);
	return 0;
}
