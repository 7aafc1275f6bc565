"""Pure-Python mode: a wrapper that checks around each function, and what else the native part offers.

In: a function. Out: a wrapper with the function's name, signature and kind, which checks the arguments, then the result
or what a generator yields, is sent and returns.

Invariants:
- Verdicts and words are the native plan's.
- A call that does not fit the parameters is the function's own to refuse.
- A broken yield is raised in the generator that yielded, where its body may catch it.
"""

from __future__ import annotations

import functools
import sys
from types import FunctionType, MethodType

from castiron._errors import warn
from castiron._generators import CO_ASYNC_GENERATOR, CO_GENERATOR, SENT, YIELDED
from castiron._mode import REASON
from castiron._pure_plan import Declined, FunctionPlan
from castiron._targets import ORIGINAL as _ORIGINAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
    from types import FrameType
    from typing import Any

    from castiron._checks import Call

__version__ = "0.1.0"

CO_COROUTINE = 0x80
_NOT_PLAIN = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR


class InternalError(RuntimeError):
    """castiron itself failed; raised only under CASTIRON_STRICT=1."""


InternalError.__module__ = "castiron"


def enforce_function(function: Any, annotations: dict[str, object], *, deep: bool, strict: bool, warn: bool) -> Any:
    """Give what takes the function's place: a wrapper that checks."""
    return _wrapper(
        function, FunctionPlan(function, annotations, deep=deep, strict=strict, warn=_warn if warn else None)
    )


def _warn(error: BaseException) -> None:
    """Warn of a broken annotation at the line of the call."""
    level = 2
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("castiron."):
        frame = frame.f_back
        level += 1
    warn(error, level + 1)


def restored(function: Any) -> Any:
    """Give the function behind a wrapper, or the object itself."""
    return getattr(function, "__dict__", {}).get(_ORIGINAL, (function,))[0]


def plan_of(function: Any) -> FunctionPlan | None:
    """Give the plan whose checks a wrapper makes."""
    found = getattr(function, "__dict__", {}).get(_ORIGINAL)
    return None if found is None else found[1]


origin_of = restored


def is_jitted(value: object) -> bool:
    """Tell whether compiled code stands for the object: never in this mode."""
    return False


def _wrapper(function: Any, plan: FunctionPlan) -> Any:
    flags = function.__code__.co_flags
    made: Any
    if flags & _NOT_PLAIN:
        made = _Checked(_starter(function, plan, flags))
    elif plan.checks("return"):
        made = _checking_both(function, plan)
    else:
        made = _checking_arguments(function, plan)
    functools.update_wrapper(made, function)
    setattr(made, _ORIGINAL, (function, plan))
    return made


def _checking_arguments(function: Any, plan: FunctionPlan) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            plan.begin(args, kwargs)
        except Declined:
            return NotImplemented
        return function(*args, **kwargs)

    return wrapper


def _checking_both(function: Any, plan: FunctionPlan) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            call = plan.begin(args, kwargs)
        except Declined:
            return NotImplemented
        result = function(*args, **kwargs)
        if call is not None:
            plan.check(call, "return", result)
        return result

    return wrapper


def _starter(function: Any, plan: FunctionPlan, flags: int) -> Callable[..., Any]:
    """Give a function that checks the arguments, then makes what checks the rest."""
    drive: Any
    if flags & CO_COROUTINE:
        drive = _drive_coroutine if plan.checks("return") else None
    elif flags & CO_ASYNC_GENERATOR:
        drive = _drive_async_generator if plan.checks(YIELDED) or plan.checks(SENT) else None
    else:
        checked = any(plan.checks(part) for part in (YIELDED, SENT, "return"))
        drive = _drive_generator if checked else None

    def start(*args: Any, **kwargs: Any) -> Any:
        try:
            call = plan.begin(args, kwargs)
        except Declined:
            return NotImplemented
        made = function(*args, **kwargs)
        if call is None or drive is None:
            return made
        driver = drive(made, plan, call)
        driver.__name__, driver.__qualname__ = made.__name__, made.__qualname__
        return driver

    return start


async def _drive_coroutine(made: Coroutine[Any, Any, Any], plan: FunctionPlan, call: Call) -> Any:
    result = await made
    plan.check(call, "return", result)
    return result


def _fault(plan: FunctionPlan, call: Call, part: str, value: object) -> BaseException | None:
    """Give what the check raises."""
    try:
        plan.check(call, part, value)
    except StopIteration as error:
        # Thrown into a generator it would end a delegation.
        wrapped = RuntimeError("generator raised StopIteration")
        wrapped.__cause__ = error
        return wrapped
    except BaseException as error:
        return error
    return None


def _drive_generator(made: Generator[Any, Any, Any], plan: FunctionPlan, call: Call) -> Generator[Any, Any, Any]:
    step: Callable[[Any], Any] = made.send
    argument: Any = None
    while True:
        try:
            value = step(argument)
        except StopIteration as stop:
            result = stop.value
            break
        error = _fault(plan, call, YIELDED, value)
        if error is not None:
            step, argument = made.throw, error
            continue
        try:
            sent = yield value
        except GeneratorExit:
            made.close()
            raise
        except BaseException as thrown:
            step, argument = made.throw, thrown
            continue
        error = _fault(plan, call, SENT, sent)
        step, argument = (made.send, sent) if error is None else (made.throw, error)
    plan.check(call, "return", result)
    return result


