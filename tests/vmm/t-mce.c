/* SPDX-License-Identifier: GPL-2.0-only */
/* Machine checks that the VMM makes up, and what the guest hears of them. */
#include "test.h"

#include <signal.h>

#define MSR_MCG_CAP	0x179
#define MSR_MCG_STATUS	0x17a
#define MSR_MC_CTL2(b)	(0x280 + (b))
#define MSR_MC_CTL(b)	(0x400 + 4 * (b))
#define MSR_MC_STATUS(b) (0x401 + 4 * (b))
#define MSR_MC_ADDR(b)	(0x402 + 4 * (b))
#define MSR_HWCR	0xc0010015

#define MCG_CTL_P	(1ull << 8)
#define MCG_CMCI_P	(1ull << 10)
#define MCG_SER_P	(1ull << 24)
#define CMCI_EN		(1ull << 30)

#define STATUS_VAL	(1ull << 63)
#define STATUS_OVER	(1ull << 62)
#define STATUS_UC	(1ull << 61)

#define LVT_CMCI	0x2f0
#define VECTOR		0xa9
#define BANK		7

#define PAGE		4096
#define HIGH		0x1000000ull		/* where the memory is that goes bad */

static int setup_mce(struct vcpu *v, uint64_t cap)
{
	return ioctl(v->fd, KVM_X86_SETUP_MCE, &cap);
}

static uint64_t supported(void)
{
	uint64_t cap;

	CHECK_EQ(ioctl(kvm_fd, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap), 0);
	return cap;
}

static int inject(struct vcpu *v, uint64_t status, uint64_t addr)
{
	struct kvm_x86_mce m = { .status = status, .addr = addr, .bank = BANK };

	return ioctl(v->fd, KVM_X86_SET_MCE, &m);
}

TEST(mce, setup)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	CHECK_EQ(get_msr(v, MSR_MCG_CAP), 32);
	CHECK_EQ(supported() & (MCG_CTL_P | MCG_SER_P), MCG_CTL_P | MCG_SER_P);
	CHECK_ERRNO(setup_mce(v, 0), EINVAL);
	CHECK_ERRNO(setup_mce(v, 33), EINVAL);
	CHECK_ERRNO(setup_mce(v, 1ull << 40 | 10), EINVAL);
	CHECK_EQ(setup_mce(v, 0xff0000 | MCG_CTL_P | MCG_SER_P | 10), 0);
	if (!(supported() & MCG_CMCI_P))
		CHECK_ERRNO(setup_mce(v, MCG_CMCI_P | 10), EINVAL);
}

/* The first is kept, and that there was a second. */
TEST(mce, corrected)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	CHECK_EQ(setup_mce(v, MCG_CTL_P | 10), 0);
	CHECK_ERRNO(inject(v, 0, 0), EINVAL);
	CHECK_EQ(inject(v, STATUS_VAL | 1, 0x1000), 0);
	CHECK_EQ(get_msr(v, MSR_MC_STATUS(BANK)), STATUS_VAL | 1);
	CHECK_EQ(inject(v, STATUS_VAL | 2, 0x2000), 0);
	CHECK_EQ(get_msr(v, MSR_MC_STATUS(BANK)), STATUS_VAL | STATUS_OVER | 2);
	CHECK_EQ(get_msr(v, MSR_MC_ADDR(BANK)), 0x2000);
	CHECK_EQ(setup_mce(v, MCG_CTL_P | BANK), 0);		/* no such bank now */
	CHECK_ERRNO(inject(v, STATUS_VAL | 1, 0), EINVAL);
}

/* Which values of the banks' registers a guest may write. */
TEST(mce, controls)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *part, *unixware, *k8, *status, *ctl2;

	CHECK_EQ(setup_mce(v, MCG_CTL_P | 10), 0);
	part = op_add(vm, OP_WRMSR, 0, MSR_MC_CTL(1), 0xf0);
	unixware = op_add(vm, OP_WRMSR, 0, MSR_MC_CTL(1), ~1ull);
	k8 = op_add(vm, OP_WRMSR, 0, MSR_MC_CTL(4), ~(1ull << 10));
	status = op_add(vm, OP_WRMSR, 0, MSR_MC_STATUS(1), 1);
	ctl2 = op_add(vm, OP_RDMSR, 0, MSR_MC_CTL2(1), 0);
	run_done(v);
	CHECK_EQ(part->vec, 13);
	CHECK_EQ(unixware->vec, TRAP_NONE);
	CHECK_EQ(k8->vec, TRAP_NONE);
	CHECK_EQ(status->vec, 13);
	CHECK_EQ(ctl2->vec, 13);
	CHECK_EQ(get_msr(v, MSR_MC_CTL2(1)), 0);
}

/* AMD's processors have a bit for tests of handlers. */
TEST(mce, status_writable)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *status;

	if (supported() & MCG_CMCI_P)
		SKIP("an Intel processor");
	set_msr(v, MSR_HWCR, 1 << 18);
	status = op_add(vm, OP_WRMSR, 0, MSR_MC_STATUS(1), 1);
	run_done(v);
	CHECK_EQ(status->vec, TRAP_NONE);
	CHECK_EQ(get_msr(v, MSR_MC_STATUS(1)), 1);
}

static uint32_t lapic_reg(struct vcpu *v, int reg)
{
	struct kvm_lapic_state l;
	uint32_t val;

	CHECK_EQ(ioctl(v->fd, KVM_GET_LAPIC, &l), 0);
	memcpy(&val, l.regs + reg, sizeof(val));
	return val;
}

