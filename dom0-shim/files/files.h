/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user space opens: /dev/kvm, VMs, vCPUs, and what tells of Bedplate.
 * Process context; 0 or a negative errno.
 */
#ifndef BEDPLATE_FILES_H
#define BEDPLATE_FILES_H

#include "shim.h"

#define BP_CLOCK_FLAGS \
	(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

#define BP_X2APIC_API	(KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)
#define BP_EXITS_OFF	(KVM_X86_DISABLE_EXITS_HLT | KVM_X86_DISABLE_EXITS_PAUSE)

/* ---- vm.c ---- */
#define BP_VM_TYPES	(1 << KVM_X86_DEFAULT_VM | 1 << KVM_X86_SW_PROTECTED_VM)
long bp_vm_create(unsigned long type);

/* ---- clock.c ---- */
long bp_get_clock(struct bp_vm *vm, void __user *argp);
long bp_set_clock(struct bp_vm *vm, void __user *argp);
long bp_vm_get_tsc_khz(struct bp_vm *vm);
/* 0 stands for the machine's own; -EINVAL: too far from that. */
long bp_vm_set_tsc_khz(struct bp_vm *vm, unsigned long arg);

/* ---- vcpu.c ---- */
/* Returns a file descriptor.  Takes vm->lock. */
long bp_vcpu_create(struct bp_vm *vm, unsigned long id);
void bp_vcpu_free(struct bp_vcpu *vcpu);

/* ---- caps.c ---- */
/* Of @vm, or of /dev/kvm. */
long bp_check_extension(const struct bp_vm *vm, long ext);
long bp_system_ioctl(unsigned int cmd, void __user *argp);

/* ---- emulated.c: KVM_GET_EMULATED_CPUID ---- */
long bp_emulated_cpuid(void __user *argp);

/* ---- pmu.c: KVM_SET_PMU_EVENT_FILTER ---- */
long bp_set_pmu_filter(void __user *argp);

/* ---- vfio.c: KVM_CREATE_DEVICE ---- */
long bp_create_device(struct bp_vm *vm, void __user *argp);

/* ---- enable.c ---- */
long bp_vm_enable_cap(struct bp_vm *vm, const struct kvm_enable_cap *cap);
/* Those that can be switched off; a new VM has all. */
u64 bp_quirks(void);
void bp_quirks_init(struct bp_vm *vm);

/* ---- stats.c: KVM_GET_STATS_FD, of the VM if @vcpu is NULL; a file descriptor ---- */
long bp_stats_fd(struct bp_vm *vm, struct bp_vcpu *vcpu);

/* ---- sysfs.c: /sys/kernel/bedplate and /dev/bedplate ---- */
int bp_sysfs_init(void);
void bp_sysfs_exit(void);

/* ---- proc.c: /proc/bedplate ---- */
int bp_proc_init(void);
void bp_proc_exit(void);

/* ---- ending.c: Bedplate's log is told how this kernel ends ---- */
void bp_ending_init(void);
void bp_ending_exit(void);

/* ---- kvm_module.c: what programs look at before they open /dev/kvm ---- */
int bp_kvm_module_init(void);
void bp_kvm_module_exit(void);

/* ---- params.c: those of KVM's parameters that can be written; ends with NULL ---- */
extern const struct attribute *bp_kvm_params[];

#endif
