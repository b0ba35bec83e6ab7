// SPDX-License-Identifier: GPL-2.0-only
/*
 * What memory has of the last boot's log: whatever is there, with checksums that fit or not, what is
 * read of it is printable and of the length that was told.
 */
// SOURCES: hv/core/lib/printf.c
#include "fuzz.h"

#include "hv/core/machine/log.h"
static void clean(const void *p, u64 len);
#define BP_CORE_X86_H
#define cache_flush clean
#include "hv/core/machine/last_log.c"

static u8 area[LAST_LOG_BYTES] __aligned(4096);
static char piece[5000];

int log_level;
void log_printf(int level __unused, const char *fmt __unused, ...) { }
void log_keep(void) { last_log_write("begun\n", 6); }

static void clean(const void *p, u64 len)
{
	const u8 *b = p;

	REQUIRE(b >= area && len <= (u64)(area + sizeof(area) - b));
}

/* Positions only grow, text is harmless, and the reader comes to an end. */
static void read_all(u64 pos, u32 len)
{
	u64 start, next, total = 0;
	u32 n, i;

	do {
		n = last_log_copy(pos, piece, len, &start, &next);
		REQUIRE(n <= len && next == start + n && start <= pos);
		for (i = 0; i < n; i++)
			REQUIRE(harmless(piece[i]));
		pos = next;
		total += n;
		REQUIRE(total <= RING_SIZE);
	} while (n);
}

static void make_slot(struct input *in, struct slot *s)
{
	u8 how = take8(in);
	u32 i, n = take8(in);

	s->head = (struct head){ .magic = MAGIC, .format = FORMAT, .ended = take8(in) % 8 };
	s->head.end = how & 1 ? take64(in) : take32(in) % (3 * RING_SIZE);
	s->head.seen = !(how & 14);
	for (i = 0; i < n; i++)
		s->ring[take32(in) % RING_SIZE] = (char)take8(in);
	for (i = 0; i < n && i < PIECES; i++)
		if (how & 16)
			s->crc[i] = crc32(s->ring + i * PIECE, PIECE);
	if (how & 32)
		take_bytes(in, (u8 *)&s->head + take8(in) % sizeof(s->head), 4);
	if (how & 0xc0)
		s->head.crc = crc32(&s->head, offsetof(struct head, crc));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct slot *slots = (void *)area;
	u64 pos;
	u32 len;

	if (size > 4096)
		return 0;
	memset(area, take8(&in), sizeof(area));
	make_slot(&in, &slots[0]);
	make_slot(&in, &slots[1]);
	pos = take64(&in);
	len = 1 + take16(&in) % (sizeof(piece) - 1);
	mine = NULL;
	last = NULL;
	last_log_init(area);
	read_all(0, 4500);
	read_all(pos, len);
	last_log_write((const char *)data, (u32)size);
	last_log_end(take8(&in) % NR_LOG_ENDS);
	/* The next boot finds what this one wrote. */
	mine = NULL;
	last = NULL;
	last_log_init(area);
	REQUIRE(last);
	read_all(0, len);
	return 0;
}
