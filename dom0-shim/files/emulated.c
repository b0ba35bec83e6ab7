// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_EMULATED_CPUID: what the emulator does where the processor has it not
 * (emul/undefined.c).
 */
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>

#include "files.h"

#define PADDINGS	256	/* KVM minds that of so many entries */

static const struct kvm_cpuid_entry2 emulated[] = {
	{ .function = 0, .eax = 7 },
	{ .function = 1, .ecx = BIT(22) },	/* MOVBE */
	{ .function = 7, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
};

static bool paddings_are_0(const struct kvm_cpuid_entry2 __user *user, u32 n)
{
	u32 i, pad[3];

	static_assert(sizeof(pad) == sizeof(user->padding));
	for (i = 0; i < n; i++)
		if (copy_from_user(pad, user[i].padding, sizeof(pad)) ||
		    memchr_inv(pad, 0, sizeof(pad)))
			return false;
	return true;
}

long bp_emulated_cpuid(void __user *argp)
{
	struct kvm_cpuid2 __user *user = argp;
	struct kvm_cpuid_entry2 e[ARRAY_SIZE(emulated)];
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (!head.nent)
		return -E2BIG;
	if (!paddings_are_0(user->entries, min_t(u32, head.nent, PADDINGS)))
		return -EINVAL;
	/* KVM wants room for one that it then does not use. */
	if (head.nent <= ARRAY_SIZE(e))
		return -E2BIG;
	memcpy(e, emulated, sizeof(e));
	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		e[2].ecx = BIT(22);	/* RDPID */
	head.nent = ARRAY_SIZE(e);
	return copy_to_user(user->entries, e, sizeof(e)) ||
	       copy_to_user(user, &head, sizeof(head)) ? -EFAULT : 0;
}
