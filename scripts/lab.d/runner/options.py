# SPDX-License-Identifier: GPL-2.0-only
"""The options of `lab run`: what they are, and which combinations exist yet."""

import argparse
import os
import re

EPILOG = """
COMMAND runs as root in the service VM; its output, error output and exit status
become those of this program. Without COMMAND: an interactive shell (Ctrl-] ends
the run). Other exit statuses: 124 the time limit was reached; 125 the machine
died, with the reason and the last console lines on standard error; 2 a mistake
in the options.

In the service VM: /guest holds a guest's kernel, initramfs and disk, and
/guest/run, which starts a guest with QEMU's KVM accelerator; /dev/lab/disk0 and
so on are the --disk files; LAB_BOOT counts the boots of this run from 1.

  scripts/lab run --under linux -- uname -a
  scripts/lab run --under kvm --timeout 120 -- /guest/run --smp 2
  scripts/lab run --overlay ./mytree -- /opt/mytool --flag
"""


# Devices that a run may have to give away; those of a kind that needs a file: True.
DEVICES = {"nvme": True, "e1000e": False, "igb": False}

BOCHS_MEGS = 2048
BOCHS_DISKS = 2


class Usage(Exception):
    """A mistake in the options, or something that does not exist yet."""


def size(text):
    if not re.fullmatch(r"[0-9]+[MG]", text):
        raise argparse.ArgumentTypeError("a size such as 512M or 2G")
    return text


