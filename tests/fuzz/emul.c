// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shim's emulator: random code behind random state of each mode, page tables that the input
 * writes, task switches; and its measure of lengths. It ends within bounds and
 * says what happened; memory outside of the guest is not its.
 */
// SOURCES: tests/unit/rig/emul_rig.c dom0-shim/emul/*.c
#include "emul_rig.h"
#include "fuzz.h"

#define CODE		0x10000u
#define MAX_READS	20000
#define MAX_ANSWERS	2000

static struct rig rig;

/* What stays mapped in long mode: RAM by itself, devices. */
static void long_mode(void)
{
	uint64_t page;

	rig_long(&rig);
	for (page = 0; page < 0x20000; page += 0x1000)
		rig_map(&rig, page, page, 7);
	for (page = 0; page < RIG_MMIO_SIZE; page += 0x1000) {
		rig_map(&rig, RIG_KERNEL_MMIO + page, RIG_KERNEL_MMIO + page, 7);
		rig_map(&rig, RIG_USER_MMIO + page, RIG_USER_MMIO + page, 3);
	}
	rig.ctx.phys_bits = 48;
}

static void set_mode(u8 mode)
{
	switch (mode & 3) {
	case 0: rig_real(&rig); break;
	case 1: rig_prot(&rig, 16); break;
	case 2: rig_prot(&rig, 32); break;
	default: long_mode();
	}
}

static u64 address(struct input *in)
{
	u8 kind = take8(in);

	switch (kind & 7) {
	case 0: return take64(in);
	case 1: return RIG_KERNEL_MMIO + take16(in) % RIG_MMIO_SIZE;
	case 2: return RIG_USER_MMIO + take16(in) % RIG_MMIO_SIZE;
	case 3: return kind >> 3;
	case 4: return 0x1000ull * take8(in) - (kind >> 3);
	default: return take32(in) % 0x20000;
	}
}

/* All of it as the input has it, but what C cannot have. */
static void wild_state(struct input *in)
{
	u32 i;

	for (i = 0; i < EMUL_NR_SEGS; i++)
		if (take8(in) & 1) {
			take_bytes(in, &rig.ctx.seg[i].limit, sizeof(rig.ctx.seg[i].limit));
			rig.ctx.seg[i].base = address(in);
		}
	rig.ctx.cr0 = (take32(in) & 0xe005003f) | (rig.ctx.cr0 & 1);
	rig.ctx.cr4 ^= take32(in) & 0x1750630;
	rig.ctx.efer ^= take16(in) & 0xd01;
	rig.ctx.cr3 = address(in);
	rig.ctx.xcr0 = take8(in) & 7;
	rig.ctx.pkru = take32(in);
	rig.ctx.phys_bits = 32 + take8(in) % 21;
	rig.ctx.tr.base = address(in);
	rig.ctx.tr.limit = take16(in);
}

static void check_end(int r)
{
	REQUIRE(rig.ctx.insn_len <= EMUL_MAX_INSN && rig.gpa_reads < MAX_READS);
	REQUIRE(r >= EMUL_DONE && (r <= EMUL_UNHANDLED || (r == EMUL_RSM && rig.ctx.in_smm)));
	if (r == EMUL_FAULT)
		REQUIRE(rig.ctx.fault.vector <= 17);
}

static void run_one(struct input *in)
{
	struct emul_ctx before = rig.ctx;
	int i, r;

	rig.nseen = 0;
	rig.gpa_reads = 0;
	r = emul_run(&rig.ctx);
	check_end(r);
	if (r == EMUL_UNHANDLED || r == EMUL_RSM)
		REQUIRE(!memcmp(before.gpr, rig.ctx.gpr, sizeof(before.gpr)));
	if (r != EMUL_DONE)
		REQUIRE(before.rip == rig.ctx.rip);
	for (i = 0; r == EMUL_NEED_USER && i < MAX_ANSWERS; i++) {
		const struct emul_access *u = &rig.ctx.user;

		if (u->kind == EMUL_MMIO_READ || u->kind == EMUL_MMIO_WRITE)
			REQUIRE(u->len >= 1 && u->len <= 8 && (u->gpa & 0xfff) + u->len <= 0x1000);
		else
			REQUIRE((u64)u->len * u->count <= EMUL_PAGE_SIZE);
		take_bytes(in, rig.ctx.user.data, 8);
		rig.gpa_reads = 0;
		r = emul_resume(&rig.ctx);
		check_end(r);
	}
}

