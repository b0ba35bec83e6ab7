// SPDX-License-Identifier: GPL-2.0-only
/* Serial port and VGA text screen. */
#include "console.h"
#include "lib/string.h"
#include "lib/x86.h"

/* 16550 registers */
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
#define UART_SPIN	1000000	/* a byte takes 87 us; a port read about 1 us */

#define VGA_ATTR	0x0700	/* light grey on black */

static u16 serial_port;
static u16 *vga;
static u32 vga_cols, vga_rows, vga_x, vga_y;
static bool owned;

static void serial_setup(void)
{
	outb(serial_port + UART_IER, 0);
	outb(serial_port + UART_LCR, LCR_DLAB | LCR_8N1);
	outb(serial_port + UART_DLL, 1);	/* 115200 */
	outb(serial_port + UART_DLM, 0);
	outb(serial_port + UART_LCR, LCR_8N1);
	outb(serial_port + UART_FCR, FCR_ON_CLEAR);
	outb(serial_port + UART_MCR, MCR_DTR_RTS);
}

void console_init_serial(u16 port)
{
	owned = true;
	serial_port = port;
	/* Where no device answers, reads give all ones. */
	if (port && inb(port + UART_LSR) == 0xff)
		serial_port = CONSOLE_NO_SERIAL;
	if (serial_port)
		serial_setup();
}

static void serial_wait(u8 lsr_bit)
{
	u32 spin;

	for (spin = 0; spin < UART_SPIN; spin++)
		if (inb(serial_port + UART_LSR) & lsr_bit)
			break;
}

static void serial_put(char c)
{
	serial_wait(LSR_THRE);
	outb(serial_port + UART_THR, c);
}

void console_init_vga(void *base, u32 cols, u32 rows)
{
	u32 i;

	owned = true;
	vga = base;
	vga_cols = cols;
	vga_rows = rows;
	vga_x = vga_y = 0;
	for (i = 0; vga && i < cols * rows; i++)
		vga[i] = VGA_ATTR | ' ';
}

static void vga_newline(void)
{
	u32 i;

	vga_x = 0;
	if (++vga_y < vga_rows)
		return;
	vga_y = vga_rows - 1;
	memmove(vga, vga + vga_cols, (u64)vga_y * vga_cols * sizeof(*vga));
	for (i = 0; i < vga_cols; i++)
		vga[vga_y * vga_cols + i] = VGA_ATTR | ' ';
}

static void vga_put(char c)
{
	if (c == '\n') {
		vga_newline();
		return;
	}
	if (vga_x == vga_cols)
		vga_newline();
	vga[vga_y * vga_cols + vga_x++] = VGA_ATTR | (u8)c;
}

void console_write(const char *s, u32 len)
{
	u32 i;

	if (!owned)
		return;
	for (i = 0; i < len; i++) {
		if (serial_port) {
			if (s[i] == '\n')
				serial_put('\r');
			serial_put(s[i]);
		}
		if (vga)
			vga_put(s[i]);
	}
}

void console_release(void)
{
	owned = false;
}

void console_seize(void)
{
	if (owned)
		return;
	owned = true;
	if (serial_port) {
		serial_wait(LSR_TEMT);
		serial_setup();
	}
	console_write("\n", 1);	/* domain 0 may be in the middle of a line */
}
