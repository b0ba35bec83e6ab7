#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""The program `bedplate` as a whole, on made-up machines, a terminal and a socket.

usage: tests/tools/program.py PROGRAM

A line for each check, as tests/boot/lib.sh's "reports" reads them.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machines import Bedplate, Machine, madt
from screen import Terminal

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else "build/tools/bedplate"
TESTS = []


def test(function):
    """One to be run."""
    TESTS.append(function)
    return function


def want(fact, what):
    """Else the test fails, and says what."""
    if not fact:
        raise AssertionError(what)


class Tree:
    """A machine's files, while a test uses them."""

    def __init__(self, machine):
        self.directory = tempfile.TemporaryDirectory(prefix="bedplate-")
        self.root = machine.write(self.directory.name)
        self.env = {**os.environ, "BEDPLATE_ROOT": self.root}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.directory.cleanup()

    def run(self, *args, **more):
        """The program; status, output and error output."""
        done = subprocess.run([PROGRAM, *args], env=self.env, capture_output=True, timeout=60,
                              check=False, **more)
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode()


def run(machine, *args):
    """The program once, on that machine."""
    with Tree(machine) as tree:
        return tree.run(*args)


# ---- check ----

def verdict(machine, status, row=None, word=None, reason=""):
    """check ends with @status, and its row says @word because of @reason."""
    got, out, _ = run(machine, "check")
    want(got == status, f"status {got}, wanted {status}:\n{out}")
    if row:
        found = [line for line in out.splitlines() if line[9:].startswith(row)]
        want(any(line.startswith(word) and reason in line for line in found),
             f"no row '{word} {row}' with '{reason}':\n{out}")
    return out


@test
def check_good_machines():
    """Servers of both vendors have no row but ok."""
    for vendor in ("amd", "intel"):
        out = verdict(Machine(vendor), 0)
        want("warning" not in out and "can run Bedplate.\n" in out, out)
        status, out, _ = run(Machine(vendor), "check", "-q")
        want((status, out) == (0, "This machine can run Bedplate.\n"), out)


@test
def check_amd():
    """What can be missing of SVM."""
    m = Machine("amd")
    m.cpuid[0x80000001, 0][2] = 0
    verdict(m, 1, "virtualisation", "no", "no SVM")
    m = Machine("amd")
    m.msr[0xc0010114] = 0x18
    verdict(m, 1, "virtualisation", "no", "switched SVM off")
    m = Machine("amd")
    m.cpuid[0x8000000a, 0][3] = 0
    verdict(m, 1, "virtualisation", "no", "no nested paging")
    m = Machine("amd")
    m.msr[0xc0010010] = 1 << 23
    verdict(m, 0, "encryption", "warning", "SME")


@test
def check_intel():
    """What can be missing of VMX."""
    m = Machine("intel")
    m.cpuid[1, 0][2] &= ~(1 << 5)
    verdict(m, 1, "virtualisation", "no", "no VMX")
    for locked, status in ((1, 1), (3, 1), (0, 0), (4, 0)):
        m = Machine("intel")
        m.msr[0x3a] = locked
        verdict(m, status, "virtualisation", "no" if status else "ok", "locked" if status else "VMX")
    m = Machine("intel")
    m.msr[0x48b] &= ~(2 << 32)
    verdict(m, 1, "virtualisation", "no", "no EPT")
    m = Machine("intel")
    m.msr[0x48b] &= ~(0x80 << 32)
    verdict(m, 1, "virtualisation", "no", "unrestricted guest")
    m = Machine("intel")
    m.msr.clear()
    verdict(m, 0, "virtualisation", "warning", "cannot be read")


@test
def check_other_cpus():
    """Of 32 bits, of two kinds, without XSAVE, virtual."""
    m = Machine("intel")
    m.cpuid[0x80000001, 0][3] = 0
    verdict(m, 1, "processor", "no", "32-bit")
    m = Machine("intel")
    m.cpuid[7, 0][3] = 1 << 15
    verdict(m, 0, "hybrid", "warning", "two kinds")
    m = Machine("amd")
    m.cpuid[1, 0][2] &= ~(1 << 26)
    verdict(m, 1, "XSAVE", "no")
    m = Machine("amd")
    m.cpuid[1, 0][2] |= 1 << 31
    verdict(m, 0, "hypervisor", "warning", "virtual machine")


