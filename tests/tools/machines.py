# SPDX-License-Identifier: GPL-2.0-only
"""Made-up machines for `bedplate`: a tree of files each, which $BEDPLATE_ROOT names."""

import os
import struct
from pathlib import Path

VENDORS = {"amd": b"AuthenticAMD", "intel": b"GenuineIntel"}


def words(text):
    """Four little-endian words of CPUID's name of a vendor, in the order EBX, EDX, ECX."""
    return struct.unpack("<3I", text)


def checksum(table):
    """The ACPI table with its length and its sum right."""
    table = bytearray(table)
    table[4:8] = struct.pack("<I", len(table))
    table[9] = 0
    table[9] = -sum(table) & 0xff
    return bytes(table)


def header(signature):
    """The 36 bytes that each table begins with."""
    return struct.pack("<4sIBB6s8sI4sI", signature, 0, 1, 0, b"MADEUP", b"MACHINE ", 1, b"TEST", 1)


def madt(ids):
    """One with these APIC IDs."""
    table = header(b"APIC") + struct.pack("<II", 0xfee00000, 1)
    for uid, apic in enumerate(ids):
        if apic < 255:
            table += struct.pack("<BBBBI", 0, 8, uid & 255, apic, 1)
        else:
            table += struct.pack("<BBHIII", 9, 16, 0, apic, 1, uid)
    return checksum(table)


def dmar():
    """One unit for all devices of segment 0."""
    unit = struct.pack("<HHBBHQ", 0, 16, 1, 0, 0, 0xfed90000)
    return checksum(header(b"DMAR") + struct.pack("<BB10x", 47, 1) + unit)


def ivrs():
    """One unit at 00:00.2 for all devices."""
    devices = struct.pack("<BHB", 3, 8, 0) + struct.pack("<BHB", 4, 0xffff, 0)
    unit = struct.pack("<BBHHHQHHI", 0x10, 0, 24 + len(devices), 2, 0x40, 0xfd000000, 0, 0, 0)
    return checksum(header(b"IVRS") + struct.pack("<I8x", 0x203000) + unit + devices)


class Machine:
    """Leaves, MSRs and files, all of a good server at first; tests change what they are about."""

    def __init__(self, vendor):
        ebx, edx, ecx = words(VENDORS[vendor])
        self.cpuid = {
            (0, 0): [0x16, ebx, ecx, edx],
            (1, 0): [0, 0, 1 << 26 | 1 << 21, 0],
            (7, 0): [0, 0, 0, 0],
            (0x80000000, 0): [0x80000021, 0, 0, 0],
            (0x80000001, 0): [0, 0, 0, 1 << 29],
        }
        self.msr = {}
        self.files = {
            "/proc/iomem": "00001000-0009ffff : System RAM\n00100000-7fffffff : System RAM\n"
                           "100000000-87fffffff : System RAM\n",
            "/proc/sys/kernel/osrelease": "6.12.41+deb13-amd64\n",
            "/boot/config-6.12.41+deb13-amd64": "CONFIG_KVM=m\nCONFIG_MMU_NOTIFIER=y\nCONFIG_EVENTFD=y\n",
            "/sys/firmware/acpi/tables/APIC": madt(range(8)),
        }
        getattr(self, "_" + vendor)()

    def _amd(self):
        self.cpuid[0x80000001, 0][2] = 1 << 2
        self.cpuid[0x8000000a, 0] = [1, 32768, 0, 0x1bfff]
        self.msr[0xc0010114] = 8
        self.msr[0xc0010010] = 0
        self.files["/sys/firmware/acpi/tables/IVRS"] = ivrs()

    def _intel(self):
        self.cpuid[1, 0][2] |= 1 << 5
        self.msr = {
            0x3a: 5, 0x480: 0xda040000000012, 0x485: 0x7004c1e7, 0x48b: 0x51ff00000000,
            0x48c: 0xf0106734141, 0x48d: 0x7f00000016, 0x48e: 0xfff9fffe04006172,
            0x48f: 0x1ffffff00036dfb, 0x490: 0x3ffff000011fb,
        }
        self.files["/sys/firmware/acpi/tables/DMAR"] = dmar()

    def uefi(self, secure_boot):
        """It has booted by UEFI."""
        name = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
        self.files[name] = struct.pack("<IB", 6, secure_boot)

    def write(self, root):
        """The tree, below the directory @root."""
        lines = [f"{leaf:x} {sub:x} " + " ".join(f"{r:x}" for r in regs)
                 for (leaf, sub), regs in self.cpuid.items()]
        files = dict(self.files)
        files["/cpuid"] = "\n".join(lines) + "\n"
        files["/msr"] = "".join(f"{index:x} {value:x}\n" for index, value in self.msr.items())
        for name, data in files.items():
            path = Path(f"{root}{name}")
            os.makedirs(path.parent, exist_ok=True)
            path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return root


VIEW = """domain 0 vcpus=2
vcpu 0 0 cpu=0 state=running weight=100 run_ns={a} wait_ns=0 stolen_ns=0 x.hlt={b}
vcpu 0 1 cpu=1 state=inrun weight=100 run_ns=0 wait_ns=0 stolen_ns=0
domain 1 pid=164 comm=qemu-system-x86 weight=100 vcpus=2 memory_bytes=285343744 mapped=25649 run_ns={a}
vcpu 1 0 apic=0 cpu=1 state=running weight=100 run_ns={a} wait_ns={b} stolen_ns=0 x.io={b} s.all={b} s.io={b}
vcpu 1 1 apic=1 cpu=0 state=halted weight=100 run_ns=5 wait_ns=0 stolen_ns=0
domain 2 pid=165 comm=kvm\xff"\\ weight=200 vcpus=1 memory_bytes=4096 mapped=1 run_ns=7
vcpu 2 0 apic=0 cpu=0 state=stopped weight=200 run_ns=7 wait_ns=0 stolen_ns=0
"""


class Bedplate(Machine):
    """One that runs Bedplate, with two guests."""

    def __init__(self):
        super().__init__("amd")
        self.files.update({
            "/sys/kernel/bedplate/version": "channel 6\n",
            "/sys/kernel/bedplate/loglevel": "2\n",
            "/sys/kernel/bedplate/weight": "",
            "/sys/kernel/bedplate/stats":
                "pool_frames 7678\npool_free 7616\ndonated_frames 64\nmapped_frames 25649\n"
                "shared_frames 7\ndomains 2\nvcpus 3\ncpus 2\nimage_bytes 819200\nreserved_bytes 36470784\n"
                "tsc_khz 2596063\n"
                "io_faults 0\ndma_confined 1\ninterrupts_remapped 1\n"
                "mitigations 0x60\nmitigations_due 0x63\n",
            "/dev/bedplate": "I [    0.000000] Bedplate, loaded by GRUB\n"
                             "I [    0.395547] CPU back end: SVM, XCR0 7\n"
                             "I [    0.558655] AMD-Vi: devices reach what domain 0 owns and nothing else\n",
            "/sys/module/kvm/parameters/nx_huge_pages": "Y\n",
            "/proc/bedplate": self.view(1000000000, 100),
            "/proc/164/cmdline": "qemu-system-x86_64\0-name\0guest=al\"pha,debug-threads=on\0",
            "/proc/cpuinfo": "processor\t: 0\nmodel name\t: Made-up CPU\n\nprocessor\t: 1\n",
        })

    @staticmethod
    def view(run_ns, exits):
        """/proc/bedplate after so much."""
        return VIEW.format(a=run_ns, b=exits).encode("latin-1")
