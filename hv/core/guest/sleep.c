// SPDX-License-Identifier: GPL-2.0-only
/* No sleeping states for domain 0; the contract is in sleep.h. */
#include "io_dom0.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/acpi.h"
#include "machine/aml_sleep.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "machine/panic.h"
#include "memory/frames.h"
#include "sleep.h"
#include "vcpu/exit.h"

#define SPACE_MEMORY	0
#define SPACE_IO	1

static struct aml_sleep_type s5;

/* Pages of registers in memory; those of sleep_reg in this order. */
static struct {
	hpa_t page;			/* 0: not in memory */
	volatile u8 *regs;
} pages[ACPI_MAX_SLEEP_REGS];

/* Does this write begin a state other than S5? */
static bool sleeps(u8 space, u64 addr, u32 size, u64 val)
{
	const struct acpi_sleep_reg *r;
	u64 at;
	u8 byte;

	for (r = acpi_info.sleep_reg; r < acpi_info.sleep_reg + acpi_info.nr_sleep_regs; r++) {
		at = r->addr - addr;
		if (r->space != space || at >= size)
			continue;
		byte = (u8)(val >> 8 * at);
		if ((byte & SLP_EN) && !(s5.known && SLP_TYP(byte) == (r->b ? s5.b : s5.a)))
			return true;
	}
	return false;
}

static bool sleep_port(const struct exit_io *io, u32 *val)
{
	if (io->in)
		*val = port_in(io->port, io->size);
	else if (sleeps(SPACE_IO, io->port, io->size, *val))
		log_warn("domain 0: %x at port %x, which puts the machine to sleep, does nothing",
			 *val, io->port);
	else
		port_out(io->port, io->size, *val);
	return true;
}

static volatile u8 *regs_at(gpa_t gpa)
{
	u32 i;

	for (i = 0; i < acpi_info.nr_sleep_regs; i++)
		if (pages[i].page && pages[i].page == (gpa & PAGE_MASK))
			return pages[i].regs;
	return NULL;
}

bool sleep_hit(gpa_t gpa)
{
	return regs_at(gpa);
}

void sleep_access(gpa_t gpa, u32 size, bool write, u64 *val)
{
	volatile u8 *reg = regs_at(gpa) + (gpa & ~PAGE_MASK);

	if (!write)
		*val = mmio_in(reg, size);
	else if (sleeps(SPACE_MEMORY, gpa, size, *val))
		log_warn("domain 0: %llx at 0x%llx, which puts the machine to sleep, does nothing",
			 *val, gpa);
	else
		mmio_out(reg, size, *val);
}

static bool has_aml(const struct acpi_table *t)
{
	return !strncmp(t->sig, "DSDT", 4) || !strncmp(t->sig, "SSDT", 4) ||
	       !strncmp(t->sig, "PSDT", 4);
}

/* What is below 1 MiB may be ROM, which is mapped as such. */
static u32 hide_in(const struct acpi_table *t)
{
	u8 *aml = t->addr < SZ_1M ? NULL : memremap(t->addr, t->len);
	u32 found = aml ? aml_hide_sleep(aml, t->len, &s5) : 0;

	if (!aml || (found && aml_hide_sleep(aml, t->len, &s5)))
		log_warn("%s at 0x%llx cannot be changed: domain 0 may hang when it wants to sleep",
			 t->sig, t->addr);
	return found;
}

static void watch_page(u32 i, hpa_t page)
{
	if (frame_mmio_protect(page, PAGE_SIZE))
		fatal("too many pages of registers to watch");
	pages[i].page = page;
	pages[i].regs = ioremap(page, PAGE_SIZE);
	if (!pages[i].regs)
		fatal("no memory to map a sleep control register");
}

static void watch(u32 i, const struct acpi_sleep_reg *r)
{
	if (r->space == SPACE_IO && r->addr <= 0xffff)
		dom0_ports_add((u16)r->addr, (u16)r->addr, sleep_port);
	else if (r->space == SPACE_MEMORY && r->addr >= PAGE_SIZE && !phys_is_mapped(r->addr, 1))
		watch_page(i, r->addr & PAGE_MASK);
	else
		log_warn("the sleep control register at 0x%llx, space %u, is not watched: domain 0 can "
			 "put the machine to sleep", r->addr, r->space);
}

void sleep_init(void)
{
	u32 i, found = 0;

	for (i = 0; i < acpi_info.nr_tables; i++)
		if (has_aml(&acpi_info.table[i]))
			found |= hide_in(&acpi_info.table[i]);
	for (i = 0; i < acpi_info.nr_sleep_regs; i++)
		watch(i, &acpi_info.sleep_reg[i]);
	for (i = 1; i <= 4; i++)
		if (found & BIT(i))
			log_info("ACPI: sleeping state S%u is hidden from domain 0", i);
	if (!s5.known)
		log_warn("no ACPI table says how the machine is switched off, so domain 0 cannot");
}
