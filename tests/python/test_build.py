"""`castiron build` and `castiron clean`: what is built is imported in a fresh process and behaves as its source."""

from __future__ import annotations

import json
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

FILES = {
    "shapes/__init__.py": '"""Shapes."""\nfrom .area import disc\nfrom . import sub\n',
    "shapes/area.py": '''\
        """Areas."""
        FACTOR = 1


        def disc(r: float, times: int) -> float:
            """The area of discs."""
            total = 0.0
            for _ in range(times):
                total += 3.0 * r * r
            return total * FACTOR


        def quotient(n: int, steps: int) -> int:
            for k in range(steps):
                n = n // (steps - k - 1)
            return n


        class Named:
            def name(self):
                return type(self).__name__
    ''',
    "shapes/sub/__init__.py": "from ..area import disc\nTWO = disc(1.0, 2)\n",
    "shapes/__main__.py": "from shapes import disc\nprint(__name__, disc(1.0, 1))\n",
    "shapes/words.txt": "hello\n",
    "shapes/not-a-module.py": "print('a script')\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def castiron(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "castiron", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def python(script: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", textwrap.dedent(script)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """A folder with the package's source in `src` and what it was built into in `out`."""
    write(tmp_path / "src", FILES)
    done = castiron("build", "src/shapes", "-o", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 of 4 modules built" in done.stdout
    return tmp_path


def test_what_stands_in_the_output(shapes: Path) -> None:
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    found = {str(path.relative_to(shapes / "out")) for path in (shapes / "out").rglob("*") if path.is_file()}
    assert found == {
        f"shapes/__init__{suffix}",
        f"shapes/area{suffix}",
        f"shapes/sub/__init__{suffix}",
        "shapes/__main__.py",
        "shapes/not-a-module.py",
        "shapes/words.txt",
    }
    assert not list((shapes / "src").rglob("*.so"))


def test_the_package_behaves_as_its_source(shapes: Path) -> None:
    script = """
        import importlib, importlib.resources, inspect, linecache, pickle, traceback
        import shapes, shapes.area as area
        print(shapes.__doc__, area.__doc__, shapes.__path__ != [], shapes.sub.TWO, area.__spec__.name, area.__package__)
        print(area.disc(2.0, 3), area.disc(2, 3), area.disc.__module__, area.disc.__qualname__)
        print((importlib.resources.files("shapes") / "words.txt").read_text())
        print(inspect.getsource(area.disc), inspect.getsource(area.Named.name))
        print(pickle.loads(pickle.dumps(area.Named())).name(), pickle.loads(pickle.dumps(area.disc)) is area.disc)
        try:
            area.quotient(5, 3)
        except ZeroDivisionError as error:
            frames = traceback.extract_tb(error.__traceback__)
            print([(frame.lineno, frame.name, frame.line) for frame in frames][1:], frames[-1].filename[-8:])
        area.FACTOR = 10
        print(area.disc(1.0, 1))
        before, old = area.Named, area.disc
        print(importlib.reload(area) is area, area.FACTOR, area.Named is before, area.disc is old, area.disc(1.0, 1))
        area.FACTOR = 3
        print(old(1.0, 1), area.disc(1.0, 1))
    """
    assert python(script, shapes / "out") == python(script, shapes / "src")


def test_functions_run_as_machine_code_also_when_executed_again(shapes: Path) -> None:
    script = """
        import importlib, castiron
        import shapes.area as area
        print(area.__file__.endswith(".so"), castiron.is_compiled(area.disc))
        importlib.reload(area)
        print(castiron.is_compiled(area.disc), castiron.is_compiled(area.quotient))
    """
    if sys.version_info >= (3, 12):
        assert python(script, shapes / "out") == "True True\nTrue True\n"
    assert python(script, shapes / "out", CASTIRON="off") == "True False\nFalse False\n"


def test_the_package_runs(shapes: Path) -> None:
    outputs = [
        subprocess.run([sys.executable, "-m", "shapes"], cwd=shapes / where, capture_output=True, text=True, check=True)
        for where in ("src", "out")
    ]
    assert outputs[0].stdout == outputs[1].stdout == "__main__ 3.0\n"


@pytest.mark.parametrize("file", ["mod.py", "mod/__init__.py"])
def test_in_place_the_native_module_wins_and_says_when_it_is_old(tmp_path: Path, file: str) -> None:
    write(tmp_path, {file: "def f(n: int) -> int:\n    return n + 1\n"})
    assert castiron("build", file, folder=tmp_path).returncode == 0
    script = "import mod; print(mod.__file__.rpartition('.')[2], mod.f(1), mod.f.__code__.co_filename)"
    source = tmp_path / file
    assert python(script, tmp_path) == f"so 2 {source}\n"
    source.write_text("def f(n: int) -> int:\n    return n + 2\n")
    later = source.stat().st_mtime + 100
    os.utime(source, (later, later))
    said = python(script, tmp_path)
    assert said.startswith(f"so 2 {source}\n")
    assert "RuntimeWarning" in said
    assert "castiron clean" in said
    done = castiron("clean", ".", folder=tmp_path)
    assert done.returncode == 0
    assert done.stdout.count("removed") == 1
    assert python(script, tmp_path) == f"py 3 {source}\n"


def test_clean_leaves_foreign_extension_modules_alone(tmp_path: Path) -> None:
    (tmp_path / "other.so").write_bytes(b"\x7fELF something else")
    assert castiron("clean", ".", folder=tmp_path).stdout == ""
    assert (tmp_path / "other.so").exists()


def test_a_syntax_error_fails_its_module_alone(tmp_path: Path) -> None:
    write(tmp_path, {"good.py": "def f(n: int) -> int:\n    return n + 1\n", "bad.py": "def f(:\n"})
    done = castiron("build", ".", "-o", "out", folder=tmp_path)
    assert done.returncode == 1
    assert "bad.py" in done.stderr
    assert "1 of 2 modules built" in done.stdout
    assert [path.name.partition(".")[0] for path in (tmp_path / "out").iterdir()] == ["good"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.py"], "missing.py: no such file or directory"),
        (["words.txt"], "expected a Python file (.py) or a directory"),
        (["a/mod.py", "b/mod.py", "-o", "out"], "would both become"),
    ],
)
def test_bad_questions(tmp_path: Path, arguments: list[str], message: str) -> None:
    write(tmp_path, {"words.txt": "", "a/mod.py": "", "b/mod.py": ""})
    done = castiron("build", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_json(tmp_path: Path) -> None:
    write(tmp_path, {"mod.py": FILES["shapes/area.py"]})
    done = castiron("build", "mod.py", "--json", folder=tmp_path)
    (module,) = json.loads(done.stdout)
    assert module["module"] == "mod"
    assert module["native"] == ["disc", "quotient"]
    assert [(function["name"], function["line"]) for function in module["bytecode"]] == [("Named.name", 20)]
    assert [reason["code"] for reason in module["bytecode"][0]["reasons"]] == ["nothing-gained"]
    assert module["bytes"] == Path(module["output"]).stat().st_size


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    write(tmp_path, {"mod.py": "def f(n: int) -> int:\n    return n + 1\n"})
    assert castiron("build", "mod.py", "--everything", folder=tmp_path).returncode == 0
    (built,) = tmp_path.glob("*.so")
    before = built.read_bytes()
    (tmp_path / "mod.py").write_text("def g(n: int) -> int:\n    return n + 2\n")
    script = f"""
        import resource, signal, sys
        from castiron.__main__ import main
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2}, {len(before) // 2}))
        sys.exit(main(["build", "mod.py", "--everything"]))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert built.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["mod.py", built.name])
    assert castiron("build", "mod.py", "--everything", folder=tmp_path).returncode == 0
    assert built.read_bytes() != before


def test_what_is_current_is_not_built_again(shapes: Path) -> None:
    done = castiron("build", "src/shapes", "-o", "out", folder=shapes)
    assert "0 of 4 modules built, 3 current" in done.stdout
    (shapes / "src" / "shapes" / "sub" / "__init__.py").write_text("TWO = 2.0\n")
    (area,) = (shapes / "out" / "shapes").glob("area.*.so")
    damaged = bytearray(area.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    area.write_bytes(damaged)
    done = castiron("build", "src/shapes", "-o", "out", folder=shapes)
    assert "2 of 4 modules built, 1 current" in done.stdout
    for option in (["--enforce"], ["--cpu", "native"]):
        assert "3 of 4 modules built" in castiron("build", "src/shapes", "-o", "out", *option, folder=shapes).stdout


def test_built_for_this_processor(shapes: Path) -> None:
    script = "import shapes.area as area; print(area.disc(2.0, 3), area.disc(1.5, 7))"
    expected = python(script, shapes / "out")
    castiron("build", "src/shapes", "-o", "out", "--cpu", "native", folder=shapes)
    assert python(script, shapes / "out") == expected


def test_a_damaged_file_is_an_import_error(shapes: Path) -> None:
    (area,) = (shapes / "out" / "shapes").glob("area.*.so")
    damaged = bytearray(area.read_bytes())
    damaged[-20] ^= 1
    area.write_bytes(damaged)
    script = """
        try:
            import shapes.area
        except ImportError as error:
            print(str(error).rpartition("/")[2])
    """
    assert python(script, shapes / "out") == f"{area.name} is damaged: build it again with `castiron build`\n"


def test_another_version_of_python(tmp_path: Path) -> None:
    write(tmp_path, {"mod.py": FILES["shapes/area.py"]})
    running = sys.version_info[:2]
    for version in ("3.11", "3.12", "3.13"):
        assert castiron("build", "mod.py", "-o", "out", "--python", version, folder=tmp_path).returncode == 0
    names = sorted(path.name.split(".")[1] for path in (tmp_path / "out").iterdir())
    assert [name.split("-")[1] for name in names] == ["311", "312", "313"]
    assert python("import mod; print(mod.disc(1.0, 2))", tmp_path / "out") == "6.0\n"
    other = next(path for path in (tmp_path / "out").iterdir() if f"-3{running[1]}-" not in path.name)
    other.rename(tmp_path / "mod.so")
    (tmp_path / "mod.py").unlink()
    script = """
        try:
            import mod
        except ImportError as error:
            print(error)
    """
    said = python(script, tmp_path)
    assert said.startswith("mod was built for CPython 3.")
    assert f"build it again with this one, or with --python {running[0]}.{running[1]}" in said
    assert castiron("build", "mod.py", "--python", "3.9", folder=tmp_path).returncode == 2


def test_builds_at_the_same_time_leave_whole_files(tmp_path: Path) -> None:
    write(tmp_path, {f"pack/m{number}.py": FILES["shapes/area.py"] for number in range(6)})
    write(tmp_path, {"pack/__init__.py": ""})
    command = [sys.executable, "-m", "castiron", "build", "pack", "-o", "out"]
    running = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    script = "import pack.m0, pack.m5; print(pack.m0.disc(1.0, 1), pack.m5.disc(1.0, 1))"
    assert python(script, tmp_path / "out") == "3.0 3.0\n"
    assert len(list((tmp_path / "out" / "pack").iterdir())) == 7


def test_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path, {"mod.py": FILES["shapes/area.py"]})
    for folder in ("a", "b"):
        assert castiron("build", "mod.py", "-o", folder, folder=tmp_path).returncode == 0
    first, second = (next((tmp_path / folder).iterdir()).read_bytes() for folder in ("a", "b"))
    assert first == second
