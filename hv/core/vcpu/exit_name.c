// SPDX-License-Identifier: GPL-2.0-only
/* Names of the reasons of exits: for the log, and for who reads the counters. */
#include "exit.h"

static const char *const names[VM_EXIT_REASONS] = {
	[VM_EXIT_NONE] = "none",
	[VM_EXIT_INTR] = "interrupt",
	[VM_EXIT_NMI] = "NMI",
	[VM_EXIT_MCE] = "machine check",
	[VM_EXIT_IRQ_WINDOW] = "interrupt window",
	[VM_EXIT_NMI_WINDOW] = "NMI window",
	[VM_EXIT_CPUID] = "CPUID",
	[VM_EXIT_HLT] = "HLT",
	[VM_EXIT_PAUSE] = "PAUSE",
	[VM_EXIT_IO] = "I/O",
	[VM_EXIT_RDMSR] = "RDMSR",
	[VM_EXIT_WRMSR] = "WRMSR",
	[VM_EXIT_NPF] = "nested page fault",
	[VM_EXIT_APIC_WRITE] = "APIC write",
	[VM_EXIT_EOI] = "EOI",
	[VM_EXIT_HYPERCALL] = "hypercall",
	[VM_EXIT_CR0_WRITE] = "MOV to CR0",
	[VM_EXIT_CR4_WRITE] = "MOV to CR4",
	[VM_EXIT_CR8_WRITE] = "MOV to CR8",
	[VM_EXIT_EXCEPTION] = "exception",
	[VM_EXIT_XSETBV] = "XSETBV",
	[VM_EXIT_UNDEFINED] = "undefined instruction",
	[VM_EXIT_PROTECTION] = "forbidden instruction",
	[VM_EXIT_WBINVD] = "WBINVD",
	[VM_EXIT_MWAIT] = "MWAIT",
	[VM_EXIT_MOV_DR] = "MOV DR",
	[VM_EXIT_TASK_SWITCH] = "task switch",
	[VM_EXIT_NEED_PAGE] = "page needed",
	[VM_EXIT_SHUTDOWN] = "shutdown",
	[VM_EXIT_BUS_LOCK] = "bus lock",
	[VM_EXIT_NOTIFY] = "endless instruction",
	[VM_EXIT_SMI] = "SMI",
	[VM_EXIT_INIT] = "INIT",
	[VM_EXIT_FAIL_ENTRY] = "failed entry",
	[VM_EXIT_UNKNOWN] = "unknown",
};

const char *vm_exit_name(enum vm_exit_reason reason)
{
	if ((u32)reason >= VM_EXIT_REASONS || !names[reason])
		return "?";
	return names[reason];
}
