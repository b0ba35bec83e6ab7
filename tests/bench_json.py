# SPDX-License-Identifier: GPL-2.0-only
"""What a run of tests/bench.sh measured, as JSON.

usage: bench_json.py MACHINE LINES: LINES has "row NAME WHAT PEER BEDPLATE PEER'S TARGET" and
"size NAME WHAT - VALUE", with tabs between; what was not measured is empty, and null here.
"""
import json
import subprocess
import sys


def number(text):
    """Of a field; None if it was not measured."""
    return float(text) if text else None


def row_of(fields):
    """One round trip, beside its peer's."""
    name, what, peer, ours, theirs, target = fields
    ours, theirs = number(ours), number(theirs)
    return {"name": name, "what": what, "bedplate": ours, "peer": peer, "peer_value": theirs,
            "ratio": round(ours / theirs, 4) if ours and theirs else None, "target": float(target)}


def main():
    """Write it to standard output."""
    machine, path = sys.argv[1:]
    version = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True,
                             check=False).stdout.strip()
    out = {"machine": machine, "version": version, "unit": "instructions", "rows": [], "sizes": {}}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            kind, *fields = line.rstrip("\n").split("\t")
            if kind == "row":
                out["rows"].append(row_of(fields))
            else:
                out["sizes"][fields[0]] = number(fields[3])
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
