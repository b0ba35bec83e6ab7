// SPDX-License-Identifier: GPL-2.0-only
/* MOV to CR0, CR4 and CR8 that exit: modes, PAE's top entries, what faults. */
// SOURCES: hv/core/run/exit_cr.c hv/core/guest/insn.c hv/core/guest/gwalk.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/memory/domain.h"
#include "hv/core/run/exit_cr.h"
#include "hv/core/guest/gwalk.h"
#include "hv/core/run/npf.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"

#define CODE	0x100
#define ROOT	0x1020
#define MEM	0x2000

static struct domain guest = { .id = 1 }, service;
static struct vcpu v;
static struct kvm_sregs sregs;
static u8 mem[MEM];
static bool root_absent, no_memory, was_set, refuse, skipped, flushed;
static gpa_t needed, code_end;		/* from there on, the code has gone */
static int vector, cr8;

void guest_view_begin(struct guest_view *w __unused, struct domain *d __unused,
		      u64 space __unused) { }
void guest_view_end(struct guest_view *w __unused) { }

int guest_view_read(struct guest_view *w __unused, gpa_t gpa, void *buf, u32 len)
{
	if (gpa + len > MEM || (root_absent && gpa >= 0x1000) ||
	    (gpa < 0x1000 && gpa + len > code_end))
		return -EFAULT;
	memcpy(buf, mem + gpa, len);
	return 0;
}

u64 mmu_phys_end(void)
{
	return BIT(40);
}

bool npf_need_page(struct vcpu *w __unused, gpa_t gpa)
{
	needed = gpa;
	return !no_memory;
}

void vcpu_exception(struct vcpu *w __unused, u8 vec, bool has_error __unused, u32 error)
{
	assert_int_equal(vector, -1);
	assert_int_equal(error, 0);
	vector = vec;
}

void vcpu_skip(struct vcpu *w)
{
	skipped = true;
	w->regs.rip += w->exit.insn_len;
}

void vlapic_set_cr8(struct vcpu *w __unused, u8 val)
{
	cr8 = val;
}

static void get_paging(struct vcpu *w __unused, struct vcpu_paging *p)
{
	*p = (struct vcpu_paging){
		.cr0 = sregs.cr0 & ~X86_CR0_PG,		/* the code is at its linear address */
		.cr3 = sregs.cr3, .cr4 = sregs.cr4, .efer = sregs.efer, .cs_big = true,
	};
	if (sregs.cr0 & X86_CR0_PG && w->exit.insn_len)	/* it has been fetched */
		p->cr0 = sregs.cr0;
}

static void get_sregs(struct vcpu *w __unused, struct kvm_sregs *s)
{
	*s = sregs;
}

static int set_sregs(struct vcpu *w __unused, const struct kvm_sregs *s)
{
	if (refuse)
		return -EINVAL;
	sregs = *s;
	was_set = true;
	return 0;
}

static void flush(struct vcpu *w __unused)
{
	flushed = true;
}

static const struct hv_ops test_ops = {
	.get_paging = get_paging, .get_sregs = get_sregs, .set_sregs = set_sregs, .flush = flush,
};
const struct hv_ops *ops = &test_ops;

static int setup(void **state __unused)
{
	u32 i;

	memset(&v, 0, sizeof(v));
	v.dom = &guest;
	memset(mem, 0, sizeof(mem));
	memset(&sregs, 0, sizeof(sregs));
	root_absent = no_memory = was_set = refuse = skipped = flushed = false;
	needed = 0;
	code_end = 0x1000;
	vector = cr8 = -1;
	sregs.cr0 = X86_CR0_PE | X86_CR0_CD | X86_CR0_NW;
	sregs.cr3 = ROOT | 0x18;
	for (i = 0; i < 4; i++)
		*(u64 *)(mem + ROOT + 8 * i) = 0x3001;
	v.regs.rip = CODE;
	return 0;
}

/* MOV CRn, EDX with @val, by its handler. */
static void mov(u8 cr, u64 val)
{
	static void (*const handler[])(struct vcpu *) = {
		[0] = exit_cr0, [4] = exit_cr4, [8] = exit_cr8,
	};
	/* LOCK MOV CR0 is CR8 outside long mode. */
	const u8 code[] = { cr == 8 ? 0xf0 : 0x3e, 0x0f, 0x22, 0xc2 | (cr & 7) << 3 };

	memcpy(mem + CODE, code, sizeof(code));
	v.regs.gpr[RDX] = val;
	v.exit.insn_len = 0;
	was_set = skipped = false;
	vector = -1;
	handler[cr](&v);
	assert_int_equal(skipped, vector < 0 && !needed);
}

#define PG	(X86_CR0_PG | X86_CR0_PE)

static void expect_done(void)
{
	assert_int_equal(vector, -1);
	assert_int_equal(needed, 0);
	assert_true(was_set && skipped);
}

static void expect_gp(void)
{
	assert_int_equal(vector, X86_TRAP_GP);
	assert_false(was_set || skipped);
}

static void plain(void **state __unused)
{
	mov(0, X86_CR0_PE | X86_CR0_NE);
	expect_done();
	assert_int_equal(sregs.cr0, X86_CR0_PE | X86_CR0_NE | X86_CR0_ET);
	assert_int_equal(v.regs.rip, CODE + 4);
	v.regs.rip = CODE;
	mov(4, X86_CR4_MCE | X86_CR4_PGE);
	expect_done();
	assert_true(flushed);
	assert_int_equal(sregs.cr4, X86_CR4_MCE | X86_CR4_PGE);
	v.regs.rip = CODE;
	refuse = true;
	mov(4, X86_CR4_VMXE);
	expect_gp();
	mov(0, X86_CR0_NW);
	expect_gp();
}

