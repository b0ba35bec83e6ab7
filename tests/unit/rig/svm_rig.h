/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU on a VMCB of the test's own, for the unit tests of hv/svm. */
#ifndef TESTS_UNIT_SVM_RIG_H
#define TESTS_UNIT_SVM_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/lib/errno.h"
#include "hv/core/lib/x86_regs.h"
#include "hv/svm/svm.h"

struct svm_caps svm;

static struct vmcb rig_vmcb;
static struct svm_vcpu rig_sv;
static u32 rig_apic[1024];
static struct vcpu rig_v;

/* Caps of a machine with 48-bit addresses and nothing optional. */
static int rig_setup(void **state)
{
	(void)state;
	memset(&rig_vmcb, 0, sizeof(rig_vmcb));
	memset(&rig_sv, 0, sizeof(rig_sv));
	memset(&rig_v, 0, sizeof(rig_v));
	memset(rig_apic, 0, sizeof(rig_apic));
	rig_v.apic.reg = rig_apic;
	rig_sv.vmcb = &rig_vmcb;
	rig_v.arch = &rig_sv;
	svm = (struct svm_caps){
		.asids = 4,
		.limits = {
			.vaddr_bits = 48,
			.phys_end = BIT(48),
			.cr3_valid = BIT(48) - 1,
			.cr4_valid = 0x7ff,
			.efer_valid = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX,
		},
	};
	return 0;
}

#endif
