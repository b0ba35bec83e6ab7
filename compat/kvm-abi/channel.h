/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The channel between Bedplate and the shim in the service VM.
 *
 * One header, compiled by both sides.  It states every hypercall, every
 * shared structure and every exit, with channel_nested.h for guests that are
 * hypervisors.  Layouts are fixed-width and asserted at the end of this file;
 * any change of meaning raises BP_CHANNEL_VERSION, and the shim refuses to load
 * on another version.  docs/channel.md tells the protocol as a story; this file
 * is the contract.
 *
 * Trust: Bedplate believes nothing that it reads from here.  Every shared
 * word may be changed by the service VM at any moment, so Bedplate reads each
 * once into private memory, checks it, and uses the copy.
 */
#ifndef BEDPLATE_CHANNEL_H
#define BEDPLATE_CHANNEL_H

#include <linux/types.h>
#include <linux/kvm.h>
#include "channel_nested.h"

#define BP_CHANNEL_VERSION	10

/*
 * Discovery.  CPUID leaf BP_CPUID_BASE: EAX = highest leaf of the range,
 * EBX/ECX/EDX = "BedplateHV" padded with two zero bytes.
 * Leaf BP_CPUID_BASE + 1: EAX = BP_CHANNEL_VERSION, EBX = number of physical
 * CPUs, ECX = EDX = 0.
 */
#define BP_CPUID_BASE		0x40000100u
#define BP_CPUID_VERSION	0x40000101u
#define BP_SIGNATURE		"BedplateHV\0\0"

/*
 * Hypercalls: VMMCALL (AMD) or VMCALL (Intel) from CPL 0 of domain 0.
 *   RAX = BP_HC_BASE | number, arguments in RBX, RCX, RDX, RSI.
 *   RAX = result: >= 0 success, < 0 a negated Linux errno.
 * All other registers are preserved, but for what RUN changes in its page.
 * Unknown numbers give -ENOSYS, a caller other than domain 0 or CPL != 0
 * gets -EPERM.  Every frame number is that of a 4 KiB frame (GPA >> 12 of
 * domain 0, which equals the machine's).  No call sleeps; long work is cut
 * into pieces, and the result says how much of it was done.
 */
#define BP_HC_BASE		0x42500000u

