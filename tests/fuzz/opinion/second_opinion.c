// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: second_opinion [--seconds N] [--seed N] [--from N]
 *
 * Random instructions in the shim's emulator and on the real CPU, and in the trusted base's
 * decoder: registers, flags, memory, exceptions and lengths must be the same, but for what the manuals leave
 * open (undefined.c). The last line has the numbers; a difference is shown with the round to begin
 * from again, and ends it with status 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emul_rig.h"
#include "dom0-shim/emul/emul_priv.h"
#include "native.h"
#include "trusted.h"
#include "undefined.h"

#define RAM_CODE	0x10000u	/* where the pages are in the rig's RAM */
#define RAM_DATA	0x20000u

static struct rig rig;
static uint64_t seed = 1;
static uint64_t rounds, compared, faults, measured, decoded, unknown;

static struct {
	uint8_t code[INSN_BYTES];
	uint64_t at;			/* where it begins */
	struct native before;
} test;

/* ---- numbers ---- */

static uint64_t state;

static uint64_t random64(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

static uint32_t pick(uint32_t n)
{
	return (uint32_t)(random64() >> 32) % n;
}

static void random_bytes(void *to, size_t n)
{
	uint8_t *p = to;

	while (n--)
		*p++ = (uint8_t)(random64() >> 40);
}

/* ---- one instruction ---- */

static bool is_prefix(uint8_t b)
{
	return b == 0x66 || b == 0x67 || b == 0xf0 || b == 0xf2 || b == 0xf3 || b == 0x2e || b == 0x36 ||
	       b == 0x3e || b == 0x26 || (b & 0xf0) == 0x40;
}

/* An opcode that the emulator knows, often one of the trusted decoder's, behind prefixes now and then. */
static void known_opcode(uint8_t *c)
{
	static const struct {
		uint8_t map, op;
	} moves[] = {
		{ 1, 0x88 }, { 1, 0x89 }, { 1, 0x8a }, { 1, 0x8b }, { 1, 0xc6 }, { 1, 0xc7 }, { 1, 0x63 }, { 1, 0xa4 },
		{ 1, 0xa5 }, { 2, 0xb6 }, { 2, 0xb7 }, { 2, 0xbe }, { 2, 0xbf },
	};
	static const uint8_t prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x48, 0x41, 0x44, 0x4c, 0x40, 0x2e, 0x36 };
	uint32_t n = pick(8) ? pick(3) : pick(8), map = 1 + pick(2), op, i;

	for (i = 0; i < n; i++)
		*c++ = prefixes[pick(sizeof(prefixes))];
	do
		op = pick(256);
	while (!emul_lookup(map, op));
	if (!pick(3)) {
		i = pick(sizeof(moves) / sizeof(*moves));
		map = moves[i].map;
		op = moves[i].op;
	}
	if (map == 2)
		*c++ = 0x0f;
	*c++ = (uint8_t)op;
	/* Mostly memory not far from a register. */
	if (pick(4))
		*c = (uint8_t)((*c & 0x3f) | pick(2) << 6);
}

static uint32_t opcode_at(const uint8_t *c)
{
	uint32_t i;

	for (i = 0; i < INSN_BYTES - 2 && is_prefix(c[i]); i++)
		;
	return i;
}

/*
 * What cannot be compared in user space, or would take the program's own registers away: FS and GS,
 * segment registers, ports, far transfers, interrupts, PUSHF and POPF with the trap flag, the counters, the
 * extended state's own instructions, protection keys, and debug registers.
 */
static bool is_left_out(const uint8_t *c)
{
	static const uint8_t one[] = { 0x64, 0x65, 0x8c, 0x8e, 0x9a, 0x9c, 0x9d, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xea,
				       0xf1, 0xf4, 0xfa, 0xfb, 0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec,
				       0xed, 0xee, 0xef, 0x62, 0x9b };
	static const uint8_t two[] = { 0x01, 0x00, 0x05, 0x07, 0x0b, 0x20, 0x21, 0x22, 0x23, 0x31, 0x33, 0x34, 0x35, 0xa0,
				       0xa1, 0xa2, 0xa8, 0xa9, 0xaa, 0xae, 0xb2, 0xb4, 0xb5, 0x77, 0xb9, 0xff };
	uint32_t at = opcode_at(c), i;
	uint8_t op = c[at], modrm = c[at + 1];

	for (i = 0; i < sizeof(one); i++)
		if (op == one[i])
			return true;
	for (i = 0; op == 0x0f && i < sizeof(two); i++)
		if (c[at + 1] == two[i])
			return true;
	/* PREFETCH of a register: #UD on AMD's, nothing on Intel's. */
	if (op == 0x0f && modrm == 0x0d && c[at + 2] >= 0xc0)
		return true;
	if (op == 0x0f && modrm == 0xc7 && (c[at + 2] >> 3 & 7) != 1)
		return true;
	if (op == 0xff && ((modrm >> 3 & 7) == 3 || (modrm >> 3 & 7) == 5))
		return true;
	return op >= 0xd8 && op <= 0xdf;	/* x87: its own state is not compared */
}

