// SPDX-License-Identifier: GPL-2.0-only
/* Sockets and clients. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http.h"

struct client {
	int fd;			/* -1: free */
	u64 deadline;		/* ms */
	char request[HTTP_REQUEST];
	size_t got;
	char *answer;		/* NULL: still reading */
	size_t len, sent;
	bool done;		/* all sent: what comes is read away until the other side ends */
	bool silent;		/* it will send no more */
};

static struct client clients[HTTP_CLIENTS];

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* ---- the address ---- */

/* "1.2.3.4:9" or "[::1]:9" into host and port; an empty host is every address. */
static bool split_address(const char *where, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(where, ':');
	size_t n = colon ? (size_t)(colon - where) : 0;

	if (!colon || !colon[1] || n >= size)
		return false;
	if (*where == '[') {
		if (n < 2 || where[n - 1] != ']')
			return false;
		where++;
		n -= 2;
	}
	memcpy(host, where, n);
	host[n] = 0;
	*port = colon + 1;
	return true;
}

static int try_address(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol), one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, 32))
		return fd;
	close(fd);
	return -1;
}

int http_listen(const char *where)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *list, *a;
	const char *port;
	char host[128];
	int fd = -1, err;

	if (!split_address(where, host, sizeof(host), &port)) {
		complain("metrics: \"%s\" is not ADDRESS:PORT", where);
		return -1;
	}
	err = getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (err) {
		complain("metrics: %s: %s", where, gai_strerror(err));
		return -1;
	}
	for (a = list; a && fd < 0; a = a->ai_next)
		fd = try_address(a);
	if (fd < 0)
		complain("metrics: %s: %s", where, strerror(errno));
	freeaddrinfo(list);
	return fd;
}

/* ---- clients ---- */

static void drop(struct client *c)
{
	close(c->fd);
	free(c->answer);
	c->answer = NULL;
	c->fd = -1;
}

/* A free place, or that of the client who has been here longest: the others are quick. */
static struct client *place(void)
{
	struct client *c, *oldest = clients;

	for (c = clients; c < clients + HTTP_CLIENTS; c++) {
		if (c->fd < 0)
			return c;
		if (c->deadline < oldest->deadline)
			oldest = c;
	}
	drop(oldest);
	return oldest;
}

static void accept_one(int fd)
{
	int new = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c;

	if (new < 0)
		return;
	c = place();
	memset(c, 0, sizeof(*c));
	c->fd = new;
	c->deadline = now_ms() + HTTP_DEADLINE;
}

/* Part of the answer; when all is sent, the other side is to end the connection. */
static void send_some(struct client *c)
{
	ssize_t n = send(c->fd, c->answer + c->sent, c->len - c->sent, MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			drop(c);
		return;
	}
	c->sent += n;
	if (c->sent < c->len)
		return;
	c->done = true;
	shutdown(c->fd, SHUT_WR);
	if (c->silent)
		drop(c);
}

static void read_some(struct client *c, http_page *page, const char *type)
{
	char waste[HTTP_REQUEST];
	ssize_t n = c->answer ? recv(c->fd, waste, sizeof(waste), 0) :
		    recv(c->fd, c->request + c->got, sizeof(c->request) - c->got, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!n && c->answer && !c->done) {
		c->silent = true;
		return;
	}
	if (n <= 0) {
		drop(c);
		return;
	}
	if (c->answer)
		return;
	c->got += n;
	c->answer = http_answer(c->request, c->got, page, type, &c->len);
}

static void attend(struct client *c, short events, http_page *page, const char *type)
{
	if (events & POLLIN)
		read_some(c, page, type);
	if (c->fd >= 0 && c->answer && !c->done)
		send_some(c);
	if (c->fd >= 0 && (events & (POLLERR | POLLHUP)) && !(events & POLLIN))
		drop(c);
}

/* Fills in whom to wait for; ms until the next deadline, or -1. */
static int who_waits(struct pollfd *p)
{
	u64 now = now_ms(), next = UINT64_MAX;
	size_t i;

	for (i = 0; i < HTTP_CLIENTS; i++) {
		struct client *c = &clients[i];

		if (c->fd >= 0 && c->deadline <= now)
			drop(c);
		p[i].fd = c->fd;
		p[i].events = (c->silent ? 0 : POLLIN) | (c->answer && !c->done ? POLLOUT : 0);
		p[i].revents = 0;
		if (c->fd >= 0 && c->deadline < next)
			next = c->deadline;
	}
	return next == UINT64_MAX ? -1 : (int)(next - now) + 1;
}

void http_serve(int fd, http_page *page, const char *type)
{
	struct pollfd p[HTTP_CLIENTS + 1];
	size_t i;
	int ms;

	for (i = 0; i < HTTP_CLIENTS; i++)
		clients[i].fd = -1;
	for (;;) {
		ms = who_waits(p);
		p[HTTP_CLIENTS] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if (poll(p, HTTP_CLIENTS + 1, ms) < 0 && errno != EINTR) {
			complain("metrics: poll: %s", strerror(errno));
			return;
		}
		for (i = 0; i < HTTP_CLIENTS; i++)
			if (clients[i].fd >= 0 && p[i].fd == clients[i].fd && p[i].revents)
				attend(&clients[i], p[i].revents, page, type);
		if (p[HTTP_CLIENTS].revents & (POLLERR | POLLNVAL)) {
			complain("metrics: the socket failed");
			return;
		}
		if (p[HTTP_CLIENTS].revents)
			accept_one(fd);
	}
}