enum bp_hypercall {
	/*
	 * RING(ring_pfn, vector): give the calling CPU its event ring: one frame of
	 * domain 0 that holds struct bp_ring; events raise vector (32..255), or,
	 * if it is 0, BP_UPCALL_VECTOR; ring_pfn = 0 takes it back, and
	 * so does an INIT of the CPU.  It replaces the ring that the CPU has,
	 * whose frame is free then; the new one begins with ->overflow and an
	 * upcall, as events may have gone to the old.  Result: the CPU's number, from 0.
	 * -EINVAL bad frame or vector: the CPU's ring is as before.
	 */
	BP_HC_RING = 1,
	/*
	 * DOMAIN_CREATE(list_pfn, n, cookie, kind): make a guest domain (kind 0), or
	 * an address space for devices (BP_DOMAIN_IO), which has no vCPUs; the n
	 * (BP_DOMAIN_MIN_FRAMES..BP_LIST_MAX) frames listed in the frame
	 * list_pfn (an array of __u64 frame numbers) are donated to it.
	 * Result: domain id (> 0).  A donated frame vanishes from domain 0's
	 * memory until RECLAIM gives it back, zeroed.
	 * -EINVAL a frame is not domain 0's, is mapped or listed twice
	 * (nothing was taken), or an unknown kind, -ENOMEM no room in Bedplate's own
	 * pool, -EOPNOTSUPP kind BP_DOMAIN_IO without an IOMMU.
	 */
	BP_HC_DOMAIN_CREATE = 2,
	/* DONATE(dom, list_pfn, n): more frames for the domain; as above. */
	BP_HC_DONATE = 3,
	/*
	 * DOMAIN_DESTROY(dom): stop its vCPUs, drop its mappings.  Result: 0
	 * when nothing is left but frames to reclaim, 1 = call again (the
	 * work is cut into pieces).  Idempotent.  -EBUSY devices translate by it.
	 */
	BP_HC_DOMAIN_DESTROY = 4,
	/*
	 * RECLAIM(dom, list_pfn, max): after DOMAIN_DESTROY returned 0: give
	 * back up to max (<= BP_LIST_MAX) frames; their numbers are written
	 * into the frame list_pfn.  Result: how many; 0 = none is left and
	 * the id is free again.
	 */
	BP_HC_RECLAIM = 5,
	/*
	 * VCPU_CREATE(dom, apic_id, page_pfn, state_pfn): make a stopped vCPU
	 * in reset state.  page_pfn holds struct bp_vcpu_page, state_pfn is
	 * the buffer of GET and SET; both stay referenced until the domain is
	 * destroyed.  Result: vCPU index in the domain (0, 1, ...).
	 * -EEXIST apic_id in use, -ENOMEM donate more frames and call again,
	 * -E2BIG too many vCPUs.
	 */
	BP_HC_VCPU_CREATE = 6,
	/*
	 * RUN(dom, vcpu): donate the calling CPU to the vCPU until it needs
	 * service or an interrupt is pending for the caller, whatever the
	 * caller's RFLAGS.IF says.  Reads ->run_flags and what it names from
	 * the page first.  Result: enum bp_exit, details in the page.
	 * On BP_EXIT_INTR the vCPU stays runnable and goes on under
	 * Bedplate's scheduler; only PAUSE stops it.
	 * -EBUSY another CPU is in RUN or PAUSE for this vCPU.
	 */
	BP_HC_RUN = 7,
	/*
	 * PAUSE(dom, vcpu): when it returns 0, the vCPU runs nowhere, is
	 * stopped, and its registers are in ->regs.  An exit that RUN has
	 * not reported yet is dropped: its instruction starts anew (a
	 * SHUTDOWN is kept and reported by the next RUN).
	 */
	BP_HC_PAUSE = 8,
	/*
	 * VCPU_GET(dom, vcpu, class, len) and VCPU_SET(...): read or write
	 * one class of state (enum bp_state) through the vCPU's state frame.
	 * The vCPU must be stopped: -EBUSY.  Result of GET: bytes written;
	 * of SET: 0, but for MSRs: the number of entries done before the
	 * first refused one, as KVM_GET_MSRS/KVM_SET_MSRS count.
	 * -EINVAL unknown class, bad length or invalid state (unchanged).
	 */
	BP_HC_VCPU_GET = 9,
	BP_HC_VCPU_SET = 10,
	/*
	 * MAP(dom, list_pfn, n): establish n (<= BP_MAP_MAX) mappings, from
	 * the array of struct bp_map in the frame list_pfn.  A frame that is
	 * no RAM is a device's: uncached, or write-combining if the guest's
	 * PAT asks for it; Bedplate reads and writes nothing there for the
	 * guest.  Result: how many were done; if the first could not be done,
	 * its error:
	 * -ENOMEM donate more, -EPERM a frame that domain 0 does not own, or
	 * cannot reach itself, -EINVAL misaligned or reserved bits, -EEXIST
	 * something else is mapped.
	 */
	BP_HC_MAP = 11,
	/*
	 * UNMAP(dom, gfn, npages): remove mappings (and MMIO marks) and
	 * return only when no vCPU can use them any more.  Result: pages
	 * done (> 0, may be fewer than asked for: call again).
	 */
	BP_HC_UNMAP = 12,
	/*
	 * MSI(dom, address, data): deliver an interrupt message to the
	 * domain's local APICs (32-bit data, address as on the bus, with
	 * bits 63:40 = destination ID 31:8 if X2APIC_API's 32-bit IDs are
	 * used; and with BP_MSI_EXACT, by which the ID 0xff is no broadcast to
	 * those in x2APIC mode).  Any time.  Result: number of APICs that accepted it; 0 =
	 * none; -EINVAL reserved delivery mode; -ENOENT a broadcast that nobody is
	 * there for, or there is no vCPU at all.
	 */
	BP_HC_MSI = 13,
	/*
	 * EXTINT(dom, vcpu, level): the INTR line of the PIC, wired to LINT0; with
	 * BP_EXTINT_DIRECT another one, wired to the CPU itself.  Any time.  level is
	 * BP_EXTINT_HIGH or 0.  When the vCPU can take it, RUN ends with BP_EXIT_EXTINT,
	 * and the shim answers with a vector in BP_RUN_INJECT, or lowers the line.
	 * -EINVAL unknown bits.
	 */
	BP_HC_EXTINT = 14,
	/* NMI(dom, vcpu): latch an NMI (LINT1 wired NMI).  Any time. */
	BP_HC_NMI = 15,
	/*
	 * IOEVENTFD(dom, list_pfn): add or remove (struct bp_ioeventfd in
	 * frame list_pfn).  -EEXIST, -ENOENT, -ENOMEM, -EINVAL, -ENOSPC too many.
	 */
	BP_HC_IOEVENTFD = 16,
	/*
	 * LAPIC_ACCESS(dom, vcpu, offset | BP_LAPIC_WRITE, value): a register
	 * access by the shim's instruction emulator for a vCPU that is
	 * stopped in an exit.  Result: the value read, or 0.  ICR has 64 bits in
	 * x2APIC mode.
	 */
	BP_HC_LAPIC_ACCESS = 17,
	/*
	 * DOMAIN_GET(dom, class, pfn) / DOMAIN_SET: enum bp_domain_state
	 * through the frame pfn.  dom = 0 for machine-wide classes.
	 */
	BP_HC_DOMAIN_GET = 18,
	BP_HC_DOMAIN_SET = 19,
	/*
	 * LOG_READ(pos, pfn, which): copy log text from position pos on into the
	 * frame (struct bp_log).  Of the last boot (which = BP_LOG_LAST) there
	 * may be none.  Result 0.
	 */
	BP_HC_LOG_READ = 20,
	/*
	 * VCPU_SCHED(dom, vcpu, weight): weight 1..10000 (100 = one share, as
	 * cgroup2's cpu.weight).  Any time.
	 */
	BP_HC_VCPU_SCHED = 21,
	/*
	 * FLUSH_TLB(dom): no vCPU uses a translation of before the call, of
	 * the guest's own tables either.  Any time.
	 */
	BP_HC_FLUSH_TLB = 22,
	/*
	 * PROTECT(dom, gfn, npages, flags): take the right to write from the
	 * mappings there, until MAP adds it again.  Large ones lose it as a whole;
	 * with BP_PROTECT_SPLIT they are made into 4 KiB ones first.  With
	 * BP_PROTECT_LOG a 4 KiB mapping that loses the right gets it back at the
	 * next write, which is noted in the ->log of the vCPU's page before.  A vCPU
	 * may still write by what it has cached, until FLUSH_TLB.  Result:
	 * pages done (> 0, may be fewer than asked for: call again).
	 * -ENOMEM donate more: no mapping has changed what it allows; -EBUSY
	 * a frame is mapped too often to be split from the others.
	 */
	BP_HC_PROTECT = 23,
	/*
	 * IO_ATTACH(dom, device): from the return on the PCI function, (segment << 16 |
	 * bus << 8 | devfn), reads and writes memory by the mappings of the I/O domain;
	 * dom = 0: what domain 0 owns, by its own addresses, as at the start;
	 * BP_IO_BLOCKED: nothing. No access by what it had before is under way then.
	 * In an I/O domain MAP takes orders up to IO_INFO's, and no MMIO marks, and there is no PROTECT; UNMAP
	 * returns when no device can use the mappings.
	 * -ENODEV the function is behind no unit, or is one, -ENOENT no such domain,
	 * -EINVAL it is no I/O domain or ends, -ENOMEM, -ENOSPC the units cannot tell so
	 * many domains apart, -EOPNOTSUPP no IOMMU.
	 */
	BP_HC_IO_ATTACH = 24,
	/* IO_INFO(): bits BP_IO_*; -EOPNOTSUPP: no IOMMU is driven, devices reach all memory. */
	BP_HC_IO_INFO = 25,
	/* ENDING(how): domain 0 is about to end like this (BP_ENDING_*), for the log. */
	BP_HC_ENDING = 26,
	/*
	 * VCPU_COUNTERS(dom, vcpu, pfn): write struct bp_vcpu_counters into the frame pfn;
	 * dom = 0: of the service VM's vCPU on that CPU.  Any time; the vCPU goes on, so two
	 * counters may be of different moments.  Result: 0; -EINVAL bad frame.
	 */
	BP_HC_VCPU_COUNTERS = 27,
};

