"""Enforcement by the native part: the checks stand in the function's own code.

What is checked is decided by the check plan (`_castiron.FunctionPlan`), where the checks stand by `_weave`. `_pure` has
the same functions for interpreters without the native part.
"""

from __future__ import annotations

from castiron._castiron import (
    FunctionPlan,
    awaits_promise,
    install_enforcement,
    install_revival,
    is_jitted,
    keep_promise,
    release_promise,
    set_code,
    without_bets,
)
from castiron._errors import violation
from castiron._errors import warn as _warn
from castiron._forms import read_all
from castiron._hints import resolve
from castiron._weave import original, weave, woven_from
from castiron._weave import plan_of as _plan_of_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

__all__ = ["enforce_function", "is_jitted", "origin_of", "plan_of", "restored"]


_HEAP_TYPE = 1 << 9


def _accepts(
    described: tuple[Any, ...], value: object, function: object, first: object, choices: dict[int, int]
) -> bool:
    """Run a description that the native plan does not know."""
    # Most programs need none of this.
    from castiron._checks import Call, accepts

    return accepts(described, value, Call(function, first, choices))


def _plan_for(function: Any, deep: bool, strict: bool, warn: bool) -> FunctionPlan:
    """Compile the plan of a function that was pickled with its checks."""
    return FunctionPlan(function, resolve(function).annotations, deep=deep, strict=strict, warn=_warn if warn else None)


def _settles(described: tuple[Any, ...], value: object) -> bool:
    """Tell whether all instances of an accepted value's class pass like it."""
    from castiron._checks import settles

    return settles(described, value)


def _rebound(code: CodeType) -> set[int]:
    """Give the numbers of the variables that the code binds anew."""
    from castiron._variables import rebound

    return rebound(code)


install_enforcement(read_all, _accepts, _settles, _rebound, violation)
install_revival(_plan_for)


def enforce_function(function: Any, annotations: dict[str, object], *, deep: bool, strict: bool, warn: bool) -> Any:
    """Put checks of the annotations into the function's code; give the function.

    A function that was built with these promises gets its machine code instead.
    """
    if awaits_promise(function) and not (deep or strict or warn):
        kept = keep_promise(function, FunctionPlan(function, annotations))
        if kept is not None:
            return kept
    return _woven(function, annotations, deep=deep, strict=strict, warn=warn)


def enforce_in_place(function: Any) -> Any:
    """Put checks into the code of a function whose place nothing else can take; give the function."""
    if not function.__annotations__:
        return function
    return _woven(function, resolve(function).annotations, deep=False, strict=False, warn=False)


def _woven(function: Any, annotations: dict[str, object], *, deep: bool, strict: bool, warn: bool) -> Any:
    known = _lasting(annotations, deep, strict, warn)
    code = woven_from(function.__code__, known) if known is not None else None
    if code is None:
        plan = FunctionPlan(function, annotations, deep=deep, strict=strict, warn=_warn if warn else None)
        code = weave(function.__code__, plan, known)
    if code is not function.__code__:
        set_code(function, code)
    return function


def _lasting(annotations: dict[str, object], *options: bool) -> object:
    """Give what two decorations of one `def` compare; None where there are annotations that don't live for ever."""
    for hint in annotations.values():
        if type(hint) is not type or hint.__flags__ & _HEAP_TYPE:
            return None
    return options, tuple(annotations.items())


def plan_of(function: Any) -> FunctionPlan | None:
    """Give the plan whose checks stand in the function's code."""
    return _plan_of_code(function.__code__)


def origin_of(function: Any) -> Any:
    """Give the function that the annotations belong to: the same, or what runs as machine code without checks."""
    return without_bets(function)


def restored(function: Any) -> Any:
    """Take the checks out of the function's code; give the function."""
    function = release_promise(function)
    code = original(function.__code__)
    if code is not function.__code__ and not is_jitted(function):
        set_code(function, code)
    return function
