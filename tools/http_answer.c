// SPDX-License-Identifier: GPL-2.0-only
/* What a request gets: pure but for the page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

static char *answer(const char *status, const char *extra, const char *type, const char *body, size_t len,
		    bool head_only, size_t *n)
{
	char *text;
	int head;

	head = asprintf(&text,
			"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sConnection: close\r\n\r\n",
			status, type, len, extra);
	if (head < 0)
		must(NULL);
	*n = head;
	if (head_only)
		return text;
	text = must(realloc(text, head + len + 1));
	memcpy(text + head, body, len);
	*n += len;
	text[*n] = 0;
	return text;
}

static char *refuse(const char *status, const char *extra, size_t *n)
{
	char body[128];
	int len = snprintf(body, sizeof(body), "%s\n", status);

	return answer(status, extra, "text/plain", body, len, false, n);
}

/* The end of the head: an empty line, with or without CRs. */
static bool head_complete(const char *s, size_t len)
{
	return memmem(s, len, "\r\n\r\n", 4) || memmem(s, len, "\n\n", 2);
}

/* "GET /metrics HTTP/1.1": NUL-terminated pieces of @line; false: it is no such line. */
static bool split(char *line, char **method, char **target)
{
	char *version;

	*method = strsep(&line, " ");
	*target = strsep(&line, " ");
	version = line;
	if (!*target || !version)
		return false;
	version[strcspn(version, "\r")] = 0;
	return **method && **target == '/' && !strncmp(version, "HTTP/1.", 7) && strlen(version) == 8;
}

static char *serve(char *line, http_page *page, const char *type, size_t *n)
{
	char *method, *target, *body, *text;
	bool head;
	size_t len;

	if (!split(line, &method, &target))
		return refuse("400 Bad Request", "", n);
	head = !strcmp(method, "HEAD");
	if (!head && strcmp(method, "GET"))
		return refuse("405 Method Not Allowed", "Allow: GET, HEAD\r\n", n);
	target[strcspn(target, "?")] = 0;
	if (strcmp(target, "/metrics"))
		return refuse("404 Not Found", "", n);
	body = page(&len);
	if (!body)
		return refuse("503 Service Unavailable", "", n);
	text = answer("200 OK", "", type, body, len, head, n);
	free(body);
	return text;
}

char *http_answer(const char *request, size_t len, http_page *page, const char *type, size_t *n)
{
	char line[256];
	size_t end;

	if (!head_complete(request, len)) {
		if (len < HTTP_REQUEST)
			return NULL;
		return refuse("431 Request Header Fields Too Large", "", n);
	}
	end = (const char *)memchr(request, '\n', len) - request;
	if (end >= sizeof(line) || memchr(request, 0, end))
		return refuse("400 Bad Request", "", n);
	memcpy(line, request, end);
	line[end] = 0;
	return serve(line, page, type, n);
}