static void not_a_mov(void **state __unused)
{
	exit_cr0(&v);
	assert_int_equal(vector, X86_TRAP_UD);
	vector = -1;
	memcpy(mem + CODE, "\x0f\x22\xe2", 3);		/* MOV CR4, not CR0 */
	exit_cr0(&v);
	assert_int_equal(vector, X86_TRAP_UD);
}

/* The service VM took the page after the exit: the guest fetches it again. */
static void code_has_gone(void **state __unused)
{
	static void (*const handler[])(struct vcpu *) = { exit_cr0, exit_cr4, exit_cr8 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(handler); i++) {
		code_end = 0;
		v.regs.rip = CODE;
		handler[i](&v);
		/* Of two pages the second one. */
		memcpy(mem + 0xffe, "\x0f\x22", 2);
		code_end = 0x1000;
		root_absent = true;
		v.regs.rip = 0xffe;
		handler[i](&v);
		assert_int_equal(vector, -1);
		assert_false(was_set || skipped);
		assert_int_equal(v.regs.rip, 0xffe);
		assert_true(flushed);
	}
	code_end = 0;
	v.dom = &service;
	exit_cr4(&v);
	assert_int_equal(vector, X86_TRAP_UD);
}

static void task_priority(void **state __unused)
{
	mov(8, 7);
	assert_int_equal(cr8, 7);
	v.regs.rip = CODE;
	mov(8, 0x10);
	assert_int_equal(vector, X86_TRAP_GP);
	assert_int_equal(cr8, 7);
}

static void long_mode(void **state __unused)
{
	sregs.efer = EFER_LME;
	sregs.cr4 = X86_CR4_PAE;
	root_absent = true;				/* four levels: no PAE root */
	mov(0, PG);
	expect_done();
	assert_int_equal(sregs.efer, EFER_LME | EFER_LMA);
	v.regs.rip = CODE;
	root_absent = false;
	sregs.cs.l = 1;
	mov(0, X86_CR0_PE);
	expect_gp();
	sregs.cs.l = 0;
	mov(0, X86_CR0_PE);
	expect_done();
	assert_int_equal(sregs.efer, EFER_LME);
	v.regs.rip = CODE;
	mov(4, X86_CR4_PAE | X86_CR4_PCIDE);
	expect_gp();
}

/* The width of addresses is fixed in long mode (SDM vol. 3, 2.5). */
static void five_levels(void **state __unused)
{
	sregs.efer = EFER_LME | EFER_LMA;
	sregs.cr0 = PG;
	sregs.cr4 = X86_CR4_PAE;
	mov(4, X86_CR4_PAE | X86_CR4_LA57);
	expect_gp();
	sregs.cr4 |= X86_CR4_LA57;
	mov(4, X86_CR4_PAE);
	expect_gp();
	mov(4, X86_CR4_PAE | X86_CR4_LA57 | X86_CR4_PGE);
	expect_done();
	v.regs.rip = CODE;
	sregs.efer = EFER_LME;
	sregs.cr0 = X86_CR0_PE;
	mov(4, X86_CR4_PAE);
	expect_done();
}

static void pae_cr0(void **state __unused)
{
	sregs.cr4 = X86_CR4_PAE;
	root_absent = true;
	mov(0, PG);
	assert_int_equal(needed, ROOT);
	assert_int_equal(vector, -1);
	assert_false(was_set || skipped);
	assert_int_equal(v.regs.rip, CODE);
	/* It has come. */
	root_absent = false;
	needed = 0;
	mov(0, PG);
	expect_done();
}

static void pae_faults(void **state __unused)
{
	u64 *last = (u64 *)(mem + ROOT + 24);

	sregs.cr4 = X86_CR4_PAE;
	*last = BIT(40) | 1;
	mov(0, PG);
	expect_gp();
	*last = BIT(6) | 1;
	mov(0, PG);
	expect_gp();
	/* No memory there, and none will come. */
	*last = 1;
	root_absent = no_memory = true;
	mov(0, PG);
	assert_int_equal(vector, X86_TRAP_GP);
	assert_false(was_set);
	needed = 0;
	/* Not present: whatever it holds. */
	root_absent = no_memory = false;
	*last = ~1ull;
	mov(0, PG);
	expect_done();
}

static void pae_cr4(void **state __unused)
{
	sregs.cr0 = PG;
	sregs.cr4 = X86_CR4_PSE;
	root_absent = true;
	mov(4, X86_CR4_PAE);
	assert_int_equal(needed, ROOT);
	assert_false(was_set);
	needed = 0;
	root_absent = false;
	mov(4, X86_CR4_PAE);
	expect_done();
	/* MCE does not load them again, PGE does. */
	v.regs.rip = CODE;
	root_absent = true;
	mov(4, X86_CR4_PAE | X86_CR4_MCE);
	expect_done();
	v.regs.rip = CODE;
	mov(4, X86_CR4_PAE | X86_CR4_PGE);
	assert_int_equal(needed, ROOT);
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(plain), T(not_a_mov), T(code_has_gone), T(task_priority),
		T(long_mode), T(five_levels),
		T(pae_cr0), T(pae_faults), T(pae_cr4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
