// SPDX-License-Identifier: GPL-2.0-only
/* The only file that knows of curses. */
#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "screen.h"

#define HELP	"q quit  d delay  V vCPUs  R reverse  sort: C cpu T time M memory E exits W wait N name I id"

struct screen {
	struct top_options *o;
	double delay;		/* seconds */
	bool asking;		/* for another delay, of which this was typed */
	char typed[16];
	struct view now, before;
	bool have_before;
	int top;		/* rows scrolled away */
	bool help;
};

static volatile sig_atomic_t ended;
static sigset_t while_waiting;	/* the signals that are blocked while we wait for a key */

static void on_signal(int sig)
{
	(void)sig;
	ended = 1;
}

static u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* ---- drawing ---- */

static void draw_lines(struct screen *s, char *text)
{
	int n, y, end = LINES - s->help;
	char *line;

	for (n = 0; (line = strsep(&text, "\n")); n++) {
		bool columns = n == TOP_HEAD - 1;

		y = n < TOP_HEAD ? n : n - s->top;
		if (y >= end || (n >= TOP_HEAD && y < TOP_HEAD))
			continue;
		if (columns)
			attron(A_REVERSE);
		mvprintw(y, 0, "%-*s", columns ? COLS : 0, line);
		if (columns)
			attroff(A_REVERSE);
	}
	if (s->help)
		mvaddnstr(LINES - 1, 0, HELP, COLS);
}

/* Scrolling stops where the last row is at the bottom. */
static void clamp_top(struct screen *s, const char *text)
{
	int rows = -TOP_HEAD - 1, most;

	for (; text; text = strchr(text, '\n'), text += !!text)
		rows++;
	most = rows - (LINES - TOP_HEAD - s->help);
	if (s->top > most)
		s->top = most;
	if (s->top < 0)
		s->top = 0;
}

static void draw(struct screen *s)
{
	char *text;
	size_t len;
	FILE *f = must(open_memstream(&text, &len));

	top_write(f, s->have_before ? &s->before : NULL, &s->now, s->o, COLS);
	fclose(f);
	erase();
	clamp_top(s, text);
	draw_lines(s, text);
	if (s->asking) {
		mvprintw(0, 0, "seconds between updates (now %.1f): %s", s->delay, s->typed);
		clrtoeol();
	}
	curs_set(s->asking);
	refresh();
	free(text);
}

/* ---- keys ---- */

static void set_delay(struct screen *s)
{
	char *end;
	double d = strtod(s->typed, &end);

	if (!*s->typed)
		return;
	if (!*end && d >= 0.1 && d <= 3600)
		s->delay = d;
	else
		beep();
}

/* A key of the answer. */
static void answer(struct screen *s, int key)
{
	size_t n = strlen(s->typed);

	if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		s->asking = false;
		set_delay(s);
	} else if (key == '\033') {
		s->asking = false;
	} else if (key == KEY_BACKSPACE || key == '\b' || key == 0x7f) {
		s->typed[n ? n - 1 : 0] = '\0';
	} else if (key > ' ' && key < 0x7f && n < sizeof(s->typed) - 1) {
		s->typed[n] = (char)key;
		s->typed[n + 1] = '\0';
	}
}

static void ask_delay(struct screen *s)
{
	s->asking = true;
	s->typed[0] = '\0';
}

static void sort_by(struct screen *s, enum top_sort sort)
{
	s->o->reverse = false;
	s->o->sort = sort;
}

/* False: the end. */
static bool key_pressed(struct screen *s, int key)
{
	static const char sorts[NR_SORTS + 1] = "CTMEWNI";
	const char *at = key > 0 && key < 128 ? strchr(sorts, key) : NULL;

	if (at)
		sort_by(s, at - sorts);
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 'V':
	case 'v':
		s->o->vcpus = !s->o->vcpus;
		break;
	case 'R':
	case 'r':
		s->o->reverse = !s->o->reverse;
		break;
	case 'h':
	case '?':
		s->help = !s->help;
		break;
	case KEY_UP:
		s->top--;
		break;
	case KEY_DOWN:
		s->top++;
		break;
	case KEY_PPAGE:
		s->top -= LINES - TOP_HEAD - 1;
		break;
	case KEY_NPAGE:
		s->top += LINES - TOP_HEAD - 1;
		break;
	case KEY_HOME:
		s->top = 0;
		break;
	}
	return true;
}

/* ---- the loop ---- */

static bool look(struct screen *s)
{
	struct view next;

	if (!view_read(&next))
		return false;
	if (s->have_before)
		view_free(&s->before);
	s->before = s->now;
	s->have_before = true;
	s->now = next;
	return true;
}

/* Keys after which nobody wants to wait for the next look. */
static bool looks_now(int key)
{
	return key == ' ' || key == '\n' || key == '\r';
}

/*
 * A key, KEY_RESIZE, or ERR at a signal and after ms milliseconds. Signals are blocked but for the wait: one that
 * came between a test of what it set and the wait would be forgotten until the next key.
 */
static int next_key(int ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l };
	int key = getch();	/* of those that curses has read */

	if (key != ERR)
		return key;
	if (ppoll(&in, 1, &t, &while_waiting) > 0 && in.revents != POLLIN)
		ended = 1;	/* the terminal is gone */
	return getch();
}

/* Keys until it is time for the next look; false: the end. */
static bool keys(struct screen *s)
{
	u64 until = now_ms() + (u64)(s->delay * 1000), now;
	int key;

	for (now = now_ms(); now < until && !ended; now = now_ms()) {
		draw(s);
		key = next_key((int)(until - now));
		if (s->asking) {
			answer(s, key);
			if (!s->asking)
				return true;	/* the delay counts from now */
		} else if (key == 'd' || key == 's') {
			ask_delay(s);
		} else if (looks_now(key)) {
			return true;
		} else if (key != ERR && !key_pressed(s, key)) {
			return false;
		}
	}
	return !ended;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGWINCH);
	sigprocmask(SIG_BLOCK, &ours, &while_waiting);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

int screen_run(struct top_options *o, double delay)
{
	struct screen s = { .o = o, .delay = delay };

	/* Complaints come before the screen is ours, and after. */
	if (!view_read(&s.now))
		return FAILED;
	if (!newterm(NULL, stdout, stdin)) {
		complain("top: the terminal \"%s\" is not known: set TERM, or use -b",
			 getenv("TERM") ? getenv("TERM") : "");
		view_free(&s.now);
		return FAILED;
	}
	catch_signals();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	timeout(0);
	while (keys(&s) && look(&s))
		;
	endwin();
	view_free(&s.now);
	if (s.have_before)
		view_free(&s.before);
	return DONE;
}
