/* SPDX-License-Identifier: GPL-2.0-only */
/* The serial console: which UART of the machine, as option serial= or firmware says. */
#ifndef BP_CORE_SERIAL_H
#define BP_CORE_SERIAL_H

#include "lib/types.h"

enum serial_kind { SERIAL_AUTO, SERIAL_OFF, SERIAL_PORT, SERIAL_MMIO, SERIAL_PCI, SERIAL_SPCR };

#define SERIAL_DEFAULT_PORT	0x3f8
#define SERIAL_DEFAULT_BAUD	115200

struct serial_option {
	enum serial_kind kind;	/* AUTO: at 0x3f8 or, if there is none, as the SPCR says */
	u64 addr;		/* PORT, MMIO */
	u8 width;		/* MMIO: bytes of a register, 1 or 4 */
	bool search;		/* PCI: the first that is found */
	u16 bdf;		/* PCI, if not to be searched */
	u32 baud;		/* PORT, MMIO, PCI; 0: as firmware set it */
};

/* Read the value of serial=, @n bytes. False: it is malformed. Pure. */
bool serial_option_parse(const char *s, size_t n, struct serial_option *o);

struct mem_map;

/*
 * Boot, once, before paging_init(): use the line, if it is there. @map: the loader's,
 * normalised or not; registers in RAM are not believed.
 */
void serial_init(const struct serial_option *o, const struct mem_map *map);
/* After acpi_init(): use the SPCR, if the option wants it. The log so far is shown. */
void serial_init_spcr(void);

#endif
