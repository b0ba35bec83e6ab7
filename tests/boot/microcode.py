# SPDX-License-Identifier: GPL-2.0-only
"""What an initrd begins with: an archive with an update of Intel's microcode, of no contents.

usage: microcode.py FILE SIGNATURE REVISION (both hexadecimal)
"""

import struct
import sys

NAME = b"kernel/x86/microcode/GenuineIntel.bin\0"
HEADER, ALIGN = 110, 16


def entry(name, body):
    fields = [1, 0o100644, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(name), 0]
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
    return b"".join(part + bytes(-len(part) % 4) for part in (head, body))


def update(signature, revision):
    words = [1, revision, 0x01022026, signature, 0, 1, 0xff, 2000, 2048] + [0] * 503
    words[4] = -sum(words) & 0xffffffff
    return struct.pack("<512I", *words)


def main():
    path, signature, revision = sys.argv[1], *(int(a, 16) for a in sys.argv[2:])
    # As iucode-tool does it: a name of a length that has the update where the CPU wants it.
    names = (b"kernel/x86/microcode/.align" + b"." * n + b"\0" for n in range(ALIGN + 1))
    first = next(e for e in (entry(name, b"") for name in names)
                 if (len(e) + HEADER + len(NAME) + 3) // 4 * 4 % ALIGN == 0)
    with open(path, "wb") as f:
        f.write(first + entry(NAME, update(signature, revision)) + entry(b"TRAILER!!!\0", b""))


main()
