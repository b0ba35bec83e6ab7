/* SPDX-License-Identifier: GPL-2.0-only */
/* `bedplate top` on a terminal. */
#ifndef BEDPLATE_SCREEN_H
#define BEDPLATE_SCREEN_H

#include "toptext.h"

/* Until the user ends it; the program's exit status. */
int screen_run(struct top_options *o, double delay);

#endif
