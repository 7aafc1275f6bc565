"""What the programs exercised: ops lowered in either version, exits taken, entries of generic versions entered.

A *kind* of entry is what tells entries of generic versions apart for the code generator: the generic op where it lies,
whether before or after it, and whether the function was inlined there: not at all, into its caller, or deeper, where
the exit state has a list of callers of any length.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "src" / "ir" / "ops.rs"
COUNTED = ("ops", "generic_ops", "exits", "resume_points", "resume_entries")
ENOUGH = 50
"""How often each exit and each kind of entry is to be taken."""

EXPLAINED = {
    "control.anchor": "marks a place for other passes, the last of which removes it",
}
"""Ops that code never has, with the reason."""
NEVER_ENTERED = {
    "before object.match_keys": "what is boxed there is a number, which no pattern of a mapping takes",
}
"""Kinds of entries that lie where control never comes, with the reason."""

if sys.version_info < (3, 12):
    EXPLAINED["object.type_alias"] = "stands for a statement that this CPython does not know"


def ops() -> list[str]:
    """Every op of the table, by its mnemonic; those that can exit end with a star."""
    found, group = [], ""
    for line in SOURCE.read_text().splitlines():
        if opened := re.match(r"\s*(\w+) \{$", line):
            group = opened[1]
        elif row := re.match(r"\s*\w+ = (\w+)\(.*\[([\w, ]*)\]", line):
            found.append(f"{group}.{row[1]}{'*' if 'EXITS' in row[2] else ''}")
    return found


class Table:
    """Counts over all workers; each worker reports what its process has counted so far."""

    def __init__(self) -> None:
        self.sums: dict[str, Counter[str]] = {name: Counter() for name in COUNTED}

    def add(self, counts: dict[str, Any]) -> None:
        for name in COUNTED:
            for counted, count in counts.get(name, {}).items():
                self.sums[name][re.sub(r"inlined [2-9] deep", "inlined deeper", counted)] += count

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.sums))

    def render(self) -> str:
        """One line per op and per kind of entry, and what was not reached or too rarely."""
        return "\n".join([*self.op_lines(), "", *self.entry_lines(), "", f"never reached: {listed(self.missing())}",
                          f"taken less than {ENOUGH} times: {listed(self.rare())}"])  # fmt: skip

    def op_lines(self) -> list[str]:
        lines = [f"{'op':28} {'specialised':>12} {'generic':>9} {'exits':>8}"]
        for starred in ops():
            name = starred.rstrip("*")
            exits = f"{self.sums['exits'][name]:8}" if starred.endswith("*") else f"{'-':>8}"
            why = f"  {EXPLAINED[name]}" if name in EXPLAINED else ""
            lines.append(f"{name:28} {self.sums['ops'][name]:12} {self.sums['generic_ops'][name]:9} {exits}{why}")
        return lines

    def entry_lines(self) -> list[str]:
        points, entered = self.sums["resume_points"], self.sums["resume_entries"]
        lines = [f"{'entry of a generic version':48} {'exits that lead there':>22} {'entered':>9}"]
        return lines + [f"{kind:48} {points[kind]:22} {entered[kind]:9}" for kind in sorted(points | entered)]

    def missing(self) -> list[str]:
        """Ops that no program was lowered to."""
        names = [name.rstrip("*") for name in ops()]
        sums = self.sums
        return [name for name in names if name not in EXPLAINED and not sums["ops"][name] + sums["generic_ops"][name]]

    def rare(self) -> list[str]:
        """Exits and kinds of entries that exist in the code and were hardly taken."""
        exiting = [name.rstrip("*") for name in ops() if name.endswith("*")]
        sums = self.sums
        exits = [name for name in exiting if sums["ops"][name] and sums["exits"][name] < ENOUGH]
        reached = [kind for kind in sums["resume_points"] if kind not in NEVER_ENTERED]
        kinds = [kind for kind in reached if sums["resume_entries"][kind] < ENOUGH]
        counts = [f"exit of {name} ({sums['exits'][name]})" for name in exits]
        return counts + [f"{kind} ({sums['resume_entries'][kind]} of {sums['resume_points'][kind]})" for kind in kinds]


def listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
