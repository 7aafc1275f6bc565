"""Objects that are known to be of sealed classes, by annotations, fields and methods: read at known places."""
# native: length, walk, last, swap_ends, energy, grow, chase, mixed, named, later, outer, read_twice

from __future__ import annotations

import copy
import pickle
import sys
from typing import Optional

import support
from support import show

from castiron import frozen, jit


@frozen
class Point:
    x: float
    y: float = 0.0
    n: int = 0
    flag: bool = False
    name: str = ""

    @jit
    def dot(self, other: Point) -> float:
        return self.x * other.x + self.y * other.y

    @jit
    def norm(self) -> float:
        return self.x * self.x + self.y * self.y


@frozen
class Segment:
    start: Point
    end: Point
    label: Optional[Point] = None  # noqa: UP045
    unchecked: Point = None


@frozen
class Link:
    value: int
    next: Link | None = None


@frozen
class Shape:
    width: float
    other: Shape | None = None

    @jit
    def area(self) -> float:
        return self.width * self.width


@frozen
class Square(Shape):
    side: float = 1.0

    @jit
    def side_of(self, shape: Shape) -> float:
        return self.side + shape.width


@frozen
class Hidden(Shape):
    """A field of the base is hidden by a property."""

    @property
    def width(self):
        return 100.0


@frozen
class Odd:
    """Attributes are not read as usual."""

    x: float

    def __getattribute__(self, name):
        if name == "x":
            return 7.5
        return object.__getattribute__(self, name)


@frozen
class Fallback:
    x: float = 1.0

    def __getattr__(self, name):
        return len(name) + 0.25


class Heir(Point):
    """An ordinary subclass that hides a field."""

    @property
    def x(self):
        return -1.0

    @x.setter
    def x(self, value):
        pass


class Plain(Point):
    pass


@jit
def length(s: Segment) -> float:
    return s.start.dot(s.end) + s.start.x - s.end.y


@jit
def walk(link: Link | None) -> int:
    total = 0
    while link is not None:
        total = total * 3 + link.value
        link = link.next
    return total


@jit
def last(link: Link) -> Link:
    while link.next is not None:
        link = link.next
    return link


@jit
def swap_ends(s: Segment) -> Segment:
    s.start, s.end = s.end, s.start
    return s


@jit
def energy(points: list[Point], turns: int) -> float:
    total = 0.0
    for _ in range(turns):
        for i in range(len(points)):
            p = points[i]
            total += p.x * p.x + p.y + p.n
            if p.flag:
                total -= 1.0
    return total


@jit
def grow(p: Point, turns: int) -> float:
    for _ in range(turns):
        p.x += 0.5
        p.n += 1
        p.flag = not p.flag
    return p.x


@jit
def chase(s: Segment) -> float:
    found = s.label
    if found is None:
        return s.unchecked.x
    return found.x + s.unchecked.x


@jit
def mixed(shape: Shape) -> float:
    total = shape.width
    if shape.other is not None:
        total += shape.other.width
    return total


@jit
def named(p: Point) -> str:
    return p.name + "/" + str(p.n)


@jit
def outer(o: Odd, f: Fallback) -> float:
    return o.x + f.x


@jit
def read_twice(p: Point, act) -> tuple:
    before = p.x
    act(p)
    return (before, p.x)


@jit
def later(s: Segment, act) -> float:
    start = s.start
    first = start.x
    act()
    return first + start.x + s.start.x


def redefined():
    """The same names, other classes: what was compiled for one must not take the other's instances."""
    made = []
    for _ in range(3):

        @frozen
        class Cell:
            a: int
            b: float = 0.25

            @jit
            def get(self, other) -> float:
                return self.a + other.b + 0.5

        made.append(Cell)
    for one in made:
        for other in made:
            print("  ", one(1).get(other(2)))
            print("  ", made[0].get(one(1), other(2)))


for _ in range(3):

    @frozen
    class Again:
        a: int
        b: float = 0.25

        @jit
        def get(self, turns: int) -> float:
            total = 0.0
            for _ in range(turns):
                total += self.a + self.b
            return total

    if "FIRST" not in globals():
        FIRST = Again


@jit
def again(one: Again, other) -> float:
    return one.get(3) + one.b + other.b


