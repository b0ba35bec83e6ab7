// SPDX-License-Identifier: GPL-2.0-only
/* bedplate log [-f] [--last]. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define LOOK_MS	500	/* the device says nothing when a line comes */

static int output_failed(void)
{
	if (errno == EPIPE)
		return DONE;
	complain("output: %s", strerror(errno));
	return FAILED;
}

/* Nobody reads any more? */
static bool reader_gone(int wait_ms)
{
	struct pollfd p = { .fd = STDOUT_FILENO };

	if (poll(&p, 1, wait_ms) > 0 && (p.revents & (POLLERR | POLLHUP)))
		return true;
	return false;
}

static int copy_log(int fd, bool follow)
{
	char buf[4096];
	ssize_t n;

	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			file_complain(DEV_LOG, errno);
			return FAILED;
		}
		if (n && !write_all(STDOUT_FILENO, buf, n))
			return output_failed();
		if (!n && (!follow || reader_gone(LOOK_MS)))
			return DONE;
	}
}

static int show_log(bool follow)
{
	int fd = file_open(DEV_LOG, O_RDONLY), status;

	if (fd < 0) {
		file_complain(DEV_LOG, errno);
		return FAILED;
	}
	status = copy_log(fd, follow);
	close(fd);
	return status;
}

static int show_last(void)
{
	char *version = file_need(SYS_VERSION, NULL), *text;
	int status = DONE;
	size_t len;

	if (!version)
		return FAILED;
	free(version);
	text = file_read(SYS_LAST_LOG, &len);
	if (!text && errno != ENOENT) {
		file_complain(SYS_LAST_LOG, errno);
		return FAILED;
	}
	if (!text || !len) {
		complain("no log of the boot before was found");
		status = FAILED;
	} else if (!write_all(STDOUT_FILENO, text, len)) {
		status = output_failed();
	}
	free(text);
	return status;
}

int cmd_log(int argc, char **argv)
{
	static const struct option options[] = {
		{ "follow", no_argument, NULL, 'f' }, { "last", no_argument, NULL, 'l' }, { 0 },
	};
	bool follow = false, last = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "f", options, NULL)) != -1) {
		if (c == '?')
			return misused("log", "log: no option \"%s\"", argv[optind - 1]);
		follow |= c == 'f';
		last |= c == 'l';
	}
	if (optind < argc)
		return misused("log", "log: \"%s\" is one argument too many", argv[optind]);
	if (follow && last)
		return misused("log", "log: the log of the boot before has an end: no -f with --last");
	return last ? show_last() : show_log(follow);
}
