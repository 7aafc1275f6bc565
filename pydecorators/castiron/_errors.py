"""The exception of a broken promise, made in one place: the same whoever enforces."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the words and the attributes; a value that can't be pickled as its words."""
        return _restored, (type(self), self.args, _portable(self.__dict__))


TypeCheckError.__module__ = "castiron"


class TypeCheckWarning(UserWarning):
    """What TypeCheckError says, where a broken annotation only warns."""


TypeCheckWarning.__module__ = "castiron"


def warn(error: BaseException, level: int = 2) -> None:
    """Warn of a broken annotation, at the line where the exception would be raised; raise any other exception."""
    import warnings

    if not isinstance(error, TypeCheckError):
        raise error

    warnings.warn(str(error), TypeCheckWarning, stacklevel=level)


def _portable(attributes: dict[str, object]) -> dict[str, object]:
    import pickle

    from castiron._words import shown

    try:
        pickle.dumps(attributes.get("value"))
    except Exception:  # whatever foreign objects do when they are pickled, the error itself must travel
        return {**attributes, "value": shown(attributes["value"])}
    return dict(attributes)


def _restored(kind: type[TypeCheckError], args: tuple[object, ...], attributes: dict[str, object]) -> TypeCheckError:
    error = kind(*args)
    error.__dict__.update(attributes)
    return error


def violation(
    function: object,
    parameter: str | None,
    path: str,
    described: tuple[Any, ...],
    value: object,
    first: object = None,
    choices: dict[int, int] | None = None,
) -> TypeCheckError:
    """Make the exception for a value that a description refuses.

    `path` leads from the parameter to the value, `first` is the call's first argument, `choices` what is known of type
    variables.

    >>> def area(radius: float) -> float: ...
    >>> print(violation(area, "radius", "", ("float",), "3"))
    area() argument 'radius' must be float, not str: '3'
    """
    from castiron._checks import Call
    from castiron._faults import fault_in

    name = getattr(function, "__qualname__", "?")
    place = OTHER_PLACES.get(parameter) or f"argument {parameter!r}"
    fault = fault_in(described, value, Call(function, first, choices), path)
    error = TypeCheckError(f"{name}() {place}{fault.path} {fault.words()}")
    error.function = name
    error.parameter = None if parameter in OTHER_PLACES else parameter
    error.path = fault.path
    error.expected = fault.expected
    error.value = fault.value
    return error


def field_violation(owner: type, name: str, described: tuple[Any, ...], value: object) -> TypeCheckError:
    """Make the exception for a value that a field of a frozen class refuses.

    `function` is the class' qualified name then, `parameter` the field's.

    >>> class Point: ...
    >>> print(field_violation(Point, "x", ("float",), "3"))
    Point.x must be float, not str: '3'
    """
    from castiron._checks import Call
    from castiron._faults import fault_in

    fault = fault_in(described, value, Call(None, None, None), "")
    error = TypeCheckError(f"{owner.__qualname__}.{name}{fault.path} {fault.words()}")
    error.function = owner.__qualname__
    error.parameter = name
    error.path = fault.path
    error.expected = fault.expected
    error.value = fault.value
    return error
