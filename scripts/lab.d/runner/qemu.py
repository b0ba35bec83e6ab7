# SPDX-License-Identifier: GPL-2.0-only
"""The machine as QEMU's TCG (or KVM) makes it: its command line, and its QMP."""

import json
import os
import shutil
import socket
import subprocess
import sys

from machine import Machine, die_with_parent

OVMF = "/usr/share/OVMF"
SO_SNDBUFFORCE = 32             # socket(7); Python has no name for it
SERIAL_BUFFER = 64 << 20
CPU_SVM = "EPYC-v4,+svm,+npt,x2apic=on,monitor=off"


class Qemu(Machine):
    def __init__(self, *args):
        super().__init__(*args)
        self.rx = b""
        self.tpm = None

    # The command line.

    def accel(self):
        opts = self.opts
        cpu = ",".join(filter(None, [CPU_SVM, opts.cpu]))
        if opts.accel == "kvm":
            return ["-accel", "kvm", "-cpu", cpu]
        # One thread for all CPUs: QEMU's threads race. But one thread brings out
        # another fault, against which stock KVM does nothing (docs/testbed.md).
        many = opts.mttcg or (opts.under == "kvm" and not opts.icount)
        thread = "multi" if many else "single"
        icount = ["-icount", "shift=0,sleep=off"] if opts.icount else []
        return ["-accel", f"tcg,thread={thread}", "-cpu", cpu] + icount

    def board(self):
        smm = ",smm=on" if self.keys else ""
        if self.opts.iommu in ("vtd", "vtd-sm"):
            scalable = ",x-scalable-mode=on,snoop-control=on" if self.opts.iommu == "vtd-sm" else ""
            return ["-machine", f"q35,kernel-irqchip=split{smm}", "-device",
                    f"intel-iommu,intremap=on,caching-mode=on,aw-bits=48{scalable}"]
        if self.opts.iommu == "amdvi":
            return ["-machine", f"q35{smm}", "-device", "amd-iommu,intremap=on"]
        return ["-machine", f"q35{smm}"]

    def firmware(self):
        """OVMF in flash, with variables that a restart finds as they were left."""
        if self.opts.boot == "grub-bios":
            return []
        code, guard = "OVMF_CODE_4M.fd", []
        store = self.opts.vars and os.path.abspath(self.opts.vars)
        if self.keys:
            # The build that also takes the right to execute from what is data; shim is older.
            nx = "" if self.opts.shim else ".strictnx"
            code, store = f"OVMF_CODE_4M.secboot{nx}.fd", f"{self.run}/vars.fd"
            self.keys.variables(store, self.opts.shim)
            # Only code in SMM may write the variables.
            guard = ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        elif not store:
            store = f"{self.run}/vars.fd"
            shutil.copyfile(f"{OVMF}/OVMF_VARS_4M.fd", store)
        store = store.replace(",", ",,")
        return ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}/{code}",
                "-drive", f"if=pflash,format=raw,file={store}"] + guard

    def start_tpm(self):
        """swtpm, which ends with the emulator; gives the descriptor of its control channel."""
        ours, theirs = socket.socketpair()
        os.makedirs(f"{self.run}/tpm")
        self.tpm = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.run}/tpm", "--terminate",
             "--ctrl", f"type=unixio,clientfd={theirs.fileno()}"],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, preexec_fn=die_with_parent)
        theirs.close()
        return ours

    def tpm_device(self, fd):
        return ["-chardev", f"socket,id=tpm,fd={fd}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
                "-device", "tpm-tis,tpmdev=tpm0"]

    def virtio(self, device):
        """Behind an IOMMU a virtio device must be told to go through it."""
        if self.opts.iommu == "none":
            return device
        return device + ",disable-legacy=on,iommu_platform=on"

    def disk(self, ident, path, readonly):
        # The comma is the separator in QEMU's options; doubled it is itself.
        path = path.replace(",", ",,")
        mode = "on" if readonly else "off"
        serial = ident if ident.startswith("disk") else f"lab-{ident}"
        return ["-drive", f"if=none,id={ident},format=raw,file={path},"
                f"cache=unsafe,read-only={mode},file.locking=off",
                "-device", self.virtio(f"virtio-blk-pci,drive={ident},serial={serial}")]

    def disks(self):
        own = self.opts.boot_disk
        args = self.disk("boot", os.path.abspath(own or f"{self.run}/boot.img"), not own)
        args[-1] += ",bootindex=0"
        if not own:
            args += self.disk("root", f"{self.lab}/svc.erofs", True)
        if self.opts.overlay:
            args += self.disk("over", f"{self.run}/over.erofs", True)
        for n, path in enumerate(self.opts.disk):
            args += self.disk(f"disk{n}", os.path.abspath(path), False)
        return args

    def wire(self):
        args = []
        for n, card in enumerate((self.virtio("virtio-net-pci"), "e1000e")):
            args += ["-netdev", f"hubport,id=wire{n},hubid=0",
                     "-device", f"{card},netdev=wire{n},romfile="]
        return args

    def wired(self, device, ident):
        """A card on the wire that all of them share; the host is not on it."""
        return ["-netdev", f"hubport,id={ident},hubid=1", "-device",
                f"{device},netdev={ident},romfile="]

    def devices(self):
        """
        What can be given away: to that end each is behind a port of its own, but not with
        AMD-Vi, where QEMU takes what is behind a port for a device of bus 0.
        """
        args = []
        for n, (kind, path) in enumerate(self.opts.device):
            bus = "pcie.0" if self.opts.iommu == "amdvi" else f"port{n}"
            if bus != "pcie.0":
                args += ["-device", f"pcie-root-port,id={bus},chassis={n + 1}"]
            if kind == "nvme":
                path = os.path.abspath(path).replace(",", ",,")
                args += ["-drive", f"if=none,id=nvme{n},format=raw,file={path},cache=unsafe,"
                         "file.locking=off",
                         "-device", f"nvme,bus={bus},drive=nvme{n},serial=lab{n}"]
            else:
                args += self.wired(f"{kind},bus={bus}", f"card{n}")
        if any(kind != "nvme" for kind, _ in self.opts.device):
            args += self.wired(self.virtio("virtio-net-pci"), "peer")
        return args

    def command(self, serial, agent, qmp, tpm=None):
        """The arguments are descriptors of connected sockets."""
        opts = self.opts
        args = ["qemu-system-x86_64", "-name", "bedplate-lab", "-nodefaults",
                "-no-user-config", "-display", "none", "-vga", "std", "-nic", "none"]
        args += self.board() + self.firmware() + self.accel()
        args += ["-smp", str(opts.smp), "-m", opts.mem]
        args += ["-chardev", f"socket,id=serial,fd={serial}", "-serial", "chardev:serial",
                 "-chardev", f"socket,id=qmp,fd={qmp}", "-mon", "chardev=qmp,mode=control",
                 "-chardev", f"socket,id=agent,fd={agent}",
                 "-device", self.virtio("virtio-serial-pci"),
                 "-device", "virtserialport,chardev=agent,name=org.bedplate.lab"]
        if opts.coverage:
            path = os.path.abspath(opts.coverage).replace(",", ",,")
            args += ["-chardev", f"file,id=coverage,path={path}",
                     "-device", "isa-serial,chardev=coverage,index=2"]
        args += self.tpm_device(tpm) if tpm is not None else []
        args += self.disks() + self.devices()
        args += self.wire() if opts.wire else []
        if opts.edu:
            args += ["-device", "edu,dma_mask=0xffffffffffffffff"]
        # Names triple faults; costs nothing while there are none.
        args += ["-d", "cpu_reset", "-D", f"{self.run}/qemu.log"]
        if opts.on_reboot == "end":
            args.append("-no-reboot")
        return args + opts.qemu

    # While it runs.

    def start(self):
        pairs = [socket.socketpair() for _ in range(3)]
        # QEMU drops what does not fit, and a byte on its own takes a kilobyte: on a busy host a
        # boot's text has to wait here.
        pairs[0][1].setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, SERIAL_BUFFER)
        self.serial, self.link, self.events = (ours for ours, _ in pairs)
        fds = [theirs.fileno() for _, theirs in pairs]
        tpm = self.start_tpm() if self.opts.tpm else None
        fds += [tpm.fileno()] if tpm else []
        with open(f"{self.run}/qemu.err", "wb") as err:
            self.spawn(self.command(*fds), fds, stdin=subprocess.DEVNULL,
                       stdout=err, stderr=err)
        for ours, theirs in pairs:
            theirs.close()
            ours.setblocking(False)
        if tpm:
            tpm.close()
        self.events.send(b'{"execute":"qmp_capabilities"}\n')

    def order(self, command, **more):
        self.events.send(json.dumps({"execute": command} | more).encode() + b"\n")

    def press_power_button(self):
        self.order("system_powerdown")

    def take_picture(self, path):
        """Returns when the file is whole; what came besides is kept for news()."""
        mark = f"picture {path}"
        self.order("screendump", id=mark,
                   arguments={"filename": os.path.abspath(path), "format": "png"})
        self.events.setblocking(True)
        while json.dumps(mark).encode() not in self.rx:
            self.rx += self.events.recv(65536)
        self.events.setblocking(False)

    def monitor(self, line):
        self.order("human-monitor-command", arguments={"command-line": line})

    def news(self, data):
        *lines, self.rx = (self.rx + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if message.get("return") or "error" in message:
                with open(f"{self.run}/qemu.monitor", "a", encoding="utf-8") as f:
                    f.write(line.decode() + "\n")
            if message.get("event") in ("RESET", "SHUTDOWN"):
                yield message["event"].lower(), message["data"]["reason"]

    def autopsy(self):
        code = self.process.returncode
        if code != 0:
            with open(f"{self.run}/qemu.err", encoding="utf-8", errors="replace") as f:
                for line in f.readlines()[-10:]:
                    sys.stderr.write(f"  qemu: {line}")
            what = f"signal {-code}" if code < 0 else f"status {code}"
            return f"the emulator ended with {what}"
        with open(f"{self.run}/qemu.log", "rb") as f:
            return "triple fault" if b"Triple fault" in f.read() else None
