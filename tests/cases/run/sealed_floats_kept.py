"""Objects that died with floats of their own give these to the next ones: nobody's float changes, nothing is lost."""
# native: made, chain, twice, given, mixed, spread, total, renewed, wide, children

from __future__ import annotations

import gc
import math
import sys
import types
import weakref

from castiron import frozen, jit


@frozen
class Vec:
    x: float
    y: float
    z: float

    @jit
    def plus(self, other: Vec) -> Vec:
        return Vec(self.x + other.x, self.y + other.y, self.z + other.z)


@frozen
class Mass(Vec):
    weight: float
    name: str


@frozen
class Mixed:
    n: int
    x: float
    link: Mixed | None
    y: float
    anything: object


@frozen(immutable=True)
class Fixed:
    x: float
    y: float = 0.25


@frozen
class Last:
    x: float

    def __del__(self):
        print("  dead", self.x)


WIDE = [f"f{number}" for number in range(70)]
source = "\n".join(["@frozen", "class Wide:", *(f"    {name}: float" for name in WIDE)])
exec(source)


@jit
def made(x: float, y: float) -> Vec:
    return Vec(x, y, x * y)


@jit
def chain(x: float, n: int) -> Vec:
    """Each object dies when the next one is there."""
    v = Vec(x, x + 1.0, x + 2.0)
    for i in range(n):
        v = Vec(v.y, v.z, v.x + i)
    return v


@jit
def twice(x: float, kept: list) -> tuple:
    """A float that somebody keeps while its object dies."""
    v = Vec(x, x + 0.5, x + 1.5)
    kept.append(v.y)
    w = Vec(x + 10.0, x + 20.0, x + 30.0)
    del v
    u = Vec(x + 11.0, x + 21.0, x + 31.0)
    kept.append(u)
    return (u.x, u.y, u.z, w)


@jit
def given(x, y: float) -> tuple:
    """Some objects get floats that are there, or no floats."""
    return (Vec(x, y, y + 1.0), Fixed(x), Fixed(y), Fixed(y + 1.0, y))


@jit
def mixed(n: int, x: float, link: Mixed | None, anything: object) -> Mixed:
    return Mixed(n, x + 1.0, link, x + 2.0, anything)


@jit
def children(x: float, n: int) -> float:
    """Objects that die with what they refer to."""
    m = Mixed(0, x, None, x, None)
    for i in range(n):
        m = Mixed(i, x + i, Mixed(i, x, m, x - i, x), x * i, (m, x))
        if i % 7 == 0:
            m = Mixed(i, x, None, x, None)
    return m.x + m.y


@jit
def spread(n: int) -> list:
    items: list[Vec] = []
    for i in range(n):
        items.append(Vec(i + 0.5, i * 2.0, -1.0 * i))
    return items


@jit
def total(items: list[Vec]) -> Vec:
    sum = Vec(0.0, 0.0, 0.0)
    for item in items:
        sum = sum.plus(item)
    return sum


@jit
def renewed(cls, x: float) -> tuple:
    """The class is another one each time."""
    n = Fleeting(x, x + 1.0)  # noqa: F821
    o = Fleeting(n.y, n.x)  # noqa: F821
    return (n.x, o)


@jit
def wide(x: float) -> Wide:  # noqa: F821
    y = x + 1.0
    return Wide(x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y, x, y)  # noqa: F821, E501


def fleeting():
    @frozen
    class Fleeting:
        x: float
        y: float

    return Fleeting


def say(*values: object) -> None:
    print(*values)


def odd_values() -> None:
    """What dies with other things than floats of its own in its fields."""
    shared = 1.5 * len("ab")
    for value in (shared, 7, math.nan, -0.0, True):
        v = Vec(value, shared, 2.0)
        w = made(4.0, 5.0)
        v.x = w.x
        del v
        say("odd", shared, w, made(6.0, 7.0), Vec(value, 8.0, 9.0))
    v = made(1.0, 2.0)
    v.y = 3
    del v
    say("odd", made(1.0, 3.0), made(2.0, 4.0))
    ref = weakref.ref(made(1.0, 2.0))
    v = made(2.0, 3.0)
    ref = weakref.ref(v, lambda _: print("  gone"))
    del v
    say("odd", ref(), made(3.0, 4.0))
    m = Mass(1.0, 2.0, 3.0, 4.0, "m")
    say("odd", m.plus(m), total([m, made(1.0, 1.0), m]))
    del m
    say("odd", Mass(5.0, 6.0, 7.0, 8.0, "n"), made(9.0, 9.0))


def main() -> None:
    # Classes with annotations as text want their module.
    sys.modules.setdefault(__name__, types.ModuleType(__name__))
    for number in range(4):
        say("made", made(1.5, 2.5 + number), made(0.5, -0.5))
    say("chain", chain(0.5, 100), chain(-1.0, 3))
    kept: list = []
    for number in range(5):
        say("twice", twice(float(number), kept))
    say("twice", kept)
    for value in (1.5, 2, math.inf, math.nan, True):
        say("given", given(value, 0.5), given(value, math.nan))
    m = None
    for number in range(20):
        m = mixed(number, number / 4, m if number % 5 else None, [number])
        say("mixed", m)
    del m
    say("children", children(1.5, 50), children(-2.0, 9))
    items = spread(600)
    say("spread", items[0], items[599], total(items))
    alive = items[10].x
    del items
    gc.collect()
    items = [Vec(float(i), 1.0, 2.0) for i in range(300)] + spread(400)
    say("spread", alive, items[299], items[300], items[-1], total(items))
    odd_values()
    for number in range(3):
        globals()["Fleeting"] = fleeting()
        say("renewed", [part if part.__class__ is float else part.y for part in renewed(None, number + 0.5)])
        for _ in range(3):
            renewed(None, 1.5)
    one = Last(2.5)
    del one
    for number in range(3):
        say("wide", sum(getattr(wide(float(number)), name) for name in WIDE))

