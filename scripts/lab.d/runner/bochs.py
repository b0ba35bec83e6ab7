# SPDX-License-Identifier: GPL-2.0-only
"""The machine as Bochs makes it: Intel's VMX, or AMD's SVM with next-RIP.

Bochs knows no virtio and no connected descriptors: the disks are ATA, and the two
serial lines (COM1 the console, COM2 the agent's) are TCP connections inside a
network name space of this process's own, so that nobody else can reach them.
"""

import os
import re
import select
import socket
import struct
import subprocess
from fcntl import ioctl

from machine import Machine
from options import megabytes

MODELS = {"vmx": "corei7_icelake_u", "svm-bochs": "ryzen"}
# Instructions that make a second of the devices' time. Where CPUID tells the TSC's
# frequency few make waits short; where the TSC is measured, they are the CPU's speed too.
IPS = {"vmx": 20000000, "svm-bochs": 100000000}
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
CONNECT_TIME = 30               # seconds until Bochs must have opened its lines
SEATS = ("ata0-master", "ata0-slave", "ata1-master", "ata1-slave")
# What its models lack: address, type, then values (high and low half) at reset and
# the masks of reserved and of ignored bits.
MSRS = """
0x1a0 0 00000000 00000001 00000000 00000000 00000000 00000000
0x0e7 0 00000000 00000000 00000000 00000000 00000000 00000000
0x0e8 0 00000000 00000000 00000000 00000000 00000000 00000000
"""
FIFO = 16                       # bytes that a UART holds
# Its debugger stops at these instructions, XCHG of a 16-bit register with itself: from the first
# on it writes what is executed, to the next.
MARKS = "bx cx"
WINDOWS = 1000                  # of those


def private_network():
    os.unshare(os.CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))


class Bochs(Machine):
    # Linux would take 9600 for itself, and wait for each character.
    # A keyboard reset leaves FEATURE_CONTROL locked, and the BIOS dies of that.
    # Bochs delivers virtual interrupts to guests that mask them (docs/testbed.md).
    hv_args = Machine.hv_args + ["apicv=registers"]
    kernel_args = ["console=ttyS0,115200", "panic=-1", "cryptomgr.notests", "reboot=pci"]
    initrd = "initrd.ata"
    # A UART has no flow control: what its FIFO cannot take is lost.
    link_window = FIFO

    def __init__(self, *args):
        super().__init__(*args)
        self.rx = b""
        self.resets = 0
        self.off = False
        self.complaint = None

    def disks(self):
        disks = [("lab-boot", f"{self.run}/boot.img"), ("lab-root", f"{self.lab}/svc.erofs")]
        if self.opts.overlay:
            disks.append(("lab-over", f"{self.run}/over.erofs"))
        lines = []
        for n, path in enumerate(self.opts.disk):
            # A name that its configuration can hold, and a lock file that goes away.
            os.symlink(os.path.abspath(path), f"{self.run}/disk{n}")
            disks.append((f"disk{n}", f"{self.run}/disk{n}"))
        for seat, (name, path) in zip(SEATS, disks):
            # "volatile" leaves the image alone: writes go to a journal.
            mode = "flat" if name.startswith("disk") else \
                f"volatile, journal={self.run}/{name}.redo"
            lines.append(f'{seat}: type=disk, path="{path}", mode={mode}, model={name}')
        return lines

    def config(self, console, link, log):
        opts = self.opts
        megs = megabytes(opts.mem)
        model = opts.cpu_model or MODELS[opts.machine]
        coverage = []
        if opts.coverage:
            os.symlink(os.path.abspath(opts.coverage), f"{self.run}/coverage")
            coverage = [f"com3: enabled=1, mode=file, dev={self.run}/coverage"]
        trace = [f"magic_break: enabled=1 {MARKS}"] if opts.trace else []
        quiet = ", ".join(f"cpu{n}=ignore" for n in range(opts.smp))
        return [
            "display_library: term",
            "romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot",
            "vgaromimage: file=/usr/share/seabios/vgabios-isavga.bin",
            "speaker: enabled=0",
            "usb_uhci: enabled=0",
            f"memory: guest={megs}, host={megs}, block_size=8192",
            f"cpu: model={model}, count={opts.smp}, ips={IPS[opts.machine]}, reset_on_triple_fault=0, "
            f"msrs={self.run}/msrs",
            "clock: sync=none",
            "boot: disk",
            f"log: /dev/fd/{log}",
            "panic: action=fatal",
            "error: action=report",
            f"info: action=report, {quiet}",
            f"com1: enabled=1, mode=socket-client, dev=127.0.0.1:{console}",
            f"com2: enabled=1, mode=socket-client, dev=127.0.0.1:{link}",
        ] + coverage + trace + self.disks()

    def debugger(self):
        """Its options: it runs when there is a trace to write."""
        if not self.opts.trace:
            return []
        with open(f"{self.run}/debug", "w", encoding="ascii") as f:
            f.write("c\n" + "trace on\nc\ntrace off\nc\n" * WINDOWS)
        return ["-debugger", "-rc", f"{self.run}/debug", "-dbglog", os.path.abspath(self.opts.trace)]

    def accept(self, listener):
        """The emulator's connection, once it has made it; None if it ended first."""
        gone = os.pidfd_open(self.process.pid)
        ready = select.select([listener, gone], [], [], CONNECT_TIME)[0]
        os.close(gone)
        if listener in ready:
            sock = listener.accept()[0]
        else:
            sock, other = socket.socketpair()
            other.close()
        listener.close()
        sock.setblocking(False)
        return sock

    def start(self):
        private_network()
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.events, log = os.pipe()
        os.set_blocking(self.events, False)
        ports = [s.getsockname()[1] for s in listeners]
        with open(f"{self.run}/bochsrc", "w", encoding="utf-8") as f:
            f.write("\n".join(self.config(*ports, log)) + "\n")
        with open(f"{self.run}/msrs", "w", encoding="ascii") as f:
            f.write(MSRS)
        with open(f"{self.run}/bochs.err", "wb") as err:
            self.spawn(["env", "TERM=vt100", "bochs-bin", "-q", "-unlock", "-f",
                        f"{self.run}/bochsrc"] + self.debugger(),
                       [log], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=err)
        os.close(log)
        self.serial, self.link = (self.accept(s) for s in listeners)

    def news(self, data):
        """Bochs's log. Its first reset is the power-on."""
        with open(f"{self.run}/bochs.log", "ab") as f:
            f.write(data)
        *lines, self.rx = (self.rx + data).split(b"\n")
        for line in lines:
            if b"pc_system_c::Reset" in line:
                self.resets += 1
                if self.resets > 1:
                    yield self.reset()
            elif b"soft power off" in line:
                self.off = True
                yield "shutdown", "guest-shutdown"
            elif re.match(rb"[0-9]+p", line) and not self.complaint:
                self.complaint = line.decode("utf-8", "replace")

    def reset(self):
        """It cannot end by itself at a reset."""
        if self.opts.on_reboot == "restart":
            return "reset", "guest-reset"
        self.process.kill()
        return "shutdown", "guest-reset"

    def autopsy(self):
        if self.complaint and "with no resolution" in self.complaint:
            return "triple fault"
        if self.complaint or not (self.off or self.resets > 1):
            return f"the emulator ended: {self.complaint or 'see bochs.log and bochs.err'}"
        return None
