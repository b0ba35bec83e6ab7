/* SPDX-License-Identifier: GPL-2.0-only */
/* The 16550 and what is compatible to it, wherever its eight registers are. */
#ifndef BP_CORE_UART_H
#define BP_CORE_UART_H

#include "lib/types.h"

#define UART_REGS	8

struct uart {
	volatile u8 *regs;	/* NULL: they are I/O ports */
	u16 port;		/* the first one */
	u8 stride;		/* bytes from one register to the next */
	u8 width;		/* of an access: 1, 2 or 4 bytes */
	u32 baud;		/* 0: the speed that firmware has set */
	bool stuck;		/* the last wait was in vain */
};

/* Bytes that the registers take. */
static inline u32 uart_len(const struct uart *u)
{
	return UART_REGS * u->stride;
}

/* Does something answer there? */
bool uart_present(const struct uart *u);
/* 8N1, no interrupts; what is on its way out may be lost. */
void uart_setup(const struct uart *u);
/* "\n" becomes "\r\n". A line that takes nothing costs a second, once. */
void uart_write(struct uart *u, const char *s, u32 len);
/* Wait until all has left, or for a second. */
void uart_drain(struct uart *u);

#endif