@test
def check_tables():
    """MADT, DMAR and IVRS that are not there, torn, or ask too much."""
    tables = "/sys/firmware/acpi/tables/"
    m = Machine("amd")
    del m.files[tables + "IVRS"]
    verdict(m, 0, "IOMMU", "warning", "none")
    for vendor, name in (("amd", "IVRS"), ("intel", "DMAR")):
        m = Machine(vendor)
        m.files[tables + name] = m.files[tables + name][:-3]
        verdict(m, 0, "IOMMU", "warning", "wrong")
        m.files[tables + name] = b""
        verdict(m, 0, "IOMMU", "warning", "wrong")
    m = Machine("amd")
    del m.files[tables + "APIC"]
    verdict(m, 1, "CPUs", "no", "no MADT")
    m.files[tables + "APIC"] = madt(range(8))[:-3]
    verdict(m, 1, "CPUs", "no", "torn")
    m.files[tables + "APIC"] = madt([*range(200), 300])
    verdict(m, 0, "CPUs", "ok", "201, APIC IDs up to 300")
    m.cpuid[1, 0][2] &= ~(1 << 21)
    verdict(m, 1, "CPUs", "no", "no x2APIC")


@test
def check_memory():
    """Too little, in pieces, or not to be known."""
    m = Machine("amd")
    m.files["/proc/iomem"] = "00001000-0009ffff : System RAM\n00100000-05ffffff : System RAM\n"
    verdict(m, 1, "memory", "no", "too little")
    m.files["/proc/iomem"] = ("00001000-0009ffff : System RAM\n00100000-03ffffff : System RAM\n"
                              "100000000-1ffffffffff : System RAM\n")
    verdict(m, 1, "memory", "no", "in one piece below 4 GiB")
    m.files["/proc/iomem"] = "00000000-00000000 : System RAM\n"
    verdict(m, 0, "memory", "warning", "only root")
    m.files["/proc/iomem"] = "00100000-7fffffff : System RAM\n"
    verdict(m, 1, "low memory", "no")


@test
def check_firmware_and_kernel():
    """Boot mode, Secure Boot, versions, configuration."""
    verdict(Machine("amd"), 0, "boot mode", "ok", "BIOS")
    m = Machine("amd")
    m.uefi(0)
    verdict(m, 0, "Secure Boot", "ok", "off")
    m.uefi(1)
    verdict(m, 0, "Secure Boot", "warning", "signed")
    m = Machine("amd")
    m.files["/proc/sys/kernel/osrelease"] = "6.16.3+deb13-amd64\n"
    verdict(m, 0, "kernel", "warning", "older and newer")
    for release, why in (("9.0.1-amd64", "too new"), ("6.1.0-9-amd64", "too old")):
        m = Machine("amd")
        m.files["/proc/sys/kernel/osrelease"] = release + "\n"
        verdict(m, 1, "kernel", "no", why)
    m = Machine("amd")
    name = "/boot/config-6.12.41+deb13-amd64"
    m.files[name] = m.files[name].replace("CONFIG_KVM=m", "# CONFIG_KVM is not set")
    verdict(m, 1, "configuration", "no", "CONFIG_KVM")


# ---- what tells of a Bedplate that runs ----

@test
def stats_are_json():
    """And python's reader takes it, with all in it."""
    status, out, _ = run(Bedplate(), "stats", "--json")
    want(status == 0, f"status {status}")
    data = json.loads(out)
    want(data["machine"]["cpus"] == 2 and data["machine"]["mitigations"] == 0x60, "machine")
    want([d["id"] for d in data["domains"]] == [0, 1, 2], "domains")
    guest = data["domains"][1]
    want(guest["name"] == 'al"pha' and guest["pid"] == 164, f"guest {guest}")
    want(guest["vcpu"][0]["exits"] == {"io": 100} and guest["vcpu"][0]["service"]["all"] == 100, "exits")
    want(data["domains"][2]["comm"].startswith("kvm"), "a name that is no text")


LABEL = r'\w+="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"bedplate_\w+(\{{{LABEL}(,{LABEL})*\}})? [0-9.]+$")


def check_exposition(text):
    """Each metric once: HELP, TYPE, then its samples, no two with the same labels."""
    seen, samples, name = set(), set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            want(name not in seen, f"{name} comes twice")
            seen.add(name)
        elif line.startswith("# TYPE "):
            want(line.split()[2:] in ([name, "counter"], [name, "gauge"]), line)
        else:
            want(SAMPLE.match(line), f"no sample: {line}")
            want(re.match(r"\w+", line)[0] == name, f"{line} is not of {name}")
            key = line.rsplit(" ", 1)[0]
            want(key not in samples, f"{key} comes twice")
            samples.add(key)
    want(text.endswith("\n") and len(samples) > 20, "too few samples")


