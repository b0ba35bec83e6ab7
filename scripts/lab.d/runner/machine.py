# SPDX-License-Identifier: GPL-2.0-only
"""What the emulated machines have in common: the boot disk, the overlay's disk,
and what the session may ask of a machine. qemu.py and bochs.py are the two."""

import ctypes
import os
import shutil
import signal
import subprocess

import bootdisk
import esp
import secure

MERGED = ("bin", "sbin", "lib", "lib64")        # links into /usr in the service VM
MODULES = ("bedplate", "bedplate_iommu")
SHIM = "/usr/lib/shim/shimx64.efi.signed"
PR_SET_PDEATHSIG = 1


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """Prepares one run in the directory RUN; LAB holds what `lab up` made.

    A machine starts its emulator (start), which sets `process`, and three things
    to read from without blocking: `serial`, the console's bytes; `link`, the
    agent's socket; `events`, whose bytes go to news(). When the emulator is gone,
    autopsy() tells what it had to say about that itself.
    """

    hv_args = ["panic=reboot"]
    # Linux's tests of its own ciphers are a third of a boot's instructions.
    kernel_args = ["console=ttyS0", "panic=-1", "cryptomgr.notests"]
    initrd = "initrd"           # with the drivers of its disks
    link_window = None          # bytes in flight to the agent, when it acknowledges

    def __init__(self, opts, tree, lab, run):
        self.opts = opts
        self.tree = tree
        self.lab = lab
        self.run = run
        self.process = None
        self.serial = self.link = self.events = None
        self.keys = secure.Keys(opts.secure_boot) if opts.secure_boot else None
        with open(f"{lab}/release", encoding="ascii") as f:
            self.release = f.read().strip()

    # The boot disk.

    def stage_extra(self):
        """What changes with every build: the modules and the tool."""
        extra = f"{self.run}/extra.d/extra"
        tool = f"{self.tree}/build/tools/bedplate"
        for name in MODULES:
            if os.path.exists(f"{self.tree}/build/{name}.ko"):
                self.stage_module(extra, name)
        if os.path.exists(tool):
            os.makedirs(f"{extra}/usr/local/sbin")
            shutil.copy(tool, f"{extra}/usr/local/sbin/bedplate")
        return f"{self.run}/extra.d" if os.path.isdir(extra) else None

    def stage_module(self, extra, name):
        module = f"{self.tree}/build/{name}.ko"
        where = f"{extra}/usr/lib/modules/{self.release}/extra"
        os.makedirs(where, exist_ok=True)
        # Debug information is nine tenths of it, and GRUB reads slowly.
        subprocess.run(["strip", "--strip-debug", "-o", f"{where}/{name}.ko", module],
                       check=True)
        if self.keys:
            self.keys.sign_module(f"{where}/{name}.ko", self.release)
        depends = subprocess.run(["modinfo", "-F", "depends", module], check=True,
                                 capture_output=True, text=True).stdout.strip()
        if depends:
            os.makedirs(f"{extra}/etc/modprobe.d", exist_ok=True)
            with open(f"{extra}/etc/modprobe.d/{name}.conf", "w", encoding="ascii") as f:
                f.write(f"softdep {name} pre: {depends.replace(',', ' ')}\n")

    def make_initrd(self):
        initrd = f"{self.run}/initrd"
        with open(initrd, "wb") as out:
            for path in [self.opts.initrd_head] * bool(self.opts.initrd_head) + \
                    [f"{self.lab}/{self.initrd}"]:
                with open(path, "rb") as part:
                    shutil.copyfileobj(part, out)
        extra = self.stage_extra()
        if extra:
            names = subprocess.run(["find", ".", "-mindepth", "1", "-printf", "%P\\n"],
                                   cwd=extra, check=True, capture_output=True).stdout
            with open(initrd, "ab") as out:
                subprocess.run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"],
                               cwd=extra, check=True, input=names, stdout=out)
        return initrd

    def linux_words(self):
        return self.kernel_args + [f"lab.under={self.opts.under}"] + self.opts.kernel_args

    def grub_config(self):
        """On UEFI the firmware's console is on the serial line already."""
        opts = self.opts
        efi = opts.boot != "grub-bios"
        quoted = " ".join(f"'{word}'" for word in self.linux_words())
        lines = ["set timeout=0"]
        if not efi:
            lines += [
                "serial --unit=0 --speed=115200",
                "terminal_input serial console",
                "terminal_output serial console",
            ]
        if opts.under == "bedplate":
            args = " ".join(f"'{word}'" for word in self.hv_args + opts.hv_args)
            lines.append(f"multiboot2 /boot/bedplate {args}")
            if opts.kernel != "none":
                lines += [f"module2 /boot/vmlinuz {quoted}", "module2 /boot/initrd"]
        else:
            word = "" if efi else "16"
            lines += [f"linux{word} /boot/vmlinuz {quoted}", f"initrd{word} /boot/initrd"]
        return "\n".join(lines + ["boot", ""])

    def bedplate_conf(self):
        """For the UEFI application, which stands beside it."""
        lines = ["[lab]", "options=" + " ".join(self.hv_args + self.opts.hv_args)]
        if self.opts.kernel != "none":
            lines += ["kernel=/boot/vmlinuz", "initrd=/boot/initrd",
                      "cmdline=" + " ".join(self.linux_words())]
        return "\n".join(lines + [""])

    def kernel(self):
        if self.opts.kernel in (None, "none"):
            return f"{self.lab}/vmlinuz"
        return self.opts.kernel

    def signed(self, kind, path):
        """The file, or a copy that is signed if this run is about that."""
        if not self.keys or kind in self.opts.unsigned:
            return path
        if kind == "kernel" and self.opts.shim:
            return path         # Debian's signature is on it
        return self.keys.sign(path, f"{self.run}/signed.{kind}")

    def make_boot_disk(self):
        files = {
            "boot/vmlinuz": self.signed("kernel", self.kernel()),
            "boot/initrd": self.make_initrd(),
        }
        if self.opts.boot == "efi" and self.opts.under == "bedplate":
            files["EFI/BOOT/bedplate.conf"] = self.bedplate_conf().encode()
            files["EFI/BOOT/BOOTX64.EFI"] = self.signed("hv", self.opts.hv)
            if self.opts.shim:
                files["EFI/BOOT/grubx64.efi"] = files["EFI/BOOT/BOOTX64.EFI"]
                files["EFI/BOOT/BOOTX64.EFI"] = SHIM
            esp.write(f"{self.run}/boot.img", files)
            return
        files["boot/grub/grub.cfg"] = self.grub_config().encode()
        if self.opts.under == "bedplate":
            files["boot/bedplate"] = self.opts.hv
        if self.opts.boot == "grub-bios":
            bootdisk.write_tar(f"{self.run}/boot.img", bootdisk.read(f"{self.lab}/grub.mbr"),
                               bootdisk.read(f"{self.lab}/grub.core"), files)
        else:
            files["EFI/BOOT/BOOTX64.EFI"] = f"{self.lab}/grub.efi"
            esp.write(f"{self.run}/boot.img", files)

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
        if self.opts.boot_disk:
            return
        self.make_boot_disk()
        if self.opts.overlay:
            self.make_overlay()

    # The emulator.

    def spawn(self, args, passed, **streams):
        """Starts the emulator with the descriptors PASSED; it dies with us."""
        with open(f"{self.run}/command", "a", encoding="utf-8") as f:
            f.write(" ".join(args) + "\n")
        self.process = subprocess.Popen(args, pass_fds=passed, start_new_session=True,
                                        preexec_fn=die_with_parent, **streams)

    def start(self):
        raise NotImplementedError

    def news(self, data):
        """Takes bytes of `events`; yields the ends and resets they tell of, as
        pairs: "reset" or "shutdown", and QEMU's name of the reason."""
        raise NotImplementedError

    def autopsy(self):
        """Why the emulator ended, when it was not for the machine's own reasons."""
        raise NotImplementedError
