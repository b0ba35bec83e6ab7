/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_CREATE_DEVICE, and of its devices the one that is told of VFIO's files. */
#include "test.h"

#include <fcntl.h>
#include <glob.h>

static int attr(int fd, unsigned long cmd, uint32_t group, uint64_t nr, const void *p)
{
	struct kvm_device_attr a = { .group = group, .attr = nr, .addr = (uintptr_t)p };

	return ioctl(fd, cmd, &a);
}

static int file_attr(int fd, uint64_t nr, int32_t file)
{
	return attr(fd, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE, nr, &file);
}

static int create(struct vm *vm, uint32_t type, uint32_t flags)
{
	struct kvm_create_device c = { .type = type, .fd = -7, .flags = flags };

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &c))
		return -1;
	return flags ? (int)c.fd == -7 ? 0 : -2 : (int)c.fd;
}

static struct vm *vm_with_devices(void)
{
	struct vm *vm = vm_new(G_script, 1, 0);

	if (check_cap(vm->fd, KVM_CAP_DEVICE_CTRL) <= 0)
		SKIP("no KVM_CAP_DEVICE_CTRL");
	return vm;
}

/* A VM has one of it at a time; asking whether it could be made makes none. */
TEST(vfio, create)
{
	struct vm *vm = vm_with_devices();
	int fd, type;

	for (type = 0; type < 64; type++)
		if (type != KVM_DEV_TYPE_VFIO)
			CHECK_ERRNO(create(vm, type, KVM_CREATE_DEVICE_TEST), ENODEV);
	CHECK_ERRNO(create(vm, -1u, 0), ENODEV);
	CHECK_EQ(create(vm, KVM_DEV_TYPE_VFIO, KVM_CREATE_DEVICE_TEST), 0);
	fd = create(vm, KVM_DEV_TYPE_VFIO, 0);
	CHECK(fd >= 0);
	CHECK_EQ(create(vm, KVM_DEV_TYPE_VFIO, KVM_CREATE_DEVICE_TEST), 0);
	CHECK_ERRNO(create(vm, KVM_DEV_TYPE_VFIO, 0), EBUSY);
	CHECK_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	CHECK_EQ(close(fd), 0);
	fd = create(vm, KVM_DEV_TYPE_VFIO, 0);
	CHECK(fd >= 0);
	/* It keeps the VM, whose vCPU runs on. */
	CHECK_EQ(close(vm->fd), 0);
	run_done(&vm->vcpu[0]);
}

TEST(vfio, attributes)
{
	struct vm *vm = vm_with_devices();
	int fd = create(vm, KVM_DEV_TYPE_VFIO, 0);

	CHECK(fd >= 0);
	CHECK_EQ(attr(fd, KVM_HAS_DEVICE_ATTR, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, NULL), 0);
	CHECK_EQ(attr(fd, KVM_HAS_DEVICE_ATTR, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, NULL), 0);
	CHECK_ERRNO(attr(fd, KVM_HAS_DEVICE_ATTR, KVM_DEV_VFIO_FILE, 0, NULL), ENXIO);
	CHECK_ERRNO(attr(fd, KVM_HAS_DEVICE_ATTR, 5, KVM_DEV_VFIO_FILE_ADD, NULL), ENXIO);
	CHECK_ERRNO(attr(fd, KVM_GET_DEVICE_ATTR, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, NULL), EPERM);
	CHECK_ERRNO(attr(fd, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE, 9, NULL), ENXIO);
	CHECK_ERRNO(attr(fd, KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, NULL), EFAULT);
	CHECK_ERRNO(ioctl(fd, KVM_CREATE_VCPU, 0), ENOTTY);
	CHECK_ERRNO(file_attr(fd, KVM_DEV_VFIO_FILE_ADD, -1), EBADF);
	CHECK_ERRNO(file_attr(fd, KVM_DEV_VFIO_FILE_DEL, -1), EBADF);
	/* Files that are not VFIO's. */
	CHECK_ERRNO(file_attr(fd, KVM_DEV_VFIO_FILE_ADD, vm->fd), EINVAL);
	CHECK_ERRNO(file_attr(fd, KVM_DEV_VFIO_FILE_DEL, vm->fd), ENOENT);
}

/* The file of some group whose devices are all VFIO's. */
static int open_group(void)
{
	int fd = -1;
	glob_t g;

	if (glob("/dev/vfio/[0-9]*", 0, NULL, &g))
		return -1;
	for (size_t i = 0; i < g.gl_pathc && fd < 0; i++)
		fd = open(g.gl_pathv[i], O_RDWR);
	globfree(&g);
	return fd;
}

TEST(vfio, group)
{
	struct vm *vm = vm_with_devices();
	int fd = create(vm, KVM_DEV_TYPE_VFIO, 0), group = open_group();
	struct gop *rd;

	CHECK(fd >= 0);
	if (group < 0)
		SKIP("VFIO has no device");
	op_add(vm, OP_WRITE, 8, GPA_SCRATCH, 0x1234);
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(&vm->vcpu[0], 1);
	CHECK_EQ(file_attr(fd, KVM_DEV_VFIO_FILE_ADD, group), 0);
	CHECK_ERRNO(file_attr(fd, KVM_DEV_VFIO_FILE_ADD, group), EEXIST);
	rd = op_add(vm, OP_READ, 8, GPA_SCRATCH, 0);
	op_add(vm, OP_SYNC, 0, 2, 0);
	run_sync(&vm->vcpu[0], 2);
	CHECK_EQ(rd->val, 0x1234);
	CHECK_EQ(file_attr(fd, KVM_DEV_VFIO_FILE_DEL, group), 0);
	CHECK_ERRNO(file_attr(fd, KVM_DEV_VFIO_FILE_DEL, group), ENOENT);
	/* What the device's file holds it lets go when it is closed. */
	CHECK_EQ(file_attr(fd, KVM_DEV_VFIO_FILE_ADD, group), 0);
	CHECK_EQ(close(fd), 0);
	run_done(&vm->vcpu[0]);
}
