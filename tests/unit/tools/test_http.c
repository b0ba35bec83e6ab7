// SPDX-License-Identifier: GPL-2.0-only
/* Requests for /metrics, good ones and others. */
// SOURCES: tools/http_answer.c tools/complain.c
// CFLAGS: -D_GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "tools/http.h"

static bool page_fails;
static u32 pages;

static char *page(size_t *len)
{
	pages++;
	*len = 5;
	return page_fails ? NULL : strdup("body\n");
}

/* The answer begins with @start and ends with @end; it is freed. */
static void gets(const char *request, size_t len, const char *start, const char *end)
{
	size_t n;
	char *exact = malloc(len ? len : 1), *answer;

	memcpy(exact, request, len);	/* so that reading past it is caught */
	answer = http_answer(exact, len, page, "text/x", &n);
	free(exact);
	assert_non_null(answer);
	assert_int_equal(strncmp(answer, start, strlen(start)), 0);
	assert_true(n >= strlen(end));
	assert_int_equal(memcmp(answer + n - strlen(end), end, strlen(end)), 0);
	free(answer);
}

#define GETS(request, start, end)	gets(request, sizeof(request) - 1, start, end)

static void good(void **state __unused)
{
	GETS("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
	     "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 5\r\nConnection: close\r\n", "\r\n\r\nbody\n");
	GETS("GET /metrics?x=1 HTTP/1.0\n\n", "HTTP/1.1 200 OK\r\n", "\r\n\r\nbody\n");
	GETS("HEAD /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", "Content-Length: 5\r\nConnection: close\r\n\r\n");
	page_fails = true;
	GETS("GET /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 503 ", "");
	page_fails = false;
}

static void bad(void **state __unused)
{
	static char large[HTTP_REQUEST];

	pages = 0;
	GETS("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", "404 Not Found\n");
	GETS("GET /metricsx HTTP/1.1\r\n\r\n", "HTTP/1.1 404 ", "");
	GETS("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405 ", "");
	GETS("GET /metrics\r\n\r\n", "HTTP/1.1 400 ", "");
	GETS("GET /metrics HTTP/2.0\r\n\r\n", "HTTP/1.1 400 ", "");
	GETS("GET /metrics HTTP/1.1 x\r\n\r\n", "HTTP/1.1 400 ", "");
	GETS("GET http://x/metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "");
	GETS("\r\n\r\n", "HTTP/1.1 400 ", "");
	GETS("\n\n", "HTTP/1.1 400 ", "");
	GETS("GET /met\0rics HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "");
	memset(large, 'a', sizeof(large));
	gets(large, sizeof(large), "HTTP/1.1 431 ", "");
	memcpy(large + sizeof(large) - 4, "\r\n\r\n", 4);
	gets(large, sizeof(large), "HTTP/1.1 400 ", "");
	assert_int_equal(pages, 0);
}

static void incomplete(void **state __unused)
{
	static const char whole[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	size_t len, n;

	for (len = 0; len < sizeof(whole) - 1; len++)
		assert_null(http_answer(whole, len, page, "text/x", &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(incomplete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
