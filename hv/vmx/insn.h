/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX instructions (SDM vol. 3, ch. 31).  A host test supplies what reads
 * and writes the VMCS.  A failure of one of these is our own bug, but for
 * VMLAUNCH and VMRESUME, which are in entry.S.
 */
#ifndef HV_VMX_INSN_H
#define HV_VMX_INSN_H

#include "lib/types.h"

#ifdef BP_HOST_TEST
u64 vmread(u32 field);
void vmwrite(u32 field, u64 val);
void vmclear(hpa_t vmcs);
#else
#include "lib/errno.h"
#include "lib/x86.h"

/* vmx.c: panics. */
void vmx_insn_failed(const char *what, u64 operand);

/* Of the current VMCS; every field that we name exists on every CPU we run on. */
static inline u64 vmread(u32 field)
{
	u64 val;

	__asm__ volatile("vmread %1, %0" : "=rm"(val) : "r"((u64)field) : "cc");
	return val;
}

static inline void vmwrite(u32 field, u64 val)
{
	bool failed;

	__asm__ volatile("vmwrite %2, %1"
			 : "=@ccna"(failed) : "r"((u64)field), "rm"(val));
	if (unlikely(failed))
		vmx_insn_failed("VMWRITE", field);
}

static inline void vmclear(hpa_t vmcs)
{
	bool failed;

	__asm__ volatile("vmclear %1" : "=@ccna"(failed) : "m"(vmcs) : "memory");
	if (unlikely(failed))
		vmx_insn_failed("VMCLEAR", vmcs);
}

static inline void vmptrld(hpa_t vmcs)
{
	bool failed;

	__asm__ volatile("vmptrld %1" : "=@ccna"(failed) : "m"(vmcs) : "memory");
	if (unlikely(failed))
		vmx_insn_failed("VMPTRLD", vmcs);
}

static inline void invept(u64 type, u64 eptp)
{
	u64 desc[2] = { eptp, 0 };
	bool failed;

	__asm__ volatile("invept %1, %2"
			 : "=@ccna"(failed) : "m"(desc), "r"(type) : "memory");
	if (unlikely(failed))
		vmx_insn_failed("INVEPT", type);
}

/* 0, or -EFAULT: it raised #GP (IA32_FEATURE_CONTROL) or failed. */
static inline int vmxon(hpa_t region)
{
	int err;

	__asm__ volatile("1: vmxon %1\n"
			 "jna 2f\n"
			 "xorl %0, %0\n"
			 "jmp 3f\n"
			 "2: movl %2, %0\n"
			 "3:\n"
			 EX_TABLE("1b", "2b")
			 : "=&r"(err) : "m"(region), "i"(-EFAULT) : "cc", "memory");
	return err;
}

/* Nothing happens outside of VMX operation. */
static inline void vmxoff_safe(void)
{
	__asm__ volatile("1: vmxoff\n"
			 "2:\n"
			 EX_TABLE("1b", "2b")
			 ::: "cc", "memory");
}
#endif

#endif
