"""The protocol of `benches/programs`: each program has a twin of another structure with the same answers.

What the programs compute is checked where they run (`benches/run.py --smoke`); this looks at their texts.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).resolve().parents[2] / "benches" / "programs"
FOLDERS = sorted(folder.name for folder in PROGRAMS.iterdir() if folder.is_dir())
NUMBERS = ("N_SMALL", "N_BENCH", "EXPECTED_SMALL")


def parsed(folder: str, name: str) -> ast.Module:
    return ast.parse((PROGRAMS / folder / name).read_text())


def numbers(module: ast.Module) -> dict[str, object]:
    """The values that the protocol asks for."""
    found = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in NUMBERS:
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def functions(module: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]


def body(function: ast.FunctionDef) -> str:
    return ast.dump(ast.Module(function.body, []))


def test_there_are_programs():
    assert len(FOLDERS) >= 17


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("name", ["plain.py", "twin.py"])
def test_a_program_says_what_it_is_and_runs_a_given_size(folder, name):
    module = parsed(folder, name)
    assert ast.get_docstring(module)
    assert set(numbers(module)) == set(NUMBERS)
    (run,) = (node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "run")
    assert run.args.args[0].arg == "n"
    assert len(run.args.defaults) == len(run.args.args) - 1


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_twin_does_the_same_work_in_another_structure(folder):
    plain, twin = parsed(folder, "plain.py"), parsed(folder, "twin.py")
    assert repr(numbers(twin)) == repr(numbers(plain))
    bodies = {body(function) for function in functions(plain)}
    assert not [function.name for function in functions(twin) if function.name != "run" and body(function) in bodies]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_twin_is_annotated_where_the_program_is(folder):
    annotated = {name: all(f.returns for f in functions(parsed(folder, name))) for name in ("plain.py", "twin.py")}
    assert annotated["plain.py"] == annotated["twin.py"] == (not folder.endswith("_untyped"))
