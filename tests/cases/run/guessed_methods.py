"""Methods called by compiled functions that probably know them: what is called is what a lookup finds, whatever was changed meanwhile."""
# native: outline, total, ask, walk, chain, remove_itself, in_turns, numbers, adds, halves, agrees, mixed
# repetitions: 12

import sys
import traceback
from unittest import mock

from castiron import jit


def stack(limit=7):
    names = []
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "main" and len(names) < limit:
        names.append(f"{frame.f_code.co_name}:{frame.f_lineno - frame.f_code.co_firstlineno}")
        frame = frame.f_back
    return names


class Shape:
    sides = 0

    def __init__(self, size):
        self.size = size

    @jit
    def area(self):
        return self.size * 2

    @jit
    def scaled(self, by):
        return self.area() * by

    @jit
    def raises(self, text):
        if text:
            raise ValueError(text, self.size)
        return None

    @jit
    def looks(self):
        return stack()

    @jit
    def down(self, n):
        if n <= 0:
            return self.size
        return self.down(n - 1) + 1

    @jit
    def kind(self) -> str:
        return "shape"


class Square(Shape):
    sides = 4

    @jit
    def area(self):
        return self.size * self.size


class Circle(Shape):
    sides = 1

    @jit
    def area(self):
        return self.size * 3.25

    @jit
    def raises(self, text):
        return super().raises(text)


class Plain(Shape):
    def area(self):
        return "plain"


class Slots:
    __slots__ = ("size",)

    def __init__(self, size):
        self.size = size

    @jit
    def area(self):
        return -self.size

    @jit
    def scaled(self, by):
        return (self.area(), by)


@jit
def outline(shape):
    return shape.area()


@jit
def total(shapes):
    found = []
    for shape in shapes:
        found.append(shape.area())
    return found


@jit
def ask(shape, text):
    return shape.raises(text)


@jit
def walk(shape):
    return shape.looks()


@jit
def chain(shape, by):
    first = shape.scaled(by)
    return (first, shape.scaled(first))


@jit
def remove_itself(shape):
    return shape.goes(1)


@jit
def in_turns(shapes, changes):
    found = []
    for shape, change in zip(shapes, changes):
        change()
        found.append(shape.area())
    return found


@jit
def numbers(shape, n):
    total = 0
    for i in range(n):
        total += shape.scaled(i)
    return total


class Number:
    def __init__(self, n):
        self.n = n

    @jit
    def add(self, by: int) -> int:
        return self.n + by

    @jit
    def half(self, by: float) -> float:
        return self.n * by / 2

    @jit
    def same(self, n: int, really: bool) -> bool:
        return really and self.n == n

    @jit
    def power(self, n: int) -> int:
        return n**12 * self.n


class Bigger(Number):
    @jit
    def add(self, by: int) -> int:
        return self.n + by + 2**62

    def power(self, n):
        return "no number"


@jit
def adds(number, k: int) -> object:
    total = 0
    for i in range(k):
        total += number.add(i)
    return total


@jit
def halves(number, x: float) -> object:
    return number.half(x) + number.half(-x) + 1


@jit
def agrees(number, n: int) -> object:
    if number.same(n, True):
        return number.same(n, n > 2)
    return "no"


@jit
def mixed(number, n: int) -> object:
    return (number.power(n), number.power(70), number.add(n))


def nothing():
    pass


def shown(function, *args):
    try:
        print(function.__name__, function(*args))
    except Exception as error:
        entries = traceback.extract_tb(error.__traceback__)
        places = [f"{entry.name}:{entry.line}" for entry in entries]
        print(function.__name__, "raised", type(error).__name__, error.args, len(places), places[:3])


class Gone:
    @jit
    def goes(self, n):
        del Gone.goes
        return (n, hasattr(Gone, "goes"))


GOES = Gone.__dict__["goes"]


def changed():
    """Every way to make a call of a method mean something else, and back again."""
    square, circle = Square(3), Circle(2)
    yield "before"
    old = Square.area
    Square.area = lambda self: "patched"
    yield "method"
    Square.area = old
    yield "method back"
    square.area = lambda: "of the instance"
    yield "instance"
    del square.area
    with mock.patch.object(Shape, "scaled", lambda self, by: (by, "mocked")):
        yield "mock"
    square.__class__ = Circle
    yield "class"
    square.__class__ = Square
    Square.area = Circle.__dict__["area"]
    yield "another's"
    Square.area = old
    Square.area = staticmethod(lambda: "static")
    yield "static"
    Square.area = property(lambda self: lambda: "property")
    yield "property"
    Square.area = old
    circle.area = Shape.__dict__["area"]
    yield "unbound in the instance"
    del circle.area
    Shape.size = property(lambda self: 1000, lambda self, value: None)
    yield "data descriptor"
    del Shape.size


def main():
    square, circle, plain, slots = Square(3), Circle(2), Plain(1), Slots(5)
    shapes = [square, circle, plain, slots, Shape(7), None, 5]
    for shape in shapes:
        shown(outline, shape)
        shown(chain, shape, 2)
    for _ in range(3):
        shown(total, shapes[:5] * 3)
    shown(total, shapes)
    for text in ("", "text"):
        shown(ask, square, text)
        shown(ask, circle, text)
    print([walk(shape) for shape in shapes[:3]])
    for what in changed():
        print(what)
        for shape in (square, circle, Shape(4)):
            shown(outline, shape)
            shown(chain, shape, 3)
    old = Square.area
    steps = [nothing, lambda: setattr(Square, "area", lambda self: "late"), nothing, lambda: setattr(Square, "area", old)]
    shown(in_turns, [square] * 4, steps)
    print(numbers(square, 40), numbers(circle, 40))
    print(square.down(50), Slots.scaled(slots, 1))
    shown(square.down, 10**6)
    Gone.goes = GOES
    shown(remove_itself, Gone())
    Gone.goes = GOES
    print(square.kind(), vars(square))
    for number in (Number(2), Bigger(2), Bigger(2**62), Number(2**64), Number(True), None):
        for k in (0, 3, 5):
            shown(adds, number, k)
            shown(mixed, number, k)
            shown(agrees, number, k)
        for x in (0.5, -0.0, float("inf"), float("nan"), 1e308):
            shown(halves, number, x)
    for change in (
        lambda self, *args: "text",
        lambda self, *args: 2**100,
        lambda self, *args: True,
        lambda self, *args: 1.5,
        lambda self, *args: float("nan"),
        lambda self, *args: args,
        lambda self: 0,
        staticmethod(lambda *args: len(args)),
    ):
        for name in ("add", "half", "same", "power"):
            with mock.patch.object(Number, name, change):
                shown(adds, Number(2), 3)
                shown(mixed, Number(2), 3)
                shown(agrees, Number(2), 3)
                shown(halves, Number(2), 0.25)
                shown(halves, Bigger(2), 0.25)
    code = Shape.__dict__["area"].__code__
    Shape.area.__code__ = (lambda self: "other code").__code__
    shown(outline, Shape(1))
    shown(outline, plain)
    Shape.area.__code__ = code
    shown(outline, Shape(1))


if __name__ == "__main__":
    main()
