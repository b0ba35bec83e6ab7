// SPDX-License-Identifier: GPL-2.0-only
/*
 * bp-iobench: what the service VM's kernel does for its disk and its network, in ticks of the TSC for
 * each MiB: instructions on a machine whose TSC counts them. What is waited for the emulator's
 * devices does not count: meanwhile a process of the lowest priority counts rounds of two instructions. One
 * CPU only. One line each: name, TAB, MiB, TAB, cost of one in the best of several takes.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#define MIB		(1u << 20)
#define TAKES		40	/* the best counts */
#define BLOCK		(64u << 10)
#define DISK_MIB	2
#define NET_MIB		1
#define FRAME		1514
#define BATCH		32	/* frames under way */
#define NET_PROTOCOL	0x88b5	/* for experiments (IEEE 802) */

static volatile uint64_t *rounds;
static double busy_at_rest;	/* of the time: ticks of the kernel's clock, for the most part */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Counts in *rounds whenever the CPU has nothing else to do. */
static void start_rest(void)
{
	struct sched_param p = { 0 };

	rounds = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (rounds == MAP_FAILED)
		die("mmap");
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sched_setscheduler(0, SCHED_IDLE, &p))
		die("sched_setscheduler");
	__asm__ volatile("1: incq (%0)\n"
			 "jmp 1b"
			 : : "r"(rounds) : "memory");
}

/* Ticks of @what that were not rest. */
static double work(void (*what)(void), double at_rest)
{
	uint64_t was = *rounds, start = __rdtsc(), ticks;

	what();
	ticks = __rdtsc() - start;
	return ticks - 2.0 * (*rounds - was) - at_rest * ticks;
}

static void nothing(void)
{
	usleep(400000);
}

static int disk;
static char *buffer;

static void disk_open(const char *path)
{
	disk = open(path, O_RDONLY | O_DIRECT);
	buffer = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (disk < 0 || buffer == MAP_FAILED)
		die(path);
	memset(buffer, 1, BLOCK);
}

static void disk_read(void)
{
	for (uint32_t at = 0; at < DISK_MIB * MIB; at += BLOCK)
		if (pread(disk, buffer, BLOCK, at) != BLOCK)
			die("pread");
}

static int from, to;

static int net_open(const char *name)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(NET_PROTOCOL),
				 .sll_ifindex = if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(NET_PROTOCOL));

	if (fd < 0 || bind(fd, (void *)&a, sizeof(a)))
		die(name);
	return fd;
}

/* Frames from one card, which all on the wire take; the other's socket gets each once. */
static void net_loop(void)
{
	static uint8_t frame[FRAME];
	static struct ether_header h = { .ether_shost = { 2 }, .ether_dhost = { 255, 255, 255, 255, 255, 255 } };

	h.ether_type = htons(NET_PROTOCOL);
	memcpy(frame, &h, sizeof(h));
	for (uint32_t sent = 0; sent < NET_MIB * MIB; sent += BATCH * FRAME) {
		for (int i = 0; i < BATCH; i++)
			if (send(from, frame, FRAME, 0) != FRAME)
				die("send");
		for (int i = 0; i < BATCH; i++)
			if (recv(to, frame, FRAME, 0) != FRAME)
				die("recv");
	}
}

static void measure(const char *name, void (*what)(void), int mib)
{
	double best = 0, now;

	for (int i = 0; i < TAKES; i++) {
		now = work(what, busy_at_rest);
		if (!i || now < best)
			best = now;
	}
	printf("%s\t%d\t%.0f\n", name, mib, best / mib);
}

/* usage: bp-iobench DISK FROM TO, of which the last two are interfaces */
int main(int argc, char **argv)
{
	cpu_set_t one;
	double ticks;

	if (argc != 4)
		return 2;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
	disk_open(argv[1]);
	from = net_open(argv[2]);
	to = net_open(argv[3]);
	start_rest();
	nothing();
	ticks = __rdtsc();
	busy_at_rest = work(nothing, 0);
	busy_at_rest /= __rdtsc() - ticks;
	fprintf(stderr, "at rest %.4f of the time is taken\n", busy_at_rest);
	measure("disk_read", disk_read, DISK_MIB);
	measure("net_loop", net_loop, NET_MIB);
	return 0;
}
