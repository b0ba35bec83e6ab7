/* SPDX-License-Identifier: GPL-2.0-only */
/* What the operator is asked for, on the firmware's consoles. */
#ifndef BP_EFI_MENU_H
#define BP_EFI_MENU_H

#include "conf.h"

/* Which entry; NULL: back to the firmware. */
const struct conf_entry *menu_choose(const struct conf *c);

/* Until a key is pressed, or for @seconds; 0: for ever. The key; 0: none. */
u16 menu_wait(u32 seconds);

#endif
