// SPDX-License-Identifier: GPL-2.0-only
/* Domain 0's faults at an IOMMU's registers, or in PCI's configuration space: which instructions are served, and how. */
// SOURCES: hv/core/run/npf.c hv/core/guest/insn.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/apic/vlapic.h"
#include "hv/core/guest/insn.h"
#include "hv/core/guest/pci_cfg.h"
#include "hv/core/guest/sleep.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/mmu.h"
#include "hv/core/run/npf.h"
#include "hv/core/vcpu/ops.h"
#include "hv/core/vcpu/run.h"
#include "hv/iommu/virt/virt.h"

#define REGS	0xfed90000ull
#define CONFIG	(REGS + 0x10000)	/* a page of configuration space */
#define SLEEP	(REGS + 0x20000)	/* one with a sleep control register */
#define RIP	0x1000u

static struct vcpu v;
struct domain dom0;
static u8 code[INSN_MAX];
static int code_len;

/* The access that came, and the answer to it. */
static struct { gpa_t gpa; u32 size; bool write; u64 val; u32 nr; } last;
static u64 answer;
static bool finished, cs_long;
static u32 faults;

bool virt_iommu_hit(gpa_t gpa)
{
	return gpa - REGS < PAGE_SIZE;
}

bool virt_iommu_access(gpa_t gpa, u32 size, bool write, u64 *val)
{
	last = (typeof(last)){ gpa, size, write, *val, last.nr + 1 };
	if (!write)
		*val = answer;
	return finished;
}

bool pci_cfg_hit(gpa_t gpa)
{
	return gpa - CONFIG < PAGE_SIZE;
}

void pci_cfg_access(gpa_t gpa, u32 size, bool write, u64 *val)
{
	assert_int_equal(gpa & (size - 1), 0);
	virt_iommu_access(gpa, size, write, val);
}

bool sleep_hit(gpa_t gpa)
{
	return gpa - SLEEP < PAGE_SIZE;
}

void sleep_access(gpa_t gpa, u32 size, bool write, u64 *val)
{
	pci_cfg_access(gpa, size, write, val);
}

int insn_fetch(struct vcpu *w __unused, const struct vcpu_paging *p __unused, u8 *buf)
{
	memcpy(buf, code, sizeof(code));
	return code_len;
}

/* A page of the service VM's memory. */
#define MEMORY	0xffff888000003000ull
#define BEHIND	0x3000ull
static u8 memory[PAGE_SIZE];

int gva_to_gpa(struct vcpu *w __unused, const struct vcpu_paging *p __unused, gva_t gva, gpa_t *gpa)
{
	*gpa = BEHIND + (gva - MEMORY);
	return gva - MEMORY < PAGE_SIZE ? 0 : -EFAULT;
}

int guest_read(struct domain *d, gpa_t gpa, void *buf, u32 len)
{
	assert_ptr_equal(d, &dom0);
	memcpy(buf, memory + (gpa - BEHIND), len);
	return 0;
}

void vcpu_skip(struct vcpu *w)
{
	w->regs.rip += w->exit.insn_len;
}

void vcpu_exception(struct vcpu *w __unused, u8 vector, bool has_error, u32 error)
{
	assert_true(vector == 13 && has_error && !error);
	faults++;
}

static void get_paging(struct vcpu *w __unused, struct vcpu_paging *p)
{
	*p = (struct vcpu_paging){ .cs_long = cs_long };
}

static const struct hv_ops test_ops = { .get_paging = get_paging };
const struct hv_ops *ops = &test_ops;

/* What is no business of domain 0's here */
bool vlapic_mmio_hit(const struct vcpu *w __unused, gpa_t gpa __unused) { return false; }
int vlapic_read(struct vcpu *w __unused, u32 reg __unused, u64 *val __unused) { fail(); return 0; }
int vlapic_write(struct vcpu *w __unused, u32 reg __unused, u64 val __unused) { fail(); return 0; }
int mmu_map_apic(struct domain *d __unused, gpa_t gpa __unused, hpa_t hpa __unused) { fail(); return 0; }
bool ioeventfd_may_match(struct domain *d __unused, u64 addr __unused)
{
	assert_ptr_not_equal(v.dom, &dom0);
	return false;
}

static u32 told;

void vcpu_service(struct vcpu *w, u8 reason)
{
	assert_ptr_not_equal(w->dom, &dom0);
	assert_int_equal(reason, BP_EXIT_NPF);
	told++;
}

void ring_look(struct vcpu *w __unused, struct cpu *c __unused) { fail(); }

struct cpu *ioeventfd_signal(struct vcpu *w __unused, u64 addr __unused, u8 size __unused,
			     u64 val __unused, bool pio __unused)
{
	fail();
	return NULL;
}

