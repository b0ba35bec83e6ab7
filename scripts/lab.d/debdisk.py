#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes a disk with a GPT that GRUB boots on BIOS and on UEFI, of a tree of files, without
mounting anything: a partition for GRUB's core image, an empty EFI system partition and ext4.

usage: debdisk.py TREE OUTPUT
"""

import binascii
import os
import struct
import subprocess
import sys
import uuid

SECTOR = 512
MEGABYTE = 1 << 20
ENTRIES = 128
ENTRY_BYTES = 128
TABLE_SECTORS = ENTRIES * ENTRY_BYTES // SECTOR

BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649"
ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"

# Name, type, first MiB, MiB.
PARTITIONS = (
    ("bios", BIOS_BOOT, 1, 1),
    ("esp", ESP, 2, 126),
    ("root", LINUX, 128, 5888),
)
DISK = 6017                     # MiB: room for the copy of the table at the end

# Made once with these, so that fstab and the boot loader may know them beforehand.
ROOT_UUID = "0b0d91a7-0000-4000-8000-000000000001"
ESP_ID = "0B0D91A7"


def entry(name, kind, start, length):
    first = start * MEGABYTE // SECTOR
    last = (start + length) * MEGABYTE // SECTOR - 1
    return struct.pack("<16s16sQQQ72s", uuid.UUID(kind).bytes_le, uuid.uuid4().bytes_le,
                       first, last, 0, name.encode("utf-16-le"))


def header(disk_id, here, other, table, table_crc, sectors):
    """UEFI 2.10, 5.3.2."""
    def pack(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other,
                           2 + TABLE_SECTORS, sectors - TABLE_SECTORS - 2, disk_id, table,
                           ENTRIES, ENTRY_BYTES, table_crc)
    return pack(binascii.crc32(pack(0)))


def protective_record(sectors):
    row = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, sectors - 1)
    return b"\0" * 446 + row + b"\0" * 48 + b"\x55\xaa"


def write_table(path):
    sectors = DISK * MEGABYTE // SECTOR
    table = b"".join(entry(*p) for p in PARTITIONS).ljust(ENTRIES * ENTRY_BYTES, b"\0")
    crc = binascii.crc32(table)
    disk_id = uuid.uuid4().bytes_le
    last = sectors - 1
    with open(path, "wb") as f:
        f.truncate(sectors * SECTOR)
        f.write(protective_record(sectors))
        f.write(header(disk_id, 1, last, 2, crc, sectors))
        f.seek(2 * SECTOR)
        f.write(table)
        f.seek((last - TABLE_SECTORS) * SECTOR)
        f.write(table)
        f.write(header(disk_id, last, 1, last - TABLE_SECTORS, crc, sectors))


def write_file_systems(tree, path):
    _, (_, _, esp, esp_length), (_, _, root, root_length) = PARTITIONS
    subprocess.run(["mkfs.vfat", "-F", "16", "-n", "ESP", "-i", ESP_ID,
                    f"--offset={esp * MEGABYTE // SECTOR}", path, str(esp_length * 1024)],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-U", ROOT_UUID, "-L", "root",
                    "-E", f"offset={root * MEGABYTE},lazy_itable_init=0,nodiscard",
                    "-d", tree, path, f"{root_length}M"], check=True)


def main(tree, path):
    write_table(path + ".new")
    write_file_systems(tree, path + ".new")
    os.rename(path + ".new", path)


if __name__ == "__main__":
    main(*sys.argv[1:])
