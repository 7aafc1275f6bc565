"""One function compiled to an object, made into a shared object, imported and called.

    python tests/acceptance/ahead_of_time.py

Needs castiron installed in the interpreter that runs it; x86-64 Linux.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from castiron._castiron import build_text

TEXT = """
def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)
"""
CALL = "import built, sys; assert built.__file__.endswith('.so'); print(built.fib(20))"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        data, found = build_text("built", str(Path(folder) / "built.py"), TEXT)
        (Path(folder) / "built.so").write_bytes(data)
        environment = {"PYTHONPATH": ":".join([folder, *filter(None, sys.path)])}
        done = subprocess.run([sys.executable, "-c", CALL], capture_output=True, text=True, env=environment)
    functions = [name for name, _, reasons in found if not reasons]
    print(f"native: {', '.join(functions)}; fib(20) = {done.stdout.strip()} {done.stderr.strip()}")
    return 0 if functions == ["fib"] and done.stdout.strip() == "6765" else 1


if __name__ == "__main__":
    sys.exit(main())
