/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watchdog (option watchdog=): does Bedplate hang on a CPU? Each CPU's own timer, which no
 * domain can stop, counts up and looks whether the next CPU has counted. One that has not for the
 * option's time gets an NMI, whose handler panics: so the report has its RIP. It is off on a
 * machine of one CPU, and does not see all CPUs hang at once.
 */
#ifndef BP_CORE_WATCHDOG_H
#define BP_CORE_WATCHDOG_H

#include "lib/types.h"

struct trap_frame;

/* Each CPU, when it is about to run vCPUs. */
void watchdog_start(void);
/* An NMI has come, with interrupted state @f. True: it was the watchdog's, and a false alarm. */
bool watchdog_nmi(const struct trap_frame *f);

#endif