static bool pending(struct vcpu *v) { return lapic_reg(v, 0x200 + VECTOR / 32 * 16) & 1u << VECTOR % 32; }

#define UCNA	(STATUS_VAL | STATUS_UC | 0x10090)

/* An error that nobody has to act on is written down; without CMCI, no more. */
TEST(mce, no_action)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	CHECK_EQ(setup_mce(v, MCG_CTL_P | MCG_SER_P | 10), 0);
	set_msr(v, MSR_MCG_STATUS, 0);
	CHECK_EQ(inject(v, STATUS_VAL | 1, 0x1000), 0);
	CHECK_EQ(inject(v, UCNA, 0x2000), 0);
	CHECK_EQ(get_msr(v, MSR_MC_STATUS(BANK)), UCNA);
	CHECK_EQ(get_msr(v, MSR_MC_ADDR(BANK)), 0x2000);
	CHECK_EQ(lapic_reg(v, 0x30) >> 16, 5);
	run_done(v);
}

/* With it the guest has one LVT more, and hears of the banks that it wants to hear of. */
TEST(mce, cmci)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *version, *lvt, *reserved;

	if (!(supported() & MCG_CMCI_P))
		SKIP("no MCG_CMCI_P");
	CHECK_EQ(setup_mce(v, MCG_CTL_P | MCG_SER_P | MCG_CMCI_P | 10), 0);
	CHECK_EQ(lapic_reg(v, LVT_CMCI), 0x10000);
	version = op_add(vm, OP_READ, 4, 0xfee00030, 0);
	op_add(vm, OP_WRITE, 4, 0xfee000f0, 0x1ff);
	op_add(vm, OP_WRITE, 4, 0xfee00000 + LVT_CMCI, 0xffff0000 | VECTOR);
	lvt = op_add(vm, OP_READ, 4, 0xfee00000 + LVT_CMCI, 0);
	op_add(vm, OP_WRITE, 4, 0xfee00000 + LVT_CMCI, VECTOR);
	op_add(vm, OP_WRMSR, 0, MSR_MC_CTL2(BANK), CMCI_EN | 1);
	reserved = op_add(vm, OP_WRMSR, 0, MSR_MC_CTL2(BANK), 1 << 29);
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(v, 1);
	CHECK_EQ(version->val >> 16 & 0xff, 6);
	CHECK_EQ(lvt->val, 0x10000 | VECTOR);
	CHECK_EQ(reserved->vec, 13);
	CHECK_EQ(get_msr(v, MSR_MC_CTL2(BANK)), CMCI_EN | 1);
	CHECK_EQ(inject(v, STATUS_VAL | 1, 0), 0);	/* corrected: polled for, as with KVM */
	CHECK(!pending(v));
	CHECK_EQ(inject(v, UCNA, 0xdeadbeef), 0);
	CHECK(pending(v));
	CHECK_EQ(get_msr(v, MSR_MC_ADDR(BANK)), 0xdeadbeef);
}

/* Not while the bank's bit is clear or the LVT is masked. */
TEST(mce, cmci_off)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	if (!(supported() & MCG_CMCI_P))
		SKIP("no MCG_CMCI_P");
	CHECK_EQ(setup_mce(v, MCG_CMCI_P | 10), 0);
	op_add(vm, OP_WRITE, 4, 0xfee000f0, 0x1ff);
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, OP_WRITE, 4, 0xfee00000 + LVT_CMCI, VECTOR);
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, OP_WRITE, 4, 0xfee000f0, 0xff);	/* switched off: masked */
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(v, 1);
	set_msr(v, MSR_MC_CTL2(BANK), CMCI_EN);
	CHECK_EQ(inject(v, UCNA, 0), 0);
	CHECK(!pending(v));
	run_sync(v, 1);
	set_msr(v, MSR_MC_CTL2(BANK), 0);
	CHECK_EQ(inject(v, UCNA, 0), 0);
	CHECK(!pending(v));
	run_sync(v, 1);
	CHECK_EQ(lapic_reg(v, LVT_CMCI), 0x10000 | VECTOR);
}

static siginfo_t bus_error;

static void note_bus_error(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	bus_error = *info;
}

/* Memory behind a slot goes bad: the vCPU's thread has SIGBUS, and the guest goes on when there is other memory. */
TEST(mce, poisoned_memory)
{
	uint8_t *m = mem_new(PAGE);
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct sigaction act = { .sa_sigaction = note_bus_error, .sa_flags = SA_SIGINFO };
	struct gop *rd;

	CHECK_EQ(vm_slot(vm, 2, HIGH, PAGE, m, 0), 0);
	*m = 1;
	CHECK_EQ(sigaction(SIGBUS, &act, NULL), 0);
	if (madvise(m, PAGE, MADV_HWPOISON))	/* which tells, too */
		SKIP("nothing poisons memory here");
	rd = op_add(vm, OP_READ, 8, HIGH, 0);
	for (int i = 0; i < 2; i++) {
		bus_error.si_signo = 0;
		CHECK_EQ(run_once(v), -EINTR);
		CHECK_EQ(bus_error.si_signo, SIGBUS);
		CHECK_EQ(bus_error.si_code, BUS_MCEERR_AR);
		CHECK(bus_error.si_addr == m);
	}
	CHECK(mmap(m, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == m);
	*(uint64_t *)m = 0x8888;
	run_done(v);
	CHECK_EQ(rd->val, 0x8888);
}
