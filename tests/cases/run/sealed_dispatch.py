"""Methods that subclasses replace: called by the exact class, also where classes are made later."""
# native: areas, total, steps, renamed, mixed_arguments, chain, late

from __future__ import annotations

import sys

import support
from support import show

from castiron import frozen, jit


@frozen
class Shape:
    size: int
    next: Shape | None = None

    @jit
    def area(self, scale: int) -> Shape | None:
        return self

    @jit
    def label(self) -> str:
        return "shape" + str(self.size)

    @jit
    def grown(self, by: int) -> Shape:
        self.size += by
        return self

    @jit
    def twice(self, by: int) -> Shape | None:
        self.grown(by)
        return self.area(by)

    @jit
    def fails(self, by: int) -> Shape:
        raise NotImplementedError("no " + str(by))


@frozen
class Square(Shape):
    side: float = 1.0

    @jit
    def area(self, scale: int) -> Shape | None:
        self.side += scale
        if scale % 3 == 0:
            return None
        return self

    @jit
    def fails(self, by: int) -> Shape:
        if by > 2:
            raise ValueError(by)
        return self


@frozen
class Circle(Shape):
    radius: float = 0.5

    @jit
    def area(self, scale: int) -> Shape | None:
        return self.next

    @jit
    def label(self) -> str:
        return "circle"


@frozen
class Ring(Circle):
    @jit
    def area(self, scale: int) -> Shape | None:
        found = super().area(scale)
        return self if found is None else found


class Ordinary(Shape):
    """No sealed class: its methods are anybody's."""

    def area(self, scale):
        return None if scale > 2 else Square(7)


@jit
def areas(shapes: list[Shape], scale: int) -> int:
    total = 0
    for k in range(20):
        for i in range(len(shapes)):
            found = shapes[i].area(scale + k)
            if found is not None:
                total += found.size
    return total


@jit
def total(shape: Shape, by: int) -> int:
    found = shape.twice(by)
    if found is None:
        return -1
    return found.size


@jit
def steps(shape: Shape | None, most: int) -> int:
    count = 0
    while shape is not None and count < most:
        shape = shape.area(count)
        count += 1
    return count


@jit
def renamed(shapes: list[Shape]) -> str:
    found = ""
    for i in range(len(shapes)):
        found += shapes[i].label() + " "
    return found


@jit
def mixed_arguments(shape: Shape, by) -> Shape | None:
    return shape.area(by)


@jit
def chain(shape: Shape, by: int) -> int:
    return shape.fails(by).grown(1).size


@jit
def late(shape: Shape, turns: int) -> int:
    count = 0
    for k in range(turns):
        if shape.area(k) is None:
            count += 1
    return count


def main():
    sys.modules.setdefault(__name__, support)

    def some():
        return [Shape(1), Square(2), Circle(3, Shape(30)), Ring(4), Ring(5, Square(6)), Square(7, None, 2.5)]

    for _ in range(3):
        show(areas, some(), 1)
        show(areas, [Square(1)], 0)
        show(renamed, some())
        for shape in some():
            show(total, shape, 2)
            show(steps, shape, 10)
            show(chain, shape, 2)
            show(late, shape, 7)
    show(chain, Square(1), 5)
    show(chain, Circle(1), 1)
    show(areas, [Ordinary(1), Square(2)], 1)
    show(total, Ordinary(3), 2)
    show(steps, Ordinary(3), 5)
    show(total, Square(2**63 - 2), 5)
    show(total, Square(2**70), 5)
    show(steps, None, 5)
    show(mixed_arguments, Square(1), 4)
    show(mixed_arguments, Square(1), 2**70)
    show(lambda: areas([Square.__new__(Square)], 1))
    show(lambda: areas([None], 1))

    @frozen
    class Later(Shape):
        @jit
        def area(self, scale: int) -> Shape | None:
            return None

    @frozen
    class Silent(Square):
        def grown(self, by):
            self.size -= by
            return self

    @frozen
    class Same(Ring):
        more: int = 0

    for shape in (Later(9), Silent(8), Same(7), Same(6, Later(5))):
        show(lambda shape=shape: total(shape, 2))
        show(lambda shape=shape: steps(shape, 6))
        show(lambda shape=shape: areas([shape, Square(1)], 1))
        show(lambda shape=shape: late(shape, 300))
        show(lambda shape=shape: renamed([shape]))
