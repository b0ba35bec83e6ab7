// SPDX-License-Identifier: GPL-2.0-only
/* All CPUs on their feet: INIT, SIPI, and the same control registers. */
#include "smp.h"
#include "acpi.h"
#include "boot_info.h"
#include "lapic.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "log.h"
#include "memmap.h"
#include "microcode.h"
#include "mtrr.h"
#include "paging.h"
#include "panic.h"
#include "pool.h"
#include "trap.h"
#include "tsc.h"

#define STACK_PAGES	4
#define INIT_WAIT_US	10000
#define SIPI_WAIT_US	200
#define AP_WAIT_US	500000

static_assert(offsetof(struct cpu, self) == 0, "this_cpu()");
static_assert(offsetof(struct cpu, stack_top) == 16, "stack.S");
static_assert(sizeof(struct cpu) <= PAGE_SIZE, "one page each");

/* The end of trampoline.S. */
struct trampoline_args {
	u64 cr3;
	u64 entry;
	u64 cpu;		/* who starts next; the AP takes it and leaves 0 */
};

extern const u8 trampoline_start[], trampoline_end[], trampoline_args[];
extern const u8 ap_entry64[];
extern noreturn void call_on_stack(u64 stack_top, void (*fn)(void));

struct cpu *cpus[MAX_CPUS];
u32 nr_cpus;

static struct cpu boot_cpu;
static struct mtrr_state boot_mtrr;
static u32 mtrr_synced;		/* APs that had others; atomic */
static u32 adjust_synced;	/* the same of TSC_ADJUST */
static void (*released_to)(void);	/* NULL: they wait */

void ap_main(struct cpu *c);

void smp_init_boot_cpu(void)
{
	boot_cpu.self = &boot_cpu;
	boot_cpu.apic_id = cpuid(1).ebx >> 24;
	boot_cpu.online = true;
	cpus[0] = &boot_cpu;
	nr_cpus = 1;
	wrmsr(MSR_GS_BASE, (u64)(uintptr_t)&boot_cpu);
}

static u64 cr4_bits(void)
{
	u64 cr4 = X86_CR4_PAE | X86_CR4_DE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	u32 max = cpuid(0).eax;
	struct cpuid c1 = cpuid(1);
	u32 b7 = max >= 7 ? cpuid(7).ebx : 0;

	if (c1.edx & BIT(7))
		cr4 |= X86_CR4_MCE;
	if (c1.ecx & BIT(26))
		cr4 |= X86_CR4_OSXSAVE;
	if (b7 & BIT(0))
		cr4 |= X86_CR4_FSGSBASE;
	if (b7 & BIT(7))
		cr4 |= X86_CR4_SMEP;
	return cr4;
}

void cpu_init_control_registers(void)
{
	const u64 known = XCR0_FP | XCR0_SSE | XCR0_AVX | XCR0_OPMASK |
			  XCR0_ZMM_HI256 | XCR0_HI16_ZMM | XCR0_PKRU;
	u64 cr4 = cr4_bits();

	write_cr0(X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_ET | X86_CR0_MP |
		  X86_CR0_PE);
	write_cr4(cr4);
	wrmsr(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NX);
	wrmsr(MSR_PAT, BP_PAT);
	if (cr4 & X86_CR4_OSXSAVE)
		xsetbv(0, cpuid_count(0xd, 0).eax & known);
	__asm__ volatile("fninit");
}

noreturn void smp_enter_boot_cpu(void (*fn)(void))
{
	void *stack = stack_alloc(STACK_PAGES);

	if (!stack || !gdt_alloc(&boot_cpu))
		fatal("too little memory for the stacks of CPU 0");
	boot_cpu.stack_top = (u64)(uintptr_t)stack;
	gdt_load(&boot_cpu);
	trap_use_ist();
	call_on_stack(boot_cpu.stack_top, fn);
}

static struct cpu *cpu_alloc(u32 apic_id)
{
	struct cpu *c = page_alloc();
	void *stack = stack_alloc(STACK_PAGES);

	if (!c || !stack || !gdt_alloc(c))
		fatal("too little memory for %u CPUs", nr_cpus + 1);
	c->self = c;
	c->index = nr_cpus;
	c->apic_id = apic_id;
	c->stack_top = (u64)(uintptr_t)stack;
	return c;
}

/* A CPU that was given up is not to be: nobody knows of it, and another has its index. */
static noreturn void stay_off(void)
{
	log_warn("CPU with APIC ID %u came too late: it stays off", lapic_id());
	panic_stop_cpu();
}

/* First C code of an AP; trampoline's tables are gone, the stack is its own. */
void ap_main(struct cpu *c)
{
	void (*fn)(void);

	trap_load();
	gdt_load(c);
	microcode_load();
	cpu_init_control_registers();
	if (mtrr_sync(&boot_mtrr))
		fetch_add(&mtrr_synced, 1u);
	if (tsc_adjust_sync())
		fetch_add(&adjust_synced, 1u);
	if (boot_cpu.x2apic)
		lapic_enable_x2apic();
	else
		lapic_leave_x2apic();
	lapic_init_cpu();
	if (lapic_id() != c->apic_id)
		stay_off();
	smp_store_release(&c->online, true);
	while (!(fn = smp_load_acquire(&released_to))) {
		tsc_sync_answer(c->index);
		pause();
	}
	if (c->index >= nr_cpus || cpus[c->index] != c)
		stay_off();
	fn();
	panic("an application processor's start returned");
}

