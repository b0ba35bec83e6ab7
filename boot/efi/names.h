/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names as UEFI has them, of 16-bit characters: paths on a volume, and the words
 * that the application was started with. Pure, tested on the host.
 */
#ifndef BP_EFI_NAMES_H
#define BP_EFI_NAMES_H

#include "hv/core/lib/types.h"

#define NAME_PATH_MAX	256		/* characters, the NUL included */

/* Length of @s, at most @max. */
size_t name_len(const u16 *s, size_t max);

/*
 * @path as bedplate.conf has it, / or \ between its parts: from the root of the
 * volume if it begins with one, else from the directory of @self, the application's
 * own path. NULL, or what is wrong with it in a few words.
 */
const char *name_path(u16 out[NAME_PATH_MAX], const u16 *self, const char *path);

/*
 * The word that names an entry among @len bytes of load options, which the firmware
 * hands over as somebody stored them: a first word that ends with ".efi" is the
 * application. Into @out, "" if there is none or what is there is no text.
 */
void name_of_entry(char *out, size_t size, const u16 *options, u32 len);

/* Text of ASCII characters; others become '?'. Cut to @size, the NUL included. */
void name_to_text(char *out, size_t size, const u16 *s, size_t len);

#endif
