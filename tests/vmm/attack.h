/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-attack: a service VM's driver turns its device against what is not the service
 * VM's. BP_ATTACK=open: nothing confines devices, and each attack must succeed, or it would
 * show nothing; BP_ATTACK=closed: each must be stopped, and Bedplate's log must say so.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "edu.h"
#include "test.h"

extern bool attack_open;

/* Before the attack: the device is found, and what the log says from here on counts. */
void attack_begin(void);
/* No attack: nothing is told of it in either mode. */
void attack_none(void);
/*
 * The attack was made: it @landed or it did not, as the mode wants; stopped ones are told
 * with the device, the direction and the page of @addr.
 */
void attack_read(bool landed, uint64_t addr);
void attack_write(bool landed, uint64_t addr);
void attack_message(bool landed);

/* Since the attack began: faults that Bedplate has counted, and lines of its log about them. */
int64_t attack_faults(void);
int attack_lines(void);
/*
 * QEMU's AMD-Vi stops what it must and tells of nothing (docs/testbed.md): there is no count
 * either. Then it is what was reached, or was not, that counts.
 */
bool attack_untold(void);
#define UNTOLD	"this emulator's unit tells of nothing"
/* A line of Bedplate's statistics; -1: none of that name. */
int64_t bp_stat(const char *name);

/* Messages as without remapping (SDM vol. 3, 11.11), to the CPU with that APIC ID. */
#define MESSAGE(cpu)	(0xfee00000ull | (cpu) << 12)
/*
 * An entry that nobody has: by VT-d's address in the new format (VT-d specification, 5.1.2.2) number
 * 0x7000 with the data's 0x700; to an AMD-Vi, which takes the data's low bits, number 0x700.
 */
#define FORGED_ADDR	(0xfee00018ull | 0x7000 << 5)
#define FORGED_DATA	0x700
/* Linux counts these as "DFR", looks for an error, and finds none. */
#define VECTOR_DEFERRED	0xf4

/* The first bytes of Bedplate's log. */
void log_head(char *to, size_t len);
/* Where Bedplate's image keeps the log, and where its pool begins. */
uint64_t log_ring(void);
uint64_t pool_base(void);

/* Frames that the kernel has marked as donated: their number, at most @max of them in @list. */
int donated(uint64_t *list, int max);
bool among(const uint64_t *list, int n, uint64_t frame);

/* Interrupts that the kernel has counted in the line of that name, all CPUs. */
uint64_t irq_count(const char *name);

#endif