def device(text):
    kind, _, path = text.partition("=")
    if kind not in DEVICES or DEVICES[kind] != bool(path):
        raise argparse.ArgumentTypeError(f"{text}: nvme=FILE, e1000e or igb")
    return kind, path or None


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def parser():
    p = argparse.ArgumentParser(
        prog="scripts/lab run",
        usage="%(prog)s [OPTION...] [-- COMMAND ARG...]",
        description="Boot the emulated machine and run COMMAND in its service VM.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--machine", choices=["svm", "vmx", "svm-bochs"], default="svm",
                   help="svm (default): AMD's SVM in QEMU; vmx: Intel's VMX with EPT in "
                   "Bochs; svm-bochs: SVM with next-RIP in Bochs. On Bochs: at most "
                   "2G, 2 disks with the overlay's, no --accel, --boot-disk, --cpu, --device, "
                   "--icount, --iommu, --monitor, --mttcg, --edu, --picture, --qemu, --wire, "
                   "no --boot but grub-bios")
    p.add_argument("--cpu-model", metavar="NAME",
                   help="another of Bochs's models than corei7_icelake_u (vmx) or ryzen "
                   "(svm-bochs)")
    p.add_argument("--under", choices=["bedplate", "kvm", "linux"], default="bedplate",
                   help="bedplate (default): the service VM on Bedplate; kvm: the same "
                   "service VM on the bare machine with Linux's own KVM modules; linux: "
                   "without them")
    p.add_argument("--boot", choices=["grub-bios", "grub-efi", "efi"], default="grub-bios",
                   help="GRUB on BIOS (default), GRUB on UEFI (OVMF), or the UEFI application "
                   "build/bedplate.efi; with efi, a service VM that is not on Bedplate is started "
                   "by GRUB")
    p.add_argument("--boot-disk", metavar="FILE",
                   help="boot this disk, written to, by its own GRUB (--boot grub-bios or "
                   "grub-efi says on which firmware); COMMAND runs as soon as the system is up, "
                   "and then the power button is pressed (build/lab/debian.img: docs/testbed.md)")
    p.add_argument("--picture", nargs=2, action="append", default=[],
                   metavar=("TEXT", "FILE"),
                   help="take a picture of the screen (PNG) when TEXT comes on the serial line, "
                   "or, if TEXT is empty, when COMMAND has ended (repeatable)")
    p.add_argument("--vars", metavar="FILE",
                   help="the UEFI firmware's variables, written to (default: a new copy of OVMF's)")
    p.add_argument("--tpm", action="store_true",
                   help="a TPM 2.0, swtpm's, new in each run")
    p.add_argument("--secure-boot", metavar="DIR",
                   help="firmware that starts nothing unsigned, with a key of its own in DIR, "
                   "made there if it is not; hypervisor, kernel and modules are signed with it")
    p.add_argument("--shim", action="store_true",
                   help="with --secure-boot: firmware with Microsoft's keys starts Debian's shim, "
                   "which knows the key (MOK) and starts the application; the kernel is not signed again")
    p.add_argument("--unsigned", action="append", default=[], choices=["hv", "kernel"],
                   help="with --secure-boot: what is not to be signed (repeatable)")
    p.add_argument("--iommu", choices=["none", "vtd", "vtd-sm", "amdvi"], default="none",
                   help="the machine's IOMMU (default none); vtd-sm: one that has scalable mode "
                   "too, which --hv-args vtd=scalable asks for")
    p.add_argument("--cpu", default="", metavar="FEATURES",
                   help="added to the processor's features, such as --cpu=-svm")
    p.add_argument("--smp", type=positive, default=2, metavar="N",
                   help="number of processors (default 2)")
    p.add_argument("--mem", type=size, default="2G", metavar="SIZE",
                   help="memory, such as 512M or 4G (default 2G)")
    p.add_argument("--icount", action="store_true",
                   help="count instructions: one is one nanosecond on every clock, "
                   "and runs repeat")
    p.add_argument("--mttcg", action="store_true",
                   help="a host thread for each CPU of the machine, as --under kvm has it; "
                   "QEMU then corrupts the SVM state of CPU 0 now and then "
                   "(docs/testbed.md)")
    p.add_argument("--overlay", metavar="DIR",
                   help="a tree laid over the service VM's root, modes kept")
    p.add_argument("--disk", action="append", default=[], metavar="FILE",
                   help="a raw disk image for the service VM, written to (repeatable)")
    p.add_argument("--device", action="append", default=[], type=device,
                   metavar="nvme=FILE|e1000e|igb",
                   help="a device that the service VM can give away, behind a PCIe port of "
                   "its own (repeatable): a disk, a card, a card with virtual functions; "
                   "the cards and a virtio-net of the service VM's are on one wire")
    p.add_argument("--accel", choices=["tcg", "kvm"], default="tcg",
                   help="how the machine is emulated (default tcg; kvm needs a host "
                   "with nested virtualisation)")
    p.add_argument("--edu", action="store_true",
                   help="add a device that copies to and from any address and sends any "
                   "message, as it is told: QEMU's edu")
    p.add_argument("--qemu", default="", metavar="ARGS",
                   help="added to QEMU's own command line, for machines of other shapes, such "
                   "as --qemu='-machine pit=off,pic=off -vga none'")
    p.add_argument("--trace", metavar="FILE",
                   help="Bochs: its debugger writes each instruction between two marks "
                   "(tests/guests/marks.h) there")
    p.add_argument("--wire", action="store_true",
                   help="add two network cards, a virtio-net and an e1000e, on one wire that "
                   "nobody else is on")
    p.add_argument("--hv", metavar="FILE",
                   help="another hypervisor image than build/bedplate.elf or, with --boot efi, "
                   "build/bedplate.efi")
    p.add_argument("--debug", action="store_true",
                   help="the hypervisor that make DEBUG=1 builds, build/debug/bedplate.elf")
    p.add_argument("--coverage", metavar="FILE",
                   help="what a hypervisor built with COVERAGE=1 counted goes there")
    p.add_argument("--kernel", metavar="FILE",
                   help="another kernel for the service VM than Debian's; none: the boot "
                   "menu names no kernel")
    p.add_argument("--initrd-head", metavar="FILE",
                   help="an archive before the service VM's initramfs, as for microcode")
    p.add_argument("--hv-args", default="", metavar="ARGS",
                   help="added to the hypervisor's command line")
    p.add_argument("--kernel-args", default="", metavar="ARGS",
                   help="added to the service VM's kernel command line")
    p.add_argument("--monitor", action="append", default=[], metavar="LINE",
                   help="a line for QEMU's monitor (repeatable): one each time that the "
                   "service VM's console shows a line that ends with \"lab: monitor\"")
    p.add_argument("--crash-kernel", action="store_true",
                   help="a panic of the service VM's kernel does not end the run: another "
                   "kernel is loaded for that")
    p.add_argument("--on-reboot", choices=["end", "restart"], default="end",
                   help="a reboot that COMMAND asks for ends the run with status 0 "
                   "(default), or restarts the machine, which runs COMMAND again")
    p.add_argument("--tty", action="store_true",
                   help="give COMMAND a terminal even though it is named")
    p.add_argument("--console", action="store_true",
                   help="show the machine's console on standard error as it comes")
    p.add_argument("--timeout", type=positive, metavar="S",
                   help="end the run with status 124 after S seconds (default: never)")
    p.add_argument("--log", metavar="DIR",
                   help="leave the logs of hypervisor and Linux there, and the command "
                   "lines used")
    return p


def nested_kvm():
    for module in ("kvm_amd", "kvm_intel"):
        try:
            with open(f"/sys/module/{module}/parameters/nested", encoding="ascii") as f:
                if f.read().strip() in ("1", "Y"):
                    return module
        except OSError:
            continue
    return None


def visible(path):
    """The lab's root shows the host's directories but for those of its system."""
    top = os.path.abspath(path).split("/")[1:3]
    if top[0] in ("bin", "sbin", "usr", "etc", "boot") or top[0].startswith("lib") \
            or (top[0] == "var" and top[1:] != ["tmp"]):
        raise Usage(f"{path}: not visible in the lab's root; use a path outside the "
                    "host's system directories")


def megabytes(text):
    return int(text[:-1]) * (1024 if text.endswith("G") else 1)


