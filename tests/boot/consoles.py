#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boots Bedplate on machines with other consoles than COM1 and VGA's text and reads them, and
ends boots in several ways, to see what the next one has of their logs.

Runs in the lab's root: scripts/lab exec -- tests/boot/consoles.py WHICH [IMAGE]
WHICH: quick, slow, or seeded, which wants an image built with COVERAGE=1. Domain 0's kernel is
a few instructions in each case, or there is none.
"""
import importlib.machinery
import importlib.util
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

from refusals import CPU, TIMEOUT, Machine, make_iso

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FONT = "/usr/share/consolefonts/Uni2-VGA16.psf.gz"
OVMF = "/usr/share/OVMF/OVMF_{}_4M.fd"
FATAL = "bedplate: fatal: no module: "
STARTS = ", loaded by GRUB"
ENDED = "domain 0 has ended: resetting the machine"
LAST = "the last boot's log has "
NO_LAST = "no log of the last boot"
COM1 = "-serial file:{}"
CHARDEV = "-serial none -chardev file,id=line,path={} -device "
TEXT_AT = 0x5000000             # where the kernels below have Bedplate write logs


# ---- kernels of some instructions, in 32-bit protected mode ----

def out(port, value):
    """mov $port, %edx; mov $value, %eax; out %eax, %dx"""
    return struct.pack("<BIBIB", 0xba, port, 0xb8, value, 0xef)


def cpuid(leaf):
    """mov $leaf, %eax; cpuid"""
    return struct.pack("<BI", 0xb8, leaf) + b"\x0f\xa2"


def last_log(pos):
    """LOG_READ of the last boot's log from POS on, by VMMCALL; EAX is 0 if it worked."""
    return struct.pack("<BIBIBIBI", 0xbb, pos, 0xb9, TEXT_AT >> 12, 0xba, 1,
                       0xb8, 0x42500000 | 20) + b"\x0f\x01\xd9"


# mov $count, %ecx; loop .
WAIT = struct.pack("<BI", 0xb9, 0x30000000) + b"\xe2\xfe"
# mov $0x8000, %esp; push $0; push $0; lidt (%esp); int3
TRIPLE_FAULT = bytes.fromhex("bc008000006a006a000f011c24cc")
STAY = b"\xeb\xfe"
# The length of what was read: cmpl $0, TEXT_AT + 16; je over STAY
STAY_IF_READ = b"\x83\x3d" + struct.pack("<IB", TEXT_AT + 16, 0) + b"\x74\x02" + STAY


