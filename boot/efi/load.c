// SPDX-License-Identifier: GPL-2.0-only
/* Loading of an entry's files; the contract is in load.h. */
#include "load.h"
#include "app.h"
#include "hv/core/lib/string.h"
#include "pages.h"
#include "say.h"

/* Archives of an initrd begin at multiples of this (Linux, initramfs/buffer-format). */
#define ARCHIVE_ALIGN	4ull

static EFI_STATUS check_kernel(const struct conf_entry *e, struct loaded *l)
{
	struct linux_image *li = &l->linux_image;
	const char *err = linux_check_image(l->kernel.data, l->kernel.bytes, li);

	if (err)
		return fail_conf(EFI_LOAD_ERROR, e->kernel.line, "kernel \"%s\" %s",
				 e->kernel.text, err);
	if (strlen(e->cmdline.text) > li->cmdline_max)
		return fail_conf(EFI_LOAD_ERROR, e->cmdline.line,
				 "the kernel takes a command line of %u bytes, this one has %llu",
				 li->cmdline_max, (u64)strlen(e->cmdline.text));
	return EFI_SUCCESS;
}

static EFI_STATUS load_kernel(const struct conf_entry *e, struct loaded *l)
{
	struct volume_file f;
	EFI_STATUS status = file_open(&f, e->kernel.text, e->kernel.line, "kernel");

	if (EFI_ERROR(status))
		return status;
	memcpy(l->kernel_path, f.path, sizeof(l->kernel_path));
	l->kernel.bytes = f.bytes;
	status = pages_get((void **)&l->kernel.data, f.bytes, EfiLoaderData, "the kernel");
	if (!EFI_ERROR(status))
		status = file_read(&f, l->kernel.data);
	file_close(&f);
	return EFI_ERROR(status) ? status : check_kernel(e, l);
}

static EFI_STATUS size_initrds(const struct conf_entry *e, struct loaded *l)
{
	struct volume_file f;
	EFI_STATUS status;
	u32 i;

	for (i = 0; i < e->nr_initrds; i++) {
		status = file_open(&f, e->initrd[i].text, e->initrd[i].line, "initrd");
		if (EFI_ERROR(status))
			return status;
		file_close(&f);
		l->part[i].bytes = f.bytes;
		l->initrd.bytes = ALIGN_UP(l->initrd.bytes, ARCHIVE_ALIGN) + f.bytes;
		if (f.bytes >= SZ_4G || l->initrd.bytes >= SZ_4G)
			return fail_conf(EFI_OUT_OF_RESOURCES, e->initrd[i].line,
					 "initrd \"%s\" is too big", e->initrd[i].text);
	}
	return EFI_SUCCESS;
}

static EFI_STATUS load_initrds(const struct conf_entry *e, struct loaded *l)
{
	struct volume_file f;
	EFI_STATUS status;
	u64 at = 0;
	u32 i;

	status = pages_get((void **)&l->initrd.data, l->initrd.bytes, EfiLoaderData, "the initrds");
	for (i = 0; i < e->nr_initrds && !EFI_ERROR(status); i++) {
		status = file_open(&f, e->initrd[i].text, e->initrd[i].line, "initrd");
		if (EFI_ERROR(status))
			break;
		f.bytes = l->part[i].bytes;	/* it cannot have grown into others' memory */
		l->part[i].data = l->initrd.data + at;
		status = file_read(&f, l->part[i].data);
		file_close(&f);
		at += f.bytes;
		memset(l->initrd.data + at, 0, min(ALIGN_UP(at, ARCHIVE_ALIGN), l->initrd.bytes) - at);
		at = ALIGN_UP(at, ARCHIVE_ALIGN);
	}
	return status;
}

EFI_STATUS load_entry(const struct conf_entry *e, struct loaded *l)
{
	EFI_STATUS status;

	memset(l, 0, sizeof(*l));
	status = load_kernel(e, l);
	if (!EFI_ERROR(status))
		status = size_initrds(e, l);
	if (!EFI_ERROR(status) && e->nr_initrds)
		status = load_initrds(e, l);
	return status;
}
