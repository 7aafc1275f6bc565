"""A package of three modules, built by each CPython for each of the others, does there what its source does.

    python tests/acceptance/build_versions.py

Needs castiron in the interpreter that runs it, and other CPythons that can load it (tools/interpreters.py finds them);
x86-64 Linux.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from interpreters import find  # noqa: E402 - it stands beside the package

FILES = {
    "__init__.py": "from .numbers import fib, mean\nfrom .things import Counter\n",
    "numbers.py": """
from castiron import jit, typed

SCALE = 2 * 1.5


@jit
def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


@typed
def mean(values: list[float]) -> float:
    s = 0.0
    for value in values:
        s += value * SCALE
    return s / len(values)


def crossing(n: int) -> int:
    total = 2**63 - 1 - n
    for i in range(n):
        total += i % 3
    return total
""",
    "things.py": """
class Counter:
    def __init__(self):
        self.seen = {}

    def count(self, words):
        for word in words:
            try:
                self.seen[word] += 1
            except KeyError:
                self.seen[word] = 1
        return [f"{word}={number}" for word, number in sorted(self.seen.items())]

    def each(self, step):
        def stepped(n):
            s = 0
            for i in range(n):
                s += step * i
            return s
        return stepped
""",
}
USE = """
import castiron, shapes3, sys
from shapes3.numbers import crossing
print(shapes3.fib(20), shapes3.mean([1.0, 2.5]), crossing(1000), crossing(True))
print(shapes3.Counter().count("a b a c".split()), shapes3.Counter().each(3)(10))
for call in (lambda: shapes3.fib("x"), lambda: shapes3.mean([]), lambda: shapes3.Counter().count(5)):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, error, error.__traceback__.tb_lineno)
native = [castiron.is_compiled(one) for one in (shapes3.fib, shapes3.mean, crossing, shapes3.Counter.count)]
print("native", native, shapes3.__file__.rpartition(".")[2], file=sys.stderr)
"""


def run(*words: object, folder: Path) -> tuple[str, str]:
    import castiron

    path = os.pathsep.join([str(folder), str(Path(castiron.__file__).parent.parent)])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [str(word) for word in words]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{' '.join(command)[:300]}: {done.stderr[-3000:]}")
    return done.stdout, done.stderr


def main() -> int:
    pythons = find()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source"
        (source / "shapes3").mkdir(parents=True)
        for file, text in FILES.items():
            (source / "shapes3" / file).write_text(text)
        for builder in pythons.values():
            for version, python in pythons.items():
                output = Path(name) / "output"
                options = ("--python", version, "--everything")
                run(builder, "-m", "castiron", "build", source / "shapes3", "-o", output, *options, folder=source)
                plain, _ = run(python, "-c", USE, folder=source)
                built, said = run(python, "-c", USE, folder=output)
                well = plain == built and said.strip() == "native [True, True, True, True] so"
                failed += not well
                print(f"{builder} for {version}: {'as its source' if well else f'differs: {built}{said}'}")
                for path in sorted(output.rglob("*"), reverse=True):
                    path.unlink() if path.is_file() else path.rmdir()
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
