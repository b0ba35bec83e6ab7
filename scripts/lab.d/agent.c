// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's agent: process 1 of the service VM once the root is set up.
 *
 * It talks to the runner (scripts/lab.d/runner) over one byte stream, a virtio
 * port or a serial line, and runs the one COMMAND the runner asks for. Frames in
 * both directions are a type byte, a little-endian 32-bit length, the payload:
 *
 *   runner to agent   R  run: u8 tty, u16 rows, u16 columns, then strings, each
 *                        ended by NUL: TERM, the count of boots, the arguments
 *                     I  bytes for COMMAND's standard input; E: its end
 *                     W  u16 rows, u16 columns: the terminal's new size
 *   agent to runner   H  "LAB-HELO": ready for R
 *                     A  u32: so many more bytes were received; on a serial line
 *                        only, where more than its FIFO can hold would be lost
 *                     O  standard output; D: standard error (diagnostics)
 *                     X  u32 exit status, as a shell would give it; disks synced
 *
 * usage: agent DEVICE [NOTES]   NOTES is a file sent as standard error at first.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define HEADER_LEN	5
#define PAYLOAD_MAX	32768
#define ARGS_MAX	4096

struct agent {
	int port;		/* the stream to the runner, non-blocking */
	bool serial;		/* it is a serial line: acknowledge what came */
	int sigfd;		/* SIGCHLD */
	int in, out, err;	/* our ends of COMMAND's streams, -1 when closed */
	bool tty;		/* COMMAND has a pseudo-terminal: in == out */
	bool in_eof;		/* the runner sent E */
	pid_t child;
	int status;		/* wait status of child, -1 before it ended */
	uint8_t rx[HEADER_LEN + PAYLOAD_MAX];	/* one frame, partly received */
	size_t rx_len;
	uint8_t pend[PAYLOAD_MAX];		/* input COMMAND has not read yet */
	size_t pend_off, pend_len;
};

static void die(const char *what)
{
	fprintf(stderr, "lab agent: %s: %s\n", what, strerror(errno));
	for (;;)
		pause();
}

static void write_all(int fd, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n > 0) {
			p += n;
			len -= n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd w = { .fd = fd, .events = POLLOUT };

			poll(&w, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			die("write to the runner");
		}
	}
}

static void send_frame(struct agent *a, char type, const void *buf, uint32_t len)
{
	uint8_t frame[HEADER_LEN + PAYLOAD_MAX];
	uint32_t le = htole32(len);

	frame[0] = type;
	memcpy(frame + 1, &le, sizeof(le));
	memcpy(frame + HEADER_LEN, buf, len);
	write_all(a->port, frame, HEADER_LEN + len);
}

