"""Input that can't be compiled: a clear error or a silent, correct fallback with its reason; no crash, no hang."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from castiron import TypeCheckError, explain, is_compiled, jit

HEADER = "from castiron import jit\n"


def reason_of(function):
    assert not is_compiled(function)
    reasons = explain(function).reasons
    assert reasons
    return "\n".join(reasons)


def test_exec_has_no_source():
    names = {"jit": jit}
    exec("@jit\ndef f(n: int) -> int:\n    return n + 1\n", names)
    assert names["f"](1) == 2
    assert "no source file" in reason_of(names["f"])
    with pytest.raises(TypeCheckError):
        names["f"]("1")


def test_a_lambda_is_not_compiled(module_of):
    module = module_of(HEADER + "f = jit(lambda n: n + 1)\n")
    assert module.f(1) == 2
    assert "lambda" in reason_of(module.f)


def test_a_file_edited_after_import(module_of):
    module = module_of("def f(n: int) -> int:\n    return n + 1\n")
    Path(module.__file__).write_text("\n\ndef f(n: int) -> int:\n    return n + 2\n")
    f = jit(module.f)
    assert f(1) == 2
    assert "edited" in reason_of(f)


def test_a_file_removed_after_import(module_of):
    module = module_of("def f(n: int) -> int:\n    return n + 1\n")
    os.remove(module.__file__)
    f = jit(module.f)
    assert f(1) == 2
    assert "can't be read" in reason_of(f)


def test_a_file_broken_after_import(module_of):
    module = module_of("def f(n: int) -> int:\n    return n + 1\n")
    Path(module.__file__).write_text("def f(:\n")
    f = jit(module.f)
    assert f(1) == 2
    assert "does not compile" in reason_of(f)


def test_rewritten_assertions_are_noticed():
    def f(n: int) -> int:
        assert n > 0
        return n

    assert jit(f)(1) == 1
    assert "edited or rewritten" in reason_of(f)


def test_an_annotation_that_does_not_resolve(module_of):
    module = module_of(HEADER + "@jit\ndef f(n: 'Missing') -> 'int':\n    return n + 1\n")
    assert module.f(1) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("    yield n\n", "yield"),
        ("    return locals()\n", "frame-inspection"),
    ],
)
def test_what_the_compiler_does_not_take(module_of, body, code):
    module = module_of(f"{HEADER}@jit\ndef f(n: int):\n{body}")
    assert f"error[{code}]" in reason_of(module.f)
    with pytest.raises(TypeCheckError):
        module.f("x")


@pytest.mark.parametrize(
    ("body", "is_native"),
    [
        ("    return n.real\n", False),
        ("    return {n, n}\n", False),
        ("    import os\n    return os.sep\n", False),
        ("    for i in range(n):\n        xs[i] = xs[i] + xs[i - 1]\n    return n\n", False),
        ("    for i in range(n):\n        n = n * 3 + i & 0xFFFF\n    return xs[0] + n\n", True),
        ("    return n + 1\n", True),
    ],
)
def test_work_on_objects_stays_bytecode(module_of, body, is_native):
    module = module_of(f"{HEADER}@jit\ndef f(n: int, xs=None):\n{body}")
    reason = reason_of(module.f)
    assert ("error[nothing-gained]" not in reason) is is_native, reason


def test_annotations_that_the_text_does_not_show(module_of):
    text = "def f(s, n: int) -> int:\n    return n + 1\nf.__annotations__['s'] = str\nf = jit(f)\n"
    module = module_of(HEADER + text)
    assert module.f("a", 1) == 2
    with pytest.raises(TypeCheckError):
        module.f(1, 1)


def test_variadic_parameters(module_of):
    module = module_of(HEADER + "@jit\ndef f(*args: int) -> int:\n    return len(args)\n")
    assert module.f(1, 2) == 2
    assert is_compiled(module.f)
    with pytest.raises(TypeCheckError):
        module.f(1, "x")


def test_a_closure(module_of):
    text = HEADER + "def make(k):\n    @jit\n    def f(n: int) -> int:\n        return n + k\n    return f\n"
    f = module_of(text).make(5)
    assert f(1) == 6
    assert is_compiled(f)
    with pytest.raises(TypeCheckError):
        f("x")


def test_a_ten_thousand_line_function(module_of):
    lines = "".join(f"    x = x * 3 + {n} & 0xFFFF\n" for n in range(10_000))
    module = module_of(f"{HEADER}@jit\ndef f(x: int) -> int:\n{lines}    return x\n")
    names = {}
    exec(f"def f(x):\n{lines}    return x\n", names)
    assert module.f(5) == names["f"](5)
    assert module.f(2**80) == names["f"](2**80)


@pytest.mark.parametrize("text", ["(" * 100_000 + "1" + ")" * 100_000, "-" * 100_000 + "1", "1" + "+1" * 100_000])
def test_a_hundred_thousand_deep_expression(tmp_path, text):
    path = tmp_path / "deep.py"
    path.write_text(f"{HEADER}@jit\ndef f(n: int) -> int:\n    return {text}\n\nprint(f(1))\n")
    runs = [
        subprocess.run(
            [sys.executable, str(path)],
            capture_output=True,
            text=True,
            env={**os.environ, "CASTIRON": mode},
            timeout=120,
        )
        for mode in ("off", "on")
    ]
    plain, compiled = ((run.returncode, run.stdout, run.stderr.splitlines()[-1:]) for run in runs)
    assert plain == compiled
    checked = subprocess.run(
        [sys.executable, "-m", "castiron", "check", str(path)], capture_output=True, text=True, timeout=120
    )
    assert checked.returncode in (0, 1, 2)
    assert "panicked" not in checked.stderr


def test_source_from_a_zip_archive(tmp_path):
    import zipfile

    archive = tmp_path / "library.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped.py", HEADER + "@jit\ndef f(n: int) -> int:\n    return n + 1\n")
    text = f"""
        import sys
        sys.path.insert(0, {str(archive)!r})
        import zipped, castiron
        print(zipped.f(1), castiron.is_compiled(zipped.f))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "True"]


