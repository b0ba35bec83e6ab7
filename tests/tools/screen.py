# SPDX-License-Identifier: GPL-2.0-only
"""As much of a VT100 as curses asks for: what a user sees of a program."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time

SEQUENCE = re.compile(r"\x1b(?:\[([?0-9;]*)([A-Za-z@`])|[()][A-Z0-9]|[=>78MDEc])")


class Screen:
    """Characters in rows and columns, and where the cursor is."""

    def __init__(self, rows, cols):
        self.resize(rows, cols)

    def resize(self, rows, cols):
        """An empty one of that size."""
        self.rows, self.cols = rows, cols
        self.cells = [[" "] * cols for _ in range(rows)]
        self.y = self.x = 0
        self.region = (0, rows - 1)
        self.rest = ""

    def lines(self):
        """The rows, without blanks at their ends."""
        return ["".join(row).rstrip() for row in self.cells]

    def feed(self, text):
        """Show what the program wrote; half a sequence waits for its end."""
        text = self.rest + text
        self.rest = ""
        while text:
            if text[0] != "\x1b":
                self.put(text[0])
                text = text[1:]
                continue
            match = SEQUENCE.match(text)
            if not match:
                self.rest = text
                return
            self.control(match[0], match[1] or "", match[2])
            text = text[match.end():]

    def put(self, char):
        """One character, or one that moves the cursor."""
        if char == "\r":
            self.x = 0
        elif char == "\n":
            self.down()
        elif char == "\b":
            self.x = max(self.x - 1, 0)
        elif char == "\t":
            self.x = min(self.x // 8 * 8 + 8, self.cols - 1)
        elif char >= " ":
            if self.x == self.cols:
                self.x = 0
                self.down()
            self.cells[self.y][self.x] = char
            self.x += 1

    def down(self):
        """The next line; at the end of the region it scrolls."""
        top, bottom = self.region
        if self.y == bottom:
            del self.cells[top]
            self.cells.insert(bottom, [" "] * self.cols)
        else:
            self.y = min(self.y + 1, self.rows - 1)

    def up(self):
        """The line before, likewise."""
        top, bottom = self.region
        if self.y == top:
            del self.cells[bottom]
            self.cells.insert(top, [" "] * self.cols)
        else:
            self.y = max(self.y - 1, 0)

    def erase(self, y, first, last):
        """Blanks in the columns of a row."""
        for x in range(first, min(last, self.cols)):
            self.cells[y][x] = " "

    def control(self, whole, args, final):
        """A sequence; those that only change colours and modes do nothing here."""
        if final is None:
            if whole == "\x1bM":
                self.up()
            return
        if args.startswith("?"):
            return
        n = [int(a) if a else 0 for a in args.split(";")]
        one = max(n[0], 1)
        self.x = min(self.x, self.cols - 1)
        if final in "Hf":
            self.y = min(one, self.rows) - 1
            self.x = min(max(n[1], 1) if len(n) > 1 else 1, self.cols) - 1
        elif final == "A":
            self.y = max(self.y - one, 0)
        elif final == "B":
            self.y = min(self.y + one, self.rows - 1)
        elif final == "C":
            self.x = min(self.x + one, self.cols - 1)
        elif final == "D":
            self.x = max(self.x - one, 0)
        elif final == "K":
            self.erase(self.y, self.x if n[0] == 0 else 0, self.x + 1 if n[0] == 1 else self.cols)
        elif final == "J":
            self.clear(n[0])
        elif final == "r":
            self.region = (max(n[0], 1) - 1, (n[1] if len(n) > 1 and n[1] else self.rows) - 1)
            self.y = self.x = 0
        elif final != "m":
            raise ValueError(f"the screen does not know {whole!r}")

    def clear(self, what):
        """From the cursor on, up to it, or all."""
        for y in range(self.rows):
            if what == 2 or (y > self.y if what == 0 else y < self.y):
                self.erase(y, 0, self.cols)
        if what != 2:
            self.erase(self.y, self.x if what == 0 else 0, self.cols if what == 0 else self.x + 1)


def size_of(rows, cols):
    """A struct winsize."""
    return struct.pack("4H", rows, cols, 0, 0)


class Terminal:
    """A program on a pseudo-terminal, with a screen."""

    def __init__(self, command, env, rows=24, cols=100):
        self.screen = Screen(rows, cols)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, size_of(rows, cols))
            os.execvpe(command[0], command, {**env, "TERM": "vt100", "LC_ALL": "C"})
        self.status = None

    def resize(self, rows, cols):
        """Another size; the program hears of it."""
        self.screen.resize(rows, cols)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size_of(rows, cols))

    def press(self, keys):
        """Keys, as the user presses them."""
        os.write(self.fd, keys.encode())

    def read(self):
        """Show what there is; false at the program's end."""
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            data = b""
        self.screen.feed(data.decode("latin-1"))
        return bool(data)

    def until(self, sees, seconds=20):
        """Wait until the lines of the screen are so that sees(lines); false: it never came."""
        end = time.monotonic() + seconds
        while not sees(self.screen.lines()):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0] or not self.read():
                return sees(self.screen.lines())
        return True

    def end(self):
        """Its exit status, when it has ended."""
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
