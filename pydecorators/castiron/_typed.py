"""`typed`: annotations that hold at run time.

What is checked is decided by the check plan (`_castiron.FunctionPlan`), where the checks stand by `_weave`; this module
decides what is woven.
"""

from __future__ import annotations

import builtins
import os
import sys

from castiron._castiron import FunctionPlan, install_enforcement, is_jitted
from castiron._codetables import rebound
from castiron._errors import violation
from castiron._errors import warn as _warn
from castiron._forms import read_all
from castiron._hints import Unresolved, evaluate, resolve
from castiron._targets import enforced
from castiron._weave import original, plan_of, weave

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType
    from typing import Any, Literal, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any] | classmethod[Any, Any, Any] | staticmethod[Any, Any] | property)
else:

    def overload(function):  # importing typing takes longer than all of castiron
        return function


def _accepts(
    described: tuple[Any, ...], value: object, function: object, first: object, choices: dict[int, int]
) -> bool:
    """Run a description that the native plan does not know."""
    # Most programs need none of this.
    from castiron._checks import Call, accepts

    return accepts(described, value, Call(function, first, choices))


install_enforcement(read_all, _accepts, rebound, violation)

_FUNCTION: Any = type(lambda: None)
MODE = os.environ.get("CASTIRON", "on")


@overload
def typed(
    function: F, /, *, deep: bool = False, strict: bool = False, on_violation: Literal["raise", "warn"] = "raise"
) -> F: ...
@overload
def typed(  # noqa: F811
    *, deep: bool = False, strict: bool = False, on_violation: Literal["raise", "warn"] = "raise"
) -> Callable[[F], F]: ...
def typed(  # noqa: F811
    function: Any = None, /, *, deep: bool = False, strict: bool = False, on_violation: Any = "raise"
) -> Any:
    """Raise `TypeCheckError` when an argument or the result breaks its annotation.

    With `deep=True` every element of a builtin container is looked at; with `strict=True` a `bool` is no `int` and an
    `int` no `float`; with `on_violation="warn"` there is a warning, `TypeCheckWarning`, and the call goes on.

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
    if on_violation not in ("raise", "warn"):
        raise ValueError(f"on_violation must be 'raise' or 'warn', not {on_violation!r}")
    if function is None:
        return lambda decorated: typed(decorated, deep=deep, strict=strict, on_violation=on_violation)
    if MODE == "off" or is_jitted(function):
        return function

    def check(found: FunctionType, owner: type | None) -> FunctionType:
        # A method's own decorator says how it is checked, not that of the class.
        if not is_jitted(found) and (owner is None or plan_of(found.__code__) is None):
            weave_function(found, owner, deep=deep, strict=strict, warn=on_violation == "warn")
        return found

    return enforced(function, check)


def unchecked(function: F, /) -> F:
    """Leave a function or class alone that `enforce` or a decorated class would check.

    >>> @typed
    ... class Shape:
    ...     @unchecked
    ...     def scale(self, by: int) -> int:
    ...         return by
    >>> Shape().scale("x")
    'x'
    """

    def restore(found: FunctionType, owner: type | None) -> FunctionType:
        code = original(found.__code__)
        if code is not found.__code__ and not is_jitted(found):
            found.__code__ = code
        found.__no_type_check__ = True  # type: ignore[attr-defined]
        return found

    made = enforced(function, restore)
    if isinstance(made, type):
        made.__no_type_check__ = True  # type: ignore[attr-defined]
    return made  # type: ignore[no-any-return]


def weave_function(
    function: FunctionType,
    owner: type | None = None,
    *,
    deep: bool = False,
    strict: bool = False,
    warn: bool = False,
) -> FunctionPlan | None:
    """Put the checks of the function's annotations into its code; None where there are no annotations.

    `owner` is the class whose body defines the function, where the class is not bound to its name yet.
    """
    if not function.__annotations__:
        return None
    annotations = resolve(function).annotations
    if owner is not None:
        annotations = {name: _within(owner, hint, function) for name, hint in annotations.items()}
    plan = FunctionPlan(function, annotations, deep=deep, strict=strict, warn=_warn if warn else None)
    code = weave(function.__code__, plan)
    if code is not function.__code__:
        function.__code__ = code
    return plan


def _within(owner: type, hint: object, function: FunctionType) -> object:
    """Look a name that was not found up in the class, which may be meant itself, and in its module."""
    if type(hint) is Unresolved:
        text = hint.text
    elif type(hint).__name__ == "ForwardRef":
        text = hint.__forward_arg__  # type: ignore[attr-defined]
    else:
        return hint
    names: dict[str, object] = {}
    module = sys.modules.get(owner.__module__)
    if module is not None and vars(module) is not function.__globals__:
        # The methods of a named tuple live in a namespace of their own, without builtins.
        names.update(vars(builtins))
        names.update(vars(module))
    return evaluate(text, function, {**names, **vars(owner), owner.__name__: owner})
