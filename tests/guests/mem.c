/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that touch memory while the VMM changes what is behind it. */
#include "lib.h"

/*
 * arg[0]: first address; arg[1]: pages; arg[2]: 0 write and read back, 1 count the pages not zero.
 * Page n gets (its address ^ arg[3]); res[0]: pages that were wrong.
 */
void guest_touch(int cpu)
{
	u64 bad = 0;

	(void)cpu;
	for (u64 i = 0, a = P->arg[0]; i < P->arg[1]; i++, a += 4096) {
		if (P->arg[2])
			bad += MEM(u64, a) != 0;
		else
			MEM(u64, a) = a ^ P->arg[3];
	}
	for (u64 i = 0, a = P->arg[0]; !P->arg[2] && i < P->arg[1]; i++, a += 4096)
		bad += MEM(u64, a) != (a ^ P->arg[3]);
	P->res[0] = bad;
}

/* Write a rising number to arg[0] until arg[1] is set; the last number is in res[0]. */
void guest_counter(int cpu)
{
	(void)cpu;
	for (u64 n = 1; !P->arg[1]; n++) {
		MEM(u64, P->arg[0]) = n;
		P->res[0] = n;
	}
}

/* Fill arg[1] pages from arg[0]; wait until the last reads zero; res[0]: pages not zero then. */
void guest_waitzero(int cpu)
{
	u64 first = P->arg[0], n = P->arg[1], left = 0;

	(void)cpu;
	for (u64 i = 0; i < n; i++)
		MEM(u64, first + i * 4096) = i + 1;
	P->res[1] = 1;
	while (MEM(u64, first + (n - 1) * 4096))
		pause();
	for (u64 i = 0; i < n; i++)
		left += MEM(u64, first + i * 4096) != 0;
	P->res[0] = left;
}

#define PT_PAGES	6		/* PML4, PDPT, 4 page directories */
#define PT_USED		0x60ull		/* accessed, dirty */

/*
 * Go on with a copy of the page tables at arg[0]; INSB to arg[1], which nothing has touched before.
 * res[0]: the byte, res[1]: the accessed and dirty bits of its entry.
 */
void guest_other_tables(int cpu)
{
	u64 *from = (u64 *)(u64)GPA_TABLES, *to = (u64 *)P->arg[0], at = P->arg[1];
	u64 move = P->arg[0] - GPA_TABLES;

	(void)cpu;
	for (int i = 0; i < PT_PAGES * 512; i++)
		to[i] = from[i] & ~PT_USED;
	to[0] += move;
	for (int i = 0; i < 4; i++)
		to[512 + i] += move;
	asm volatile("mov %0, %%cr3" : : "r"(P->arg[0]) : "memory");
	asm volatile("insb" : "+D"(at) : "d"(PORT_TEST) : "memory");
	P->res[1] = to[2 * 512 + (P->arg[1] >> 21)] & PT_USED;
	P->res[0] = MEM(u8, P->arg[1]);
}

/*
 * Two CPUs count up words of arg[1] pages from arg[0], here and there, until arg[2] is set:
 * the first word of a page is CPU 0's, the second CPU 1's.  While arg[3] is odd they stand
 * still; res[2] and res[3] say that they have seen it.
 */
void guest_writers(int cpu)
{
	apic_enable();
	if (!cpu)
		start_cpu(1);
	for (u64 x = (u64)cpu + 1, gate; !P->arg[2];) {
		gate = P->arg[3];
		P->res[2 + cpu] = gate;
		if (gate & 1) {
			pause();
			continue;
		}
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		MEM(u64, P->arg[0] + (x >> 33) % P->arg[1] * 4096 + (u64)cpu * 8)++;
		P->res[cpu]++;
	}
}
