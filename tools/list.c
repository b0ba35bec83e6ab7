// SPDX-License-Identifier: GPL-2.0-only
/* bedplate list: a line for each guest. */
#include <stdio.h>
#include <string.h>

#include "out.h"
#include "view.h"

/* Most vCPUs of a VM halt or run; what any of them does, the VM does. */
static char state_letter(const struct view *v, u32 dom)
{
	static const struct { const char *state; char letter; } order[] = {
		{ "running", 'r' }, { "runnable", 'w' }, { "halted", 'b' },
	};
	const struct row *r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		for_each_vcpu(v, r, dom)
			if (!strcmp(row_str(r, "state"), order[i].state))
				return order[i].letter;
	return 's';
}

static const char *state_word(char letter)
{
	return letter == 'r' ? "running" : letter == 'w' ? "waits" : letter == 'b' ? "idle" : "stopped";
}

static void show(const struct view *v, const struct row *r)
{
	char memory[32], mapped[32], run[32], name[sizeof(r->name)];
	size_t i;

	for (i = 0; r->name[i]; i++)
		name[i] = plain(r->name[i]);
	name[i] = 0;
	human_bytes(memory, sizeof(memory), row_u64(r, "memory_bytes"));
	human_bytes(mapped, sizeof(mapped), row_u64(r, "mapped") * 4096);
	human_time(run, sizeof(run), row_u64(r, "run_ns"));
	printf("%6u %-24.24s %7llu %6llu %11s %11s %10s %s\n", r->dom, name,
	       row_u64(r, "pid"), row_u64(r, "vcpus"), memory,
	       mapped, run, state_word(state_letter(v, r->dom)));
}

int cmd_list(int argc, char **argv)
{
	const struct row *r;
	struct view v;

	if (argc > 1)
		return misused(argv[0], "%s: \"%s\" is one argument too many", argv[0], argv[1]);
	if (!view_read(&v))
		return FAILED;
	printf("%6s %-24s %7s %6s %11s %11s %10s %s\n", "id", "name", "pid", "vcpus", "memory",
	       "mapped", "cpu_s", "state");
	for_each_domain(&v, r)
		if (r->dom)
			show(&v, r);
	view_free(&v);
	return DONE;
}
