// SPDX-License-Identifier: GPL-2.0-only
/* Function names by address. */
#include "symbols.h"

struct symbol {
	u64 addr;
	u64 name;		/* offset into bp_symbol_names */
};

/* Defined by the second link only: NULL-sized in the first. */
extern const struct symbol bp_symbols[] __weak, bp_symbols_end[] __weak;
extern const char bp_symbol_names[] __weak;
extern const char text_start[], text_end[];

const char *symbol_lookup(u64 addr, u64 *offset)
{
	u64 lo = 0, hi = bp_symbols_end - bp_symbols, mid;

	if (addr < (u64)(uintptr_t)text_start || addr >= (u64)(uintptr_t)text_end || !hi)
		return NULL;
	while (hi - lo > 1) {
		mid = (lo + hi) / 2;
		if (bp_symbols[mid].addr <= addr)
			lo = mid;
		else
			hi = mid;
	}
	if (bp_symbols[lo].addr > addr)
		return NULL;
	*offset = addr - bp_symbols[lo].addr;
	return bp_symbol_names + bp_symbols[lo].name;
}
