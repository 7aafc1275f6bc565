"""`jit` on classes: every function that the body defines, on ordinary classes and on frozen ones, above and below."""
# native: use, total

from __future__ import annotations

import dataclasses

from support import show

from castiron import frozen, jit


@jit
@frozen
class Above:
    x: float
    n: int = 0

    def scaled(self, by: float) -> float:
        return self.x * by

    def __add__(self, other: Above) -> Above:
        return Above(self.x + other.x, self.n + other.n)

    @property
    def half(self) -> float:
        return self.x / 2

    @staticmethod
    def twice(n: int) -> int:
        return n * 2

    @classmethod
    def made(cls, x: float) -> Above:
        return cls(x)


@frozen
@jit
class Below:
    x: float

    def scaled(self, by: float) -> float:
        return self.x * by

    @property
    def half(self) -> float:
        return self.x / 2


@frozen
@jit
class Child(Below):
    y: float = 1.0

    def scaled(self, by: float) -> float:
        return self.y * by + super().scaled(by)


@jit
class Plain:
    kind = 3

    def __init__(self, n: int) -> None:
        self.n = n

    def add(self, k: int) -> int:
        return self.n + k + self.kind

    @staticmethod
    def fixed(k: int) -> int:
        return k + 1

    @property
    def double(self) -> int:
        return self.n * 2

    @double.setter
    def double(self, value: int) -> None:
        self.n = value // 2

    class Inner:
        """A class of its own."""

        def get(self, k: int) -> int:
            return k


@jit
@dataclasses.dataclass
class Data:
    n: int

    def add(self, k: int) -> int:
        return self.n + k


@jit
def use(a: Above, turns: int) -> float:
    total = 0.0
    for _ in range(turns):
        total += a.scaled(2.0) + (a + a).x
    return total


@jit
def total(items: list[Below]) -> float:
    found = 0.0
    for item in items:
        found += item.scaled(0.5)
    return found


def main():
    a, b = Above(1.5, 2), Below(2.5)
    for _ in range(3):
        show(use, a, 20)
        show(total, [b, Child(1.0), b])
        show(lambda: (a.scaled(2.0), a.half, a.twice(3), a.made(4.0), a + a))
        show(lambda: (b.scaled(2.0), b.half, Child(1.0, 2.0).scaled(3.0)))
    p = Plain(4)
    show(lambda: (p.add(2), p.fixed(3), p.double, Plain.Inner().get(7)))
    p.double = 9
    show(lambda: (p.n, p.add(2**70)))
    Plain.kind = 5
    show(lambda: p.add(1))
    show(lambda: (Data(3).add(4), Data(3) == Data(3), repr(Data(5))))
    show(lambda: Above.scaled.__name__ + Plain.add.__qualname__)
    show(lambda: a.scaled(3) + Above(2).scaled(2))
