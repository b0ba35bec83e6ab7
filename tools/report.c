// SPDX-License-Identifier: GPL-2.0-only
/* bedplate report [-o FILE]: all that a bug report needs, in one text. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "machine.h"
#include "out.h"

#define KLOG_READ_ALL	3
#define KLOG_SIZE	10

static const char about[] =
	"A report of the machine for Bedplate's developers. It holds: versions, Bedplate's logs of this\n"
	"boot and the one before, its counters with the names of processes that run guests, what\n"
	"\"bedplate check\" says, the kernel's command line, log, modules, interrupts and memory, CPUID, the\n"
	"memory map, PCI devices, and the ACPI tables of CPUs and IOMMUs. It holds nothing of guests'\n"
	"memory, and no command lines of programs. Values in command lines and logs are left out where\n"
	"their names look like secrets (pass, key, token, ...); the kernel's log may name disks, network\n"
	"addresses and serial numbers. Read it before you send it.\n";

static void heading(FILE *f, const char *what)
{
	fprintf(f, "\n==== %s\n", what);
}

/* ---- text, without what could be a secret: Bedplate's log and Linux's have command lines ---- */

static bool secret(const char *name, size_t len)
{
	static const char *const signs[] = { "pass", "secret", "token", "key", "cred" };
	size_t i, at;

	for (i = 0; i < ARRAY_SIZE(signs); i++)
		for (at = 0; at + strlen(signs[i]) <= len; at++)
			if (!strncasecmp(name + at, signs[i], strlen(signs[i])))
				return true;
	return false;
}

/* Bytes up to the next blank, or to the end of a value in quotes. */
static size_t word_len(const char *s, const char *end)
{
	const char *at = s;

	while (at < end && *at != ' ' && *at != '\n') {
		bool quoted = at[0] == '=' && at + 1 < end && at[1] == '"';
		const char *close = quoted ? memchr(at + 2, '"', end - at - 2) : NULL;

		at = close ? close + 1 : at + 1;
	}
	return at - s;
}

/* Bytes that are no plain text show as '?'. */
static void put_bytes(FILE *f, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		fputc(s[i] == '\n' || s[i] == '\t' ? s[i] : plain(s[i]), f);
}

static void put_text(FILE *f, const char *text, size_t len)
{
	const char *s = text, *end = text + len;

	while (s < end) {
		size_t n = word_len(s, end);
		const char *eq = memchr(s, '=', n);

		if (eq && secret(s, eq - s)) {
			put_bytes(f, s, eq - s);
			fputs("=(left out)", f);
		} else {
			put_bytes(f, s, n);
		}
		s += n;
		if (s < end)
			fputc(*s++, f);
	}
	if (len && text[len - 1] != '\n')
		fputc('\n', f);
}

static void put_file(FILE *f, const char *path)
{
	size_t len;
	char *text = file_read(path, &len);

	heading(f, path);
	if (text)
		put_text(f, text, len);
	else
		fprintf(f, "(%s)\n", strerror(errno));
	free(text);
}

/* ---- the kernel's log ---- */

static void put_kernel_log(FILE *f)
{
	int size = klogctl(KLOG_SIZE, NULL, 0), n;
	char *text;

	heading(f, "the kernel's log");
	if (size <= 0) {
		fprintf(f, "(%s)\n", strerror(errno));
		return;
	}
	text = must(malloc(size + 1));
	n = klogctl(KLOG_READ_ALL, text, size);
	if (n < 0)
		fprintf(f, "(%s)\n", strerror(errno));
	else
		put_text(f, text, n);
	free(text);
}

/* ---- the CPU ---- */

static void put_leaf(FILE *f, u32 leaf, u32 sub)
{
	struct cpuid_regs c = machine_cpuid(leaf, sub);

	if (c.eax | c.ebx | c.ecx | c.edx)
		fprintf(f, "%08x %02x %08x %08x %08x %08x\n", leaf, sub, c.eax, c.ebx, c.ecx, c.edx);
}

