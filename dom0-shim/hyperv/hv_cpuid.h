/* SPDX-License-Identifier: GPL-2.0-only */
/* What /dev/kvm says of Hyper-V's interface. */
#ifndef BEDPLATE_HV_CPUID_H
#define BEDPLATE_HV_CPUID_H

#include <linux/kvm.h>

/* KVM_GET_SUPPORTED_HV_CPUID; @page is for the table.  -E2BIG, -EFAULT. */
long bp_hv_cpuid(struct kvm_cpuid2 __user *user, void *page);

#endif
