// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without libFuzzer: gives a target each file that is named, and each of the directories
 * that are, once. Ends as the target ends: a sanitizer or REQUIRE() stops it.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

static u32 inputs;

static void replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	u8 *data;
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0) {
		perror(path);
		exit(2);
	}
	rewind(f);
	data = malloc(size ? (size_t)size : 1);
	if (!data || fread(data, 1, (size_t)size, f) != (size_t)size) {
		perror(path);
		exit(2);
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	inputs++;
}

static void replay(const char *path)
{
	struct dirent *e;
	struct stat st;
	char name[4096];
	DIR *d;

	if (stat(path, &st)) {
		perror(path);
		exit(2);
	}
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		replay_file(name);
	}
	if (d)
		closedir(d);
}

/* Only libFuzzer mutates. */
size_t LLVMFuzzerMutate(uint8_t *data __unused, size_t size, size_t max __unused)
{
	return size;
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%u inputs\n", inputs);
	return inputs ? 0 : 2;
}
