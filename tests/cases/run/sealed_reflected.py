"""Operators of sealed classes that have subclasses: reflected ones go first, and messages name the exact classes."""
# native: f, g, own

from __future__ import annotations

from castiron import frozen, jit
from support import show


@frozen
class P:
    x: float

    @jit
    def __sub__(self, other: P) -> P:
        if self.x < 0.0:
            return NotImplemented
        return P(self.x - other.x)

    @jit
    def __mul__(self, n: float) -> P:
        if self.x < 0.0:
            return NotImplemented
        return P(self.x * n)


@frozen
class Alone:
    x: float

    @jit
    def __sub__(self, other: Alone) -> Alone:
        if self.x < 0.0:
            return NotImplemented
        return Alone(self.x - other.x)

    def __rsub__(self, other: Alone) -> Alone:
        return Alone(88.0)


@frozen
class M(P):
    pass


@frozen
class R(P):
    def __rsub__(self, other: P) -> P:
        return P(77.0)


@jit
def f(p: P, q: P) -> float:
    t = 0.0
    for i in range(100):
        r = p - q
        t += r.x
    return t


@jit
def g(p: P, n: int) -> float:
    t = 0.0
    for i in range(100):
        r = p * n
        t += r.x
    return t


@jit
def own(p: Alone, q: Alone) -> float:
    t = 0.0
    for i in range(100):
        r = p - q
        t += r.x
    return t


def main():
    objects = [P(1.0), M(2.0), R(3.0), P(-1.0), M(-2.0), R(-3.0)]
    for p in objects:
        for q in objects:
            show(f, p, q)
        show(g, p, 2)
        show(g, p, 2**70)
    show(own, Alone(1.0), Alone(2.0))
    show(own, Alone(-1.0), Alone(2.0))
