"""Whether the compiled program keeps what it should drop, or drops what it should keep.

The calls of a program are run again and again, with their output thrown away. Memory blocks that grow in every round,
where they do not in the plain module, are a leak; so are counts of references to objects that live for ever.
"""

from __future__ import annotations

import contextlib
import gc
import io
import sys
import time
import warnings
from collections.abc import Callable
from types import CodeType
from typing import Any

from tests.fuzz.generate import Program

EACH = 3
"""One program in so many is looked at: it takes as long as everything else together."""
FEW, MANY = 4, 150
"""Rounds; what seems to grow is looked at for longer, for caches fill up slowly."""
IMMORTAL = (None, True, False, (), "", b"", NotImplemented, 0, 1, "a", int, float, list, ValueError)
"""Objects that everybody refers to; from CPython 3.12 on most of them are not counted."""
SLOW_SECONDS = 0.05
"""Programs that take longer are left out."""
UNSTEADY = ("with_room(", "with_change(")
"""Calls that take too long, or whose doings depend on the time."""


def once(codes: list[CodeType], namespace: dict[str, Any]) -> None:
    for code in codes:
        with contextlib.suppress(Exception):
            eval(code, namespace)


def measure() -> list[int]:
    gc.collect()
    # The cache of attribute lookups counts as somebody who refers to their names.
    sys._clear_type_cache()
    # A snapshot that is taken while its own list grows counts itself.
    counts = [0] * (len(IMMORTAL) + 1)
    for number, value in enumerate(IMMORTAL, 1):
        counts[number] = sys.getrefcount(value)
    counts[0] = sys.getallocatedblocks()
    return counts


def growth(codes: list[CodeType], namespace: dict[str, Any], rounds: int) -> list[int]:
    """By how much each count moved in a round, in the half of the rounds in which it moved less.

    Blocks that become less are lists of free objects which are used up.
    """
    counts = [measure()]
    for _ in range(2):
        for _ in range(rounds // 2):
            once(codes, namespace)
        counts.append(measure())
    first, second = ([new - old for new, old in zip(counts[n + 1], counts[n], strict=True)] for n in range(2))
    moved = [int(min(one, two, key=abs) / (rounds // 2)) for one, two in zip(first, second, strict=True)]
    return [max(0, moved[0]), *moved[1:]]


def found(
    given: Program, plain: dict[str, Any], compiled: dict[str, Any], code_bytes: Callable[[], int]
) -> dict[str, Any] | None:
    """What grew in the compiled module and not in the plain one, as a divergence; not where code was still made."""
    if given.seed % EACH or any(text in call for call in given.calls for text in UNSTEADY):
        return None
    codes = [compile(call, "<call>", "exec" if " = " in call else "eval") for call in given.calls]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        began = time.monotonic()
        once(codes, plain)
        once(codes, compiled)
        if time.monotonic() - began > SLOW_SECONDS:
            return None
        grown = growth(codes, compiled, FEW)
        before = code_bytes()
        if any(grown):
            grown = growth(codes, compiled, MANY)
        if not any(grown) or code_bytes() != before:
            return None
        usual = growth(codes, plain, MANY)
    # A program that keeps more in each round says nothing about what the compiled one keeps.
    if any(usual):
        return None
    return {"call": "all of them, again and again", "plain": {"grown": usual}, "compiled": {"grown": grown}}