static bool wait_online(struct cpu *c, u64 us)
{
	u64 end = rdtsc() + tsc_from_us(us);

	while (!smp_load_acquire(&c->online)) {
		if (rdtsc() > end)
			return false;
		pause();
	}
	return true;
}

/* Clocks that guests read without us must not go back when they move. */
static void compare_tsc(const struct cpu *c)
{
	s64 off = tsc_sync_ask(c->index);

	if (!off)
		return;
	log_warn("the TSC of the CPU with APIC ID %u is %lld cycles off: clocks will be slower",
		 c->apic_id, off);
	tsc_alike = false;
}

static bool start_ap(u32 apic_id, hpa_t page, struct trampoline_args *args)
{
	struct cpu *c = cpu_alloc(apic_id);
	bool up;

	WRITE_ONCE(args->cpu, (u64)(uintptr_t)c);
	smp_mb();
	lapic_send_sipi(apic_id, page >> PAGE_SHIFT);
	up = wait_online(c, SIPI_WAIT_US);
	if (!up) {
		lapic_send_sipi(apic_id, page >> PAGE_SHIFT);
		up = wait_online(c, AP_WAIT_US);
	}
	WRITE_ONCE(args->cpu, 0);
	if (up) {
		cpus[nr_cpus++] = c;
		compare_tsc(c);
	} else {
		log_warn("the CPU with APIC ID %u does not start: it stays off", apic_id);
	}
	return up;
}

static bool is_boot_cpu(u32 apic_id)
{
	return apic_id == boot_cpu.apic_id;
}

/* IPIs of xAPIC mode have 8 bits for it: 256 would be the CPU with ID 0, 511 everybody. */
static bool can_be_named(u32 apic_id)
{
	return boot_cpu.x2apic || apic_id < 0xff;
}

/* Every AP gets INIT, then each in turn its SIPI. True if all came up. */
static bool start_all(const struct acpi_info *acpi, hpa_t page,
		      struct trampoline_args *args)
{
	bool all = true;
	u32 i, id;

	for (i = 0; i < acpi->nr_cpus; i++) {
		id = acpi->cpu[i].apic_id;
		if (!is_boot_cpu(id) && can_be_named(id))
			lapic_send_init(id);
	}
	tsc_delay_us(INIT_WAIT_US);
	for (i = 0; i < acpi->nr_cpus && nr_cpus < MAX_CPUS; i++) {
		id = acpi->cpu[i].apic_id;
		if (is_boot_cpu(id))
			continue;
		if (!can_be_named(id)) {
			log_warn("the CPU with APIC ID %u needs x2APIC mode: it stays off",
				 id);
			continue;
		}
		all &= start_ap(id, page, args);
	}
	return all;
}

static hpa_t trampoline_page(const struct mem_map *m, const struct mem_range *used, u32 nr)
{
	return memmap_find(m, used, nr, PAGE_SIZE, 0xa0000, PAGE_SIZE, PAGE_SIZE, true);
}

/*
 * A page of RAM below 640 KiB serves as trampoline. Its contents come back,
 * unless a CPU is missing that might still wake up in it: then it stays ours.
 */
void smp_start_aps(const struct acpi_info *acpi, const struct boot_info *bi)
{
	u64 len = trampoline_end - trampoline_start;
	u64 args_off = trampoline_args - trampoline_start;
	struct mem_range used[BOOT_MAX_MODULES];
	struct trampoline_args *args;
	void *saved = page_alloc();
	hpa_t page, root;
	u32 i;

	boot_cpu.apic_id = lapic_id();
	mtrr_read(&boot_mtrr);
	for (i = 0; i < bi->nr_modules; i++)
		used[i] = (struct mem_range){ bi->module[i].start, bi->module[i].end, 0 };
	page = trampoline_page(&free_map, used, bi->nr_modules);
	if (!page)
		page = trampoline_page(&machine_map, used, bi->nr_modules);
	root = page ? paging_alloc_trampoline(page) : 0;
	if (!saved || !root || root >= SZ_4G)
		fatal("too little memory below 640 KiB to start the other CPUs");
	ASSERT(len <= PAGE_SIZE);
	memcpy(saved, phys_to_virt(page), PAGE_SIZE);
	memcpy(phys_to_virt(page), trampoline_start, len);
	args = (void *)((u8 *)phys_to_virt(page) + args_off);
	args->cr3 = root;
	args->entry = (u64)(uintptr_t)ap_entry64;
	if (start_all(acpi, page, args)) {
		memcpy(phys_to_virt(page), saved, PAGE_SIZE);
		paging_free_trampoline(root);
	} else {
		memmap_add_bedplate(page, page + PAGE_SIZE);
	}
	page_free(saved);
	if (mtrr_synced)
		log_info("MTRRs of %u other CPUs were not CPU 0's: set alike",
			 mtrr_synced);
	if (adjust_synced)
		log_info("TSC_ADJUST of %u other CPUs was not CPU 0's: set alike",
			 adjust_synced);
	log_info("%u CPUs run (%s)", nr_cpus, boot_cpu.x2apic ? "x2APIC" : "xAPIC");
}

void smp_release_aps(void (*fn)(void))
{
	smp_store_release(&released_to, fn);
}
