"""`compile_imports`: modules behave as without it, and what gains by machine code has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.native

MODULE = '''
"""A module of a program that knows nothing of castiron."""

import functools


def logged(function):
    @functools.wraps(function)
    def inner(*args, **named):
        inner.calls += 1
        return function(*args, **named)

    inner.calls = 0
    return inner


def total(n: int) -> int:
    found = 0
    for number in range(n):
        found += number * number
    return found


def pair(a: int, b: int = 3, *, c: float = 1.5):
    for _ in range(1):
        a = a + b
    return a, c


@logged
def decorated(n, step=1):
    found = 0
    while n > 0:
        found += n * step
        n -= 1
    return found


class Shape:
    side = 3

    def __init__(self, count):
        self.count = count

    def area(self, n):
        found = 0
        for number in range(n):
            found ^= number * self.side
        return found

    @staticmethod
    def static(n):
        found = 0
        for number in range(n):
            found += number & 3
        return found

    @classmethod
    def made(cls, n):
        for _ in range(n):
            pass
        return cls(n)

    @property
    def twice(self):
        found = 0
        for _ in range(self.count):
            found += 2
        return found


def outer(n):
    def nested(k):
        found = 0
        for number in range(k):
            found += number % 7 + n
        return found

    return nested(n) + nested(n + 1)


def short(n: int) -> int:
    return (n * 3 + 1) * (n - 1) + n * n


def fails(n):
    for number in range(n):
        if number == 3:
            raise ValueError(number)


def generator(n):
    for number in range(n):
        yield number


class Held:
    alive = 0

    def __init__(self):
        Held.alive += 1

    def __del__(self):
        Held.alive -= 1


def holds(n):
    held = Held()

    def inner(n):
        found = 0
        for number in range(n):
            found += number
        return found if held else None

    return inner(n)


def lives(n):
    found = []
    for _ in range(n):
        holds(5)
        found.append(Held.alive)
    return found
'''

PROGRAM = """
import copy, inspect, json, pickle, sys, traceback, types
sys.path.insert(0, sys.argv[1])
import castiron
castiron.compile_imports(*sys.argv[2:])
import shapes

def said(call):
    try:
        return repr(call())
    except Exception:
        return traceback.format_exc()

for _ in range(40):
    shown = [
        said(lambda: shapes.total(100)),
        said(lambda: shapes.total(3.5)),
        said(lambda: shapes.total("x")),
        said(lambda: shapes.pair(1)),
        said(lambda: shapes.pair("a", "b", c=None)),
        said(lambda: shapes.pair(1, 2, 3)),
        said(lambda: shapes.pair()),
        said(lambda: shapes.decorated(5)),
        said(lambda: shapes.Shape(4).area(9)),
        said(lambda: shapes.Shape.static(9)),
        said(lambda: shapes.Shape.made(3).twice),
        said(lambda: shapes.outer(5)),
        said(lambda: shapes.outer(2.5)),
        said(lambda: shapes.short(5)),
        said(lambda: shapes.short([1])),
        said(lambda: shapes.fails(9)),
        said(lambda: list(shapes.generator(3))),
        said(lambda: shapes.lives(5)),
    ]
functions = {
    "total": shapes.total,
    "pair": shapes.pair,
    "decorated": shapes.decorated.__wrapped__,
    "area": shapes.Shape.area,
    "static": shapes.Shape.static,
    "twice": shapes.Shape.twice.fget,
    "short": shapes.short,
    "fails": shapes.fails,
}
for name, function in functions.items():
    shown += [
        inspect.getsource(function),
        str(inspect.signature(function)),
        isinstance(function, types.FunctionType),
        function.__code__.co_name,
        function.__code__.co_firstlineno,
        function.__qualname__,
        repr(function.__annotations__),
        copy.copy(function) is function,
    ]