static struct npt_leaf found;
static struct bp_vcpu_page page;
static struct domain guest_dom;
static gpa_t let_write;

enum npt_kind mmu_lookup(struct domain *d, gpa_t gpa __unused, struct npt_leaf *leaf)
{
	assert_ptr_equal(d, &guest_dom);
	*leaf = found;
	return NPT_MAPPED;
}

/* After the note. */
void mmu_log_end(struct domain *d, gpa_t gpa)
{
	assert_ptr_equal(d, &guest_dom);
	assert_int_equal(page.log[(page.log_head - 1) % BP_LOG_SLOTS], gpa >> PAGE_SHIFT);
	let_write = gpa;
}

static int start(void **state __unused)
{
	u32 i;

	memset(&v, 0, sizeof(v));
	memset(&last, 0, sizeof(last));
	v.dom = &dom0;
	v.regs.rip = RIP;
	for (i = 0; i < 16; i++)
		v.regs.gpr[i] = 0xa0a1a2a3a4a5a6a7ull + i;
	answer = 0x1122334455667788ull;
	finished = cs_long = true;
	faults = told = 0;
	return 0;
}

/* The instruction @bytes faults at @off. */
static void fault(u32 off, u32 flags, const char *bytes, u32 len)
{
	memset(code, 0xcc, sizeof(code));
	memcpy(code, bytes, len);
	code_len = sizeof(code);
	v.exit.npf.gpa = REGS + off;
	v.exit.npf.flags = flags;
	v.regs.rip = RIP;
	exit_npf(&v);
}

#define LOAD(off, bytes)	fault(off, 0, bytes, sizeof(bytes) - 1)
#define STORE(off, bytes)	fault(off, NPF_WRITE, bytes, sizeof(bytes) - 1)

static void assert_access(u32 off, u32 size, bool write, u32 insn_len)
{
	assert_int_equal(last.gpa, REGS + off);
	assert_int_equal(last.size, size);
	assert_int_equal(last.write, write);
	assert_int_equal(v.regs.rip, RIP + insn_len);
	assert_int_equal(faults, 0);
}

static void loads(void **state __unused)
{
	LOAD(0x1c, "\x8b\x03");				/* mov (%rbx), %eax */
	assert_access(0x1c, 4, false, 2);
	assert_int_equal(v.regs.gpr[RAX], 0x55667788);
	LOAD(8, "\x48\x8b\x43\x08");			/* mov 8(%rbx), %rax */
	assert_access(8, 8, false, 4);
	assert_true(v.regs.gpr[RAX] == answer);
	LOAD(0x1e, "\x66\x8b\x0b");			/* mov (%rbx), %cx */
	assert_access(0x1e, 2, false, 3);
	assert_true(v.regs.gpr[RCX] == 0xa0a1a2a3a4a57788ull);
	LOAD(0x1f, "\x8a\x13");				/* mov (%rbx), %dl */
	assert_access(0x1f, 1, false, 2);
	assert_true(v.regs.gpr[RDX] == 0xa0a1a2a3a4a5a688ull);
	answer = 0x88;
	LOAD(0x1f, "\x0f\xb6\x0b");			/* movzbl (%rbx), %ecx */
	assert_access(0x1f, 1, false, 3);
	assert_int_equal(v.regs.gpr[RCX], 0x88);
	assert_int_equal(last.nr, 5);
}

static void stores(void **state __unused)
{
	v.regs.gpr[RAX] = 0x1122334455667788ull;
	STORE(0x18, "\x89\x43\x18");			/* mov %eax, 0x18(%rbx) */
	assert_access(0x18, 4, true, 3);
	assert_int_equal(last.val, 0x55667788);
	STORE(0x90, "\x48\x89\x03");			/* mov %rax, (%rbx) */
	assert_access(0x90, 8, true, 3);
	assert_true(last.val == 0x1122334455667788ull);
	STORE(0x38, "\xc7\x03\x00\x00\x00\x80");	/* movl $0x80000000, (%rbx) */
	assert_access(0x38, 4, true, 6);
	assert_int_equal(last.val, 0x80000000);
	STORE(0x38, "\x88\x23");			/* mov %ah, (%rbx) */
	assert_access(0x38, 1, true, 2);
	assert_int_equal(last.val, 0x77);
	STORE(0x38, "\x66\x89\x03");
	assert_access(0x38, 2, true, 3);
	assert_int_equal(last.val, 0x7788);
}

