"""What stands in for castiron in the plain run: promises are checked by a few lines of Python.

A wrapper calls the function; its frames are left out of tracebacks. Messages of TypeCheckError are castiron's own and
not compared.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import signal
import sys
import threading
import types
from collections.abc import Callable
from typing import Any, get_args, get_origin


class TypeCheckError(TypeError):
    """A broken promise."""


class SubInt(int):
    """An int that is none exactly."""


class SubFloat(float):
    """A float that is none exactly."""


class SubList(list):  # type: ignore[type-arg]
    """A list that is none exactly."""


class SubTuple(tuple):  # type: ignore[type-arg]
    """A tuple that is none exactly."""

    __slots__ = ()


class Fake:
    """What `math` may be rebound to."""

    pi = inf = 3
    nan = 0.5

    def __getattr__(self, name: str) -> Callable[..., float]:
        return lambda *values: 2.5


def other(*values: object, **named: object) -> int:
    """What a function of the module may be rebound to."""
    return len(values)


def with_room(frames: int, function: Callable[[int], int], argument: int) -> int:
    """Calls a function when so many frames still fit below the limit, this one's callees counted."""
    deep, frame = 0, sys._getframe()
    while frame is not None:
        deep, frame = deep + 1, frame.f_back  # type: ignore[assignment]
    return descend(sys.getrecursionlimit() - deep - frames, function, argument)


def descend(more: int, function: Callable[[int], int], argument: int) -> int:
    return function(argument) if more <= 0 else descend(more - 1, function, argument)


def with_change(
    namespace: dict[str, Any], name: str, value: object, how: str, function: Callable[[int], int], argument: int
) -> int:
    """Calls a function that runs until a signal handler or another thread has rebound a global."""
    if how == "thread":
        threading.Timer(0.002, namespace.__setitem__, (name, value)).start()
    else:
        signal.signal(signal.SIGALRM, lambda *_: namespace.__setitem__(name, value))
        signal.setitimer(signal.ITIMER_REAL, 0.001)
    return function(argument)


def with_item(items: list[Any], position: int, item: object) -> list[Any]:
    """The list with another item at this position."""
    items[position] = item
    return items


NAMES = {
    "with_room": with_room,
    "with_change": with_change,
    "SubInt": SubInt,
    "SubFloat": SubFloat,
    "SubTuple": SubTuple,
    "SubList": SubList,
    "with_item": with_item,
    "Fake": Fake(),
    "other": other,
}
"""What the calls of a program may name besides its own functions."""


def frozen(cls: Any = None, *, immutable: bool = False) -> Any:
    """A dataclass with slots in place of a frozen class."""
    make = dataclasses.dataclass(slots=True, frozen=immutable)
    return make if cls is None else make(cls)


def accepts(annotation: Any, value: object) -> bool:
    """Whether a value keeps a promise: the numeric tower of the typing specification, shallow but for tuples."""
    if annotation is None:
        return value is None
    if get_origin(annotation) is types.UnionType:
        return any(accepts(part, value) for part in get_args(annotation))
    if annotation is types.NoneType:
        return value is None
    if annotation is float:
        return isinstance(value, (int, float))
    if get_origin(annotation) is tuple:
        items = get_args(annotation)
        return isinstance(value, tuple) and len(value) == len(items) and all(map(accepts, items, value))
    return isinstance(value, get_origin(annotation) or annotation)


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its promises checked; a default that is used is not."""
    signature = inspect.signature(function)
    annotations = inspect.get_annotations(function, eval_str=True)

    @functools.wraps(function)
    def wrapper(*values: object, **named: object) -> object:
        try:
            bound = signature.bind(*values, **named).arguments
        except TypeError:
            bound = {}
        for name, value in bound.items():
            if name in annotations and not accepts(annotations[name], value):
                raise TypeCheckError(name)
        result = function(*values, **named)
        if "return" in annotations and not accepts(annotations["return"], result):
            raise TypeCheckError("return")
        return result

    return wrapper


def stand_in(*, checks: bool = True) -> types.ModuleType:
    """A module named castiron whose `jit` checks, if that is wanted, and does not compile."""
    module = types.ModuleType("castiron")
    module.jit = checked if checks else lambda function: function  # type: ignore[attr-defined]
    module.TypeCheckError = TypeCheckError  # type: ignore[attr-defined]
    return module