@test
def metrics_are_prometheus():
    """The text exposition format."""
    status, out, _ = run(Bedplate(), "metrics")
    want(status == 0, f"status {status}")
    check_exposition(out)
    want('bedplate_vcpu_exits_total{domain="1",name="al\\"pha",vcpu="0",reason="io"} 100\n' in out, out)
    want("bedplate_vcpu_run_seconds_total" in out and " 1.000000\n" in out, "seconds")


@test
def info_says_what_is_open():
    """Mitigations that are due and off; and no more doors than are open."""
    _, out, _ = run(Bedplate(), "info")
    want("ibpb         OFF" in out and "not protected speculation: boot options" in out, out)
    want("itlb         on" in out and "srso         not needed" in out, out)
    want("NOT PROTECTED" not in out and "IOMMU         AMD-Vi, driven by Bedplate\n" in out, out)
    m = Bedplate()
    name = "/sys/kernel/bedplate/stats"
    stats = m.files[name].replace("confined 1", "confined 0").replace("0x63", "0x60")
    m.files[name] = stats.replace("mitigations 0x60", "mitigations 0x20060")
    m.files[name] += "io_unconfined 3\n"
    m.files["/sys/devices/system/cpu/smt/active"] = "1\n"
    name = "/dev/bedplate"
    m.files[name] = ("W [    0.1] devices are not confined, they can reach all memory and interrupt every "
                     "CPU: iommu=off\n")
    _, out, _ = run(m, "info")
    want("IOMMU         none is driven: iommu=off\n" in out, out)
    want("DMA           NOT PROTECTED" in out and "hyper-threads: two domains" in out, out)
    want("segments that firmware names no IOMMU for" in out, out)
    want("srso         MICROCODE" in out and "needs newer microcode" in out, out)


@test
def list_and_batch():
    """A line for each guest; top without a terminal."""
    status, out, _ = run(Bedplate(), "list")
    lines = out.splitlines()
    want(status == 0 and len(lines) == 3 and lines[1].split()[1:4] == ['al"pha', "164", "2"], out)
    want(run(Bedplate(), "domains")[1] == out, "domains is list")
    status, out, _ = run(Bedplate(), "top", "-b", "-n", "2", "-d", "0.1", "-V", "-s", "id")
    want(status == 0 and out.count("bedplate top - ") == 2 and out.count("vCPU 1 on 0") == 2, out)


@test
def logs():
    """This boot's, the last one's, and one that goes on until nobody reads."""
    with Tree(Bedplate()) as tree:
        want("loaded by GRUB" in tree.run("log")[1], "log")
        status, _, err = tree.run("log", "--last")
        want(status == 1 and "no log of the boot before" in err, err)
        last = Path(tree.root + "/sys/kernel/bedplate/last_log")
        last.write_bytes(b"old\0\xff\n")
        done = subprocess.run([PROGRAM, "log", "--last"], env=tree.env, capture_output=True, check=False)
        want(done.returncode == 0 and done.stdout == b"old\0\xff\n", "bytes of the last log")
        with subprocess.Popen([PROGRAM, "log", "-f"], env=tree.env, stdout=subprocess.PIPE) as follow:
            first = follow.stdout.readline()
            with open(tree.root + "/dev/bedplate", "a", encoding="ascii") as log:
                log.write("I [    9.0] a new line\n")
            rest = [follow.stdout.readline() for _ in range(3)]
            follow.stdout.close()
            want(follow.wait(10) == 0, "it ends when nobody reads")
        want(b"GRUB" in first and rest[2].endswith(b"a new line\n"), f"{rest}")


@test
def sets():
    """What goes into the files."""
    with Tree(Bedplate()) as tree:
        want(tree.run("set")[1] == "loglevel info\nweight.1 100\nweight.2 200\n", "set")
        want(tree.run("set", "loglevel", "debug")[0] == 0, "loglevel")
        want(Path(tree.root + "/sys/kernel/bedplate/loglevel").read_text("ascii") == "3\n", "3")
        want(tree.run("set", "weight.2", "300")[0] == 0, "weight")
        want(Path(tree.root + "/sys/kernel/bedplate/weight").read_text("ascii") == "2 300\n", "2 300")


