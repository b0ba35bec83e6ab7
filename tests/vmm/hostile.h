/* SPDX-License-Identifier: GPL-2.0-only */
/* bp-hostile: users, guests and kills that mean harm, at random from a seed, each with its rate. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "rnd.h"
#include "vmm.h"

struct options {
	uint64_t seed;
	uint64_t calls;			/* about so many */
	uint64_t from;			/* the first round */
	int cpus;			/* of a guest */
};

/* Each prints its lines; 0: nothing was found. */
int hostile_user(const struct options *opt);
int hostile_guest(const struct options *opt);
int hostile_kill(const struct options *opt);

/* hostile-user.c: the process of a round, which does not end by itself. */
void user_process(uint64_t seed, uint64_t nr) __attribute__((noreturn));
/* Does the child end within so many seconds? */
bool process_ended(pid_t pid, int *status, double seconds);
#define PROCESS_STUCK	120		/* after which a killed one counts as stuck */

/* hostile-call.c: one ioctl or other system call on the files of this process. */
void user_init(uint64_t *count);	/* opens what there is; calls are counted in *@count */
void user_call(void);
/* hostile-mem.c: what the process does to its memory meanwhile. */
#define USER_MEM	0x10000000ul	/* where slots are, mostly */
#define USER_MEM_SIZE	0x1000000ul
void user_memory_new(void);
void user_memory_change(void);

#endif
