/* SPDX-License-Identifier: GPL-2.0-only */
/* The few memory and string functions used; meanings as in C's <string.h>. */
#ifndef BP_CORE_STRING_H
#define BP_CORE_STRING_H

#ifdef BP_HOST_TEST
#include <string.h>
#else
#include "types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strncmp(const char *a, const char *b, size_t n);
#endif

#endif
