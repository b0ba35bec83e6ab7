/* SPDX-License-Identifier: GPL-2.0-only */
/* nx_huge_pages: large pages that cannot be executed, and what becomes of those that are. */
#include "large.h"
#include "late.h"

static struct counts after_call(struct vm *vm, struct vcpu *v, int stage)
{
	run_sync(v, stage);
	return counts(vm);
}

/* Code in a large page is run from small ones, which nothing large replaces; others stay. */
TEST(nx, split)
{
	struct counts before;
	uint8_t *m;
	struct vm *vm;
	int64_t splits;
	int fd;

	CHECK_EQ(set_param("nx_huge_pages", "force"), 0);
	CHECK_EQ(set_param("nx_huge_pages_recovery_ratio", "0"), 0);
	vm = large_slot(&m, &before);
	fd = ioctl(vm->fd, KVM_GET_STATS_FD);
	splits = stat_of(fd, "nx_lpage_splits");
	CHECK(splits >= 0);
	for (int i = 2; i <= 4; i++) {
		op_add(vm, OP_CALL, 0, HIGH + 16 + (i == 4 ? 400 * PAGE : 0), 0);
		op_add(vm, OP_WRITE, 8, HIGH + 8, i);
		op_add(vm, OP_SYNC, 0, i, 0);
	}
	for (int i = 2; i <= 4; i++) {
		CHECK_EQ(after_call(vm, &vm->vcpu[0], i).large, before.large + 1);
		CHECK_EQ(stat_of(fd, "nx_lpage_splits"), splits + 1);
	}
	CHECK_EQ(m[8], 4);
	/* By the other rule everything is mapped anew. */
	CHECK_EQ(set_param("nx_huge_pages", "off"), 0);
	CHECK_EQ(stat_of(fd, "nx_lpage_splits"), 0);
	op_add(vm, OP_CALL, 0, HIGH + 16, 0);
	op_add(vm, OP_WRITE, 8, HIGH + LARGE, 5);
	op_add(vm, OP_SYNC, 0, 5, 0);
	run_sync(&vm->vcpu[0], 5);
	CHECK_EQ(stat_of(fd, "nx_lpage_splits"), 0);
	CHECK(counts(vm).large >= 2);
	run_done(&vm->vcpu[0]);
	CHECK_EQ(set_param("nx_huge_pages_recovery_ratio", "60"), 0);
}

TEST(nx, recovery)
{
	struct counts before;
	uint8_t *m;
	struct vm *vm;
	int64_t splits;
	int fd;

	CHECK_EQ(set_param("nx_huge_pages", "force"), 0);
	CHECK_EQ(set_param("nx_huge_pages_recovery_ratio", "1"), 0);
	CHECK_EQ(set_param("nx_huge_pages_recovery_period_ms", "0"), 0);
	vm = large_slot(&m, &before);
	fd = ioctl(vm->fd, KVM_GET_STATS_FD);
	op_add(vm, OP_CALL, 0, HIGH + 16, 0);
	op_add(vm, OP_SYNC, 0, 2, 0);
	op_add(vm, OP_READ, 8, HIGH + 8, 0);
	op_add(vm, OP_SYNC, 0, 3, 0);
	run_sync(&vm->vcpu[0], 2);
	splits = stat_of(fd, "nx_lpage_splits");
	CHECK(splits >= 1);
	CHECK_EQ(counts(vm).large, before.large + 1);
	/* Within the hour nothing happens; now at once. */
	CHECK_EQ(set_param("nx_huge_pages_recovery_period_ms", "20"), 0);
	for (int i = 0; i < 500 && stat_of(fd, "nx_lpage_splits"); i++)
		sleep_ms(20);
	CHECK_EQ(stat_of(fd, "nx_lpage_splits"), 0);
	CHECK_EQ(set_param("nx_huge_pages_recovery_period_ms", "0"), 0);
	CHECK_EQ(set_param("nx_huge_pages_recovery_ratio", "0"), 0);
	run_sync(&vm->vcpu[0], 3);
	CHECK(counts(vm).large >= before.large + 2);
	run_done(&vm->vcpu[0]);
	CHECK_EQ(set_param("nx_huge_pages", "off"), 0);
	CHECK_EQ(set_param("nx_huge_pages_recovery_ratio", "60"), 0);
}

