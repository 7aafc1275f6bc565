"""What a call costs that is checked: nanoseconds that it takes longer than the undecorated function's.

Plain and decorated are timed in turn, in windows of about two milliseconds, and the least of each counts: it survives
a busy machine. A library that answers otherwise than the plain function, or takes what breaks the annotation, is
named, and for the former there is no figure.
"""

from __future__ import annotations

import functools
import gc
import importlib.util
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
WINDOW = 0.002
CALLS = 10

Decorator = Callable[[Any], Any]


def _python_wrapper() -> Decorator:
    def decorate(function: Any) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    return decorate


def _beartype() -> Decorator:
    from beartype import beartype

    return beartype


def _typeguard(strategy: str) -> Decorator:
    import typeguard

    # It reads a decorator's options from the source text, so they have to be set for all.
    typeguard.config.collection_check_strategy = typeguard.CollectionCheckStrategy[strategy]
    return typeguard.typechecked


def _pydantic(**options: Any) -> Decorator:
    import pydantic

    config = pydantic.ConfigDict(arbitrary_types_allowed=True, **options)
    return pydantic.validate_call(config=config, validate_return=True)


def _type_enforced(name: str) -> Decorator:
    import type_enforced

    return getattr(type_enforced, name)


def _castiron(name: str, **options: Any) -> Decorator:
    import castiron

    decorate = getattr(castiron, name)
    return decorate(**options) if options else decorate


#: For each column, what gives the decorator.
LIBRARIES: dict[str, Callable[[], Decorator]] = {
    # The cheapest wrapper in C, and the cheapest in Python: neither checks anything.
    "c-floor": lambda: functools.partial,
    "py-floor": _python_wrapper,
    "castiron": lambda: _castiron("typed"),
    "castiron-deep": lambda: _castiron("typed", deep=True),
    "castiron-jit": lambda: _castiron("jit"),
    "beartype": _beartype,
    "typeguard": lambda: _typeguard("FIRST_ITEM"),
    "typeguard-all": lambda: _typeguard("ALL_ITEMS"),
    "pydantic": _pydantic,
    "pydantic-strict": lambda: _pydantic(strict=True),
    "type_enforced": lambda: _type_enforced("Enforcer"),
    "type_enforced-fast": lambda: _type_enforced("FastEnforcer"),
}
FLOORS = ("c-floor", "py-floor")


def cases_for(library: str) -> ModuleType:
    """The module of the decorated functions, loaded for one library."""
    name = f"enforce_cases_{library.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, HERE / "enforce_cases.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def timer(function: Any, arguments: tuple[Any, ...]) -> timeit.Timer:
    """Times ten calls in a row: the loop around them is shared."""
    names = [f"a{number}" for number in range(len(arguments))]
    space = {"f": function, **dict(zip(names, arguments))}
    return timeit.Timer("; ".join([f"f({', '.join(names)})"] * CALLS), globals=space)


def turns_in(window: float, timed: timeit.Timer) -> int:
    """How many turns fill the window."""
    turns = 1
    while True:
        # One preemption must not decide the window.
        seconds = min(timed.timeit(turns) for _ in range(4))
        if seconds > window / 10 or turns > 10**7:
            return max(1, int(turns * window / max(seconds, 1e-9)))
        turns *= 4


def paired(plain: timeit.Timer, decorated: timeit.Timer, rounds: int, window: float) -> tuple[float, float]:
    """The least nanoseconds of one call of each."""
    turns = turns_in(window, plain), turns_in(window, decorated)
    least = [float("inf")] * 2
    gc.disable()
    for _ in range(rounds):
        for index, timed in enumerate((plain, decorated)):
            least[index] = min(least[index], timed.timeit(turns[index]) / turns[index])
    gc.enable()
    return least[0] / CALLS * 1e9, least[1] / CALLS * 1e9


def refusal(plain: Any, decorated: Any, good: tuple[Any, ...]) -> str:
    """Why there is no figure: the call fails, or its result is not the plain function's. Empty where all is well."""
    expected = plain(*good)
    try:
        found = decorated(*good)
    except Exception as error:
        return f"{type(error).__name__}: {error}".replace("\n", " ")[:100]
    return "" if type(found) is type(expected) and found == expected else f"WRONG: {found!r:.40}, not {expected!r:.40}"


def takes(decorated: Any, bad: tuple[Any, ...]) -> bool:
    """Whether arguments pass that break the annotations."""
    try:
        decorated(*bad)
    except Exception:
        return False
    return True


def measure(
    libraries: dict[str, Decorator], rounds: int, scale: float
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Nanoseconds added per call, for each case and library, and notes on what has no figure or checks nothing."""
    rows: dict[str, dict[str, float]] = {}
    notes: list[str] = []
    base = cases_for("plain")
    for library in libraries:
        # The strategy of typeguard is global.
        decorator = LIBRARIES[library]()
        module = cases_for(library)
        for case, (build, good, bad) in module.CASES.items():
            plain = base.CASES[case][0](lambda function: function)
            try:
                decorated = build(decorator)
            except Exception as error:
                notes.append(f"{library}, {case}: decoration fails: {type(error).__name__}: {error}"[:140])
                continue
            if reason := refusal(plain, decorated, good):
                notes.append(f"{library}, {case}: {reason}")
                continue
            if bad is not None and library not in FLOORS and takes(decorated, bad):
                notes.append(f"{library}, {case}: takes {bad!r}")
            times = paired(timer(plain, good), timer(decorated, good), rounds, WINDOW * scale)
            row = rows.setdefault(case, {"plain": times[0]})
            row["plain"] = min(row["plain"], times[0])
            row[library] = times[1]
    for row in rows.values():
        for library in row.keys() - {"plain"}:
            row[library] -= row["plain"]
    return rows, notes
