// SPDX-License-Identifier: GPL-2.0-only
/* The contract is in native.h. */
#define _GNU_SOURCE
#include "native.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define TF		0x100ull
#define STATUS		0xcd5ull	/* the arithmetic flags, and DF */
#define ROUNDS_MAX	70000		/* of a repeated instruction */

static const int regs[16] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static struct native *now;
static ucontext_t outside;		/* where native_run() is */
static struct _libc_fpstate outside_fp;
static bool inside, called_system;
static uint64_t start;
static uint32_t rounds;

static void load(ucontext_t *u, const struct native *n)
{
	uint32_t i;

	for (i = 0; i < 16; i++) {
		u->uc_mcontext.gregs[regs[i]] = (greg_t)n->gpr[i];
		memcpy(&u->uc_mcontext.fpregs->_xmm[i], n->xmm[i], 16);
	}
	u->uc_mcontext.gregs[REG_RIP] = (greg_t)n->rip;
	u->uc_mcontext.gregs[REG_EFL] = (greg_t)((n->rflags & STATUS) | TF | 0x202);
}

static void store(struct native *n, const ucontext_t *u, int sig)
{
	uint32_t i;

	for (i = 0; i < 16; i++) {
		n->gpr[i] = (uint64_t)u->uc_mcontext.gregs[regs[i]];
		memcpy(n->xmm[i], &u->uc_mcontext.fpregs->_xmm[i], 16);
	}
	n->rip = (uint64_t)u->uc_mcontext.gregs[REG_RIP];
	n->rflags = (uint64_t)u->uc_mcontext.gregs[REG_EFL] & STATUS;
	n->retired = sig == SIGTRAP;
	n->vector = (uint8_t)u->uc_mcontext.gregs[REG_TRAPNO];
	n->error = (uint32_t)u->uc_mcontext.gregs[REG_ERR];
	n->cr2 = (uint64_t)u->uc_mcontext.gregs[REG_CR2];
}

/* SIGUSR1 goes in; all others come out of the instruction. */
static void handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)info;
	if (!inside) {
		if (sig != SIGUSR1) {	/* not the instruction's: ours */
			signal(sig, SIG_DFL);
			return;
		}
		inside = true;
		memcpy(outside.uc_mcontext.gregs, u->uc_mcontext.gregs, sizeof(u->uc_mcontext.gregs));
		outside_fp = *u->uc_mcontext.fpregs;
		load(u, now);
		return;
	}
	/* A turn of a repeated instruction. */
	if (sig == SIGTRAP && (uint64_t)u->uc_mcontext.gregs[REG_RIP] == start && ++rounds < ROUNDS_MAX) {
		u->uc_mcontext.gregs[REG_EFL] |= TF;
		return;
	}
	called_system = sig == SIGSYS;
	store(now, u, sig);
	memcpy(u->uc_mcontext.gregs, outside.uc_mcontext.gregs, sizeof(u->uc_mcontext.gregs));
	*u->uc_mcontext.fpregs = outside_fp;
	inside = false;
}

static bool catch_signals(void)
{
	static const int signals[] = { SIGUSR1, SIGTRAP, SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGSYS };
	static char stack[64 * 1024];
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	uint32_t i;

	if (sigaltstack(&alt, NULL))
		return false;
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (sigaction(signals[i], &a, NULL))
			return false;
	return true;
}

#define ALLOW(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What this program needs from now on; anything else is a signal. */
static bool filter_system_calls(void)
{
	static struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_rt_sigreturn), ALLOW(SYS_tgkill), ALLOW(SYS_getpid), ALLOW(SYS_gettid),
		ALLOW(SYS_rt_sigprocmask), ALLOW(SYS_write), ALLOW(SYS_exit_group), ALLOW(SYS_clock_gettime),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog p = { sizeof(f) / sizeof(*f), f };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p);
}

static bool map(uint64_t at, size_t size, int prot)
{
	return mmap((void *)at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)at;
}

bool native_init(void)
{
	return map(CODE, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC) && map(DATA, DATA_SIZE, PROT_READ | PROT_WRITE) &&
	       catch_signals() && filter_system_calls();
}

bool native_run(struct native *n)
{
	now = n;
	start = n->rip;
	rounds = 0;
	called_system = false;
	raise(SIGUSR1);
	return !called_system;
}
