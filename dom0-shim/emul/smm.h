/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System Management Mode: the state that an SMI saves and RSM restores, and what the CPU
 * begins with in between (APM vol. 2, 10.3, 10.2; SDM vol. 3, 32.4, 32.5).  The save area
 * is AMD64's where the guest has long mode, else the P6's, as KVM's is.
 */
#ifndef BEDPLATE_EMUL_SMM_H
#define BEDPLATE_EMUL_SMM_H

#include "../os.h"

#define EMUL_SMM_AREA		0xfe00		/* from SMBASE on */
#define EMUL_SMM_AREA_SIZE	0x200
#define EMUL_SMBASE_DEFAULT	0x30000

struct emul_smm {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	u64 dr6, dr7;
	u32 smbase;
	u8 shadow;		/* KVM_X86_SHADOW_INT_* */
	bool l2;		/* of a guest's guest, whose VMCB is there: in AMD64's area only */
	u64 l2_vmcb;
};

/* Write the state to @area, all of it. */
void emul_smm_save(const struct emul_smm *s, bool long_mode, void *area);
/* What the handler begins with.  EFER is the guest's where there is no long mode. */
void emul_smm_enter(struct emul_smm *s, bool long_mode);
/*
 * The state that @area tells.  The guest may have written anything there: whoever sets
 * registers has to check them.
 */
void emul_smm_load(struct emul_smm *s, bool long_mode, const void *area);

#endif
