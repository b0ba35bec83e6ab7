// SPDX-License-Identifier: GPL-2.0-only
/* The value of serial=: docs/boot.md lists its forms. */
#include "cmdline.h"
#include "lib/string.h"
#include "serial.h"

#define PORT_MIN	0x10
#define PORT_MAX	0xfff8

/* Is @word at the start of the rest? It is passed over then. */
static bool eat(const char **s, size_t *n, const char *word)
{
	size_t len = strlen(word);

	if (*n < len || memcmp(*s, word, len))
		return false;
	*s += len;
	*n -= len;
	return true;
}

/* One or two hexadecimal digits up to @max. */
static bool eat_hex(const char **s, size_t *n, u32 max, u32 *val)
{
	size_t i;

	*val = 0;
	for (i = 0; i < *n && i < 2 && cmdline_digit((*s)[i]) < 16; i++)
		*val = *val << 4 | cmdline_digit((*s)[i]);
	*s += i;
	*n -= i;
	return i && *val <= max;
}

/* BB:DD.F */
static bool parse_bdf(const char *s, size_t n, u16 *bdf)
{
	u32 bus, slot, function;

	if (!eat_hex(&s, &n, 0xff, &bus) || !eat(&s, &n, ":") ||
	    !eat_hex(&s, &n, 31, &slot) || !eat(&s, &n, ".") ||
	    !eat_hex(&s, &n, 7, &function) || n)
		return false;
	*bdf = (u16)(bus << 8 | slot << 3 | function);
	return true;
}

static bool parse_mmio(const char *s, size_t n, u8 width, struct serial_option *o)
{
	*o = (struct serial_option){ .kind = SERIAL_MMIO, .width = width, .baud = o->baud };
	return cmdline_number(s, n, &o->addr) && o->addr && IS_ALIGNED(o->addr, width) &&
	       o->addr < 1ull << 52;
}

static bool parse_pci(const char *s, size_t n, struct serial_option *o)
{
	*o = (struct serial_option){ .kind = SERIAL_PCI, .search = !n, .baud = o->baud };
	return !n || (eat(&s, &n, ":") && parse_bdf(s, n, &o->bdf));
}

static bool parse_port(const char *s, size_t n, struct serial_option *o)
{
	*o = (struct serial_option){ .kind = SERIAL_PORT, .baud = o->baud };
	return cmdline_number(s, n, &o->addr) && o->addr >= PORT_MIN && o->addr <= PORT_MAX;
}

/* What names no device and so takes no speed. */
static bool parse_word(const char *s, size_t n, struct serial_option *o)
{
	static const struct {
		const char *word;
		enum serial_kind kind;
	} words[] = { { "auto", SERIAL_AUTO }, { "off", SERIAL_OFF }, { "spcr", SERIAL_SPCR } };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i].word) == n && !memcmp(words[i].word, s, n)) {
			*o = (struct serial_option){ .kind = words[i].kind };
			return true;
		}
	return false;
}

/* Cut ",BAUD" off; without it *baud stays. */
static bool cut_baud(const char *s, size_t *n, u32 *baud)
{
	const char *comma = memchr(s, ',', *n);
	u64 val;

	if (!comma)
		return true;
	if (!cmdline_number(comma + 1, *n - (size_t)(comma + 1 - s), &val) || val > 4000000)
		return false;
	*n = (size_t)(comma - s);
	*baud = (u32)val;
	return true;
}

bool serial_option_parse(const char *s, size_t n, struct serial_option *o)
{
	bool mmio, mmio32;

	if (parse_word(s, n, o))
		return true;
	mmio = n > 4 && !memcmp(s, "mmio", 4);
	o->baud = mmio ? 0 : SERIAL_DEFAULT_BAUD;
	if (!cut_baud(s, &n, &o->baud))
		return false;
	mmio32 = eat(&s, &n, "mmio32:");
	if (mmio32 || eat(&s, &n, "mmio:"))
		return parse_mmio(s, n, mmio32 ? 4 : 1, o);
	if (eat(&s, &n, "pci"))
		return parse_pci(s, n, o);
	return parse_port(s, n, o);
}
