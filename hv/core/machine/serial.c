// SPDX-License-Identifier: GPL-2.0-only
/* The serial console; the contract is in serial.h. */
#include "serial.h"
#include "acpi.h"
#include "console.h"
#include "lib/printf.h"
#include "log.h"
#include "memmap.h"
#include "paging.h"
#include "pci.h"
#include "pci_uart.h"
#include "spcr.h"
#include "uart.h"

#define PORT_LAST	0xfff8

static struct uart uart;
static hpa_t mmio;		/* of its registers; 0: they are ports */
static struct pci_uart pci;	/* as it was found */
static bool is_pci;
static bool up;			/* its registers can be reached */
static bool want_spcr;

static void write(const char *s, u32 len)
{
	if (up)
		uart_write(&uart, s, len);
}

static bool map_regs(const struct mem_map *map)
{
	if (mmio && memmap_has_ram(map, mmio, mmio + uart_len(&uart)))
		return false;
	if (mmio)
		uart.regs = ioremap(mmio, uart_len(&uart));
	return uart.regs || !mmio;
}

/* Before that a line above 4 GiB could not be reached. */
static bool remap(void)
{
	bool was_up = up;

	up = map_regs(&machine_map) && uart_present(&uart);
	if (up && !was_up) {
		uart_setup(&uart);
		log_replay(write);
	}
	return up;
}

/* Domain 0 has all ports but those by which the machine is configured and put to sleep. */
static bool port_is_safe(u64 port)
{
	u32 i;

	if (!port || port > PORT_LAST ||
	    (port < PCI_CONFIG_DATA + 4 && port + UART_REGS > PCI_CONFIG_ADDRESS))
		return false;
	for (i = 0; i < acpi_info.nr_sleep_regs; i++)
		if (acpi_info.sleep_reg[i].addr - port < UART_REGS)
			return false;
	return true;
}

/*
 * Where domain 0 has left the function. Ports may be others now; registers in memory must be
 * where they were, for what else may be there nobody here can tell.
 */
static bool find_again(void)
{
	struct pci_uart now = { .bdf = pci.bdf };

	if (!is_pci)
		return true;
	if (!pci_uart_locate(&now) || now.io != pci.io)
		return false;
	if (now.addr != pci.addr && (!now.io || !port_is_safe(now.addr)))
		return false;
	if (now.io)
		uart.port = (u16)now.addr;
	return true;
}

static bool seize(void)
{
	if (!up || !find_again())
		return false;
	uart_drain(&uart);
	uart_setup(&uart);
	return true;
}

static char name[48];
static const struct console console = { name, write, seize, remap };

/* False: nothing answers there. What is above 4 GiB may answer once it is mapped. */
static bool use(bool io, u64 addr, const struct mem_map *map)
{
	if (io && addr > PORT_LAST)
		return false;
	uart.port = io ? (u16)addr : 0;
	mmio = io ? 0 : addr;
	bp_snprintf(name, sizeof(name), "serial line at %s 0x%llx%s", io ? "port" : "memory",
		    addr, is_pci ? " on PCI" : "");
	up = map_regs(map) && uart_present(&uart);
	if (up)
		uart_setup(&uart);
	return up || mmio >= SZ_4G;
}

static bool use_pci(const struct mem_map *map)
{
	is_pci = pci_uart_locate(&pci);
	return is_pci && use(pci.io, pci.addr, map);
}

static bool use_option(const struct serial_option *o, const struct mem_map *map)
{
	uart = (struct uart){ .stride = 1, .width = 1, .baud = o->baud };
	switch (o->kind) {
	case SERIAL_AUTO:
		uart.baud = SERIAL_DEFAULT_BAUD;
		return use(true, SERIAL_DEFAULT_PORT, map);
	case SERIAL_PORT:
		return use(true, o->addr, map);
	case SERIAL_MMIO:
		uart.stride = uart.width = o->width;
		return use(false, o->addr, map);
	case SERIAL_PCI:
		pci.bdf = o->bdf;
		return (!o->search || pci_uart_search(&pci.bdf)) && use_pci(map);
	default:
		return false;
	}
}

void serial_init(const struct serial_option *o, const struct mem_map *map)
{
	bool found = use_option(o, map);

	if (found)
		console_add(&console);
	want_spcr = !found && (o->kind == SERIAL_AUTO || o->kind == SERIAL_SPCR);
}

void serial_init_spcr(void)
{
	const struct acpi_table *t = want_spcr ? acpi_find(&acpi_info, "SPCR") : NULL;
	const void *table = t ? memremap(t->addr, t->len) : NULL;
	const char *why = "it cannot be read";
	struct spcr s;

	if (!t)
		return;
	if (table)
		why = spcr_parse(table, t->len, &s);
	if (why) {
		log_warn("SPCR at 0x%llx: no console, %s", t->addr, why);
		return;
	}
	uart = (struct uart){ .stride = s.stride, .width = s.width, .baud = s.baud };
	pci.bdf = s.bdf;
	if ((s.pci ? use_pci(&machine_map) : use(s.io, s.addr, &machine_map)) && up)
		console_add(&console);
	else
		log_warn("SPCR at 0x%llx: no console, nothing answers at 0x%llx", t->addr, s.addr);
}
