/* SPDX-License-Identifier: GPL-2.0-only */
/* bp-fuzz: guest memory: random code, mostly of instructions that a hypervisor sees; tables. */
#include "fuzz.h"

#define GPA_PD		(GPA_TABLES + 0x2000)

struct insn {
	uint8_t len;
	uint8_t more;			/* random bytes that follow */
	const char *bytes;
};

#define I(b)		{ .len = sizeof(b) - 1, .bytes = b }
#define I_MORE(b, n)	{ .len = sizeof(b) - 1, .more = n, .bytes = b }
#define INSN_MAX	8

static const struct insn insns[] = {
	/* Exits by themselves: CPUID, HLT, PAUSE, RDPMC, XGETBV, XSETBV, MONITOR, MWAIT, INVD, WBINVD */
	I("\x0f\xa2"), I("\xf4"), I("\xf3\x90"), I("\x0f\x33"), I("\x0f\x01\xd0"), I("\x0f\x01\xd1"),
	I("\x0f\x01\xc8"), I("\x0f\x01\xc9"), I("\x0f\x08"), I("\x0f\x09"),
	/* RDMSR, WRMSR */
	I("\x0f\x32"), I("\x0f\x30"),
	/* MOV from CR0, to CR0, CR3, CR4, CR8; CLTS, LMSW; MOV to DR6, DR7, from DR6 */
	I("\x0f\x20\xc0"), I("\x0f\x22\xc0"), I("\x0f\x22\xd8"), I("\x0f\x22\xe0"), I("\x44\x0f\x22\xc0"),
	I("\x0f\x06"), I("\x0f\x01\xf0"), I("\x0f\x23\xf0"), I("\x0f\x23\xf8"), I("\x0f\x21\xf0"),
	/* IN, OUT, INS, OUTS, both with REP */
	I_MORE("\xe4", 1), I_MORE("\xe6", 1), I("\xec"), I("\xee"),
	I("\x6c"), I("\x6e"), I("\xf3\x6c"), I("\xf3\x6e"),
	/* Memory: MOV with an absolute address or by EAX; XSAVEOPT */
	I_MORE("\xa1", 4), I_MORE("\xa3", 4), I("\x8b\x00"), I("\x89\x00"), I("\x0f\xae\x30"),
	/* INT, INT3, INT1, INTO, UD2, IRET, IRETQ */
	I_MORE("\xcd", 1), I("\xcc"), I("\xf1"), I("\xce"), I("\x0f\x0b"), I("\xcf"), I("\x48\xcf"),
	/* Shadows and flags: STI, CLI, PUSHF, POPF, MOV SS, POP SS */
	I("\xfb"), I("\xfa"), I("\x9c"), I("\x9d"), I("\x8e\xd0"), I("\x17"),
	/* Tables: LGDT, LIDT, LLDT, LTR; far JMP, CALL and RET; SWAPGS, SYSENTER, SYSEXIT, SYSCALL, SYSRET */
	I("\x0f\x01\x10"), I("\x0f\x01\x18"), I("\x0f\x00\xd0"), I("\x0f\x00\xd8"), I("\xea\x00\x00\x02\x00\x08\x00"),
	I_MORE("\x9a", 6), I("\xcb"), I("\x0f\x01\xf8"), I("\x0f\x34"), I("\x0f\x35"), I("\x0f\x05"), I("\x0f\x07"),
	/* Virtualisation: VMCALL, VMMCALL, VMFUNC, VMPTRLD, VMREAD, INVEPT, INVVPID */
	I("\x0f\x01\xc1"), I("\x0f\x01\xd9"), I("\x0f\x01\xd4"), I("\x0f\xc7\x30"), I("\x0f\x78\xc0"),
	I("\x66\x0f\x38\x80\x00"), I("\x66\x0f\x38\x81\x00"),
	/* INVPCID, RDRAND, GETSEC, ENCLS, CLAC, UMONITOR, TPAUSE */
	I("\x66\x0f\x38\x82\x00"), I("\x0f\xc7\xf0"), I("\x0f\x37"), I("\x0f\x01\xcf"), I("\x0f\x01\xca"),
	I("\xf3\x0f\xae\xf0"), I("\x66\x0f\xae\xf0"),
	/* A loop without an exit */
	I("\xeb\xfe"), I("\x90"),
};

