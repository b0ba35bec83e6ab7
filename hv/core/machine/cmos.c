// SPDX-License-Identifier: GPL-2.0-only
/* The MC146818 real-time clock, read once at boot. */
#include "cmos.h"

#include "lib/x86.h"

enum { RTC_SEC = 0, RTC_MIN = 2, RTC_HOUR = 4, RTC_DAY = 7, RTC_MONTH = 8,
       RTC_YEAR = 9, RTC_A = 10, RTC_B = 11 };

#define RTC_A_UPDATING	BIT(7)
#define RTC_B_24H	BIT(1)
#define RTC_B_BINARY	BIT(2)

static u8 rtc(u8 reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

struct rtc_time {
	u8 sec, min, hour, day, month, year;
};

static void read_once(struct rtc_time *t)
{
	t->sec = rtc(RTC_SEC);
	t->min = rtc(RTC_MIN);
	t->hour = rtc(RTC_HOUR);
	t->day = rtc(RTC_DAY);
	t->month = rtc(RTC_MONTH);
	t->year = rtc(RTC_YEAR);
}

static u8 from_bcd(u8 v)
{
	return (v >> 4) * 10 + (v & 15);
}

static void normalise(struct rtc_time *t, u8 regb)
{
	bool pm = !(regb & RTC_B_24H) && (t->hour & 0x80);

	t->hour &= 0x7f;
	if (!(regb & RTC_B_BINARY)) {
		t->sec = from_bcd(t->sec);
		t->min = from_bcd(t->min);
		t->hour = from_bcd(t->hour);
		t->day = from_bcd(t->day);
		t->month = from_bcd(t->month);
		t->year = from_bcd(t->year);
	}
	if (!(regb & RTC_B_24H))
		t->hour = t->hour % 12 + (pm ? 12 : 0);
}

u64 civil_days(u32 year, u32 month, u32 day)
{
	u32 era, yoe, doy;

	/* Years that begin in March: the leap day comes last. */
	if (month <= 2)
		year--;
	era = year / 400;
	yoe = year % 400;
	doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
	return era * 146097ull + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool same(const struct rtc_time *a, const struct rtc_time *b)
{
	return a->sec == b->sec && a->min == b->min && a->hour == b->hour &&
	       a->day == b->day && a->month == b->month && a->year == b->year;
}

u64 cmos_wall_seconds(void)
{
	struct rtc_time t = { 0 }, again;
	u32 tries;

	/* Two equal readings outside an update; an absent clock ends the loop. */
	for (tries = 0; tries < 10000; tries++) {
		if (rtc(RTC_A) & RTC_A_UPDATING)
			continue;
		read_once(&t);
		read_once(&again);
		if (same(&t, &again))
			break;
	}
	normalise(&t, rtc(RTC_B));
	if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31 || t.hour > 23)
		return 0;
	return civil_days(2000 + t.year, t.month, t.day) * 86400 +
	       t.hour * 3600 + t.min * 60 + t.sec;
}
