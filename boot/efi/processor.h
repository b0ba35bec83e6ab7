/* SPDX-License-Identifier: GPL-2.0-only */
/* Does this processor have what Bedplate needs? */
#ifndef BP_EFI_PROCESSOR_H
#define BP_EFI_PROCESSOR_H

/* NULL, or what is missing, in the words that Bedplate would use itself. */
const char *processor_missing(void);

#endif
