"""The check plan of a function in pure-Python mode: `check::function` and `check::enforce`, node by node.

In: a function, its annotations as objects. Out: verdicts on the arguments of a call and on what the function makes of
them. The descriptions are the native plan's; `_checks` runs them, `_errors` words what breaks them.
"""

from __future__ import annotations

from castiron._checks import Call, accepts
from castiron._errors import violation
from castiron._forms import read_all
from castiron._generators import ASYNC_GENERATOR, CO_ASYNC_GENERATOR, GENERATOR, MADE, SENT, YIELDED, with_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from castiron._checks import Description

CO_VARARGS, CO_VARKEYWORDS = 4, 8

#: The number of the second operand's variable.
OPERAND = 1
_COMPARISONS = frozenset(f"__{name}__" for name in ("lt", "le", "eq", "ne", "gt", "ge"))
_OPERATORS = frozenset(
    f"__{prefix}{name}__"
    for prefix in ("", "r", "i")
    for name in (
        "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "xor",
        "or",
    )
) - {"__idivmod__"}  # fmt: skip

_POSITIONAL, _KEYWORD_ONLY, _ARGUMENTS, _KEYWORDS, _WHOLE = range(5)
_ABSENT = object()


class Declined(Exception):  # noqa: N818 - it is no error: the call's result is NotImplemented
    """A second operand breaks its annotation."""


class FunctionPlan:
    """The enforced annotations of one function."""

    __slots__ = ("_parameters", "_parts", "_positional", "_shape", "function", "gap_lists", "is_operator", "warn")

    def __init__(
        self,
        function: Any,
        annotations: dict[str, object],
        *,
        deep: bool = False,
        strict: bool = False,
        warn: Callable[[BaseException], None] | None = None,
    ) -> None:
        code = function.__code__
        described = read_all(function, with_parts(annotations, code.co_flags), deep, strict)
        self.function = function
        self.warn = warn
        self._shape = _Shape(code)
        self._positional = code.co_argcount
        self._parameters: list[tuple[int, str, int, Description]] = []
        for index, (name, kind) in enumerate(self._shape.parameters):
            if name in described and described[name][0][0] != "any":
                found = described[name][0]
                self._parameters.append((index, name, _WHOLE if found[0] == "whole" else kind, found))
        self._parts = {
            name: described[name][0]
            for name in ("return", YIELDED, SENT, MADE)
            if name in described and described[name][0][0] != "any"
        }
        self.gap_lists = [("return" if name[0] == "<" else name, described[name]) for name in described]
        self.is_operator = _is_operator(function)

    def checks(self, name: str) -> bool:
        """Tell whether some value breaks what is said of the part: `return`, or a generator's."""
        return name in self._parts

    def checks_anything(self) -> bool:
        """Tell whether some value breaks any of the annotations."""
        return bool(self._parameters or self._parts)

    def gaps(self) -> list[tuple[str, str]]:
        """Give what is not checked at present: pairs of a parameter's name (or `return`) and the reason."""
        found = []
        for name, (described, gaps) in self.gap_lists:
            found += [(name, gap) for gap in (*gaps, *_open_gaps(described))]
        return found

    def begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        """Check the arguments; None when they don't fit the parameters, which the call itself will say.

        Raises `Declined` when the call's result is NotImplemented.
        """
        bound = self._shape.bind(self.function, args, kwargs)
        if bound is None:
            return None
        call = Call(self.function, bound.get(0))
        for index, name, kind, described in self._parameters:
            for value, path in _values(bound.get(index, _ABSENT), kind):
                if not accepts(described, value, call):
                    self._refuse(call, index, name, described, value, path)
                    break
        if MADE in self._parts:
            self.check(call, MADE, _made(self.function))
        return call

    def _refuse(self, call: Call, index: int, name: str, described: Description, value: object, path: str) -> None:
        if not path and value is self._shape.default(self.function, index):
            return
        if self.is_operator and index == OPERAND:
            if self.warn is None:
                raise Declined
            return
        self._report(violation(self.function, name, path, described, value, call.first, call.choices))

    def check(self, call: Call, part: str, value: object) -> None:
        """Check what the function returns, or a part of a generator."""
        described = self._parts.get(part)
        if described is None or (value is NotImplemented and self.is_operator) or (value is None and part == SENT):
            return
        if not accepts(described, value, call):
            place = part if part in (YIELDED, SENT) else None
            self._report(violation(self.function, place, "", described, value, call.first, call.choices))

    def _report(self, error: Exception) -> None:
        if self.warn is None:
            raise error
        self.warn(error)


