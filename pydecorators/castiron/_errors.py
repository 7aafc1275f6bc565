"""The exception of a broken promise, and its words: the same whoever enforces."""

from __future__ import annotations

MAX_VALUE = 80

#: What stands for a parameter's name where the value is no argument; None is the result.
OTHER_PLACES = {None: "result", "<yield>": "yielded value", "<send>": "sent value"}


class TypeCheckError(TypeError):
    """An argument or a result breaks its annotation.

    `function` is the function's qualified name, `parameter` the parameter's name (None for the result, and for what a
    generator yields or is sent), `path` where in the value the fault is (empty for the value itself), `expected` what
    the annotation wants there and `value` what was found there.
    """

    function: str
    parameter: str | None
    path: str
    expected: str
    value: object


TypeCheckError.__module__ = "castiron"


class TypeCheckWarning(UserWarning):
    """What TypeCheckError says, where a broken annotation only warns."""


TypeCheckWarning.__module__ = "castiron"


def warn(error: BaseException) -> None:
    """Warn of a broken annotation, at the line where the exception would be raised; raise any other exception."""
    import warnings

    if not isinstance(error, TypeCheckError):
        raise error

    warnings.warn(str(error), TypeCheckWarning, stacklevel=2)


def violation(
    function: object, parameter: str | None, path: str, expected: str, value: object, found: str | None
) -> TypeCheckError:
    """Make the exception; `found` says what the value is where its class does not.

    >>> def area(radius: float) -> float: ...
    >>> print(violation(area, "radius", "", "float", "3", None))
    area() argument 'radius' must be float, not str: '3'
    """
    name = getattr(function, "__qualname__", "?")
    place = OTHER_PLACES.get(parameter) or f"argument {parameter!r}"
    described = "None" if value is None else f"{found or class_name(type(value), expected)}: {shown(value)}"
    error = TypeCheckError(f"{name}() {place}{path} must be {expected}, not {described}")
    error.function = name
    error.parameter = None if parameter in OTHER_PLACES else parameter
    error.path = path
    error.expected = expected
    error.value = value
    return error


def class_name(kind: type, expected: str) -> str:
    """Name a class, with its module where the bare name is the very name that was expected."""
    name = kind.__qualname__
    return f"{kind.__module__}.{name}" if name == expected else name


def shown(value: object) -> str:
    """Give a short `repr` that never fails.

    >>> shown("x" * 1000) == repr("x" * 1000)[:77] + "..."
    True
    """
    import reprlib

    shortener = reprlib.Repr()
    shortener.maxstring = shortener.maxother = shortener.maxlong = 2 * MAX_VALUE
    try:
        if isinstance(value, str) and type(value).__repr__ is str.__repr__:
            text = repr(value[:MAX_VALUE])[:-1] + "..." if len(value) > MAX_VALUE else repr(value)
        else:
            text = shortener.repr(value)
    except Exception:  # whatever a foreign __repr__ does, the message is about something else
        text = f"<{type(value).__qualname__} object>"
    text = text.replace("\n", " ")
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 3] + "..."
