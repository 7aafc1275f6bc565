"""The four rivals as a second opinion on the table of annotations.

    python tests/acceptance/rivals.py [--write]

beartype, typeguard, pydantic's validate_call and type_enforced are asked for a verdict on each value of each row that
was written by hand, in an environment that the script makes under .bench. Where one of them differs from the table, the
row and its sentence are printed with a quotation that settles the matter, from tests/python/enforcement/settled.txt.
A difference that is not in that file fails, and so does one without a quotation. `--write` adds differences to the
file, without quotations.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from interpreters import find  # noqa: E402

ASK = Path(__file__).resolve().parent / "published" / "rival_verdicts.py"
TABLE = ROOT / "tests" / "python"
SETTLED = TABLE / "enforcement" / "settled.txt"
FOLDER = ROOT / ".bench" / "envs" / "rivals"
#: The texts of annotations and values are those of one CPython.
VERSION = "3.13"
REQUIREMENTS = (
    "beartype==0.23.1",
    "typeguard==4.6.0",
    "pydantic==2.14.3",
    "type_enforced==2.13.1",
    "numpy>=2,<3",
    "typing_extensions>=4.16,<5",
)
HEAD = """\
Verdicts of beartype, typeguard, pydantic and type_enforced that differ from the table's, by the sentence of the row,
with the quotation that settles them: of the typing specification (typing.python.org, "spec: chapter") unless it says
otherwise. `tests/acceptance/rivals.py` reads this file; `--write` adds differences to it.
"""

#: By sentence: its quotation, and the differences it settles.
Settled = dict[str, tuple[str, set[str]]]


def verdicts() -> list[dict[str, object]]:
    """Ask the rivals."""
    python = FOLDER / "bin" / "python"
    wanted = "\n".join(REQUIREMENTS)
    if not (FOLDER / "finished").exists() or (FOLDER / "finished").read_text() != wanted:
        interpreter = find().get(VERSION)
        if interpreter is None:
            sys.exit(f"no CPython {VERSION} on this machine")
        shutil.rmtree(FOLDER, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", str(FOLDER)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
        (FOLDER / "finished").write_text(wanted)
    environment = {"PYTHONPATH": str(TABLE), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([str(python), str(ASK)], cwd=TABLE, env=environment, check=True, stdout=subprocess.PIPE)
    rows: list[dict[str, object]] = json.loads(done.stdout)
    return rows


def differences(rows: list[dict[str, object]]) -> list[tuple[str, str]]:
    """Pair each difference with the sentence of its row."""
    found = []
    for row in rows:
        for one in row["values"]:  # type: ignore[attr-defined]
            for name, opinion in one["opinions"].items():
                if opinion is not None and opinion is not one["right"]:
                    what = f"{name} {'accepts' if opinion else 'refuses'} {one['value']} as {row['annotation']}"
                    found.append((str(row["says"]), what.replace("\n", " ")))
    return found


def read() -> Settled:
    """Read the file: sentences (`##`), quotations (`>`), differences (`-`)."""
    found: Settled = {}
    sentence = ""
    for line in SETTLED.read_text(encoding="utf-8").splitlines() if SETTLED.exists() else ():
        mark, _, text = line.partition(" ")
        if mark == "##":
            sentence = text
            found[sentence] = ("", set())
        elif mark == ">":
            found[sentence] = (f"{found[sentence][0]} {text}".strip(), found[sentence][1])
        elif mark == "-":
            found[sentence][1].add(text)
    return found


def write(settled: Settled) -> None:
    """Write the file."""
    parts = [HEAD]
    for sentence, (quotation, whats) in sorted(settled.items()):
        parts.append(f"\n## {sentence}\n> {quotation}\n" + "".join(f"- {what}\n" for what in sorted(whats)))
    SETTLED.write_text("".join(parts), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="add differences to the file")
    options = parser.parse_args()
    rows, settled = verdicts(), read()
    found = differences(rows)
    if options.write:
        for sentence, what in found:
            settled.setdefault(sentence, ("", set()))[1].add(what)
        write(settled)
    unsettled = 0
    for sentence, what in found:
        quotation, whats = settled.get(sentence, ("", set()))
        fault = "" if quotation and what in whats else "   NOT SETTLED"
        unsettled += bool(fault)
        print(f"{what}\n    {sentence}\n    {quotation}{fault}")
    opinions = Counter(
        name
        for row in rows
        for one in row["values"]
        for name, opinion in one["opinions"].items()
        if opinion is not None  # type: ignore[attr-defined]
    )
    counts = Counter(what.partition(" ")[0] for _, what in found)
    for name, count in opinions.items():
        print(f"{name}: {count} verdicts, {counts[name]} differ")
    print(f"{len(rows)} rows, {len(found)} differences, {unsettled} not settled")
    return 1 if unsettled else 0


if __name__ == "__main__":
    sys.exit(main())