/* In the form that machine.h reads again.  Leaf 3 is the serial number of old CPUs. */
static void put_cpuid(FILE *f)
{
	static const u32 ranges[] = { 0, 0x40000000, 0x40000100, 0x80000000 };
	u32 leaf, sub, top;
	size_t i;

	heading(f, "CPUID");
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		top = machine_cpuid(ranges[i], 0).eax;
		for (leaf = ranges[i]; leaf <= top && leaf - ranges[i] < 64; leaf++)
			for (sub = 0; leaf != 3 && sub < (leaf < 0x40 ? 8 : 1); sub++)
				put_leaf(f, leaf, sub);
	}
}

static void put_first_cpu(FILE *f)
{
	char *text = file_read("/proc/cpuinfo", NULL), *end;

	heading(f, "/proc/cpuinfo, the first");
	if (!text)
		return;
	end = strstr(text, "\n\n");
	put_text(f, text, end ? (size_t)(end - text) : strlen(text));
	free(text);
}

/* ---- ACPI, PCI ---- */

static void put_table(FILE *f, const char *name)
{
	char path[64];
	size_t len, i;
	char *table;

	snprintf(path, sizeof(path), "/sys/firmware/acpi/tables/%s", name);
	table = file_read(path, &len);
	if (!table)
		return;
	heading(f, path);
	for (i = 0; i < len; i++)
		fprintf(f, "%02x%s", (u8)table[i], i % 32 == 31 || i + 1 == len ? "\n" : " ");
	free(table);
}

static void put_command(FILE *f, const char *what, char *const argv[])
{
	int status = 0;
	pid_t pid;

	heading(f, what);
	fflush(f);
	pid = fork();
	if (!pid) {
		dup2(fileno(f), STDOUT_FILENO);
		dup2(fileno(f), STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	fseek(f, 0, SEEK_END);
	if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
		fprintf(f, "(there is no %s)\n", argv[0]);
}

/* ---- all ---- */

static void put_head(FILE *f)
{
	time_t t = time(NULL);
	struct utsname u;
	char now[32] = "?";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(now, sizeof(now), "%Y-%m-%d %H:%M:%S UTC", &tm);
	fputs(about, f);
	heading(f, "versions");
	fprintf(f, "made %s by the tool %s\n", now, tool_version());
	if (!uname(&u))
		fprintf(f, "%s %s %s\n", u.release, u.version, u.machine);
}

static void put_all(FILE *f)
{
	static char *const lspci[] = { (char *)"lspci", (char *)"-nn", NULL };
	static const char *const tables[] = { "APIC", "DMAR", "IVRS", "MCFG", "SPCR" };
	size_t i;

	put_head(f);
	put_file(f, "/etc/os-release");
	put_file(f, SYS_VERSION);
	put_file(f, "/proc/cmdline");
	put_file(f, DEV_LOG);
	put_file(f, SYS_LAST_LOG);
	put_file(f, SYS_STATS);
	put_file(f, PROC_VIEW);
	heading(f, "bedplate check");
	check_machine(f, false);
	put_first_cpu(f);
	put_cpuid(f);
	put_file(f, "/proc/iomem");
	put_file(f, "/proc/meminfo");
	put_file(f, "/proc/modules");
	put_file(f, "/proc/interrupts");
	put_command(f, "lspci -nn", lspci);
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		put_table(f, tables[i]);
	put_kernel_log(f);
}

/* Only the owner may read it: so it is no file that somebody made or opened before. */
static FILE *create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f)
		complain("report: %s: %s", path, strerror(errno));
	return f;
}

static int write_report(const char *path)
{
	FILE *f = create(path);

	if (!f)
		return FAILED;
	put_all(f);
	if (ferror(f) | fclose(f)) {
		complain("report: %s: %s", path, strerror(errno));
		return FAILED;
	}
	fprintf(stderr, "bedplate: the report is in %s; read it before you send it\n", path);
	return DONE;
}

int cmd_report(int argc, char **argv)
{
	const char *path = NULL;
	int c;

	opterr = 0;
	while ((c = getopt(argc, argv, "o:")) != -1) {
		if (c == '?')
			return misused("report", "report: \"%s\"", argv[optind - 1]);
		path = optarg;
	}
	if (optind < argc)
		return misused("report", "report: \"%s\" is one argument too many", argv[optind]);
	if (geteuid())
		complain("report: without root most of it is missing");
	if (path)
		return write_report(path);
	put_all(stdout);
	return DONE;
}
