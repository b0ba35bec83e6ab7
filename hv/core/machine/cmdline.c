// SPDX-License-Identifier: GPL-2.0-only
/* Table of Bedplate's options, and their parser. */
#include "cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "log.h"

struct choice {
	const char *word;
	u32 value;
};

struct option {
	const char *name;
	size_t field;			/* offset in struct hv_options */
	const struct choice *choices;	/* ends with a NULL word; may be NULL */
	bool number;			/* also takes a number from min to max */
	u32 min, max;
};

static const struct choice level_choices[] = {
	{ "err", LOG_ERR }, { "warn", LOG_WARN }, { "info", LOG_INFO },
	{ "debug", LOG_DEBUG }, { NULL, 0 },
};
static const struct choice panic_choices[] = {
	{ "halt", 0 }, { "reboot", PANIC_AT_ONCE }, { NULL, 0 },
};
static const struct choice watchdog_choices[] = { { "off", 0 }, { NULL, 0 } };
static const struct choice timer_choices[] = { { "auto", 0 }, { "apic", 1 }, { NULL, 0 } };
static const struct choice iommu_choices[] = {
	{ "on", IOMMU_ON }, { "off", IOMMU_OFF }, { "required", IOMMU_REQUIRED }, { NULL, 0 },
};
static const struct choice vtd_choices[] = {
	{ "auto", VTD_AUTO }, { "legacy", VTD_LEGACY }, { "scalable", VTD_SCALABLE }, { NULL, 0 },
};
static const struct choice idle_choices[] = { { "hlt", 0 }, { "deep", 1 }, { NULL, 0 } };
static const struct choice apicv_choices[] = {
	{ "on", APICV_ON }, { "delivery", APICV_DELIVERY },
	{ "registers", APICV_REGISTERS }, { "off", APICV_OFF },
	{ "none", APICV_NONE }, { NULL, 0 },
};

static const struct choice off_choices[] = { { "on", 0 }, { "off", 1 }, { NULL, 0 } };
static const struct choice ibpb_choices[] = {
	{ "on", IBPB_ON }, { "off", IBPB_OFF }, { "guests", IBPB_GUESTS }, { NULL, 0 },
};
static const struct choice l1d_choices[] = {
	{ "switch", L1D_SWITCH }, { "off", L1D_OFF }, { "always", L1D_ALWAYS }, { NULL, 0 },
};
static const struct choice verw_choices[] = {
	{ "on", VERW_ON }, { "off", VERW_OFF }, { "always", VERW_ALWAYS }, { NULL, 0 },
};

#define FIELD(f) offsetof(struct hv_options, f)

/* Each, and serial=, is described in docs/boot.md. */
static const struct option options[] = {
	{ "loglevel", FIELD(loglevel), level_choices, true, LOG_ERR, LOG_DEBUG },
	{ "panic", FIELD(panic_reboot), panic_choices, true, 0, 3600 },
	{ "watchdog", FIELD(watchdog), watchdog_choices, true, 0, 3600 },
	{ "dom0_max_cpus", FIELD(dom0_max_cpus), NULL, true, 1, 256 },
	{ "hide_hypervisor", FIELD(hide_hypervisor), NULL, true, 0, 1 },
	{ "timer", FIELD(timer_apic), timer_choices, false, 0, 0 },
	{ "iommu", FIELD(iommu), iommu_choices, false, 0, 0 },
	{ "vtd", FIELD(vtd), vtd_choices, false, 0, 0 },
	{ "microcode", FIELD(microcode_off), off_choices, false, 0, 0 },
	{ "idle", FIELD(idle_deep), idle_choices, false, 0, 0 },
	{ "apicv", FIELD(apicv), apicv_choices, false, 0, 0 },
	{ "bus_lock", FIELD(bus_lock_off), off_choices, false, 0, 0 },
	{ "notify", FIELD(notify_off), off_choices, false, 0, 0 },
	{ "mitigations", FIELD(mitigations_off), off_choices, false, 0, 0 },
	{ "ibpb", FIELD(ibpb), ibpb_choices, false, 0, 0 },
	{ "ibrs", FIELD(ibrs_off), off_choices, false, 0, 0 },
	{ "bhi", FIELD(bhi_off), off_choices, false, 0, 0 },
	{ "rsb", FIELD(rsb_off), off_choices, false, 0, 0 },
	{ "l1d_flush", FIELD(l1d_flush), l1d_choices, false, 0, 0 },
	{ "srso", FIELD(srso_off), off_choices, false, 0, 0 },
	{ "verw", FIELD(verw), verw_choices, false, 0, 0 },
};

#define DEFAULTS { .serial.kind = SERIAL_AUTO, .loglevel = LOG_INFO }

struct hv_options hv_options = DEFAULTS;

u32 cmdline_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

bool cmdline_number(const char *s, size_t n, u64 *val)
{
	u32 base = 10;
	u64 v = 0;
	size_t i;

	if (n > 2 && s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
		n -= 2;
	}
	for (i = 0; i < n; i++) {
		if (cmdline_digit(s[i]) >= base || v >> 59)
			return false;
		v = v * base + cmdline_digit(s[i]);
	}
	*val = v;
	return n > 0;
}

static bool same(const char *word, const char *s, size_t n)
{
	return strlen(word) == n && !memcmp(word, s, n);
}

static bool parse_value(const struct option *opt, const char *s, size_t n, u32 *val)
{
	const struct choice *c;
	u64 number;

	for (c = opt->choices; c && c->word; c++)
		if (same(c->word, s, n)) {
			*val = c->value;
			return true;
		}
	if (!opt->number || !cmdline_number(s, n, &number) || number < opt->min ||
	    number > opt->max)
		return false;
	*val = (u32)number;
	return true;
}

static void copy_word(char *to, const char *s, size_t n)
{
	n = min(n, (size_t)CMDLINE_WORD - 1);
	memcpy(to, s, n);
	to[n] = 0;
}

static int malformed(struct cmdline_report *rep, const char *s, size_t n)
{
	copy_word(rep->bad, s, n);
	return -EINVAL;
}

static int parse_word(const char *s, size_t n, struct hv_options *o,
		      struct cmdline_report *rep)
{
	const char *eq = memchr(s, '=', n);
	size_t name = eq ? (size_t)(eq - s) : n;
	u32 i;

	if (same("serial", s, name))
		return eq && serial_option_parse(eq + 1, n - name - 1, &o->serial) ?
		       0 : malformed(rep, s, n);
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (!same(options[i].name, s, name))
			continue;
		if (eq && parse_value(&options[i], eq + 1, n - name - 1,
				      (u32 *)(void *)((char *)o + options[i].field)))
			return 0;
		return malformed(rep, s, n);
	}
	if (rep->nr_unknown < ARRAY_SIZE(rep->unknown))
		copy_word(rep->unknown[rep->nr_unknown], s, n);
	rep->nr_unknown++;
	return 0;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int cmdline_parse(const char *line, struct hv_options *o, struct cmdline_report *rep)
{
	const char *s;
	int err;

	*o = (struct hv_options)DEFAULTS;
	memset(rep, 0, sizeof(*rep));
	while (*line) {
		if (blank(*line)) {
			line++;
			continue;
		}
		for (s = line; *line && !blank(*line); line++)
			;
		err = parse_word(s, line - s, o, rep);
		if (err)
			return err;
	}
	return 0;
}
