// SPDX-License-Identifier: GPL-2.0-only
/* Xen's interface as it is in memory and registers. */
#include "layout.h"

static const struct bp_xen_layout layouts[] = {
	{
		.ports = 1024, .pending = 0x800, .mask = 0x880, .wall = 0x900, .wall_hi = 0x924,
		.sel = 4, .word_shift = 5, .times = 4,
	},
	{
		.ports = XEN_MAX_PORTS, .pending = 0x800, .mask = 0xa00, .wall = 0xc00,
		.wall_hi = 0xc0c, .sel = 8, .word_shift = 6, .times = 8,
	},
};

const struct bp_xen_layout *bp_xen_layout(bool wide)
{
	return &layouts[wide];
}

#define MOV_EAX		0xb8
#define RET		0xc3
#define INT3		0xcc

void bp_xen_stub(u8 *to, u32 nr, const u8 *insn)
{
	memset(to, INT3, XEN_STUB_SIZE);
	*to++ = MOV_EAX;
	memcpy(to, &nr, sizeof(nr));
	to += sizeof(nr);
	memcpy(to, insn, XEN_INSN_SIZE);
	to[XEN_INSN_SIZE] = RET;
}

/* ---- runstates ---- */

void bp_xen_runstate_to(struct bp_xen_runstate *rs, u32 state, u64 now, u64 stolen)
{
	u64 past = now - rs->since;

	if (!rs->since)
		rs->state = XEN_OFFLINE;
	if (rs->state == XEN_RUNNING) {
		if (stolen > past)
			stolen = past;
		rs->time[XEN_RUNNABLE] += stolen;
		past -= stolen;
	}
	rs->time[rs->state] += past;
	rs->state = state;
	rs->since = now;
}

u32 bp_xen_runstate_put(const struct bp_xen_runstate *rs, bool wide, u8 *to)
{
	u32 times = bp_xen_layout(wide)->times;

	memset(to, 0, times);
	memcpy(to, &rs->state, sizeof(rs->state));
	memcpy(to + times, &rs->since, sizeof(rs->since));
	memcpy(to + times + sizeof(rs->since), rs->time, sizeof(rs->time));
	return times + sizeof(rs->since) + sizeof(rs->time);
}

static bool adds_up(const struct kvm_xen_vcpu_attr *a)
{
	return a->u.runstate.state_entry_time ==
	       a->u.runstate.time_running + a->u.runstate.time_runnable +
	       a->u.runstate.time_blocked + a->u.runstate.time_offline;
}

int bp_xen_runstate_set(struct bp_xen_runstate *rs, const struct kvm_xen_vcpu_attr *a, u64 now)
{
	if (a->u.runstate.state >= XEN_RUNSTATES || !adds_up(a) ||
	    a->u.runstate.state_entry_time > now)
		return -EINVAL;
	rs->state = a->u.runstate.state;
	rs->since = a->u.runstate.state_entry_time;
	rs->time[XEN_RUNNING] = a->u.runstate.time_running;
	rs->time[XEN_RUNNABLE] = a->u.runstate.time_runnable;
	rs->time[XEN_BLOCKED] = a->u.runstate.time_blocked;
	rs->time[XEN_OFFLINE] = a->u.runstate.time_offline;
	return 0;
}

int bp_xen_runstate_add(struct bp_xen_runstate *rs, const struct kvm_xen_vcpu_attr *a, u64 now)
{
	u64 since = rs->since + a->u.runstate.state_entry_time;

	/* Another state is entered by who calls; ~0 leaves it. */
	if ((a->u.runstate.state >= XEN_RUNSTATES && a->u.runstate.state != ~0ull) ||
	    !adds_up(a) || since > now)
		return -EINVAL;
	rs->since = since;
	rs->time[XEN_RUNNING] += a->u.runstate.time_running;
	rs->time[XEN_RUNNABLE] += a->u.runstate.time_runnable;
	rs->time[XEN_BLOCKED] += a->u.runstate.time_blocked;
	rs->time[XEN_OFFLINE] += a->u.runstate.time_offline;
	return 0;
}

void bp_xen_runstate_get(const struct bp_xen_runstate *rs, struct kvm_xen_vcpu_attr *a)
{
	a->u.runstate.state = rs->state;
	a->u.runstate.state_entry_time = rs->since;
	a->u.runstate.time_running = rs->time[XEN_RUNNING];
	a->u.runstate.time_runnable = rs->time[XEN_RUNNABLE];
	a->u.runstate.time_blocked = rs->time[XEN_BLOCKED];
	a->u.runstate.time_offline = rs->time[XEN_OFFLINE];
}

/* ---- time ---- */

#define NS_PER_S	1000000000ull

void bp_xen_scale(u32 khz, struct bp_xen_scale *s)
{
	u64 hz = khz ? khz * 1000ull : 1;

	/* The multiplier as large as 32 bits allow. */
	s->shift = 0;
	while (hz > 2 * NS_PER_S) {
		hz >>= 1;
		s->shift--;
	}
	while (hz <= NS_PER_S) {
		hz <<= 1;
		s->shift++;
	}
	s->mul = (NS_PER_S << 32) / hz;
}

u64 bp_xen_scaled(const struct bp_xen_scale *s, u64 ticks)
{
	ticks = s->shift >= 0 ? ticks << s->shift : ticks >> -s->shift;
	return (ticks >> 32) * s->mul + ((u32)ticks * (u64)s->mul >> 32);
}

#define FAR_AWAY	(1ll << 50)	/* ns: about 13 days */
#define INSTEAD		100000000	/* ns */

s64 bp_xen_timeout(u64 *at, u64 now)
{
	s64 left = *at - now;

	if ((s64)*at >= 0 && left < FAR_AWAY)
		return left;
	*at = now + INSTEAD;
	return INSTEAD;
}

/* ---- CPUID ---- */

#define LEAF_FIRST	0x40000000u
#define LEAF_STEP	0x100u
#define LEAF_LAST	0x40010000u
#define LEAF_TIME	3

static bool is_xen(const struct kvm_cpuid_entry2 *e)
{
	const u32 words[3] = { e->ebx, e->ecx, e->edx };

	return e->function >= LEAF_FIRST && e->function < LEAF_LAST &&
	       !(e->function % LEAF_STEP) && !memcmp(words, "XenVMMXenVMM", sizeof(words));
}

static const struct kvm_cpuid_entry2 *find_base(const struct kvm_cpuid2 *cpuid)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++)
		if (is_xen(&cpuid->entries[i]))
			return &cpuid->entries[i];
	return NULL;
}

static bool put(u32 *to, u32 val)
{
	bool other = *to != val;

	*to = val;
	return other;
}

bool bp_xen_cpuid_time(struct kvm_cpuid2 *cpuid, const struct bp_xen_scale *s, u32 khz)
{
	const struct kvm_cpuid_entry2 *base = find_base(cpuid);
	struct kvm_cpuid_entry2 *e;
	bool changed = false;

	if (!base || base->function + LEAF_TIME > base->eax)
		return false;
	for (e = cpuid->entries; e < cpuid->entries + cpuid->nent; e++) {
		if (e->function != base->function + LEAF_TIME)
			continue;
		if (e->index == 1) {
			changed |= put(&e->ecx, s->mul);
			changed |= put(&e->edx, (u8)s->shift);
		} else if (e->index == 2) {
			changed |= put(&e->eax, khz);
		}
	}
	return changed;
}
