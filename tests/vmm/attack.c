// SPDX-License-Identifier: GPL-2.0-only
/* How an attack's end is judged; the contract is in attack.h. */
#include "attack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define LOG_MAX		(160 * 1024)
/* Longer than hv/iommu/faults.c leaves lines out for after a flood. */
#define CALM_MS		1100
#define TELL_MS		5000

bool attack_open;
static const char *device;
static char log_text[LOG_MAX];
static double log_mark;
static int64_t faults_mark;

static size_t read_whole(const char *path, char *to, size_t max)
{
	int fd = open(path, O_RDONLY);
	size_t have = 0;
	ssize_t n;

	CHECK(fd >= 0);
	while (have < max - 1 && (n = read(fd, to + have, max - 1 - have)) > 0)
		have += n;
	close(fd);
	to[have] = 0;
	return have;
}

static void log_read(void)
{
	read_whole("/dev/bedplate", log_text, sizeof(log_text));
}

void log_head(char *to, size_t len)
{
	log_read();
	memcpy(to, log_text, len);
}

/* Lines are "W [    1.234567] text". */
static double time_of(const char *line)
{
	double t;

	return sscanf(line, "%*c [%lf]", &t) == 1 ? t : -1;
}

static double log_time(void)
{
	double last = 0, t;

	log_read();
	for (char *line = log_text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		t = time_of(line);
		if (t > last)
			last = t;
	}
	return last;
}

int64_t bp_stat(const char *name)
{
	char text[4096], *line;
	size_t len = strlen(name);

	read_whole("/sys/kernel/bedplate/stats", text, sizeof(text));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoll(line + len, NULL, 10);
	return -1;
}

static int64_t faults(void)
{
	return bp_stat("io_faults");
}

int64_t attack_faults(void)
{
	return faults() - faults_mark;
}

void attack_begin(void)
{
	const char *mode = getenv("BP_ATTACK");

	CHECK(mode && (!strcmp(mode, "open") || !strcmp(mode, "closed")));
	attack_open = !strcmp(mode, "open");
	if (!device)
		device = edu_open();
	if (attack_open)
		return;
	CHECK(faults() >= 0);
	sleep_ms(CALM_MS);
	log_mark = log_time();
	faults_mark = faults();
}

/* Does the line tell of this device's access, and of this page? */
static bool tells(char *line, const char *what, const uint64_t *addr)
{
	char *at = strstr(line, device);

	if (!at || time_of(line) <= log_mark)
		return false;
	at = strstr(at, what);
	return at && (!addr || strtoull(at + strlen(what), NULL, 16) >> 12 == *addr >> 12);
}

static bool told(const char *what, const uint64_t *addr)
{
	char *line, *rest = log_text;

	log_read();
	while ((line = strsep(&rest, "\n")))
		if (tells(line, what, addr))
			return true;
	return false;
}

bool attack_untold(void)
{
	if (access("/sys/firmware/acpi/tables/IVRS", F_OK) || attack_faults())
		return false;
	sleep_ms(200);
	return !attack_faults();
}

int attack_lines(void)
{
	char *line, *rest = log_text;
	int n = 0;

	log_read();
	while ((line = strsep(&rest, "\n")))
		n += strstr(line, "IOMMU: ") && time_of(line) > log_mark;
	return n;
}

static void judge(bool landed, const char *what, const uint64_t *addr)
{
	if (attack_open) {
		CHECK(landed);
		return;
	}
	CHECK(!landed);
	if (attack_untold())
		return;
	for (int ms = 0; !told(what, addr); ms += 50) {
		if (ms >= TELL_MS)
			vmm_fail("Bedplate's log tells of it", __FILE__, __LINE__, "%s: %s0x%llx, %lld faults",
				 device, what, addr ? (unsigned long long)*addr : 0,
				 (long long)attack_faults());
		sleep_ms(50);
	}
	CHECK(attack_faults() > 0);
}

void attack_read(bool landed, uint64_t addr) { judge(landed, ": read at ", &addr); }
void attack_write(bool landed, uint64_t addr) { judge(landed, ": write at ", &addr); }
void attack_message(bool landed) { judge(landed, ": interrupt blocked", NULL); }

void attack_none(void)
{
	if (!attack_open)
		CHECK_EQ(attack_faults(), 0);
}