@test
def misuse():
    """Mistakes in arguments end with 2 and one clear line; no Bedplate, with 1."""
    for args in ([], ["x"], ["info", "x"], ["log", "-x"], ["log", "x"], ["log", "-f", "--last"],
                 ["stats", "-x"], ["set", "a"], ["set", "a", "b"], ["set", "loglevel", "4"],
                 ["set", "weight.x", "1"], ["set", "weight.0", "1"], ["set", "weight.1", "0"],
                 ["set", "weight.1", "10001"], ["top", "-d", "0"], ["top", "-d", "nan"], ["top", "-n", "0"],
                 ["top", "-n", "3"], ["top", "-s", "x"], ["top", "x"], ["check", "x"], ["check", "-q", "x"],
                 ["report", "x"], ["report", "-x"], ["metrics", "x"], ["metrics", "--listen"],
                 ["help", "x"], ["version", "x"], ["list", "x"]):
        status, out, err = run(Bedplate(), *args)
        want(status == 2 and not out and err, f"{args}: status {status}, {out!r}, {err!r}")
    for command in ("info", "log", "list", "stats", "set", "metrics", "version", "top -b"):
        status, _, err = run(Machine("amd"), *command.split())
        want(status == 1 and "is not there: does this machine run on Bedplate" in err, f"{command}: {err}")
    want(run(Machine("amd"), "stats", "--json")[0] == 1, "stats --json")
    for where in ("x", "1.2.3.4", "1.2.3.4:x", "1.2.3.4:70000", "[::1:80"):
        want(run(Bedplate(), "metrics", "--listen", where)[0] == 1, f"--listen {where}")
    want(run(Bedplate(), "help")[0] == 0 and run(Bedplate(), "top", "--help")[0] == 0, "help")


@test
def broken_pipe():
    """Who has read enough may go."""
    with Tree(Bedplate()) as tree:
        for command in ("metrics", "stats --json", "help", "check", "list"):
            done = subprocess.run(f"{PROGRAM} {command} | true; echo ${{PIPESTATUS[0]}}", shell=True,
                                  check=False, executable="/bin/bash", env=tree.env, capture_output=True)
            want(done.stdout == b"0\n" and not done.stderr, f"{command}: {done.stdout} {done.stderr}")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "list"], env=tree.env, stdout=full, stderr=subprocess.PIPE,
                                  check=False)
        want(done.returncode == 1 and b"output" in done.stderr, "a full disk is told")


@test
def no_root():
    """What only root may read says so."""
    if os.geteuid():
        return
    with Tree(Bedplate()) as tree:
        os.chmod(tree.root, 0o755)
        os.chmod(tree.root + "/proc/bedplate", 0o400)
        program = Path(tree.root) / "tool"
        program.write_bytes(Path(PROGRAM).read_bytes())
        program.chmod(0o755)
        done = subprocess.run([program, "list"], env=tree.env, capture_output=True, user=65534, check=False)
        want(done.returncode == 1 and b"only root may do this" in done.stderr, f"{done.stderr}")


@test
def reports_hold_no_secrets():
    """All sections, the owner's alone, without passwords."""
    m = Bedplate()
    far = "x" * 70 + "password"
    line = f'root=/dev/sda1 luks.passphrase=hunter2 mykey="abc d=e f" {far}=hunter2 quiet'
    m.files["/proc/cmdline"] = line + "\n"
    m.files["/dev/bedplate"] += f'I [    0.6] domain 0: kernel at 0x1400000, options "{line}"\n'
    with Tree(m) as tree:
        path = tree.root + "/report"
        status, out, err = tree.run("report", "-o", path)
        want(status == 0 and not out and path in err, f"{status} {err}")
        want(os.stat(path).st_mode & 0o777 == 0o600, "only its owner may read it")
        text = Path(path).read_text("utf-8", "replace")
        want("hunter2" not in text and '"abc' not in text and "d=e f" not in text, "secrets")
        want(text.count("root=/dev/sda1 luks.passphrase=(left out) mykey=(left out) " + far +
                        "=(left out) quiet") == 2,
             "command lines")
        for part in ("loaded by GRUB", "vcpu 1 0", "pool_frames", "Made-up CPU", "==== CPUID", "lspci -nn",
                     "00000000 00 00000016", "49 56 52 53", "can run Bedplate"):
            want(part in text, f"no {part}")
        want(tree.run("report", "-o", tree.root + "/no/report")[0] == 1, "no such directory")


