// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of the SPCR (spcr.c), which may be torn.
 *
 * Proved: no byte outside the table is read, and the sum ends. What it gives a driver of UARTs can
 * be used as it is: accesses of 1, 2 or 4 bytes that are aligned and no wider than what is from register to
 * register; eight ports that are all below 64 KiB, or memory not at 0.
 *
 * Bounds: a table of up to 88 bytes, of which 80 have a meaning.
 */
#include "prove.h"

#include "spcr.c"

// CFLAGS: -include plain_string.h

// PROVE: spcr prove_spcr --unwind 89
// MUTANT: hv/core/machine/spcr.c
// - 	if (len < sizeof(t))
// + 	if (len < sizeof(t) - 4)
// MUTANT: hv/core/machine/spcr.c
// - 	return code < ARRAY_SIZE(baud) ? baud[code] : 0;
// + 	return code <= ARRAY_SIZE(baud) ? baud[code] : 0;
// MUTANT: hv/core/machine/spcr.c
// - 	if (!out->width || out->stride > 4 || out->stride == 3 || t->base.offset)
// + 	if (!out->width || out->stride == 3 || t->base.offset)
// MUTANT: hv/core/machine/spcr.c
// - 	if (out->io ? out->addr > 0xfff8 : (out->addr | out->stride) & (out->width - 1))
// + 	if (out->io ? out->addr > 0xfff9 : (out->addr | out->stride) & (out->width - 1))
// MUTANT: hv/core/machine/spcr.c
// - 	if (out->io ? out->addr > 0xfff8 : (out->addr | out->stride) & (out->width - 1))
// + 	if (out->io ? out->addr > 0xfff8 : out->stride & (out->width - 1))
// MUTANT: hv/core/machine/spcr.c
// - 	if (t->pci_segment || t->pci_slot > 31 || t->pci_function > 7)
// + 	if (t->pci_segment || t->pci_slot > 32 || t->pci_function > 7)
void prove_spcr(void)
{
	u8 room[88];
	u32 len = (u32)any_of(0, sizeof(room));
	const u8 *table = tail_of(room, len);
	struct spcr s;

	if (spcr_parse(table, len, &s))
		return;
	prove(s.width == 1 || s.width == 2 || s.width == 4);
	prove(s.stride >= s.width && s.stride <= 4 && !(s.stride & (s.width - 1)));
	prove(s.addr && !(s.addr & (s.width - 1)));
	prove(!s.io || (s.addr + 7 < 0x10000 && s.stride == 1));
	prove(!s.pci || (s.bdf >> 8 == table[68] && (s.bdf >> 3 & 31) == table[69] &&
			 (s.bdf & 7) == table[70]));
}
