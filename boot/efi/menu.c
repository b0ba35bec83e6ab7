// SPDX-License-Identifier: GPL-2.0-only
/* The menu: a list, and a letter for each entry; the contract is in menu.h. */
#include "menu.h"
#include "app.h"
#include "say.h"

#define SECOND		10000000ull	/* in the timer's 100 ns */
#define SCAN_ESCAPE	0x17
#define ESCAPE		0x1b
#define ENTER		'\r'

static_assert(CONF_MAX_ENTRIES <= 9 + 26, "one letter an entry");

static char letter_of(u32 i)
{
	return (char)(i < 9 ? '1' + i : 'a' + i - 9);
}

static u16 read_key(void)
{
	EFI_INPUT_KEY key;

	if (EFI_ERROR(efi->ConIn->ReadKeyStroke(efi->ConIn, &key)))
		return 0;
	if (key.ScanCode == SCAN_ESCAPE)
		return ESCAPE;
	return key.UnicodeChar;
}

/* Both events; a key that means nothing, such as Shift, is waited over. */
static u16 wait_for(EFI_EVENT *events, UINTN nr)
{
	UINTN which = 0;
	u16 key = 0;

	while (!key) {
		if (EFI_ERROR(efi_boot->WaitForEvent(nr, events, &which)) || which == 1)
			break;
		key = read_key();
	}
	return key;
}

u16 menu_wait(u32 seconds)
{
	EFI_EVENT events[2] = { efi->ConIn->WaitForKey, NULL };
	u16 key;

	if (!seconds)
		return wait_for(events, 1);
	if (EFI_ERROR(efi_boot->CreateEvent(EVT_TIMER, TPL_APPLICATION, NULL, NULL, &events[1])))
		return 0;
	key = 0;
	if (!EFI_ERROR(efi_boot->SetTimer(events[1], TimerRelative, seconds * SECOND)))
		key = wait_for(events, 2);
	efi_boot->CloseEvent(events[1]);
	return key;
}

static void show(const struct conf *c)
{
	const struct conf_entry *e;
	u32 i;

	say("\nBedplate\n\n");
	for (i = 0; i < c->nr; i++) {
		e = &c->entry[i];
		say("  %c  %s\n", letter_of(i), *e->title.text ? e->title.text : e->name.text);
	}
	say("\nA letter starts an entry, Enter %c, Escape leaves.\n", letter_of(c->chosen));
}

/* Seconds that are left, one line over the last; the key that stopped it, 0: none. */
static u16 count_down(u32 seconds)
{
	u16 key = 0;

	for (; seconds && !key; seconds--) {
		say("\rStarting in %u s ...  ", seconds);
		key = menu_wait(1);
	}
	say("\r                         \r");
	return key;
}

const struct conf_entry *menu_choose(const struct conf *c)
{
	u16 key;
	u32 i;

	if (!c->timeout)
		return &c->entry[c->chosen];
	show(c);
	key = count_down(c->timeout);
	if (!key)
		return &c->entry[c->chosen];
	for (;; key = menu_wait(0)) {
		if (key == ESCAPE)
			return NULL;
		if (key == ENTER)
			return &c->entry[c->chosen];
		for (i = 0; i < c->nr; i++)
			if (key == (u16)letter_of(i))
				return &c->entry[i];
	}
}
