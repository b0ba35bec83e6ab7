/* SPDX-License-Identifier: GPL-2.0-only */
/* Port and MMIO exits. */
#include "test.h"

static uint8_t up(int i) { return i % 251; }
static uint8_t down(int i) { return 15 - i; }

static void expect_out(struct vcpu *v, int size, uint16_t port, uint32_t val)
{
	uint32_t got = 0;

	run_exit(v, KVM_EXIT_IO);
	CHECK_EQ(v->run->io.count, 1);
	memcpy(&got, expect_io(v, 1, size, port), size);
	CHECK_EQ(got, val);
}

static void answer_in(struct vcpu *v, int size, uint32_t val)
{
	run_exit(v, KVM_EXIT_IO);
	CHECK_EQ(v->run->io.count, 1);
	memcpy(expect_io(v, 0, size, PORT_TEST), &val, size);
}

static void expect_mmio(struct vcpu *v, int write, uint64_t gpa, uint32_t len, uint64_t val)
{
	struct kvm_run *r = v->run;
	uint64_t got = 0;

	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(r->mmio.phys_addr, gpa);
	CHECK_EQ(r->mmio.len, len);
	CHECK_EQ(r->mmio.is_write, write);
	if (!write) {
		memcpy(r->mmio.data, &val, len);
		return;
	}
	memcpy(&got, r->mmio.data, len);
	CHECK_EQ(got, val);
}

TEST(io, ports64)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *in1, *in2, *in4;

	op_add(vm, OP_OUT, 1, PORT_TEST, 0x11);
	op_add(vm, OP_OUT, 2, PORT_TEST + 2, 0x2211);
	op_add(vm, OP_OUT, 4, 0xfffc, 0x44332211);
	in1 = op_add(vm, OP_IN, 1, PORT_TEST, 0);
	in2 = op_add(vm, OP_IN, 2, PORT_TEST, 0);
	in4 = op_add(vm, OP_IN, 4, PORT_TEST, 0);
	expect_out(v, 1, PORT_TEST, 0x11);
	expect_out(v, 2, PORT_TEST + 2, 0x2211);
	expect_out(v, 4, 0xfffc, 0x44332211);
	answer_in(v, 1, 0xa5);
	answer_in(v, 2, 0xb6a5);
	answer_in(v, 4, 0xd8c7b6a5);
	run_done(v);
	CHECK_EQ(in1->val, 0xa5);
	CHECK_EQ(in2->val, 0xb6a5);
	CHECK_EQ(in4->val, 0xd8c7b6a5);
}

TEST(io, real)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	char text[9] = "";

	vm->p->mode = MODE_16;
	expect_out(v, 1, PORT_TEST, 0x11);
	expect_out(v, 2, PORT_TEST, 0x2211);
	expect_out(v, 4, PORT_TEST, 0x44332211);
	answer_in(v, 1, 0xa5);
	answer_in(v, 2, 0xb6a5);
	answer_in(v, 4, 0xd8c7b6a5);
	expect_out(v, 1, 0x80, 0xa5);
	CHECK_EQ(vm->p->res[0] & 0xffffffff, 0xa5);
	CHECK_EQ(vm->p->res[1] & 0xffffffff, 0xb6a5);
	CHECK_EQ(vm->p->res[2] & 0xffffffff, 0xd8c7b6a5);
	for (uint32_t n = 0; n < 8; n += v->run->io.count) {
		run_exit(v, KVM_EXIT_IO);
		CHECK(v->run->io.count >= 1 && n + v->run->io.count <= 8);
		memcpy(text + n, expect_io(v, 1, 1, PORT_TEST), v->run->io.count);
	}
	CHECK(!strcmp(text, "bedplate"));
	expect_out(v, 1, PORT_TEST, 0x21);
	expect_mmio(v, 1, 0xb8004, 1, 0x5a);
	expect_mmio(v, 1, 0xb8006, 2, 0x1234);
	expect_mmio(v, 0, 0xb8008, 4, 0xcafe1234);
	run_done(v);
	CHECK_EQ(vm->p->res[3] & 0xffffffff, 0xcafe1234);
}

