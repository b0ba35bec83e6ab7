// SPDX-License-Identifier: GPL-2.0-only
/* Secure Boot; the contract is in secure.h. */
#include "secure.h"
#include "app.h"
#include "hv/core/lib/string.h"
#include "say.h"

/* shim's protocol: keys of the machine's owner and of the distribution. */
#define SHIM_LOCK_GUID { 0x605dab50, 0xe046, 0x4300, { 0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23 } }

struct shim_lock {
	EFI_STATUS (*verify)(const void *image, u32 bytes);	/* not of UEFI's convention */
};

/* A byte of the firmware's; 0 if there is no such variable, @unsure if it cannot be told. */
static u8 variable(const CHAR16 *name, u8 unsure)
{
	static const EFI_GUID guid = EFI_GLOBAL_VARIABLE;
	u8 value = unsure;
	UINTN n = sizeof(value);
	EFI_STATUS status = efi->RuntimeServices->GetVariable((CHAR16 *)name, (EFI_GUID *)&guid,
							      NULL, &n, &value);

	if (status == EFI_NOT_FOUND)
		return 0;
	return EFI_ERROR(status) ? unsure : value;
}

bool secure_boot_on(void)
{
	return variable(L"SecureBoot", 1) && !variable(L"SetupMode", 0);
}

/* Where the file came from, for firmware that measures or logs it. */
static EFI_DEVICE_PATH *path_of(const u16 *name)
{
	static const EFI_GUID guid = DEVICE_PATH_PROTOCOL;
	static u8 path[1024];
	const EFI_DEVICE_PATH *p = app_protocol(app_loaded->DeviceHandle, &guid);
	size_t len = (name_len(name, NAME_PATH_MAX - 1) + 1) * sizeof(*name), n = 0, node;
	EFI_DEVICE_PATH file = { MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP, { 0, 0 } };
	const EFI_DEVICE_PATH end = { END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE,
				      { sizeof(end), 0 } };

	for (; p && !IsDevicePathEnd(p); p = NextDevicePathNode(p)) {
		node = DevicePathNodeLength(p);
		if (node < sizeof(*p) || n + node + len + 2 * sizeof(end) > sizeof(path))
			return NULL;
		memcpy(path + n, p, node);
		n += node;
	}
	file.Length[0] = (u8)(sizeof(file) + len);
	file.Length[1] = (u8)((sizeof(file) + len) >> 8);
	memcpy(path + n, &file, sizeof(file));
	memcpy(path + n + sizeof(file), name, len);
	memcpy(path + n + sizeof(file) + len, &end, sizeof(end));
	return (EFI_DEVICE_PATH *)(void *)path;
}

/* The firmware checks what it loads; it need not be started for that. */
static EFI_STATUS check_by_firmware(const struct loaded *l)
{
	EFI_HANDLE image = NULL;
	EFI_STATUS status = efi_boot->LoadImage(FALSE, app_image, path_of(l->kernel_path),
						l->kernel.data, l->kernel.bytes, &image);

	/* After a violation it may be loaded, only not to be started. */
	if (image)
		efi_boot->UnloadImage(image);
	return status;
}

EFI_STATUS secure_check_kernel(const struct loaded *l)
{
	static const EFI_GUID guid = SHIM_LOCK_GUID;
	struct shim_lock *shim = app_protocol(NULL, &guid);
	EFI_STATUS status = shim ? shim->verify(l->kernel.data, (u32)l->kernel.bytes)
				 : check_by_firmware(l);
	char path[128];

	if (!EFI_ERROR(status))
		return status;
	name_to_text(path, sizeof(path), l->kernel_path, name_len(l->kernel_path, NAME_PATH_MAX));
	return fail(status, "Secure Boot: the kernel %s has no signature that %s trusts (%s)", path,
		    shim ? "shim" : "the firmware", status_text(status));
}