#define BP_LOG_LAST		1u

#define BP_ENDING_RESTART	0u
#define BP_ENDING_OFF		1u
#define BP_ENDING_PANIC		2u
#define BP_ENDING_NOT		3u	/* another kernel has come in its place */

#define BP_DOMAIN_IO		1u
#define BP_IO_BLOCKED		0xffffffffu

#define BP_IO_CONFINED		0x1u	/* devices reach what their domain owns */
#define BP_IO_REMAPPED		0x2u	/* and send the interrupts that they were given */
#define BP_IO_COHERENT		0x4u	/* their accesses always snoop the CPUs' caches */
#define BP_IO_ORDER_SHIFT	8	/* bits 15:8: largest mapping's order */

/*
 * A guest domain has two address spaces: that of its vCPUs in System Management Mode is
 * named by this bit in the frame numbers of MAP, UNMAP and PROTECT.  A range lies in one
 * of them.
 */
#define BP_GFN_SMM		(1ull << 51)
#define BP_GFN_BITS		36	/* without that, all are below 1 << this: else -EINVAL */

#define BP_LIST_MAX		512	/* frame numbers in one frame */
#define BP_DOMAIN_MIN_FRAMES	16
#define BP_MAX_VCPUS		1024	/* in one domain */
#define BP_LAPIC_WRITE		0x10000u
#define BP_PROTECT_SPLIT	0x1u
#define BP_PROTECT_LOG		0x2u
#define BP_EXTINT_HIGH		0x1u
#define BP_EXTINT_DIRECT	0x2u
#define BP_MSI_EXACT		0x100000000ull

