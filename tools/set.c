// SPDX-License-Identifier: GPL-2.0-only
/* bedplate set NAME VALUE; without arguments what can be set, and what it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view.h"

static const char *const levels[] = { "err", "warn", "info", "debug" };

static int write_file(const char *path, const char *text)
{
	int fd = file_open(path, O_WRONLY | O_TRUNC), err = 0;

	if (fd < 0) {
		file_complain(path, errno);
		return FAILED;
	}
	if (!write_all(fd, text, strlen(text)))
		err = errno;
	close(fd);
	if (err == ENOENT)
		complain("set: there is no such domain");
	else if (err)
		file_complain(path, err);
	return err ? FAILED : DONE;
}

static int set_loglevel(const char *value)
{
	char text[16];
	u64 level;

	for (level = 0; level < ARRAY_SIZE(levels); level++)
		if (!strcmp(value, levels[level]))
			break;
	if (level == ARRAY_SIZE(levels) && (!parse_u64(value, &level) || level >= ARRAY_SIZE(levels)))
		return misused("set", "set: loglevel is err, warn, info, debug, or 0 to 3, not \"%s\"", value);
	snprintf(text, sizeof(text), "%u\n", (u32)level);
	return write_file(SYS_LOGLEVEL, text);
}

static int set_weight(const char *domain, const char *value)
{
	u64 dom, weight;
	char text[64];

	if (!parse_u64(domain, &dom) || !dom || dom > UINT32_MAX)
		return misused("set", "set: \"%s\" is no domain of a guest", domain);
	if (!parse_u64(value, &weight) || !weight || weight > 10000)
		return misused("set", "set: a weight is 1 to 10000, not \"%s\"", value);
	snprintf(text, sizeof(text), "%u %u\n", (u32)dom, (u32)weight);
	return write_file(SYS_WEIGHT, text);
}

static int show(void)
{
	char *text = file_need(SYS_LOGLEVEL, NULL);
	const struct row *r;
	struct view v;
	u64 level;

	if (!text)
		return FAILED;
	if (!parse_u64(first_line(text), &level) || level >= ARRAY_SIZE(levels))
		printf("loglevel %s\n", text);
	else
		printf("loglevel %s\n", levels[level]);
	free(text);
	if (!view_read(&v))
		return FAILED;
	for_each_domain(&v, r)
		if (r->dom)
			printf("weight.%u %s\n", r->dom, row_str(r, "weight"));
	view_free(&v);
	return DONE;
}

int cmd_set(int argc, char **argv)
{
	if (argc == 1)
		return show();
	if (argc != 3)
		return misused("set", "set: NAME and VALUE are wanted");
	if (!strcmp(argv[1], "loglevel"))
		return set_loglevel(argv[2]);
	if (!strncmp(argv[1], "weight.", 7))
		return set_weight(argv[1] + 7, argv[2]);
	return misused("set", "set: \"%s\" cannot be set: loglevel and weight.DOMAIN can", argv[1]);
}
