# SPDX-License-Identifier: GPL-2.0-only
"""A disk that the BIOS boots: GRUB in the master boot record and the gap behind
it, and one partition. GRUB reads a tar archive as a file system, so a run's
partition is simply a tar file: nothing is formatted, mounted or compressed.

usage: bootdisk.py MBR CORE PARTITION OUTPUT   (PARTITION: a file system image)
"""

import io
import os
import shutil
import struct
import sys
import tarfile

SECTOR = 512
START = 2048                    # the partition's first sector
CODE_BYTES = 440                # of the boot record; the table follows
TABLE = 446


def boot_record(mbr, sectors):
    """GRUB's boot record with a table of one active partition (type 0x83)."""
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff",
                        START, sectors)
    return mbr[:CODE_BYTES].ljust(TABLE, b"\0") + entry.ljust(64, b"\0") + b"\x55\xaa"


def write(out, mbr, core, partition, length):
    """Writes the disk to the open file OUT; PARTITION is an open file."""
    if len(core) > (START - 1) * SECTOR:
        raise ValueError("GRUB's core image does not fit before the partition")
    sectors = -(-length // SECTOR)
    out.write(boot_record(mbr, sectors))
    out.write(core)
    out.seek(START * SECTOR)
    shutil.copyfileobj(partition, out, 1 << 20)
    out.truncate((START + sectors) * SECTOR)


def write_tar(path, mbr, core, files):
    """Makes the disk PATH whose partition is a tar of FILES: name to a path or bytes."""
    with open(path, "wb") as out:
        out.seek(START * SECTOR)
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for name, source in files.items():
                if isinstance(source, bytes):
                    info = tarfile.TarInfo(name)
                    info.size = len(source)
                    tar.addfile(info, io.BytesIO(source))
                else:
                    tar.add(source, name)
        length = out.tell() - START * SECTOR
        out.seek(0)
        out.write(boot_record(mbr, -(-length // SECTOR)))
        out.write(core)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def main(argv):
    mbr, core, partition, output = argv
    with open(partition, "rb") as part, open(output, "wb") as out:
        write(out, read(mbr), read(core), part, os.path.getsize(partition))


if __name__ == "__main__":
    main(sys.argv[1:])
