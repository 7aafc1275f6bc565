"""Runs one case of `tests/cases/run` in a fresh interpreter and prints what happened as JSON.

`run_case.py plain|jit|built|leaks CASE`: `plain` has CASTIRON=off, `jit` also reports on the functions that the case's
header says are native, `built` has the functions' machine code made ahead of time, `leaks` repeats the whole case and
counts memory blocks.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import re
import runpy
import sys
import warnings
from pathlib import Path
from typing import Any

# Long enough for code to be made anew where a case rebinds a global in each repetition.
WARM_UP = 150
REPETITIONS = int(os.environ.get("CASTIRON_TEST_REPETITIONS", "1000"))


def main(mode: str, case: Path) -> None:
    sys.path.insert(0, str(case.parent.parent))
    if mode == "plain":
        os.environ["CASTIRON"] = "off"
    if mode == "leaks":
        silence()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        names = built(case) if mode == "built" else runpy.run_path(str(case), run_name="case")
        # runpy clears the temporary module's own namespace; the functions keep theirs.
        names = names["main"].__globals__
        report: dict[str, Any] = {"raised": outcome(names)}
    report["stdout"] = out.getvalue()
    if mode == "built":
        # On CPython 3.11 that is the class of all that is native, decorated or not.
        report["stdout"] = report["stdout"].replace("native_function", "function")
    if mode in ("jit", "built"):
        report["functions"] = native_functions(case, names)
    if mode == "leaks":
        report["grown"] = growth(names, repetitions(case))
    print(json.dumps(report))


def built(case: Path) -> dict[str, Any]:
    """Build the case and run its body with the machine code at hand, as `castiron run` does."""
    import tempfile
    from types import ModuleType

    from castiron import _castiron
    from castiron._bind import bound
    from castiron._source import decoded

    path, text = str(case), decoded(case.read_bytes())
    data, _ = _castiron.build_text("case", path, text)
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(data)
        file.flush()
        functions = _castiron.BuiltFunctions(file.name, "case")
    code = bound(text, path, set(functions.to_bind()), _castiron.bind_built)
    sys.modules["case"] = module = ModuleType("case")
    module.__file__ = path
    functions.load(code, vars(module))
    exec(code, vars(module))
    # As runpy does.
    del sys.modules["case"]
    # What drives the case stays bytecode, as it is where only what is decorated is compiled: machine code holds
    # arguments until a call is over, which objects that say when they die would tell.
    for name, value in list(vars(module).items()):
        is_function = type(value).__name__ in ("function", "native_function") and value.__module__ == "case"
        if is_function and not _castiron.is_jitted(value):
            setattr(module, name, _castiron.without_bets(value))
            value.__code__ = value.__code__.replace()
    return vars(module)


def silence() -> None:
    """Make the cases call without formatting what came out: the calls are what is repeated."""
    import support

    def call(function: Any, *args: Any, **named: Any) -> None:
        with contextlib.suppress(Exception):
            function(*args, **named)

    support.show = call


def outcome(names: dict[str, Any]) -> list[object] | None:
    """Run the case's main function; exception, message and traceback if it raises."""
    try:
        names["main"]()
    except Exception as error:
        trace, frames = error.__traceback__.tb_next, []
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append([Path(code.co_filename).name, trace.tb_lineno, code.co_name])
            trace = trace.tb_next
        return [type(error).__name__, str(error), frames]
    return None


def native_functions(case: Path, names: dict[str, Any]) -> dict[str, list[object]]:
    """For each function that the header lists: whether it is native, was entered natively, and else why not."""
    import castiron

    header = re.search(r"^# native: (.*)$", case.read_text(), re.MULTILINE)
    listed = [name.strip() for name in header[1].split(",")] if header else []
    calls = castiron.stats()["native_calls"]
    return {
        name: [castiron.is_compiled(names[name]), calls.get(f"case.{name}", 0), str(castiron.explain(names[name]))]
        for name in listed
    }


def repetitions(case: Path) -> int:
    """How often the case is repeated: long ones say less in their header."""
    header = re.search(r"^# repetitions: (\d+)$", case.read_text(), re.MULTILINE)
    return min(REPETITIONS, int(header[1])) if header else REPETITIONS


def growth(names: dict[str, Any], repetitions: int) -> int:
    """How many memory blocks the process has more after many repetitions, in the half where it gained less.

    Code that is made anew when a bet was lost often enough takes memory once; a leak takes it in either half.
    """
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink):
        for _ in range(min(WARM_UP, repetitions)):
            outcome(names)
    sink.close()
    halves = []
    for _ in range(2):
        before = settled_blocks()
        with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
            for _ in range(repetitions // 2):
                outcome(names)
        halves.append(settled_blocks() - before)
    return min(halves)


def settled_blocks() -> int:
    """How many memory blocks are in use without what CPython keeps for a time: garbage, names in its method cache."""
    with warnings.catch_warnings(action="ignore"):
        sys._clear_type_cache()
    gc.collect()
    return sys.getallocatedblocks()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve())
