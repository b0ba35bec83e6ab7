/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ends of the road.
 *
 * panic():  a bug of Bedplate's own. Prints "BEDPLATE PANIC: ...", the exit in
 *	     hand, registers and a symbolised backtrace on serial (whoever owns
 *	     the port) and VGA, stops the other CPUs by NMI, then halts or
 *	     reboots (option panic=). May be called anywhere, with any lock held.
 * fatal():  the machine cannot be used (no SVM, a torn ACPI table, ...). Prints
 *	     "bedplate: fatal: <one line>" on serial and VGA and halts. Boot only.
 * ASSERT(): an invariant of ours; never for something a guest can cause.
 */
#ifndef BP_CORE_PANIC_H
#define BP_CORE_PANIC_H

#include "lib/types.h"

/* Hook: print (log_printf is safe then) what exit this CPU is handling. */
void panic_describe_exit(void);

#ifdef BP_HOST_TEST
#include <stdio.h>
#include <stdlib.h>
#define panic(...) do { fprintf(stderr, "panic: " __VA_ARGS__); abort(); } while (0)
#define fatal(...) do { fprintf(stderr, "fatal: " __VA_ARGS__); abort(); } while (0)
#define ASSERT(c) do { if (!(c)) panic("%s:%d: %s\n", __FILE__, __LINE__, #c); } while (0)
#else

struct trap_frame;

noreturn void panic(const char *fmt, ...) __printf(1, 2);
noreturn void panic_frame(const struct trap_frame *f, const char *fmt, ...) __printf(2, 3);
noreturn void fatal(const char *fmt, ...) __printf(1, 2);

/* True once some CPU panics: the NMI handler calls panic_nmi() then. */
bool panic_in_progress(void);
noreturn void panic_nmi(const struct trap_frame *f);
noreturn void panic_stop_cpu(void);

#define ASSERT(c) do {							\
	if (unlikely(!(c)))						\
		panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #c);	\
	} while (0)
#endif

#endif
