# SPDX-License-Identifier: GPL-2.0-only
# Sources of the instruction emulator, relative to dom0-shim/. For bedplate.ko:
#	bedplate-y += $(EMUL_SRCS:.c=.o)
# For a host build: compile each with -Idom0-shim/emul.
EMUL_SRCS := \
	emul/alu.c \
	emul/decode.c \
	emul/emul.c \
	emul/ex_alu.c \
	emul/ex_atomic.c \
	emul/ex_dr.c \
	emul/ex_mov.c \
	emul/ex_pio.c \
	emul/ex_string.c \
	emul/ex_vec.c \
	emul/mem.c \
	emul/muldiv.c \
	emul/operand.c \
	emul/optable.c \
	emul/regs.c \
	emul/segment.c \
	emul/smm.c \
	emul/task.c \
	emul/task_segs.c \
	emul/task_tss.c \
	emul/undefined.c \
	emul/walk.c