static void make_code(void)
{
	do {
		random_bytes(test.code, INSN_BYTES);
		if (pick(4))
			known_opcode(test.code);
	} while (is_left_out(test.code));
}

static uint64_t some_value(void)
{
	static const uint64_t special[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
					    0xffffffff, 1ull << 63, ~0ull, 0x800000000000ull, CODE_END - 8 };

	switch (pick(8)) {
	case 0: return random64();
	case 1: return special[pick(sizeof(special) / sizeof(*special))];
	case 2: return pick(64);
	case 3: return DATA + 0x1000 - pick(20);
	case 4: return pick(2) ? DATA + pick(20) : DATA + DATA_SIZE - pick(20);
	default: return DATA + pick(DATA_SIZE);
	}
}

/* Addresses in the data more often than not; few turns of what is repeated. */
static void make_state(void)
{
	uint32_t i;

	for (i = 0; i < 16; i++)
		test.before.gpr[i] = some_value();
	if (pick(4))
		test.before.gpr[1] = pick(24);
	test.before.rflags = random64() & 0xcd5;
	random_bytes(test.before.xmm, sizeof(test.before.xmm));
	test.before.rip = test.at;
}

/* ---- both runs ---- */

/* @room bytes of it before the page's end. */
static void place(uint32_t room)
{
	test.at = CODE_END - room;
	memcpy((void *)test.at, test.code, room);
	memcpy(rig.ram + RAM_CODE + 0x1000 - room, test.code, room);
}

static int emulate(void)
{
	uint32_t i;
	int r;

	memcpy(rig.ctx.gpr, test.before.gpr, sizeof(rig.ctx.gpr));
	for (i = 0; i < 16; i++)
		memcpy(rig.vec[i], test.before.xmm[i], 16);
	rig.ctx.rip = test.at;
	rig.ctx.rflags = test.before.rflags | 0x202;
	rig.ctx.cpl = 3;
	r = rig_run_all(&rig);
	return r;
}

static void tell(const char *what, uint64_t native, uint64_t emulated)
{
	uint32_t i;

	printf("second_opinion: --seed %llu --from %llu: %s: the CPU has %llx, we have %llx; code",
	       (unsigned long long)seed, (unsigned long long)rounds, what, (unsigned long long)native,
	       (unsigned long long)emulated);
	for (i = 0; i < CODE_END - test.at && i < INSN_BYTES; i++)
		printf(" %02x", test.code[i]);
	printf("; rflags %llx", (unsigned long long)test.before.rflags);
	for (i = 0; i < 16; i++)
		printf("%s%llx", i ? " " : "; registers ", (unsigned long long)test.before.gpr[i]);
	printf("\n");
	exit(1);
}

static struct shape shape_of(const struct native *n)
{
	uint32_t at = opcode_at(test.code), i;
	struct shape s = { .map = 1, .op = test.code[at], .size = 4, .count = 1 };

	for (i = 0; i < at; i++)
		s.size = test.code[i] == 0x66 ? 2 : s.size;
	if (at && (test.code[at - 1] & 0xf8) == 0x48)
		s.size = 8;
	if (s.op == 0x0f) {
		s.map = 2;
		s.op = test.code[++at];
	}
	s.reg = test.code[at + 1] >> 3 & 7;
	if (s.map == 1 && !(s.op & 1))
		s.size = 1;
	/* The count is in CL or in the last byte. */
	if (s.map == 1 ? s.op == 0xd2 || s.op == 0xd3 : s.op == 0xa5 || s.op == 0xad)
		s.count = (uint8_t)test.before.gpr[1];
	else if (s.map == 1 ? s.op == 0xc0 || s.op == 0xc1 : s.op == 0xa4 || s.op == 0xac)
		s.count = test.code[n->rip - test.at - 1];
	return s;
}

