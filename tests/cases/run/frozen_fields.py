"""Fields of frozen classes, read and written by compiled code: guessed by their names, found by caches, checked."""
# native: norm, total, advance, count, share, keep, rename, store, swap, read_all, replace_object, write_ordinary

import dataclasses

from castiron import frozen, jit
from support import show


@frozen
class Body:
    x: float
    v: float = 0.0
    n: int = 0
    name: str = ""
    other: object = None


@frozen(immutable=True)
class Fixed:
    x: float
    n: int = 0


class Heir(Body):
    """An ordinary subclass, with a field hidden by a property."""

    @property
    def v(self):
        return -self.x

    @v.setter
    def v(self, value):
        print("  v set to", value)


class Ordinary:
    """No frozen class at all, with the same names."""

    def __init__(self, x, v=0.0, n=0):
        self.x = x
        self.v = v
        self.n = n

    def __repr__(self):
        return "Ordinary"


class Loud:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return "Loud"

    def __del__(self):
        print("  del", self.name)


@jit
def norm(b):
    return b.x * b.x + b.v * b.v


@jit
def total(bodies: list) -> float:
    found = 0.0
    for b in bodies:
        found += b.x * 2.0 + b.n
    return found


@jit
def advance(b, dt: float, turns: int):
    for _ in range(turns):
        b.x += dt * b.v
        b.v -= dt * b.x
    return b.x


@jit
def count(b, turns: int):
    for _ in range(turns):
        b.n += 1
    return b.n


@jit
def share(a, b, value: float):
    a.x = value * 2.0
    b.x = a.x
    kept = a.x
    a.x += 1.0
    a.x += 1.0
    return (kept, a.x, b.x)


@jit
def keep(b, turns: int):
    seen = []
    for _ in range(turns):
        b.x += 1.5
        seen.append(b.x)
    return seen


@jit
def rename(b, name: str):
    b.name = name + "!"
    return b.name


@jit
def store(b, value):
    b.x = value
    return b.x


@jit
def swap(a, b):
    a.x, b.x = b.x, a.x
    return (a.x, b.x)


@jit
def read_all(b):
    return (b.x, b.v, b.n, b.name)


@jit
def replace_object(b, value):
    b.other = value
    return b.n


@jit
def write_ordinary(b, value: float, turns: int):
    for _ in range(turns):
        b.x = b.x + value
    return b.x


def main():
    for make in (Body, Heir, Ordinary, Fixed):
        made = make(3.0)
        for _ in range(3):
            show(norm, made)
            show(advance, made, 0.5, 4)
            show(count, made, 3)
            show(store, made, 2.25)
            show(read_all, made)

    show(total, [Body(float(i), n=i) for i in range(50)] + [Body(2), Ordinary(1.0), Ordinary("no")])
    show(total, [Body(2**70, n=2**70), Body(True, n=True)])
    show(total, [Body(1.0), None])

    for _ in range(70):
        advance(Body(1.0, 2.0), 0.5, 3)
        norm(Body(1, 2))
    show(advance, Body(1, 2), 0.5, 5)
    show(norm, Body(2**62, 2**62))
    show(norm, Fixed(1.5))

    a, b = Body(1.0), Body(2.0)
    show(share, a, b, 1.25)
    show(share, a, a, 1.25)
    show(lambda: (a.x, b.x))
    show(keep, Body(0.0), 5)
    show(keep, Ordinary(0.0), 5)
    show(rename, a, "name")
    show(swap, a, b)

    nan = float("nan")
    kept = Body(nan)
    show(lambda: kept.x is nan)
    show(swap, kept, a)
    show(lambda: (a.x is nan, kept.x))
    show(store, kept, nan)
    show(lambda: kept.x is nan)
    show(advance, Body(nan, 1.0), 0.5, 2)
    show(advance, Body(float("inf"), float("-inf")), 0.5, 3)
    made = Body(0.0, -0.0)
    show(advance, made, -0.0, 1)
    show(lambda: (str(made.x), str(made.v)))

    for value in ("text", None, 1, True, 2.5, 2**80, 1j):
        show(store, a, value)
        show(lambda: a.x)
    show(count, Body(1.0, n=2**63 - 2), 5)
    show(store, Fixed(1.0), 2.0)
    unset = Fixed.__new__(Fixed)
    show(lambda: store(unset, 2.0))
    show(lambda: store(unset, 3.0))
    empty = Body.__new__(Body)
    show(lambda: norm(empty))
    show(lambda: advance(empty, 0.5, 1))
    show(lambda: store(empty, 4.5))
    show(lambda: norm(empty))

    held = Body(1.0)
    for name in "abc":
        show(replace_object, held, Loud(name))
    show(replace_object, held, None)

    plain = Ordinary(1.0)
    shared = plain.x
    show(write_ordinary, plain, 0.5, 10)
    show(lambda: (shared, plain.x))
    plain.__dict__["x"] = 7.0
    show(write_ordinary, plain, 0.5, 10)
    show(lambda: plain.__dict__)
    Ordinary.x = property(lambda self: 3.0)
    show(write_ordinary, plain, 0.5, 2)
    show(norm, plain)
    del Ordinary.x
    show(lambda: dataclasses.astuple(b))
