// SPDX-License-Identifier: GPL-2.0-only
/* Sleeping states in AML as compilers of it write them, and torn. */
// SOURCES: hv/core/machine/aml_sleep.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/core/machine/aml_sleep.h"
#include "hv/core/lib/string.h"

#define HEADER	36

static struct aml_sleep_type s5;

/* A table of its own allocation, so that reading past it is caught. */
static u8 *table(const void *aml, u32 len)
{
	u8 *t = calloc(1, HEADER + len), s = 0;
	u32 i;

	memcpy(t, "DSDT", 4);
	memcpy(t + HEADER, aml, len);
	for (i = 0; i < HEADER + len; i++)
		s += t[i];
	t[9] = (u8)-s;
	return t;
}

/* What is hidden in @aml, which becomes @after; the sum must stay 0. */
static u32 hide(const void *aml, const void *after, u32 len)
{
	u8 *t = table(aml, len), s = 0;
	u32 found, i;

	memset(&s5, 0, sizeof(s5));
	found = aml_hide_sleep(t, HEADER + len, &s5);
	assert_memory_equal(t + HEADER, after, len);
	for (i = 0; i < HEADER + len; i++)
		s += t[i];
	assert_int_equal(s, 0);
	/* Nothing is left. */
	assert_int_equal(aml_hide_sleep(t, HEADER + len, &s5), 0);
	free(t);
	return found;
}

#define HIDE(aml, after)	hide(aml, after, sizeof(aml) - 1)
#define UNCHANGED(aml)		HIDE(aml, aml)

static void expect_s5(u8 a, u8 b)
{
	assert_true(s5.known);
	assert_int_equal(s5.a, a);
	assert_int_equal(s5.b, b);
}

/* Of QEMU: Name(_S3, Package(4) { One, One, Zero, Zero }) and so on, in Scope(\). */
static void of_qemu(void **state __unused)
{
	assert_int_equal(HIDE("\x10\x29\x5c\x00"
			      "\x08_S3_\x12\x06\x04\x01\x01\x00\x00"
			      "\x08_S4_\x12\x08\x04\x0a\x02\x0a\x02\x00\x00"
			      "\x08_S5_\x12\x06\x04\x00\x00\x00\x00",
			      "\x10\x29\x5c\x00"
			      "\x08XS3_\x12\x06\x04\x01\x01\x00\x00"
			      "\x08XS4_\x12\x08\x04\x0a\x02\x0a\x02\x00\x00"
			      "\x08_S5_\x12\x06\x04\x00\x00\x00\x00"), BIT(3) | BIT(4));
	expect_s5(0, 0);
}

/* Of PCs: names from the root on, byte constants, S0, S1. */
static void of_pcs(void **state __unused)
{
	assert_int_equal(HIDE("\x08\\_S0_\x12\x0a\x04\x0a\x00\x0a\x00\x0a\x00\x0a\x00"
			      "\x08\\_S1_\x12\x0a\x04\x0a\x01\x0a\x00\x0a\x00\x0a\x00"
			      "\x08\\_S2_\x12\x06\x04\x01\x00\x00\x00"
			      "\x08\\_S5_\x12\x0a\x04\x0a\x07\x0a\x05\x0a\x00\x0a\x00",
			      "\x08\\_S0_\x12\x0a\x04\x0a\x00\x0a\x00\x0a\x00\x0a\x00"
			      "\x08\\XS1_\x12\x0a\x04\x0a\x01\x0a\x00\x0a\x00\x0a\x00"
			      "\x08\\XS2_\x12\x06\x04\x01\x00\x00\x00"
			      "\x08\\_S5_\x12\x0a\x04\x0a\x07\x0a\x05\x0a\x00\x0a\x00"),
			 BIT(1) | BIT(2));
	expect_s5(7, 5);
}

/* A package's length may take more bytes than it needs, a value too; one value may be two. */
static void other_encodings(void **state __unused)
{
	UNCHANGED("\x08_S5_\x12\x47\x00\x02\x0a\x06\x0b\x03\x00");
	expect_s5(6, 3);
	UNCHANGED("\x08_S5_\x12\xc7\x00\x00\x00\x02\x01\x00");
	expect_s5(1, 0);
	UNCHANGED("\x08_S5_\x12\x05\x01\x0b\x05\x04");
	expect_s5(5, 4);
}

