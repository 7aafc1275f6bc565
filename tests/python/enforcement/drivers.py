"""The ways by which a value comes to a check, and who checks it.

A driver takes an annotation and gives a function that takes a value and tells whether it is accepted.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import castiron
from castiron import TypeCheckError
from castiron._checks import Call, accepts
from castiron._forms import read_one
from enforcement.scalars import Circle, Color, Shape

Verdict = Callable[[Any], bool]


def parameter(annotation: Any, decorate: Any) -> Callable[[Any], Any]:
    """Give a function that checks its argument."""

    def check(value: annotation):  # type: ignore[no-untyped-def]
        return 0

    return decorate(check)  # type: ignore[no-any-return]


def result(annotation: Any, decorate: Any) -> Callable[[Any], Any]:
    """Give a function that checks its result."""

    def check(value) -> annotation:  # type: ignore[no-untyped-def]
        return value

    return decorate(check)  # type: ignore[no-any-return]


def arguments(annotation: Any, decorate: Any) -> Callable[[Any], Any]:
    """Give a function that checks each of its arguments."""

    def check(*values: annotation):  # type: ignore[no-untyped-def]
        return 0

    function = decorate(check)
    return lambda value: function(value)


def keyword(annotation: Any, decorate: Any) -> Callable[[Any], Any]:
    """Give a function that checks what is given by name."""

    def check(*, value: annotation):  # type: ignore[no-untyped-def]
        return 0

    function = decorate(check)
    return lambda value: function(value=value)


def method(annotation: Any, decorate: Any) -> Callable[[Any], Any]:
    """Give a method that checks its argument."""

    class Owner:
        @decorate
        def check(self, value: annotation):  # type: ignore[no-untyped-def]
            return 0

    return lambda value: Owner().check(value)


#: What strings of the table mean: the functions above look names up here.
NAMES = (Circle, Color, Shape)
PLACES = {"parameter": parameter, "result": result, "arguments": arguments, "keyword": keyword, "method": method}


def _enforced(place: str, annotation: Any, decorate: Any) -> Verdict:
    call = PLACES[place](annotation, decorate)

    def verdict(value: Any) -> bool:
        try:
            call(value)
        except TypeCheckError as error:
            text = str(error)
        else:
            return True
        assert "\n" not in text
        return False

    return verdict


def typed(place: str, annotation: Any) -> Verdict:
    """Woven checks."""
    return _enforced(place, annotation, castiron.typed)


def deep(place: str, annotation: Any) -> Verdict:
    """Woven checks of every element."""
    return _enforced(place, annotation, castiron.typed(deep=True))


def jit(place: str, annotation: Any) -> Verdict:
    """Compiled code, where it can be compiled."""
    return _enforced(place, annotation, castiron.jit)


def _described(annotation: Any, is_deep: bool) -> Verdict:
    def where() -> None: ...

    described, _ = read_one(annotation, where, is_deep, False)
    return lambda value: accepts(described, value, Call(where, None))


def python(place: str, annotation: Any) -> Verdict:
    """The Python side."""
    return _described(annotation, False)


def python_deep(place: str, annotation: Any) -> Verdict:
    """The Python side, every element."""
    return _described(annotation, True)


def _jitted(function: Any) -> Any:
    """Compile what can be compiled: `jit` takes functions, and `typed` what else there is."""
    return castiron.jit(function) if isinstance(function, FunctionType) else castiron.typed(function)


#: Decorators by the name of their driver, with whether they look at every element.
DECORATORS: dict[str, tuple[Any, bool]] = {
    "typed": (castiron.typed, False),
    "deep": (castiron.typed(deep=True), True),
    "jit": (_jitted, False),
}

#: Drivers by name, with whether they look at every element.
DRIVERS: dict[str, tuple[Callable[[str, Any], Verdict], bool]] = {
    "typed": (typed, False),
    "deep": (deep, True),
    "jit": (jit, False),
    "python": (python, False),
    "python-deep": (python_deep, True),
}
