#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boots Bedplate where it cannot work, and looks for the one clear line.

Runs in the lab's root: scripts/lab exec -- tests/boot/refusals.py [IMAGE KERNEL]
Each case boots a CD image with GRUB in QEMU and waits for the expected line on
serial; a refusal must be on the VGA screen as well, and the only one.
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

CPU = "EPYC-v4,+svm,+npt,x2apic=on,monitor=off"
TIMEOUT = 180           # seconds, of a hang only


class Machine:
    """One run of QEMU on a CD image; a context manager.

    SERIAL: its serial line, where {} is the file that the line is written to."""

    def __init__(self, work, iso, cpu, mem, serial="-serial file:{}", more=("-no-reboot",)):
        self.serial = os.path.join(work, "serial")
        path = os.path.join(work, "qmp")
        for old in (self.serial, path):
            if os.path.exists(old):
                os.unlink(old)
        self.proc = subprocess.Popen(
            ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", cpu,
             "-smp", "2", "-m", mem, "-cdrom", iso, "-display", "none",
             "-qmp", f"unix:{path},server=on,wait=off"]
            + serial.format(self.serial).split() + list(more),
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(path)
                break
            except OSError:
                if self.proc.poll() is not None:
                    raise RuntimeError("QEMU does not start")
                time.sleep(0.05)
        self.lines = self.sock.makefile()
        self.lines.readline()
        self.qmp("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.kill()
        self.proc.wait()

    def qmp(self, command, **args):
        msg = json.dumps({"execute": command, "arguments": args})
        self.sock.sendall(msg.encode() + b"\n")
        while True:
            reply = json.loads(self.lines.readline())
            if "return" in reply or "error" in reply:
                return reply

    def memory(self, start, size):
        with tempfile.NamedTemporaryFile() as f:
            self.qmp("pmemsave", val=start, size=size, filename=f.name)
            return f.read()

    def screen(self):
        """The text screen without line ends: lines longer than it wrap."""
        return self.memory(0xb8000, 80 * 25 * 2)[::2].decode("latin1")

    def output(self):
        if not os.path.exists(self.serial):
            return ""
        with open(self.serial, encoding="latin1") as f:
            return f.read()

    def wait_for(self, text):
        end = time.time() + TIMEOUT
        while time.time() < end and self.proc.poll() is None:
            out = self.output()
            if text in out and out.endswith("\n"):
                time.sleep(0.3)         # nothing may follow a refusal
                return True
            time.sleep(0.1)
        return False


def make_iso(work, image, options, modules, grub="", platform="i386-pc"):
    root, iso = os.path.join(work, "cd"), os.path.join(work, "cd.iso")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root + "/boot/grub")
    shutil.copy(image, root + "/boot/bedplate.elf")
    cfg = f"set timeout=0\nmenuentry x {{\n{grub}\nmultiboot2 /boot/bedplate.elf {options}\n"
    for i, (path, args) in enumerate(modules):
        shutil.copy(path, f"{root}/boot/module{i}")
        cfg += f"module2 /boot/module{i} {args}\n"
    with open(root + "/boot/grub/grub.cfg", "w") as f:
        f.write(cfg + "}\n")
    subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/" + platform, "-o", iso, root],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return iso


def find_tables(machine):
    """Addresses of RSDP, RSDT and MADT as firmware placed them."""
    rom = machine.memory(0xe0000, 0x20000)
    rsdp = rom.index(b"RSD PTR ")
    rsdt = struct.unpack_from("<I", rom, rsdp + 16)[0]
    size = struct.unpack("<I", machine.memory(rsdt + 4, 4))[0]
    table = machine.memory(rsdt, size)
    for off in range(36, size, 4):
        addr = struct.unpack_from("<I", table, off)[0]
        if machine.memory(addr, 4) == b"APIC":
            return rsdt, addr
    raise RuntimeError("no MADT")


# A VT-d that remaps interrupts by a table that is nowhere, and a timer that asks for one again
# and again, by the second pin of the I/O APIC.
FAULTS = """insmod memrw
write_dword 0xfed900bc 0
write_dword 0xfed900b8 0xd000000f
write_dword 0xfed90018 0x01000000
write_dword 0xfed90018 0x02000000
write_dword 0xfec00000 0x15
write_dword 0xfec00010 0x00010000
write_dword 0xfec00000 0x14
write_dword 0xfec00010 0x00000030
"""


