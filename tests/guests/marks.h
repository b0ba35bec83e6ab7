/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks around what tests/profile counts, in a guest or in a program: instructions that do nothing, and
 * that nobody uses. Bochs's debugger stops at both.
 */
#ifndef GUESTS_MARKS_H
#define GUESTS_MARKS_H

#define MARK_BEGIN() __asm__ volatile("xchgw %%bx, %%bx" ::: "memory")
#define MARK_END() __asm__ volatile("xchgw %%cx, %%cx" ::: "memory")

#endif
