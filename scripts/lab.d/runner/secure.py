# SPDX-License-Identifier: GPL-2.0-only
"""Secure Boot: a key of the lab's own, firmware that trusts no other, and signatures."""

import fcntl
import os
import subprocess
import uuid

OVMF = "/usr/share/OVMF"
SIGN_FILE = "/usr/lib/linux-kbuild-{}/scripts/sign-file"
DAYS = "3650"


class Keys:
    """The key in the directory WHERE, made there if it is not."""

    def __init__(self, where):
        self.key, self.cert = f"{where}/key.pem", f"{where}/cert.pem"
        os.makedirs(where, exist_ok=True)
        with open(f"{where}/lock", "wb") as lock:       # another run may want the same
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(self.cert):
                self.make()

    def make(self):
        subprocess.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes",
                        "-sha256", "-days", DAYS, "-subj", "/CN=Bedplate lab/", "-keyout",
                        self.key, "-out", f"{self.cert}.new"], check=True, capture_output=True)
        os.rename(f"{self.cert}.new", self.cert)

    def variables(self, to, shim):
        """
        Writes firmware's variables, with Secure Boot on: this key for all there is or, if SHIM
        is to start first, Microsoft's, and this one as the machine owner's.
        """
        owner = str(uuid.uuid5(uuid.NAMESPACE_DNS, "bedplate.lab"))
        store = f"{OVMF}/OVMF_VARS_4M{'.ms' if shim else ''}.fd"
        words = ["--add-mok", owner, self.cert] if shim else [
            "--set-pk", owner, self.cert, "--add-kek", owner, self.cert,
            "--add-db", owner, self.cert, "--secure-boot"]
        subprocess.run(["virt-fw-vars", "--input", store, "--output", to] + words,
                       check=True, capture_output=True)

    def sign(self, path, to):
        """A program for UEFI, which may have others' signatures already."""
        subprocess.run(["sbsign", "--key", self.key, "--cert", self.cert, "--output", to, path],
                       check=True, capture_output=True)
        return to

    def sign_module(self, path, release):
        """A kernel module, in place; Debian's kernels trust the firmware's keys."""
        tool = SIGN_FILE.format(release.rpartition("-")[0])
        subprocess.run([tool, "sha256", self.key, self.cert, path], check=True)
