// SPDX-License-Identifier: GPL-2.0-only
/* What the command bedplate reads: requests by HTTP, the kernel's files, logs, command lines of processes. */
// SOURCES: tools/http_answer.c tools/iomem.c tools/logline.c tools/view.c tools/vmname.c tools/files.c tools/complain.c tools/rates.c tools/toptext.c tools/prometheus.c tools/out.c
// CFLAGS: -D_GNU_SOURCE
#include "fuzz.h"

#include "tools/http.h"
#include "tools/iomem.h"
#include "tools/logline.h"
#include "tools/out.h"
#include "tools/prometheus.h"
#include "tools/toptext.h"
#include "tools/view.h"
#include "tools/vmname.h"

const char *tool_version(void) { return "0"; }

static char *page(size_t *len)
{
	*len = 4;
	return strdup("page");
}

static void http(struct input *in)
{
	size_t len = in->left, n = 0;
	char *request = (char *)take_copy(in, len), *answer;

	answer = http_answer(request, len, page, "text/plain", &n);
	REQUIRE(!answer || (n > 12 && !memcmp(answer, "HTTP/1.1 ", 9)));
	REQUIRE(answer || len < HTTP_REQUEST);
	free(answer);
	free(request);
}

static char *text(struct input *in, size_t n)
{
	char *s = calloc(1, n + 1);

	REQUIRE(s);
	take_bytes(in, s, n);
	return s;
}

static void kernel_files(struct input *in)
{
	char *s = text(in, in->left), buf[40];
	u64 all = iomem_ram(s, SZ_4G), one = iomem_largest(s, SZ_4G);

	REQUIRE(one <= SZ_4G);
	(void)all;
	if (log_find(s, "ab", buf, sizeof(buf)))
		REQUIRE(memchr(buf, 0, sizeof(buf)));
	free(s);
}

static void names(struct input *in)
{
	size_t len = in->left, i;
	char *s = (char *)take_copy(in, len), name[16];

	if (vm_name_parse(s, len, name, sizeof(name))) {
		REQUIRE(*name && memchr(name, 0, sizeof(name)));
		for (i = 0; name[i]; i++)
			REQUIRE((u8)name[i] >= ' ' && name[i] != 0x7f);
	}
	free(s);
}

/* What top shows is ASCII, whatever names say. */
static void show(const struct view *before, const struct view *now, u8 how)
{
	struct top_options o = { .sort = how % NR_SORTS, .reverse = how & 16, .vcpus = how & 32 };
	char *out = NULL;
	size_t len = 0, i;
	FILE *f = open_memstream(&out, &len);

	REQUIRE(f);
	top_write(f, how & 64 ? before : NULL, now, &o, 20 + how);
	fclose(f);
	for (i = 0; i < len; i++)
		REQUIRE(out[i] == '\n' || (out[i] >= ' ' && out[i] < 0x7f));
	free(out);
	f = open_memstream(&out, &len);
	REQUIRE(f);
	prometheus_write(f, now);
	fclose(f);
	free(out);
}

static void views(struct input *in)
{
	struct view before, now;
	u8 how = take8(in);
	size_t part = in->left / 4;
	char *stats = text(in, part), *proc = text(in, part);

	view_parse(&before, stats, proc);
	stats = text(in, part);
	proc = text(in, in->left);
	view_parse(&now, stats, proc);
	now.at_ns = how * 1000ull;
	show(&before, &now, how);
	view_free(&before);
	view_free(&now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	if (size > 8192)
		return 0;
	switch (take8(&in) % 4) {
	case 0: http(&in); break;
	case 1: kernel_files(&in); break;
	case 2: names(&in); break;
	default: views(&in);
	}
	return 0;
}
