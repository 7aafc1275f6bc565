"""`typed`: annotations that hold at run time.

How a function checks is decided by `_native`, or by `_pure` where the native part can't be used, and what else but a
function is decorated by `_targets`.
"""

from __future__ import annotations

import builtins
import os
import sys

from castiron._hints import Unresolved, evaluate, resolve
from castiron._mode import PURE
from castiron._targets import enforced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType
    from typing import Any, Literal, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any] | classmethod[Any, Any, Any] | staticmethod[Any, Any] | property)
else:

    def overload(function):  # importing typing takes longer than all of castiron
        return function


if TYPE_CHECKING or not PURE:
    from castiron import _native as _backend
else:
    from castiron import _pure as _backend

plan_of = _backend.plan_of
MODE = os.environ.get("CASTIRON", "on")
if MODE not in ("on", "typed", "off"):
    raise ImportError(f"the environment variable CASTIRON must be on, typed or off, not {MODE!r}")


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

    It is the function itself that is returned, with the checks in its code; in pure-Python mode it is a wrapper.
    Methods, class and static methods, properties and functions with other decorators may be decorated from above or
    below; of a class, all that its body defines is checked, and the `__init__` that a dataclass makes.

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
    if MODE == "off" or _backend.is_jitted(function):
        return function

    def check(found: Any, owners: tuple[type, ...]) -> Any:
        # A method's own decorator says how it is checked, not that of the class.
        if _backend.is_jitted(found) or (owners and _backend.plan_of(found) is not None):
            return found
        return enforce_one(found, owners, deep=deep, strict=strict, warn=on_violation == "warn")

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

    def restore(found: Any, owners: tuple[type, ...]) -> Any:
        found = _backend.restored(found)
        found.__no_type_check__ = True
        return found

    made = enforced(function, restore)
    if isinstance(made, type):
        made.__no_type_check__ = True  # type: ignore[attr-defined]
    return made  # type: ignore[no-any-return]


def enforce_one(
    function: Any, owners: tuple[type, ...] = (), *, deep: bool = False, strict: bool = False, warn: bool = False
) -> Any:
    """Give what takes the place of one function when it checks its annotations.

    `owners` are the classes around the function, innermost first, where they are not bound to their names yet.
    """
    if not function.__annotations__:
        return function
    origin = _backend.origin_of(function)
    annotations = resolve(origin).annotations
    if owners:
        annotations = {name: _within(owners, hint, origin) for name, hint in annotations.items()}
    return _backend.enforce_function(origin, annotations, deep=deep, strict=strict, warn=warn)


def _within(owners: tuple[type, ...], hint: object, function: FunctionType) -> object:
    """Look a name that was not found up in the class, which may be meant itself or stand in one, and in its module."""
    if type(hint) is Unresolved:
        text = hint.text
    elif type(hint).__name__ == "ForwardRef":
        text = hint.__forward_arg__  # type: ignore[attr-defined]
    else:
        return hint
    owner = owners[0]
    names: dict[str, object] = {}
    module = sys.modules.get(owner.__module__)
    if module is not None and vars(module) is not function.__globals__:
        # The methods of a named tuple live in a namespace of their own, without builtins.
        names.update(vars(builtins))
        names.update(vars(module))
    return evaluate(text, function, {**names, **vars(owner), **{kind.__name__: kind for kind in reversed(owners)}})