/* Why RUN returned. */
enum bp_exit {
	BP_EXIT_INTR = 1,	/* interrupt for the caller; vCPU runnable */
	BP_EXIT_BLOCKED = 2,	/* halted or waiting for SIPI: sleep until an
				 * event BP_EV_SERVICE names the vCPU */
	BP_EXIT_IO = 3,		/* ->io */
	BP_EXIT_NPF = 4,	/* ->npf: nothing mapped, or write-protected */
	BP_EXIT_SHUTDOWN = 5,	/* triple fault */
	BP_EXIT_FAIL_ENTRY = 6,	/* ->fail */
	BP_EXIT_INTERNAL = 7,	/* ->internal */
	BP_EXIT_EXTINT = 8,	/* answer with BP_RUN_INJECT or lower the line */
	BP_EXIT_IOAPIC_EOI = 9,	/* ->eoi: EOI of a level-triggered vector */
	BP_EXIT_PAUSED = 10,	/* another thread PAUSEd the vCPU meanwhile; or the vCPU has
				 * put an event into the ring.  Call RUN again */
	BP_EXIT_TASK_SWITCH = 11, /* ->task: make it, or raise what it raises */
	BP_EXIT_MCE = 13,	/* the CPU had a machine check in the vCPU: Linux's to handle,
				 * on this CPU and at once */
	BP_EXIT_SMI = 12,	/* an SMI is pending and can be taken: BP_STATE_SMM */
	BP_EXIT_MSR = 24,	/* ->msr: RDMSR or WRMSR that the rules are about */
	BP_EXIT_UNDEFINED = 25,	/* #UD at RIP, not raised: see BP_RULE_UNDEFINED */
	BP_EXIT_DEBUG = 26,	/* ->debug, not raised: see BP_RULE_DEBUG, BP_RULE_BREAK */
	BP_EXIT_MOV_DR = 27,	/* MOV of a debug register at RIP, not done: BP_RULE_DEBUG */
	BP_EXIT_HYPERCALL = 28,	/* VMCALL or VMMCALL at RIP, not done: BP_RULE_HYPERCALL,
				 * BP_RULE_MAP_GPA */
	BP_EXIT_BUS_LOCK = 29,	/* the vCPU makes bus locks: let it wait before the next RUN */
	BP_EXIT_NESTED = 30,	/* ->nested, not done and not raised: see struct bp_nested */
};

struct bp_exit_io {
	__u16 port;
	__u8 size;		/* 1, 2, 4 */
	__u8 in;		/* 1 = IN */
	__u8 string;		/* INS/OUTS: decode the instruction at RIP */
	__u8 insn_len;		/* add to RIP when the access is done (not string) */
	__u16 pad;
	__u32 data;		/* OUT: the value, zero-extended */
};

#define BP_NPF_WRITE		0x1u
#define BP_NPF_EXEC		0x2u
#define BP_NPF_PRESENT		0x4u	/* mapped, but protected */
#define BP_NPF_MARKED		0x8u	/* the page has a BP_MAP_MMIO mark */
#define BP_NPF_DECODED		0x10u	/* ->insn_len, ->size, ->data, ->reg hold */
#define BP_NPF_HV		0x20u	/* Bedplate itself needs the page (PV data):
					 * map it, or mark it, and RUN again */
#define BP_NPF_PT		0x40u	/* access by the guest's page-table walk */
#define BP_NPF_EVENT		0x80u	/* in the midst of an event's delivery: map it and
					 * RUN again; with no memory there, the guest ends */

/*
 * With BP_NPF_DECODED the access was a plain MOV/MOVZX/MOVSX of 1, 2, 4 or 8
 * bytes: for a write ->data is the value; for a read the shim stores the
 * value into register ->reg as ->reg_size and ->sign_extend say (x86 rules: a
 * 4-byte register write clears the upper half; reg_size 1 with ->high_byte
 * writes bits 15:8), then adds ->insn_len to RIP.
 */
struct bp_exit_npf {
	__u64 gpa;		/* in the address space that the vCPU is in */
	__u32 flags;
	__u8 insn_len;
	__u8 size;
	__u8 reg;		/* x86 encoding, 0 = RAX ... 15 = R15 */
	__u8 reg_size;
	__u8 sign_extend;
	__u8 high_byte;
	__u8 pad[6];
	__u64 data;
};

struct bp_exit_fail {
	__u64 reason;		/* hardware's own failure code */
};

struct bp_exit_internal {
	__u32 suberror;		/* KVM_INTERNAL_ERROR_* */
	__u32 ndata;
	__u64 data[4];
};

struct bp_exit_eoi {
	__u8 vector;
	__u8 pad[7];
};

