/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shim's own structures, which all rooms share: one VM per KVM_CREATE_VM,
 * one vCPU per KVM_CREATE_VCPU.
 *
 * Lock order, outermost first:
 *   vcpu->mutex, vm->lock, vm->rules_lock, vm->slots_lock, vm->bus_lock, vm->donate_lock,
 *   vm->memfd_lock, vm->mmu_lock (spinlock; hypercalls are made under it).
 * vm->xen->lock is below vcpu->mutex, and vm->xen->clock_lock below all mutexes.
 * vm->srcu protects what KVM_RUN reads: memslots and buses.  Writers
 * synchronise after publishing, before what they replaced is freed.
 */
#ifndef BEDPLATE_SHIM_H
#define BEDPLATE_SHIM_H

#include <linux/atomic.h>
#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rbtree_types.h>
#include <linux/rcuwait.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/signal_types.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../compat/kvm-abi/channel.h"

#define BP_PIO_PAGE_OFFSET	1	/* pages into the vCPU's mmap */
#define BP_COALESCED_OFFSET	2
#define BP_VCPU_MMAP_PAGES	3
#define BP_WEIGHT_ONE		100
#define BP_WEIGHT_MAX		10000
#define BP_MAX_VCPU_ID		4096	/* exclusive; from 255 on an x2APIC alone has them */

struct bp_vm;
struct bp_vcpu;
struct bp_io_device;
struct bp_msr_filter;
struct bp_irq;			/* irqchip/irqchip.h */
struct emul_ctx;		/* emul/ */
struct bp_hv;			/* hyperv/ */
struct bp_hv_vcpu;
struct bp_xen;			/* xen/ */
struct bp_xen_vcpu;
struct bp_nest;			/* nested/ */

enum bp_bus_id { BP_BUS_PIO, BP_BUS_MMIO, BP_NR_BUSES };

/* ---- VM ---- */

struct bp_vm {
	u32 dom;		/* Bedplate's id of the domain; constant */
	pid_t owner;		/* the process that made it, for people; constant, */
	char comm[TASK_COMM_LEN]; /* and its name then */
	u32 weight;		/* its vCPUs' share of a CPU is that of their threads * this / 100 */
	struct mm_struct *mm;	/* of the creator; only it may use the fds */
	refcount_t refs;	/* VM fd, vCPU fds, statistics', guest_memfds */
	bool dead;		/* the mm is gone */

	struct mutex lock;	/* creation of vCPUs and of the irqchip */
	struct srcu_struct srcu;

	/*
	 * vCPUs by Bedplate's index: bp_vcpu_at().  Added under ->lock, never removed before
	 * the VM goes; readers use READ_ONCE(nr_vcpus) and need no lock.
	 */
	struct xarray vcpus;
	unsigned int nr_vcpus;
	u32 boot_cpu_id;
	u32 tsc_khz;		/* KVM_SET_TSC_KHZ; 0: the machine's */
	s64 halt_poll_max;	/* KVM_CAP_HALT_POLL's, ns; -1: the parameter's */
	u32 max_vcpu_id;	/* exclusive; 0: BP_MAX_VCPU_ID; ->lock */
	bool has_private;	/* a KVM_X86_SW_PROTECTED_VM; constant */
	bool has_vfio;		/* a device of files/vfio.c; ->lock */
	bool noncoherent;	/* a device's DMA goes past the CPU's caches */

	/* Buses: arrays published under ->srcu; writers hold ->bus_lock. */
	struct mutex bus_lock;
	struct bp_io_bus __rcu *buses[BP_NR_BUSES];

	struct bp_hv *hv;	/* Hyper-V's interface; constant */
	struct bp_xen *xen;	/* Xen's; constant */
	u32 apic_bus_ns;	/* a tick of the APIC timers' clock; 0: 1 */
	struct bp_irq *irq;	/* PIC, IOAPIC, PIT, routing, irqfds; constant */

	/* Memslots: readers under ->srcu; writers hold ->slots_lock. */
	struct mutex slots_lock;
	struct maple_tree slots; /* by gfn, disjoint */
	struct xarray slot_ids;	/* readers too under ->slots_lock */
	u64 manual_dirty;	/* KVM_DIRTY_LOG_*; ->slots_lock */
	u32 dirty_ring_bytes;	/* of each vCPU; 0: none.  Set once, under ->lock */
	bool apic_page;		/* vCPUs have one: no slot there; ->slots_lock */
	struct mutex memfd_lock; /* which guest_memfd's pages slots have: memory/guest_memfd.c */
	struct maple_tree private; /* ranges of private frames; writers hold ->slots_lock */
	struct mmu_notifier notifier;
	rwlock_t hva_lock;	/* a leaf, for the next two */
	struct rb_root_cached hva_tree; /* the slots, by hva */
	struct bp_memslot *slot_going;	/* not in ->slots any more, and not zapped yet */
	spinlock_t mmu_lock;	/* below: */
	unsigned long mmu_seq;
	unsigned long mmu_in_progress;
	unsigned long mmu_start, mmu_end; /* hva range under invalidation */
	struct page *map_page;	/* list of BP_HC_MAP, and what other calls are given or give */
	struct xarray marks;	/* gfns with a BP_MAP_MMIO mark */
	unsigned int nr_marks;