/* A VM may do without. */
TEST(nx, disabled)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_VM_DISABLE_NX_HUGE_PAGES };
	uint8_t *m = large_pages();
	struct vm *vm;
	int fd;

	if (check_cap(kvm_fd, KVM_CAP_VM_DISABLE_NX_HUGE_PAGES) <= 0)
		SKIP("no KVM_CAP_VM_DISABLE_NX_HUGE_PAGES");
	vm = vm_new(G_script, 1, 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);	/* there is a vCPU */
	fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);
	cap.args[0] = 1;
	CHECK_ERRNO(ioctl(fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 0;
	cap.flags = 1;
	CHECK_ERRNO(ioctl(fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.flags = 0;
	CHECK_EQ(ioctl(fd, KVM_ENABLE_CAP, &cap), 0);
	CHECK_EQ(ioctl(fd, KVM_ENABLE_CAP, &cap), 0);
	CHECK(m[0] == RET);
}

struct log_reader {
	struct vm *vm;
	struct late to;
};

static void *read_log(void *arg)
{
	struct log_reader *r = arg;
	struct kvm_dirty_log log = { .slot = 2, .dirty_bitmap = r->to.mem };

	CHECK_EQ(ioctl(r->vm->fd, KVM_GET_DIRTY_LOG, &log), 0);
	return NULL;
}

/* The parameter is all VMs': one whose slots are being read, for as long as it likes, keeps nobody. */
TEST(nx, slots_kept)
{
	struct log_reader r = { .to = late_new(1) };
	pthread_t t;

	CHECK_EQ(set_param("nx_huge_pages", "off"), 0);
	r.vm = vm_new(G_script, 1, 0);
	CHECK_EQ(vm_slot(r.vm, 2, HIGH, PAGE, mem_new(PAGE), KVM_MEM_LOG_DIRTY_PAGES), 0);
	CHECK_EQ(pthread_create(&t, NULL, read_log, &r), 0);
	CHECK_EQ(late_wanted(&r.to), 0);
	CHECK_EQ(set_param("nx_huge_pages", "force"), 0);
	run_done(&vm_new(G_script, 1, 0)->vcpu[0]);
	late_bring(&r.to, 0, NULL);
	CHECK_EQ(pthread_join(t, NULL), 0);
	CHECK_EQ(set_param("nx_huge_pages", "off"), 0);
}

TEST(nx, parameters)
{
	static const char *const words[] = { "force", "Y", "off", "N", "1", "Y", "0", "N", "y", "Y", "n", "N" };
	int fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

	CHECK(fd >= 0);
	for (unsigned int i = 0; i < sizeof(words) / sizeof(*words); i += 2) {
		CHECK_EQ(set_param("nx_huge_pages", words[i]), 0);
		CHECK(!strcmp(get_param("nx_huge_pages"), words[i + 1]));
	}
	CHECK_EQ(set_param("nx_huge_pages", "perhaps"), -EINVAL);
	CHECK_EQ(set_param("nx_huge_pages", "never"), -EBUSY);
	CHECK_EQ(set_param("nx_huge_pages", "auto"), 0);
	CHECK_EQ(set_param("nx_huge_pages_recovery_ratio", "-1"), -EINVAL);
	CHECK_EQ(set_param("nx_huge_pages_recovery_ratio", "4294967296"), -ERANGE);
	CHECK_EQ(set_param("nx_huge_pages_recovery_ratio", "0x3c"), 0);
	CHECK(!strcmp(get_param("nx_huge_pages_recovery_ratio"), "60"));
	CHECK_EQ(set_param("nx_huge_pages_recovery_period_ms", "x"), -EINVAL);
	CHECK(!strcmp(get_param("nx_huge_pages_recovery_period_ms"), "0"));
}