static uint8_t *put_random(uint8_t *at, size_t n)
{
	while (n--)
		*at++ = rnd();
	return at;
}

/* MOV to a 32-bit register, often of what names an MSR. */
static uint8_t *put_mov(uint8_t *at)
{
	uint32_t val = rnd_value();

	if (once_in(3))
		val = 0xc0000080 + below(4);	/* EFER, STAR, ... */
	else if (once_in(6))
		val = 0x800 + below(64);	/* x2APIC */
	*at++ = 0xb8 + below(8);
	memcpy(at, &val, sizeof(val));
	return at + sizeof(val);
}

static uint8_t *put_insn(uint8_t *at)
{
	const struct insn *i = &insns[below(sizeof(insns) / sizeof(insns[0]))];

	memcpy(at, i->bytes, i->len);
	return put_random(at + i->len, i->more);
}

void code_fill(uint8_t *at, size_t size)
{
	uint8_t *end = at + size;

	while (at < end) {
		if (once_in(4))
			at = put_random(at, 1 + below(INSN_MAX - 2));
		else if (once_in(3))
			at = put_mov(at);
		else
			at = put_insn(at);
	}
}

/* The first 4 GiB at their own addresses, in all three formats; in the 64-bit one also the last 512 GiB's. */
static void pages_fill(uint8_t *mem)
{
	uint64_t *pml4 = (uint64_t *)(mem + GPA_TABLES), *pdpt = pml4 + 512, *pd = pml4 + 1024;
	uint64_t *pae = (uint64_t *)(mem + GPA_PAE);
	uint32_t *pd32 = (uint32_t *)(mem + GPA_TABLES32);

	memset(pml4, 0, GPA_TABLES32 - GPA_TABLES);
	pml4[0] = pml4[511] = (GPA_TABLES + 0x1000) | 7;
	for (uint64_t i = 0; i < 4; i++) {
		pdpt[i] = (GPA_PD + i * 0x1000) | 7;
		pae[i] = (GPA_PD + i * 0x1000) | 1;
	}
	for (uint64_t i = 0; i < 4 * 512; i++)
		pd[i] = i << 21 | 0xe7;
	for (uint32_t i = 0; i < 1024; i++)
		pd32[i] = i << 22 | 0xe7;
}

static void gdt_fill(uint8_t *mem)
{
	static const uint64_t gdt[16] = {
		0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff,	/* code, data, 64-bit code */
		0x00cffb000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff,	/* the same for ring 3 */
		0x0000890040000067, 0,						/* TSS */
		0x0000810045000067,						/* 16-bit TSS */
		0x0000820047000fff,						/* LDT */
		0x000085000038ffff,						/* task gate to 0x38 */
	};

	memcpy(mem + GPA_GDT, gdt, sizeof(gdt));
}

/* Most vectors lead to random code by an interrupt gate, the others to the task or to nothing legal. */
static void idt_fill(uint8_t *mem)
{
	for (int i = 0; i < 256; i++) {
		uint32_t at = FUZZ_CODE + below(FUZZ_CODE_SIZE);
		uint16_t gate[4] = { at, once_in(8) ? SEL_TSS : SEL_CODE32, once_in(8) ? 0x8500 : 0x8e00, at >> 16 };

		memcpy(mem + GPA_IDT + i * 8, gate, sizeof(gate));
	}
}

static void tss_fill(uint8_t *mem)
{
	uint32_t *tss = (uint32_t *)(mem + GPA_TSS);

	memset(tss, once_in(3) ? 0 : 0x41, 0x200);
	tss[7] = GPA_TABLES32;
	tss[8] = FUZZ_CODE;
	tss[9] = 2 | (once_in(4) ? 1 << 17 : 0);	/* EFLAGS, with VM */
	for (int i = 18; i < 24; i++)
		tss[i] = SEL_DATA;
	tss[19] = SEL_CODE32;
}

void tables_fill(struct vm *vm)
{
	pages_fill(vm->mem);
	gdt_fill(vm->mem);
	idt_fill(vm->mem);
	tss_fill(vm->mem);
}
