"""What a call did, as plain data that can be compared and printed."""

from __future__ import annotations

import contextlib
import io
import math
import sys
import traceback
import warnings
from types import FrameType
from typing import Any


def shape(value: object) -> Any:
    """A value with its exact type: -0.0 and NaN told apart, ints of any size by value."""
    name = type(value).__qualname__
    if isinstance(value, (tuple, list)):
        return [name, [shape(item) for item in value]]
    if isinstance(value, dict):
        return [name, [[shape(key), shape(item)] for key, item in value.items()]]
    if name == "Box":
        return [name, shape(vars(value))]
    if isinstance(value, bool) or value is None:
        return [name, repr(value)]
    if isinstance(value, int):
        return [name, hex(value)]
    if isinstance(value, float):
        return [name, "nan" if math.isnan(value) else value.hex()]
    return [name, repr(value) if isinstance(value, (str, complex)) else "?"]


def variables(frame: FrameType) -> Any:
    """The variables of a frame; the module's own are not a function's."""
    if frame.f_code.co_name == "<module>":
        return None
    return {name: shape(value) for name, value in frame.f_locals.items()}


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


def failure(error: BaseException, path: str) -> list[Any]:
    """An exception with its message, its traceback and what it was raised from."""
    name = type(error).__qualname__
    if name == "TypeCheckError":
        return [name]
    cause = failure(error.__cause__, path) if error.__cause__ else None
    try:
        text = str(error)
    except ValueError:
        text = "an int too long to print"
    return [name, text, places(error, path), cause, error.__suppress_context__, [shape(item) for item in error.args]]


def of(code: Any, namespace: dict[str, Any], path: str) -> dict[str, Any]:
    """Runs a compiled expression or statement in the module."""
    printed = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            result: dict[str, Any] = {"value": shape(eval(code, namespace))}
        except Exception as error:
            result = {"raised": failure(error, path)}
    if printed.tell():
        result["printed"] = printed.getvalue()
    if caught:
        result["warned"] = [[item.category.__name__, str(item.message)] for item in caught]
    return result
