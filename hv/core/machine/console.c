// SPDX-License-Identifier: GPL-2.0-only
/* The consoles that there are, and whose they are. */
#include "console.h"
#include "log.h"
#include "panic.h"

#define CONSOLES_MAX	2

static const struct console *consoles[CONSOLES_MAX];
static u32 nr_consoles;
static bool remapped, released;

void console_add(const struct console *con)
{
	ASSERT(nr_consoles < CONSOLES_MAX);
	if (remapped)
		log_replay(con->write);
	consoles[nr_consoles++] = con;
	if (remapped)
		log_info("console: %s", con->name);
}

/* Keep those for which @fn, if they have it, returns true. */
static void keep_if(bool (*fn)(const struct console *con))
{
	u32 i, n = 0;

	for (i = 0; i < nr_consoles; i++)
		if (fn(consoles[i]))
			consoles[n++] = consoles[i];
	nr_consoles = n;
}

static bool remap(const struct console *con)
{
	return !con->remap || con->remap();
}

void console_remap(void)
{
	u32 i;

	keep_if(remap);
	remapped = true;
	for (i = 0; i < nr_consoles; i++)
		log_info("console: %s", consoles[i]->name);
}

void console_write(const char *s, u32 len)
{
	u32 i;

	for (i = 0; i < nr_consoles && !released; i++)
		consoles[i]->write(s, len);
}

void console_release(void)
{
	released = true;
}

static bool seize(const struct console *con)
{
	return con->seize();
}

void console_seize(void)
{
	if (!released)
		return;
	keep_if(seize);
	released = false;
	console_write("\n", 1);	/* domain 0 may be in the middle of a line */
}