def bzimage(path, code):
    """A file that Bedplate takes for a kernel."""
    image = bytearray(512 * 5 + 8192)
    for fmt, at, value in (("B", 0x1f1, 4), ("I", 0x1f4, 8192 // 16), ("H", 0x1fe, 0xaa55),
                           ("H", 0x200, 0x6aeb), ("4s", 0x202, b"HdrS"), ("H", 0x206, 0x20f),
                           ("B", 0x211, 1), ("I", 0x22c, 0x7fffffff), ("I", 0x230, 0x200000),
                           ("B", 0x234, 1), ("I", 0x238, 2047), ("Q", 0x258, 0x1000000),
                           ("I", 0x260, 0x3000000)):
        struct.pack_into("<" + fmt, image, at, value)
    image[512 * 5:512 * 5 + len(code)] = code
    with open(path, "wb") as f:
        f.write(image)


# ---- text on a screen of pixels ----

def glyphs():
    """Characters by what the 16 lines of their glyphs are."""
    loader = importlib.machinery.SourceFileLoader("font", TREE + "/hv/font")
    font = importlib.util.module_from_spec(importlib.util.spec_from_loader("font", loader))
    loader.exec_module(font)
    return {bytes(glyph): chr(c) for c, glyph in font.read(FONT).items()}


def screen_text(machine, known):
    """The characters on the screen, row after row; a NUL is what is none."""
    with tempfile.NamedTemporaryFile() as f:
        machine.qmp("screendump", filename=f.name)
        data = f.read()
    kind, width, height = data.split(None, 3)[:3]
    if kind != b"P6":
        raise RuntimeError("no screen dump")
    width, height = int(width), int(height)
    red = data[-width * height * 3::3]
    text = ""
    for row in range(height // 16):
        for col in range(width // 8):
            starts = [(row * 16 + y) * width + col * 8 for y in range(16)]
            cell = bytes(sum(0x80 >> x for x in range(8) if red[at + x] > 0x40) for at in starts)
            text += known.get(cell, "\0")
        text += "\n"
    return text


# ---- firmware's table ----

def spcr(path, io, addr):
    """QEMU's option for it; the file lacks the header. 115200 baud, not on PCI."""
    with open(path, "wb") as f:
        f.write(struct.pack("<B3xBBBBQBBIBBBBBBHHBBBIBI", 0, io, 8, 0, 1, addr, 0, 0, 0,
                            7, 0, 1, 0, 0, 0, 0xffff, 0xffff, 0, 0, 0, 0, 0, 0))
    return "-acpitable", "sig=SPCR,data=" + path


class Cases:
    """Each case gives what went wrong, or None."""

    def __init__(self, work, image):
        self.work, self.image = work, image

    def boot(self, options="", code=None, serial=COM1, more=("-no-reboot",), efi=False):
        """The machine, started."""
        modules = []
        if code is not None:
            modules = [(self.work + "/kernel", "")]
            bzimage(modules[0][0], code)
        iso = make_iso(self.work, self.image, options, modules, "insmod all_video" if efi else "",
                       "x86_64-efi" if efi else "i386-pc")
        if efi:
            shutil.copy(OVMF.format("VARS"), self.work + "/vars")
            more += ("-drive", "if=pflash,format=raw,readonly=on,file=" + OVMF.format("CODE"),
                     "-drive", f"if=pflash,format=raw,file={self.work}/vars")
        return Machine(self.work, iso, CPU, "512M", serial, more)

    def says(self, lines, **how):
        """The lines come on the serial line, one after the other."""
        with self.boot(**how) as m:
            return self.hears(m, lines)

    def hears(self, m, lines):
        """The same of a machine that runs."""
        end = time.time() + TIMEOUT
        while True:
            # A machine that has ended says no more; what it said last may just have come.
            ended = m.proc.poll() is not None or time.time() > end
            said, at = m.output(), 0
            for line in lines:
                at = said.find(line, at)
                if at < 0:
                    break
            else:
                return None
            if ended:
                return f"not said, or not after the others: {line}\n{said}"
            time.sleep(0.1)

    def last_text(self, m):
        """What the kernel has read of the last boot's log, once it has."""
        end = time.time() + TIMEOUT
        while time.time() < end:
            length = struct.unpack("<I", m.memory(TEXT_AT + 16, 4))[0]
            if length:
                return m.memory(TEXT_AT + 24, length).decode()
            time.sleep(0.1)
        return ""

    def serial_on_pci(self):
        """Domain 0 turns its decoding off and moves it; Bedplate finds it again."""
        bar, command = 0x80000000 | 3 << 11 | 0x10, 0x80000000 | 3 << 11 | 4
        code = out(0xcf8, command) + out(0xcfc, 0) + out(0xcf8, bar) + out(0xcfc, 0x7001)
        return self.says([STARTS, "console: serial line at port", ENDED], options="serial=pci",
                         code=code + TRIPLE_FAULT, serial=CHARDEV + "pci-serial,chardev=line,addr=3")

    def serial_on_pci_by_name(self):
        """The same, and a function that is none."""
        line = CHARDEV + "pci-serial,chardev=line,addr=4"
        return self.says([STARTS, FATAL], options="serial=pci:00:04.0", serial=line) or \
            self.says([STARTS, FATAL], options="serial=0x3f8")

    def serial_by_firmware(self):
        """There is no COM1, and firmware names COM2; the log comes from its beginning."""
        return self.says([STARTS, "console: serial line at port 0x2f8", FATAL],
                         serial=CHARDEV + "isa-serial,chardev=line,index=1",
                         more=("-no-reboot",) + spcr(self.work + "/spcr", 1, 0x2f8))

    def serial_in_memory(self):
        """Memory on PCI stands for a chip: its registers hold what was written last."""
        path = self.work + "/registers"
        with open(path, "wb") as f:
            f.write((b"\0" * 20 + b"\x60").ljust(1 << 20, b"\0"))
        more = ("-no-reboot", "-object", f"memory-backend-file,id=chip,share=on,mem-path={path},size=1M",
                "-device", "ivshmem-plain,memdev=chip,addr=5")
        with self.boot(more=more) as m:
            if not m.wait_for(FATAL):
                return m.output()
            found = [r["address"] for bus in m.qmp("query-pci")["return"] for d in bus["devices"]
                     if d["slot"] == 5 for r in d["regions"] if r["bar"] == 2]
        with self.boot(options=f"serial=mmio32:{found[0]:#x}", more=more) as m:
            end = time.time() + TIMEOUT
            registers = b""
            while time.time() < end and FATAL[10:] not in m.screen():
                time.sleep(0.2)
            screen = m.screen()
            with open(path, "rb") as f:
                registers = f.read(32)
        if f"console: serial line at memory {found[0]:#x}" not in screen:
            return "not the console\n" + screen
        if registers[0:20:4] != b"\n\0\7\3\3":
            return f"the registers are {registers.hex()}"
        return None

    def screen(self):
        """UEFI's frame buffer: the log, until domain 0 starts, and what comes when it ends."""
        known = glyphs()
        with self.boot(code=WAIT + TRIPLE_FAULT, efi=True, more=("-no-reboot", "-no-shutdown")) as m:
            if not m.wait_for("domain 0: "):
                return "no domain 0\n" + m.output()
            first = screen_text(m, known)
            if not m.wait_for(ENDED):
                return "domain 0 does not end\n" + m.output()
            second = screen_text(m, known)
        for text, wanted, unwanted in ((first, (STARTS, "console: frame buffer", "domain 0: "), ENDED),
                                       (second, (ENDED, "exit in hand: domain 0"), STARTS)):
            shown = text.replace("\n", "")
            if "\0" in text or unwanted in shown or any(w not in shown for w in wanted):
                return f"wanted {wanted} and not {unwanted}\n" + text.replace("\0", "#")
        return None

    def survives_a_fault(self):
        """Domain 0 ends by a triple fault; the next one reads the log of that boot."""
        with self.boot(code=last_log(0) + STAY_IF_READ + TRIPLE_FAULT, more=()) as m:
            wrong = self.hears(m, [NO_LAST, ENDED, STARTS, LAST, "ended by a triple fault of domain 0",
                                   "domain 0: "])
            if wrong:
                return wrong
            text = self.last_text(m)
        for line in (STARTS, NO_LAST, "domain 0: ", "E [", ENDED):
            if line not in text:
                return f"the last log does not have: {line}\n{text}"
        return None

    def survives_a_panic(self):
        """A machine check where Bedplate stands still after a refusal."""
        with self.boot(options="panic=1", more=()) as m:
            wrong = self.hears(m, [FATAL])
            if wrong:
                return wrong
            m.qmp("human-monitor-command",
                  **{"command-line": "mce 0 0 0xb200000000000000 0x4 0 0"})
            return self.hears(m, ["BEDPLATE PANIC: ", "the machine is reset in 1 s", STARTS,
                                  "ended by a panic of Bedplate", FATAL])

    def seeded_panic(self):
        """Domain 0 asks for it; the next boot's has the whole report."""
        code = last_log(1000) + STAY_IF_READ + cpuid(0x400001fe)
        with self.boot(options="panic=reboot", code=code, more=()) as m:
            wrong = self.hears(m, ["BEDPLATE PANIC: domain 0 asked for it", STARTS,
                                   "ended by a panic of Bedplate", "domain 0: "])
            if wrong:
                return wrong
            text = self.last_text(m)
        for line in ("BEDPLATE PANIC: domain 0 asked for it", "backtrace:", "exit in hand: "):
            if line not in text:
                return f"the last log does not have: {line}\n{text}"
        return None

    def seeded_hang(self):
        """CPU 0 does not leave root mode: CPU 1 sees it, and the report says where it is."""
        return self.says(["BEDPLATE PANIC: watchdog: CPU 0 has been in root mode for 2 s",
                          "coverage_cpuid", "halted"],
                         options="watchdog=2", code=cpuid(0x400001fc))


WHICH = {
    "quick": ("serial_on_pci", "survives_a_fault"),
    "slow": ("serial_on_pci_by_name", "serial_by_firmware", "serial_in_memory", "screen", "survives_a_panic"),
    "seeded": ("seeded_panic", "seeded_hang"),
}


def main():
    """A line for each case, and their sum."""
    work = tempfile.mkdtemp(prefix="consoles")
    cases = Cases(work, sys.argv[2] if len(sys.argv) > 2 else TREE + "/build/bedplate.elf")
    passed = failed = 0
    for name in WHICH.get(sys.argv[1], sys.argv[1:2]):
        try:
            wrong = getattr(cases, name)()
        except (RuntimeError, IndexError, ValueError, subprocess.CalledProcessError) as e:
            wrong = repr(e)
        print(f"not ok {name}: {wrong}" if wrong else f"ok {name}", flush=True)
        failed += bool(wrong)
        passed += not wrong
    shutil.rmtree(work)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
