// SPDX-License-Identifier: GPL-2.0-only
/* Reading files whole; those of sysfs and /proc have no size until they are read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#define LARGEST	(256u << 20)	/* of one file */

int file_open(const char *path, int flags)
{
	const char *root = getenv("BEDPLATE_ROOT");
	char full[4096];

	if (!root || !*root)
		return open(path, flags | O_CLOEXEC);
	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(full, flags | O_CLOEXEC);
}

/* Returns bytes read, or -1. */
static ssize_t read_some(int fd, void *to, size_t n)
{
	ssize_t got;

	do
		got = read(fd, to, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* The first @most bytes. */
static char *read_fd(int fd, size_t *len, size_t most)
{
	size_t size = 8192, n = 0;
	char *text = must(malloc(size));
	ssize_t got = 0;

	while (n < most && (got = read_some(fd, text + n, min(size - n - 1, most - n))) > 0) {
		n += got;
		if (size - n < 4096)
			text = must(realloc(text, size *= 2));
	}
	if (got < 0) {
		free(text);
		return NULL;
	}
	text[n] = 0;
	*len = n;
	return text;
}

char *file_read_start(const char *path, size_t *len, size_t most)
{
	int fd = file_open(path, O_RDONLY), err;
	char *text;

	if (fd < 0)
		return NULL;
	text = read_fd(fd, len, most);
	err = errno;
	close(fd);
	errno = err;
	return text;
}

char *file_read(const char *path, size_t *len)
{
	size_t n = 0;
	char *text = file_read_start(path, &n, LARGEST + 1);

	if (text && n > LARGEST) {
		free(text);
		errno = EFBIG;
		return NULL;
	}
	if (len)
		*len = n;
	return text;
}

void file_complain(const char *path, int err)
{
	if (err == ENOENT || err == ENODEV || err == ENXIO)
		complain("%s is not there: does this machine run on Bedplate, and is bedplate.ko loaded?", path);
	else if ((err == EACCES || err == EPERM) && geteuid())
		complain("%s: %s: only root may do this", path, strerror(err));
	else
		complain("%s: %s", path, strerror(err));
}

char *file_need(const char *path, size_t *len)
{
	char *text = file_read(path, len);

	if (!text)
		file_complain(path, errno);
	return text;
}

char *first_line(char *text)
{
	text[strcspn(text, "\n")] = 0;
	return text;
}

bool write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}
