/* SPDX-License-Identifier: GPL-2.0-only */
/* The trusted base's decoder (hv/core/guest/insn.c) beside what the CPU did. */
#ifndef TESTS_FUZZ_TRUSTED_H
#define TESTS_FUZZ_TRUSTED_H

#include "native.h"

typedef void (*trusted_tell)(const char *what, uint64_t native, uint64_t ours);

/* 1: it decodes the instruction, and says what the CPU did; a difference is told. 0: it leaves it to others. */
int trusted_compare(const struct native *before, const struct native *after, const uint8_t *code, trusted_tell tell);

#endif
