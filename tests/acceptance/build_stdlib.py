"""The standard library as extension modules, its tests included: in both modes, each twice with the same bytes.

    python tests/acceptance/build_stdlib.py [--every N] [--first K] [--jobs N]

Builds every N-th module (default: all of them) of the running interpreter's library as a user would, and once more with
`--everything`. Says for each mode: wall and processor time, the greatest memory, bytes per source line without the
embedded text, how many functions are native. Fails where a build crashes, a function fails inside the compiler, or two
builds differ. Nothing that is built is imported.

Needs castiron installed in the interpreter that runs it; x86-64 Linux.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def sources(every: int, first: int) -> list[Path]:
    """The chosen modules, without what is installed beside the library."""
    library = Path(os.__file__).parent
    found = sorted(path for path in library.rglob("*.py") if "site-packages" not in path.parts)
    return found[first::every]


def copied(paths: list[Path], folder: Path) -> int:
    """Copy the modules to where they are built from; the lines of those that are text."""
    library, lines = Path(os.__file__).parent, 0
    for path in paths:
        target = folder / path.relative_to(library)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        lines += path.read_bytes().count(b"\n")
    return lines


def build(source: Path, output: Path, jobs: int, options: list[str]) -> dict[str, Any]:
    """Build once; what it took and what came of it."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "castiron", "build", str(source), "-o", str(output), "--json", "-j", str(jobs)]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        print(done.stderr[-2000:])
        sys.exit(f"the build failed: exit code {done.returncode}")
    outcomes = json.loads(done.stdout)
    built = [outcome for outcome in outcomes if "native" in outcome]
    reasons = [
        (outcome["module"], function, reason)
        for outcome in built
        for function in outcome["bytecode"]
        for reason in function["reasons"]
    ]
    return {
        "wall": time.perf_counter() - begun,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "memory": after.ru_maxrss / 1024,
        "modules": len(built),
        "refused": sum("error" in outcome for outcome in outcomes),
        "bytes": sum(outcome["bytes"] - os.path.getsize(outcome["source"]) for outcome in built),
        "native": sum(len(outcome["native"]) for outcome in built),
        "functions": sum(len(outcome["native"]) + len(outcome["bytecode"]) for outcome in built),
        "bugs": [
            (name, function["name"], reason["message"])
            for name, function, reason in reasons
            if reason["code"] == "internal-error"
        ],
        "bugs_of_modules": [outcome["error"] for outcome in outcomes if "internal error" in outcome.get("error", "")],
    }


def digest(folder: Path) -> str:
    """A digest of all files' names and contents."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(str(path.relative_to(folder)).encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description="The standard library as extension modules.")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = copied(sources(options.every, options.first), folder / "source")
        for mode in ([], ["--everything"]):
            found, digests = {}, []
            for _ in range(2):
                output = folder / "output"
                found = build(folder / "source", output, options.jobs, mode)
                digests.append(digest(output))
                shutil.rmtree(output)
            said = {key: round(value, 1) if isinstance(value, float) else value for key, value in found.items()}
            print(
                f"{mode[0] if mode else 'default'}: {lines} lines, {found['bytes'] / lines:.0f} bytes per line; {said}"
            )
            if digests[0] != digests[1]:
                print("two builds differ")
                failed = True
            failed = failed or bool(said["bugs"]) or bool(said["bugs_of_modules"])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