@test
def reports_go_into_new_files():
    """Who made the file before, or has it open, does not get the report."""
    with Tree(Bedplate()) as tree:
        path = Path(tree.root) / "report"
        for make in (lambda: path.write_text("mine"), lambda: os.mkfifo(path),
                     lambda: path.symlink_to(tree.root + "/elsewhere")):
            make()
            status, out, err = tree.run("report", "-o", str(path))
            want(status == 1 and not out and "File exists" in err, f"{status} {err}")
            want(path.is_symlink() or path.is_fifo() or path.read_text() == "mine", "it is as it was")
            path.unlink()
        want(not os.path.exists(tree.root + "/elsewhere"), "behind the link")


@test
def terminals_get_no_commands():
    """Of names and logs, in one byte or in UTF-8."""
    m = Bedplate()
    nasty = b"a\x1b[2Jb\xc2\x9b2Jc\x9b2J\x7fd\xc3\x9be"
    m.files["/proc/164/cmdline"] = b"qemu-system-x86_64\0-name\0" + nasty + b"\0"
    m.files["/dev/bedplate"] = m.files["/dev/bedplate"].encode() + nasty + b"\n"
    with Tree(m) as tree:
        for command in (["list"], ["report"], ["top", "-b", "-n", "1", "-d", "0.1"]):
            done = subprocess.run([PROGRAM, *command], env=tree.env, capture_output=True, check=False)
            bad = [c for c in done.stdout if not (c in b"\t\n" or 0x20 <= c < 0x7f)]
            want(done.returncode == 0 and not bad, f"{command}: {bytes(bad)}")
        for command in (["stats", "--json"], ["metrics"]):
            text = tree.run(*command)[1]
            bad = [c for c in text if ord(c) < 0x20 and c != "\n" or 0x7f <= ord(c) < 0xa0]
            want(not bad and "\xdb" in text, f"{command}: {bad}")


# ---- the server ----

