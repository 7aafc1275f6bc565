"""Find the CPython interpreters that castiron is tested on.

    python tools/interpreters.py            # one line per version: 3.11 /path/to/python3.11
    python tools/interpreters.py --first    # the path of the first one only

Looks at PATH, then at pyenv's versions; asks each candidate what it is, so a shim that leads nowhere is
passed over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13")
QUESTION = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2], sys.executable)"


def candidates(version: str) -> Iterator[str]:
    """Paths that may be an interpreter of this version, the likeliest first."""
    for name in (f"python{version}", "python3", "python"):
        if path := shutil.which(name):
            yield path
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True))


def ask(path: str) -> tuple[str, str, str] | None:
    """Implementation, version and real path of an interpreter, or None when it does not run."""
    try:
        done = subprocess.run([path, "-c", QUESTION], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    implementation, version, executable = done.stdout.strip().split(" ", 2)
    return implementation, version, executable


def find() -> dict[str, str]:
    """Version to path, for every version that is here."""
    found: dict[str, str] = {}
    for version in VERSIONS:
        for path in candidates(version):
            answer = ask(path)
            if answer and answer[:2] == ("cpython", version):
                found[version] = answer[2]
                break
    return found


def main() -> int:
    found = find()
    if "--first" in sys.argv:
        if not found:
            print(f"no CPython {', '.join(VERSIONS)} on PATH or under pyenv", file=sys.stderr)
            return 1
        print(next(iter(found.values())))
        return 0
    for version in VERSIONS:
        print(version, found.get(version, "missing"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
