/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nx_huge_pages: where guests execute, they do so by 4 KiB mappings; large ones are
 * without that right.  For CPUs where a guest stops the machine by changing the size of a
 * page that it executes (the iTLB multihit erratum).  What has been split for it is mapped
 * large again after a while.  Names and meaning of the parameters are KVM's.
 */
#ifndef BEDPLATE_NX_H
#define BEDPLATE_NX_H

#include "shim.h"

void bp_nx_module_init(void);
void bp_nx_module_exit(void);
/* A VM comes and goes; process context. */
void bp_nx_init(struct bp_vm *vm);
void bp_nx_exit(struct bp_vm *vm);
/* KVM_CAP_VM_DISABLE_NX_HUGE_PAGES.  -EPERM; -EINVAL: there is a vCPU. */
long bp_nx_disable(struct bp_vm *vm);

/* ---- for faults, under vm->mmu_lock ---- */
bool bp_nx_on(const struct bp_vm *vm);
/* The guest executes at @gfn, which could be a part of a page of this order, 9 or 18. */
void bp_nx_split(struct bp_vm *vm, u64 gfn, unsigned int order);
bool bp_nx_is_split(struct bp_vm *vm, u64 gfn, unsigned int order);

/* Mappings of these pages have gone, or large ones may take their place. */
void bp_nx_forget(struct bp_vm *vm, u64 gfn, u64 npages);

/* ---- the parameters; process context, no locks ---- */
const char *bp_nx_get(void);
/* on, off, force, auto, never.  -EINVAL, -EPERM: "never" was said, -EBUSY: too late for it. */
int bp_nx_set(const char *val);
extern unsigned int bp_nx_ratio, bp_nx_period_ms;
/* One of those two.  -EINVAL, -ERANGE, -EPERM. */
int bp_nx_set_recovery(unsigned int *param, const char *val);

#endif
