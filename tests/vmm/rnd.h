/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers from a seed; each thread has a generator of its own. */
#ifndef RND_H
#define RND_H

#include <stdbool.h>
#include <stdint.h>

/* From here on this thread draws what @seed, @stream and @n say. */
void rnd_begin(uint64_t seed, uint64_t stream, uint64_t n);
uint64_t rnd(void);
uint64_t below(uint64_t n);		/* 0 to n - 1 */
bool once_in(uint64_t n);
uint64_t rnd_value(void);		/* addresses and borders more often than chance would have them */

#endif
