// SPDX-License-Identifier: GPL-2.0-only
/* The 16550 (National Semiconductor PC16550D, 8.0). */
#include "uart.h"
#include "lib/x86.h"

#define UART_THR	0
#define UART_DLL	0
#define UART_DLM	1
#define UART_IER	1
#define UART_FCR	2
#define UART_LCR	3
#define UART_MCR	4
#define UART_LSR	5
#define LCR_8N1		0x03
#define LCR_DLAB	0x80
#define FCR_ON_CLEAR	0x07
#define MCR_DTR_RTS	0x03
#define LSR_THRE	0x20
#define LSR_TEMT	0x40	/* everything has left */
#define UART_SPIN	1000000	/* a byte takes 87 us; a read about 1 us */
#define CLOCK_BAUD	115200	/* the speed of divisor 1 */

static u8 get(const struct uart *u, u32 reg)
{
	volatile u8 *p = u->regs + reg * u->stride;

	if (!u->regs)
		return inb((u16)(u->port + reg * u->stride));
	switch (u->width) {
	case 4:
		return (u8)*(volatile u32 *)p;
	case 2:
		return (u8)*(volatile u16 *)p;
	}
	return *p;
}

static void put(const struct uart *u, u32 reg, u8 val)
{
	volatile u8 *p = u->regs + reg * u->stride;

	if (!u->regs)
		outb((u16)(u->port + reg * u->stride), val);
	else if (u->width == 4)
		*(volatile u32 *)p = val;
	else if (u->width == 2)
		*(volatile u16 *)p = val;
	else
		*p = val;
}

bool uart_present(const struct uart *u)
{
	return get(u, UART_LSR) != 0xff;
}

void uart_setup(const struct uart *u)
{
	u32 divisor = u->baud ? max(CLOCK_BAUD / u->baud, 1u) : 0;

	put(u, UART_IER, 0);
	if (divisor) {
		put(u, UART_LCR, LCR_DLAB | LCR_8N1);
		put(u, UART_DLL, (u8)divisor);
		put(u, UART_DLM, (u8)(divisor >> 8));
	}
	put(u, UART_LCR, LCR_8N1);
	put(u, UART_FCR, FCR_ON_CLEAR);
	put(u, UART_MCR, MCR_DTR_RTS);
}

static void wait_for(struct uart *u, u8 lsr_bit)
{
	u32 spin, limit = u->stuck ? 1 : UART_SPIN;

	for (spin = 0; spin < limit; spin++)
		if (get(u, UART_LSR) & lsr_bit)
			break;
	u->stuck = spin == limit;
}

static void put_char(struct uart *u, char c)
{
	wait_for(u, LSR_THRE);
	put(u, UART_THR, (u8)c);
}

void uart_write(struct uart *u, const char *s, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++) {
		if (s[i] == '\n')
			put_char(u, '\r');
		put_char(u, s[i]);
	}
}

void uart_drain(struct uart *u)
{
	wait_for(u, LSR_TEMT);
}