static void prot32_pass(struct vcpu *v, uint32_t val)
{
	expect_out(v, 1, PORT_TEST, 0x11);
	expect_out(v, 2, PORT_TEST, 0x2211);
	expect_out(v, 4, PORT_TEST, 0x44332211);
	expect_mmio(v, 1, GPA_MMIO + 4, 1, 0x5a);
	expect_mmio(v, 1, GPA_MMIO + 6, 2, 0x1234);
	expect_mmio(v, 1, GPA_MMIO + 8, 4, 0x89abcdef);
	answer_in(v, 4, 0xd8c7b6a5);
	expect_mmio(v, 0, GPA_MMIO + 12, 4, val);
	expect_mmio(v, 0, GPA_MMIO + 13, 1, 0xf1);
	expect_mmio(v, 0, GPA_MMIO + 14, 2, 0x80f1);
	run_sync(v, 0xd8c7b6a5);
	CHECK_EQ((uint32_t)v->vm->p->res[0], val);
	CHECK_EQ((uint32_t)v->vm->p->res[1], 0xf1);
	CHECK_EQ((uint32_t)v->vm->p->res[2], 0xffff80f1);
}

/* Without paging, then through 32-bit page tables. */
TEST(io, prot32)
{
	struct vm *vm = vm_new(G_script, 1, 0);

	vm->p->mode = MODE_32;
	prot32_pass(&vm->vcpu[0], 0x12345678);
	prot32_pass(&vm->vcpu[0], 0xfedcba98);
	run_done(&vm->vcpu[0]);
}

/* Take or give @bytes of a pattern; returns the number of exits it took. */
static int string_io(struct vcpu *v, int write, int size, int bytes, uint8_t (*pattern)(int i))
{
	int exits = 0;

	for (int n = 0; n < bytes; exits++) {
		uint8_t *d;
		int len;

		run_exit(v, KVM_EXIT_IO);
		d = expect_io(v, write, size, PORT_TEST);
		len = v->run->io.count * size;
		CHECK(len >= size && n + len <= bytes);
		for (int i = 0; i < len; i++, n++) {
			if (write)
				CHECK_EQ(d[i], pattern(n));
			else
				d[i] = pattern(n);
		}
	}
	return exits;
}

TEST_LIMIT(io, string, 60)
{
	struct vm *vm = vm_new(G_string, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int out, in;

	out = string_io(v, 1, 1, 5000, up);
	string_io(v, 1, 2, 1200, up);
	string_io(v, 1, 4, 1200, up);
	string_io(v, 1, 1, 16, down);
	run_sync(v, 1);
	in = string_io(v, 0, 1, 5000, up);
	run_sync(v, 2);
	CHECK(string_io(v, 0, 2, 1200, up) < 600);		/* several elements in one exit */
	run_sync(v, 3);
	CHECK(string_io(v, 0, 4, 1200, up) < 300);
	run_sync(v, 4);
	string_io(v, 0, 1, 16, up);
	run_done(v);
	CHECK(in < 5000);
	test_note("5000 bytes: out %d exits, in %d exits", out, in);
}

TEST(io, mmio_sizes)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	uint64_t val = 0x8877665544332211;
	struct gop *r[4];

	for (int i = 0; i < 4; i++)
		op_add(vm, OP_WRITE, 1 << i, GPA_MMIO + 16 * i, val);
	for (int i = 0; i < 4; i++)
		r[i] = op_add(vm, OP_READ, 1 << i, GPA_MMIO + 0x100 + 16 * i, 0);
	for (int i = 0; i < 4; i++) {
		uint64_t mask = i == 3 ? ~0ull : (1ull << (8 << i)) - 1;

		expect_mmio(v, 1, GPA_MMIO + 16 * i, 1 << i, val & mask);
	}
	for (int i = 0; i < 4; i++)
		expect_mmio(v, 0, GPA_MMIO + 0x100 + 16 * i, 1 << i, val);
	run_done(v);
	CHECK_EQ(r[0]->val, 0x11);
	CHECK_EQ(r[1]->val, 0x2211);
	CHECK_EQ(r[2]->val, 0x44332211);
	CHECK_EQ(r[3]->val, val);
}

/* The page behind memory, which mmio_cross() of the guest runs over into. */
static bool serve_behind_ram(struct vcpu *v, uint8_t *page)
{
	uint64_t off = v->run->mmio.phys_addr - RAM_SIZE;

	if (v->run->exit_reason != KVM_EXIT_MMIO || off >= 4096)
		return false;
	if (v->run->mmio.is_write)
		memcpy(page + off, v->run->mmio.data, v->run->mmio.len);
	else
		memcpy(v->run->mmio.data, page + off, v->run->mmio.len);
	return true;
}

