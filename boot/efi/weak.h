/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options that Secure Boot does not allow: bedplate.conf is not signed, so what it says
 * must not undo what the signatures are for. Pure, tested on the host.
 */
#ifndef BP_EFI_WEAK_H
#define BP_EFI_WEAK_H

#include "hv/core/machine/cmdline.h"

/* The first of @o's settings that weakens, as one writes it; NULL: none does. */
const char *weak_option(const struct hv_options *o);

#endif
