/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A builder of DMAR tables for unit tests: begin(), structures with their scopes, then
 * accepted() or refused(); and tables of real machines.
 */
#ifndef TESTS_UNIT_DMAR_RIG_H
#define TESTS_UNIT_DMAR_RIG_H

#include "hv/iommu/dmar.h"

#define HEAD	48
#define FIRST	"0x30"		/* offset of the first structure */
#define GIB	SZ_1G

/* The table being built: the last structure, and the last scope, can still grow. */
extern u8 buf[1 << 20];
extern u32 len, last, last_scope;
/* What the reader made of it. */
extern struct dmar dmar;
extern char err[160];

void begin(u8 width, u8 flags);
void put(u32 bytes, u64 v);
void poke(u32 off, u32 bytes, u64 v);
/* By number; end_structure() writes its length, again whenever it has grown. */
void structure(u16 type);
void end_structure(void);
void drhd(u8 flags, u8 size, u16 segment, u64 base);
void rmrr(u16 segment, u64 base, u64 limit);
void group(u16 type, u8 flags, u16 segment);	/* ATSR 2, SATC 5, SIDP 6 */
void rhsa(u64 base, u32 node);
void andd(u8 number, const char *name);
/* One more scope of the last structure; hop() makes its path longer. */
void scope(u8 type, u8 id, u8 bus, u8 dev, u8 fn);
void hop(u8 dev, u8 fn);
void finish(void);		/* length and checksum */

/* The first @bytes, from memory of just that size, so that reading past its end is caught. */
bool parse_bytes(u32 bytes);
/* What holds of whatever is accepted, and of the message of a refusal. */
void check_result(void);
void check_refusal(u32 bytes);
void accepted(void);
void refused(const char *why);

void build_qemu(void);
void build_notebook(void);
void build_small_pc(void);
void build_server(void);
/* Of the server, whose units have an I/O APIC each. */
struct socket_unit {
	u32 base;
	u8 ioapic, bus;
};
extern const struct socket_unit socket_units[8];

#endif
