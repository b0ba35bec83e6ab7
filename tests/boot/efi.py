#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What the UEFI application refuses: one clear line each, and back to the firmware.

Runs in the lab's root: scripts/lab exec -- tests/boot/efi.py [APPLICATION KERNEL]
One boot of OVMF: first its boot entry finds no configuration and the firmware goes on to
the next entry, its shell; a script there starts the application for one case after the
other, each in a directory of its own, and looks at the memory before and after all of them.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TREE + "/scripts/lab.d/runner")
import esp  # noqa: E402    pylint: disable=wrong-import-position

OVMF = "/usr/share/OVMF"
CPU = "EPYC-v4,+svm,+npt,x2apic=on,monitor=off"
TIMEOUT = 300
ESCAPES = re.compile(rb"\x1b(\[[0-9;?=]*[A-Za-z]|c)|\r")


def case(conf, want, args="", **files):
    """CONF as text (None: no such file), the line that is wanted, and more files by name."""
    return {"conf": conf, "want": want, "args": args, "files": files}


def cases(kernel):
    conf = "bedplate.conf"
    text = b"no kernel at all\n" * 1000
    return {
        "no_configuration": case(None, f"\\no_configuration\\{conf}: not found"),
        "empty_configuration": case("# nothing\n", f"{conf}: there is no entry"),
        "unknown_key": case("[a]\nkernel=v\n\nkern=w\n",
                            f'{conf} line 4: unknown key "kern" in [a]'),
        "no_section": case("kernel=v\n",
                           f'{conf} line 1: "kernel" stands before the first section'),
        "unknown_default": case("[global]\r\ndefault=b\r\n[a]\r\nkernel=v\r\n",
                                f'{conf} line 2: default: there is no entry "b"'),
        "unknown_entry": case("[a]\nkernel=v\n", f'{conf}: there is no entry "b"', "b"),
        "named_entry": case("[a]\nkernel=v\n[b]\n\nkernel=w\n",
                            f'{conf} line 5: kernel "w": not found', "b"),
        "menu_runs_out": case("[global]\ntimeout=1\ndefault=b\n[a]\nkernel=v\n[b]\nkernel=w\n",
                              f'{conf} line 7: kernel "w": not found'),
        "menu_key": case("[global]\ntimeout=3600\n[a]\nkernel=v\n[b]\ntitle=B\nkernel=w\n",
                         f'{conf} line 7: kernel "w": not found'),
        "no_kernel": case("[a]\nkernel=sub/v\n", f'{conf} line 2: kernel "sub/v": not found'),
        "kernel_is_directory": case("[a]\nkernel=/EFI\n", "\\EFI: is a directory"),
        "no_bzimage": case("[a]\nkernel=text\n", f'{conf} line 2: kernel "text" is no bzImage',
                           text=text),
        "kernel_cut_short": case("[a]\nkernel=cut\n",
                                 f'{conf} line 2: kernel "cut" is cut short', cut=kernel[:3000000]),
        "no_initrd": case("[a]\nkernel=/vmlinuz\ninitrd=text\ninitrd=none\n",
                          f'{conf} line 4: initrd "none": not found', text=text),
        "malformed_option": case("[a]\noptions=loglevel=loud\nkernel=/vmlinuz\n",
                                 f'{conf} line 2: malformed option "loglevel=loud"'),
        "long_command_line": case("[a]\nkernel=/vmlinuz\ncmdline=" + "x" * 2100 + "\n",
                                  f"{conf} line 3: the kernel takes a command line of "),
    }


def make_disk(path, application, kernel_path, all_cases):
    files = {"EFI/BOOT/BOOTX64.EFI": application, "vmlinuz": kernel_path}
    script = ["@echo -off", "fs0:", "memmap"]
    for name, c in all_cases.items():
        files[f"{name}/bedplate.efi"] = application
        if c["conf"] is not None:
            files[f"{name}/bedplate.conf"] = c["conf"].encode()
        for other, data in c["files"].items():
            files[f"{name}/{other}"] = data
        script += [f"echo BEGIN {name}", f"\\{name}\\bedplate.efi {c['args']}".rstrip(),
                   "echo STATUS %lasterror%"]
    files["startup.nsh"] = "\r\n".join(script + ["memmap", "echo ALL DONE", "reset -s", ""]).encode()
    esp.write(path, files)


def boot(work, disk):
    """All that comes over the serial line; keys are pressed where they are asked for."""
    store = f"{work}/vars.fd"
    shutil.copyfile(f"{OVMF}/OVMF_VARS_4M.fd", store)
    command = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", CPU, "-m", "512M",
               "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot",
               "-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M.fd",
               "-drive", f"if=pflash,format=raw,file={store}",
               "-drive", f"if=none,id=esp,format=raw,readonly=on,file={disk}",
               "-device", "virtio-blk-pci,drive=esp"]
    prompts = [(b"Press a key to go on.", b"\r"), (b"any other key to continue.", b"\r"),
               (b"Starting in 3600 s", b"2")]
    out = b""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as qemu:
        timer = threading.Timer(TIMEOUT, qemu.kill)
        timer.start()
        while data := os.read(qemu.stdout.fileno(), 4096):
            out += data
            while prompts and prompts[0][0] in ESCAPES.sub(b"", out):
                os.write(qemu.stdin.fileno(), prompts.pop(0)[1])
        timer.cancel()
    return ESCAPES.sub(b"", out).decode("ascii", "replace")


def judge(c, text):
    """None, or what is wrong with what one case said."""
    # The menu's last line is wiped out by one that begins at its start.
    said = re.findall(r"bedplate: .*", text)
    status = re.search(r"STATUS (\S+)", text)
    if len(said) != 1 or c["want"] not in said[0]:
        return f"wanted one line with: {c['want']}; it said {said}"
    if not status or int(status[1], 0) == 0:
        return "the firmware was given no error status"
    return None


def lost_memory(text):
    """None, or which of the firmware's sums of loader memory grew."""
    sums = re.findall(r"^ *(Loader\S*) *: *([0-9,]+)", text, re.MULTILINE)
    before, after = sums[:len(sums) // 2], sums[len(sums) // 2:]
    if len(before) < 2:
        return "the firmware's shell shows no sums of memory"
    return None if before == after else f"before: {before}, after: {after}"


def results(text, all_cases):
    first = text.split("BEGIN", 1)[0]
    yield "goes_to_next_entry", None if (
        "bedplate: \\EFI\\BOOT\\bedplate.conf: not found" in first and "fs0:" in text.lower()
    ) else "the shell did not come after it"
    parts = dict(re.findall(r"BEGIN (\S+)\n(.*?)(?=BEGIN |\Z)", text, re.DOTALL))
    for name, c in all_cases.items():
        yield name, judge(c, parts[name]) if name in parts else "was not reached"
    yield "memory_is_back", lost_memory(text)


def main():
    application = sys.argv[1] if len(sys.argv) > 1 else TREE + "/build/bedplate.efi"
    kernel_path = sys.argv[2] if len(sys.argv) > 2 else TREE + "/build/lab/vmlinuz"
    with open(kernel_path, "rb") as f:
        all_cases = cases(f.read())
    with tempfile.TemporaryDirectory(prefix="efi") as work:
        make_disk(f"{work}/esp.img", application, kernel_path, all_cases)
        text = boot(work, f"{work}/esp.img")
    passed = failed = 0
    for name, wrong in results(text, all_cases):
        print(f"not ok {name}: {wrong}" if wrong else f"ok {name}", flush=True)
        failed += bool(wrong)
        passed += not wrong
    if failed:
        print(text, file=sys.stderr)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
