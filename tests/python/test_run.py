"""`castiron run`: the same as `python`, in two runs, and what becomes of the disk cache between them."""

from __future__ import annotations

import os
import shutil
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

FILES = {
    "helper.py": """
        import sys

        def work(n):
            s = 0
            for i in range(n):
                s += i * i
            return s

        def boom(n):
            for i in range(n):
                if i == 3:
                    raise ValueError(i)

        class Kept:
            def __init__(self, n):
                self.n = n

            def total(self):
                s = 0
                for i in range(self.n):
                    s += i
                return s
    """,
    "main.py": """
        import sys, pickle
        import helper

        def local(n):
            s = 0
            for i in range(n):
                s += i
            return s

        class Point:
            pass

        print(sys.argv, __name__, __file__, sys.path[0], __spec__, __package__, __doc__, sorted(globals())[:12])
        print(local(10), helper.work(10), helper.Kept(4).total(), helper.__file__, helper.__spec__.origin)
        print(type(pickle.loads(pickle.dumps(Point()))) is Point, sys.modules["__main__"].local is local)
        what = sys.argv[1] if len(sys.argv) > 1 else ""
        if what == "exit":
            sys.exit(7)
        if what == "message":
            sys.exit("so long")
        if what == "interrupt":
            raise KeyboardInterrupt
        if what == "raise":
            helper.boom(9)
        if what == "native":
            import castiron
            print(castiron.is_compiled(local), castiron.is_compiled(helper.work))
    """,
    "wrong.py": "x = 1\ndef f(:\n",
    "pack/__init__.py": "",
    "pack/__main__.py": """
        import sys
        from . import part
        print(sys.argv[1:], __name__, __package__, __spec__.name, part.twice(4))
        print(sys.argv[0].endswith("__main__.py"))
    """,
    "pack/part.py": """
        def twice(n):
            s = 0
            for i in range(n):
                s += 2 * i
            return s
    """,
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with a program."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path


def run(*words: str, folder: Path, **environment: str) -> tuple[int, str, str]:
    environment = {**os.environ, "CASTIRON_CACHE": str(folder / "cache"), **environment}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    return done.returncode, done.stdout, done.stderr


def castiron_run(*words: str, folder: Path, **environment: str) -> tuple[int, str, str]:
    return run("-m", "castiron", "run", *words, folder=folder, **environment)


@pytest.mark.parametrize("what", ["", "exit", "message", "interrupt", "raise"])
def test_a_script_runs_as_python_runs_it(program: Path, what: str) -> None:
    words = ("main.py", *([what] if what else []), "--flag", "-m")
    expected = run(*words, folder=program)
    assert castiron_run(*words, folder=program) == expected
    assert castiron_run(*words, folder=program) == expected
    assert expected[0] == {"": 0, "exit": 7, "message": 1, "interrupt": -2, "raise": 1}[what]


def test_a_module_runs_as_python_runs_it(program: Path) -> None:
    expected = run("-m", "pack", "a", "-b", folder=program)
    assert castiron_run("-m", "pack", "a", "-b", folder=program) == expected
    assert castiron_run("-m", "pack", "a", "-b", folder=program) == expected
    assert expected[0] == 0


def test_a_syntax_error_is_shown_as_python_shows_it(program: Path) -> None:
    assert castiron_run("wrong.py", folder=program) == run(str(program / "wrong.py"), folder=program)


def test_functions_run_as_machine_code_in_both_runs(program: Path) -> None:
    for _ in range(2):
        assert castiron_run("main.py", "native", folder=program)[1].endswith("True True\n")
    assert castiron_run("main.py", "native", folder=program, CASTIRON="off")[1].endswith("False False\n")


def test_the_cache_is_private_and_used_again(program: Path) -> None:
    castiron_run("main.py", folder=program)
    cache = program / "cache"
    assert cache.stat().st_mode & 0o777 == 0o700
    files = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert sorted(path.suffix for path in files) == [".code", ".code", ".so", ".so"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    castiron_run("main.py", folder=program)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == files
    (program / "helper.py").write_text(textwrap.dedent(FILES["helper.py"]).replace("i * i", "i * i * i"))
    expected = run("main.py", folder=program)
    assert castiron_run("main.py", folder=program) == expected
    assert len(list(cache.iterdir())) == 6
    done = run("-m", "castiron", "clean", "--cache", folder=program)
    assert done[1].startswith("removed  3 modules")
    assert not list(cache.iterdir())


def test_damaged_entries_are_made_anew(program: Path) -> None:
    expected = castiron_run("main.py", "native", folder=program)
    for path in (program / "cache").iterdir():
        whole = path.read_bytes()
        for place in (0, 100, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
            assert castiron_run("main.py", "native", folder=program) == expected
        path.write_bytes(whole[: len(whole) // 2])
        assert castiron_run("main.py", "native", folder=program) == expected
        assert path.read_bytes() == whole


def test_a_cache_that_others_may_write_is_not_used(program: Path) -> None:
    expected = castiron_run("main.py", "native", folder=program)
    shutil.rmtree(program / "cache")
    (program / "cache").mkdir()
    (program / "cache").chmod(0o777)
    assert castiron_run("main.py", "native", folder=program) == expected
    assert not list((program / "cache").iterdir())
    (program / "file").write_text("")
    assert castiron_run("main.py", "native", folder=program, CASTIRON_CACHE=str(program / "file")) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected a script"),
        (["--what"], "--what is unknown"),
        (["missing.py"], "can't open file 'missing.py': No such file or directory"),
        (["-m", "no_such_module"], "No module named no_such_module"),
        (["."], "is a directory"),
    ],
)
def test_bad_questions(program: Path, words: list[str], message: str) -> None:
    code, _, said = castiron_run(*words, folder=program)
    assert code == 2
    assert message in said
    assert "Traceback" not in said
