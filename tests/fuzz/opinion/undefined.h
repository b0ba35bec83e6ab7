/* SPDX-License-Identifier: GPL-2.0-only */
/* What the manuals leave open of an instruction's result. */
#ifndef TESTS_FUZZ_UNDEFINED_H
#define TESTS_FUZZ_UNDEFINED_H

#include <stdbool.h>
#include <stdint.h>

struct shape {			/* what of an instruction it depends on */
	uint8_t map, op, reg;	/* 1 one byte, 2 0f; ModRM.reg */
	uint8_t size;		/* of the operand, in bytes */
	uint8_t count;		/* of shifts, before it is masked */
};

/* The flags of its result that are defined, of all arithmetic flags and DF. */
uint64_t defined_flags(const struct shape *s);
/* Is the result itself open? */
bool result_undefined(const struct shape *s);

#endif
