"""`jit`: enforced annotations, and machine code from the first call on.

At decoration the source is proved and the function's structure is built, which decides whether it can be compiled;
what can't is `typed`. Facts of global names are read, and code is made, at the first call.
"""

from __future__ import annotations

from castiron import _castiron
from castiron._hints import resolve
from castiron._native import enforce_in_place
from castiron._source import proved_source
from castiron._targets import enforced, is_defined_in, stands_for_another
from castiron._typed import MODE, plan_of, typed
from castiron._weave import original

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType, TracebackType
    from typing import Any, TypeVar, overload

    F = TypeVar("F", bound=type | Callable[..., Any] | classmethod[Any, Any, Any] | staticmethod[Any, Any])
else:

    def overload(function):  # importing typing takes longer than all of castiron
        return function


_FUNCTION: Any = type(lambda: None)
_BUILTIN = type(len)
_HEAP_TYPE = 1 << 9


@overload
def jit(function: F, /, *, eager: bool = False) -> F: ...
@overload
def jit(*, eager: bool = False) -> Callable[[F], F]: ...  # noqa: F811
def jit(function: Any = None, /, *, eager: bool = False) -> Any:  # noqa: F811
    """Enforce the function's annotations and run it as machine code.

    It is compiled at its first call, or right here with `eager=True`. A function that can't be compiled is `typed`,
    and `explain` says why. Of a class, every function is taken that its body defines, below or above `frozen`.

    >>> @jit
    ... def double(n: int) -> int:
    ...     return n * 2
    >>> double(21)
    42
    """
    if function is None:
        return lambda decorated: _decorate(decorated, eager)
    return _decorate(function, eager)


def _decorate(function: Any, eager: bool) -> Any:
    kind = type(function)
    if kind is staticmethod or kind is classmethod:
        return kind(_decorate(function.__func__, eager))
    if isinstance(function, type) and function.__flags__ & _HEAP_TYPE:
        return _class(function, eager)
    if _castiron.is_native_callable(function):
        function = _castiron.without_bets(function)
        kind = type(function)
        if kind is not _FUNCTION:
            return function
    if kind is not _FUNCTION:
        raise TypeError(_refusal(function))
    if MODE == "off":
        return function
    if MODE == "typed":
        return typed(function)
    return _prepared(function, eager)


def _prepared(function: FunctionType, eager: bool) -> Any:
    """Return what takes the function's place: compiled at its first call, or woven where it can't be compiled."""
    if _castiron.is_jitted(function):
        return function
    if stands_for_another(function):
        return _fall_back(function, "it stands for another function, whose annotations it shows")
    if function.__name__ == "<lambda>":
        return _fall_back(function, "a lambda is not compiled: name it with def")
    code = original(function.__code__)
    is_built = _castiron.awaits_promise(function)
    source = None if is_built else proved_source(function, code)
    if isinstance(source, str):
        return _fall_back(function, source)
    if code is not function.__code__:
        # The compiled function does what was woven in.
        _castiron.set_code(function, code)
    plan = _castiron.FunctionPlan(function, resolve(function).annotations)
    if plan.wants_call():
        return _fall_back(function, "Self and type variables with constraints are checked in bytecode")
    if _is_method_of_local_class(function) and plan.gaps():
        return _fall_back(function, "names of a local class that is not defined yet are looked up in bytecode")
    if source is None:
        kept = _castiron.keep_promise(function, plan)
        if kept is not None:
            return kept
        source = proved_source(function, code)
        if isinstance(source, str):
            return _fall_back(function, source)
    made = _castiron.prepare(function, source.parsed(), plan)
    if made is None:
        return typed(function)
    if eager:
        _castiron.compile_now(made)
    return made


def _class(kind: Any, eager: bool) -> Any:
    """Compile what the body of a class defines; what has a decorator of its own stays as that one made it."""
    if MODE != "on":
        return kind if MODE == "off" else typed(kind)
    sealed = "__castiron_frozen__" in vars(kind)
    # On CPython 3.11 an object takes a function's place, which no property of a sealed class can take in.
    in_place = _castiron.functions_have_entries()

    def compiled(found: Any, owners: tuple[type, ...]) -> Any:
        kept = _castiron.is_jitted(found) or plan_of(found) is not None or _is_generated(found)
        return found if kept else _prepared(found, eager)

    def checked(found: Any, owners: tuple[type, ...]) -> Any:
        return found if _is_generated(found) else enforce_in_place(found)

    for name, value in list(vars(kind).items()):
        left_alone = getattr(value, "__no_type_check__", None) is True or isinstance(value, type)
        if left_alone or not is_defined_in(kind, value):
            continue
        takes_place = type(value) is _FUNCTION or in_place or not sealed
        made = enforced(value, compiled if takes_place else checked, (kind,))
        if made is value:
            continue
        if sealed:
            _castiron.put_method(kind, name, made)
        else:
            setattr(kind, name, made)
    return kind


def _is_generated(function: Any) -> bool:
    """Tell whether dataclasses made the function, whose fields say what is checked."""
    return bool(_castiron.python_function(function).__code__.co_filename == "<string>")


def _is_method_of_local_class(function: FunctionType) -> bool:
    scope = function.__qualname__.rpartition(".")[0]
    return "<locals>." in scope


def _fall_back(function: FunctionType, reason: str) -> Any:
    _castiron.remember(function, reason)
    return typed(function)


def _stand_in(function: FunctionType) -> FunctionType:
    """Return another function with the same bytecode and checks, for calls while the function has no code yet."""
    other: FunctionType = _FUNCTION(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    other.__kwdefaults__ = function.__kwdefaults__
    other.__annotations__ = function.__annotations__
    other.__module__ = function.__module__
    other.__qualname__ = function.__qualname__
    return typed(other)


_castiron.install_hooks(typed, _stand_in)


def _refusal(value: object) -> str:
    if isinstance(value, type):
        return f"jit takes a function, or a class written in Python, not {value.__qualname__!r}"
    if isinstance(value, _BUILTIN):
        return f"jit takes a function written in Python, not the built-in {value.__qualname__!r}: it has no source text"
    kind = type(value).__qualname__
    return (
        f"jit takes a function, not an object of type {kind!r}: put it directly above the def, below other decorators"
    )


_blocks = 0


class disabled:  # noqa: N801 - a context manager that reads as a word
    """While the block runs, calls of compiled functions run their bytecode, with their checks.

    A call that is already running stays where it is.

    >>> with disabled():
    ...     pass
    """

    __slots__ = ()

    def __enter__(self) -> None:
        global _blocks
        _blocks += 1
        _castiron.switch_off()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        global _blocks
        _blocks -= 1
        if _blocks == 0:
            _castiron.switch_on()
