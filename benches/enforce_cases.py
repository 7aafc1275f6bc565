"""The functions that `bench_enforce.py` has each library decorate, with what each takes and what it must refuse.

The module is loaded anew for each library, because some read the text of what they decorate. Annotations are objects:
nobody is timed for evaluating text.
"""

import typing as t
from collections.abc import Callable

from enforce_types import Dog, Named, Point, add_one


def one_int(deco):
    @deco
    def function(x: int) -> int:
        return x

    return function


def three(deco):
    @deco
    def function(x: int, y: float, s: str) -> str:
        return s

    return function


def method(deco):
    class Holder:
        @deco
        def function(self, x: int) -> int:
            return x

    return Holder().function


def optional(deco):
    @deco
    def function(x: t.Optional[int]) -> None:  # noqa: UP045 - as the libraries' own benchmarks spell it
        return None

    return function


def union(deco):
    @deco
    def function(x: t.Union[int, str, bytes, float, list]) -> None:  # noqa: UP007 - as above
        return None

    return function


def items(deco):
    @deco
    def function(x: list[int]) -> None:
        return None

    return function


def entries(deco):
    @deco
    def function(x: dict[str, int]) -> None:
        return None

    return function


def fixed_tuple(deco):
    @deco
    def function(x: tuple[int, str, float]) -> None:
        return None

    return function


def dataclass(deco):
    @deco
    def function(x: Point) -> None:
        return None

    return function


def called(deco):
    @deco
    def function(x: Callable[[int], int]) -> None:
        return None

    return function


def protocol(deco):
    @deco
    def function(x: Named) -> None:
        return None

    return function


def literal(deco):
    @deco
    def function(x: t.Literal["a", "b", "c"]) -> None:
        return None

    return function


def floats(deco):
    @deco
    def function(x: float, y: float) -> float:
        return x

    return function


def unannotated(deco):
    @deco
    def function(x):
        return x

    return function


#: For each case: what builds it, good arguments, bad ones (None where there are none).
CASES = {
    "f(int) -> int": (one_int, (1,), ("1",)),
    "f(int, float, str) -> str": (three, (1, 2.0, "s"), (1, 2.0, b"s")),
    "method(int) -> int": (method, (1,), ("1",)),
    "Optional[int]": (optional, (None,), ("1",)),
    "Union of 5, its first": (union, (1,), ({},)),
    "Union of 5, its last": (union, ([],), ({},)),
    "list[int] of 10": (items, (list(range(10)),), ((1,),)),
    "list[int] of 1000": (items, (list(range(1000)),), ((1,),)),
    "dict[str, int] of 1000": (entries, ({str(i): i for i in range(1000)},), ([],)),
    "tuple[int, str, float]": (fixed_tuple, ((1, "s", 2.0),), ((1, "s"),)),
    "a dataclass": (dataclass, (Point(1, 2),), (1,)),
    "Callable[[int], int]": (called, (add_one,), (1,)),
    "a Protocol": (protocol, (Dog(),), (1,)),
    "Literal of 3": (literal, ("c",), ("d",)),
    "f(float, float) -> float": (floats, (1.0, 2.0), (1.0, "2")),
    "no annotations": (unannotated, (1,), None),
}
