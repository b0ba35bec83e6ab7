// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory comes late to an access that the VMM's kernel makes for the guest: a signal ends KVM_RUN
 * meanwhile, and what the guest does is then done once.
 */
#include "late.h"

#define PAGE		4096ull
#define HIGH		0x1000000ull		/* where the memory is that comes late */
#define DATA		0x1122334455667788ull

static struct late l;
static struct vm *vm;
static struct vcpu *v;

static void start(enum guest_id guest, uint64_t pages, uint64_t what)
{
	l = late_new(pages);
	vm = vm_new(guest, 1, 0);
	v = &vm->vcpu[0];
	CHECK_EQ(vm_slot(vm, 2, HIGH, pages * PAGE, l.mem, 0), 0);
	vm->p->arg[0] = HIGH;
	vm->p->arg[1] = what;
}

static void *string_io(int write, uint32_t count)
{
	run_exit(v, KVM_EXIT_IO);
	CHECK_EQ(v->run->io.count, count);
	return expect_io(v, write, 1, PORT_TEST);
}

/* The first half is there, and goes out; the second comes while KVM_RUN waits for it. */
static void *bring_second(void *arg)
{
	(void)arg;
	CHECK_EQ(late_wanted(&l), 1);
	late_bring(&l, 1, "56789");
	return NULL;
}

TEST(late, outs)
{
	uint8_t page[PAGE] = { 0 };
	pthread_t t;

	start(G_late, 2, LATE_OUTS);
	memcpy(page + PAGE - 4, "1234", 4);
	late_interrupts(v, &l, 0);
	late_bring(&l, 0, page);
	CHECK(!memcmp(string_io(1, 4), "1234", 4));
	late_interrupts(v, &l, 1);
	CHECK_EQ(pthread_create(&t, NULL, bring_second, NULL), 0);
	CHECK(!memcmp(string_io(1, 4), "5678", 4));
	CHECK_EQ(pthread_join(t, NULL), 0);
	run_done(v);
	CHECK_EQ(vm->p->res[0], HIGH + PAGE + 4);
	CHECK_EQ(vm->p->res[1], 0);
}

/* The port is read once, before the page goes again. */
TEST(late, ins)
{
	start(G_late, 1, LATE_INS);
	late_interrupts(v, &l, 0);
	late_bring(&l, 0, NULL);
	memcpy(string_io(0, LATE_BYTES), "abcdefgh", LATE_BYTES);
	late_take(&l, 0);
	late_interrupts(v, &l, 0);
	late_bring(&l, 0, NULL);
	run_done(v);
	CHECK(!memcmp(l.mem, "abcdefgh", LATE_BYTES));
	CHECK_EQ(vm->p->res[0], HIGH + LATE_BYTES);
	CHECK_EQ(vm->p->res[1], 0);
}

/* The device is asked once. */
static void device_answers(void)
{
	run_exit(v, KVM_EXIT_MMIO);
	CHECK(v->run->mmio.phys_addr == GPA_MMIO && v->run->mmio.len == 8 && !v->run->mmio.is_write);
	memcpy(v->run->mmio.data, &(uint64_t){ DATA }, 8);
}

static void runs_to_its_end(void)
{
	run_exit(v, KVM_EXIT_IO);
	expect_io(v, 1, 4, PORT_DONE);
}

TEST(late, movs)
{
	start(G_late, 1, LATE_MOVS);
	device_answers();
	late_interrupts(v, &l, 0);
	late_bring(&l, 0, NULL);
	runs_to_its_end();
	CHECK_EQ(*(uint64_t *)l.mem, DATA);
	CHECK_EQ(vm->p->res[0], GPA_MMIO + 8);
}

TEST(late, push)
{
	start(G_late, 1, LATE_PUSH);
	device_answers();
	late_interrupts(v, &l, 0);
	late_bring(&l, 0, NULL);
	runs_to_its_end();
	CHECK_EQ(*(uint64_t *)(l.mem + PAGE - 8), DATA);
	CHECK_EQ(vm->p->res[0], HIGH + PAGE - 8);
}

/* The guest's own table is not there, and then must not be marked as accessed. */
TEST(late, walk)
{
	uint64_t dir[PAGE / 8] = { GPA_SCRATCH | 0x83 };

	start(G_late, 1, LATE_WALK);
	late_interrupts(v, &l, 0);
	late_bring_protected(&l, 0, dir);
	late_interrupts(v, &l, 0);
	CHECK_EQ(*(volatile uint64_t *)l.mem, dir[0]);
	late_unprotect(&l, 0);
	device_answers();
	runs_to_its_end();
	CHECK_EQ(*(uint64_t *)l.mem, dir[0] | 0x60);
	CHECK_EQ(*(uint64_t *)(vm->mem + GPA_SCRATCH), DATA);
	CHECK_EQ(vm->p->res[1], DATA);
}

/* Registers that the VMM sets meanwhile count; an instruction elsewhere is another one. */
TEST(late, given_up)
{
	struct kvm_regs r;

	start(G_late, 1, LATE_MOVS);
	device_answers();
	late_interrupts(v, &l, 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &r), 0);
	r.rip += 2;
	r.rsi = 5;
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &r), 0);
	runs_to_its_end();
	CHECK_EQ(vm->p->res[0], 5);
}
