// SPDX-License-Identifier: GPL-2.0-only
/* A device reads and writes memory that is not the service VM's. */
#include "attack.h"

#define FRAMES		512
#define CLOSED_FRAMES	2	/* all are alike to the unit, so few do */
#define TABLES		16	/* frames of the pool, from its first, in which tables are looked for */
#define SECRET		0x5ec2e70f6e57a11eull
#define FORGED		0x464f524745440000ull

static const char mark[] = "whose frame is this?";

/* What attacks are built on: the service VM's own memory, in both modes. */
TEST(dma, own)
{
	uint64_t addr;
	char *page, got[sizeof(mark)] = "";

	attack_begin();
	page = own_page(&addr);
	edu_write(addr + 100, mark, sizeof(mark));
	CHECK(!strcmp(page + 100, mark));
	edu_read(addr + 100, got, sizeof(got));
	CHECK(!strcmp(got, mark));
	attack_none();
}

/* Bedplate's image: its data, where the log is. */
TEST(dma, read_image)
{
	char want[64], got[64];

	attack_begin();
	log_head(want, sizeof(want));
	edu_read(log_ring(), got, sizeof(got));
	attack_read(!memcmp(want, got, sizeof(want)), log_ring());
}

TEST(dma, write_image)
{
	char before[64], after[64];

	attack_begin();
	log_head(before, sizeof(before));
	edu_write(log_ring() + 32, mark, sizeof(mark));
	log_head(after, sizeof(after));
	attack_write(memcmp(before, after, sizeof(before)), log_ring() + 32);
	memcpy(before + 32, mark, sizeof(mark));
	CHECK_EQ(!memcmp(before, after, sizeof(before)), attack_open);
}

/* The pool, which begins with a bit for each of its frames: those of free frames are clear. */
TEST(dma, read_pool)
{
	uint64_t map[EDU_PAGE / 8], used = 0, frames = bp_stat("pool_frames");

	attack_begin();
	CHECK(frames <= sizeof(map) * 8);
	edu_read(pool_base(), map, sizeof(map));
	for (uint64_t i = 0; i < frames; i++)
		used += map[i / 64] >> i % 64 & 1;
	attack_read(used == frames - bp_stat("pool_free"), pool_base());
}

/* Its last frame, which is free. */
TEST(dma, write_pool)
{
	uint64_t addr = pool_base() + (bp_stat("pool_frames") - 1) * EDU_PAGE;
	char got[sizeof(mark)] = "";

	attack_begin();
	edu_write(addr, mark, sizeof(mark));
	edu_read(addr, got, sizeof(got));
	attack_write(!strcmp(got, mark), addr);
}

/* So many neighbours in a table map what is side by side, in leaves of one size. */
static int longest_row(const uint64_t *table)
{
	int best = 0, row = 0;

	for (int i = 1; i < 512; i++) {
		uint64_t step = table[i] - table[i - 1];

		row = (table[i] & 1) && (step == 0x1000 || step == 0x200000 || step == 0x40000000) ? row + 1 : 0;
		best = row > best ? row : best;
	}
	return best;
}

/* Page tables, which lie at the pool's beginning. */
TEST(dma, read_tables)
{
	uint64_t table[512], addr = pool_base();
	int best = 0;

	attack_begin();
	for (int i = 1; i < (attack_open ? TABLES : 1 + CLOSED_FRAMES); i++) {
		int row;

		edu_read(addr + i * EDU_PAGE, table, sizeof(table));
		row = longest_row(table);
		best = row > best ? row : best;
	}
	attack_read(best >= 100, addr + EDU_PAGE);
}

/* A guest's frames: those that are donated with it and were not before. */
struct prey {
	struct vm *vm;
	uint64_t frames[FRAMES];
	int n;
};

/* The guest is stopped, with SECRET in a register. */
static void prey_new(struct prey *p)
{
	static uint64_t before[FRAMES], after[FRAMES];
	int nb = donated(before, FRAMES), na;
	struct kvm_regs regs;

	p->vm = vm_new(G_script, 1, 0);
	CHECK_EQ(ioctl(p->vm->vcpu[0].fd, KVM_GET_REGS, &regs), 0);
	regs.r15 = SECRET;
	CHECK_EQ(ioctl(p->vm->vcpu[0].fd, KVM_SET_REGS, &regs), 0);
	na = donated(after, FRAMES);
	CHECK(na > nb && na <= FRAMES);
	p->n = 0;
	for (int i = 0; i < na; i++)
		if (!among(before, nb, after[i]))
			p->frames[p->n++] = after[i];
	CHECK_EQ(p->n, na - nb);
}

/* Where the device finds SECRET in the first @n frames of the list; 0: nowhere. */
static uint64_t find_secret(const uint64_t *frames, int n)
{
	uint64_t page[EDU_PAGE / 8];

	for (int i = 0; i < n; i++) {
		edu_read(frames[i], page, sizeof(page));
		for (int k = 0; k < EDU_PAGE / 8; k++)
			if (page[k] == SECRET)
				return frames[i] + k * 8;
	}
	return 0;
}

static uint64_t secret_now(struct prey *p)
{
	struct kvm_regs regs;

	CHECK_EQ(ioctl(p->vm->vcpu[0].fd, KVM_GET_REGS, &regs), 0);
	return regs.r15;
}

/* A guest's register, in a frame that was donated for it; and what it has there is changed. */
TEST_LIMIT(dma, donated, 300)
{
	struct prey p;
	uint64_t at, forged = FORGED;

	attack_begin();
	prey_new(&p);
	at = find_secret(p.frames, attack_open ? p.n : CLOSED_FRAMES);
	attack_read(at, p.frames[0]);
	CHECK_EQ(secret_now(&p), SECRET);
	if (!at)
		at = p.frames[0];
	attack_begin();
	edu_write(at, &forged, sizeof(forged));
	attack_write(secret_now(&p) != SECRET, at);
	CHECK_EQ(secret_now(&p), attack_open ? FORGED : SECRET);
	run_done(&p.vm->vcpu[0]);
}

/* What a guest had is gone with it, and its frames are for the service VM's devices again. */
TEST_LIMIT(dma, returned, 300)
{
	static uint64_t now[FRAMES];
	struct prey p;
	int before = donated(now, FRAMES);

	attack_begin();
	prey_new(&p);
	vm_free(p.vm);
	CHECK_EQ(donated(now, FRAMES), before);
	CHECK_EQ(find_secret(p.frames, p.n), 0);
	attack_none();
}
