# SPDX-License-Identifier: GPL-2.0-only
"""The order of the rooms, as a rooms file states it.

A rooms file has, one a line:
    PATH PURPOSE     a room; the first is the ground, the last the roof. A file
                     belongs to the longest PATH that its name begins with
    tree DIR         every source under DIR belongs to a room
    iquote DIR       where includes in quotes are looked for, after the includer's folder
    ground FILE      a header of no room, that every room may include
    below DIR        headers under DIR are lower than all rooms
    hook SYMBOL WHY  declared in a lower room, implemented in a higher one
    apart PATH WHY   not counted: a file or folder of which nothing is in an image that is installed
    ceiling LINES    so many lines of code may all rooms have together
"""

import sys
from pathlib import Path

SOURCES = {".c", ".h", ".S"}


class Rooms:
    """The order that one rooms file states."""

    def __init__(self, name):
        self.name = name
        self.paths, self.trees, self.iquote, self.ground, self.hooks = {}, [], [], set(), {}
        self.ceiling, self.below, self.apart = None, [], {}
        for line in Path(name).read_text(encoding="ascii").splitlines():
            line = line.partition("#")[0].strip()
            if line:
                self.take(line)

    def take(self, line):
        """One line of the file."""
        words = line.split(None, 2)
        if len(words) < 2:
            sys.exit(f"{self.name}: not understood: {line}")
        if words[0] == "tree":
            self.trees.append(Path(words[1]))
        elif words[0] == "iquote":
            self.iquote.append(Path(words[1]))
        elif words[0] == "ground":
            self.ground.add(words[1])
        elif words[0] == "below":
            self.below.append(words[1] + "/")
        elif words[0] == "apart":
            self.apart[words[1]] = words[2] if len(words) > 2 else ""
        elif words[0] == "hook":
            self.hooks[words[1]] = words[2] if len(words) > 2 else ""
        elif words[0] == "ceiling":
            self.ceiling = int(words[1])
        else:
            if not Path(words[0]).exists():
                sys.exit(f"{self.name}: no such room: {words[0]}")
            self.paths[words[0]] = " ".join(words[1:])

    def name_of(self, floor):
        """The room's path; None for a file of no room."""
        return "no room" if floor is None else list(self.paths)[floor]

    def floor(self, path):
        """Number of the room that path is in, or None."""
        fits = [p for p in self.paths if path == p or path.startswith(p + "/")]
        return list(self.paths).index(max(fits, key=len)) if fits else None

    def apart_of(self, path):
        """The "apart" that a file belongs to, or None."""
        return next((a for a in self.apart if path == a or path.startswith(a + "/")), None)

    def sources(self):
        """Every source of the trees but the harnesses of make prove, which see all rooms."""
        for tree in self.trees:
            yield from (p for p in sorted(tree.rglob("*"))
                        if p.suffix in SOURCES and not p.name.endswith(".prove.c"))
