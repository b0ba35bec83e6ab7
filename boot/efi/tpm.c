// SPDX-License-Identifier: GPL-2.0-only
/* Measurements; the contract is in tpm.h. */
#include "tpm.h"
#include "app.h"
#include "hv/core/lib/printf.h"
#include "hv/core/lib/string.h"
#include "say.h"

/* TCG EFI Protocol Specification, 6 */
#define TCG2_GUID { 0x607f766c, 0x7455, 0x42be, { 0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f } }
#define EV_IPL		13
#define HEADER_VERSION	1
#define LOG_TEXT	1024

struct tcg2_capability {
	u8 size, version[4];
	u32 hashes, logs;
	u8 present;
	u16 max_command, max_response;
	u32 manufacturer, banks, active_banks;
};
static_assert(offsetof(struct tcg2_capability, present) == 16, "TCG EFI Protocol, 6.4");
static_assert(sizeof(struct tcg2_capability) == 36, "TCG EFI Protocol, 6.4");

struct tcg2_event {
	u32 size;
	u32 header_size;
	u16 header_version;
	u32 pcr;
	u32 type;
	char text[LOG_TEXT];
} __packed;
static_assert(offsetof(struct tcg2_event, text) == 18, "TCG EFI Protocol, 6.6");

struct tcg2 {
	EFI_STATUS (EFIAPI *get_capability)(struct tcg2 *, struct tcg2_capability *);
	void *get_event_log;
	EFI_STATUS (EFIAPI *hash_log_extend)(struct tcg2 *, UINT64 flags, EFI_PHYSICAL_ADDRESS data,
					     UINT64 bytes, struct tcg2_event *);
};

static struct tcg2 *find_tpm(void)
{
	static const EFI_GUID guid = TCG2_GUID;
	struct tcg2_capability cap = { .size = sizeof(cap) };
	struct tcg2 *t = app_protocol(NULL, &guid);

	if (!t || EFI_ERROR(t->get_capability(t, &cap)) || !cap.present)
		return NULL;
	return t;
}

static EFI_STATUS measure(u32 pcr, const char *text, const void *data, u64 bytes)
{
	static struct tcg2_event e;
	struct tcg2 *t = find_tpm();
	EFI_STATUS status;

	if (!t)
		return EFI_SUCCESS;
	e = (struct tcg2_event){ .header_size = 14, .header_version = HEADER_VERSION, .pcr = pcr,
				 .type = EV_IPL };
	bp_snprintf(e.text, sizeof(e.text), "%s", text);
	e.size = (u32)(offsetof(struct tcg2_event, text) + strlen(e.text) + 1);
	status = t->hash_log_extend(t, 0, (uintptr_t)data, bytes, &e);
	/* The log is full: the register has it all the same. */
	if (!EFI_ERROR(status) || status == EFI_VOLUME_FULL)
		return EFI_SUCCESS;
	return fail(status, "the TPM does not take the measurement of %s", text);
}

EFI_STATUS tpm_file(const char *name, const void *data, u64 bytes)
{
	return measure(TPM_PCR_FILES, name, data, bytes);
}

EFI_STATUS tpm_words(const char *name, const char *words)
{
	static char text[LOG_TEXT];

	bp_snprintf(text, sizeof(text), "%s: %s", name, words);
	return measure(TPM_PCR_WORDS, text, words, strlen(words) + 1);
}
