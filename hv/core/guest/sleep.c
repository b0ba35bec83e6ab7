// SPDX-License-Identifier: GPL-2.0-only
/* No sleeping states for domain 0; the contract is in sleep.h. */
#include "io_dom0.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/acpi.h"
#include "machine/aml_sleep.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "sleep.h"
#include "vcpu/exit.h"

#define SPACE_IO	1

static struct aml_sleep_type s5;

/* Does this write begin a state other than S5? */
static bool sleeps(u16 port, u32 size, u32 val)
{
	const struct acpi_sleep_reg *r;
	u64 at;
	u8 byte;

	for (r = acpi_info.sleep_reg; r < acpi_info.sleep_reg + acpi_info.nr_sleep_regs; r++) {
		at = r->addr - port;
		if (r->space != SPACE_IO || at >= size)
			continue;
		byte = val >> 8 * at;
		if ((byte & SLP_EN) && !(s5.known && SLP_TYP(byte) == (r->b ? s5.b : s5.a)))
			return true;
	}
	return false;
}

static bool sleep_port(const struct exit_io *io, u32 *val)
{
	if (io->in)
		*val = port_in(io->port, io->size);
	else if (sleeps(io->port, io->size, *val))
		log_warn("domain 0: %x at port %x, which puts the machine to sleep, does nothing",
			 *val, io->port);
	else
		port_out(io->port, io->size, *val);
	return true;
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

static void watch(const struct acpi_sleep_reg *r)
{
	if (r->space == SPACE_IO && r->addr <= 0xffff)
		dom0_ports_add((u16)r->addr, (u16)r->addr, sleep_port);
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
		watch(&acpi_info.sleep_reg[i]);
	for (i = 1; i <= 4; i++)
		if (found & BIT(i))
			log_info("ACPI: sleeping state S%u is hidden from domain 0", i);
	if (!s5.known)
		log_warn("no ACPI table says how the machine is switched off, so domain 0 cannot");
}
