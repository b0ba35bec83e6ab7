// SPDX-License-Identifier: GPL-2.0-only
/* The table of the back end that this machine has, and its stubs. */
#include "ops.h"

#include "lib/x86.h"
#include "lib/x86_regs.h"
#include "machine/panic.h"

static const struct hv_ops *chosen;

/* ---- the stubs: eight bytes each, UD2 until the choice ---- */

#define STUB_CODE(call) \
	".globl ops_" #call "\n" \
	".type ops_" #call ", @function\n" \
	".balign 8, 0xcc\n" \
	"ops_" #call ": ud2\n" \
	".balign 8, 0xcc\n" \
	".size ops_" #call ", . - ops_" #call "\n"

__asm__(".pushsection .text.ops, \"ax\", @progbits\n" OPS_CALLS(STUB_CODE) ".popsection");

#define STUB_SIZE(call)	+ sizeof(ops_stubs.call)
static_assert(sizeof(struct hv_ops) == 4 * sizeof(void *) OPS_CALLS(STUB_SIZE),
	      "OPS_CALLS has every function");

/* JMP rel32, counted from its end; INT3 behind it. */
static void make_jump(void (*stub)(void), const void *target)
{
	u64 *code = (u64 *)(uintptr_t)stub;
	u32 rel = (u32)((uintptr_t)target - ((uintptr_t)code + 5));

	*code = 0xccccccull << 40 | (u64)rel << 8 | 0xe9;
}

#define STUB_JUMP(call)	make_jump((void (*)(void))ops_##call, (const void *)chosen->call);

/* Text is mapped read-only: CR0.WP lets this CPU write it for the moment. */
static void make_stubs(void)
{
	u64 cr0 = read_cr0();

	write_cr0(cr0 & ~X86_CR0_WP);
	OPS_CALLS(STUB_JUMP)
	write_cr0(cr0);		/* serializes: what follows is fetched anew */
}

void ops_set(const struct hv_ops *table)
{
	ASSERT(!chosen);
	chosen = table;
	make_stubs();
}

const struct hv_ops *ops_chosen(void)
{
	return chosen;
}
