/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tiny VMM on the plain KVM API, for the tests and the benchmark.  Whatever goes wrong that a caller did
 * not ask to see ends the process through vmm_fail(), which each program supplies.
 */
#ifndef VMM_H
#define VMM_H

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "params.h"

#define VMM_MAX_VCPUS	8
#define CPUID_MAX	256

/* vm_new() flags */
#define VM_PIT		1	/* KVM_CREATE_PIT2 with the dummy speaker (port 0x61) */
#define VM_NO_IRQCHIP	2
#define VM_SPLIT	4	/* only local APICs in the kernel */
#define VM_DIRTY_RING	8	/* each vCPU has one of a page */
#define VM_PROTECTED	16	/* of type SW_PROTECTED_VM; slot 1, RAM from 1 MiB on, also has ->memfd */

struct vm;

struct vcpu {
	struct vm *vm;
	int id;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool threaded;
};

struct vm {
	int fd;
	int memfd;			/* with VM_PROTECTED */
	uint8_t *mem;			/* RAM_SIZE bytes, guest-physical 0; the hole's bytes are unused */
	struct gparams *p;		/* in mem */
	struct gop *ops;		/* in mem */
	int nops;
	uint8_t mmio[0x2000];		/* the device at GPA_MMIO */
	struct vcpu vcpu[VMM_MAX_VCPUS];
	int nvcpus;
};

extern int kvm_fd;			/* /dev/kvm, opened by vmm_open() */
extern int run_size;			/* KVM_GET_VCPU_MMAP_SIZE */

/* Report the failed expression @what, described further by @fmt, and end the process. */
void vmm_fail(const char *what, const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 4, 5)));

#define CHECK(e) do { if (!(e)) vmm_fail(#e, __FILE__, __LINE__, "errno %d", errno); } while (0)
#define CHECK_EQ(a, b) do { \
	unsigned long long a_ = (unsigned long long)(a), b_ = (unsigned long long)(b); \
	if (a_ != b_) \
		vmm_fail(#a " == " #b, __FILE__, __LINE__, "0x%llx, 0x%llx", a_, b_); \
} while (0)
/* The call must fail with -1 and this errno. */
#define CHECK_ERRNO(call, e) do { \
	errno = 0; \
	long r_ = (call); \
	if (r_ != -1 || errno != (e)) \
		vmm_fail(#call " fails with " #e, __FILE__, __LINE__, "returned %ld, errno %d", r_, errno); \
} while (0)

/* Open /dev/kvm; 0 or -errno. */
int vmm_open(void);

/* A VM with memory, interrupt controllers and @vcpus virtual CPUs; CPU 0 is about to start @guest. */
struct vm *vm_new(enum guest_id guest, int vcpus, int flags);
void vm_free(struct vm *vm);
/* Map @size bytes at @mem as guest-physical @gpa; slots from 2 on are free.  0 or -errno. */
int vm_slot(struct vm *vm, int slot, uint64_t gpa, uint64_t size, void *mem, int flags);
/* The same, with the pages of @memfd from @offset on for what of it is private. */
int vm_slot_memfd(struct vm *vm, int slot, uint64_t gpa, uint64_t size, void *mem, int flags, int memfd,
		  uint64_t offset);
/* KVM_CREATE_GUEST_MEMFD: a file descriptor. */
int memfd_new(struct vm *vm, uint64_t size);
/* Anonymous memory, zeroed. */
void *mem_new(size_t size);
/* The program's supported CPUID, with what an in-kernel APIC adds, for virtual CPU @id. */
struct kvm_cpuid2 *cpuid_for(int id);
const struct kvm_cpuid_entry2 *cpuid_find(const struct kvm_cpuid2 *c, uint32_t leaf, uint32_t index);
/* The bits of KVM's own feature leaf 0x40000001 that this /dev/kvm offers. */
uint32_t pv_features(void);

/* Append to the list of guest "script"; returns the entry for looking at the result. */
struct gop *op_add(struct vm *vm, int op, int size, uint64_t addr, uint64_t val);

/* One KVM_RUN: 0 or -errno. */
int run_once(struct vcpu *v);
/* If the guest gave up, pass on why. */
void check_guest(struct vcpu *v);
/* KVM_RUN, which must give this exit reason; the guest's own failure reports fail the test. */
void run_exit(struct vcpu *v, uint32_t reason);
/* Run, serving GPA_MMIO from vm->mmio, until the guest reaches stage @n, or until it is done. */
void run_sync(struct vcpu *v, uint32_t n);
void run_done(struct vcpu *v);
/* The guest is stopped at this port access; returns the address of its data. */
void *expect_io(struct vcpu *v, int write, int size, uint16_t port);
/* Serve an access to GPA_MMIO from vm->mmio; false if the exit is something else. */
bool serve_mmio(struct vcpu *v);

/* Run @v in a thread of its own until it is done; stages are passed over. */
void thread_start(struct vcpu *v);
void thread_join(struct vcpu *v);

uint64_t get_msr(struct vcpu *v, uint32_t msr);
void set_msr(struct vcpu *v, uint32_t msr, uint64_t val);
/* The named counter of a KVM_GET_STATS_FD file, or -1. */
int64_t stat_of(int fd, const char *name);
void irq_line(struct vm *vm, uint32_t gsi, int level);
int signal_msi(struct vm *vm, uint32_t addr, uint32_t data);

uint64_t now_ns(void);
void sleep_ms(int ms);
/* Wait until *p, which a guest or a thread writes, is no longer @val; after 20 s that counts as failed. */
void wait_while(volatile uint64_t *p, uint64_t val);
void pin(int cpu);			/* this thread, to the n-th CPU it may use */
int cpus_usable(void);

#endif
