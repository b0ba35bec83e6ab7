# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Those of KVM's own tests that pass and are quick; docs/conformance.md has all.

reports selftests scripts/lab run --mem 3G --kernel-args clocksource=tsc --overlay "$overlay" \
	--disk "$(scripts/lab path selftests)" -- /opt/tests/selftests --limit 120 \
	guest_print_test kvm_binary_stats_test steal_time system_counter_offset_test pre_fault_memory_test \
	guest_memfd_test x86_64/private_mem_conversions_test x86_64/private_mem_kvm_exits_test \
	x86_64/apic_bus_clock_test x86_64/cpuid_test x86_64/cr4_cpuid_sync_test x86_64/exit_on_emulation_failure_test \
	x86_64/fix_hypercall_test x86_64/get_msr_index_features x86_64/hwcr_msr_test x86_64/hyperv_clock \
	x86_64/hyperv_cpuid x86_64/hyperv_extended_hypercalls x86_64/hyperv_ipi x86_64/hyperv_svm_test x86_64/kvm_clock_test \
	x86_64/kvm_pv_test x86_64/max_vcpuid_cap_test x86_64/platform_info_test x86_64/set_boot_cpu_id \
	x86_64/nested_exceptions_test x86_64/set_sregs_test x86_64/smm_test x86_64/state_test \
	x86_64/svm_int_ctl_test x86_64/svm_nested_shutdown_test x86_64/svm_vmcall_test \
	x86_64/triple_fault_event_test x86_64/tsc_msrs_test x86_64/userspace_io_test \
	x86_64/userspace_msr_exit_test x86_64/xcr0_cpuid_test
