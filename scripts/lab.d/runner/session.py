# SPDX-License-Identifier: GPL-2.0-only
"""One run: starts the machine, moves bytes, and finds out how the run ended."""

import os
import selectors
import signal
import sys
import time

from agent import ESCAPE, Agent, Terminal
from console import Console, clean

STATUS_TIMEOUT = 124
STATUS_DIED = 125
LAST_WORDS = 2.0                # seconds a dying machine may go on printing
SWITCHING_OFF = 180.0           # seconds from the power button to the end
SEEN = 4096                     # characters of the console in which a picture's text is looked for
INPUT_CHUNK = 16384


def say(text):
    sys.stderr.write(f"lab: {text}\n")
    sys.stderr.flush()


class Session:
    def __init__(self, opts, machine, run):
        self.opts = opts
        self.machine = machine
        self.run = run
        self.console = Console(f"{run}/serial.log", opts.crash_kernel)
        self.terminal = Terminal()
        self.sel = selectors.DefaultSelector()
        # A run in the background must not read the terminal: it would be stopped.
        self.input_open = not os.isatty(0) or os.tcgetpgrp(0) == os.getpgrp()
        self.input_watched = False
        self.signal = None
        self.timed_out = False
        self.escaped = False
        self.resets = []        # the reasons that the emulator gave, in order
        self.begun = None
        self.deadline = None
        self.last_words = None
        self.off_by = None      # until when a machine with a disk of its own must be off
        self.pictures = list(opts.picture)
        self.seen = ""

    # Set-up.

    def start(self):
        machine = self.machine
        machine.start()
        use_tty = self.opts.tty or (not self.opts.command and os.isatty(0))
        command = self.opts.command or ["/bin/bash"]
        self.agent = Agent(machine.link, command, use_tty, machine.link_window)
        self.sel.register(machine.serial, selectors.EVENT_READ, self.on_serial)
        self.sel.register(machine.link, selectors.EVENT_READ, self.on_agent)
        self.sel.register(machine.events, selectors.EVENT_READ, self.on_events)
        self.sel.register(os.pidfd_open(machine.process.pid), selectors.EVENT_READ,
                          self.on_exit)
        self.catch_signals()
        if use_tty and os.isatty(0):
            self.terminal.raw()

    def catch_signals(self):
        wake_r, wake_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_w)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH):
            signal.signal(number, lambda *_: None)
        self.sel.register(wake_r, selectors.EVENT_READ, self.on_signal)

    def mark(self, what):
        """Notes in the log directory when the run reached a stage."""
        with open(f"{self.run}/times", "a", encoding="utf-8") as f:
            f.write(f"{time.monotonic() - self.begun:7.3f} {what}\n")

    # Events.

    def take(self, stream):
        """What a stream has; at its end it is no longer watched."""
        try:
            data = os.read(stream if isinstance(stream, int) else stream.fileno(), 65536)
        except (BlockingIOError, ConnectionResetError):
            data = b""
        if not data:
            self.sel.unregister(stream)
        return data

    def on_serial(self, _):
        data = self.take(self.machine.serial)
        if not data:
            return
        if self.opts.console:
            sys.stderr.write(clean(data).replace("\x00", ""))
            sys.stderr.flush()
        self.seen = (self.seen + clean(data))[-SEEN:]
        self.take_pictures(lambda text: text and text in self.seen)
        for stage in self.console.feed(data):
            self.mark(stage)
        while self.console.monitor_wanted and self.opts.monitor:
            self.console.monitor_wanted -= 1
            self.machine.monitor(self.opts.monitor.pop(0))
        if self.console.death and self.last_words is None:
            self.last_words = time.monotonic() + LAST_WORDS

    def take_pictures(self, due):
        for picture in [p for p in self.pictures if due(p[0])]:
            self.pictures.remove(picture)
            self.machine.take_picture(picture[1])

    def on_agent(self, events):
        boots = self.agent.boots
        if events & selectors.EVENT_READ and not self.agent.receive():
            self.sel.unregister(self.agent.sock)
            return
        if self.agent.boots != boots:
            self.mark("COMMAND starts")
        self.agent.flush()

    def on_events(self, _):
        for event, reason in self.machine.news(self.take(self.machine.events)):
            self.resets.append(reason)
            if event == "reset":
                self.agent.machine_reset()

    def on_exit(self, _):
        pass                    # the loop asks poll()

    def on_signal(self, _):
        for number in os.read(self.wake_fd(), 64):
            if number == signal.SIGWINCH:
                self.agent.resize()
            else:
                self.signal = self.signal or number

    def wake_fd(self):
        for key in self.sel.get_map().values():
            if key.data == self.on_signal:
                return key.fd
        raise RuntimeError("no signal pipe")

    def on_input(self, _):
        data = os.read(0, INPUT_CHUNK)
        if self.agent.use_tty and ESCAPE in data:
            self.escaped = True
        elif data:
            self.agent.send(b"I", data)
        else:
            self.input_open = False
            self.agent.send(b"E")
        self.agent.flush()

    # The loop.

    def watch_input(self):
        """Standard input is read only while the agent takes it."""
        wanted = self.input_open and self.agent.running and not self.agent.tx
        if wanted and not self.input_watched:
            try:
                self.sel.register(0, selectors.EVENT_READ, self.on_input)
            except PermissionError:     # a plain file: always readable
                self.on_input(None)
                return
            self.input_watched = True
        elif not wanted and self.input_watched:
            self.sel.unregister(0)
            self.input_watched = False

    def watch_output(self):
        events = selectors.EVENT_READ
        if self.agent.can_send():
            events |= selectors.EVENT_WRITE
        try:
            self.sel.modify(self.agent.sock, events, self.on_agent)
        except KeyError:
            pass

    def next_wait(self):
        times = [t for t in (self.deadline, self.last_words, self.off_by) if t is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def over(self):
        now = time.monotonic()
        if self.deadline is not None and now >= self.deadline:
            self.timed_out = True
        return (self.timed_out or self.escaped or self.signal is not None
                or self.machine.process.poll() is not None
                or (self.agent.status is not None and self.finished(now))
                or (self.last_words is not None and now >= self.last_words))

    def finished(self, now):
        """COMMAND has ended. A disk of its own must not lose what Linux has not written yet."""
        self.take_pictures(lambda text: not text)
        if not self.opts.boot_disk:
            return True
        if self.off_by is None:
            self.machine.press_power_button()
            self.off_by = now + SWITCHING_OFF
        return now >= self.off_by

    def loop(self, started):
        if self.opts.timeout:
            self.deadline = started + self.opts.timeout
        while not self.over():
            self.watch_input()
            self.watch_output()
            for key, events in self.sel.select(self.next_wait()):
                key.data(events)
        self.drain()

    def drain(self):
        """Ends the emulator, and takes what is still in the sockets. Its disks are
        written back by the kernel, for the agent synced and the emulator's cache is
        the host's."""
        if self.machine.process.poll() is None:
            self.machine.process.kill()
        self.machine.process.wait()
        for handler, stream in ((self.on_serial, self.machine.serial),
                                (self.on_events, self.machine.events)):
            while stream in [k.fileobj for k in self.sel.get_map().values()]:
                handler(selectors.EVENT_READ)
        if self.agent.status is None:
            while self.agent.receive():
                pass
        self.console.close()

    # The end.

    def died(self, reason):
        say(f"the machine died: {reason}; the last lines of its console:")
        for line in self.console.tail:
            sys.stderr.write(f"  {line}\n")
        return STATUS_DIED

    def ended_by_itself(self):
        """The emulator is gone though COMMAND had not ended."""
        trouble = self.machine.autopsy()
        if trouble:
            return self.died(trouble)
        reason = self.resets[-1] if self.resets else "no reason given"
        if reason == "guest-reset" and self.console.restarting:
            say("COMMAND rebooted the machine")
            return 0
        if reason == "guest-shutdown":
            say("COMMAND switched the machine off")
            return 0
        return self.died(f"unexpected end ({reason})")

    def outcome(self):
        if self.off_by is not None and self.resets[-1:] != ["guest-shutdown"]:
            return self.died("it did not switch off when its power button was pressed")
        if self.agent.status is not None:
            return self.agent.status
        if self.signal is not None:
            return 128 + self.signal
        if self.console.death:
            return self.died(self.console.death)
        if self.timed_out:
            say(f"time limit of {self.opts.timeout} s reached; the console's last lines:")
            for line in self.console.tail:
                sys.stderr.write(f"  {line}\n")
            return STATUS_TIMEOUT
        if self.escaped:
            return 0
        return self.ended_by_itself()

    def execute(self, started):
        self.begun = started
        try:
            self.mark("prepared")
            self.start()
            self.loop(started)
            self.mark("ended")
        finally:
            self.terminal.restore()
            if self.machine.process and self.machine.process.poll() is None:
                self.machine.process.kill()
                self.machine.process.wait()
        return self.outcome()