/* Nothing that domain 0's Linux would take for a state. */
static void other_things(void **state __unused)
{
	assert_int_equal(UNCHANGED("\x08_S3D\x0a\x02" "\x08_S4W\x12\x03\x01\x00"), 0);
	assert_int_equal(UNCHANGED("\x08_S6_\x12\x06\x04\x01\x01"), 0);
	assert_int_equal(UNCHANGED("_S5_\x12\x06\x04\x01\x01"), 0);	/* a reference */
	assert_int_equal(UNCHANGED("\x08_S5_\x0a\x05"), 0);		/* no package */
	assert_int_equal(UNCHANGED("\x08^_S5_\x12\x06\x04\x01\x01"), 0);
	assert_int_equal(UNCHANGED("\x14\x0b_S5_\x00\xa4\x12\x04\x02\x01\x01"), 0);
	assert_false(s5.known);
}

/*
 * As some firmware does it: Method(_S3) { If (BXPT) { Return (Package...) } }, If (SS4) {
 * Name(_S4...) }, Alias(XXXX, _S1), and a reference by path.
 */
static void other_definitions(void **state __unused)
{
	assert_int_equal(HIDE("\x14\x16_S3_\x00\xa0\x0dBXPT\xa4\x12\x06\x04\x0a\x06\x01\x00"
			      "\xa0\x10SS4_\x08_S4_\x12\x06\x04\x01\x01\x00\x00"
			      "\x06XXXX_S1_" "\xa4\\._SB__S3_",
			      "\x14\x16XS3_\x00\xa0\x0dBXPT\xa4\x12\x06\x04\x0a\x06\x01\x00"
			      "\xa0\x10SS4_\x08XS4_\x12\x06\x04\x01\x01\x00\x00"
			      "\x06XXXXXS1_" "\xa4\\._SB_XS3_"), BIT(1) | BIT(3) | BIT(4));
}

/* S5's value is not an integer, or too big, or cut off. */
static void no_sleep_type(void **state __unused)
{
	static const char whole[] = "\x08_S5_\x12\x09\x04\x0a\x05\x0b\x05\x00\x00\x00";
	u32 len;

	UNCHANGED("\x08_S5_\x12\x06\x04" "ABCD");
	assert_false(s5.known);
	UNCHANGED("\x08_S5_\x12\x06\x04\x0a\x08\x00\x00\x00");
	assert_false(s5.known);
	UNCHANGED("\x08_S5_\x12\x06\x04\x00\xff\x00\x00");
	assert_false(s5.known);
	UNCHANGED("\x08_S5_\x12\x02\x00\x00\x00");
	assert_false(s5.known);
	for (len = 0; len < sizeof(whole) - 1; len++) {
		hide(whole, whole, len);
		assert_int_equal(s5.known, len >= 13);
	}
	/* The first that can be used counts. */
	UNCHANGED("\x08_S5_\x12\x02\x00" "\x08_S5_\x12\x04\x02\x01\x01"
		  "\x08_S5_\x12\x04\x02\x00\x00");
	expect_s5(1, 1);
}

static void torn_tables(void **state __unused)
{
	static const char one[] = "\x08\\_S3_";
	u8 header[HEADER] = "DSDT";
	u32 len;

	for (len = 0; len < sizeof(one) - 1; len++)
		assert_int_equal(hide(one, one, len), 0);
	assert_int_equal(HIDE("\x08\\_S3_", "\x08\\XS3_"), BIT(3));
	for (len = 0; len <= HEADER; len++)
		assert_int_equal(aml_hide_sleep(header, len, &s5), 0);
}

static void survives_any_contents(void **state __unused)
{
	static const u8 likely[] = { 0x08, '\\', '_', 'S', '3', '5', '_', 0x12, 0x0a, 0x0b, 1, 0xc0 };
	u8 aml[64], *t;
	u32 n, i, len;

	srand(1);
	for (n = 0; n < 50000; n++) {
		len = (u32)rand() % sizeof(aml);
		for (i = 0; i < len; i++)
			aml[i] = likely[(u32)rand() % sizeof(likely)];
		if (len > 20 && n % 2)
			memcpy(aml + (u32)rand() % (len - 6), "\x08_S5_\x12", 6);
		t = table(aml, len);
		memset(&s5, 0, sizeof(s5));
		aml_hide_sleep(t, HEADER + len, &s5);
		assert_true(s5.a <= 7 && s5.b <= 7);
		assert_int_equal(aml_hide_sleep(t, HEADER + len, &s5), 0);
		free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_qemu), cmocka_unit_test(of_pcs),
		cmocka_unit_test(other_encodings), cmocka_unit_test(other_things),
		cmocka_unit_test(other_definitions),
		cmocka_unit_test(no_sleep_type), cmocka_unit_test(torn_tables),
		cmocka_unit_test(survives_any_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
