"""Functions of unusual size compile, or stay bytecode for a counted reason, in time that grows with their size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.native

#: Twice the size may take so many times as long: linear, with room for a loaded machine.
MOST_GROWTH = 5.0

#: What takes less CPU time than this is not compared.
LEAST_SECONDS = 0.3

PROGRAM = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
import castiron
import big
began = time.process_time()
compiled = castiron.jit(big.f, eager=True)
seconds = time.process_time() - began
reasons = list(castiron.explain(compiled).reasons)
print(json.dumps([hash(compiled(7)) == hash(big.f(7)), castiron.is_compiled(compiled), reasons, seconds]))
"""


def lines(count: int) -> str:
    return (
        "def f(x):\n" + "".join(f"    x = (x * 3 + {number}) % 1000003\n" for number in range(count)) + "    return x\n"
    )


def mixed_lines(count: int) -> str:
    body = "".join(
        f"    d[{number}] = x\n    if x > {number}:\n        x = len(d) - d.get({number}, 0)\n"
        for number in range(count // 3)
    )
    return f"def f(x):\n    d = {{}}\n{body}    return x\n"


def local_variables(count: int) -> str:
    body = "".join(f"    v{number} = x + {number}\n" for number in range(count))
    return f"def f(x):\n{body}    return v0 + v{count - 1}\n"


def cases(count: int) -> str:
    body = "".join(f"        case {number}, *_, y:\n            return y\n" for number in range(count))
    return f"def f(x):\n    match [{count - 1}, x, x]:\n{body}    return None\n"


def alternatives(count: int) -> str:
    body = "".join(f"    elif x == {number + 100}:\n        y = {number}\n" for number in range(count))
    return f"def f(x):\n    y = 0\n    if x == 1:\n        y = 1\n{body}    return y\n"


def nested(count: int) -> str:
    # CPython takes 100 levels of indentation.
    body = "".join(f"{' ' * (level + 1)}if x > {level - count}:\n" for level in range(count))
    return f"def f(x):\n{body}{' ' * (count + 1)}return x\n return None\n"


def nested_blocks(count: int) -> str:
    # CPython takes 20 blocks.
    heads = ("for a in (1,):", "try:", "while True:", "with open(__file__):")
    text, ends = "def f(x):\n", ""
    for level in range(count):
        head = heads[level % len(heads)]
        indent = " " * (level + 1)
        text += f"{indent}{head}\n"
        if head == "try:":
            ends = f"{indent}finally:\n{indent} x += 1\n{ends}"
        elif head.startswith("while"):
            ends = f"{indent} break\n{ends}"
    return f"{text}{' ' * (count + 1)}x += 1\n{ends} return x\n"


def operands_in_a_row(count: int) -> str:
    return f"def f(x):\n    return {' and '.join(f'x != {number + 100}' for number in range(count))}\n"


def text_literal(count: int) -> str:
    return f"def f(x):\n    return len({'a' * count!r}) + len({b'b' * count!r}) + x\n"


def list_literal(count: int) -> str:
    return f"def f(x):\n    return len([{', '.join(map(str, range(count)))}]) + x\n"


def dict_literal(count: int) -> str:
    return f"def f(x):\n    return len({{{', '.join(f'{number}: x' for number in range(count))}}})\n"


def trys(count: int) -> str:
    body = "".join(
        f"    try:\n        x = 7 // (x - x % 7 - {number})\n    except ZeroDivisionError as e:\n        x = {number}\n"
        for number in range(count)
    )
    return f"def f(x):\n{body}    return x\n"


SIZES = [
    (lines, 5_000),
    (mixed_lines, 5_000),
    (local_variables, 2_500),
    (cases, 500),
    (alternatives, 1_000),
    (nested, 48),
    (nested_blocks, 10),
    (operands_in_a_row, 1_000),
    (text_literal, 500_000),
    (list_literal, 50_000),
    (dict_literal, 10_000),
    (trys, 500),
]


def compiled(folder: Path, text: str) -> tuple[bool, list[str], float]:
    """Whether the function was compiled, why not, and the CPU seconds that it took to find out."""
    folder.mkdir()
    (folder / "big.py").write_text(text)
    environment = {**os.environ, "CASTIRON_STRICT": "", "CASTIRON_FORCE": "native"}
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    same, native, reasons, seconds = json.loads(done.stdout)
    assert same, "another result"
    return native, reasons, seconds


@pytest.mark.parametrize(("text_of", "size"), SIZES, ids=[text_of.__name__ for text_of, _ in SIZES])
def test_time_grows_with_the_size(tmp_path, text_of, size):
    _, _, half = compiled(tmp_path / "half", text_of(size))
    native, reasons, whole = compiled(tmp_path / "whole", text_of(2 * size))
    assert native or any(
        "too many" in reason or "too large" in reason or "more than" in reason for reason in reasons
    ), reasons
    assert whole < max(MOST_GROWTH * half, LEAST_SECONDS), f"{half:.2f} s, then {whole:.2f} s ({reasons})"
    print(f"{text_of.__name__}: {half:.2f} s, {whole:.2f} s, {'native' if native else reasons}")
