/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fixed-width types, compiler helpers and barriers. Everything includes this.
 * With BP_HOST_TEST it also compiles in user space, for the unit tests.
 */
#ifndef BP_CORE_TYPES_H
#define BP_CORE_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

/* Addresses: host physical, guest physical, guest virtual. */
typedef u64 hpa_t;
typedef u64 gpa_t;
typedef u64 gva_t;

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1ull << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))

#define SZ_4K		0x1000ull
#define SZ_64K		0x10000ull
#define SZ_1M		0x100000ull
#define SZ_2M		0x200000ull
#define SZ_1G		0x40000000ull
#define SZ_4G		0x100000000ull

#define BIT(n)			(1ull << (n))
#define STRING_OF_(x)		#x
#define STRING_OF(macro)	STRING_OF_(macro)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a)		(((x) + ((a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)

#ifndef container_of
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#endif

#define min(a, b) ({			\
	__typeof__(a) min_a_ = (a);	\
	__typeof__(b) min_b_ = (b);	\
	min_a_ < min_b_ ? min_a_ : min_b_; })
#define max(a, b) ({			\
	__typeof__(a) max_a_ = (a);	\
	__typeof__(b) max_b_ = (b);	\
	max_a_ > max_b_ ? max_a_ : max_b_; })

#ifndef __packed
#define __packed		__attribute__((packed))
#endif
/* What one CPU writes often and others read, or write, is not in one line. */
#define CACHE_LINE	64

#ifndef __aligned
#define __aligned(n)		__attribute__((aligned(n)))
#endif
#define __section(name)		__attribute__((section(name)))
#ifndef __weak
#define __weak			__attribute__((weak))
#endif
#define __printf(f, a)		__attribute__((format(printf, f, a)))
#ifndef __unused
#define __unused		__attribute__((unused))
#endif
#define __must_check		__attribute__((warn_unused_result))
#define noinline		__attribute__((noinline))
#ifndef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#endif

#ifndef noreturn
#define noreturn		_Noreturn
#endif
#ifndef static_assert
#define static_assert		_Static_assert
#endif

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define barrier()	__asm__ volatile("" ::: "memory")
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* x86 keeps loads and stores in order but for a load passing an older store. */
#define smp_mb()	__asm__ volatile("lock; addl $0, -4(%%rsp)" ::: "memory", "cc")
#define smp_rmb()	barrier()
#define smp_wmb()	barrier()
#define mb()		__asm__ volatile("mfence" ::: "memory")

#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)

static_assert(sizeof(u64) == 8 && sizeof(void *) == 8, "64-bit only");

#endif