static void mmio_group(int n)
{
	struct vm *vm = vm_new(G_mmio_insn, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	uint8_t *page = mem_new(8192);

	vm->p->arg[0] = n;
	do {
		CHECK_EQ(run_once(v), 0);
	} while (serve_mmio(v) || serve_behind_ram(v, page));
	check_guest(v);
	expect_io(v, 1, 4, PORT_DONE);
}

TEST(io, mmio_arith) { mmio_group(0); }
TEST(io, mmio_extend) { mmio_group(1); }
TEST(io, mmio_movs) { mmio_group(2); }
TEST(io, mmio_cross_page) { mmio_group(3); }

/*
 * A repeated move to a device runs into memory that the VMM may not touch: KVM_RUN says so, or takes it for a
 * device as KVM does.  What was moved before is not moved again.
 */
TEST(io, mmio_torn_rep)
{
	struct vm *vm = vm_new(G_mmio_insn, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_run *r = v->run;
	uint8_t *m = mem_new(8192), *from = m + 4096 - 4;
	uint64_t base = 0x1000000, src = base + 4096 - 4;
	struct kvm_regs regs;
	int writes = 0, err;

	memcpy(from, "bedplate", 8);
	CHECK_EQ(vm_slot(vm, 2, base, 8192, m, 0), 0);
	CHECK_EQ(mprotect(m + 4096, 4096, PROT_NONE), 0);
	vm->p->arg[0] = 4;
	vm->p->arg[1] = src;
	for (;;) {
		err = run_once(v);
		if (err) {
			CHECK_EQ(err, -EFAULT);
			CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &regs), 0);
			CHECK_EQ(regs.rcx, 4);
			CHECK_EQ(regs.rsi, src + 4);
			CHECK_EQ(regs.rdi, GPA_MMIO + 4);
			CHECK_EQ(mprotect(m + 4096, 4096, PROT_READ | PROT_WRITE), 0);
		} else if (r->exit_reason == KVM_EXIT_MMIO && !r->mmio.is_write) {
			CHECK_EQ(r->mmio.phys_addr, src + writes);
			r->mmio.data[0] = "bedplate"[writes];
		} else if (serve_mmio(v)) {
			writes++;
		} else {
			break;
		}
	}
	check_guest(v);
	expect_io(v, 1, 4, PORT_DONE);
	CHECK_EQ(writes, 8);
	CHECK(!memcmp(vm->mmio, "bedplate", 8));
}

TEST(io, cmpxchg16b)
{
	struct vm *vm = vm_new(G_mmio_insn, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	uint64_t base = 0x1000000, *dir = mem_new(4096);

	dir[GPA_SCRATCH >> 21] = GPA_SCRATCH | 0xe7;	/* 2 MiB, accessed and dirty */
	CHECK_EQ(vm_slot(vm, 2, base, 4096, dir, KVM_MEM_READONLY), 0);
	vm->p->arg[0] = 5;
	vm->p->arg[1] = base;
	CHECK_EQ(run_once(v), 0);
	if (v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR && !access("/sys/module/kvm_amd", F_OK))
		SKIP("KVM does not emulate it");
	check_guest(v);
	expect_io(v, 1, 4, PORT_DONE);
}

/* The answer to a read is taken by the next KVM_RUN, even one that may not enter the guest. */
TEST(io, immediate_exit)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *in, *rd;
	struct kvm_regs before, after;

	in = op_add(vm, OP_IN, 4, PORT_TEST, 0);
	rd = op_add(vm, OP_READ, 4, GPA_MMIO, 0);
	op_add(vm, OP_SYNC, 0, 1, 0);
	answer_in(v, 4, 0x12345678);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &before), 0);
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &after), 0);
	CHECK_EQ(after.rax, 0x12345678);
	CHECK(after.rip >= before.rip && after.rip - before.rip <= 2);
	CHECK_EQ(in->val, 0);
	CHECK_EQ(run_once(v), -EINTR);
	CHECK_EQ(in->val, 0);
	v->run->immediate_exit = 0;

	expect_mmio(v, 0, GPA_MMIO, 4, 0xabcdef01);
	CHECK_EQ(in->val, 0x12345678);
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	memset(v->run->mmio.data, 0, 8);
	v->run->immediate_exit = 0;
	run_sync(v, 1);
	CHECK_EQ(rd->val, 0xabcdef01);
	run_done(v);
}
