// SPDX-License-Identifier: GPL-2.0-only
/* Panic: say everything we know, stop everything we have. */
#include "panic.h"
#include "acpi.h"
#include "cmdline.h"
#include "console.h"
#include "coverage.h"
#include "cpu.h"
#include "lapic.h"
#include "lib/atomic.h"
#include "lib/printf.h"
#include "lib/x86.h"
#include "log.h"
#include "symbols.h"
#include "trap.h"
#include "tsc.h"

#define BACKTRACE_MAX	32
#define MSG_MAX		256
#define NMI_SPIN	1000000	/* pauses until an NMI must have come */

/* Index + 1 of the CPU that panics. */
static u32 panic_cpu;

bool panic_in_progress(void)
{
	return READ_ONCE(panic_cpu) != 0;
}

noreturn void panic_stop_cpu(void)
{
	for (;;) {
		cli();
		hlt();
	}
}

static void print_address(u64 addr)
{
	u64 off;
	const char *name = symbol_lookup(addr, &off);

	if (name)
		log_err("  [%016llx] %s+0x%llx", addr, name, off);
	else
		log_err("  [%016llx]", addr);
}

/* Walk saved frame pointers; the stack may be broken, so trust nothing. */
static void backtrace(u64 rip, u64 rbp)
{
	u64 next, ret;
	int n;

	log_err("backtrace:");
	if (rip)
		print_address(rip);
	for (n = 0; n < BACKTRACE_MAX && rbp && !(rbp & 7); n++) {
		if (read_u64_safe((void *)(uintptr_t)rbp, &next) ||
		    read_u64_safe((void *)(uintptr_t)(rbp + 8), &ret) || !ret)
			break;
		print_address(ret);
		if (next <= rbp)
			break;
		rbp = next;
	}
}

static void print_frame(const struct trap_frame *f)
{
	log_err("vector %llu error %llx rip %016llx cs %04llx rflags %08llx",
		f->vector, f->error, f->rip, f->cs, f->rflags);
	log_err("rsp %04llx:%016llx rbp %016llx", f->ss, f->rsp, f->rbp);
	log_err("rax %016llx rbx %016llx rcx %016llx", f->rax, f->rbx, f->rcx);
	log_err("rdx %016llx rsi %016llx rdi %016llx", f->rdx, f->rsi, f->rdi);
	log_err("r8  %016llx r9  %016llx r10 %016llx", f->r8, f->r9, f->r10);
	log_err("r11 %016llx r12 %016llx r13 %016llx", f->r11, f->r12, f->r13);
	log_err("r14 %016llx r15 %016llx", f->r14, f->r15);
}

static void print_control_registers(void)
{
	log_err("cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx", read_cr0(),
		read_cr2(), read_cr3(), read_cr4());
}

static noreturn void panic_end(void)
{
	u32 seconds = hv_options.panic_reboot;

	if (!seconds) {
		log_err("halted");
		panic_stop_cpu();
	}
	if (seconds != PANIC_AT_ONCE) {
		log_err("the machine is reset in %u s", seconds);
		tsc_delay_us(seconds * 1000000ull);
	}
	machine_reset();
}

/* Where the others were: those that the NMI found in root mode. */
static void print_others(void)
{
	u64 rip;
	u32 i, spin;

	for (i = 0; i < nr_cpus; i++) {
		if (cpus[i] == this_cpu())
			continue;
		for (spin = 0; spin < NMI_SPIN && !READ_ONCE(cpus[i]->stopped_at); spin++)
			pause();
		rip = READ_ONCE(cpus[i]->stopped_at);
		if (!rip)
			log_err("CPU %u does not answer", i);
		else if (!trap_took_nmi(rip))
			log_err("CPU %u was in root mode:", i);
		if (rip && !trap_took_nmi(rip))
			print_address(rip);
	}
}

noreturn void panic_nmi(const struct trap_frame *f)
{
	WRITE_ONCE(this_cpu()->stopped_at, f->rip);
	panic_stop_cpu();
}

/* A fault in the report itself: say so once, then give up. */
static noreturn void panic_again(const char *msg)
{
	static bool said;

	if (!xchg(&said, true)) {
		log_err("the report failed: %s", msg);
		panic_end();
	}
	panic_stop_cpu();
}

/* One CPU reports; a second one waits for its NMI. */
static void panic_begin(const char *msg)
{
	u32 self = this_cpu()->index + 1;
	u32 first;

	cli();
	first = cmpxchg(&panic_cpu, 0, self);
	if (first == self)
		panic_again(msg);
	if (first)
		panic_stop_cpu();
	log_panic_mode();
	if (nr_cpus > 1)
		lapic_send_nmi_others();
	console_seize();
	log_ending(LOG_END_PANIC);
	log_level = LOG_DEBUG;
}

static noreturn void report(const struct trap_frame *f, u64 rip, u64 rbp,
			    const char *fmt, va_list ap)
{
	char msg[MSG_MAX];

	bp_vsnprintf(msg, sizeof(msg), fmt, ap);
	panic_begin(msg);
	log_err("BEDPLATE PANIC: %s (CPU %u, APIC %u)", msg, this_cpu()->index,
		this_cpu()->apic_id);
	if (f)
		print_frame(f);
	print_control_registers();
	backtrace(rip, rbp);
	panic_describe_exit();
	print_others();
	coverage_write();
	panic_end();
}

noreturn void panic_frame(const struct trap_frame *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(f, f->rip, f->rbp, fmt, ap);
}

noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(NULL, 0, (u64)(uintptr_t)__builtin_frame_address(0), fmt, ap);
}

noreturn void fatal(const char *fmt, ...)
{
	static const char prefix[] = "bedplate: ";
	char msg[MSG_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = bp_snprintf(msg, sizeof(msg), "fatal: ");
	n += bp_vsnprintf(msg + n, sizeof(msg) - 1 - n, fmt, ap);
	n = min(n, MSG_MAX - 2);
	va_end(ap);
	log_quietly("%s", msg);
	log_ending(LOG_END_REFUSED);
	console_seize();
	msg[n++] = '\n';
	console_write(prefix, sizeof(prefix) - 1);
	console_write(msg, n);
	coverage_write();
	panic_stop_cpu();
}
