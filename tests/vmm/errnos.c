/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-vmm errnos: what each ioctl answers to arguments that make no sense, a line each, to be
 * compared with another KVM's: "FILE STATE IOCTL ARGUMENT RESULT".
 */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define PAGE	4096
#define LIMIT	8		/* s; a case that takes longer hangs */

struct ioctl_case {
	const char *name;
	unsigned long cmd;
};

#define C(name) { #name, KVM_##name }

/* Numbers, or nothing, for an argument. */
static const struct ioctl_case system_values[] = {
	C(GET_API_VERSION), C(CREATE_VM), C(CHECK_EXTENSION), C(GET_VCPU_MMAP_SIZE),
};
static const struct ioctl_case vm_values[] = {
	C(CREATE_VCPU), C(CREATE_IRQCHIP), C(CREATE_PIT), C(SET_TSS_ADDR), C(SET_BOOT_CPU_ID),
	C(SET_NR_MMU_PAGES), C(GET_NR_MMU_PAGES), C(SET_TSC_KHZ), C(GET_TSC_KHZ), C(RESET_DIRTY_RINGS),
	C(CHECK_EXTENSION),
};
static const struct ioctl_case vcpu_values[] = {
	C(NMI), C(SET_TSC_KHZ), C(GET_TSC_KHZ), C(KVMCLOCK_CTRL),
};

/* Pointers. */
static const struct ioctl_case system_pointers[] = {
	C(GET_MSR_INDEX_LIST), C(GET_SUPPORTED_CPUID), C(GET_MSR_FEATURE_INDEX_LIST), C(GET_MSRS),
	C(X86_GET_MCE_CAP_SUPPORTED), C(GET_DEVICE_ATTR), C(HAS_DEVICE_ATTR), C(SET_DEVICE_ATTR),
	C(GET_SUPPORTED_HV_CPUID), C(GET_EMULATED_CPUID), C(SET_USER_MEMORY_REGION), C(GET_REGS),
};
static const struct ioctl_case vm_pointers[] = {
	C(SET_USER_MEMORY_REGION), C(GET_DIRTY_LOG), C(CLEAR_DIRTY_LOG), C(SET_IDENTITY_MAP_ADDR),
	C(IRQ_LINE), C(IRQ_LINE_STATUS), C(GET_IRQCHIP), C(SET_IRQCHIP), C(GET_PIT), C(SET_PIT),
	C(GET_PIT2), C(SET_PIT2), C(CREATE_PIT2), C(REINJECT_CONTROL), C(SET_GSI_ROUTING), C(IRQFD),
	C(IOEVENTFD), C(SIGNAL_MSI), C(GET_CLOCK), C(SET_CLOCK), C(REGISTER_COALESCED_MMIO),
	C(UNREGISTER_COALESCED_MMIO), C(ENABLE_CAP), C(X86_SET_MSR_FILTER), C(GET_REGS),
	C(SET_USER_MEMORY_REGION2), C(GET_DEVICE_ATTR), C(HAS_DEVICE_ATTR), C(HYPERV_EVENTFD),
	C(SET_PMU_EVENT_FILTER), C(CREATE_GUEST_MEMFD), C(SET_MEMORY_ATTRIBUTES),
	C(CREATE_DEVICE), C(XEN_HVM_CONFIG), C(XEN_HVM_GET_ATTR), C(XEN_HVM_SET_ATTR), C(XEN_HVM_EVTCHN_SEND),
};
static const struct ioctl_case vcpu_pointers[] = {
	C(GET_REGS), C(SET_REGS), C(GET_SREGS), C(SET_SREGS), C(GET_SREGS2), C(SET_SREGS2), C(GET_FPU),
	C(SET_FPU), C(GET_XSAVE), C(SET_XSAVE), C(GET_XSAVE2), C(GET_XCRS), C(SET_XCRS), C(GET_MSRS),
	C(SET_MSRS), C(SET_CPUID), C(SET_CPUID2), C(GET_CPUID2), C(GET_LAPIC), C(SET_LAPIC),
	C(GET_MP_STATE), C(SET_MP_STATE), C(GET_VCPU_EVENTS), C(SET_VCPU_EVENTS), C(GET_DEBUGREGS),
	C(SET_DEBUGREGS), C(SET_GUEST_DEBUG), C(TRANSLATE), C(INTERRUPT), C(SET_SIGNAL_MASK),
	C(X86_SETUP_MCE), C(X86_SET_MCE), C(SET_VAPIC_ADDR), C(ENABLE_CAP), C(GET_DEVICE_ATTR),
	C(SET_DEVICE_ATTR), C(HAS_DEVICE_ATTR), C(PRE_FAULT_MEMORY), C(GET_SUPPORTED_HV_CPUID),
	C(SET_USER_MEMORY_REGION), C(XEN_VCPU_GET_ATTR), C(XEN_VCPU_SET_ATTR),
};

