"""`castiron check`, `dump` and `doctor`."""

from __future__ import annotations

import json

import pytest

from castiron.__main__ import main

TEXT = """\
def good(n: int) -> float:
    return n / 2


class C:
    def generator(self, n: int):
        yield n
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "example.py"
    path.write_text(TEXT)
    return str(path)


def test_check_names_every_function_and_why_it_is_not_native(file, capsys):
    assert main(["check", file]) == 1
    out = capsys.readouterr().out
    assert f"native    {file}:1  good(n: int) -> float" in out
    assert f"bytecode  {file}:6  C.generator(self: object, n: int) -> object" in out
    assert "error[yield]: a generator can't be compiled yet" in out
    assert out.endswith("1 of 2 functions native\n")


def test_check_as_json(file, capsys):
    assert main(["check", "--json", file]) == 1
    (report,) = json.loads(capsys.readouterr().out)
    assert report["file"] == file
    good, generator = report["functions"]
    assert good == {"name": "good", "line": 1, "signature": "(n: int) -> float", "native": True, "reasons": []}
    assert generator["reasons"][0]["code"] == "yield"
    assert generator["reasons"][0]["line"] == 7


def test_check_of_native_functions_only(tmp_path, capsys):
    path = tmp_path / "fine.py"
    path.write_text("def f(n: int) -> int:\n    return n\n")
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out.endswith("1 of 1 function native\n")


def test_check_of_a_syntax_error(tmp_path, capsys):
    path = tmp_path / "broken.py"
    path.write_text("def f(:\n    pass\n")
    assert main(["check", str(path)]) == 2
    out = capsys.readouterr().out
    assert "error[syntax-error]" in out
    assert f"{path}:1:" in out


def test_check_of_a_missing_file(tmp_path, capsys):
    assert main(["check", str(tmp_path / "none.py")]) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("stage", "text"),
    [("ast", "FunctionDef"), ("ir", "int.true_div"), ("clif", "function u0:"), ("asm", "ret")],
)
def test_dump(file, capsys, stage, text):
    assert main(["dump", "--stage", stage, f"{file}:good"]) == 0
    assert text in capsys.readouterr().out


def test_dump_after_passes(file, capsys):
    assert main(["dump", "--all-passes", f"{file}:good"]) == 0
    every = capsys.readouterr().out
    assert every.index("; after build") < every.index("; after specialise") < every.index("; after insert-counts")
    assert main(["dump", "--after", "build", f"{file}:good"]) == 0
    assert "object.binary" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{file}:missing"], "has no function missing; it has: good, C.generator"),
        (["{file}:C.generator"], "error[yield]"),
        (["example"], "expected FILE:FUNC"),
        (["--after", "nothing", "{file}:good"], "there is no pass nothing"),
        (["--stage", "asm", "--all-passes", "{file}:good"], "belong to --stage ir"),
    ],
)
def test_dump_of_what_there_is_not(file, capsys, arguments, message):
    assert main(["dump", *(argument.format(file=file) for argument in arguments)]) == 2
    assert message in capsys.readouterr().err


def test_dumps_are_the_same_each_time(file, capsys):
    texts = []
    for _ in range(2):
        for stage in ("ir", "clif", "asm"):
            main(["dump", "--stage", stage, f"{file}:good"])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_doctor(capsys):
    assert main(["doctor"]) == 0
    assert "the struct layouts of 3." in capsys.readouterr().out
