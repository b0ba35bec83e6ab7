// SPDX-License-Identifier: GPL-2.0-only
/* Firmware's table of its serial console, whole and torn. */
// SOURCES: hv/core/machine/spcr.c hv/core/lib/printf.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/core/lib/string.h"
#include "hv/core/machine/spcr.h"

#define LEN	80
#define SPACE	40
#define BITS	41
#define OFFSET	42
#define ACCESS	43
#define ADDR	44
#define BAUD	58
#define DEVICE	64
#define VENDOR	66
#define BUS	68
#define SEGMENT	75

static u8 t[LEN + 8];
static struct spcr out;

static const char *parse(u32 len)
{
	u8 *copy = malloc(len ? len : 1), sum = 0;
	const char *err;
	u32 i;

	t[9] = 0;
	for (i = 0; i < len; i++)
		sum += t[i];
	t[9] = (u8)-sum;
	memcpy(copy, t, len);	/* so that reading past it is caught */
	err = spcr_parse(copy, len, &out);
	free(copy);
	return err;
}

static void address(u8 space, u8 bits, u8 access, u64 addr)
{
	t[SPACE] = space;
	t[BITS] = bits;
	t[ACCESS] = access;
	memcpy(t + ADDR, &addr, 8);
}

/* COM2 at 115200, as servers' firmware has it. */
static int make(void **state __unused)
{
	memset(t, 0, sizeof(t));
	memcpy(t, "SPCR", 4);
	t[4] = LEN;
	t[8] = 2;
	address(1, 8, 0, 0x2f8);
	t[BAUD] = 7;
	memset(t + DEVICE, 0xff, 4);
	return 0;
}

static void is(bool io, u64 addr, u8 stride, u8 width, u32 baud)
{
	assert_null(parse(LEN));
	assert_int_equal(out.io, io);
	assert_int_equal(out.addr, addr);
	assert_int_equal(out.stride, stride);
	assert_int_equal(out.width, width);
	assert_int_equal(out.baud, baud);
}

static void ports(void **state __unused)
{
	is(true, 0x2f8, 1, 1, 115200);
	assert_false(out.pci);
	t[BAUD] = 3;
	is(true, 0x2f8, 1, 1, 9600);
	t[BAUD] = 0;
	is(true, 0x2f8, 1, 1, 0);
	t[BAUD] = 5;		/* nobody has defined it */
	is(true, 0x2f8, 1, 1, 0);
	t[BAUD] = 255;
	is(true, 0x2f8, 1, 1, 0);
	assert_null(parse(LEN + 8));	/* newer ones are longer */
}

static void memory(void **state __unused)
{
	t[36] = 0x12;
	address(0, 8, 1, 0xfedc9001);
	is(false, 0xfedc9001, 1, 1, 115200);
	address(0, 32, 3, 0xfedc9000);
	is(false, 0xfedc9000, 4, 4, 115200);
	address(0, 32, 1, 0xfedc9000);		/* wide registers, narrow accesses */
	is(false, 0xfedc9000, 4, 1, 115200);
	address(0, 8, 3, 0xfedc9000);
	is(false, 0xfedc9000, 4, 4, 115200);
	address(0, 32, 0, 0xfedc9000);
	is(false, 0xfedc9000, 4, 4, 115200);
	address(0, 16, 2, 0x380fe000002ull);
	is(false, 0x380fe000002ull, 2, 2, 115200);
	address(0, 0, 0, 0xfedc9000);
	is(false, 0xfedc9000, 1, 1, 115200);
}

static void on_pci(void **state __unused)
{
	t[DEVICE] = 2;
	t[DEVICE + 1] = 0;
	t[VENDOR] = 0x36;
	t[VENDOR + 1] = 0x1b;
	t[BUS] = 3;
	t[BUS + 1] = 31;
	t[BUS + 2] = 7;
	assert_null(parse(LEN));
	assert_true(out.pci);
	assert_int_equal(out.bdf, 0x3ff);
	t[SEGMENT] = 1;
	assert_non_null(strstr(parse(LEN), "PCI"));
	t[SEGMENT] = 0;
	t[BUS + 1] = 32;
	assert_non_null(strstr(parse(LEN), "PCI"));
	t[BUS + 1] = 0;
	t[BUS + 2] = 8;
	assert_non_null(strstr(parse(LEN), "PCI"));
}

static void refuses(void **state __unused)
{
	u32 len;

	for (len = 0; len < LEN; len++)
		assert_string_equal(parse(len), "it is too short");
	t[0] = 'X';
	assert_string_equal(parse(LEN), "its checksum is wrong");
	make(NULL);
	assert_null(parse(LEN));
	t[50]++;
	assert_string_equal(spcr_parse(t, LEN, &out), "its checksum is wrong");
	make(NULL);
	t[36] = 3;		/* an ARM's PL011 */
	assert_string_equal(parse(LEN), "its interface is no 16550");
	make(NULL);
	address(1, 8, 0, 0);
	assert_string_equal(parse(LEN), "it says that there is none");
	address(1, 8, 0, 0xfff9);
	assert_non_null(strstr(parse(LEN), "address"));
	address(1, 8, 0, 0x1000003f8ull);
	assert_non_null(strstr(parse(LEN), "address"));
	address(2, 8, 0, 0x3f8);
	assert_non_null(strstr(parse(LEN), "neither"));
	address(0, 32, 3, 0xfedc9002);
	assert_non_null(strstr(parse(LEN), "address"));
	address(0, 64, 4, 0xfedc9000);
	assert_non_null(strstr(parse(LEN), "width"));
	address(0, 64, 1, 0xfedc9000);
	assert_non_null(strstr(parse(LEN), "width"));
	address(0, 24, 1, 0xfedc9000);
	assert_non_null(strstr(parse(LEN), "width"));
	address(0, 8, 255, 0xfedc9000);
	assert_non_null(strstr(parse(LEN), "width"));
	address(0, 8, 1, 0xfedc9000);
	t[OFFSET] = 8;
	assert_non_null(strstr(parse(LEN), "width"));
}

/* Whatever it holds: what is taken can be used. */
static void any_input(void **state __unused)
{
	u32 n, i;

	srand(9);
	for (n = 0; n < 20000; n++) {
		make(NULL);
		for (i = 0; i < 6; i++)
			t[36 + (u32)rand() % (LEN - 36)] = (u8)rand();
		if (parse(LEN))
			continue;
		assert_true(out.stride == 1 || out.stride == 2 || out.stride == 4);
		assert_true(out.width && out.width <= out.stride && out.addr);
		assert_false(out.addr & (out.width - 1));
		assert_true(!out.io || (out.stride == 1 && out.addr <= 0xfff8));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ports, make),
		cmocka_unit_test_setup(memory, make),
		cmocka_unit_test_setup(on_pci, make),
		cmocka_unit_test_setup(refuses, make),
		cmocka_unit_test(any_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
