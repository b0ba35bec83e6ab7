# SPDX-License-Identifier: GPL-2.0-only
"""The table of tests/bench-work.sh, and build/bench/work.json.

usage: work.py DIR [ROW PEER]: DIR has work.PEER.PART.rows ("row NAME UNITS" in the order of the windows,
"value NAME VALUE") and .counts of the peers that were measured. With ROW and PEER: that row by function.
"""
import glob
import json
import os
import sys

from account import KERNEL, Names, show_functions
from windows import windows

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
GUEST_TEXT = 0xffffffff81000000     # nokaslr

PEERS = ("bedplate", "kvm")
# Name, highest ratio, unit, what it is.
ROWS = (
    ("start_to_init", 1.00, "", "QEMU's start to the guest's /init"),
    ("start_to_init_4", 1.00, "", "the same, 4 vCPUs on 2 CPUs"),
    ("checksum_1", 1.05, "MiB", "checksum in a guest, 1 vCPU"),
    ("checksum_4", 1.05, "MiB", "checksum in a guest, 4 vCPUs on 2 CPUs"),
    ("touch_small", 1.05, "MiB", "first touch of 256 MiB, 4 KiB pages"),
    ("touch_huge", 1.05, "MiB", "first touch of 256 MiB, 2 MiB pages"),
    ("disk_read", 1.05, "MiB", "virtio-blk, reads of 64 KiB"),
    ("disk_write", 1.05, "MiB", "virtio-blk, writes of 64 KiB"),
    ("net_send", 1.05, "MiB", "virtio-net in QEMU, guest sends"),
    ("net_receive", 1.05, "MiB", "virtio-net in QEMU, guest receives"),
    ("vhost_send", 1.05, "MiB", "vhost-net, guest sends"),
    ("vhost_receive", 1.05, "MiB", "vhost-net, guest receives"),
    ("dirty_page", 1.05, "page", "dirty log: a page written, and the log read"),
    ("migration", 1.05, "", "live migration to a file"),
    ("migration_downtime", 1.05, "ms", "its last round (QEMU's downtime)"),
    ("vm_lifetime", 1.05, "", "a VM made, run once, destroyed"),
    ("idle_guests", 1.05, "", "64 idle guests with ticks of 10 ms, for a second"),
    ("memory_guest", 1.00, "KiB", "memory for an idle guest, but its RAM"),
    ("memory_vcpu", 1.05, "KiB", "memory for one of 8 idle vCPUs"),
)


def totals(path):
    """The windows' lengths alone."""
    with open(path, encoding="ascii") as f:
        return [int(line.split()[1]) for line in f if line.startswith("window")]


def read_part(path):
    """Rows as (name, units), values by name, and the kernel's symbols."""
    rows, values, symbols = [], {}, []
    with open(f"{path}.rows", encoding="utf-8") as f:
        for line in f:
            kind, *fields = line.strip().split("\t")
            if kind == "row":
                rows.append((fields[0], int(fields[1])))
            elif kind == "value":
                values[fields[0]] = float(fields[1])
            elif kind.startswith("symbol "):
                symbols.append(kind.split(maxsplit=1)[1])
            else:
                sys.exit(f"work: {path}: {line}")
    return rows, values, symbols


def parts(directory, peer):
    return sorted(path[:-len(".rows")] for path in glob.glob(f"{directory}/work.{peer}.*.rows"))


def read_peer(directory, peer):
    """Values by name; what did not end is left out."""
    found = {}
    for path in parts(directory, peer):
        rows, values, _ = read_part(path)
        counts = totals(f"{path}.counts")
        if len(counts) != len(rows):
            print(f"work: {path}: {len(rows)} rows, but {len(counts)} windows", file=sys.stderr)
        found |= values | {name: total / units for (name, units), total in zip(rows, counts)}
    if "idle_guests" in found:
        found["idle_guests"] = 2 * (found["idle_guests"] - found.pop("nobody_idle"))
    return found


def account(directory, row, peer):
    """Where a row's instructions went; the guest's kernel too, if it is not where the service VM's is."""
    for path in parts(directory, peer):
        rows, _, symbols = read_part(path)
        if row not in [name for name, _ in rows]:
            continue
        names = Names()
        names.add_program(TREE, f"{TREE}/build/bedplate.elf", "bedplate", lambda address: address >= KERNEL)
        names.add_kernel(symbols, GUEST_TEXT)
        names.ready()
        for (name, units), (total, records) in zip(rows, windows(f"{path}.counts")):
            if name == row:
                print(f"{row} under {peer}: {total / units:,.0f} instructions")
                show_functions(records, names, units, total / units / 500, False, by_block=True)


def main():
    """Table to standard output."""
    directory, *which = sys.argv[1:]
    if which:
        account(directory, *which)
        return
    found = {peer: read_peer(directory, peer)
             for peer in PEERS}
    out = []
    print(f"{'work, in instructions':52} {'Bedplate':>14} {'KVM':>14} {'ratio':>7} {'target':>7}")
    for name, target, unit, what in ROWS:
        ours, theirs = (found.get(peer, {}).get(name) for peer in PEERS)
        ratio = ours / theirs if ours is not None and theirs else None
        out.append({"name": name, "what": what, "unit": unit, "bedplate": ours, "peer": "kvm",
                    "peer_value": theirs, "ratio": ratio and round(ratio, 4), "target": target})
        shown = ["-" if v is None else f"{v:,.0f}" for v in (ours, theirs)]
        what += f", a {unit}" if unit == "MiB" else f", {unit}" if unit in ("KiB", "ms") else ""
        print(f"{what:52} {shown[0]:>14} {shown[1]:>14} {'-' if ratio is None else f'{ratio:.2f}':>7} "
              f"{target:7.2f}{'  falls short' if ratio and ratio > target else ''}")
    with open(f"{directory}/work.json", "w", encoding="utf-8") as f:
        json.dump({"machine": "svm", "unit": "instructions", "rows": out}, f, indent=1)


if __name__ == "__main__":
    main()