def main():
    # Classes with annotations as text want their module.
    sys.modules.setdefault(__name__, support)
    p, q = Point(1.5, 2.0, 3, True, "p"), Point(-0.5, 4.0)
    for _ in range(3):
        show(length, Segment(p, q))
        show(lambda: Point.dot(p, q))
        show(lambda: p.norm())
        show(named, p)
        show(energy, [p, q] * 20, 5)
        show(chase, Segment(p, q, q, p))
        show(chase, Segment(p, q, None, p))
    show(chase, Segment(p, q))
    show(chase, Segment(p, q, p))
    nan = float("nan")
    for odd in (Point(1, 2), Point(nan, 1.0), Point(1.0, -0.0, 2**70), Point(True, 2**65), Heir(2.0), Plain(2.0, 3.0)):
        show(length, Segment(odd, p))
        show(length, Segment(p, odd))
        show(energy, [p, odd, q], 3)
        show(grow, odd, 3)
        show(lambda odd=odd: odd.norm())
        show(lambda odd=odd: odd.dot(odd))
        show(lambda odd=odd: Segment(p, odd).end is odd)
    show(lambda: Point(nan).x is nan)
    show(lambda: read_twice(Point(nan), lambda p: None)[0] is nan)

    chain = None
    for number in range(30):
        chain = Link(number, chain)
    show(walk, chain)
    show(walk, None)
    show(walk, Link(2**63 - 1, Link(2**64)))
    show(lambda: last(chain).value)
    show(swap_ends, Segment(p, q))

    empty = Point.__new__(Point)
    show(lambda: length(Segment(empty, p)))
    show(lambda: grow(empty, 2))
    show(lambda: energy([p, empty], 2))
    show(lambda: Point.norm(empty))
    unset = Segment.__new__(Segment)
    show(lambda: length(unset))
    show(lambda: chase(unset))
    show(lambda: Point.norm(3))
    show(lambda: Point.norm(Link(1)))

    for shape in (Shape(2.0), Square(3.0, None, 4.0), Shape(1.0, Square(5.0)), Square(2, Shape(3))):
        show(mixed, shape)
        show(lambda shape=shape: shape.area())
        show(lambda shape=shape: Shape.area(shape))
    show(lambda: Square(1.0).side_of(Square(2.0)))
    show(lambda: Square(1.0).side_of(Shape(2.0)))
    show(lambda: Hidden.__new__(Hidden).area())
    show(lambda: mixed(Shape(1.0, Hidden.__new__(Hidden))))

    @frozen
    class Later(Shape):
        more: float = 0.5

    @frozen
    class Narrow(Shape):
        other: Square | None = None

    show(mixed, Later(2.5, Later(1.5)))
    show(mixed, Narrow(2.5, Square(1.5)))
    show(lambda: Later(2.5).area())

    show(outer, Odd(1.0), Fallback())
    show(lambda: outer(Odd(1.0), Fallback.__new__(Fallback)))
    show(lambda: outer(Odd(1.0), Fallback(2)))

    for other in (copy.copy(p), copy.deepcopy(Segment(p, q)).start, Point(*[1.0, 2.0])):
        show(lambda other=other: other.norm())
        show(length, Segment(other, p))
    show(lambda: pickle.loads(pickle.dumps(Link(4, Link(5)))).next.value)
    show(lambda: walk(pickle.loads(pickle.dumps(Link(4, Link(5))))))

    segment = Segment(Point(1.0), Point(2.0))

    def replace():
        segment.start = Point(10.0)

    show(lambda: later(segment, replace))
    show(lambda: later(segment, lambda: setattr(segment, "start", Point(3))))

    def delete():
        del segment.start

    show(lambda: later(segment, delete))
    show(lambda: read_twice(p, lambda p: setattr(p, "x", 5)))
    show(lambda: read_twice(p, lambda p: setattr(p, "x", 6.5)))
    redefined()
    for cls in (FIRST, Again, FIRST):
        show(lambda cls=cls: cls(2).get(400))
        show(lambda cls=cls: again(Again(1), cls(2, 0.5)))

    names = globals()
    kept = names["Point"]
    names["Point"] = Link
    show(lambda: p.norm())
    show(lambda: p.dot(q))
    show(length, Segment(p, q))
    names["Point"] = kept
    show(length, Segment(p, q))
