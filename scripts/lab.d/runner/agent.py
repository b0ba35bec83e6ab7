# SPDX-License-Identifier: GPL-2.0-only
"""The runner's end of the agent's stream; agent.c describes the frames."""

import fcntl
import os
import struct
import termios
import tty

HEADER = struct.Struct("<cI")
PAYLOAD_MAX = 32768
HELLO = HEADER.pack(b"H", 8) + b"LAB-HELO"
ESCAPE = b"\x1d"                # Ctrl-]


class Terminal:
    """The user's terminal, raw while the run lasts."""

    def __init__(self):
        self.saved = None

    def raw(self):
        self.saved = termios.tcgetattr(0)
        tty.setraw(0, termios.TCSADRAIN)   # keep what was typed ahead

    def restore(self):
        if self.saved is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)
            self.saved = None

    @staticmethod
    def size():
        try:
            packed = fcntl.ioctl(1, termios.TIOCGWINSZ, b"\0" * 8)
        except OSError:
            return 24, 80
        rows, columns, _, _ = struct.unpack("HHHH", packed)
        return rows or 24, columns or 80


class Agent:
    """Frames in, frames out. The owner moves bytes when the socket allows.

    WINDOW is how many bytes the agent may be sent before it acknowledges some."""

    def __init__(self, sock, command, use_tty, window=None):
        self.sock = sock
        self.command = command
        self.use_tty = use_tty
        self.window = window
        self.in_flight = 0
        self.rx = b""
        self.tx = b""
        self.boots = 0
        self.running = False
        self.status = None

    def send(self, kind, payload=b""):
        self.tx += HEADER.pack(kind, len(payload)) + payload

    def room(self):
        return len(self.tx) if self.window is None else self.window - self.in_flight

    def can_send(self):
        return bool(self.tx) and self.room() > 0

    def flush(self):
        if self.can_send():
            try:
                sent = self.sock.send(self.tx[:self.room()])
            except BlockingIOError:
                return
            self.tx = self.tx[sent:]
            self.in_flight += sent

    def machine_reset(self):
        """The stream starts again; what was in flight is lost."""
        self.running = False
        self.tx = b""
        self.in_flight = 0

    def run_command(self):
        self.boots += 1
        self.running = True
        rows, columns = Terminal.size()
        strings = [os.environ.get("TERM", ""), str(self.boots)] + self.command
        packed = b"".join(os.fsencode(s) + b"\0" for s in strings)
        self.send(b"R", struct.pack("<BHH", self.use_tty, rows, columns) + packed)

    def resize(self):
        if self.use_tty and self.running:
            self.send(b"W", struct.pack("<HH", *Terminal.size()))

    def receive(self):
        """Handles what the socket has; false at its end."""
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        self.rx += data
        if not self.running:
            at = self.rx.find(HELLO)
            # Before the greeting: only what the set-up had to say.
            if at < 0:
                return bool(data)
            self.rx = self.rx[at + len(HELLO):]
            self.run_command()
        self.frames()
        return bool(data)

    def frames(self):
        while len(self.rx) >= HEADER.size:
            kind, length = HEADER.unpack_from(self.rx)
            end = HEADER.size + length
            if len(self.rx) < end:
                break
            payload, self.rx = self.rx[HEADER.size:end], self.rx[end:]
            self.frame(kind, payload)

    def frame(self, kind, payload):
        if kind == b"O":
            write_all(1, payload)
        elif kind == b"D":
            write_all(2, payload)
        elif kind == b"A":
            self.in_flight -= struct.unpack("<I", payload)[0]
        elif kind == b"X":
            self.status = struct.unpack("<I", payload)[0]


def write_all(fd, data):
    while data:
        try:
            data = data[os.write(fd, data):]
        except BrokenPipeError:
            return
