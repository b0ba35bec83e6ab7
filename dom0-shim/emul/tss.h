/* SPDX-License-Identifier: GPL-2.0-only */
/* Task-state segments as they are in memory (SDM vol. 3, 8.2.1, 8.6). */
#ifndef BEDPLATE_EMUL_TSS_H
#define BEDPLATE_EMUL_TSS_H

#include "../os.h"

#define TYPE_TSS_32	8	/* bit of a TSS descriptor's type */

/* Figure 8-2.  General registers are in the order of their numbers. */
struct tss32 {
	u16 link, pad0;
	struct {
		u32 esp;
		u16 ss, pad;
	} stack[3];
	u32 cr3;
	u32 eip;
	u32 eflags;
	u32 gpr[8];
	struct {
		u16 sel, pad;
	} seg[6];			/* ES, CS, SS, DS, FS, GS */
	u16 ldt, pad1;
	u16 flags;			/* TSS32_TRAP */
	u16 iomap;
};

#define TSS32_TRAP	1

/* Figure 8-10 */
struct tss16 {
	u16 link;
	struct {
		u16 sp, ss;
	} stack[3];
	u16 ip;
	u16 flags;
	u16 gpr[8];
	u16 seg[4];			/* ES, CS, SS, DS */
	u16 ldt;
};

#define TSS_AT(tss, field, offset) \
	_Static_assert(offsetof(struct tss, field) == (offset), "SDM vol. 3, figures 8-2 and 8-10")
TSS_AT(tss32, cr3, 28);
TSS_AT(tss32, eip, 32);
TSS_AT(tss32, eflags, 36);
TSS_AT(tss32, gpr, 40);
TSS_AT(tss32, seg, 72);
TSS_AT(tss32, ldt, 96);
TSS_AT(tss32, flags, 100);
TSS_AT(tss32, iomap, 102);
TSS_AT(tss16, ip, 14);
TSS_AT(tss16, flags, 16);
TSS_AT(tss16, gpr, 18);
TSS_AT(tss16, seg, 34);
TSS_AT(tss16, ldt, 42);
_Static_assert(sizeof(struct tss32) == 104 && sizeof(struct tss16) == 44, "no holes");

#endif
