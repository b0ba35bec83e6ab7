/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keeps one vCPU from another's and from root mode's data on a CPU that
 * speculates: barriers when a CPU changes vCPUs, before entries and after
 * exits, as far as the CPU says that it needs them (CPUID and
 * IA32_ARCH_CAPABILITIES; SDM vol. 4, APM vol. 2, 3.2.9).  docs/speculation.md
 * tells what is done where, and what is not.  Also for assembly.
 */
#ifndef HV_CORE_SPECULATION_H
#define HV_CORE_SPECULATION_H

/* struct cpu ->spec_exit: what follows an exit. Read by entry.S. */
#define SPEC_GS_EXIT		32	/* its offset from GS */
#define SPEC_EXIT_RSB		0x01
#define SPEC_EXIT_CTRL		0x02
#define SPEC_EXIT_IBPB		0x04
#define SPEC_EXIT_CALL		0x80	/* with one of those two; the sign, for entry.S */

#ifdef __ASSEMBLY__

/*
 * After an exit: root mode's GS base, all guest registers saved, none needed
 * but those that a C function keeps.  Between here and run_loop() lie two RETs
 * whose CALLs came before the guest: two entries of the return stack are ours
 * again, and LFENCE holds the third.
 */
.macro SPEC_AFTER_EXIT
	cmpb	$0, %gs:SPEC_GS_EXIT
	jns	91f
	call	spec_exit
	testb	$SPEC_EXIT_RSB, %gs:SPEC_GS_EXIT
91:	jz	94f
	call	92f
	int3
92:	call	93f
	int3
93:	add	$16, %rsp
	lfence
94:
.endm

#else

#include "lib/types.h"
#include "machine/cmdline.h"

struct cpu;
struct vcpu;

/* The bits that decide, as the CPU reports them; a leaf that is absent is 0. */
struct spec_enum {
	u32 signature;			/* CPUID 1 EAX */
	u32 f7_ebx, f7_edx;		/* CPUID 7.0 */
	u32 f72_edx;			/* CPUID 7.2 */
	u32 e8_ebx;			/* CPUID 8000_0008 */
	u32 ea_edx;			/* CPUID 8000_000a */
	u32 e21_eax, e21_ecx;		/* CPUID 8000_0021 */
	u64 arch_cap;			/* IA32_ARCH_CAPABILITIES, if f7_edx has it */
};

/* .e21_eax: an IBPB forgets the types of branches, too; set also where CPUID does not tell. */
#define E21_EAX_IBPB_BRTYPE	BIT(28)

/* Set of mitigations; a bit keeps its meaning, for the statistics show it. */
#define SPEC_IBPB		BIT(0)	/* when a CPU goes from one guest's vCPU to another */
#define SPEC_IBPB_DOM0		BIT(1)	/* and between domain 0 and a guest */
#define SPEC_IBRS_WRITE		BIT(2)	/* IBRS is set after each exit */
#define SPEC_IBRS_ON		BIT(3)	/* IBRS stays set (enhanced, always on) */
#define SPEC_IBRS_AUTO		BIT(4)	/* EFER.AUTOIBRS */
#define SPEC_RSB_EXIT		BIT(5)	/* return stack: what root mode will use */
#define SPEC_RSB_SWITCH		BIT(6)	/* all of it, when a CPU changes vCPUs */
#define SPEC_L1D_SWITCH		BIT(7)	/* L1 data cache, when a CPU comes to a guest's vCPU */
#define SPEC_L1D_ENTRY		BIT(8)	/* before each entry of a guest */
#define SPEC_VERW		BIT(9)	/* CPU buffers, before each entry */
#define SPEC_CTRL_APART		BIT(10)	/* SPEC_CTRL is loaded with the vCPU */
#define SPEC_BHI		BIT(11)	/* SPEC_CTRL.BHI_DIS_S stays set */
#define SPEC_RRSBA		BIT(12)	/* SPEC_CTRL.RRSBA_DIS_S stays set */
#define SPEC_IBPB_EXIT		BIT(13)	/* after each exit of a guest */
#define SPEC_BP_REDUCE		BIT(14)	/* BP_CFG.BP_SPEC_REDUCE stays set */
#define SPEC_FP_BACKUP		BIT(15)	/* DE_CFG.FP_BACKUP_FIX stays set */
#define SPEC_DIVIDER		BIT(16)	/* a division, when a CPU changes vCPUs */
#define SPEC_SRSO_OPEN		BIT(17)	/* needs SPEC_IBPB_EXIT, but its microcode is too old */

/* What this CPU and these options ask for; ops->flaws() has its say.  Pure. */
u32 spec_choose(const struct spec_enum *e, const struct hv_options *o);
/* The machine has SPEC_CTRL, PRED_CMD.IBPB: domain 0 sees that in CPUID.  Pure. */
bool spec_has_ctrl(const struct spec_enum *e);
bool spec_has_ibpb(const struct spec_enum *e);

/* Those that are made; @due: that the CPU calls for. */
u32 spec_state(u32 *due);

/* Boot, after ops_set() and before ops->probe(): read the CPU, choose, say so. */
void spec_init(void);
/* Each CPU, before it enters anything. */
void spec_init_cpu(struct cpu *c);
/* May domain 0 write SPEC_CTRL and PRED_CMD without an exit? */
bool spec_pass_ctrl(void);
bool spec_pass_pred(void);

/* A number for the vCPU that no other had or will have. */
void spec_init_vcpu(struct vcpu *v);
/* v has just been loaded on c, has just been put: called by run.c. */
void spec_switch_in(struct cpu *c, struct vcpu *v);
void spec_switch_out(struct cpu *c, struct vcpu *v);

/* Right before the world switch, if c->spec_entry. */
void spec_entry(struct cpu *c);
/* entry.S, before the first RET after an exit: predictors and SPEC_CTRL are root mode's again. */
void spec_exit(void);

#endif
#endif
