// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder against the assembler: instructions written as text for 16, 32
 * and 64-bit code are assembled into this program; their lengths must agree.
 */
// SOURCES: dom0-shim/emul/*.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "dom0-shim/emul/emul.h"

struct entry {
	const uint8_t *code;
	uint64_t len;
	const char *text;
	uint64_t bits;
};

extern const struct entry __start_emul_insns[], __stop_emul_insns[];
extern const struct entry __start_emul_unknown[], __stop_emul_unknown[];

#define ASSEMBLE(table, width, insn) \
	asm(".pushsection .rodata\n" \
	    ".code" #width "\n771: " insn "\n772:\n.code64\n" \
	    "773: .asciz \"" insn "\"\n.popsection\n" \
	    ".pushsection " #table ",\"aw\"\n" \
	    ".quad 771b, 772b - 771b, 773b, " #width "\n.popsection\n");
#define I16(insn) ASSEMBLE(emul_insns, 16, insn)
#define I32(insn) ASSEMBLE(emul_insns, 32, insn)
#define I64(insn) ASSEMBLE(emul_insns, 64, insn)
#define ALL(insn) I16(insn) I32(insn) I64(insn)
#define LEGACY(insn) I16(insn) I32(insn)
#define NO(width, insn) ASSEMBLE(emul_unknown, width, insn)

/* 16-bit addressing, every form */
LEGACY("mov %al, (%bx,%si)") LEGACY("mov %al, (%bx,%di)")
LEGACY("mov %al, (%bp,%si)") LEGACY("mov %al, (%bp,%di)")
LEGACY("mov %al, (%si)") LEGACY("mov %al, (%di)") LEGACY("mov %cl, 0x1234")
LEGACY("mov %al, (%bx)") LEGACY("mov %al, 4(%bp)") LEGACY("mov %al, 0x456(%bp)")
LEGACY("mov %ax, %es:(%bx)") LEGACY("mov %eax, %fs:4(%si)")
LEGACY("movw $0x1234, 0x10(%bx)") LEGACY("movl $0x12345678, (%bp,%di)")
LEGACY("addl $5, 0x1000(%bx,%si)") LEGACY("testl $0x12345678, (%si)")
LEGACY("mov 0x44, %eax") LEGACY("mov %cs:0x44, %ax") LEGACY("notb (%bx)")
LEGACY("push (%bx)") LEGACY("pop 2(%si)") LEGACY("mov %ds, (%bx)")

/* 32-bit addressing everywhere */
ALL("mov %al, (%eax)") ALL("mov %al, (%esp)") ALL("mov %al, (%ebp)")
ALL("mov %ax, 0x10(%ecx,%edx,4)") ALL("mov %eax, 0x12345678(,%edi,8)")
ALL("mov %eax, 0x12345678(%esi)") ALL("movw $1, (%eax,%ebp)")
ALL("movl $1, 0x100(%esp)") ALL("movb $1, 1(%esp,%eax,2)")
ALL("xchg %al, (%ebx)") ALL("cmpl $0x1000, (%ecx)") ALL("cmpw $0x1000, (%ecx)")
ALL("cmpl $1, (%ecx)") ALL("testb $1, (%ecx)") ALL("testw $0x1234, 8(%ecx)")
ALL("lock incl (%edx)") ALL("lock cmpxchg8b (%esi)") ALL("shll $3, (%eax)")
ALL("shlb (%eax)") ALL("shrw %cl, (%eax)") ALL("sarl %cl, 0x40(%eax)")
ALL("imul (%eax), %ecx") ALL("imul $100, (%eax), %ecx")
ALL("imul $100000, (%eax), %ecx") ALL("imul $1000, (%eax), %cx")
ALL("movzbl (%eax), %ecx") ALL("movzwl (%eax), %ecx") ALL("movsbw (%eax), %cx")
ALL("bt %eax, (%ecx)") ALL("btsl $3, (%ecx)") ALL("lock btrl $3, (%ecx)")
ALL("shld $3, %eax, (%ecx)") ALL("shrd %cl, %ax, (%ecx)")
ALL("divl (%ecx)") ALL("idivw 4(%ecx)")
ALL("xadd %eax, (%ecx)") ALL("cmpxchg %cl, (%edx)") ALL("sete (%edx)")
ALL("cmovne (%edx), %eax") ALL("movbe (%edx), %eax") ALL("movbe %ax, (%edx)")
ALL("movnti %eax, (%edi)") ALL("movups (%eax), %xmm1") ALL("movdqa %xmm1, (%eax)")
ALL("movdqu %xmm7, 0x10(%esp)") ALL("movd %xmm1, (%eax)") ALL("movq (%eax), %xmm1")
ALL("movntdqa (%eax), %xmm2") ALL("movhps %xmm2, 4(%eax)")
ALL("prefetcht0 (%eax)") ALL("nopl 0x12345678(%eax,%eax)") ALL("clflush (%eax)")
I32("vmovdqu (%eax), %xmm1") I32("vmovdqa %ymm1, (%eax)")
I32("vmovups %ymm2, 4(%esp)")

/* strings and ports */
ALL("movsb") ALL("movsw") ALL("movsl") ALL("rep movsl") ALL("repe cmpsb")
ALL("repne scasw") ALL("rep stosl") ALL("lodsb") ALL("lods %cs:(%esi), %al")
ALL("rep insb") ALL("rep insw") ALL("insl") ALL("rep outsb") ALL("outsw")
ALL("rep outsl") ALL("xlat") I64("rep movsq") I64("stosq") I64("cmpsq")

/* accumulator and immediates */
ALL("add $1, %al") ALL("add $0x1234, %ax") ALL("add $0x12345678, %eax")
ALL("test $1, %al") ALL("test $0x1234, %ax") I64("add $0x12345678, %rax")
I32("mov 0x12345678, %al") I32("mov %eax, 0x12345678")
I64("movabs 0x123456789abcdef0, %al") I64("movabs %eax, 0x123456789abcdef0")
I64("addr32 mov 0x12345678, %eax")

/* 64-bit: REX, RIP, high registers */
I64("mov %rax, (%rax)") I64("mov %r15b, (%r13)") I64("mov %sil, (%r12)")
I64("mov %eax, 0x10(%rip)") I64("movl $0x12345678, 0x10(%rip)")
I64("movw $0x1234, 0x10(%rip)") I64("movb $0x12, 0x10(%rip)")
I64("movq $-1, (%r12,%r13,8)") I64("mov %fs:0x28, %rax") I64("mov 0x28, %eax")
I64("movslq (%rsi), %rdi") I64("movzwq (%rsi), %rdi") I64("cmpxchg16b (%rdi)")
I64("lock cmpxchg %rcx, 0x7f(%r9)") I64("push (%rax)") I64("pop 8(%r8)")
I64("mov (%r8d,%eax,4), %ecx") I64("mov %gs:(%r10d), %ax") I64("btsq $40, (%r8)")
I64("movdqu (%r8,%r9), %xmm12") I64("movq %xmm9, (%rax)") I64("movq %rax, %xmm1")
I64("vmovdqu (%r8), %ymm9") I64("vmovdqu (%rax), %xmm1") I64("vmovntdq %ymm1, (%r9)")
I64("vmovdqa %ymm15, 0x1000(%rax,%r15,2)") I64("vmovd (%rax), %xmm1")
I64("vmovntdqa (%rax), %xmm1") I64("mov %ds, (%rax)") I64("movbe %r9, (%rax)")

/* not emulated: to be left to the VMM */
NO(64, "syscall") NO(64, "ret") NO(64, "call *(%rax)") NO(64, "cpuid")
NO(64, "jmp *(%rax)") NO(64, "lea (%rax), %rbx") NO(64, "paddb (%rax), %xmm1")
NO(64, "vaddps (%rax), %xmm1, %xmm2") NO(64, "fldl (%rax)") NO(64, "in %dx, %al")
NO(32, "lds (%eax), %ecx") NO(32, "les (%eax), %ecx") NO(16, "iret")
NO(32, "pusha") NO(64, "lock; mov %eax, (%rax)") NO(64, "vmovdqu8 (%rax), %zmm1")

static void lengths_agree_with_assembler(void **state)
{
	const struct entry *e;
	int wrong = 0;

	(void)state;
	assert_true(__stop_emul_insns - __start_emul_insns > 250);
	for (e = __start_emul_insns; e < __stop_emul_insns; e++) {
		int len = emul_insn_len(e->code, EMUL_MAX_INSN, e->bits);

		if (len == (int)e->len)
			continue;
		fprintf(stderr, "%d bits: %s: length %d, want %d\n", (int)e->bits,
			e->text, len, (int)e->len);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void cut_instructions_are_refused(void **state)
{
	const struct entry *e;
	uint64_t n;

	(void)state;
	for (e = __start_emul_insns; e < __stop_emul_insns; e++)
		for (n = 0; n < e->len; n++)
			assert_int_equal(emul_insn_len(e->code, n, e->bits),
					 -EMSGSIZE);
}

/* Groups are refused when executed, not by length: CALL and JMP have one. */
static void others_are_refused(void **state)
{
	const struct entry *e;

	(void)state;
	for (e = __start_emul_unknown; e < __stop_emul_unknown; e++) {
		bool group = strstr(e->text, "call ") || strstr(e->text, "jmp");
		int len = emul_insn_len(e->code, EMUL_MAX_INSN, e->bits);

		if (len != (group ? (int)e->len : -ENOENT))
			fail_msg("%s: %d", e->text, len);
	}
}

static void prefixes_do_not_count_up_for_ever(void **state)
{
	uint8_t buf[32];

	(void)state;
	memset(buf, 0x66, sizeof(buf));
	assert_int_equal(emul_insn_len(buf, sizeof(buf), 32), -EMSGSIZE);
	buf[12] = 0x89;
	buf[13] = 0x04;
	buf[14] = 0x24;
	assert_int_equal(emul_insn_len(buf, sizeof(buf), 32), 15);
	memset(buf, 0x48, sizeof(buf));
	assert_int_equal(emul_insn_len(buf, sizeof(buf), 64), -EMSGSIZE);
	assert_int_equal(emul_insn_len(buf, sizeof(buf), 48), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_agree_with_assembler),
		cmocka_unit_test(cut_instructions_are_refused),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(prefixes_do_not_count_up_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
