"""What stands in for castiron in the plain run: promises are checked by a few lines of Python.

A wrapper calls the function; its frames are left out of tracebacks. Messages of TypeCheckError are castiron's own and
not compared.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any, get_args, get_origin


class TypeCheckError(TypeError):
    """A broken promise."""


class SubInt(int):
    """An int that is none exactly."""


class SubFloat(float):
    """A float that is none exactly."""


class Fake:
    """What `math` may be rebound to."""

    pi = inf = 3
    nan = 0.5

    def __getattr__(self, name: str) -> Callable[..., float]:
        return lambda *values: 2.5


def other(*values: object, **named: object) -> int:
    """What a function of the module may be rebound to."""
    return len(values)


NAMES = {"SubInt": SubInt, "SubFloat": SubFloat, "Fake": Fake(), "other": other}
"""What the calls of a program may name besides its own functions."""


def accepts(annotation: Any, value: object) -> bool:
    """Whether a value keeps a promise: the numeric tower of the typing specification, shallow but for tuples."""
    if annotation is None:
        return value is None
    if annotation is float:
        return isinstance(value, (int, float))
    if get_origin(annotation) is tuple:
        items = get_args(annotation)
        return isinstance(value, tuple) and len(value) == len(items) and all(map(accepts, items, value))
    return isinstance(value, annotation)


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its promises checked; a default that is used is not."""
    signature = inspect.signature(function)
    annotations = inspect.get_annotations(function, eval_str=True)

    @functools.wraps(function)
    def wrapper(*values: object, **named: object) -> object:
        try:
            bound = signature.bind(*values, **named)
        except TypeError:
            return function(*values, **named)
        for name, value in bound.arguments.items():
            if not accepts(annotations[name], value):
                raise TypeCheckError(name)
        result = function(*values, **named)
        if not accepts(annotations["return"], result):
            raise TypeCheckError("return")
        return result

    return wrapper


def stand_in() -> types.ModuleType:
    """A module named castiron whose `jit` checks and does not compile."""
    module = types.ModuleType("castiron")
    module.jit = checked  # type: ignore[attr-defined]
    module.TypeCheckError = TypeCheckError  # type: ignore[attr-defined]
    return module
