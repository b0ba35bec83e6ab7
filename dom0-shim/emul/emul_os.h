/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only thing the emulator wants from its surroundings: fixed-width types,
 * memcpy and friends, errno values and the KVM ABI. The same sources build into
 * bedplate.ko and into host-side unit tests; nothing else in this directory may
 * include a system header.
 */
#ifndef BEDPLATE_EMUL_OS_H
#define BEDPLATE_EMUL_OS_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/kvm.h>

#else

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

#endif

#endif