@pytest.mark.parametrize(
    ("prefix", "comment"),
    [(b"\xef\xbb\xbf", "ascii"), (b"# -*- coding: latin-1 -*-\n", "\xe4\xf6\xfc"), (b"", "\u4e2d\u6587")],
)
def test_encodings_and_line_ends(tmp_path, prefix, comment):
    encoding = "latin-1" if b"latin" in prefix else "utf-8"
    text = f"{HEADER}# {comment}\n@jit\ndef f(n: int) -> int:\n    return n + 1\n".replace("\n", "\r\n")
    (tmp_path / "encoded.py").write_bytes(prefix + text.encode(encoding))
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import encoded, castiron\n"
        "print(encoded.f(1), castiron.is_compiled(encoded.f))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "True"]


@pytest.mark.parametrize(
    ("mode", "compiled", "checked"), [("off", False, False), ("typed", False, True), ("on", True, True)]
)
def test_the_switch(tmp_path, mode, compiled, checked):
    (tmp_path / "switched.py").write_text(HEADER + "@jit\ndef f(n: int) -> int:\n    return n\n")
    script = """
        import castiron, switched
        switched.f(1)
        try:
            switched.f("x")
        except castiron.TypeCheckError:
            print("checked")
        print("compiled", castiron.is_compiled(switched.f))
    """
    environment = {**os.environ, "CASTIRON": mode, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True, env=environment
    )
    assert ("checked" in done.stdout) == checked
    assert f"compiled {compiled}" in done.stdout


def test_a_wrong_switch_is_an_error():
    environment = {**os.environ, "CASTIRON": "maybe"}
    done = subprocess.run([sys.executable, "-c", "import castiron"], capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert "must be on, typed or off" in done.stderr
