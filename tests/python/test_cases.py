"""Each case of `tests/cases/run` behaves the same plain and compiled, was entered natively, and leaks nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def runs_here(case: Path) -> bool:
    """Whether this Python knows the case's syntax, as its header says."""
    since = re.search(r"^# since: (\d+)\.(\d+)$", case.read_text(), re.MULTILINE)
    return since is None or sys.version_info >= tuple(map(int, since.groups()))


CASES = [case for case in sorted((HERE.parent / "cases" / "run").glob("*.py")) if runs_here(case)]
SECONDS = 300

FORCED = ("generic", "exit:1", "exit:2")

forced_modes = pytest.mark.skipif(
    sys.version_info[:2] != (3, 12) and not os.environ.get("CASTIRON_TEST_ALL"),
    reason="the forced modes run on one CPython, and on all with CASTIRON_TEST_ALL=1",
)

on_elf = pytest.mark.skipif(
    not sys.platform.startswith("linux") or "x86_64" not in sysconfig.get_platform(),
    reason="only x86-64 ELF objects are linked in process",
)

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)


def run(mode: str, case: Path, force: str = "") -> dict[str, Any]:
    environment = {**os.environ, "CASTIRON_STRICT": "1", "PYTHONHASHSEED": "0", "CASTIRON_FORCE": force or "native"}
    command = [sys.executable, str(HERE / "run_case.py"), mode, str(case)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return dict(json.loads(done.stdout.splitlines()[-1]))


@every_case
def test_same_as_plain(case: Path) -> None:
    plain, compiled = run("plain", case), run("jit", case)
    functions = compiled.pop("functions")
    assert compiled["stdout"].splitlines() == plain["stdout"].splitlines()
    assert compiled == plain
    for name, (native, calls, explanation) in functions.items():
        assert native, f"{name} was not compiled\n{explanation}"
        assert calls > 0, f"{name} was never entered natively\n{explanation}"


@on_elf
@every_case
def test_same_as_plain_when_built(case: Path) -> None:
    plain, compiled = run("plain", case), run("built", case)
    functions = compiled.pop("functions")
    assert compiled["stdout"].splitlines() == plain["stdout"].splitlines()
    assert compiled == plain
    for name, (native, _, explanation) in functions.items():
        assert native, f"{name} was not compiled\n{explanation}"


@forced_modes
@every_case
@pytest.mark.parametrize("force", FORCED)
def test_same_as_plain_when_bets_are_lost(case: Path, force: str) -> None:
    plain, compiled = run("plain", case), run("jit", case, force)
    functions = compiled.pop("functions")
    assert compiled["stdout"].splitlines() == plain["stdout"].splitlines()
    assert compiled == plain
    for name, (native, calls, explanation) in functions.items():
        assert native, f"{name} was not compiled\n{explanation}"
        assert calls > 0, f"{name} was never entered natively\n{explanation}"


@every_case
def test_no_leak(case: Path) -> None:
    assert run("leaks", case)["grown"] < 150


@forced_modes
@every_case
def test_no_leak_in_the_generic_version(case: Path) -> None:
    assert run("leaks", case, "generic")["grown"] < 150