static bool has_prefix(uint8_t prefix)
{
	return memchr(test.code, prefix, opcode_at(test.code)) != NULL;
}

/*
 * What is repeated not even once, with addresses of 32 bits: some of Intel's CPUs clear the upper halves of
 * RCX, of RDI for MOVS and STOS, and of RSI for MOVS all the same, which KVM does on Intel's, too; AMD's do not.
 */
static bool half_cleared(uint32_t reg, uint64_t native)
{
	uint8_t op = test.code[opcode_at(test.code)];
	bool moves = op == 0xa4 || op == 0xa5, stores = op == 0xaa || op == 0xab;
	bool string = moves || stores || op == 0xa6 || op == 0xa7 || (op >= 0xac && op <= 0xaf);

	if (!string || !has_prefix(0x67) || (!has_prefix(0xf2) && !has_prefix(0xf3)) || (uint32_t)test.before.gpr[1])
		return false;
	if (reg != 1 && !(reg == 6 && moves) && !(reg == 7 && (moves || stores)))
		return false;
	return native == (uint32_t)test.before.gpr[reg];
}

static void compare_registers(const struct native *n)
{
	struct shape s;
	uint64_t flags;
	uint32_t i;

	if (rig.ctx.rip != n->rip || n->rip - test.at - 1 >= INSN_BYTES)
		tell("RIP", n->rip, rig.ctx.rip);
	s = shape_of(n);
	flags = defined_flags(&s);
	if (result_undefined(&s))
		return;
	for (i = 0; i < 16; i++) {
		if (rig.ctx.gpr[i] != n->gpr[i] && !half_cleared(i, n->gpr[i]))
			tell("a register", n->gpr[i], rig.ctx.gpr[i]);
		if (memcmp(rig.vec[i], n->xmm[i], 16))
			tell("a vector register", i, i);
	}
	if ((rig.ctx.rflags ^ n->rflags) & flags)
		tell("the flags", n->rflags & flags, rig.ctx.rflags & flags);
	for (i = 0; i < DATA_SIZE; i++)
		if (rig.ram[RAM_DATA + i] != ((const uint8_t *)DATA)[i])
			tell("memory", ((const uint8_t *)DATA)[i], rig.ram[RAM_DATA + i]);
}

/* #SS, #GP or #PF of an operand of CMPS, which CPUs read in an order of their own: one starts with RDI. */
static bool fault_of_either(const struct native *n, uint8_t vector)
{
	uint8_t op = test.code[opcode_at(test.code)];

	return (op == 0xa6 || op == 0xa7) && n->vector >= 12 && n->vector <= 14 && vector >= 12 && vector <= 14;
}

/*
 * Of an undefined instruction of more than 15 bytes CPUs report either: then with some prefixes
 * less it is #UD on the CPU, too.
 */
static bool undefined_and_long(const struct native *n, uint8_t vector)
{
	struct native less;
	uint32_t i;

	if (n->vector != 13 || vector != 6)
		return false;
	for (i = 1; i <= opcode_at(test.code); i++) {
		less = test.before;
		memcpy((void *)test.at, test.code + i, INSN_BYTES - i);
		if (!native_run(&less) || less.retired)
			return false;
		if (less.vector == 6)
			return true;
	}
	return false;
}

static void compare_fault(const struct native *n)
{
	const struct emul_fault *f = &rig.ctx.fault;
	uint32_t open;

	faults++;
	if (fault_of_either(n, f->vector) || undefined_and_long(n, f->vector))
		return;
	/* Where both are due, of #SS and #GP either may come: they are of one class (SDM vol. 3, 6.9). */
	if (f->vector != n->vector && !((f->vector ^ n->vector) == 1 && f->vector / 2 == 6))
		tell("the exception", n->vector, f->vector);
	/* Far from our pages the system may have its own there, or not tell. */
	open = f->vector == 14 && n->cr2 >> 32 ? 1 : 0;
	if (f->has_error && ((f->error_code ^ n->error) & ~open))
		tell("the error code", n->error, f->error_code);
	if (f->vector == 14 && f->cr2 != n->cr2)
		tell("CR2", n->cr2, f->cr2);
}

/* Memory is one again, as the CPU left it. */
static void agree(void)
{
	memcpy(rig.ram + RAM_DATA, (void *)DATA, DATA_SIZE);
	memcpy(rig.ram + RAM_CODE, (void *)CODE, CODE_END - CODE);
}

