/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A server for one page, GET /metrics: no threads, a few clients at a time, each with a
 * deadline, a bounded request and a bounded number of bytes kept.
 */
#ifndef BEDPLATE_HTTP_H
#define BEDPLATE_HTTP_H

#include "tool.h"

#define HTTP_CLIENTS	16
#define HTTP_REQUEST	4096	/* bytes of a request's head */
#define HTTP_DEADLINE	5000	/* ms from accept() to the answer's last byte */

/* Makes the page, to be freed; NULL: there is none now (503). */
typedef char *http_page(size_t *len);

/*
 * The answer to a request's head, of @len bytes; NULL: it is not complete yet.  The caller
 * frees it.  @page is called for a good request only.
 */
char *http_answer(const char *request, size_t len, http_page *page, const char *type, size_t *n);

/* A listening socket at "ADDRESS:PORT", "[ADDRESS]:PORT"; -1 with a line on standard error. */
int http_listen(const char *where);
/* Serves for ever; returns, with a line on standard error, if the socket fails. */
void http_serve(int fd, http_page *page, const char *type);

#endif
