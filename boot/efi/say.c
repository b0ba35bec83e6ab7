// SPDX-License-Identifier: GPL-2.0-only
/* Text on the firmware's consoles; the contract is in say.h. */
#include "say.h"
#include "app.h"
#include "hv/core/lib/printf.h"

#define LINE	256

static void put(const char *s)
{
	CHAR16 out[LINE + 2];
	size_t n = 0;

	for (; *s && n < LINE - 1; s++) {
		if (*s == '\n')
			out[n++] = '\r';
		out[n++] = (u8)*s < 0x7f ? (u8)*s : '?';
	}
	out[n] = 0;
	efi->ConOut->OutputString(efi->ConOut, out);
}

void say(const char *fmt, ...)
{
	char text[LINE];
	va_list ap;

	va_start(ap, fmt);
	bp_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(text);
}

EFI_STATUS fail(EFI_STATUS status, const char *fmt, ...)
{
	char text[LINE];
	va_list ap;

	va_start(ap, fmt);
	bp_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put("bedplate: ");
	put(text);
	put("\n");
	return status;
}

EFI_STATUS fail_conf(EFI_STATUS status, u32 line, const char *fmt, ...)
{
	char text[LINE];
	va_list ap;

	va_start(ap, fmt);
	bp_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line)
		return fail(status, CONF_NAME " line %u: %s", line, text);
	return fail(status, CONF_NAME ": %s", text);
}

const char *status_text(EFI_STATUS status)
{
	switch (status) {
	case EFI_NOT_FOUND:		return "not found";
	case EFI_ACCESS_DENIED:		return "access denied";
	case EFI_SECURITY_VIOLATION:	return "security violation";
	case EFI_OUT_OF_RESOURCES:	return "no memory";
	case EFI_DEVICE_ERROR:		return "device error";
	case EFI_VOLUME_CORRUPTED:	return "the file system is damaged";
	case EFI_NO_MEDIA:		return "no medium";
	case EFI_MEDIA_CHANGED:		return "the medium was changed";
	default:			return "refused by the firmware";
	}
}
