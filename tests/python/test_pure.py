"""Pure-Python mode: when it is chosen, what it offers, and that its verdicts and words are the native part's."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from castiron import _pure

ROOT = Path(__file__).parent.parent.parent


def run(source: str, **variables: str) -> str:
    environment = {**os.environ, "CASTIRON_PURE": "1", **variables}
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_version_is_that_of_the_package() -> None:
    manifest = ROOT / "Cargo.toml"
    if manifest.exists():
        assert tomllib.loads(manifest.read_text())["package"]["version"] == _pure.__version__


def test_surface() -> None:
    source = """
import sys, castiron
assert "castiron._castiron" not in sys.modules
assert all(hasattr(castiron, name) for name in castiron.__all__)
@castiron.jit
def f(x: int) -> int: return x
@castiron.jit(eager=True)
def g(x: "Missing") -> int: return x
assert f(3) == g(3) == 3 and not castiron.is_compiled(f)
print(castiron.explain(f))
print(castiron.explain(g).unchecked, castiron.explain(g).bets, castiron.explain(g).native)
with castiron.disabled():
    try: f("x")
    except castiron.TypeCheckError as error: print(error)
assert castiron.stats()["compiled_functions"] == 0
for wrong in (int, len, 3):
    try: castiron.jit(wrong)
    except TypeError as error: print(error)
try: castiron.explain(3)
except TypeError as error: print(error)
"""
    out = run(source).splitlines()
    assert out[0] == "f: bytecode"
    assert out[1] == "nothing is compiled: CASTIRON_PURE=1 asks for pure Python"
    assert out[2] == """('"x" is not checked in full: name \\'Missing\\' is not defined',) () False"""
    assert out[3] == "f() argument 'x' must be int, not str: 'x'"
    assert out[4] == "jit takes a function, or a class written in Python, not 'int'"
    assert out[5].startswith("jit takes a function written in Python, not the built-in 'len'")
    assert out[6].startswith("jit takes a function, not an object of type 'int'")
    assert out[7] == "explain takes a function"


def test_chosen_where_the_native_part_is_missing() -> None:
    source = """
import sys
sys.modules["castiron._castiron"] = None
import castiron
from castiron import _mode
assert _mode.PURE
print(_mode.REASON.partition(":")[0])
"""
    assert run(source, CASTIRON_PURE="0", CASTIRON_STRICT="0") == "the native part can't be loaded\n"
    environment = {**os.environ, "CASTIRON_PURE": "0", "CASTIRON_STRICT": "1"}
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False, env=environment)
    assert "ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize(
    ("setup", "reason"),
    [
        ("sys.implementation.name = 'pypy'", "the native part runs on CPython, not on pypy"),
        ("sys.gettotalrefcount = None", "the native part does not run on debug builds"),
        ("sys._is_gil_enabled = lambda: False", "the native part does not run without the GIL"),
    ],
)
def test_chosen_on_other_interpreters(setup: str, reason: str) -> None:
    source = f"import sys\n{setup}\nfrom castiron import _mode\nprint(_mode.REASON)"
    assert run(source, CASTIRON_PURE="0") == f"{reason}\n"


def test_switched_off() -> None:
    source = "import castiron\ndef f(x: int): return x\nassert castiron.typed(f) is castiron.jit(f) is f\nprint(f('x'))"
    assert run(source, CASTIRON="off") == "x\n"


def test_command_line_says_why_not() -> None:
    environment = {**os.environ, "CASTIRON_PURE": "1"}
    command = [sys.executable, "-m", "castiron", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("castiron: the command line needs the native part: ")


CALLS = """
import asyncio, functools, inspect, pickle, typing
from collections.abc import *
from typing import *
from castiron import typed, TypeCheckError
T = TypeVar("T", int, str)
class Extra(TypedDict):
    size: int
    name: NotRequired[str]
@typed
def kinds(a: int, /, b: str = "b", *rest: float, key: bytes = b"", **named: int | None) -> tuple: return a, b, rest
@typed
def same(a: T, b: T) -> T: return b
@typed
def unpacked(*args: Unpack[tuple[int, str]], **named: Unpack[Extra]) -> None: ...
@typed(deep=True)
def deep(values: dict[str, list[tuple[int, ...]]]) -> list[int]: return values.get("r", [1])
@typed(strict=True)
def strict(a: int, b: float) -> None: ...
@typed
def literal(mode: Literal["read", "write", 3]) -> None: ...
@typed
def called(f: Callable[[int, int], str]) -> None: ...
@typed
def union(value: int | list[str] | None) -> None: ...
@typed
def either(value: type[int] | type[str]) -> None: ...
@typed
async def later(n: int) -> str: return n
@typed
def numbers(*values: object) -> Generator[int, str, bytes]:
    for value in values:
        yield value
    return "end"
class Shape:
    @typed
    def __add__(self, other: "Shape") -> "Shape": return 3
    @typed
    def copy(self) -> Self: return object()
    @typed
    @classmethod
    def made(cls, n: int) -> Self: return n
    @typed
    @property
    def size(self) -> int: return "x"
async def awaited(): return await later(1)
cases = [
    lambda: kinds(1), lambda: kinds("1"), lambda: kinds(1, 2), lambda: kinds(1, b=2), lambda: kinds(1, "b", 2, "x"),
    lambda: kinds(1, key=""), lambda: kinds(1, z="z"), lambda: kinds(), lambda: kinds(1, "b", b="c"),
    lambda: kinds(a=1),
    lambda: same(1, 2), lambda: same(1, "x"), lambda: same(1.5, 2), lambda: unpacked(1, "x", size=3),
    lambda: unpacked(1, 2, size=3), lambda: unpacked(1, "x", size="x"), lambda: unpacked(1, "x"),
    lambda: unpacked(1, "x", size=1, other=2), lambda: deep({"a": [(1, 2)]}), lambda: deep({"a": [(1, "2")]}),
    lambda: deep({1: []}), lambda: deep({"r": ["x"]}), lambda: strict(True, 1.0), lambda: strict(1, 1),
    lambda: literal("read"), lambda: literal("raed"), lambda: literal(3.0), lambda: called(lambda a: 1),
    lambda: called(lambda a, b: 1), lambda: called(3), lambda: union("x"), lambda: union([1]), lambda: either(float),
    lambda: either(3), lambda: asyncio.run(awaited()), lambda: later("x"), lambda: list(numbers(1, "x")),
    lambda: list(numbers(1, 2)), lambda: numbers(1).send(None), lambda: Shape() + 3, lambda: Shape() + Shape(),
    lambda: Shape().copy(), lambda: Shape.made(3), lambda: Shape.made("x"), lambda: Shape().size,
]
for case in cases:
    try:
        print("passed", case())
    except Exception as error:
        attributes = {name: value for name, value in vars(error).items() if name != "value"}
        print(type(error).__name__, " at 0x".join(str(error).split(" at 0x")[:1]), attributes, type(error.__context__))
for function in (kinds, later, numbers, Shape.copy):
    print(inspect.isfunction(function), inspect.iscoroutinefunction(function), inspect.isgeneratorfunction(function),
          inspect.isasyncgenfunction(function), inspect.signature(function), function.__name__, function.__doc__,
          get_type_hints(function), pickle.loads(pickle.dumps(kinds)) is kinds, function.__module__)
"""


@pytest.mark.native
def test_verdicts_and_words_are_those_of_the_native_part() -> None:
    expected = run(CALLS, CASTIRON_PURE="0").splitlines()
    assert run(CALLS).splitlines() == expected
    assert sum(line.startswith("TypeCheckError") for line in expected) > 25