/* RIP stays, so that the instruction comes again; no register changes. */
static void again(void **state __unused)
{
	finished = false;
	STORE(0x88, "\x89\x03");
	assert_access(0x88, 4, true, 0);
	STORE(0x88, "\x89\x03");
	assert_access(0x88, 4, true, 0);
	finished = true;
	STORE(0x88, "\x89\x03");
	assert_access(0x88, 4, true, 2);
	assert_int_equal(last.nr, 3);
}

/* The first register: is it the second half of an access that began a page before? */
static void at_the_start(void **state __unused)
{
	v.regs.gpr[RBX] = 0xffff888000001000ull;
	LOAD(0, "\x8b\x03");
	assert_access(0, 4, false, 2);
	v.regs.gpr[RBX]--;
	LOAD(0, "\x8b\x03");
	assert_int_equal(faults, 1);
	assert_int_equal(last.nr, 1);
}

#define IN_CONFIG	0x10000u	/* from REGS on */
#define IN_SLEEP	0x20000u

static void configuration(void **state __unused)
{
	LOAD(IN_CONFIG + 0x44, "\x8b\x03");
	assert_access(IN_CONFIG + 0x44, 4, false, 2);
	assert_int_equal(v.regs.gpr[RAX], 0x55667788);
	answer = ~0ull;
	LOAD(IN_CONFIG + 0x45, "\x0f\xb6\x0b");		/* movzbl (%rbx), %ecx */
	assert_access(IN_CONFIG + 0x45, 1, false, 3);
	assert_int_equal(v.regs.gpr[RCX], 0xff);
	LOAD(IN_CONFIG + 0x46, "\x0f\xb7\x0b");		/* movzwl (%rbx), %ecx */
	assert_access(IN_CONFIG + 0x46, 2, false, 3);
	assert_int_equal(v.regs.gpr[RCX], 0xffff);
	STORE(IN_CONFIG + 0x48, "\x66\x89\x03");
	assert_access(IN_CONFIG + 0x48, 2, true, 3);
	/* Neither those that are not aligned nor other instructions. */
	LOAD(IN_CONFIG + 0x46, "\x8b\x03");
	assert_int_equal(faults, 1);
	STORE(IN_CONFIG + 0x48, "\x09\x03");
	assert_int_equal(faults, 2);
	assert_int_equal(last.nr, 4);
}

static void sleep_control(void **state __unused)
{
	STORE(IN_SLEEP + 0xe04, "\x88\x03");		/* mov %al, (%rbx) */
	assert_access(IN_SLEEP + 0xe04, 1, true, 2);
	LOAD(IN_SLEEP + 0xe04, "\x0f\xb6\x0b");
	assert_access(IN_SLEEP + 0xe04, 1, false, 3);
	STORE(IN_SLEEP + 0xe04, "\x08\x03");		/* or %al, (%rbx) */
	assert_int_equal(faults, 1);
	assert_int_equal(last.nr, 2);
}

static void assert_refused(u32 nr)
{
	assert_int_equal(faults, nr);
	assert_int_equal(last.nr, 0);
	assert_int_equal(v.regs.rip, RIP);
}

static void others(void **state __unused)
{
	STORE(0x18, "\x09\x03");			/* or %eax, (%rbx) */
	assert_refused(1);
	LOAD(0x18, "\xf3\x48\xa5");			/* rep movsq */
	assert_refused(2);
	LOAD(0x18, "\x89\x03");				/* not the one that faulted */
	assert_refused(3);
	LOAD(0xffc, "\x48\x8b\x03");			/* out of the page */
	assert_refused(4);
	fault(0x18, NPF_EXEC, "\x8b\x03", 2);
	assert_refused(5);
	fault(0x1000, 0, "\x8b\x03", 2);		/* no register */
	assert_refused(6);
	code_len = -1;
	v.exit.npf.gpa = REGS;
	exit_npf(&v);
	assert_refused(7);
}

/* From @off of the page of memory to @to of the registers. */
static void aim(u32 off, u32 to)
{
	v.regs.gpr[RSI] = MEMORY + off;
	v.regs.gpr[RDI] = 0xffffc90000000000ull + to;
}

static void assert_moved(s32 by)
{
	assert_true(v.regs.gpr[RSI] == MEMORY + 0x10 + by);
	assert_true(v.regs.gpr[RDI] == 0xffffc90000000008ull + by);
}

/* Linux's memcpy_toio() of a register: one element at a time. */
static void string_stores(void **state __unused)
{
	u64 val = 0x1122334455667788ull;

	memcpy(memory + 0x10, &val, sizeof(val));
	aim(0x10, 8);
	v.regs.gpr[RCX] = 2;
	STORE(8, "\xf3\xa5");				/* rep movsl */
	assert_access(8, 4, true, 0);
	assert_int_equal(last.val, 0x55667788);
	assert_moved(4);
	assert_int_equal(v.regs.gpr[RCX], 1);
	finished = false;
	STORE(12, "\xf3\xa5");
	assert_access(12, 4, true, 0);
	assert_moved(4);
	finished = true;
	STORE(12, "\xf3\xa5");
	assert_access(12, 4, true, 2);
	assert_int_equal(last.val, 0x11223344);
	assert_moved(8);
	assert_int_equal(v.regs.gpr[RCX], 0);
	assert_int_equal(last.nr, 3);
}

