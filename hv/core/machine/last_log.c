// SPDX-License-Identifier: GPL-2.0-only
/* The log of the boot before this one; the contract is in last_log.h. */
#include "last_log.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "log.h"

#define RING_SIZE	(128 * 1024u)	/* a power of two */
#define PIECE		256u
#define PIECES		(RING_SIZE / PIECE)
#define MAGIC		0x676f4c7453614c42ull	/* "BLaStLog" */
#define FORMAT		1

/* What says which bytes of the ring count, and is written after them. */
struct head {
	u64 magic;
	u32 format;
	u32 ended;		/* enum log_end */
	u64 end;		/* bytes ever written; the ring has the last of them */
	u32 seen;		/* a later boot has found it, so it is not the last one's */
	u32 crc;		/* of all before */
};
static_assert(sizeof(struct head) == 32, "no padding, which would count in crc");

struct slot {
	struct head head;
	u8 pad[64 - sizeof(struct head)];
	u32 crc[PIECES];	/* of each piece of the ring */
	u8 pad2[4096 - 64 - PIECES * sizeof(u32)];
	char ring[RING_SIZE];
};
static_assert(2 * sizeof(struct slot) == LAST_LOG_BYTES, "header and here");

static struct slot *mine;	/* NULL: no memory to keep it in */
static const struct slot *last;	/* NULL: there is none */

/* CRC-32 as Ethernet's. */
static u32 crc32(const void *p, u32 len)
{
	const u8 *b = p;
	u32 crc = ~0u, bit;

	while (len--) {
		crc ^= *b++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static bool valid(const struct head *h)
{
	return h->magic == MAGIC && h->format == FORMAT && h->ended < NR_LOG_ENDS && h->end &&
	       !h->seen && h->crc == crc32(h, offsetof(struct head, crc));
}

static void write_head(struct slot *s)
{
	s->head.crc = crc32(&s->head, offsetof(struct head, crc));
	cache_flush(&s->head, sizeof(s->head));
}

static void begin(struct slot *s)
{
	u32 i;

	memset(s, 0, sizeof(*s));
	s->head = (struct head){ .magic = MAGIC, .format = FORMAT };
	for (i = 0; i < PIECES; i++)
		s->crc[i] = i ? s->crc[0] : crc32(s->ring, PIECE);
	cache_flush(s, sizeof(*s));
	write_head(s);
	mine = s;
}

static bool harmless(char c)
{
	return c == '\n' || c == '\t' || (c >= ' ' && c <= '~');
}

/* What is damaged or no text becomes question marks. Returns the number of damaged pieces. */
static u32 mend(struct slot *s)
{
	u32 i, bad = 0;

	for (i = 0; i < PIECES; i++)
		if (s->crc[i] != crc32(s->ring + i * PIECE, PIECE)) {
			memset(s->ring + i * PIECE, '?', PIECE);
			bad++;
		}
	for (i = 0; i < min(s->head.end, (u64)RING_SIZE); i++)
		if (!harmless(s->ring[i]))
			s->ring[i] = '?';
	return bad;
}

static void say(u32 damaged)
{
	static const char *const how[NR_LOG_ENDS] = {
		[LOG_END_NONE] = "a reset", [LOG_END_PANIC] = "a panic of Bedplate",
		[LOG_END_REFUSED] = "a refusal to boot", [LOG_END_DOM0_FAULT] = "a triple fault of domain 0",
		[LOG_END_RESTART] = "a restart by domain 0", [LOG_END_OFF] = "a power-off by domain 0",
		[LOG_END_DOM0_PANIC] = "a panic of domain 0",
	};

	if (!last) {
		log_info("no log of the last boot: power was off, or memory has changed or was cleared");
		return;
	}
	log_info("the last boot's log has %llu bytes, ended by %s",
		 min(last->head.end, (u64)RING_SIZE), how[last->head.ended]);
	if (damaged)
		log_warn("%u of the %u pieces of the last boot's log are damaged", damaged, PIECES);
}

void last_log_init(void *area)
{
	struct slot *slots = area, *found = NULL;
	u32 damaged = 0;

	if (valid(&slots[0].head))
		found = &slots[0];
	else if (valid(&slots[1].head))
		found = &slots[1];
	if (found) {
		damaged = mend(found);
		found->head.seen = 1;
		write_head(found);
	}
	last = found;
	begin(found == &slots[0] ? &slots[1] : &slots[0]);
	log_keep();
	say(damaged);
}

static void write_piece(const char *s, u32 at, u32 len)
{
	u32 i;

	memcpy(mine->ring + at, s, len);
	cache_flush(mine->ring + at, len);
	for (i = at / PIECE; i <= (at + len - 1) / PIECE; i++)
		mine->crc[i] = crc32(mine->ring + i * PIECE, PIECE);
	cache_flush(&mine->crc[at / PIECE], (i - at / PIECE) * sizeof(u32));
}

void last_log_write(const char *s, u32 len)
{
	u32 at, n;

	if (!mine)
		return;
	for (; len; s += n, len -= n) {
		at = mine->head.end & (RING_SIZE - 1);
		n = min(len, RING_SIZE - at);
		write_piece(s, at, n);
		mine->head.end += n;
	}
	write_head(mine);
}

void last_log_end(enum log_end how)
{
	if (!mine || mine->head.ended == LOG_END_PANIC)
		return;
	mine->head.ended = how;
	write_head(mine);
}

u32 last_log_copy(u64 pos, char *buf, u32 len, u64 *start, u64 *next)
{
	u64 end = last ? last->head.end : 0, first = end > RING_SIZE ? end - RING_SIZE : 0;
	u32 i;

	pos = min(pos, end - first);
	len = (u32)min((u64)len, end - first - pos);
	for (i = 0; i < len; i++)
		buf[i] = last->ring[(first + pos + i) & (RING_SIZE - 1)];
	*start = pos;
	*next = pos + len;
	return len;
}
