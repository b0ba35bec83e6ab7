/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of the volume that the application came from, the EFI system partition. */
#ifndef BP_EFI_VOLUME_H
#define BP_EFI_VOLUME_H

#include "names.h"
#include "uefi.h"

struct volume_file {
	EFI_FILE_HANDLE handle;
	u64 bytes;
	u16 path[NAME_PATH_MAX];
};

/* Once, first. */
EFI_STATUS volume_open(void);
void volume_close(void);

/*
 * The file at @path, as bedplate.conf has it (names.h). @line is where it stands there,
 * @what what it is for: both are for the error.
 */
EFI_STATUS file_open(struct volume_file *f, const char *path, u32 line, const char *what);
/* All of its bytes. */
EFI_STATUS file_read(struct volume_file *f, void *to);
void file_close(struct volume_file *f);

#endif