	/* memory/nx.c; regions are under ->mmu_lock */
	struct {
		struct list_head vms;
		bool off;	/* set before the first vCPU, under ->lock */
		struct list_head regions; /* oldest first */
		struct xarray by_place;	/* the same */
		unsigned long nr_regions;
		struct delayed_work work;
	} nx;

	atomic64_t lock_turn;	/* running/bus_lock.c: no bus lock of the guest's before, in ns */

	struct mutex donate_lock;
	struct page *list_page;	/* list of DONATE and RECLAIM */
	struct list_head donated;
	unsigned int nr_donated;

	struct xarray ioeventfds; /* by id; readers under RCU */
	u32 next_ioeventfd;
	struct mutex ioeventfd_lock;

	/* What vCPUs do otherwise than by default: running/rules.c */
	struct mutex rules_lock;	/* writers of these: */
	struct bp_msr_filter __rcu *msr_filter;	/* readers under ->srcu */
	u32 msr_to_user;	/* KVM_MSR_EXIT_REASON_* */
	u64 quirks_off;		/* KVM_X86_QUIRK_* */
	bool exit_on_failure;	/* KVM_CAP_EXIT_ON_EMULATION_FAILURE */
	bool triple_fault_event; /* KVM_CAP_X86_TRIPLE_FAULT_EVENT */
	u32 rules;		/* BP_RULE_*, those that are switched alone */
	atomic_t rules_gen;	/* grows with each change */
	wait_queue_head_t rules_wait;

	struct page *coalesced_page;
	spinlock_t coalesced_lock; /* the ring's producer side */
	struct list_head coalesced_zones; /* under ->slots_lock */
};

/* ---- vCPU ---- */

/* How to finish, at the next KVM_RUN, what user space was asked to do. */
enum bp_pending {
	BP_PENDING_NONE,
	BP_PENDING_PIO,		/* one IN or OUT, ->io */
	BP_PENDING_MMIO,	/* a decoded MOV, ->npf */
	BP_PENDING_EMUL,	/* emul_resume() */
	BP_PENDING_MSR,		/* RDMSR or WRMSR, ->msr */
	BP_PENDING_HV,		/* a hypercall of Hyper-V's */
	BP_PENDING_SYNDBG,	/* its debugger: the status */
	BP_PENDING_HYPERCALL,	/* KVM_EXIT_HYPERCALL */
	BP_PENDING_XEN,		/* a hypercall of Xen's */
};

/* Written by the vCPU's thread, read by anybody. */
struct bp_vcpu_stats {
	u64 service_exits;	/* RUN has returned: */
	u64 irq_exits;		/* for an interrupt of Linux's */
	u64 halt_exits;		/* the vCPU blocks */
	u64 io_exits;
	u64 pf_taken;		/* nested page faults, */
	u64 mmio_exits;		/* those of them without memory */
	u64 signal_exits;	/* KVM_RUN ended with -EINTR */
	u64 irq_window_exits;	/* KVM_EXIT_IRQ_WINDOW_OPEN */
	u64 insn_emulation;	/* instructions, or parts of them, emulated here */
};

struct bp_vcpu {
	struct bp_vm *vm;
	u32 index;		/* in Bedplate */
	u32 id;			/* KVM's vCPU id = APIC id */

	struct mutex mutex;	/* held by every ioctl; the rest of the struct */
	struct kvm_run *run;
	struct page *run_page, *pio_page;
	struct bp_vcpu_page *page; /* shared with Bedplate */
	void *state;		/* the state frame, shared with Bedplate */

	bool has_run;		/* entered once: its CPUID stands */
	u64 settled;		/* ->posted of the page, as KVM_RUN has last seen to it */
	bool runnable;		/* Bedplate may be running it: PAUSE first */
	enum bp_pending pending;
	u64 pending_rip;	/* of the instruction that waits */
	struct bp_exit_io io;
	struct bp_exit_npf npf;
	struct bp_exit_msr msr;
	struct emul_ctx *emul;	/* allocated at first use */

	/* The thread's waits for a CPU: vcpu_run.c */
	const struct task_struct *runner;
	u64 run_delay;		/* of that thread, ns, as told or at KVM_RUN's end */

