// SPDX-License-Identifier: GPL-2.0-only
/*
 * bp-kexec: loads another kernel, as kexec-tools do, and starts it.
 *
 *	bp-kexec KERNEL INITRD CMDLINE		starts it at once
 *	bp-kexec --crash KERNEL INITRD CMDLINE	for the next panic; wants crashkernel=
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

int main(int argc, char **argv)
{
	bool crash = argc > 1 && !strcmp(argv[1], "--crash");
	char **arg = argv + 1 + crash;

	if (argc != 4 + crash) {
		fprintf(stderr, "usage: bp-kexec [--crash] KERNEL INITRD CMDLINE\n");
		return 2;
	}
	if (syscall(SYS_kexec_file_load, file(arg[0]), file(arg[1]), strlen(arg[2]) + 1, arg[2],
		    crash ? KEXEC_FILE_ON_CRASH : 0))
		die("kexec_file_load");
	if (crash)
		return 0;
	sync();
	reboot(LINUX_REBOOT_CMD_KEXEC);
	die("reboot");
}
