# SPDX-License-Identifier: GPL-2.0-only
#
# The warnings that all C of the project is compiled with; the shim has Linux's own.
# "make lint" adds what only checkers are asked for.

WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wshadow -Wundef -Wpointer-arith -Wwrite-strings -Wvla -Wredundant-decls \
	-Wduplicated-cond -Wlogical-op -Wformat=2
