// SPDX-License-Identifier: GPL-2.0-only
/* Faults that the checks must find, for whoever asks by CPUID of a leaf in domain 0. */
#include "debug.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/cpu.h"
#include "machine/memmap.h"
#include "machine/paging.h"
#include "machine/tsc.h"
#include "machine/trap.h"

static struct spinlock outer = SPINLOCK_INIT(LOCK_DOMAIN_OP);
static struct spinlock inner = SPINLOCK_INIT(LOCK_POOL);
static struct spinlock none;

/* Not known to the compiler. */
static volatile u32 too_much = 64;
static volatile u32 beyond = OFF_PLACES;
static volatile u64 too_long = 32;

static void undefined_shift(void)
{
	too_much = (u32)(1ull << too_much);
}

static void index_beyond(void)
{
	/* cppcheck-suppress arrayIndexOutOfBounds ; the fault that it is to be */
	this_cpu()->debug.off[beyond].count++;
}

static noinline void smash(u64 len)
{
	char name[16];

	memset(name, 0x41, len);
	__asm__ volatile("" :: "r"(name) : "memory");
}

static void break_frame(void)
{
	smash(too_long);
}

static void wrong_order(void)
{
	spin_lock(&inner);
	spin_lock(&outer);
}

static void lock_twice(void)
{
	spin_lock(&inner);
	spin_lock(&inner);
}

static void unlock_free(void)
{
	spin_unlock(&inner);
}

static void no_class(void)
{
	spin_lock(&none);
}

/* The outermost, so that no other is in the way until interrupts come on. */
static void keep_lock(void)
{
	spin_lock(&outer);
}

static void lock_with_interrupts(void)
{
	__asm__ volatile("pushq $0x202; popfq" ::: "memory");
	spin_lock(&inner);
}

static void lock_in_nmi(void)
{
	debug_trap_begin(X86_TRAP_NMI);
	spin_lock(&inner);
}

static void write_to_free_frame(void)
{
	u64 *page = page_alloc();

	page_free(page);
	page[100] = 0;
	page_alloc();
}

static void map_rwx(void)
{
	u64 *page = page_alloc();

	memcpy(page, phys_to_virt(kernel_cr3), PAGE_SIZE);
	page[0] = HPTE_P | HPTE_W | HPTE_PS;
	debug_check_paging(virt_to_phys(page));
}

static void stay_long(void)
{
	tsc_delay_us(50000);
}

void debug_cpuid(u32 leaf)
{
	static void (*const faults[])(void) = {
		undefined_shift, index_beyond, break_frame, wrong_order, lock_twice, unlock_free,
		no_class, keep_lock, lock_with_interrupts, lock_in_nmi, write_to_free_frame,
		map_rwx, stay_long,
	};
	u32 n = leaf - DEBUG_LEAF;

	if (!n)
		debug_report(true);
	else if (n <= ARRAY_SIZE(faults))
		faults[n - 1]();
}
