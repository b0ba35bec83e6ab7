/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86 instruction emulator: executes the one instruction at CS:RIP for which a
 * guest left the hardware on MMIO (nested page fault) or on string port I/O.
 *
 * Use, per vCPU, by the thread that runs that vCPU (no locks inside; one
 * emul_ctx must not be used by two threads at once):
 *
 *   1. fill registers and mode (emul_load_regs/emul_load_sregs or by hand);
 *   2. r = emul_run(ctx);
 *   3. while r == EMUL_NEED_USER: give ctx->user to user space, put its answer
 *      into ctx->user.data (MMIO read) or ctx->pio_data (port input), then
 *      r = emul_resume(ctx);
 *   4. take the registers back (emul_store_regs), whatever the outcome: before
 *      a fault, an error or a wait, iterations of a repeated string instruction
 *      may have retired.
 *
 * An instruction changes registers and flags only when it retires, but for RF. A repeated
 * string instruction retires iteration by iteration: RCX, RSI, RDI and RFLAGS
 * move, RIP stays until the last one.
 *
 * Everything the guest supplies (code, tables, registers) is hostile: there is
 * no recursion, no allocation, every loop is bounded, stack use is below 1 KiB
 * (of a task switch, 2 KiB).
 */
#ifndef BEDPLATE_EMUL_H
#define BEDPLATE_EMUL_H

#include "../os.h"

struct emul_ctx;

/* What emul_run() and emul_resume() return; negative is an errno from an op. */
enum emul_result {
	/*
	 * Retired, RIP moved. The caller ends the interrupt shadow and, under
	 * RFLAGS.TF, has the single-step #DB raised (BP_RUN_INSN_DONE does both).
	 */
	EMUL_DONE = 0,
	/*
	 * Some iterations may have retired, RIP has not moved; nothing is pending.
	 * Look for signals and interrupts, then emul_run() again or enter the
	 * guest, which will come back.
	 */
	EMUL_AGAIN,
	/* User space must answer ctx->user; then emul_resume(). */
	EMUL_NEED_USER,
	/* Inject ctx->fault; RIP is at the faulting instruction, RF as the CPU saves it. */
	EMUL_FAULT,
	/*
	 * Not an instruction this emulator knows, or code or page tables that are
	 * not in RAM: KVM_EXIT_INTERNAL_ERROR, KVM_INTERNAL_ERROR_EMULATION with
	 * ctx->insn and ctx->insn_len (bytes fetched so far). KVM gives that exit
	 * for CPL 0 only; a guest's user mode gets #UD.
	 */
	EMUL_UNHANDLED,
	/*
	 * RSM, of a guest in SMM: emul_run_lacking(), and the others where another instruction
	 * has become one. Nothing has changed: the caller makes it.
	 */
	EMUL_RSM,
};

enum emul_access_kind {
	EMUL_MMIO_READ,
	EMUL_MMIO_WRITE,
	EMUL_PIO_IN,
	EMUL_PIO_OUT,
};

/* One access for user space: KVM_EXIT_MMIO or KVM_EXIT_IO. */
struct emul_access {
	u8 kind;		/* enum emul_access_kind */
	u8 len;			/* bytes: MMIO 1..8; port I/O element size 1, 2 or 4 */
	u16 port;		/* port I/O only */
	u32 count;		/* port I/O: elements in ctx->pio_data; MMIO: 1 */
	u64 gpa;		/* MMIO only; never crosses a page */
	u8 data[8];		/* MMIO: data written, or to be filled by the answer */
};

struct emul_fault {
	u8 vector;
	bool has_error;
	u32 error_code;
	u64 cr2;		/* #PF only: faulting linear address */
};

/* What emul_run_lacking() knows, by its CPUID bit's name. */
enum emul_feature {
	EMUL_MOVBE,
	EMUL_RDPID,
};

/*
 * Services of the caller. GPA accesses never cross a 4 KiB page. All return 0
 * or a negative errno; an errno other than those named here ends emul_run()
 * with that errno, the current iteration not retired (the caller may run it
 * again).
 */
