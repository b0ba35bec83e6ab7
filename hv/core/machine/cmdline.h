/* SPDX-License-Identifier: GPL-2.0-only */
/* Bedplate's own options; docs/boot.md describes each. */
#ifndef BP_CORE_CMDLINE_H
#define BP_CORE_CMDLINE_H

#include "lib/types.h"
#include "serial.h"

struct hv_options {
	u32 loglevel;		/* enum log_level */
	struct serial_option serial;
	u32 panic_reboot;	/* 0 halt, else after so many seconds or PANIC_AT_ONCE */
	u32 watchdog;		/* seconds, 0: off */
	u32 dom0_max_cpus;	/* 0: all */
	u32 hide_hypervisor;
	u32 timer_apic;		/* 1: count, even if there is a TSC deadline */
	u32 iommu;		/* IOMMU_: of the boot option */
	u32 vtd;		/* VTD_: mode of VT-d units */
	u32 microcode_off;	/* 1: leave it as firmware has loaded it (microcode.h) */
	u32 idle_deep;		/* 1: MWAIT where it waits deeper than HLT (idle.h) */
	u32 apicv;		/* APICV_: APIC virtualisation by the CPU, at most this */
	u32 bus_lock_off;	/* 1: guests' bus locks do not exit */
	u32 notify_off;		/* 1: nor do instructions without end */

	/* Mitigations (speculation.h), 0 = as the CPU needs them */
	u32 mitigations_off;	/* all of them, whatever the others say */
	u32 ibpb;		/* IBPB_ */
	u32 ibrs_off;
	u32 bhi_off;
	u32 rsb_off;
	u32 l1d_flush;		/* L1D_ */
	u32 srso_off;
	u32 verw;		/* VERW_ */
};

#define PANIC_AT_ONCE	0xffffffffu

enum { IOMMU_ON, IOMMU_OFF, IOMMU_REQUIRED };
enum { VTD_AUTO, VTD_LEGACY, VTD_SCALABLE };
enum { APICV_ON, APICV_DELIVERY, APICV_REGISTERS, APICV_OFF, APICV_NONE };
enum { IBPB_ON, IBPB_OFF, IBPB_GUESTS };
enum { L1D_SWITCH, L1D_OFF, L1D_ALWAYS };
enum { VERW_ON, VERW_OFF, VERW_ALWAYS };

/* Constant once hv_main() has parsed the command line. */
extern struct hv_options hv_options;

#define CMDLINE_WORD	64

/* What cmdline_parse() did not like; words cut to what fits. */
struct cmdline_report {
	u32 nr_unknown;
	char unknown[4][CMDLINE_WORD];	/* the first few unknown options */
	char bad[CMDLINE_WORD];		/* the first malformed one */
};

/*
 * Fill @o (defaults first) from @line, words separated by blanks. Unknown
 * words are counted in @rep and passed over; -EINVAL at a malformed value, with
 * rep->bad naming it. Pure.
 */
int cmdline_parse(const char *line, struct hv_options *o, struct cmdline_report *rep);

/* For parsers of values: decimal or 0x hexadecimal, all of [s, s + n); a digit, 16: none. */
bool cmdline_number(const char *s, size_t n, u64 *val);
u32 cmdline_digit(char c);

#endif
