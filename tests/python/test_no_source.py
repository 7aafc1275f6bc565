"""`castiron build --no-source`: modules with code objects in the place of their text behave as those with it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from test_build import castiron, pytestmark, python, write

from castiron._built import _unpacked

__all__ = ["pytestmark"]

MODULE = '''\
    """What the module is about."""
    from castiron import jit, typed

    # xq7Zp2Kw9VtB: no part of it stands elsewhere, so that compression leaves it whole
    SCALE = 3


    def disc(r: float, times: int) -> float:
        """The area of discs."""
        total = 0.0
        for _ in range(times):
            total += 3.0 * r * r
        return total * SCALE


    def quotient(a: int, b: int) -> int:
        return a // b


    @jit
    def promised(n: int) -> int:
        total = 0
        for i in range(n):
            total += i
        return total


    @typed
    def checked(n: int) -> int:
        return n + 1


    class Named:
        def twice(self, n: int) -> int:
            total = 0
            for i in range(n):
                total += 2
            return total


    def adder(n: int):
        def add(m: int) -> int:
            return n + m
        return add
'''

USE = """
    import castiron, inspect, mod, sys, traceback
    print(mod.__doc__, mod.disc(2.0, 3), mod.quotient(-7, 2), mod.quotient(10**30, 7), mod.promised(10))
    print(mod.checked(1), mod.Named().twice(4), mod.adder(3)(4), mod.disc.__doc__)
    for call in (lambda: mod.promised("x"), lambda: mod.checked("x")):
        try:
            call()
        except TypeError as error:
            print(type(error).__name__, error)
    try:
        mod.quotient(1, 0)
    except ZeroDivisionError as error:
        entry = traceback.extract_tb(error.__traceback__)[-1]
        print(entry.filename.rpartition("/")[2], entry.lineno, entry.name, repr(error))
    print(mod.disc.__code__.co_filename.rpartition("/")[2], mod.disc.__code__.co_firstlineno)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with the module alone, built from a source that is elsewhere."""
    write(tmp_path, {"mod.py": MODULE})
    done = castiron("build", "mod.py", "-o", "out", "--no-source", "--everything", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path / "out"


@pytest.mark.parametrize("mode", ["on", "typed", "off"])
def test_same_as_with_the_source(folder: Path, mode: str) -> None:
    plain = python(USE, folder.parent, CASTIRON=mode)
    assert python(USE, folder, CASTIRON=mode) == plain


def test_functions_are_native(folder: Path) -> None:
    script = """
        import castiron, mod
        functions = [mod.disc, mod.quotient, mod.promised, mod.Named.twice]
        print([castiron.is_compiled(function) for function in functions])
        print(["native" in str(castiron.explain(function)).split("\\n")[0] for function in functions])
    """
    assert python(script, folder, CASTIRON_STRICT="1") == "[True, True, True, True]\n" * 2


def test_the_text_is_not_there(folder: Path) -> None:
    script = """
        import inspect, linecache, mod, traceback
        loader = mod.__spec__.loader
        print(loader.get_source("mod"), loader.get_code("mod").co_name, type(mod.__file__) is str)
        for wanted in (mod, mod.disc, mod.Named):
            try:
                inspect.getsource(wanted)
            except (OSError, TypeError) as error:
                print(type(error).__name__)
        try:
            mod.quotient(1, 0)
        except ZeroDivisionError as error:
            print(repr(traceback.extract_tb(error.__traceback__)[-1].line))
    """
    assert python(script, folder) == "None <module> True\nOSError\nOSError\nOSError\n''\n"
    assert castiron("build", "mod.py", "-o", "with", folder=folder.parent).returncode == 0
    with_text, without = (next(place.iterdir()).read_bytes() for place in (folder.parent / "with", folder))
    assert b"xq7Zp2Kw9VtB" in with_text
    assert b"xq7Zp2Kw9VtB" not in without
    assert str(folder.parent).encode() not in without


def test_reloaded(folder: Path) -> None:
    script = """
        import importlib, mod
        mod.SCALE = 5
        print(mod.disc(1.0, 1), importlib.reload(mod) is mod, mod.disc(1.0, 1), mod.promised(4))
    """
    assert python(script, folder) == "15.0 True 9.0 6\n"


@pytest.mark.parametrize("mode", ["on", "typed", "off"])
def test_enforced(tmp_path: Path, mode: str) -> None:
    write(tmp_path, {"mod.py": MODULE})
    assert castiron("build", "mod.py", "-o", "out", "--no-source", "--enforce", folder=tmp_path).returncode == 0
    script = """
        import mod
        try:
            print(mod.quotient("7", 2))
        except TypeError as error:
            print(type(error).__name__)
    """
    expected = "TypeError\n" if mode == "off" else "TypeCheckError\n"
    assert python(script, tmp_path / "out", CASTIRON=mode) == expected


def test_a_newer_source_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"mod.py": MODULE})
    assert castiron("build", "mod.py", "--no-source", folder=tmp_path).returncode == 0
    script = """
        import os, pathlib, warnings
        source = pathlib.Path("mod.py")
        if {changed}:
            source.write_text(source.read_text() + "MORE = 1\\n")
        os.utime(source, (2e9, 2e9))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            import mod
        print([str(one.message).rpartition(" has changed since ")[0].rpartition("/")[2] for one in caught])
    """
    assert python(script.format(changed=False), tmp_path) == "[]\n"
    assert python(script.format(changed=True), tmp_path) == "['mod.py']\n"


def test_code_of_another_cpython(folder: Path) -> None:
    other = next(name for name in ("3.11", "3.12") if name != f"{sys.version_info[0]}.{sys.version_info[1]}")
    done = castiron("build", "mod.py", "-o", "other", "--no-source", "--python", other, folder=folder.parent)
    assert done.returncode == 2
    assert f"run castiron with CPython {other}, or leave --no-source out" in done.stderr


def test_code_of_another_release(tmp_path: Path) -> None:
    with pytest.raises(ImportError, match="was built without its source by another CPython"):
        _unpacked(b"what another release writes", str(tmp_path / "mod.py"))


def test_the_same_bytes(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere, {"mod.py": MODULE})
    assert castiron("build", "mod.py", "-o", "out", "--no-source", "--everything", folder=elsewhere).returncode == 0
    one, other = (next((place / "out").iterdir()).read_bytes() for place in (folder.parent, elsewhere))
    assert one == other
