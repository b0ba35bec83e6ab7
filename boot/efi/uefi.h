/* SPDX-License-Identifier: GPL-2.0-only */
/* UEFI's own types and calls, from gnu-efi's headers (-isystem), by their own names. */
#ifndef BP_EFI_UEFI_H
#define BP_EFI_UEFI_H

#include "hv/core/lib/types.h"

#define GNU_EFI_USE_MS_ABI	/* the compiler knows UEFI's calling convention */
#include <efi.h>

#endif
