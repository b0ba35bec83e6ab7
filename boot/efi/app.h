/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The UEFI application: what all of its files use. Everything runs on the boot CPU with
 * boot services, up to leave.h. A function that gives an EFI_STATUS has said why, in
 * one line on the console, when that is an error.
 */
#ifndef BP_EFI_APP_H
#define BP_EFI_APP_H

#include "uefi.h"

#define CONF_NAME	"bedplate.conf"

/* Constant once main.c has begun. */
extern EFI_HANDLE app_image;
extern EFI_LOADED_IMAGE *app_loaded;
extern EFI_SYSTEM_TABLE *efi;
extern EFI_BOOT_SERVICES *efi_boot;

/* The protocol @guid of @handle, or of anybody if that is NULL; NULL: there is none. */
void *app_protocol(EFI_HANDLE handle, const EFI_GUID *guid);

/* Was it started from a shell, which leaves what it says on the screen? */
bool app_from_shell(void);

#endif
