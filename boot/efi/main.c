// SPDX-License-Identifier: GPL-2.0-only
/* The UEFI application: the order of things. docs/uefi.md tells it. */
#include "app.h"
#include "conf.h"
#include "display.h"
#include "hv/core/lib/string.h"
#include "hv/core/machine/cmdline.h"
#include "leave.h"
#include "load.h"
#include "menu.h"
#include "pages.h"
#include "processor.h"
#include "room.h"
#include "say.h"
#include "secure.h"
#include "tpm.h"
#include "weak.h"

#define READ_SECONDS	10	/* for the operator, before the firmware's next screen */

EFI_HANDLE app_image;
EFI_LOADED_IMAGE *app_loaded;
EFI_SYSTEM_TABLE *efi;
EFI_BOOT_SERVICES *efi_boot;

/* build/bedplate.elf, by payload.S */
extern const u8 payload[], payload_end[];

static char conf_text[CONF_MAX_BYTES + 1];
static struct conf conf;
static struct loaded loaded;
static struct departure departure;

void *app_protocol(EFI_HANDLE handle, const EFI_GUID *guid)
{
	void *p = NULL;
	EFI_STATUS status = handle ? efi_boot->HandleProtocol(handle, (EFI_GUID *)guid, &p)
				   : efi_boot->LocateProtocol((EFI_GUID *)guid, NULL, &p);

	return EFI_ERROR(status) ? NULL : p;
}

static EFI_SHELL_PARAMETERS_PROTOCOL *shell(void)
{
	static const EFI_GUID guid = EFI_SHELL_PARAMETERS_PROTOCOL_GUID;

	return app_protocol(app_image, &guid);
}

bool app_from_shell(void)
{
	return shell() != NULL;
}

static EFI_STATUS read_conf(void)
{
	struct volume_file f;
	struct conf_error e;
	EFI_STATUS status = file_open(&f, CONF_NAME, 0, "");

	if (EFI_ERROR(status))
		return status;
	if (f.bytes > CONF_MAX_BYTES)
		status = fail_conf(EFI_LOAD_ERROR, 0, "it has more than %d bytes", CONF_MAX_BYTES);
	else
		status = file_read(&f, conf_text);
	file_close(&f);
	if (!EFI_ERROR(status))
		status = tpm_file(CONF_NAME, conf_text, f.bytes);
	if (!EFI_ERROR(status) && !conf_parse(conf_text, f.bytes, &conf, &e))
		status = fail_conf(EFI_LOAD_ERROR, e.line, "%s", e.text);
	return status;
}

/* The name that we were started with; "" if there is none. */
static void wanted_name(char *name, size_t size)
{
	EFI_SHELL_PARAMETERS_PROTOCOL *s = shell();

	name[0] = 0;
	if (s && s->Argc > 1)
		name_to_text(name, size, s->Argv[1], name_len(s->Argv[1], NAME_PATH_MAX));
	else if (!s && app_loaded->LoadOptions)
		name_of_entry(name, size, app_loaded->LoadOptions, app_loaded->LoadOptionsSize);
}

static EFI_STATUS choose(const struct conf_entry **e)
{
	char name[NAME_PATH_MAX];

	wanted_name(name, sizeof(name));
	if (!name[0]) {
		*e = menu_choose(&conf);
		return *e ? EFI_SUCCESS : EFI_ABORTED;
	}
	*e = conf_find(&conf, name);
	return *e ? EFI_SUCCESS : fail_conf(EFI_NOT_FOUND, 0, "there is no entry \"%s\"", name);
}

static EFI_STATUS check_options(const struct conf_entry *e, bool secure)
{
	struct cmdline_report rep;
	struct hv_options o;
	const char *weak;

	if (cmdline_parse(e->options.text, &o, &rep))
		return fail_conf(EFI_LOAD_ERROR, e->options.line, "malformed option \"%s\"", rep.bad);
	weak = secure ? weak_option(&o) : NULL;
	if (weak)
		return fail_conf(EFI_SECURITY_VIOLATION, e->options.line,
				 "Secure Boot does not allow %s", weak);
	return EFI_SUCCESS;
}

static EFI_STATUS check_processor(void)
{
	const char *why = processor_missing();

	return why ? fail(EFI_UNSUPPORTED, "%s", why) : EFI_SUCCESS;
}

static EFI_STATUS plan_image(struct departure *d)
{
	const char *err = image_plan(payload, payload_end - payload, &d->plan);
	EFI_STATUS status;

	if (err)
		return fail(EFI_LOAD_ERROR, "the hypervisor's image %s", err);
	d->elf = payload;
	status = room_for_image(&d->plan);
	return EFI_ERROR(status) ? status : leave_prepare(d);
}