/* False: the emulator has no opinion. */
static bool compare(void)
{
	struct native n;
	int r;

	place(INSN_BYTES);
	make_state();
	n = test.before;
	r = emulate();
	/* No opinion on system calls, nor on what writes over itself: under the trap flag each turn is fetched anew. */
	if (!native_run(&n) || memcmp((void *)test.at, test.code, INSN_BYTES)) {
		agree();
		return false;
	}
	if (r == EMUL_DONE) {
		if (!n.retired)
			tell("an exception on the CPU only", n.vector, 0);
		compare_registers(&n);
		compared++;
	} else if (r == EMUL_FAULT) {
		if (n.retired)
			tell("an exception with us only", 0, rig.ctx.fault.vector);
		compare_fault(&n);
		compared++;
	} else {
		unknown++;
	}
	decoded += trusted_compare(&test.before, &n, test.code, tell);
	agree();
	return r == EMUL_DONE || r == EMUL_FAULT;
}

static bool fetch_fault(const struct native *n)
{
	return !n->retired && n->vector == 14 && n->cr2 == CODE_END && (n->error & 0x10);
}

/* The length by the end of the page: with a byte less the CPU faults in the fetch. */
static void measure(void)
{
	int len = emul_insn_len(test.code, INSN_BYTES, 64);
	struct native n;

	if (len <= 0)
		return;
	place((uint32_t)len);
	n = test.before;
	n.rip = test.at;
	if (!native_run(&n) || (!n.retired && n.vector == 6)) {
		agree();
		return;
	}
	if (fetch_fault(&n))
		tell("it is longer than we say", 0, (uint64_t)len);
	agree();
	if (len == 1)
		return;
	place((uint32_t)len - 1);
	n = test.before;
	n.rip = test.at;
	(void)native_run(&n);
	if (!fetch_fault(&n))
		tell("it is shorter than we say", n.vector, (uint64_t)len);
	agree();
	measured++;
}

/* ---- the program ---- */

static void begin(void)
{
	uint32_t i;

	rig_long(&rig);
	rig.ctx.phys_bits = 48;
	rig_map(&rig, CODE, RAM_CODE, RIG_PTE_P | RIG_PTE_U | RIG_PTE_W | RIG_PTE_A | RIG_PTE_D);
	for (i = 0; i < DATA_SIZE; i += 0x1000)
		rig_map(&rig, DATA + i, RAM_DATA + i, RIG_PTE_P | RIG_PTE_W | RIG_PTE_U | RIG_PTE_A | RIG_PTE_D);
	if (!native_init()) {
		fprintf(stderr, "second_opinion: no room at %llx, or no filter of system calls\n",
			(unsigned long long)CODE);
		exit(2);
	}
}

/* Each round stands for itself, so that it can be begun from. */
static void round_of(uint64_t n)
{
	state = (seed + 1) * 0x9e3779b97f4a7c15ull ^ (n + 1) * 0xbf58476d1ce4e5b9ull;
	random64();
	make_code();
	random_bytes((void *)(DATA + pick(DATA_SIZE - 64)), 64);
	agree();
	if (compare())
		measure();
}

int main(int argc, char **argv)
{
	uint64_t from = 0, seconds = 10;
	struct timespec t, end;
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		uint64_t val = strtoull(argv[i + 1], NULL, 0);

		if (!strcmp(argv[i], "--seconds"))
			seconds = val;
		else if (!strcmp(argv[i], "--seed"))
			seed = val;
		else if (!strcmp(argv[i], "--from"))
			from = val;
		else
			argc = 0;
	}
	if (i != argc) {
		fprintf(stderr, "usage: second_opinion [--seconds N] [--seed N] [--from N]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	begin();
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)seconds;
	for (rounds = from;; rounds++) {
		round_of(rounds);
		if (rounds % 256)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &t);
		if (t.tv_sec > end.tv_sec || (t.tv_sec == end.tv_sec && t.tv_nsec >= end.tv_nsec))
			break;
	}
	printf("second_opinion: seed %llu, %llu instructions, %llu a second: %llu compared (%llu exceptions), "
	       "%llu lengths, %llu of the trusted decoder, %llu that the emulator leaves alone\n",
	       (unsigned long long)seed, (unsigned long long)(rounds - from),
	       (unsigned long long)((rounds - from) / (seconds ? seconds : 1)), (unsigned long long)compared,
	       (unsigned long long)faults, (unsigned long long)measured, (unsigned long long)decoded,
	       (unsigned long long)unknown);
	return 0;
}
