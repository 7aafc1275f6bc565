"""Whole calls of functions and classes with type parameters (PEP 695): CPython 3.12 and later."""

from __future__ import annotations

import sys
from typing import Any

from enforcement.rows import CallRow
from enforcement.scalars import Circle, Shape, Square

ARGUMENTS = "the items of an unpacked tuple are the arguments (generics: *args as a TypeVarTuple or tuple)"
CONSTRAINTS = "all uses of a constrained variable are one of its types (generics: type variables with constraints)"
PARAM_SPEC = "P.args and P.kwargs stand for any arguments (generics: ParamSpec)"
SCOPE = "a type parameter's scope is its function, class or alias (generics: scoping rules)"

_STATEMENTS = """
from collections.abc import Callable
def functions(d, Shape):
    @d
    def bound[S: Shape](x: S, xs: list[S]) -> S: return xs if x is None else x
    @d
    def constrained[T: (int, str)](a: T, b: T) -> T: return a
    @d
    def spread[*Ts](*args: *Ts) -> tuple[*Ts]: return args
    @d
    def wrapped[**P, R](f: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R: return f(*args, **kwargs)
    @d
    def lazy[T: "Late"](x: T) -> T: return x
    @d
    class Box[T: Shape]:
        def __init__(self, item: T) -> None: self.item = item
        def put(self, item: T) -> "Box[T]": return self
        def swap[U: int](self, item: T, other: U) -> U: return other
        @staticmethod
        def of[V: str](v: V) -> V: return v
    return {"bound": bound, "constrained": constrained, "spread": spread, "wrapped": wrapped, "lazy": lazy, "Box": Box}
class Late: ...
"""


def _new_syntax() -> list[CallRow]:
    if sys.version_info < (3, 12):
        return []
    space: dict[str, Any] = {"__name__": __name__}
    exec(_STATEMENTS, space)
    make = space["functions"]

    def functions(d: Any) -> Any:
        return make(d, Shape)

    return [
        CallRow(
            functions,
            [lambda f: f["bound"](Circle(), [Square()])],
            [lambda f: f["bound"](1, []), lambda f: f["bound"](Circle(), ())],
            SCOPE,
            [lambda f: f["bound"](Circle(), [1])],
        ),
        CallRow(
            functions,
            [lambda f: f["constrained"](1, 2), lambda f: f["constrained"]("a", "b")],
            [lambda f: f["constrained"](1, "b"), lambda f: f["constrained"](1.5, 2)],
            CONSTRAINTS,
        ),
        CallRow(functions, [lambda f: f["spread"](), lambda f: f["spread"](1, "x")], [], ARGUMENTS),
        CallRow(
            functions,
            [lambda f: f["wrapped"](max, 1, 2), lambda f: f["wrapped"](dict, a=1)],
            [lambda f: f["wrapped"](1)],
            PARAM_SPEC,
        ),
        CallRow(functions, [lambda f: f["lazy"](space["Late"]())], [lambda f: f["lazy"](1)], SCOPE),
        CallRow(
            functions,
            [
                lambda f: f["Box"](Circle()).put(Square()),
                lambda f: f["Box"](Shape()).swap(Shape(), 1),
                lambda f: f["Box"].of("x"),
            ],
            [
                lambda f: f["Box"](1),
                lambda f: f["Box"](Circle()).put(1),
                lambda f: f["Box"](Circle()).swap(Circle(), "x"),
                lambda f: f["Box"].of(1),
            ],
            SCOPE,
        ),
    ]


ROWS: list[CallRow] = _new_syntax()