async def _drive_async_generator(
    made: AsyncGenerator[Any, Any], plan: FunctionPlan, call: Call
) -> AsyncGenerator[Any, Any]:
    step: Any = made.asend
    argument: Any = None
    while True:
        try:
            value = await step(argument)
        except StopAsyncIteration:
            return
        error = _fault(plan, call, YIELDED, value)
        if error is not None:
            step, argument = made.athrow, error
            continue
        try:
            sent = yield value
        except GeneratorExit:
            await made.aclose()
            raise
        except BaseException as thrown:
            step, argument = made.athrow, thrown
            continue
        error = _fault(plan, call, SENT, sent)
        step, argument = (made.asend, sent) if error is None else (made.athrow, error)


class _Checked:
    """Stands for a function of another kind than its wrapper: inspect finds the function's own code."""

    def __init__(self, start: Callable[..., Any]) -> None:
        self._start = start

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._start(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return FunctionType

    def __getattr__(self, name: str) -> Any:
        if name in ("__code__", "__defaults__", "__kwdefaults__", "__globals__", "__closure__", "__type_params__"):
            return getattr(self.__dict__["__wrapped__"], name)
        raise AttributeError(f"'function' object has no attribute {name!r}")

    def __reduce__(self) -> str:
        return str(self.__qualname__)

    def __repr__(self) -> str:
        return f"<function {self.__qualname__} at {id(self):#x}>"


class Explanation:
    """What `explain` found out."""

    __slots__ = ("reasons", "signature", "unchecked")

    native = False
    bets: tuple[str, ...] = ()

    def __init__(self, signature: str, reasons: tuple[str, ...], unchecked: tuple[str, ...]) -> None:
        self.signature = signature
        self.reasons = reasons
        self.unchecked = unchecked

    def __repr__(self) -> str:
        return f"<Explanation of {self.signature}: bytecode>"

    def __str__(self) -> str:
        return "\n".join((f"{self.signature}: bytecode", *self.reasons, *self.unchecked))


Explanation.__module__ = "castiron"


def explain(function: Callable[..., object], /) -> Explanation:
    """Say that the function is bytecode, why, and what its enforced annotations leave unchecked."""
    function = getattr(function, "__func__", function) if type(function) is MethodType else function
    if not callable(function):
        raise TypeError("explain takes a function")
    plan = plan_of(function)
    unchecked = []
    for name, gap in plan.gaps() if plan is not None else ():
        place = "the result" if name == "return" else f'"{name}"'
        unchecked.append(f"{place} is not checked in full: {gap}")
    name = getattr(function, "__qualname__", None) or str(function)
    return Explanation(name, (f"nothing is compiled: {REASON}",), tuple(unchecked))


def is_compiled(function: Callable[..., object], /) -> bool:
    """Tell whether calls of the function run machine code: never in this mode."""
    return False


def stats() -> dict[str, Any]:
    """Give what the native part counts: nothing has happened."""
    counts: dict[str, Any] = {}
    for name in ("compiled_functions", "code_bytes", "slow_calls", "generic_calls", "generic_turns", "resumptions"):
        counts[name] = 0
    for name in ("ops", "generic_ops", "native_calls", "exits", "resume_points", "resume_entries"):
        counts[name] = {}
    return {**counts, "compile_seconds": 0.0}


class disabled:  # noqa: N801 - a context manager that reads as a word
    """While the block runs, calls of compiled functions run their bytecode; in this mode they always do."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Change nothing."""

    def __exit__(self, *_: object) -> None:
        """Change nothing."""


def jit(function: Any = None, /, *, eager: bool = False) -> Any:
    """Enforce the function's annotations, as `typed` does: in this mode nothing is compiled."""
    from castiron._typed import typed

    if function is None:
        return lambda decorated: jit(decorated, eager=eager)
    kind = type(function)
    if kind is staticmethod or kind is classmethod:
        return kind(jit(function.__func__))
    if not isinstance(function, FunctionType) and not (isinstance(function, type) and function.__flags__ & 1 << 9):
        raise TypeError(f"jit takes a function{_described(function)}")
    return typed(function)


def _described(value: object) -> str:
    if isinstance(value, type):
        return f", or a class written in Python, not {value.__qualname__!r}"
    if type(value) is type(len):
        name = value.__qualname__
        return f" written in Python, not the built-in {name!r}: it has no source text"
    kind = type(value).__qualname__
    return f", not an object of type {kind!r}: put it directly above the def, below other decorators"


def compile_imports(package: str | None = None) -> None:
    """Do nothing: without the native part there is no machine code."""
    if package is not None and not isinstance(package, str):
        raise TypeError("compile_imports takes the name of a package, or nothing for all modules")
