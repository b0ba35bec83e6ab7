# SPDX-License-Identifier: GPL-2.0-only
"""The emulated machine: its boot disk, its other disks, QEMU's command line."""

import os
import shutil
import subprocess

import bootdisk

CPU_SVM = "EPYC-v4,+svm,+npt,x2apic=on,monitor=off"
MERGED = ("bin", "sbin", "lib", "lib64")        # links into /usr in the service VM
KERNEL_ARGS = ["console=ttyS0", "panic=-1"]
HV_ARGS = ["panic=reboot"]


class Machine:
    """Prepares one run in the directory RUN; LAB holds what `lab up` made."""

    def __init__(self, opts, tree, lab, run):
        self.opts = opts
        self.tree = tree
        self.lab = lab
        self.run = run
        with open(f"{lab}/release", encoding="ascii") as f:
            self.release = f.read().strip()

    # The boot disk.

    def stage_extra(self):
        """What changes with every build: the module and the tool."""
        extra = f"{self.run}/extra.d/extra"
        module = f"{self.tree}/build/bedplate.ko"
        tool = f"{self.tree}/build/tools/bedplate"
        if os.path.exists(module):
            self.stage_module(extra, module)
        if os.path.exists(tool):
            os.makedirs(f"{extra}/usr/local/sbin")
            shutil.copy(tool, f"{extra}/usr/local/sbin/bedplate")
        return f"{self.run}/extra.d" if os.path.isdir(extra) else None

    def stage_module(self, extra, module):
        where = f"{extra}/usr/lib/modules/{self.release}/extra"
        os.makedirs(where)
        shutil.copy(module, where)
        depends = subprocess.run(["modinfo", "-F", "depends", module], check=True,
                                 capture_output=True, text=True).stdout.strip()
        if depends:
            os.makedirs(f"{extra}/etc/modprobe.d")
            with open(f"{extra}/etc/modprobe.d/bedplate.conf", "w", encoding="ascii") as f:
                f.write(f"softdep bedplate pre: {depends.replace(',', ' ')}\n")

    def make_initrd(self):
        initrd = f"{self.run}/initrd"
        shutil.copyfile(f"{self.lab}/initrd", initrd)
        extra = self.stage_extra()
        if extra:
            names = subprocess.run(["find", ".", "-mindepth", "1", "-printf", "%P\\n"],
                                   cwd=extra, check=True, capture_output=True).stdout
            with open(initrd, "ab") as out:
                subprocess.run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"],
                               cwd=extra, check=True, input=names, stdout=out)
        return initrd

    def grub_config(self):
        opts = self.opts
        kernel = KERNEL_ARGS + [f"lab.under={opts.under}"] + opts.kernel_args
        quoted = " ".join(f"'{word}'" for word in kernel)
        lines = [
            "set timeout=0",
            "serial --unit=0 --speed=115200",
            "terminal_input serial console",
            "terminal_output serial console",
        ]
        if opts.under == "bedplate":
            args = " ".join(f"'{word}'" for word in HV_ARGS + opts.hv_args)
            lines.append(f"multiboot2 /boot/bedplate {args}")
            if opts.kernel != "none":
                lines += [f"module2 /boot/vmlinuz {quoted}", "module2 /boot/initrd"]
        else:
            lines += [f"linux16 /boot/vmlinuz {quoted}", "initrd16 /boot/initrd"]
        return "\n".join(lines + ["boot", ""])

    def kernel(self):
        if self.opts.kernel in (None, "none"):
            return f"{self.lab}/vmlinuz"
        return self.opts.kernel

    def make_boot_disk(self):
        files = {
            "boot/grub/grub.cfg": self.grub_config().encode(),
            "boot/vmlinuz": self.kernel(),
            "boot/initrd": self.make_initrd(),
        }
        if self.opts.under == "bedplate":
            files["boot/bedplate"] = self.opts.hv
        bootdisk.write_tar(f"{self.run}/boot.img", bootdisk.read(f"{self.lab}/grub.mbr"),
                           bootdisk.read(f"{self.lab}/grub.core"), files)

    def make_overlay(self):
        """The user's tree as a disk. Its /lib and the like go to where the service
        VM's links of these names point, for they would hide the links."""
        source = self.opts.overlay
        if any(os.path.isdir(f"{source}/{d}") and not os.path.islink(f"{source}/{d}")
               for d in MERGED):
            stage = f"{self.run}/over.d"
            shutil.copytree(source, stage, symlinks=True)
            for d in MERGED:
                if os.path.isdir(f"{stage}/{d}") and not os.path.islink(f"{stage}/{d}"):
                    shutil.copytree(f"{stage}/{d}", f"{stage}/usr/{d}", symlinks=True,
                                    dirs_exist_ok=True)
                    shutil.rmtree(f"{stage}/{d}")
            source = stage
        subprocess.run(["mkfs.erofs", "--quiet", f"{self.run}/over.erofs", source],
                       check=True, stdout=subprocess.DEVNULL)

    def prepare(self):
        self.make_boot_disk()
        if self.opts.overlay:
            self.make_overlay()

    # QEMU's command line.

    def accel(self):
        opts = self.opts
        cpu = ",".join(filter(None, [CPU_SVM, opts.cpu]))
        if opts.accel == "kvm":
            return ["-accel", "kvm", "-cpu", cpu]
        thread = "single" if opts.icount else "multi"
        icount = ["-icount", "shift=0,sleep=off"] if opts.icount else []
        return ["-accel", f"tcg,thread={thread}", "-cpu", cpu] + icount

    def board(self):
        if self.opts.iommu == "vtd":
            return ["-machine", "q35,kernel-irqchip=split", "-device",
                    "intel-iommu,intremap=on,caching-mode=on,aw-bits=48"]
        if self.opts.iommu == "amdvi":
            return ["-machine", "q35", "-device", "amd-iommu,intremap=on"]
        return ["-machine", "q35"]

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
        args = self.disk("boot", f"{self.run}/boot.img", True)
        args[-1] += ",bootindex=0"
        args += self.disk("root", f"{self.lab}/svc.erofs", True)
        if self.opts.overlay:
            args += self.disk("over", f"{self.run}/over.erofs", True)
        for n, path in enumerate(self.opts.disk):
            args += self.disk(f"disk{n}", os.path.abspath(path), False)
        return args

    def command(self, serial, agent, qmp):
        """The three arguments are descriptors of connected sockets."""
        opts = self.opts
        args = ["qemu-system-x86_64", "-name", "bedplate-lab", "-nodefaults",
                "-no-user-config", "-display", "none", "-vga", "std", "-nic", "none"]
        args += self.board() + self.accel()
        args += ["-smp", str(opts.smp), "-m", opts.mem]
        args += ["-chardev", f"socket,id=serial,fd={serial}", "-serial", "chardev:serial",
                 "-chardev", f"socket,id=qmp,fd={qmp}", "-mon", "chardev=qmp,mode=control",
                 "-chardev", f"socket,id=agent,fd={agent}",
                 "-device", self.virtio("virtio-serial-pci"),
                 "-device", "virtserialport,chardev=agent,name=org.bedplate.lab"]
        args += self.disks()
        # Names triple faults; costs nothing while there are none.
        args += ["-d", "cpu_reset", "-D", f"{self.run}/qemu.log"]
        if opts.on_reboot == "end":
            args.append("-no-reboot")
        return args
