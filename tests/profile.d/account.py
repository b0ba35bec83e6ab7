# SPDX-License-Identifier: GPL-2.0-only
"""Counted instructions by function."""
import bisect
import subprocess

KERNEL = 1 << 63            # programs and firmware are below


class Names:
    """Functions by address."""

    def __init__(self):
        self.table = []
        self.starts = []

    def add(self, start, name, where, end=None):
        self.table.append((start, name, where, end))

    def add_program(self, tree, path, where, only=lambda address: True):
        out = subprocess.run(["scripts/lab", "exec", "--", "nm", "-n", path], cwd=tree,
                             capture_output=True, text=True, check=True).stdout
        symbols = [line.split() for line in out.splitlines() if len(line.split()) == 3]
        for n, (address, kind, name) in enumerate(symbols):
            if kind in "tTwW" and only(int(address, 16)):
                behind = (int(more[0], 16) for more in symbols[n:] if more[0] != address)
                self.add(int(address, 16), name, where, next(behind, None))

    def add_kernel(self, lines, guest=None):
        """Of "ADDRESS NAME [MODULE]"; guest: where the same kernel is in a guest too."""
        text = None
        for line in lines:
            address, name, *module = line.split()
            where = module[0].strip("[]") if module else "linux"
            self.add(int(address, 16), name, "shim" if where == "bedplate" else where)
            if name == "_text":
                text = int(address, 16)
            if guest and where == "linux" and text and guest != text:
                self.add(int(address, 16) - text + guest, name, "guest")

    def ready(self):
        self.table.sort(key=lambda entry: entry[0])
        self.starts = [entry[0] for entry in self.table]

    def of(self, address):
        """(start, name, where) of the function that an address is in."""
        n = bisect.bisect_right(self.starts, address) - 1
        while n >= 0 and self.table[n - 1][0] == self.table[n][0]:
            n -= 1              # aliases: the first
        if n >= 0:
            start, name, where, end = self.table[n]
            if end is None or address < end:
                return start, name, where
        if address < KERNEL:
            return 0, "", "programs"
        return address & ~0xfff, f"{address & ~0xfff:#x}", "unknown"


def show(lines, rounds, by_cpu):
    """Of (name of the line, counts by CPU)."""
    for text, counts in lines:
        columns = "".join(f"{c / rounds:9.1f}" for c in counts) if by_cpu else ""
        print(f"{sum(counts) / rounds:9.1f}{columns}  {text}")


def add(a, b):
    return [x + y for x, y in zip(a, b)] if a else list(b)


def by_function(records, names):
    """Counts, and entries, by (where, name)."""
    counts, entries = {}, {}
    for address, _, by_cpu in records:
        start, name, where = names.of(address)
        key = (where, name)
        counts[key] = add(counts.get(key), by_cpu)
        if start == address:
            entries[key] = entries.get(key, 0) + sum(by_cpu)
    return counts, entries


def show_functions(records, names, rounds, least, by_cpu, by_block=False):
    counts, entries = by_function(records, names)
    places = {}
    for (where, _), c in counts.items():
        places[where] = add(places.get(where), c)
    show([(where, c) for where, c in sorted(places.items(), key=lambda p: -sum(p[1]))], rounds, by_cpu)
    print()
    lines, rest, few = [], None, 0
    for key, c in sorted(counts.items(), key=lambda p: -sum(p[1])):
        if sum(c) >= least * rounds:
            entered = "" if by_block else f"{entries.get(key, 0) / rounds:6.2f} entries  "
            lines.append((f"{entered}{key[0]:<14} {key[1]}", c))
        else:
            rest, few = add(rest, c), few + 1
    if rest:
        lines.append((f"{few} others", rest))
    show(lines, rounds, by_cpu)