	bool fault_private;	/* the last bp_fault() was about private memory */

	bool in_run;		/* in KVM_RUN; read without ->mutex */
	int run_cpu;		/* Linux's, where RUN may be under way, or -1; likewise */
	int last_cpu;		/* Linux's, of the last RUN */
	u32 rules;		/* BP_RULE_* of this vCPU alone */
	u32 rules_gen;		/* of the rules that Bedplate has */

	bool sigset_active;
	sigset_t sigset;
	u32 sched_weight;	/* last told to Bedplate */

	struct bp_hv_vcpu *hv;	/* Hyper-V's interface; constant */
	struct bp_nest *nest;	/* SVM of the guest's own, once CPUID had it */
	unsigned long hv_work;	/* HV_WORK_*: before the next RUN; set by anybody */
	struct bp_xen_vcpu *xen; /* Xen's; constant */
	unsigned long xen_work;	/* XEN_WORK_*, likewise */
	struct bp_vcpu_stats stats;

	/* memory/dirty_ring.c */
	struct bp_dirty_ring {
		struct kvm_dirty_gfn *gfns; /* shared with user space; NULL: none */
		u32 size;	/* entries, a power of two */
		u32 dirty;	/* next to be filled, by the vCPU's thread */
		u32 reset;	/* next to be emptied, under vm->slots_lock */
	} dirty_ring;

	/* KVM_SET_GUEST_DEBUG: running/debug.c */
	struct {
		u32 control;	/* KVM_GUESTDBG_*; 0: off */
		u64 dr7;	/* that the CPU has, with the VMM's or the guest's own */
		u64 db[4];
		struct kvm_debugregs own; /* the guest's, while the CPU has others */
		u64 step_rip;	/* linear: registers set there step from there */
		bool events_set; /* by KVM_SET_VCPU_EVENTS, and not run yet */
	} debug;

	/* System Management Mode: running/smm.c */
	struct {
		bool in;
		bool inside_nmi; /* NMIs were blocked before, too */
		u64 base;	/* IA32_SMBASE */
		u64 count;	/* MSR_SMI_COUNT */
	} smm;

	/* Asynchronous page faults: running/apf.c */
	struct {
		u64 enable;	/* MSR_KVM_ASYNC_PF_EN */
		u8 vector;	/* MSR_KVM_ASYNC_PF_INT */
		u8 inits;	/* page->inits, as seen */
		u32 features;	/* of CPUID leaf 40000001 */
		u32 tokens;	/* given out */
		unsigned int nr_waits;
		struct list_head waits;
		bool wake_all;	/* the guest is to be told to look for all it waits for */
		bool halted;	/* here, at halt_rip, and not by HLT */
		u64 halt_rip;
		bool look;	/* before the next RUN; set by anybody */
	} apf;

	/* With the PIC in user space: running/extint.c */
	int extint;		/* vector of KVM_INTERRUPT, or -1 */
	bool intr;		/* level of INTR as Bedplate knows it */

	struct rcuwait wait;	/* the thread, while the vCPU is blocked */
	bool service;		/* set by the ring's handler */
};

/* Each of KVM_X86_QUIRK_* is there until it is switched off. */
static inline bool bp_has_quirk(const struct bp_vm *vm, u64 quirk)
{
	return !(READ_ONCE(vm->quirks_off) & quirk);
}

/*
 * The VM's address space is as KVM numbers it: the first but in SMM.  Frame numbers of the
 * second have BP_GFN_SMM, with Bedplate and in memslots alike.
 */
#define BP_ADDRESS_SPACES	2
#define BP_GPA_SMM		(BP_GFN_SMM << PAGE_SHIFT)

/* With private memory there is nothing in the second.  @vm may be NULL: the most. */
static inline u32 bp_address_spaces(const struct bp_vm *vm)
{
	return vm && vm->has_private ? 1 : BP_ADDRESS_SPACES;
}

/* Which of the two the vCPU is in: that bit of an address, or 0. */
static inline u64 bp_vcpu_space(const struct bp_vcpu *vcpu)
{
	return vcpu->smm.in ? BP_GPA_SMM : 0;
}

/* @index < vm->nr_vcpus. */
static inline struct bp_vcpu *bp_vcpu_at(struct bp_vm *vm, unsigned int index)
{
	return xa_load(&vm->vcpus, index);
}

/* ---- files/vm.c: who keeps a VM holds it; the last put ends it ---- */
void bp_vm_get(struct bp_vm *vm);
void bp_vm_put(struct bp_vm *vm);

static inline bool bp_vm_usable(const struct bp_vm *vm)
{
	return vm->mm == current->mm && !READ_ONCE(vm->dead);
}

#endif
