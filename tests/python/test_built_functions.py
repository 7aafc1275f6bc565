"""Every kind of function of a built module: which run as machine code, under promises or bets, on each CPython."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or "x86_64" not in sysconfig.get_platform(),
        reason="only x86-64 ELF objects are linked in process",
    ),
]

KINDS = '''
"""Functions of every kind."""
from castiron import jit, typed, unchecked

STEP = 2


class Named:
    """A class."""

    def total(self, n):
        s = 0
        for i in range(n):
            s += i * STEP
        return s

    @classmethod
    def made(cls, n: int):
        t = 0.0
        while n > 0:
            t += n
            n -= 1
        return cls.__name__, t

    @staticmethod
    def free(n):
        s = 1
        for i in range(n):
            s ^= i
        return s

    @property
    def size(self):
        s = 0
        for i in range(7):
            s += i
        return s


def outer(k, j=1):
    def inner(n):
        s = 0
        for i in range(n):
            s += i * k + j
        return s

    return inner


if STEP > 1:

    def conditional(n: int) -> int:
        s = 0
        for i in range(n):
            s ^= i
        return s
else:

    def conditional(n: int) -> int:
        return -1


if 0:

    def never(n: int) -> int:
        return n + n


@typed
def checked(n: int) -> int:
    s = 0
    for i in range(n):
        s += i
    return s


@jit
def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


class Checked:
    @typed
    def one(self, n: int) -> int:
        s = 0
        for i in range(n):
            s += i
        return s

    @classmethod
    @typed
    def two(cls, n: int) -> int:
        s = 0
        for i in range(n):
            s -= i
        return s


def again(n):
    s = 0
    for i in range(n):
        s += i
    return s


first = again


def again(n):
    s = 0
    for i in range(n):
        s += 2 * i
    return s


def made_in_a_loop(value):
    def closure(n, factor=value):
        s = 0
        for i in range(n):
            s += i * factor
        return s

    return closure


all_made = [made_in_a_loop(k) for k in range(3)]


def defaults(n, step=3):
    s = 0
    for i in range(n):
        s += step
    return s


def calls_defaults(n):
    s = 0
    for i in range(n):
        s += defaults(i)
    return s
'''

USE = """
import castiron, importlib, inspect, kinds
from castiron import TypeCheckError

def use():
    kind = kinds.Named()
    print(kind.total(10), kinds.Named.made(4), kind.free(9), kind.size, kinds.outer(3)(5), kinds.outer(3, j=2)(5))
    print(kinds.conditional(100), kinds.checked(10), kinds.fib(15), kinds.Checked().one(4), kinds.Checked.two(4))
    print(kinds.first(4), kinds.again(4), [made(5) for made in kinds.all_made])
    print(kinds.defaults(3), kinds.calls_defaults(5))
    kinds.defaults.__defaults__ = (5,)
    print(kinds.defaults(3), kinds.calls_defaults(5))
    kinds.STEP = 10
    print(kind.total(10), kind.total(True))
    for call in (kinds.checked, kinds.fib, kinds.Checked().one, kinds.Checked.two, kinds.conditional, kinds.outer(1)):
        try:
            print(call("x"))
        except TypeError as error:
            print(type(error).__name__, error)
    print(kinds.fib(True), kinds.checked(True))

use()
for thing in (kinds, kinds.Named, kinds.Named.total, kinds.checked, kinds.outer(1), kinds.Checked):
    print(inspect.getsource(thing))
    print(inspect.getdoc(thing), inspect.getsourcelines(thing)[1])
print(inspect.signature(kinds.Checked.one), kinds.Named.total.__qualname__, kinds.Named.total.__module__)
importlib.reload(kinds)
use()
"""

NATIVE = """
import castiron, kinds
found = {
    "total": kinds.Named.total, "made": kinds.Named.made, "free": kinds.Named.free, "size": kinds.Named.size.fget,
    "outer": kinds.outer, "inner": kinds.outer(1), "conditional": kinds.conditional, "checked": kinds.checked,
    "fib": kinds.fib, "one": kinds.Checked.one, "two": kinds.Checked.two, "first": kinds.first, "again": kinds.again,
    "made_in_a_loop": kinds.all_made[1],
}
print(sorted(name for name, function in found.items() if not castiron.is_compiled(function)))
print(castiron.explain(kinds.fib).native, "fib" in castiron.explain(kinds.fib).bets)
"""


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module's source in `src`, built in `out` and enforced in `enforced`."""
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "src").mkdir()
    (folder / "src" / "kinds.py").write_text(KINDS)
    for output, options in (("out", []), ("enforced", ["--enforce"]), ("optimised", [])):
        flags = ["-O"] if output == "optimised" else []
        command = [sys.executable, *flags, "-m", "castiron", "build", "src", "-o", output, "--everything", *options]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
    return folder


def python(script: str, folder: Path, *flags: str, **environment: str) -> str:
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *flags, "-c", textwrap.dedent(script)],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_they_do_what_the_source_does(kinds: Path) -> None:
    expected = python(USE, kinds / "src")
    assert "TypeCheckError fib() argument 'n' must be int, not str: 'x'" in expected
    assert python(USE, kinds / "out") == expected


def test_they_run_as_machine_code(kinds: Path) -> None:
    assert python(NATIVE, kinds / "out") == "[]\nTrue True\n"


def test_switched_off_they_are_bytecode(kinds: Path) -> None:
    expected = python(USE, kinds / "src", CASTIRON="off")
    assert python(USE, kinds / "out", CASTIRON="off") == expected
    assert "'total'" in python(NATIVE, kinds / "out", CASTIRON="off").partition("\n")[0]
    expected = python(USE, kinds / "src", CASTIRON="typed")
    assert python(USE, kinds / "out", CASTIRON="typed") == expected