/*
 * A task switch that the CPU leaves to software (Intel's do; SDM vol. 3, 26.4.2),
 * after the checks that it makes itself.  RIP is at the instruction.  The event
 * whose delivery led to it is in BP_STATE_EVENTS until it is set otherwise.
 */
struct bp_exit_task {
	__u16 selector;		/* of the new TSS */
	__u8 source;		/* 0 CALL, 1 IRET, 2 JMP, 3 a gate in the IDT */
	__u8 event;		/* by a gate: 0 INT n and the like, 1 interrupt,
				 * 2 NMI, 3 exception */
	__u8 insn_len;		/* of the instruction; 0 with an event */
	__u8 pdptes_known;	/* ->pdpte: PAE's top entries, as the CPU has them */
	__u8 vector;		/* of the event */
	__u8 pad;
	__u64 pdpte[4];
};

/*
 * RDMSR or WRMSR at RIP, not done yet.  The shim makes it (registers, and RIP past
 * ->insn_len), raises an exception, or has it made by BP_RUN_MSR.
 */
struct bp_exit_msr {
	__u32 index;
	__u8 write;
	__u8 insn_len;
	__u8 why;		/* BP_MSR_* */
	__u8 pad;
	__u64 data;		/* of WRMSR */
};
#define BP_MSR_RULE		0	/* it is in a range of the rules */
#define BP_MSR_UNKNOWN		1	/* it would raise #GP: no such MSR */
#define BP_MSR_INVALID		2	/* it would raise #GP: not this value, not now */

/* RIP is where the exception's handler would return to, but at an INT3 itself. */
struct bp_exit_debug {
	__u64 dr6;		/* #DB: the bits that tell what happened */
	__u8 vector;		/* 1 = #DB, 3 = #BP */
	__u8 pad[7];
};

/* ->run_flags, written by the shim before RUN, cleared by Bedplate. */
#define BP_RUN_SET_REGS		0x1u	/* load ->regs */
#define BP_RUN_INJECT		0x2u	/* external interrupt ->inject_vector */
#define BP_RUN_EXCEPTION	0x4u	/* exception ->exc_*, from the emulator: as if met
					 * by the event that is to be delivered, if any */
#define BP_RUN_INSN_DONE	0x8u	/* an instruction was emulated: end the
					 * STI and MOV SS shadow */
#define BP_RUN_STOLEN		0x20u	/* the thread has waited ->stolen_ns for a CPU
					 * since the last RUN: the guest lost as much */
#define BP_RUN_WANT_SREGS	0x10u	/* sticky: fill ->sregs on IO(string) and
					 * NPF exits (Bedplate does not clear it) */

#define BP_RUN_MSR		0x1000u	/* make the access of the MSR exit, whatever
					 * range it is in */

#define BP_POLL_MAX_NS		1000000u	/* of ->poll_ns */

#define BP_LOG_SLOTS		256	/* a power of two */

/* The page that the vCPU's thread and Bedplate share.  4 KiB. */
struct bp_vcpu_page {
	/* shim -> Bedplate, read at RUN */
	__u32 run_flags;
	__u8 inject_vector;
	__u8 exc_vector;
	__u8 exc_has_error;
	__u8 pad0;
	__u32 exc_error;
	__u32 stolen_ns;
	__u64 exc_cr2;		/* loaded into CR2 when exc_vector is 14 */
	__u32 poll_ns;		/* read at HLT: it may keep the CPU for so long, in hope of an
				 * event, while nobody else wants it; more than
				 * BP_POLL_MAX_NS counts as that */
	__u8 poll_in_run;	/* also while its thread is in RUN */
	__u8 pad1[3];

	/* Bedplate -> shim, written when RUN or PAUSE returns */
	__u32 exit;		/* enum bp_exit */
	__u8 if_flag;		/* for kvm_run.if_flag */
	__u8 ready_for_irq;	/* for kvm_run.ready_for_interrupt_injection */
	__u8 mp_state;		/* KVM_MP_STATE_* */
	__u8 inits;		/* grows with each INIT that the vCPU takes */
	__u64 cr8;
	__u64 apic_base;
	__u64 posted;		/* by this vCPU last, as an event: BP_POSTED(); 0 = never */
	union {
		struct bp_exit_io io;
		struct bp_exit_npf npf;
		struct bp_exit_fail fail;
		struct bp_exit_internal internal;
		struct bp_exit_eoi eoi;
		struct bp_exit_task task;
		struct bp_exit_msr msr;
		struct bp_exit_debug debug;
		struct bp_exit_nested nested;
		__u8 raw[128];
	};
	struct kvm_regs regs;	/* both ways */
	struct kvm_sregs sregs;	/* with BP_RUN_WANT_SREGS */