struct emul_ops {
	/*
	 * Guest RAM, 0..4096 bytes. -EFAULT: not RAM (for write_gpa: not writable
	 * RAM, as a read-only memslot), the access is then taken as MMIO. len 0
	 * asks which of the two it is, and is refused as the access would be.
	 */
	int (*read_gpa)(struct emul_ctx *ctx, u64 gpa, void *buf, u32 len);
	int (*write_gpa)(struct emul_ctx *ctx, u64 gpa, const void *buf, u32 len);
	/*
	 * Atomic compare and exchange of 1, 2, 4, 8 or 16 naturally aligned bytes
	 * of RAM. 0: exchanged. 1: memory differed from old, nothing written.
	 * -EFAULT: not writable RAM. -EOPNOTSUPP: this size is not offered (16).
	 */
	int (*cmpxchg_gpa)(struct emul_ctx *ctx, u64 gpa, const void *old,
			   const void *val, u32 len);
	/*
	 * MMIO of 1..8 bytes. 0: answered here (in-kernel device, ioeventfd,
	 * coalesced ring). -EAGAIN: user space must answer.
	 */
	int (*mmio_read)(struct emul_ctx *ctx, u64 gpa, void *buf, u32 len);
	int (*mmio_write)(struct emul_ctx *ctx, u64 gpa, const void *buf, u32 len);
	/*
	 * String port I/O: count elements of size bytes, all at the one port.
	 * buf is ctx->pio_data. 0 or -EAGAIN as above; an answer covers them all.
	 */
	int (*pio_in)(struct emul_ctx *ctx, u16 port, u32 size, u32 count, void *buf);
	int (*pio_out)(struct emul_ctx *ctx, u16 port, u32 size, u32 count,
		       const void *buf);
	/*
	 * Vector registers; both may be NULL: SSE and AVX moves are then
	 * unhandled. len is 16 or 32. vec_write with vex set also zeroes the
	 * register's bits above len; without, it leaves them.
	 */
	int (*vec_read)(struct emul_ctx *ctx, u32 reg, void *buf, u32 len);
	int (*vec_write)(struct emul_ctx *ctx, u32 reg, const void *buf, u32 len,
			 bool vex);
	/*
	 * For emul_run_lacking() only: whether the guest's CPUID has it, 1 or 0; what
	 * RDPID reads.
	 */
	int (*guest_has)(struct emul_ctx *ctx, enum emul_feature feature);
	int (*tsc_aux)(struct emul_ctx *ctx, u32 *val);
};

/* ctx->gpr[] index: the register number as x86 encodes it; r8..r15 follow. */
enum emul_gpr {
	EMUL_RAX, EMUL_RCX, EMUL_RDX, EMUL_RBX,
	EMUL_RSP, EMUL_RBP, EMUL_RSI, EMUL_RDI,
};

/* ctx->seg[] index: the segment register number as x86 encodes it. */
enum emul_seg {
	EMUL_ES, EMUL_CS, EMUL_SS, EMUL_DS, EMUL_FS, EMUL_GS, EMUL_NR_SEGS,
};

#define EMUL_MAX_INSN		15
#define EMUL_PAGE_SIZE		4096u
#define EMUL_LOG_SIZE		12
#define EMUL_TLB_SIZE		4

/* One completed piece of the current iteration, consumed in order on replay. */
struct emul_log_entry {
	u64 gpa;
	u8 len;
	u8 kind;		/* enum emul_access_kind */
	u8 data[8];
};

/* A translation used by this emul_run(); gone when it returns. */
struct emul_tlb_entry {
	u64 lin_page;
	u64 gpa_page;
	u8 access;		/* access it was walked for, 0: empty */
};

struct emul_ctx {
	/* In and out: architectural state. */
	u64 gpr[16];
	u64 rip;
	u64 rflags;

	/*
	 * In: mode. Segment limits are in bytes, granularity already applied, as
	 * in KVM_GET_SREGS. Segment attributes of real mode are used as cached
	 * (so "unreal" limits work).
	 */
	u64 cr0, cr3, cr4, efer;
	u64 xcr0;		/* for VEX moves; 0 if CR4.OSXSAVE is off */
	u32 pkru;		/* used when CR4.PKE */
	u8 cpl;
	u8 phys_bits;		/* guest CPUID 80000008h EAX[7:0]; 0 means 52 */
	bool in_smm;		/* so RSM is an instruction */
	bool no_1g_pages;	/* guest CPUID lacks PDPE1GB: bit 7 is reserved */
	struct kvm_segment seg[EMUL_NR_SEGS];
	struct kvm_segment tr;	/* I/O permission bitmap */
	/* With PAE paging, where the CPU holds them: they count, not what CR3 points to. */
	bool pdptes_known;
	u64 pdpte[4];

	/* In and out: for MOV from and to them; NULL: such a MOV is unhandled. */
	struct kvm_debugregs *dr;

	/* In: services; opaque is the caller's own. */
	const struct emul_ops *ops;
	void *opaque;
	/*
	 * Data of string port I/O, at most EMUL_PAGE_SIZE bytes are used; may be
	 * the page shared with user space (contents are never trusted). NULL:
	 * string port I/O is unhandled.
	 */
	void *pio_data;
	u32 pio_data_size;

	/* Out: what the result speaks of. */
	struct emul_access user;
	struct emul_fault fault;
	u8 insn[EMUL_MAX_INSN];
	u8 insn_len;

	/* The emulator's own; zero it at start, then leave it alone. */
	bool pending;		/* ctx->user waits for emul_resume() */
	u8 log_len;
	u8 log_pos;
	struct emul_log_entry log[EMUL_LOG_SIZE];
	u8 tlb_next;
	struct emul_tlb_entry tlb[EMUL_TLB_SIZE];
};

