# SPDX-License-Identifier: GPL-2.0-only
"""The machine's serial line: kept in a file, watched for a death as it happens."""

import collections
import re

TAIL_LINES = 30
ESCAPES = re.compile(rb"\x1b(\[[0-9;?]*[A-Za-z]|c)|\r")     # GRUB's and the BIOS's
MONITOR = "lab: monitor"         # a line of the service VM's: --monitor's turn
STAGES = {
    "bedplate:": "hypervisor",
    "Linux version": "Linux",
    "Run /init": "Linux in /init",
}


def verdict(line):
    """What a line of the console says about the machine's end, or None."""
    if "BEDPLATE PANIC" in line:
        return "the hypervisor panicked"
    if line.startswith("bedplate: fatal:"):
        return "the hypervisor refused to boot"
    if re.match(r"bedplate: (?!\[|starting )", line):
        return "the UEFI application goes back to the firmware"
    if line.startswith("BdsDxe: failed to load Boot"):
        return "the firmware does not load it"
    if "Kernel panic - not syncing" in line:
        return "the service VM's kernel panicked"
    return None


def clean(raw):
    return ESCAPES.sub(b"", raw).decode("utf-8", "replace")


class Console:
    def __init__(self, path, crash_kernel=False):
        self.crash_kernel = crash_kernel
        self.file = open(path, "wb", buffering=0)
        self.partial = b""
        self.tail = collections.deque(maxlen=TAIL_LINES)
        self.death = None
        self.restarting = False
        self.powering_off = False
        self.monitor_wanted = 0
        self.stages = dict(STAGES)

    def stage(self, text):
        """The stage of the boot that this line is the first sign of, or None."""
        for sign in self.stages:
            if sign in text:
                return self.stages.pop(sign)
        return None

    def line(self, raw):
        text = clean(raw)
        self.tail.append(text)
        why = verdict(text)
        if why and not self.death and not (self.crash_kernel and "kernel panicked" in why):
            self.death = f"{why}: {text}"
        if text.endswith(MONITOR):
            self.monitor_wanted += 1
        if "reboot: Restarting system" in text or "sysrq: Resetting" in text:
            self.restarting = True
        if "reboot: Power down" in text:
            self.powering_off = True

    def feed(self, data):
        """Takes bytes; returns the stages reached."""
        self.file.write(data)
        *lines, self.partial = (self.partial + data).split(b"\n")
        for raw in lines:
            self.line(raw)
        found = (self.stage(clean(raw)) for raw in lines)
        return [s for s in found if s]

    def close(self):
        if self.partial:
            self.line(self.partial)
            self.partial = b""
        self.file.close()


def split_logs(serial, hypervisor, linux):
    """Sorts a serial log's lines by who wrote them."""
    with open(serial, "rb") as f, open(hypervisor, "wb") as hv, open(linux, "wb") as lx:
        for line in f:
            ours = clean(line).startswith("bedplate:") or b"BEDPLATE" in line
            (hv if ours else lx).write(ESCAPES.sub(b"", line))