class _Shape:
    """The parameters of a code object."""

    __slots__ = ("count", "keyword_only", "names", "parameters", "positional", "positional_only", "rest", "rest_named")

    def __init__(self, code: Any) -> None:
        self.positional_only = code.co_posonlyargcount
        self.positional = code.co_argcount
        self.keyword_only = code.co_kwonlyargcount
        self.count = self.positional + self.keyword_only
        self.names: tuple[str, ...] = code.co_varnames[: self.count]
        kinds = [_POSITIONAL] * self.positional + [_KEYWORD_ONLY] * self.keyword_only
        self.rest = self.rest_named = -1
        if code.co_flags & CO_VARARGS:
            self.rest = len(kinds)
            kinds.append(_ARGUMENTS)
        if code.co_flags & CO_VARKEYWORDS:
            self.rest_named = len(kinds)
            kinds.append(_KEYWORDS)
        self.parameters = list(zip(code.co_varnames, kinds, strict=False))

    def bind(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[int, Any] | None:
        """Give the values of the parameters by their numbers; None where the arguments don't fit."""
        bound = dict(enumerate(args[: self.positional]))
        if len(args) > self.positional and self.rest < 0:
            return None
        if self.rest >= 0:
            bound[self.rest] = args[self.positional :]
        named = {}
        for name, value in kwargs.items():
            index = self._find(name)
            if index < 0:
                if self.rest_named < 0:
                    return None
                named[name] = value
            elif index in bound:
                return None
            else:
                bound[index] = value
        if self.rest_named >= 0:
            bound[self.rest_named] = named
        return self._with_defaults(function, bound)

    def _find(self, name: str) -> int:
        try:
            return self.names.index(name, self.positional_only)
        except ValueError:
            return -1

    def _with_defaults(self, function: Any, bound: dict[int, Any]) -> dict[int, Any] | None:
        for index in range(self.count):
            if index not in bound:
                default = self.default(function, index)
                if default is _ABSENT:
                    return None
                bound[index] = default
        return bound

    def default(self, function: Any, index: int) -> Any:
        """Give the object that `def` or a later assignment made the parameter's default."""
        if index >= self.positional:
            return (function.__kwdefaults__ or {}).get(self.names[index], _ABSENT) if index < self.count else _ABSENT
        defaults = function.__defaults__ or ()
        position = index - self.positional
        return defaults[position] if -position <= len(defaults) else _ABSENT


def _values(value: Any, kind: int) -> Iterator[tuple[Any, str]]:
    """Give what the annotation of a parameter is said of, each with its path."""
    if value is _ABSENT:
        return
    if kind == _ARGUMENTS:
        for position, item in enumerate(value):
            yield item, f"[{position}]"
    elif kind == _KEYWORDS:
        for name, item in value.items():
            yield item, f"[{name!r}]"
    else:
        yield value, ""


def _is_operator(function: Any) -> bool:
    name = function.__code__.co_name
    if function.__code__.co_argcount <= OPERAND or not (name in _COMPARISONS or name in _OPERATORS):
        return False
    scope = function.__qualname__.removesuffix(name)
    return bool(scope) and not scope.endswith("<locals>.")


def _made(function: Any) -> object:
    return ASYNC_GENERATOR if function.__code__.co_flags & CO_ASYNC_GENERATOR else GENERATOR


def _open_gaps(described: Any) -> Iterator[str]:
    """Give the reasons of the names that are still unknown."""
    if described[0] == "pending":
        pending = described[1]
        if pending.found is None:
            yield pending.reason
        else:
            yield from pending.found[1]
        return
    for part in described[1:]:
        if type(part) is tuple and part and type(part[0]) is str:
            yield from _open_gaps(part)
        elif type(part) is tuple:
            for inner in part:
                if type(inner) is tuple and inner and type(inner[0]) is str:
                    yield from _open_gaps(inner)
