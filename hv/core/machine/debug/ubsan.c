// SPDX-License-Identifier: GPL-2.0-only
/*
 * What gcc's -fsanitize=undefined calls.  All data that it passes begin with the place in
 * the source; what else there is, the backtrace and the registers tell.
 */
#include "lib/types.h"
#include "machine/panic.h"

struct place {
	const char *file;
	u32 line, column;
};

static noreturn void undefined(const struct place *at, const char *what)
{
	panic("undefined behaviour at %s:%u:%u: %s", at->file, at->line, at->column, what);
}

#define HANDLER(name, what)				\
	noreturn void __ubsan_handle_##name(const struct place *at);	\
	noreturn void __ubsan_handle_##name(const struct place *at)	\
	{								\
		undefined(at, what);					\
	}

HANDLER(type_mismatch_v1_abort, "access by a null or misaligned pointer, or beyond an object")
HANDLER(pointer_overflow_abort, "pointer overflow")
HANDLER(add_overflow_abort, "overflow of an addition")
HANDLER(sub_overflow_abort, "overflow of a subtraction")
HANDLER(mul_overflow_abort, "overflow of a multiplication")
HANDLER(negate_overflow_abort, "overflow of a negation")
HANDLER(divrem_overflow_abort, "division by zero, or its overflow")
HANDLER(shift_out_of_bounds_abort, "shift by too much, or of a negative number")
HANDLER(out_of_bounds_abort, "index beyond an array")
HANDLER(vla_bound_not_positive_abort, "array without elements")
HANDLER(load_invalid_value_abort, "a bool or an enum that is none")
HANDLER(nonnull_arg_abort, "null argument")
HANDLER(nonnull_return_v1_abort, "null result")
HANDLER(invalid_builtin_abort, "a builtin's argument of 0")
HANDLER(builtin_unreachable, "unreachable code")
HANDLER(missing_return, "function without a result")
