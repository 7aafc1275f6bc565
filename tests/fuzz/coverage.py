"""What the programs exercised: ops lowered in either version, exits taken, entries of generic versions entered."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "src" / "ir" / "ops.rs"
COUNTED = ("ops", "generic_ops", "exits", "resume_entries")


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
            self.sums[name].update(counts.get(name, {}))

    def render(self) -> str:
        """One line per op, and what no program reached."""
        lines = [f"{'op':28} {'specialised':>12} {'generic':>9} {'exits':>8}"]
        missing = []
        for starred in ops():
            name = starred.rstrip("*")
            specialised, generic = self.sums["ops"][name], self.sums["generic_ops"][name]
            taken = self.sums["exits"][name]
            exits = f"{taken:8}" if starred.endswith("*") else f"{'-':>8}"
            lines.append(f"{name:28} {specialised:12} {generic:9} {exits}")
            if not specialised + generic:
                missing.append(name)
            elif starred.endswith("*") and specialised and not taken:
                missing.append(f"exit of {name}")
        entered = self.sums["resume_entries"]
        often = sum(count >= 50 for count in entered.values())
        lines.append(f"entries of generic versions: {len(entered)} entered, {often} of them at least 50 times")
        lines.append(f"never reached: {', '.join(missing) or 'nothing'}")
        return "\n".join(lines)
