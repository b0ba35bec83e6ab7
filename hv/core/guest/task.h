/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hardware task switches (SDM vol. 3, ch. 8), for CPUs that leave them to us:
 * the TSSs as they are in the guest's memory, and the switch.
 */
#ifndef HV_CORE_TASK_H
#define HV_CORE_TASK_H

#include "lib/types.h"

struct vcpu;

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

#define TSS32_TRAP	BIT(0)

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

static_assert(sizeof(struct tss32) == 104 && offsetof(struct tss32, cr3) == 28 &&
	      offsetof(struct tss32, eip) == 32 && offsetof(struct tss32, eflags) == 36 &&
	      offsetof(struct tss32, gpr) == 40 && offsetof(struct tss32, seg) == 72 &&
	      offsetof(struct tss32, ldt) == 96 && offsetof(struct tss32, flags) == 100 &&
	      offsetof(struct tss32, iomap) == 102, "SDM vol. 3, figure 8-2");
static_assert(sizeof(struct tss16) == 44 && offsetof(struct tss16, ip) == 14 &&
	      offsetof(struct tss16, flags) == 16 && offsetof(struct tss16, gpr) == 18 &&
	      offsetof(struct tss16, seg) == 34 && offsetof(struct tss16, ldt) == 42,
	      "SDM vol. 3, figure 8-10");

/*
 * The switch of v->exit.task for the current vCPU, whose v->dr6 and v->dr7
 * are up to date.  True: it is made, or its fault is queued, or the vCPU has
 * stopped for memory and will come again.  False: a TSS, a descriptor or a page
 * table is where there is no memory, and nothing has changed.
 */
bool task_switch(struct vcpu *v);

#endif
