// SPDX-License-Identifier: GPL-2.0-only
/* The kernel that runs, as the service VM's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define KERNEL(major, minor)	((major) * 1000u + (minor))

/* Those that bedplate.ko is compiled for (dom0-shim/compat.h), in their order. */
static const u32 tried[] = { KERNEL(6, 12), KERNEL(7, 3) };

static void check_version(struct check *c, const char *release)
{
	u32 major, minor, version;
	size_t i;

	if (sscanf(release, "%u.%u", &major, &minor) != 2) {
		check_row(c, CHECK_WARNING, "kernel", "\"%s\" is no version", release);
		return;
	}
	version = KERNEL(major, minor);
	for (i = 0; i < ARRAY_SIZE(tried) && tried[i] < version; i++)
		;
	if (i == ARRAY_SIZE(tried))
		check_row(c, CHECK_NO, "kernel", "%s is too new for the module", release);
	else if (tried[i] == version)
		check_row(c, CHECK_OK, "kernel", "%s", release);
	else if (!i)
		check_row(c, CHECK_NO, "kernel", "%s is too old for the module", release);
	else
		check_row(c, CHECK_WARNING, "kernel", "%s: the module was tried with older and newer ones", release);
}

/* Is "CONFIG_X=y" or "=m" a line of @config? */
static bool configured(const char *config, const char *name)
{
	const char *at = config;
	size_t n = strlen(name);

	while ((at = strstr(at, name))) {
		if ((at == config || at[-1] == '\n') && at[n] == '=' && (at[n + 1] == 'y' || at[n + 1] == 'm'))
			return true;
		at += n;
	}
	return false;
}

static void check_config(struct check *c, const char *release)
{
	static const char *const needed[] = { "CONFIG_KVM", "CONFIG_MMU_NOTIFIER", "CONFIG_EVENTFD" };
	char path[256], *config;
	bool fine = true;
	size_t i;

	snprintf(path, sizeof(path), "/boot/config-%s", release);
	config = file_read(path, NULL);
	if (!config) {
		check_row(c, CHECK_WARNING, "configuration", "%s cannot be read: the kernel must be built with KVM", path);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(needed); i++)
		if (!configured(config, needed[i])) {
			check_row(c, CHECK_NO, "configuration", "the kernel is built without %s", needed[i]);
			fine = false;
		}
	if (fine)
		check_row(c, CHECK_OK, "configuration", "KVM, MMU notifiers, eventfd");
	free(config);
}

void check_kernel(struct check *c)
{
	char *release = file_read("/proc/sys/kernel/osrelease", NULL);

	if (!release) {
		check_row(c, CHECK_WARNING, "kernel", "its version is not known");
		return;
	}
	first_line(release);
	check_version(c, release);
	check_config(c, release);
	free(release);
}
