"""`typed`: annotations that hold at run time.

What is checked is decided by the check plan (`_castiron.FunctionPlan`), where the checks stand by `_weave`; this module
decides what is woven.
"""

from __future__ import annotations

import os

from castiron._castiron import FunctionPlan, install_enforcement, is_jitted
from castiron._errors import violation
from castiron._hints import Unresolved, evaluate, resolve
from castiron._weave import weave

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType
    from typing import Any, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any] | classmethod[Any, Any, Any] | staticmethod[Any, Any] | property)
else:

    def overload(function):  # importing typing takes longer than all of castiron
        return function


install_enforcement(violation, evaluate, Unresolved)

_FUNCTION: Any = type(lambda: None)
_MODE = os.environ.get("CASTIRON", "on")


@overload
def typed(function: F, /, *, deep: bool = False, strict: bool = False) -> F: ...
@overload
def typed(*, deep: bool = False, strict: bool = False) -> Callable[[F], F]: ...  # noqa: F811
def typed(function: Any = None, /, *, deep: bool = False, strict: bool = False) -> Any:  # noqa: F811
    """Raise `TypeCheckError` when an argument or the result breaks its annotation.

    With `deep=True` every element of a builtin container is looked at; with `strict=True` a `bool` is no `int` and an
    `int` no `float`.

    It is the function itself that is returned, with the checks in its code. Methods, class and static methods and
    properties may be decorated from above or below.

    >>> @typed
    ... def double(n: int) -> int:
    ...     return n * 2
    >>> double(21)
    42
    >>> double("x")
    Traceback (most recent call last):
    castiron.TypeCheckError: double() argument 'n' must be int, not str: 'x'
    """
    if function is None:
        return lambda decorated: typed(decorated, deep=deep, strict=strict)
    if _MODE != "off":
        _enforce(function, deep, strict)
    return function


def _enforce(value: Any, deep: bool, strict: bool) -> None:
    kind = type(value)
    if is_jitted(value):
        return
    if kind is _FUNCTION:
        weave_function(value, deep=deep, strict=strict)
    elif isinstance(value, (classmethod, staticmethod)):
        _enforce(value.__func__, deep, strict)
    elif isinstance(value, property):
        accessors: tuple[Any, ...] = (value.fget, value.fset, value.fdel)
        for accessor in accessors:
            if type(accessor) is _FUNCTION:
                weave_function(accessor, deep=deep, strict=strict)
    else:
        raise TypeError(_refusal(value))


def weave_function(function: FunctionType, *, deep: bool = False, strict: bool = False) -> FunctionPlan | None:
    """Put the checks of the function's annotations into its code; None where there are no annotations."""
    if not function.__annotations__:
        return None
    plan = FunctionPlan(function, resolve(function).annotations, deep=deep, strict=strict)
    code = weave(function.__code__, plan)
    if code is not function.__code__:
        function.__code__ = code
    return plan


def _refusal(value: object) -> str:
    if isinstance(value, type):
        return f"typed takes a function, not the class {value.__qualname__!r}: decorate its methods"
    kind = type(value).__qualname__
    return f"typed takes a function, not an object of type {kind!r}"
