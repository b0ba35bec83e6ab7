// SPDX-License-Identifier: GPL-2.0-only
/* The ports that domain 0 reaches by way of Bedplate; the contract is in io_dom0.h. */
#include "io_dom0.h"
#include "machine/panic.h"
#include "vcpu/exit.h"

#define PORTS_MAX	8

struct port_range dom0_ports[PORTS_MAX];
u32 dom0_ports_len;

void dom0_ports_add(u16 first, u16 last, port_access_fn access)
{
	ASSERT(dom0_ports_len < PORTS_MAX);
	dom0_ports[dom0_ports_len++] = (struct port_range){ first, last, access };
}

bool dom0_port(const struct exit_io *io, u32 *val)
{
	const struct port_range *r;

	for (r = dom0_ports; r < dom0_ports + dom0_ports_len; r++)
		if (io->port <= r->last && io->port + io->size > r->first)
			return !io->string && r->access(io, val);
	return false;
}
