# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The build that checks itself (make DEBUG=1; tests/check goes through groups on it once more): on
# Intel's VMX, how long interrupts are off, and each check seen failing, at a fault that the image has for it.

# debug_run OPTION... -- COMMAND...
debug_run=(scripts/lab run --debug --overlay "$overlay")
thorough reports debug.vmx.2cpus "${debug_run[@]}" --machine vmx --smp 2 -- /opt/tests/machine 2 "$(nproc)" \
	"$(plain_warnings debug.vmx.2cpus vmx 2)"
thorough reports debug.vmx.vmm "${debug_run[@]}" --machine vmx --smp 1 -- \
	env BP_COUNTED=1 /opt/tests/bp-vmm run all '!sched.*_shares' '!log.no_write_lost_*'

thorough passes debug.stack scripts/lab exec -- scripts/stack build/debug
# The longest times are in the log when the service VM ends.
# shellcheck disable=SC2016
thorough shows debug.report 0 output 'interrupts were off for' "${debug_run[@]}" --on-reboot restart -- \
	sh -c '[ "$LAB_BOOT" = 1 ] && { busybox reboot -f; sleep 600; }
		grep "CPU 1: interrupts were off for" /sys/kernel/bedplate/last_log'

# seeded NUMBER NAME TEXT: domain 0 asks for the fault by CPUID (hv/core/machine/debug/seed.c).
seeded() {
	thorough shows "debug.seeded.$2" 125 bedplate.log "$3" "${debug_run[@]}" -- \
		/opt/tests/bp-vmm cpuid "$((0x400001e0 + $1))"
}
seeded 1 shift 'PANIC: undefined behaviour at hv/core/machine/debug/seed.c:'
seeded 2 index ': index beyond an array'
seeded 3 stack "PANIC: a stack frame's end is overwritten"
seeded 4 order "(a domain's donations and end) comes too late: lock"
seeded 5 twice "(Bedplate's frames) is held already: lock"
seeded 6 owner "(Bedplate's frames) released by a CPU that does not hold it"
seeded 7 no_class '(no class) has no class'
seeded 8 kept "PANIC: interrupts come on with lock"
seeded 9 interrupts_on "(Bedplate's frames) taken with interrupts on"
seeded 10 nmi "(Bedplate's frames) taken in an NMI or a machine check"
seeded 11 freed_frame 'PANIC: a free frame was written to:'
seeded 12 rwx 'PANIC: what runs, or is constant, can be written at 0'
# One that is no panic. Time is instructions here.
thorough shows debug.seeded.irqs_off 0 output 'us after CPUID 0: more than' "${debug_run[@]}" --icount -- \
	sh -c '/opt/tests/bp-vmm cpuid 0x400001ed && bedplate log | grep "interrupts were off"'