static const struct ioctl_case device_pointers[] = {
	C(SET_DEVICE_ATTR), C(GET_DEVICE_ATTR), C(HAS_DEVICE_ATTR), C(CREATE_DEVICE),
};

enum state { BARE, CHIPS, SPLIT, VCPU, VCPU_ALONE };
static const char *const state_name[] = { "bare", "irqchip", "split", "vcpu", "no-irqchip" };

/* A file in that state: a VM's, or with @vcpu that of its vCPU. */
static int file_in(enum state s, bool vcpu)
{
	int flags = s == SPLIT ? VM_SPLIT : s == BARE || s == VCPU_ALONE ? VM_NO_IRQCHIP : 0;
	struct vm *vm = vm_new(G_script, s >= VCPU, flags);

	return vcpu ? vm->vcpu[0].fd : vm->fd;
}

/* That of KVM_DEV_TYPE_VFIO. */
static int device_in(enum state s)
{
	struct kvm_create_device c = { .type = KVM_DEV_TYPE_VFIO };

	CHECK_EQ(ioctl(file_in(s, false), KVM_CREATE_DEVICE, &c), 0);
	return c.fd;
}

static int open_file(const char *file, enum state s, bool vcpu)
{
	if (!strcmp(file, "kvm"))
		return kvm_fd;
	return strcmp(file, "device") ? file_in(s, vcpu) : device_in(s);
}

static const char *result(long ret)
{
	static char text[32];

	if (ret < 0)
		snprintf(text, sizeof(text), "errno %d", errno);
	else
		snprintf(text, sizeof(text), ret > 1 ? "positive" : "%ld", ret);
	return text;
}

/* In a process of its own, with everything new: the answer, or how it ended. */
static void ask(const char *file, enum state s, bool vcpu, const struct ioctl_case *c, const char *what,
		unsigned long arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		int fd = open_file(file, s, vcpu);

		alarm(LIMIT);
		printf("%s %s %s %s %s\n", file, state_name[s], c->name, what, result(ioctl(fd, c->cmd, arg)));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		printf("%s %s %s %s ended with status 0x%x\n", file, state_name[s], c->name, what, status);
}

static void ask_values(const char *file, enum state s, bool vcpu, const struct ioctl_case *c)
{
	static const struct { const char *what; unsigned long val; } v[] = {
		{ "0", 0 }, { "1", 1 }, { "5000", 5000 }, { "2^31", 1ul << 31 }, { "2^32", 1ul << 32 }, { "-1", -1ul },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		ask(file, s, vcpu, c, v[i].what, v[i].val);
}

static void ask_pointers(const char *file, enum state s, bool vcpu, const struct ioctl_case *c)
{
	size_t size = _IOC_SIZE(c->cmd), room = 16 * PAGE;
	uint8_t *zero = mem_new(room), *ones = mem_new(room), *two = mem_new(2 * PAGE);

	memset(ones, 0xff, room);
	CHECK_EQ(munmap(two + PAGE, PAGE), 0);
	ask(file, s, vcpu, c, "null", 0);
	ask(file, s, vcpu, c, "kernel", 0xffff888000000000);
	/* Its beginning is there, its end is not. */
	ask(file, s, vcpu, c, "short", (unsigned long)two + PAGE - (size > 8 ? size / 2 : 4) % PAGE);
	ask(file, s, vcpu, c, "zeros", (unsigned long)zero);
	ask(file, s, vcpu, c, "ones", (unsigned long)ones);
	ask(file, s, vcpu, c, "unaligned", (unsigned long)zero + 1);
	munmap(zero, room);
	munmap(ones, room);
	munmap(two, PAGE);
}

#define EACH(list, fn, file, s, vcpu) do { \
	for (size_t i_ = 0; i_ < sizeof(list) / sizeof((list)[0]); i_++) \
		fn(file, s, vcpu, &(list)[i_]); \
} while (0)

int show_errnos(void)
{
	EACH(system_values, ask_values, "kvm", BARE, false);
	EACH(system_pointers, ask_pointers, "kvm", BARE, false);
	for (enum state s = BARE; s <= VCPU; s++) {
		EACH(vm_values, ask_values, "vm", s, false);
		EACH(vm_pointers, ask_pointers, "vm", s, false);
	}
	EACH(device_pointers, ask_pointers, "device", BARE, false);
	for (enum state s = VCPU; s <= VCPU_ALONE; s++) {
		EACH(vcpu_values, ask_values, "vcpu", s, true);
		EACH(vcpu_pointers, ask_pointers, "vcpu", s, true);
	}
	return 0;
}
