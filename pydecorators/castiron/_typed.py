"""`typed`: annotations that hold at run time.

What is checked is decided by the check plan (`_castiron.FunctionPlan`), where the checks stand by `_weave`; this module
decides what is woven.
"""

from __future__ import annotations

import os

from castiron._castiron import FunctionPlan, install_enforcement, is_jitted
from castiron._errors import violation
from castiron._hints import Unresolved, evaluate, resolve
from castiron._targets import enforced
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

    It is the function itself that is returned, with the checks in its code. Methods, class and static methods,
    properties and functions with other decorators may be decorated from above or below; of a class, all that its body
    defines is checked, and the `__init__` that a dataclass makes.

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
    if _MODE == "off" or is_jitted(function):
        return function

    def check(found: FunctionType, owner: type | None) -> FunctionType:
        if not is_jitted(found):
            weave_function(found, owner, deep=deep, strict=strict)
        return found

    return enforced(function, check)


def weave_function(
    function: FunctionType, owner: type | None = None, *, deep: bool = False, strict: bool = False
) -> FunctionPlan | None:
    """Put the checks of the function's annotations into its code; None where there are no annotations.

    `owner` is the class whose body defines the function, where the class is not bound to its name yet.
    """
    if not function.__annotations__:
        return None
    annotations = resolve(function).annotations
    if owner is not None:
        annotations = {name: _within(owner, hint, function) for name, hint in annotations.items()}
    plan = FunctionPlan(function, annotations, deep=deep, strict=strict)
    code = weave(function.__code__, plan)
    if code is not function.__code__:
        function.__code__ = code
    return plan


def _within(owner: type, hint: object, function: FunctionType) -> object:
    """Look a name that was not found up in the class, which may be meant itself."""
    if type(hint) is not Unresolved:
        return hint
    return evaluate(hint.text, function, {**vars(owner), owner.__name__: owner})