#define GDT	0x3000u
#define TSS	0x4000u

/* Of any kind, but TSSs more often than not. */
static void put_descriptor(struct input *in, u32 n)
{
	u8 how = take8(in);
	u64 d = take64(in);

	if (how & 3) {
		d &= 0xff0060ff00000000ull >> (how & 4 ? 8 : 0);
		d |= (u64)(TSS + 0x100 * (how >> 5)) << 16 | (0x67 + (how & 0x10)) |
		     (0x80ull | (how & 8 ? 1 : 9) | (how & 4 ? 2 : 0)) << 40;
	}
	rig_put(&rig, GDT + 8 * n, 8, d);
}

static void task(struct input *in)
{
	struct emul_task t = { 0 };
	u8 how = take8(in);
	u32 i;
	int r;

	for (i = 1; i < 8; i++)
		put_descriptor(in, i);
	take_bytes(in, rig.ram + TSS, 0x80);
	t.sregs.gdt.base = GDT;
	t.sregs.gdt.limit = 63;
	t.sregs.tr = (struct kvm_segment){ .base = TSS + 0x100, .limit = 0x67, .selector = take8(in) & 0x38,
					   .type = how & 1 ? 11 : 3, .present = 1 };
	t.sregs.cs = (struct kvm_segment){ .limit = ~0u, .selector = 8, .type = 11, .present = 1,
					   .s = 1, .db = 1, .g = 1 };
	t.sregs.cr0 = 1 | (how & 2 ? rig.ctx.cr0 : 0);
	t.sregs.cr3 = rig.ctx.cr3;
	t.sregs.cr4 = rig.ctx.cr4;
	t.selector = take8(in) & 0x3f;
	t.source = how >> 2 & 3;
	t.event = t.source == EMUL_TASK_GATE ? how >> 4 & 3 : 0;
	t.insn_len = t.event ? 0 : 2;
	rig.ctx.efer = 0;
	rig.gpa_reads = 0;
	r = emul_task_switch(&rig.ctx, &t);
	REQUIRE(rig.gpa_reads < MAX_READS && r >= EMUL_DONE && r <= EMUL_UNHANDLED);
}

static void measure(struct input *in)
{
	static const int bits[] = { 16, 32, 64 };
	u8 how = take8(in);
	size_t n = how >> 2 & 15;
	u8 *b = take_copy(in, n);
	int r = emul_insn_len(b, n, bits[how % 3]);

	REQUIRE(r == -ENOENT || r == -EMSGSIZE || (r > 0 && (size_t)r <= n && r <= EMUL_MAX_INSN));
	free(b);
}

/* The bytes that the last input left in RAM do not matter, but for repeating it. */
static void begin(struct input *in)
{
	u8 mode = take8(in);
	u32 i, pokes;

	set_mode(mode);
	rig.pio_user = mode & 4;
	rig.ctx.cpl = mode & 8 ? 3 : 0;
	rig.ctx.in_smm = (mode & 0x60) == 0x60;
	if (mode & 0x80)
		wild_state(in);
	pokes = take8(in) % 16;
	for (i = 0; i < pokes; i++)
		rig_put(&rig, take32(in) % (RIG_RAM_SIZE / 8) * 8, 8, (take32(in) % RIG_RAM_SIZE) | take8(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u32 i, n;

	if (size > 1024)
		return 0;
	measure(&in);
	begin(&in);
	for (n = 0; in.left && n < 8; n++) {
		u8 what = take8(&in);

		take_bytes(&in, rig.ram + CODE, 16);
		for (i = 0; i < 16; i++)
			if (what & 1)
				rig.ctx.gpr[i] = address(&in);
		rig.ctx.rflags = 2 | (take32(&in) & 0x243cd5);
		rig.ctx.rip = what & 2 ? address(&in) : CODE;
		if ((what & 0x1c) == 0x1c)
			task(&in);
		else
			run_one(&in);
	}
	return 0;
}
