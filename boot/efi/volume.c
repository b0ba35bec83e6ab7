// SPDX-License-Identifier: GPL-2.0-only
/* Files of the application's volume; the contract is in volume.h. */
#include "volume.h"
#include "app.h"
#include "hv/core/lib/string.h"
#include "say.h"

#define PIECE	SZ_1M		/* bytes a call: some firmware fails on more */

static EFI_FILE_HANDLE root;
static u16 self[NAME_PATH_MAX];	/* the application's own path */

/* The path in the nodes of @p, which firmware may have cut into several (UEFI 2.10, 10.3). */
static void read_own_path(const EFI_DEVICE_PATH *p)
{
	const u16 *s;
	size_t n = 0, len, node;

	for (; p && !IsDevicePathEnd(p); p = NextDevicePathNode(p)) {
		node = DevicePathNodeLength(p);
		if (node < sizeof(*p))
			return;
		if (DevicePathType(p) != MEDIA_DEVICE_PATH ||
		    DevicePathSubType(p) != MEDIA_FILEPATH_DP)
			continue;
		s = ((const FILEPATH_DEVICE_PATH *)p)->PathName;
		len = name_len(s, (node - sizeof(*p)) / sizeof(*s));
		if (n && self[n - 1] != '\\' && len && *s != '\\')
			self[n++] = '\\';
		if (n + len + 2 >= NAME_PATH_MAX)
			return;
		memcpy(self + n, s, len * sizeof(*s));
		n += len;
		self[n] = 0;
	}
}

EFI_STATUS volume_open(void)
{
	static const EFI_GUID guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
	EFI_FILE_IO_INTERFACE *fs = NULL;
	EFI_STATUS status = EFI_NOT_FOUND;

	if (app_loaded->DeviceHandle)
		fs = app_protocol(app_loaded->DeviceHandle, &guid);
	if (fs)
		status = fs->OpenVolume(fs, &root);
	if (EFI_ERROR(status))
		return fail(status, "the volume that it was loaded from does not open: %s",
			    status_text(status));
	read_own_path(app_loaded->FilePath);
	return EFI_SUCCESS;
}

void volume_close(void)
{
	if (root)
		root->Close(root);
	root = NULL;
}

static EFI_STATUS wrong(EFI_STATUS status, const struct volume_file *f, const char *why)
{
	char path[128];

	name_to_text(path, sizeof(path), f->path, name_len(f->path, NAME_PATH_MAX));
	return fail(status, "%s: %s", path, why);
}

static EFI_STATUS ask_size(struct volume_file *f)
{
	static const EFI_GUID guid = EFI_FILE_INFO_ID;
	static union {
		EFI_FILE_INFO info;
		u8 room[sizeof(EFI_FILE_INFO) + NAME_PATH_MAX * sizeof(CHAR16)];
	} u;
	UINTN n = sizeof(u);
	EFI_STATUS status = f->handle->GetInfo(f->handle, (EFI_GUID *)&guid, &n, &u);

	if (EFI_ERROR(status))
		return wrong(status, f, status_text(status));
	if (u.info.Attribute & EFI_FILE_DIRECTORY)
		return wrong(EFI_NOT_FOUND, f, "is a directory");
	f->bytes = u.info.FileSize;
	return EFI_SUCCESS;
}

EFI_STATUS file_open(struct volume_file *f, const char *path, u32 line, const char *what)
{
	const char *err = name_path(f->path, self, path);
	EFI_STATUS status;

	f->handle = NULL;
	if (err)
		return fail_conf(EFI_INVALID_PARAMETER, line, "%s \"%s\" %s", what, path, err);
	status = root->Open(root, &f->handle, (CHAR16 *)f->path, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(status)) {
		f->handle = NULL;
		return line ? fail_conf(status, line, "%s \"%s\": %s", what, path, status_text(status))
			    : wrong(status, f, status_text(status));
	}
	status = ask_size(f);
	if (EFI_ERROR(status))
		file_close(f);
	return status;
}

EFI_STATUS file_read(struct volume_file *f, void *to)
{
	u64 done = 0;
	UINTN n;
	EFI_STATUS status;

	while (done < f->bytes) {
		n = min(f->bytes - done, (u64)PIECE);
		status = f->handle->Read(f->handle, &n, (u8 *)to + done);
		if (EFI_ERROR(status))
			return wrong(status, f, status_text(status));
		if (!n)
			return wrong(EFI_END_OF_FILE, f, "is shorter than its directory says");
		done += n;
	}
	return EFI_SUCCESS;
}

void file_close(struct volume_file *f)
{
	if (f->handle)
		f->handle->Close(f->handle);
	f->handle = NULL;
}
