// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator against the real CPU: random 64-bit instructions of every
 * emulated kind, with random registers, flags, addressing and memory, run here
 * natively and in the emulator, whose memory is RAM, MMIO answered in the kernel
 * or MMIO answered by user space page by page; all results must agree.
 */
// SOURCES: tests/unit/rig/emul_rig.c tests/unit/rig/emul_native_gen.c dom0-shim/emul/*.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "emul_native_cases.h"
#include "emul_rig.h"

#define ROUNDS		500

void run_native(struct cpu *cpu);
extern char native_back[];
uint64_t native_entry = CODE;

#define LD(off, reg) "mov " #off "(%rdi), %" #reg "\n"
#define ST(off, reg) "mov %" #reg ", " #off "(%rdi)\n"
#define X(op, n) op(n, 136 + 16 * n)
#define LDX(n, off) "movdqu " #off "(%rdi), %xmm" #n "\n"
#define STX(n, off) "movdqu %xmm" #n ", " #off "(%rdi)\n"
#define REGS(op) \
	op(0, rax) op(8, rcx) op(16, rdx) op(24, rbx) op(40, rbp) op(48, rsi) \
	op(64, r8) op(72, r9) op(80, r10) op(88, r11) op(96, r12) op(104, r13) \
	op(112, r14) op(120, r15)
#define XREGS(op) \
	X(op, 0) X(op, 1) X(op, 2) X(op, 3) X(op, 4) X(op, 5) X(op, 6) X(op, 7) \
	X(op, 8) X(op, 9) X(op, 10) X(op, 11) X(op, 12) X(op, 13) X(op, 14) X(op, 15)

/* Load everything, jump to CODE, which jumps back to native_back. */
asm(".text\n.globl run_native, native_back\n"
    "run_native:\n"
    "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
    "push %rdi\n"
    XREGS(LDX)
    "push 128(%rdi)\n popfq\n"
    REGS(LD)
    "mov 56(%rdi), %rdi\n"
    "jmp *native_entry(%rip)\n"
    "native_back:\n"
    "push %rdi\n"
    "mov 8(%rsp), %rdi\n"
    REGS(ST)
    "pushfq\n pop 128(%rdi)\n"
    XREGS(STX)
    "pop %rax\n mov %rax, 56(%rdi)\n"
    "pop %rdi\n cld\n"
    "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
    "ret\n");

/* Runs the case on this CPU: c->cpu and c->data become the results. */
static void execute_native(struct tcase *c)
{
	uint8_t jump[14] = { 0xff, 0x25 };
	uint64_t back = (uint64_t)native_back;

	memcpy(jump + 6, &back, 8);
	memcpy((void *)CODE, c->code, c->len);
	memcpy((void *)(CODE + c->len), jump, sizeof(jump));
	memcpy((void *)DATA, c->data, sizeof(c->data));
	run_native(&c->cpu);
	memcpy(c->data, (void *)DATA, sizeof(c->data));
}

static uint8_t *rig_page(struct rig *rig, int page, int kind)
{
	return kind == 0 ? rig->ram + 0x20000 + 0x1000 * page :
			   rig->mmio + 0x1000 * page;
}

/* The same case in the emulator; each page of data is of its own kind. */
static int execute_emulated(struct rig *rig, const struct tcase *c, uint8_t *data)
{
	static const uint64_t bases[] = { 0x20000, RIG_KERNEL_MMIO, RIG_USER_MMIO };
	int kinds[DATA_PAGES], i, r;

	rig_code(rig, 0x10000, c->code, c->len);
	for (i = 0; i < DATA_PAGES; i++) {
		kinds[i] = rig_random() % 3;
		rig_map(rig, DATA + 0x1000 * i, bases[kinds[i]] + 0x1000 * i,
			RIG_PTE_P | RIG_PTE_W);
		memcpy(rig_page(rig, i, kinds[i]), c->data + 0x1000 * i, 0x1000);
	}
	memcpy(rig->ctx.gpr, c->cpu.gpr, sizeof(c->cpu.gpr));
	rig->ctx.rflags = c->cpu.rflags;
	rig->ctx.rip = CODE;
	for (i = 0; i < 16; i++)
		memcpy(rig->vec[i], c->cpu.xmm[i], 16);
	r = rig_run_all(rig);
	for (i = 0; i < DATA_PAGES; i++)
		memcpy(data + 0x1000 * i, rig_page(rig, i, kinds[i]), 0x1000);
	return r;
}

static void fail_case(const struct tcase *before, const char *what, uint64_t native,
		      uint64_t emulated)
{
	int i;

	fprintf(stderr, "%s: %s: native %#llx, emulated %#llx; code", before->t->name,
		what, (unsigned long long)native, (unsigned long long)emulated);
	for (i = 0; i < before->len; i++)
		fprintf(stderr, " %02x", before->code[i]);
	fprintf(stderr, "; rflags %#llx\n", (unsigned long long)before->cpu.rflags);
	for (i = 0; i < 16; i++)
		fprintf(stderr, "  r%d %#llx\n", i,
			(unsigned long long)before->cpu.gpr[i]);
	fail();
}

static void check_case(const struct tmpl *t)
{
	static struct tcase before, after;
	static struct rig rig;
	static uint8_t data[DATA_SIZE];
	int i, r;

	if (!rig.ctx.ops) {
		rig_long(&rig);
		rig_map(&rig, CODE, 0x10000, RIG_PTE_P);
	}
	do
		emul_generate(&before, t);
	while (before.undefined);
	after = before;
	execute_native(&after);
	r = execute_emulated(&rig, &before, data);
	if (r)
		fail_case(&before, "result", 0, r);
	if (rig.ctx.rip != CODE + before.len)
		fail_case(&before, "rip", CODE + before.len, rig.ctx.rip);
	for (i = 0; i < 16; i++) {
		if (i != 4 && rig.ctx.gpr[i] != after.cpu.gpr[i])
			fail_case(&before, "register", after.cpu.gpr[i],
				  rig.ctx.gpr[i]);
		if (memcmp(rig.vec[i], after.cpu.xmm[i], 16))
			fail_case(&before, "xmm", i, i);
	}
	if ((rig.ctx.rflags ^ after.cpu.rflags) & before.flags)
		fail_case(&before, "flags", after.cpu.rflags & before.flags,
			  rig.ctx.rflags & before.flags);
	for (i = 0; i < DATA_SIZE; i++)
		if (data[i] != after.data[i])
			fail_case(&before, "memory", after.data[i], data[i]);
}

static void every_instruction_agrees(void **state)
{
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(tmpls) / sizeof(tmpls[0]); i++) {
		if ((tmpls[i].kind & T_VEX) && !__builtin_cpu_supports("avx"))
			continue;
		for (n = 0; n < ROUNDS; n++)
			check_case(&tmpls[i]);
	}
}

static int map_native(void **state)
{
	void *p = mmap((void *)CODE, 0x1000 + DATA_SIZE,
		       PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	(void)state;
	return p == (void *)CODE ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_instruction_agrees),
	};

	return cmocka_run_group_tests(tests, map_native, NULL);
}
