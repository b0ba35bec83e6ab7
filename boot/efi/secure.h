/* SPDX-License-Identifier: GPL-2.0-only */
/* Secure Boot: is it on, and does the firmware vouch for the kernel? */
#ifndef BP_EFI_SECURE_H
#define BP_EFI_SECURE_H

#include "load.h"

/* On, and not in setup mode, where anybody may change the keys. */
bool secure_boot_on(void);

/* By shim if that started us, else by the firmware. An error: the kernel must not run. */
EFI_STATUS secure_check_kernel(const struct loaded *l);

#endif
