"""CPython's own tests, library module and test module compiled on import, against the same tests uncompiled.

    python tests/acceptance/cpython_tests.py [--force native] [--timeout 900] [--list] [NAME...]

Runs on the interpreter that runs the script, which must have the package `test`. Each test module runs in two fresh
processes, plain (`CASTIRON=off`) and compiled: there `castiron.compile_imports()` comes before all else that can be
compiled, and `CASTIRON_FORCE` (native unless told otherwise) has everything compiled that can be. What is compared is
the outcome of each test method. The table shows, for each module, the methods, those that differ, the functions that
were defined, entered, native, and the native share of calls; below it each method that differs, and how it ended.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

NAMES = [
    "grammar",
    "exceptions",
    "exception_group",
    "except_star",
    "with",
    "contextlib",
    "patma",
    "fstring",
    "scope",
    "unpack",
    "unpack_ex",
    "extcall",
    "keywordonlyarg",
    "positional_only_arg",
    "named_expressions",
    "listcomps",
    "dictcomps",
    "setcomps",
    "augassign",
    "compare",
    "class",
    "descr",
    "super",
    "property",
    "dataclasses",
    "enum",
    "functools",
    "collections",
    "heapq",
    "bisect",
    "json",
    "textwrap",
    "string",
    "statistics",
    "fractions",
    "decimal",
    "random",
    "argparse",
    "configparser",
    "csv",
    "ast",
    "tokenize",
    "typing",
]

MOST_DIFFERENCES = 60
LEAST_NATIVE = 95.0


class Outcomes(unittest.TestResult):
    """Notes how each test method ended."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def note(self, test: Any, outcome: str) -> None:
        name = test.id()
        if self.found.get(name, "ok") == "ok":
            self.found[name] = outcome

    def addSuccess(self, test: Any) -> None:  # noqa: N802 - unittest names it
        self.note(test, "ok")

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802 - unittest names it
        self.note(test, f"error: {said(err)}")

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802 - unittest names it
        self.note(test, f"failure: {said(err)}")

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802 - unittest names it
        self.note(test, f"skipped: {reason}")

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802 - unittest names it
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802 - unittest names it
        self.note(test, "unexpected success")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802 - unittest names it
        if err is not None:
            self.note(test, f"failure: {said(err)}")


def said(err: Any) -> str:
    kind, value, _ = err
    text = re.sub(r"0x[0-9a-f]+", "0x", f"{kind.__name__}: {value}")
    return text[:300]


def child(name: str, report: str) -> None:
    """Run one test module; write outcomes and counts."""
    if os.environ.get("CASTIRON") != "off":
        import castiron

        castiron.compile_imports()
    result = Outcomes()
    loader = unittest.TestLoader()
    package = name if importlib.util.find_spec(name).submodule_search_locations else None
    if package:
        folder = os.path.dirname(importlib.util.find_spec(name).origin)
        suite = loader.discover(folder, top_level_dir=str(Path(folder).parents[1]))
    else:
        suite = loader.loadTestsFromName(name)
    suite.run(result)
    counts: dict[str, Any] = {}
    if os.environ.get("CASTIRON") != "off":
        from castiron import _castiron

        counts = _castiron.import_counts()
        counts["stayed"] = sorted(f"{code.co_filename}:{code.co_qualname}" for code in counts["stayed"])
    Path(report).write_text(json.dumps({"found": result.found, "counts": counts}))


def outcome_of(name: str, mode: str, force: str, timeout: float) -> dict[str, Any]:
    """Run a test module in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "pydecorators"), "PYTHONHASHSEED": "0", "CASTIRON": mode}
        environment |= {"CASTIRON_STRICT": "1", "CASTIRON_FORCE": force if mode == "on" else ""}
        command = [sys.executable, __file__, "--child", name, "--report", str(report)]
        try:
            done = subprocess.run(
                command, env=environment, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return {"found": {}, "counts": {}, "died": f"no end after {timeout:.0f} s"}
        if report.exists() and done.returncode == 0:
            return dict(json.loads(report.read_text()))
        return {"found": {}, "counts": {}, "died": f"exit code {done.returncode}: {done.stderr[-600:]}"}


def compared(name: str, options: argparse.Namespace) -> tuple[list[str], dict[str, Any]]:
    """Run a module both ways: what differs, and the counts of the compiled run."""
    plain = outcome_of(name, "off", "", options.timeout)
    compiled = outcome_of(name, "on", options.force, options.timeout * 4)
    if "died" in compiled and "died" not in plain:
        return [f"{name}: the compiled run died: {compiled['died']}"], compiled
    differing = []
    for method in sorted(plain["found"].keys() | compiled["found"].keys()):
        before, after = plain["found"].get(method, "not run"), compiled["found"].get(method, "not run")
        if before.partition(":")[0] != after.partition(":")[0]:
            differing.append(f"{method}\n        plain:    {before}\n        compiled: {after}")
    return differing, {**compiled, "methods": len(plain["found"])}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="test modules without test_; all of the issue's by default")
    parser.add_argument("--force", default="native")
    parser.add_argument("--timeout", type=float, default=900, help="seconds for a plain run")
    parser.add_argument("--list", action="store_true", help="also name the functions that stayed bytecode")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--report", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.report)
        return 0
    if importlib.util.find_spec("test") is None:
        print("this interpreter has no package test")
        return 1
    differences: list[str] = []
    thin: list[str] = []
    titles = ("methods", "differ", "defined", "entered", "native", "share", "calls")
    print(f"{'module':24} {titles[0]:>7} {titles[1]:>6}", *(f"{title:>7}" for title in titles[2:5]), *titles[5:])
    for short in options.names or NAMES:
        name = f"test.test_{short}"
        if importlib.util.find_spec(name) is None:
            print(f"{short:24} is not among this interpreter's tests")
            continue
        differing, run = compared(name, options)
        counts = run.get("counts") or {"defined": 0, "entered": 0, "native": 0, "native_calls": 0, "bytecode_calls": 0}
        share = 100 * counts["native"] / max(counts["entered"], 1)
        calls = counts["native_calls"] + counts["bytecode_calls"]
        of_calls = 100 * counts["native_calls"] / max(calls, 1)
        print(
            f"{short:24} {run.get('methods', 0):7} {len(differing):6} {counts['defined']:7} {counts['entered']:7}"
            f" {counts['native']:7} {share:5.1f}% {of_calls:5.1f}%",
            flush=True,
        )
        for difference in differing:
            print(f"    {difference}", flush=True)
        if options.list:
            print(*(f"    bytecode: {function}" for function in counts.get("stayed", ())), sep="\n")
        differences += differing
        if share < LEAST_NATIVE:
            thin.append(short)
    version = sys.version.split()[0]
    print(f"CPython {version}: {len(differences)} test methods differ (at most {MOST_DIFFERENCES})")
    if thin:
        print(f"below {LEAST_NATIVE:.0f} % native of the functions entered: {', '.join(thin)}")
    return int(len(differences) > MOST_DIFFERENCES or any("died" in one for one in differences) or bool(thin))


if __name__ == "__main__":
    raise SystemExit(main())