shown += [pickle.loads(pickle.dumps(shapes.total)) is shapes.total, shapes.decorated.calls]
spec = shapes.__spec__
shown += [type(shapes.__loader__).__name__, vars(shapes.__loader__) == {"name": "shapes", "path": shapes.__file__}]
shown += [spec.cached == shapes.__cached__, spec.origin == shapes.__file__, sorted(vars(shapes))]
shown += [inspect.getsource(shapes), shapes.__loader__.get_code("shapes").co_name]
native = {name: castiron.is_compiled(function) for name, function in functions.items()}
print(json.dumps({"shown": shown, "native": native}))
"""


def run(folder: Path, *args: str, program: str = PROGRAM, **environment: str) -> dict[str, Any]:
    variables = {**os.environ, "CASTIRON_STRICT": "1", **environment}
    command = [sys.executable, "-c", program, str(folder), *args]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shapes.py").write_text(MODULE)
    return tmp_path


def test_a_module_behaves_the_same_and_what_gains_is_native(folder: Path) -> None:
    plain, compiled = run(folder, CASTIRON="off"), run(folder)
    assert compiled["shown"] == plain["shown"]
    assert not any(plain["native"].values())
    assert {name for name, is_native in compiled["native"].items() if is_native} >= {
        "total",
        "decorated",
        "static",
        "short",
    }


@pytest.mark.parametrize("force", ["native", "generic", "exit:1"])
def test_a_module_behaves_the_same_with_everything_compiled(folder: Path, force: str) -> None:
    plain, compiled = run(folder, CASTIRON="off"), run(folder, CASTIRON_FORCE=force)
    assert compiled["shown"] == plain["shown"]
    assert all(compiled["native"].values()), compiled["native"]


def test_only_the_named_package_is_compiled(folder: Path) -> None:
    assert not any(run(folder, "other")["native"].values())
    assert run(folder, "shapes")["native"]["total"]


def test_a_package_includes_its_modules(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "__init__.py").write_text("")
    (tmp_path / "outside" / "inside.py").write_text(MODULE)
    program = """
import json, sys
sys.path.insert(0, sys.argv[1])
import castiron
castiron.compile_imports("outside")
import outside.inside
outside.inside.total(5)
print(json.dumps({"native": castiron.is_compiled(outside.inside.total)}))
"""
    assert run(tmp_path, program=program)["native"]


def test_a_file_that_was_edited_after_the_import_stays_bytecode(folder: Path) -> None:
    program = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import castiron
castiron.compile_imports()
import shapes
path = pathlib.Path(shapes.__file__)
path.write_text(path.read_text().replace("number * number", "number - number"))
found = [shapes.total(10) for _ in range(3)]
why = castiron.explain(shapes.total).reasons
print(json.dumps({"found": found, "native": castiron.is_compiled(shapes.total), "why": why}))
"""
    found = run(folder, program=program)
    assert found["found"] == [285] * 3
    assert not found["native"]
    assert "edited" in found["why"][0]


def test_a_reloaded_module_is_compiled_anew(folder: Path) -> None:
    program = """
import importlib, json, pathlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import castiron
castiron.compile_imports()
import shapes
before = shapes.total(10)
path = pathlib.Path(shapes.__file__)
path.write_text(path.read_text().replace("number * number", "number + 1000"))
importlib.reload(shapes)
print(json.dumps({"found": [before, shapes.total(10)], "native": castiron.is_compiled(shapes.total)}))
"""
    assert run(folder, program=program) == {"found": [285, 10045], "native": True}


def test_syntax_errors_and_failing_bodies_show_no_frame_of_ours(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("def f(:\n")
    (tmp_path / "raising.py").write_text("def f(n):\n    for i in range(n):\n        i / 0\nf(3)\n")
    program = """
import json, sys, traceback
sys.path.insert(0, sys.argv[1])
import castiron
castiron.compile_imports()
shown = []
for name in ("wrong", "raising", "missing"):
    try:
        __import__(name)
    except Exception:
        shown.append(traceback.format_exc())
print(json.dumps({"shown": shown}))
"""
    plain, compiled = run(tmp_path, program=program, CASTIRON="off"), run(tmp_path, program=program)
    assert compiled == plain
    assert "castiron" not in "".join(compiled["shown"])


def test_decorated_functions_of_an_imported_module_keep_their_promises(tmp_path: Path) -> None:
    text = "import castiron\n" + "".join(
        f"@castiron.{name}\ndef {name}_total(n: int) -> int:\n    s = 0\n    for i in range(n): s += i\n    return s\n"
        for name in ("jit", "typed")
    )
    (tmp_path / "promising.py").write_text(text)
    program = """
import json, sys
sys.path.insert(0, sys.argv[1])
import castiron
castiron.compile_imports()
import promising
shown = []
for function in (promising.jit_total, promising.typed_total):
    shown.append(function(10))
    try:
        function("10")
    except castiron.TypeCheckError as error:
        shown.append(str(error))
print(json.dumps({"shown": shown, "native": castiron.is_compiled(promising.jit_total)}))
"""
    found = run(tmp_path, program=program)
    assert found["shown"][0] == found["shown"][2] == 45
    assert "argument 'n' must be int" in found["shown"][1]
    assert "argument 'n' must be int" in found["shown"][3]
    assert found["native"]


def test_it_takes_one_name() -> None:
    import castiron

    with pytest.raises(TypeError, match="the name of a package"):
        castiron.compile_imports(["shapes"])  # type: ignore[arg-type]
