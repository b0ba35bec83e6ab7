#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""What the hypervisor's images must hold, and that its checks see faults.

usage: tests/boot/image.py wx IMAGE...
       tests/boot/image.py stack BUILD

wx: no segment and no section of an ELF or PE image is writable and executable.
stack: scripts/stack, as it is and with faults. A line for each check, as tests/boot/lib.sh's
"reports" reads them.
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import re
import struct
import sys
import tempfile
from pathlib import Path

COUNTS = {"passed": 0, "failed": 0}


def tell(name, why):
    """One result; @why it failed, or nothing."""
    COUNTS["failed" if why else "passed"] += 1
    print(f"not ok {name}: {why}" if why else f"ok {name}", flush=True)


# ---- writable and executable ----


def elf_flags(data):
    """(what, writable, executable, where its flags are) of an ELF file's segments and sections."""
    phoff, shoff = struct.unpack_from("<QQ", data, 0x20)
    phnum, _, shnum = struct.unpack_from("<HHH", data, 0x38)
    for i in range(phnum):
        at = phoff + 56 * i + 4
        flags, = struct.unpack_from("<I", data, at)
        yield f"segment {i}", flags & 2, flags & 1, at
    for i in range(shnum):
        at = shoff + 64 * i + 8
        flags, = struct.unpack_from("<Q", data, at)
        yield f"section {i}", flags & 1, flags & 4, at


def pe_flags(data):
    """The same of a PE file's sections."""
    pe, = struct.unpack_from("<I", data, 0x3c)
    count, = struct.unpack_from("<H", data, pe + 6)
    optional, = struct.unpack_from("<H", data, pe + 20)
    for i in range(count):
        at = pe + 24 + optional + 40 * i
        flags, = struct.unpack_from("<I", data, at + 36)
        name = data[at:at + 8].rstrip(b"\0").decode()
        yield f"section {name}", flags & 1 << 31, flags & 1 << 29, at + 36


def parts(data):
    """Of either format."""
    return list(elf_flags(data) if data[:4] == b"\x7fELF" else pe_flags(data))


def both(data):
    """What is writable and executable."""
    return [what for what, write, execute, _ in parts(data) if write and execute]


def check_wx(paths):
    """Each image, and each with every part made both in turn."""
    for path in paths:
        data = Path(path).read_bytes()
        name = Path(path).name
        tell(name, ", ".join(both(data)) or (not parts(data) and "has no parts"))
        missed = []
        for what, _, _, at in parts(data):
            seeded = bytearray(data)
            seeded[at:at + 4] = b"\xff\xff\xff\xff"
            if what not in both(seeded):
                missed.append(what)
        tell(f"{name}_seeded", ", ".join(missed))


# ---- stacks ----


def load(path):
    """A script as a module."""
    loader = importlib.machinery.SourceFileLoader("stack", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("stack", loader))
    loader.exec_module(module)
    return module


def run_stack(stack, build, text):
    """(status, what it says) of scripts/stack, with other contents of hv/stacks."""
    with tempfile.NamedTemporaryFile("w", suffix=".stacks") as file:
        file.write(text)
        file.flush()
        out = io.StringIO()
        with contextlib.redirect_stderr(out), contextlib.redirect_stdout(io.StringIO()):
            status = stack.main(["--stacks", file.name, str(build)])
        return status, out.getvalue()


def seeded_frames(stack, build, text):
    """All frames are a word in the .su files of a copy."""
    with tempfile.TemporaryDirectory() as copy:
        obj = Path(copy) / "obj"
        obj.mkdir()
        for name in ("bedplate.nosym", "sources"):
            (obj / name).symlink_to((build / "obj" / name).resolve())
        (obj / "all.su").write_text("hv/core/run/run.c:1:1:run_loop\t8\tstatic\n"
                                    "hv/x.c:1:1:bound_by_nothing\t8\tdynamic\n",
                                    encoding="utf-8")
        return run_stack(stack, copy, text)


def check_stack(build):
    """As it is; then a fault each, and what must be said of it."""
    stack = load("scripts/stack")
    sys.setrecursionlimit(10000)
    image = stack.Image(build / "obj/bedplate.nosym")
    stack.Image = lambda path: image
    text = Path("hv/stacks").read_text(encoding="ascii")
    status, said = run_stack(stack, build, text)
    tell("paths", said if status or said else "")
    for name, pattern, other, wanted in (
            ("too_deep", r"(stack cpu\s+)\S+ \S+", r"\1hv/core/machine/trap.c IST_NMI",
             "main_on_own_stack: .* more than the 4096 of its stack"),
            ("recursion", r" slice_end", " slice_end timer_interrupt",
             "recursion without a bound: timer_interrupt > timer_interrupt"),
            ("where_calls_go", r"calls timer_interrupt.*", "", "indirect call in timer_interrupt"),
            ("target_not_named", r" slice_end", "", "slice_end.*: its address is taken"),
            ("no_such_function", r" slice_end", " slice_over", "slice_over: no such symbol"),
            ("fault_in_nmi", r"(trap nmi\s+irq_dispatch)(.*) mce_handler", r"\1\2",
             "nmi: .* may meet a fault"),
            ("not_understood", r"\Z", "stuck cpu\n", "not understood")):
        status, said = run_stack(stack, build, re.sub(pattern, other, text))
        found = status == 1 and re.search(wanted, said)
        tell(name, "" if found else f"not found: {said[:200]!r}")
    status, said = run_stack(stack, build, text.replace(" slice_end", " slice_end timer_interrupt") +
                             "recursive timer_interrupt 2 not more\n")
    tell("bound", said if status or said else "")
    status, said = seeded_frames(stack, build, text)
    tell("frames", "" if status and "run_loop: " in said and "has no bound" in said
         else f"not found: {said[:200]!r}")


def main(args):
    """Status 0 if all passed."""
    if len(args) < 2 or args[0] not in ("wx", "stack"):
        sys.exit(__doc__)
    if args[0] == "wx":
        check_wx(args[1:])
    else:
        check_stack(Path(args[1]))
    print(f"{COUNTS['passed']} passed, {COUNTS['failed']} failed, 0 skipped")
    return 1 if COUNTS["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