def test_enforced_all_annotations_are_promises(kinds: Path) -> None:
    script = """
        import castiron, kinds
        for call in (kinds.conditional, kinds.Named.made, kinds.fib, kinds.checked, kinds.outer(1)):
            try:
                call("x")
            except castiron.TypeCheckError as error:
                print(error)
            except TypeError as error:
                print("a bet", error)
        print(kinds.conditional(100), kinds.conditional(True), kinds.Named().total(3), kinds.Named.made(3))
        print(castiron.is_compiled(kinds.conditional), castiron.is_compiled(kinds.Named.made))
        print(castiron.is_compiled(castiron.unchecked(kinds.conditional)))
    """
    said = python(script, kinds / "enforced").splitlines()
    assert said == [
        "conditional() argument 'n' must be int, not str: 'x'",
        "Named.made() argument 'n' must be int, not str: 'x'",
        "fib() argument 'n' must be int, not str: 'x'",
        "checked() argument 'n' must be int, not str: 'x'",
        "a bet 'str' object cannot be interpreted as an integer",
        "0 0 6 ('Named', 6.0)",
        "True True",
        "False",
    ]


def test_assertions_follow_the_interpreter(kinds: Path) -> None:
    assert python(NATIVE, kinds / "optimised", "-O").startswith("[]\n")
    assert "'total'" in python(NATIVE, kinds / "optimised").partition("\n")[0]
    assert "'total'" in python(NATIVE, kinds / "out", "-O").partition("\n")[0]


def test_a_second_import_is_bytecode(kinds: Path) -> None:
    script = """
        import sys, castiron, kinds
        one = kinds
        del sys.modules["kinds"]
        import kinds
        print(kinds is one, castiron.is_compiled(one.again), castiron.is_compiled(kinds.again))
        kinds.STEP = 7
        print(one.Named().total(10), kinds.Named().total(10))
    """
    assert python(script, kinds / "out") == "False True False\n90 315\n"


def test_jit_of_a_function_that_was_built_as_a_bet(kinds: Path) -> None:
    script = """
        import castiron, kinds
        fast = castiron.jit(kinds.conditional)
        print(fast(100))
        try:
            fast("x")
        except castiron.TypeCheckError as error:
            print(error)
    """
    assert python(script, kinds / "out") == "0\nconditional() argument 'n' must be int, not str: 'x'\n"


def test_functions_that_a_name_stood_for_before(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    text = """
        kept = []
        for k in (1, 2):
            def f(n, step=k):
                s = 0
                for i in range(n):
                    s += step
                return s
            kept.append(f)

        def g(n):
            s = 0
            for i in range(n):
                s += f(i)
            return s
    """
    (tmp_path / "src" / "twice.py").write_text(textwrap.dedent(text))
    command = [sys.executable, "-m", "castiron", "build", "src", "-o", "out", "--everything"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    script = "import twice; print(twice.g(5)); twice.f = twice.kept[0]; print(twice.g(5), [f(3) for f in twice.kept])"
    assert python(script, tmp_path / "out") == python(script, tmp_path / "src") == "20\n10 [3, 6]\n"


def test_loops_get_versions_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    text = """
        STEP = 1_000_003
        LIMIT = 2 * STEP + 1.5

        def crossing(n: int) -> int:
            total = 9223372036854775807 - (n // 2) * STEP
            for i in range(n):
                total += STEP + i % 7
            return total

        def other(n):
            s = 0.0
            for i in range(n):
                s += LIMIT
            return s
    """
    (tmp_path / "src" / "loops.py").write_text(textwrap.dedent(text))
    command = [sys.executable, "-m", "castiron", "build", "src", "-o", "out", "--everything"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    script = """
        import loops, castiron
        print(loops.crossing(300_000), loops.other(1000))
        loops.LIMIT = 3
        print(loops.crossing(300_001), loops.other(1000), loops.crossing(3), loops.crossing(True))
    """
    assert python(script, tmp_path / "out") == python(script, tmp_path / "src")
    compiled = "import loops, castiron; loops.crossing(300_000); print(castiron.stats()['compile_seconds'] > 0)"
    assert python(compiled, tmp_path / "out") == "True\n"


def test_kept_frames_hold_functions(tmp_path: Path) -> None:
    """CPython makes a function of the same code for each frame of a traceback, which dies with it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "frames.py").write_text(
        textwrap.dedent("""
            import sys

            def look(kept, errors):
                kept.append(sys._getframe(1))
                errors.clear()

            def called(kept, errors, n):
                if n < 0:
                    raise ValueError(n)
                look(kept, errors)
                return n
        """)
    )
    command = [sys.executable, "-m", "castiron", "build", "src", "-o", "out", "--everything"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    script = """
        import castiron, gc, sys, types, frames
        assert castiron.is_compiled(frames.called)
        kept, errors = [], []
        for number in range(60):
            try:
                frames.called(kept, errors, -1)
            except ValueError as error:
                errors.append(error)
            frames.called(kept, errors, number)
        functions = [held for frame in kept for held in gc.get_referents(frame) if type(held) is types.FunctionType]
        code = frames.called.__code__
        print(len(functions), all(held.__code__ is code and gc.is_tracked(held) for held in functions))
        gc.collect()
        kept.clear()
        print(gc.collect() >= 0, frames.called([], [], 5))
    """
    assert python(script, tmp_path / "out") == "60 True\nTrue 5\n"
