# SPDX-License-Identifier: GPL-2.0-only
"""`lab run`, started by scripts/lab inside the lab's root."""

import fcntl
import os
import shlex
import shutil
import sys
import tempfile
import time

import console
import options
from bochs import Bochs
from qemu import Qemu
from session import Session, say

LOGS = ("serial.log", "bedplate.log", "linux.log", "command", "times", "qemu.log", "qemu.err", "qemu.monitor",
        "bochsrc", "bochs.log", "bochs.err")


def sweep(runs):
    """Removes what runs that were killed left behind: nobody holds their lock."""
    for name in os.listdir(runs):
        path = f"{runs}/{name}"
        try:
            with open(f"{path}/lock", "rb") as f:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue


def run_directory(tree):
    runs = f"{tree}/build/run"
    os.makedirs(runs, exist_ok=True)
    with open(f"{tree}/build/lab/run.lock", "wb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        sweep(runs)
        path = tempfile.mkdtemp(prefix="", dir=runs)
        lock = open(f"{path}/lock", "wb")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return path, lock


def save_logs(run, target):
    if os.path.exists(f"{run}/serial.log"):
        console.split_logs(f"{run}/serial.log", f"{run}/bedplate.log", f"{run}/linux.log")
    os.makedirs(target, exist_ok=True)
    for name in LOGS:
        if os.path.exists(f"{run}/{name}"):
            shutil.copy(f"{run}/{name}", f"{target}/{name}")


def main(argv):
    started = time.monotonic()
    tree, lab = os.environ["LAB_TREE"], os.environ["LAB"]
    try:
        opts = options.parse(argv, tree)
        options.check(opts)
        if not os.path.exists(f"{lab}/stamp.images"):
            raise options.Usage("the images are not made yet: run scripts/lab up first")
    except options.Usage as error:
        say(error)
        return 2
    run, lock = run_directory(tree)
    try:
        with open(f"{run}/command", "w", encoding="utf-8") as f:
            f.write(shlex.join(["scripts/lab", "run"] + argv) + "\n")
        kind = Qemu if opts.machine == "svm" else Bochs
        machine = kind(opts, tree, lab, run)
        machine.prepare()
        return Session(opts, machine, run).execute(started)
    finally:
        if opts.log:
            save_logs(run, opts.log)
        shutil.rmtree(run, ignore_errors=True)
        lock.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