class Server:
    """metrics --listen on a free port."""

    def __init__(self, tree):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen([PROGRAM, "metrics", "--listen", f"127.0.0.1:{self.port}"],
                                        env=tree.env, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                self.connect().close()
                return
            except ConnectionRefusedError:
                time.sleep(0.02)
        raise AssertionError("the server does not answer")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def connect(self):
        """One more client."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def ask(self, request):
        """All of the answer."""
        with self.connect() as client:
            client.sendall(request)
            return b"".join(iter(lambda: client.recv(65536), b""))


@test
def serves_metrics():
    """Good requests, bad ones, and clients who are slow, gone, or many."""
    good = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    with Tree(Bedplate()) as tree, Server(tree) as server:
        head, body = server.ask(good).split(b"\r\n\r\n", 1)
        want(head.startswith(b"HTTP/1.1 200 OK\r\n"), f"{head}")
        want(f"Content-Length: {len(body)}".encode() in head, f"{head}")
        check_exposition(body.decode())
        want(server.ask(b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 404"), "404")
        want(server.ask(b"x" * 5000).startswith(b"HTTP/1.1 431"), "431")
        want(server.ask(b"HEAD /metrics HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\n"), "HEAD")
        idle = [server.connect() for _ in range(40)]
        for client in idle[::2]:
            client.sendall(b"GET /met")
        want(server.ask(good).endswith(body), "with forty who say nothing")
        gone = server.connect()
        gone.sendall(good)
        gone.close()
        begun = time.monotonic()
        want(idle[-1].recv(10) == b"" and time.monotonic() - begun < 9, "a deadline ends who is slow")
        for client in idle:
            client.close()
        os.unlink(tree.root + "/proc/bedplate")
        want(server.ask(good).startswith(b"HTTP/1.1 503"), "503")
        want(server.process.poll() is None, "it goes on")


@test
def serves_much():
    """Megabytes, to one who says at once that he has no more to say, and reads late."""
    m = Bedplate()
    vcpus = "".join(f"vcpu 1 {i} cpu=0 state=halted run_ns=1 wait_ns=1 stolen_ns=1 x.io=1 x.hlt=2 s.all=3\n"
                    for i in range(9000))
    m.files["/proc/bedplate"] = "domain 1 pid=1 comm=big vcpus=9000\n" + vcpus
    with Tree(m) as tree, Server(tree) as server:
        with server.connect() as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            want(server.ask(b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 404"), "others wait")
            head, body = b"".join(iter(lambda: client.recv(1 << 20), b"")).split(b"\r\n\r\n", 1)
        want(f"Content-Length: {len(body)}\r\n".encode() in head, f"{head} {len(body)}")
        want(len(body) > 4000000, "is it much?")
        check_exposition(body.decode())


# ---- the screen ----

@test
def top_on_a_terminal():
    """Rows, keys, another size, new numbers, and the end."""
    with Tree(Bedplate()) as tree:
        term = Terminal([PROGRAM, "top", "-d", "3600", "-s", "id"], tree.env, 16, 90)
        want(term.until(lambda s: "kvm" in s[6]), f"rows: {term.screen.lines()}")
        lines = term.screen.lines()
        want(lines[0].startswith("bedplate top - "), lines)
        want(lines[3].split()[:3] == ["ID", "NAME", "STATE"], lines)
        want(lines[5].split()[:4] == ["1", 'al"pha', "running", "2"], lines[5])
        term.press("V")
        want(term.until(lambda s: "vCPU 1 on 0" in s[9]), f"V: {term.screen.lines()}")
        term.press("VR")
        want(term.until(lambda s: s[4].split()[:1] == ["2"]), f"R: {term.screen.lines()}")
        term.press("N")
        want(term.until(lambda s: "sorted by name" in s[0] and 'al"pha' in s[4]), f"N: {term.screen.lines()}")
        Path(tree.root + "/proc/bedplate").write_bytes(Bedplate.view(9000000000, 99999))
        term.press(" ")
        want(term.until(lambda s: " 9.0 " in s[4]), f"new numbers: {term.screen.lines()}")
        term.press("h")
        want(term.until(lambda s: s[15].startswith("q quit")), f"h: {term.screen.lines()}")
        term.resize(8, 60)
        want(term.until(lambda s: s[7].startswith("q quit") and s[3].startswith("   ID NAME")),
             f"size: {term.screen.lines()}")
        want(all(len(line) <= 60 for line in term.screen.lines()), "too wide")
        term.press("h\x1bOB")
        want(term.until(lambda s: s[3].startswith("   ID") and "kvm" in s[5]),
             f"scroll: {term.screen.lines()}")
        term.press("d17\x7f\x7f0.5")
        want(term.until(lambda s: s[0] == "seconds between updates (now 3600.0): 0.5"),
             f"d: {term.screen.lines()}")
        term.press("\r")
        want(term.until(lambda s: s[0].startswith("bedplate top")), f"d: {term.screen.lines()}")
        Path(tree.root + "/proc/bedplate").write_bytes(Bedplate.view(30000000000, 99999))
        want(term.until(lambda s: any(" 30.0 " in line for line in s)), f"by itself: {term.screen.lines()}")
        term.press("q")
        want(term.end() == 0, "status")
        want("no terminal" in tree.run("top", stdin=subprocess.DEVNULL)[2], "without a terminal")


@test
def top_forgets_no_signal():
    """One that comes while the screen is drawn, just before the wait for a key, counts as well."""
    with Tree(Bedplate()) as tree:
        term = Terminal([PROGRAM, "top", "-d", "3600", "-s", "id"], tree.env, 16, 90)
        want(term.until(lambda s: "kvm" in s[6]), f"rows: {term.screen.lines()}")
        for i, rows in enumerate((8, 16) * 400):
            term.press("h")
            want(term.until(lambda s: s[-1].startswith("q quit") == (rows == 8)), f"h: {term.screen.lines()}")
            moment = time.perf_counter() + i % 40 * 5e-6
            while time.perf_counter() < moment:
                pass
            term.resize(rows, 60)
            want(term.until(lambda s: s[3].startswith("   ID NAME")), f"size: {term.screen.lines()}")
        term.press("h")
        want(term.until(lambda s: s[-1].startswith("q quit")), f"h: {term.screen.lines()}")
        os.kill(term.pid, signal.SIGTERM)
        want(term.end() == 0, "status")


def main():
    """Status 1 if a test failed."""
    failed = 0
    for function in TESTS:
        try:
            function()
            print(f"ok {function.__name__}", flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError, ValueError) as error:
            failed += 1
            print(f"not ok {function.__name__}: " + f"{error}".replace("\n", " / "), flush=True)
    print(f"{len(TESTS) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
