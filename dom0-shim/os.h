/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pure parts of the shim (emul/, regions.c of iommu/, layout.c of xen/, and i8259.c,
 * ioapic.c, i8254.c and routing.c of irqchip/) want from their surroundings: fixed-width types, errno
 * values, string functions and KVM's structures.  They build into bedplate.ko
 * and into unit tests, and include no system header of their own.
 */
#ifndef BEDPLATE_OS_H
#define BEDPLATE_OS_H

#ifdef __KERNEL__

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/string.h>
#include <linux/types.h>

#else

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/kvm.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define BIT(n)		(1ul << (n))
#define BIT_ULL(n)	(1ull << (n))

#endif

#endif
