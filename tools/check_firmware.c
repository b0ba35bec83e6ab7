// SPDX-License-Identifier: GPL-2.0-only
/* How the machine boots. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

#define SECURE_BOOT	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

static bool exists(const char *path)
{
	int fd = file_open(path, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Four bytes of attributes, then one of data. */
static void check_secure_boot(struct check *c)
{
	size_t len;
	char *var = file_read(SECURE_BOOT, &len);

	if (!var && errno != ENOENT)
		check_row(c, CHECK_WARNING, "Secure Boot", "cannot be read (%s)", strerror(errno));
	else if (var && len == 5 && var[4] == 1)
		check_row(c, CHECK_WARNING, "Secure Boot",
			  "on: Bedplate starts only if it is signed with a key that firmware knows");
	else
		check_row(c, CHECK_OK, "Secure Boot", "off");
	free(var);
}

void check_firmware(struct check *c)
{
	if (!exists("/sys/firmware/efi")) {
		check_row(c, CHECK_OK, "boot mode", "BIOS, by GRUB");
		return;
	}
	check_row(c, CHECK_OK, "boot mode", "UEFI");
	check_secure_boot(c);
}
