"""What a call did, as plain data that can be compared and printed."""

from __future__ import annotations

import contextlib
import gc
import io
import math
import re
import sys
import traceback
import warnings
from types import FrameType
from typing import Any

OBJECTS = ("Box", "Thing", "Child", "Slotted", "Loud", "Gate")
"""Classes of generated modules whose attributes are compared."""


def without_addresses(text: str) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def without_messages(text: str) -> str:
    """What is printed, without the text of TypeCheckErrors, which is castiron's own."""
    return re.sub("TypeCheckError.*", "TypeCheckError", text)


def shape(value: object, depth: int = 6) -> Any:
    """A value with its exact type: -0.0 and NaN told apart, ints of any size by value."""
    name = type(value).__qualname__
    if isinstance(value, bool) or value is None:
        return [name, repr(value)]
    if isinstance(value, int):
        return [name, hex(value)]
    if isinstance(value, float):
        return [name, "nan" if math.isnan(value) else value.hex()]
    if isinstance(value, (str, complex, bytes, bytearray, range)):
        return [name, repr(value)]
    if callable(value):
        return ["callable", getattr(value, "__qualname__", "?")]
    return [name, parts(value, depth - 1) if depth else "..."]


def parts(value: object, depth: int) -> Any:
    """What an object holds, if it is known to hold something that is the same in both runs."""
    if isinstance(value, (tuple, list)):
        return [shape(item, depth) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(repr(shape(item, depth)) for item in value)
    if isinstance(value, dict):
        return [[shape(key, depth), shape(item, depth)] for key, item in value.items()]
    if isinstance(value, BaseException):
        return None if type(value).__name__ == "TypeCheckError" else shape(value.args, depth)
    if type(value).__name__ in OBJECTS:
        own = {name: getattr(value, name, "unset") for name in getattr(type(value), "__slots__", ())}
        return shape({**own, **getattr(value, "__dict__", {})}, depth)
    return "?"


def variables(frame: FrameType) -> Any:
    """The variables of a frame; the module's own are not a function's."""
    if frame.f_code.co_name == "<module>":
        return None
    # A comprehension's iterator has no name; over a display of constants CPython has made it a tuple's.
    return {name: shape(value) for name, value in frame.f_locals.items() if name != ".0"}


def places(error: BaseException, path: str) -> list[Any]:
    """Function, line and variables of the traceback entries that lie in the module."""
    walked = [
        (frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == path
    ]
    found: list[Any] = [[frame.f_code.co_name, line, variables(frame)] for frame, line in walked]
    if isinstance(error, UnboundLocalError) and found and sys.version_info < (3, 12):
        # Which line a warm loop gives depends on how CPython has fused its instructions: docs/cpython-bugs.md.
        found[-1][1] = None
    return found


def failure(error: BaseException, path: str, depth: int = 5) -> list[Any]:
    """An exception with its message, its traceback, what it was raised from and what was handled then."""
    name = type(error).__qualname__
    if name == "TypeCheckError":
        return [name]
    before = [error.__cause__, error.__context__]
    chained = [failure(other, path, depth - 1) if other and depth else None for other in before]
    try:
        text = without_addresses(str(error))
    except ValueError:
        text = "an int too long to print"
    return [name, text, places(error, path), *chained, error.__suppress_context__, [shape(item) for item in error.args]]


def of(code: Any, namespace: dict[str, Any], path: str) -> dict[str, Any]:
    """Runs a compiled expression or statement in the module."""
    printed = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            result: dict[str, Any] = {"value": shape(eval(code, namespace))}
        except Exception as error:
            result = {"raised": failure(error, path)}
        # What a cycle keeps alive dies at the same time in both runs; the collector is off otherwise.
        gc.collect()
    if printed.tell():
        result["printed"] = without_messages(without_addresses(printed.getvalue()))
    if caught:
        result["warned"] = [[item.category.__name__, str(item.message)] for item in caught]
    return result
