// SPDX-License-Identifier: GPL-2.0-only
/*
 * The UEFI application's readers: bedplate.conf, the hypervisor's image, names, load
 * options and the firmware's memory map.
 */
// SOURCES: boot/efi/conf.c boot/efi/image.c boot/efi/names.c boot/efi/efimap.c hv/core/machine/efi_map.c hv/core/machine/memplan.c hv/core/lib/printf.c
// CFLAGS: -fshort-wchar
#include "fuzz.h"

#include "boot/efi/conf.h"
#include "boot/efi/efimap.h"
#include "boot/efi/image.h"
#include "boot/efi/names.h"

static struct conf conf;
static struct mem_map map;

static bool in_text(const struct conf_value *v, const char *text, size_t len)
{
	return !*v->text || (v->text >= text && v->text + strlen(v->text) <= text + len);
}

static void read_conf(struct input *in)
{
	size_t len = in->left;
	char *text = (char *)take_copy(in, len + 1);
	struct conf_error e = { 0 };
	u32 i, j;

	if (!conf_parse(text, len, &conf, &e)) {
		REQUIRE(*e.text && memchr(e.text, 0, sizeof(e.text)));
		free(text);
		return;
	}
	REQUIRE(conf.nr >= 1 && conf.nr <= CONF_MAX_ENTRIES && conf.chosen < conf.nr);
	REQUIRE(conf.timeout <= CONF_MAX_TIMEOUT);
	for (i = 0; i < conf.nr; i++) {
		const struct conf_entry *c = &conf.entry[i];

		REQUIRE(in_text(&c->name, text, len) && *c->name.text);
		REQUIRE(in_text(&c->title, text, len) && in_text(&c->options, text, len));
		REQUIRE(in_text(&c->kernel, text, len) && in_text(&c->cmdline, text, len));
		REQUIRE(c->nr_initrds <= CONF_MAX_INITRDS && conf_find(&conf, c->name.text));
		for (j = 0; j < c->nr_initrds; j++)
			REQUIRE(in_text(&c->initrd[j], text, len));
	}
	free(text);
}

/* Segments in the first MiBs are filled in; what lies elsewhere is planned only. */
static void read_image(struct input *in, bool honest)
{
	size_t len = in->left;
	u8 *elf = take_copy(in, len), *to;
	struct image_plan p;

	if (honest) {
		put_at(elf, len, 0, 0x00010102464c457full, 8);
		put_at(elf, len, 18, 62, 2);
		put_at(elf, len, 32, 64, 8);
		put_at(elf, len, 54, 56, 2);
		if (len > 64)
			put_at(elf, len, 56, (len - 64) / 56, 2);
	}
	if (!image_plan(elf, len, &p)) {
		REQUIRE(p.start < p.end && p.end <= SZ_4G && p.start >= SZ_1M);
		REQUIRE(IS_ALIGNED(p.start | p.end, PAGE_SIZE));
		REQUIRE(p.entry >= p.start && p.entry < p.end);
		if (p.end - p.start <= SZ_1M) {
			to = malloc(p.end - p.start);
			image_fill(elf, &p, to);
			free(to);
		}
	}
	free(elf);
}

static void read_names(struct input *in)
{
	u16 self[NAME_PATH_MAX], out[NAME_PATH_MAX];
	char entry[64], *path;
	u32 bytes;
	u16 *options;

	take_bytes(in, self, take8(in) * 2u);
	self[NAME_PATH_MAX - 1] = 0;
	bytes = take8(in) & ~1u;
	options = (u16 *)take_copy(in, bytes);
	name_of_entry(entry, sizeof(entry), options, bytes);
	REQUIRE(memchr(entry, 0, sizeof(entry)));
	free(options);
	path = (char *)take_copy(in, in->left + 1);
	if (!name_path(out, self, path))
		REQUIRE(name_len(out, NAME_PATH_MAX) < NAME_PATH_MAX);
	free(path);
}

static void read_map(struct input *in)
{
	u64 desc = 40 + take8(in) % 3 * 8, odd = take8(in);
	struct efi_map m = { .desc_size = odd & 1 ? desc : take8(in), .bytes = in->left, .desc_version = 1 };
	u8 *copy = take_copy(in, in->left);
	u32 i;

	m.descs = copy;
	for (i = 0; (odd & 2) && m.desc_size >= 40 && (i + 1) * m.desc_size <= m.bytes; i++) {
		put_at(copy, m.bytes, i * m.desc_size + 12, 0, 2);	/* plausible: small addresses */
		put_at(copy, m.bytes, i * m.desc_size + 26, 0, 6);
		copy[i * m.desc_size] %= 15;
		put_at(copy, m.bytes, i * m.desc_size + 1, 0, 3);
	}
	if (!efimap_ranges(&m, &map)) {
		REQUIRE(map.nr <= MEM_MAX_RANGES);
		for (i = 0; i < map.nr; i++)
			REQUIRE(map.r[i].start < map.r[i].end && (!i || map.r[i - 1].start <= map.r[i].start));
		(void)efimap_is_ram(&map, SZ_1M, SZ_2M);
		(void)efimap_keep(&m, &map);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u8 what = take8(&in);

	if (size > 8192)
		return 0;
	switch (what % 4) {
	case 0: read_conf(&in); break;
	case 1: read_image(&in, what & 4); break;
	case 2: read_names(&in); break;
	default: read_map(&in);
	}
	return 0;
}
