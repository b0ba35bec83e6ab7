// SPDX-License-Identifier: GPL-2.0-only
/* Memory and string functions; the compiler calls the mem* ones by itself. */
#include "string.h"

/*
 * Words at any address.  Copies of up to BIG bytes go word by word, the last
 * word over the one before; REP starts too slowly for them.  Larger ones use
 * REP by words: an emulator takes as long for a byte as for a word.
 */
typedef u64 __attribute__((may_alias, aligned(1))) word;
typedef u32 __attribute__((may_alias, aligned(1))) half;

#define BIG	128

/* The compiler must not see a call of the function itself in its loop. */
#define NO_IDIOMS __attribute__((optimize("no-tree-loop-distribute-patterns")))

/* Less than a word. */
static inline void copy_bytes(u8 *d, const u8 *s, size_t n)
{
	if (n >= 4) {
		half last = *(const half *)(s + n - 4);

		*(half *)d = *(const half *)s;
		*(half *)(d + n - 4) = last;
		return;
	}
	for (; n; n--)
		*d++ = *s++;
}

NO_IDIOMS void *memcpy(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;
	size_t words = (n - 1) / 8;
	word last;

	if (n < 8) {
		copy_bytes(d, s, n);
		return dst;
	}
	last = *(const word *)(s + n - 8);
	if (n > BIG) {
		__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) :: "memory");
	} else {
		for (; words; words--, d += 8, s += 8)
			*(word *)d = *(const word *)s;
	}
	*(word *)((u8 *)dst + n - 8) = last;
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	char *d = (char *)dst + n - 1;
	const char *s = (const char *)src + n - 1;

	if ((uintptr_t)dst - (uintptr_t)src >= n)
		return memcpy(dst, src, n);
	__asm__ volatile("std; rep movsb; cld"
			 : "+D"(d), "+S"(s), "+c"(n) :: "memory", "cc");
	return dst;
}

NO_IDIOMS void *memset(void *dst, int c, size_t n)
{
	u64 value = (u8)c * 0x0101010101010101ull;
	size_t words = n / 8;
	u8 *d = dst;

	if (n < 8) {
		for (; n; n--)
			*d++ = c;
		return dst;
	}
	*(word *)(d + n - 8) = value;
	if (n > BIG) {
		__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(value) : "memory");
	} else {
		for (; words; words--, d += 8)
			*(word *)d = value;
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const u8 *p = s;

	for (; n; n--, p++)
		if (*p == (u8)c)
			return (void *)p;
	return NULL;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b)
			return (u8)*a - (u8)*b;
		if (!*a)
			break;
	}
	return 0;
}