/*
 * Execute the instruction at CS:RIP from its start, forgetting any access that
 * was pending. Returns enum emul_result or a negative errno from an op.
 */
int emul_run(struct emul_ctx *ctx);

/*
 * Go on after EMUL_NEED_USER was answered. The instruction is decoded and
 * executed again with the recorded answers. Also allowed after a negative errno,
 * to go on without losing answers already taken. -EINVAL when nothing is
 * pending or recorded.
 */
int emul_resume(struct emul_ctx *ctx);

/*
 * As emul_run(), of an instruction that is undefined to this processor; EMUL_UNHANDLED:
 * it is to the guest as well; EMUL_RSM.
 */
int emul_run_lacking(struct emul_ctx *ctx);

/*
 * At CS:RIP is the hypercall of the vendor that this processor is not of: put its own
 * there.  EMUL_DONE; EMUL_UNHANDLED: it is another instruction, or not in RAM; EMUL_FAULT:
 * the guest may not write there; EMUL_AGAIN, a negative errno.
 */
int emul_fix_hypercall(struct emul_ctx *ctx, bool intel);

/* A general register by its number in x86's encoding, 0 to 15: KVM's order is another. */
u64 emul_gpr_get(const struct kvm_regs *regs, u32 nr);
void emul_gpr_set(struct kvm_regs *regs, u32 nr, u64 val);

/*
 * Copy between the context and KVM's structures. emul_load_sregs() goes last: it
 * takes CPL from CR0, RFLAGS.VM and SS.DPL.
 */
void emul_load_regs(struct emul_ctx *ctx, const struct kvm_regs *regs);
void emul_store_regs(const struct emul_ctx *ctx, struct kvm_regs *regs);
void emul_load_sregs(struct emul_ctx *ctx, const struct kvm_sregs *sregs);

/*
 * Length of the instruction in buf (n bytes) decoded for code of the given
 * width (16, 32 or 64). -ENOENT: not an instruction the emulator knows;
 * -EMSGSIZE: longer than n or than 15 bytes; -EINVAL: bad width.
 */
int emul_insn_len(const u8 *buf, size_t n, int bits);

/* Access to memory by linear address, for emul_translate(). */
enum emul_walk_access {
	EMUL_WALK_READ = 1 << 0,
	EMUL_WALK_WRITE = 1 << 1,
	EMUL_WALK_EXEC = 1 << 2,
	/* Supervisor access whatever the CPL (TSS); not subject to SMAP's AC. */
	EMUL_WALK_SYSTEM = 1 << 3,
	/* Leave accessed and dirty bits alone (KVM_TRANSLATE). */
	EMUL_WALK_PEEK = 1 << 4,
};

/*
 * Walk the guest's page tables for one linear address. EMUL_DONE and *gpa;
 * EMUL_FAULT with ctx->fault; EMUL_AGAIN when tables changed under the walk;
 * EMUL_UNHANDLED for supervisor protection keys or tables outside RAM; negative errno.
 */
int emul_translate(struct emul_ctx *ctx, u64 lin, u32 access, u64 *gpa);

/* ---- hardware task switches (SDM vol. 3, ch. 8) ---- */

enum emul_task_source {
	EMUL_TASK_CALL,
	EMUL_TASK_IRET,
	EMUL_TASK_JMP,
	EMUL_TASK_GATE,		/* in the IDT: ->event, or INT n and its like */
};

/* Whose delivery led to it. */
enum emul_task_event {
	EMUL_TASK_NO_EVENT,
	EMUL_TASK_INTERRUPT,
	EMUL_TASK_NMI,
	EMUL_TASK_EXCEPTION,	/* ->events.exception */
};

/* A switch for which the CPU has made the checks before the TSS descriptor's. */
struct emul_task {
	/* In. */
	u16 selector;		/* of the new TSS */
	u8 source;		/* enum emul_task_source */
	u8 event;		/* enum emul_task_event */
	u8 insn_len;		/* of the instruction; 0 with an event */
	/* In and out: what the context has not, or only a part of. */
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;	/* out: for KVM_SET_VCPU_EVENTS */
	u64 dr6, dr7;
	/* Out, with EMUL_DONE: ctx->fault is to be raised in the new task. */
	bool raise;
};

/*
 * Make it.  The context is loaded from ->sregs and the registers.
 * EMUL_DONE: it is made; EMUL_FAULT: ctx->fault is the old task's, and of memory
 * and registers only accessed and dirty flags and ->events' NMI may have
 * changed.  EMUL_UNHANDLED: a TSS, a descriptor or a page table is not in RAM;
 * EMUL_AGAIN, a negative errno: of memory a part may be written, in such an order that a
 * switch that begins anew ends as one that was not given up.
 */
int emul_task_switch(struct emul_ctx *ctx, struct emul_task *task);

#endif