	/*
	 * Frame numbers that the vCPU has written to after PROTECT with BP_PROTECT_LOG, at any time
	 * while it runs: Bedplate adds at log_head, the shim takes at log_tail, both run freely. When it is
	 * full, or log_tail makes it look so, the write is an ordinary BP_EXIT_NPF.
	 */
	__u32 log_head;
	__u32 log_tail;
	__u64 log[BP_LOG_SLOTS];
};

/*
 * State classes of VCPU_GET and VCPU_SET, with the type in the state frame.
 * What KVM defines keeps KVM's layout and meaning.
 */
enum bp_state {
	BP_STATE_REGS = 1,	/* struct kvm_regs */
	BP_STATE_SREGS = 2,	/* struct kvm_sregs */
	BP_STATE_FPU = 3,	/* struct kvm_fpu */
	BP_STATE_XSAVE = 4,	/* struct kvm_xsave, 4096 bytes */
	BP_STATE_XCRS = 5,	/* struct kvm_xcrs */
	BP_STATE_MSRS = 6,	/* struct kvm_msrs + entries, <= 255 */
	BP_STATE_LAPIC = 7,	/* struct kvm_lapic_state */
	BP_STATE_MP_STATE = 8,	/* struct kvm_mp_state */
	BP_STATE_EVENTS = 9,	/* struct kvm_vcpu_events, with payload and triple
				 * fault; smm_inside_nmi is the shim's.  SET with
				 * smi.smm: -ENOMEM, with nothing changed */
	BP_STATE_DEBUGREGS = 10, /* struct kvm_debugregs */
	BP_STATE_CPUID = 11,	/* struct kvm_cpuid2 + entries, <= 100 */
	BP_STATE_TSC_KHZ = 12,	/* __u32; SET of another value than the
				 * machine's: -EINVAL without TSC scaling */
	BP_STATE_TRANSLATE = 13, /* struct kvm_translation; GET reads
				 * ->linear_address from the frame first */
	BP_STATE_MCE = 14,	/* __u64 mcg_cap, for KVM_X86_SETUP_MCE */
	BP_STATE_RULES = 24,	/* struct bp_rules, SET only */
	BP_STATE_SREGS2 = 25,	/* struct kvm_sregs2; GET: PDPTRs where the CPU has them */
	BP_STATE_TSC_OFFSET = 26, /* __u64: the guest's TSC less the machine's */
	BP_STATE_CLOCK_STOPPED = 27, /* SET only, no data: kvmclock tells the guest once that
				 * it was stopped; -EINVAL without kvmclock */
	BP_STATE_SMM = 28,	/* SET only, __u32: BP_SMM_*.  -ENOMEM */
	BP_STATE_NESTED = 29,	/* struct bp_nested; -EINVAL but on SVM */
};

/*
 * In SMM a vCPU is in the other address space, INIT and SMIs wait, and SIPIs are lost; all
 * else of it (SDM vol. 3, ch. 32) is the shim's.
 */
#define BP_SMM_LEAVE	0
#define BP_SMM_ENTER	1	/* and the pending SMI is taken */
#define BP_SMM_SMI	2	/* make one pending */

/*
 * What the VMM wants otherwise than it is by default.  All 0 at first, and not
 * changed by INIT.  An MSR of the x2APIC may be asked about, too.
 */
struct bp_rules {
	__u32 flags;
	__u32 nranges;
	struct {
		__u32 first, last;
	} msr[16];		/* RDMSR and WRMSR of these: BP_EXIT_MSR */
	__u64 auto_eoi[4];	/* vectors, with BP_RULE_AUTO_EOI */
};
#define BP_RULE_MSR_REFUSED	0x1u	/* BP_EXIT_MSR instead of #GP */
#define BP_RULE_MSR_TRAP	0x2u	/* no MSR is the CPU's own; else ranges have no
					 * effect on some that belong to the vCPU */
#define BP_RULE_NO_PLATFORM_INFO 0x4u	/* MSR_PLATFORM_INFO is not the guest's */
#define BP_RULE_PAYLOAD		0x8u	/* DEBUGREGS without what a pending #DB adds */
#define BP_RULE_UNDEFINED	0x10u	/* BP_EXIT_UNDEFINED instead of #UD that the CPU finds */
#define BP_RULE_MWAIT_UD	0x20u	/* MONITOR and MWAIT: #UD where CPUID has them not, not NOP */
#define BP_RULE_MWAIT_CPUID	0x40u	/* CPUID has them as IA32_MISC_ENABLE says */
#define BP_RULE_LINT0_MASKED	0x80u	/* INIT masks LINT0 of the bootstrap processor, too */
#define BP_RULE_PV_CPUID	0x100u	/* no paravirtual MSR or hypercall but by CPUID */
#define BP_RULE_HLT		0x200u	/* HLT halts the CPU, without an exit */
#define BP_RULE_PAUSE		0x400u	/* PAUSE does not exit */
#define BP_RULE_DEBUG		0x800u	/* #DB and MOV of debug registers are the shim's */
#define BP_RULE_BREAK		0x1000u	/* so is #BP */
#define BP_RULE_HYPERCALL	0x2000u	/* hypercalls are the shim's, from every CPL */
#define BP_RULE_NO_IRQ		0x4000u	/* NMIs and interrupts wait */
#define BP_RULE_AUTO_EOI	0x8000u	/* delivery ends auto_eoi's vectors, so they never
					 * are in service */
