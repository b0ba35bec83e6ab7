/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory and string functions in the form that CBMC reasons about best, for harnesses that
 * include what they prove (CFLAGS: -include plain_string.h): loops of bytes where
 * the length is a variable, and assignments where a whole object is cleared.
 */
#ifndef TESTS_PROVE_PLAIN_STRING_H
#define TESTS_PROVE_PLAIN_STRING_H

#include <string.h>

static inline void plain_copy(void *to, const void *from, size_t n)
{
	unsigned char *t = to;
	const unsigned char *f = from;
	size_t i;

	for (i = 0; i < n; i++)
		t[i] = f[i];
}

static inline void *plain_memchr(const void *s, int c, size_t n)
{
	const unsigned char *p = s;
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] == (unsigned char)c)
			return (void *)&p[i];
	return NULL;
}

#define memcpy(to, from, n) \
	(__builtin_constant_p(n) ? (void)(memcpy)(to, from, n) : plain_copy(to, from, n))
#define memchr(s, c, n)		plain_memchr(s, c, n)
/* Of whole objects, to 0: what else does not compile. */
#define memset(p, c, n) do {								\
	_Static_assert((c) == 0 && (n) == sizeof(*(p)), "a whole object");		\
	*(p) = (__typeof__(*(p))){ 0 };							\
} while (0)

#endif
