/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands of `bedplate` share: one function each, files, and complaints.
 *
 * A command's argv[0] is its name; it returns the program's exit status.
 */
#ifndef BEDPLATE_TOOL_H
#define BEDPLATE_TOOL_H

#include "hv/core/lib/types.h"

#define DONE		0
#define FAILED		1	/* no Bedplate, no right, or it went wrong */
#define MISUSED		2	/* arguments */

int cmd_check(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_version(int argc, char **argv);

/* ---- what there is to read; below $BEDPLATE_ROOT if that is set, for tests ---- */
#define SYS_DIR		"/sys/kernel/bedplate/"
#define SYS_STATS	SYS_DIR "stats"
#define SYS_VERSION	SYS_DIR "version"
#define SYS_LAST_LOG	SYS_DIR "last_log"
#define SYS_LOGLEVEL	SYS_DIR "loglevel"
#define SYS_WEIGHT	SYS_DIR "weight"
#define PROC_VIEW	"/proc/bedplate"
#define DEV_LOG		"/dev/bedplate"
#define NX_HUGE_PAGES	"/sys/module/kvm/parameters/nx_huge_pages"

/* ---- files.c ---- */
/* As open(2), but below the root of files; -1 and errno. */
int file_open(const char *path, int flags);
/* All of it, with a NUL behind; NULL and errno.  @len may be NULL.  The caller frees. */
char *file_read(const char *path, size_t *len);
/* The same, of its first @most bytes. */
char *file_read_start(const char *path, size_t *len, size_t most);
/* All of it, or the reason on standard error, and NULL. */
char *file_need(const char *path, size_t *len);
/* A complaint about @path for errno: says who has to be root, and what has to be loaded. */
void file_complain(const char *path, int err);
/* The first line of @text without its end, in place. */
char *first_line(char *text);
/* Write all; false and errno. */
bool write_all(int fd, const void *data, size_t len);

/* ---- complain.c: a line on standard error, "bedplate: ..." ---- */
void complain(const char *fmt, ...) __printf(1, 2);
/* A mistake in the arguments of @command; returns MISUSED. */
int misused(const char *command, const char *fmt, ...) __printf(2, 3);

/* Of the release that the program was built from. */
const char *tool_version(void);

/* Out of memory ends the program. */
void *must(void *p);

#endif