#define BP_RULE_MAP_GPA		0x10000u /* KVM_HC_MAP_GPA_RANGE is the shim's, from CPL 0 */
#define BP_RULES		0x1ffffu /* all of them */

enum bp_domain_state {
	BP_DOM_CLOCK = 1,	/* struct kvm_clock_data */
	BP_DOM_STATS = 2,	/* struct bp_domain_stats, GET only */
	BP_DOM_BOOT_CPU = 3,	/* __u32 apic id of the bootstrap processor */
	BP_DOM_APIC_BUS = 4,	/* SET only, before the first vCPU: __u32 ns, of a tick of the
				 * APIC timers' undivided clock; 0 stands for 1 */
	BP_HV_CPUID = 32,	/* GET, dom 0: struct kvm_cpuid2 + entries */
	BP_HV_MSR_LIST = 33,	/* GET, dom 0: struct kvm_msr_list + indices */
	BP_HV_STATS = 34,	/* GET, dom 0: struct bp_hv_stats */
	BP_HV_TSC_KHZ = 35,	/* GET, dom 0: __u32 */
	BP_HV_MSR_FEATURES = 40, /* GET, dom 0: struct kvm_msrs + entries, as the
				  * machine would have them in a guest */
	BP_HV_EXIT_NAMES = 44,	/* GET, dom 0: a line of text for each reason of an exit, in the
				 * order of bp_vcpu_counters; result: bytes */
	BP_HV_LOGLEVEL = 45,	/* SET, dom 0: __u32, 0 errors .. 3 debug: what the log keeps */
};

struct bp_domain_stats {
	__u64 frames;		/* donated and not reclaimed */
	__u64 frames_free;
	__u64 mapped;		/* 4 KiB frames mapped, of domain 0 or of devices */
	__u64 vcpus;
	__u64 exits;
	__u64 service_exits;	/* those that needed the shim */
	__u64 run_ns;		/* time its vCPUs ran */
	__u64 leaves[3];	/* mappings of 4 KiB, 2 MiB, 1 GiB */
	__u64 flushes;		/* of the TLBs that may know its mappings */
};

struct bp_hv_stats {
	__u64 pool_frames;	/* Bedplate's own, fixed at boot */
	__u64 pool_free;
	__u64 donated_frames;	/* by domain 0, all domains */
	__u64 mapped_frames;	/* references to domain 0's frames by guests */
	__u64 shared_frames;	/* rings, vCPU pages and state frames */
	__u64 domains;		/* guests */
	__u64 vcpus;		/* of guests */
	__u64 cpus;
	__u64 image_bytes;	/* Bedplate's image in memory */
	__u64 reserved_bytes;	/* all that domain 0 does not see */
	__u64 tsc_khz;
	__u64 io_faults;	/* accesses and interrupts of devices that were blocked */
	__u64 io_unconfined;	/* devices in PCI segments that firmware names no IOMMU for */
	__u64 mitigations;	/* of speculation, that are made: hv/core/vcpu/speculation.h */
	__u64 mitigations_due;	/* those that the CPU calls for */
	__u64 loglevel;		/* as BP_HV_LOGLEVEL */
};

#define BP_EXIT_COUNTERS	48

enum bp_vcpu_is {
	BP_VCPU_STOPPED = 0,	/* the VMM has it, or it waits for the shim */
	BP_VCPU_RUNNABLE = 1,	/* waits for its CPU */
	BP_VCPU_RUNNING = 2,
	BP_VCPU_HALTED = 3,
	BP_VCPU_INRUN = 4,	/* domain 0's: its CPU is a guest's */
};

struct bp_vcpu_counters {
	__u64 run_ns;		/* it ran */
	__u64 wait_ns;		/* it waited for its CPU, which others had */
	__u64 stolen_ns;	/* its thread waited for a CPU, as BP_RUN_STOLEN has told */
	__u32 cpu;		/* where it ran last */
	__u32 weight;
	__u32 state;		/* enum bp_vcpu_is */
	__u32 nr_exits;		/* how many of these there are: */
	__u64 exits[BP_EXIT_COUNTERS];	/* by reason: BP_HV_EXIT_NAMES */
};

