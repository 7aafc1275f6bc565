"""Nested functions whose annotations are only text: what `__annotations__` says is CPython's own rendering."""
# native: simple, operators, literals, calls, kinds, twice

from __future__ import annotations

from castiron import jit
from support import show


@jit
def simple(n: int):
    def inner(a: int, b: list[int] | None, c: dict[str, tuple[int, ...]] = n, *, d: "Later" = None) -> a.b.c[int, str]:
        return a

    return inner.__annotations__, inner(n, None)


@jit
def operators(n: int):
    def inner(
        a: x | y | z,
        b: x | (y | z),
        c: (x + y) * z,
        d: x + y * z - (w - v),
        e: -(x**-y),
        f: (-x) ** y**z,
        g: (x**y) ** z,
        h: not x,
        i: ~(x + 1) << 2 >> (3 & 4 ^ 5),
        j: (not x) | y,
        k: x @ y // z % w / v,
    ) -> (x & y) | z ^ w: ...

    return inner.__annotations__


@jit
def literals(n: int):
    def inner(
        a: "text",
        b: 'it\'s "so"',
        c: "it's",
        d: "a\\b\n\t\x01\x7f",
        e: Literal["a", 1, True, None, -1, ...],
        f: (),
        g: (x,),
        h: (x, y),
        i: T[()],
        j: T[x,],
        k: T[(x, y), [], [z]],
        l: "onetwo",
        m: 12_345,
        n: 0xFF,
    ) -> 0: ...

    return inner.__annotations__


@jit
def calls(n: int):
    def inner(
        a: Annotated[int, Field(gt=0, le=-1)],
        b: f(),
        c: f(x, *y),
        d: f(x, y=z)[w].v,
        e: (x | y)[z],
        f: (x | y).z,
    ): ...

    return inner.__annotations__


@jit
def other_forms(n: int):
    def inner(a: (f or g)(x) if False else Missing, b: 1.5e300, c: "\u00e9") -> f"{x}": ...

    return inner.__annotations__


@jit
def kinds(n: int):
    def inner(a: A, /, b: B, *args: C, d: D, **kwargs: E) -> None:
        return a, b, args, d, kwargs

    return inner.__annotations__, inner(1, 2, 3, d=4, e=n)


@jit
def twice(n: int):
    made = []
    for i in range(n):

        def inner(a: int = i) -> str:
            return str(a)

        made.append(inner)
    made[0].__annotations__["a"] = bool
    return [(inner(), inner.__annotations__) for inner in made]


class Private:
    @jit
    def private(self, n: int):
        def inner(__a: __B, c: Private.__D) -> __E:
            return __a

        return inner.__annotations__, inner(n, 0)


def private(n):
    return Private().private(n)


def main():
    show(simple, 3)
    show(operators, 3)
    show(literals, 3)
    show(calls, 3)
    show(other_forms, 3)
    show(kinds, 3)
    show(twice, 3)
    show(private, 3)
