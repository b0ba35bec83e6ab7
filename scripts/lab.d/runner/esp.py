# SPDX-License-Identifier: GPL-2.0-only
"""A disk that UEFI firmware boots: a FAT file system without a partition table."""

import os
import subprocess
import tempfile

MEGABYTE = 1 << 20
ROOM = 8 * MEGABYTE             # for tables, and for what a run may write


def directories(names):
    """All that must be there before the files, parents first."""
    found = set()
    for name in names:
        parts = name.split("/")[:-1]
        found.update("/".join(parts[:n + 1]) for n in range(len(parts)))
    return sorted(found)


def write(path, files):
    """Makes the disk PATH of FILES: name to a path or bytes."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as work:
        sources = {}
        for n, (name, source) in enumerate(files.items()):
            if isinstance(source, bytes):
                sources[name] = f"{work}/{n}"
                with open(sources[name], "wb") as f:
                    f.write(source)
            else:
                sources[name] = source
        total = sum(os.path.getsize(source) for source in sources.values()) + ROOM
        with open(path, "wb") as out:
            out.truncate(-(-total // MEGABYTE) * MEGABYTE)
        mtools = {"stdout": subprocess.DEVNULL, "check": True}
        subprocess.run(["mkfs.vfat", "-n", "LAB", path], **mtools)
        dirs = [f"::/{name}" for name in directories(files)]
        subprocess.run(["mmd", "-i", path] + dirs, **mtools)
        for name, source in sources.items():
            subprocess.run(["mcopy", "-i", path, source, f"::/{name}"], **mtools)
