/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measured boot: what is started, and with which words, goes into a TPM's registers if
 * there is one (TCG EFI Protocol Specification, 2.0). docs/uefi.md lists the order.
 */
#ifndef BP_EFI_TPM_H
#define BP_EFI_TPM_H

#include "uefi.h"

/* Platform configuration registers, as GRUB uses them. */
#define TPM_PCR_WORDS	8
#define TPM_PCR_FILES	9

/* Without a TPM both do nothing. An error means that the TPM does not do its part. */

/* The bytes of a file; @name goes into the event log. */
EFI_STATUS tpm_file(const char *name, const void *data, u64 bytes);

/* A line of words, with its final NUL; into the log as "NAME: WORDS". */
EFI_STATUS tpm_words(const char *name, const char *words);

#endif
