// SPDX-License-Identifier: GPL-2.0-only
/* Task-state segments to and from the guest's memory (SDM vol. 3, 8.2.1, 8.6). */
#include "lib/string.h"
#include "task_priv.h"

#define FROM32		offsetof(struct tss32, eip)
#define LEN32		(offsetof(struct tss32, ldt) - FROM32)
#define FROM16		offsetof(struct tss16, ip)
#define LEN16		(offsetof(struct tss16, ldt) - FROM16)

struct tss_part tss_saved_part(bool wide)
{
	if (wide)
		return (struct tss_part){ FROM32, LEN32 };
	return (struct tss_part){ FROM16, LEN16 };
}

/* The other halves of the selectors' words stay as they are. */
static void save32(const struct linear_span *to, const struct task_regs *r)
{
	struct tss32 s;
	u32 i;

	span_read(to, 0, (u8 *)&s + FROM32, LEN32);
	s.eip = r->eip;
	s.eflags = r->eflags;
	memcpy(s.gpr, r->gpr, sizeof(s.gpr));
	for (i = 0; i < TASK_SEGS; i++)
		s.seg[i].sel = r->seg[i];
	span_write(to, 0, (u8 *)&s + FROM32, LEN32);
}

static void save16(const struct linear_span *to, const struct task_regs *r)
{
	struct tss16 s;
	u32 i;

	s.ip = r->eip;
	s.flags = r->eflags;
	for (i = 0; i < ARRAY_SIZE(s.gpr); i++)
		s.gpr[i] = r->gpr[i];
	memcpy(s.seg, r->seg, sizeof(s.seg));
	span_write(to, 0, (u8 *)&s + FROM16, LEN16);
}

void tss_save(const struct linear_span *to, bool wide, const struct task_regs *r)
{
	if (wide)
		save32(to, r);
	else
		save16(to, r);
}

static void load32(const struct linear_span *from, struct task_regs *r)
{
	struct tss32 s;
	u32 i;

	span_read(from, 0, &s, sizeof(s));
	r->cr3 = s.cr3;
	r->eip = s.eip;
	r->eflags = s.eflags & TASK_EFLAGS;
	memcpy(r->gpr, s.gpr, sizeof(r->gpr));
	for (i = 0; i < TASK_SEGS; i++)
		r->seg[i] = s.seg[i].sel;
	r->ldt = s.ldt;
	r->trap = s.flags & TSS32_TRAP;
}

/* It knows neither CR3 nor FS and GS. */
static void load16(const struct linear_span *from, struct task_regs *r)
{
	struct tss16 s;
	u32 i;

	span_read(from, 0, &s, sizeof(s));
	memset(r, 0, sizeof(*r));
	r->eip = s.ip;
	r->eflags = s.flags & TASK_EFLAGS;
	for (i = 0; i < ARRAY_SIZE(s.gpr); i++)
		r->gpr[i] = s.gpr[i];
	memcpy(r->seg, s.seg, sizeof(s.seg));
	r->ldt = s.ldt;
}

void tss_load(const struct linear_span *from, bool wide, struct task_regs *r)
{
	if (wide)
		load32(from, r);
	else
		load16(from, r);
}
