/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the shim is compiled for: Debian stable's (6.12) and
 * stable-backports' (7.3).  The code is written for the newer; here is what the older
 * lacks.  Kernels in between are meant to do, and were not tried.
 */
#ifndef BEDPLATE_COMPAT_H
#define BEDPLATE_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/version.h>

/* CPUID has a header of its own from 6.16 on. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <asm/cpuid/api.h>
#else
#include <asm/processor.h>
#endif

/* Hyper-V's definitions moved in 6.14. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#include <asm/hyperv-tlfs.h>
#else
#include <hyperv/hvhdk.h>
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* From 6.19 on an IOMMU's driver is told what the device was attached to. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define BP_OLD_DOMAIN
#else
#define BP_OLD_DOMAIN , struct iommu_domain *old
#endif

/* From 6.16 on sysfs takes binary attributes that are constant, and no others. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define BP_SYSFS_CONST
#else
#define BP_SYSFS_CONST const
#endif

/* What /sys/devices/system/cpu/vulnerabilities/itlb_multihit says of huge pages. */
#ifndef BP_KVM_SYMBOLS_CLOSED
#define bp_show_itlb_multihit(mitigated) (itlb_multihit_kvm_mitigation = (mitigated))
#else
#define bp_show_itlb_multihit(mitigated) ((void)(mitigated))
#endif

#endif