def run(work, image, want, options="", modules=(), cpu=CPU, mem="1G", grub="", then=None, qemu=()):
    """None if it went as it should, else what went wrong."""
    iso = make_iso(work, image, options, modules, grub)
    with Machine(work, iso, cpu, mem, more=("-no-reboot", *qemu)) as m:
        if not m.wait_for(want):
            return "not said: " + want + "\n" + m.output()
        fatal = [x for x in m.output().splitlines() if "bedplate: fatal: " in x]
        if "bedplate: fatal: " in want:
            if len(fatal) != 1 or not m.output().rstrip().endswith(fatal[0]):
                return "not one line at the end\n" + m.output()
            if fatal[0] not in m.screen():
                return "not on the screen: " + fatal[0] + "\n" + m.screen()
        if then:
            then(m)
    return None


def main():
    tree = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    image = sys.argv[1] if len(sys.argv) > 1 else tree + "/build/bedplate.elf"
    kernel = sys.argv[2] if len(sys.argv) > 2 else tree + "/build/lab/vmlinuz"
    work = tempfile.mkdtemp(prefix="refusals")
    no_kernel, cut = work + "/text", work + "/cut"
    with open(no_kernel, "w") as f:
        f.write("no kernel at all\n" * 1000)
    with open(kernel, "rb") as src, open(cut, "wb") as dst:
        dst.write(src.read(3000000))
    tables = []
    fatal = "bedplate: fatal: "

    def torn(which, offset):
        """GRUB changes a byte of the table before it starts Bedplate."""
        return "insmod memrw\nwrite_byte %#x 0xa5" % (tables[0][which] + offset)

    cases = [
        ("no module", dict(want=fatal + "no module: ",
                           then=lambda m: tables.append(find_tables(m)))),
        ("torn RSDT", lambda: dict(want=fatal + "torn ACPI table: no RSDT at ", grub=torn(0, 0))),
        ("torn MADT", lambda: dict(want=fatal + "torn ACPI table: there is no MADT in RSDT",
                                   grub=torn(1, 0))),
        ("APIC elsewhere", lambda: dict(want=fatal + "the local APIC is at 0x",
                                        grub=torn(1, 37))),
        ("wrong checksum", lambda: dict(want="ACPI: APIC has a wrong checksum, and is used",
                                        grub=torn(1, 9))),
        ("no bzImage", dict(want=fatal + "domain 0's kernel (module 1) is no bzImage",
                            modules=[(no_kernel, "")])),
        ("kernel cut short", dict(want=fatal + "domain 0's kernel (module 1) is cut short",
                                  modules=[(cut, "")])),
        ("long command line", dict(want=fatal + "domain 0's command line is too long",
                                   modules=[(kernel, "x" * 2100)])),
        ("malformed option", dict(want=fatal + 'malformed option "panic=maybe"',
                                  options="loglevel=err panic=maybe")),
        ("unknown option", dict(want='bedplate: [    0.000000] unknown option "colour=red"',
                                options="colour=red")),
        ("too little memory", dict(want=fatal + "too little memory: ", mem="100M")),
        ("no SVM", dict(want=fatal + "the CPU has no SVM", cpu=CPU.replace("+svm", "-svm"),
                        modules=[(kernel, "")])),
        ("no nested paging", dict(want=fatal + "SVM has no nested paging",
                                  cpu=CPU.replace("+npt", "-npt"), modules=[(kernel, "")])),
        ("faults before the start", dict(want="VT-d: devices reach what domain 0 owns",
                                         grub=FAULTS, modules=[(kernel, "")],
                                         qemu=("-device", "intel-iommu,intremap=on"))),
    ]
    passed = failed = 0
    for name, case in cases:
        try:
            wrong = run(work, image, **(case() if callable(case) else case))
        except (RuntimeError, IndexError, ValueError, subprocess.CalledProcessError) as e:
            wrong = repr(e)
        name = name.replace(" ", "_")
        print(f"not ok {name}: {wrong}" if wrong else f"ok {name}", flush=True)
        failed += bool(wrong)
        passed += not wrong
    shutil.rmtree(work)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
