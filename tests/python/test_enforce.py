"""`enforce`: packages that are checked as they are imported; settings of pyproject.toml; warnings instead of errors."""

import importlib
import inspect
import linecache
import os
import py_compile
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from castiron import ConfigurationError, TypeCheckError, TypeCheckWarning, _enforce, enforce, typed, unchecked
from castiron._config import settings_above
from castiron._mode import PURE
from castiron._rewrite import NAME, rewritten

SHAPES = '''"""Shapes."""
from __future__ import annotations
import functools
from dataclasses import dataclass
from typing import NamedTuple, no_type_check
from castiron import jit, unchecked
__all__ = ["area", "Point"]

def area(width: int, height: int = 1) -> int:
    """Multiply."""
    return width * height

def loose(width, height):
    return width

def outer(n: int):
    def inner(m: int) -> int:
        return n + m
    return inner

async def later(n: int) -> int:
    return n

def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

@logged
def decorated(n: int) -> int:
    return n

@unchecked
def free(n: int) -> int:
    return n

@no_type_check
def also_free(n: int) -> int:
    return n

@jit
def compiled(n: int) -> int:
    def unused() -> int: ...
    return n

@dataclass
class Point:
    x: int
    y: float = 0.0
    def moved(self, by: int) -> Point:
        return Point(self.x + by)

@dataclass(slots=True)
class Slotted:
    x: int

class Pair(NamedTuple):
    one: int

class Plain:
    @property
    def value(self) -> int:
        return "x"
    class Inner:
        @staticmethod
        def make(n: int) -> int:
            return n

if True:
    try:
        def conditional(n: int) -> int: return n
    except NameError:
        pass
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Give what writes a package `shapes_under_test` and imports its modules."""
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "shapes_under_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "shapes.py").write_text(SHAPES)
    monkeypatch.setattr(_enforce, "_packages", {})
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    def load(name: str = "shapes") -> Any:
        return importlib.import_module(f"shapes_under_test.{name}")

    yield load
    if _enforce._finder in sys.meta_path:
        sys.meta_path.remove(_enforce._finder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "shapes_under_test"]:
        del sys.modules[name]


def fails(call: Callable[[], object]) -> None:
    with pytest.raises(TypeCheckError):
        call()


def test_everything_annotated_is_checked(package: Callable[..., Any]) -> None:
    enforce("shapes_under_test")
    shapes = package()
    assert shapes.area(2, 3) == 6
    assert shapes.loose("x", 1) == "x"
    assert shapes.outer(1)(2) == 3
    assert shapes.Point(1).moved(2) == shapes.Point(3)
    assert shapes.Pair(1).one == 1
    assert shapes.compiled(3) == 3
    for call in (
        lambda: shapes.area("x"),
        lambda: shapes.outer("x"),
        lambda: shapes.outer(1)("x"),
        lambda: shapes.later("x"),
        lambda: shapes.decorated("x"),
        lambda: shapes.Point("x"),
        lambda: shapes.Point(1).moved("x"),
        lambda: shapes.Slotted("x"),
        lambda: shapes.Pair("x"),
        lambda: shapes.Plain().value,
        lambda: shapes.Plain.Inner.make("x"),
        lambda: shapes.conditional("x"),
        lambda: shapes.compiled("x"),
    ):
        fails(call)
    assert shapes.free("x") == shapes.also_free("x") == "x"


def test_module_looks_like_itself(package: Callable[..., Any], tmp_path: Path) -> None:
    plain = package()
    expected = {
        name: inspect.unwrap(value).__code__.co_firstlineno
        for name, value in vars(plain).items()
        if inspect.isfunction(value)
    }
    names = set(vars(plain))
    del sys.modules["shapes_under_test.shapes"]
    enforce("shapes_under_test")
    shapes = package()
    assert set(vars(shapes)) == names | {NAME}
    found = {
        name: inspect.unwrap(value).__code__.co_firstlineno
        for name, value in vars(shapes).items()
        if inspect.isfunction(value)
    }
    assert found == expected
    assert shapes.__doc__ == "Shapes."
    assert shapes.area.__doc__ == "Multiply."
    assert shapes.__file__ == str(tmp_path / "shapes_under_test" / "shapes.py")
    assert inspect.unwrap(shapes.area).__code__.co_filename == shapes.__file__
    assert inspect.getsource(shapes.area) == inspect.getsource(plain.area)
    assert inspect.getsource(shapes.Point) == inspect.getsource(plain.Point)
    namespace: dict[str, Any] = {}
    exec("from shapes_under_test.shapes import *", namespace)
    assert NAME not in namespace
    with pytest.raises(TypeError) as caught:
        shapes.Plain().value  # noqa: B018
    if not PURE:
        last = traceback.extract_tb(caught.value.__traceback__)[-1]
        assert (last.filename, last.line) == (shapes.__file__, 'return "x"')
    linecache.clearcache()


def test_compiled_modules_are_cached_apart(package: Callable[..., Any], tmp_path: Path) -> None:
    source = tmp_path / "shapes_under_test" / "shapes.py"
    plain = Path(py_compile.compile(str(source), doraise=True))
    before = plain.read_bytes()
    enforce("shapes_under_test")
    shapes = package()
    cached = Path(shapes.__cached__)
    assert cached != plain
    assert cached.exists()
    assert plain.read_bytes() == before

    def refuse(*args: object) -> None:
        raise AssertionError("compiled again")

    del sys.modules["shapes_under_test.shapes"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("castiron._rewrite.rewritten", refuse)
        fails(lambda: package().area("x"))
    del sys.modules["shapes_under_test.shapes"]
    source.write_text(SHAPES + "\nadded: int = 1\n")
    os.utime(source, (1, 1))
    assert package().added == 1
    _enforce._packages.clear()
    del sys.modules["shapes_under_test.shapes"]
    assert package().area("x") == "x"


def test_other_packages_are_left_alone(package: Callable[..., Any]) -> None:
    enforce("shapes_under")
    shapes = package()
    assert shapes.area("x") == "x"
    assert NAME not in vars(shapes)


def test_single_module_and_exclusions(package: Callable[..., Any]) -> None:
    prefix = "shapes_under_test.shapes"
    enforce(prefix, exclude=[f"{prefix}.area", f"{prefix}.Point", f"{prefix}.outer.<locals>.inner"])
    shapes = package()
    assert shapes.area("x") == "x"
    assert shapes.Point("x").x == "x"
    assert shapes.outer(1)(2.5) == 3.5
    fails(lambda: shapes.decorated("x"))
    fails(lambda: shapes.Slotted("x"))


def test_excluded_module(package: Callable[..., Any]) -> None:
    enforce("shapes_under_test", exclude=["shapes_under_test.shapes"])
    assert package().area("x") == "x"


def test_modules_that_are_imported_already(package: Callable[..., Any]) -> None:
    shapes = package()
    area = shapes.area
    assert area("x") == "x"
    enforce("shapes_under_test")
    fails(lambda: (shapes.area if PURE else area)("x"))
    fails(lambda: shapes.Point("x"))
    assert shapes.free("x") == "x"


@pytest.mark.parametrize("arguments", [{"on_violation": "warn"}, {"on_violation": "warn", "deep": True}])
def test_warnings_instead_of_errors(package: Callable[..., Any], arguments: dict[str, Any]) -> None:
    enforce("shapes_under_test", **arguments)
    shapes = package()
    with pytest.warns(TypeCheckWarning) as caught:
        assert shapes.area("x", 2) == "xx"
    assert [(str(warning.message), warning.filename) for warning in caught] == [
        ("area() argument 'width' must be int, not str: 'x'", __file__),
        ("area() result must be int, not str: 'xx'", __file__ if PURE else shapes.__file__),
    ]
    with pytest.warns(TypeCheckWarning):
        assert shapes.Plain().value == "x"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TypeCheckWarning):
            shapes.area("x")


def test_warnings_of_typed() -> None:
    class Left:
        @typed(on_violation="warn")
        def __add__(self, other: int) -> int:
            return other

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Left() + 3 == 3
    with pytest.warns(TypeCheckWarning, match="result"):
        assert Left() + "x" == "x"  # type: ignore[operator]

    @typed(on_violation="warn")
    def numbers() -> Iterator[int]:
        yield "x"  # type: ignore[misc]

    with pytest.warns(TypeCheckWarning, match="yielded value"):
        assert list(numbers()) == ["x"]

    @typed(on_violation="warn")
    def several(a: int, b: str, *rest: int) -> object:
        return a, b, rest

    with pytest.warns(TypeCheckWarning) as caught:
        assert several("a", 1, "c", "d") == ("a", 1, ("c", "d"))  # type: ignore[arg-type]
    places = [str(warning.message).partition("() ")[2].partition(" must")[0] for warning in caught]
    assert places == ["argument 'a'", "argument 'b'", "argument 'rest'[0]"]
    assert {warning.filename for warning in caught} == {__file__}
    with pytest.raises(ValueError, match="on_violation must be"):
        typed(on_violation="ignore")  # type: ignore[call-overload]


def test_unchecked() -> None:
    @unchecked
    @typed
    def f(n: int) -> int:
        return n

    assert f("x") == "x"  # type: ignore[arg-type]
    assert typed(f)("x") == "x"  # type: ignore[arg-type]

    @typed
    @unchecked
    class Free:
        def method(self, n: int) -> int:
            return n

    assert Free().method("x") == "x"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.castiron]\nenforced = []", "has no setting 'enforced'; did you mean 'enforce'?"),
        ("[tool.castiron]\nzzz = 1", "has no setting 'zzz', only"),
        ("[tool.castiron]\ndeep = 1", "deep must be true or false, not 1"),
        ("[tool.castiron]\nenforce = 'x'", "enforce must be a list of dotted names"),
        ("[tool.castiron]\non_violation = 'log'", 'on_violation must be "raise" or "warn"'),
        ("[tool]\ncastiron = 3", "tool.castiron must be a table"),
        ("[tool", "pyproject.toml: "),
    ],
)
def test_wrong_settings(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        settings_above(str(tmp_path))
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_settings(tmp_path: Path) -> None:
    inner = tmp_path / "src" / "package"
    inner.mkdir(parents=True)
    (tmp_path / "src" / "pyproject.toml").write_text("[tool.other]\nx = 1")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.castiron]\nenforce = ['a', 'b.c']\nexclude = ['a.x']\ndeep = true\nstrict = true\n"
        "on_violation = 'warn'\n[tool.castiron.build]\nanything = 1"
    )
    settings = settings_above(str(inner))
    assert (settings.enforce, settings.exclude) == (("a", "b.c"), ("a.x",))
    assert (settings.deep, settings.strict, settings.on_violation) == (True, True, "warn")
    assert settings.path == str(tmp_path / "pyproject.toml")


def test_wrong_arguments(tmp_path: Path) -> None:
    for call in (lambda: enforce(3), lambda: enforce("a", exclude="b")):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="names of packages"):
            call()
    with pytest.raises(ValueError, match="on_violation"):
        enforce("a", on_violation="log")  # type: ignore[arg-type]


RUN = """
import sys
sys.path.insert(0, ".")
import castiron
castiron.enforce()
import app.core
try:
    print(app.core.twice([1, "x"]))
except castiron.TypeCheckError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("mode", "out"),
    [
        ("on", "twice() argument 'values'[1] must be int, not str: 'x'\n"),
        ("typed", "twice() argument 'values'[1] must be int, not str: 'x'\n"),
        ("off", "[1, 'x', 1, 'x']\n"),
    ],
)
def test_program_with_a_pyproject(tmp_path: Path, mode: str, out: str) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.castiron]\nenforce = ['app']\ndeep = true\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("")
    (tmp_path / "app" / "core.py").write_text("def twice(values: list[int]) -> list[int]:\n    return values * 2\n")
    (tmp_path / "main.py").write_text(RUN)
    environment = {**os.environ, "CASTIRON": mode}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "main.py"], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
        )
        assert (done.stdout, done.stderr) == (out, "")


def test_without_packages_and_settings(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import castiron\ncastiron.enforce()")
    done = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "enforce() names no package" in done.stderr


@pytest.mark.parametrize("name", ["argparse", "dataclasses", "enum", "functools", "asyncio.tasks", "typing"])
def test_rewriting_keeps_positions(name: str) -> None:
    path = importlib.util.find_spec(name).origin
    text = Path(path).read_bytes()

    def functions(code: Any) -> list[tuple[str, int]]:
        found = [(code.co_qualname, code.co_firstlineno)]
        for constant in code.co_consts:
            if isinstance(constant, type(code)):
                found += functions(constant)
        return found

    assert functions(rewritten(text, path)) == functions(compile(text, path, "exec", dont_inherit=True))