def check_bochs(opts):
    """Refuses what only QEMU can do."""
    where = f"--machine {opts.machine} (Bochs)"
    for given, option in ((opts.icount, "--icount"), (opts.mttcg, "--mttcg"),
                          (opts.accel == "kvm", "--accel kvm"),
                          (opts.iommu != "none", f"--iommu {opts.iommu}"),
                          (opts.edu, "--edu"), (opts.wire, "--wire"),
                          (opts.qemu, "--qemu"),
                          (opts.device, "--device"), (opts.picture, "--picture"),
                          (opts.boot_disk, "--boot-disk"), (opts.tpm, "--tpm"),
                          (opts.monitor, "--monitor"),
                          (opts.boot != "grub-bios", f"--boot {opts.boot}"),
                          (opts.cpu, f"--cpu {opts.cpu} (but --cpu-model NAME)")):
        if given:
            raise Usage(f"{where} cannot do {option}")
    if megabytes(opts.mem) > BOCHS_MEGS:
        raise Usage(f"{where}: guests see no more than {BOCHS_MEGS} MiB; --mem is {opts.mem}")
    if len(opts.disk) + bool(opts.overlay) > BOCHS_DISKS:
        raise Usage(f"{where} has room for {BOCHS_DISKS} --disk, or one and the --overlay")


def check_boot_disk(opts):
    """The disk brings all that a run puts together otherwise."""
    for given, option in ((opts.overlay, "--overlay"), (opts.kernel, "--kernel"),
                          (opts.hv_args, "--hv-args"), (opts.kernel_args, "--kernel-args"),
                          (opts.under != "bedplate", "--under"), (opts.boot == "efi", "--boot efi")):
        if given:
            raise Usage(f"--boot-disk: the disk decides, so no {option}")


def check(opts):
    """Refuses, with a clear line, what cannot be done."""
    if opts.machine != "svm":
        check_bochs(opts)
    elif opts.trace:
        raise Usage("--trace goes with Bochs's machines")
    elif opts.cpu_model:
        raise Usage("--cpu-model goes with Bochs's machines; --machine svm takes --cpu")
    if opts.boot_disk:
        check_boot_disk(opts)
    if opts.vars and opts.boot == "grub-bios":
        raise Usage("--vars goes with --boot grub-efi and efi")
    if opts.secure_boot and (opts.boot != "efi" or opts.under != "bedplate" or opts.vars):
        raise Usage("--secure-boot goes with --boot efi --under bedplate, without --vars")
    if (opts.unsigned or opts.shim) and not opts.secure_boot:
        raise Usage("--unsigned and --shim go with --secure-boot")
    if opts.accel == "kvm":
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise Usage("--accel kvm: this host has no usable /dev/kvm")
        if nested_kvm() != "kvm_amd":
            raise Usage("--accel kvm: needs an AMD host with nested virtualisation on")
        if opts.icount:
            raise Usage("--icount counts TCG's instructions; it does not go with --accel kvm")
    if opts.mttcg and (opts.icount or opts.accel == "kvm"):
        raise Usage("--mttcg does not go with --icount, nor with --accel kvm")
    files = opts.disk + [path for _, path in opts.device if path]
    files += [path for path in (opts.vars, opts.boot_disk, opts.initrd_head) if path]
    for path in [opts.hv, opts.kernel, opts.overlay, opts.log, opts.secure_boot] + files + \
            [file for _, file in opts.picture]:
        if path is not None:
            visible(path)
    if opts.overlay is not None and not os.path.isdir(opts.overlay):
        raise Usage(f"--overlay {opts.overlay}: no such directory")
    for path in files:
        if not os.path.isfile(path):
            raise Usage(f"{path}: no such file")
    if opts.kernel not in (None, "none") and not os.path.isfile(opts.kernel):
        raise Usage(f"--kernel {opts.kernel}: no such file")
    if opts.kernel == "none" and opts.under != "bedplate":
        raise Usage("--kernel none goes with --under bedplate only")
    if opts.under == "bedplate" and not opts.boot_disk and not os.path.isfile(opts.hv):
        raise Usage(f"{opts.hv} does not exist: run make first")


def arguments(text):
    if "\n" in text or "'" in text:
        raise Usage("arguments for hypervisor and kernel cannot hold ' or line ends")
    return text.split()


def parse(argv, tree):
    if "--" in argv:
        cut = argv.index("--")
        argv, command = argv[:cut], argv[cut + 1:]
        if not command:
            raise Usage("no command after --")
    else:
        command = []
    opts = parser().parse_args(argv)
    opts.command = command
    kind = "efi" if opts.boot == "efi" else "elf"
    folder = "build/debug" if opts.debug else "build"
    opts.hv = opts.hv or f"{tree}/{folder}/bedplate.{kind}"
    opts.hv_args = arguments(opts.hv_args)
    opts.kernel_args = arguments(opts.kernel_args)
    opts.qemu = arguments(opts.qemu)
    return opts
