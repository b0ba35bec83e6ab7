/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp-job: work of a fixed size, in a guest or in the service VM, between the marks that tests/bench-work.sh
 * counts by. What was done is told on standard output as "row", NAME and how many units, with tabs between.
 *
 * usage: bp-job begin | end				only the mark
 *	  bp-job checksum NAME THREADS MIB		MIB in all, by the threads together
 *	  bp-job touch NAME MIB small|huge		the first touch of memory, by pages of that size
 *	  bp-job read|write NAME DEVICE MIB		64 KiB at a time, past the page cache
 *	  bp-job send|receive NAME ADDRESS PORT MIB	by TCP, to or from a bp-job serve
 *	  bp-job serve PORT				to the end
 *	  bp-job dirty MIB				writes to each page, and again after 10 ms, for ever
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "marks.h"

#define MIB		(1ul << 20)
#define BLOCK		(64ul << 10)
#define PAGE		4096ul
#define HUGE		(2 * MIB)
#define THREADS_MAX	8

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void row(const char *name, unsigned long units)
{
	printf("row\t%s\t%lu\n", name, units);
	fflush(stdout);
}

static unsigned char *memory(size_t size)
{
	unsigned char *p = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return (unsigned char *)(((uintptr_t)p + HUGE - 1) & -HUGE);
}

struct share {
	const unsigned char *data;
	size_t size;
	uint64_t sum;
};

/* Fletcher's, of words. */
static void *checksum_share(void *arg)
{
	struct share *s = arg;
	uint64_t a = 1, b = 0;

	for (size_t i = 0; i < s->size; i += sizeof(a)) {
		a += *(const uint64_t *)(s->data + i % MIB);
		b += a;
	}
	s->sum = a ^ b;
	return NULL;
}

static void checksum(const char *name, int threads, size_t mib)
{
	struct share shares[THREADS_MAX];
	pthread_t t[THREADS_MAX];
	unsigned char *data = memory(MIB);

	if (threads < 1 || threads > THREADS_MAX)
		exit(2);
	memset(data, 0x5a, MIB);
	MARK_BEGIN();
	for (int i = 0; i < threads; i++) {
		shares[i] = (struct share) { .data = data, .size = mib * MIB / threads };
		if (pthread_create(&t[i], NULL, checksum_share, &shares[i]))
			die("pthread_create");
	}
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	MARK_END();
	row(name, mib);
}

static void touch(const char *name, size_t mib, int huge)
{
	unsigned char *p = memory(mib * MIB);

	if (madvise(p, mib * MIB, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		die("madvise");
	MARK_BEGIN();
	for (size_t at = 0; at < mib * MIB; at += PAGE)
		*(volatile unsigned char *)(p + at) = 1;
	MARK_END();
	row(name, mib);
}

static void disk(const char *name, const char *device, size_t mib, int writes)
{
	int fd = open(device, O_RDWR | O_DIRECT);
	unsigned char *buffer = memory(BLOCK);

	if (fd < 0)
		die(device);
	memset(buffer, 1, BLOCK);
	MARK_BEGIN();
	for (size_t at = 0; at < mib * MIB; at += BLOCK)
		if ((writes ? pwrite(fd, buffer, BLOCK, at) : pread(fd, buffer, BLOCK, at)) != (ssize_t)BLOCK)
			die(device);
	MARK_END();
	row(name, mib);
}

static int dial(const char *address, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &a.sin_addr) != 1 || connect(fd, (void *)&a, sizeof(a)))
		die(address);
	return fd;
}

static void write_all(int fd, const unsigned char *data, size_t size)
{
	ssize_t n;

	for (; size; size -= n, data += n) {
		n = write(fd, data, size);
		if (n <= 0)
			die("write");
	}
}

/* What a connection begins with; the one who receives answers with a byte at the end. */
struct request {
	uint64_t size;
	uint64_t send;		/* to the server */
};

static void take(int fd, uint64_t size)
{
	static __thread unsigned char buffer[BLOCK];
	ssize_t n;

	for (; size; size -= n) {
		n = read(fd, buffer, size < BLOCK ? size : BLOCK);
		if (n <= 0)
			die("read");
	}
	write_all(fd, buffer, 1);
}

static void give(int fd, uint64_t size)
{
	static __thread unsigned char buffer[BLOCK];

	for (uint64_t done = 0; done < size; done += BLOCK)
		write_all(fd, buffer, BLOCK);
	if (read(fd, buffer, 1) != 1)
		die("read");
}

static void transfer(const char *name, const char *address, int port, size_t mib, int send)
{
	struct request warm = { .size = BLOCK, .send = send }, r = { .size = mib * MIB, .send = send };
	int fd = dial(address, port);

	write_all(fd, (void *)&warm, sizeof(warm));
	(send ? give : take)(fd, warm.size);
	MARK_BEGIN();
	write_all(fd, (void *)&r, sizeof(r));
	(send ? give : take)(fd, r.size);
	MARK_END();
	close(fd);
	row(name, mib);
}

static void serve(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, fd, listener = socket(AF_INET, SOCK_STREAM, 0);
	struct request r;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (listener < 0 || bind(listener, (void *)&a, sizeof(a)) || listen(listener, 1))
		die("listen");
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			die("accept");
		while (read(fd, &r, sizeof(r)) == sizeof(r))
			(r.send ? take : give)(fd, r.size);
		close(fd);
	}
}

static void dirty(size_t mib)
{
	unsigned char *p = memory(mib * MIB);

	puts("guest: dirty");
	fflush(stdout);
	for (;; usleep(10000))
		for (size_t at = 0; at < mib * MIB; at += PAGE)
			(*(volatile unsigned char *)(p + at))++;
}

static int is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (is(what, "begin"))
		MARK_BEGIN();
	else if (is(what, "end"))
		MARK_END();
	else if (is(what, "checksum") && argc == 5)
		checksum(argv[2], atoi(argv[3]), atoi(argv[4]));
	else if (is(what, "touch") && argc == 5)
		touch(argv[2], atoi(argv[3]), is(argv[4], "huge"));
	else if ((is(what, "read") || is(what, "write")) && argc == 5)
		disk(argv[2], argv[3], atoi(argv[4]), is(what, "write"));
	else if ((is(what, "send") || is(what, "receive")) && argc == 6)
		transfer(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]), is(what, "send"));
	else if (is(what, "serve") && argc == 3)
		serve(atoi(argv[2]));
	else if (is(what, "dirty") && argc == 3)
		dirty(atoi(argv[2]));
	else
		return 2;
	return 0;
}
