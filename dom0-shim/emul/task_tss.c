// SPDX-License-Identifier: GPL-2.0-only
/* Task-state segments to and from the guest's memory (SDM vol. 3, 8.2.1, 8.6). */
#include "task_priv.h"

#define FROM32		offsetof(struct tss32, eip)
#define LEN32		(offsetof(struct tss32, ldt) - FROM32)
#define FROM16		offsetof(struct tss16, ip)
#define LEN16		(offsetof(struct tss16, ldt) - FROM16)

struct tss_part emul_tss_saved_part(bool wide)
{
	if (wide)
		return (struct tss_part){ FROM32, LEN32 };
	return (struct tss_part){ FROM16, LEN16 };
}

/* The other halves of the selectors' words stay as they are. */
static int save32(struct emul_ctx *ctx, const struct emul_span *to, const struct task_regs *r)
{
	struct tss32 s;
	int i, ret = emul_ram_read(ctx, to, 0, (u8 *)&s + FROM32, LEN32);

	if (ret)
		return ret;
	s.eip = r->eip;
	s.eflags = r->eflags;
	memcpy(s.gpr, r->gpr, sizeof(s.gpr));
	for (i = 0; i < EMUL_NR_SEGS; i++)
		s.seg[i].sel = r->seg[i];
	return emul_ram_write(ctx, to, 0, (u8 *)&s + FROM32, LEN32);
}

static int save16(struct emul_ctx *ctx, const struct emul_span *to, const struct task_regs *r)
{
	struct tss16 s;
	int i;

	s.ip = r->eip;
	s.flags = r->eflags;
	for (i = 0; i < 8; i++)
		s.gpr[i] = r->gpr[i];
	memcpy(s.seg, r->seg, sizeof(s.seg));
	return emul_ram_write(ctx, to, 0, (u8 *)&s + FROM16, LEN16);
}

int emul_tss_save(struct emul_ctx *ctx, const struct emul_span *to, bool wide,
		  const struct task_regs *r)
{
	return wide ? save32(ctx, to, r) : save16(ctx, to, r);
}

static int load32(struct emul_ctx *ctx, const struct emul_span *from, struct task_regs *r)
{
	struct tss32 s;
	int i, ret = emul_ram_read(ctx, from, 0, &s, sizeof(s));

	if (ret)
		return ret;
	r->cr3 = s.cr3;
	r->eip = s.eip;
	r->eflags = s.eflags & TASK_EFLAGS;
	memcpy(r->gpr, s.gpr, sizeof(r->gpr));
	for (i = 0; i < EMUL_NR_SEGS; i++)
		r->seg[i] = s.seg[i].sel;
	r->ldt = s.ldt;
	r->trap = s.flags & TSS32_TRAP;
	return 0;
}

/* It knows neither CR3 nor FS and GS. */
static int load16(struct emul_ctx *ctx, const struct emul_span *from, struct task_regs *r)
{
	struct tss16 s;
	int i, ret = emul_ram_read(ctx, from, 0, &s, sizeof(s));

	if (ret)
		return ret;
	memset(r, 0, sizeof(*r));
	r->eip = s.ip;
	r->eflags = s.flags & TASK_EFLAGS;
	for (i = 0; i < 8; i++)
		r->gpr[i] = s.gpr[i];
	memcpy(r->seg, s.seg, sizeof(s.seg));
	r->ldt = s.ldt;
	return 0;
}

int emul_tss_load(struct emul_ctx *ctx, const struct emul_span *from, bool wide,
		  struct task_regs *r)
{
	return wide ? load32(ctx, from, r) : load16(ctx, from, r);
}
