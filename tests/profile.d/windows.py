# SPDX-License-Identifier: GPL-2.0-only
"""Windows of counted instructions: what tests/profile.d/count.c wrote, or Bochs's debugger."""
import re

# CPU, time, physical and linear address, text; bytes
TRACED = re.compile(r"\((\d+)\)\.\[\d+\] \[0x[0-9a-f]+\] [0-9a-f]{4}:([0-9a-f]+) .*; ([0-9a-f]+)$")
CPUS = 2


def windows(path):
    """Of each window, in order: instructions, and a list of (address, bytes, counts by CPU)."""
    records, total = [], None
    with open(path, encoding="ascii") as f:
        for line in f:
            first, *more = line.split()
            if first == "window":
                if total is not None:
                    yield total, records
                total, records = int(more[0]), []
            else:
                records.append((int(first, 16), bytes.fromhex(more[0]), [int(c) for c in more[1:]]))
    if total is not None:
        yield total, records


def as_window(counts):
    return sum(sum(by_cpu) for by_cpu in counts.values()), [(*key, by_cpu) for key, by_cpu in counts.items()]


def traced(path):
    """The same of a trace (scripts/lab run --trace)."""
    counts = {}
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            found = TRACED.search(line)
            if found:
                cpu, address, code = found.groups()
                key = int(address, 16), bytes.fromhex(code)
                counts.setdefault(key, [0] * CPUS)[int(cpu)] += 1
            elif "agic breakpoint" in line and counts:
                yield as_window(counts)
                counts = {}