static EFI_STATUS measure(const struct conf_entry *e, const struct loaded *l)
{
	EFI_STATUS status = tpm_words("options", e->options.text);
	u32 i;

	if (!EFI_ERROR(status))
		status = tpm_words("cmdline", e->cmdline.text);
	if (!EFI_ERROR(status))
		status = tpm_file(e->kernel.text, l->kernel.data, l->kernel.bytes);
	for (i = 0; i < e->nr_initrds && !EFI_ERROR(status); i++)
		status = tpm_file(e->initrd[i].text, l->part[i].data, l->part[i].bytes);
	return status;
}

/* ACPI's root pointer, of version 2 (UEFI 2.10, 4.6). */
static const void *find_rsdp(void)
{
	static const EFI_GUID guid = ACPI_20_TABLE_GUID;
	UINTN i;

	for (i = 0; i < efi->NumberOfTableEntries; i++)
		if (!memcmp(&efi->ConfigurationTable[i].VendorGuid, &guid, sizeof(guid)))
			return efi->ConfigurationTable[i].VendorTable;
	return NULL;
}

static EFI_STATUS describe(const struct conf_entry *e, const struct loaded *l, bool secure,
			   struct info *info)
{
	struct boot_framebuffer fb = display_find();
	const void *rsdp = find_rsdp();
	hpa_t kernel = (uintptr_t)l->kernel.data, initrd = (uintptr_t)l->initrd.data;

	if (!rsdp)
		return fail(EFI_UNSUPPORTED, "the firmware has no tables of ACPI 2");
	info_loader(info, "bedplate.efi");
	info_cmdline(info, e->options.text);
	info_module(info, kernel, kernel + l->kernel.bytes, e->cmdline.text);
	if (l->initrd.bytes)
		info_module(info, initrd, initrd + l->initrd.bytes, "");
	if (fb.type != BOOT_FB_NONE)
		info_framebuffer(info, &fb);
	info_rsdp(info, rsdp, BOOT_RSDP_MAX);
	info_system_table(info, (uintptr_t)efi);
	if (secure)
		info_flag(info, INFO_SECURE_BOOT);
	return EFI_SUCCESS;
}

/* Of an entry, all that can be wrong before the first of its files is read. */
static EFI_STATUS check_entry(const struct conf_entry *e, bool secure)
{
	EFI_STATUS status = check_options(e, secure);

	return EFI_ERROR(status) ? status : check_processor();
}

static EFI_STATUS start_entry(const struct conf_entry *e)
{
	bool secure = secure_boot_on();
	EFI_STATUS status = check_entry(e, secure);

	if (!EFI_ERROR(status))
		status = plan_image(&departure);
	if (!EFI_ERROR(status))
		status = load_entry(e, &loaded);
	if (!EFI_ERROR(status) && secure)
		status = secure_check_kernel(&loaded);
	if (!EFI_ERROR(status))
		status = room_for_rest(&departure.plan, &loaded);
	if (!EFI_ERROR(status))
		status = measure(e, &loaded);
	if (!EFI_ERROR(status))
		status = describe(e, &loaded, secure, &departure.info);
	if (EFI_ERROR(status))
		return status;
	say("bedplate: starting %s\n", e->name.text);
	volume_close();
	return leave(&departure);
}

static EFI_STATUS run(void)
{
	const struct conf_entry *e;
	EFI_STATUS status = volume_open();

	if (!EFI_ERROR(status))
		status = tpm_file("bedplate.elf", payload, payload_end - payload);
	if (!EFI_ERROR(status))
		status = read_conf();
	if (!EFI_ERROR(status))
		status = choose(&e);
	if (!EFI_ERROR(status))
		status = start_entry(e);
	volume_close();
	pages_release();
	return status;
}

/* From crt0, with UEFI's two arguments. */
EFI_STATUS _entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
EFI_STATUS _entry(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
	static const EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
	EFI_STATUS status;

	app_image = image;
	efi = table;
	efi_boot = table->BootServices;
	efi_boot->SetWatchdogTimer(0, 0, 0, NULL);
	app_loaded = app_protocol(image, &guid);
	status = app_loaded ? run() : EFI_INVALID_PARAMETER;
	if (EFI_ERROR(status) && status != EFI_ABORTED && app_loaded && !app_from_shell()) {
		say("Press a key to go on.\n");
		menu_wait(READ_SECONDS);
	}
	return status;
}
