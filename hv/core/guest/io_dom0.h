/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domain 0 has every I/O port of the machine, and all registers in memory; a few of them by way
 * of Bedplate, which looks at what is written there. All others it reaches without an exit.
 */
#ifndef HV_CORE_IO_DOM0_H
#define HV_CORE_IO_DOM0_H

#include "lib/types.h"

struct exit_io;

/*
 * Make the access, which is no string instruction's and touches one of the ports at least,
 * or leave it, or give *val another value than the machine's. *val: what is written or read,
 * io->size bytes of it. False: #GP. On any CPU.
 */
typedef bool (*port_access_fn)(const struct exit_io *io, u32 *val);

struct port_range {
	u16 first, last;
	port_access_fn access;
};

/* Constant once a back end has made its maps, in which it has these ports exit. */
extern struct port_range dom0_ports[];
extern u32 dom0_ports_len;

/* Boot CPU, before the back end is chosen. */
void dom0_ports_add(u16 first, u16 last, port_access_fn access);

/* Registers in memory, @size is 1, 2, 4 or 8. */
static inline u64 mmio_in(const volatile void *p, u32 size)
{
	switch (size) {
	case 1:
		return *(const volatile u8 *)p;
	case 2:
		return *(const volatile u16 *)p;
	case 4:
		return *(const volatile u32 *)p;
	}
	return *(const volatile u64 *)p;
}

static inline void mmio_out(volatile void *p, u32 size, u64 val)
{
	if (size == 1)
		*(volatile u8 *)p = (u8)val;
	else if (size == 2)
		*(volatile u16 *)p = (u16)val;
	else if (size == 4)
		*(volatile u32 *)p = (u32)val;
	else
		*(volatile u64 *)p = val;
}

/* An access that exited; the contract is port_access_fn's. */
bool dom0_port(const struct exit_io *io, u32 *val);

#endif
