"""A module built into one shared object: imported, called, and the same as its source in every respect tried here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType

import pytest

from castiron._build import Options
from castiron._castiron import build_text

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or "x86_64" not in sysconfig.get_platform(),
    reason="only x86-64 ELF objects are linked in process",
)

TEXT = '''"""What the module is about."""
import math

SCALE = 3


def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def scaled(x: float, *, by: int = 2) -> float:
    return math.sqrt(x) * by * SCALE


def quotient(a: int, b: int) -> int:
    return a // b


class Untouched:
    value = fib(10)
'''


def build(folder: Path, name: str, text: str) -> list[str]:
    last = name.rpartition(".")[2]
    data, functions = build_text(name, str(folder / f"{last}.py"), text)
    (folder / f"{last}.so").write_bytes(data)
    return [function for function, _, reasons in functions if not reasons]


def load(folder: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name.rpartition('.')[2]}.so")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def demo(tmp_path: Path) -> ModuleType:
    (tmp_path / "demo.py").write_text(TEXT)
    assert build(tmp_path, "demo", TEXT) == ["fib", "scaled", "quotient"]
    return load(tmp_path, "demo")


def test_values(demo: ModuleType) -> None:
    assert demo.__doc__ == "What the module is about."
    assert demo.Untouched.value == 55
    assert demo.fib(25) == 75025
    assert demo.scaled(16.0) == 24.0
    assert demo.scaled(16.0, by=5) == 60.0
    assert demo.quotient(-7, 2) == -4
    assert demo.quotient(-(2**63), -1) == 2**63
    assert demo.quotient(10**30, 7) == 10**30 // 7


def test_annotations_are_bets(demo: ModuleType) -> None:
    assert demo.quotient(7.5, 2) == 3.0
    assert demo.fib(1.5) == 1.5
    assert demo.fib(True) is True


def test_names_that_change(demo: ModuleType) -> None:
    assert demo.scaled(4.0) == 12.0
    demo.SCALE = 10
    assert demo.scaled(4.0) == 40.0
    demo.SCALE = 0.5
    assert demo.scaled(4.0) == 2.0
    original = demo.fib
    demo.fib = lambda n: 100
    assert original(5) == 200
    demo.fib = original
    assert original(5) == 5


def test_errors(demo: ModuleType) -> None:
    with pytest.raises(ZeroDivisionError, match=r"integer division or modulo by zero|integer modulo by zero") as caught:
        demo.quotient(1, 0)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (Path(last.filename).name, last.lineno, last.name) == ("demo.py", 18, "quotient")
    assert last.line == "return a // b"
    with pytest.raises(TypeError, match=r"quotient\(\) missing 1 required positional argument: 'b'"):
        demo.quotient(1)
    with pytest.raises(RecursionError):
        demo.fib(10**6)


def test_second_import_is_another_module(demo: ModuleType) -> None:
    again = load(Path(demo.__file__).parent, "demo")
    assert again is not demo
    again.SCALE = 100
    assert demo.scaled(1.0) == 6.0
    assert again.scaled(1.0) == 200.0


def test_machine_code_runs(tmp_path: Path) -> None:
    build(tmp_path, "speedy", TEXT)
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); import castiron, speedy\n"
        "def plain(n):\n    return n if n < 2 else plain(n - 1) + plain(n - 2)\n"
        "def best(f):\n    start = time.perf_counter(); f(20); return time.perf_counter() - start\n"
        "assert min(best(speedy.fib) for _ in range(9)) * 3 < min(best(plain) for _ in range(9))"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, timeout=60)


def test_other_versions_are_refused(tmp_path: Path) -> None:
    other = (3, 11 if sys.version_info.minor != 11 else 12)
    data, _ = build_text("demo", str(tmp_path / "demo.py"), TEXT, Options(python=other))
    (tmp_path / "demo.so").write_bytes(data)
    with pytest.raises(ImportError, match=rf"demo was built for CPython 3\.{other[1]}"):
        load(tmp_path, "demo")


def test_a_text_without_functions_is_a_module_too(tmp_path: Path) -> None:
    assert build(tmp_path, "empty", "x = 1\n") == []
    assert load(tmp_path, "empty").x == 1


def test_errors_of_the_text_are_shown(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="error"):
        build_text("broken", str(tmp_path / "broken.py"), "def f(:\n")