static void string_stores_of_one(void **state __unused)
{
	u64 val = 0x1122334455667788ull;

	memcpy(memory + 0x10, &val, sizeof(val));
	aim(0x10, 8);
	STORE(8, "\x48\xa5");				/* movsq */
	assert_access(8, 8, true, 2);
	assert_true(last.val == val);
	assert_moved(8);
	aim(0x10, 8);
	v.regs.rflags = X86_EFLAGS_DF;
	STORE(8, "\xa5");
	assert_access(8, 4, true, 1);
	assert_moved(-4);
	assert_true(v.regs.gpr[RCX] == 0xa0a1a2a3a4a5a6a8ull);
}

static void other_strings(void **state __unused)
{
	aim(0x10, 8);
	STORE(0x18, "\xf3\xa5");			/* not to where it faulted */
	assert_refused(1);
	aim(0xffe, 8);
	STORE(8, "\xf3\xa5");				/* from two pages */
	assert_refused(2);
	aim(0x1000, 8);
	STORE(8, "\xf3\xa5");				/* from nowhere */
	assert_refused(3);
	aim(0x10, 0xffc);
	STORE(0xffc, "\x48\xa5");			/* out of the page */
	assert_refused(4);
	aim(0x10, 8);
	LOAD(8, "\xf3\xa5");
	assert_refused(5);
	cs_long = false;
	STORE(8, "\xf3\xa5");
	assert_refused(6);
	cs_long = true;
	fault(8, NPF_WRITE | NPF_PT, "\xf3\xa5", 2);
	assert_refused(7);
}

#define T(f) cmocka_unit_test_setup(f, start)

static void guest_writes(gpa_t gpa, u32 flags)
{
	v.exit.npf.gpa = gpa;
	v.exit.npf.flags = flags;
	let_write = told = 0;
	exit_npf(&v);
}

/* The first write to a page of a log: noted, and the guest goes on. All else is the shim's. */
static void logged_write(void **state __unused)
{
	u32 i;

	memset(&page, 0, sizeof(page));
	guest_dom.id = 7;
	v.dom = &guest_dom;
	v.page = &page;
	found = (struct npt_leaf){ .attr = NPT_LOGGED };
	guest_writes(0x5678, NPF_WRITE | NPF_PRESENT);
	assert_int_equal(told, 0);
	assert_int_equal(let_write >> PAGE_SHIFT, 5);
	assert_int_equal(page.log_head, 1);
	v.space = GPA_SMM;
	guest_writes(0x6000, NPF_WRITE | NPF_PRESENT | NPF_PT);
	assert_true(let_write == (GPA_SMM | 0x6000));
	assert_true(page.log[1] == (GFN_SMM | 6));
	v.space = 0;

	guest_writes(0x5678, NPF_EXEC | NPF_PRESENT);
	assert_int_equal(told, 1);
	found.attr = NPT_EXEC;
	guest_writes(0x5678, NPF_WRITE | NPF_PRESENT);
	assert_int_equal(told, 1);
	found = (struct npt_leaf){ .attr = NPT_LOGGED, .order = 9 };
	guest_writes(0x5678, NPF_WRITE | NPF_PRESENT);
	assert_int_equal(told, 1);
	assert_int_equal(page.log_head, 2);

	/* Full, or made to look so; what the service VM puts into head is nothing to us. */
	found.order = 0;
	page.log_head = 77;
	for (i = 2; i < BP_LOG_SLOTS; i++)
		guest_writes(i << PAGE_SHIFT, NPF_WRITE | NPF_PRESENT);
	assert_int_equal(page.log_head, BP_LOG_SLOTS);
	guest_writes(0x5678, NPF_WRITE | NPF_PRESENT);
	assert_int_equal(told, 1);
	page.log_tail = 1;
	guest_writes(0x9678, NPF_WRITE | NPF_PRESENT);
	assert_int_equal(told, 0);
	assert_int_equal(page.log[0], 9);
	page.log_tail = 0x80000000;
	guest_writes(0x5678, NPF_WRITE | NPF_PRESENT);
	assert_int_equal(told, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(loads), T(stores), T(again), T(at_the_start), T(configuration), T(sleep_control), T(others),
		T(string_stores), T(string_stores_of_one), T(other_strings), T(logged_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