struct bp_map {
	__u64 gfn;
	__u64 pfn;		/* ignored with BP_MAP_MMIO */
	__u32 order;		/* 0 = 4 KiB, 9 = 2 MiB, 18 = 1 GiB */
	__u32 flags;
};
#define BP_MAP_WRITE		0x1u
#define BP_MAP_EXEC		0x2u
#define BP_MAP_MMIO		0x4u	/* no memory: mark as MMIO, so that Bedplate
					 * decodes simple accesses (order 0) */
#define BP_MAP_GUEST_PAT	0x8u	/* the guest's PAT counts, also where EPT could overrule it */
#define BP_MAP_MAX		128

struct bp_ioeventfd {
	__u64 addr;
	__u64 datamatch;
	__u32 len;		/* 0 = any, 1, 2, 4, 8 */
	__u32 flags;
	__u32 id;		/* comes back in the event; unique in the domain */
	__u32 pad;
};
#define BP_IOEVENTFD_PIO	0x1u
#define BP_IOEVENTFD_DATAMATCH	0x2u
#define BP_IOEVENTFD_REMOVE	0x4u	/* matched by id */

/*
 * Event ring: Bedplate adds at head, from any CPU, the shim consumes at tail, on the
 * ring's own; indices run freely, the slot is index % BP_RING_SLOTS.  While a
 * RUN is under way on the CPU, new events end it with BP_EXIT_INTR;
 * otherwise Bedplate raises the upcall's vector in domain 0's local APIC.  When
 * the ring is full, nothing is lost: an ioeventfd write becomes an ordinary IO
 * or NPF exit, and a service event sets ->overflow, upon which the shim
 * looks at every vCPU.
 *
 * An ioeventfd's event may be in the ring of another CPU, whose domain 0 vCPU
 * was halted; ->posted of the vCPU's page names the CPU, as RING numbers them, and the head
 * behind its last one.  As long as tail is not there, all that the vCPU posts goes into the same
 * ring: what KVM_RUN's caller is to find signalled has been when tail is past it.
 */
struct bp_event {
	__u32 type;		/* enum bp_event_type */
	__u32 dom;
	__u32 id;		/* vCPU index or ioeventfd id */
	__u32 pad;
};

enum bp_event_type {
	BP_EV_SERVICE = 1,	/* a vCPU whose RUN ended with BLOCKED now
				 * needs RUN again */
	BP_EV_IOEVENTFD = 2,
};

#define BP_POSTED(cpu, head)	(((__u64)(cpu) + 1) << 32 | (head))
#define BP_POSTED_CPU(posted)	((__u32)((posted) >> 32) - 1)

#define BP_RING_SLOTS		252
struct bp_ring {
	__u32 head;
	__u32 pad0[7];
	__u32 tail;
	__u32 overflow;
	__u32 pad1[6];
	struct bp_event slot[BP_RING_SLOTS];
};

/* Linux lets a module take this vector: kvm_set_posted_intr_wakeup_handler() */
#define BP_UPCALL_VECTOR	0xf1

struct bp_log {
	__u64 pos;		/* of the first byte of ->text */
	__u64 next;		/* to ask for next */
	__u32 len;
	__u32 lost;		/* bytes overwritten before ->pos */
	char text[4096 - 24];
};

#define BP_ASSERT(x) _Static_assert(x, #x)
BP_ASSERT(sizeof(struct bp_exit_io) == 12);
BP_ASSERT(sizeof(struct bp_exit_npf) == 32);
BP_ASSERT(sizeof(struct bp_exit_internal) == 40);
BP_ASSERT(sizeof(struct bp_exit_task) == 40);
BP_ASSERT(sizeof(struct bp_exit_msr) == 16);
BP_ASSERT(sizeof(struct bp_exit_debug) == 16);
BP_ASSERT(sizeof(struct bp_exit_nested) == 32);
BP_ASSERT(sizeof(struct bp_nested) == 48);
BP_ASSERT(sizeof(struct bp_rules) == 168);
BP_ASSERT(__builtin_offsetof(struct bp_vcpu_page, exit) == 32);
BP_ASSERT(__builtin_offsetof(struct bp_vcpu_page, io) == 64);
BP_ASSERT(__builtin_offsetof(struct bp_vcpu_page, regs) == 192);
BP_ASSERT(__builtin_offsetof(struct bp_vcpu_page, sregs) == 336);
BP_ASSERT(sizeof(struct bp_vcpu_page) <= 4096);
BP_ASSERT(sizeof(struct bp_map) == 24);
BP_ASSERT(sizeof(struct bp_ioeventfd) == 32);
BP_ASSERT(sizeof(struct bp_vcpu_counters) == 424);
BP_ASSERT(sizeof(struct bp_event) == 16);
BP_ASSERT(sizeof(struct bp_ring) == 4096);
BP_ASSERT(sizeof(struct bp_log) == 4096);
BP_ASSERT(sizeof(struct bp_map) * BP_MAP_MAX <= 4096);

#endif
