// SPDX-License-Identifier: GPL-2.0-only
/* The trusted base's decoders and walks of a guest's page tables, over memory that is the input. */
// SOURCES: hv/core/guest/insn.c hv/core/guest/gwalk.c
// CFLAGS: -include core_host.h
#include "fuzz.h"

#include "hv/core/guest/gwalk.h"
#include "hv/core/guest/insn.h"
#include "hv/core/memory/domain.h"

#define MEM	0x4000u
#define HIGH	0x100000000ull

static u8 memory[MEM] __aligned(PAGE_SIZE);
static struct domain dom;
static struct vcpu vcpu = { .dom = &dom };
static u32 reads;

void guest_view_begin(struct guest_view *w __unused, struct domain *d __unused, u64 space __unused) { }
void guest_view_end(struct guest_view *w __unused) { }

/* The same 16 KiB everywhere below 1 MiB and for 1 MiB from 4 GiB on. */
int guest_view_read(struct guest_view *w, gpa_t gpa, void *buf, u32 len)
{
	u32 i;

	reads++;
	REQUIRE(len && len <= PAGE_SIZE);
	w->first = gpa;
	w->size = len;
	if (gpa >= HIGH)
		gpa -= HIGH;
	if (gpa >= SZ_1M || len > SZ_1M - gpa)
		return -EFAULT;
	w->base = (u8 *)memory + gpa % MEM;
	for (i = 0; i < len; i++)
		((u8 *)buf)[i] = memory[(gpa + i) % MEM];
	return 0;
}

u64 mmu_phys_end(void) { return BIT(40); }

static void check_mov(const struct insn_mov *m, size_t n)
{
	REQUIRE(m->len && m->len <= n && m->len <= INSN_MAX);
	REQUIRE(m->size == 1 || m->size == 2 || m->size == 4 || m->size == 8);
	REQUIRE((m->write && m->imm) || m->reg < 16);
	REQUIRE(m->write || m->reg_size >= m->size);
	REQUIRE(!m->high_byte || m->reg < 4);
	if (m->flat) {
		REQUIRE(m->base < 16 || m->base == INSN_NONE || m->base == INSN_RIP);
		REQUIRE(m->index < 16 || m->index == INSN_NONE);
	}
}

/* Each in memory of just that size; what fewer bytes decode to, more do not change. */
static void decode(struct input *in)
{
	u8 how = take8(in), cr, reg, len;
	size_t n = take8(in) % 17;
	u8 *b = take_copy(in, n);
	bool is_long = how & 1;
	struct insn_mov m, again;
	struct insn_movs s;
	int ret;

	memset(&m, 0, sizeof(m));
	memset(&again, 0, sizeof(again));
	ret = insn_prefix_len(b, (u32)n, is_long);
	REQUIRE(ret == -EINVAL || (ret >= 0 && (size_t)ret < n));
	if (!insn_decode_mov(b, (u32)n, is_long, how & 2, &m)) {
		check_mov(&m, n);
		REQUIRE(!insn_decode_mov(b, m.len, is_long, how & 2, &again));
		REQUIRE(again.len == m.len && again.size == m.size && again.disp == m.disp);
		REQUIRE(insn_decode_mov(b, m.len - 1u, is_long, how & 2, &again) == -EINVAL);
	}
	if (!insn_decode_movs(b, (u32)n, &s))
		REQUIRE(s.len && s.len <= n && s.size && s.size <= 8);
	if (!insn_decode_mov_cr(b, (u32)n, is_long, &cr, &reg, &len))
		REQUIRE(len && len <= n && cr < 16 && reg < 16);
	free(b);
}

static void walk(struct input *in)
{
	struct vcpu_paging p = { .cr0 = take32(in), .cr3 = take32(in), .cr4 = take32(in), .efer = take16(in) };
	u8 how = take8(in), buf[INSN_BUF], again[INSN_BUF];
	struct guest_view w = { 0 };
	gpa_t gpa;
	int n;

	p.cs_long = how & 1;
	p.cs_big = how & 2;
	p.pdptes = how & 4;
	p.cs_base = how & 8 ? take64(in) : 0;
	take_bytes(in, p.pdpte, sizeof(p.pdpte));
	vcpu.regs.rip = take64(in);
	reads = 0;
	(void)gva_to_gpa(&vcpu, &p, take64(in), &gpa);
	REQUIRE(reads <= 5);
	n = insn_fetch(&vcpu, &p, buf);
	REQUIRE(n == -EFAULT || (n > 0 && n <= INSN_MAX));
	/* Once more, by the walk that is remembered; then with all of memory changed. */
	REQUIRE(insn_fetch(&vcpu, &p, again) == n && (n < 0 || !memcmp(buf, again, n)));
	memory[take32(in) % MEM] ^= take8(in);
	(void)insn_fetch(&vcpu, &p, buf);
	(void)pae_root_check(&w, p.cr3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	size_t i, used = min(size, (size_t)512);

	if (size > 4096)
		return 0;
	decode(&in);
	for (i = 0; i < MEM; i++)
		memory[i] = used ? data[(i * 7 + i / 512) % used] : 0;
	while (in.left)
		walk(&in);
	return 0;
}