static void send_file(struct agent *a, char type, const char *path)
{
	uint8_t buf[PAYLOAD_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		send_frame(a, type, buf, n);
	close(fd);
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static void set_size(int fd, const uint8_t *rows_columns)
{
	struct winsize ws = {
		.ws_row = get16(rows_columns),
		.ws_col = get16(rows_columns + 2),
	};

	ioctl(fd, TIOCSWINSZ, &ws);
}

/* In the child, after its standard streams are in place. Does not return. */
static void exec_command(char *const *argv, const char *term)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (*term)
		setenv("TERM", term, 1);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void spawn_tty(struct agent *a, char *const *argv, const char *term,
		      const uint8_t *size)
{
	int fd;

	a->child = forkpty(&fd, NULL, NULL, NULL);
	if (a->child < 0)
		die("forkpty");
	if (a->child == 0)
		exec_command(argv, term);
	set_size(fd, size);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	a->in = a->out = fd;
	a->tty = true;
}

static void spawn_pipes(struct agent *a, char *const *argv, const char *term)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("pipe");
	a->child = fork();
	if (a->child < 0)
		die("fork");
	if (a->child == 0) {
		setsid();
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		exec_command(argv, term);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	a->in = in[1];
	a->out = out[0];
	a->err = err[0];
	fcntl(a->in, F_SETFL, O_NONBLOCK);
	fcntl(a->out, F_SETFL, O_NONBLOCK);
	fcntl(a->err, F_SETFL, O_NONBLOCK);
}

static void run_command(struct agent *a, uint8_t *p, size_t len)
{
	char *argv[ARGS_MAX];
	size_t n = 0, at = 5;
	const char *term;

	if (len < 7 || p[len - 1] != '\0') {
		errno = EPROTO;
		die("run request");
	}
	term = (char *)p + at;
	at += strlen(term) + 1;
	if (at < len) {
		setenv("LAB_BOOT", (char *)p + at, 1);
		at += strlen((char *)p + at) + 1;
	}
	while (at < len && n < ARGS_MAX - 1) {
		argv[n++] = (char *)p + at;
		at += strlen((char *)p + at) + 1;
	}
	argv[n] = NULL;
	if (n == 0) {
		errno = EPROTO;
		die("run request");
	}
	if (p[0])
		spawn_tty(a, argv, term, p + 1);
	else
		spawn_pipes(a, argv, term);
}

static void close_input(struct agent *a)
{
	if (a->tty)
		write_all(a->in, "\004", 1);	/* the terminal's end of file */
	else if (a->in >= 0)
		close(a->in);
	a->in = -1;
}

static void handle_frame(struct agent *a, uint8_t type, uint8_t *p, size_t len)
{
	switch (type) {
	case 'R':
		if (!a->child)
			run_command(a, p, len);
		break;
	case 'I':
		memcpy(a->pend, p, len);
		a->pend_off = 0;
		a->pend_len = len;
		break;
	case 'E':
		a->in_eof = true;
		break;
	case 'W':
		if (a->tty && len >= 4)
			set_size(a->out, p);
		break;
	}
}

static void acknowledge(struct agent *a, uint32_t count)
{
	count = htole32(count);
	if (a->serial)
		send_frame(a, 'A', &count, sizeof(count));
}

/* Takes what the port has, and handles a frame once it is whole. */
static void receive(struct agent *a)
{
	size_t want = HEADER_LEN;
	uint32_t len = 0;
	ssize_t n;

	for (;;) {
		if (a->rx_len >= HEADER_LEN) {
			memcpy(&len, a->rx + 1, sizeof(len));
			len = le32toh(len);
			if (len > PAYLOAD_MAX) {
				errno = EPROTO;
				die("frame from the runner");
			}
			want = HEADER_LEN + len;
			if (a->rx_len == want)
				break;
		}
		n = read(a->port, a->rx + a->rx_len, want - a->rx_len);
		if (n <= 0)
			return;
		a->rx_len += n;
		acknowledge(a, n);
	}
	a->rx_len = 0;
	handle_frame(a, a->rx[0], a->rx + HEADER_LEN, len);
}

/* Gives COMMAND the input that waits; a COMMAND that closed its end loses it. */
static void feed(struct agent *a)
{
	ssize_t n;

	if (a->in < 0) {
		a->pend_len = a->pend_off = 0;
		return;
	}
	if (a->pend_off < a->pend_len) {
		n = write(a->in, a->pend + a->pend_off, a->pend_len - a->pend_off);
		if (n > 0) {
			a->pend_off += n;
		} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
			a->pend_off = a->pend_len;
			if (!a->tty)
				close(a->in);
			a->in = -1;
		}
	}
	if (a->pend_off == a->pend_len && a->in_eof && a->in >= 0)
		close_input(a);
}

/* Passes on one read's worth; false when nothing came (now, or ever again). */
static bool drain(struct agent *a, int *fd, char type)
{
	uint8_t buf[PAYLOAD_MAX];
	ssize_t n;

	if (*fd < 0)
		return false;
	n = read(*fd, buf, sizeof(buf));
	if (n > 0) {
		send_frame(a, type, buf, n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		if (a->tty)
			a->in = -1;
		close(*fd);
		*fd = -1;
	}
	return false;
}

static void reap(struct agent *a)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(a->sigfd, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == a->child)
			a->status = status;
}

static void finish(struct agent *a)
{
	uint32_t code, eax, ebx, ecx, edx;

	while (drain(a, &a->out, 'O') || drain(a, &a->err, 'D'))
		;
	sync();
	/* A hypervisor that counts what it runs (COVERAGE=1) writes it out now. */
	__cpuid(0x400001ff, eax, ebx, ecx, edx);
	code = WIFSIGNALED(a->status) ? 128 + WTERMSIG(a->status) :
					WEXITSTATUS(a->status);
	code = htole32(code);
	send_frame(a, 'X', &code, sizeof(code));
	for (;;)
		pause();
}

static void serve(struct agent *a)
{
	bool stuffed = a->pend_off < a->pend_len;
	struct pollfd fds[] = {
		{ .fd = stuffed ? -1 : a->port, .events = POLLIN },
		{ .fd = a->sigfd, .events = POLLIN },
		{ .fd = a->out, .events = POLLIN },
		{ .fd = a->err, .events = POLLIN },
		{ .fd = stuffed ? a->in : -1, .events = POLLOUT },
	};

	if (poll(fds, 5, -1) < 0 && errno != EINTR)
		die("poll");
	if (fds[0].revents)
		receive(a);
	if (fds[1].revents)
		reap(a);
	if (fds[2].revents)
		drain(a, &a->out, 'O');
	if (fds[3].revents)
		drain(a, &a->err, 'D');
	feed(a);
}

static void open_port(struct agent *a, const char *path)
{
	struct termios t;

	a->port = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (a->port < 0)
		die(path);
	if (tcgetattr(a->port, &t) == 0) {
		cfmakeraw(&t);
		cfsetspeed(&t, B115200);
		tcsetattr(a->port, TCSANOW, &t);
		a->serial = true;
	}
}

int main(int argc, char **argv)
{
	static struct agent a = { .in = -1, .out = -1, .err = -1, .status = -1 };
	sigset_t chld;

	if (argc < 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	a.sigfd = signalfd(-1, &chld, SFD_NONBLOCK | SFD_CLOEXEC);
	if (a.sigfd < 0)
		die("signalfd");
	open_port(&a, argv[1]);
	send_frame(&a, 'H', "LAB-HELO", 8);
	if (argc > 2)
		send_file(&a, 'D', argv[2]);
	while (a.status == -1)
		serve(&a);
	finish(&a);
}
