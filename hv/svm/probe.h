/* SPDX-License-Identifier: GPL-2.0-only */
/* Can this CPU run Bedplate by SVM? Also asked by the UEFI application, before it starts it. */
#ifndef HV_SVM_PROBE_H
#define HV_SVM_PROBE_H

/* NULL, or what is missing, as one line. Changes nothing. */
const char *svm_missing(void);

#endif
